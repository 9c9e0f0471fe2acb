/* CSV as the scope writes it: RFC 4180, formulas disarmed (scope_list.c says how). */
#ifndef COFFERDAM_INCIDENT_SCOPE_CSV_H
#define COFFERDAM_INCIDENT_SCOPE_CSV_H

#include <stdbool.h>
#include <stdio.h>

#include "base/table.h"

/* One cell and what stands behind it. NULL is an empty cell. */
void scope_csv_cell(FILE *out, const char *text, bool last);
/* A line of column names, then the rows. */
void scope_csv_table(FILE *out, const struct table *table);

#endif

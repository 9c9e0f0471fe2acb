/* What `cofferdam trace` shows of a report, for people and as JSON. */
#ifndef COFFERDAM_CLI_TRACE_PAGE_H
#define COFFERDAM_CLI_TRACE_PAGE_H

#include <jansson.h>
#include <stdio.h>

#include "trace/trace.h"

/* The columns as they are taken, with how many of their values fit. */
void trace_page_columns(FILE *out, const struct trace_report *report);
void trace_page_print(FILE *out, const struct trace_report *report, const char *file);
/* Returns owned, never NULL. */
json_t *trace_page_json(const struct trace_report *report);

#endif

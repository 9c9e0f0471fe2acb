/* A line of a column set's canonical text, "dataset.column:form:category", as the ledger keeps it.
 * No state, any thread. */
#ifndef COFFERDAM_EXPOSURE_COLUMN_LINE_H
#define COFFERDAM_EXPOSURE_COLUMN_LINE_H

#include <stdbool.h>

#include "base/buffer.h"

/* Borrowed from the text. */
struct column_line {
    struct slice dataset, column, form, category; /* category empty: about nobody */
};
/* Takes the next line off *text; false at its end, and for a line that is none: *text was then not
 * at its end. */
bool column_line_next(const char **text, struct column_line *line);

#endif

/* SQL of the gateway, laid out for people: a clause a line, sub-selects indented, hidden names
 * short. Text in, text out: for reading only, never to be run. No I/O. */
#ifndef COFFERDAM_CLI_PRETTY_SQL_H
#define COFFERDAM_CLI_PRETTY_SQL_H

#include "base/buffer.h"

enum { PRETTY_NAMES = 512, PRETTY_NAME_LEN = 17 };

/* Hidden names ("h" and 16 hex digits) that have been met: the first is h1, and so on. */
struct pretty_names {
    char names[PRETTY_NAMES][PRETTY_NAME_LEN + 1];
    size_t count;
};

/* The text with its hidden names shortened. */
void pretty_text(struct pretty_names *names, const char *text, struct buffer *out);
/* The same of a statement, laid out in lines. */
void pretty_sql(struct pretty_names *names, const char *sql, struct buffer *out);

#endif

/* Tables as JSON: an array with one object a row. Numbers and booleans are such where the
 * column's type says so, never by the look of a value: a key "00123" must not become 123. */
#ifndef COFFERDAM_CLI_JSON_H
#define COFFERDAM_CLI_JSON_H

#include <jansson.h>

#include "base/status.h"
#include "base/table.h"

enum cli_json_kind { CLI_JSON_TEXT = 0, CLI_JSON_NUMBER, CLI_JSON_BOOLEAN };

/* kinds: one a column; NULL: all are text. Returns owned, never NULL. */
json_t *cli_json_table(const struct table *table, const enum cli_json_kind *kinds);
json_t *cli_json_row(const struct table *table, const struct table_row *row,
                     const enum cli_json_kind *kinds);
/* Text, with bytes that are no UTF-8 replaced by U+FFFD. Returns owned. */
json_t *cli_json_text(const char *text);
/* Prints and takes the value; compact: on one line. */
enum status cli_json_print(json_t *value, bool compact, struct error *error);

#endif

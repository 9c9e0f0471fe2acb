/* Key list: subject keys from a file, one a line, or a CSV (RFC 4180; comma, semicolon or tab)
 * whose first line names the key's column. A byte order mark, CRLF and blank lines are fine,
 * duplicates are dropped; anything doubtful is an error with its line, before anything is done with
 * the rest. Owned by the caller; one thread. */
#ifndef COFFERDAM_CLI_KEY_LIST_H
#define COFFERDAM_CLI_KEY_LIST_H

#include "base/buffer.h"
#include "base/status.h"

struct key_list {
    struct buffer text; /* holds the keys' bytes */
    struct slice *keys; /* distinct, ascending */
    size_t count, duplicates;
};

/* column: the key's column; may be NULL for a file that has no header. */
MUST_USE enum status key_list_read(const char *path, const char *column, struct key_list *list,
                                   struct error *error);
/* As key_list_read, of bytes that are taken over (also on failure). */
MUST_USE enum status key_list_parse(struct buffer *text, const char *column, struct key_list *list,
                                    struct error *error);
void key_list_free(struct key_list *list);

#endif

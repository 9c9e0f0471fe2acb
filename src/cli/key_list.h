/* Key list: subject keys from a CSV (base/csv.h) whose first row names the key's column, or from a
 * file of one key a line. Duplicates are dropped; anything doubtful is an error with its line,
 * before anything is done with the rest. Owned by the caller; one thread. */
#ifndef COFFERDAM_CLI_KEY_LIST_H
#define COFFERDAM_CLI_KEY_LIST_H

#include "base/buffer.h"
#include "base/status.h"

struct key_list {
    struct buffer text; /* holds the keys' bytes */
    struct slice *keys; /* distinct, ascending */
    size_t count, duplicates;
};

/* column: the key's. */
MUST_USE enum status key_list_read(const char *path, const char *column, struct key_list *list,
                                   struct error *error);
/* As key_list_read, of bytes that are borrowed for the call. */
MUST_USE enum status key_list_parse(struct slice text, const char *column, struct key_list *list,
                                    struct error *error);
void key_list_free(struct key_list *list);

#endif

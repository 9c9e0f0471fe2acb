/* Column sets: small numbers for the canonical texts of sets of columns, defined in the ledger by
 * entries of their own and rebuilt at replay. Ids are dense from 1, texts live as long as the
 * table. Thread-safe. */
#ifndef COFFERDAM_LEDGER_COLUMN_SET_H
#define COFFERDAM_LEDGER_COLUMN_SET_H

#include <pthread.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/status.h"

struct column_sets {
    pthread_mutex_t mutex;
    struct arena arena;
    const char **texts; /* texts[id - 1] */
    uint32_t count, capacity;
    uint32_t *slots; /* open addressing: ids by the text's hash, 0 empty; 2 * capacity of them */
};

void column_sets_init(struct column_sets *sets);
void column_sets_free(struct column_sets *sets);

/* At replay: takes an id from the log. STATUS_CORRUPT unless it is the next one and new. */
MUST_USE enum status column_sets_replay(struct column_sets *sets, uint32_t id, struct slice text,
                                        struct error *error);
/* The text's id. Where it has none yet, the next id is given to define(), under the lock, and kept
 * only if that succeeds. */
MUST_USE enum status column_sets_id(struct column_sets *sets, const char *text,
                                    enum status (*define)(void *context, uint32_t id,
                                                          const char *text, struct error *error),
                                    void *context, uint32_t *id, struct error *error);
/* NULL if unknown. */
const char *column_sets_text(struct column_sets *sets, uint32_t id);

#endif

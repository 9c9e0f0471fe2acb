/* Deliveries: files that staff had made for partners, and the canaries in them: invented people,
 * each value as it stands in the file. A SQLite file of its own (<state>/deliveries.sqlite),
 * written by the gateway, read by whoever looks for the source of a leak. Every change is on disk
 * when it returns. Not thread-safe; several processes may have it open. */
#ifndef COFFERDAM_REGISTRY_DELIVERIES_H
#define COFFERDAM_REGISTRY_DELIVERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/table.h"

struct deliveries; /* owned */

/* The file is made (0600) where missing, for the owner of its folder. */
MUST_USE enum status deliveries_open(const char *path, struct deliveries **deliveries,
                                     struct error *error);
void deliveries_close(struct deliveries *deliveries); /* NULL is fine */
/* The whole as of now to a file (0600) of its own, on disk when it returns, in the place of an
 * earlier one; whoever writes beside it may go on. */
MUST_USE enum status deliveries_copy(struct deliveries *deliveries, const char *to,
                                     struct error *error);

/* Instants are INT64_MIN, texts NULL, where not known. */
struct delivery {
    const char *id; /* "D-2026-11-22-7F3KQ" */
    const char *partner;
    const char *agent; /* whose grants; "": only those that bind to no agent */
    const char *purpose, *by, *file, *format;
    const char *statement_sha256; /* hex */
    int64_t opened_ns;
    int64_t opened_at; /* sequence of the opening act in the ledger */
    /* ---- once it is closed ---- */
    int64_t closed_ns;
    int64_t closed_at;   /* sequence of the closing act */
    const char *outcome; /* "complete", or why there is no file */
    const char *sha256;  /* of the file, hex; of a complete one alone */
    int64_t rows;        /* of real people and things */
    int64_t canaries;
    const char *commitment; /* hash over the canaries' values, hex; NULL: there are none */
};
/* STATUS_INVALID 23505 where the id is taken. */
MUST_USE enum status deliveries_add(struct deliveries *deliveries, const struct delivery *delivery,
                                    struct error *error);
/* Takes id and what is known of a closed one. Once: STATUS_DENIED 55000 where it is closed. */
MUST_USE enum status deliveries_finish(struct deliveries *deliveries,
                                       const struct delivery *delivery, struct error *error);
/* Texts live in the arena. STATUS_NOT_FOUND 42704. */
MUST_USE enum status deliveries_get(struct deliveries *deliveries, const char *id,
                                    struct arena *arena, struct delivery *delivery,
                                    struct error *error);
/* delivery, partner, agent, purpose, opened, closed, outcome, rows, canaries, file, sha256, by,
 * format — newest first. partner NULL: of all. */
MUST_USE enum status deliveries_list(struct deliveries *deliveries, const char *partner,
                                     struct table *table, struct error *error);

/* ---- canaries ---- */

/* One value of an invented row. */
struct canary {
    const char *delivery, *partner;
    int64_t row;        /* of the delivery's canaries, from 1 */
    const char *column; /* of the file */
    const char *source; /* "dataset.column" that the column's values come from, or "" */
    const char *kind;   /* of subject; "" where the row has no key */
    const char *key;    /* invented, clear; "" where the file has none in clear */
    const char *form;   /* "clear", "masked", "token" */
    const char *value;  /* as the file has it; never NULL */
    /* Invented for this file: it can lead to it by itself. Otherwise taken from a row of the file
     * (a town, an item), so that others have it too. */
    bool is_invented;
};
/* All or none. */
MUST_USE enum status deliveries_add_canaries(struct deliveries *deliveries,
                                             const struct canary *canaries, size_t count,
                                             struct error *error);
typedef enum status deliveries_canary(void *context, const struct canary *canary,
                                      struct error *error);
/* Calls take for each value of each canary, by delivery, row and order of the columns; delivery
 * NULL: of all. Stops at its first failure. Texts are borrowed for the call. */
MUST_USE enum status deliveries_each_canary(struct deliveries *deliveries, const char *delivery,
                                            deliveries_canary *take, void *context,
                                            struct error *error);
/* As above, those with this value alone; by an index, so one may ask for each field of a sample. */
MUST_USE enum status deliveries_match_canary(struct deliveries *deliveries, const char *value,
                                             deliveries_canary *take, void *context,
                                             struct error *error);
/* Hash over all values of a delivery's canaries, as LEDGER-FORMAT.md says ("Canaries"). *rows: how
 * many canaries; 0: there are none, and the hash says nothing. */
MUST_USE enum status deliveries_commitment(struct deliveries *deliveries, const char *delivery,
                                           uint8_t digest[static 32], int64_t *rows,
                                           struct error *error);

#endif

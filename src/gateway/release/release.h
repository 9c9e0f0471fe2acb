/* Release: from hidden keys to a durable disclosure. Rows of one execution are gathered into a
 * batch; release_batch maps keys to subjects, holds them against the budget, writes the ledger
 * entry and hands the admitted rows, gated, to the out-queue.
 * Invariant: rows leave the batch only behind a gate on the sequence of the entry that holds their
 * subjects. Nothing else appends partners' rows to an out-queue. */
#ifndef COFFERDAM_GATEWAY_RELEASE_H
#define COFFERDAM_GATEWAY_RELEASE_H

#include "base/arena.h"
#include "delivery/id.h"
#include "exposure/exposure.h"
#include "gateway/release/outqueue.h"
#include "gateway/statement/plans.h"

struct pins;

/* One execution of a portal, from Bind to its closing entry. Reference counted in one thread. */
struct run {
    unsigned references;
    struct planned *planned;
    struct server *server;
    const struct policy_partner *partner; /* borrowed from planned's model */
    const struct policy_agent *agent;
    const char *purpose;             /* borrowed likewise */
    char delivery[DELIVERY_ID_ROOM]; /* that it is part of; "": none */
    uint64_t session;
    uint8_t uuid[16];
    struct pins *pins; /* probe.h; owned; NULL: it names no keys */
    bool opened;       /* an entry has been written */
    bool once_taken;   /* the first row has come, and with it the statement's `once` sets */
    bool no_rows;      /* that row was none: it only brought them */
    unsigned executed; /* Executes sent upstream and not skipped there */
    bool closed;       /* the closing entry has been written */
    bool lost;         /* rows have been passed over unrecorded: there are no others */
    bool copying;      /* COPY: what stands before the rows has been sent */
    bool moving;       /* MOVE: rows are recorded and counted, but have no bytes */
    uint64_t rows;     /* released in all */
    uint64_t rows_now; /* released since the last Execute */
    int64_t skip_left; /* of plan->relay_offset */
    int64_t take_left; /* of plan->relay_limit; -1: no limit */
};

/* NULL when memory is exhausted. Retains planned. */
struct run *run_make(struct server *server, struct planned *planned,
                     const struct policy_partner *partner, const struct policy_agent *agent,
                     const char *purpose, uint64_t session);
struct run *run_retain(struct run *run);
void run_release(struct run *run); /* NULL is fine */

/* Columns of upstream's rows behind those that the client gets: see struct plan_hidden. */
static inline size_t run_hidden_columns(const struct plan *plan)
{
    return plan->hidden_count + (plan->has_once ? 1 : 0) + (plan->keeps_left_out ? 1 : 0) +
           plan_write_columns(plan);
}

enum {
    BATCH_SET_DEPTH = 8
}; /* sets of sets: each level doubles the backslashes of the one below */

struct batch_key {
    uint32_t at, len; /* in batch->key_bytes */
    uint16_t hidden;  /* index of the plan's hidden column */
    uint32_t sums_at; /* of a marked set: in batch->sums, one for each of plan->sources */
};

struct batch_row {
    size_t bytes_end; /* in batch->rows */
    size_t keys_end;  /* in batch->keys */
    bool left_out;    /* by HAVING */
};

/* Rows gathered since the last release; all of one run. Memory is kept between batches. */
struct batch {
    struct buffer rows; /* visible DataRow messages */
    struct buffer key_bytes;
    struct buffer scratch[BATCH_SET_DEPTH]; /* an unescaped array element, by depth - 1 */
    struct buffer sets;                     /* serialised subject sets of the entry being written */
    struct buffer side;                     /* new subject keys, sealed */
    struct arena arena;                     /* everything that lives for one release_batch */
    struct batch_key *keys;
    size_t key_count, key_capacity;
    uint64_t *sums; /* of the marks of people's rows: row_sums.h */
    size_t sum_count, sum_capacity;
    size_t once_end; /* of the keys of `once` sets, which come before those of the rows */
    struct batch_row *row_ends;
    size_t row_count, row_capacity;
};
void batch_init(struct batch *batch);
void batch_free(struct batch *batch);
bool batch_empty(const struct batch *batch);
bool batch_full(const struct batch *batch);
void batch_clear(struct batch *batch);

/* Takes one DataRow of upstream into the batch, which is empty where it is the execution's first;
 * one that only brings `once` sets leaves no row. STATUS_PEER: not the row that was planned;
 * STATUS_DENIED: a NULL key where the policy refuses it; STATUS_LIMIT; STATUS_NOMEM. */
MUST_USE enum status batch_add(struct batch *batch, struct run *run, struct slice row,
                               struct error *error);

/* The rows stay, with their keys, but what the client would get of them does not. */
void batch_silence(struct batch *batch);

/* Releases the batch (may be empty). closing LEDGER_OUTCOME_NONE: the execution goes on; otherwise
 * the same entry closes it. STATUS_LIMIT (53400): the rows before the limit were released and the
 * closing entry written; the caller answers with the error. Other failures release nothing, among
 * them (STATUS_PEER) a statement that is complete without its `once` sets having come, and
 * (STATUS_DENIED 57P01, closed) what is far from what the agent used to do: the session must end.
 * In every case the batch is empty afterwards, and what the caller appends to `out` next is gated
 * behind the entry. */
MUST_USE enum status release_batch(struct batch *batch, struct run *run,
                                   enum ledger_outcome closing, const char *sqlstate,
                                   struct outqueue *out, struct error *error);

/* The closing entry of an execution that fails here: an error that is appended to `out` next is
 * gated behind it. */
MUST_USE enum status release_fail(struct run *run, const char sqlstate[static 6],
                                  struct outqueue *out, struct error *error);
/* The closing entry of an execution whose client will get no more of it. Not gated. */
void release_abandon(struct run *run, enum ledger_outcome outcome);

#endif

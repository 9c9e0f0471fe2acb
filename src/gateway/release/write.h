/* Writes of a session: statements of a partner that change data, from the first row that upstream
 * tells of them to what became of their transaction.
 * Invariant: while a write is under way, or its intent is not durable yet, no message of the client
 * is taken. So no COMMIT, and no Sync that commits, can go upstream before the ledger holds who is
 * changed by what it commits. A write that may not stand makes its transaction fail upstream. */
#ifndef COFFERDAM_GATEWAY_WRITE_H
#define COFFERDAM_GATEWAY_WRITE_H

#include "gateway/release/release.h"

struct session;

struct write_key {
    uint32_t at, len; /* in writes->key_bytes */
    uint16_t subject; /* index of the plan's subject keys */
};

/* A write whose transaction has not ended. */
struct write_intent {
    uint8_t uuid[16], statement_hash[32], policy_id[32];
    bool in_doubt;     /* some of the transaction was undone: perhaps this */
    struct plan *plan; /* retained: what it was written by */
};

enum { WRITE_TABLES = 64 };

struct write_savepoint {
    char *name;     /* owned */
    size_t intents; /* that were there when it was made */
};

struct writes {
    struct run *run;         /* under way upstream; owned reference */
    uint64_t written, given; /* its rows so far */
    enum plan_mark problem;  /* of a row that may not stand; 0: none */
    struct buffer key_bytes; /* of the people whose rows it wrote */
    struct write_key *keys;
    size_t key_count, key_capacity;

    bool intended;     /* an intent has been written in this session, */
    uint64_t sequence; /* the newest of them */
    bool sync_due;     /* a Sync waits for it */
    struct write_intent *intents;
    size_t intent_count, intent_capacity;
    struct write_savepoint *savepoints; /* oldest first */
    size_t savepoint_count;
    bool failed;                   /* upstream has reported an error since the first intent */
    bool commit_sent;              /* and the answer is not there */
    uint32_t tables[WRITE_TABLES]; /* that the transaction has written: their OIDs */
    size_t table_count;
    bool all_tables; /* more than that */
};

void writes_init(struct writes *writes);
/* The session ends: what its transaction was to change is told to be undone, or in doubt. */
void writes_end(struct session *session);

/* An Execute of a write has been sent. */
void writes_begin(struct session *session, struct run *run);
/* Must the client's next message, and a Sync of ours, wait? */
bool writes_wait(const struct session *session);
/* A statement goes upstream that may commit; or a Sync, which does so outside a block. */
void writes_commit_sent(struct session *session);
void writes_sync_sent(struct session *session);
/* May this plan run in the transaction as it is? Not a computation over what it has written. */
MUST_USE enum status writes_check(const struct session *session, const struct plan *plan,
                                  struct error *error);

/* Reads the columns behind the hidden ones of one row of upstream. *pass: the row goes on to the
 * batch. STATUS_PEER: not the row that was planned; STATUS_LIMIT; STATUS_NOMEM. */
MUST_USE enum status writes_take_row(struct session *session, const struct run *run,
                                     struct slice row, bool *pass, struct error *error);
/* All rows are there: may the write stand? STATUS_DENIED if not. *probes: how many bits the answer
 * tells about data that the partner may not see, whether it stands or not: one for each row that
 * was left out, since what has been inserted can be looked at. */
MUST_USE enum status writes_judge(const struct session *session, const struct run *run,
                                  uint64_t *probes, struct error *error);
/* Whoever is written has been found, by the keys that the statement names. */
void writes_found(const struct session *session, const struct run *run);
/* Writes the intent; what is appended to the out-queue next is gated behind it. */
MUST_USE enum status writes_intend(struct session *session, struct run *run, struct error *error);
/* The write is over, for good or bad. */
void writes_done(struct session *session);
/* "UPDATE 3" */
void writes_tag(const struct session *session, const struct plan *plan, char *tag, size_t room);

/* Upstream has reported an error; the transaction is lost. */
void writes_failed(struct session *session);
/* Replies have been dropped. The write is over if its own is among them: it is not where the error
 * was an earlier request's, with a Sync in between. */
void writes_skipped(struct session *session);
/* The transaction has ended; what follows in the out-queue is gated behind its outcome. */
void writes_ended(struct session *session, bool committed);
/* SAVEPOINT, RELEASE or ROLLBACK TO has been done. What the last has undone is told so; where it
 * cannot be told which that is, all is in doubt. */
void writes_savepoint(struct session *session, const struct plan *plan);
/* ReadyForQuery: is there a transaction still? */
void writes_ready(struct session *session, char transaction);

#endif

/* The disclosure ledger: an append-only Merkle log in segment files; docs/LEDGER-FORMAT.md has
 * every byte. Invariant: an acknowledged entry is on disk and in the tree. One writer thread;
 * appends come from any thread; readers scan files.
 * A failed write or sync is never retried: the process logs and aborts, since the page cache lies
 * after a failed flush. A full disk is no failure: appends are refused (53100) and nothing leaves.
 * ledger_append() copies its entry; the caller keeps ownership. */
#ifndef COFFERDAM_LEDGER_LEDGER_H
#define COFFERDAM_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/since.h"
#include "base/status.h"
#include "ledger/checkpoint.h"
#include "ledger/key_change.h"

enum ledger_type {
    LEDGER_DISCLOSURE = 1,  /* rows released, and/or a statement's closing */
    LEDGER_COLUMN_SET = 2,  /* defines a column-set id */
    LEDGER_POLICY = 3,      /* a policy taken into force: its text, whole or in chunks */
    LEDGER_REFUSAL = 4,     /* a statement or a login refused */
    LEDGER_ACT = 5,         /* containment, restore, reload, start, stop … */
    LEDGER_PROBE = 6,       /* an upstream data error: one bit about the data */
    LEDGER_RECOVERED = 7,   /* written by recovery after an unclean stop */
    LEDGER_DECLARED = 8,    /* an export outside the gateway, told by staff */
    LEDGER_DELETED = 9,     /* a partner's claim that what it had received before is deleted */
    LEDGER_CHANGE = 10,     /* a partner is about to change these people's data: before COMMIT */
    LEDGER_CHANGE_END = 11, /* what became of it: same uuid */
    LEDGER_KEY = 12,        /* the first signing key, or a change of it: a signed note */
    LEDGER_COMMITMENT = 13, /* root of the index of who was ever disclosed: docs/NEVER-FORMAT.md */
    LEDGER_DROPPED = 14,    /* whole old segments are about to go: docs/LEDGER-FORMAT.md, "Base" */
};

enum ledger_flags {
    LEDGER_FLAG_OPENING = 1, /* first entry of its statement */
    LEDGER_FLAG_CLOSING = 2, /* last entry of its statement: outcome and row count are final */
};

enum ledger_outcome {
    LEDGER_OUTCOME_NONE = 0, /* the statement goes on */
    LEDGER_OUTCOME_COMPLETE = 1,
    LEDGER_OUTCOME_ERROR = 2,     /* upstream failed */
    LEDGER_OUTCOME_BUDGET = 3,    /* cut by a budget or row limit */
    LEDGER_OUTCOME_CONTAINED = 4, /* cut by containment or ended admission */
    LEDGER_OUTCOME_ABANDONED = 5, /* the client went away, cancelled, or closed the portal */
    LEDGER_OUTCOME_REFUSED = 6,
    LEDGER_OUTCOME_COMMITTED = 7,   /* CHANGE_END, as are the next two */
    LEDGER_OUTCOME_ROLLED_BACK = 8, /* nothing was changed */
    LEDGER_OUTCOME_IN_DOUBT = 9,    /* upstream was lost after COMMIT had been sent; or some was
                                      undone by ROLLBACK TO */
};

/* One item a hidden key: these subjects, in this grade, with these columns. */
struct ledger_item {
    uint16_t kind;         /* number of the subject kind in the policy */
    uint8_t grade;         /* enum plan_grade's numbers: 1 direct … 5 probe; 6 changed */
    uint32_t k;            /* smallest group for aggregate(k), else 0 */
    uint32_t column_set;   /* id from ledger_column_set */
    struct slice subjects; /* portable roaring bitmap of subject ids (exposure/subject_set.h) */
    struct slice rows;     /* of a statistic: exposure/row_sums.h; or empty */
};

/* Texts are borrowed slices without NUL; empty where they do not apply. */
struct ledger_entry {
    enum ledger_type type;
    uint16_t flags;
    uint8_t uuid[16];  /* of the statement; the same in all its entries */
    int64_t time_ns;   /* filled in by ledger_append when 0 */
    struct slice node; /* filled in by ledger_append, as is epoch */
    uint64_t epoch;
    struct slice partner, agent, purpose, delivery;
    uint64_t session;
    uint8_t statement_hash[32]; /* SHA-256 of the partner's text */
    uint8_t policy_id[32];
    uint64_t row_count; /* rows released by this entry */
    uint32_t chunk, chunk_count;
    uint64_t lease;   /* budget lease charged, 0 where budgets are this node's own */
    uint64_t charged; /* subjects newly charged to the budget */
    enum ledger_outcome outcome;
    char sqlstate[6];    /* REFUSAL, PROBE, ERROR */
    struct slice text;   /* ACT: what was done; COLUMN_SET: canonical text; POLICY: the text;
                          * never a literal or value */
    uint32_t column_set; /* COLUMN_SET: the id being defined; otherwise: all columns that the
                          * statement could read (closing entry), 0 for none */
    const struct ledger_item *items;
    size_t item_count;
};

struct ledger; /* owned */

struct ledger_options {
    const char *folder;
    const char *node;       /* at most LIMIT_NAME_BYTES; borrowed */
    uint64_t epoch;         /* of this node's ownership of the log; 0 outside a cluster */
    uint64_t segment_bytes; /* multiple of 4096, from 131072 to 1 GiB; 0: 64 MiB */
    uint32_t pace_us;       /* between group syncs under load; 0: sync eagerly */
    /* The file of the key that signs checkpoints, made if the log has none; NULL: they are not
     * signed, which is refused (STATUS_INVALID) where the log has a key. */
    const char *signing_key;
    uint32_t checkpoint_every_s; /* between checkpoints that are kept; 0: an hour */
    /* NULL, or why a signing key that was lost shall be replaced by a new one: one plain line. */
    const char *key_lost;
    uint32_t publish_ms; /* between rounds of publishing in tiles/ (tiles.h); 0: never */
    /* Called during ledger_open for every entry on disk, in order, before anything is appended.
     * side is the frame's side section that came with this entry (see ledger_append). */
    enum status (*replay)(void *context, uint64_t sequence, const struct ledger_entry *entry,
                          struct slice side, uint64_t segment, struct error *error);
    void *replay_context;
};

/* Opens or creates; recovers (LEDGER-FORMAT.md, "Recovery"). STATUS_CORRUPT names file and byte
 * where acknowledged data is damaged. Only one process may hold a folder (flock): STATUS_DENIED
 * 55006 for another. STATUS_DENIED F0000 where the log's signing key is not there. */
MUST_USE enum status ledger_open(const struct ledger_options *options, struct ledger **ledger,
                                 struct error *error);
/* Waits until everything appended is durable, then stops the writer and frees. */
void ledger_close(struct ledger *ledger);

/* Queues an entry for the next group commit; never blocks on the disk. side (may be empty) goes
 * into the frame beside the leaf, not into the tree: new subject keys, sealed by the caller.
 * STATUS_LIMIT 53100 when no prepared segment has room, 54000 when the encoded entry is over
 * LIMIT_LEDGER_ENTRY_BYTES or side over 8 MiB, 53000 when the disk is so slow that the queue is
 * full: nothing was queued. *sequence: wait for it. */
MUST_USE enum status ledger_append(struct ledger *ledger, const struct ledger_entry *entry,
                                   struct slice side, uint64_t *sequence, struct error *error);
/* All sequences below this are durable. Starts at 0 for an empty ledger. Lock-free. */
uint64_t ledger_durable(const struct ledger *ledger);
/* Blocks until sequence is durable. For acts from the command line, not for event loops. */
void ledger_wait(struct ledger *ledger, uint64_t sequence);
/* fn(context) is called on the writer's thread each time ledger_durable() has grown. At most 64
 * subscribers; before traffic starts. */
void ledger_subscribe(struct ledger *ledger, void (*fn)(void *context), void *context);

/* The id of a column set given its canonical text (sorted "dataset.column:form:category" lines),
 * defining it by an entry the first time. Ids start at 1; they outlive restarts. */
MUST_USE enum status ledger_column_set(struct ledger *ledger, const char *canonical, uint32_t *id,
                                       struct error *error);
/* Text of an id; NULL if unknown. Borrowed for the ledger's life. */
const char *ledger_column_set_text(struct ledger *ledger, uint32_t id);

struct ledger_state {
    uint64_t entries, segments, bytes, syncs; /* durable entries */
    uint8_t root[32];                         /* of the tree of just those entries */
    uint64_t current_segment;
    bool full; /* an append was refused for lack of room, and there is no spare yet */
};
void ledger_state(struct ledger *ledger, struct ledger_state *state);

/* ---- what is signed ---- */

/* Signs and keeps a checkpoint of what is durable now, for an incident: *checkpoint says what it
 * is, *note (initialised, may be NULL) gets the signed bytes, nothing where there is no key. After
 * a failure (the disk is full) *checkpoint is filled all the same. */
MUST_USE enum status ledger_checkpoint(struct ledger *ledger, struct checkpoint *checkpoint,
                                       struct buffer *note, struct error *error);
/* Appends a text as a signed note; the text alone where there is no key. It must be none that
 * could be taken for a checkpoint. */
void ledger_sign(struct ledger *ledger, struct slice text, struct buffer *note);
/* A new signing key, handed over to in the log by the old one. Waits for the disk. */
MUST_USE enum status ledger_key_rotate(struct ledger *ledger, struct note_key *fresh,
                                       struct error *error);
/* A copy of the keys that the log names, oldest first; none where there is no key. */
void ledger_keys(struct ledger *ledger, struct key_chain *chain);

/* ---- reading, for tail, rebuilding, verifying and tests: independent of a running writer ---- */
struct ledger_reader;
/* A reader that begins at 0 verifies: it computes the tree and compares each frame's root, and the
 * checkpoint's, as it goes. STATUS_NOT_FOUND where there is no log. */
MUST_USE enum status ledger_reader_open(const char *folder, uint64_t from_sequence,
                                        struct ledger_reader **reader, struct error *error);
/* Where the oldest segments were dropped ("Base"), a reader that begins below gives what is carried
 * of them (policies, acts, column sets, keys: no disclosure), with gaps in the sequence, and then
 * all that is kept. True, and what is missing, for such a reader; reason lives as long as it. */
struct ledger_dropped {
    uint64_t below;            /* the first sequence from which on nothing is missing */
    uint64_t entries;          /* that are missing */
    int64_t first_ns, last_ns; /* their times: the earliest, the latest */
    const char *reason;
};
bool ledger_reader_dropped(const struct ledger_reader *reader, struct ledger_dropped *dropped);
/* Since when a log can tell of people: from the first entry on, or from where its oldest entries
 * were dropped. Every entry below that is missing is older than since_ns; some that are kept may be
 * older too. */
struct ledger_since {
    bool dropped;              /* false: nothing is missing, and the rest is 0 */
    uint64_t below;            /* no entry from this sequence on is missing */
    uint64_t entries;          /* that are missing */
    int64_t first_ns, last_ns; /* their times: the earliest, the latest */
    int64_t since_ns;          /* answers are whole from this instant on */
    uint8_t statement[32];     /* SHA-256 of the text that says so: the entry's, and the base's */
};
/* Of the log in this folder now; reads one small file. A folder without a log is whole. */
MUST_USE enum status ledger_since(const char *folder, struct ledger_since *since,
                                  struct error *error);
/* For who cannot answer without them: STATUS_DENIED 55000 where entries are missing. purpose: what
 * cannot be done, as the message's subject. */
MUST_USE enum status ledger_reader_whole(const struct ledger_reader *reader, const char *purpose,
                                         struct error *error);
/* Since when all entries are there (base/since.h); SINCE_EVER for a reader that misses none. */
int64_t ledger_reader_since(const struct ledger_reader *reader);
/* Next acknowledged entry; STATUS_AGAIN at the end for now; STATUS_CORRUPT with file and byte. The
 * entry borrows the reader's memory until the next call. */
MUST_USE enum status ledger_reader_next(struct ledger_reader *reader, uint64_t *sequence,
                                        struct ledger_entry *entry, struct slice *side,
                                        struct error *error);
/* As ledger_reader_next, but the entry's canonical bytes, not decoded. */
MUST_USE enum status ledger_reader_next_bytes(struct ledger_reader *reader, uint64_t *sequence,
                                              struct slice *bytes, struct slice *side,
                                              struct error *error);
/* The caller keeps the tree himself: a reader that began at 0 need not. Before the first entry. */
void ledger_reader_leave_tree(struct ledger_reader *reader);
/* Size and root of the tree of what was read; size 0 unless the reader began at 0. */
void ledger_reader_root(const struct ledger_reader *reader, uint64_t *size,
                        uint8_t root[static 32]);
/* Whether the entry read last is the last of its frame: then the root of the tree of all entries up
 * to it, as the frame says. Where a reader began at 0, it has been compared. */
bool ledger_reader_boundary(const struct ledger_reader *reader, uint8_t root[static 32]);
void ledger_reader_close(struct ledger_reader *reader);
/* The root of the tree of the first size entries (size > 0), as the frame that ends there says.
 * STATUS_NOT_FOUND where no whole frame ends there. */
MUST_USE enum status ledger_root_at(const char *folder, uint64_t size, uint8_t root[static 32],
                                    struct error *error);
/* The random name of the log in this folder; STATUS_NOT_FOUND where there is none. */
MUST_USE enum status ledger_log_id(const char *folder, uint8_t id[static 16], struct error *error);

const char *ledger_type_name(enum ledger_type type);
/* The value of a line "key=value" of an entry's text (DECLARED, DELETED); data NULL: no such line.
 */
struct slice ledger_text_value(struct slice text, const char *key);
const char *ledger_outcome_name(enum ledger_outcome outcome);

#endif

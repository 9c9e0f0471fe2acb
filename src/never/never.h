/* Proof of non-exposure: an index of everybody ever disclosed, whose root stands in the ledger, and
 * certificates that somebody, or some column, is not in it. decisions/0022, docs/NEVER-FORMAT.md.
 * A certificate is checked offline with the log's public key alone. It proves what the committed
 * index says; never_recompute proves that the index follows from the log.
 * No state of its own but files; each function may be called from any thread. */
#ifndef COFFERDAM_NEVER_NEVER_H
#define COFFERDAM_NEVER_NEVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/status.h"
#include "ledger/checkpoint.h"
#include "ledger/note.h"
#include "never/commitment.h"
#include "policy/policy.h"

enum {
    NEVER_CERTIFICATE_BYTES = 256 * 1024, /* at most */
    NEVER_COLUMN_ROOM = 2 * LIMIT_NAME_BYTES + 2,
};

/* What was never disclosed. Texts that do not apply are "": subject (with its kind), partner,
 * column
 * ("dataset.column"); at least one does. */
struct never_question {
    char kind[LIMIT_NAME_BYTES + 1];
    char subject[LIMIT_SUBJECT_KEY_BYTES + 1];
    char partner[LIMIT_NAME_BYTES + 1];
    char column[NEVER_COLUMN_ROOM];
};

/* ---- who has the certificate ---- */

struct never_claim {
    struct never_question question;
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct never_commitment commitment;
    uint64_t sequence;            /* of the commitment's entry */
    struct checkpoint checkpoint; /* the signed one that holds it */
};
/* Appends what is claimed, as one sentence without a newline. Of a log that was cut it says of
 * which entries it speaks. */
void never_claim_words(const struct never_claim *claim, struct buffer *out);
/* Does this look like a certificate of ours? */
bool never_is_certificate(struct slice bytes);
/* keys: the log's verifier key, and witnesses' that must not contradict; at least one must have
 * signed as the log. STATUS_INVALID says what is wrong. Total on hostile bytes; no file is read. */
MUST_USE enum status never_verify(struct slice certificate, const struct note_key *keys,
                                  size_t key_count, struct never_claim *claim, struct error *error);

/* ---- who has the ledger ---- */

/* The folders of a gateway's state: <state>/ledger, <state>/subjects, <state>/never,
 * <state>/never.key. policy names the kinds. */
struct never_place {
    const char *state_folder;
    const struct policy *policy;
};

struct never_work {
    struct never_commitment commitment;
    uint64_t read;     /* entries read for it */
    uint64_t computed; /* people whose marks were computed anew */
    uint64_t gone;     /* people whose leaves went, since entries were dropped from the ledger */
    bool new_key;      /* the function's key was made for it */
};
/* Computes the index over the entries below `entries` and keeps it in <state>/never; what is left
 * is to record work->commitment in the ledger. afresh: uses nothing of an earlier index, as where
 * that one counts entries that were dropped since. new_key:
 * makes another key for the function, and so a wholly new index. STATUS_DENIED where the key is
 * missing though the ledger has commitments. One process at a time: STATUS_DENIED 55006 for
 * another. */
MUST_USE enum status never_compute(const struct never_place *place, uint64_t entries,
                                   int64_t as_of_ns, bool afresh, bool new_key,
                                   struct never_work *work, struct error *error);

/* Around an erasure, so that the person's leaf stays and nobody can certify what is false: the seed
 * of their marks is taken before the key goes, and kept under their number afterwards. It tells who
 * it was to nobody who does not hold never.key and guess the key. STATUS_NOT_FOUND where there is
 * no function yet: nothing was ever committed. */
enum { NEVER_SEED_BYTES = 32 };
MUST_USE enum status never_seed(const struct never_place *place, const char *kind, const char *key,
                                uint8_t seed[static NEVER_SEED_BYTES], struct error *error);
/* Waits for a process that computes the index. */
MUST_USE enum status never_keep_seed(const struct never_place *place, uint32_t id,
                                     const uint8_t seed[static NEVER_SEED_BYTES],
                                     struct error *error);

/* What cannot be made again to a folder that is there: never.key, and never/seeds, 0600; both of
 * one instant. *copied false where there is no key: nothing was ever committed. Waits for a process
 * that computes the index. */
MUST_USE enum status never_backup(const char *state_folder, const char *to, bool *copied,
                                  struct error *error);

/* Appends the certificate. STATUS_DENIED where the claim is false, with what to ask instead;
 * STATUS_NOT_FOUND where no index is committed, none of what is left of the ledger, or no signed
 * checkpoint holds it yet. */
MUST_USE enum status never_prove(const struct never_place *place,
                                 const struct never_question *question, struct buffer *out,
                                 struct error *error);

struct never_check {
    uint64_t commitments; /* in the ledger */
    uint64_t beyond;   /* of them, to indexes of entries that were dropped: nothing is left to hold
                          these against */
    uint64_t sequence; /* of the last one */
    bool recomputed;   /* it; false where there is none, or it is one of beyond */
    struct never_commitment commitment;
};
/* Holds the newest commitment among the first `entries` of the ledger (UINT64_MAX: of all that is
 * acknowledged) against an index computed
 * from the ledger and the keys alone. Where the ledger has none, commitments is 0. STATUS_CORRUPT
 * where they differ, and where it claims entries that had been dropped before it; STATUS_NOT_FOUND
 * where the function's key is not here. Reads the seeds of people whose keys are gone, writes
 * nothing. */
MUST_USE enum status never_recompute(const struct never_place *place, uint64_t entries,
                                     struct never_check *check, struct error *error);

#endif

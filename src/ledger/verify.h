/* Verifying a log that is at rest or being written by somebody else: each byte that the log
 * consists of, by docs/LEDGER-FORMAT.md, "Verifying". Reads only, takes no lock.
 * Invariant: what proves how much there must be is read before the segments, so what a running
 * gateway adds meanwhile is never taken for damage, and a missing end always is.
 * Threads are its own; segments are scanned in parallel and joined in order. */
#ifndef COFFERDAM_LEDGER_VERIFY_H
#define COFFERDAM_LEDGER_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/ledger.h"
#include "ledger/note.h"

enum { VERIFY_SOURCE_ROOM = 512, VERIFY_THREADS_MAX = 16 };

/* A tree that somebody vouches for: the log must have had exactly this root at that size. */
struct verify_claim {
    uint64_t size;
    uint8_t root[32];
    const char *source; /* for people: the checkpoint's file; borrowed */
};

struct verify_options {
    const char *folder;
    unsigned threads; /* 0: one more than there are cores */
    bool bundles;     /* hash the published entries too, where there are tiles */
    /* Beside the checkpoints in the folder. */
    const struct verify_claim *claims;
    size_t claim_count;
    const char *const *checkpoints; /* files, kept elsewhere */
    size_t checkpoint_count;
    /* The log's key, or one that handed over to it; NULL: whichever the log itself names. */
    const struct note_key *key;
    /* With a key: how long to wait for a gateway to sign what it wrote; 0: five seconds. */
    unsigned patience_ms;
    /* Called in the order of the log for each entry but those of statements (disclosures, refusals,
     * probes, changes); may be NULL. Its failure ends the verification. */
    enum status (*notable)(void *context, uint64_t sequence, const struct ledger_entry *entry,
                           struct error *error);
    void *notable_context;
};

struct verify_report {
    char log_id[33]; /* hex */
    uint64_t entries, frames, segments;
    uint64_t bytes;        /* of headers and frames */
    uint64_t acknowledged; /* as far as the folder and the claims prove it: at most entries */
    uint8_t root[32];      /* of all entries */
    int64_t first_ns, last_ns;
    uint32_t column_sets;
    size_t claims_met;   /* of all checkpoints and claims: all but the next */
    size_t claims_below; /* of trees smaller than what was dropped: not to be checked here */
    uint64_t dropped_below, dropped; /* sequences below, of which so many entries are missing */
    int64_t dropped_first_ns, dropped_last_ns; /* their times */
    char dropped_reason[501];
    uint64_t carried;     /* entries below, which are in the file beside the base */
    bool carried_proven;  /* published tiles have the hash of each; else a signature alone speaks */
    size_t keys, breaks;  /* that the log names; of them such as nobody handed over to */
    size_t signatures;    /* of checkpoints, good */
    uint64_t signed_size; /* of the largest of them: what is behind it rests on the folder alone */
    bool closed;          /* ended by the mark of an orderly stop */
    bool live;            /* it grew while it was read */
};

/* Where the first difference is. */
struct verify_damage {
    const char *check; /* which rule is broken, one word; NULL: none */
    char file[VERIFY_SOURCE_ROOM];
    uint64_t byte, sequence;
};

/* STATUS_CORRUPT with *damage filled and an error that says the same in words; STATUS_NOT_FOUND
 * where there is no log, STATUS_IO, _NOMEM. */
MUST_USE enum status ledger_verify(const struct verify_options *options,
                                   struct verify_report *report, struct verify_damage *damage,
                                   struct error *error);

#endif

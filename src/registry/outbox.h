/* Outbox: one message for each person of an approved notice, and how far each has come. A SQLite
 * file in the incident's folder. One sender at a time (the file is locked); others may read.
 *
 * Exactly once, as far as SMTP allows. A batch is OFFERED durably (synced) before the first of it
 * goes out; each message is BEGUN by a commit that outlives the process, though not the machine,
 * before its final dot can be sent; the server's answer is committed in the same way. On opening:
 * - OFFERED and not BEGUN, same boot of the machine: never sent, READY again;
 * - BEGUN, or OFFERED before another boot: the server may have it: IN_DOUBT. Such a message is
 *   never sent again by itself while a delivery notice (RFC 3461) may still prove that it was
 * taken. */
#ifndef COFFERDAM_REGISTRY_OUTBOX_H
#define COFFERDAM_REGISTRY_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/table.h"

enum outbox_state {
    OUTBOX_READY = 0,
    OUTBOX_OFFERED = 1,
    OUTBOX_BEGUN = 2,
    OUTBOX_ACCEPTED = 3, /* the server's 250: handed over, nothing more is claimed */
    OUTBOX_REFUSED = 4,  /* 5yz: a letter */
    OUTBOX_DEFERRED = 5, /* 4yz: again later */
    OUTBOX_IN_DOUBT = 6,
    OUTBOX_BOUNCED = 7, /* accepted, then a failed delivery notice: a letter */
    OUTBOX_LETTER = 8,  /* no usable mail address, a postal one */
    OUTBOX_PUBLIC = 9,  /* neither: a public notice */
    OUTBOX_SILENT = 10, /* deceased: nobody is written to */
    OUTBOX_ERASED = 11, /* the person's key or row is gone */
};
enum { OUTBOX_STATES = 12 };

struct outbox; /* owned */

/* One thread at a time. Opens or makes the file. for_sending: takes the sender's lock
 * (STATUS_DENIED 55006 if another process sends) and settles what an earlier sender left, as above.
 */
MUST_USE enum status outbox_open(const char *path, bool for_sending, struct outbox **outbox,
                                 struct error *error);
void outbox_close(struct outbox *outbox); /* NULL is fine */

/* A person of a notice. */
struct outbox_person {
    uint32_t id; /* subject id */
    uint16_t kind;
    uint16_t tier;    /* order of sending: smaller first */
    uint32_t variant; /* the caller's: which text */
};
/* All of a notice's people at once, READY; a notice that has people already is left as it is. */
MUST_USE enum status outbox_fill(struct outbox *outbox, int64_t notice,
                                 const struct outbox_person *people, size_t count,
                                 struct error *error);

/* A person whose turn it is. */
enum { OUTBOX_ENVELOPE_CHARS = 32 };
struct outbox_turn {
    struct outbox_person person;
    uint32_t attempts; /* with this one */
    /* Random, another one for each attempt: what a delivery notice will name. Synced before the
     * message can go, so that a notice finds it whatever crashes. */
    char envelope_id[OUTBOX_ENVELOPE_CHARS + 1];
};
/* The next people of a notice, those DEFERRED and due before those READY, at most room, made
 * OFFERED, synced. */
MUST_USE enum status outbox_offer(struct outbox *outbox, int64_t notice, int64_t now_ns,
                                  struct outbox_turn *turns, size_t room, size_t *count,
                                  struct error *error);
/* An offered one goes back: it was not begun. READY, or what a notice about an earlier attempt that
 * came meanwhile makes of it. */
MUST_USE enum status outbox_return(struct outbox *outbox, int64_t notice, uint32_t id,
                                   struct error *error);
/* Before the final dot: hash of the rendered bytes. Only an OFFERED one can begin.
 * STATUS_CLOSED if a notice about an earlier attempt came since the offer: nothing may be sent, and
 * outbox_return() makes of it what the notice says. */
MUST_USE enum status outbox_begin(struct outbox *outbox, int64_t notice, uint32_t id,
                                  const uint8_t rendered[static 32], int64_t now_ns,
                                  struct error *error);
/* What became of it: ACCEPTED, REFUSED, DEFERRED (again at retry_ns), IN_DOUBT (no answer came),
 * LETTER, PUBLIC, SILENT or ERASED; reply: the server's words or our reason, without addresses. A
 * delivery notice that was quicker than the answer counts, and one about an earlier attempt: what
 * would be DEFERRED, IN_DOUBT or LETTER is then ACCEPTED. */
MUST_USE enum status outbox_settle(struct outbox *outbox, int64_t notice, uint32_t id,
                                   enum outbox_state state, const char *reply, int64_t now_ns,
                                   int64_t retry_ns, struct error *error);

/* One who was to get a letter (LETTER, REFUSED, BOUNCED) has no postal address: PUBLIC. Synced. */
MUST_USE enum status outbox_make_public(struct outbox *outbox, int64_t notice, uint32_t id,
                                        const char *reply, int64_t now_ns, struct error *error);

/* A delivery notice about an envelope id: failed makes it BOUNCED; delivered, relayed, expanded or
 * delayed prove that the message was taken: ACCEPTED if it was IN_DOUBT, or waits to be sent again,
 * or would become a letter, whichever attempt it was; of one that is OFFERED or BEGUN it is kept,
 * and counts when that ends. Failures count of the attempt that was proved, else of the last one.
 * Outlives the process; outbox_sync makes it outlive the machine. STATUS_NOT_FOUND for an id that
 * is none of ours. */
MUST_USE enum status outbox_take_report(struct outbox *outbox, const char *envelope_id,
                                        const char *action, const char *status_code, int64_t now_ns,
                                        struct error *error);
/* What was committed up to now is on the disk when it returns. */
MUST_USE enum status outbox_sync(struct outbox *outbox, struct error *error);
/* Everybody IN_DOUBT becomes READY (again) or LETTER: staff have decided. */
MUST_USE enum status outbox_resolve_doubt(struct outbox *outbox, int64_t notice,
                                          enum outbox_state state, uint64_t *count,
                                          struct error *error);
/* Those IN_DOUBT whose server promised notices, offered at least wait_ns ago, become READY. That
 * long is told by the time since the machine's start, which nobody sets; by now_ns only for what
 * was offered before it. */
MUST_USE enum status outbox_expire_doubt(struct outbox *outbox, int64_t notice, int64_t wait_ns,
                                         int64_t now_ns, uint64_t *count, struct error *error);

/* Pausing is seen by the sender before its next batch, whoever asks. */
MUST_USE enum status outbox_set_paused(struct outbox *outbox, bool paused, struct error *error);
MUST_USE enum status outbox_paused(struct outbox *outbox, bool *paused, struct error *error);

/* Whether the mail server promises delivery notices: then the absence of one says something of
 * those that begin from now on, should they come to be in doubt. False until it is known. */
MUST_USE enum status outbox_set_dsn(struct outbox *outbox, bool offered, struct error *error);
MUST_USE enum status outbox_dsn(struct outbox *outbox, bool *offered, struct error *error);

struct outbox_counts {
    uint64_t states[OUTBOX_STATES], total;
    int64_t first_accepted_ns, last_accepted_ns; /* INT64_MIN: none */
    int64_t next_retry_ns;                       /* of DEFERRED ones; INT64_MAX: none */
    uint64_t promised; /* of those IN_DOUBT: a notice is owed if they were taken */
};
MUST_USE enum status outbox_count(struct outbox *outbox, int64_t notice,
                                  struct outbox_counts *counts, struct error *error);
/* Proof of dispatch: one call a person, ascending ids. Texts are of the call only, may be NULL. */
struct outbox_proof {
    uint32_t id;
    uint16_t kind;
    uint32_t variant;
    enum outbox_state state;
    uint32_t attempts;
    int64_t begun_ns, settled_ns;
    const uint8_t *rendered;                  /* 32 bytes or NULL */
    const char *envelope_id, *reply, *report; /* report: "failed 5.1.1" */
};
MUST_USE enum status outbox_each(struct outbox *outbox, int64_t notice,
                                 enum status (*fn)(void *context, const struct outbox_proof *proof,
                                                   struct error *error),
                                 void *context, struct error *error);
const char *outbox_state_name(enum outbox_state state);

#endif

/* Sending: hands an approved notice's messages to the mail server, one to each person, through the
 * outbox. A batch at a time: offered, recorded in the ledger as read, read, rendered, sent; nothing
 * of a person is kept longer. Killed at any moment, the next run goes on; docs/decisions/0008.
 * Owns its threads; one run at a time for an incident, in whatever process. */
#ifndef COFFERDAM_INCIDENT_SENDING_H
#define COFFERDAM_INCIDENT_SENDING_H

#include <stdatomic.h>

#include "incident/notice.h"

/* The outbox of an incident, in its folder. */
MUST_USE enum status sending_outbox(struct casework *casework, int64_t incident, bool for_sending,
                                    struct outbox **outbox, struct error *error);

struct sending_progress {
    struct outbox_counts counts;
    uint64_t handed_over;      /* by this run */
    int64_t elapsed_ns;        /* of this run */
    int64_t waiting_ns;        /* until then nothing is due; INT64_MIN: not waiting */
    const char *trouble;       /* why the mail server is left alone for a while; or NULL */
    uint64_t notices, unknown; /* delivery notices taken; other mail in their folder */
};
struct sending_order {
    int64_t notice;
    const atomic_bool *stop; /* set: ends after the current message */
    void (*show)(void *context, const struct sending_progress *progress); /* each second */
    void *context;
};
enum sending_end {
    SENDING_DONE, /* everybody has an outcome */
    SENDING_PAUSED,
    SENDING_STOPPED,  /* *stop was set */
    SENDING_IN_DOUBT, /* only people in doubt are left, and staff must decide */
};
/* Fills the outbox from the notice's audience where that has not been done, and sends. */
MUST_USE enum status sending_run(struct casework *casework, const struct scope *scope,
                                 const struct notice *notice, const struct sending_order *order,
                                 enum sending_end *end, struct sending_progress *progress,
                                 struct error *error);
/* Can the configured mail server be spoken to at all? Does not connect. */
MUST_USE enum status sending_check(const struct config *config, struct error *error);
/* One message by itself, such as a test: accepted, or an error with the server's words. */
MUST_USE enum status sending_one(const struct config *config, const struct mail_message *message,
                                 struct error *error);

#endif

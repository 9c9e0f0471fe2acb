/* Bounces: delivery notices (RFC 3464) that come back, from a Maildir
 * (https://cr.yp.to/proto/maildir.html) into an outbox. A notice about a message of this outbox
 * moves to cur; all other mail stays where it is and is counted, each once. One thread. */
#ifndef COFFERDAM_INCIDENT_BOUNCES_H
#define COFFERDAM_INCIDENT_BOUNCES_H

#include <stdbool.h>

#include "registry/outbox.h"

struct bounces; /* owned */

struct bounces_counts {
    uint64_t taken, unknown; /* since bounces_open */
};
/* folder: a Maildir; it need not exist yet. Copied. */
MUST_USE enum status bounces_open(const char *folder, struct bounces **bounces,
                                  struct error *error);
void bounces_close(struct bounces *bounces); /* NULL is fine */
/* Takes what has come since the last call, but no more than a handful of notices; *more: there may
 * be others. For callers that hold a lock. */
MUST_USE enum status bounces_look(struct bounces *bounces, struct outbox *outbox, int64_t now_ns,
                                  bool *more, struct error *error);
/* All of them. */
MUST_USE enum status bounces_read(struct bounces *bounces, struct outbox *outbox, int64_t now_ns,
                                  struct error *error);
struct bounces_counts bounces_count(const struct bounces *bounces);

#endif

/* Bounces: delivery notices (RFC 3464) that come back, from a Maildir into an outbox. A notice
 * about a message of this outbox is taken; all other mail stays where it is. One thread. */
#ifndef COFFERDAM_INCIDENT_BOUNCES_H
#define COFFERDAM_INCIDENT_BOUNCES_H

#include "mail/maildir.h"
#include "registry/outbox.h"

/* Takes what has come since the last call, but no more than a handful of notices; *more: there may
 * be others. For callers that hold a lock. */
MUST_USE enum status bounces_look(struct maildir *maildir, struct outbox *outbox, int64_t now_ns,
                                  bool *more, struct error *error);
/* All of them. */
MUST_USE enum status bounces_read(struct maildir *maildir, struct outbox *outbox, int64_t now_ns,
                                  struct error *error);

#endif

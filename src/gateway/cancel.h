/* CancelRequest to upstream, on a connection of its own. The session sends nothing more upstream
 * until that connection has ended, so that a late cancel can never hit its next statement. */
#ifndef COFFERDAM_GATEWAY_CANCEL_H
#define COFFERDAM_GATEWAY_CANCEL_H

#include "gateway/session.h"

/* Starts one; sets session->cancelling until it has ended. Failure is logged: the statement's own
 * time-out then ends it. */
void cancel_send(struct session *session, const char *host, uint16_t port, uint32_t pid,
                 uint32_t secret);
/* The session ends before its cancel does: the cancel goes on alone. */
void cancel_detach(struct session *session);
/* The worker stops: those still under way are given up. */
void cancel_close_all(struct worker *worker);

#endif

/* CALL cofferdam.renew_certificate: a session that a certificate has proven gets another one of the
 * issuer, as the policy allows. Nothing else of the client is looked at until the answer is there.
 * The session's own thread. */
#ifndef COFFERDAM_GATEWAY_RENEW_H
#define COFFERDAM_GATEWAY_RENEW_H

#include "gateway/login/renewal_desk.h"
#include "gateway/session.h"

/* Keeps what the portal is to ask with. STATUS_DENIED where a parameter is NULL. */
MUST_USE enum status renew_bind(const struct plan *plan, const struct wire_bind *bind,
                                struct portal *portal, struct error *error);
/* Execute: asks; the answer comes in its place. */
MUST_USE enum status renew_ask(struct session *session, const char *request, const char *signature,
                               struct error *error);
/* The same in the simple protocol, where there are no parameters. */
MUST_USE enum status renew_ask_simple(struct session *session, const struct plan *plan,
                                      struct error *error);

/* The desk's answer on its way to the worker; takes it. Any thread. */
void renew_answered(struct server *server, struct renewal *renewal);
/* Gives sessions the answers that have come. The worker's thread. */
void renew_answers(struct worker *worker);
/* Those that came too late. */
void renew_drop(struct worker *worker);

#endif

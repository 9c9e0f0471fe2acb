/* What tokens are to a worker: verdicts that arrive in its mailbox. See login_token.c. */
#ifndef COFFERDAM_GATEWAY_LOGIN_TOKEN_H
#define COFFERDAM_GATEWAY_LOGIN_TOKEN_H

#include "gateway/worker.h"
#include "oidc/oidc.h"

/* Puts the verdict into its worker's mailbox; context: the server. Any thread. */
void login_token_answer(void *server, const struct oidc_answer *answer);
/* Settles the logins whose verdicts have come. The worker's thread. */
void login_token_verdicts(struct worker *worker);
/* Frees verdicts that came too late. */
void login_token_drop(struct worker *worker);

/* An entry of the ledger, as it is read at the start: tokens that have opened a session. */
void login_token_replay(struct server *server, const struct ledger_entry *entry);

#endif

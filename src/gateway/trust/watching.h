/* Watching: what a session does is counted for its agent, and held against the agent's own history,
 * before it is written down and before it leaves (watch/watch.h). Alarms are raised here.
 * Invariant: what is to be withheld has been contained when watching_take() says so. Any thread. */
#ifndef COFFERDAM_GATEWAY_WATCHING_H
#define COFFERDAM_GATEWAY_WATCHING_H

#include "ledger/ledger.h"
#include "policy/policy.h"

struct server;

/* Once the policy is loaded, before the ledger is opened. */
MUST_USE enum status watching_open(struct server *server, struct error *error);
/* Once the ledger is open. */
void watching_attach(struct server *server);
/* Counts an entry of the replay, by the agents of the policy in force. */
void watching_replay(struct server *server, const struct ledger_entry *entry);
/* Counts an entry that is about to be written, whole even where it will be split. STATUS_DENIED
 * 57P01: what it tells of must not leave, and its session must end. It is to be written anyway. */
MUST_USE enum status watching_take(struct server *server, const struct policy_partner *partner,
                                   const struct policy_agent *agent,
                                   const struct ledger_entry *entry, struct error *error);
/* The same for an entry with which nothing leaves but an end: whoever is to be contained is. */
void watching_note(struct server *server, const struct policy_partner *partner,
                   const struct policy_agent *agent, const struct ledger_entry *entry);

#endif

/* Deliveries: files that staff have made for a partner (docs/decisions/0020). The admin thread
 * opens one and leaves a ticket; a session that comes in by the staff's own socket claims it, once,
 * and is from then on a session of that partner like any other, but for its entries' delivery id.
 * Invariant: without a ticket of the very same user that socket leads nowhere. */
#ifndef COFFERDAM_GATEWAY_DELIVERIES_H
#define COFFERDAM_GATEWAY_DELIVERIES_H

#include "base/limits.h"
#include "delivery/id.h"
#include "gateway/server.h"
#include "registry/deliveries.h"
#include "sql/plan.h"

struct deliveries_desk; /* owned by the server */

struct deliveries_ticket {
    char id[DELIVERY_ID_ROOM];
    char login[130]; /* "partner.agent", or "partner." */
    char purpose[2 * LIMIT_NAME_BYTES + 1];
    char by[64]; /* "uid 0" */
    int64_t opened_ns;
};

/* Opens <state folder>/deliveries.sqlite. */
MUST_USE enum status deliveries_desk_open(const char *state_folder, struct deliveries_desk **desk,
                                          struct error *error);
void deliveries_desk_close(struct deliveries_desk *desk); /* NULL is fine */
/* The file: for the admin thread alone. */
struct deliveries *deliveries_desk_file(struct deliveries_desk *desk);

/* Any thread. STATUS_LIMIT where too many wait; one that has waited for minutes waits no more. */
MUST_USE enum status deliveries_expect(struct deliveries_desk *desk,
                                       const struct deliveries_ticket *ticket, struct error *error);
void deliveries_forget(struct deliveries_desk *desk, const char *id);
/* Those that wait for a partner (agent NULL: whoever of it is named); returns how many. */
size_t deliveries_forget_agent(struct deliveries_desk *desk, const char *partner,
                               const char *agent);
/* Takes the ticket of that id, if it waits for this user, and fills in the rest of it. */
bool deliveries_claim(struct deliveries_desk *desk, uid_t uid, struct deliveries_ticket *ticket);

/* Listens on <run folder>/delivery/.s.PGSQL.<admin port>: anyone may knock. */
MUST_USE enum status deliveries_listen(const struct config *config, struct net_loop *loop,
                                       net_accept_fn fn, void *context,
                                       struct net_listener **listener, struct error *error);
/* One query that changes nothing? */
bool deliveries_may_run(const struct plan *plan);

/* May canaries stand among its rows? Only where the plan proves what each column of the file is:
 * one that is called by another name, or reckoned, would show real people's values in invented
 * rows. STATUS_DENIED, before anything is released. */
MUST_USE enum status deliveries_check_canaries(const struct config *config, const struct plan *plan,
                                               struct error *error);

/* Keys of the delivery's canaries that the database has given to somebody since; -1 where that
 * cannot be told now. Blocks (libpq); the admin thread. In admin_canaries.c. */
int64_t admin_canaries_given(struct server *server, const char *delivery);

/* Of these keys of a kind, those that the database has: fills taken[i]. Blocks (libpq); the admin
 * thread. */
MUST_USE enum status deliveries_keys_taken(const struct config *config, struct model *model,
                                           size_t kind, const char *const *keys, size_t count,
                                           bool *taken, struct error *error);
/* The greatest key that the database has of a kind whose keys are whole numbers; "" for another, or
 * where it has none. As above. */
enum { DELIVERIES_NUMBER_ROOM = 24 };
MUST_USE enum status deliveries_greatest_key(const struct config *config, struct model *model,
                                             size_t kind,
                                             char number[static DELIVERIES_NUMBER_ROOM],
                                             struct error *error);

#endif

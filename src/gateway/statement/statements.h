/* Statements and portals of a session, and which statement of upstream stands for each.
 * A plan that is asked for by name, or a second time, is prepared upstream once and used by every
 * client statement with that plan. One thread. */
#ifndef COFFERDAM_GATEWAY_STATEMENTS_H
#define COFFERDAM_GATEWAY_STATEMENTS_H

#include "gateway/session.h"

/* Number of the Sync that ends what is being sent upstream now. */
uint64_t statements_segment(const struct session *session);
/* Which upstream statement to use for the plan, retained for the caller. named: it must outlive
 * the next statement. *fresh: it is not there yet, send Parse. */
MUST_USE enum status statements_choose(struct session *session, struct planned *planned, bool named,
                                       struct prepared **prepared, bool *fresh,
                                       struct error *error);
/* Takes from the list what to close upstream, so that it does not grow without end; the caller
 * releases it. NULL: nothing. */
struct prepared *statements_evict(struct session *session);
/* A statement that overwrites upstream's unnamed one, for a text that is used once; retained for
 * the caller. Send Parse. */
MUST_USE enum status statements_overwrite(struct session *session, struct planned *planned,
                                          struct prepared **prepared, struct error *error);
/* It is not upstream, or no longer. */
void statements_lose(struct session *session, struct prepared *prepared);
void statements_lose_all(struct session *session); /* those with a name */

struct statement *statements_find(struct session *session, const char *name);
/* Makes or, for the unnamed one, replaces; prepared (may be NULL) is where upstream has it.
 * Retains both. */
MUST_USE enum status statements_put(struct session *session, const char *name,
                                    struct planned *planned, struct prepared *prepared,
                                    uint64_t serial, struct error *error);
/* Another plan, another place, or both. Retains. */
void statements_replace(struct statement *statement, struct planned *planned,
                        struct prepared *prepared);
void statements_drop(struct session *session, const char *name);
/* All that have a name. */
void statements_drop_all(struct session *session);

struct portal *portals_find(struct session *session, const char *name);
/* Makes or replaces; an execution that it replaces is closed. Retains planned and run. */
MUST_USE enum status portals_put(struct session *session, const char *name, struct planned *planned,
                                 struct run *run, struct portal **portal, struct error *error);
void portals_drop(struct session *session, const char *name);
void portals_drop_all(struct session *session);

#endif

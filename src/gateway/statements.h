/* Statements and portals of a session, and which statement of upstream stands for each.
 * A plan that is asked for by name, or a second time, is prepared upstream once and used by every
 * client statement with that plan. One thread. */
#ifndef COFFERDAM_GATEWAY_STATEMENTS_H
#define COFFERDAM_GATEWAY_STATEMENTS_H

#include "gateway/session.h"

struct upstream_statement {
    char name[24]; /* "" : upstream's unnamed statement */
    bool parse;    /* it is not there yet: send Parse */
    uint64_t serial;
};

/* Which upstream statement to use for the plan. named: it must outlive the next statement. */
MUST_USE enum status statements_choose(struct session *session, struct planned *planned, bool named,
                                       struct upstream_statement *target, struct error *error);
struct statement *statements_find(struct session *session, const char *name);
/* Makes or, for the unnamed one, replaces. Retains planned. */
MUST_USE enum status statements_put(struct session *session, const char *name,
                                    struct planned *planned,
                                    const struct upstream_statement *target, struct error *error);
void statements_replace(struct statement *statement, struct planned *planned,
                        const struct upstream_statement *target);
void statements_drop(struct session *session, const char *name);

struct portal *portals_find(struct session *session, const char *name);
/* Makes or replaces; an execution that it replaces is closed. Retains run. */
MUST_USE enum status portals_put(struct session *session, const char *name, struct run *run,
                                 struct error *error);
void portals_drop(struct session *session, const char *name);

#endif

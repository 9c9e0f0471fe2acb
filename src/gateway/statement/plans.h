/* Plans: the cache from a partner's statement to what is done with it, one a worker.
 * Key: snapshot and validity (the cache is emptied when they change), agent, purpose, parameter
 * types, text. An entry also holds what the ledger needs of the plan: hash and column-set ids. */
#ifndef COFFERDAM_GATEWAY_PLANS_H
#define COFFERDAM_GATEWAY_PLANS_H

#include "gateway/server.h"
#include "sql/plan.h"

/* A plan and its ledger's side; reference counted within one thread. */
struct planned {
    unsigned references;
    struct plan *plan;
    uint64_t plan_epoch; /* the worker's when it was made */
    uint64_t approvals;  /* the mark of those that it was made under (approvals.h) */
    int64_t clock_line;  /* the server's */
    uint8_t statement_hash[32], policy_id[32];
    uint32_t *column_sets;    /* one a hidden column */
    uint32_t *pin_columns;    /* one an entry of plan->pinned */
    uint32_t all_columns;     /* 0: none */
    char *counted;            /* a line of the closing entry's text: see LEDGER-FORMAT; "" */
    uint32_t written_columns; /* of a statement that changes data */
    uint64_t uses;            /* how often it was asked for: decides on preparing upstream */
    char *sql;                /* the partner's text, for planning anew */
    char *database;
    uint32_t *types;
    size_t type_count;
};

struct plans; /* owned */

struct plans *plans_open(void);
void plans_close(struct plans *plans);
void plans_clear(struct plans *plans);

struct plans_request {
    struct server *server;
    struct snapshot *snapshot;
    uint64_t plan_epoch;
    const struct policy_partner *partner;
    const struct policy_agent *agent;
    const char *purpose;
    const char *database; /* as the client called it; part of the key */
    const char *sql;
    const uint32_t *types;
    size_t type_count;
    const struct plan_approval *approvals; /* part of the key by approvals_mark */
    size_t approval_count;
    uint64_t approvals_mark;
    const struct policy_grant **waits_for; /* as plan_request's */
};
/* Returns a reference for the caller. Errors as plan_make's. */
MUST_USE enum status plans_get(struct plans *plans, const struct plans_request *request,
                               struct planned **planned, struct error *error);
/* Made under another policy, or before a grant began or ended: to be planned anew. */
bool planned_stale(const struct planned *planned, uint64_t plan_epoch);
struct planned *planned_retain(struct planned *planned);
void planned_release(struct planned *planned); /* NULL is fine */

#endif

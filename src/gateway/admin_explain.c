/* Explain: what the gateway makes of a statement, without running it. */
#include "gateway/admin_asking.h"

#include <stdio.h>

#include "base/clock.h"
#include "sql/plan.h"

static void explain_line(struct table *table, const char *topic, const char *text)
{
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", topic);
    table_set(table, row, 1, "%s", text);
}

static void explain_columns(struct table *table, const struct plan *plan)
{
    static const char *const forms[] = {"clear", "masked", "token"};
    for (size_t i = 0; i < plan->column_count; i++) {
        char text[300];
        const struct plan_column *column = &plan->columns[i];
        snprintf(text, sizeof text, "%s.%s, %s%s%s", column->dataset, column->column,
                 forms[column->form], column->category == NULL ? "" : ", category ",
                 column->category == NULL ? "" : column->category);
        explain_line(table, "recorded column", text);
    }
}

static void explain_plan(struct table *table, const char *sql, enum status status,
                         const struct plan *plan, const struct error *refusal)
{
    explain_line(table, "original", sql);
    if (status != STATUS_OK) {
        char text[sizeof refusal->message + 16];
        snprintf(text, sizeof text, "%s: %s", refusal->sqlstate, refusal->message);
        explain_line(table, "refused", text);
        if (refusal->hint[0] != '\0')
            explain_line(table, "hint", refusal->hint);
        return;
    }
    explain_line(table, "rewritten", plan->sql == NULL ? "(answered by the gateway)" : plan->sql);
    for (const struct plan_explanation *e = plan->explanations; e != NULL; e = e->next)
        explain_line(table, e->topic, e->text);
    explain_columns(table, plan);
    if (plan->statistic)
        explain_line(table, "recorded as",
                     plan->suppress_small ? "statistic; small groups are suppressed"
                                          : "statistic; small groups count as direct");
    else if (plan->hidden_count > 0)
        explain_line(table, "recorded as", "direct");
}

enum status admin_explain(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"topic", "text", NULL};
    const struct words *words = asking->words;
    if (words->count != asking->at + 2)
        return admin_syntax(error, "EXPLAIN AGENT 'partner.agent' 'statement'");
    struct snapshot *snapshot = server_snapshot(asking->server);
    const struct policy_partner *partner;
    const struct policy_agent *agent =
        policy_find_agent(snapshot->policy, words->text[asking->at], &partner);
    const char *purpose = NULL;
    enum status status =
        agent == NULL ? error_set(error, STATUS_NOT_FOUND, "42704", "write partner.agent",
                                  "agent \"%.100s\" is not in the policy", words->text[asking->at])
                      : snapshot_purpose(partner, agent, NULL, &purpose, error);
    if (agent != NULL && status != STATUS_OK) { /* several purposes: explain for the first */
        purpose = partner->purposes[0];
        status = STATUS_OK;
    }
    if (status == STATUS_OK) {
        const struct config *config = asking->server->config;
        struct plan_request request = {.model = snapshot->model,
                                       .partner = partner,
                                       .agent = agent,
                                       .sql = words->text[asking->at + 1],
                                       .statement_bytes_limit = config->limits.statement_bytes,
                                       .statement_depth_limit = config->limits.statement_depth,
                                       .now_ns = clock_now_ns(),
                                       .purpose = purpose};
        struct plan *plan = NULL;
        struct error refusal;
        enum status planned = plan_make(&request, &plan, &refusal);
        table_init(table, ADMIN_TABLE_BYTES, columns);
        explain_plan(table, request.sql, planned, plan, &refusal);
        plan_release(plan);
    }
    snapshot_release(snapshot);
    return status;
}

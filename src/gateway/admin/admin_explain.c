/* Explain: what the gateway makes of statements, and why, without running them. For staff: it tells
 * what exists and is not granted. */
#include "gateway/admin/admin_asking.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/limits.h"
#include "gateway/trust/approvals.h"
#include "sql/plan.h"

enum { EXPLAIN_TEXT_BYTES = 1024 * 1024 };

struct explaining {
    struct asking *asking;
    struct table *table;
    struct snapshot *snapshot;
    const struct policy_partner *partner;
    const struct policy_agent *agent;
    const char *purpose;
    size_t number; /* of the statement */
};

static void tell(struct explaining *explaining, const char *topic, const char *text)
{
    struct table_row *row = table_add(explaining->table);
    table_set(explaining->table, row, 0, "%zu", explaining->number);
    table_set(explaining->table, row, 1, "%s", topic);
    table_set(explaining->table, row, 2, "%s", text);
}

static void tell_format(struct explaining *explaining, const char *topic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void tell_format(struct explaining *explaining, const char *topic, const char *format, ...)
{
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    tell(explaining, topic, text);
}

/* ---- refusals ---- */

/* What staff could change where the planning itself named no line of the policy. */
static const struct {
    const char *rule, *change;
} changes[] = {
    {"statistics-only", "mode: rows, in place of mode: aggregates, at the partner"},
    {"look-up-only", "lookup_by: [dataset.column, …] at the partner: another column to look up by"},
    {"nothing-writable", "grants: - {dataset: …, columns: {…}, write: {update: [column, …]}}"},
    {"statement-limit", "limits: {statement_bytes: …, relations: …} in cofferdam.yaml"},
    {"statement-too-deep", "limits: {statement_depth: …} in cofferdam.yaml"},
    {"too-many-columns",
     "limits: {targets: …} in cofferdam.yaml, where it is lower than it can be"},
};

static const char *change_for(const char *rule)
{
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        if (strcmp(changes[i].rule, rule) == 0)
            return changes[i].change;
    return "none: no policy lets it pass as it is";
}

static void tell_refusal(struct explaining *explaining, const struct plan_inquiry *inquiry,
                         const struct error *refusal)
{
    static const char change[] = "change of the policy";
    const char *rule = inquiry->rule == NULL ? "refused" : inquiry->rule;
    bool named = false;
    tell_format(explaining, "verdict", "refused: %s", refusal->sqlstate);
    tell(explaining, "rule", rule);
    tell(explaining, "reason", refusal->message);
    for (const struct plan_explanation *e = inquiry->first; e != NULL; e = e->next)
        if (strcmp(e->topic, "near miss") == 0)
            tell(explaining, e->topic, e->text);
    if (refusal->hint[0] != '\0')
        tell(explaining, "change of the query", refusal->hint);
    for (const struct plan_explanation *e = inquiry->first; e != NULL; e = e->next)
        if (strcmp(e->topic, change) == 0) {
            tell(explaining, e->topic, e->text);
            named = true;
        }
    if (!named)
        tell(explaining, change, change_for(rule));
}

/* ---- plans ---- */

static const char *verdict_of(const struct plan *plan)
{
    static const char *const verdicts[] = {
        [PLAN_EMPTY] = "runs: it is empty",
        [PLAN_SHOW] = "passed on; it reads no data",
        [PLAN_LOCAL] = "answered by the gateway",
        [PLAN_DECLARE] = "runs: its rows come, and are recorded, when they are fetched",
        [PLAN_FETCH] = "runs: rows of the cursor's query, as its DECLARE is explained",
        [PLAN_PREPARE] = "runs: kept by the gateway; what it reads is recorded with each EXECUTE",
        [PLAN_EXECUTE] = "runs: as the statement that was prepared under this name",
        [PLAN_RENEW] = "runs where the agent may renew its certificate: the issuer answers",
        [PLAN_CLOSE] = "runs: it ends a cursor",
    };
    if (plan->kind == PLAN_QUERY && plan->copy != NULL)
        return "runs; the rows go out as COPY";
    if (plan->kind == PLAN_UTILITY)
        return plan->sql == NULL ? "answered by the gateway" : "passed on; it reads no data";
    if (plan->kind == PLAN_FETCH && plan->cursor.moves)
        return "runs: rows that it skips are recorded as if they were sent";
    bool told = (size_t)plan->kind < sizeof verdicts / sizeof verdicts[0];
    return told && verdicts[plan->kind] != NULL ? verdicts[plan->kind] : "runs";
}

/* "dataset.column form, …", a row for each category. */
static void tell_columns(struct explaining *explaining, const char *topic,
                         const struct plan_column *columns, size_t count)
{
    static const char *const forms[] = {"clear", "masked", "token"};
    bool told[LIMIT_TARGETS * 8] = {false};
    const size_t most = sizeof told / sizeof told[0];
    for (size_t i = 0; i < count && i < most; i++) {
        const char *category = columns[i].category == NULL ? "no category" : columns[i].category;
        struct buffer text;
        if (told[i])
            continue;
        buffer_init(&text, EXPLAIN_TEXT_BYTES);
        buffer_printf(&text, "%s:", category);
        for (size_t k = i; k < count && k < most; k++) {
            const char *other = columns[k].category == NULL ? "no category" : columns[k].category;
            if (strcmp(category, other) != 0)
                continue;
            told[k] = true;
            buffer_printf(&text, "%s %s.%s %s", k == i ? "" : ",", columns[k].dataset,
                          columns[k].column, forms[columns[k].form]);
        }
        const char *all = buffer_text(&text);
        tell(explaining, topic, all == NULL ? "(too long to tell)" : all);
        buffer_free(&text);
    }
}

static void tell_grade(struct explaining *explaining, const struct plan *plan)
{
    const char *unless = plan->suppress_small ? "smaller groups are not sent"
                                              : "smaller groups as direct, which is charged";
    if (plan->hidden_count == 0)
        tell(explaining, "recorded as",
             plan->fence_count == 0 ? "nothing: no dataset is read"
                                    : "a reading of data about nobody; nobody is charged");
    else if (plan->statistic)
        tell_format(explaining, "recorded as",
                    "aggregate, not charged, where a group has %u people or more; %s",
                    plan->min_subjects, unless);
    else
        tell_format(explaining, "recorded as",
                    "direct, as told for each hidden column; direct and witness are charged to the "
                    "budget, influence only where a set has fewer than %u people",
                    plan->min_subjects);
}

static void tell_limits(struct explaining *explaining, const struct plan *plan)
{
    const struct policy_budget *budget = &explaining->partner->budget;
    if (plan->relay_limit >= 0)
        tell_format(explaining, "limit", "the gateway sends %lld rows at most",
                    (long long)plan->relay_limit);
    if (plan->relay_offset > 0)
        tell_format(explaining, "limit", "the gateway skips %lld rows, and records them",
                    (long long)plan->relay_offset);
    if (plan->fence_count > 0 && budget->rows_per_statement > 0)
        tell_format(explaining, "limit", "the budget allows %llu rows in one statement",
                    (unsigned long long)budget->rows_per_statement);
}

static void tell_inputs(struct explaining *explaining, const struct plan *plan)
{
    if (plan->client_parameter_count > 0)
        tell_format(explaining, "parameters", "%zu, bound by the client",
                    plan->client_parameter_count);
    for (size_t i = 0; i < plan->secret_count; i++)
        if (!plan->secrets[i].outer && strchr(plan->secrets[i].domain, ' ') == NULL)
            tell_format(explaining, "token key",
                        "of domain %s: bound by the gateway as a parameter, not in the text",
                        plan->secrets[i].domain);
}

static void put_bound(struct buffer *text, const char *what, uint64_t used, uint64_t of)
{
    if (of > 0)
        buffer_printf(text, "%s%s %llu of %llu", text->len == 0 ? "" : ", ", what,
                      (unsigned long long)used, (unsigned long long)of);
}

static void tell_budget(struct explaining *explaining)
{
    enum { DAY, TOTAL, NAMED };
    const struct policy_budget *limits = &explaining->partner->budget;
    struct exposure *exposure = explaining->asking->server->exposure;
    struct exposure_limit people[EXPOSURE_LIMITS];
    struct exposure_budget used;
    struct buffer text;
    int64_t now_ns = clock_now_ns();
    exposure_budget(exposure, explaining->partner, now_ns, &used);
    size_t count = exposure_limits(exposure, explaining->partner, now_ns, people);
    buffer_init(&text, EXPLAIN_TEXT_BYTES);
    put_bound(&text, "people today", people[DAY].used, people[DAY].of);
    put_bound(&text, "people in all", people[TOTAL].used, people[TOTAL].of);
    for (size_t i = NAMED; i < count; i++) {
        char what[120];
        snprintf(what, sizeof what, "people of limit %s (%s)", people[i].name, people[i].window);
        put_bound(&text, what, people[i].used, people[i].of);
    }
    put_bound(&text, "probes today", used.probes_today, limits->probes_per_day);
    put_bound(&text, "errors today", used.errors_today, limits->errors_per_day);
    const char *told = buffer_text(&text);
    tell(explaining, "budget used", text.len == 0 || told == NULL ? "no bounds are set" : told);
    buffer_free(&text);
}

static void tell_plan(struct explaining *explaining, const struct plan_inquiry *inquiry,
                      const struct plan *plan)
{
    tell(explaining, "verdict", verdict_of(plan));
    if (plan->sql != NULL)
        tell(explaining, "rewritten", plan->sql);
    for (const struct plan_explanation *e = inquiry->first; e != NULL; e = e->next)
        if (strcmp(e->topic, "limit") != 0) /* told from the plan */
            tell(explaining, e->topic, e->text);
    tell_inputs(explaining, plan);
    if (plan->write != NULL)
        tell_columns(explaining, "written column", plan->write->columns, plan->write->column_count);
    if (plan->kind != PLAN_QUERY && plan->kind != PLAN_DECLARE)
        return;
    tell_limits(explaining, plan);
    tell_columns(explaining, "recorded column", plan->columns, plan->column_count);
    tell_grade(explaining, plan);
    if (plan->hidden_count > 0)
        tell_budget(explaining);
}

/* ---- statements ---- */

static void explain(struct explaining *explaining, const char *sql, const uint32_t *types,
                    size_t type_count);

static void explain_prepared(struct explaining *explaining, const struct plan *plan)
{
    if (plan->kind == PLAN_PREPARE)
        explain(explaining, plan->preparation.sql, plan->preparation.types,
                plan->preparation.type_count);
}

static void explain(struct explaining *explaining, const char *sql, const uint32_t *types,
                    size_t type_count)
{
    const struct config *config = explaining->asking->server->config;
    struct plan_inquiry inquiry;
    struct plan *plan = NULL;
    struct error refusal;
    struct approvals approvals;
    int64_t now_ns = clock_by_line_ns(explaining->asking->server->clock_line);
    struct approvals_of of = {.partner = explaining->partner,
                              .agent = explaining->agent->name,
                              .purpose = explaining->purpose};
    approvals_gather(explaining->asking->server->registry, &of, now_ns, &approvals);
    struct plan_request request = {.model = explaining->snapshot->model,
                                   .partner = explaining->partner,
                                   .agent = explaining->agent,
                                   .sql = sql,
                                   .parameter_types = types,
                                   .parameter_type_count = type_count,
                                   .statement_bytes_limit = config->limits.statement_bytes,
                                   .statement_depth_limit = config->limits.statement_depth,
                                   .relations_limit = config->limits.relations,
                                   .targets_limit = config->limits.targets,
                                   .now_ns = now_ns,
                                   .purpose = explaining->purpose,
                                   .approvals = approvals.list,
                                   .approval_count = approvals.count,
                                   .statement_timeout_ms = config->upstream.statement_timeout_ms,
                                   .inquiry = &inquiry};
    plan_inquire(&inquiry);
    tell(explaining, "statement", sql);
    if (plan_make(&request, &plan, &refusal) != STATUS_OK) {
        tell_refusal(explaining, &inquiry, &refusal);
    } else {
        tell_plan(explaining, &inquiry, plan);
        explain_prepared(explaining, plan);
    }
    plan_release(plan);
    plan_inquiry_free(&inquiry);
}

/* Each statement of the text; the whole of it where it cannot be cut. */
static void explain_all(struct explaining *explaining, const char *sql)
{
    const struct config *config = explaining->asking->server->config;
    struct plan_part parts[LIMIT_STATEMENTS_IN_TEXT];
    struct error error;
    size_t count = 0;
    enum status status =
        plan_split(sql, config->limits.statement_bytes, config->limits.statement_depth, parts,
                   LIMIT_STATEMENTS_IN_TEXT, &count, &error);
    explaining->number = 1;
    if (status != STATUS_OK || count < 2) {
        explain(explaining, sql, NULL, 0);
        return;
    }
    for (size_t i = 0; i < count && i < LIMIT_STATEMENTS_IN_TEXT; i++) {
        size_t blanks = strspn(sql + parts[i].at, " \t\r\n");
        const char *part = arena_copy(&explaining->table->arena, sql + parts[i].at + blanks,
                                      parts[i].len - (blanks < parts[i].len ? blanks : 0));
        explaining->number = i + 1;
        if (part != NULL)
            explain(explaining, part, NULL, 0);
    }
}

/* Where none is given and the agent has several: the first. */
static enum status find_purpose(struct explaining *explaining, const char *stated,
                                struct error *error)
{
    enum status status = snapshot_purpose(explaining->partner, explaining->agent, stated,
                                          &explaining->purpose, error);
    if (status == STATUS_OK || stated != NULL)
        return status;
    explaining->purpose = explaining->partner->purposes[0];
    return STATUS_OK;
}

static enum status explain_for(struct explaining *explaining, const char *login,
                               const char *purpose, const char *sql, struct error *error)
{
    static const char *const columns[] = {"statement", "topic", "text", NULL};
    explaining->agent =
        policy_find_agent(explaining->snapshot->policy, login, &explaining->partner);
    if (explaining->agent == NULL)
        return error_set(error, STATUS_NOT_FOUND, "42704", "write partner.agent",
                         "agent \"%.100s\" is not in the policy", login);
    TRY(find_purpose(explaining, purpose, error));
    table_init(explaining->table, ADMIN_TABLE_BYTES, columns);
    explain_all(explaining, sql);
    return STATUS_OK;
}

enum status admin_explain(struct asking *asking, struct table *table, struct error *error)
{
    const struct words *words = asking->words;
    size_t given = words->count - asking->at;
    bool purpose = given == 4 && strcasecmp(words->text[asking->at + 1], "PURPOSE") == 0 &&
                   !words->quoted[asking->at + 1];
    if (given != 2 && !purpose)
        return admin_syntax(error, "EXPLAIN AGENT 'partner.agent' [PURPOSE 'purpose'] 'statement'");
    struct explaining explaining = {
        .asking = asking, .table = table, .snapshot = server_snapshot(asking->server)};
    enum status status = explain_for(&explaining, words->text[asking->at],
                                     purpose ? words->text[asking->at + 2] : NULL,
                                     words->text[words->count - 1], error);
    snapshot_release(explaining.snapshot);
    return status;
}

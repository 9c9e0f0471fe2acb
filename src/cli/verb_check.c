/* cofferdam check: is this policy sound before this database, and what does each partner see?
 * Problems end with exit code 1. Findings (side doors, settings of the role, agents that cannot log
 * in) are printed, and fail the check with --strict. */
#include "cli/offline.h"
#include "cli/verbs.h"

#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/json.h"
#include "contact/contact.h"
#include "crypto/crypto.h"
#include "gateway/gateway.h"

enum { FINDING_BYTES = 1024 * 1024 };

static const struct cli_option options[] = {
    {"strict", 0, NULL, "fail on findings too"},
    {"partner", 'p', "PARTNER", "print this partner only"},
    {NULL, 0, NULL, NULL},
};

/* Everything there is to say, gathered before anything is printed. */
struct report {
    struct table columns;  /* model_describe */
    struct table doors;    /* gateway_side_doors */
    struct table settings; /* gateway_role_settings */
    struct table findings; /* partner, finding: what the policy and its files show by themselves */
    struct table advice;   /* model_advise */
    struct table bounds;   /* partner and its anomalies' bounds, defaults included */
    size_t finding_count;  /* of all kinds */
};

static bool is_true(const char *cell)
{
    return cell[0] != '\0' && strcmp(cell, "no") != 0 && strcmp(cell, "false") != 0 &&
           strcmp(cell, "f") != 0;
}

static bool is_sensitive(const struct table *table, const struct table_row *row)
{
    return is_true(cli_cell(table, row, "sensitive"));
}

static bool is_wrong_setting(const struct table *table, const struct table_row *row)
{
    return !is_true(cli_cell(table, row, "fine"));
}

/* ---- gathering ---- */

static void add_finding(struct table *findings, const char *partner, const char *text,
                        const char *detail)
{
    struct table_row *row = table_add(findings);
    table_set(findings, row, 0, "%s", partner);
    table_set(findings, row, 1, "%s%s%s", text, detail[0] == '\0' ? "" : ": ", detail);
}

/* The gateway starts without it, and nobody would be told of an alarm. */
static void look_at_webhook(const struct config *config, struct table *findings)
{
    struct buffer secret;
    struct error error;
    if (config->alarms.webhook.url == NULL)
        return;
    buffer_init(&secret, 64 * 1024);
    if (file_read_secret(config->alarms.webhook.secret_file, &secret, &error) != STATUS_OK)
        add_finding(findings, "", "alarms.webhook cannot sign", error.message);
    crypto_wipe(secret.data, secret.len);
    buffer_free(&secret);
}

static bool may_speak(const struct config *config, const char *issuer, const char *partner)
{
    for (size_t i = 0; i < config->listen.authority_count; i++) {
        const struct config_authority *authority = &config->listen.authorities[i];
        if (strcmp(authority->name, issuer) != 0)
            continue;
        for (size_t p = 0; p < authority->partner_count; p++)
            if (strcmp(authority->partners[p], partner) == 0 ||
                strcmp(authority->partners[p], "*") == 0)
                return true;
    }
    return false;
}

static void look_at_agent(const struct policy_partner *partner, const struct policy_agent *agent,
                          const struct config *config, struct table *findings)
{
    if (agent->scram_file != NULL && !file_exists(agent->scram_file))
        add_finding(findings, partner->name,
                    "agent has no verifier file yet (cofferdam agent passwd)", agent->login);
    if (agent->certificate != NULL && config->listen.client_ca == NULL &&
        config->listen.authority_count == 0)
        add_finding(findings, partner->name,
                    "agent logs in by certificate, but listen.client_ca is not set", agent->login);
    if (agent->renewal_ns > 0 && config->issuer_socket == NULL)
        add_finding(findings, partner->name,
                    "agent may renew its certificate, but issuer.socket is not set", agent->login);
    if (agent->certificate_issuer != NULL &&
        !may_speak(config, agent->certificate_issuer, partner->name))
        add_finding(findings, partner->name,
                    "agent cannot log in: listen.authorities has no issuer of that name that may "
                    "speak for the partner",
                    agent->login);
}

/* A limit on some categories or agents leaves the others. */
static bool is_bounded(const struct policy_budget *budget)
{
    bool bounded = budget->subjects_per_day != 0 || budget->subjects_total != 0;
    for (size_t i = 0; i < budget->limit_count; i++) {
        const struct policy_limit *limit = &budget->limits[i];
        bounded = bounded || (limit->category == NULL && !limit->has_form && limit->agent == NULL &&
                              limit->purpose == NULL);
    }
    return bounded;
}

static void look_at_partner(const struct policy_partner *partner, const struct config *config,
                            int64_t now_ns, struct table *findings)
{
    char when[21];
    if (partner->valid_until_ns <= now_ns) {
        clock_format_utc(partner->valid_until_ns, when);
        add_finding(findings, partner->name, "contract has ended", when);
    } else if (partner->valid_from_ns > now_ns) {
        clock_format_utc(partner->valid_from_ns, when);
        add_finding(findings, partner->name, "contract has not begun", when);
    }
    if (partner->posture_expires_ns <= now_ns) {
        clock_format_utc(partner->posture_expires_ns, when);
        add_finding(findings, partner->name, "attestation of its security has expired", when);
    }
    if (!is_bounded(&partner->budget))
        add_finding(findings, partner->name, "no budget of people bounds it",
                    partner->budget.limit_count == 0 ? "" : "its limits are on parts alone");
    for (size_t i = 0; i < partner->agent_count; i++)
        look_at_agent(partner, &partner->agents[i], config, findings);
}

static void look_at_policy(const struct cli_offline *offline, struct table *findings)
{
    static const char *const names[] = {"partner", "finding", NULL};
    table_init(findings, FINDING_BYTES, names);
    for (size_t i = 0; i < offline->policy->partner_count; i++)
        look_at_partner(&offline->policy->partners[i], offline->config, clock_now_ns(), findings);
    look_at_webhook(offline->config, findings);
}

static void add_bounds(const struct policy_partner *partner, struct table *bounds)
{
    const struct policy_anomalies *anomalies = &partner->anomalies;
    for (int at = 0; at < POLICY_ANOMALIES; at++) {
        const struct policy_anomaly_rule *rule = &anomalies->rules[at];
        struct table_row *row = table_add(bounds);
        table_set(bounds, row, 0, "%s", partner->name);
        table_set(bounds, row, 1, "%s", policy_anomaly_names[at]);
        table_set(bounds, row, 4, "%s", rule->off ? "off" : rule->contain ? "contain" : "alarm");
        if (rule->off || !policy_anomaly_is_rate((enum policy_anomaly)at))
            continue;
        table_set(bounds, row, 2, "%llu", (unsigned long long)rule->floor);
        table_set(bounds, row, 3, "%u x the greatest hour of %u days", rule->factor,
                  anomalies->days);
    }
}

static void look_at_anomalies(const struct policy *policy, struct table *bounds)
{
    static const char *const names[] = {"partner", "anomaly", "floor", "or", "then", NULL};
    table_init(bounds, FINDING_BYTES, names);
    for (size_t i = 0; i < policy->partner_count; i++)
        add_bounds(&policy->partners[i], bounds);
}

static enum status gather(const struct cli_offline *offline, struct report *report,
                          struct error *error)
{
    model_describe(offline->model, &report->columns);
    model_advise(offline->model, &report->advice);
    TRY(gateway_side_doors(offline->config, offline->policy, &report->doors, error));
    TRY(gateway_role_settings(offline->config, &report->settings, error));
    look_at_policy(offline, &report->findings);
    look_at_anomalies(offline->policy, &report->bounds);
    TRY(contact_check(offline->config, offline->policy, &report->findings, error));
    if (table_overflowed(&report->columns) || table_overflowed(&report->doors) ||
        table_overflowed(&report->settings) || table_overflowed(&report->findings) ||
        table_overflowed(&report->advice) || table_overflowed(&report->bounds))
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the report is too long");
    report->finding_count = report->doors.row_count + report->findings.row_count;
    for (const struct table_row *row = report->settings.first; row != NULL; row = row->next)
        report->finding_count += is_wrong_setting(&report->settings, row);
    return STATUS_OK;
}

static void free_report(struct report *report)
{
    table_free(&report->columns);
    table_free(&report->doors);
    table_free(&report->settings);
    table_free(&report->findings);
    table_free(&report->advice);
    table_free(&report->bounds);
}

/* ---- printing ---- */

/* The rows of one partner, without the column that names it. The copy borrows nothing. */
static void select_partner(const struct table *all, const char *partner, struct table *one)
{
    const char *names[TABLE_MAX_COLUMNS + 1] = {NULL};
    size_t named = cli_column(all, "partner"), count = 0;
    for (size_t column = 0; column < all->column_count; column++) {
        if (column != named)
            names[count++] = all->columns[column];
    }
    table_init(one, CLI_RESULT_BYTES, names);
    for (const struct table_row *row = all->first; row != NULL; row = row->next) {
        if (strcmp(cli_cell(all, row, "partner"), partner) != 0)
            continue;
        struct table_row *copy = table_add(one);
        for (size_t from = 0, to = 0; from < all->column_count; from++) {
            if (from == named)
                continue;
            if (row->cells[from] != NULL)
                table_set(one, copy, to, "%s", row->cells[from]);
            to++;
        }
    }
}

static void print_partner(const struct policy_partner *partner, const struct report *report)
{
    struct table one;
    select_partner(&report->columns, partner->name, &one);
    size_t sensitive = 0;
    for (const struct table_row *row = one.first; row != NULL; row = row->next)
        sensitive += is_sensitive(&one, row);
    cli_print_heading(stdout, "%s (%s, %zu agent%s%s)", partner->name,
                      partner->mode == POLICY_MODE_AGGREGATES ? "statistics only" : "rows",
                      partner->agent_count, partner->agent_count == 1 ? "" : "s",
                      sensitive > 0 ? ", SENSITIVE COLUMNS GRANTED" : "");
    cli_print_marked(stdout, &one, is_sensitive, cli_colour());
    putchar('\n');
    table_free(&one);
    select_partner(&report->bounds, partner->name, &one);
    cli_print_table(stdout, &one);
    putchar('\n');
    table_free(&one);
}

static void print_findings(const struct report *report)
{
    if (report->doors.row_count > 0) {
        cli_print_heading(stdout,
                          "Side doors: roles that read this data past the gateway; while they can, "
                          "\"never disclosed\" is not proven");
        cli_print_table(stdout, &report->doors);
        putchar('\n');
    }
    cli_print_heading(stdout, "Settings of the gateway's role");
    cli_print_marked(stdout, &report->settings, is_wrong_setting, cli_colour());
    putchar('\n');
    if (report->findings.row_count > 0) {
        cli_print_heading(stdout, "Findings");
        cli_print_table(stdout, &report->findings);
        putchar('\n');
    }
    if (report->advice.row_count > 0) {
        cli_print_heading(stdout, "Recommended: what would make statements cheaper");
        cli_print_table(stdout, &report->advice);
        putchar('\n');
    }
}

static enum status print_text(const struct cli_call *call, const struct cli_offline *offline,
                              const struct report *report, struct error *error)
{
    const char *wanted = cli_value(call, "partner");
    const struct policy *policy = offline->policy;
    const struct policy_partner *found;
    if (wanted != NULL)
        TRY(policy_need_partner(policy, wanted, &found, error));
    for (size_t i = 0; i < policy->partner_count; i++) {
        if (wanted == NULL || strcmp(policy->partners[i].name, wanted) == 0)
            print_partner(&policy->partners[i], report);
    }
    print_findings(report);
    printf("%s holds: %zu partner%s, %zu dataset%s, %zu finding%s\n", policy->path,
           policy->partner_count, policy->partner_count == 1 ? "" : "s", policy->dataset_count,
           policy->dataset_count == 1 ? "" : "s", report->finding_count,
           report->finding_count == 1 ? "" : "s");
    return STATUS_OK;
}

static enum status print_json(const struct cli_offline *offline, const struct report *report,
                              struct error *error)
{
    json_t *value = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "policy_id", offline->policy->id, "columns",
        cli_json_table(&report->columns, NULL), "side_doors", cli_json_table(&report->doors, NULL),
        "role_settings", cli_json_table(&report->settings, NULL), "findings",
        cli_json_table(&report->findings, NULL), "recommended",
        cli_json_table(&report->advice, NULL), "anomalies", cli_json_table(&report->bounds, NULL));
    CHECK(value != NULL);
    return cli_json_print(value, false, error);
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct cli_offline offline = {0};
    struct report report = {0};
    enum status status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK)
        status = cli_offline_bind(&offline, error);
    if (status == STATUS_OK)
        status = gather(&offline, &report, error);
    if (status == STATUS_OK)
        status = call->json ? print_json(&offline, &report, error)
                            : print_text(call, &offline, &report, error);
    if (status == STATUS_OK && report.finding_count > 0 && cli_value(call, "strict") != NULL)
        status = error_set(error, STATUS_INVALID, "F0000", NULL, "%zu finding%s",
                           report.finding_count, report.finding_count == 1 ? "" : "s");
    free_report(&report);
    cli_offline_free(&offline);
    return status;
}

const struct cli_command verb_check = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Judges the policy against the live database and prints, partner by partner, what\n"
        "each sees of each column, and the bounds on anomalies. Sensitive grants stand out.\n"
        "Lists side doors (other roles that read the same tables),\n"
        "settings of the gateway's role that are not as\n"
        "`cofferdam grants` makes them, agents that cannot log in, and a contact role that can\n"
        "read less or more than `cofferdam grants --contact` gives it. What is recommended\n"
        "(indexes, foreign keys, stored keys) makes statements cheaper and is no finding.",
    .examples = "check\n"
                "check --partner north-mail\n"
                "check --strict --json\n",
    .exits = "the policy does not hold, or with --strict there are findings",
    .run = run,
};

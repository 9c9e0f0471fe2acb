/* cofferdam anomaly test: which alarms would the bounds of a policy have raised over what the
 * ledger holds? So that bounds can be chosen before they cut anybody off. */
#include "cli/admin.h"
#include "cli/offline.h"
#include "cli/verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "exposure/reading.h"
#include "watch/watch.h"

enum { PATH_ROOM = 4096 };
static const int64_t DAY_NS = 86400LL * 1000000000;

static const struct cli_option options[] = {
    {"since", 's', "30d|TIME", "alarms from then on (30d); what was before is history"},
    {"policy", 0, "FILE", "by the bounds of this policy instead of the one in force"},
    {"agent", 'a', "PARTNER[/AGENT]", "of this partner or agent only"},
    {NULL, 0, NULL, NULL},
};

struct testing {
    const struct policy *policy;
    struct watch *watch;
    struct names *names;
    struct ledger_reader *reader;
    int64_t since_ns;
    char partner[CLI_NAME_ROOM], agent[CLI_NAME_ROOM]; /* "": any */
    struct table table;
};

static bool key_of(void *context, uint32_t id, uint16_t *kind, char key[static 256])
{
    const struct testing *testing = context;
    return names_key(testing->names, id, kind, key) == STATUS_OK;
}

static void put_alarm(struct testing *testing, int64_t time_ns,
                      const struct policy_partner *partner, const struct policy_agent *agent,
                      const struct watch_alarm *alarm)
{
    char when[21];
    if ((testing->partner[0] != '\0' && strcmp(testing->partner, partner->name) != 0) ||
        (testing->agent[0] != '\0' && strcmp(testing->agent, agent->name) != 0))
        return;
    struct table_row *row = table_add(&testing->table);
    clock_format_utc(time_ns, when);
    table_set(&testing->table, row, 0, "%s", when);
    table_set(&testing->table, row, 1, "%s", partner->name);
    table_set(&testing->table, row, 2, "%s", agent->name);
    table_set(&testing->table, row, 3, "%s", policy_anomaly_names[alarm->rule]);
    table_set(&testing->table, row, 4, "%s", alarm->contain ? "yes" : "no");
    table_set(&testing->table, row, 5, "%s", alarm->text);
}

static void take_entry(struct testing *testing, const struct ledger_entry *entry)
{
    char login[2 * LIMIT_NAME_BYTES + 2];
    const struct policy_partner *partner = NULL;
    const struct policy_agent *agent = NULL;
    struct watch_verdict verdict;
    int len = snprintf(login, sizeof login, "%.*s.%.*s", (int)entry->partner.len,
                       (const char *)entry->partner.data, (int)entry->agent.len,
                       (const char *)entry->agent.data);
    if (entry->agent.len > 0 && len < (int)sizeof login)
        agent = policy_find_agent(testing->policy, login, &partner);
    watch_take(testing->watch, agent == NULL ? NULL : partner, agent,
               entry->time_ns < testing->since_ns ? WATCH_REPLAY : WATCH_TEST, entry, &verdict);
    for (size_t i = 0; i < verdict.count; i++)
        put_alarm(testing, entry->time_ns, partner, agent, &verdict.alarms[i]);
}

static enum status replay(struct testing *testing, struct error *error)
{
    for (;;) {
        struct ledger_entry entry;
        struct slice side;
        uint64_t sequence;
        enum status status = ledger_reader_next(testing->reader, &sequence, &entry, &side, error);
        if (status == STATUS_AGAIN)
            return STATUS_OK;
        TRY(status);
        TRY(names_take(testing->names, sequence, side, error));
        take_entry(testing, &entry);
    }
}

static enum status read_since(struct cli_call *call, int64_t *since_ns, struct error *error)
{
    enum { DIGITS = 5, DEFAULT = 30 };
    const char *text = cli_value(call, "since");
    int64_t now_ns = clock_now_ns();
    *since_ns = now_ns - DEFAULT * DAY_NS;
    if (text == NULL)
        return STATUS_OK;
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && digits <= DIGITS && strcmp(text + digits, "d") == 0) {
        *since_ns = now_ns - strtoll(text, NULL, 10) * DAY_NS;
        return STATUS_OK;
    }
    if (clock_parse(text, since_ns, error) != STATUS_OK)
        return cli_usage(call, error, "--since is a number of days (30d) or a time (2026-11-01)");
    return STATUS_OK;
}

static enum status open_testing(struct cli_call *call, const struct cli_offline *offline,
                                struct testing *testing, struct error *error)
{
    static const char *const columns[] = {"time",    "partner", "agent", "rule",
                                          "contain", "text",    NULL};
    const char *state = offline->config->state_folder, *who = cli_value(call, "agent");
    const struct watch_sources sources = {.context = testing, .key = key_of};
    const struct policy_partner *partner = NULL;
    const struct policy_agent *agent;
    char ledger[PATH_ROOM], subjects[PATH_ROOM];
    table_init(&testing->table, CLI_RESULT_BYTES, columns);
    TRY(read_since(call, &testing->since_ns, error));
    if (who != NULL)
        TRY(cli_split_agent(call, who, testing->partner, testing->agent, error));
    if (testing->partner[0] != '\0')
        TRY(policy_need_partner(testing->policy, testing->partner, &partner, error));
    if (testing->agent[0] != '\0')
        TRY(policy_need_agent(partner, testing->agent, &agent, error));
    if (snprintf(ledger, PATH_ROOM, "%s/ledger", state) >= PATH_ROOM ||
        snprintf(subjects, PATH_ROOM, "%s/subjects", state) >= PATH_ROOM)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "the folder's name is too long");
    TRY(watch_new(&testing->watch, error));
    watch_know(testing->watch, &sources);
    TRY(names_open(subjects, &testing->names, error));
    TRY(ledger_reader_open(ledger, 0, &testing->reader, error));
    ledger_reader_leave_tree(testing->reader);
    return STATUS_OK;
}

static enum status print(const struct cli_call *call, struct testing *testing, struct error *error)
{
    struct cli_result result = {.table = testing->table};
    struct ledger_dropped dropped;
    char from[21];
    if (table_overflowed(&testing->table))
        return error_set(error, STATUS_LIMIT, "54000", "name an --agent, or a later --since",
                         "there are too many alarms to list");
    if (ledger_reader_dropped(testing->reader, &dropped)) {
        clock_format_utc(dropped.last_ns, from);
        fprintf(stderr, "What was before %s was dropped by retention, and is no history here.\n",
                from);
    }
    cli_result_kinds(&result);
    TRY(cli_print_result(call, &result, error));
    if (!call->json)
        printf("%zu alarm%s\n", testing->table.row_count, testing->table.row_count == 1 ? "" : "s");
    return STATUS_OK;
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct cli_offline offline = {0};
    struct testing testing = {0};
    const struct policy *other = NULL;
    enum status status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK && cli_value(call, "policy") != NULL)
        status = policy_load(cli_value(call, "policy"), &other, error);
    testing.policy = other != NULL ? other : offline.policy;
    if (status == STATUS_OK)
        status = open_testing(call, &offline, &testing, error);
    if (status == STATUS_OK)
        status = replay(&testing, error);
    if (status == STATUS_OK)
        status = print(call, &testing, error);
    if (testing.reader != NULL)
        ledger_reader_close(testing.reader);
    names_close(testing.names);
    watch_free(testing.watch);
    table_free(&testing.table);
    policy_release(other);
    cli_offline_free(&offline);
    return status;
}

const struct cli_command verb_anomaly_test = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Reads the ledger's files and lists the alarms that the bounds of the policy would have\n"
        "raised: for choosing bounds, and before contain is set. Nothing is raised, written or\n"
        "withheld. All that the ledger holds is history; --since says from when on alarms are\n"
        "listed.",
    .examples = "anomaly test\n"
                "anomaly test --since 90d --policy next.yaml\n"
                "anomaly test --agent north-mail/sync --since 2026-11-01 --json\n",
    .run = run,
};

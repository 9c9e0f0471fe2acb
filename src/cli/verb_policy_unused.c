/* cofferdam policy unused: rights that nobody has used, and the change that takes them away. */
#include "cli/admin.h"
#include "cli/log_folder.h"
#include "cli/offline.h"
#include "cli/policy_usage.h"
#include "cli/unified_diff.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "policy/shrink.h"

enum { TEXT_BYTES = 4 * 1024 * 1024, MOST_DAYS = 36500 };
static const int64_t ns_per_day = 24LL * 3600 * 1000000000;

static const struct cli_option options[] = {
    {"since", 's', "TIME", "unused since then: 90d, or an instant such as 2026-09-01; default 90d"},
    {"partner", 'p', "PARTNER", "this partner only"},
    {"ledger", 0, "DIR", "the ledger's folder, if not as configured"},
    {NULL, 0, NULL, NULL},
};

enum state { USED, UNUSED, TOO_NEW, NEEDED, COUNTED };

struct looking {
    const struct policy *policy;
    struct policy_usage usage;
    const char *partner; /* NULL: all */
    int64_t since_ns;
    struct table table;
    size_t unused;
};

static enum status read_since(struct cli_call *call, int64_t *since_ns, struct error *error)
{
    const char *text = cli_value(call, "since");
    char *end = NULL;
    if (text == NULL)
        text = "90d";
    unsigned long days = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;
    if (end != NULL && strcmp(end, "d") == 0 && days > 0 && days <= MOST_DAYS) {
        *since_ns = clock_now_ns() - (int64_t)days * ns_per_day;
        return STATUS_OK;
    }
    if (clock_parse(text, since_ns, NULL) != STATUS_OK)
        return cli_usage(call, error, "--since takes 90d, or an instant such as 2026-09-01");
    if (*since_ns > clock_now_ns())
        return cli_usage(call, error, "--since is yet to come");
    return STATUS_OK;
}

static enum state state_of(const struct looking *looking, const struct usage_times *times)
{
    if (times->used_ns >= looking->since_ns)
        return USED;
    return times->granted_ns > looking->since_ns ? TOO_NEW : UNUSED;
}

static bool is_looked_at(const struct looking *looking, size_t p)
{
    return looking->partner == NULL ||
           strcmp(looking->policy->partners[p].name, looking->partner) == 0;
}

/* A look-up by a column needs the column, whether or not it was asked for lately. */
static bool is_pinned(const struct looking *looking, size_t p, const struct policy_grant *grant,
                      size_t column)
{
    const struct policy_partner *partner = &looking->policy->partners[p];
    const char *name =
        looking->policy->datasets[grant->dataset].columns[grant->columns[column].column].name;
    for (size_t i = 0; i < partner->lookup_count; i++)
        if (partner->lookup_by[i].dataset == grant->dataset &&
            strcmp(partner->lookup_by[i].column, name) == 0)
            return true;
    return false;
}

/* Rows of the dataset are counted and none of its columns is read: one stays, so that the grant
 * does. */
static bool is_kept(const struct looking *looking, size_t p, size_t g, size_t c)
{
    const struct policy_grant *grant = &looking->policy->partners[p].grants[g];
    if (c > 0 || policy_usage_counted_ns(&looking->usage, p, g) < looking->since_ns)
        return false;
    for (size_t i = 1; i < grant->column_count; i++)
        if (state_of(looking, policy_usage_column(&looking->usage, p, g, i)) != UNUSED ||
            is_pinned(looking, p, grant, i))
            return false;
    return true;
}

static enum state column_state(const struct looking *looking, size_t p, size_t g, size_t c)
{
    const struct policy_grant *grant = &looking->policy->partners[p].grants[g];
    enum state state = state_of(looking, policy_usage_column(&looking->usage, p, g, c));
    if (state != UNUSED)
        return state;
    return is_pinned(looking, p, grant, c) ? NEEDED : is_kept(looking, p, g, c) ? COUNTED : UNUSED;
}

static enum state agent_state(const struct looking *looking, size_t p, size_t a)
{
    const struct policy_partner *partner = &looking->policy->partners[p];
    enum state state = state_of(looking, policy_usage_agent(&looking->usage, p, a));
    for (size_t g = 0; g < partner->grant_count && state == UNUSED; g++)
        for (size_t c = 0; c < partner->grants[g].column_count && state == UNUSED; c++)
            if (partner->grants[g].agent != NULL &&
                strcmp(partner->grants[g].agent, partner->agents[a].name) == 0 &&
                column_state(looking, p, g, c) != UNUSED)
                state = TOO_NEW; /* it was given something lately */
    return state;
}

/* ---- what is listed ---- */

static void list(struct looking *looking, size_t p, const char *kind, const char *agent,
                 const char *name, const struct usage_times *times, enum state state)
{
    static const char *const words[] = {[UNUSED] = "unused",
                                        [TOO_NEW] = "too new to tell",
                                        [NEEDED] = "unused, but lookup_by needs it",
                                        [COUNTED] = "unused, but rows are counted"};
    char when[21];
    struct table *table = &looking->table;
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", looking->policy->partners[p].name);
    if (agent != NULL)
        table_set(table, row, 1, "%s", agent);
    table_set(table, row, 2, "%s", kind);
    table_set(table, row, 3, "%s", name);
    table_set(table, row, 4, "%s", words[state]);
    if (times->granted_ns != INT64_MAX && times->granted_ns != INT64_MIN) {
        clock_format_utc(times->granted_ns, when);
        table_set(table, row, 5, "%s", when);
    }
    if (times->used_ns != INT64_MIN) {
        clock_format_utc(times->used_ns, when);
        table_set(table, row, 6, "%s", when);
    }
    looking->unused += state == UNUSED;
}

/* All columns at once where all of them are alike. */
static bool list_dataset(struct looking *looking, size_t p, size_t g)
{
    const struct policy_grant *grant = &looking->policy->partners[p].grants[g];
    enum state first = column_state(looking, p, g, 0);
    struct usage_times times = *policy_usage_column(&looking->usage, p, g, 0);
    for (size_t c = 1; c < grant->column_count; c++) {
        const struct usage_times *other = policy_usage_column(&looking->usage, p, g, c);
        if (column_state(looking, p, g, c) != first)
            return false;
        times.used_ns = other->used_ns > times.used_ns ? other->used_ns : times.used_ns;
        times.granted_ns =
            other->granted_ns > times.granted_ns ? other->granted_ns : times.granted_ns;
    }
    if (first != USED)
        list(looking, p, "dataset", grant->agent, looking->policy->datasets[grant->dataset].name,
             &times, first);
    return true;
}

static void list_grant(struct looking *looking, size_t p, size_t g)
{
    const struct policy_grant *grant = &looking->policy->partners[p].grants[g];
    const struct policy_dataset *dataset = &looking->policy->datasets[grant->dataset];
    if (list_dataset(looking, p, g))
        return;
    for (size_t c = 0; c < grant->column_count; c++) {
        enum state state = column_state(looking, p, g, c);
        char name[200];
        snprintf(name, sizeof name, "%s.%s", dataset->name,
                 dataset->columns[grant->columns[c].column].name);
        if (state != USED)
            list(looking, p, "column", grant->agent, name,
                 policy_usage_column(&looking->usage, p, g, c), state);
    }
}

static void list_all(struct looking *looking)
{
    static const char *const columns[] = {"partner", "agent",         "right",     "name",
                                          "state",   "granted_since", "last_used", NULL};
    table_init(&looking->table, CLI_RESULT_BYTES, columns);
    for (size_t p = 0; p < looking->policy->partner_count; p++) {
        const struct policy_partner *partner = &looking->policy->partners[p];
        for (size_t a = 0; a < partner->agent_count && is_looked_at(looking, p); a++) {
            enum state state = agent_state(looking, p, a);
            if (state != USED)
                list(looking, p, "agent", partner->agents[a].name, partner->agents[a].login,
                     policy_usage_agent(&looking->usage, p, a), state);
        }
        for (size_t g = 0; g < partner->grant_count && is_looked_at(looking, p); g++)
            list_grant(looking, p, g);
    }
}

/* ---- the change ---- */

static bool agent_goes(void *context, size_t partner, size_t agent)
{
    const struct looking *looking = context;
    return is_looked_at(looking, partner) && agent_state(looking, partner, agent) == UNUSED;
}

static bool column_goes(void *context, size_t partner, size_t grant, size_t column)
{
    const struct looking *looking = context;
    return is_looked_at(looking, partner) &&
           column_state(looking, partner, grant, column) == UNUSED;
}

static enum status make_change(struct looking *looking, struct buffer *patch, struct error *error)
{
    struct shrink_choice choice = {looking, agent_goes, column_goes};
    struct buffer text;
    const char *name = strrchr(looking->policy->path, '/');
    if (looking->unused == 0)
        return STATUS_OK;
    buffer_init(&text, TEXT_BYTES);
    enum status status = policy_shrink(looking->policy, &choice, &text, error);
    if (status == STATUS_OK)
        status = unified_diff(name == NULL ? looking->policy->path : name + 1,
                              slice_of(looking->policy->text, looking->policy->text_len),
                              buffer_slice(&text), patch, error);
    buffer_free(&text);
    return status;
}

static enum status print(const struct cli_call *call, const struct looking *looking,
                         struct buffer *patch, struct error *error)
{
    const char *text = buffer_text(patch);
    if (text == NULL || table_overflowed(&looking->table))
        return error_set(error, STATUS_LIMIT, "54000", "Ask for one --partner.",
                         "the answer is too long");
    if (call->json) {
        json_t *answer = json_object();
        json_object_set_new(answer, "rights", cli_json_table(&looking->table, NULL));
        json_object_set_new(answer, "patch", cli_json_text(text));
        return cli_json_print(answer, false, error);
    }
    cli_print_table(stdout, &looking->table);
    if (text[0] != '\0')
        printf("\nThis change drops what is unused. Look at it; then, in the policy's folder, "
               "patch -p1,\n"
               "cofferdam policy diff and cofferdam reload.\n\n");
    else
        printf("\nNo change: nothing can be dropped that has been granted all that time.\n");
    cli_print_safe(stdout, text);
    return STATUS_OK;
}

static enum status look(struct cli_call *call, struct looking *looking, struct error *error)
{
    if (looking->usage.since_ns != SINCE_EVER && looking->usage.since_ns > looking->since_ns) {
        char since[SINCE_TEXT_ROOM];
        since_format(looking->usage.since_ns, since);
        return error_set(error, STATUS_DENIED, "55000", "Ask with a later --since.",
                         "records before %s were dropped by retention: what was used then is not "
                         "known",
                         since);
    }
    struct buffer patch;
    struct error why;
    buffer_init(&patch, TEXT_BYTES);
    list_all(looking);
    enum status changed = make_change(looking, &patch, &why);
    enum status status = print(call, looking, &patch, error);
    if (status == STATUS_OK && changed != STATUS_OK) {
        *error = why;
        status = changed;
    }
    buffer_free(&patch);
    table_free(&looking->table);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    char ledger[CLI_PATH_ROOM];
    const struct policy_partner *partner;
    struct cli_offline offline = {0};
    struct looking looking = {.partner = cli_value(call, "partner")};
    TRY(read_since(call, &looking.since_ns, error));
    enum status status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK && looking.partner != NULL)
        status = policy_need_partner(offline.policy, looking.partner, &partner, error);
    if (status == STATUS_OK)
        status = cli_log_folder(call, cli_value(call, "ledger"), ledger, NULL, error);
    if (status == STATUS_OK) {
        looking.policy = offline.policy;
        status = policy_usage_read(ledger, offline.policy, &looking.usage, error);
    }
    if (status == STATUS_OK)
        status = look(call, &looking, error);
    policy_usage_free(&looking.usage);
    cli_offline_free(&offline);
    return status;
}

const struct cli_command verb_policy_unused = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Lists the datasets, columns and agents of the policy that, as the ledger shows, nobody\n"
        "has used, and prints the change of the policy that drops them, as a unified diff. A\n"
        "column is used by a statement that could read it or was about to change it; an agent\n"
        "by anything that the ledger says of it. What has not been granted all that time is\n"
        "too new to tell, and stays. Nothing is written and nothing put in force.",
    .examples = "policy unused --since 90d\n"
                "policy unused --since 2026-09-01 --partner north-mail --json\n",
    .run = run,
};

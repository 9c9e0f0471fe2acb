/* cofferdam exposure show: what a breached company is asked. How many people, by which categories,
 * some or all of which, and what was never disclosed. */
#include "cli/exposure_list.h"
#include "cli/exposure_source.h"
#include "cli/verbs.h"

#include "base/check.h"

static const struct cli_option options[] = {
    {"partner", 'p', "PARTNER", "this partner only"},
    {"from", 0, "TIME", "from this instant on, such as 2026-11-01 or 2026-11-01T08:00:00Z"},
    {"to", 0, "TIME", "before this instant"},
    {"list", 'l', NULL, "name the people, one a line; that you read them is recorded first"},
    {NULL, 0, NULL, NULL},
};

static const struct {
    const char *name, *heading;
    enum exposure_asked what;
    bool has_period; /* takes FROM and TO */
} sections[] = {
    {"exposure", "People disclosed", ASKED_SUMMARY, true},
    {"only_written", "Only written", ASKED_WRITTEN, true},
    {"categories", "By category of data", ASKED_CATEGORIES, true},
    {"combinations", "By what was disclosed of each: some or all of", ASKED_COMBINATIONS, true},
    {"never", "Never disclosed, in all that the records cover", ASKED_NEVER, false},
};

static enum status ask_section(const struct cli_call *call, struct exposure_source *source,
                               size_t section, struct cli_result *result, struct error *error)
{
    struct exposure_asking asking = {.what = sections[section].what,
                                     .partner = cli_value(call, "partner")};
    if (sections[section].has_period) {
        asking.from = cli_value(call, "from");
        asking.to = cli_value(call, "to");
    }
    return exposure_source_ask(source, &asking, result, error);
}

/* Said only where there is somebody; a certificate of non-exposure counts them. */
static void print_written(const struct table *table)
{
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        fputs(row == table->first ? "\n" : "", stdout);
        cli_print_safe(stdout, cli_cell(table, row, "partner"));
        printf(": %s people (", cli_cell(table, row, "subjects"));
        cli_print_safe(stdout, cli_cell(table, row, "kind"));
        printf(") only written: their data came from the partner, and no column of them was given "
               "to it\n");
    }
}

static enum status list(struct cli_call *call, struct error *error)
{
    const char *partner;
    TRY(cli_require(call, "partner", &partner, error));
    if (call->admin_folder != NULL)
        return cli_usage(call, error,
                         "--list records in the configured gateway: leave out --admin");
    return exposure_list(call, partner, error);
}

static enum status run(struct cli_call *call, struct error *error)
{
    TRY(exposure_check_time(call, "from", error));
    TRY(exposure_check_time(call, "to", error));
    if (cli_value(call, "list") != NULL)
        return list(call, error);
    struct exposure_source *source = NULL;
    TRY(exposure_source_open(call, &source, error));
    json_t *all = json_object();
    CHECK(all != NULL);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0] && status == STATUS_OK; i++) {
        struct cli_result result = {0};
        status = ask_section(call, source, i, &result, error);
        if (status == STATUS_OK && call->json) {
            int failure = json_object_set_new(all, sections[i].name,
                                              cli_json_table(&result.table, result.kinds));
            CHECK(failure == 0);
        } else if (status == STATUS_OK && sections[i].what == ASKED_WRITTEN) {
            print_written(&result.table);
        } else if (status == STATUS_OK) {
            cli_print_heading(stdout, "%s%s", i == 0 ? "" : "\n", sections[i].heading);
            cli_print_table(stdout, &result.table);
        }
        table_free(&result.table);
    }
    struct exposure_coverage covered;
    if (status == STATUS_OK)
        status = exposure_source_since(source, &covered, error);
    exposure_source_close(source);
    if (status == STATUS_OK)
        exposure_tell_since(call, covered.since, cli_value(call, "from"));
    if (status == STATUS_OK && call->json) {
        int failure = json_object_set_new(all, "since", exposure_since_json(covered.since));
        CHECK(failure == 0);
        return cli_json_print(all, false, error);
    }
    json_decref(all);
    return status;
}

const struct cli_command verb_exposure_show = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Counts, from the ledger, the people whose data partners were disclosed: how many, by\n"
        "category of data and its form, by combination of categories, and which categories\n"
        "were never disclosed. It covers what went through the gateway. Where that is not\n"
        "running, the answer comes from its files. --list names the people a partner was given,\n"
        "with categories and the first and last hour; the running gateway records that first.",
    .examples = "exposure\n"
                "exposure show --partner north-mail --from 2026-11-01\n"
                "exposure show --json\n"
                "exposure show --partner north-mail --list --from 2026-11-01 --json\n",
    .run = run,
};

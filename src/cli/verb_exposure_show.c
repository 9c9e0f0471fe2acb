/* cofferdam exposure show: what a breached company is asked. How many people, by which categories,
 * some or all of which, and what was never disclosed. */
#include "cli/admin.h"
#include "cli/verbs.h"

#include "base/check.h"
#include "base/clock.h"

enum { COMMAND_BYTES = 65536 };

static const struct cli_option options[] = {
    {"partner", 'p', "PARTNER", "this partner only"},
    {"from", 0, "TIME", "from this instant on, such as 2026-11-01 or 2026-11-01T08:00:00Z"},
    {"to", 0, "TIME", "before this instant"},
    {NULL, 0, NULL, NULL},
};

static const struct {
    const char *name, *show, *heading;
    bool has_period; /* takes FROM and TO */
} sections[] = {
    {"exposure", "SHOW EXPOSURE", "People disclosed", true},
    {"categories", "SHOW CATEGORIES", "By category of data", true},
    {"combinations", "SHOW COMBINATIONS", "By what was disclosed of each: some or all of", true},
    {"never", "SHOW NEVER", "Never disclosed since the ledger began", false},
};

static enum status check_time(struct cli_call *call, const char *option, struct error *error)
{
    int64_t time_ns;
    const char *text = cli_value(call, option);
    if (text != NULL && clock_parse(text, &time_ns, NULL) != STATUS_OK)
        return cli_usage(call, error, "--%s takes a date or an instant, not \"%s\"", option, text);
    return STATUS_OK;
}

static enum status ask_section(struct cli_call *call, struct cli_admin *admin, size_t section,
                               struct cli_result *result, struct error *error)
{
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, sections[section].show);
    cli_admin_clause(&command, "PARTNER", cli_value(call, "partner"));
    if (sections[section].has_period) {
        cli_admin_clause(&command, "FROM", cli_value(call, "from"));
        cli_admin_clause(&command, "TO", cli_value(call, "to"));
    }
    enum status status = cli_admin_ask(admin, &command, result, error);
    buffer_free(&command);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    TRY(check_time(call, "from", error));
    TRY(check_time(call, "to", error));
    struct cli_admin *admin = NULL;
    TRY(cli_admin_open(call, &admin, error));
    json_t *all = json_object();
    CHECK(all != NULL);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0] && status == STATUS_OK; i++) {
        struct cli_result result = {0};
        status = ask_section(call, admin, i, &result, error);
        if (status == STATUS_OK && call->json) {
            int failure = json_object_set_new(all, sections[i].name,
                                              cli_json_table(&result.table, result.kinds));
            CHECK(failure == 0);
        } else if (status == STATUS_OK) {
            cli_print_heading(stdout, "%s%s", i == 0 ? "" : "\n", sections[i].heading);
            cli_print_table(stdout, &result.table);
        }
        table_free(&result.table);
    }
    cli_admin_close(admin);
    if (status == STATUS_OK && call->json)
        return cli_json_print(all, false, error);
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
        "were never disclosed. It covers what went through the gateway.",
    .examples = "exposure\n"
                "exposure show --partner north-mail --from 2026-11-01\n"
                "exposure show --json\n",
    .run = run,
};

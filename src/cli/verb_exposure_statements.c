/* cofferdam exposure statements: which statements gave a partner people whom it had never had. */
#include "cli/admin.h"
#include "cli/exposure_source.h"
#include "cli/log_folder.h"
#include "cli/verbs.h"

#include "base/clock.h"
#include "exposure/exposure.h"

enum { MOST = 100000, USUAL = 20 };

static const struct cli_option options[] = {
    {"partner", 'p', "PARTNER", "whose statements"},
    {"from", 0, "TIME", "from this instant on, such as 2026-11-01 or 2026-11-01T08:00:00Z"},
    {"to", 0, "TIME", "before this instant"},
    {"most", 'n', "COUNT", "how many; default 20"},
    {"ledger", 0, "DIR", "the ledger's folder, if not as configured"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    const char *partner;
    char ledger[CLI_PATH_ROOM], index[CLI_PATH_ROOM + 16];
    uint64_t most;
    int64_t from = INT64_MIN, to = INT64_MAX;
    struct cli_result result = {0};
    TRY(cli_require(call, "partner", &partner, error));
    TRY(cli_number(call, "most", 1, MOST, USUAL, &most, error));
    TRY(exposure_check_time(call, "from", error));
    TRY(exposure_check_time(call, "to", error));
    if (cli_value(call, "from") != NULL)
        TRY(clock_parse(cli_value(call, "from"), &from, error));
    if (cli_value(call, "to") != NULL)
        TRY(clock_parse(cli_value(call, "to"), &to, error));
    TRY(cli_log_folder(call, cli_value(call, "ledger"), ledger, NULL, error));
    snprintf(index, sizeof index, "%s/../exposure", ledger); /* beside it, if it is this log's */
    TRY(exposure_statements(index, ledger, partner, from, to, (size_t)most, &result.table, error));
    cli_result_kinds(&result);
    enum status status =
        exposure_print_rows(call, &result, result.table.since, cli_value(call, "from"), error);
    table_free(&result.table);
    return status;
}

const struct cli_command verb_exposure_statements = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Lists a partner's statements (by the SHA-256 of their text) by how many people each\n"
        "gave it whom it had never had before, most first; with all their people and rows.\n"
        "From the index of exposure, and from the ledger what is newer. Whom only records\n"
        "told of that were dropped by retention is new again.",
    .examples = "exposure statements --partner ringway\n"
                "exposure statements -p ringway --from 2026-11-01 --most 5 --json\n",
    .run = run,
};

/* cofferdam exposure overlap: whom two partners have both had. */
#include "cli/exposure_source.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"from", 0, "TIME", "from this instant on, such as 2026-11-01 or 2026-11-01T08:00:00Z"},
    {"to", 0, "TIME", "before this instant"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    const struct exposure_asking asking = {.what = ASKED_OVERLAP,
                                           .partner = call->arguments[0],
                                           .other = call->arguments[1],
                                           .from = cli_value(call, "from"),
                                           .to = cli_value(call, "to")};
    TRY(exposure_check_time(call, "from", error));
    TRY(exposure_check_time(call, "to", error));
    return exposure_ask_and_print(call, &asking, error);
}

const struct cli_command verb_exposure_overlap = {
    .arguments = "PARTNER PARTNER",
    .least = 2,
    .most = 2,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description = "Counts people whom both partners have had, whom only the first has had, and\n"
                   "whom only the second: all together, then by category.",
    .examples = "exposure overlap ringway north-mail\n"
                "exposure overlap ringway north-mail --from 2026-10-01 --json\n",
    .run = run,
};

/* cofferdam exposure net: what partners have had, and what they say they still have. */
#include "cli/exposure_source.h"
#include "cli/verbs.h"

static const struct cli_option options[] = {
    {"partner", 'p', "PARTNER", "this partner only"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    const struct exposure_asking asking = {.what = ASKED_NET,
                                           .partner = cli_value(call, "partner")};
    return exposure_ask_and_print(call, &asking, error);
}

const struct cli_command verb_exposure_net = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Counts people by category as of now: gross, all that a partner ever had, and net of\n"
        "the deletions that it has attested. Who was disclosed again since counts again. A\n"
        "deletion is a claim: what can leak is gross.",
    .examples = "exposure net\n"
                "exposure net --partner ringway --json\n",
    .run = run,
};

/* cofferdam exposure rebuild: the index of exposure made anew from the ledger, or held against it.
 */
#include "cli/json.h"
#include "cli/verbs.h"

#include <inttypes.h>

#include "base/check.h"
#include "base/clock.h"
#include "exposure/exposure.h"
#include "policy/config.h"

enum { PATH_ROOM = 4096 };

static const struct cli_option options[] = {
    {"check", 0, NULL, "replace nothing: compare what is there with what would be made"},
    {NULL, 0, NULL, NULL},
};

static enum status print(const struct cli_call *call, const struct exposure_rebuilt *rebuilt,
                         double seconds, struct error *error)
{
    bool checks = cli_value(call, "check") != NULL;
    if (!call->json) {
        printf("%s: %" PRIu64 " entries of the ledger, %" PRIu64 " disclosures, %zu files, %" PRIu64
               " bytes, %.1f s\n",
               checks ? "the index is what the ledger says" : "the index is made anew",
               rebuilt->entries, rebuilt->disclosures, rebuilt->files, rebuilt->bytes, seconds);
        return STATUS_OK;
    }
    json_t *all = json_pack("{s:b, s:I, s:I, s:I, s:I, s:f}", "checked", checks, "entries",
                            (json_int_t)rebuilt->entries, "disclosures",
                            (json_int_t)rebuilt->disclosures, "files", (json_int_t)rebuilt->files,
                            "bytes", (json_int_t)rebuilt->bytes, "seconds", seconds);
    CHECK(all != NULL);
    return cli_json_print(all, false, error);
}

static enum status run(struct cli_call *call, struct error *error)
{
    char index[PATH_ROOM], ledger[PATH_ROOM];
    struct config *config = NULL;
    struct exposure_rebuilt rebuilt;
    TRY(config_load(call->config_path, &config, error));
    int lengths[] = {snprintf(index, sizeof index, "%s/exposure", config->state_folder),
                     snprintf(ledger, sizeof ledger, "%s/ledger", config->state_folder)};
    config_free(config);
    if (lengths[0] >= PATH_ROOM || lengths[1] >= PATH_ROOM)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "the folder's name is too long");
    int64_t since_ns = clock_monotonic_ns();
    if (cli_value(call, "check") != NULL)
        TRY(exposure_check(index, ledger, &rebuilt, error));
    else
        TRY(exposure_rebuild(index, ledger, &rebuilt, error));
    return print(call, &rebuilt, (double)(clock_monotonic_ns() - since_ns) / 1e9, error);
}

const struct cli_command verb_exposure_rebuild = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Makes the files of the exposure index anew from the ledger, beside the old ones, and\n"
        "puts them in their place at once. A running gateway takes them over; it makes them\n"
        "anew by itself where they are damaged. With --check nothing is replaced: every byte\n"
        "is compared, and the first that differs is told.",
    .examples = "exposure rebuild\n"
                "exposure rebuild --check --json\n",
    .exits = "with --check: the index is not what the ledger says",
    .run = run,
};

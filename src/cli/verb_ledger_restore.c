/* cofferdam ledger restore: a backup becomes the ledger again, if it holds all that is known. */
#include "cli/json.h"
#include "cli/log_folder.h"
#include "cli/verbs.h"

#include <inttypes.h>

#include "base/check.h"
#include "ledger/backup.h"

static const struct cli_option options[] = {
    {"to", 0, "FOLDER", "a new name or an empty folder; default the configuration's ledger"},
    {"checkpoint", 0, "FILE", "the newest checkpoint known, wherever it was kept"},
    {"no-checkpoint", 0, NULL, "there is none: nobody can know of anything newer"},
    {"key", 'k', "VKEY|FILE", "the log's verifier key, or one that handed over to it"},
    {NULL, 0, NULL, NULL},
};

static enum status tell(const struct cli_call *call, const char *to,
                        const struct backup_report *report, struct error *error)
{
    if (call->json) {
        json_t *told =
            json_pack("{s:o, s:I, s:I}", "ledger", cli_json_text(to), "entries",
                      (json_int_t)report->entries, "signed", (json_int_t)report->signed_size);
        CHECK(told != NULL);
        return cli_json_print(told, false, error);
    }
    printf("%s: %" PRIu64 " entries, verified. The first start writes that the log goes on here.\n"
           "The folder of keys (subjects/keys) must be that of the same time, or later.\n",
           to, report->entries);
    return STATUS_OK;
}

static enum status run(struct cli_call *call, struct error *error)
{
    char from[CLI_PATH_ROOM];
    struct backup_report report;
    struct note_key key;
    char to[CLI_PATH_ROOM];
    const char *given = cli_value(call, "key"), *checkpoint = cli_value(call, "checkpoint");
    TRY(cli_log_folder(call, cli_value(call, "to"), to, NULL, error));
    if ((checkpoint != NULL) == (cli_value(call, "no-checkpoint") != NULL))
        return cli_usage(call, error,
                         "give --checkpoint with the newest checkpoint that you can find (in the "
                         "damaged folder, at a partner's, on the web), or --no-checkpoint");
    if (snprintf(from, sizeof from, "%s/ledger", call->arguments[0]) >= (int)sizeof from)
        return cli_usage(call, error, "the folder's name is too long");
    if (given != NULL)
        TRY(cli_log_key(call, given, &key, error));
    TRY(ledger_restore(from, to, checkpoint, given == NULL ? NULL : &key, &report, error));
    return tell(call, to, &report, error);
}

const struct cli_command verb_ledger_restore = {
    .arguments = "DIR",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Verifies the backup in DIR, shows that it holds all that the newest known checkpoint\n"
        "speaks of, and copies DIR/ledger to FOLDER. A backup that ends before the checkpoint is\n"
        "refused: a gateway that went on from it would write a second history under the same\n"
        "numbers. Stop the gateway, and move its damaged folder away, first.",
    .examples = "ledger restore /backup/cofferdam --checkpoint "
                "/var/lib/cofferdam/ledger.damaged/checkpoint\n",
    .exits = "nothing was restored",
    .run = run,
};

/* cofferdam ledger backup: a copy of the ledger up to its newest checkpoint, beside the gateway. */
#include "cli/json.h"
#include "cli/log_folder.h"
#include "cli/verbs.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "exposure/key_copy.h"
#include "ledger/backup.h"
#include "never/never.h"
#include "registry/deliveries.h"

static const struct cli_option options[] = {
    {"with-keys", 0, NULL, "also who the numbers are, in DIR/subjects, and other secrets"},
    {"key", 'k', "VKEY|FILE", "the log's verifier key, or one that handed over to it"},
    {"from", 0, "FOLDER", "the ledger; by default the configuration's"},
    {NULL, 0, NULL, NULL},
};

static enum status tell(const struct cli_call *call, const char *to, bool with_keys,
                        const struct backup_report *report, struct error *error)
{
    if (call->json) {
        json_t *told = json_pack(
            "{s:o, s:I, s:I, s:I, s:I, s:I, s:b}", "backup", cli_json_text(to), "entries",
            (json_int_t)report->entries, "before", (json_int_t)report->before, "signed",
            (json_int_t)report->signed_size, "segments_copied", (json_int_t)report->segments_copied,
            "bytes_copied", (json_int_t)report->bytes_copied, "keys", with_keys);
        CHECK(told != NULL);
        return cli_json_print(told, false, error);
    }
    printf("%s: %" PRIu64 " entries, %" PRIu64 " of them new; %.1f MB copied and verified%s\n", to,
           report->entries, report->entries - report->before, (double)report->bytes_copied / 1e6,
           with_keys ? "; with keys" : "");
    if (!with_keys)
        printf(
            "Without keys: what it tells of people are numbers. Back up the folder of keys, too,\n"
            "with --with-keys, or by itself.\n");
    return STATUS_OK;
}

static enum status copy_deliveries(const char *state, const char *to, struct error *error)
{
    char from[CLI_PATH_ROOM], path[CLI_PATH_ROOM];
    struct deliveries *deliveries;
    if (snprintf(from, sizeof from, "%s/deliveries.sqlite", state) >= (int)sizeof from ||
        snprintf(path, sizeof path, "%s/deliveries.sqlite", to) >= (int)sizeof path)
        return error_set(error, STATUS_INVALID, "58030", NULL, "the folder's name is too long");
    if (!file_exists(from))
        return STATUS_OK;
    TRY(deliveries_open(from, &deliveries, error));
    enum status status = deliveries_copy(deliveries, path, error);
    deliveries_close(deliveries);
    return status;
}

/* What else cannot be made again from the ledger. */
static enum status copy_more(const char *subjects, const char *to, struct error *error)
{
    char state[CLI_PATH_ROOM];
    bool copied;
    snprintf(state, sizeof state, "%s", subjects);
    char *slash = strrchr(state, '/');
    if (slash == NULL)
        snprintf(state, sizeof state, ".");
    else
        *slash = '\0';
    TRY(never_backup(state, to, &copied, error));
    return copy_deliveries(state, to, error);
}

static enum status run(struct cli_call *call, struct error *error)
{
    char folder[CLI_PATH_ROOM], subjects[CLI_PATH_ROOM];
    char ledger_to[CLI_PATH_ROOM], subjects_to[CLI_PATH_ROOM];
    struct backup_report report;
    struct note_key key;
    const char *to = call->arguments[0], *given = cli_value(call, "key");
    bool with_keys = cli_value(call, "with-keys") != NULL;
    TRY(cli_log_folder(call, cli_value(call, "from"), folder, subjects, error));
    if (snprintf(ledger_to, sizeof ledger_to, "%s/ledger", to) >= (int)sizeof ledger_to ||
        snprintf(subjects_to, sizeof subjects_to, "%s/subjects", to) >= (int)sizeof subjects_to)
        return cli_usage(call, error, "the folder's name is too long");
    if (given != NULL)
        TRY(cli_log_key(call, given, &key, error));
    TRY(ledger_backup(folder, ledger_to, given == NULL ? NULL : &key, &report, error));
    if (with_keys)
        TRY(key_copy_make(subjects, subjects_to, ledger_to, error));
    if (with_keys)
        TRY(copy_more(subjects, to, error));
    return tell(call, to, with_keys, &report, error);
}

const struct cli_command verb_ledger_backup = {
    .arguments = "DIR",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description = "Copies the ledger, up to its newest checkpoint, to DIR/ledger, which is a "
                   "ledger's folder\n"
                   "itself; the gateway may run. Verifies the ledger first, and that it goes on "
                   "from what DIR\n"
                   "has, then the copy. The next call copies what is new. With --with-keys the "
                   "file that says\n"
                   "who the numbers are is copied to DIR/subjects: without it no person can be "
                   "named, with it\n"
                   "whoever has DIR can name them all; also never.key and never/seeds, which "
                   "proofs of\n"
                   "non-exposure need, and deliveries.sqlite, which has the canaries.",
    .examples = "ledger backup /backup/cofferdam\n"
                "ledger backup /backup/cofferdam --with-keys\n",
    .exits = "nothing was copied, or the copy is not what was read",
    .run = run,
};

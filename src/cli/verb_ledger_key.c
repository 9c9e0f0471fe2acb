/* cofferdam ledger key: which keys have signed the ledger, a new one, and what to do when the key
 * was lost. Showing and changing ask the gateway; replacing a lost key works where it does not
 * start any more, so it opens the ledger itself. */
#include "cli/admin.h"
#include "cli/hand_overs.h"
#include "cli/log_folder.h"
#include "cli/verbs.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/ledger.h"
#include "policy/config.h"

enum { COMMAND_BYTES = 65536, PATH_ROOM = 4096 };

static const struct cli_option options[] = {
    {"reason", 'r', "TEXT", "why; it is kept in the ledger (needed to rotate and replace)"},
    {NULL, 0, NULL, NULL},
};

static enum status ask(struct cli_call *call, const char *text, const char *reason,
                       struct error *error)
{
    return cli_show(call, text, "REASON", reason, error);
}

/* What root makes in the ledger the gateway could not write afterwards. */
static enum status check_user(const char *folder, struct error *error)
{
    struct stat about;
    if (stat(folder, &about) != 0)
        return error_set(error, STATUS_NOT_FOUND, "58P01", "Is this the right -c FILE?",
                         "%.300s: there is no ledger", folder);
    if (about.st_uid == geteuid())
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "42501",
                     "runuser -u USER -- cofferdam ledger key replace --reason TEXT",
                     "%.300s belongs to uid %u: run this as that user, as the gateway does", folder,
                     (unsigned)about.st_uid);
}

static enum status replace_in(const struct config *config, const char *reason, struct error *error)
{
    char folder[PATH_ROOM];
    struct ledger *ledger = NULL;
    snprintf(folder, sizeof folder, "%.4000s/ledger", config->state_folder);
    TRY(check_user(folder, error));
    const struct ledger_options opening = {.folder = folder,
                                           .node = config->ledger.node,
                                           .segment_bytes = config->ledger.segment_bytes,
                                           .signing_key = config->ledger.signing_key,
                                           .key_lost = reason};
    TRY(ledger_open(&opening, &ledger, error));
    ledger_close(ledger);
    printf("%s holds a new key. The ledger says that nobody vouches for it: give\n"
           "%s/log.vkey to everybody who checks this ledger, and tell them why.\n",
           config->ledger.signing_key, folder);
    return STATUS_OK;
}

static enum status replace(struct cli_call *call, const char *reason, struct error *error)
{
    struct config *config = NULL;
    TRY(config_load(call->config_path, &config, error));
    enum status status = replace_in(config, reason, error);
    config_free(config);
    return status;
}

static enum status chain(const struct cli_call *call, struct error *error)
{
    char folder[CLI_PATH_ROOM];
    TRY(cli_log_folder(call, NULL, folder, NULL, error));
    return cli_hand_overs_print(folder, error);
}

static enum status run(struct cli_call *call, struct error *error)
{
    const char *act = call->arguments[0], *reason = NULL;
    if (strcmp(act, "show") == 0)
        return cli_show(call, "SHOW KEYS", "", NULL, error);
    if (strcmp(act, "chain") == 0)
        return chain(call, error);
    if (strcmp(act, "rotate") != 0 && strcmp(act, "replace") != 0)
        return cli_usage(call, error, "write chain, show, rotate or replace, not \"%.40s\"", act);
    TRY(cli_require(call, "reason", &reason, error));
    return strcmp(act, "rotate") == 0 ? ask(call, "ROTATE KEY", reason, error)
                                      : replace(call, reason, error);
}

const struct cli_command verb_ledger_key = {
    .arguments = "show|chain|rotate|replace",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "show lists the keys that have signed the ledger's checkpoints, oldest first, as verifier\n"
        "keys; the last one signs now.\n"
        "chain writes the hand-overs as a file that everybody may have: with it and one key of "
        "the\n"
        "chain, ledger verify checks what any other of its keys has signed.\n"
        "rotate makes a new key; the old one and the new one sign in the ledger that the one\n"
        "follows the other, so that whoever knows any key of the chain can check all of it.\n"
        "replace is for a key that was lost, while the gateway is stopped: nobody can sign for "
        "the\n"
        "new key, and the ledger says so for ever.",
    .examples = "ledger key show\n"
                "ledger key chain > log.chain\n"
                "ledger key rotate --reason \"each year\"\n"
                "ledger key replace --reason \"the disk with the key died\"\n",
    .run = run,
};

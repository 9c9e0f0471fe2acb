/* cofferdam erase: forgets who a number in the ledger stands for (GDPR Art. 17). */
#include "cli/admin.h"
#include "cli/incident.h"
#include "cli/offline.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "incident/caselist.h"
#include "never/never.h"

enum { COMMAND_BYTES = 65536, DECIMAL = 10 };

static const struct cli_option options[] = {
    {"reason", 'r', "TEXT", "why; it is kept in the ledger: do not name the person (needed)"},
    {"despite-incidents", 0, NULL, "also while an incident is open"},
    {NULL, 0, NULL, NULL},
};

/* Whoever is erased can be told of no breach any more. */
static enum status judge_incidents(struct cli_call *call, struct error *error)
{
    struct casework *casework = NULL;
    struct table table;
    char open[64] = "";
    TRY(cli_incident_casework(call, false, &casework, error));
    enum status status = caselist_fill(casework, &table, error);
    casework_close(casework);
    TRY(status);
    for (const struct table_row *row = table.first; row != NULL; row = row->next)
        if (cli_cell(&table, row, "closed")[0] == '\0')
            snprintf(open, sizeof open, "%s", cli_cell(&table, row, "number"));
    table_free(&table);
    if (open[0] == '\0')
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "55000",
                     "Close it first, or look whether the person is in its scope and add "
                     "--despite-incidents.",
                     "incident %s is open, and who is erased cannot be told of it any more", open);
}

static enum status ask(struct cli_call *call, const char *reason, struct cli_result *result,
                       struct error *error)
{
    struct cli_admin *admin = NULL;
    struct buffer command;
    TRY(cli_admin_open(call, &admin, error));
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "ERASE SUBJECT");
    cli_admin_clause(&command, "", call->arguments[0]);
    cli_admin_clause(&command, "", call->arguments[1]);
    cli_admin_clause(&command, "REASON", reason);
    enum status status = cli_admin_ask(admin, &command, result, error);
    buffer_free(&command);
    cli_admin_close(admin);
    return status;
}

/* Erases; where proofs of non-exposure are in use, the person's mark is kept: otherwise one could
 * be given that nothing was ever disclosed. */
static enum status erase(struct cli_call *call, const struct never_place *place, const char *reason,
                         struct cli_result *result, struct error *error)
{
    uint8_t seed[NEVER_SEED_BYTES];
    enum status status = never_seed(place, call->arguments[0], call->arguments[1], seed, error);
    bool keeps = status == STATUS_OK;
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        status = ask(call, reason, result, error);
    if (status == STATUS_OK && keeps) {
        const char *id = cli_cell(&result->table, result->table.first, "id");
        status = never_keep_seed(place, (uint32_t)strtoul(id, NULL, DECIMAL), seed, error);
        if (status != STATUS_OK) {
            error_prefix(error, "erased, but the mark for proofs of non-exposure was not kept");
            table_free(&result->table);
        }
    }
    crypto_wipe(seed, sizeof seed);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    const char *reason;
    struct cli_result result = {0};
    struct cli_offline offline = {0};
    TRY(cli_require(call, "reason", &reason, error));
    if (cli_value(call, "despite-incidents") == NULL)
        TRY(judge_incidents(call, error));
    enum status status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK) {
        const struct never_place place = {.state_folder = offline.config->state_folder,
                                          .policy = offline.policy};
        status = erase(call, &place, reason, &result, error);
    }
    cli_offline_free(&offline);
    TRY(status);
    if (call->json)
        status = cli_print_result(call, &result, error);
    else
        printf("erased: number %s of the ledger leads to nobody any more\n",
               cli_cell(&result.table, result.table.first, "id"));
    table_free(&result.table);
    return status;
}

const struct cli_command verb_erase = {
    .arguments = "KIND KEY",
    .least = 2,
    .most = 2,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Forgets which person a number in the ledger stands for (GDPR Art. 17). The ledger's\n"
        "entries stay, and counts stay exact, but nobody can say any more who it was, nor tell\n"
        "the person of a breach. Case files, delivered files and backups that name the person\n"
        "are not touched. What is disclosed of the same key later is of a new number.\n"
        "Where ledger commit is in use, a mark stays that leads back to nobody: it keeps proofs "
        "of\n"
        "non-exposure from being false.",
    .examples = "erase customer 123456 --reason \"request 2026-118\"\n",
    .run = run,
};

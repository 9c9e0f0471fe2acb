/* cofferdam exposure declare: what a partner got outside the gateway. */
#include "cli/telling.h"
#include "cli/verbs.h"

#include <inttypes.h>

#include "admin/admin_client.h"

static const struct cli_option options[] = {
    {"partner", 'p', "PARTNER", "who got it (needed)"},
    {"columns", 0, "COLUMNS", "dataset.column[:masked|:token], by commas (needed)"},
    {"keys", 'k', "FILE",
     "whose data it was: a key a line, or a CSV with the key's column (needed)"},
    {"kind", 0, "KIND", "the kind of these people, where the policy has several"},
    {"at", 0, "TIME", "when it was handed over; default now"},
    {"reason", 'r', "TEXT", "how it is known; it is kept in the ledger (needed)"},
    {"purpose", 0, "TEXT", "what it was for"},
    {"by", 0, "WHO", "who tells it, beside the user's number"},
    {NULL, 0, NULL, NULL},
};

static enum status print(const struct cli_call *call, const struct telling *telling,
                         const struct telling_answer *answer, struct error *error)
{
    const char *partner = cli_value(call, "partner");
    if (call->json)
        return telling_print_json(partner, "known", true, answer, error);
    printf("declared: %s had data of %" PRIu64 " %s%s (ledger entry %" PRIu64 ")\n", partner,
           answer->subjects, telling->kind, answer->subjects == 1 ? "" : "s", answer->sequence);
    if (telling->keys.duplicates > 0)
        printf("%zu lines named somebody again\n", telling->keys.duplicates);
    if (answer->rest < answer->subjects)
        printf("%" PRIu64 " new to the ledger: look whether their keys are written as "
               "the database has them\n",
               answer->subjects - answer->rest);
    printf("an open incident of %s counts it from its next phase on: cofferdam incident scope N "
           "--new-phase --reason …\n",
           partner);
    return STATUS_OK;
}

static enum status send(struct cli_call *call, const struct telling *telling,
                        struct telling_answer *answer, struct error *error)
{
    char at[21];
    const char *partner, *columns, *reason;
    struct buffer head;
    TRY(cli_require(call, "partner", &partner, error));
    TRY(cli_require(call, "columns", &columns, error));
    TRY(cli_require(call, "reason", &reason, error));
    TRY(telling_instant(call, "at", at, error));
    buffer_init(&head, ADMIN_CLIENT_COMMAND_BYTES);
    buffer_append_text(&head, "DECLARE EXPORT");
    admin_client_clause(&head, "PARTNER", partner);
    admin_client_clause(&head, "COLUMNS", columns);
    admin_client_clause(&head, "AT", at);
    admin_client_clause(&head, "REASON", reason);
    admin_client_clause(&head, "PURPOSE", cli_value(call, "purpose"));
    admin_client_clause(&head, "BY", cli_value(call, "by"));
    enum status status = telling_send(call, &head, telling, "known", answer, error);
    buffer_free(&head);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct telling telling;
    struct telling_answer answer;
    enum status status = telling_read(call, &telling, error);
    if (status == STATUS_OK)
        status = send(call, &telling, &answer, error);
    if (status == STATUS_OK)
        status = print(call, &telling, &answer, error);
    telling_free(&telling);
    return status;
}

const struct cli_command verb_exposure_declare = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Records that a partner has had columns of these people by another way than the\n"
        "gateway: a file handed over, a delivery from before. From then on every answer about\n"
        "exposure counts it, as declared. The whole file is checked before anything is\n"
        "recorded; what is declared twice counts once. Nothing can be taken back.",
    .examples =
        "exposure declare --partner ringway --columns customer.full_name,customer.phone:masked \\\n"
        "    --keys handed-over.csv --at 2026-03-02 --reason \"delivery of March, by mail\"\n",
    .run = run,
};

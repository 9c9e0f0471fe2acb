/* cofferdam cert list: what a CA has issued, and what has become of it. */
#include "cli/admin.h"
#include "cli/certificate_file.h"
#include "cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "identity/authority.h"

enum { COMMAND_BYTES = 64, PATH_ROOM = 4096, STATE = 8 };

static const struct cli_option options[] = {
    {"ca", 0, "DIR", "folder of ca.crt and issued.csv (needed)"},
    {NULL, 0, NULL, NULL},
};

/* What has been revoked, as the gateway knows it; false where none answers. */
static bool ask_revoked(const struct cli_call *call, struct cli_result *revoked)
{
    struct cli_admin *admin = NULL;
    struct buffer command;
    struct error ignored;
    if (cli_admin_open(call, &admin, &ignored) != STATUS_OK)
        return false;
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "SHOW REVOKED");
    bool answered = cli_admin_ask(admin, &command, revoked, &ignored) == STATUS_OK;
    buffer_free(&command);
    cli_admin_close(admin);
    return answered;
}

static bool is_revoked(const struct table *revoked, const char *issuer, const char *serial)
{
    for (const struct table_row *row = revoked->first; row != NULL; row = row->next)
        if (strcmp(cli_cell(revoked, row, "issuer"), issuer) == 0 &&
            strcmp(cli_cell(revoked, row, "id"), serial) == 0)
            return true;
    return false;
}

/* revoked NULL: nobody was asked, so none is said to be valid. */
static const char *state_of(const struct table *issued, const struct table_row *row,
                            const char *issuer, const struct table *revoked)
{
    int64_t until_ns;
    struct error ignored;
    if (revoked != NULL && is_revoked(revoked, issuer, cli_cell(issued, row, "serial")))
        return "revoked";
    if (clock_parse(cli_cell(issued, row, "not_after"), &until_ns, &ignored) == STATUS_OK &&
        until_ns <= clock_now_ns())
        return "ended";
    return revoked == NULL ? "unknown" : "valid";
}

/* The same table with a column more. */
static void put_states(const struct table *issued, const char *issuer, const struct table *revoked,
                       struct table *out)
{
    const char *columns[STATE + 2] = {NULL};
    for (size_t i = 0; i < STATE; i++)
        columns[i] = issued->columns[i];
    columns[STATE] = "state";
    table_init(out, CLI_RESULT_BYTES, columns);
    for (const struct table_row *row = issued->first; row != NULL; row = row->next) {
        struct table_row *line = table_add(out);
        for (size_t i = 0; i < STATE; i++)
            table_set(out, line, i, "%s", row->cells[i] == NULL ? "" : row->cells[i]);
        table_set(out, line, STATE, "%s", state_of(issued, row, issuer, revoked));
    }
}

static enum status list(const struct cli_call *call, const struct table *issued, const char *issuer,
                        struct error *error)
{
    struct cli_result revoked = {0}, result = {0};
    bool asked = ask_revoked(call, &revoked);
    put_states(issued, issuer, asked ? &revoked.table : NULL, &result.table);
    enum status status = cli_print_result(call, &result, error);
    if (!asked && !call->json)
        fputs("no gateway answers that knows what has been revoked\n", stderr);
    table_free(&result.table);
    table_free(&revoked.table);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    const char *ca = NULL;
    char path[PATH_ROOM];
    struct table issued;
    struct description authority;
    TRY(cli_require(call, "ca", &ca, error));
    snprintf(path, sizeof path, "%s/ca.crt", ca);
    TRY(certificate_file(path, &authority, error));
    TRY(identity_issued_list(ca, &issued, error));
    enum status status = list(call, &issued, authority.own_name, error);
    table_free(&issued);
    return status;
}

const struct cli_command verb_cert_list = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Lists the certificates that a CA has issued, oldest first, out of its issued.csv. state "
        "is\n"
        "valid, ended, or revoked; unknown where no gateway answers that knows what is revoked.",
    .examples = "cert list --ca ca\n",
    .run = run,
};

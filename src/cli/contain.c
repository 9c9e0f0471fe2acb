/* Containing and restoring: one command, and how long the cut took, as the gateway measured it. The
 * same command contains when the gateway does not run. */
#include "cli/contain.h"

#include <stdio.h>
#include <string.h>

#include "cli/admin.h"

enum { COMMAND_BYTES = 65536 };

static void print_cut(const struct cli_result *result, const char *who)
{
    const struct table *table = &result->table;
    const struct table_row *row = table->first;
    const char *sessions = cli_cell(table, row, "sessions");
    const char *backends = cli_cell(table, row, "backends");
    bool cut = strcmp(cli_cell(table, row, "cut"), "no") != 0;
    if (cut)
        printf("%s contained: %s session%s ended in %s ms\n", who, sessions,
               strcmp(sessions, "1") == 0 ? "" : "s", cli_cell(table, row, "cut_ms"));
    else
        printf("%s contained, but after %s ms some of %s sessions still end\n", who,
               cli_cell(table, row, "cut_ms"), sessions);
    if (strcmp(backends, "0") != 0)
        printf("statements cancelled in the database: %s, by %s ms\n", backends,
               cli_cell(table, row, "upstream_ms"));
    if (strcmp(cli_cell(table, row, "closed_waiting"), "0") != 0)
        printf("requests, raises and deliveries that waited, closed: %s\n",
               cli_cell(table, row, "closed_waiting"));
    if (strcmp(cli_cell(table, row, "recorded"), "no") == 0)
        printf("not in the ledger yet: it is written there once the ledger takes it\n");
}

static void print_restored(const struct cli_result *result, const char *who)
{
    const struct table_row *row = result->table.first;
    if (row != NULL && strcmp(cli_cell(&result->table, row, "state"), "proposed") == 0)
        printf("%s stays contained: another user must restore it by the same command within "
               "7 days\n",
               who);
    else
        printf("%s is restored\n", who);
}

/* Containment is enforced first and stored second; an unstored one ends with the process. */
static enum status judge_stored(const struct table *table, struct error *error)
{
    const char *stored = table->first == NULL ? "" : cli_cell(table, table->first, "stored");
    if (stored[0] == '\0' || strcmp(stored, "yes") == 0)
        return STATUS_OK;
    return error_set(error, STATUS_IO, "58030",
                     "It is in force, and stored as soon as the disk allows it; a restart before "
                     "that forgets it.",
                     "not stored: %s", stored);
}

void contain_who(const struct contain_what *what, char who[static CONTAIN_NAME_ROOM + 8])
{
    snprintf(who, CONTAIN_NAME_ROOM + 8, "%s %s", what->name,
             what->partner[0] == '\0' ? "are" : "is");
}

static enum status print(const struct cli_call *call, const struct cli_result *result,
                         const char *act, const struct contain_what *what, struct error *error)
{
    const struct table *table = &result->table;
    char who[CONTAIN_NAME_ROOM + 8];
    contain_who(what, who);
    if (call->json)
        TRY(cli_print_result(call, result, error));
    else if (strcmp(act, "RESTORE") == 0)
        print_restored(result, what->name);
    else if (table->first != NULL)
        print_cut(result, who);
    return judge_stored(table, error);
}

/* As the CA's index, a browser or openssl shows a serial number: with colons, capitals, zeros. */
static enum status read_credential(struct cli_call *call, struct contain_what *what,
                                   struct error *error)
{
    const char *serial = cli_value(call, "certificate"), *token = cli_value(call, "token");
    const char *from = serial != NULL ? serial : token;
    size_t len = 0;
    if (serial != NULL && token != NULL)
        return cli_usage(call, error, "--certificate and --token are two things");
    for (; from != NULL && *from != '\0'; from++) {
        char c = *from >= 'A' && *from <= 'F' ? (char)(*from - 'A' + 'a') : *from;
        if ((c == ':' || (c == '0' && len == 0)) && serial != NULL)
            continue;
        if (strchr("0123456789abcdef", c) == NULL || len + 1 == sizeof what->credential)
            return cli_usage(call, error, "\"%.60s\" is no serial number and no token's id",
                             serial != NULL ? serial : token);
        what->credential[len++] = c;
    }
    if ((serial != NULL || token != NULL) && len == 0)
        return cli_usage(call, error, "a serial number or a token's id is empty");
    return STATUS_OK;
}

static enum status read_what(struct cli_call *call, bool contains, struct contain_what *what,
                             struct error *error)
{
    bool all = contains && cli_value(call, "all") != NULL;
    *what = (struct contain_what){.partner = ""};
    TRY(cli_require(call, "reason", &what->reason, error));
    if (all != (call->argument_count == 0))
        return cli_usage(call, error, all ? "--all names nobody else" : "whom? Write PARTNER");
    TRY(read_credential(call, what, error));
    if (all && what->credential[0] != '\0')
        return cli_usage(call, error, "--all contains whole partners");
    if (!all)
        TRY(cli_split_agent(call, call->arguments[0], what->partner, what->agent, error));
    const char *kind = cli_value(call, "token") != NULL ? "token" : "certificate";
    snprintf(what->name, sizeof what->name, "%s%s%s%s", what->credential[0] == '\0' ? "" : kind,
             what->credential[0] == '\0' ? "" : " ", what->credential,
             what->credential[0] == '\0' ? "" : " of ");
    size_t len = strlen(what->name);
    snprintf(what->name + len, sizeof what->name - len, "%s",
             all ? "all partners" : call->arguments[0]);
    return STATUS_OK;
}

/* What else of the partner is contained goes on being so: with the command that would restore it.
 */
static enum status tell_rest(struct cli_admin *admin, const struct contain_what *what,
                             struct error *error)
{
    struct cli_result result = {0};
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "SHOW CONTAINMENT");
    enum status status = cli_admin_ask(admin, &command, &result, error);
    const struct table *table = &result.table;
    for (const struct table_row *row = table->first; status == STATUS_OK && row != NULL;
         row = row->next) {
        const char *agent = cli_cell(table, row, "agent"), *id = cli_cell(table, row, "credential");
        if (strcmp(cli_cell(table, row, "partner"), what->partner) != 0)
            continue;
        printf("still contained: cofferdam partner restore %s%s%s%s%s --reason ...\n",
               what->partner, agent[0] == '\0' ? "" : "/", agent,
               id[0] == '\0'  ? ""
               : id[0] == '0' ? " --token " /* no serial number is kept with a zero first */
                              : " --certificate ",
               id);
    }
    table_free(&result.table);
    buffer_free(&command);
    return status;
}

static enum status ask(struct cli_call *call, const char *act, const struct contain_what *what,
                       struct cli_admin *admin, struct error *error)
{
    struct cli_result result = {0};
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, act);
    if (what->partner[0] == '\0')
        buffer_append_text(&command, " ALL");
    else
        cli_admin_clause(&command, "PARTNER", what->partner);
    cli_admin_clause(&command, "AGENT", what->agent[0] == '\0' ? NULL : what->agent);
    cli_admin_clause(&command, "CREDENTIAL", what->credential[0] == '\0' ? NULL : what->credential);
    cli_admin_clause(&command, "REASON", what->reason);
    enum status status = cli_admin_ask(admin, &command, &result, error);
    if (status == STATUS_OK)
        status = print(call, &result, act, what, error);
    if (status == STATUS_OK && !call->json && result.table.first != NULL &&
        strcmp(cli_cell(&result.table, result.table.first, "state"), "active") == 0)
        status = tell_rest(admin, what, error);
    table_free(&result.table);
    buffer_free(&command);
    return status;
}

enum status cli_contain(struct cli_call *call, const char *act, struct error *error)
{
    bool contains = strcmp(act, "CONTAIN") == 0;
    struct contain_what what;
    struct cli_admin *admin = NULL;
    struct error away;
    TRY(read_what(call, contains, &what, error));
    enum status status = (contains ? cli_admin_open_urgent : cli_admin_open)(call, &admin, error);
    if (status != STATUS_OK && contains && contain_is_stopped(call)) {
        TRY(contain_stopped(call, &what, error));
        /* It may have started meanwhile, and have read the registry too early. */
        if (cli_admin_open_urgent(call, &admin, &away) != STATUS_OK)
            return STATUS_OK;
        status = STATUS_OK;
    }
    TRY(status);
    status = ask(call, act, &what, admin, error);
    cli_admin_close(admin);
    return status;
}

/* cofferdam cert revoke: one certificate, never accepted again; its sessions end now. */
#include "cli/verbs.h"

#include <string.h>

#include "base/file.h"
#include "cli/admin.h"
#include "cli/certificate_file.h"
#include "cli/contain.h"
#include "crypto/crypto.h"
#include "identity/authority.h"
#include "policy/config.h"

enum { COMMAND_BYTES = 65536, PATH_ROOM = 4096 };

static const struct cli_option options[] = {
    {"reason", 'r', "TEXT", "why; it is kept in the ledger (needed)"},
    {"ca", 0, "DIR|FILE",
     "who issued it, where a serial is given; default listen.client_ca. DIR with issued.csv: tells "
     "what it was renewed to"},
    {"descendants", 0, NULL,
     "revoke what it was renewed to, too, and what that was; wants --ca DIR"},
    {NULL, 0, NULL, NULL},
};

/* As a credential's id is written: lower case, without separators and leading zeros. "" if it is no
 * serial number. */
static void normalise(const char *text, char id[static CREDENTIAL_ID_ROOM])
{
    size_t len = 0;
    id[0] = '\0';
    for (const char *at = text; *at != '\0'; at++) {
        char digit = *at >= 'A' && *at <= 'F' ? (char)(*at - 'A' + 'a') : *at;
        if (digit == ':' || (digit == '0' && len == 0))
            continue;
        if (strchr("0123456789abcdef", digit) == NULL || len + 1 == CREDENTIAL_ID_ROOM) {
            id[0] = '\0';
            return;
        }
        id[len++] = digit;
        id[len] = '\0';
    }
}

/* The one authority in this file: a bundle of several cannot say whose serial it is. */
static enum status issuer_in(const char *path, char issuer[static 65], struct error *error)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    struct description authority;
    struct buffer bytes;
    buffer_init(&bytes, 1024 * 1024);
    enum status status = file_read(path, &bytes, error);
    const char *text = status == STATUS_OK ? buffer_text(&bytes) : NULL;
    const char *first = text == NULL ? NULL : strstr(text, begin);
    bool several = first != NULL && strstr(first + 1, begin) != NULL;
    if (status == STATUS_OK)
        status = identity_describe(buffer_slice(&bytes), &authority, error);
    buffer_free(&bytes);
    TRY(status);
    if (several)
        return error_set(error, STATUS_INVALID, "22023",
                         "give the certificate's file, or --ca with its issuer's certificate",
                         "%s has several authorities, and serials are each one's own", path);
    memcpy(issuer, authority.own_name, sizeof authority.own_name);
    return STATUS_OK;
}

static enum status find_issuer(struct cli_call *call, char issuer[static 65], struct error *error)
{
    const char *ca = cli_value(call, "ca");
    char path[PATH_ROOM];
    if (ca != NULL) {
        snprintf(path, sizeof path, "%s/ca.crt", ca);
        return issuer_in(file_exists(path) ? path : ca, issuer, error);
    }
    struct config *config = NULL;
    TRY(config_load(call->config_path, &config, error));
    enum status status = config->listen.client_ca == NULL
                             ? cli_usage(call, error, "--ca is needed: who issued this serial?")
                             : issuer_in(config->listen.client_ca, issuer, error);
    config_free(config);
    return status;
}

static enum status find_name(struct cli_call *call, char id[static CREDENTIAL_ID_ROOM],
                             char issuer[static 65], struct error *error)
{
    const char *what = call->arguments[0];
    normalise(what, id);
    if (!file_exists(what) && id[0] != '\0')
        return find_issuer(call, issuer, error);
    struct description certificate;
    if (!file_exists(what))
        return error_set(error, STATUS_NOT_FOUND, "58P01",
                         "give a serial number as cofferdam cert list prints it, or a certificate",
                         "%.200s is no file, and no serial number in hexadecimal", what);
    TRY(certificate_file(what, &certificate, error));
    memcpy(id, certificate.credential.id, CREDENTIAL_ID_ROOM);
    crypto_hex(certificate.credential.issuer, sizeof certificate.credential.issuer, issuer);
    return STATUS_OK;
}

/* The issued.csv of the CA's folder. Where there is none, nobody knows. */
static bool read_issued(struct cli_call *call, struct table *issued)
{
    struct error ignored;
    const char *ca = cli_value(call, "ca");
    return ca != NULL && identity_issued_list(ca, issued, &ignored) == STATUS_OK;
}

static const struct table_row *row_where(const struct table *issued, const char *column,
                                         const char *id)
{
    for (const struct table_row *row = issued->first; row != NULL; row = row->next)
        if (strcmp(cli_cell(issued, row, column), id) == 0)
            return row;
    return NULL;
}

static bool was_issued(struct cli_call *call, const char *id)
{
    struct table issued;
    if (!read_issued(call, &issued))
        return false;
    bool found = row_where(&issued, "serial", id) != NULL;
    table_free(&issued);
    return found;
}

/* What the certificate was renewed to: one at most; false where it was not. */
static bool find_renewal(struct cli_call *call, const char *id,
                         char next[static CREDENTIAL_ID_ROOM])
{
    struct table issued;
    if (!read_issued(call, &issued))
        return false;
    const struct table_row *row = row_where(&issued, "renews", id);
    if (row != NULL)
        snprintf(next, CREDENTIAL_ID_ROOM, "%s", cli_cell(&issued, row, "serial"));
    table_free(&issued);
    return row != NULL;
}

/* The line from there on, with blanks between; "" where there is none. */
static void list_renewals(struct cli_call *call, const char *id, struct buffer *out)
{
    struct table issued;
    if (read_issued(call, &issued)) {
        for (const struct table_row *row = row_where(&issued, "renews", id); row != NULL;
             row = row_where(&issued, "renews", cli_cell(&issued, row, "serial")))
            buffer_printf(out, "%s%s", out->len == 0 ? "" : " ", cli_cell(&issued, row, "serial"));
        table_free(&issued);
    }
}

/* A serial that was mistyped is revoked without complaint, and the one that was meant works on. */
static void warn_of_stranger(struct cli_call *call, const struct cli_result *result, const char *id)
{
    const struct table *table = &result->table;
    if (table->first == NULL || strcmp(cli_cell(table, table->first, "sessions"), "0") != 0 ||
        strcmp(cli_cell(table, table->first, "already"), "yes") == 0 ||
        file_exists(call->arguments[0]) || was_issued(call, id))
        return;
    fprintf(stderr,
            "cofferdam cert revoke: warning: no session has this serial, and no issued.csv of --ca "
            "names it: %s\nhint: compare it with `cofferdam cert show FILE`; `cofferdam partner "
            "contain` cuts an agent off whatever its certificate\n",
            id);
}

static void print_cut(const struct table *table, const struct table_row *row)
{
    const char *sessions = cli_cell(table, row, "sessions");
    bool already = strcmp(cli_cell(table, row, "already"), "yes") == 0;
    printf("%s %s revoked%s: %s session%s ended in %s ms\n", cli_cell(table, row, "credential_id"),
           already ? "had been" : "is", already ? " before" : "", sessions,
           strcmp(sessions, "1") == 0 ? "" : "s", cli_cell(table, row, "cut_ms"));
}

/* Whoever had the key may have renewed the certificate before it was revoked. */
static void warn_of_renewals(const char *id, const char *renewals)
{
    fprintf(stderr,
            "cofferdam cert revoke: warning: %s was renewed, and what it was renewed to goes on: "
            "%s\nhint: where its key was stolen, the thief may have renewed it: --descendants\n",
            id, renewals);
}

/* ---- one after the other ---- */

struct revoking {
    struct cli_call *call;
    struct cli_admin *admin;
    const char *issuer, *reason;
    struct cli_result told; /* what the gateway said of each, and what it was renewed to */
    const char *unstored;   /* why not, of the last that was not; borrowed from told; or NULL */
};

/* The gateway's columns, and one more. */
static void begin_telling(struct cli_result *told, const struct table *answer)
{
    const char *columns[TABLE_MAX_COLUMNS + 1] = {NULL};
    for (size_t i = 0; i < answer->column_count && i + 1 < TABLE_MAX_COLUMNS; i++)
        columns[i] = answer->columns[i];
    columns[answer->column_count] = "renewals";
    table_init(&told->table, COMMAND_BYTES, columns);
    cli_result_kinds(told);
}

static void tell(struct revoking *revoking, const struct cli_result *result, const char *renewals)
{
    const struct table *table = &result->table;
    struct table *told = &revoking->told.table;
    const struct table_row *from = table->first;
    if (told->column_count == 0)
        begin_telling(&revoking->told, table);
    struct table_row *row = from == NULL ? NULL : table_add(told);
    for (size_t i = 0; row != NULL && i + 1 < told->column_count; i++)
        table_set(told, row, i, "%s", cli_cell(table, from, told->columns[i]));
    table_set(told, row, told->column_count - 1, "%s", renewals);
    if (row != NULL && strcmp(cli_cell(told, row, "stored"), "yes") != 0)
        revoking->unstored = cli_cell(told, row, "stored");
    if (row != NULL && !revoking->call->json)
        print_cut(told, row);
}

static enum status revoke(struct revoking *revoking, const char *id, struct error *error)
{
    struct cli_result result = {0};
    struct buffer command, renewals;
    buffer_init(&command, COMMAND_BYTES);
    buffer_init(&renewals, COMMAND_BYTES);
    buffer_append_text(&command, "REVOKE");
    cli_admin_clause(&command, "CREDENTIAL", id);
    cli_admin_clause(&command, "ISSUER", revoking->issuer);
    cli_admin_clause(&command, "REASON", revoking->reason);
    enum status status = cli_admin_ask(revoking->admin, &command, &result, error);
    if (status == STATUS_OK) {
        bool all = cli_value(revoking->call, "descendants") != NULL;
        list_renewals(revoking->call, id, &renewals);
        const char *text = renewals.len == 0 ? "" : buffer_text(&renewals);
        warn_of_stranger(revoking->call, &result, id);
        tell(revoking, &result, text == NULL ? "" : text);
        if (renewals.len > 0 && !all)
            warn_of_renewals(id, text);
    }
    table_free(&result.table);
    buffer_free(&renewals);
    buffer_free(&command);
    return status;
}

/* From the oldest on: what is revoked is renewed no more, so the line has an end. */
static enum status revoke_line(struct revoking *revoking, const char *first, struct error *error)
{
    char id[CREDENTIAL_ID_ROOM];
    snprintf(id, sizeof id, "%s", first);
    do
        TRY(revoke(revoking, id, error));
    while (cli_value(revoking->call, "descendants") != NULL &&
           find_renewal(revoking->call, id, id));
    return STATUS_OK;
}

/* It is enforced first and stored second: what is not stored yet, a restart forgets. */
static enum status print(const struct revoking *revoking, struct error *error)
{
    if (revoking->call->json)
        TRY(cli_print_result(revoking->call, &revoking->told, error));
    if (revoking->unstored == NULL)
        return STATUS_OK;
    return error_set(error, STATUS_IO, "58030",
                     "It is in force, and stored as soon as the disk allows it; a restart before "
                     "that forgets it.",
                     "not stored: %s", revoking->unstored);
}

static enum status check_line(struct cli_call *call, struct error *error)
{
    struct table issued;
    if (cli_value(call, "descendants") == NULL)
        return STATUS_OK;
    if (!read_issued(call, &issued))
        return cli_usage(call, error, "--descendants wants --ca DIR, with the CA's issued.csv");
    table_free(&issued);
    return STATUS_OK;
}

static enum status run(struct cli_call *call, struct error *error)
{
    char id[CREDENTIAL_ID_ROOM], issuer[65];
    struct revoking revoking = {.call = call, .issuer = issuer};
    TRY(cli_require(call, "reason", &revoking.reason, error));
    TRY(check_line(call, error));
    TRY(find_name(call, id, issuer, error));
    enum status status = cli_admin_open_urgent(call, &revoking.admin, error);
    if (status != STATUS_OK && contain_is_stopped(call))
        snprintf(error->hint, sizeof error->hint,
                 "cofferdam partner contain PARTNER --certificate %.40s works without the gateway",
                 id);
    TRY(status);
    status = revoke_line(&revoking, id, error);
    if (status == STATUS_OK)
        status = print(&revoking, error);
    table_free(&revoking.told.table);
    cli_admin_close(revoking.admin);
    return status;
}

const struct cli_command verb_cert_revoke = {
    .arguments = "SERIAL|FILE",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Revokes one certificate for good: sessions that rest on it end now, and it is "
        "refused from\n"
        "now on, over restarts too. The agent's other certificates go on working: those that\n"
        "it was renewed to are named, or revoked with it (--descendants).\n"
        "A token ends by itself within a day at most, and its provider issues no other to whom\n"
        "it has cut off: until then `partner contain PARTNER/AGENT --token ID` refuses it. A\n"
        "password ends when `agent passwd` sets another.",
    .examples = "cert revoke north-mail/client.crt --reason \"laptop lost\"\n"
                "cert revoke 5f3a90c1 --ca ca --descendants --reason \"laptop lost\"\n",
    .run = run,
};

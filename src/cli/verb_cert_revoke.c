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
    {"ca", 0, "DIR|FILE", "who issued it, where a serial is given; default listen.client_ca"},
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

/* Is it in the issued.csv of the CA's folder? Where there is none, nobody knows. */
static bool was_issued(struct cli_call *call, const char *id)
{
    struct table table;
    struct error ignored;
    const char *ca = cli_value(call, "ca");
    bool found = false;
    if (ca == NULL || identity_issued_list(ca, &table, &ignored) != STATUS_OK)
        return false;
    for (const struct table_row *row = table.first; row != NULL && !found; row = row->next)
        found = strcmp(cli_cell(&table, row, "serial"), id) == 0;
    table_free(&table);
    return found;
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

/* It is enforced first and stored second; what is not stored ends with the process. */
static enum status print(const struct cli_call *call, const struct cli_result *result,
                         struct error *error)
{
    const struct table *table = &result->table;
    const char *stored = table->first == NULL ? "" : cli_cell(table, table->first, "stored");
    if (call->json)
        TRY(cli_print_result(call, result, error));
    else if (table->first != NULL)
        print_cut(table, table->first);
    if (strcmp(stored, "yes") == 0)
        return STATUS_OK;
    return error_set(error, STATUS_IO, "58030",
                     "It is in force, but will not survive a restart of the gateway.",
                     "not stored: %s", stored);
}

static enum status run(struct cli_call *call, struct error *error)
{
    char id[CREDENTIAL_ID_ROOM], issuer[65];
    const char *reason = NULL;
    TRY(cli_require(call, "reason", &reason, error));
    TRY(find_name(call, id, issuer, error));
    struct cli_admin *admin = NULL;
    enum status status = cli_admin_open_urgent(call, &admin, error);
    if (status != STATUS_OK && contain_is_stopped(call))
        snprintf(error->hint, sizeof error->hint,
                 "cofferdam partner contain PARTNER --certificate %.40s works without the gateway",
                 id);
    TRY(status);
    struct cli_result result = {0};
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "REVOKE");
    cli_admin_clause(&command, "CREDENTIAL", id);
    cli_admin_clause(&command, "ISSUER", issuer);
    cli_admin_clause(&command, "REASON", reason);
    status = cli_admin_ask(admin, &command, &result, error);
    if (status == STATUS_OK) {
        warn_of_stranger(call, &result, id);
        status = print(call, &result, error);
    }
    table_free(&result.table);
    buffer_free(&command);
    cli_admin_close(admin);
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
        "now on, over restarts too. The agent's other certificates go on working.\n"
        "A token ends by itself within a day at most, and its provider issues no other to whom\n"
        "it has cut off: until then `partner contain PARTNER/AGENT --token ID` refuses it. A\n"
        "password ends when `agent passwd` sets another.",
    .examples = "cert revoke north-mail/client.crt --reason \"laptop lost\"\n"
                "cert revoke 5f3a90c1 --ca ca --reason \"laptop lost\"\n",
    .run = run,
};

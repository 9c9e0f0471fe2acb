/* cofferdam cert crl: what has been revoked of a CA's certificates, signed by it, for others. */
#include "cli/issue.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/admin.h"
#include "crypto/crypto.h"

enum { DEFAULT_DAYS = 7, MOST_DAYS = 90, DAY_SECONDS = 86400, CRL_BYTES = 64 * 1024 * 1024 };

static const struct cli_option options[] = {
    {"ca", 0, "DIR", "folder of ca.crt and ca.key (needed)"},
    {"out", 'o', "FILE", "where the CRL goes, as PEM (needed)"},
    {"days", 0, "N", "until when the next one will be there, default 7"},
    ISSUE_PASSPHRASE_OPTION,
    {NULL, 0, NULL, NULL},
};

/* The rows that are this CA's. *revoked borrows from the table; the caller frees the array. */
static enum status pick(const struct table *table, const struct identity_ca *ca,
                        struct identity_revoked **revoked, size_t *count, struct error *error)
{
    uint8_t name[CRYPTO_SHA256_BYTES];
    char issuer[2 * CRYPTO_SHA256_BYTES + 1];
    identity_ca_name(ca, name);
    crypto_hex(name, sizeof name, issuer);
    struct identity_revoked *picked = calloc(table->row_count + 1, sizeof *picked);
    if (picked == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    *count = 0;
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        if (strcmp(cli_cell(table, row, "issuer"), issuer) != 0)
            continue;
        picked[*count].id = cli_cell(table, row, "id");
        if (clock_parse(cli_cell(table, row, "since"), &picked[*count].since_ns, error) !=
            STATUS_OK) {
            free(picked);
            return STATUS_INVALID;
        }
        (*count)++;
    }
    *revoked = picked;
    return STATUS_OK;
}

/* Numbered by the clock, in seconds: a later CRL has a higher number whoever makes it. */
static enum status write_crl(const struct identity_ca *ca, const struct table *table,
                             const char *path, int64_t days, size_t *count, struct error *error)
{
    int64_t now_ns = clock_now_ns();
    struct identity_revoked *revoked = NULL;
    struct buffer pem;
    TRY(pick(table, ca, &revoked, count, error));
    buffer_init(&pem, CRL_BYTES);
    enum status status =
        identity_ca_crl(ca, revoked, *count, (uint64_t)(now_ns / INT64_C(1000000000)), now_ns,
                        days * DAY_SECONDS, &pem, error);
    if (status == STATUS_OK)
        status = file_replace(path, buffer_slice(&pem), 0644, error);
    buffer_free(&pem);
    free(revoked);
    return status;
}

static enum status ask_revoked(const struct cli_call *call, struct cli_result *result,
                               struct error *error)
{
    struct cli_admin *admin = NULL;
    struct buffer command;
    TRY(cli_admin_open(call, &admin, error));
    buffer_init(&command, 64);
    buffer_append_text(&command, "SHOW REVOKED");
    enum status status = cli_admin_ask(admin, &command, result, error);
    buffer_free(&command);
    cli_admin_close(admin);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    const char *folder = NULL, *path = NULL;
    uint64_t days = 0;
    size_t count = 0;
    struct cli_result result = {0};
    struct identity_ca *ca = NULL;
    TRY(cli_require(call, "ca", &folder, error));
    TRY(cli_require(call, "out", &path, error));
    TRY(cli_number(call, "days", 1, MOST_DAYS, DEFAULT_DAYS, &days, error));
    TRY(ask_revoked(call, &result, error));
    enum status status = issue_open_ca(call, folder, &ca, error);
    if (status == STATUS_OK)
        status = write_crl(ca, &result.table, path, (int64_t)days, &count, error);
    if (status == STATUS_OK)
        fprintf(stderr, "wrote %s: %zu revoked, the next one within %llu days\n", path, count,
                (unsigned long long)days);
    identity_ca_close(ca);
    table_free(&result.table);
    return status;
}

const struct cli_command verb_cert_crl = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN,
    .options = options,
    .description = "Writes a CRL (RFC 5280) of the certificates of this CA that have been revoked, "
                   "for others\n"
                   "who trust it. The gateway itself needs none.",
    .examples = "cert crl --ca ca --out /srv/www/partners.crl --days 7\n",
    .run = run,
};

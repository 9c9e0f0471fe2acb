/* cofferdam partner kit: a folder to hand to the other side, over a safe way. */
#include "cli/verbs.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/issue.h"
#include "cli/kit.h"
#include "cli/offline.h"
#include "cli/secret.h"
#include "crypto/crypto.h"
#include "identity/identity.h"

enum { MOST_DAYS = 397, TEXT_BYTES = 1024 * 1024, HOST_ROOM = 256 };

static const struct cli_option options[] = {
    {"out", 'o', "DIR", "folder to make (needed)"},
    {"ca", 0, "DIR", "folder of ca.crt and ca.key: issues a client certificate"},
    {"server-ca", 0, "FILE",
     "CA of the gateway's certificate, default DIR/ca.crt or listen.client_ca"},
    {"host", 0, "NAME", "the gateway's name to the outside, default as it listens"},
    {"port", 0, "N", "the gateway's port to the outside, default as it listens"},
    {"days", 0, "N", "how long the certificate is valid, default 30"},
    ISSUE_PASSPHRASE_OPTION,
    {NULL, 0, NULL, NULL},
};

/* An address that a partner could connect to: the one listened on, if it is one. */
static enum status choose_host(struct cli_call *call, const struct config *config,
                               char host[static HOST_ROOM], struct error *error)
{
    const char *given = cli_value(call, "host"), *address = config->listen.address;
    if (given == NULL && (strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0 ||
                          strcmp(address, "*") == 0))
        return cli_usage(call, error,
                         "--host is needed: the gateway listens on every address of its machine");
    snprintf(host, HOST_ROOM, "%s", given != NULL ? given : address);
    return STATUS_OK;
}

/* Copies the certificate that proves the gateway. */
static enum status write_ca(struct cli_call *call, const struct config *config, const char *folder,
                            struct buffer *pem, struct error *error)
{
    char beside[PATH_MAX];
    const char *path = cli_value(call, "server-ca"), *ca = cli_value(call, "ca");
    if (path == NULL && ca != NULL) {
        snprintf(beside, sizeof beside, "%s/ca.crt", ca);
        path = beside;
    } else if (path == NULL) {
        path = config->listen.client_ca;
    }
    if (path == NULL)
        return cli_usage(call, error, "--server-ca or --ca is needed for ca.crt");
    TRY(file_read(path, pem, error));
    return issue_file(folder, "ca.crt", buffer_slice(pem), 0644, error);
}

static enum status write_p12(const struct issued *issued, const struct buffer *ca,
                             const char *folder, struct error *error)
{
    char passphrase[SECRET_MADE_ROOM];
    struct buffer p12;
    buffer_init(&p12, ISSUE_PEM_BYTES);
    secret_make(passphrase);
    /* The JDBC driver looks for the alias "user". */
    enum status status =
        identity_pkcs12(buffer_slice(&issued->certificate), buffer_slice(&issued->key),
                        buffer_slice(ca), slice_of_text(passphrase), "user", &p12, error);
    if (status == STATUS_OK)
        status = issue_file(folder, "client.p12", buffer_slice(&p12), 0600, error);
    if (status == STATUS_OK) {
        passphrase[SECRET_MADE_ROOM - 1] = '\n'; /* in place of the terminator */
        status = issue_file(folder, "client.p12.pass", slice_of(passphrase, sizeof passphrase),
                            0600, error);
    }
    crypto_wipe(passphrase, sizeof passphrase);
    buffer_free(&p12);
    return status;
}

/* The agent's certificate, if it uses one and a CA was given. */
static enum status write_certificate(struct cli_call *call, struct kit *kit, const char *folder,
                                     int days, const struct buffer *ca_pem, struct error *error)
{
    const char *ca = cli_value(call, "ca");
    if (kit->agent->certificate == NULL || ca == NULL)
        return STATUS_OK;
    struct issued issued;
    struct identity_ca *authority = NULL;
    struct issue_wish wish = {.login = kit->agent->login,
                              .identity = kit->agent->certificate,
                              .lifetime_ns = days * ISSUE_DAY_NS};
    issued_init(&issued);
    enum status status = issue_open_ca(call, ca, &authority, error);
    if (status == STATUS_OK)
        status = issue_client(authority, &wish, &issued, error);
    if (status == STATUS_OK)
        status = issued_write(&issued, folder, "client", error);
    if (status == STATUS_OK)
        status = write_p12(&issued, ca_pem, folder, error);
    if (status == STATUS_OK) {
        struct identity_leaf lifetime;
        issue_lifetime(days * ISSUE_DAY_NS, &lifetime);
        issue_warn_renewal(kit->agent, wish.lifetime_ns);
        kit->has_certificate = true;
        kit->expires_ns = lifetime.not_after_ns;
    }
    issued_free(&issued);
    identity_ca_close(authority);
    return status;
}

static enum status write_text(void (*make)(const struct kit *kit, struct buffer *out),
                              const struct kit *kit, const char *folder, const char *name,
                              struct error *error)
{
    struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    make(kit, &text);
    enum status status = text.overflowed
                             ? error_set(error, STATUS_LIMIT, "54000", NULL, "%s is too long", name)
                             : issue_file(folder, name, buffer_slice(&text), 0644, error);
    buffer_free(&text);
    return status;
}

/* What renews the certificate, where the policy allows that. */
static enum status write_renew(const struct config *config, const struct kit *kit,
                               const char *folder, struct error *error)
{
    char path[PATH_MAX];
    struct buffer text;
    if (kit->agent->certificate == NULL || kit->agent->renewal_ns == 0)
        return STATUS_OK;
    snprintf(path, sizeof path, "%s/kit/renew", config->data_folder);
    buffer_init(&text, TEXT_BYTES);
    enum status status = file_read(path, &text, error);
    if (status == STATUS_OK)
        status = issue_file(folder, "renew", buffer_slice(&text), 0755, error);
    buffer_free(&text);
    return status;
}

static enum status write_kit(struct cli_call *call, const struct cli_offline *offline,
                             struct kit *kit, const char *folder, struct error *error)
{
    uint64_t days = 0, port = 0;
    char host[HOST_ROOM];
    TRY(cli_number(call, "days", 1, MOST_DAYS, ISSUE_DEFAULT_CLIENT_DAYS, &days, error));
    TRY(cli_number(call, "port", 1, UINT16_MAX, offline->config->listen.port, &port, error));
    TRY(choose_host(call, offline->config, host, error));
    kit->host = host;
    kit->port = (uint16_t)port;
    kit->database = offline->config->upstream.database;
    TRY(file_make_folder(folder, 0700, error));
    struct buffer ca;
    buffer_init(&ca, ISSUE_PEM_BYTES);
    enum status status = write_ca(call, offline->config, folder, &ca, error);
    if (status == STATUS_OK)
        status = write_certificate(call, kit, folder, (int)days, &ca, error);
    buffer_free(&ca);
    TRY(status);
    TRY(write_renew(offline->config, kit, folder, error));
    TRY(write_text(kit_service, kit, folder, "pg_service.conf", error));
    return write_text(kit_readme, kit, folder, "README.txt", error);
}

static void tell(const struct cli_call *call, const struct kit *kit, const char *folder)
{
    fprintf(stderr, "%s: the kit is in %s\n", kit->agent->login, folder);
    if (kit->has_certificate)
        fputs("Hand it over in a safe way: client.key and client.p12 are secrets.\n", stderr);
    else if (kit->agent->certificate != NULL)
        fprintf(stderr, "It has no certificate, since no --ca was given: theirs must say %s.\n",
                kit->agent->certificate);
    if (kit->agent->scram_file != NULL)
        fprintf(stderr, "Hand the password over by another way (cofferdam agent passwd %s).\n",
                call->arguments[0]);
}

static enum status run(struct cli_call *call, struct error *error)
{
    const char *folder = NULL;
    TRY(cli_require(call, "out", &folder, error));
    struct cli_offline offline = {0};
    struct kit kit = {0};
    enum status status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK)
        status =
            cli_find_agent(offline.policy, call->arguments[0], &kit.partner, &kit.agent, error);
    kit.policy = offline.policy;
    if (status == STATUS_OK)
        status = write_kit(call, &offline, &kit, folder, error);
    if (status == STATUS_OK)
        tell(call, &kit, folder);
    cli_offline_free(&offline);
    return status;
}

const struct cli_command verb_partner_kit = {
    .arguments = "PARTNER/AGENT",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG,
    .options = options,
    .description =
        "Makes a folder with all that an agent's side needs: the CA, a client certificate as\n"
        "PEM and PKCS#12, a libpq service file, a script that renews the certificate where the\n"
        "policy lets it, and a README with what it can see, its limits, SQLSTATEs and examples\n"
        "for psql, Python, Java and JavaScript.",
    .examples = "partner kit north-mail/sync --ca ca --host data.meridian.example --out kit\n"
                "partner kit north-mail/job --server-ca ca/ca.crt --host 192.0.2.7 --out kit\n",
    .run = run,
};

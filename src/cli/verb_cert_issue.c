/* cofferdam cert issue: a certificate that proves an agent, as the policy says it must. */
#include "cli/issue.h"
#include "cli/json.h"
#include "cli/verbs.h"

#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/admin.h"
#include "cli/offline.h"
#include "crypto/crypto.h"

enum { MOST_DAYS = 397, REQUEST_BYTES = 64 * 1024 };

static const struct cli_option options[] = {
    {"ca", 0, "DIR", "folder of ca.crt and ca.key (needed)"},
    {"agent", 'a', "P/A", "agent of the policy (needed)"},
    {"out", 'o', "DIR", "where client.crt and client.key go (needed)"},
    {"ttl", 0, "TIME", "how long it is valid: 30m, 24h, 14d; 5m to 397d, default 30d"},
    {"days", 0, "N", "the same in days"},
    {"csr", 0, "FILE", "certify the key of this request: the agent's own never leaves it"},
    {"key-type", 0, "KIND", "of the key that is made: p256 (the default) or ed25519"},
    ISSUE_PASSPHRASE_OPTION,
    {NULL, 0, NULL, NULL},
};

static enum status read_lifetime(struct cli_call *call, int64_t *lifetime_ns, struct error *error)
{
    const char *text = cli_value(call, "ttl");
    uint64_t number = 0;
    if (text == NULL) {
        TRY(cli_number(call, "days", 1, MOST_DAYS, ISSUE_DEFAULT_CLIENT_DAYS, &number, error));
        *lifetime_ns = (int64_t)number * ISSUE_DAY_NS;
        return STATUS_OK;
    }
    if (cli_value(call, "days") != NULL)
        return cli_usage(call, error, "--ttl and --days exclude each other");
    return issue_duration(call, "ttl", MOST_DAYS, lifetime_ns, error);
}

/* ---- the ledger's act, where a gateway runs ---- */

static enum status ask_to_record(const struct cli_call *call, const struct policy_agent *agent,
                                 const struct description *made, struct error *error)
{
    char issuer[65], until[21];
    struct cli_admin *admin = NULL;
    struct cli_result result = {0};
    struct buffer command;
    TRY(cli_admin_open(call, &admin, error));
    crypto_hex(made->credential.issuer, sizeof made->credential.issuer, issuer);
    clock_format_utc(made->credential.expires_ns, until);
    buffer_init(&command, 8192);
    buffer_append_text(&command, "RECORD ISSUED");
    cli_admin_clause(&command, "AGENT", agent->login);
    cli_admin_clause(&command, "CREDENTIAL", made->credential.id);
    cli_admin_clause(&command, "ISSUER", issuer);
    cli_admin_clause(&command, "UNTIL", until);
    cli_admin_clause(&command, "FINGERPRINT", made->fingerprint);
    enum status status = cli_admin_ask(admin, &command, &result, error);
    table_free(&result.table);
    buffer_free(&command);
    cli_admin_close(admin);
    return status;
}

/* The certificate is made and stands in issued.csv: that no gateway runs here is no failure. */
static void record(const struct cli_call *call, const struct cli_offline *offline,
                   const struct policy_agent *agent, const struct description *made)
{
    char socket[PATH_MAX];
    struct error error;
    const char *folder =
        call->admin_folder != NULL ? call->admin_folder : offline->config->run_folder;
    snprintf(socket, sizeof socket, "%s/.s.PGSQL.%u", folder, offline->config->admin.port);
    if (!file_exists(socket))
        fputs("no gateway runs here: the ledger does not have it, issued.csv does\n", stderr);
    else if (ask_to_record(call, agent, made, &error) != STATUS_OK)
        fprintf(stderr, "the ledger does not have it, issued.csv does: %s\n", error.message);
}

/* ---- issuing ---- */

static enum status issue(const struct cli_call *call, const struct issue_wish *wish,
                         struct description *made, struct error *error)
{
    struct issued issued;
    struct identity_ca *ca = NULL;
    issued_init(&issued);
    enum status status = issue_open_ca(call, cli_value(call, "ca"), &ca, error);
    if (status == STATUS_OK)
        status = issue_client(ca, wish, &issued, error);
    identity_ca_close(ca);
    if (status == STATUS_OK)
        status = issued_write(&issued, cli_value(call, "out"), "client", error);
    if (status == STATUS_OK)
        status = identity_describe(buffer_slice(&issued.certificate), made, error);
    issued_free(&issued);
    return status;
}

/* What programs that renew by themselves want to know. */
static enum status print_made(const struct cli_call *call, const struct policy_agent *agent,
                              const struct description *made, struct error *error)
{
    enum { TABLE_BYTES = 64 * 1024 };
    static const char *const columns[] = {"agent",       "serial",      "valid_until",
                                          "fingerprint", "certificate", NULL};
    char until[21];
    struct table table;
    clock_format_utc(made->credential.expires_ns, until);
    table_init(&table, TABLE_BYTES, columns);
    struct table_row *row = table_add(&table);
    table_set(&table, row, 0, "%s", agent->login);
    table_set(&table, row, 1, "%s", made->credential.id);
    table_set(&table, row, 2, "%s", until);
    table_set(&table, row, 3, "%s", made->fingerprint);
    table_set(&table, row, 4, "%s/client.crt", cli_value(call, "out"));
    enum status status = cli_json_print(cli_json_row(&table, row, NULL), false, error);
    table_free(&table);
    return status;
}

static enum status issue_to(struct cli_call *call, const struct cli_offline *offline,
                            const struct policy_agent *agent, struct issue_wish *wish,
                            struct error *error)
{
    struct description made;
    char until[21];
    if (agent->certificate == NULL)
        return error_set(error, STATUS_INVALID, "F0000",
                         "Give it `identity: {certificate: URI}` in the policy, or set its "
                         "password with cofferdam agent passwd.",
                         "agent %s does not log in by certificate", agent->login);
    wish->login = agent->login;
    wish->identity = agent->certificate;
    TRY(issue(call, wish, &made, error));
    clock_format_utc(made.credential.expires_ns, until);
    fprintf(stderr, "%s: made %s/client.crt%s, serial %s, valid until %s\n", agent->login,
            cli_value(call, "out"), wish->request.len > 0 ? "" : " and client.key",
            made.credential.id, until);
    issue_warn_renewal(agent, wish->lifetime_ns);
    record(call, offline, agent, &made);
    return call->json ? print_made(call, agent, &made, error) : STATUS_OK;
}

static enum status read_wish(struct cli_call *call, struct issue_wish *wish, struct buffer *request,
                             struct error *error)
{
    const char *kind = cli_value(call, "key-type"), *csr = cli_value(call, "csr");
    TRY(read_lifetime(call, &wish->lifetime_ns, error));
    if (kind != NULL && csr != NULL)
        return cli_usage(call, error, "--key-type is for keys that are made: the request has one");
    if (kind != NULL)
        TRY(identity_key_named(kind, &wish->key, error));
    if (csr == NULL)
        return STATUS_OK;
    TRY(file_read(csr, request, error));
    wish->request = buffer_slice(request);
    return request->len > 0 ? STATUS_OK
                            : error_set(error, STATUS_INVALID, "22023", NULL, "%s is empty", csr);
}

static enum status run(struct cli_call *call, struct error *error)
{
    const char *ca = NULL, *folder = NULL, *name = NULL;
    TRY(cli_require(call, "ca", &ca, error));
    TRY(cli_require(call, "agent", &name, error));
    TRY(cli_require(call, "out", &folder, error));
    struct issue_wish wish = {0};
    struct cli_offline offline = {0};
    const struct policy_partner *partner = NULL;
    const struct policy_agent *agent = NULL;
    struct buffer request;
    buffer_init(&request, REQUEST_BYTES);
    enum status status = read_wish(call, &wish, &request, error);
    if (status == STATUS_OK)
        status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK)
        status = cli_find_agent(offline.policy, name, &partner, &agent, error);
    if (status == STATUS_OK)
        status = issue_to(call, &offline, agent, &wish, error);
    cli_offline_free(&offline);
    buffer_free(&request);
    return status;
}

const struct cli_command verb_cert_issue = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Issues a short-lived certificate that proves an agent: its SAN URI or CN is what the\n"
        "policy names. With --csr only the public key is taken from the request. It is written\n"
        "down in the CA's issued.csv and, where a gateway runs, in the ledger. `cofferdam partner\n"
        "kit` does this and more.",
    .examples = "cert issue --ca ca --agent north-mail/sync --out north-mail --ttl 24h\n"
                "cert issue --ca ca --agent north-mail/sync --csr sync.csr --out north-mail\n",
    .run = run,
};

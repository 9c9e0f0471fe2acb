/* cofferdam cert server: the gateway's own certificate. */
#include "cli/issue.h"
#include "cli/verbs.h"

enum { DEFAULT_DAYS = 90, MOST_DAYS = 825 };

static const struct cli_option options[] = {
    {"ca", 0, "DIR", "folder of ca.crt and ca.key (needed)"},
    {"dns", 0, "NAME", "the host name that partners connect to"},
    {"ip", 0, "ADDRESS", "the address that partners connect to"},
    {"out", 'o', "DIR", "where server.crt and server.key go (needed)"},
    {"days", 0, "N", "how long it is valid, default 90"},
    {"key-type", 0, "KIND", "p256 (the default) or ed25519"},
    ISSUE_PASSPHRASE_OPTION,
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    const char *ca = NULL, *folder = NULL;
    uint64_t days = 0;
    TRY(cli_require(call, "ca", &ca, error));
    TRY(cli_require(call, "out", &folder, error));
    TRY(cli_number(call, "days", 1, MOST_DAYS, DEFAULT_DAYS, &days, error));
    struct identity_leaf leaf = {
        .san_dns = cli_value(call, "dns"), .san_ip = cli_value(call, "ip"), .server = true};
    if (leaf.san_dns == NULL && leaf.san_ip == NULL)
        return cli_usage(call, error,
                         "--dns or --ip is needed: clients compare it with the host "
                         "they connect to");
    leaf.common_name = leaf.san_dns != NULL ? leaf.san_dns : leaf.san_ip;
    issue_lifetime((int64_t)days * ISSUE_DAY_NS, &leaf);
    if (cli_value(call, "key-type") != NULL)
        TRY(identity_key_named(cli_value(call, "key-type"), &leaf.key, error));
    struct issued issued;
    issued_init(&issued);
    struct identity_ca *authority = NULL;
    enum status status = issue_open_ca(call, ca, &authority, error);
    if (status == STATUS_OK)
        status = identity_issue(authority, &leaf, &issued.certificate, &issued.key, error);
    identity_ca_close(authority);
    if (status == STATUS_OK)
        status = issued_write(&issued, folder, "server", error);
    if (status == STATUS_OK)
        fprintf(stderr, "made %s/server.crt and %s/server.key\n", folder, folder);
    issued_free(&issued);
    return status;
}

const struct cli_command verb_cert_server = {
    .arguments = "",
    .options = options,
    .description = "Issues the certificate with which the gateway proves itself to partners.",
    .examples = "cert server --ca ca --dns data.meridian.example --out /etc/cofferdam\n",
    .run = run,
};

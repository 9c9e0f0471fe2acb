/* cofferdam cert serve: renews agents' certificates for the gateway; see issuer/issuer.h. */
#include "cli/issue.h"
#include "cli/verbs.h"

#include "issuer/issuer.h"

enum { DEFAULT_PERCENT = 50, DEFAULT_HUMAN_DAYS = 90, MOST_HUMAN_DAYS = 1000, MOST_DAYS = 397 };

static const struct cli_option options[] = {
    {"ca", 0, "DIR", "folder of ca.crt, ca.key and issued.csv (needed)"},
    {"socket", 0, "PATH", "Unix socket to make: issuer.socket of cofferdam.yaml (needed)"},
    {"gateway-user", 0, "NAME",
     "the user that the gateway runs as: nobody else is served (needed)"},
    {"user", 0, "NAME", "become this user, the CA folder's; needed where root starts it"},
    {"last", 0, "PERCENT", "of a certificate's life, in which it may be renewed; default 50"},
    {"ttl", 0, "TIME", "the longest that a renewal is valid; default: as the one before it"},
    {"human", 0, "TIME", "renewals end so long after a human issued one; default 90d"},
    ISSUE_PASSPHRASE_OPTION,
    {NULL, 0, NULL, NULL},
};

static enum status read_bounds(struct cli_call *call, struct identity_renewal_bounds *bounds,
                               struct error *error)
{
    uint64_t percent = 0;
    *bounds = (struct identity_renewal_bounds){.lifetime_most_ns = INT64_MAX,
                                               .human_most_ns = DEFAULT_HUMAN_DAYS * ISSUE_DAY_NS};
    TRY(cli_number(call, "last", 1, 100, DEFAULT_PERCENT, &percent, error));
    bounds->last_percent = (unsigned)percent;
    if (cli_value(call, "ttl") != NULL)
        TRY(issue_duration(call, "ttl", MOST_DAYS, &bounds->lifetime_most_ns, error));
    if (cli_value(call, "human") != NULL)
        TRY(issue_duration(call, "human", MOST_HUMAN_DAYS, &bounds->human_most_ns, error));
    return STATUS_OK;
}

static enum status run(struct cli_call *call, struct error *error)
{
    const char *folder = NULL;
    struct identity_ca *ca = NULL;
    struct issuer_options issuer = {.user = cli_value(call, "user")};
    TRY(cli_require(call, "ca", &folder, error));
    TRY(cli_require(call, "socket", &issuer.socket, error));
    TRY(cli_require(call, "gateway-user", &issuer.gateway_user, error));
    TRY(read_bounds(call, &issuer.bounds, error));
    TRY(issue_open_ca(call, folder, &ca, error));
    issuer.ca = ca;
    enum status status = issuer_serve(&issuer, error);
    identity_ca_close(ca);
    return status;
}

const struct cli_command verb_cert_serve = {
    .arguments = "",
    .options = options,
    .description =
        "Renews agents' certificates without a human, where the policy says `renewal: TIME`:\n"
        "an agent asks through the gateway (CALL cofferdam.renew_certificate), which asks here.\n"
        "Believes nothing that the gateway says: the old certificate must be in issued.csv and\n"
        "valid, and its key must have signed the request. One renewal a certificate. Runs in the\n"
        "foreground until SIGTERM or SIGINT, as a user of its own, without files and network.",
    .examples = "cert serve --ca ca --socket /run/cofferdam-ca/issuer --gateway-user cofferdam "
                "--user cofferdam-ca\n"
                "cert serve --ca ca --socket /run/cofferdam-ca/issuer --gateway-user cofferdam "
                "--last 30 --human 30d\n",
    .exits = "it could not start",
    .run = run,
};

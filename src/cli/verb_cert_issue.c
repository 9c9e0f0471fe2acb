/* cofferdam cert issue: a certificate that proves an agent, as the policy says it must. */
#include "cli/issue.h"
#include "cli/offline.h"
#include "cli/verbs.h"

enum { MOST_DAYS = 397 };

static const struct cli_option options[] = {
    {"ca", 0, "DIR", "folder of ca.crt and ca.key (needed)"},
    {"agent", 'a', "P/A", "agent of the policy (needed)"},
    {"out", 'o', "DIR", "where client.crt and client.key go (needed)"},
    {"days", 0, "N", "how long it is valid, default 30"},
    {NULL, 0, NULL, NULL},
};

static enum status issue(const char *ca, const char *folder, const struct policy_agent *agent,
                         int days, struct error *error)
{
    if (agent->certificate == NULL)
        return error_set(error, STATUS_INVALID, "F0000",
                         "Give it `identity: {certificate: URI}` in the policy, or set its "
                         "password with cofferdam agent passwd.",
                         "agent %s does not log in by certificate", agent->login);
    struct issued issued;
    issued_init(&issued);
    enum status status = issue_client(ca, agent->login, agent->certificate, days, &issued, error);
    if (status == STATUS_OK)
        status = issued_write(&issued, folder, "client", error);
    if (status == STATUS_OK)
        fprintf(stderr, "%s: made %s/client.crt and %s/client.key, valid for %d days\n",
                agent->login, folder, folder, days);
    issued_free(&issued);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    const char *ca = NULL, *folder = NULL, *name = NULL;
    uint64_t days = 0;
    TRY(cli_require(call, "ca", &ca, error));
    TRY(cli_require(call, "agent", &name, error));
    TRY(cli_require(call, "out", &folder, error));
    TRY(cli_number(call, "days", 1, MOST_DAYS, ISSUE_DEFAULT_CLIENT_DAYS, &days, error));
    struct cli_offline offline = {0};
    const struct policy_partner *partner = NULL;
    const struct policy_agent *agent = NULL;
    enum status status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK)
        status = cli_find_agent(offline.policy, name, &partner, &agent, error);
    if (status == STATUS_OK)
        status = issue(ca, folder, agent, (int)days, error);
    cli_offline_free(&offline);
    return status;
}

const struct cli_command verb_cert_issue = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG,
    .options = options,
    .description =
        "Issues a short-lived certificate that proves an agent: its SAN URI or CN is what the\n"
        "policy names. `cofferdam partner kit` does this and more.",
    .examples = "cert issue --ca ca --agent north-mail/sync --out north-mail --days 14\n",
    .run = run,
};

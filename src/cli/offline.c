/* See offline.h. */
#include "cli/offline.h"

#include <string.h>

#include "gateway/gateway.h"
#include "oidc/oidc.h"

enum { MAX_SUGGESTED = 256 };

enum status cli_offline_open(const struct cli_call *call, struct cli_offline *offline,
                             struct error *error)
{
    TRY(config_load(call->config_path, &offline->config, error));
    TRY(policy_load(offline->config->policy, &offline->policy, error));
    return oidc_check_policy(offline->config, offline->policy, error);
}

enum status cli_offline_bind(struct cli_offline *offline, struct error *error)
{
    struct catalog *catalog = NULL;
    TRY(gateway_catalog_load(offline->config, offline->policy, &catalog, error));
    return model_bind(offline->policy, catalog, &offline->model, error); /* takes the catalogue */
}

void cli_offline_free(struct cli_offline *offline)
{
    model_release(offline->model);
    policy_release(offline->policy);
    config_free(offline->config);
    *offline = (struct cli_offline){0};
}

static enum status no_agent(const struct policy *policy, const char *name, struct error *error)
{
    const char *logins[MAX_SUGGESTED];
    size_t count = 0;
    for (size_t p = 0; p < policy->partner_count; p++) {
        for (size_t a = 0; a < policy->partners[p].agent_count && count < MAX_SUGGESTED; a++)
            logins[count++] = policy->partners[p].agents[a].login;
    }
    char hint[128] = "";
    const char *nearest = cli_nearest(name, logins, count);
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "Did you mean %s?", nearest);
    return error_set(error, STATUS_NOT_FOUND, "42704", hint, "the policy has no agent \"%s\"",
                     name);
}

enum status cli_find_agent(const struct policy *policy, const char *name,
                           const struct policy_partner **partner, const struct policy_agent **agent,
                           struct error *error)
{
    char login[2 * CLI_NAME_ROOM];
    snprintf(login, sizeof login, "%s", name);
    char *slash = strchr(login, '/');
    if (slash != NULL)
        *slash = '.';
    const struct policy_agent *found = policy_find_agent(policy, login, partner);
    if (found == NULL)
        return no_agent(policy, login, error);
    *agent = found;
    return STATUS_OK;
}

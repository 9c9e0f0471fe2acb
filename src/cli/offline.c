/* See offline.h. */
#include "cli/offline.h"

#include <string.h>

#include "gateway/gateway.h"
#include "oidc/oidc.h"

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

enum status cli_find_agent(const struct policy *policy, const char *name,
                           const struct policy_partner **partner, const struct policy_agent **agent,
                           struct error *error)
{
    char first[CLI_NAME_ROOM];
    size_t len = strcspn(name, "/.");
    snprintf(first, sizeof first, "%.*s", (int)(len < sizeof first ? len : sizeof first), name);
    TRY(policy_need_partner(policy, first, partner, error));
    return policy_need_agent(*partner, name + len + (name[len] != '\0'), agent, error);
}

/* What verbs need that work without a running gateway: configuration, policy, and the model bound
 * to the live database. */
#ifndef COFFERDAM_CLI_OFFLINE_H
#define COFFERDAM_CLI_OFFLINE_H

#include "cli/cli.h"
#include "policy/config.h"
#include "policy/policy.h"
#include "sql/model.h"

struct cli_offline {
    struct config *config;
    const struct policy *policy;
    struct model *model; /* NULL unless cli_offline_bind has been called */
};

/* Configuration and policy. Zero *offline before; free it also after a failure. */
MUST_USE enum status cli_offline_open(const struct cli_call *call, struct cli_offline *offline,
                                      struct error *error);
/* Asks the database for its catalogue and binds the policy to it. */
MUST_USE enum status cli_offline_bind(struct cli_offline *offline, struct error *error);
void cli_offline_free(struct cli_offline *offline);

/* The agent named PARTNER/AGENT (or partner.agent) in the policy; a failure suggests others. */
MUST_USE enum status cli_find_agent(const struct policy *policy, const char *name,
                                    const struct policy_partner **partner,
                                    const struct policy_agent **agent, struct error *error);

#endif

/* A partner's people and programs, and what proves who they are. */
#include "policy/loader.h"

#include <string.h>

static bool is_uri(const char *name)
{
    return strstr(name, "://") != NULL || strncmp(name, "urn:", 4) == 0;
}

static const char *load_certificate_name(struct loader *loader, struct fy_node *node)
{
    const char *text = yaml_text(&loader->yaml, node);
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f || strlen(text) > 255)
            yaml_fail(&loader->yaml, node, "a SAN URI such as spiffe://north-mail/sync, or a CN",
                      "not a name that a certificate can carry");
    return text;
}

enum { RENEWAL_DAYS = 1000 };

/* A name alone, or {uri | common_name, issuer, renewal}. */
static void load_certificate(struct loader *loader, struct fy_node *node,
                             struct policy_agent *agent)
{
    static const char *const keys[] = {"uri", "common_name", "issuer", "renewal", NULL};
    struct yaml *yaml = &loader->yaml;
    if (!yaml_is_map(node)) {
        agent->certificate = load_certificate_name(loader, node);
        return;
    }
    yaml_keys(yaml, node, keys);
    struct fy_node *uri = yaml_get(yaml, node, "uri");
    struct fy_node *common_name = yaml_get(yaml, node, "common_name");
    if ((uri == NULL) == (common_name == NULL)) {
        yaml_fail(yaml, node, "certificate: {uri: spiffe://north-mail/sync, issuer: north-ca}",
                  "either uri or common_name names the certificate");
        return;
    }
    agent->certificate = load_certificate_name(loader, uri != NULL ? uri : common_name);
    if (!yaml_failed(yaml) && is_uri(agent->certificate) != (uri != NULL))
        yaml_fail(yaml, uri != NULL ? uri : common_name, "a URI has \"://\", a common name has not",
                  "\"%.80s\" is not what it is said to be", agent->certificate);
    agent->certificate_issuer = yaml_text_at(yaml, node, "issuer", NULL);
    struct fy_node *renewal = yaml_get(yaml, node, "renewal");
    if (renewal != NULL)
        agent->renewal_ns = load_duration(yaml, renewal, RENEWAL_DAYS);
}

static void load_identity(struct loader *loader, struct fy_node *node, struct policy_agent *agent)
{
    static const char *const keys[] = {"certificate", "scram", "oidc", NULL};
    struct yaml *yaml = &loader->yaml;
    yaml_keys(yaml, node, keys);
    struct fy_node *certificate = yaml_get(yaml, node, "certificate");
    struct fy_node *scram = yaml_get(yaml, node, "scram");
    struct fy_node *oidc = yaml_get(yaml, node, "oidc");
    if (certificate == NULL && scram == NULL && oidc == NULL)
        yaml_fail(yaml, node,
                  "identity: {certificate: …}, {scram: path of the verifier file} or "
                  "{oidc: {provider: …, claims: …}}",
                  "nothing proves who this agent is");
    if (scram != NULL && oidc != NULL)
        yaml_fail(yaml, oidc, "make it two agents",
                  "a client is asked for a password or for a token, not for either");
    if (oidc != NULL)
        agent->oidc = load_oidc(loader, oidc);
    if (certificate != NULL)
        load_certificate(loader, certificate, agent);
    if (scram != NULL)
        agent->scram_file = yaml_file_path(yaml, yaml_text(yaml, scram));
}

static void load_networks(struct loader *loader, struct fy_node *node, struct policy_agent *agent)
{
    struct yaml *yaml = &loader->yaml;
    struct yaml_items items = yaml_one_or_more(yaml, node);
    struct policy_network *networks = yaml_array(yaml, struct policy_network, items.count);
    if (node != NULL && items.count == 0)
        yaml_fail(yaml, node, "leave networks out for any network",
                  "an empty list would shut the agent out");
    while (networks != NULL && yaml_next(yaml, &items))
        load_network(loader, items.value, &networks[agent->network_count++]);
    agent->networks = networks;
}

static void load_all_hours(struct loader *loader, struct fy_node *node, struct policy_agent *agent)
{
    struct yaml *yaml = &loader->yaml;
    struct yaml_items items = yaml_one_or_more(yaml, node);
    struct policy_hours *hours = yaml_array(yaml, struct policy_hours, items.count);
    if (node != NULL && items.count == 0)
        yaml_fail(yaml, node, "leave hours out for always",
                  "an empty list would shut the agent out");
    while (hours != NULL && yaml_next(yaml, &items))
        load_hours(loader, items.value, &hours[agent->hours_count++]);
    agent->hours = hours;
}

/* Claims that another agent's begin with are not its own: whoever has the longer list's token would
 * be both. */
static void check_unique_oidc(struct loader *loader, const struct policy_agent *agent,
                              struct fy_node *node)
{
    const struct policy *policy = loader->policy;
    for (size_t p = 0; p < policy->partner_count && agent->oidc != NULL; p++) {
        const struct policy_partner *other = &policy->partners[p];
        for (size_t i = 0; i < other->agent_count; i++)
            if (&other->agents[i] != agent &&
                (policy_oidc_covers(other->agents[i].oidc, agent->oidc) ||
                 policy_oidc_covers(agent->oidc, other->agents[i].oidc)))
                yaml_fail(&loader->yaml, node, "give each agent claims of its own",
                          "the same token would be agent %s's", other->agents[i].login);
    }
}

/* One proof, one agent: otherwise the ledger could not say who it was. */
static void check_unique(struct loader *loader, const struct policy_partner *partner,
                         const struct policy_agent *agent, struct fy_node *node)
{
    const struct policy *policy = loader->policy;
    for (size_t i = 0; i < partner->agent_count; i++)
        if (&partner->agents[i] != agent && strcmp(partner->agents[i].name, agent->name) == 0)
            yaml_fail(&loader->yaml, node, NULL, "a second agent %s", agent->login);
    for (size_t p = 0; p < policy->partner_count && agent->certificate != NULL; p++) {
        const struct policy_partner *other = &policy->partners[p];
        for (size_t i = 0; i < other->agent_count; i++)
            if (&other->agents[i] != agent && other->agents[i].certificate != NULL &&
                strcmp(other->agents[i].certificate, agent->certificate) == 0)
                yaml_fail(&loader->yaml, node, "give each agent a certificate of its own",
                          "the certificate \"%.80s\" is agent %s's already", agent->certificate,
                          other->agents[i].login);
    }
}

void load_agents(struct loader *loader, struct policy_partner *partner, struct fy_node *node)
{
    static const char *const keys[] = {"name", "identity", "networks", "hours", NULL};
    struct yaml *yaml = &loader->yaml;
    struct yaml_items items = yaml_list_items(yaml, node);
    partner->nobody = (struct policy_agent){.name = ""};
    partner->nobody.login = yaml_printf(yaml, "%s.", partner->name);
    struct policy_agent *agents = yaml_array(yaml, struct policy_agent, items.count);
    if (agents == NULL)
        return;
    partner->agents = agents;
    while (yaml_next(yaml, &items)) {
        struct policy_agent *agent = &agents[partner->agent_count];
        yaml_keys(yaml, items.value, keys);
        struct fy_node *name = yaml_need(yaml, items.value, "name");
        agent->name = yaml_text(yaml, name);
        check_name(loader, name, "agent", agent->name);
        agent->login = yaml_printf(yaml, "%s.%s", partner->name, agent->name);
        load_identity(loader, yaml_need(yaml, items.value, "identity"), agent);
        load_networks(loader, yaml_get(yaml, items.value, "networks"), agent);
        load_all_hours(loader, yaml_get(yaml, items.value, "hours"), agent);
        partner->agent_count++;
        if (!yaml_failed(yaml))
            check_unique(loader, partner, agent, name);
        if (!yaml_failed(yaml))
            check_unique_oidc(loader, agent, name);
    }
}

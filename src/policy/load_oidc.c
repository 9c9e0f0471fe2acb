/* What a token of an identity provider must say to be a certain agent's. */
#include "policy/loader.h"

#include <string.h>

enum { CLAIMS_MAX = 16, TEXT_BYTES = 255 };

/* These are judged for every token, against the provider's settings. */
static const char *const judged[] = {"iss", "aud", "exp", "nbf", "iat", "jti", NULL};

static const char *claim_text(struct yaml *yaml, struct fy_node *node)
{
    const char *text = yaml_text(yaml, node);
    if (!yaml_failed(yaml) && strlen(text) > TEXT_BYTES)
        yaml_fail(yaml, node, NULL, "a claim is longer than %d bytes", TEXT_BYTES);
    return text;
}

static void load_claim(struct yaml *yaml, const struct yaml_items *item, struct policy_claim *claim)
{
    static const char *const keys[] = {"contains", NULL};
    claim->name = yaml_printf(yaml, "%s", item->name);
    for (size_t i = 0; judged[i] != NULL; i++)
        if (strcmp(claim->name, judged[i]) == 0)
            yaml_fail(yaml, item->key, "set it in cofferdam.yaml, for the provider",
                      "the claim \"%s\" is judged for every token", judged[i]);
    if (strlen(claim->name) > TEXT_BYTES)
        yaml_fail(yaml, item->key, NULL, "a claim is longer than %d bytes", TEXT_BYTES);
    claim->contains = yaml_is_map(item->value);
    if (claim->contains)
        yaml_keys(yaml, item->value, keys);
    claim->value =
        claim_text(yaml, claim->contains ? yaml_need(yaml, item->value, "contains") : item->value);
}

const struct policy_oidc *load_oidc(struct loader *loader, struct fy_node *node)
{
    static const char *const keys[] = {"provider", "claims", "single_use", NULL};
    struct yaml *yaml = &loader->yaml;
    yaml_keys(yaml, node, keys);
    struct policy_oidc *oidc = yaml_array(yaml, struct policy_oidc, 1);
    struct fy_node *claims = yaml_need(yaml, node, "claims");
    struct yaml_items items = yaml_map_items(yaml, claims);
    struct policy_claim *list = yaml_array(yaml, struct policy_claim, items.count);
    if (oidc == NULL || list == NULL)
        return NULL;
    oidc->provider = yaml_need_text(yaml, node, "provider");
    oidc->single_use = yaml_flag_at(yaml, node, "single_use", false);
    if (items.count == 0 || items.count > CLAIMS_MAX)
        yaml_fail(yaml, claims, "claims: {sub: …} names who it is",
                  "1 to %d claims are wanted: without one any token would do", CLAIMS_MAX);
    while (yaml_next(yaml, &items))
        load_claim(yaml, &items, &list[oidc->claim_count++]);
    oidc->claims = list;
    return oidc;
}

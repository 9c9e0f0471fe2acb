/* cofferdam.yaml: the identity providers whose tokens are taken. */
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "policy/config_parts.h"

enum { DAY_S = 86400, MONTH_S = 30 * DAY_S, TEXT_BYTES = 1024 };

static const char *text_at(struct yaml *yaml, struct fy_node *map, const char *key)
{
    const char *text = yaml_need_text(yaml, map, key);
    if (!yaml_failed(yaml) && strlen(text) > TEXT_BYTES)
        yaml_fail(yaml, yaml_get(yaml, map, key), NULL, "it is longer than %d bytes", TEXT_BYTES);
    return text;
}

static uint32_t seconds_at(struct yaml *yaml, struct fy_node *map, const char *key, uint64_t least,
                           uint64_t most, uint64_t otherwise)
{
    return (uint32_t)yaml_number_at(yaml, map, key, least, most, otherwise);
}

/* Where its keys come from: one way, said in so many words. */
static void load_keys(struct yaml *yaml, struct fy_node *node, struct config_oidc *oidc)
{
    bool discovery = yaml_flag_at(yaml, node, "discovery", false);
    oidc->jwks_url = yaml_text_at(yaml, node, "jwks_url", NULL);
    oidc->jwks_file = config_path_at(yaml, node, "jwks_file", NULL);
    oidc->ca = config_path_at(yaml, node, "ca", NULL);
    if (yaml_failed(yaml))
        return;
    if ((oidc->jwks_url != NULL) + (oidc->jwks_file != NULL) + discovery != 1)
        yaml_fail(yaml, node, "give one of jwks_url: …, jwks_file: … and discovery: true",
                  "where the keys of provider \"%s\" come from is not clear", oidc->name);
    if (oidc->jwks_url != NULL)
        config_check_url(yaml, yaml_get(yaml, node, "jwks_url"), oidc->jwks_url, "jwks_url");
    if (discovery)
        config_check_url(yaml, yaml_get(yaml, node, "issuer"), oidc->issuer,
                         "the issuer, which discovery begins at,");
}

static void load_provider(struct yaml *yaml, const struct yaml_items *item,
                          struct config_oidc *oidc)
{
    static const char *const keys[] = {
        "issuer", "audience",  "jwks_url",       "jwks_file", "discovery",   "ca", "typ",
        "skew_s", "refresh_s", "max_lifetime_s", "refetch_s", "keep_keys_s", NULL};
    struct fy_node *node = item->value;
    yaml_keys(yaml, node, keys);
    oidc->name = yaml_printf(yaml, "%s", item->name);
    if (!yaml_failed(yaml) && strlen(oidc->name) > LIMIT_NAME_BYTES)
        yaml_fail(yaml, item->key, NULL, "a name is longer than %d bytes", LIMIT_NAME_BYTES);
    oidc->issuer = text_at(yaml, node, "issuer");
    oidc->audience = text_at(yaml, node, "audience");
    oidc->typ = yaml_text_at(yaml, node, "typ", NULL);
    oidc->skew_s = seconds_at(yaml, node, "skew_s", 0, CONFIG_OIDC_SKEW_MOST_S, 30);
    oidc->max_lifetime_s =
        seconds_at(yaml, node, "max_lifetime_s", 1, CONFIG_OIDC_LIFETIME_MOST_S, 3600);
    oidc->refresh_s = seconds_at(yaml, node, "refresh_s", 1, DAY_S, 600);
    oidc->refetch_s = seconds_at(yaml, node, "refetch_s", 1, DAY_S, 30);
    oidc->keep_keys_s = seconds_at(yaml, node, "keep_keys_s", 1, MONTH_S, DAY_S);
    load_keys(yaml, node, oidc);
}

/* A policy is held against the names of providers, so that no token is two agents': one provider
 * under two names would get past that. */
static void check_apart(struct yaml *yaml, struct fy_node *node,
                        const struct config_oidc *providers, size_t count)
{
    const struct config_oidc *last = &providers[count - 1];
    for (size_t i = 0; i + 1 < count && !yaml_failed(yaml); i++) {
        const struct config_oidc *other = &providers[i];
        bool same_typ =
            (last->typ == NULL && other->typ == NULL) ||
            (last->typ != NULL && other->typ != NULL && strcasecmp(last->typ, other->typ) == 0);
        if (same_typ && strcmp(last->issuer, other->issuer) == 0 &&
            strcmp(last->audience, other->audience) == 0)
            yaml_fail(yaml, node, "give it once, or each an audience of its own",
                      "providers \"%s\" and \"%s\" are one issuer with one audience", other->name,
                      last->name);
    }
}

void config_load_oidc(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    struct yaml_items items = yaml_map_items(yaml, node);
    struct config_oidc *providers = yaml_array(yaml, struct config_oidc, items.count);
    if (items.count > CONFIG_PROVIDERS)
        yaml_fail(yaml, node, NULL, "more than %d identity providers", CONFIG_PROVIDERS);
    while (providers != NULL && yaml_next(yaml, &items)) {
        load_provider(yaml, &items, &providers[config->oidc_count++]);
        if (!yaml_failed(yaml))
            check_apart(yaml, items.key, providers, config->oidc_count);
    }
    config->oidc = providers;
}

/* listen.authorities and listen.crls: whose certificates agents may have, and where their
 * revocation lists are. Invariant: a named authority speaks for the partners that it names. */
#include "policy/config_parts.h"

#include <string.h>

#include "base/limits.h"

enum { MOST_AUTHORITIES = 256, MOST_CRLS = 64, WEEK_S = 7 * 86400 };

static void load_authority(struct yaml *yaml, const struct yaml_items *item,
                           struct config_authority *authority)
{
    static const char *const keys[] = {"certificates", "partners", NULL};
    yaml_keys(yaml, item->value, keys);
    authority->name = yaml_printf(yaml, "%s", item->name);
    authority->certificates =
        yaml_file_path(yaml, yaml_need_text(yaml, item->value, "certificates"));
    struct fy_node *partners = yaml_need(yaml, item->value, "partners");
    authority->partners = yaml_texts(yaml, partners, &authority->partner_count);
    if (!yaml_failed(yaml) && strlen(authority->name) > LIMIT_NAME_BYTES)
        yaml_fail(yaml, item->value, NULL, "an authority's name has at most %d bytes",
                  LIMIT_NAME_BYTES);
    if (!yaml_failed(yaml) && authority->partner_count == 0)
        yaml_fail(yaml, partners, "name them, or write [\"*\"] for all",
                  "the authority may speak for no partner");
}

void config_load_authorities(struct yaml *yaml, struct fy_node *listen, struct config *config)
{
    struct fy_node *node = yaml_get(yaml, listen, "authorities");
    if (node != NULL) {
        struct yaml_items items = yaml_map_items(yaml, node);
        struct config_authority *all = yaml_array(yaml, struct config_authority, items.count);
        if (items.count > MOST_AUTHORITIES)
            yaml_fail(yaml, node, NULL, "more than %d authorities", MOST_AUTHORITIES);
        while (!yaml_failed(yaml) && all != NULL && yaml_next(yaml, &items))
            load_authority(yaml, &items, &all[config->listen.authority_count++]);
        config->listen.authorities = all;
    }
    struct fy_node *crls = yaml_get(yaml, listen, "crls");
    struct yaml_items items = yaml_one_or_more(yaml, crls);
    const char **paths = yaml_array(yaml, const char *, items.count);
    if (items.count > MOST_CRLS)
        yaml_fail(yaml, crls, "name a folder", "more than %d files", MOST_CRLS);
    while (!yaml_failed(yaml) && paths != NULL && yaml_next(yaml, &items))
        paths[config->listen.crl_count++] = yaml_file_path(yaml, yaml_text(yaml, items.value));
    config->listen.crls = paths;
    config->listen.crl_grace_s =
        (uint32_t)yaml_number_at(yaml, listen, "crl_grace_s", 0, WEEK_S, 0);
    config->listen.crl_required = yaml_flag_at(yaml, listen, "crl_required", false);
    if (!yaml_failed(yaml) && config->listen.client_ca == NULL &&
        config->listen.authority_count == 0 && config->listen.crl_count > 0)
        yaml_fail(yaml, crls, "give client_ca or authorities",
                  "revocation lists of no authority that is trusted");
}

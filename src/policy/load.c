/* Loads a policy: reads the file, walks its sections in order, hands out a counted reference.
 * Everything lives in the arena of one struct policy_owned and goes with the last reference. */
#include "policy/loader.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/crypto.h"

enum { ARENA_BYTES = 64 * 1024 * 1024 };

static void load_brands(struct loader *loader, struct fy_node *node,
                        struct policy_controller *controller)
{
    static const char *const keys[] = {"name", "sender", "privacy_page", NULL};
    struct yaml *yaml = &loader->yaml;
    struct yaml_items items = yaml_map_items(yaml, node);
    struct policy_brand *brands = yaml_array(yaml, struct policy_brand, items.count);
    if (brands == NULL)
        return;
    controller->brands = brands;
    while (yaml_next(yaml, &items)) {
        struct policy_brand *brand = &brands[controller->brand_count++];
        check_name(loader, items.key, "brand", items.name);
        brand->name = items.name;
        if (yaml_is_empty(items.value))
            continue;
        yaml_keys(yaml, items.value, keys);
        brand->title = yaml_text_at(yaml, items.value, "name", NULL);
        brand->sender = yaml_text_at(yaml, items.value, "sender", NULL);
        brand->privacy_page = yaml_text_at(yaml, items.value, "privacy_page", NULL);
    }
}

static void load_controller(struct loader *loader, struct fy_node *node)
{
    static const char *const keys[] = {"name",    "brands",       "dpo",           "privacy_page",
                                       "senders", "registration", "jurisdictions", NULL};
    static const char *const dpo_keys[] = {"name", "email", "phone", "post", NULL};
    struct yaml *yaml = &loader->yaml;
    struct policy_controller *controller = &loader->policy->controller;
    if (node == NULL)
        return;
    yaml_keys(yaml, node, keys);
    controller->name = yaml_need_text(yaml, node, "name");
    load_brands(loader, yaml_get(yaml, node, "brands"), controller);
    controller->privacy_page = yaml_text_at(yaml, node, "privacy_page", NULL);
    controller->registration = yaml_text_at(yaml, node, "registration", NULL);
    controller->senders =
        yaml_texts(yaml, yaml_get(yaml, node, "senders"), &controller->sender_count);
    controller->jurisdictions =
        yaml_texts(yaml, yaml_get(yaml, node, "jurisdictions"), &controller->jurisdiction_count);
    struct fy_node *dpo = yaml_get(yaml, node, "dpo");
    if (dpo == NULL)
        return;
    yaml_keys(yaml, dpo, dpo_keys);
    controller->dpo_name = yaml_text_at(yaml, dpo, "name", NULL);
    controller->dpo_email = yaml_text_at(yaml, dpo, "email", NULL);
    controller->dpo_phone = yaml_text_at(yaml, dpo, "phone", NULL);
    controller->dpo_post = yaml_text_at(yaml, dpo, "post", NULL);
}

static void load_sections(struct loader *loader)
{
    static const char *const keys[] = {"controller", "subjects", "datasets",
                                       "masks",      "partners", NULL};
    struct yaml *yaml = &loader->yaml;
    struct fy_node *root = yaml_root(yaml);
    yaml_keys(yaml, root, keys);
    load_masks(loader, yaml_get(yaml, root, "masks"));
    load_kinds(loader, yaml_get(yaml, root, "subjects"));
    load_datasets(loader, yaml_need(yaml, root, "datasets"));
    check_kinds(loader, yaml_get(yaml, root, "subjects"));
    load_controller(loader, yaml_get(yaml, root, "controller"));
    load_partners(loader, yaml_get(yaml, root, "partners"));
}

/* Copies the text into the arena, and names it by its digest. */
static enum status keep_text(struct policy_owned *owned, const char *path, struct slice content,
                             struct error *error)
{
    struct policy *policy = &owned->policy;
    uint8_t digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(&content, 1, digest);
    crypto_hex(digest, sizeof digest, policy->id);
    policy->path = arena_strdup(&owned->arena, path);
    policy->text = arena_copy(&owned->arena, (const char *)content.data, content.len);
    policy->text_len = content.len;
    if (policy->path == NULL || policy->text == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    return STATUS_OK;
}

static void owned_free(struct policy_owned *owned)
{
    for (struct owned_zone *zone = owned->zones; zone != NULL; zone = zone->next)
        zone_free(zone->zone);
    arena_free(&owned->arena);
    free(owned);
}

enum status policy_load_text(const char *path, struct slice content, const struct policy **policy,
                             struct error *error)
{
    struct policy_owned *owned = calloc(1, sizeof *owned);
    if (owned == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    arena_init(&owned->arena, ARENA_BYTES);
    atomic_init(&owned->references, 1);
    enum status status = keep_text(owned, path, content, error);
    if (status != STATUS_OK)
        goto done;
    struct loader loader = {.owned = owned, .policy = &owned->policy};
    yaml_open(&loader.yaml, owned->policy.path,
              slice_of(owned->policy.text, owned->policy.text_len), &owned->arena, error);
    load_sections(&loader);
    yaml_close(&loader.yaml);
    status = yaml_finish(&loader.yaml);
done:
    if (status == STATUS_OK)
        *policy = &owned->policy;
    else
        owned_free(owned);
    return status;
}

enum status policy_load(const char *path, const struct policy **policy, struct error *error)
{
    struct buffer bytes;
    buffer_init(&bytes, YAML_FILE_BYTES);
    enum status status = file_read(path, &bytes, error);
    if (status == STATUS_OK)
        status = policy_load_text(path, buffer_slice(&bytes), policy, error);
    buffer_free(&bytes);
    return status;
}

/* Callers hold a const policy; what is counted lies behind it. */
static struct policy_owned *owner_of(const struct policy *policy)
{
    _Static_assert(offsetof(struct policy_owned, policy) == 0, "the policy comes first");
    return (struct policy_owned *)(uintptr_t)policy;
}

const struct policy *policy_retain(const struct policy *policy)
{
    atomic_fetch_add_explicit(&owner_of(policy)->references, 1, memory_order_relaxed);
    return policy;
}

void policy_release(const struct policy *policy)
{
    if (policy == NULL)
        return;
    struct policy_owned *owned = owner_of(policy);
    if (atomic_fetch_sub_explicit(&owned->references, 1, memory_order_acq_rel) == 1)
        owned_free(owned);
}

/* Look-ups in a loaded policy, and what it may be made of. No state. */
#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

#include "policy/suggest.h"

enum { MOST_NAMES = 512, HINT_ROOM = 200 };

/* Kinds of personal data. The last ten may not be granted in clear without a justification: money
 * and secrets, numbers that open doors, and what Articles 9 and 10 of the GDPR set apart. */
const char *const policy_categories[] = {
    "identifier", "name",       "address",     "date_of_birth", "gender",  "phone",
    "email",      "language",   "preference",  "circumstances", "vin",     "vrm",
    "vehicle",    "purchase",   "location",    "online",        "image",   "employment",
    "financial",  "credential", "official_id", "health",        "genetic", "biometric",
    "ethnicity",  "belief",     "sexuality",   "criminal",      NULL};

static const char *const sensitive_categories[] = {
    "financial", "credential", "official_id", "health",    "genetic",
    "biometric", "ethnicity",  "belief",      "sexuality", "criminal"};

const char *const policy_builtin_masks[] = {"null",  "redact",        "last4",  "initial", "year",
                                            "month", "postcode_area", "domain", NULL};

bool policy_category_sensitive(const char *category)
{
    size_t count = sizeof sensitive_categories / sizeof sensitive_categories[0];
    for (size_t i = 0; i < count && category != NULL; i++)
        if (strcmp(sensitive_categories[i], category) == 0)
            return true;
    return false;
}

const struct policy_partner *policy_find_partner(const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->partner_count; i++)
        if (strcmp(policy->partners[i].name, name) == 0)
            return &policy->partners[i];
    return NULL;
}

/* "did you mean …?", or all of them. */
static void suggest(const char *word, const char *const *words, char hint[static HINT_ROOM])
{
    const char *nearest = suggest_nearest(word, words);
    char list[HINT_ROOM - 10];
    hint[0] = '\0';
    suggest_list(words, list, sizeof list);
    if (nearest != NULL)
        snprintf(hint, HINT_ROOM, "did you mean %.100s?", nearest);
    else if (list[0] != '\0')
        snprintf(hint, HINT_ROOM, "one of: %s", list);
}

enum status policy_need_partner(const struct policy *policy, const char *name,
                                const struct policy_partner **partner, struct error *error)
{
    const char *names[MOST_NAMES + 1] = {NULL};
    char hint[HINT_ROOM];
    *partner = name == NULL ? NULL : policy_find_partner(policy, name);
    if (*partner != NULL)
        return STATUS_OK;
    for (size_t i = 0; i < policy->partner_count && i < MOST_NAMES; i++)
        names[i] = policy->partners[i].name;
    suggest(name == NULL ? "" : name, names, hint);
    return error_set(error, STATUS_NOT_FOUND, "42704", hint, "the policy has no partner \"%.60s\"",
                     name == NULL ? "" : name);
}

enum status policy_need_agent(const struct policy_partner *partner, const char *name,
                              const struct policy_agent **agent, struct error *error)
{
    const char *names[MOST_NAMES + 1] = {NULL};
    char hint[HINT_ROOM];
    for (size_t i = 0; i < partner->agent_count; i++) {
        if (name != NULL && strcmp(partner->agents[i].name, name) == 0) {
            *agent = &partner->agents[i];
            return STATUS_OK;
        }
        if (i < MOST_NAMES)
            names[i] = partner->agents[i].name;
    }
    suggest(name == NULL ? "" : name, names, hint);
    return error_set(error, STATUS_NOT_FOUND, "42704", hint, "%s has no agent \"%.60s\"",
                     partner->name, name == NULL ? "" : name);
}

const struct policy_dataset *policy_find_dataset(const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->dataset_count; i++)
        if (strcmp(policy->datasets[i].name, name) == 0)
            return &policy->datasets[i];
    return NULL;
}

const struct policy_kind *policy_find_kind(const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->kind_count; i++)
        if (strcmp(policy->kinds[i].name, name) == 0)
            return &policy->kinds[i];
    return NULL;
}

static bool has_claim(const struct policy_oidc *oidc, const struct policy_claim *claim)
{
    for (size_t i = 0; i < oidc->claim_count; i++)
        if (strcmp(oidc->claims[i].name, claim->name) == 0)
            return oidc->claims[i].contains == claim->contains &&
                   strcmp(oidc->claims[i].value, claim->value) == 0;
    return false;
}

bool policy_oidc_covers(const struct policy_oidc *a, const struct policy_oidc *b)
{
    if (a == NULL || b == NULL || strcmp(a->provider, b->provider) != 0)
        return false;
    for (size_t i = 0; i < a->claim_count; i++)
        if (!has_claim(b, &a->claims[i]))
            return false;
    return true;
}

bool policy_same_oidc(const struct policy_oidc *a, const struct policy_oidc *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    /* No name stands twice. */
    return a->claim_count == b->claim_count && policy_oidc_covers(a, b);
}

const struct policy_mask *policy_find_mask(const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->mask_count; i++)
        if (strcmp(policy->masks[i].name, name) == 0)
            return &policy->masks[i];
    return NULL;
}

const struct policy_agent *policy_find_agent(const struct policy *policy, const char *login,
                                             const struct policy_partner **partner)
{
    for (size_t p = 0; p < policy->partner_count; p++) {
        const struct policy_partner *candidate = &policy->partners[p];
        for (size_t i = 0; i < candidate->agent_count; i++) {
            if (strcmp(candidate->agents[i].login, login) != 0)
                continue;
            if (partner != NULL)
                *partner = candidate;
            return &candidate->agents[i];
        }
    }
    return NULL;
}

const struct policy_agent *policy_find_nobody(const struct policy *policy, const char *login,
                                              const struct policy_partner **partner)
{
    for (size_t p = 0; p < policy->partner_count; p++) {
        if (strcmp(policy->partners[p].nobody.login, login) != 0)
            continue;
        *partner = &policy->partners[p];
        return &policy->partners[p].nobody;
    }
    return NULL;
}

bool policy_writes(const struct policy_grant *grant)
{
    return grant->write.update_count > 0 || grant->write.insert_count > 0 || grant->write.deletes;
}

bool policy_agent_writes(const struct policy_partner *partner, const struct policy_agent *agent)
{
    for (size_t i = 0; i < partner->grant_count; i++) {
        const struct policy_grant *grant = &partner->grants[i];
        if (policy_writes(grant) &&
            (grant->agent == NULL || strcmp(grant->agent, agent->name) == 0))
            return true;
    }
    return false;
}

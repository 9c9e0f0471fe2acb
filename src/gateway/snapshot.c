/* The policy in force. Read by every thread, changed by none. */
#include "gateway/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t hex_digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

struct snapshot *snapshot_make(struct model *model, uint64_t epoch)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL) {
        model_release(model);
        return NULL;
    }
    atomic_init(&snapshot->references, 1);
    snapshot->model = model;
    snapshot->policy = model_policy(model);
    snapshot->epoch = epoch;
    const char *hex = snapshot->policy->id;
    for (size_t i = 0; i < sizeof snapshot->policy_id; i++)
        snapshot->policy_id[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    return snapshot;
}

struct snapshot *snapshot_retain(struct snapshot *snapshot)
{
    atomic_fetch_add(&snapshot->references, 1);
    return snapshot;
}

void snapshot_release(struct snapshot *snapshot)
{
    if (snapshot == NULL || atomic_fetch_sub(&snapshot->references, 1) != 1)
        return;
    roster_close(snapshot->roster); /* before the policy that it is of */
    model_release(snapshot->model);
    free(snapshot);
}

uint64_t snapshot_validity(const struct snapshot *snapshot, int64_t now_ns)
{
    uint64_t boundaries_passed = 0;
    for (size_t p = 0; p < snapshot->policy->partner_count; p++) {
        const struct policy_partner *partner = &snapshot->policy->partners[p];
        for (size_t g = 0; g < partner->grant_count; g++)
            boundaries_passed += (uint64_t)(now_ns >= partner->grants[g].valid_from_ns) +
                                 (uint64_t)(now_ns >= partner->grants[g].valid_until_ns);
    }
    return boundaries_passed;
}

static bool grant_applies(const struct policy_grant *grant, const struct policy_agent *agent)
{
    return grant->agent == NULL || strcmp(grant->agent, agent->name) == 0;
}

/* The one purpose that the agent's grants name; NULL if they name none or several. Grants without
 * a purpose serve any. */
static const char *only_purpose(const struct policy_partner *partner,
                                const struct policy_agent *agent)
{
    if (partner->purpose_count == 1)
        return partner->purposes[0];
    const char *found = NULL;
    for (size_t g = 0; g < partner->grant_count; g++) {
        const struct policy_grant *grant = &partner->grants[g];
        if (!grant_applies(grant, agent) || grant->purpose == NULL)
            continue;
        if (found != NULL && strcmp(grant->purpose, found) != 0)
            return NULL;
        found = grant->purpose;
    }
    return found;
}

enum status snapshot_purpose(const struct policy_partner *partner, const struct policy_agent *agent,
                             const char *stated, const char **purpose, struct error *error)
{
    char hint[sizeof error->hint] = "state one with options=-c cofferdam.purpose=… ; yours are: ";
    for (size_t i = 0; i < partner->purpose_count; i++) {
        if (stated != NULL && strcmp(partner->purposes[i], stated) == 0) {
            *purpose = partner->purposes[i];
            return STATUS_OK;
        }
        size_t used = strlen(hint);
        snprintf(hint + used, sizeof hint - used, "%s\"%s\"", i == 0 ? "" : ", ",
                 partner->purposes[i]);
    }
    if (stated != NULL)
        return error_set(error, STATUS_DENIED, "28000", hint,
                         "the purpose stated is not one of partner %s", partner->name);
    *purpose = only_purpose(partner, agent);
    if (*purpose == NULL)
        return error_set(error, STATUS_DENIED, "28000", hint,
                         "agent %s has several purposes and states none", agent->login);
    return STATUS_OK;
}

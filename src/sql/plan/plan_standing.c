/* The grants that a plan stands on, and whether they are still there. */
#include "sql/plan/plan_standing.h"

#include "base/check.h"

#include <string.h>

void plan_use_grant(struct build *build, const struct policy_grant *grant)
{
    for (size_t i = 0; i < build->grant_count; i++)
        if (build->grants[i] == grant)
            return;
    CHECK(build->grant_count < lengthof(build->grants)); /* a fence each, and one that is written */
    build->grants[build->grant_count++] = grant;
}

enum status plan_keep_grants(struct build *build)
{
    struct plan *plan = build->plan;
    const struct policy_grant **grants =
        arena_array(&plan->arena, const struct policy_grant *, build->grant_count);
    if (grants == NULL)
        return STATUS_NOMEM;
    memcpy(grants, build->grants, build->grant_count * sizeof grants[0]);
    plan->grants = grants;
    plan->grant_count = build->grant_count;
    plan->partner = build->request->partner;
    return STATUS_OK;
}

static bool stands(const struct policy_grant *grant, const struct plan_request *request)
{
    for (size_t i = 0; i < request->partner->grant_count; i++) {
        const struct policy_grant *now = &request->partner->grants[i];
        if (memcmp(now->mark, grant->mark, sizeof now->mark) == 0 &&
            model_grant_fit(now, request->partner, request->agent, request->purpose,
                            request->now_ns) > 0)
            return true;
    }
    return false;
}

bool plan_stands(const struct plan *plan, const struct plan_request *request)
{
    for (size_t i = 0; i < plan->grant_count; i++)
        if (!stands(plan->grants[i], request))
            return false;
    return plan->grant_count == 0 || plan->partner == request->partner ||
           !policy_budget_narrower(&plan->partner->budget, &request->partner->budget);
}

/* The grants that a plan stands on, and whether they are still there. */
#include "sql/plan/plan_standing.h"

#include "base/check.h"
#include "sql/plan/plan_explain.h"

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
            model_grant_fit(now, request) > 0)
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

/* ---- what is not granted ---- */

static enum status refuse_unknown(struct build *build, const char *dataset)
{
    const struct plan_request *request = build->request;
    char hint[300] = "";
    plan_explain_no_dataset(build, dataset);
    size_t len = 0;
    for (size_t i = 0; i < build->model->dataset_count && len + 80 < sizeof hint; i++) {
        const char *name = build->model->datasets[i].policy->name;
        if (model_find_grant(request, name) != NULL)
            len += (size_t)snprintf(hint + len, sizeof hint - len, "%s%s",
                                    len == 0 ? "Granted are: " : ", ", name);
    }
    return plan_refuse(build, "42P01", len == 0 ? "No dataset is granted now." : hint,
                       "dataset \"%s\" is not granted to partner \"%s\"", dataset,
                       request->partner->name);
}

static enum status refuse_waiting(struct build *build, const struct policy_grant *grant,
                                  const char *dataset)
{
    if (build->request->waits_for != NULL)
        *build->request->waits_for = grant;
    plan_explain(build, "near miss",
                 "the grant of \"%s\" in line %d of the policy waits for approval", dataset,
                 grant->line);
    return plan_refuse(build, "42501", "It is asked for by a statement that needs it.",
                       "dataset \"%s\" is given for a time only, when it has been approved",
                       dataset);
}

enum status plan_refuse_ungranted(struct build *build, const char *dataset)
{
    const struct model_grant *waiting = model_find_waiting(build->request, dataset);
    if (waiting == NULL)
        return refuse_unknown(build, dataset);
    return refuse_waiting(build, waiting->policy, dataset);
}

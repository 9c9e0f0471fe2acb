/* Model: life cycle, and which grant applies. Binding is in model_dataset.c and model_grant.c. */
#include "sql/model.h"

#include <stdlib.h>
#include <string.h>

#include "sql/model/model_private.h"
#include "sql/plan.h"

enum { MODEL_ARENA_BYTES = 64 * 1024 * 1024 };

enum status model_bind(const struct policy *policy, struct catalog *catalog, struct model **out,
                       struct error *error)
{
    struct model *model = calloc(1, sizeof *model);
    struct error own;
    if (error == NULL)
        error = &own;
    if (model == NULL) {
        catalog_free(catalog);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    atomic_init(&model->references, 1);
    arena_init(&model->arena, MODEL_ARENA_BYTES);
    model->policy = policy_retain(policy);
    model->catalog = catalog;
    enum status status = model_bind_datasets(model, error);
    if (status == STATUS_OK)
        status = model_bind_grants(model, error);
    if (status == STATUS_OK && model->arena.overflowed)
        status = error_set(error, STATUS_NOMEM, "53200", NULL, "the model does not fit its memory");
    if (status == STATUS_OK) {
        *out = model;
        return STATUS_OK;
    }
    model_release(model);
    /* A refused mask or filter is a wrong policy, not a refused statement. */
    if (status == STATUS_DENIED || status == STATUS_LIMIT)
        status = error->status = STATUS_INVALID;
    return status;
}

struct model *model_retain(struct model *model)
{
    atomic_fetch_add(&model->references, 1);
    return model;
}

void model_release(struct model *model)
{
    if (model == NULL || atomic_fetch_sub(&model->references, 1) != 1)
        return;
    policy_release(model->policy);
    catalog_free(model->catalog);
    arena_free(&model->arena);
    free(model);
}

const struct policy *model_policy(const struct model *model)
{
    return model->policy;
}

const struct catalog *model_catalog(const struct model *model)
{
    return model->catalog;
}

static bool is_approved(const struct policy_grant *grant, const struct plan_request *request)
{
    for (size_t i = 0; i < request->approval_count; i++)
        if (request->approvals[i].grant == grant)
            return true;
    return grant->approval.for_ns == 0;
}

/* As model_grant_fit(), whether it is approved or not. */
static int terms_fit(const struct policy_grant *grant, const struct plan_request *request)
{
    const struct policy_partner *partner = request->partner;
    const char *purpose = request->purpose;
    if (purpose == NULL && partner->purpose_count == 1)
        purpose = partner->purposes[0];
    if (request->now_ns < grant->valid_from_ns || request->now_ns >= grant->valid_until_ns)
        return 0;
    if (grant->agent != NULL && strcmp(grant->agent, request->agent->name) != 0)
        return 0;
    if (grant->purpose != NULL && (purpose == NULL || strcmp(grant->purpose, purpose) != 0))
        return 0;
    return 1 + (grant->agent != NULL ? 2 : 0) + (grant->purpose != NULL ? 1 : 0);
}

int model_grant_fit(const struct policy_grant *grant, const struct plan_request *request)
{
    return is_approved(grant, request) ? terms_fit(grant, request) : 0;
}

static const struct model_grant *find_best(const struct plan_request *request, const char *dataset,
                                           int (*fits)(const struct policy_grant *grant,
                                                       const struct plan_request *request))
{
    const struct model *model = request->model;
    const struct model_grant *best = NULL;
    int best_fit = 0;
    for (size_t i = 0; i < model->grant_count; i++) {
        const struct model_grant *grant = &model->grants[i];
        if (grant->partner != request->partner ||
            strcmp(grant->dataset->policy->name, dataset) != 0)
            continue;
        int fit = fits(grant->policy, request);
        if (fit > best_fit) {
            best = grant;
            best_fit = fit;
        }
    }
    return best;
}

const struct model_grant *model_find_grant(const struct plan_request *request, const char *dataset)
{
    return find_best(request, dataset, model_grant_fit);
}

const struct model_grant *model_find_waiting(const struct plan_request *request,
                                             const char *dataset)
{
    return find_best(request, dataset, terms_fit);
}

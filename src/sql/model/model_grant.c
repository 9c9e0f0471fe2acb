/* Binding grants: every mask and row filter is parsed, resolved over the dataset's columns and
 * proved immutable; a filter must also be total, a mask is guarded where it is not. */
#include <string.h>

#include "sql/model/model_private.h"
#include "sql/plan/plan_build.h"

struct binding {
    struct model *model;
    const struct policy_partner *partner;
    struct model_grant *grant;
    struct build build; /* without request and plan: for the resolver */
};

static enum status invalid(struct binding *binding, const char *column, const char *hint,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

static void put_in_front(struct binding *binding, const char *column)
{
    const struct policy *policy = binding->model->policy;
    error_prefix(binding->build.error, "%s:%d: partner %s, dataset %s%s%s",
                 policy->path == NULL ? "policy" : policy->path, binding->grant->policy->line,
                 binding->partner->name, binding->grant->dataset->policy->name,
                 column == NULL ? "" : ", column ", column == NULL ? "" : column);
}

static enum status invalid(struct binding *binding, const char *column, const char *hint,
                           const char *format, ...)
{
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)error_set(binding->build.error, STATUS_INVALID, "F0000", hint, "%s", text);
    put_in_front(binding, column);
    return STATUS_INVALID;
}

static const char immutable_hint[] =
    "Masks and row filters may use immutable functions, operators and casts only: no setting such "
    "as DateStyle or TimeZone, and no clock, may change what they show. Write dates as "
    "'2026-01-31'::date, and compare with columns rather than with now().";

static enum status bind_rows(struct binding *binding)
{
    const struct model_grant *grant = binding->grant;
    struct expression rows;
    if (grant->policy->rows == NULL)
        return STATUS_OK;
    enum status status = mask_rewrite(&binding->build, grant->dataset, grant->policy->rows, false,
                                      "a row filter", &rows);
    if (status != STATUS_OK) {
        put_in_front(binding, NULL);
        return status;
    }
    if (rows.type != TYPE_BOOL)
        return invalid(binding, NULL, "Write a condition.",
                       "its rows are not a boolean expression");
    if (!rows.immutable)
        return invalid(binding, NULL, immutable_hint, "its rows are not an immutable condition");
    if (!rows.total)
        return invalid(
            binding, NULL,
            "Use comparisons, IN, LIKE with a literal pattern, IS NULL, AND, OR and NOT.",
            "its rows could fail on some value");
    return STATUS_OK;
}

static const struct policy_mask *own_mask(const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->mask_count; i++)
        if (strcmp(policy->masks[i].name, name) == 0 && policy->masks[i].sql != NULL)
            return &policy->masks[i];
    return NULL;
}

/* A mask may read its own column only: what the others hold is not what was reviewed. */
static bool foreign_walker(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, ColumnRef))
        return strcmp(strVal(llast(((ColumnRef *)node)->fields)), context) != 0;
    return raw_expression_tree_walker(node, foreign_walker, context);
}

static enum status bind_own_mask(struct binding *binding, struct model_granted *granted,
                                 const struct policy_mask *mask)
{
    const struct catalog_column *column = granted->column->catalog;
    struct expression value;
    granted->mask = mask_fill(&binding->model->arena, mask->sql, column->name);
    if (granted->mask == NULL)
        return STATUS_NOMEM;
    enum status status = mask_rewrite(&binding->build, binding->grant->dataset, granted->mask,
                                      false, "a mask", &value);
    if (status != STATUS_OK) {
        error_prefix(binding->build.error, "mask %s", mask->name);
        put_in_front(binding, column->name);
        return status;
    }
    if (foreign_walker(value.node, (void *)(uintptr_t)column->name))
        return invalid(binding, column->name, "Use {column}.", "mask %s reads other columns",
                       mask->name);
    if (!value.immutable)
        return invalid(binding, column->name, immutable_hint, "mask %s on type %s is not immutable",
                       mask->name, column->type_name);
    granted->mask_total = value.total;
    granted->type = value.type == TYPE_UNKNOWN ? TYPE_TEXT : value.type;
    return STATUS_OK;
}

static enum status bind_mask(struct binding *binding, struct model_granted *granted)
{
    const char *reason = NULL;
    const struct catalog_column *column = granted->column->catalog;
    const struct policy_mask *own = own_mask(binding->model->policy, granted->policy->mask);
    struct expression value;
    granted->nullable = true;
    if (own != NULL)
        return bind_own_mask(binding, granted, own);
    granted->mask = mask_builtin(&binding->model->arena, granted->policy, column, &granted->type,
                                 &granted->mask_total, &reason);
    if (reason != NULL)
        return invalid(binding, column->name, "Use another mask, such as redact or null.",
                       "mask %s does not fit type %s: %s", granted->policy->mask, column->type_name,
                       reason);
    if (granted->mask == NULL)
        return STATUS_NOMEM;
    granted->mask_trusted = true;
    return mask_rewrite(&binding->build, binding->grant->dataset, granted->mask, true, "a mask",
                        &value);
}

static enum status bind_column(struct binding *binding, const struct policy_granted_column *policy,
                               struct model_granted *granted)
{
    const struct catalog_column *column = granted->column->catalog;
    granted->policy = policy;
    granted->form = policy->form;
    granted->nullable = !column->not_null;
    granted->unique = column->unique && policy->form != POLICY_FORM_MASKED;
    granted->type = resolve_column_type(column);
    if (policy->form == POLICY_FORM_MASKED)
        return bind_mask(binding, granted);
    if (policy->form == POLICY_FORM_TOKEN) {
        granted->type = TYPE_TEXT;
        if (!mask_token_type(column))
            return invalid(binding, column->name,
                           "Tokens are made of whole numbers, uuid, text and varchar.",
                           "a column of type %s cannot be a token", column->type_name);
        return STATUS_OK;
    }
    if (!column->type_builtin && column->type_category != 'E')
        return invalid(binding, column->name, "Use a mask, such as redact or null.",
                       "type %s is not built in, so it cannot be granted in clear",
                       column->type_name);
    return STATUS_OK;
}

static const struct policy_granted_column *find_granted(const struct policy_grant *grant,
                                                        size_t column)
{
    for (size_t i = 0; i < grant->column_count; i++)
        if (grant->columns[i].column == column)
            return &grant->columns[i];
    return NULL;
}

static enum status bind_grant(struct binding *binding)
{
    struct model_grant *grant = binding->grant;
    const struct model_dataset *dataset = grant->dataset;
    grant->columns =
        arena_array(&binding->model->arena, struct model_granted, dataset->column_count + 1);
    if (grant->columns == NULL)
        return STATUS_NOMEM;
    TRY(bind_rows(binding));
    for (size_t c = 0; c < dataset->column_count; c++) {
        const struct policy_granted_column *policy = find_granted(grant->policy, c);
        if (policy == NULL)
            continue;
        struct model_granted *granted = &grant->columns[grant->column_count++];
        granted->column = &dataset->columns[c];
        TRY(bind_column(binding, policy, granted));
    }
    return STATUS_OK;
}

static enum status bind_partner(struct model *model, const struct policy_partner *partner,
                                struct error *error)
{
    for (size_t g = 0; g < partner->grant_count; g++) {
        struct model_grant *grant = &model->grants[model->grant_count++];
        grant->partner = partner;
        grant->policy = &partner->grants[g];
        grant->dataset = &model->datasets[partner->grants[g].dataset];
        struct binding binding = {.model = model,
                                  .partner = partner,
                                  .grant = grant,
                                  .build = {.error = error, .model = model}};
        TRY(bind_grant(&binding));
        TRY(model_check_write(model, grant, error));
    }
    return STATUS_OK;
}

enum status model_bind_grants(struct model *model, struct error *error)
{
    const struct policy *policy = model->policy;
    struct parse_scope scope;
    size_t count = 0;
    for (size_t p = 0; p < policy->partner_count; p++)
        count += policy->partners[p].grant_count;
    model->grants = arena_array(&model->arena, struct model_grant, count + 1);
    if (model->grants == NULL)
        return STATUS_NOMEM;
    enum status status = STATUS_OK;
    parse_begin(&scope);
    for (size_t p = 0; status == STATUS_OK && p < policy->partner_count; p++)
        status = bind_partner(model, &policy->partners[p], error);
    parse_end(&scope);
    return status;
}

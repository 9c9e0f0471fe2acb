/* Pins: conditions that compare a subject key with values which the statement itself brings. All
 * rows of the reading meet them, so whatever does not come back is known to be missing.
 * Seen are =, IS NOT DISTINCT FROM, IN and = ANY, over constants and parameters, each under one
 * cast at most, by themselves, in row values and under AND and OR. Not seen is what only
 * amounts to such a condition: ranges, NOT, expressions, joins to a list, HAVING. Tokens are not
 * seen either: whose they are is not known here. */
#include "sql/plan/plan_probe.h"

#include "sql/allow/allow.h"

/* One side of a comparison, a column of a fence; and what is found out of the other. */
struct finding {
    struct level *level;
    const struct fence *fence;
    const struct model_granted *granted;
};

/* ---- the plan's lists ---- */

static struct plan_pinned *pinned_of(struct build *build, size_t kind, size_t *index)
{
    struct plan *plan = build->plan;
    if (plan->pinned == NULL)
        plan->pinned =
            arena_array(&plan->arena, struct plan_pinned, build->model->policy->kind_count + 1);
    if (plan->pinned == NULL)
        return NULL;
    for (*index = 0; *index < plan->pinned_count; (*index)++)
        if (plan->pinned[*index].kind == kind)
            return &plan->pinned[*index];
    plan->pinned[plan->pinned_count++] = (struct plan_pinned){.kind = kind};
    return &plan->pinned[*index];
}

static enum status add_pin(const struct finding *finding, const struct model_subject *subject,
                           struct plan_pin pin)
{
    struct build *build = finding->level->build;
    struct plan_pinned *pinned = pinned_of(build, subject->policy->kind, &pin.pinned);
    struct plan_pin *added = arena_new(&build->plan->arena, struct plan_pin);
    if (pinned == NULL || added == NULL)
        return STATUS_NOMEM;
    pinned->fences |= UINT64_C(1) << finding->fence->index;
    pin.type = subject->key->type_oid;
    pin.next = build->plan->pins;
    *added = pin;
    build->plan->pins = added;
    return STATUS_OK;
}

/* The column of the fence's own table that holds the subject's key; NULL if none does. */
static const struct catalog_column *key_column(const struct model_subject *subject)
{
    if (subject->hop_count == 0)
        return subject->key;
    if (subject->hop_count == 1 && subject->hops[0].parent_column == subject->key)
        return subject->hops[0].child_column;
    return NULL;
}

static enum status add_pins(const struct finding *finding, struct plan_pin pin)
{
    const struct model_dataset *dataset = finding->fence->grant->dataset;
    for (size_t s = 0; s < dataset->subject_count; s++)
        if (key_column(&dataset->subjects[s]) == finding->granted->column->catalog)
            TRY(add_pin(finding, &dataset->subjects[s], pin));
    return STATUS_OK;
}

/* ---- values ---- */

static const char *constant_text(struct build *build, const A_Const *constant)
{
    const char *text = NULL;
    char number[16];
    if (IsA(&constant->val, Integer)) {
        (void)snprintf(number, sizeof number, "%d", constant->val.ival.ival);
        text = number;
    } else if (IsA(&constant->val, Float)) {
        text = constant->val.fval.fval;
    } else if (IsA(&constant->val, String)) {
        text = constant->val.sval.sval;
    }
    return text == NULL ? NULL : arena_strdup(&build->plan->arena, text);
}

/* A constant or parameter, as it stands behind the cast that the pin tells of. */
static enum status pin_value(const struct finding *finding, const Node *node, struct plan_pin pin)
{
    if (IsA(node, ParamRef)) {
        pin.parameter = (uint32_t)((const ParamRef *)node)->number;
        return add_pins(finding, pin);
    }
    if (!IsA(node, A_Const) || ((const A_Const *)node)->isnull)
        return STATUS_OK;
    pin.text = constant_text(finding->level->build, (const A_Const *)node);
    return pin.text == NULL ? STATUS_OK : add_pins(finding, pin);
}

/* A cast with a modifier may cut the value: varchar(3). */
static enum status pin_cast(const struct finding *finding, const TypeCast *cast, bool array)
{
    const TypeName *type = cast->typeName;
    uint32_t oid = allow_type(strVal(llast(type->names)));
    if (oid == 0 || type->typmods != NIL || (type->arrayBounds != NIL) != array)
        return STATUS_OK;
    return pin_value(finding, cast->arg, (struct plan_pin){.cast = oid, .array = array});
}

static enum status pin_one(const struct finding *finding, const Node *node)
{
    if (IsA(node, TypeCast))
        return pin_cast(finding, (const TypeCast *)node, false);
    return pin_value(finding, node, (struct plan_pin){0});
}

static enum status pin_list(const struct finding *finding, const List *values)
{
    const ListCell *cell;
    foreach (cell, values)
        TRY(pin_one(finding, lfirst(cell)));
    return STATUS_OK;
}

static enum status pin_array(const struct finding *finding, const Node *node)
{
    const Node *inside = IsA(node, TypeCast) ? ((const TypeCast *)node)->arg : node;
    if (IsA(inside, A_ArrayExpr))
        return pin_list(finding, ((const A_ArrayExpr *)inside)->elements);
    if (IsA(node, TypeCast))
        return pin_cast(finding, (const TypeCast *)node, true);
    return pin_value(finding, node, (struct plan_pin){.array = true});
}

/* ---- conditions ---- */

/* Is the node a column of a dataset that is shown as it is stored, all of whose rows are `held`? */
static bool find_column(struct level *level, const Node *node, uint64_t held,
                        struct finding *finding)
{
    size_t index;
    const struct relation *relation = resolve_bare(level, node, &index);
    if (relation == NULL || !(held & UINT64_C(1) << relation->index) ||
        relation->columns[index].fence == NULL)
        return false;
    const struct column *column = &relation->columns[index];
    *finding = (struct finding){.level = level,
                                .fence = column->fence,
                                .granted = &column->fence->grant->columns[column->granted]};
    return finding->granted->form == POLICY_FORM_CLEAR && finding->granted->mask == NULL;
}

static enum status note_equality(struct level *level, const Node *left, const Node *right,
                                 uint64_t held);

/* (a, b) = (1, 2) */
static enum status note_rows(struct level *level, const List *left, const List *right,
                             uint64_t held)
{
    for (int i = 0; i < list_length(left) && i < list_length(right); i++)
        TRY(note_equality(level, list_nth(left, i), list_nth(right, i), held));
    return STATUS_OK;
}

static enum status note_equality(struct level *level, const Node *left, const Node *right,
                                 uint64_t held)
{
    struct finding finding;
    if (left == NULL || right == NULL)
        return STATUS_OK;
    if (IsA(left, RowExpr) && IsA(right, RowExpr))
        return note_rows(level, ((const RowExpr *)left)->args, ((const RowExpr *)right)->args,
                         held);
    if (find_column(level, left, held, &finding))
        TRY(pin_one(&finding, right));
    return find_column(level, right, held, &finding) ? pin_one(&finding, left) : STATUS_OK;
}

static enum status note_in(struct level *level, const Node *left, const List *values, uint64_t held)
{
    const ListCell *cell;
    foreach (cell, values)
        TRY(note_equality(level, left, lfirst(cell), held));
    return STATUS_OK;
}

static enum status note_operator(struct level *level, const A_Expr *node, uint64_t held)
{
    struct finding finding;
    if (node->kind == AEXPR_NOT_DISTINCT)
        return note_equality(level, node->lexpr, node->rexpr, held);
    if (strcmp(strVal(llast(node->name)), "=") != 0)
        return STATUS_OK;
    switch (node->kind) {
    case AEXPR_OP:
        return note_equality(level, node->lexpr, node->rexpr, held);
    case AEXPR_IN:
        return note_in(level, node->lexpr, (const List *)node->rexpr, held);
    case AEXPR_OP_ANY:
        return find_column(level, node->lexpr, held, &finding) ? pin_array(&finding, node->rexpr)
                                                               : STATUS_OK;
    default:
        return STATUS_OK;
    }
}

/* Under OR, too: a row that meets none of the parts is missing like any other. */
static enum status note_condition(struct level *level, const Node *node, uint64_t held)
{
    const ListCell *cell;
    if (IsA(node, A_Expr))
        return note_operator(level, (const A_Expr *)node, held);
    if (!IsA(node, BoolExpr) || ((const BoolExpr *)node)->boolop == NOT_EXPR)
        return STATUS_OK;
    foreach (cell, ((const BoolExpr *)node)->args)
        TRY(note_condition(level, lfirst(cell), held));
    return STATUS_OK;
}

enum status probe_note(struct level *level)
{
    for (size_t i = 0; i < level->conjunct_count; i++)
        TRY(note_condition(level, level->conjuncts[i].node, level->conjuncts[i].holds));
    return STATUS_OK;
}

enum status probe_finish(struct build *build)
{
    struct plan *plan = build->plan;
    for (size_t i = 0; i < plan->pinned_count; i++) {
        struct plan_pinned *pinned = &plan->pinned[i];
        TRY(lineage_columns(build, pinned->fences, &pinned->columns, &pinned->column_count));
        plan_explain(build, "probe", "keys of %s that the statement names, where none comes back",
                     build->model->policy->kinds[pinned->kind].name);
    }
    return STATUS_OK;
}

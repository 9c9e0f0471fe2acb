/* Lineage: hidden subject keys from every fence to the output, and what the plan says of them.
 * A row of plain joins carries the key of each fence; a group carries, for each, the set of its
 * members. Invariant: a level's keys are all the keys of its relations; none is dropped, whether
 * or not its columns are selected, for conditions read too. */
#include <string.h>

#include "sql/lineage/closure.h"
#include "sql/plan/plan_explain.h"
#include "sql/plan/plan_probe.h"

static void add_target(SelectStmt *select, Node *value, const char *name)
{
    select->targetList = lappend(select->targetList, rewrite_target(value, name));
}

enum status lineage_add(struct carried_key **keys, size_t *count, struct build *build,
                        struct carried_key key)
{
    if (*count == LIMIT_TARGETS)
        return plan_refuse(build, "54011", "Read fewer datasets.",
                           "more than %d keys would have to be carried", LIMIT_TARGETS);
    *keys = plan_grow(*keys, *count, sizeof **keys);
    (*keys)[(*count)++] = key;
    return STATUS_OK;
}

enum status lineage_open(struct level *level)
{
    for (size_t i = 0; i < level->relation_count; i++) {
        const struct relation *relation = level->relations[i];
        for (size_t k = 0; k < relation->key_count; k++) {
            struct carried_key key = relation->keys[k];
            key.extended = key.extended || relation->extended;
            key.absent = key.absent || (relation->missing & UINT64_C(1) << key.fence->index) != 0;
            key.row = closure_row(level->build, relation, key.row);
            key.node = rewrite_column(relation->alias, key.name);
            TRY(lineage_add(&level->body, &level->body_count, level->build, key));
        }
    }
    return lineage_open_marks(level);
}

uint64_t lineage_fences(const struct carried_key *keys, size_t count)
{
    uint64_t fences = 0;
    for (size_t i = 0; i < count; i++)
        fences |= keys[i].also | UINT64_C(1) << keys[i].fence->index;
    return fences;
}

uint64_t lineage_missing(const struct level *level, const struct expression *value)
{
    uint64_t missing = value->missing;
    if (!level->grouped || !value->aggregate)
        return missing;
    if (level->group_count == 0 || level->grouping_sets)
        return missing | level->fences; /* the row is there even if nobody is */
    for (size_t k = 0; k < level->body_count; k++)
        if (level->body[k].absent)
            missing |= lineage_fences(&level->body[k], 1);
    return missing;
}

static bool groups_are_stable(const struct level *level)
{
    for (size_t i = 0; i < level->group_count; i++)
        if (level->groups[i].unstable)
            return false;
    return true;
}

/* Something that is always true and names a row of the level; NULL: not found. */
static Node *about_own_row(const struct level *level)
{
    uint64_t own = plan_own_relations(level);
    Node *column = NULL;
    for (size_t g = 0; g < level->group_count; g++)
        if (IsA(level->groups[g].plain, ColumnRef) && (level->groups[g].relations & own))
            column = level->groups[g].plain;
    for (size_t k = 0; k < level->body_count; k++)
        if (IsA(level->body[k].node, ColumnRef))
            column = level->body[k].node;
    if (column == NULL)
        return NULL;
    return rewrite_boolean_test(rewrite_not_null(copyObject(column)), IS_NOT_UNKNOWN);
}

/* An aggregate over columns of a level around, as a sub-select may be, would be that level's. */
static enum status add_set(struct level *level, struct carried_key key)
{
    bool bare = IsA(key.node, ColumnRef);
    Node *member = key.node;
    Node *set = lineage_set(level, &key);
    if (!bare && level->outer_reads != 0)
        lineage_set_aggregate(set)->agg_filter = about_own_row(level);
    key.marked = lineage_marks_key(level, &key);
    key.node = key.marked ? lineage_marked_set(level, member, NULL) : set;
    key.member = member;
    key.depth++;
    if (key.grade == PLAN_GRADE_AGGREGATE)
        key.grade = PLAN_GRADE_DIRECT; /* of several figures at once no set tells what they show */
    key.why = "all members of the group";
    return lineage_add(&level->keys, &level->key_count, level->build, key);
}

/* min() of the key, and max(), which must be the same: what is proved is seen to as well. */
static enum status add_both_ends(struct level *level, struct carried_key key)
{
    Node *value = key.node;
    key.node = rewrite_call("min", list_make1(value));
    TRY(lineage_add(&level->keys, &level->key_count, level->build, key));
    key.name = NULL;
    key.repeats = true;
    key.node = rewrite_call("max", list_make1(copyObject(value)));
    return lineage_add(&level->keys, &level->key_count, level->build, key);
}

/* A group of one person has a key, not a set, and goes with them. *one: it is so. */
static enum status group_key(struct level *level, struct carried_key key, bool *one)
{
    const struct policy_partner *partner = level->build->request->partner;
    Node *column;
    *one = partner->mode != POLICY_MODE_AGGREGATES && closure_determines(level, &key, &column);
    if (*one && column != NULL) {
        key.node = copyObject(column);
        return lineage_add(&level->keys, &level->key_count, level->build, key);
    }
    bool has_ends = key.fence->grant->dataset->subjects[key.subject].key->type_oid != TYPE_UUID;
    return *one && level->top && has_ends ? add_both_ends(level, key) : add_set(level, key);
}

/* Values of such types may be equal and still not look the same, as 1.0 and 1.00 do: a group shows
 * that of one of its members. 0: who knows. */
static bool looks_differ(uint32_t type)
{
    uint32_t element = type == TYPE_UNKNOWN ? 0 : resolve_element_type(type);
    return type == 0 || type == TYPE_NUMERIC || type == TYPE_FLOAT4 || type == TYPE_FLOAT8 ||
           type == TYPE_INTERVAL || type == TYPE_JSONB || type == TYPE_BPCHAR ||
           type == TYPE_RECORD || (element != 0 && looks_differ(element));
}

/* Another member's look in its stead: a change, to whatever reads it above or in HAVING. */
static void note_looks(struct level *level)
{
    bool differ = false;
    for (size_t i = 0; i < level->group_count; i++)
        differ = differ || looks_differ(level->groups[i].type);
    if (!differ)
        return;
    level->changes |= lineage_fences(level->body, level->body_count);
    for (size_t i = 0; i < level->target_count; i++)
        level->targets[i].value.unstable =
            level->targets[i].value.unstable || !level->targets[i].value.literal;
    if (level->having)
        level->grows |= level->changes;
}

/* All their people are recorded anyhow. */
static uint64_t settled_fences(const struct build *build)
{
    uint64_t fences = 0;
    for (size_t i = 0; i < build->fence_count; i++)
        if (build->fences[i]->settled != 0)
            fences |= UINT64_C(1) << i;
    return fences;
}

static bool are_sets(const struct level *level)
{
    for (size_t k = 0; k < level->key_count; k++)
        if (level->keys[k].depth == 0)
            return false;
    return level->key_count > 0;
}

/* A group that changes may come in. Those of a plain statistic all come to the gateway: whether one
 * is left out is told of its people as its figure would be. */
static enum status settle_having(struct level *level)
{
    uint64_t changes = level->changes;
    level->keeps = level->keeps && changes != 0 && are_sets(level);
    if (level->keeps)
        return STATUS_OK;
    if ((changes & ~settled_fences(level->build)) != 0)
        TRY(settle_level(level, PLAN_GRADE_INFLUENCE,
                         "HAVING: whoever makes a group what it is may keep it out by that"));
    level->changes = changes; /* those whom it lets through are some that it picks */
    level->grows |= changes;
    return STATUS_OK;
}

/* What grouping does to keys, and to what a deletion may add (docs/decisions/0010). */
static enum status group_keys(struct level *level)
{
    bool stable = level->group_count == 0 || groups_are_stable(level);
    if (level->aggregated)
        settle_growth(
            level, !stable,
            "input of a GROUP BY: without one of them other rows might come into a group");
    else if (!stable)
        level->grows |= level->changes;
    if (!level->aggregated)
        level->changes = 0;
    if (level->build->request->partner->mode != POLICY_MODE_AGGREGATES)
        closure_reduce_groups(level);
    for (size_t k = 0; k < level->body_count; k++) {
        bool one;
        TRY(group_key(level, level->body[k], &one));
        if (level->aggregated && !one && !closure_belongs(level, &level->body[k]))
            level->changes |= lineage_fences(&level->body[k], 1);
    }
    if (level->having_unstable || level->rows_unstable)
        TRY(settle_having(level));
    if (!level->top)
        note_looks(level);
    return STATUS_OK;
}

enum status lineage_group(struct level *level)
{
    if (level->grouped) {
        TRY(group_keys(level));
    } else {
        level->keys = level->body;
        level->key_count = level->body_count;
    }
    if (level->minds_order && level->changes == 0)
        level->picks = true; /* nobody's leaving changes it, but a second evaluation may */
    level->changes |= lineage_fences(level->above_groups, level->above_groups_count);
    for (size_t k = 0; k < level->above_groups_count; k++)
        TRY(lineage_add(&level->keys, &level->key_count, level->build, level->above_groups[k]));
    if (level->rows_unstable)
        level->grows |= level->changes;
    if (!level->windows)
        return STATUS_OK;
    level->picks = true;
    return settle_level(level, level->shows_others ? PLAN_GRADE_DIRECT : PLAN_GRADE_INFLUENCE,
                        level->shows_others
                            ? "whole input: window functions show values of other rows"
                            : "whole input: window functions count other rows");
}

/* One boolean upward: no row below was one that a policy hides. */
static void carry_policy(struct level *level, SelectStmt *select)
{
    Node *all = guard_row(level);
    if (all == NULL)
        return;
    level->policy = plan_hidden_name();
    add_target(select, all, level->policy);
}

static List *bare_columns(Node *argument)
{
    if (IsA(argument, A_Expr))
        return list_make2(((A_Expr *)argument)->lexpr, ((A_Expr *)argument)->rexpr);
    return list_make1(argument);
}

/* NULL in the table, or because an outer join, however deep, has found no row. */
static bool may_be_null(const struct relation *relation, size_t index)
{
    const struct column *column = &relation->columns[index];
    if (relation->extended)
        return true;
    if (relation->fence != NULL)
        return relation->fence->grant->columns[column->granted].nullable;
    return column->source == NULL || may_be_null(column->source, column->source_column);
}

/* "Every column of it has a value", or NULL where that is always so. */
static Node *has_value(const struct level *level, Node *argument)
{
    Node *all = NULL;
    ListCell *cell;
    foreach (cell, bare_columns(argument)) {
        size_t index;
        const struct relation *relation = resolve_bare(level, lfirst(cell), &index);
        if (may_be_null(relation, index))
            all = rewrite_and(all, rewrite_not_null(copyObject((Node *)lfirst(cell))));
    }
    return all;
}

List *lineage_value_filters(const struct level *level)
{
    List *filters = NIL;
    ListCell *cell;
    foreach (cell, level->counted) {
        Node *filter = has_value(level, lfirst(cell));
        bool known = filter == NULL;
        ListCell *other;
        foreach (other, filters)
            known = known || equal(lfirst(other), filter);
        if (!known)
            filters = lappend(filters, filter);
    }
    return filters;
}

/* sum() and avg() over a column show the one value among many NULLs: those who have a value are a
 * set of their own, which must be large enough too. */
static enum status carry_threshold(struct level *level, SelectStmt *select, size_t keys,
                                   Node *filter)
{
    if (level->target_count + level->key_count + keys > LIMIT_TARGETS)
        return plan_refuse(level->build, "54011", "Use fewer aggregates.",
                           "too many aggregates over columns that may be NULL");
    for (size_t k = 0; k < keys; k++) {
        struct carried_key key = level->keys[k];
        if (key.depth == 0)
            continue; /* one person's group is below any threshold */
        if (key.marked) {
            key.node = lineage_marked_set(level, key.member, filter);
        } else {
            key.node = copyObject(key.node);
            lineage_set_aggregate(key.node)->agg_filter = copyObject(filter);
        }
        key.threshold_only = true;
        key.name = plan_hidden_name();
        TRY(lineage_add(&level->keys, &level->key_count, level->build, key));
        add_target(select, key.node, key.name);
    }
    return STATUS_OK;
}

static enum status carry_thresholds(struct level *level, SelectStmt *select)
{
    size_t keys = level->key_count;
    ListCell *cell;
    foreach (cell, lineage_value_filters(level))
        TRY(carry_threshold(level, select, keys, lfirst(cell)));
    return STATUS_OK;
}

/* Two keys of one level may have come under one name: a WITH query that is read twice. */
static const char *output_name(const struct level *level, size_t index)
{
    const char *name = level->keys[index].name;
    for (size_t k = 0; name != NULL && k < level->key_count; k++)
        if (k != index && level->keys[k].name != NULL && strcmp(level->keys[k].name, name) == 0)
            return plan_hidden_name();
    return name == NULL ? plan_hidden_name() : name;
}

enum status lineage_carry(struct level *level, SelectStmt *select)
{
    if (level->target_count + level->key_count > LIMIT_TARGETS)
        return plan_refuse(level->build, "54011", "Select fewer columns.",
                           "target lists can have at most %d entries", LIMIT_TARGETS);
    for (size_t k = 0; k < level->key_count; k++) {
        level->keys[k].name = output_name(level, k);
        add_target(select, level->keys[k].node, level->keys[k].name);
    }
    TRY(lineage_carry_marks(level, select));
    if (!level->top)
        carry_policy(level, select);
    else if (level->grouped && level->plain_statistic)
        TRY(carry_thresholds(level, select));
    if (level->keeps) {
        level->passed = plan_hidden_name();
        add_target(select, rewrite_case(level->passes, rewrite_boolean(true)), level->passed);
        level->build->plan->keeps_left_out = true;
    }
    return STATUS_OK;
}

/* a.x = b.y, both bare. */
static bool is_plain_join(const struct level *level, const Node *node)
{
    size_t column;
    const A_Expr *expression = (const A_Expr *)node;
    return IsA(node, A_Expr) && expression->kind == AEXPR_OP && expression->lexpr != NULL &&
           strcmp(strVal(llast(expression->name)), "=") == 0 &&
           resolve_bare(level, expression->lexpr, &column) != NULL &&
           resolve_bare(level, expression->rexpr, &column) != NULL;
}

/* A join by anything but columns' equality could let one person count as often as a value of theirs
 * says, among many who count once. */
static enum status check_joins(const struct level *level)
{
    for (size_t i = 0; i < level->conjunct_count; i++) {
        const struct conjunct *conjunct = &level->conjuncts[i];
        bool joins = (conjunct->relations & (conjunct->relations - 1)) != 0;
        bool keeps = !conjunct->where && conjunct->outer;
        if ((joins || keeps) && !is_plain_join(level, conjunct->node))
            return plan_refuse(level->build, "42501", "Join by equality of columns.",
                               "this partner gets statistics only: its joins compare columns for "
                               "equality, and nothing else");
    }
    return STATUS_OK;
}

enum status lineage_check_mode(struct level *level)
{
    struct build *build = level->build;
    if (build->request->partner->mode != POLICY_MODE_AGGREGATES)
        return STATUS_OK;
    bool people = level->key_count > 0;
    TRY(check_joins(level));
    if (build->once != NULL || build->sublinks || build->settled ||
        (people && (level->windows || level->grouping_sets || level->picks)))
        return plan_refuse(level->build, "42501",
                           "Join the datasets, and group in the outermost SELECT.",
                           "this partner gets statistics only: sub-selects in expressions, window "
                           "functions, grouping sets, and what else needs more than one set of "
                           "people, are not granted");
    if (level->key_count == 0)
        return STATUS_OK;
    if (level->top && build->steered)
        return plan_refuse(level->build, "42501",
                           "Dates can be cut by extract(), date_trunc() and to_char(), whole "
                           "numbers by / and %, ratios taken with nullif(x, 0); compute the rest "
                           "from what you get.",
                           "this partner gets statistics only: an expression that may fail would "
                           "tell of the person for whom it does");
    if (!level->top && level->grouped)
        return plan_refuse(level->build, "42501", "Group in the outermost SELECT.",
                           "this partner gets statistics only: sub-selects cannot group");
    if (level->top && !(level->grouped && level->plain_statistic))
        return plan_refuse(level->build, "42501",
                           "Use count, sum, avg, stddev and variance over plain columns, with or "
                           "without GROUP BY.",
                           "this partner gets statistics only: single rows and other aggregates "
                           "are not granted");
    for (size_t k = 0; level->top && level->grouped && k < level->key_count; k++)
        if (!level->keys[k].marked)
            return plan_refuse(level->build, "42501",
                               "Read the datasets in FROM itself, or in plain "
                               "sub-selects and WITH queries there.",
                               "this partner gets statistics only: which rows of a person are in "
                               "one must be known, and here it is not");
    return STATUS_OK;
}

static int compare_columns(const void *a, const void *b)
{
    const struct plan_column *left = a, *right = b;
    int order = strcmp(left->dataset, right->dataset);
    if (order == 0)
        order = strcmp(left->column, right->column);
    return order != 0 ? order : (int)left->form - (int)right->form;
}

/* Some reading of the dataset under this grant reads the column: a person who got into the result
 * by one of them may as well have been passed over by another. */
static bool is_read(const struct build *build, const struct model_grant *grant, size_t column)
{
    for (size_t f = 0; f < build->fence_count; f++)
        if (build->fences[f]->grant == grant && build->fences[f]->read[column])
            return true;
    return false;
}

static size_t fence_columns(const struct build *build, const struct fence *fence,
                            struct plan_column *out)
{
    const struct model_grant *grant = fence->grant;
    size_t count = 0;
    for (size_t i = 0; i < grant->column_count; i++) {
        const struct policy_column *column = grant->columns[i].column->policy;
        if (is_read(build, grant, i))
            out[count++] = (struct plan_column){.dataset = grant->dataset->policy->name,
                                                .column = column->name,
                                                .category = column->category,
                                                .form = grant->columns[i].form};
    }
    qsort(out, count, sizeof *out, compare_columns);
    return count;
}

/* Sorted, each once. */
static size_t unique_columns(struct plan_column *columns, size_t count)
{
    size_t kept = 0;
    qsort(columns, count, sizeof *columns, compare_columns);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_columns(&columns[kept - 1], &columns[i]) != 0)
            columns[kept++] = columns[i];
    return kept;
}

enum status lineage_columns(struct build *build, uint64_t fences, const struct plan_column **out,
                            size_t *out_count)
{
    size_t room = 1, count = 0;
    for (uint64_t before = 0; before != fences;) {
        before = fences;
        for (size_t f = 0; f < build->fence_count; f++)
            if (before & UINT64_C(1) << f)
                fences |= build->fences[f]->also;
    }
    for (size_t f = 0; f < build->fence_count; f++)
        if (fences & UINT64_C(1) << f)
            room += build->fences[f]->grant->column_count;
    struct plan_column *columns = arena_array(&build->plan->arena, struct plan_column, room);
    if (columns == NULL)
        return STATUS_NOMEM;
    for (size_t f = 0; f < build->fence_count; f++)
        if (fences & UINT64_C(1) << f)
            count += fence_columns(build, build->fences[f], columns + count);
    *out = columns;
    *out_count = unique_columns(columns, count);
    return STATUS_OK;
}

/* Rows of plain joins, and nothing that a row which was passed over could take away or change: then
 * a person is there by the very readings whose keys the row carries, and by no other. */
static bool is_plain(const struct level *level)
{
    const struct build *build = level->build;
    bool plain =
        build->once == NULL && !build->sublinks && level->changes == 0 && level->grows == 0;
    for (size_t r = 0; r < build->relation_count; r++)
        plain = plain && !build->relations[r]->extended;
    for (size_t k = 0; k < level->key_count; k++)
        plain = plain && level->keys[k].depth == 0;
    return plain;
}

/* Otherwise what any reading of rows about that kind of people reads is a column of theirs that the
 * statement could read: a condition on it may have passed their row over, and that decided. */
static uint64_t fences_about(const struct build *build, size_t kind)
{
    uint64_t fences = 0;
    for (size_t f = 0; f < build->fence_count; f++) {
        const struct model_dataset *dataset = build->fences[f]->grant->dataset;
        for (size_t s = 0; s < dataset->subject_count; s++)
            if (dataset->subjects[s].policy->kind == kind)
                fences |= UINT64_C(1) << f;
    }
    return fences;
}

static enum status hidden_column(struct build *build, const struct carried_key *key, bool once,
                                 bool plain, struct plan_hidden *out)
{
    const struct model_grant *grant = key->fence->grant;
    const struct policy_subject *subject = &grant->dataset->policy->subjects[key->subject];
    *out = (struct plan_hidden){.kind = subject->kind,
                                .depth = key->depth,
                                .once = once,
                                .extended = key->extended,
                                .threshold_only = key->threshold_only,
                                .equals_previous = key->repeats,
                                .marked = key->marked,
                                .when_null = subject->when_null,
                                .grade = key->grade};
    uint64_t fences = plain ? lineage_fences(key, 1) : fences_about(build, subject->kind);
    TRY(lineage_columns(build, fences, &out->columns, &out->column_count));
    plan_explain_hidden(build, key, out);
    return STATUS_OK;
}

/* Of the rows, and behind them those of the statement. */
static enum status hidden_columns(struct level *level)
{
    struct build *build = level->build;
    struct plan *plan = build->plan;
    size_t count = level->key_count, at = 0;
    bool plain = is_plain(level);
    for (const struct once *once = build->once; once != NULL; once = once->next)
        count += once->key_count;
    if (count > LIMIT_TARGETS)
        return plan_refuse(build, "54011", "Read fewer datasets.",
                           "more than %d keys would have to be carried", LIMIT_TARGETS);
    struct plan_hidden *hidden = arena_array(&plan->arena, struct plan_hidden, count + 1);
    if (hidden == NULL)
        return STATUS_NOMEM;
    for (size_t k = 0; k < level->key_count; k++)
        TRY(hidden_column(build, &level->keys[k], false, plain, &hidden[at++]));
    for (const struct once *once = build->once; once != NULL; once = once->next)
        for (size_t k = 0; k < once->key_count; k++)
            TRY(hidden_column(build, &once->keys[k], true, plain, &hidden[at++]));
    plan->hidden = hidden;
    plan->hidden_count = count;
    plan->has_once = build->once != NULL;
    return STATUS_OK;
}

/* Every column that the statement could read, whatever the fence. */
static enum status all_columns(struct build *build)
{
    size_t room = 1, count = 0;
    for (size_t i = 0; i < build->fence_count; i++)
        room += build->fences[i]->grant->column_count;
    struct plan_column *columns = arena_array(&build->plan->arena, struct plan_column, room);
    if (columns == NULL)
        return STATUS_NOMEM;
    for (size_t i = 0; i < build->fence_count; i++)
        count += fence_columns(build, build->fences[i], columns + count);
    build->plan->columns = columns;
    build->plan->column_count = unique_columns(columns, count);
    return STATUS_OK;
}

/* Rows of such a dataset are counted, or only looked for: the partner has a use for it all the
 * same. */
static enum status counted_datasets(struct build *build)
{
    enum { COUNTED_BYTES = 400 };
    const char *counted = "";
    for (size_t i = 0; i < build->fence_count; i++) {
        const struct model_grant *grant = build->fences[i]->grant;
        bool passed = false;
        for (size_t j = 0; j < i; j++)
            passed = passed || build->fences[j]->grant == grant;
        for (size_t c = 0; c < grant->column_count; c++)
            passed = passed || is_read(build, grant, c);
        if (!passed)
            counted = arena_printf(&build->plan->arena, "%s%s%s", counted,
                                   counted[0] == '\0' ? "" : " ", grant->dataset->policy->name);
        if (counted == NULL)
            return STATUS_NOMEM;
    }
    build->plan->counted = strlen(counted) <= COUNTED_BYTES ? counted : "*";
    return STATUS_OK;
}

enum status lineage_finish(struct level *level)
{
    struct plan *plan = level->build->plan;
    const struct policy_partner *partner = level->build->request->partner;
    plan->fence_count = level->build->fence_count;
    plan->statistic = level->grouped && level->plain_statistic && level->key_count > 0 &&
                      level->build->once == NULL && !level->build->sublinks;
    plan->suppress_small = plan->statistic && partner->mode == POLICY_MODE_AGGREGATES;
    plan->min_subjects = partner->min_subjects;
    TRY(hidden_columns(level));
    TRY(lineage_finish_marks(level));
    TRY(counted_datasets(level->build));
    return all_columns(level->build);
}

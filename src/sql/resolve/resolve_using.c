/* USING and NATURAL: an equality for each name that both sides have, and one column that stands for
 * the two. Of which side its value is, and of which type, follows PostgreSQL (parse_clause.c,
 * buildMergedJoinVar): the type is the common one of both; of an inner join the side that has this
 * type goes on, of LEFT and RIGHT the one that is kept, of FULL the first that is there. */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/plan/plan_build.h"

/* Each type of a ladder becomes the next by a cast that PostgreSQL makes unasked. */
enum ladder { LADDER_NUMBER, LADDER_DATE, LADDER_TIME, LADDER_TEXT };

static const struct step {
    enum ladder ladder;
    uint32_t type;
} steps[] = {
    {LADDER_NUMBER, TYPE_INT2},    {LADDER_NUMBER, TYPE_INT4},    {LADDER_NUMBER, TYPE_INT8},
    {LADDER_NUMBER, TYPE_NUMERIC}, {LADDER_NUMBER, TYPE_FLOAT4},  {LADDER_NUMBER, TYPE_FLOAT8},
    {LADDER_DATE, TYPE_DATE},      {LADDER_DATE, TYPE_TIMESTAMP}, {LADDER_DATE, TYPE_TIMESTAMPTZ},
    {LADDER_TIME, TYPE_TIME},      {LADDER_TIME, TYPE_TIMETZ},    {LADDER_TEXT, TYPE_TEXT},
    {LADDER_TEXT, TYPE_VARCHAR},   {LADDER_TEXT, TYPE_BPCHAR},
};

static const struct step *step_of(uint32_t type)
{
    for (size_t i = 0; i < lengthof(steps); i++)
        if (steps[i].type == type)
            return &steps[i];
    return NULL;
}

/* select_common_type() of parse_coerce.c; 0: there is none, or it is not known. Texts become each
 * other both ways, so the left one's type stays. */
static uint32_t common_type(uint32_t left, uint32_t right)
{
    const struct step *l = step_of(left), *r = step_of(right);
    if (left == right)
        return left;
    if (l == NULL || r == NULL || l->ladder != r->ladder)
        return 0;
    return l->ladder == LADDER_TEXT || l > r ? left : right;
}

static const char *name_of(const struct name *entry)
{
    return entry->relation->columns[entry->column].name;
}

static uint32_t type_of(const struct name *entry)
{
    return entry->inner != NULL ? entry->type : entry->relation->columns[entry->column].type;
}

/* The one entry of that name, taken out of the list. */
static enum status take_entry(struct level *level, struct names *names, const char *name,
                              const char *side, struct name *out)
{
    size_t found = names->count;
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(name_of(&names->entries[i]), name) != 0)
            continue;
        if (found != names->count)
            return plan_refuse(level->build, "42702", "Use ON.",
                               "common column name \"%s\" appears more than once in %s table", name,
                               side);
        found = i;
    }
    if (found == names->count)
        return plan_refuse(level->build, "42703", "Use ON, with columns that both sides have.",
                           "column \"%s\" specified in USING clause does not exist in %s table or "
                           "is not granted",
                           name, side);
    *out = names->entries[found];
    memmove(&names->entries[found], &names->entries[found + 1],
            (names->count - found - 1) * sizeof *names->entries);
    names->count--;
    return STATUS_OK;
}

/* What stands behind the first of a merged column: the left one's others, then the right one. */
static const struct name *chain(const struct name *left, const struct name *right)
{
    struct name *copy = palloc(sizeof *copy);
    *copy = left->other == NULL ? *right : *left->other;
    if (left->other != NULL)
        copy->other = chain(left->other, right);
    return copy;
}

static Node *reference(const struct name *entry)
{
    if (entry->other != NULL) {
        struct name first = *entry;
        CoalesceExpr *value = rewrite_new(CoalesceExpr);
        first.other = NULL;
        value->args = list_make2(reference(&first), reference(entry->other));
        value->location = -1;
        return (Node *)value;
    }
    if (entry->inner != NULL)
        return rewrite_cast(reference(entry->inner), allow_type_name(entry->type));
    return rewrite_column(entry->relation->name, name_of(entry));
}

/* numeric(10, 2), varchar(12), time(0): the common type has no such modifier. */
static bool has_modifier(uint32_t type)
{
    return type == TYPE_NUMERIC || type == TYPE_VARCHAR || type == TYPE_BPCHAR ||
           type == TYPE_TIME || type == TYPE_TIMETZ || type == TYPE_TIMESTAMP ||
           type == TYPE_TIMESTAMPTZ;
}

static struct name convert(const struct name *entry, uint32_t type)
{
    struct name *inner = palloc(sizeof *inner);
    *inner = *entry;
    if (type_of(entry) == type && !has_modifier(type))
        return *entry;
    return (struct name){
        .relation = entry->relation, .column = entry->column, .inner = inner, .type = type};
}

/* Where both are equal, it is seen by its digits whose numeric it is: PostgreSQL keeps the right
 * one if it is of no fixed scale, as a table's column mostly is not. */
static bool goes_on(const struct name *right, uint32_t type)
{
    return type_of(right) == type &&
           (type != TYPE_NUMERIC || right->relation->columns[right->column].fence == NULL);
}

/* Of no type that is known here, but stored as the same one: an enum's columns. */
static bool same_stored(const struct name *left, const struct name *right)
{
    const struct column *l = &left->relation->columns[left->column],
                        *r = &right->relation->columns[right->column];
    return l->fence != NULL && r->fence != NULL &&
           l->fence->grant->columns[l->granted].column->catalog->type_oid ==
               r->fence->grant->columns[r->granted].column->catalog->type_oid;
}

/* The value of the one that goes on, of the type that the database finds for both. */
static struct name merge_unknown(const struct name *left, const struct name *right, JoinType join)
{
    struct name first = join == JOIN_RIGHT ? *right : *left;
    first.other = chain(&first, join == JOIN_RIGHT ? left : right);
    return first;
}

static struct name merge(const struct name *left, const struct name *right, uint32_t type,
                         JoinType join)
{
    bool differ = type_of(left) != type_of(right);
    if (type == 0 && !same_stored(left, right))
        return merge_unknown(left, right, join);
    bool right_is_it = join == JOIN_INNER && type_of(left) != type && goes_on(right, type);
    struct name l = differ ? convert(left, type) : *left,
                r = differ ? convert(right, type) : *right;
    if (join == JOIN_FULL) {
        l.other = chain(&l, &r);
        return l;
    }
    return join == JOIN_RIGHT || right_is_it ? r : l;
}

static enum status common_column(struct level *level, const char *name, struct names *left,
                                 struct names *right, JoinType join, Node **condition,
                                 struct name *merged)
{
    struct name l, r;
    TRY(take_entry(level, left, name, "left", &l));
    TRY(take_entry(level, right, name, "right", &r));
    uint32_t type = common_type(type_of(&l), type_of(&r));
    if (type == 0 && type_of(&l) != type_of(&r))
        return plan_refuse(level->build, "0A000",
                           "Use ON, with a cast of one of them, and name the column that you want.",
                           "JOIN/USING over \"%s\" is not supported: the two columns are of "
                           "different types that have no common one",
                           name);
    *condition = rewrite_and(*condition, rewrite_operator("=", reference(&l), reference(&r)));
    *merged = merge(&l, &r, type, join);
    return STATUS_OK;
}

enum status resolve_using(struct level *level, const List *columns, JoinType join,
                          struct names *left, struct names *right, Node **condition,
                          struct names *merged)
{
    struct name *entries = palloc0(((size_t)list_length(columns) + 1) * sizeof *entries);
    size_t count = 0;
    ListCell *cell;
    *condition = NULL;
    foreach (cell, columns)
        TRY(common_column(level, strVal(lfirst(cell)), left, right, join, condition,
                          &entries[count++]));
    *merged = (struct names){.entries = entries, .count = count};
    return STATUS_OK;
}

List *resolve_common_names(const struct names *left, const struct names *right)
{
    List *names = NIL;
    for (size_t i = 0; i < left->count; i++) {
        const char *name = name_of(&left->entries[i]);
        bool common = false;
        for (size_t k = 0; k < right->count; k++)
            common = common || strcmp(name_of(&right->entries[k]), name) == 0;
        if (common)
            names = lappend(names, makeString(pstrdup(name)));
    }
    return names;
}

/* ---- USING (…) AS alias: a name for the merged columns alone ---- */

enum status resolve_name_merged(struct level *level, const JoinExpr *join,
                                const struct names *names, const struct names *columns)
{
    struct merged *merged = palloc(sizeof *merged);
    const char *name = join->join_using_alias->aliasname;
    *merged = (struct merged){.name = name,
                              .entries = columns->entries,
                              .count = columns->count,
                              .first = names->first,
                              .end = names->end,
                              .next = level->merged};
    TRY(resolve_check_alias(level, name));
    level->merged = merged;
    return STATUS_OK;
}

const struct merged *resolve_merged(const struct level *level, const struct names *names,
                                    const char *name)
{
    const struct merged *merged = level->merged;
    while (merged != NULL && (strcmp(merged->name, name) != 0 || merged->first < names->first ||
                              merged->end > names->end))
        merged = merged->next;
    return merged;
}

enum status resolve_check_alias(const struct level *level, const char *name)
{
    bool taken = false;
    for (size_t i = 0; i < level->relation_count; i++)
        taken = taken || strcmp(level->relations[i]->name, name) == 0;
    for (const struct merged *merged = level->merged; merged != NULL; merged = merged->next)
        taken = taken || strcmp(merged->name, name) == 0;
    return !taken ? STATUS_OK
                  : plan_refuse(level->build, "42712", "Give one of them another alias.",
                                "table name \"%s\" is specified more than once", name);
}

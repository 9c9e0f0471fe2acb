/* Column references: a name of the statement to a column of one of the level's relations.
 * Invariant: nothing but granted columns and outputs of sub-selects has a name here, so hidden
 * columns, system columns and columns without a grant are all equally unknown. */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/plan/plan_explain.h"

static enum status unknown_column(struct resolver *resolver, const char *name)
{
    char hint[300];
    size_t len = (size_t)snprintf(hint, sizeof hint, "There are: ");
    const struct names *names = resolver->names;
    plan_explain_no_column(resolver, name);
    for (size_t i = 0; i < names->count && len < sizeof hint - 80; i++)
        len += (size_t)snprintf(hint + len, sizeof hint - len, "%s%s", i == 0 ? "" : ", ",
                                names->entries[i].relation->columns[names->entries[i].column].name);
    return plan_refuse(resolver->build, "42703", names->count == 0 ? "No table is in FROM." : hint,
                       "column \"%s\" does not exist or is not granted", name);
}

static enum status whole_row(struct resolver *resolver, const char *name)
{
    return plan_refuse(resolver->build, "42501",
                       "Name the columns, or write the alias followed by .*",
                       "the whole row of \"%s\" cannot be used as a value", name);
}

struct relation *resolve_relation(const struct resolver *resolver, const char *name)
{
    for (size_t i = resolver->names->first; i < resolver->names->end; i++)
        if (strcmp(resolver->level->relations[i]->name, name) == 0)
            return resolver->level->relations[i];
    return NULL;
}

/* A view's column may be any expression, which runs on the rows that the policy hides as well. */
static bool is_stored(const struct column *column)
{
    return column->fence == NULL || column->fence->grant->dataset->table->kind != 'v';
}

static void read_entry(const struct resolver *resolver, struct relation *relation, size_t column,
                       struct expression *out)
{
    const struct column *found = &relation->columns[column];
    *out = (struct expression){.node = rewrite_column(relation->alias, found->emit),
                               .type = found->type,
                               .total = is_stored(found),
                               .immutable = true,
                               .collation = found->collation,
                               .unstable = found->unstable,
                               .missing = found->missing,
                               .nulls = found->nulls,
                               .relations = UINT64_C(1) << relation->index};
    if (resolver->mode == RESOLVE_GROUPED)
        out->ungrouped = found->name;
    if (found->fence != NULL && found->fence->read != NULL)
        found->fence->read[found->granted] = true;
}

static void resolve_converted(const struct resolver *resolver, const struct name *name,
                              struct expression *out)
{
    resolve_name(resolver, name->inner, out);
    if (resolver->mode == RESOLVE_GROUPED)
        resolve_match_group(resolver->level, out);
    unsigned flags = allow_cast_flags(out->type, name->type);
    out->node = rewrite_cast(out->node, allow_type_name(name->type));
    out->type = name->type;
    out->total = out->total && (flags & ALLOW_TOTAL);
    out->immutable = out->immutable && (flags & ALLOW_IMMUTABLE);
}

void resolve_name(const struct resolver *resolver, const struct name *name, struct expression *out)
{
    if (name->inner != NULL)
        resolve_converted(resolver, name, out);
    else
        read_entry(resolver, name->relation, name->column, out);
    if (name->other == NULL)
        return;
    out->nulls = 0;
    CoalesceExpr *value = rewrite_new(CoalesceExpr);
    value->args = list_make1(out->node);
    value->location = -1;
    for (name = name->other; name != NULL; name = name->other) {
        struct expression other;
        struct name alone = *name;
        alone.other = NULL;
        resolve_name(resolver, &alone, &other);
        resolve_absorb(out, &other);
        value->args = lappend(value->args, other.node);
    }
    out->total = out->total && out->type != 0; /* they may become of one type by a cast */
    out->node = (Node *)value;
}

/* STATUS_NOT_FOUND: the scope has no such name. */
static enum status by_name(const struct resolver *scope, struct resolver *resolver,
                           const char *name, struct expression *out)
{
    const struct names *names = scope->names;
    const struct name *match = NULL;
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->entries[i].relation->columns[names->entries[i].column].name, name) != 0)
            continue;
        if (match != NULL)
            return plan_refuse(resolver->build, "42702", "Put the table's alias before it.",
                               "column reference \"%s\" is ambiguous", name);
        match = &names->entries[i];
    }
    if (match == NULL && (resolve_relation(scope, name) != NULL ||
                          resolve_merged(scope->level, names, name) != NULL))
        return whole_row(resolver, name);
    if (match == NULL)
        return STATUS_NOT_FOUND;
    resolve_name(scope, match, out);
    return STATUS_OK;
}

static enum status by_relation(const struct resolver *scope, struct resolver *resolver,
                               struct relation *relation, const char *name, struct expression *out)
{
    size_t match = relation->column_count;
    for (size_t i = 0; i < relation->column_count; i++) {
        if (strcmp(relation->columns[i].name, name) != 0)
            continue;
        if (match != relation->column_count)
            return plan_refuse(resolver->build, "42702",
                               "Give the columns of the sub-select different names.",
                               "column reference \"%s\" is ambiguous", name);
        match = i;
    }
    if (match == relation->column_count)
        return unknown_column(resolver, name);
    read_entry(scope, relation, match, out);
    return STATUS_OK;
}

/* A column by the alias of the USING that merged it. */
static enum status by_merged(const struct resolver *scope, struct resolver *resolver,
                             const char *alias, const char *name, struct expression *out)
{
    const struct merged *merged = resolve_merged(scope->level, scope->names, alias);
    if (merged == NULL)
        return STATUS_NOT_FOUND;
    for (size_t i = 0; i < merged->count; i++) {
        const struct name *entry = &merged->entries[i];
        if (strcmp(entry->relation->columns[entry->column].name, name) != 0)
            continue;
        resolve_name(scope, entry, out);
        return STATUS_OK;
    }
    return unknown_column(resolver, name);
}

/* A reference to a level around: the levels between depend on its rows. */
static enum status note_reference(struct resolver *resolver, const struct resolver *scope,
                                  struct expression *out)
{
    if (scope->mode == RESOLVE_GROUPED) {
        resolve_match_group(scope->level, out);
        if (out->ungrouped != NULL)
            return plan_refuse(resolver->build, "42803", "Add it to GROUP BY.",
                               "subquery uses ungrouped column \"%s\" from outer query",
                               out->ungrouped);
    }
    for (const struct resolver *inner = resolver; inner != scope; inner = inner->level->outer) {
        inner->level->outer_reads |= out->relations;
        inner->level->outer_unstable = inner->level->outer_unstable || out->unstable;
    }
    return STATUS_OK;
}

static enum status in_scope(const struct resolver *scope, struct resolver *resolver, size_t count,
                            const char *const *fields, struct expression *out)
{
    if (count == 1)
        return by_name(scope, resolver, fields[0], out);
    struct relation *relation = resolve_relation(scope, fields[count - 2]);
    if (relation == NULL && count == 2)
        return by_merged(scope, resolver, fields[0], fields[1], out);
    if (relation == NULL ||
        (count == 3 && (!relation->schema_named || strcmp(fields[0], "public") != 0)))
        return STATUS_NOT_FOUND;
    return by_relation(scope, resolver, relation, fields[count - 1], out);
}

static bool has_name(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->entries[i].relation->columns[names->entries[i].column].name, name) == 0)
            return true;
    return false;
}

const struct resolver *resolve_scope(const struct resolver *resolver, const ColumnRef *reference)
{
    int count = list_length(reference->fields);
    const Node *field = list_nth(reference->fields, count > 1 ? count - 2 : 0);
    const struct resolver *scope = resolver;
    for (; IsA(field, String) && scope != NULL; scope = scope->level->outer) {
        const char *name = strVal(field);
        if (resolve_relation(scope, name) != NULL ||
            resolve_merged(scope->level, scope->names, name) != NULL ||
            (count == 1 && has_name(scope->names, name)))
            return scope;
    }
    return NULL;
}

enum status resolve_column(struct resolver *resolver, const ColumnRef *reference,
                           struct expression *out)
{
    size_t count = (size_t)list_length(reference->fields);
    const char *fields[3] = {NULL};
    if (count > 3)
        return plan_refuse(resolver->build, "42703", "Write alias.column.",
                           "names of more than three parts do not exist");
    for (size_t i = 0; i < count; i++) {
        Node *field = list_nth(reference->fields, (int)i);
        if (!IsA(field, String))
            return plan_refuse(resolver->build, "0A000", "Name the columns.",
                               "\"*\" is not supported in %s", resolver->place);
        fields[i] = strVal(field);
    }
    for (const struct resolver *scope = resolver; scope != NULL; scope = scope->level->outer) {
        enum status status = in_scope(scope, resolver, count, fields, out);
        if (status == STATUS_OK && scope != resolver)
            return note_reference(resolver, scope, out);
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    if (count == 1)
        return unknown_column(resolver, fields[0]);
    return plan_refuse(resolver->build, "42P01", "Name it in FROM, or correct the alias.",
                       "missing FROM-clause entry for table \"%s\"", fields[count - 2]);
}

struct relation *resolve_bare(const struct level *level, const Node *node, size_t *column)
{
    if (node == NULL || !IsA(node, ColumnRef))
        return NULL;
    const ColumnRef *reference = (const ColumnRef *)node;
    const char *alias = strVal(linitial(reference->fields));
    const char *emit = strVal(lsecond(reference->fields));
    for (size_t i = 0; i < level->relation_count; i++) {
        struct relation *relation = level->relations[i];
        if (strcmp(relation->alias, alias) != 0)
            continue;
        for (size_t c = 0; c < relation->column_count; c++) {
            if (strcmp(relation->columns[c].emit, emit) == 0) {
                *column = c;
                return relation;
            }
        }
    }
    return NULL;
}

bool resolve_is_name(const struct level *level, const char *name)
{
    for (size_t i = 0; i < level->names.count; i++) {
        const struct name *entry = &level->names.entries[i];
        if (strcmp(entry->relation->columns[entry->column].name, name) == 0)
            return true;
    }
    return false;
}

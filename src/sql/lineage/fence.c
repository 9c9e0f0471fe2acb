/* Fences: the sub-select that stands where the statement names a dataset. It shows the granted
 * columns that the statement reads, masked inside, and hidden behind them the subject keys, raw
 * values for joins on tokens, and one boolean that says whether the policy holds for a row.
 * Invariant: no other place in sql/ names a table of the protected database, but for the parts of a
 * write (plan_write_emit.c, plan_write_conflict.c). */
#include <string.h>

#include "sql/plan/plan_explain.h"
#include "sql/plan/plan_standing.h"
#include "sql/virtual/virtual.h"

enum { FENCE_TABLES = 16 };

/* The tables of one fence: t0 is the dataset's own, the others stand at the end of hops. */
struct tables {
    size_t count;
    struct {
        const struct model_hop *hop;
        size_t child; /* index of the table that the hop leaves from */
        bool inner;
        char alias[4];
    } entries[FENCE_TABLES];
};

static bool same_hop(const struct model_hop *a, const struct model_hop *b)
{
    return a->parent == b->parent && a->child_column == b->child_column &&
           a->parent_column == b->parent_column;
}

/* The table at the end of the hop; subjects with the same first hops share them. */
static size_t join_table(struct tables *tables, size_t child, const struct model_hop *hop,
                         bool inner)
{
    for (size_t i = 1; i < tables->count; i++) {
        if (tables->entries[i].child == child && same_hop(tables->entries[i].hop, hop)) {
            tables->entries[i].inner = tables->entries[i].inner || inner;
            return i;
        }
    }
    size_t index = tables->count++;
    tables->entries[index].hop = hop;
    tables->entries[index].child = child;
    tables->entries[index].inner = inner;
    return index;
}

static Node *hop_equality(const struct tables *tables, size_t index)
{
    const struct model_hop *hop = tables->entries[index].hop;
    return rewrite_operator("=",
                            rewrite_column(tables->entries[index].alias, hop->parent_column->name),
                            rewrite_column(tables->entries[tables->entries[index].child].alias,
                                           hop->child_column->name));
}

/* Does the database itself see to it that each row of the fence has a parent here? */
static bool is_sure(const struct fence *fence, const struct model_hop *hop)
{
    return hop->sure && !fence->unchecked;
}

/* Does it see to it that each row has the subject's key? */
static bool has_key(const struct fence *fence, const struct model_subject *subject)
{
    return subject->never_null && (subject->hop_count == 0 || !fence->unchecked);
}

/* Lays out the joins; key_tables[s] is where subject s has its key. A join that finds a row each
 * time is an outer one: where nothing reads it PostgreSQL leaves it out. */
static void lay_out(const struct fence *fence, struct tables *tables, size_t *key_tables)
{
    const struct model_dataset *dataset = fence->grant->dataset;
    tables->count = 1;
    for (size_t s = 0; s < dataset->subject_count; s++) {
        const struct model_subject *subject = &dataset->subjects[s];
        size_t at = 0;
        for (size_t h = 0; h < subject->hop_count; h++)
            at = join_table(tables, at, &subject->hops[h],
                            subject->hides && !is_sure(fence, &subject->hops[h]));
        key_tables[s] = at;
    }
    for (size_t i = 0; i < tables->count; i++)
        (void)snprintf(tables->entries[i].alias, sizeof tables->entries[i].alias, "t%zu", i % 100);
}

static Node *from_node(const struct model_dataset *dataset, const struct tables *tables)
{
    const struct catalog_table *table = dataset->table;
    Node *from = (Node *)rewrite_table(table->schema, table->name, "t0");
    for (size_t i = 1; i < tables->count; i++) {
        const struct catalog_table *parent = tables->entries[i].hop->parent->table;
        from = rewrite_join(
            tables->entries[i].inner ? JOIN_INNER : JOIN_LEFT, from,
            (Node *)rewrite_table(parent->schema, parent->name, tables->entries[i].alias),
            hop_equality(tables, i));
    }
    return from;
}

static Node *key_column(const struct model_dataset *dataset, const struct tables *tables,
                        const size_t *key_tables, size_t subject)
{
    return rewrite_column(tables->entries[key_tables[subject]].alias,
                          dataset->subjects[subject].key->name);
}

/* The row filter and, for subjects whose rows without a key are hidden, that there is one. */
static enum status conditions(struct build *build, const struct model_grant *grant,
                              const struct tables *tables, const size_t *key_tables, Node **out)
{
    const struct model_dataset *dataset = grant->dataset;
    Node *all = NULL;
    if (grant->policy->rows != NULL) {
        struct expression rows;
        TRY(mask_rewrite(build, dataset, grant->policy->rows, false, "a row filter", &rows));
        all = rows.node;
    }
    for (size_t s = 0; s < dataset->subject_count; s++) {
        const struct model_subject *subject = &dataset->subjects[s];
        if (!subject->hides)
            continue;
        /* The inner join says so too, but this is looked at when t0 is read, before any join. */
        if (subject->hop_count > 0 && !subject->hops[0].child_column->not_null)
            all = rewrite_and(
                all, rewrite_not_null(rewrite_column("t0", subject->hops[0].child_column->name)));
        if (!subject->key->not_null)
            all = rewrite_and(all, rewrite_not_null(key_column(dataset, tables, key_tables, s)));
    }
    *out = all;
    return STATUS_OK;
}

/* What holds for each row that the fence shows: the conditions and its inner joins. NULL where it
 * shows every row. */
static Node *policy_node(Node *conditions_node, const struct tables *tables)
{
    Node *all = conditions_node == NULL ? NULL : copyObject(conditions_node);
    for (size_t i = 1; i < tables->count; i++)
        if (tables->entries[i].inner)
            all = rewrite_and(all, hop_equality(tables, i));
    return all == NULL ? NULL : rewrite_boolean_test(all, IS_TRUE);
}

static enum status column_value(struct build *build, const struct fence *fence, size_t index,
                                Node *policy, Node **out)
{
    const struct model_granted *granted = &fence->grant->columns[index];
    if (granted->form == POLICY_FORM_TOKEN)
        return mask_token(build, granted, out);
    if (granted->mask == NULL) {
        *out = rewrite_column("t0", granted->column->catalog->name);
        return STATUS_OK;
    }
    struct expression value;
    TRY(mask_rewrite(build, fence->grant->dataset, granted->mask, granted->mask_trusted, "a mask",
                     &value));
    *out = value.node;
    if (!granted->mask_total && policy != NULL)
        *out = rewrite_case(copyObject(policy), value.node);
    return STATUS_OK;
}

static void add(SelectStmt *select, Node *value, const char *name)
{
    select->targetList = lappend(select->targetList, rewrite_target(value, name));
}

static enum status close_columns(struct build *build, struct fence *fence, Node *policy)
{
    for (size_t i = 0; i < fence->grant->column_count; i++) {
        const char *column = fence->grant->columns[i].column->catalog->name;
        Node *value;
        if (fence->read[i]) {
            TRY(column_value(build, fence, i, policy, &value));
            add(fence->select, value, fence->grant->columns[i].column->policy->name);
        }
        if (fence->raw[i] != NULL)
            add(fence->select, rewrite_column("t0", column), fence->raw[i]);
    }
    return STATUS_OK;
}

/* A key that is NULL where the policy refuses that shows as a marker: a NULL above may as well be
 * that of a row that is not there (outer joins). */
static Node *key_value(struct build *build, const struct fence *fence, const struct tables *tables,
                       const size_t *key_tables, size_t subject)
{
    const struct model_dataset *dataset = fence->grant->dataset;
    Node *key = key_column(dataset, tables, key_tables, subject);
    if (dataset->subjects[subject].policy->when_null != POLICY_NULL_REFUSE ||
        has_key(fence, &dataset->subjects[subject]))
        return key;
    if (build->plan->null_key == NULL)
        build->plan->null_key = arena_strdup(&build->plan->arena, plan_hidden_name());
    if (build->plan->null_key == NULL)
        return key; /* the arena has overflowed: there will be no plan */
    CoalesceExpr *value = rewrite_new(CoalesceExpr);
    value->args = list_make2(rewrite_cast(key, "text"), rewrite_text(build->plan->null_key));
    value->location = -1;
    return (Node *)value;
}

static void close_keys(struct build *build, struct fence *fence, const struct tables *tables,
                       const size_t *key_tables)
{
    const struct model_dataset *dataset = fence->grant->dataset;
    for (size_t s = 0; s < dataset->subject_count; s++)
        add(fence->select, key_value(build, fence, tables, key_tables, s), fence->keys[s]);
}

enum status fence_keys(struct build *build, const struct fence *fence, SelectStmt **select)
{
    size_t columns = fence->grant->column_count;
    struct fence bare = {.grant = fence->grant, .keys = fence->keys, .unchecked = fence->unchecked};
    bare.select = rewrite_new(SelectStmt);
    bare.read = palloc0((columns + 1) * sizeof *bare.read);
    bare.raw = palloc0((columns + 1) * sizeof *bare.raw);
    TRY(fence_close(build, &bare));
    *select = bare.select;
    return STATUS_OK;
}

enum status fence_close(struct build *build, struct fence *fence)
{
    const struct model_dataset *dataset = fence->grant->dataset;
    struct tables tables = {0};
    size_t *key_tables = palloc0((dataset->subject_count + 1) * sizeof *key_tables);
    Node *where;
    lay_out(fence, &tables, key_tables);
    TRY(conditions(build, fence->grant, &tables, key_tables, &where));
    Node *policy = policy_node(where, &tables);
    TRY(close_columns(build, fence, policy));
    close_keys(build, fence, &tables, key_tables);
    if (policy != NULL && fence->policy != NULL)
        add(fence->select, policy, fence->policy);
    if (fence->mark != NULL) {
        Node *mark;
        TRY(lineage_row_mark(build, dataset, &mark));
        add(fence->select, mark, fence->mark);
    }
    if (fence->select->targetList == NIL)
        add(fence->select, rewrite_integer(1), plan_hidden_name());
    fence->select->fromClause = list_make1(from_node(dataset, &tables));
    fence->select->whereClause = where;
    return STATUS_OK;
}

/* Statements over the catalogue alone are planned elsewhere (virtual.h), without fences. */
static enum status refuse_catalogue(struct build *build)
{
    return plan_refuse(build, "42501",
                       "Ask the catalogue in a statement of its own, which reads no dataset.",
                       "system catalogs cannot be read beside datasets");
}

static enum status check_range(struct build *build, const RangeVar *range)
{
    const char *schema = range->schemaname;
    if (!range->inh)
        return plan_refuse(build, "0A000", "Leave ONLY out.", "ONLY is not supported");
    if (range->catalogname != NULL)
        return plan_refuse(build, "0A000", "Name the dataset alone, or public.dataset.",
                           "names of other databases are not supported");
    if (schema != NULL &&
        (strcmp(schema, "pg_catalog") == 0 || strcmp(schema, "information_schema") == 0))
        return refuse_catalogue(build);
    if (schema != NULL && strcmp(schema, "public") != 0)
        return plan_refuse(build, "42P01", "Datasets are in schema public.",
                           "schema \"%s\" is not granted to partner \"%s\"", schema,
                           build->request->partner->name);
    return STATUS_OK;
}

static bool hides_rows(const struct fence *fence)
{
    const struct model_grant *grant = fence->grant;
    if (grant->policy->rows != NULL)
        return true;
    for (size_t s = 0; s < grant->dataset->subject_count; s++) {
        const struct model_subject *subject = &grant->dataset->subjects[s];
        if (subject->hides && !has_key(fence, subject))
            return true;
    }
    return false;
}

static struct fence *new_fence(const struct model_grant *grant, bool unchecked)
{
    size_t columns = grant->column_count, subjects = grant->dataset->subject_count;
    struct fence *fence = palloc0(sizeof *fence);
    fence->grant = grant;
    fence->select = rewrite_new(SelectStmt);
    fence->read = palloc0((columns + 1) * sizeof *fence->read);
    fence->raw = palloc0((columns + 1) * sizeof *fence->raw);
    fence->keys = palloc0((subjects + 1) * sizeof *fence->keys);
    for (size_t s = 0; s < subjects; s++)
        fence->keys[s] = plan_hidden_name();
    fence->unchecked = unchecked;
    fence->policy = hides_rows(fence) ? plan_hidden_name() : NULL;
    return fence;
}

static struct relation *new_relation(struct fence *fence)
{
    const struct model_grant *grant = fence->grant;
    struct relation *relation = palloc0(sizeof *relation);
    relation->fence = fence;
    relation->select = fence->select;
    relation->policy = fence->policy;
    relation->column_count = grant->column_count;
    relation->columns = palloc0((grant->column_count + 1) * sizeof *relation->columns);
    for (size_t i = 0; i < grant->column_count; i++)
        relation->columns[i] =
            (struct column){.name = grant->columns[i].column->policy->name,
                            .emit = grant->columns[i].column->policy->name,
                            .type = grant->columns[i].type,
                            .collation = grant->columns[i].column->catalog->collation,
                            .fence = fence,
                            .granted = i};
    relation->key_count = grant->dataset->subject_count;
    relation->keys = palloc0((relation->key_count + 1) * sizeof *relation->keys);
    for (size_t s = 0; s < relation->key_count; s++)
        relation->keys[s] = (struct carried_key){
            .name = fence->keys[s], .fence = fence, .subject = s, .grade = PLAN_GRADE_DIRECT};
    relation->fences = UINT64_C(1) << fence->index;
    if (fence->mark != NULL) {
        relation->mark_count = 1;
        relation->marks = palloc0(sizeof *relation->marks);
        *relation->marks = (struct row_mark){.name = fence->mark, .fence = fence};
    }
    return relation;
}

enum status fence_open(struct level *level, const RangeVar *range, struct relation **relation)
{
    struct build *build = level->build;
    const struct plan_request *request = build->request;
    TRY(check_range(build, range));
    const struct model_grant *grant = model_find_grant(request, range->relname);
    if (grant == NULL && virtual_has(range->relname) && range->schemaname == NULL)
        return refuse_catalogue(build);
    if (grant == NULL)
        return plan_refuse_ungranted(build, range->relname);
    if (build->fence_count == LIMIT_RELATIONS)
        return plan_refuse(build, "54000", "Split the statement.",
                           "the statement reads more than %d datasets", LIMIT_RELATIONS);
    plan_use_grant(build, grant->policy);
    struct fence *fence = new_fence(grant, build->written);
    fence->index = build->fence_count;
    fence->mark = lineage_marks_rows(build) ? plan_hidden_name() : NULL;
    build->fences[build->fence_count++] = fence;
    *relation = new_relation(fence);
    (*relation)->name = range->alias != NULL ? range->alias->aliasname : range->relname;
    (*relation)->schema_named = range->alias == NULL;
    return STATUS_OK;
}

const char *fence_raw_column(struct relation *relation, size_t index)
{
    struct column *column = &relation->columns[index];
    if (relation->fence != NULL) {
        if (relation->fence->raw[column->granted] == NULL)
            relation->fence->raw[column->granted] = plan_hidden_name();
        return relation->fence->raw[column->granted];
    }
    if (relation->grouped || relation->select == NULL || column->source == NULL)
        return NULL;
    const char *below = fence_raw_column(column->source, column->source_column);
    if (below == NULL)
        return NULL;
    const char *name = plan_hidden_name();
    add(relation->select, rewrite_column(column->source->alias, below), name);
    return name;
}

struct level *fence_raw_level(struct build *build, const struct model_dataset *dataset)
{
    struct level *level = palloc0(sizeof *level);
    struct relation *relation = palloc0(sizeof *relation);
    relation->name = relation->alias = "t0";
    relation->level = level;
    relation->column_count = dataset->column_count;
    relation->columns = palloc0((dataset->column_count + 1) * sizeof *relation->columns);
    level->names.entries = palloc0((dataset->column_count + 1) * sizeof *level->names.entries);
    for (size_t i = 0; i < dataset->column_count; i++) {
        const struct model_column *column = &dataset->columns[i];
        relation->columns[i] = (struct column){.name = column->policy->name,
                                               .emit = column->catalog->name,
                                               .type = resolve_column_type(column->catalog),
                                               .collation = column->catalog->collation};
        level->names.entries[i] = (struct name){relation, i};
    }
    level->names.count = dataset->column_count;
    level->names.end = 1;
    level->build = build;
    level->relations[0] = relation;
    level->relation_count = 1;
    return level;
}

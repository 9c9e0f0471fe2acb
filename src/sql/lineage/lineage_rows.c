/* Which rows of each person a statistic is made of, as SQL (docs/decisions/0023). Each fence shows
 * a mark of its row: 64 bits of a hash with a secret of the gateway over the primary key, or over
 * all of the dataset's columns. A group's set of keys then has, with each key, the sum of the marks
 * of each fence over the group's rows of that person:
 *   ARRAY(SELECT sum(m1) || ' ' || sum(m2) || ':' || key
 *         FROM ROWS FROM (unnest(array_agg(key)), unnest(array_agg(mark)), …) AS u(key, m1, m2)
 *         GROUP BY key)
 * A sum does not hang on the order of rows, and two sets of rows with the same sum are not found
 * without the secret. Only for partners that get statistics and nothing else. */
#include "sql/plan/plan_build.h"

/* No policy can name a domain so. */
static const char DOMAIN[] = "rows of statistics";

bool lineage_marks_rows(const struct build *build)
{
    return build->request != NULL && build->request->partner->mode == POLICY_MODE_AGGREGATES;
}

/* Their text hangs on no setting, and says all of the value. */
static bool is_plain_text(uint32_t type)
{
    return type == TYPE_INT2 || type == TYPE_INT4 || type == TYPE_INT8 || type == TYPE_UUID ||
           type == TYPE_TEXT || type == TYPE_VARCHAR;
}

static Node *binary_of(List *values)
{
    RowExpr *row = rewrite_new(RowExpr);
    row->args = values;
    row->row_format = COERCE_EXPLICIT_CALL;
    row->location = -1;
    Node *bytes = rewrite_call("record_send", list_make1(row));
    return rewrite_call("encode", list_make2(bytes, rewrite_text("hex")));
}

static Node *identity_text(const struct model_dataset *dataset)
{
    const struct catalog_column **columns =
        palloc((dataset->table->column_count + 1) * sizeof(struct catalog_column *));
    size_t count = model_identity(dataset, columns);
    List *values = NIL;
    for (size_t c = 0; c < count; c++)
        values = lappend(values, rewrite_column("t0", columns[c]->name));
    return count == 1 && is_plain_text(columns[0]->type_oid) && columns[0]->primary
               ? rewrite_cast(linitial(values), "text")
               : binary_of(values);
}

enum status lineage_row_mark(struct build *build, const struct model_dataset *dataset, Node **out)
{
    Node *secret;
    TRY(mask_pad(build, DOMAIN, false, &secret));
    SelectStmt *seed = rewrite_new(SelectStmt); /* a sub-select: computed once */
    secret = rewrite_call("encode", list_make2(secret, rewrite_text("hex")));
    secret = rewrite_call("hashtextextended",
                          list_make2(secret, rewrite_cast(rewrite_integer(0), "int8")));
    seed->targetList = list_make1(rewrite_target(secret, NULL));
    *out = rewrite_call("hashtextextended",
                        list_make2(identity_text(dataset), rewrite_sublink(EXPR_SUBLINK, seed)));
    return STATUS_OK;
}

enum status lineage_open_marks(struct level *level)
{
    for (size_t i = 0; i < level->relation_count; i++) {
        const struct relation *relation = level->relations[i];
        for (size_t m = 0; m < relation->mark_count; m++) {
            struct row_mark mark = relation->marks[m];
            mark.node = rewrite_column(relation->alias, mark.name);
            if (level->mark_count == LIMIT_RELATIONS)
                return plan_refuse(level->build, "54000", "Split the statement.",
                                   "the statement reads more than %d datasets", LIMIT_RELATIONS);
            level->marks = plan_grow(level->marks, level->mark_count, sizeof *level->marks);
            level->marks[level->mark_count++] = mark;
        }
    }
    return STATUS_OK;
}

enum status lineage_carry_marks(struct level *level, SelectStmt *select)
{
    bool goes_on = !level->top && !level->grouped && level->key_count > 0;
    if (!goes_on) {
        level->mark_count = level->top ? level->mark_count : 0;
        return STATUS_OK;
    }
    if (level->target_count + level->key_count + level->mark_count > LIMIT_TARGETS)
        return plan_refuse(level->build, "54011", "Select fewer columns.",
                           "target lists can have at most %d entries", LIMIT_TARGETS);
    for (size_t m = 0; m < level->mark_count; m++) {
        struct row_mark *mark = &level->marks[m];
        mark->name = plan_hidden_name();
        select->targetList = lappend(select->targetList, rewrite_target(mark->node, mark->name));
    }
    return STATUS_OK;
}

static Node *join_text(Node *left, const char *between, Node *right)
{
    return rewrite_operator("||", rewrite_operator("||", left, rewrite_text(between)), right);
}

/* The sum as text: no row at all, of an outer join, is 0. */
static Node *sum_text(Node *column)
{
    CoalesceExpr *sum = rewrite_new(CoalesceExpr);
    sum->args = list_make2(rewrite_call("sum", list_make1(column)), rewrite_integer(0));
    sum->location = -1;
    return rewrite_cast((Node *)sum, "text");
}

/* The group's values as a column, a member of ROWS FROM. */
static List *unnested(Node *value, Node *filter)
{
    FuncCall *array = (FuncCall *)rewrite_call("array_agg", list_make1(copyObject(value)));
    array->agg_filter = filter == NULL ? NULL : copyObject(filter);
    return list_make2(rewrite_call("unnest", list_make1(array)), NIL);
}

bool lineage_marks_key(const struct level *level, const struct carried_key *key)
{
    bool marked = false;
    for (size_t m = 0; m < level->mark_count; m++)
        marked = marked || level->marks[m].fence == key->fence;
    return level->top && key->depth == 0 && marked;
}

Node *lineage_marked_set(const struct level *level, Node *key, Node *filter)
{
    const char *name = plan_hidden_name(), *key_name = plan_hidden_name();
    List *arrays = list_make1(unnested(key, filter));
    List *columns = list_make1(makeString(pstrdup(key_name)));
    Node *text = NULL;
    for (size_t m = 0; m < level->mark_count; m++) {
        const char *mark_name = plan_hidden_name();
        Node *sum = sum_text(rewrite_column(name, mark_name));
        arrays = lappend(arrays, unnested(level->marks[m].node, filter));
        columns = lappend(columns, makeString(pstrdup(mark_name)));
        text = text == NULL ? sum : join_text(text, " ", sum);
    }
    RangeFunction *elements = rewrite_new(RangeFunction);
    elements->is_rowsfrom = true;
    elements->functions = arrays;
    elements->alias = makeAlias(pstrdup(name), columns);
    SelectStmt *select = rewrite_new(SelectStmt);
    text = join_text(text, ":", rewrite_cast(rewrite_column(name, key_name), "text"));
    select->targetList = list_make1(rewrite_target(text, NULL));
    select->fromClause = list_make1(elements);
    select->groupClause = list_make1(rewrite_column(name, key_name));
    return rewrite_sublink(ARRAY_SUBLINK, select);
}

/* FNV-1a of the table's name: the same in each statement and after each restart. */
static uint64_t source_of(const struct catalog_table *table)
{
    uint64_t hash = 0xcbf29ce484222325;
    const char *parts[] = {table->schema, ".", table->name};
    for (size_t p = 0; p < lengthof(parts); p++)
        for (const char *c = parts[p]; *c != '\0'; c++)
            hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
    return hash;
}

enum status lineage_finish_marks(const struct level *level)
{
    struct plan *plan = level->build->plan;
    uint64_t *sources = arena_array(&plan->arena, uint64_t, level->mark_count + 1);
    if (sources == NULL)
        return STATUS_NOMEM;
    for (size_t m = 0; m < level->mark_count; m++)
        sources[m] = source_of(level->marks[m].fence->grant->dataset->table);
    plan->sources = sources;
    plan->source_count = level->mark_count;
    return STATUS_OK;
}

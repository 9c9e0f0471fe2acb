/* Sets of keys, as SQL. Of a group's members: an aggregate. PostgreSQL 15 sorts for
 * array_agg(DISTINCT key): the rows by group, since no aggregate with DISTINCT can be hashed, and
 * each group's keys again. So where the keys surely fit in memory they are gathered as they come,
 * beside the other aggregates, and each is kept once by hashing:
 *   ARRAY(SELECT DISTINCT u FROM unnest(array_agg(key)) AS u)
 * The aggregate's argument is a column of the level, so it is an aggregate of the level, wherever
 * it stands. The set is the same: NULL is in it if some key is, and of no rows it is empty, not
 * NULL. */
#include "sql/plan/plan_build.h"

/* 9 bytes a row and key of each level that groups. More is left to a sort, which can go to disk. */
enum { GATHERED_ROWS = 4 * 1000 * 1000 };

/* Are there so few rows below, as they were last counted, and keys on them? */
static bool is_small(const struct level *level)
{
    const struct build *build = level->build;
    uint64_t fences = 0;
    double rows = 0;
    for (size_t i = 0; i < level->relation_count; i++)
        fences |= level->relations[i]->fences;
    for (size_t f = 0; f < build->fence_count; f++) {
        double counted = build->fences[f]->grant->dataset->table->rows;
        if ((fences & UINT64_C(1) << f) && counted < 0)
            return false;
        if (fences & UINT64_C(1) << f)
            rows += counted;
    }
    return rows * (double)level->body_count <= GATHERED_ROWS;
}

/* Is every relation of FROM joined to the others by some equality? Otherwise their rows multiply.
 */
static bool is_tied(const struct level *level)
{
    uint64_t all = plan_own_relations(level), before = 0;
    uint64_t tied = all & -all; /* one of them, and what is joined to it */
    while (tied != before) {
        before = tied;
        for (size_t i = 0; i < level->conjunct_count; i++) {
            const struct conjunct *conjunct = &level->conjuncts[i];
            if ((conjunct->relations & tied) && resolve_is_equality(conjunct->node))
                tied |= conjunct->relations & all;
        }
    }
    return tied == all;
}

RangeFunction *lineage_elements(Node *array, Node **element)
{
    const char *name = plan_hidden_name(); /* unlike any alias that stands in the argument */
    RangeFunction *elements = rewrite_new(RangeFunction);
    elements->functions = list_make1(list_make2(rewrite_call("unnest", list_make1(array)), NIL));
    elements->alias = makeAlias(pstrdup(name), NIL);
    *element = rewrite_column(name, name);
    return elements;
}

/* Hashed, where array_agg(DISTINCT value) would sort. */
Node *lineage_set_of_rows(Node *value, uint8_t depth, List *from, Node *where)
{
    SelectStmt *select = rewrite_new(SelectStmt);
    if (depth > 0)
        value = rewrite_cast(value, "text");
    else
        select->distinctClause = list_make1(NULL);
    select->targetList = list_make1(rewrite_target(value, NULL));
    select->fromClause = from;
    select->whereClause = where;
    return rewrite_sublink(ARRAY_SUBLINK, select);
}

/* Each element of the array once. */
static Node *each_once(Node *array)
{
    Node *element;
    List *from = list_make1(lineage_elements(array, &element));
    return lineage_set_of_rows(element, 0, from, NULL);
}

Node *lineage_set(const struct level *level, const struct carried_key *key)
{
    Node *value = key->node; /* shared: sub-selects in it are filled in when fences close */
    bool gathered = key->depth == 0 && IsA(value, ColumnRef) && is_small(level) && is_tied(level);
    if (key->depth > 0)
        value = rewrite_cast(value, "text");
    FuncCall *call = (FuncCall *)rewrite_call("array_agg", list_make1(value));
    call->agg_distinct = key->depth == 0 && !gathered;
    return gathered ? each_once((Node *)call) : (Node *)call;
}

FuncCall *lineage_set_aggregate(Node *set)
{
    if (IsA(set, FuncCall))
        return (FuncCall *)set;
    const SelectStmt *select = castNode(SelectStmt, ((SubLink *)set)->subselect);
    const RangeFunction *elements = linitial_node(RangeFunction, select->fromClause);
    const FuncCall *unnest = linitial(linitial_node(List, elements->functions));
    return linitial_node(FuncCall, unnest->args);
}

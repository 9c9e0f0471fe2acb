/* The statement that goes upstream: see plan_write.h. Beside fences, w alone names a table of the
 * protected database: the one whose rows it changes. */
#include <string.h>

#include "sql/write/plan_write.h"

static const char target_alias[] = "t0"; /* of the table in w; fences call theirs so too */

static Node *reference(const char *name)
{
    return (Node *)makeRangeVar(NULL, pstrdup(name), -1);
}

static Node *equal_places(struct write *write, const char *left, const char *right)
{
    Node *row =
        rewrite_operator("=", rewrite_column(left, write->row), rewrite_column(right, write->row));
    Node *part = rewrite_operator("=", rewrite_column(left, write->part),
                                  rewrite_column(right, write->part));
    return rewrite_and(row, part);
}

/* ---- w ---- */

struct columns {
    List *names; /* of String */
    const struct write *write;
};

static bool is_known(const List *names, const Node *name)
{
    ListCell *cell;
    foreach (cell, names)
        if (equal(lfirst(cell), name))
            return true;
    return false;
}

static bool column_walker(Node *node, void *context)
{
    struct columns *columns = context;
    if (node == NULL)
        return false;
    if (!IsA(node, ColumnRef))
        return raw_expression_tree_walker(node, column_walker, context);
    const List *fields = ((const ColumnRef *)node)->fields;
    Node *name = llast(fields);
    bool place = strcmp(strVal(name), columns->write->row) == 0 ||
                 strcmp(strVal(name), columns->write->part) == 0;
    if (!place && strcmp(strVal(linitial(fields)), target_alias) == 0 &&
        !is_known(columns->names, name))
        columns->names = lappend(columns->names, name);
    return false;
}

/* The row's place, and the columns that r reads, as they are now. */
static List *returned(struct write *write, Node *row, Node *part)
{
    struct columns columns = {.write = write};
    List *list = list_make2(rewrite_target(row, write->row), rewrite_target(part, write->part));
    if (write->written != NULL)
        (void)column_walker((Node *)write->written->select, &columns);
    ListCell *cell;
    foreach (cell, columns.names) {
        const char *name = strVal(lfirst(cell));
        list = lappend(list, rewrite_target(rewrite_column(target_alias, name), name));
    }
    return list;
}

static RangeVar *real_table(const struct write *write)
{
    return rewrite_table(write->table->schema, write->table->name, target_alias);
}

/* A row that another transaction has changed since q was read has moved. The join says so, but a
 * look-up by ctid does not look again after it has waited for that transaction (releases before
 * 2025): a condition that no look-up takes over does. */
static Node *at_the_same_place(struct write *write)
{
    Node *still = (Node *)makeA_Expr(AEXPR_NOT_DISTINCT, list_make1(makeString(pstrdup("="))),
                                     rewrite_column(target_alias, "ctid"),
                                     rewrite_column(write->q, write->row), -1);
    Node *row = rewrite_operator("=", rewrite_column(target_alias, "ctid"),
                                 rewrite_column(write->q, write->row));
    Node *part = rewrite_operator("=", rewrite_column(target_alias, "tableoid"),
                                  rewrite_column(write->q, write->part));
    return rewrite_and(rewrite_and(row, part), still);
}

static Node *update_node(struct write *write)
{
    UpdateStmt *update = rewrite_new(UpdateStmt);
    update->relation = real_table(write);
    for (size_t i = 0; i < write->column_count; i++) {
        const struct write_column *column = &write->columns[i];
        SetToDefault *fallback = rewrite_new(SetToDefault);
        Node *value =
            column->value != NULL ? rewrite_column(write->q, column->value) : (Node *)fallback;
        fallback->location = -1;
        update->targetList = lappend(update->targetList,
                                     rewrite_target(value, column->granted->column->catalog->name));
    }
    update->fromClause = list_make1(reference(write->q));
    update->whereClause = at_the_same_place(write);
    update->returningList = returned(write, rewrite_column(write->q, write->row),
                                     rewrite_column(write->q, write->part));
    return (Node *)update;
}

static Node *delete_node(struct write *write)
{
    DeleteStmt *delete = rewrite_new(DeleteStmt);
    delete->relation = real_table(write);
    delete->usingClause = list_make1(reference(write->q));
    delete->whereClause = at_the_same_place(write);
    delete->returningList = returned(write, rewrite_column(write->q, write->row),
                                     rewrite_column(write->q, write->part));
    return (Node *)delete;
}

/* Of q: NULL in a row that only brings sets of the statement. NULL where there is no such row. */
static Node *marker(const struct write *write)
{
    if (!write->from_source || !write->build->plan->has_once)
        return NULL;
    return rewrite_column(write->q, strVal(llast(write->source_names)));
}

static Node *insert_node(struct write *write)
{
    InsertStmt *insert = rewrite_new(InsertStmt);
    SelectStmt *select = rewrite_new(SelectStmt);
    insert->relation = real_table(write);
    for (size_t i = 0; i < write->column_count; i++) {
        const struct write_column *column = &write->columns[i];
        if (column->value == NULL)
            continue;
        insert->cols =
            lappend(insert->cols, rewrite_target(NULL, column->granted->column->catalog->name));
        select->targetList = lappend(select->targetList,
                                     rewrite_target(rewrite_column(write->q, column->value), NULL));
    }
    select->fromClause = list_make1(reference(write->q));
    if (marker(write) != NULL)
        select->whereClause = rewrite_not_null(marker(write));
    insert->selectStmt = (Node *)select;
    insert->onConflictClause = write->conflict;
    insert->override = OVERRIDING_NOT_SET;
    insert->returningList = returned(write, rewrite_column(target_alias, "ctid"),
                                     rewrite_column(target_alias, "tableoid"));
    return (Node *)insert;
}

/* ---- r ---- */

/* In the fence's stead of the table: what w has written. */
static void read_written(struct write *write, Node *from)
{
    while (IsA(from, JoinExpr))
        from = ((JoinExpr *)from)->larg;
    RangeVar *range = castNode(RangeVar, from);
    range->schemaname = NULL;
    range->relname = pstrdup(write->w);
}

static void add(SelectStmt *select, Node *value, const char *name)
{
    select->targetList = lappend(select->targetList, rewrite_target(value, name));
}

/* Shows the place of each row, and the keys of its people, behind all else. */
static void show_places(struct write *write)
{
    const struct relation *relation = write->after_level->relations[0];
    SelectStmt *fence = write->written->select;
    const char *const names[] = {write->row, write->part};
    for (size_t i = 0; i < lengthof(names); i++) {
        add(fence, rewrite_column(target_alias, names[i]), names[i]);
        add(write->after, rewrite_column(relation->alias, names[i]), names[i]);
    }
    read_written(write, linitial(fence->fromClause));
}

/* Those of deleted rows come with the source. */
static void show_keys(struct write *write)
{
    size_t count = write->grant->dataset->subject_count;
    if (write->change == PLAN_CHANGE_DELETE)
        return;
    write->after_keys = palloc0((count + 1) * sizeof *write->after_keys);
    for (size_t s = 0; s < count; s++) {
        write->after_keys[s] = plan_hidden_name();
        add(write->after,
            rewrite_column(write->after_level->relations[0]->alias, write->written->keys[s]),
            write->after_keys[s]);
    }
}

/* ---- the whole ---- */

static CommonTableExpr *common_table(const char *name, List *columns, Node *query, bool once)
{
    CommonTableExpr *table = rewrite_new(CommonTableExpr);
    table->ctename = pstrdup(name);
    table->aliascolnames = columns;
    table->ctematerialized = once ? CTEMaterializeAlways : CTEMaterializeDefault;
    table->ctequery = query;
    table->location = -1;
    return table;
}

static WithClause *with_clause(struct write *write)
{
    Node *change = write->change == PLAN_CHANGE_INSERT   ? insert_node(write)
                   : write->change == PLAN_CHANGE_UPDATE ? update_node(write)
                                                         : delete_node(write);
    WithClause *with = rewrite_new(WithClause);
    with->ctes =
        list_make2(common_table(write->q, write->source_names, (Node *)write->source, true),
                   common_table(write->w, NIL, change, false));
    with->location = -1;
    return with;
}

/* Are the rows that were given told beside those that were written? */
static bool tells_given(const struct write *write)
{
    return write->change == PLAN_CHANGE_INSERT && (write->from_source || write->conflict != NULL);
}

/* r as a table of the last SELECT; columns: the names of its first ones. */
static Node *after_node(struct write *write, List *columns)
{
    RangeSubselect *range = rewrite_subselect(write->after, write->r);
    range->alias->colnames = columns;
    return (Node *)range;
}

static Node *from_clause(struct write *write, List *after_names)
{
    Node *w = reference(write->w), *q = reference(write->q);
    if (write->change == PLAN_CHANGE_DELETE)
        return rewrite_join(JOIN_LEFT, q, w, equal_places(write, write->q, write->w));
    Node *after = after_node(write, after_names);
    if (write->change == PLAN_CHANGE_UPDATE)
        w = rewrite_join(JOIN_LEFT, q, w, equal_places(write, write->q, write->w));
    w = rewrite_join(JOIN_LEFT, w, after, equal_places(write, write->w, write->r));
    if (!tells_given(write))
        return w;
    Node *never = rewrite_operator("=", rewrite_integer(1), rewrite_integer(0));
    return rewrite_join(JOIN_FULL, q, w, never);
}

static Node *is_null(const char *relation, const char *column)
{
    NullTest *test = (NullTest *)rewrite_not_null(rewrite_column(relation, column));
    test->nulltesttype = IS_NULL;
    return (Node *)test;
}

/* More than one row with this place. */
static Node *is_repeated(const struct write *write, const char *relation)
{
    FuncCall *count = (FuncCall *)rewrite_call("count", NIL);
    WindowDef *window = rewrite_new(WindowDef);
    window->partitionClause =
        list_make2(rewrite_column(relation, write->part), rewrite_column(relation, write->row));
    window->frameOptions = FRAMEOPTION_DEFAULTS;
    window->location = -1;
    count->agg_star = true;
    count->over = window;
    return rewrite_operator(">", (Node *)count, rewrite_integer(1));
}

static Node *letter(enum plan_mark mark)
{
    const char text[2] = {(char)mark, 0};
    return rewrite_cast(rewrite_text(text), "text");
}

static void when(CaseExpr *choice, Node *condition, enum plan_mark mark)
{
    CaseWhen *arm = rewrite_new(CaseWhen);
    arm->expr = (Expr *)condition;
    arm->result = (Expr *)letter(mark);
    arm->location = -1;
    choice->args = lappend(choice->args, arm);
}

static Node *mark_node(struct write *write)
{
    CaseExpr *choice = rewrite_new(CaseExpr);
    bool insert = write->change == PLAN_CHANGE_INSERT;
    const char *whole = insert ? write->w : write->q;
    if (insert && marker(write) != NULL) {
        NullTest *none = (NullTest *)rewrite_not_null(marker(write));
        none->nulltesttype = IS_NULL;
        when(choice, rewrite_and(is_null(whole, write->row), (Node *)none), PLAN_MARK_NONE);
    }
    when(choice, is_null(whole, write->row), insert ? PLAN_MARK_GIVEN : PLAN_MARK_NONE);
    when(choice, is_repeated(write, whole), PLAN_MARK_AGAIN);
    if (!insert)
        when(choice, is_null(write->w, write->row), PLAN_MARK_STALE);
    if (write->change != PLAN_CHANGE_DELETE)
        when(choice, is_null(write->r, write->row), PLAN_MARK_OUTSIDE);
    choice->defresult = (Expr *)letter(PLAN_MARK_WRITTEN);
    choice->location = -1;
    return (Node *)choice;
}

/* The visible columns, then the hidden ones and the marker of once sets, from q or r. */
static void add_columns(struct write *write, SelectStmt *select, List *after_names)
{
    const struct plan *plan = write->build->plan;
    bool deleted = write->change == PLAN_CHANGE_DELETE;
    List *shown = deleted ? write->source_names : after_names;
    List *recorded = write->from_source ? write->source_names : after_names;
    const char *shown_by = deleted ? write->q : write->r;
    const char *recorded_by = write->from_source ? write->q : write->r;
    size_t hidden = plan->hidden_count + plan->has_once;
    size_t first = (size_t)list_length(recorded) - hidden;
    for (size_t i = 0; i < plan->visible_count; i++)
        add(select, rewrite_column(shown_by, strVal(list_nth(shown, (int)i))),
            plan->visible_names[i]);
    for (size_t i = 0; i < hidden; i++) {
        const char *name = strVal(list_nth(recorded, (int)(first + i)));
        add(select, rewrite_column(recorded_by, name), name);
    }
    for (size_t s = 0; s < write->grant->dataset->subject_count; s++)
        add(select, rewrite_column(shown_by, write->after_keys[s]), write->after_keys[s]);
    add(select, mark_node(write), plan_hidden_name());
}

/* Sets of the statement come with the first row. */
static void order_once(struct write *write, SelectStmt *select)
{
    const struct plan *plan = write->build->plan;
    for (size_t i = 0; plan->has_once && i < plan->hidden_count; i++) {
        if (!plan->hidden[i].once)
            continue;
        const ResTarget *target =
            list_nth_node(ResTarget, select->targetList, (int)(plan->visible_count + i));
        SortBy *sort = rewrite_new(SortBy);
        NullTest *test = (NullTest *)rewrite_not_null(copyObject(target->val));
        test->nulltesttype = IS_NULL;
        sort->node = (Node *)test;
        sort->location = -1;
        select->sortClause = list_make1(sort);
        return;
    }
}

static List *hidden_names(List *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        names = lappend(names, makeString(pstrdup(plan_hidden_name())));
    return names;
}

enum status plan_write_emit(struct write *write, Node **emitted)
{
    const struct plan *plan = write->build->plan;
    SelectStmt *select = rewrite_new(SelectStmt);
    List *after_names = NIL;
    size_t hidden = plan->hidden_count + plan->has_once;
    if (write->from_source)
        write->source_names = hidden_names(write->source_names, hidden);
    if (write->after != NULL) {
        after_names = hidden_names(NIL, write->after_level->target_count);
        if (!write->from_source)
            after_names = hidden_names(after_names, hidden);
        show_places(write);
    }
    show_keys(write);
    select->withClause = with_clause(write);
    select->fromClause = list_make1(from_clause(write, after_names));
    add_columns(write, select, after_names);
    order_once(write, select);
    *emitted = (Node *)select;
    return STATUS_OK;
}

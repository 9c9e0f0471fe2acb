/* Statements that read the catalogue and no dataset: recognised, rewritten by one walk, and planned
 * as rows about nobody. See virtual_private.h for the parts. */
#include "sql/virtual/virtual.h"

#include <string.h>

#include "sql/allow/allow.h"
#include "sql/virtual/virtual_private.h"

enum { DEFINITION_BYTES = 64 * 1024, DEFINITION_DEPTH = 200 };

/* Each table or source that the statement uses, and the name that it goes by. */
struct virtual_use {
    const char *schema, *table; /* schema NULL: a source */
    const char *name;
};

struct survey {
    List *tables;    /* RangeVar */
    List *names;     /* of common table expressions, wherever they are */
    List *functions; /* RangeFunction */
    bool calls;      /* a function or a cast that asks the catalogue */
};

static bool asks_catalogue(const FuncCall *call)
{
    const char *name = strVal(llast(call->funcname));
    return virtual_answers(name) && !allow_function(name);
}

static bool survey_walker(Node *node, void *context)
{
    struct survey *survey = context;
    if (node == NULL)
        return false;
    if (IsA(node, RangeVar))
        survey->tables = lappend(survey->tables, node);
    else if (IsA(node, RangeFunction))
        survey->functions = lappend(survey->functions, copyObjectImpl(node));
    else if (IsA(node, CommonTableExpr))
        survey->names = lappend(survey->names, ((CommonTableExpr *)node)->ctename);
    else if (IsA(node, FuncCall))
        survey->calls = survey->calls || asks_catalogue((const FuncCall *)node);
    else if (IsA(node, TypeCast))
        survey->calls = survey->calls || virtual_is_reference_cast(node);
    return raw_expression_tree_walker(node, survey_walker, context);
}

static bool is_named(const List *names, const char *name)
{
    const ListCell *cell;
    foreach (cell, names)
        if (strcmp(lfirst(cell), name) == 0)
            return true;
    return false;
}

static bool is_catalogue(const char *schema)
{
    return strcmp(schema, "pg_catalog") == 0 || strcmp(schema, "information_schema") == 0;
}

bool virtual_has(const char *name)
{
    return virtual_find(NULL, name) != NULL;
}

bool virtual_reads(SelectStmt *select)
{
    struct survey survey = {0};
    bool reads = false;
    ListCell *cell;
    (void)survey_walker((Node *)select, &survey);
    foreach (cell, survey.tables) {
        const RangeVar *range = lfirst_node(RangeVar, cell);
        if (range->schemaname != NULL ? is_catalogue(range->schemaname)
                                      : virtual_find(NULL, range->relname) != NULL)
            reads = true;
        else if (range->schemaname != NULL || !is_named(survey.names, range->relname))
            return false;
    }
    return reads || survey.calls;
}

static enum status parse_ours(const char *sql, SelectStmt **select, struct error *error)
{
    List *statements;
    TRY(parse_text(sql, DEFINITION_BYTES, DEFINITION_DEPTH, &statements, error));
    *select = castNode(SelectStmt, linitial_node(RawStmt, statements)->stmt);
    return STATUS_OK;
}

/* "oid oid, kind char" as SELECT NULL::oid AS oid, NULL::"char" AS kind WHERE false */
SelectStmt *virtual_no_rows(const char *columns)
{
    SelectStmt *select = rewrite_new(SelectStmt);
    for (const char *at = columns; *at != '\0';) {
        size_t name = strcspn(at, " "), type = strcspn(at + name + 1, ",");
        const char *start = at + name + 1;
        bool array = start[type - 1] == ']';
        const char *cast =
            array ? psprintf("_%.*s", (int)type - 2, start) : psprintf("%.*s", (int)type, start);
        select->targetList =
            lappend(select->targetList, rewrite_target(rewrite_cast(rewrite_null(), cast),
                                                       psprintf("%.*s", (int)name, at)));
        at = start + type + strspn(start + type, ", ");
    }
    select->whereClause = rewrite_boolean(false);
    return select;
}

/* As a last column, since nothing else can bear the name of a system column. */
static void add_tableoid(const struct virtual_table *table, SelectStmt *select)
{
    if (table->oid == 0)
        return;
    if (select->op != SETOP_NONE) {
        add_tableoid(table, select->larg);
        add_tableoid(table, select->rarg);
        return;
    }
    Node *value = rewrite_cast(rewrite_integer((int)table->oid), "oid");
    select->targetList = lappend(select->targetList, rewrite_target(value, "tableoid"));
}

/* The rows of a table, rewritten: all that it reads is in use before it. */
static enum status define(struct virtual_walk *walk, const struct virtual_table *table,
                          SelectStmt **select)
{
    struct virtual_walk own = *walk;
    own.trusted = true;
    own.scope = NULL;
    own.arguments = NULL;
    if (table->empty) {
        *select = virtual_no_rows(table->sql);
        return STATUS_OK;
    }
    TRY(parse_ours(table->sql, select, walk->build->error));
    return virtual_walk_select(&own, *select, VIRTUAL_NAMES);
}

static const char *used(const struct virtual_walk *walk, const char *schema, const char *table)
{
    for (size_t i = 0; i < *walk->use_count; i++) {
        const struct virtual_use *use = &walk->uses[i];
        bool same = schema == NULL ? use->schema == NULL
                                   : use->schema != NULL && strcmp(use->schema, schema) == 0;
        if (same && strcmp(use->table, table) == 0)
            return use->name;
    }
    return NULL;
}

static const char *put_in_use(struct virtual_walk *walk, const char *schema, const char *table,
                              SelectStmt *select)
{
    CommonTableExpr *expression = rewrite_new(CommonTableExpr);
    expression->ctename = pstrdup(plan_hidden_name());
    expression->ctematerialized = CTEMaterializeDefault;
    expression->ctequery = (Node *)select;
    expression->location = -1;
    *walk->tables = lappend(*walk->tables, expression);
    walk->uses[(*walk->use_count)++] = (struct virtual_use){schema, table, expression->ctename};
    return expression->ctename;
}

static enum status use(struct virtual_walk *walk, const struct virtual_table *table,
                       const char **name)
{
    SelectStmt *select;
    *name = used(walk, table->schema, table->name);
    if (*name != NULL)
        return STATUS_OK;
    TRY(define(walk, table, &select));
    add_tableoid(table, select);
    *name = put_in_use(walk, table->schema, table->name, select);
    return STATUS_OK;
}

static enum status use_source(struct virtual_walk *walk, const char *source, const char **name)
{
    *name = used(walk, NULL, source);
    if (*name != NULL)
        return STATUS_OK;
    SelectStmt *select = virtual_source(walk->build, source);
    if (select == NULL)
        return plan_refuse(walk->build, "XX000", "Write the statement in another way.",
                           "a catalogue table has no rows");
    *name = put_in_use(walk, NULL, pstrdup(source), select);
    return STATUS_OK;
}

static enum status not_shown(struct virtual_walk *walk, const RangeVar *range)
{
    if (range->schemaname != NULL && is_catalogue(range->schemaname))
        return plan_refuse(walk->build, "42501",
                           "pg_class, pg_attribute, information_schema.columns and many others "
                           "show the granted datasets.",
                           "%s.%s is not available", range->schemaname, range->relname);
    return plan_refuse(walk->build, "42P01", "SHOW cofferdam.datasets lists what is granted.",
                       "dataset \"%s\" is not granted to partner \"%s\"", range->relname,
                       walk->build->request->partner->name);
}

static bool in_scope(const struct virtual_walk *walk, const char *name)
{
    for (const struct virtual_scope *at = walk->scope; at != NULL; at = at->outer)
        if (strcmp(at->name, name) == 0)
            return true;
    return false;
}

static enum status check_range(struct virtual_walk *walk, const RangeVar *range)
{
    if (!range->inh)
        return plan_refuse(walk->build, "0A000", "Leave ONLY out.", "ONLY is not supported");
    if (range->catalogname != NULL)
        return plan_refuse(walk->build, "0A000", "Leave the database's name out.",
                           "names of other databases are not supported");
    return STATUS_OK;
}

enum status virtual_walk_range(struct virtual_walk *walk, RangeVar *range)
{
    const char *name;
    TRY(check_range(walk, range));
    if (range->schemaname == NULL && in_scope(walk, range->relname))
        return STATUS_OK;
    if (walk->trusted && range->schemaname != NULL)
        return STATUS_OK; /* our own text, which restricts what it reads */
    const struct virtual_table *table = virtual_find(range->schemaname, range->relname);
    if (table != NULL)
        TRY(use(walk, table, &name));
    else if (walk->trusted)
        TRY(use_source(walk, range->relname, &name));
    else
        return not_shown(walk, range);
    if (range->alias == NULL)
        range->alias = makeAlias(range->relname, NIL);
    range->schemaname = NULL;
    range->relname = pstrdup(name);
    return STATUS_OK;
}

static bool holds_sublink(Node *node, void *context)
{
    if (node == NULL)
        return false;
    return IsA(node, SubLink) || raw_expression_tree_walker(node, holds_sublink, context);
}

/* (SELECT value FROM (SELECT argument AS a1 …) AS given): what an argument names is looked for
 * around the call, never among the tables of our own text. The value names its arguments several
 * times, and PostgreSQL would plan a call in an argument as often, those in its own again as often
 * each: OFFSET keeps such a sub-select whole. */
static Node *around(Node *value, Node *const *arguments, size_t count)
{
    SelectStmt *outer = rewrite_new(SelectStmt), *inner = rewrite_new(SelectStmt);
    for (size_t i = 0; i < count; i++)
        inner->targetList =
            lappend(inner->targetList, rewrite_target(arguments[i], psprintf("a%zu", i + 1)));
    for (size_t i = 0; i < count; i++)
        if (holds_sublink(arguments[i], NULL))
            inner->limitOffset = rewrite_integer(0);
    outer->targetList = list_make1(rewrite_target(value, NULL));
    outer->fromClause = list_make1(rewrite_subselect(inner, "given"));
    return rewrite_sublink(EXPR_SUBLINK, outer);
}

enum status virtual_expression(struct virtual_walk *walk, const char *sql, Node *const *arguments,
                               size_t count, Node **out)
{
    struct virtual_walk own = *walk;
    SelectStmt *select;
    bool apart = false;
    Node **given = palloc0((count + 1) * sizeof(Node *));
    for (size_t i = 0; i < count && strstr(sql, "SELECT") != NULL; i++)
        apart = apart || rewrite_has_column(arguments[i]);
    for (size_t i = 0; i < count; i++)
        given[i] = apart ? rewrite_column("given", psprintf("a%zu", i + 1)) : arguments[i];
    own.trusted = true;
    own.scope = NULL;
    own.arguments = given;
    own.argument_count = count;
    TRY(parse_ours(psprintf("SELECT %s", sql), &select, walk->build->error));
    Node *value = linitial_node(ResTarget, select->targetList)->val;
    TRY(virtual_walk_node(&own, &value, false));
    *out = apart ? around(value, arguments, count) : value;
    return STATUS_OK;
}

static enum status keep_names(struct build *build, const List *names)
{
    struct plan *plan = build->plan;
    size_t count = (size_t)list_length(names);
    if (count > LIMIT_TARGETS)
        return plan_refuse(build, "54011", "Select fewer columns.",
                           "target lists can have at most %d entries", LIMIT_TARGETS);
    const char **kept = arena_array(&plan->arena, const char *, count + 1);
    for (size_t i = 0; kept != NULL && i < count; i++)
        kept[i] = arena_strdup(&plan->arena, list_nth(names, (int)i));
    plan->visible_names = kept;
    plan->visible_count = count;
    return kept == NULL ? STATUS_NOMEM : STATUS_OK;
}

/* CURRENT_USER and the like stand in FROM as values, without a name. */
static enum status check_functions(struct build *build, const List *functions)
{
    const ListCell *outer, *inner;
    foreach (outer, functions)
        foreach (inner, lfirst_node(RangeFunction, outer)->functions)
            if (!IsA(linitial(lfirst_node(List, inner)), FuncCall))
                return plan_refuse(build, "0A000", "Select the value instead.",
                                   "this kind of function in FROM is not supported over the "
                                   "system catalogs");
    return STATUS_OK;
}

enum status virtual_plan(struct build *build, SelectStmt *select)
{
    struct virtual_use *uses = palloc0(VIRTUAL_TABLES_MAX * sizeof *uses);
    size_t use_count = 0;
    List *tables = NIL, *names = NIL;
    struct survey survey = {0};
    (void)survey_walker((Node *)select, &survey);
    TRY(check_functions(build, survey.functions));
    struct virtual_walk walk = {.build = build,
                                .called = virtual_called(survey.functions),
                                .tables = &tables,
                                .uses = uses,
                                .use_count = &use_count};
    struct virtual_names *written = virtual_names_survey(select);
    TRY(virtual_walk_select(&walk, select, VIRTUAL_NAMES));
    TRY(virtual_names_check(build, written, tables));
    TRY(virtual_columns(build, select, tables, &names));
    TRY(keep_names(build, names));
    if (tables != NIL) {
        if (select->withClause == NULL) {
            select->withClause = rewrite_new(WithClause);
            select->withClause->location = -1;
        }
        select->withClause->ctes = list_concat(tables, select->withClause->ctes);
    }
    plan_explain(build, "catalogue", "the gateway's own rows stand for the system catalogues");
    return STATUS_OK;
}

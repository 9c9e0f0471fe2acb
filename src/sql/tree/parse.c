/* Judges a text before and after libpg_query's grammar has read it.
 * Invariant: what leaves parse_text() is UTF-8, no deeper than asked for, and made of nodes that
 * raw_expression_tree_walker() knows, so that no later walk can overflow the stack or raise an
 * error outside of a handler (libpg_query would end the process).
 * The grammar itself does not recurse: its stack grows on the heap up to 10,000 entries and then
 * reports a syntax error. Trees do recurse, hence the walk. */
#include "sql/tree/parse.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"
#include "pg_query.h"
#include "pg_query/pg_query_internal.h"

#include "base/limits.h"

enum { OPERATOR_RUN_LIMIT = 500 };

void parse_begin(struct parse_scope *scope)
{
    scope->context = pg_query_enter_memory_context();
}

void parse_end(struct parse_scope *scope)
{
    pg_query_exit_memory_context(scope->context);
    scope->context = NULL;
}

/* Length of the UTF-8 character at text, 0 if it is none (RFC 3629, section 4). */
static size_t utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char lead_min, lead_max, second_min, second_max;
        size_t len;
    } forms[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t i = 0;

    while (i < lengthof(forms) && (text[0] < forms[i].lead_min || text[0] > forms[i].lead_max))
        i++;
    if (i == lengthof(forms))
        return 0;
    if (forms[i].len > 1 && (text[1] < forms[i].second_min || text[1] > forms[i].second_max))
        return 0;
    for (size_t k = 2; k < forms[i].len; k++) {
        if (text[k] < 0x80 || text[k] > 0xbf)
            return 0;
    }
    return forms[i].len;
}

static enum status check_utf8(const char *sql, struct error *error)
{
    const unsigned char *at = (const unsigned char *)sql;

    while (*at != 0) {
        size_t len = utf8_length(at);
        if (len == 0)
            return error_set(error, STATUS_DENIED, "22021", "Set client_encoding to UTF8.",
                             "the statement is not valid UTF-8 at byte %zu",
                             (size_t)(at - (const unsigned char *)sql) + 1);
        at += len;
    }
    return STATUS_OK;
}

static enum status too_deep(size_t depth_limit, struct error *error)
{
    return error_set(error, STATUS_LIMIT, "54001",
                     "Split the statement, or write long lists with IN or VALUES.",
                     "the statement is nested deeper than %zu levels", depth_limit);
}

/* Where a quoted token that opens at `at` ends: on its closing quote, or on the final NUL. A
 * doubled quote reads as two tokens, which is the same for counting brackets. */
static const char *skip_quoted(const char *at)
{
    const char *end = strchr(at + 1, *at);

    return end != NULL ? end : at + strlen(at) - 1;
}

/* Refuses hopeless bracket nesting before the grammar spends memory on it, and long runs of
 * operator characters, on which PostgreSQL's scanner spends quadratic time (16 kB of '+' took half
 * a second). Only a first sieve: dollar quotes and comments are not told from code. */
static enum status check_text(const char *sql, size_t depth_limit, struct error *error)
{
    size_t depth = 0, run = 0;

    for (const char *at = sql; *at != 0; at++) {
        run = strchr("~!@#^&|`?+-*/%<>=", *at) != NULL ? run + 1 : 0;
        if (run > OPERATOR_RUN_LIMIT)
            return error_set(error, STATUS_LIMIT, "54000",
                             "Put blanks or parentheses between operators.",
                             "more than %d operator characters in a row", OPERATOR_RUN_LIMIT);
        if (*at == '\'' || *at == '"')
            at = skip_quoted(at);
        else if (*at == '(' || *at == '[') {
            if (++depth > depth_limit)
                return too_deep(depth_limit, error);
        } else if ((*at == ')' || *at == ']') && depth > 0)
            depth--;
    }
    return STATUS_OK;
}

struct depth_walk {
    size_t depth, limit;
    bool too_deep, sublink;
};

static bool depth_walker(Node *node, void *context)
{
    struct depth_walk *walk = context;
    bool stop;

    if (node == NULL)
        return false;
    if (IsA(node, SubLink))
        walk->sublink = true;
    if (walk->depth >= walk->limit) {
        walk->too_deep = true;
        return true;
    }
    walk->depth += IsA(node, List) ? 0 : 1;
    stop = raw_expression_tree_walker(node, depth_walker, walk);
    walk->depth -= IsA(node, List) ? 0 : 1;
    return stop;
}

/* Runs the walk under PostgreSQL's error handling: false if the walker met a node kind that it
 * does not know. */
static bool depth_walk_run(Node *node, struct depth_walk *walk)
{
    MemoryContext context = CurrentMemoryContext;
    volatile bool known = true;

    PG_TRY();
    {
        (void)depth_walker(node, walk);
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        FlushErrorState();
        known = false;
    }
    PG_END_TRY();
    return known;
}

/* The query inside a utility statement that holds one, the statement itself if it is a query,
 * NULL for everything else. */
static Node *find_query(Node *statement)
{
    switch (nodeTag(statement)) {
    case T_SelectStmt:
    case T_InsertStmt:
    case T_UpdateStmt:
    case T_DeleteStmt:
    case T_MergeStmt:
        return statement;
    case T_PrepareStmt:
        return find_query(castNode(PrepareStmt, statement)->query);
    case T_DeclareCursorStmt:
        return find_query(castNode(DeclareCursorStmt, statement)->query);
    case T_ExplainStmt:
        return find_query(castNode(ExplainStmt, statement)->query);
    case T_CopyStmt:
        statement = castNode(CopyStmt, statement)->query;
        return statement != NULL ? find_query(statement) : NULL;
    default:
        return NULL;
    }
}

static enum status check_tree(List *statements, size_t depth_limit, struct error *error)
{
    ListCell *cell;

    foreach (cell, statements) {
        struct depth_walk walk = {.limit = depth_limit};
        Node *query = find_query(lfirst_node(RawStmt, cell)->stmt);

        if (query == NULL)
            continue;
        if (!depth_walk_run(query, &walk))
            return error_set(error, STATUS_DENIED, "0A000",
                             "Plain SELECT, INSERT, UPDATE and DELETE of SQL are supported.",
                             "the statement contains a construct that is not supported");
        if (walk.too_deep)
            return too_deep(depth_limit, error);
    }
    return STATUS_OK;
}

size_t parse_bytes_limit(const char *sql, size_t bytes_limit)
{
    bool catalogue = strstr(sql, "pg_catalog") != NULL || strstr(sql, "information_schema") != NULL;
    return catalogue && bytes_limit < LIMIT_CATALOGUE_BYTES ? LIMIT_CATALOGUE_BYTES : bytes_limit;
}

enum status parse_too_long(size_t bytes_limit, struct error *error)
{
    return error_set(error, STATUS_LIMIT, "54000",
                     "Split the statement, or bind long values as parameters.",
                     "the statement is longer than %zu bytes", bytes_limit);
}

enum status parse_text(const char *sql, size_t bytes_limit, size_t depth_limit, List **statements,
                       struct error *error)
{
    PgQueryInternalParsetreeAndError result;

    if (strnlen(sql, bytes_limit + 1) > bytes_limit)
        return parse_too_long(bytes_limit, error);
    TRY(check_utf8(sql, error));
    TRY(check_text(sql, depth_limit, error));

    result = pg_query_raw_parse(sql);
    free(result.stderr_buffer);
    if (result.error != NULL) {
        int position = result.error->cursorpos;
        pg_query_free_error(result.error);
        static const char hint[] = "The grammar is that of PostgreSQL 15.";
        return position > 0 ? error_set(error, STATUS_DENIED, "42601", hint,
                                        "syntax error at character %d", position)
                            : error_set(error, STATUS_DENIED, "42601", hint, "syntax error");
    }
    TRY(check_tree(result.tree, depth_limit, error));
    *statements = result.tree;
    return STATUS_OK;
}

/* Is the statement nothing but SELECT and one unnamed expression? */
static bool is_single_expression(const SelectStmt *select)
{
    return select->op == SETOP_NONE && list_length(select->targetList) == 1 &&
           select->distinctClause == NIL && select->intoClause == NULL &&
           select->fromClause == NIL && select->whereClause == NULL && select->groupClause == NIL &&
           select->havingClause == NULL && select->windowClause == NIL &&
           select->sortClause == NIL && select->limitOffset == NULL && select->limitCount == NULL &&
           select->lockingClause == NIL && select->withClause == NULL &&
           linitial_node(ResTarget, select->targetList)->name == NULL;
}

static bool has_sublink(Node *expression)
{
    struct depth_walk walk = {.limit = LIMIT_STATEMENT_DEPTH};

    return !depth_walk_run(expression, &walk) || walk.too_deep || walk.sublink;
}

enum status parse_expression(const char *sql, Node **expression, struct error *error)
{
    static const char prefix[] = "SELECT ";
    enum { PREFIX_LEN = sizeof prefix - 1 };
    List *statements;
    const SelectStmt *select;
    size_t len = strnlen(sql, LIMIT_STATEMENT_BYTES);
    char *text = palloc(PREFIX_LEN + len + 1);

    memcpy(text, prefix, PREFIX_LEN);
    memcpy(text + PREFIX_LEN, sql, len);
    text[PREFIX_LEN + len] = 0;
    if (sql[len] != 0)
        return error_set(error, STATUS_INVALID, "54000", NULL, "the expression is too long");
    if (parse_text(text, PREFIX_LEN + len, LIMIT_STATEMENT_DEPTH, &statements, error) != STATUS_OK)
        return error_set(error, STATUS_INVALID, "42601", NULL, "not a valid SQL expression");
    if (list_length(statements) != 1 || !IsA(linitial_node(RawStmt, statements)->stmt, SelectStmt))
        return error_set(error, STATUS_INVALID, "42601", NULL, "not a single SQL expression");
    select = (const SelectStmt *)linitial_node(RawStmt, statements)->stmt;
    if (!is_single_expression(select))
        return error_set(error, STATUS_INVALID, "42601", NULL, "not a single SQL expression");
    if (has_sublink(linitial_node(ResTarget, select->targetList)->val))
        return error_set(error, STATUS_INVALID, "0A000", NULL,
                         "an expression here cannot contain a subquery");
    *expression = linitial_node(ResTarget, select->targetList)->val;
    return STATUS_OK;
}

/* The virtual catalogue, private to sql/virtual/: pg_catalog and information_schema as this
 * partner, agent and purpose may see them now. decisions/0012-virtual-catalogue.md says why.
 *
 * A statement that reads the catalogue and no dataset is rewritten by one walk over its tree. Every
 * table that it names becomes a common table expression of ours; those are written in SQL
 * (virtual_tables.c, virtual_schema.c) over sources, whose rows are constants (virtual_rows.c) made
 * of what the model shows (virtual_view.c). Functions and casts that would read the real catalogue
 * are replaced by SQL over the same tables (virtual_function.c, virtual_cast.c). Invariant: what
 * the walk does not know, it refuses; only our own text names a real table, and each such reading
 * is held to what PostgreSQL itself brings. */
#ifndef COFFERDAM_SQL_VIRTUAL_PRIVATE_H
#define COFFERDAM_SQL_VIRTUAL_PRIVATE_H

#include "sql/plan/plan_build.h"

/* OIDs below are PostgreSQL's own, from the server's headers. */
enum {
    VIRTUAL_OID_FIRST = 16384, /* of datasets, their keys and indexes; hashed from names */
    VIRTUAL_OWNER = 10,
    VIRTUAL_PUBLIC = 2200,
    VIRTUAL_TABLES_MAX = 256
};

/* The text of a type's name, as to_regtype() may get it: a name in another schema would be looked
 * up there, and fail or not as the schema exists. */
#define VIRTUAL_TYPE_NAME(n)                                                                       \
    "(CASE WHEN (" n ")::text !~ '[.]' OR (" n ")::text ~ '^ *pg_catalog *[.][^.]*$' THEN (" n     \
    ")::text END)"

/* Is r of pg_class the relation that $n means: an OID or a name, quoted or not, with its schema or
 * not? */
#define VIRTUAL_MEANT(n)                                                                           \
    "replace(regexp_replace((" n ")::text, '^\"?public\"?[.]', ''), '\"', '') IN (r.oid::text, "   \
    "r.relname::text)"

/* A table of the catalogue. Its rows are a SELECT of ours, or none at all. In that SELECT a bare
 * table name means a virtual table or a source, pg_catalog.x the real one. */
struct virtual_table {
    const char *schema, *name; /* schema NULL: ours alone, no statement can name it */
    uint32_t oid;              /* what 'name'::regclass gives; 0: no number that anybody knows */
    const char *sql;           /* or, without rows, the columns: "oid oid, evtname name" */
    bool empty;
};

/* NULL if there is none. schema NULL: as PostgreSQL's search path, pg_catalog only. */
const struct virtual_table *virtual_find(const char *schema, const char *name);
const struct virtual_table *
virtual_schema_at(size_t index); /* information_schema; NULL at the end */

/* A function that a statement over the catalogue may call, beyond the allow-list. sql NULL: it
 * leaves as it is, since nothing but PostgreSQL's own can be read with it. Otherwise sql stands in
 * its place, with its arguments for $1, $2 … */
struct virtual_function {
    const char *name;
    int least, most; /* arguments */
    const char *sql;
    bool catalogue;     /* it leaves, but whoever calls it asks about the catalogue */
    const char *schema; /* NULL: pg_catalog */
};
const struct virtual_function *virtual_find_function(const char *name, int arguments);
/* Does a call of it, with any number of arguments, make a statement one over the catalogue? */
bool virtual_answers(const char *name);

/* What stands in the way of a name in a nested SELECT: the statement's own WITH. */
struct virtual_scope {
    const char *name;
    const struct virtual_scope *outer;
};

/* The rewriting of one statement. */
struct virtual_walk {
    struct build *build;
    const struct virtual_scope *scope;
    const List *called; /* struct virtual_called */
    List **tables;      /* CommonTableExpr of what is used, each behind what it reads */
    struct virtual_use *uses;
    size_t *use_count;
    Node *const *arguments; /* for $n of a function's own SQL; NULL: $n is the client's */
    size_t argument_count;
    bool trusted; /* our own text */
};

/* What a cast to regclass and its like gives in an output column. */
enum virtual_display {
    VIRTUAL_NUMBERS, /* OIDs: a sub-select that is compared */
    VIRTUAL_MIXED,   /* names, but OIDs for what is written out: 'customer'::regclass */
    VIRTUAL_NAMES,
};

/* Rewrites what stands at *slot. A cast to regclass and its like gives a name where `text`, an OID
 * otherwise. */
MUST_USE enum status virtual_walk_node(struct virtual_walk *walk, Node **slot, bool text);
/* What the walk does not know. */
enum status virtual_refuse(struct virtual_walk *walk, const char *what);
MUST_USE enum status virtual_walk_list(struct virtual_walk *walk, List *list, bool text);
MUST_USE enum status virtual_walk_select(struct virtual_walk *walk, SelectStmt *select,
                                         enum virtual_display display);
MUST_USE enum status virtual_walk_window(struct virtual_walk *walk, WindowDef *window);

/* A table's name becomes that of a common table expression with its rows. */
MUST_USE enum status virtual_walk_range(struct virtual_walk *walk, RangeVar *range);
/* Our SQL with arguments in place of its parameters, rewritten: an expression. */
MUST_USE enum status virtual_expression(struct virtual_walk *walk, const char *sql,
                                        Node *const *arguments, size_t count, Node **out);
MUST_USE enum status virtual_walk_call(struct virtual_walk *walk, Node **slot);
MUST_USE enum status virtual_walk_cast(struct virtual_walk *walk, Node **slot, bool text);
bool virtual_is_reference_cast(const Node *node); /* to regclass, regtype … */
/* The constant that stands for current_user, version() and the like. */
MUST_USE enum status virtual_walk_value(struct virtual_walk *walk, Node **slot);

/* "oid oid, kind char" as a SELECT of these columns without rows. */
SelectStmt *virtual_no_rows(const char *columns);
/* Rows of a source, as a SELECT over constants; NULL if name is none. */
SelectStmt *virtual_source(struct build *build, const char *name);

/* virtual_rights.c: sets of rights, as bits. What is granted for all columns is granted for the
 * table. */
unsigned virtual_table_rights(const struct model_grant *grant);
unsigned virtual_column_rights(const struct model_grant *grant,
                               const struct model_granted *granted);
const char *virtual_rights_names(unsigned rights);   /* "insert|select", a regular expression */
const char *virtual_rights_letters(unsigned rights); /* "ar" */

/* The names of a rewritten SELECT's output columns, as C strings: `*` is expanded. tables: the
 * CommonTableExpr that are to stand before it. */
MUST_USE enum status virtual_columns(struct build *build, SelectStmt *select, List *tables,
                                     List **names);
/* The same of one table that has been rewritten; NIL if it is none of `tables`. */
MUST_USE enum status virtual_table_columns(struct build *build, const RangeVar *range, List *tables,
                                           List **names);
/* The columns of a function in FROM, but for its alias' own. */
List *virtual_function_columns(const RangeFunction *range);
/* A function in FROM, by the name that it goes by. */
struct virtual_called {
    const char *name;
    List *columns;
};
/* Of each RangeFunction of a statement, as written. */
List *virtual_called(const List *functions);
/* q.f is a call of f where q is a function in FROM and has no column f. called: all of the
 * statement. Is alias.column a column, whichever of them the alias means? */
bool virtual_names_column(const List *called, const char *alias, const char *column);
/* The name that PostgreSQL gives an output column. */
const char *virtual_column_name(const Node *node);

/* Refuses names that mean nothing. The survey is of the statement as written, and borrows from it;
 * the check comes when it has been rewritten, for it is then known what the tables hold. */
struct virtual_names;
struct virtual_names *virtual_names_survey(SelectStmt *select);
MUST_USE enum status virtual_names_check(struct build *build, struct virtual_names *names,
                                         List *tables);

#endif

/* A plan in the making, private to sql/: relations, columns and levels of one statement, and the
 * steps that rewrite it. All of it lives in the parse scope of the statement and is gone when the
 * plan is done; only texts copied into the plan's arena stay.
 *
 * A level is one SELECT. Its relations are fences (a dataset, read under a grant) and sub-selects
 * (another level). Each relation carries hidden columns upward: subject keys, a policy column that
 * is false on rows the policy hides, and raw values of token columns where a join needs them.
 * Fences and relations are numbered over the whole statement, so that sets of either are bits of a
 * uint64_t. docs/decisions/0010 has the properties (changes, grows, stable) and their rules. */
#ifndef COFFERDAM_SQL_PLAN_BUILD_H
#define COFFERDAM_SQL_PLAN_BUILD_H

#include "base/limits.h"
#include "sql/model/model_private.h"
#include "sql/plan.h"
#include "sql/tree/rewrite_node.h"
#include "nodes/nodeFuncs.h"

enum {
    TYPE_BOOL = 16,
    TYPE_NAME = 19,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_TEXT = 25,
    TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701,
    TYPE_UNKNOWN = 705,
    TYPE_BPCHAR = 1042,
    TYPE_VARCHAR = 1043,
    TYPE_DATE = 1082,
    TYPE_TIME = 1083,
    TYPE_TIMESTAMP = 1114,
    TYPE_TIMESTAMPTZ = 1184,
    TYPE_INTERVAL = 1186,
    TYPE_TIMETZ = 1266,
    TYPE_BIT = 1560,
    TYPE_NUMERIC = 1700,
    TYPE_RECORD = 2249,
    TYPE_UUID = 2950,
    TYPE_JSONB = 3802
};

/* Columns of different collations stand together: comparing them fails, on the first row. */
#define COLLATION_MIXED UINT32_MAX

/* One reading of a dataset. Its SELECT is filled in when the whole statement is known. */
struct fence {
    const struct model_grant *grant;
    SelectStmt *select;
    bool *read;         /* by granted column: the statement refers to it */
    const char **raw;   /* by granted column: hidden name of its unmasked value, or NULL */
    const char **keys;  /* by subject: hidden name of the key */
    const char *policy; /* hidden name, or NULL if the fence hides no row */
    const char *mark;   /* hidden name of the row's mark, or NULL: lineage_rows.c */
    size_t index;       /* in build->fences */
    bool unchecked;     /* it reads rows that are being written: no foreign key holds yet */
    /* All its keys go into a `once` set of this grade; 0: they need not. */
    enum plan_grade settled;
    const char *why; /* so */
    uint64_t also;   /* fences whose rows are of the same person as one of this: sub-selects */
};

/* A hidden subject key on its way to the output. */
struct carried_key {
    const char *name; /* of the column that shows it, one level down */
    struct fence *fence;
    size_t subject; /* index in the dataset's subjects */
    uint8_t depth;  /* see plan_hidden, as are the next two */
    bool extended;
    bool threshold_only;
    enum plan_grade grade;
    bool repeats;    /* what the one before it is, or else the statement ends */
    bool marked;     /* a set with what rows of each it is of: see plan_hidden */
    Node *member;    /* then the key of each row in it */
    bool absent;     /* a row may stand without anybody of the fence, and tell so */
    uint64_t also;   /* fences whose keys are this one too */
    size_t row;      /* of the fence; see closure.h */
    Node *node;      /* its value, for the level that reads it */
    const char *why; /* for `cofferdam explain`; NULL: as its shape says */
};

/* A mark of the rows of a fence, on its way to the output; see lineage_rows.c. */
struct row_mark {
    const char *name; /* of the column that shows it, one level down */
    const struct fence *fence;
    Node *node; /* its value, for the level that reads it */
};

struct relation;
struct level;
struct resolver;

struct column {
    const char *name; /* what the statement calls it */
    const char *emit; /* what the rewritten text calls it */
    uint32_t type;
    uint32_t collation; /* as in the catalogue; COLLATION_MIXED */
    bool unstable;      /* a row that comes in place of one that went may differ in it */
    bool figure;        /* an aggregate over bare columns, one level down */
    uint64_t missing;   /* fences of which it may tell that they have no matching row, */
    uint64_t nulls;     /* and of which it does so by being NULL, and by that alone */
    /* The column of a fence that this is, unchanged, however many levels up; NULL: computed. */
    struct fence *fence;
    size_t granted;
    size_t row; /* of that fence; see closure.h */
    /* For a sub-select's column: where its value comes from unchanged, one level down. */
    struct relation *source;
    size_t source_column;
};

struct relation {
    const char *name;    /* what the statement calls it */
    const char *alias;   /* what the rewritten text calls it: unlike any other's */
    size_t index;        /* in build->relations */
    struct level *level; /* whose FROM it stands in */
    struct fence *fence; /* NULL: a sub-select */
    SelectStmt *select;  /* what stands behind the alias; hidden targets may be added to it. NULL:
                            none can be (set operations, CTEs, functions) */
    bool schema_named;   /* not aliased: public.dataset.column means it too */
    struct column *columns;
    size_t column_count;
    struct carried_key *keys;
    size_t key_count;
    struct row_mark *marks;
    size_t mark_count;
    const char *policy; /* hidden boolean column; NULL: no row below is hidden */
    bool grouped;
    bool extended;           /* on the nullable side of an outer join: */
    uint64_t missing;        /* fences of which no row may match a row that is kept */
    struct level *inner;     /* a sub-select's level, or NULL */
    uint64_t fences;         /* everything below */
    uint64_t changes, grows; /* fences whose people's deletion may add a row here, in place of one
                                that carried them, or out of nowhere */
    bool picks;              /* evaluated twice it may show other rows: LIMIT, ties, windows */
    bool local;              /* it reads something that only its own level can see */
    bool itself;             /* the WITH query that is being planned, read in its own second arm */
    bool whole;              /* its rows' keys are of everybody who could change anything in it */
    uint64_t outer_reads;    /* relations beside it or around its level that it reads, */
    bool outer_unstable;     /* and one of their columns is unstable */
    bool failing;            /* a WITH query in which something may fail */
};

/* A column that an unqualified name may mean, in the order of `*`. */
struct name {
    struct relation *relation;
    size_t column;
    /* JOIN … USING over columns of different types: it is this, cast to the type; or NULL. */
    const struct name *inner;
    uint32_t type;
    const struct name *other; /* FULL JOIN … USING: where this is NULL, that; or NULL */
};

/* JOIN … USING (…) AS name: the merged columns, seen wherever all of the join's relations,
 * [first, end) of the level, are. */
struct merged {
    const char *name;
    const struct name *entries;
    size_t count, first, end;
    const struct merged *next;
};

/* What a piece of FROM brings into scope: names, and relations [first, end) of the level. */
struct names {
    struct name *entries;
    size_t count;
    size_t first, end;
    uint64_t changes, grows; /* see struct relation */
};

/* What resolving an expression finds out. */
struct expression {
    Node *node;         /* rewritten: names resolved, everything qualified */
    uint32_t type;      /* 0: not derived; TYPE_UNKNOWN: untyped literal or parameter */
    bool total;         /* no value in the database makes it raise an error */
    bool immutable;     /* no setting and no clock changes it */
    uint64_t relations; /* that it reads, of this level and of those around it */
    bool unstable;      /* see struct column; also: it holds a sub-select */
    uint64_t missing;   /* see struct column; of an aggregate, lineage_missing() has the rest */
    uint64_t nulls; /* see struct column: a condition of which it is a part cannot be met then */
    bool parameter; /* holds a parameter */
    bool aggregate; /* holds an aggregate function */
    bool literal;   /* just a constant */
    uint32_t collation;    /* of the columns in it, if not the database's; COLLATION_MIXED */
    bool collated;         /* by a COLLATE in it, which wins over the columns' own */
    bool set;              /* holds a function that returns a set of rows */
    const char *ungrouped; /* a column in it that is neither grouped nor aggregated, or NULL */
    /* Where this is AND/OR/NOT or a total comparison: its parts, each at `slot` of the node, so
     * that a guard can be put on them alone. */
    struct expression *parts;
    size_t part_count;
    bool tree; /* AND, OR, NOT */
    /* An equality that may fail by itself, over the two `parts`: never where one of them is NULL,
     * so it will do to guard both. part_count is 0. */
    bool strict;
    /* A row value, (a, b) or ROW(a, b): what its members were found to be; else NULL. */
    const struct expression *members;
};

/* GROUP BY: the expression as resolved, and as it is emitted. */
struct group {
    Node *plain, *guarded;
    uint32_t type, collation;
    bool unstable;
    uint64_t relations, missing;
    size_t ordinal; /* of the output that it is; 0: none */
};

enum resolve_mode {
    RESOLVE_PLAIN,    /* aggregates are refused here */
    RESOLVE_GROUPED,  /* above GROUP BY: groups and aggregates only */
    RESOLVE_ARGUMENT, /* inside an aggregate */
};

struct target {
    const char *name;
    Node *original; /* as written; NULL: a member of `*`, below */
    struct name star;
    struct expression value;
    struct relation *source; /* a bare column of this relation, or NULL */
    size_t source_column;
};

/* A conjunct of WHERE or ON, resolved; and as it is emitted. */
struct conjunct {
    Node *node, *guarded;
    uint64_t relations; /* that it reads */
    bool where, outer;  /* of WHERE; of an outer join */
    /* Relations whose rows all meet it: an outer join's condition says nothing of the side that it
     * keeps. */
    uint64_t holds;
};

/* A sub-select in a condition of WHERE, to be settled once all of WHERE is known. */
struct unsettled {
    struct level *inner;
    enum plan_grade grade;
    const char *why; /* for `cofferdam explain` */
    struct unsettled *next;
};

/* One SELECT being rewritten. */
struct level {
    struct build *build;
    const struct resolver *outer; /* in which it stands: a sub-select in an expression, LATERAL */
    struct relation *relations[LIMIT_RELATIONS];
    size_t relation_count;
    const struct merged *merged;
    size_t scope_first, scope_end; /* relations that what is being guarded may name */
    struct names names;
    struct target *targets;
    size_t target_count;
    struct group *groups;
    size_t group_count;
    bool top, grouped;
    bool aggregated;        /* a value is computed over a group: members change it */
    bool plain_statistic;   /* every aggregate so far is one over bare columns */
    bool bare_aggregates;   /* likewise, min() and max() included */
    bool counts;            /* some aggregate is count(): a figure even where there is no row */
    bool order_unstable;    /* ORDER BY reads something unstable */
    bool having_unstable;   /* HAVING reads something unstable */
    bool rows_unstable;     /* and so does a function that gives a set of rows, among the outputs */
    uint64_t order_missing; /* of what ORDER BY and DISTINCT ON read; see struct column */
    bool grouping_sets;     /* ROLLUP, CUBE, GROUPING SETS */
    bool windows;           /* there are window functions, */
    bool shows_others;      /* some of which show values of other rows */
    bool minds_order;       /* some aggregate does: a list, a sum of floats */
    bool picks, local;      /* see struct relation */
    enum plan_grade settled; /* everybody whom it reads is recorded so; 0: not */
    List *counted;           /* arguments of plain aggregates that may be NULL */
    List *from;              /* rewritten */
    size_t *from_ends;       /* by item of it: how many relations there are up to its end */
    bool having;
    bool keeps;          /* what HAVING leaves out comes to the gateway, and is held back there */
    Node *passes;        /* then HAVING */
    List *failing_sorts; /* of ORDER BY: what may fail */
    const char *passed;  /* and the hidden column that says so */
    bool in_where;       /* WHERE is being resolved; */
    bool from_steady;    /* of FROM nothing but rows with their people can go */
    struct unsettled *unsettled;
    uint64_t judged; /* relations of which a condition of FROM or WHERE reads an unstable column */
    Node *where;     /* rewritten and guarded */
    bool failing;    /* a sub-select in an expression, in which something may fail */
    struct conjunct *conjuncts;
    size_t conjunct_count;
    uint64_t fences;         /* everything below, sub-selects in expressions included */
    uint64_t changes, grows; /* see struct relation */
    uint64_t outer_reads;    /* relations of the levels around it that it reads, */
    bool outer_unstable;     /* and one of their columns is unstable */
    /* The same, of FROM and WHERE alone. */
    uint64_t from_outer_reads, body_changes, body_grows;
    bool from_picks;
    /* Keys of the rows of FROM and WHERE; and of sub-selects that are evaluated above groups. */
    struct carried_key *body, *above_groups;
    size_t body_count, above_groups_count;
    struct carried_key *keys; /* to go out */
    size_t key_count;
    struct row_mark *marks;
    size_t mark_count;
    const char *policy;
};

/* One row of `once` sets, computed beside the query: its columns' names and what they hold. */
struct once {
    SelectStmt *select;
    const char *alias;
    struct carried_key *keys;
    size_t key_count;
    struct once *next;
};

/* A WITH query. Its relation is a template: each reference gets a copy. */
struct common_table {
    const char *name;
    struct relation *relation;
    bool top;                        /* of the outermost WITH: seen by all of the statement */
    const struct common_table *next; /* those that stand before it, or around it */
};

struct build {
    const struct plan_request *request; /* NULL while a model is bound */
    struct plan *plan;
    struct error *error;
    const struct model *model;
    size_t parameter_count; /* the client's */
    bool *parameter_mixed;  /* stands in several ways: bare, or cast to different types */
    struct fence *fences[LIMIT_RELATIONS];
    size_t fence_count;
    const struct policy_grant *grants[LIMIT_RELATIONS + 1]; /* plan_standing.h */
    size_t grant_count;
    struct relation *relations[LIMIT_RELATIONS];
    size_t relation_count;
    bool proves;                /* keys may stand for each other: see closure.h */
    struct row_path *row_paths; /* by row, less 1 */
    size_t row_count;
    const struct common_table *common_tables; /* in scope */
    struct once *once;
    List *figures;   /* WITH queries of ours, that `once` sets and conditions read */
    bool sublinks;   /* a sub-select stands in an expression */
    List *constants; /* sub-selects in expressions that read nobody's rows */
    bool settled;    /* all keys of some fence go into a `once` set */
    struct plan_secret *secrets;
    size_t secret_count;
    size_t guard_count;
    size_t failing; /* expressions, aggregates and the like so far that may fail */
    bool writes;    /* the statement changes rows */
    bool steered;   /* where an expression fails, a partner may choose: steered.c */
    bool written;   /* what is planned now reads just the rows that the statement writes */
    bool sets; /* a function that returns a set stands somewhere: no count is a plain statistic */
};

struct resolver {
    struct build *build;
    struct level *level;
    const struct names *names;
    enum resolve_mode mode;
    const char *place; /* "WHERE", for messages */
    bool trusted;      /* our own text: not held against the allow-lists */
    bool sets;         /* a function that returns a set may stand here, */
    bool windows;      /* and one that has a window */
    bool volatiles;    /* random() may: what stands here is evaluated as often as it is written,
                          since nothing is copied from it into a set of keys */
    /* What a sub-select's value does: it goes out, or decides what does; it is part of a condition;
     * it is a conjunct of WHERE, or what NOT makes one of. */
    enum { SUBLINK_VALUE, SUBLINK_CONDITION, SUBLINK_CONJUNCT, SUBLINK_NEGATED } sublinks;
};

/* STATUS_DENIED with the build's error filled in; the hint says what would be allowed. */
enum status plan_refuse(struct build *build, const char *sqlstate, const char *hint,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The array, of `count` elements, with zeroed room for one more: NULL at first, doubled since. */
void *plan_grow(void *array, size_t count, size_t size);
const char *plan_hidden_name(void); /* "h" and 16 random hex digits */
void plan_explain(struct build *build, const char *topic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* plan.c: what every statement over fences needs. */
/* plan->constants; before anything is rewritten. */
void plan_keep_constants(struct build *build, Node *statement);
MUST_USE enum status plan_count_parameters(struct build *build, Node *statement);
MUST_USE enum status plan_keep_secrets(struct build *build);
MUST_USE enum status plan_keep_names(struct build *build, const struct level *level);
MUST_USE enum status plan_keep_tables(struct build *build);
/* plan_write.c: INSERT, UPDATE, DELETE. *emitted: what goes upstream. */
MUST_USE enum status plan_write(struct build *build, Node *statement, Node **emitted);
/* plan_select.c: rewrites a SELECT, set operations and all. *select becomes what stands for it;
 * outer is NULL but for LATERAL and sub-selects in expressions. */
MUST_USE enum status plan_select(struct build *build, SelectStmt **select,
                                 const struct resolver *outer, bool top, struct level **level);
struct level *plan_new_level(struct build *build, const struct resolver *outer, bool top);
/* The relations of its own FROM, as bits. */
uint64_t plan_own_relations(const struct level *level);
/* The rest of a SELECT once its FROM stands: targets, groups, order, limit, hidden columns. */
MUST_USE enum status plan_finish_level(struct level *level, SelectStmt *select);
/* plan_setop.c: UNION, INTERSECT, EXCEPT; DISTINCT as a level of its own above the rest. */
MUST_USE enum status plan_set_operation(struct build *build, SelectStmt **select,
                                        const struct resolver *outer, bool top,
                                        struct level **level);
MUST_USE enum status plan_values(struct build *build, SelectStmt **select,
                                 const struct resolver *outer, bool top, struct level **level);
MUST_USE enum status plan_distinct(struct build *build, SelectStmt **select,
                                   const struct resolver *outer, bool top, struct level **level);
/* Both arms of one operation: the visible targets under the names by which the relation shows them;
 * whether the policy holds for a row of the arm. */
List *plan_arm_targets(const struct level *level, const SelectStmt *select,
                       const struct relation *relation);
Node *plan_arm_policy(const struct level *level, const SelectStmt *select);
/* plan_with.c: the WITH clause in front of a SELECT; and its references in FROM. */
MUST_USE enum status plan_with(struct build *build, WithClause *with, const struct resolver *outer,
                               bool top);
const struct common_table *plan_find_common_table(const struct build *build, const RangeVar *range);
/* plan_recursive.c: a query of WITH RECURSIVE that reads itself; *relation: what it is to others.
 */
bool plan_reads(Node *query, const char *name); /* does it name it in some FROM? */
MUST_USE enum status plan_recursive(struct build *build, CommonTableExpr *query,
                                    const struct resolver *outer, bool top,
                                    struct relation **relation);
/* Other names for the first columns, as in WITH name (a, b) AS …. */
MUST_USE enum status plan_name_columns(struct build *build, const CommonTableExpr *query,
                                       struct relation *relation);
/* plan_features.c: refuses what is not accepted, clause by clause. */
MUST_USE enum status plan_check_features(struct build *build, const SelectStmt *select);
/* plan_target.c */
MUST_USE enum status plan_expand_targets(struct level *level, List *targets);
MUST_USE enum status plan_resolve_groups(struct level *level, SelectStmt *select);
MUST_USE enum status plan_resolve_targets(struct level *level, SelectStmt *select);
MUST_USE enum status plan_resolve_having(struct level *level, SelectStmt *select);
MUST_USE enum status plan_resolve_order(struct level *level, SelectStmt *select);
MUST_USE enum status plan_resolve_distinct_on(struct level *level, SelectStmt *select);
/* A target that is the column itself, as `*` expands to. */
MUST_USE enum status plan_add_column(struct level *level, struct relation *relation, size_t column);
/* plan_limit.c */
/* Are LIMIT and OFFSET numbers, if they are there at all? */
bool plan_limit_is_known(const SelectStmt *select);
MUST_USE enum status plan_limit(struct level *level, SelectStmt *select);
/* plan_lookup.c: partners that may only look up. */
MUST_USE enum status plan_check_lookup(struct level *level);
/* plan_utility.c: everything that is no SELECT. */
MUST_USE enum status plan_utility(struct build *build, Node *statement, Node **emitted);
/* plan_name.c: the name PostgreSQL gives an output column (parse_target.c, FigureColname). */
const char *plan_column_name(const Node *node);

/* resolve_from.c: FROM, its joins and conditions. */
MUST_USE enum status resolve_from(struct level *level, List *from, Node *where, SelectStmt *out);
/* Puts a relation of ours into the level's FROM, as its only item. */
MUST_USE enum status resolve_only(struct level *level, struct relation *relation, Node *node,
                                  SelectStmt *out);
/* resolve_using.c: takes the columns out of both sides; their equality, and what each pair is now.
 */
MUST_USE enum status resolve_using(struct level *level, const List *columns, JoinType join,
                                   struct names *left, struct names *right, Node **condition,
                                   struct names *merged);
/* NATURAL: the names that both sides have, in the left one's order. */
List *resolve_common_names(const struct names *left, const struct names *right);
/* names: of the whole join; columns: merged by it. */
MUST_USE enum status resolve_name_merged(struct level *level, const JoinExpr *join,
                                         const struct names *names, const struct names *columns);
const struct merged *resolve_merged(const struct level *level, const struct names *names,
                                    const char *name);
/* Refuses a name that FROM has already. */
MUST_USE enum status resolve_check_alias(const struct level *level, const char *name);
/* resolve_range_function.c: what a function in FROM gives; left: what stands before it. */
MUST_USE enum status resolve_range_function(struct level *level, RangeFunction *item,
                                            const struct names *left, struct relation **relation);
void resolve_name_function(const struct relation *relation, RangeFunction *item);
/* What a rewritten level looks like from above; outputs that share a name get hidden ones. */
struct relation *resolve_sub_select(struct level *inner, SelectStmt *select, const char *name);
/* resolve_column.c */
MUST_USE enum status resolve_column(struct resolver *resolver, const ColumnRef *reference,
                                    struct expression *out);
/* The level in which the name means something: the resolver, or one around it; NULL: none. */
const struct resolver *resolve_scope(const struct resolver *resolver, const ColumnRef *reference);
void resolve_name(const struct resolver *resolver, const struct name *name, struct expression *out);
/* Above GROUP BY an expression that is itself grouped stands for its group. */
void resolve_match_group(const struct level *level, struct expression *out);
/* The relation and column that a resolved reference means; NULL if node is none. */
struct relation *resolve_bare(const struct level *level, const Node *node, size_t *column);
struct relation *resolve_relation(const struct resolver *resolver, const char *name);
bool resolve_is_name(const struct level *level, const char *name); /* of a column in FROM */
/* resolve_sublink.c: EXISTS, IN, ANY, ALL, scalar and ARRAY sub-selects. */
MUST_USE enum status resolve_sublink(struct resolver *resolver, SubLink *node,
                                     struct expression *out);
/* resolve_expression.c, resolve_operator.c, resolve_function.c */
MUST_USE enum status resolve_expression(struct resolver *resolver, Node *node,
                                        struct expression *out);
MUST_USE enum status resolve_operator(struct resolver *resolver, A_Expr *node,
                                      struct expression *out);
bool resolve_is_equality(const Node *node); /* a = b */
/* The operator that is meant, if it is allowed. */
MUST_USE enum status resolve_operator_name(struct resolver *resolver, const List *name,
                                           const char **out);
MUST_USE enum status resolve_function(struct resolver *resolver, FuncCall *node,
                                      struct expression *out);
MUST_USE enum status resolve_value_function(struct resolver *resolver, SQLValueFunction *node,
                                            struct expression *out);
MUST_USE enum status resolve_cast(struct resolver *resolver, TypeCast *node,
                                  struct expression *out);
/* Does the text of this literal mean the same under all settings and at all times, as a value of
 * the type? Always so of what is no literal. */
bool resolve_literal_immutable(const Node *node, uint32_t type);
MUST_USE enum status resolve_arguments(struct resolver *resolver, FuncCall *node,
                                       struct expression *result, struct expression *parts,
                                       uint32_t *types);
/* A type that a cast or a column definition names; it becomes qualified. */
MUST_USE enum status resolve_type(struct resolver *resolver, TypeName *type, uint32_t *oid);
void resolve_qualify(const struct resolver *resolver, FuncCall *node, const char *name);
/* resolve_aggregate.c: with FILTER, ORDER BY and WITHIN GROUP. GROUPING(). */
MUST_USE enum status resolve_aggregate(struct resolver *resolver, FuncCall *node, const char *name,
                                       struct expression *out);
/* The level whose rows it is over: the innermost whose columns it reads, or the resolver's. */
const struct resolver *resolve_owner(const struct resolver *resolver, const FuncCall *node);
MUST_USE enum status resolve_grouping(struct resolver *resolver, GroupingFunc *node,
                                      struct expression *out);
/* resolve_window.c: OVER, and the WINDOW clause. flags: the function's, from the allow-list. */
MUST_USE enum status resolve_window(struct resolver *resolver, FuncCall *node, const char *name,
                                    unsigned flags, struct expression *out);
MUST_USE enum status resolve_window_clause(struct resolver *resolver, List *windows);
void resolve_absorb(struct expression *into, const struct expression *part);
/* What is NULL where either of them is; right may be NULL. */
uint64_t resolve_strict_nulls(const struct expression *left, const struct expression *right);
bool resolve_is_aggregate(const FuncCall *node);
/* 0 under a nondeterministic collation: LIKE and others refuse to work on it. */
uint32_t resolve_column_type(const struct catalog_column *column);
uint32_t resolve_common_type(uint32_t a, uint32_t b); /* 0: none without a cast that may fail */
uint32_t resolve_element_type(uint32_t array);        /* 0: not an array that we know */
/* Of the resolver's own level; NULL: of any. */
bool resolve_has_aggregate(struct resolver *resolver, Node *node);

/* steered.c: takes note of an expression that is not total, before it is guarded. */
void steered_note(struct level *level, const struct expression *expression);
/* guard.c: an expression that is not total runs only where the policies of the fences that it
 * reads hold. */
Node *guard_expression(struct level *level, struct expression *expression);
/* For WHERE and ON: guards the failing operands, each conjunct on its own. */
Node *guard_condition(struct level *level, struct expression *expression);
/* As guard_expression, above GROUP BY: bool_and() of every policy of the level. */
Node *guard_grouped(struct level *level, struct expression *expression);

/* For the FILTER of a window function above GROUP BY. */
Node *guard_above_groups(struct level *level, struct expression *expression);

Node *guard_policies(struct level *level, uint64_t relations); /* NULL: nothing to guard with */
/* What holds for each row of the level that shows, and for the rows around it that it reads; NULL:
 * nothing is hidden. */
Node *guard_row(struct level *level);
/* Can a condition that sees these names be guarded with all that these relations read? */
bool guard_can_name(const struct level *level, const struct names *names, uint64_t relations);

/* fence.c */
MUST_USE enum status fence_open(struct level *level, const RangeVar *range,
                                struct relation **relation);
MUST_USE enum status fence_close(struct build *build, struct fence *fence);
/* SELECT of the fence's keys alone, named as its keys are, and nothing but them. */
MUST_USE enum status fence_keys(struct build *build, const struct fence *fence,
                                SelectStmt **select);
/* The name under which the relation shows the raw value of a token column; NULL if it cannot. */
const char *fence_raw_column(struct relation *relation, size_t column);
/* A level over the raw columns of a dataset, aliased t0, in which masks and row filters read. */
struct level *fence_raw_level(struct build *build, const struct model_dataset *dataset);

/* mask.c */
MUST_USE enum status mask_rewrite(struct build *build, const struct model_dataset *dataset,
                                  const char *sql, bool trusted, const char *place,
                                  struct expression *out);
/* The built-in mask's text over the column; NULL and a reason if the type does not allow it. */
const char *mask_builtin(struct arena *arena, const struct policy_granted_column *granted,
                         const struct catalog_column *column, uint32_t *type, bool *total,
                         const char **reason);
/* A policy's own mask with its {column} filled in; NULL on overflow. */
const char *mask_fill(struct arena *arena, const char *sql, const char *column);
MUST_USE enum status mask_token(struct build *build, const struct model_granted *granted,
                                Node **node);
/* The parameter that brings the inner or outer pad of the domain. */
MUST_USE enum status mask_pad(struct build *build, const char *domain, bool outer, Node **node);
bool mask_token_type(const struct catalog_column *column);

/* lineage.c */
/* The keys of the level's relations become those of its rows. To be called once FROM stands. */
MUST_USE enum status lineage_open(struct level *level);
/* For each column, or product, that is aggregated and may be NULL: "it has a value". */
List *lineage_value_filters(const struct level *level);
/* Fences whose people these keys name. */
uint64_t lineage_fences(const struct carried_key *keys, size_t count);
MUST_USE enum status lineage_add(struct carried_key **keys, size_t *count, struct build *build,
                                 struct carried_key key);
/* After targets and groups: what grouping does. */
MUST_USE enum status lineage_group(struct level *level);
/* Puts the hidden columns behind the visible ones. */
MUST_USE enum status lineage_carry(struct level *level, SelectStmt *select);
MUST_USE enum status lineage_finish(struct level *level);
/* May the partner run this at all: mode aggregates? */
MUST_USE enum status lineage_check_mode(struct level *level);

/* Fences of which the value may tell that nobody of them is behind it: its own, and those whom a
 * group may lack. */
uint64_t lineage_missing(const struct level *level, const struct expression *value);

/* lineage_set.c: the key of the level's rows, gathered in a set of each group, one deeper. */
Node *lineage_set(const struct level *level, const struct carried_key *key);
/* The aggregate in it, for FILTER. */
FuncCall *lineage_set_aggregate(Node *set);
/* unnest(array) for FROM, and the column that is its element. */
RangeFunction *lineage_elements(Node *array, Node **element);
/* A set by a sub-select: what the value, a key or a set of that depth, is in its rows. */
Node *lineage_set_of_rows(Node *value, uint8_t depth, List *from, Node *where);
/* lineage_rows.c: which rows of each person a statistic is made of. */
bool lineage_marks_rows(const struct build *build); /* does anybody ask? */
MUST_USE enum status lineage_row_mark(struct build *build, const struct model_dataset *dataset,
                                      Node **out);
MUST_USE enum status lineage_open_marks(struct level *level);
MUST_USE enum status lineage_carry_marks(struct level *level, SelectStmt *select);
bool lineage_marks_key(const struct level *level, const struct carried_key *key);
/* As lineage_set() of that key, and with each the sums of its rows' marks; of the rows that meet
 * the filter, unless it is NULL. */
Node *lineage_marked_set(const struct level *level, Node *key, Node *filter);
MUST_USE enum status lineage_finish_marks(const struct level *level);

/* lineage_settle.c: `once` sets (docs/decisions/0010). */
/* All keys of these fences. why: for `cofferdam explain`, as in those below. */
void settle_fences(struct build *build, uint64_t fences, enum plan_grade grade, const char *why);
/* What may be added below is none of ours any more. */
void settle_growth(struct level *level, bool changes_too, const char *why);
/* A condition that a row may meet because nobody's row matches: whom it could find is recorded as
 * those who match are. */
void settle_missing(struct level *level, const struct expression *condition);
/* Everything that the level reads: by the rows of its FROM and WHERE if they tell, else whole. */
MUST_USE enum status settle_level(struct level *level, enum plan_grade grade, const char *why);
/* A plain statistic over all of the level's rows: its people, to be held against other statistics'.
 * And those who have a value, where others have none, which is all that the second does. */
MUST_USE enum status settle_statistic(struct level *level, const char *why);
MUST_USE enum status settle_values(struct level *level, const char *why);
/* The same for a sub-select in a condition of the level's WHERE: people who can matter to a row
 * that the rest of WHERE lets through. At the end of WHERE. */
MUST_USE enum status settle_condition(struct level *level, struct level *inner,
                                      enum plan_grade grade, const char *why);
MUST_USE enum status settle_where(struct level *level);
/* What conditions, and functions that give sets of rows, have judged. */
MUST_USE enum status settle_figures(struct level *level);
/* lineage_figure.c: a sub-select in a condition that is one figure, the same for all rows: it and
 * everybody whom it is of are computed together. false: it is none such, and nothing is done. */
bool settle_figure(struct level *inner, SubLink *link, enum plan_grade grade, const char *why,
                   enum status *status);
/* Can the keys of the level's rows be computed anywhere in the statement, and do they tell all? */
bool settle_tells(const struct level *level);
/* A row of `once` sets; a set in it, one deeper than the key; a set that is empty where NULL. */
struct once *settle_add_once(struct build *build, SelectStmt *select);
MUST_USE enum status settle_add_set(struct build *build, struct once *once, struct carried_key key,
                                    Node *set, enum plan_grade grade);
Node *settle_present(Node *set);
/* See struct relation. */
bool settle_is_whole(const struct level *level);
/* The finished query with the `once` sets beside it; NULL if there are none. */
MUST_USE enum status settle_finish(struct level *level, SelectStmt **select);

#endif

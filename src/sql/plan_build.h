/* A plan in the making, private to sql/: relations, columns and levels of one statement, and the
 * steps that rewrite it. All of it lives in the parse scope of the statement and is gone when the
 * plan is done; only texts copied into the plan's arena stay.
 *
 * A level is one SELECT. Its relations are fences (a dataset, read under a grant) and sub-selects
 * (another level). Each relation carries hidden columns upward: subject keys, a policy column that
 * is false on rows the policy hides, and raw values of token columns where a join needs them. */
#ifndef COFFERDAM_SQL_PLAN_BUILD_H
#define COFFERDAM_SQL_PLAN_BUILD_H

#include "base/limits.h"
#include "sql/model_private.h"
#include "sql/plan.h"
#include "sql/rewrite_node.h"
#include "nodes/nodeFuncs.h"

enum {
    TYPE_BOOL = 16,
    TYPE_BYTEA = 17,
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
};

/* A hidden subject key on its way to the output. */
struct carried_key {
    const char *name; /* of the column, the same at every level */
    const struct fence *fence;
    bool threshold_only; /* see plan_hidden */
    size_t subject;      /* index in the dataset's subjects */
    bool is_set;         /* an array: all members of a group */
};

struct relation;

struct column {
    const char *name; /* what the statement calls it */
    const char *emit; /* what the rewritten text calls it */
    uint32_t type;
    uint32_t collation; /* as in the catalogue; COLLATION_MIXED */
    /* The column of a fence that this is, unchanged, however many levels up; NULL: computed. */
    struct fence *fence;
    size_t granted;
    /* For a sub-select's column: where its value comes from unchanged, one level down. */
    struct relation *source;
    size_t source_column;
};

struct relation {
    const char *alias;
    struct fence *fence; /* NULL: a sub-select */
    SelectStmt *select;  /* what stands behind the alias; hidden targets may be added to it */
    bool schema_named;   /* not aliased: public.dataset.column means it too */
    struct column *columns;
    size_t column_count;
    struct carried_key *keys;
    size_t key_count;
    const char *policy; /* hidden boolean column; NULL: no row below is hidden */
    bool grouped;
    bool grows; /* deleting rows below may add rows here that nobody's key is on: a LIMIT or a
                   condition over a group stands below */
};

/* A column that an unqualified name may mean, in the order of `*`. */
struct name {
    struct relation *relation;
    size_t column;
};

/* What a piece of FROM brings into scope: names, and relations [first, end) of the level. */
struct names {
    struct name *entries;
    size_t count;
    size_t first, end;
};

/* What resolving an expression finds out. */
struct expression {
    Node *node;            /* rewritten: names resolved, everything qualified */
    uint32_t type;         /* 0: not derived; TYPE_UNKNOWN: untyped literal or parameter */
    bool total;            /* no value in the database makes it raise an error */
    bool immutable;        /* no setting and no clock changes it */
    uint32_t relations;    /* bit set of the level's relations that it reads */
    bool aggregate;        /* holds an aggregate function */
    bool literal;          /* just a constant */
    uint32_t collation;    /* of the columns in it, if not the database's; COLLATION_MIXED */
    bool collated;         /* by a COLLATE in it, which wins over the columns' own */
    bool set;              /* holds a function that returns a set of rows */
    const char *ungrouped; /* a column in it that is neither grouped nor aggregated, or NULL */
    /* Where this is AND/OR/NOT or a total comparison: its parts, each at `slot` of the node, so
     * that a guard can be put on them alone. */
    struct expression *parts;
    size_t part_count;
    bool tree; /* AND, OR, NOT */
    /* A row value, (a, b) or ROW(a, b): what its members were found to be; else NULL. */
    const struct expression *members;
};

/* GROUP BY: the expression as resolved, and as it is emitted. */
struct group {
    Node *plain, *guarded;
    uint32_t type;
    struct column *column; /* if it is a bare column */
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

/* One SELECT being rewritten. */
struct level {
    struct build *build;
    struct relation *relations[LIMIT_RELATIONS];
    size_t relation_count;
    size_t scope_first, scope_end; /* relations that what is being guarded may name */
    struct names names;
    struct target *targets;
    size_t target_count;
    struct group *groups;
    size_t group_count;
    bool top, grouped;
    bool conditions;          /* a WHERE or join condition stands here */
    bool plain_statistic;     /* every aggregate so far is one over bare columns */
    List *counted;            /* arguments of those aggregates that may be NULL */
    List *conjuncts;          /* of WHERE and ON, resolved; unguarded copies */
    struct carried_key *keys; /* to go out */
    size_t key_count;
    const char *policy;
    bool grows;
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
    size_t level_count;
    struct plan_secret *secrets;
    size_t secret_count;
    const struct plan_explanation **explanation_tail;
    size_t guard_count;
    bool sets; /* a function that returns a set stands somewhere: no count is a plain statistic */
};

struct resolver {
    struct build *build;
    struct level *level;
    const struct names *names;
    enum resolve_mode mode;
    const char *place; /* "WHERE", for messages */
    bool trusted;      /* our own text: not held against the allow-lists */
    bool sets;         /* a function that returns a set may stand here */
    bool volatiles;    /* random() may: what stands here is evaluated as often as it is written,
                          since nothing is copied from it into a set of keys */
};

/* STATUS_DENIED with the build's error filled in; the hint may be NULL. */
enum status plan_refuse(struct build *build, const char *sqlstate, const char *hint,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));
const char *plan_hidden_name(void); /* "h" and 16 random hex digits */
void plan_explain(struct build *build, const char *topic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* plan_select.c: rewrites a SELECT in place. */
MUST_USE enum status plan_select(struct build *build, SelectStmt *select, bool top,
                                 struct level **level);
/* plan_features.c: refuses what is not accepted, clause by clause. */
MUST_USE enum status plan_check_features(struct build *build, const SelectStmt *select);
/* plan_target.c */
MUST_USE enum status plan_expand_targets(struct level *level, List *targets);
MUST_USE enum status plan_resolve_groups(struct level *level, SelectStmt *select);
MUST_USE enum status plan_resolve_targets(struct level *level, SelectStmt *select);
MUST_USE enum status plan_resolve_order(struct level *level, SelectStmt *select);
/* plan_limit.c */
MUST_USE enum status plan_limit(struct level *level, SelectStmt *select);
/* plan_lookup.c: partners that may only look up. */
MUST_USE enum status plan_check_lookup(struct level *level);
/* plan_utility.c: everything that is no SELECT. */
MUST_USE enum status plan_utility(struct build *build, Node *statement, Node **emitted);
/* plan_name.c: the name PostgreSQL gives an output column (parse_target.c, FigureColname). */
const char *plan_column_name(const Node *node);

/* resolve_from.c: FROM, its joins and conditions. */
MUST_USE enum status resolve_from(struct level *level, List *from, Node *where, SelectStmt *out);
/* resolve_column.c */
MUST_USE enum status resolve_column(struct resolver *resolver, const ColumnRef *reference,
                                    struct expression *out);
void resolve_entry(struct resolver *resolver, struct relation *relation, size_t column,
                   struct expression *out);
/* Above GROUP BY an expression that is itself grouped stands for its group. */
void resolve_match_group(const struct level *level, struct expression *out);
/* The relation and column that a resolved reference means; NULL if node is none. */
struct relation *resolve_bare(const struct level *level, const Node *node, size_t *column);
struct relation *resolve_relation(const struct resolver *resolver, const char *alias,
                                  size_t *index);
bool resolve_is_name(const struct level *level, const char *name, size_t *matches);
/* resolve_expression.c, resolve_operator.c, resolve_function.c */
MUST_USE enum status resolve_expression(struct resolver *resolver, Node *node,
                                        struct expression *out);
MUST_USE enum status resolve_operator(struct resolver *resolver, A_Expr *node,
                                      struct expression *out);
MUST_USE enum status resolve_function(struct resolver *resolver, FuncCall *node,
                                      struct expression *out);
MUST_USE enum status resolve_value_function(struct resolver *resolver, SQLValueFunction *node,
                                            struct expression *out);
MUST_USE enum status resolve_cast(struct resolver *resolver, TypeCast *node,
                                  struct expression *out);
/* Does the text of this literal mean the same under all settings and at all times, as a value of
 * the type? Always so of what is no literal. */
bool resolve_literal_immutable(const Node *node, uint32_t type);
void resolve_absorb(struct expression *into, const struct expression *part);
/* 0 under a nondeterministic collation: LIKE and others refuse to work on it. */
uint32_t resolve_column_type(const struct catalog_column *column);
uint32_t resolve_common_type(uint32_t a, uint32_t b); /* 0: none without a cast that may fail */
uint32_t resolve_element_type(uint32_t array);        /* 0: not an array that we know */
bool resolve_has_aggregate(Node *node);

/* guard.c: an expression that is not total runs only where the policies of the fences that it
 * reads hold. */
Node *guard_expression(struct level *level, struct expression *expression);
/* For WHERE and ON: guards the failing operands, each conjunct on its own. */
Node *guard_condition(struct level *level, struct expression *expression);
/* As guard_expression, above GROUP BY: bool_and() of every policy of the level. */
Node *guard_grouped(struct level *level, struct expression *expression);
Node *guard_policies(struct level *level, uint32_t relations); /* NULL: nothing to guard with */

/* fence.c */
MUST_USE enum status fence_open(struct level *level, const RangeVar *range,
                                struct relation **relation, Node **node);
MUST_USE enum status fence_close(struct build *build, struct fence *fence);
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
bool mask_token_type(const struct catalog_column *column);

/* lineage.c */
MUST_USE enum status lineage_carry(struct level *level, SelectStmt *select);
MUST_USE enum status lineage_finish(struct level *level);
/* May the partner run this at all: mode aggregates? */
MUST_USE enum status lineage_check_mode(struct level *level);

#endif

/* A statement that changes rows, in the making; private to plan_write*.c. What goes upstream is
 *
 *   WITH q AS MATERIALIZED (…), w AS (UPDATE real … FROM q … RETURNING …) SELECT … FROM q, w, r
 *
 * q, the source, is a SELECT of the partner through fences as any other, so names, masks, guards
 * and lineage are those of reading: for UPDATE and DELETE it also gives the place of each row
 * (ctid, tableoid), for INSERT the values. w changes just these rows. r reads what w has written
 * through the dataset's fence, with w in the table's stead: it answers RETURNING, and a row that is
 * missing there is one that the row filter does not let pass. docs/decisions/0013 says why. */
#ifndef COFFERDAM_SQL_PLAN_WRITE_H
#define COFFERDAM_SQL_PLAN_WRITE_H

#include "sql/plan/plan_build.h"

/* A column that is written, and where its value comes from. */
struct write_column {
    const struct model_granted *granted;
    const char *value; /* its name in q; NULL: DEFAULT */
};

struct write {
    struct build *build;
    enum plan_change change;
    RangeVar *range; /* as the partner wrote it */
    const struct model_grant *grant;
    const struct catalog_table *table;
    struct write_column *columns;
    size_t column_count;
    OnConflictClause *conflict; /* of INSERT; rewritten for w */
    List *returning;
    SelectStmt *source, *after;               /* q and r */
    List *source_names;                       /* of q's columns, in order, hidden ones behind */
    size_t value_count;                       /* of them, those of values or of RETURNING */
    struct level *source_level, *after_level; /* NULL where there is none */
    struct fence *target, *written;           /* the dataset in q; in r */
    const char *q, *w, *r;
    const char *row, *part;  /* names of the columns with a row's place */
    const char **after_keys; /* names, in q or r, of the written rows' subject keys */
    bool from_source;        /* lineage is that of q's rows, not of the written ones */
};

/* plan_write_source.c: q. */
/* Rewrites a SELECT of ours; *select may become another. */
MUST_USE enum status plan_write_select(struct build *build, SelectStmt **select, bool top,
                                       struct level **level);
MUST_USE enum status plan_write_source(struct write *write, Node *statement);
/* plan_write_conflict.c: ON CONFLICT. */
MUST_USE enum status plan_write_conflict(struct write *write, const OnConflictClause *conflict);
/* plan_write_emit.c: w, and the whole. */
MUST_USE enum status plan_write_emit(struct write *write, Node **emitted);
/* The fence of the dataset that is written, as the only or first relation of the level. The name
 * may mean something else there: a WITH query, a catalogue's table. */
MUST_USE enum status plan_write_fence(struct write *write, const struct level *level,
                                      struct fence **fence);
/* Why the dataset cannot be named at all; never STATUS_OK. */
MUST_USE enum status plan_write_not_granted(struct build *build, RangeVar *range);
/* plan_write.c */
/* "phone, email": what the grant lists, for a hint; NULL: nothing. */
const char *plan_write_list(const struct model_grant *grant, bool update);
MUST_USE enum status plan_write_column(struct write *write, const ResTarget *target, bool update,
                                       const struct model_granted **granted);
/* An untyped literal or parameter gets the type of the column that it is for. */
Node *plan_write_cast(const struct model_granted *granted, Node *value);

#endif

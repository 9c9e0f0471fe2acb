/* What a model holds, private to sql/: the policy's datasets and grants beside the live tables
 * and columns that they mean. Everything is in the model's arena, or borrowed from its policy and
 * catalogue. Immutable after model_bind(). */
#ifndef COFFERDAM_SQL_MODEL_PRIVATE_H
#define COFFERDAM_SQL_MODEL_PRIVATE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "sql/model.h"

struct model_dataset;

struct model_column {
    const struct policy_column *policy;
    const struct catalog_column *catalog;
    const char *domain; /* of its tokens: "kind:customer" or "dataset.column" */
    bool links;         /* a subject key, or a column of a hop: it leads to a person */
};

/* One step: child column (of the table before) equals parent column. */
struct model_hop {
    const struct model_dataset *parent;
    const struct catalog_column *child_column, *parent_column;
    bool sure; /* every row has a parent: NOT NULL, and a foreign key that holds */
};

struct model_subject {
    const struct policy_subject *policy;
    const struct model_hop *hops;
    size_t hop_count;
    const struct catalog_column *key;
    /* Rows without a key are no result: hops join inner, and the key stands in the conditions. */
    bool hides;
    bool never_null; /* no row is without a key */
};

struct model_dataset {
    const struct policy_dataset *policy;
    const struct catalog_table *table;
    struct model_column *columns; /* in the policy's order */
    size_t column_count;
    struct model_subject *subjects;
    size_t subject_count;
};

/* A column as one grant shows it. */
struct model_granted {
    const struct model_column *column;
    const struct policy_granted_column *policy;
    enum policy_form form;
    const char *mask;  /* SQL over the dataset's columns; NULL for clear and token */
    bool mask_trusted; /* our own text: not held against the allow-lists */
    bool mask_total;   /* false: evaluated only where the fence's policy holds */
    uint32_t type;     /* after the mask; 0: not derived */
    bool unique;       /* clear or token of a unique column */
    bool nullable;
};

struct model_grant {
    const struct policy_partner *partner;
    const struct policy_grant *policy;
    const struct model_dataset *dataset;
    struct model_granted *columns; /* in the dataset's order */
    size_t column_count;
};

struct model {
    atomic_uint references;
    struct arena arena;
    const struct policy *policy;
    struct catalog *catalog;
    struct model_dataset *datasets; /* as in the policy */
    size_t dataset_count;
    struct model_grant *grants; /* of all partners */
    size_t grant_count;
};

struct plan_request;

/* The grant under which the request's agent may read the dataset now, for its purpose (NULL: only
 * grants that fit whatever the purpose is, or the partner's only one). A grant for the agent alone
 * goes before one for all, one for the purpose before one for any; then the policy's order. */
const struct model_grant *model_find_grant(const struct plan_request *request, const char *dataset);
/* Likewise one that would be in force if it were approved. */
const struct model_grant *model_find_waiting(const struct plan_request *request,
                                             const char *dataset);
/* Is the grant in force for the request's agent, purpose and time? More where it names the agent,
 * then the purpose; 0: it is not. */
int model_grant_fit(const struct policy_grant *grant, const struct plan_request *request);

/* By which columns its rows are told apart: the primary key's; where there is none, all that the
 * dataset declares, so that a row which is changed is another one. Room: those of the table.
 * Returns how many. model_grants.c lets the gateway read them. */
size_t model_identity(const struct model_dataset *dataset, const struct catalog_column **columns);

/* Parts of model_bind(), each in a file of its own. */
MUST_USE enum status model_bind_datasets(struct model *model, struct error *error);
MUST_USE enum status model_bind_grants(struct model *model, struct error *error);

/* model_write.c: can what the grant lets its partner write be written? */
MUST_USE enum status model_check_write(const struct model *model, const struct model_grant *grant,
                                       struct error *error);
/* The column's type as a cast names it, in pg_catalog; NULL if it cannot be written. */
const char *model_write_type(const struct catalog_column *column);

#endif

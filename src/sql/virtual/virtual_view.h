/* What one partner, agent and purpose may see now, as datasets, their columns and keys: what the
 * sources of the virtual catalogue (virtual_rows.c) tell of. Private to sql/virtual/; lives in the
 * parse scope of the statement. */
#ifndef COFFERDAM_SQL_VIRTUAL_VIEW_H
#define COFFERDAM_SQL_VIRTUAL_VIEW_H

#include "sql/virtual/virtual_private.h"

enum { VIRTUAL_PRIMARY = 'p', VIRTUAL_UNIQUE = 'u', VIRTUAL_FOREIGN = 'f' };

/* A key of a dataset over columns that are shown: as the policy and the database know it. */
struct virtual_key {
    size_t dataset, *columns, column_count; /* of the view; of the grant */
    char kind;
    bool declared;       /* it is the database's own primary key */
    bool filled;         /* none of its columns may be NULL */
    uint32_t oid, index; /* index: of the parent's key where kind is VIRTUAL_FOREIGN */
    size_t parent, *parent_columns;
    const struct virtual_key *unique; /* the parent's */
    const char *name;
};

struct virtual_dataset {
    const struct model_grant *grant;
    uint32_t oid;
    uint32_t row_type; /* no row of pg_type, but clients take what has none for no table */
};

struct virtual_view {
    struct build *build;
    struct virtual_dataset *datasets;
    size_t dataset_count;
    struct virtual_key *keys;
    size_t key_count;
    uint32_t *oids; /* taken */
    size_t oid_count;
};

/* Everything that is granted now. */
struct virtual_view *virtual_collect(struct build *build);
/* Names as the policy has them. dataset: of the view; column: of its grant. */
const char *virtual_dataset_name(const struct virtual_view *view, size_t dataset);
const char *virtual_column_shown(const struct virtual_view *view, size_t dataset, size_t column);
/* Where the column stands in the key; its length if it is not there. */
size_t virtual_key_position(const struct virtual_key *key, size_t column);

#endif

/* Catalogue: what the protected database has, as far as planning needs it: tables, columns,
 * types, uniqueness. Read by gateway/catalog_load.c, borrowed here. Immutable once built. */
#ifndef COFFERDAM_SQL_CATALOG_H
#define COFFERDAM_SQL_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct catalog_column {
    const char *name;
    uint32_t type_oid;     /* of pg_type; domains are resolved to their base type */
    const char *type_name; /* as format_type() prints it, without modifiers: "character varying" */
    char type_category;    /* pg_type.typcategory */
    bool type_builtin;     /* the (base) type lives in pg_catalog */
    bool not_null;
    bool unique;        /* an immediate, valid, unpartial unique index covers just this column */
    bool indexed;       /* a valid, unpartial index begins with it */
    bool deterministic; /* no nondeterministic collation */
    uint32_t collation; /* 0: the database's own, or none */
    bool primary;       /* the primary key, alone */
};

/* Several columns that are unique together, by an index as of catalog_column.unique; each NOT NULL.
 */
struct catalog_key {
    const struct catalog_column *const *columns;
    size_t column_count;
    bool primary;
};

/* A foreign key of one column that holds at every moment for every row: validated, not deferrable,
 * enforced, and no row policy hides what it refers to. */
struct catalog_reference {
    const struct catalog_column *column;
    uint32_t table; /* OID */
    const char *table_column;
};

/* What a foreign key of several columns, none of them NULL, and otherwise as of catalog_reference,
 * says of two of them: the row of the table that has column's value in table_column has other's in
 * table_other. It says more than that such a row is there where table_column is unique alone. */
struct catalog_agreement {
    const struct catalog_column *column, *other;
    uint32_t table; /* OID */
    const char *table_column, *table_other;
};

/* A foreign key as the database declares it, whether it holds or not: for the virtual catalogue. */
struct catalog_link {
    const struct catalog_column *const *columns;
    uint32_t table; /* OID */
    const char *const *table_columns;
    size_t column_count;
};

struct catalog_table {
    const char *schema, *name;
    uint32_t oid;
    char kind; /* pg_class.relkind: r, p, v, m, f */
    const struct catalog_column *columns;
    size_t column_count;
    const struct catalog_key *keys;
    size_t key_count;
    const struct catalog_reference *references;
    size_t reference_count;
    const struct catalog_agreement *agreements;
    size_t agreement_count;
    const struct catalog_link *links;
    size_t link_count;
    double rows; /* as the planner last counted them; below 0: it never has */
};

struct catalog {
    struct arena arena;
    const struct catalog_table *tables;
    size_t table_count;
    const char *server_version; /* "15.18 (Debian …)" */
    int server_version_number;  /* 150018 */
};

/* NULL where there is none. */
const struct catalog_table *catalog_find(const struct catalog *catalog, const char *schema,
                                         const char *name);
const struct catalog_table *catalog_find_oid(const struct catalog *catalog, uint32_t oid);
const struct catalog_column *catalog_find_column(const struct catalog_table *table,
                                                 const char *name);
/* Does every row whose child column is not NULL have a row of the parent with that value? */
bool catalog_refers(const struct catalog_table *child, const struct catalog_column *child_column,
                    const struct catalog_table *parent, const struct catalog_column *parent_column);
void catalog_free(struct catalog *catalog); /* frees *catalog too; NULL is fine */

#endif

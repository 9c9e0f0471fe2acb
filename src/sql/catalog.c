/* Look-ups in the catalogue. Linear: a protected schema has tens of tables, and names are looked
 * up when a policy is bound, not for each row. */
#include "sql/catalog.h"

#include <stdlib.h>
#include <string.h>

const struct catalog_table *catalog_find(const struct catalog *catalog, const char *schema,
                                         const char *name)
{
    for (size_t i = 0; i < catalog->table_count; i++) {
        const struct catalog_table *table = &catalog->tables[i];
        if (strcmp(table->name, name) == 0 && strcmp(table->schema, schema) == 0)
            return table;
    }
    return NULL;
}

const struct catalog_table *catalog_find_oid(const struct catalog *catalog, uint32_t oid)
{
    for (size_t i = 0; i < catalog->table_count; i++)
        if (catalog->tables[i].oid == oid)
            return &catalog->tables[i];
    return NULL;
}

const struct catalog_column *catalog_find_column(const struct catalog_table *table,
                                                 const char *name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    }
    return NULL;
}

bool catalog_refers(const struct catalog_table *child, const struct catalog_column *child_column,
                    const struct catalog_table *parent, const struct catalog_column *parent_column)
{
    for (size_t i = 0; i < child->reference_count; i++) {
        const struct catalog_reference *reference = &child->references[i];
        if (reference->column == child_column && reference->table == parent->oid &&
            strcmp(reference->table_column, parent_column->name) == 0)
            return true;
    }
    return false;
}

/* The catalogue itself was malloc'ed by gateway/catalog_load.c; all it points to is in its
 * arena. */
void catalog_free(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    arena_free(&catalog->arena);
    free(catalog);
}

/* What would make statements over this policy cheaper, for `cofferdam check`: by what the catalogue
 * shows. None of it is needed for what the gateway promises. */
#include <stdio.h>
#include <string.h>

#include "sql/model/model_private.h"

enum { ADVICE_BYTES = 1024 * 1024, ADVISED_MAX = 512 };

/* Rows from which a missing index, and a join for each row, are felt. */
static const double many_rows = 10000;

struct advice {
    struct table *table;
    const struct catalog_column *indexed[ADVISED_MAX]; /* told already */
    size_t indexed_count;
};

static void advise(struct advice *advice, const struct model_dataset *dataset, const char *what,
                   const char *why)
{
    struct table_row *row = table_add(advice->table);
    table_set(advice->table, row, 0, "%s", dataset->policy->name);
    table_set(advice->table, row, 1, "%s", what);
    table_set(advice->table, row, 2, "%s", why);
}

static bool is_table(const struct catalog_table *table)
{
    return table->kind == 'r' || table->kind == 'p' || table->kind == 'm';
}

static void advise_index(struct advice *advice, const struct model_dataset *dataset,
                         const struct model_dataset *where, const struct catalog_column *column,
                         const char *why)
{
    char text[400];
    if (column->indexed || !is_table(where->table) || where->table->rows < many_rows ||
        advice->indexed_count == ADVISED_MAX)
        return;
    for (size_t i = 0; i < advice->indexed_count; i++)
        if (advice->indexed[i] == column)
            return;
    advice->indexed[advice->indexed_count++] = column;
    (void)snprintf(text, sizeof text, "CREATE INDEX ON \"%s\".\"%s\" (\"%s\")",
                   where->table->schema, where->table->name, column->name);
    advise(advice, dataset, text, why);
}

/* A foreign key that holds makes the join one that cannot miss: nothing is hidden by it, and where
 * nobody asks for the key PostgreSQL leaves it out. */
static void advise_reference(struct advice *advice, const struct model_dataset *dataset,
                             const struct model_dataset *child, const struct model_hop *hop)
{
    char text[600];
    if (hop->sure || !is_table(child->table) || !is_table(hop->parent->table))
        return;
    (void)snprintf(text, sizeof text,
                   "column \"%s\" of %s.%s NOT NULL, with a foreign key to %s.%s (\"%s\") that is "
                   "validated and not deferrable",
                   hop->child_column->name, child->table->schema, child->table->name,
                   hop->parent->table->schema, hop->parent->table->name, hop->parent_column->name);
    advise(advice, dataset, text,
           "each statement joins the two, and guards what may fail on rows without a parent");
}

static void advise_stored_key(struct advice *advice, const struct model *model,
                              const struct model_dataset *dataset,
                              const struct model_subject *subject)
{
    char text[400], why[1000];
    const struct policy_kind *kind = &model->policy->kinds[subject->policy->kind];
    const struct model_hop *hop = subject->hops;
    if (subject->hop_count == 0 || dataset->table->rows < many_rows || !is_table(dataset->table))
        return;
    (void)snprintf(text, sizeof text,
                   "store the %s's key (%s) in a column of %s.%s, as its subject's key", kind->name,
                   subject->key->type_name, dataset->table->schema, dataset->table->name);
    int len =
        snprintf(why, sizeof why,
                 "each of its %.0f rows is looked up in %zu other table%s to find whose it is",
                 dataset->table->rows, subject->hop_count, subject->hop_count == 1 ? "" : "s");
    /* Otherwise nothing says that the row and its parent are about one person (closure.h). */
    if (subject->hop_count == 1 && len > 0 && (size_t)len < sizeof why)
        (void)snprintf(why + len, sizeof why - (size_t)len,
                       "; a foreign key of (\"%s\", it) to %s.%s (\"%s\", \"%s\"), none of them "
                       "NULL, keeps it right, and the gateway relies on that",
                       hop->child_column->name, hop->parent->table->schema,
                       hop->parent->table->name, hop->parent_column->name, subject->key->name);
    advise(advice, dataset, text, why);
}

static void advise_subject(struct advice *advice, const struct model *model,
                           const struct model_dataset *dataset, const struct model_subject *subject)
{
    const struct model_dataset *at = dataset;
    for (size_t h = 0; h < subject->hop_count; h++) {
        const struct model_hop *hop = &subject->hops[h];
        advise_index(advice, dataset, at, hop->child_column,
                     "the path to the person leads over it, and backwards from the person too");
        advise_reference(advice, dataset, at, hop);
        at = hop->parent;
    }
    advise_index(advice, dataset, at, subject->key, "rows of one person are found by it");
    advise_stored_key(advice, model, dataset, subject);
}

void model_advise(const struct model *model, struct table *table)
{
    static const char *const columns[] = {"dataset", "recommended", "because", NULL};
    struct advice advice = {.table = table};
    table_init(table, ADVICE_BYTES, columns);
    for (size_t d = 0; d < model->dataset_count; d++)
        for (size_t s = 0; s < model->datasets[d].subject_count; s++)
            advise_subject(&advice, model, &model->datasets[d], &model->datasets[d].subjects[s]);
}

/* Finding entries by name: the numbers of a table's entries, ordered by name and then as the table
 * has them, made once at the first question. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sql/allow/allow_table.h"

enum { ENTRIES_MAX = 2048 };

struct allow_index {
    const struct allow_signature *(*at)(size_t index);
    const struct allow_signature *entries[ENTRIES_MAX + 1]; /* ends in NULL */
    size_t count;
};

static struct allow_index functions = {.at = allow_function_at},
                          operators = {.at = allow_operator_at};
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Entries of one name keep the table's order: the first that matches is meant. */
static void sort(struct allow_index *index)
{
    const struct allow_signature *entry;
    for (size_t i = 0; (entry = index->at(i)) != NULL; i++) {
        CHECK(i < ENTRIES_MAX);
        size_t place = index->count++;
        for (; place > 0 && strcmp(index->entries[place - 1]->name, entry->name) > 0; place--)
            index->entries[place] = index->entries[place - 1];
        index->entries[place] = entry;
    }
}

static void make(void)
{
    sort(&functions);
    sort(&operators);
}

const struct allow_signature *const *allow_named(enum allow_kind kind, const char *name)
{
    (void)pthread_once(&once, make);
    const struct allow_index *index = kind == ALLOW_FUNCTIONS ? &functions : &operators;
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(index->entries[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return &index->entries[low];
}

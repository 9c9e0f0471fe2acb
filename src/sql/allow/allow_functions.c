/* Functions of pg_catalog that a statement may call: look-ups over the tables of each topic. What
 * is in none of them is refused; allow_refused.c says why. */
#include "sql/allow/allow_table.h"

#include <string.h>

static const struct allow_list *const lists[] = {
    &allow_list_text,     &allow_list_number,    &allow_list_time,
    &allow_list_document, &allow_list_aggregate, &allow_list_set,
};
enum { LIST_COUNT = sizeof lists / sizeof *lists };

const struct allow_signature *allow_function_at(size_t index)
{
    for (size_t i = 0; i < LIST_COUNT; index -= lists[i++]->count) {
        if (index < lists[i]->count)
            return &lists[i]->entries[index];
    }
    return NULL;
}

unsigned allow_function_flags(const char *name)
{
    const struct allow_signature *const *entry = allow_named(ALLOW_FUNCTIONS, name);
    unsigned flags = 0;

    for (; *entry != NULL && strcmp((*entry)->name, name) == 0; entry++)
        flags |= (*entry)->flags;
    return flags;
}

bool allow_function(const char *name)
{
    const struct allow_signature *entry = *allow_named(ALLOW_FUNCTIONS, name);

    return entry != NULL && strcmp(entry->name, name) == 0;
}

const struct allow_signature *allow_find_function(const char *name, const uint32_t *types,
                                                  size_t count)
{
    const struct allow_signature *const *entry = allow_named(ALLOW_FUNCTIONS, name);

    for (; *entry != NULL && strcmp((*entry)->name, name) == 0; entry++) {
        if (allow_matches(*entry, types, count))
            return *entry;
    }
    return NULL;
}

enum { NAME_MAX_LEN = 63, SUGGESTION_DISTANCE = 2 };

static unsigned min_of(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Edits that turn one name into the other (Levenshtein 1965). Both are at most NAME_MAX_LEN
 * long. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[NAME_MAX_LEN + 1];
    size_t b_len = strlen(b);

    for (size_t j = 0; j <= b_len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i] != 0; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < b_len; j++) {
            unsigned substituted = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = min_of(substituted, min_of(row[j], diagonal) + 1);
        }
    }
    return row[b_len];
}

const char *allow_nearer(const char *name, const char *candidate, const char *best)
{
    if (strlen(name) > NAME_MAX_LEN || strlen(candidate) > NAME_MAX_LEN)
        return best;
    unsigned distance = edit_distance(name, candidate);
    bool near = distance <= SUGGESTION_DISTANCE && distance < strlen(name);
    return near && (best == NULL || distance < edit_distance(name, best)) ? candidate : best;
}

const char *allow_suggestion(const char *name)
{
    const struct allow_signature *entry;
    const char *best = NULL;

    for (size_t i = 0; (entry = allow_function_at(i)) != NULL; i++)
        best = allow_nearer(name, entry->name, best);
    return best;
}

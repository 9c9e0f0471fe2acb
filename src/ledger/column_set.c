/* Hash table from text to id over an arena; outgrown arrays stay in it until the end, which at
 * most doubles the memory. Memory is set aside before an id is defined on disk, so that an id on
 * disk is never missing here. */
#include "ledger/column_set.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64, ARENA_LIMIT_BYTES = 256 * 1024 * 1024 };

void column_sets_init(struct column_sets *sets)
{
    *sets = (struct column_sets){0};
    pthread_mutex_init(&sets->mutex, NULL);
    arena_init(&sets->arena, ARENA_LIMIT_BYTES);
}

void column_sets_free(struct column_sets *sets)
{
    arena_free(&sets->arena);
    pthread_mutex_destroy(&sets->mutex);
}

/* FNV-1a: the texts come from our own planner, not from a peer who could choose collisions. */
static uint64_t hash_of(struct slice text)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ text.data[i]) * 0x100000001b3;
    return hash;
}

/* The slot that holds this text's id, or the empty one where it belongs. */
static uint32_t *slot_of(const struct column_sets *sets, struct slice text)
{
    uint64_t mask = 2 * (uint64_t)sets->capacity - 1;
    for (uint64_t at = hash_of(text) & mask;; at = (at + 1) & mask) {
        uint32_t id = sets->slots[at];
        if (id == 0 || slice_equal(slice_of_text(sets->texts[id - 1]), text))
            return &sets->slots[at];
    }
}

/* Room for one more; false when there is no memory. */
static bool make_room(struct column_sets *sets)
{
    if (sets->count < sets->capacity)
        return true;
    uint32_t capacity = sets->capacity == 0 ? FIRST_CAPACITY : 2 * sets->capacity;
    const char **texts = arena_array(&sets->arena, const char *, capacity);
    uint32_t *slots = arena_array(&sets->arena, uint32_t, 2 * (size_t)capacity);
    if (texts == NULL || slots == NULL)
        return false;
    if (sets->count > 0)
        memcpy(texts, sets->texts, sets->count * sizeof *texts);
    sets->texts = texts;
    sets->slots = slots;
    sets->capacity = capacity;
    for (uint32_t id = 1; id <= sets->count; id++)
        *slot_of(sets, slice_of_text(texts[id - 1])) = id;
    return true;
}

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for column sets");
}

static void insert(struct column_sets *sets, const char *text)
{
    sets->texts[sets->count] = text;
    *slot_of(sets, slice_of_text(text)) = ++sets->count;
}

static enum status replay(struct column_sets *sets, uint32_t id, struct slice text,
                          struct error *error)
{
    if (!make_room(sets))
        return no_memory(error);
    if (id != sets->count + 1 || *slot_of(sets, text) != 0)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                         "column set %u is defined out of order", id);
    const char *copy = arena_copy(&sets->arena, (const char *)text.data, text.len);
    if (copy == NULL)
        return no_memory(error);
    insert(sets, copy);
    return STATUS_OK;
}

enum status column_sets_replay(struct column_sets *sets, uint32_t id, struct slice text,
                               struct error *error)
{
    pthread_mutex_lock(&sets->mutex);
    enum status status = replay(sets, id, text, error);
    pthread_mutex_unlock(&sets->mutex);
    return status;
}

enum status column_sets_id(struct column_sets *sets, const char *text,
                           enum status (*define)(void *context, uint32_t id, const char *text,
                                                 struct error *error),
                           void *context, uint32_t *id, struct error *error)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&sets->mutex);
    uint32_t known = make_room(sets) ? *slot_of(sets, slice_of_text(text)) : 0;
    if (known == 0) {
        const char *copy = arena_strdup(&sets->arena, text);
        known = sets->count + 1;
        status = copy == NULL ? no_memory(error) : define(context, known, copy, error);
        if (status == STATUS_OK)
            insert(sets, copy);
    }
    pthread_mutex_unlock(&sets->mutex);
    if (status == STATUS_OK)
        *id = known;
    return status;
}

const char *column_sets_text(struct column_sets *sets, uint32_t id)
{
    pthread_mutex_lock(&sets->mutex);
    const char *text = id >= 1 && id <= sets->count ? sets->texts[id - 1] : NULL;
    pthread_mutex_unlock(&sets->mutex);
    return text;
}

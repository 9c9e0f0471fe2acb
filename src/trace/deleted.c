/* See deleted.h. */
#include "trace/deleted.h"

#include <stdlib.h>

#include "exposure/subject_set.h"

enum { EVERYBODY = UINT32_MAX, FIRST = 16, MOST_CLAIMS = 1 << 27 };

struct taking {
    struct deleted *deleted;
    struct deleted_claim claim;
    uint32_t partner;
    const uint32_t *people;
    size_t id_count;
    struct error *error;
    enum status status;
};

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "use a machine with more memory",
                     "no memory for what partners attested");
}

static enum status take_claim(struct taking *taking, uint32_t person)
{
    struct deleted *deleted = taking->deleted;
    size_t at;
    bool is_new;
    TRY(pairs_number(&deleted->pairs, person, taking->partner, MOST_CLAIMS, &at, &is_new,
                     taking->error));
    if (at >= deleted->capacity) {
        size_t more = deleted->capacity == 0 ? FIRST : 2 * deleted->capacity;
        struct deleted_claim *grown = reallocarray(deleted->claims, more, sizeof *grown);
        if (grown == NULL)
            return out_of_memory(taking->error);
        deleted->claims = grown;
        deleted->capacity = more;
    }
    if (is_new || taking->claim.before_ns >= deleted->claims[at].before_ns)
        deleted->claims[at] = taking->claim;
    return STATUS_OK;
}

static bool take_person(void *context, uint32_t id)
{
    struct taking *taking = context;
    uint32_t place = id < taking->id_count ? taking->people[id] : 0;
    if (place != 0)
        taking->status = take_claim(taking, place - 1);
    return taking->status == STATUS_OK;
}

enum status deleted_take(struct deleted *deleted, struct arena *arena,
                         const struct ledger_entry *entry, uint32_t partner, int64_t before_ns,
                         const uint32_t *people, size_t id_count, struct error *error)
{
    struct slice request = ledger_text_value(entry->text, "request");
    struct taking taking = {
        .deleted = deleted,
        .claim = {before_ns < entry->time_ns ? before_ns : entry->time_ns, entry->time_ns,
                  arena_copy(arena, (const char *)request.data, request.len)},
        .partner = partner,
        .people = people,
        .id_count = id_count,
        .error = error,
    };
    if (taking.claim.request == NULL)
        return out_of_memory(error);
    if (entry->item_count == 0)
        return take_claim(&taking, EVERYBODY);
    for (size_t i = 0; i < entry->item_count; i++) {
        if (subject_set_each(entry->items[i].subjects, take_person, &taking) != STATUS_OK)
            return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                             "a set of subjects in the ledger is malformed");
        TRY(taking.status);
    }
    return STATUS_OK;
}

static const struct deleted_claim *look(const struct deleted *deleted, uint32_t person,
                                        uint32_t partner, int64_t last_ns)
{
    size_t at;
    if (!pairs_find(&deleted->pairs, person, partner, &at) ||
        deleted->claims[at].before_ns <= last_ns)
        return NULL;
    return &deleted->claims[at];
}

const struct deleted_claim *deleted_find(const struct deleted *deleted, uint32_t person,
                                         uint32_t partner, int64_t last_ns)
{
    const struct deleted_claim *all = look(deleted, EVERYBODY, partner, last_ns);
    const struct deleted_claim *own =
        person == EVERYBODY ? NULL : look(deleted, person, partner, last_ns);
    return own == NULL || (all != NULL && all->attested_ns > own->attested_ns) ? all : own;
}

void deleted_free(struct deleted *deleted)
{
    pairs_free(&deleted->pairs);
    free(deleted->claims);
    *deleted = (struct deleted){0};
}

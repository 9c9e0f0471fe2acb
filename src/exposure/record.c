/* Entries into index and accounts, live and in replay by the same path; in replay also the pairs
 * from side sections, and the counters that the live gateway has moved already. */
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "exposure/index_entry.h"
#include "exposure/parts.h"
#include "exposure/side.h"
#include "exposure/subject_set.h"

enum { GRADE_PROBE = 5 }; /* enum plan_grade's number, as the ledger stores it */

/* ---- entries ---- */

struct taking {
    struct exposure *exposure;
    uint64_t sequence;
};

static void take_ids(void *context, const struct index_place *place, int64_t time_ns,
                     const uint32_t *ids, size_t count)
{
    const struct taking *taking = context;
    struct exposure *exposure = taking->exposure;
    if (place->grade != INDEX_GRADE_DELETED)
        dictionary_carried(exposure->dictionary, taking->sequence, ids, count);
    if (index_grade_is_charged(place->grade))
        accounts_take(exposure->accounts,
                      &(struct account_place){.partner = place->partner,
                                              .agent = place->agent,
                                              .purpose = place->purpose,
                                              .column_set = place->column_set},
                      time_ns, ids, count);
    index_add(exposure->index, place, time_ns, ids, count);
}

static void take_column_set(void *context, struct slice partner, uint32_t column_set)
{
    const struct taking *taking = context;
    index_add_column_set(taking->exposure->index, partner, column_set, taking->sequence);
}

static void take_deletion(void *context, struct slice partner, int64_t before_ns)
{
    const struct taking *taking = context;
    index_add_deletion(taking->exposure->index, partner, before_ns, taking->sequence);
}

static enum status take_entry(struct exposure *exposure, uint64_t sequence,
                              const struct ledger_entry *entry, struct error *error)
{
    if (entry->type == LEDGER_ACT && entry->partner.len > 0)
        accounts_take_act(exposure->accounts, sequence, entry->partner,
                          entry->time_ns != 0 ? entry->time_ns : clock_now_ns(), entry->text);
    struct taking taking = {.exposure = exposure, .sequence = sequence};
    const struct entry_sink sink = {.context = &taking,
                                    .ids = take_ids,
                                    .column_set = take_column_set,
                                    .deletion = take_deletion};
    return entry_tell(&sink, sequence, entry, error);
}

void exposure_record(struct exposure *exposure, uint64_t sequence, const struct ledger_entry *entry)
{
    struct error error;
    CHECK(take_entry(exposure, sequence, entry, &error) == STATUS_OK); /* sets of our own making */
}

/* ---- replay ---- */

struct learning {
    struct exposure *exposure;
    uint64_t sequence;
};

static enum status learn_pair(void *context, const struct side_pair *pair, struct error *error)
{
    const struct learning *learning = context;
    struct exposure *exposure = learning->exposure;
    if (pair->id < exposure->key_file.written_below &&
        !dictionary_knows(exposure->dictionary, pair->id))
        exposure->must_rewrite = true;
    TRY(dictionary_learn(exposure->dictionary, pair->id, pair->kind, pair->key, error));
    dictionary_carried(exposure->dictionary, learning->sequence, &pair->id, 1);
    return STATUS_OK;
}

/* A section whose key was destroyed is fine where the key file has what it held. */
static enum status check_destroyed(struct exposure *exposure, const struct side_section *section,
                                   struct error *error)
{
    uint32_t missing = 0;
    for (uint32_t i = 0; i < section->count; i++)
        missing +=
            !dictionary_knows(exposure->dictionary, load_u32be(section->ids + 4 * (size_t)i));
    if (missing == 0)
        return STATUS_OK;
    return error_set(error, STATUS_CORRUPT, "XX001", "restore subjects/keys from a backup",
                     "subjects/keys lacks %u subjects whose sealed copies in the ledger can no "
                     "longer be opened (key of segment %llu)",
                     missing, (unsigned long long)section->key_number);
}

static enum status take_section(struct exposure *exposure, uint64_t sequence,
                                const struct side_section *section, struct error *error)
{
    struct seal_key key;
    struct learning learning = {.exposure = exposure, .sequence = sequence};
    enum status status =
        seal_keys_find(exposure->seals, section->key_number, section->key_mark, &key);
    if (status == STATUS_NOT_FOUND)
        return check_destroyed(exposure, section, error);
    status = side_open(section, &key, learn_pair, &learning, error);
    explicit_bzero(&key, sizeof key);
    return status;
}

static enum status take_side(struct exposure *exposure, uint64_t sequence, struct slice side,
                             struct error *error)
{
    struct side_section section;
    enum status status;
    while ((status = side_next(&side, &section)) == STATUS_OK)
        TRY(take_section(exposure, sequence, &section, error));
    if (status != STATUS_CLOSED)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL, "a side section is malformed");
    return STATUS_OK;
}

/* Keys that the statement pinned; the sets have been found sound. */
static uint64_t count_probes(const struct ledger_entry *entry)
{
    uint64_t probes = 0, count;
    for (size_t i = 0; i < entry->item_count; i++)
        if (entry->items[i].grade == GRADE_PROBE &&
            subject_set_count(entry->items[i].subjects, &count) == STATUS_OK)
            probes += count;
    return probes;
}

static void recount(struct exposure *exposure, const struct ledger_entry *entry)
{
    uint64_t probes = entry->type == LEDGER_DISCLOSURE ? count_probes(entry) : 0;
    if (entry->partner.len == 0)
        return;
    if (entry->type == LEDGER_PROBE)
        accounts_recount(exposure->accounts, entry->partner, entry->time_ns, 1, 1);
    else if (probes > 0)
        accounts_recount(exposure->accounts, entry->partner, entry->time_ns, probes, 0);
}

/* No id that an entry names is given out again, also where its key is lost or erased. */
static bool reserve_id(void *context, uint32_t id)
{
    *(uint32_t *)context = id;
    return true;
}

static enum status reserve_ids(struct exposure *exposure, const struct ledger_entry *entry,
                               struct error *error)
{
    for (size_t i = 0; i < entry->item_count; i++) {
        uint32_t highest = 0;
        uint64_t count = 0;
        if (subject_set_count(entry->items[i].subjects, &count) != STATUS_OK ||
            subject_set_each(entry->items[i].subjects, reserve_id, &highest) != STATUS_OK)
            return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                             "a set of subjects is malformed");
        if (count > 0)
            dictionary_reserve(exposure->dictionary, highest);
    }
    return STATUS_OK;
}

enum status exposure_replay(void *context, uint64_t sequence, const struct ledger_entry *entry,
                            struct slice side, uint64_t segment, struct error *error)
{
    struct exposure *exposure = context;
    enum status status = take_side(exposure, sequence, side, error);
    if (status == STATUS_OK)
        status = reserve_ids(exposure, entry, error);
    if (status == STATUS_OK)
        status = take_entry(exposure, sequence, entry, error);
    if (status == STATUS_OK)
        status = statistics_take(&exposure->open, exposure->trackers, entry, error);
    if (status == STATUS_OK)
        recount(exposure, entry);
    else
        error_prefix(error, "ledger entry %llu, segment %llu", (unsigned long long)sequence,
                     (unsigned long long)segment);
    return status;
}

/* Entries into index and accounts, live and in replay by the same path; in replay also the pairs
 * from side sections, and the counters that the live gateway has moved already. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "exposure/parts.h"
#include "exposure/side.h"
#include "exposure/subject_set.h"

enum {
    GRADE_DIRECT = 1, /* enum plan_grade's numbers, as the ledger stores them */
    GRADE_WITNESS = 3,
    GRADE_INFLUENCE = 4,
    GRADE_PROBE = 5,
    SMALL_COUNT = 64,
    IDS_MAX = 1 << 24, /* in one item; an entry of 60,000 bytes holds far fewer honest ones */
};

/* ---- the ids of an item ---- */

struct id_list {
    uint32_t small[SMALL_COUNT];
    uint32_t *ids;
    size_t count;
};

static bool add_id(void *context, uint32_t id)
{
    struct id_list *list = context;
    list->ids[list->count++] = id;
    return true;
}

static enum status read_ids(struct slice set, struct id_list *list, struct error *error)
{
    uint64_t count;
    if (subject_set_count(set, &count) != STATUS_OK || count > IDS_MAX)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL, "a set of subjects is malformed");
    list->count = 0;
    list->ids = count <= SMALL_COUNT ? list->small : malloc(count * sizeof *list->ids);
    if (list->ids == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    return subject_set_each(set, add_id, list);
}

static void free_ids(struct id_list *list)
{
    if (list->ids != list->small)
        free(list->ids);
}

/* ---- entries ---- */

static bool names_subjects(enum ledger_type type)
{
    return type == LEDGER_DISCLOSURE || type == LEDGER_PROBE || type == LEDGER_DECLARED ||
           type == LEDGER_CHANGE;
}

/* What a partner has learnt of single people; statistics and influence carry k. A group too small
 * for a statistic is written as direct by the gateway, influence of too few without a k, so that no
 * policy of that day needs to be known here. */
static bool is_charged(const struct ledger_entry *entry, const struct ledger_item *item)
{
    bool of_few = item->grade == GRADE_INFLUENCE && item->k == 0;
    return entry->type != LEDGER_DECLARED &&
           (item->grade == GRADE_DIRECT || item->grade == GRADE_WITNESS || of_few);
}

static enum status take_item(struct exposure *exposure, uint64_t sequence,
                             const struct ledger_entry *entry, const struct ledger_item *item,
                             int64_t time_ns, struct error *error)
{
    struct id_list list;
    TRY(read_ids(item->subjects, &list, error));
    struct index_place place = {.partner = entry->partner,
                                .column_set = item->column_set,
                                .kind = item->kind,
                                .purpose = entry->purpose,
                                .grade = entry->type == LEDGER_DECLARED ? INDEX_GRADE_DECLARED
                                                                        : item->grade};
    if (list.count > 0) {
        dictionary_carried(exposure->dictionary, sequence, list.ids, list.count);
        if (is_charged(entry, item))
            accounts_take(exposure->accounts,
                          &(struct account_place){.partner = entry->partner,
                                                  .agent = entry->agent,
                                                  .purpose = entry->purpose,
                                                  .column_set = item->column_set},
                          time_ns, list.ids, list.count);
        index_add(exposure->index, &place, time_ns, list.ids, list.count);
    }
    if (item->column_set != 0)
        index_add_column_set(exposure->index, entry->partner, item->column_set);
    free_ids(&list);
    return STATUS_OK;
}

/* An instant of a told entry's text. */
static bool told_instant(const struct ledger_entry *entry, const char *key, int64_t *time_ns)
{
    enum { INSTANT_ROOM = 40 };
    char text[INSTANT_ROOM];
    struct slice value = ledger_text_value(entry->text, key);
    if (value.len == 0 || value.len >= sizeof text)
        return false;
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    return clock_parse(text, time_ns, NULL) == STATUS_OK;
}

/* A declared export happened when staff say it did, not when they said so. */
static int64_t instant_of(const struct ledger_entry *entry)
{
    int64_t told_ns;
    if (entry->type == LEDGER_DECLARED && told_instant(entry, "at", &told_ns))
        return told_ns;
    return entry->time_ns != 0 ? entry->time_ns : clock_now_ns();
}

static void take_deletion(struct exposure *exposure, const struct ledger_entry *entry)
{
    int64_t before_ns;
    if (entry->partner.len > 0 && entry->item_count == 0 &&
        told_instant(entry, "before", &before_ns))
        index_add_deletion(exposure->index, entry->partner, before_ns);
}

static enum status take_entry(struct exposure *exposure, uint64_t sequence,
                              const struct ledger_entry *entry, struct error *error)
{
    int64_t time_ns = instant_of(entry);
    if (entry->type == LEDGER_DELETED)
        take_deletion(exposure, entry);
    if (!names_subjects(entry->type) || entry->partner.len == 0)
        return STATUS_OK;
    for (size_t i = 0; i < entry->item_count; i++)
        TRY(take_item(exposure, sequence, entry, &entry->items[i], time_ns, error));
    if (entry->column_set != 0)
        index_add_column_set(exposure->index, entry->partner, entry->column_set);
    return STATUS_OK;
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

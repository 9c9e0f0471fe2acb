/* Two sets of accounts are filled by the code that a replay uses, one with all entries and one with
 * those that stay: what differs between them is what a start after the cut would not know. */
#include "exposure/forgetting.h"

#include <roaring/roaring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "exposure/index_entry.h"
#include "exposure/parts.h"
#include "exposure/side.h"
#include "exposure/subject_set.h"

enum {
    GRADE_PROBE = 5,    /* enum plan_grade's number: keys that were asked for, not people */
    LOOK_ENTRIES = 256, /* between two looks at *stop */
};

struct forgetting {
    uint64_t cut;
    roaring_bitmap_t *ids;       /* in the entries that go, and in what is sealed beside them */
    roaring_bitmap_t *people;    /* of whom those tell something */
    roaring_bitmap_t *staying;   /* of whom the others tell something */
    struct accounts *all, *kept; /* as they follow from all entries, and from those that stay */
};

static roaring_bitmap_t *new_set(void)
{
    roaring_bitmap_t *set = roaring_bitmap_create();
    CHECK(set != NULL);
    return set;
}

/* ---- reading ---- */

static bool add_id(void *context, uint32_t id)
{
    roaring_bitmap_add(context, id);
    return true;
}

static void take_ids(void *context, const struct index_place *place, int64_t time_ns,
                     const uint32_t *ids, size_t count)
{
    struct forgetting *forgetting = context;
    const struct account_place account = {.partner = place->partner,
                                          .agent = place->agent,
                                          .purpose = place->purpose,
                                          .column_set = place->column_set};
    if (!index_grade_is_charged(place->grade))
        return;
    accounts_take(forgetting->all, &account, time_ns, ids, count);
    if (place->sequence >= forgetting->cut)
        accounts_take(forgetting->kept, &account, time_ns, ids, count);
}

static void pass_column_set(void *context, struct slice partner, uint32_t column_set)
{
    (void)context, (void)partner, (void)column_set;
}

static void pass_deletion(void *context, struct slice partner, int64_t before_ns)
{
    (void)context, (void)partner, (void)before_ns;
}

static enum status take_sealed(struct forgetting *forgetting, struct slice side,
                               struct error *error)
{
    struct side_section section;
    enum status status;
    while ((status = side_next(&side, &section)) == STATUS_OK)
        for (uint32_t i = 0; i < section.count; i++)
            roaring_bitmap_add(forgetting->ids, load_u32be(section.ids + 4 * (size_t)i));
    return status == STATUS_CLOSED
               ? STATUS_OK
               : error_set(error, STATUS_CORRUPT, "XX001", NULL, "a side section is malformed");
}

/* A partner's claim that somebody was deleted tells nothing of him, nor does a key that did not
 * come back. */
static enum status take_items(struct forgetting *forgetting, bool goes,
                              const struct ledger_entry *entry, struct error *error)
{
    for (size_t i = 0; i < entry->item_count; i++) {
        const struct ledger_item *item = &entry->items[i];
        bool tells = entry->type != LEDGER_DELETED && item->grade != GRADE_PROBE;
        roaring_bitmap_t *people = goes ? forgetting->people : forgetting->staying;
        if ((goes && subject_set_each(item->subjects, add_id, forgetting->ids) != STATUS_OK) ||
            (tells && subject_set_each(item->subjects, add_id, people) != STATUS_OK))
            return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                             "a set of subjects is malformed");
    }
    return STATUS_OK;
}

static enum status take_entry(struct forgetting *forgetting, uint64_t sequence,
                              const struct ledger_entry *entry, struct slice side,
                              struct error *error)
{
    const struct entry_sink sink = {.context = forgetting,
                                    .ids = take_ids,
                                    .column_set = pass_column_set,
                                    .deletion = pass_deletion};
    bool goes = sequence < forgetting->cut;
    if (goes)
        TRY(take_sealed(forgetting, side, error));
    TRY(take_items(forgetting, goes, entry, error));
    return entry_tell(&sink, sequence, entry, error);
}

static enum status read_all(struct forgetting *forgetting, struct ledger_reader *reader,
                            const atomic_bool *stop, struct error *error)
{
    for (uint64_t read = 0;; read++) {
        struct ledger_entry entry;
        struct slice side;
        uint64_t sequence;
        if (read % LOOK_ENTRIES == 0 && atomic_load(stop))
            return error_set(error, STATUS_CLOSED, "57P01", NULL, "the gateway is stopping");
        enum status status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status == STATUS_AGAIN)
            return STATUS_OK;
        TRY(status);
        TRY(take_entry(forgetting, sequence, &entry, side, error));
    }
}

static enum status make(struct exposure *exposure, uint64_t cut, struct forgetting *made,
                        struct error *error)
{
    const struct gauge_texts texts = {.text = exposure_column_text, .context = exposure->ledger};
    made->cut = cut;
    made->ids = new_set();
    made->people = new_set();
    made->staying = new_set();
    TRY(accounts_new(&made->all, error));
    TRY(accounts_new(&made->kept, error));
    accounts_know_texts(made->all, &texts);
    accounts_know_texts(made->kept, &texts);
    return STATUS_OK;
}

enum status forgetting_reckon(struct exposure *exposure, const char *ledger_folder, uint64_t cut,
                              const atomic_bool *stop, struct forgetting **forgetting,
                              struct error *error)
{
    struct ledger_reader *reader = NULL;
    struct forgetting *made = calloc(1, sizeof *made);
    CHECK(exposure->ledger != NULL);
    if (made == NULL)
        return error_no_memory(error);
    enum status status = make(exposure, cut, made, error);
    if (status == STATUS_OK)
        status = ledger_reader_open(ledger_folder, 0, &reader, error);
    if (status == STATUS_OK) {
        ledger_reader_leave_tree(reader);
        status = read_all(made, reader, stop, error);
    }
    ledger_reader_close(reader);
    if (status == STATUS_OK)
        *forgetting = made;
    else
        forgetting_free(made);
    return status;
}

static void free_set(roaring_bitmap_t *set)
{
    if (set != NULL)
        roaring_bitmap_free(set);
}

void forgetting_free(struct forgetting *forgetting)
{
    if (forgetting == NULL)
        return;
    accounts_free(forgetting->all);
    accounts_free(forgetting->kept);
    free_set(forgetting->ids);
    free_set(forgetting->people);
    free_set(forgetting->staying);
    free(forgetting);
}

/* ---- answers ---- */

struct telling {
    const struct forgetting *forgetting;
    const struct policy *policy;
    int64_t now_ns;
    void (*visit)(void *context, const struct forgetting_limit *limit);
    void *context;
};

static const struct policy_partner *partner_named(const struct policy *policy, const char *name)
{
    for (size_t i = 0; policy != NULL && i < policy->partner_count; i++)
        if (strcmp(policy->partners[i].name, name) == 0)
            return &policy->partners[i];
    return NULL;
}

static void tell_partner(void *context, const char *name)
{
    const struct telling *telling = context;
    const struct policy_partner nobody = {.name = name};
    const struct policy_partner *partner = partner_named(telling->policy, name);
    struct exposure_limit now[EXPOSURE_LIMITS], after[EXPOSURE_LIMITS];
    partner = partner == NULL ? &nobody : partner;
    size_t count = accounts_limits(telling->forgetting->all, partner, telling->now_ns, now);
    CHECK(accounts_limits(telling->forgetting->kept, partner, telling->now_ns, after) == count);
    for (size_t i = 0; i < count; i++) {
        struct forgetting_limit limit = {
            .partner = name, .now = now[i].used, .after = after[i].used};
        if (strcmp(now[i].window, policy_windows[POLICY_EVER]) != 0)
            continue;
        snprintf(limit.limit, sizeof limit.limit, "%.63s", now[i].name);
        telling->visit(telling->context, &limit);
    }
}

void forgetting_limits(const struct forgetting *forgetting, const struct policy *policy,
                       int64_t now_ns,
                       void (*visit)(void *context, const struct forgetting_limit *limit),
                       void *context)
{
    struct telling telling = {.forgetting = forgetting,
                              .policy = policy,
                              .now_ns = now_ns,
                              .visit = visit,
                              .context = context};
    accounts_each(forgetting->all, tell_partner, &telling);
}

uint64_t forgetting_people(const struct forgetting *forgetting)
{
    return roaring_bitmap_andnot_cardinality(forgetting->people, forgetting->staying);
}

/* ---- forgetting ---- */

/* The file as a start would read it. */
static enum status read_keys(const struct exposure *exposure, struct dictionary **keys,
                             struct error *error)
{
    struct dictionary *read = NULL;
    TRY(dictionary_new(&read, error));
    enum status status = key_file_read(exposure->folder, read, error);
    if (status == STATUS_OK)
        *keys = read;
    else
        dictionary_free(read);
    return status;
}

enum status forgetting_settle(struct exposure *exposure, const struct forgetting *forgetting,
                              struct error *error)
{
    struct dictionary *keys = NULL;
    uint64_t missing = 0;
    TRY(exposure_keep_keys(exposure, error));
    TRY(read_keys(exposure, &keys, error));
    roaring_uint32_iterator_t *at = roaring_create_iterator(forgetting->ids);
    CHECK(at != NULL);
    for (; at->has_value; roaring_advance_uint32_iterator(at))
        missing += !dictionary_knows(keys, at->current_value);
    roaring_free_uint32_iterator(at);
    dictionary_free(keys);
    if (missing == 0)
        return STATUS_OK;
    return error_set(error, STATUS_CORRUPT, "XX001",
                     "Restart the gateway: a start writes the file afresh.",
                     "subjects/keys lacks %llu people of the entries that would go",
                     (unsigned long long)missing);
}

enum status forgetting_done(struct exposure *exposure, const struct forgetting *forgetting,
                            struct error *error)
{
    accounts_keep(exposure->accounts, forgetting->kept, clock_now_ns());
    return index_remake(exposure->index, error);
}

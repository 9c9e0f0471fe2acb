/* See index_entry.h. A declared export happened when staff say it did; a deletion reaches no
 * further than the instant at which it was told. */
#include "exposure/index_entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exposure/subject_set.h"

enum {
    GRADE_DIRECT = 1, /* enum plan_grade's numbers, as the ledger stores them */
    GRADE_WITNESS = 3,
    GRADE_INFLUENCE = 4,
    SMALL_COUNT = 64,
    IDS_MAX = 1 << 24, /* in one item; an entry of 60,000 bytes holds far fewer honest ones */
};

/* ---- the ids of an item ---- */

struct id_list {
    uint32_t small[SMALL_COUNT];
    uint32_t *ids;
    size_t count;
};

static void free_ids(struct id_list *list)
{
    if (list->ids != list->small)
        free(list->ids);
}

static enum status read_ids(struct slice set, struct id_list *list, struct error *error)
{
    uint64_t claimed, count;
    if (subject_set_claims(set, &claimed) != STATUS_OK || claimed > IDS_MAX)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL, "a set of subjects is malformed");
    list->ids = claimed <= SMALL_COUNT ? list->small : malloc(claimed * sizeof *list->ids);
    if (list->ids == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (subject_set_read(set, list->ids, claimed, &count) != STATUS_OK) {
        free_ids(list);
        return error_set(error, STATUS_CORRUPT, "XX001", NULL, "a set of subjects is malformed");
    }
    list->count = (size_t)count;
    return STATUS_OK;
}

/* ---- when ---- */

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

static int64_t instant_of(const struct ledger_entry *entry)
{
    int64_t told_ns;
    if (entry->type == LEDGER_DECLARED && told_instant(entry, "at", &told_ns))
        return told_ns;
    return entry->time_ns != 0 ? entry->time_ns : clock_now_ns();
}

/* ---- entries ---- */

static bool names_subjects(enum ledger_type type)
{
    return type == LEDGER_DISCLOSURE || type == LEDGER_PROBE || type == LEDGER_DECLARED ||
           type == LEDGER_CHANGE;
}

bool index_grade_is_charged(uint8_t grade)
{
    return grade == GRADE_DIRECT || grade == GRADE_WITNESS || grade == INDEX_GRADE_FEW;
}

/* What a partner has learnt of single people; statistics and influence carry k. A group too small
 * for a statistic is written as direct by the gateway, influence of too few without a k, so that no
 * policy of that day needs to be known here. */
static uint8_t grade_of(const struct ledger_entry *entry, const struct ledger_item *item)
{
    if (entry->type == LEDGER_DECLARED)
        return INDEX_GRADE_DECLARED;
    return item->grade == GRADE_INFLUENCE && item->k == 0 ? INDEX_GRADE_FEW : item->grade;
}

static enum status tell_item(const struct entry_sink *sink, const struct index_place *place,
                             int64_t time_ns, struct slice subjects, struct error *error)
{
    struct id_list list;
    TRY(read_ids(subjects, &list, error));
    if (list.count > 0)
        sink->ids(sink->context, place, time_ns, list.ids, list.count);
    free_ids(&list);
    return STATUS_OK;
}

static enum status tell_deletion(const struct entry_sink *sink, uint64_t sequence,
                                 const struct ledger_entry *entry, struct error *error)
{
    int64_t before_ns;
    if (entry->partner.len == 0 || !told_instant(entry, "before", &before_ns))
        return STATUS_OK;
    if (entry->time_ns != 0 && before_ns > entry->time_ns)
        before_ns = entry->time_ns;
    if (entry->item_count == 0) {
        sink->deletion(sink->context, entry->partner, before_ns);
        return STATUS_OK;
    }
    for (size_t i = 0; i < entry->item_count; i++) {
        const struct index_place place = {.partner = entry->partner,
                                          .kind = entry->items[i].kind,
                                          .grade = INDEX_GRADE_DELETED,
                                          .sequence = sequence};
        TRY(tell_item(sink, &place, before_ns, entry->items[i].subjects, error));
    }
    return STATUS_OK;
}

enum status entry_tell(const struct entry_sink *sink, uint64_t sequence,
                       const struct ledger_entry *entry, struct error *error)
{
    if (entry->type == LEDGER_COLUMN_SET && sink->text != NULL)
        sink->text(sink->context, entry->column_set, entry->text);
    if (entry->type == LEDGER_DELETED)
        return tell_deletion(sink, sequence, entry, error);
    if (!names_subjects(entry->type) || entry->partner.len == 0)
        return STATUS_OK;
    int64_t time_ns = instant_of(entry);
    for (size_t i = 0; i < entry->item_count; i++) {
        const struct ledger_item *item = &entry->items[i];
        const struct index_place place = {.partner = entry->partner,
                                          .agent = entry->agent,
                                          .purpose = entry->purpose,
                                          .column_set = item->column_set,
                                          .kind = item->kind,
                                          .grade = grade_of(entry, item),
                                          .sequence = sequence};
        TRY(tell_item(sink, &place, time_ns, item->subjects, error));
        if (item->column_set != 0)
            sink->column_set(sink->context, entry->partner, item->column_set);
    }
    if (entry->column_set != 0)
        sink->column_set(sink->context, entry->partner, entry->column_set);
    return STATUS_OK;
}

/* ---- to a tail ---- */

static void put_ids(void *context, const struct index_place *place, int64_t time_ns,
                    const uint32_t *ids, size_t count)
{
    tail_add(context, place, (int32_t)index_hour_of(time_ns), ids, count);
}

static void put_column_set(void *context, struct slice partner, uint32_t column_set)
{
    tail_add_column_set(context, partner, column_set);
}

static void put_deletion(void *context, struct slice partner, int64_t before_ns)
{
    tail_add_deletion(context, partner, before_ns);
}

static void put_text(void *context, uint32_t column_set, struct slice text)
{
    tail_add_text(context, column_set, text);
}

struct entry_sink entry_sink_of_tail(struct tail *tail)
{
    return (struct entry_sink){.context = tail,
                               .ids = put_ids,
                               .column_set = put_column_set,
                               .deletion = put_deletion,
                               .text = put_text};
}

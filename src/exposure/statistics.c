/* A set of more ids than an item takes comes in several, which may stand in several entries of one
 * release; entries of other sessions may stand between. None of a release's sets was given before
 * its last entry: the people by which one differs may stand there, and then they are charged. */
#include "exposure/statistics.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exposure/row_sums.h"
#include "exposure/subject_set.h"
#include "exposure/trackers.h"

enum { GRADE_AGGREGATE = 2, IDS_MAX = 1 << 26 };

struct statistics_open {
    struct statistics_open *next;
    uint8_t uuid[16];
    uint32_t *ids; /* of all sets, one after the other */
    size_t count;
    struct begun {
        size_t at; /* in ids */
        uint8_t *rows;
        size_t rows_len;
    } * sets;
    size_t set_count;
};

static void free_open(struct statistics_open *open)
{
    for (size_t i = 0; i < open->set_count; i++)
        free(open->sets[i].rows);
    free(open->sets);
    free(open->ids);
    free(open);
}

void statistics_forget(struct statistics_open **open)
{
    while (*open != NULL) {
        struct statistics_open *first = *open;
        *open = first->next;
        free_open(first);
    }
}

bool statistics_continues(struct slice text, size_t item)
{
    struct slice list = ledger_text_value(text, "continues");
    size_t number = 0;
    bool digits = false;
    for (size_t i = 0; i <= list.len; i++) {
        if (i < list.len && list.data[i] >= '0' && list.data[i] <= '9' && number < IDS_MAX) {
            number = number * 10 + (size_t)(list.data[i] - '0');
            digits = true;
            continue;
        }
        if (digits && number == item)
            return true;
        number = 0;
        digits = false;
    }
    return false;
}

static struct statistics_open **find(struct statistics_open **open, const uint8_t uuid[16])
{
    while (*open != NULL && memcmp((*open)->uuid, uuid, sizeof(*open)->uuid) != 0)
        open = &(*open)->next;
    return open;
}

static enum status malformed(struct error *error)
{
    return error_set(error, STATUS_CORRUPT, "XX001", NULL, "a set of subjects is malformed");
}

static enum status take_set(const struct statistics_open *whole, size_t index,
                            struct trackers *trackers, const struct ledger_entry *entry,
                            struct error *error)
{
    const struct begun *set = &whole->sets[index];
    size_t end = index + 1 < whole->set_count ? set[1].at : whole->count, count = end - set->at;
    struct slice rows = slice_of(set->rows, set->rows_len);
    if (!row_sums_valid(rows, count))
        return malformed(error);
    if (count > 0)
        trackers_take(trackers, entry->partner, entry->time_ns, whole->ids + set->at, count, rows);
    return STATUS_OK;
}

/* The statement's release is over. trackers NULL: it was not written whole, so nothing left. */
static enum status finish(struct statistics_open **open, struct trackers *trackers,
                          const struct ledger_entry *entry, struct error *error)
{
    struct statistics_open **at = find(open, entry->uuid), *whole = *at;
    enum status status = STATUS_OK;
    if (whole == NULL)
        return STATUS_OK;
    *at = whole->next;
    for (size_t i = 0; trackers != NULL && status == STATUS_OK && i < whole->set_count; i++)
        status = take_set(whole, i, trackers, entry, error);
    free_open(whole);
    return status;
}

static void begin_set(struct statistics_open *set, struct slice rows)
{
    set->sets = realloc(set->sets, (set->set_count + 1) * sizeof *set->sets);
    CHECK(set->sets != NULL);
    struct begun *begun = &set->sets[set->set_count++];
    *begun = (struct begun){.at = set->count, .rows = malloc(rows.len + 1), .rows_len = rows.len};
    CHECK(begun->rows != NULL);
    if (rows.len > 0)
        memcpy(begun->rows, rows.data, rows.len);
}

static bool add_id(void *context, uint32_t id)
{
    struct statistics_open *open = context;
    open->ids[open->count++] = id;
    return true;
}

static enum status add_item(struct statistics_open **open, const struct ledger_entry *entry,
                            const struct ledger_item *item, bool continues, struct error *error)
{
    struct statistics_open *set = *find(open, entry->uuid);
    uint64_t count;
    if (set == NULL) {
        set = calloc(1, sizeof *set);
        CHECK(set != NULL);
        memcpy(set->uuid, entry->uuid, sizeof set->uuid);
        set->next = *open;
        *open = set;
    }
    if (subject_set_count(item->subjects, &count) != STATUS_OK || count > IDS_MAX - set->count)
        return malformed(error);
    set->ids = realloc(set->ids, (set->count + count + 1) * sizeof *set->ids);
    CHECK(set->ids != NULL);
    if (!continues || set->set_count == 0)
        begin_set(set, item->rows);
    return subject_set_each(item->subjects, add_id, set);
}

enum status statistics_take(struct statistics_open **open, struct trackers *trackers,
                            const struct ledger_entry *entry, struct error *error)
{
    if (entry->type != LEDGER_DISCLOSURE || entry->partner.len == 0)
        return STATUS_OK;
    if (entry->chunk == 0)
        TRY(finish(open, NULL, entry, error));
    for (size_t i = 0; i < entry->item_count; i++)
        if (entry->items[i].grade == GRADE_AGGREGATE)
            TRY(add_item(open, entry, &entry->items[i], statistics_continues(entry->text, i),
                         error));
    return entry->chunk_count == 0 ? STATUS_OK : finish(open, trackers, entry, error);
}

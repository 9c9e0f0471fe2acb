/* A subject charged again is added to the newest quarter at once and taken out of the older ones
 * when the next quarter begins, for all of them together: that costs one pass over sets that do not
 * overlap. */
#include "exposure/series.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exposure/windows.h"

enum { FIRST_SLOTS = 64, FIRST_QUARTERS = 8, SMALL_ADD = 16 };

static roaring_bitmap_t *new_set(void)
{
    roaring_bitmap_t *set = roaring_bitmap_create();
    CHECK(set != NULL);
    return set;
}

static char *copy_text(struct slice text)
{
    char *copy = calloc(1, text.len + 1);
    CHECK(copy != NULL);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    return copy;
}

void series_free(struct series_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct series *series = list->all[i];
        for (size_t q = 0; q < series->quarter_count; q++)
            roaring_bitmap_free(series->quarters[q].ids);
        roaring_bitmap_free(series->total);
        free(series->quarters);
        free(series->agent);
        free(series->purpose);
        free(series);
    }
    free(list->all);
    free(list->slots);
    *list = (struct series_list){0};
}

/* ---- finding: FNV-1a, over names of the policy's and numbers of ours ---- */

static uint64_t mix(uint64_t hash, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash;
}

static uint64_t hash_of(const struct series_name *name)
{
    uint64_t hash = mix(0xcbf29ce484222325, name->agent.data, name->agent.len);
    hash = mix(hash * 31, name->purpose.data, name->purpose.len);
    return hash ^ (uint64_t)name->column_set * 0x9e3779b97f4a7c15;
}

static bool is_named(const struct series *series, const struct series_name *name)
{
    return series->column_set == name->column_set &&
           slice_equal(slice_of_text(series->agent), name->agent) &&
           slice_equal(slice_of_text(series->purpose), name->purpose);
}

static uint32_t *slot_of(const struct series_list *list, const struct series_name *name)
{
    size_t mask = list->slot_count - 1, at = hash_of(name) >> 20 & mask;
    while (list->slots[at] != 0 && !is_named(list->all[list->slots[at] - 1], name))
        at = (at + 1) & mask;
    return &list->slots[at];
}

static void grow(struct series_list *list)
{
    list->capacity = list->capacity == 0 ? FIRST_SLOTS / 2 : list->capacity * 2;
    list->slot_count = list->capacity * 2;
    list->all = realloc(list->all, list->capacity * sizeof(struct series *));
    free(list->slots);
    list->slots = calloc(list->slot_count, sizeof *list->slots);
    CHECK(list->all != NULL && list->slots != NULL);
    for (size_t i = 0; i < list->count; i++) {
        const struct series *series = list->all[i];
        const struct series_name name = {.agent = slice_of_text(series->agent),
                                         .purpose = slice_of_text(series->purpose),
                                         .column_set = series->column_set};
        *slot_of(list, &name) = (uint32_t)i + 1;
    }
}

struct series *series_at(struct series_list *list, const struct series_name *name)
{
    if (list->count == list->capacity)
        grow(list);
    uint32_t *slot = slot_of(list, name);
    if (*slot == 0) {
        struct series *series = calloc(1, sizeof *series);
        CHECK(series != NULL);
        series->agent = copy_text(name->agent);
        series->purpose = copy_text(name->purpose);
        series->column_set = name->column_set;
        series->total = new_set();
        series->growth_day = INT64_MIN;
        list->all[list->count++] = series;
        *slot = (uint32_t)list->count;
    }
    return list->all[*slot - 1];
}

/* ---- quarters ---- */

/* Takes the newest quarter's ids out of the older ones, and drops what is empty or too old. */
static void settle(struct series *series, int64_t now)
{
    size_t kept = 0, last = series->quarter_count - 1;
    const roaring_bitmap_t *newest = series->quarters[last].ids;
    for (size_t i = 0; i <= last; i++) {
        struct series_quarter quarter = series->quarters[i];
        if (i < last)
            roaring_bitmap_andnot_inplace(quarter.ids, newest);
        if (quarter.number <= now - WINDOW_QUARTERS_KEPT || roaring_bitmap_is_empty(quarter.ids))
            roaring_bitmap_free(quarter.ids);
        else
            series->quarters[kept++] = quarter;
    }
    series->quarter_count = kept;
}

/* The set of that quarter, made where new; NULL for one too old to matter. */
static roaring_bitmap_t *quarter_at(struct series *series, int64_t number)
{
    size_t at = series->quarter_count;
    if (at > 0 && series->quarters[at - 1].number == number)
        return series->quarters[at - 1].ids;
    if (at > 0 && series->quarters[at - 1].number < number)
        settle(series, number);
    else if (at > 0 && number <= series->quarters[at - 1].number - WINDOW_QUARTERS_KEPT)
        return NULL;
    at = series->quarter_count;
    while (at > 0 && series->quarters[at - 1].number > number)
        at--;
    if (at > 0 && series->quarters[at - 1].number == number)
        return series->quarters[at - 1].ids;
    if (series->quarter_count == series->quarter_capacity) {
        series->quarter_capacity =
            series->quarter_capacity == 0 ? FIRST_QUARTERS : series->quarter_capacity * 2;
        series->quarters =
            realloc(series->quarters, series->quarter_capacity * sizeof *series->quarters);
        CHECK(series->quarters != NULL);
    }
    memmove(series->quarters + at + 1, series->quarters + at,
            (series->quarter_count - at) * sizeof *series->quarters);
    series->quarters[at] = (struct series_quarter){.number = number, .ids = new_set()};
    series->quarter_count++;
    return series->quarters[at].ids;
}

static int64_t day_of(int64_t quarter)
{
    int64_t day = quarter / WINDOW_QUARTERS_A_DAY;
    return quarter % WINDOW_QUARTERS_A_DAY < 0 ? day - 1 : day;
}

static uint64_t *growth_at(struct series *series, int64_t day)
{
    if (series->growth_day == INT64_MIN || day - series->growth_day >= SERIES_GROWTH_DAYS)
        memset(series->growth, 0, sizeof series->growth);
    else
        for (int64_t d = series->growth_day + 1; d <= day; d++)
            series->growth[(uint64_t)d % SERIES_GROWTH_DAYS] = 0;
    if (day > series->growth_day)
        series->growth_day = day;
    return &series->growth[(uint64_t)day % SERIES_GROWTH_DAYS];
}

static uint64_t add_new(roaring_bitmap_t *set, const uint32_t *ids, size_t count)
{
    uint64_t added = 0;
    if (count > SMALL_ADD) {
        uint64_t before = roaring_bitmap_get_cardinality(set);
        roaring_bitmap_add_many(set, count, ids);
        return roaring_bitmap_get_cardinality(set) - before;
    }
    for (size_t i = 0; i < count; i++)
        added += roaring_bitmap_add_checked(set, ids[i]);
    return added;
}

void series_add(struct series *series, int64_t quarter, const uint32_t *ids, size_t count)
{
    roaring_bitmap_t *set = quarter_at(series, quarter);
    if (set != NULL)
        roaring_bitmap_add_many(set, count, ids);
    uint64_t added = add_new(series->total, ids, count);
    int64_t day = day_of(quarter);
    if (added > 0 &&
        (series->growth_day == INT64_MIN || day > series->growth_day - SERIES_GROWTH_DAYS))
        *growth_at(series, day) += added;
}

void series_union(const struct series *series, int64_t from, roaring_bitmap_t *ids)
{
    if (from == INT64_MIN) {
        roaring_bitmap_or_inplace(ids, series->total);
        return;
    }
    for (size_t i = series->quarter_count; i > 0 && series->quarters[i - 1].number >= from; i--)
        roaring_bitmap_or_inplace(ids, series->quarters[i - 1].ids);
}

int64_t series_earliest(const struct series *series, int64_t from)
{
    for (size_t i = 0; i < series->quarter_count; i++)
        if (series->quarters[i].number >= from)
            return series->quarters[i].number;
    return INT64_MAX;
}

uint64_t series_growth(const struct series *series, int64_t quarter)
{
    enum { WEEK = 7 };
    uint64_t sum = 0;
    int64_t today = day_of(quarter);
    for (int64_t day = today - WEEK + 1; day <= today; day++)
        if (series->growth_day != INT64_MIN && day <= series->growth_day &&
            day > series->growth_day - SERIES_GROWTH_DAYS)
            sum += series->growth[(uint64_t)day % SERIES_GROWTH_DAYS];
    return sum;
}

const struct series *series_find(const struct series_list *list, const struct series_name *name)
{
    if (list->slot_count == 0)
        return NULL;
    const uint32_t *slot = slot_of(list, name);
    return *slot == 0 ? NULL : list->all[*slot - 1];
}

void series_keep(struct series *series, const struct series *kept, int64_t quarter)
{
    size_t left = 0;
    series->growth_day = kept == NULL ? INT64_MIN : kept->growth_day;
    if (kept == NULL) {
        roaring_bitmap_clear(series->total);
    } else {
        CHECK(roaring_bitmap_overwrite(series->total, kept->total));
        memcpy(series->growth, kept->growth, sizeof series->growth);
    }
    for (size_t i = 0; i < series->quarter_count; i++) {
        struct series_quarter *at = &series->quarters[i];
        if (at->number <= quarter - WINDOW_QUARTERS_KEPT) {
            roaring_bitmap_free(at->ids);
            continue;
        }
        *growth_at(series, day_of(at->number)) +=
            roaring_bitmap_andnot_cardinality(at->ids, series->total);
        roaring_bitmap_or_inplace(series->total, at->ids);
        series->quarters[left++] = *at;
    }
    series->quarter_count = left;
}

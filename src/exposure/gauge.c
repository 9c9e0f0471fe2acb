/* See gauge.h. */
#include "exposure/gauge.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exposure/column_line.h"

enum { JUDGED_NOT_YET, JUDGED_NO, JUDGED_YES, FEW = 16 };

static char *copy_of(const char *text)
{
    if (text == NULL)
        return NULL;
    char *copy = strdup(text);
    CHECK(copy != NULL);
    return copy;
}

void gauge_init(struct gauge *gauge, const struct policy_limit *limit)
{
    *gauge = (struct gauge){.name = copy_of(limit->name),
                            .category = copy_of(limit->category),
                            .agent = copy_of(limit->agent),
                            .purpose = copy_of(limit->purpose),
                            .has_form = limit->has_form,
                            .form = limit->form,
                            .window = limit->window,
                            .ids = roaring_bitmap_create()};
    CHECK(gauge->ids != NULL);
}

void gauge_free(struct gauge *gauge)
{
    free(gauge->name);
    free(gauge->category);
    free(gauge->agent);
    free(gauge->purpose);
    free(gauge->judged);
    roaring_bitmap_free(gauge->ids);
}

static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool gauge_is_of(const struct gauge *gauge, const struct policy_limit *limit)
{
    return gauge->window == limit->window && gauge->has_form == limit->has_form &&
           (!gauge->has_form || gauge->form == limit->form) && is_same(gauge->name, limit->name) &&
           is_same(gauge->category, limit->category) && is_same(gauge->agent, limit->agent) &&
           is_same(gauge->purpose, limit->purpose);
}

/* One line suffices: a column of that category, in that form. */
static bool holds_column(const struct gauge *gauge, const char *text)
{
    static const char *const forms[] = {"clear", "masked", "token"};
    struct column_line line;
    while (column_line_next(&text, &line)) {
        bool fits =
            gauge->category == NULL || slice_equal(line.category, slice_of_text(gauge->category));
        if (fits && (!gauge->has_form || slice_equal(line.form, slice_of_text(forms[gauge->form]))))
            return true;
    }
    return false;
}

static bool counts_columns(struct gauge *gauge, const struct gauge_texts *texts, uint32_t set)
{
    enum { STEP = 256 };
    if (gauge->category == NULL && !gauge->has_form)
        return true;
    if (set >= gauge->judged_count) {
        size_t count = (set / STEP + 1) * (size_t)STEP;
        gauge->judged = realloc(gauge->judged, count);
        CHECK(gauge->judged != NULL);
        memset(gauge->judged + gauge->judged_count, JUDGED_NOT_YET, count - gauge->judged_count);
        gauge->judged_count = count;
    }
    if (gauge->judged[set] == JUDGED_NOT_YET) {
        const char *text =
            set == 0 || texts->text == NULL ? NULL : texts->text(texts->context, set);
        if (text == NULL)
            return set != 0; /* without columns nothing but presence was told */
        gauge->judged[set] = holds_column(gauge, text) ? JUDGED_YES : JUDGED_NO;
    }
    return gauge->judged[set] == JUDGED_YES;
}

bool gauge_counts(struct gauge *gauge, const struct gauge_texts *texts,
                  const struct series_name *name)
{
    if (gauge->agent != NULL && !slice_equal(slice_of_text(gauge->agent), name->agent))
        return false;
    if (gauge->purpose != NULL && !slice_equal(slice_of_text(gauge->purpose), name->purpose))
        return false;
    return counts_columns(gauge, texts, name->column_set);
}

static void reckon(struct gauge *gauge, const struct gauge_texts *texts,
                   const struct series_list *list)
{
    roaring_bitmap_clear(gauge->ids);
    for (size_t i = 0; i < list->count; i++) {
        const struct series *series = list->all[i];
        const struct series_name name = {.agent = slice_of_text(series->agent),
                                         .purpose = slice_of_text(series->purpose),
                                         .column_set = series->column_set};
        if (gauge_counts(gauge, texts, &name))
            series_union(series, gauge->at.from, gauge->ids);
    }
    gauge->count = roaring_bitmap_get_cardinality(gauge->ids);
    gauge->reckoned = true;
}

bool gauge_turn(struct gauge *gauge, const struct gauge_texts *texts,
                const struct series_list *list, const struct zone *zone, int64_t quarter)
{
    bool rolls = gauge->window >= POLICY_PER_24H;
    bool within = quarter < gauge->at.until && (rolls || quarter >= gauge->at.from);
    /* A rolling window never goes back: charges that are not recorded yet stand in it. */
    if (gauge->reckoned && within)
        return false;
    gauge->at = window_at(gauge->window, zone, quarter);
    reckon(gauge, texts, list);
    return true;
}

void gauge_add(struct gauge *gauge, int64_t quarter, const uint32_t *ids, size_t count)
{
    if (!gauge->reckoned || quarter < gauge->at.from)
        return;
    if (count > FEW) {
        roaring_bitmap_add_many(gauge->ids, count, ids);
        gauge->count = roaring_bitmap_get_cardinality(gauge->ids);
        return;
    }
    for (size_t i = 0; i < count; i++)
        gauge->count += roaring_bitmap_add_checked(gauge->ids, ids[i]);
}

/* See forecast.h. */
#include "exposure/forecast.h"

#include "base/check.h"

enum { WEEK_DAYS = 7 };
static const double DAY_NS = 24.0 * 3600 * 1e9;

struct recent {
    roaring_bitmap_t *ids;
    uint64_t growth, total;
    int64_t earliest; /* quarter */
};

static void look_back(struct gauge *gauge, const struct gauge_texts *texts,
                      const struct series_list *list, int64_t from, int64_t quarter,
                      struct recent *recent)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct series *series = list->all[i];
        const struct series_name name = {.agent = slice_of_text(series->agent),
                                         .purpose = slice_of_text(series->purpose),
                                         .column_set = series->column_set};
        if (!gauge_counts(gauge, texts, &name))
            continue;
        int64_t earliest = series_earliest(series, from);
        recent->earliest = earliest < recent->earliest ? earliest : recent->earliest;
        recent->growth += series_growth(series, quarter);
        recent->total += roaring_bitmap_get_cardinality(series->total);
        series_union(series, from, recent->ids);
    }
}

double forecast_pace(struct gauge *gauge, const struct gauge_texts *texts,
                     const struct series_list *list, int64_t quarter)
{
    bool daily = gauge->window == POLICY_PER_DAY || gauge->window == POLICY_PER_24H;
    int64_t days = daily ? 1 : WEEK_DAYS;
    struct recent recent = {.ids = roaring_bitmap_create(), .earliest = INT64_MAX};
    CHECK(recent.ids != NULL);
    look_back(gauge, texts, list, quarter - days * WINDOW_QUARTERS_A_DAY + 1, quarter, &recent);
    uint64_t people =
        gauge->window == POLICY_EVER ? recent.growth : roaring_bitmap_get_cardinality(recent.ids);
    roaring_bitmap_free(recent.ids);
    if (people == 0)
        return 0;
    bool older = recent.total > recent.growth; /* somebody was known before that week */
    double since = older || recent.earliest == INT64_MAX
                       ? (double)days
                       : (double)(quarter + 1 - recent.earliest) / WINDOW_QUARTERS_A_DAY;
    double over = since < 1 ? 1 : since > (double)days ? (double)days : since;
    return (double)people / over;
}

int64_t forecast_end(const struct gauge *gauge, uint64_t bound, double pace, int64_t now_ns)
{
    if (gauge->count >= bound)
        return now_ns;
    bool rolls = gauge->window >= POLICY_PER_24H && gauge->window != POLICY_EVER;
    if (pace <= 0 || (rolls && pace * window_days(gauge->window) <= (double)bound))
        return INT64_MAX;
    double left_ns = (double)(bound - gauge->count) / pace * DAY_NS;
    if (left_ns > 1e18)
        return INT64_MAX;
    int64_t end = now_ns + (int64_t)left_ns;
    bool calendar = gauge->window < POLICY_PER_24H;
    return calendar && end >= window_instant(gauge->at.until) ? INT64_MAX : end;
}

/* Calendar windows are found by bisection: the local date never goes back. */
#include "exposure/windows.h"

static const int64_t QUARTER_NS = 15LL * 60 * 1000000000;

int64_t window_quarter(int64_t time_ns)
{
    int64_t number = time_ns / QUARTER_NS;
    return time_ns % QUARTER_NS < 0 ? number - 1 : number;
}

int64_t window_instant(int64_t quarter)
{
    return quarter * QUARTER_NS;
}

/* A number that grows by one from each local day, week or month to the next. */
static int64_t period_of(enum policy_window window, const struct zone *zone, int64_t quarter)
{
    enum { THURSDAY = 3, WEEK = 7, MONTHS = 12 }; /* 1970-01-01 was a Thursday: 3 after Monday */
    struct zone_time local = zone_local(zone, window_instant(quarter));
    if (window == POLICY_PER_MONTH)
        return (int64_t)local.year * MONTHS + local.month;
    if (window == POLICY_PER_DAY)
        return local.day_number;
    int64_t days = (int64_t)local.day_number + THURSDAY;
    return days >= 0 ? days / WEEK : -((WEEK - 1 - days) / WEEK);
}

static struct window calendar(enum policy_window window, const struct zone *zone, int64_t quarter)
{
    int64_t period = period_of(window, zone, quarter);
    int64_t before = quarter - WINDOW_QUARTERS_KEPT, from = quarter; /* of another, of this one */
    while (from - before > 1) {
        int64_t middle = before + (from - before) / 2;
        if (period_of(window, zone, middle) == period)
            from = middle;
        else
            before = middle;
    }
    int64_t last = quarter, until = quarter + WINDOW_QUARTERS_KEPT;
    while (until - last > 1) {
        int64_t middle = last + (until - last) / 2;
        if (period_of(window, zone, middle) == period)
            last = middle;
        else
            until = middle;
    }
    return (struct window){.from = from, .until = until};
}

static struct window rolling(int64_t quarter, int64_t length, int64_t step)
{
    int64_t begun = quarter - ((quarter % step) + step) % step;
    return (struct window){.from = begun - length, .until = begun + step};
}

unsigned window_days(enum policy_window window)
{
    static const unsigned days[] = {1, 7, 31, 1, 7, 30, 0};
    return days[window];
}

const char *window_phrase(enum policy_window window)
{
    static const char *const phrases[] = {
        "subjects per day",   "subjects per week",   "subjects per month", "subjects in 24 hours",
        "subjects in 7 days", "subjects in 30 days", "subjects in total"};
    return phrases[window];
}

struct window window_at(enum policy_window window, const struct zone *zone, int64_t quarter)
{
    enum { QUARTER = 1, HOUR = 4 };
    switch (window) {
    case POLICY_PER_24H:
        return rolling(quarter, WINDOW_QUARTERS_A_DAY, QUARTER);
    case POLICY_PER_7D:
    case POLICY_PER_30D:
        return rolling(quarter, (int64_t)window_days(window) * WINDOW_QUARTERS_A_DAY, HOUR);
    case POLICY_EVER:
        return (struct window){.from = INT64_MIN, .until = INT64_MAX};
    default:
        return calendar(window, zone, quarter);
    }
}

/* See history.h. */
#include "watch/history.h"

#include <string.h>

static const int64_t SECOND_NS = 1000000000, MINUTE_NS = 60 * SECOND_NS,
                     QUARTER_NS = 15 * MINUTE_NS, WEEK_NS = 7 * 96 * QUARTER_NS;
enum { DAY_QUARTERS = 96, WEEK_MINUTES = 7 * 24 * 60, HOUR_MINUTES = 60 };

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

int32_t history_day_of(int64_t time_ns)
{
    return (int32_t)floor_divide(time_ns, DAY_QUARTERS * QUARTER_NS);
}

static size_t place(int64_t number, int64_t modulus)
{
    return (size_t)(number - floor_divide(number, modulus) * modulus);
}

void history_init(struct history *history)
{
    memset(history, 0, sizeof *history);
    for (size_t i = 0; i < HISTORY_DAYS; i++)
        history->days[i].number = INT32_MIN;
    history->first_ns = INT64_MAX;
    history->newest_quarter = INT64_MIN;
}

/* ---- days ---- */

/* The day's place; what was there of an older or, after the clock went back, newer day goes. */
static struct history_day *day_of(struct history *history, int32_t number, bool *fresh)
{
    struct history_day *day = &history->days[place(number, HISTORY_DAYS)];
    *fresh = day->number != number;
    if (*fresh)
        *day = (struct history_day){.number = number};
    return day;
}

void history_note(struct history *history, int32_t number, enum policy_anomaly rate,
                  uint64_t figure)
{
    bool fresh;
    struct history_day *day = day_of(history, number, &fresh);
    if (figure > day->greatest[rate])
        day->greatest[rate] = figure;
}

const struct history_greatest *history_greatest(struct history *history, int32_t day, uint32_t days)
{
    struct history_greatest *greatest = &history->greatest;
    if (greatest->days == days && greatest->day == day)
        return greatest;
    *greatest = (struct history_greatest){.day = day, .days = days};
    for (size_t i = 0; i < HISTORY_DAYS; i++) {
        const struct history_day *past = &history->days[i];
        if (past->number >= day || past->number < day - (int32_t)days)
            continue;
        for (size_t rate = 0; rate < POLICY_ANOMALY_RATES; rate++) {
            if (past->greatest[rate] <= greatest->figure[rate])
                continue;
            greatest->figure[rate] = past->greatest[rate];
            greatest->on[rate] = past->number;
        }
    }
    return greatest;
}

uint32_t history_days_before(const struct history *history, int32_t day)
{
    bool today = history->days[place(day, HISTORY_DAYS)].number == day;
    return history->worked_days - (today ? 1 : 0);
}

/* ---- quarters ---- */

static void put(struct history *history, int64_t quarter, bool worked)
{
    size_t at = place(quarter, HISTORY_QUARTERS);
    uint64_t bit = (uint64_t)1 << (at % 64);
    history->worked[at / 64] =
        worked ? history->worked[at / 64] | bit : history->worked[at / 64] & ~bit;
}

static bool is_kept(const struct history *history, int64_t quarter)
{
    return history->newest_quarter != INT64_MIN && quarter <= history->newest_quarter &&
           quarter > history->newest_quarter - HISTORY_QUARTERS;
}

static bool was_worked(const struct history *history, int64_t quarter)
{
    size_t at = place(quarter, HISTORY_QUARTERS);
    return is_kept(history, quarter) && (history->worked[at / 64] >> (at % 64) & 1) != 0;
}

/* Makes room up to that quarter. */
static void turn(struct history *history, int64_t quarter)
{
    if (history->newest_quarter == INT64_MIN ||
        quarter - history->newest_quarter >= HISTORY_QUARTERS) {
        memset(history->worked, 0, sizeof history->worked);
    } else {
        for (int64_t at = history->newest_quarter + 1; at <= quarter; at++)
            put(history, at, false);
    }
    history->newest_quarter = quarter;
}

bool history_work(struct history *history, int64_t time_ns)
{
    int64_t quarter = floor_divide(time_ns, QUARTER_NS);
    bool fresh;
    if (time_ns < history->first_ns)
        history->first_ns = time_ns;
    day_of(history, history_day_of(time_ns), &fresh);
    history->worked_days += fresh;
    if (quarter > history->newest_quarter)
        turn(history, quarter);
    if (was_worked(history, quarter) || !is_kept(history, quarter))
        return false;
    put(history, quarter, true);
    return true;
}

uint32_t history_quarters(const struct history *history)
{
    uint32_t count = 0;
    for (size_t i = 0; i < HISTORY_QUARTERS / 64; i++)
        count += (uint32_t)__builtin_popcountll(history->worked[i]);
    return count;
}

/* ---- hours of the week ---- */

static int64_t minute_of_week(const struct zone *zone, int64_t time_ns)
{
    struct zone_time local = zone_local(zone, time_ns);
    return ((local.weekday - 1) * 24 + local.hour) * HOUR_MINUTES + local.minute;
}

/* The instant that many weeks before at which the clocks showed what they show now: daylight saving
 * may have begun or ended in between. */
static int64_t weeks_before(const struct zone *zone, int64_t time_ns, int64_t minute, int weeks)
{
    int64_t then_ns = time_ns - weeks * WEEK_NS;
    int64_t shift = minute - minute_of_week(zone, then_ns);
    if (shift > WEEK_MINUTES / 2)
        shift -= WEEK_MINUTES;
    if (shift < -WEEK_MINUTES / 2)
        shift += WEEK_MINUTES;
    return then_ns + shift * MINUTE_NS;
}

bool history_hour_is_new(const struct history *history, const struct zone *zone, int64_t time_ns)
{
    time_ns = floor_divide(time_ns, MINUTE_NS) * MINUTE_NS;
    int64_t minute = minute_of_week(zone, time_ns);
    for (int weeks = 1; weeks <= HISTORY_WEEKS; weeks++) {
        int64_t then_ns = weeks_before(zone, time_ns, minute, weeks);
        int64_t from_ns = then_ns - (minute % HOUR_MINUTES + HOUR_MINUTES) * MINUTE_NS;
        int64_t first = floor_divide(from_ns, QUARTER_NS);
        int64_t last = floor_divide(from_ns + 3 * HOUR_MINUTES * MINUTE_NS - 1, QUARTER_NS);
        for (int64_t quarter = first; quarter <= last; quarter++)
            if (was_worked(history, quarter))
                return false;
    }
    return true;
}

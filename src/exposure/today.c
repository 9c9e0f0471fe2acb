/* Quarters are few and come nearly in order: they stand in an array, and are looked for from its
 * end. */
#include "exposure/today.h"

#include <stdbool.h>
#include <string.h>

#include "base/check.h"

static bool is_today(const struct today *today, int64_t quarter)
{
    return quarter >= today->from && quarter < today->until;
}

void today_turn(struct today *today, int64_t from, int64_t until)
{
    if (from == today->from && until == today->until)
        return;
    today->from = from;
    today->until = until;
    today->probes = today->errors = 0;
    for (size_t i = 0; i < today->quarter_count; i++) {
        const struct today_quarter *quarter = &today->quarters[i];
        if (!is_today(today, quarter->number))
            continue;
        today->probes += quarter->probes;
        today->errors += quarter->errors;
    }
}

/* The quarter of that number, made where new; NULL for one too old to matter. */
static struct today_quarter *quarter_at(struct today *today, int64_t number)
{
    size_t at = today->quarter_count, stale = 0;
    while (at > 0 && today->quarters[at - 1].number >= number)
        at--;
    if (at < today->quarter_count && today->quarters[at].number == number)
        return &today->quarters[at];
    if (at < today->quarter_count &&
        number <= today->quarters[today->quarter_count - 1].number - TODAY_QUARTERS)
        return NULL;
    while (stale < at && today->quarters[stale].number <= number - TODAY_QUARTERS)
        stale++;
    today->quarter_count -= stale;
    memmove(today->quarters, today->quarters + stale,
            today->quarter_count * sizeof today->quarters[0]);
    at -= stale;
    CHECK(today->quarter_count < TODAY_QUARTERS);
    memmove(today->quarters + at + 1, today->quarters + at,
            (today->quarter_count - at) * sizeof today->quarters[0]);
    today->quarters[at] = (struct today_quarter){.number = number};
    today->quarter_count++;
    return &today->quarters[at];
}

void today_count(struct today *today, int64_t quarter, uint64_t probes, uint64_t errors)
{
    struct today_quarter *counted = quarter_at(today, quarter);
    if (counted != NULL) {
        counted->probes += probes;
        counted->errors += errors;
    }
    if (is_today(today, quarter)) {
        today->probes += probes;
        today->errors += errors;
    }
}

/* The time over which a limit counts distinct people, in quarters of an hour since 1970: every
 * zone's offset is a multiple of one (since 1972), so each local day is a run of them.
 * Rolling windows begin at the end of a quarter (24h) or an hour (7d, 30d), never later than the
 * exact instant: what is counted is at least what the limit says. No state, any thread. */
#ifndef COFFERDAM_EXPOSURE_WINDOWS_H
#define COFFERDAM_EXPOSURE_WINDOWS_H

#include <stdint.h>

#include "policy/policy.h"

enum {
    WINDOW_QUARTERS_A_DAY = 96,
    /* The longest look back: a month of 31 days in whatever zone, one hour longer in autumn. */
    WINDOW_QUARTERS_KEPT = 33 * WINDOW_QUARTERS_A_DAY,
};

/* from: the first quarter that counts, INT64_MIN for ever. until: the first quarter in which the
 * window is another one; INT64_MAX: never. */
struct window {
    int64_t from, until;
};
struct window window_at(enum policy_window window, const struct zone *zone, int64_t quarter);
int64_t window_quarter(int64_t time_ns);
int64_t window_instant(int64_t quarter); /* its beginning, ns */
/* Days that the window lasts, about; 0: no end. */
unsigned window_days(enum policy_window window);
/* "subjects per day", "subjects in 24 hours": for people. */
const char *window_phrase(enum policy_window window);

#endif

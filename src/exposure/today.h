/* Probes and errors of a partner's day, counted by quarter of an hour, so that the day of another
 * zone can be reckoned from the same counts. Private to exposure/. Whoever owns it locks it. */
#ifndef COFFERDAM_EXPOSURE_TODAY_H
#define COFFERDAM_EXPOSURE_TODAY_H

#include <stddef.h>
#include <stdint.h>

enum { TODAY_QUARTERS = 26 * 4 }; /* the longest local day has 25 hours */

struct today_quarter {
    int64_t number; /* since 1970 */
    uint64_t probes, errors;
};

/* All zero: nothing counted, and the day not known yet. */
struct today {
    int64_t from, until; /* quarters of the day, half open; equal: not known yet */
    uint64_t probes, errors;
    struct today_quarter quarters[TODAY_QUARTERS]; /* ascending */
    size_t quarter_count;
};

/* The day is [from, until) now; no change where it was. */
void today_turn(struct today *today, int64_t from, int64_t until);
/* Counts in that quarter, whether or not it is of the day; what is too old to matter is left. */
void today_count(struct today *today, int64_t quarter, uint64_t probes, uint64_t errors);

#endif

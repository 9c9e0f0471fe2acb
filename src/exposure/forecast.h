/* When a limit is used up at the pace of the last days. The pace, in people a day:
 * - of day and 24h: distinct people of the last 24 hours;
 * - of longer windows: distinct people of the last seven days over seven, or over the days since
 *   the earliest of them if nobody was known before;
 * - of ever: people new to each agent, purpose and column set in those days, which is no less than
 *   the people new to the partner, over the same.
 * No state; the owner of the gauge locks. */
#ifndef COFFERDAM_EXPOSURE_FORECAST_H
#define COFFERDAM_EXPOSURE_FORECAST_H

#include "exposure/gauge.h"

double forecast_pace(struct gauge *gauge, const struct gauge_texts *texts,
                     const struct series_list *list, int64_t quarter);
/* The instant at which `bound` is reached; INT64_MAX: not at this pace, since a window of the
 * calendar ends before, or as many leave a rolling one as come. now_ns where it is used up. */
int64_t forecast_end(const struct gauge *gauge, uint64_t bound, double pace, int64_t now_ns);

#endif

/* History: what an agent did before, as far as bounds are made of it: by day (UTC) the greatest
 * hour of each rate, and in which quarters of an hour it was at work. Quarters, because every
 * zone's offset is a multiple of one: so the local hours of any zone can be asked for later.
 * The owner locks. No memory of its own. */
#ifndef COFFERDAM_WATCH_HISTORY_H
#define COFFERDAM_WATCH_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "policy/policy.h"

enum {
    HISTORY_DAYS = POLICY_ANOMALY_DAYS_MOST + 1, /* and today */
    HISTORY_WEEKS = 13,
    HISTORY_QUARTERS = HISTORY_DAYS * 96,
};

struct history_day {
    int32_t number; /* since 1970 */
    uint64_t greatest[POLICY_ANOMALY_RATES];
};

/* The greatest hour of some days before a day, and on which of them it was. */
struct history_greatest {
    int32_t day;
    uint32_t days; /* 0: not reckoned */
    uint64_t figure[POLICY_ANOMALY_RATES];
    int32_t on[POLICY_ANOMALY_RATES];
};

struct history {
    struct history_day days[HISTORY_DAYS]; /* by number modulo HISTORY_DAYS */
    uint32_t worked_days;                  /* on which there was anything, today included */
    int64_t first_ns;                      /* INT64_MAX: nothing yet */
    uint64_t worked[HISTORY_QUARTERS / 64];
    int64_t newest_quarter; /* INT64_MIN: none */
    struct history_greatest greatest;
};

void history_init(struct history *history);
/* The agent is at work. False where it was, in this quarter, already. */
bool history_work(struct history *history, int64_t time_ns);
/* A figure of an hour of that day. */
void history_note(struct history *history, int32_t day, enum policy_anomaly rate, uint64_t figure);
/* Borrowed until the next call. */
const struct history_greatest *history_greatest(struct history *history, int32_t day,
                                                uint32_t days);
/* Days of work before that day. */
uint32_t history_days_before(const struct history *history, int32_t day);
/* Was nothing done in this local hour of the week, nor in the one before or after it, in any of the
 * last HISTORY_WEEKS weeks? zone NULL: UTC. */
bool history_hour_is_new(const struct history *history, const struct zone *zone, int64_t time_ns);
/* Quarters of an hour at work, in all that is kept. */
uint32_t history_quarters(const struct history *history);

int32_t history_day_of(int64_t time_ns);

#endif

/* Time. Wall-clock instants are nanoseconds since 1970 UTC; durations are in the unit the name
 * says. Zones are IANA names, read from the system's tz database. Any thread. */
#ifndef COFFERDAM_BASE_CLOCK_H
#define COFFERDAM_BASE_CLOCK_H

#include <stdint.h>

#include "base/status.h"

int64_t clock_now_ns(void);       /* CLOCK_REALTIME */
int64_t clock_monotonic_ns(void); /* CLOCK_MONOTONIC */

/* A line: how far the wall clock is ahead of the monotonic one, at least `earlier`, another line
 * (INT64_MIN: none). Time by a line is the wall clock's, but never less than what has passed since
 * the line was drawn: who sets the clock back prolongs nothing. */
int64_t clock_line(int64_t earlier);
int64_t clock_by_line_ns(int64_t line);

/* "2026-11-22T11:18:48Z" into room for at least 21 bytes. */
void clock_format_utc(int64_t time_ns, char text[static 21]);
/* A span of whole minutes as people type it, in its greatest even unit: "90m", "8h", "2d". */
void clock_format_span(int64_t span_ns, char text[static 21]);

/* RFC 3339 instant ("2026-11-22T11:18:48Z", with offset, or a bare date = midnight UTC) to ns.
 * STATUS_INVALID otherwise. */
MUST_USE enum status clock_parse(const char *text, int64_t *time_ns, struct error *error);

struct zone; /* immutable once opened; owned */

/* name such as "Europe/London"; STATUS_INVALID for an unknown one. */
MUST_USE enum status zone_open(const char *name, struct zone **zone, struct error *error);
void zone_free(struct zone *zone);

struct zone_time {
    int year, month, day; /* 2026, 1-12, 1-31 */
    int weekday;          /* 1 Monday … 7 Sunday (ISO 8601) */
    int hour, minute, second;
    int32_t day_number; /* days since 1970-01-01 of the local calendar date */
};

/* The local calendar time in zone (NULL: UTC) at an instant, daylight saving applied. */
struct zone_time zone_local(const struct zone *zone, int64_t time_ns);

#endif

/* Clocks, and calendar time through GLib's time zones. */
#include "base/clock.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct zone {
    GTimeZone *tz;
};

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_now_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void clock_format_utc(int64_t time_ns, char text[static 21])
{
    time_t seconds = (time_t)(time_ns / 1000000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    if (strftime(text, 21, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        text[0] = '\0';
}

enum status clock_parse(const char *text, int64_t *time_ns, struct error *error)
{
    char full[40];
    bool bare_date = strlen(text) == 10 && text[4] == '-' && text[7] == '-';
    snprintf(full, sizeof full, bare_date ? "%sT00:00:00Z" : "%s", text);
    GTimeZone *utc = g_time_zone_new_utc();
    GDateTime *parsed = g_date_time_new_from_iso8601(full, utc);
    g_time_zone_unref(utc);
    if (parsed == NULL)
        return error_set(error, STATUS_INVALID, "22007",
                         "write 2026-11-22, 2026-11-22T09:30:00Z or …+01:00",
                         "not a date or an instant");
    *time_ns = g_date_time_to_unix(parsed) * 1000000000 +
               (int64_t)g_date_time_get_microsecond(parsed) * 1000;
    g_date_time_unref(parsed);
    return STATUS_OK;
}

enum status zone_open(const char *name, struct zone **zone, struct error *error)
{
    GTimeZone *tz = g_time_zone_new_identifier(name);
    if (tz == NULL)
        return error_set(error, STATUS_INVALID, "22023",
                         "use a name of the tz database, such as Europe/London",
                         "time zone \"%.60s\" is not known", name);
    struct zone *made = malloc(sizeof *made);
    if (made == NULL) {
        g_time_zone_unref(tz);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    made->tz = tz;
    *zone = made;
    return STATUS_OK;
}

void zone_free(struct zone *zone)
{
    if (zone == NULL)
        return;
    g_time_zone_unref(zone->tz);
    free(zone);
}

struct zone_time zone_local(const struct zone *zone, int64_t time_ns)
{
    int64_t seconds = time_ns / 1000000000;
    if (zone != NULL) {
        int interval = g_time_zone_find_interval(zone->tz, G_TIME_TYPE_UNIVERSAL, seconds);
        if (interval >= 0)
            seconds += g_time_zone_get_offset(zone->tz, interval);
    }
    time_t local = (time_t)seconds;
    struct tm tm;
    gmtime_r(&local, &tm);
    int64_t day = seconds >= 0 ? seconds / 86400 : -((-seconds + 86399) / 86400);
    return (struct zone_time){.year = tm.tm_year + 1900,
                              .month = tm.tm_mon + 1,
                              .day = tm.tm_mday,
                              .weekday = tm.tm_wday == 0 ? 7 : tm.tm_wday,
                              .hour = tm.tm_hour,
                              .minute = tm.tm_min,
                              .second = tm.tm_sec,
                              .day_number = (int32_t)day};
}

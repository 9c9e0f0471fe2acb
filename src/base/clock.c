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

int64_t clock_line(int64_t earlier)
{
    int64_t ahead = clock_now_ns() - clock_monotonic_ns();
    return ahead > earlier ? ahead : earlier;
}

int64_t clock_by_line_ns(int64_t line)
{
    return clock_line(line) + clock_monotonic_ns();
}

/* Whole seconds at or before the instant, before 1970 too. */
static int64_t floor_seconds(int64_t time_ns)
{
    int64_t seconds = time_ns / 1000000000;
    return time_ns % 1000000000 < 0 ? seconds - 1 : seconds;
}

void clock_format_utc(int64_t time_ns, char text[static 21])
{
    time_t seconds = (time_t)floor_seconds(time_ns);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    if (strftime(text, 21, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        text[0] = '\0';
}

void clock_format_span(int64_t span_ns, char text[static 21])
{
    int64_t minutes = span_ns / INT64_C(60000000000);
    bool days = minutes > 0 && minutes % 1440 == 0, hours = minutes > 0 && minutes % 60 == 0;
    snprintf(text, 21, "%lld%c",
             (long long)(minutes / (days    ? 1440
                                    : hours ? 60
                                            : 1)),
             days    ? 'd'
             : hours ? 'h'
                     : 'm');
}

/* GLib reads more of ISO 8601 than RFC 3339 allows (week dates, no separators, no offset): accept
 * only YYYY-MM-DDTHH:MM:SS[.fraction](Z|+HH:MM|-HH:MM). */
static bool is_rfc3339(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    size_t at = 0;
    for (; form[at] != '\0'; at++)
        if (form[at] == 'd' ? !g_ascii_isdigit(text[at]) : g_ascii_toupper(text[at]) != form[at])
            return false;
    if (text[at] == '.')
        for (at++; g_ascii_isdigit(text[at]);)
            at++;
    if (text[at] == 'Z' || text[at] == 'z')
        return text[at + 1] == '\0';
    if (text[at] != '+' && text[at] != '-')
        return false;
    return g_ascii_isdigit(text[at + 1]) && g_ascii_isdigit(text[at + 2]) && text[at + 3] == ':' &&
           g_ascii_isdigit(text[at + 4]) && g_ascii_isdigit(text[at + 5]) && text[at + 6] == '\0';
}

enum status clock_parse(const char *text, int64_t *time_ns, struct error *error)
{
    char full[48];
    bool bare_date = strlen(text) == 10;
    int len = snprintf(full, sizeof full, bare_date ? "%sT00:00:00Z" : "%s", text);
    GDateTime *parsed = NULL;
    if (len > 0 && (size_t)len < sizeof full && is_rfc3339(full))
        parsed = g_date_time_new_from_iso8601(full, NULL);
    if (parsed == NULL)
        return error_set(error, STATUS_INVALID, "22007",
                         "write 2026-11-22, 2026-11-22T09:30:00Z or …+01:00",
                         "not a date or an instant");
    int64_t seconds = g_date_time_to_unix(parsed);
    int64_t fraction_ns = (int64_t)g_date_time_get_microsecond(parsed) * 1000;
    g_date_time_unref(parsed);
    if (seconds >= INT64_MAX / 1000000000 || seconds <= INT64_MIN / 1000000000)
        return error_set(error, STATUS_INVALID, "22008", "leave the bound out to mean for ever",
                         "the instant is not between the years 1678 and 2261");
    *time_ns = seconds * 1000000000 + fraction_ns;
    return STATUS_OK;
}

/* Is it a name of the tz database? GLib alone would also take offsets and POSIX rules, and leaks a
 * few bytes (2.74) for a name it does not know. */
static bool is_zone_name(const char *name)
{
    const char *folder = getenv("TZDIR");
    char path[512];
    int len =
        snprintf(path, sizeof path, "%s/%s", folder == NULL ? "/usr/share/zoneinfo" : folder, name);
    if (len < 0 || (size_t)len >= sizeof path || strstr(name, "..") != NULL || name[0] == '/')
        return false;
    return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

enum status zone_open(const char *name, struct zone **zone, struct error *error)
{
    GTimeZone *tz = is_zone_name(name) ? g_time_zone_new_identifier(name) : NULL;
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
    int64_t seconds = floor_seconds(time_ns);
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

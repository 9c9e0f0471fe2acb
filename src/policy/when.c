/* Dates, zones and working hours as people write them in a policy. */
#include "policy/loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const int64_t day_ns = 86400LL * 1000000000;

/* YYYY-MM-DD, alone or followed by T: the other forms of ISO 8601 (weeks, ordinals) are refused,
 * and years beyond what 64 bits of nanoseconds hold. */
static bool looks_like_instant(const char *text)
{
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof form - 1; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == 'd' ? !digit : text[i] != form[i])
            return false;
    }
    return (text[10] == '\0' || text[10] == 'T') && strncmp(text, "1970", 4) >= 0 &&
           strncmp(text, "2261", 4) <= 0;
}

int64_t load_instant(struct loader *loader, struct fy_node *node, bool whole_day)
{
    struct yaml *yaml = &loader->yaml;
    const char *text = yaml_text(yaml, node);
    int64_t instant = 0;
    if (yaml_failed(yaml))
        return 0;
    if (!looks_like_instant(text) || clock_parse(text, &instant, NULL) != STATUS_OK) {
        yaml_fail(yaml, node, "write 2026-11-22, or 2026-11-22T09:30:00Z",
                  "\"%.40s\" is not a date between 1970 and 2261", text);
        return 0;
    }
    return whole_day && text[10] == '\0' ? instant + day_ns : instant;
}

int64_t load_duration(struct yaml *yaml, struct fy_node *node, int most_days)
{
    static const int64_t second_ns = 1000000000;
    enum { DIGITS = 6, LEAST_S = 60, DAY_S = 86400 };
    const char *text = yaml_text(yaml, node);
    size_t digits = strspn(text, "0123456789");
    int64_t unit_s = text[digits] == 'm'   ? 60
                     : text[digits] == 'h' ? 3600
                     : text[digits] == 'd' ? DAY_S
                                           : 0;
    int64_t seconds = digits == 0 || digits > DIGITS ? 0 : strtol(text, NULL, 10) * unit_s;
    if (unit_s == 0 || text[digits + 1] != '\0' || seconds < LEAST_S ||
        seconds > (int64_t)most_days * DAY_S) {
        yaml_fail(yaml, node, "as in 90m, 8h or 2d", "\"%.40s\" is no time from 1m to %dd", text,
                  most_days);
        return 0;
    }
    return seconds * second_ns;
}

void load_valid(struct loader *loader, struct fy_node *node, int64_t *from_ns, int64_t *until_ns)
{
    static const char *const keys[] = {"from", "until", NULL};
    struct yaml *yaml = &loader->yaml;
    *from_ns = INT64_MIN;
    *until_ns = INT64_MAX;
    if (node == NULL)
        return;
    yaml_keys(yaml, node, keys);
    struct fy_node *from = yaml_get(yaml, node, "from"), *until = yaml_get(yaml, node, "until");
    if (from != NULL)
        *from_ns = load_instant(loader, from, false);
    if (until != NULL)
        *until_ns = load_instant(loader, until, true);
    if (*from_ns >= *until_ns)
        yaml_fail(yaml, node, NULL, "ends before it begins");
}

const struct zone *load_zone(struct loader *loader, struct fy_node *node, const char *name)
{
    for (struct owned_zone *known = loader->owned->zones; known != NULL; known = known->next)
        if (strcmp(known->name, name) == 0)
            return known->zone;
    struct owned_zone *opened = yaml_array(&loader->yaml, struct owned_zone, 1);
    if (opened == NULL)
        return NULL;
    struct error error;
    opened->name = name;
    if (zone_open(name, &opened->zone, &error) != STATUS_OK) {
        yaml_fail(&loader->yaml, node, error.hint, "%s", error.message);
        return NULL;
    }
    opened->next = loader->owned->zones;
    loader->owned->zones = opened;
    return opened->zone;
}

/* ---- hours: [days] HH:MM-HH:MM [zone] ---- */

static int day_number(const char *text, size_t len)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    for (int day = 0; day < 7; day++)
        if (len == 3 && strncasecmp(text, names[day], 3) == 0)
            return day;
    return -1;
}

/* "Mon", "Mon-Fri", "Sat-Mon": adds to *days. */
static bool add_days(const char *text, size_t len, uint8_t *days)
{
    const char *dash = memchr(text, '-', len);
    size_t first_len = dash == NULL ? len : (size_t)(dash - text);
    int first = day_number(text, first_len);
    int last = dash == NULL ? first : day_number(dash + 1, len - first_len - 1);
    if (first < 0 || last < 0)
        return false;
    for (int day = first;; day = (day + 1) % 7) {
        *days |= (uint8_t)(1u << day);
        if (day == last)
            return true;
    }
}

/* Days and ranges of days between commas. */
static bool parse_days(const char *text, uint8_t *days)
{
    *days = 0;
    for (;;) {
        size_t len = strcspn(text, ",");
        if (!add_days(text, len, days))
            return false;
        if (text[len] == '\0')
            return true;
        text += len + 1;
    }
}

static bool parse_minute(const char *text, uint16_t *minute)
{
    for (int i = 0; i < 5; i++)
        if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
            return false;
    int hour = (text[0] - '0') * 10 + text[1] - '0';
    int within = (text[3] - '0') * 10 + text[4] - '0';
    if (within > 59 || hour * 60 + within > 24 * 60)
        return false;
    *minute = (uint16_t)(hour * 60 + within);
    return true;
}

static bool parse_span(const char *text, struct policy_hours *hours)
{
    return strlen(text) == 11 && text[5] == '-' && parse_minute(text, &hours->from_minute) &&
           parse_minute(text + 6, &hours->until_minute);
}

/* Splits at blanks into at most three words; their number, 0 if there are more. */
static int split(const char *text, char words[3][64])
{
    int count = 0;
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");
        if (count == 3 || len >= sizeof words[0])
            return 0;
        memcpy(words[count], text, len);
        words[count++][len] = '\0';
        text += len;
    }
    return count;
}

void load_hours(struct loader *loader, struct fy_node *node, struct policy_hours *hours)
{
    static const char form[] =
        "write \"Mon-Fri 07:00-19:00 Europe/London\"; the days (all) and the "
        "zone (UTC) may be left out";
    struct yaml *yaml = &loader->yaml;
    struct policy_hours read = {.days = 0x7f, .text = yaml_text(yaml, node)};
    char words[3][64];
    int count = split(read.text, words), at = 0;
    if (yaml_failed(yaml))
        return;
    if (count > 1 && parse_days(words[0], &read.days))
        at = 1;
    else
        read.days = 0x7f;
    if (at >= count || !parse_span(words[at], &read) || count - at > 2) {
        yaml_fail(yaml, node, form, "\"%.80s\" are not working hours", read.text);
        return;
    }
    if (read.from_minute >= read.until_minute)
        yaml_fail(yaml, node, "for a night write two: [\"22:00-24:00\", \"00:00-06:00\"]",
                  "\"%.80s\" end before they begin", read.text);
    if (count - at == 2 && strcmp(words[at + 1], "UTC") != 0)
        read.zone = load_zone(loader, node, yaml_printf(yaml, "%s", words[at + 1]));
    *hours = read;
}

/* Texts with names in braces filled in, and dates, which are such texts. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "policy/words.h"

enum { NUMBER_ROOM = 12 };

void words_fill(struct buffer *out, const char *text, const char *const *names,
                const char *const *values)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "{");
        buffer_append(out, text, len);
        text += len;
        size_t name = *text == '{' ? strcspn(text + 1, "}") : 0, at = 0;
        while (*text == '{' && names[at] != NULL &&
               (strlen(names[at]) != name || memcmp(names[at], text + 1, name) != 0))
            at++;
        if (*text == '\0')
            return;
        if (names[at] != NULL && text[name + 1] == '}') {
            buffer_append_text(out, values[at]);
            text += name + 2;
        } else {
            buffer_append_u8(out, (uint8_t)*text++);
        }
    }
}

enum status words_date(const struct words *words, int64_t time_ns, struct buffer *out,
                       struct error *error)
{
    static const char *const names[] = {"day", "month", "year", NULL};
    char month_key[NUMBER_ROOM], day[NUMBER_ROOM], year[NUMBER_ROOM];
    const char *zone_name = words_get(words, "dates", "zone");
    const char *form = words_get(words, "dates", "form");
    const char *first = words_get(words, "dates", "first");
    struct zone *zone = NULL;
    if (zone_name != NULL)
        TRY(zone_open(zone_name, &zone, error));
    struct zone_time local = zone_local(zone, time_ns);
    zone_free(zone);
    snprintf(month_key, sizeof month_key, "%d", local.month);
    snprintf(day, sizeof day, "%d", local.day);
    snprintf(year, sizeof year, "%d", local.year);
    const char *month = words_get(words, "months", month_key);
    if (month == NULL || form == NULL)
        return error_set(error, STATUS_INVALID, "F0000", "fill in its sections dates and months",
                         "the words do not say how a date is written");
    const char *const values[] = {local.day == 1 && first != NULL ? first : day, month, year};
    words_fill(out, form, names, values);
    return STATUS_OK;
}

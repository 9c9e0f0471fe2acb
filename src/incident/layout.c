/* Numbers, dates and lines. */
#include "incident/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { NS_PER_S = 1000000000 };

static bool continues_character(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

static size_t characters_in(const char *text, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += !continues_character(text[i]);
    return count;
}

size_t layout_characters(const char *text)
{
    return characters_in(text, strlen(text));
}

static void append_indent(size_t indent, struct buffer *out)
{
    for (size_t i = 0; i < indent; i++)
        buffer_append_text(out, " ");
}

static void wrap_line(const char *line, size_t len, size_t indent, size_t columns,
                      struct buffer *out)
{
    size_t used = 0;
    for (size_t at = 0; at < len;) {
        at += strspn(line + at, " ");
        size_t word = at < len ? strcspn(line + at, " \n") : 0;
        if (word == 0)
            break;
        size_t width = characters_in(line + at, word);
        if (used > 0 && indent + used + 1 + width > columns) {
            buffer_append_text(out, "\n");
            used = 0;
        }
        if (used > 0)
            buffer_append_text(out, " ");
        else
            append_indent(indent, out);
        buffer_append(out, line + at, word);
        used += width + (used > 0);
        at += word;
    }
    buffer_append_text(out, "\n");
}

void layout_wrap(const char *text, size_t indent, size_t columns, struct buffer *out)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        wrap_line(text, len, indent, columns, out);
        text += len + (text[len] == '\n');
    }
}

const char *layout_number(uint64_t number, const char *separator, struct arena *arena)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, number);
    struct buffer text;
    buffer_init(&text, 256);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            buffer_append_text(&text, separator);
        buffer_append(&text, &digits[i], 1);
    }
    const char *copy = arena_copy(arena, (const char *)text.data, text.len);
    buffer_free(&text);
    return copy;
}

const char *layout_instant(int64_t time_ns, struct arena *arena)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    if (time_ns == INT64_MIN)
        return "not known";
    struct zone_time time = zone_local(NULL, time_ns);
    return arena_printf(arena, "%d %s %d, %02d:%02d UTC", time.day, months[time.month - 1],
                        time.year, time.hour, time.minute);
}

const char *layout_duration(int64_t duration_ns, struct arena *arena)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    enum { UNITS = sizeof units / sizeof units[0] };
    int64_t seconds = duration_ns / NS_PER_S;
    for (size_t i = 0; i < UNITS; i++) {
        int64_t first = seconds / units[i].seconds;
        if (first == 0)
            continue;
        int64_t second = i + 1 < UNITS ? seconds % units[i].seconds / units[i + 1].seconds : 0;
        const char *text =
            arena_printf(arena, "%" PRId64 " %s%s", first, units[i].name, first == 1 ? "" : "s");
        return second == 0 ? text
                           : arena_printf(arena, "%s %" PRId64 " %s%s", text, second,
                                          units[i + 1].name, second == 1 ? "" : "s");
    }
    return "less than a second";
}

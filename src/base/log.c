/* One write(2) a line, so that lines of several threads never mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Atomic enum log_level minimum = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&minimum, level);
}

enum { TEXT_BYTES = 800, FORMAT_BYTES = 400, MOST_QUOTES = 32 };

/* Where the format's own quotes stand in the text that it makes. A prefix of a format takes the
 * same arguments as the whole, so its length tells. */
static size_t find_quotes(const char *format, va_list args, size_t at[static MOST_QUOTES])
{
    size_t count = 0;
    char prefix[FORMAT_BYTES];
    for (const char *quote = strchr(format, '"');
         quote != NULL && count < MOST_QUOTES && quote < format + sizeof prefix;
         quote = strchr(quote + 1, '"')) {
        va_list again;
        memcpy(prefix, format, (size_t)(quote - format));
        prefix[quote - format] = '\0';
        va_copy(again, args);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        int len = vsnprintf(NULL, 0, prefix, again);
#pragma GCC diagnostic pop
        va_end(again);
        at[count++] = len < 0 ? SIZE_MAX : (size_t)len;
    }
    return count;
}

/* A peer's name must not end its value, nor start a line of its own: quotes and backslashes in
 * values get a backslash, control characters become '?'. */
static void flatten(const char *text, const size_t *quotes, size_t quote_count,
                    char out[static 2 * TEXT_BYTES])
{
    size_t next = 0;
    for (size_t at = 0; text[at] != '\0'; at++) {
        bool ours = next < quote_count && quotes[next] == at;
        next += ours;
        if (!ours && (text[at] == '"' || text[at] == '\\'))
            *out++ = '\\';
        *out++ = (unsigned char)text[at] < ' ' || text[at] == 0x7f ? '?' : text[at];
    }
    *out = '\0';
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    if (level < atomic_load(&minimum))
        return;
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    char text[TEXT_BYTES], flat[2 * TEXT_BYTES], line[2 * TEXT_BYTES + 200];
    size_t quotes[MOST_QUOTES];
    va_list args;
    va_start(args, format);
    size_t quote_count = find_quotes(format, args, quotes);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    flatten(text, quotes, quote_count, flat);
    int len = snprintf(line, sizeof line - 1,
                       "time=%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ level=%s event=%s %s",
                       utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                       utc.tm_sec, now.tv_nsec / 1000000, names[level], event, flat);
    if (len < 0)
        return;
    size_t size = (size_t)len < sizeof line - 2 ? (size_t)len : sizeof line - 2;
    line[size++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, size);
    (void)ignored;
}

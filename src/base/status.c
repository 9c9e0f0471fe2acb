/* Status names and error texts. No state, any thread. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts text of `size` bytes' room so that it ends on a whole UTF-8 character. */
static void trim_partial_character(char *text, size_t size)
{
    size_t len = strnlen(text, size);
    if (len + 1 < size)
        return;
    size_t start = len;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && ((unsigned char)text[start - 1] & 0x80) != 0)
        text[start - 1] = '\0';
}

enum status error_set(struct error *error, enum status status, const char *sqlstate,
                      const char *hint, const char *format, ...)
{
    if (error == NULL)
        return status;
    error->status = status;
    snprintf(error->sqlstate, sizeof error->sqlstate, "%s", sqlstate);
    snprintf(error->hint, sizeof error->hint, "%s", hint == NULL ? "" : hint);
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    trim_partial_character(error->message, sizeof error->message);
    trim_partial_character(error->hint, sizeof error->hint);
    return status;
}

enum status error_set_errno(struct error *error, int errno_value, const char *format, ...)
{
    if (error == NULL)
        return STATUS_IO;
    va_list args;
    va_start(args, format);
    char text[sizeof error->message];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char reason[128];
    const char *name = strerror_r(errno_value, reason, sizeof reason);
    return error_set(error, STATUS_IO, "58030", NULL, "%.*s: %s", 256, text, name);
}

void error_prefix(struct error *error, const char *format, ...)
{
    if (error == NULL)
        return;
    char prefix[160], rest[sizeof error->message];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    memcpy(rest, error->message, sizeof rest);
    snprintf(error->message, sizeof error->message, "%s: %.*s", prefix,
             (int)(sizeof rest - sizeof prefix - 2), rest);
    trim_partial_character(error->message, sizeof error->message);
}

const char *status_name(enum status status)
{
    static const char *const names[] = {
        [STATUS_OK] = "ok",           [STATUS_AGAIN] = "again",     [STATUS_CLOSED] = "closed",
        [STATUS_PEER] = "peer",       [STATUS_DENIED] = "denied",   [STATUS_LIMIT] = "limit",
        [STATUS_INVALID] = "invalid", [STATUS_NOT_FOUND] = "not found",
        [STATUS_IO] = "io",           [STATUS_CORRUPT] = "corrupt", [STATUS_NOMEM] = "no memory",
    };
    if ((size_t)status >= sizeof names / sizeof names[0])
        return "unknown";
    return names[status];
}

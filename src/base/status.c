/* Status names and error texts. No state, any thread. */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Bytes of the UTF-8 character that begins with lead (RFC 3629). */
static size_t character_bytes(unsigned char lead)
{
    return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* Where text of `size` bytes' room is full, cuts a last UTF-8 character that is not whole. */
static void trim_partial_character(char *text, size_t size)
{
    size_t len = strnlen(text, size);
    if (len + 1 < size)
        return;
    size_t tail = 0;
    while (tail < len && ((unsigned char)text[len - tail - 1] & 0xC0) == 0x80)
        tail++;
    if (tail < len && character_bytes((unsigned char)text[len - tail - 1]) > tail + 1)
        text[len - tail - 1] = '\0';
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

enum status error_no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* What a person can do about it; NULL: the reason says it all. */
static const char *hint_of(int errno_value, char *room, size_t len)
{
    if (errno_value == EACCES || errno_value == EPERM) {
        snprintf(room, len,
                 "this runs as user %u, who has no right to that. Of a file `ls -ld` tells whose "
                 "it is and who may: do it as that user or as root, or give it away with chown",
                 (unsigned)geteuid());
        return room;
    }
    if (errno_value == EROFS)
        return "the file system is mounted for reading only; after errors of its disk the kernel "
               "does so by itself, and `dmesg` tells";
    if (errno_value == ENOSPC || errno_value == EDQUOT)
        return "make room: `df` and `df -i` tell how much there is";
    return NULL;
}

enum status error_set_errno(struct error *error, int errno_value, const char *format, ...)
{
    if (error == NULL)
        return STATUS_IO;
    va_list args;
    va_start(args, format);
    char text[256];
    vsnprintf(text, sizeof text, format, args); /* leaves room for the reason */
    va_end(args);
    trim_partial_character(text, sizeof text);
    char reason[128];
    const char *name = strerror_r(errno_value, reason, sizeof reason);
    char hint[256];
    return error_set(error, STATUS_IO, "58030", hint_of(errno_value, hint, sizeof hint), "%s: %s",
                     text, name);
}

void error_prefix(struct error *error, const char *format, ...)
{
    if (error == NULL)
        return;
    char prefix[160], joined[sizeof prefix + sizeof error->message + 2];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    trim_partial_character(prefix, sizeof prefix);
    snprintf(joined, sizeof joined, "%s: %s", prefix, error->message);
    memcpy(error->message, joined, sizeof error->message - 1);
    error->message[sizeof error->message - 1] = '\0';
    trim_partial_character(error->message, sizeof error->message);
}

const char *status_name(enum status status)
{
    static const char *const names[] = {
        [STATUS_OK] = "ok",           [STATUS_AGAIN] = "again",         [STATUS_CLOSED] = "closed",
        [STATUS_PEER] = "peer",       [STATUS_DENIED] = "denied",       [STATUS_LIMIT] = "limit",
        [STATUS_INVALID] = "invalid", [STATUS_NOT_FOUND] = "not found", [STATUS_IO] = "io",
        [STATUS_CORRUPT] = "corrupt", [STATUS_NOMEM] = "no memory",
    };
    if ((size_t)status >= sizeof names / sizeof names[0])
        return "unknown";
    return names[status];
}

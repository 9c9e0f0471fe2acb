/* See message.h. */
#include "http/message.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum { DAY_S = 86400, CODE_DIGITS = 3 };

static enum status put_line(struct buffer *out, const char *word, const char *text,
                            struct error *error)
{
    size_t len = strlen(text);
    if (len == 0 || len > HTTP_LINE_BYTES || !text_is_plain(slice_of(text, len)))
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a %s for HTTP is empty, longer than %d bytes or not plain text", word,
                         HTTP_LINE_BYTES);
    buffer_printf(out, "%s %s\n", word, text);
    return STATUS_OK;
}

enum status message_put_request(const struct http_request *request, struct buffer *out,
                                struct error *error)
{
    size_t count = 0;
    TRY(put_line(out, request->method == HTTP_POST ? "POST" : "GET", request->url, error));
    buffer_printf(out, "timeout %" PRIu32 "\n",
                  request->timeout_ms == 0 ? HTTP_TIMEOUT_MS : request->timeout_ms);
    if (request->ca != NULL)
        TRY(put_line(out, "ca", request->ca, error));
    for (; request->headers != NULL && request->headers[count] != NULL; count++) {
        if (count == HTTP_HEADERS_MAX)
            return error_set(error, STATUS_INVALID, "22023", NULL, "more than %d headers of HTTP",
                             HTTP_HEADERS_MAX);
        TRY(put_line(out, "header", request->headers[count], error));
    }
    buffer_append_text(out, "\n");
    buffer_append(out, request->body.data, request->body.len);
    return out->overflowed
               ? error_set(error, STATUS_LIMIT, "54000", NULL, "the request is too long")
               : STATUS_OK;
}

void message_put_answer(long code, const char *type, int64_t max_age_s, struct buffer *out)
{
    buffer_printf(out, "%03ld\n", code);
    if (type != NULL && text_is_plain(slice_of_text(type)))
        buffer_printf(out, "type %.*s\n", HTTP_TYPE_ROOM - 1, type);
    if (max_age_s >= 0)
        buffer_printf(out, "max-age %" PRId64 "\n", max_age_s);
    buffer_append_text(out, "\n");
}

/* The next line of [*at, len), terminated in place; NULL where there is no whole one. */
static char *next_line(char *bytes, size_t len, size_t *at)
{
    char *line = bytes + *at, *end = *at < len ? memchr(line, '\n', len - *at) : NULL;
    if (end == NULL || memchr(line, '\0', (size_t)(end - line)) != NULL)
        return NULL;
    *end = '\0';
    *at += (size_t)(end - line) + 1;
    return line;
}

/* What stands behind "word "; NULL where the line begins otherwise. */
static const char *behind(const char *line, const char *word)
{
    size_t len = strlen(word);
    return strncmp(line, word, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

static bool read_number(const char *text, int64_t most, int64_t *number)
{
    int64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (!isdigit((unsigned char)*text))
            return false;
        value = value * 10 + (*text - '0');
        if (value > most)
            return false;
    }
    *number = value;
    return true;
}

static bool read_field(const char *line, struct message_request *made, size_t *headers)
{
    const char *value;
    int64_t number;
    if ((value = behind(line, "timeout")) != NULL && read_number(value, DAY_S * 1000, &number))
        made->request.timeout_ms = (uint32_t)number;
    else if ((value = behind(line, "ca")) != NULL)
        made->request.ca = value;
    else if ((value = behind(line, "header")) != NULL && *headers < HTTP_HEADERS_MAX)
        made->headers[(*headers)++] = value;
    else
        return false;
    return true;
}

enum status message_read_request(char *bytes, size_t len, struct message_request *made)
{
    size_t at = 0, headers = 0;
    const char *line = next_line(bytes, len, &at), *url;
    *made = (struct message_request){.request.method = HTTP_GET};
    if (line == NULL)
        return STATUS_INVALID;
    if ((url = behind(line, "POST")) != NULL)
        made->request.method = HTTP_POST;
    else if ((url = behind(line, "GET")) == NULL)
        return STATUS_INVALID;
    made->request.url = url;
    while ((line = next_line(bytes, len, &at)) != NULL && line[0] != '\0')
        if (!read_field(line, made, &headers))
            return STATUS_INVALID;
    if (line == NULL)
        return STATUS_INVALID;
    made->request.headers = made->headers;
    made->request.body = slice_of(bytes + at, len - at);
    return STATUS_OK;
}

enum status message_read_answer(char *bytes, size_t len, struct http_answer *answer)
{
    size_t at = 0;
    const char *line = next_line(bytes, len, &at), *value;
    int64_t number;
    answer->type[0] = '\0';
    answer->max_age_s = -1;
    if (line == NULL || strlen(line) != CODE_DIGITS || !read_number(line, 999, &number))
        return STATUS_INVALID;
    answer->code = (long)number;
    while ((line = next_line(bytes, len, &at)) != NULL && line[0] != '\0') {
        if ((value = behind(line, "type")) != NULL && strlen(value) < sizeof answer->type)
            memcpy(answer->type, value, strlen(value) + 1);
        else if ((value = behind(line, "max-age")) != NULL &&
                 read_number(value, INT32_MAX, &number))
            answer->max_age_s = number;
        else
            return STATUS_INVALID;
    }
    if (line == NULL)
        return STATUS_INVALID;
    buffer_append(&answer->body, bytes + at, len - at);
    return STATUS_OK;
}

int64_t message_max_age(const char *cache_control)
{
    static const char word[] = "max-age=";
    int64_t age = -1;
    for (const char *at = cache_control; *at != '\0';) {
        at += strspn(at, " \t,");
        size_t len = strcspn(at, " \t,");
        if ((len == 8 && strncasecmp(at, "no-store", len) == 0) ||
            (len == 8 && strncasecmp(at, "no-cache", len) == 0))
            return 0;
        if (len >= sizeof word && strncasecmp(at, word, sizeof word - 1) == 0) {
            char digits[12] = "";
            if (len - (sizeof word - 1) < sizeof digits)
                memcpy(digits, at + sizeof word - 1, len - (sizeof word - 1));
            if (!read_number(digits, INT32_MAX, &age))
                age = 0; /* not understood is stale (RFC 9111, 4.2.1) */
        }
        at += len;
    }
    return age;
}

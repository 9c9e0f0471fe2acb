/* See json.h. Jansson's only user. Running out of memory ends the program: nothing is owned that
 * would want care. */
#include "cli/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/buffer.h"
#include "base/check.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Bytes of the UTF-8 character at text, 0 if there is none (RFC 3629: no surrogates, nothing
 * overlong, at most U+10FFFF). */
static size_t character_bytes(const unsigned char *text)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high, len;
    } forms[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text[0] < forms[i].first_low || text[0] > forms[i].first_high)
            continue;
        if (forms[i].len > 1 && (text[1] < forms[i].second_low || text[1] > forms[i].second_high))
            return 0;
        for (size_t at = 2; at < forms[i].len; at++) {
            if ((text[at] & 0xc0) != 0x80)
                return 0;
        }
        return forms[i].len;
    }
    return 0;
}

json_t *cli_json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value != NULL)
        return value;
    struct buffer clean;
    buffer_init(&clean, 4 * strlen(text) + 16);
    while (*text != '\0') {
        size_t len = character_bytes((const unsigned char *)text);
        if (len == 0)
            buffer_append_text(&clean, replacement);
        else
            buffer_append(&clean, text, len);
        text += len == 0 ? 1 : len;
    }
    const char *cleaned = buffer_text(&clean);
    value = cleaned == NULL ? NULL : json_string(cleaned);
    buffer_free(&clean);
    CHECK(value != NULL);
    return value;
}

static json_t *number(const char *text)
{
    char *end = NULL;
    errno = 0;
    long long whole = strtoll(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0')
        return json_integer(whole);
    errno = 0;
    double real = strtod(text, &end);
    json_t *value = NULL;
    if (errno == 0 && end != text && *end == '\0')
        value = json_real(real); /* NULL for infinities */
    return value != NULL ? value : cli_json_text(text);
}

static json_t *cell(const char *text, enum cli_json_kind kind)
{
    if (text == NULL)
        return json_null();
    if (kind == CLI_JSON_NUMBER)
        return number(text);
    if (kind == CLI_JSON_BOOLEAN)
        return json_boolean(text[0] == 't');
    return cli_json_text(text);
}

json_t *cli_json_row(const struct table *table, const struct table_row *row,
                     const enum cli_json_kind *kinds)
{
    json_t *object = json_object();
    CHECK(object != NULL);
    for (size_t column = 0; column < table->column_count; column++) {
        json_t *value = cell(row->cells[column], kinds == NULL ? CLI_JSON_TEXT : kinds[column]);
        int failure = json_object_set_new(object, table->columns[column], value);
        CHECK(failure == 0);
    }
    return object;
}

json_t *cli_json_table(const struct table *table, const enum cli_json_kind *kinds)
{
    json_t *array = json_array();
    CHECK(array != NULL);
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        int failure = json_array_append_new(array, cli_json_row(table, row, kinds));
        CHECK(failure == 0);
    }
    return array;
}

enum status cli_json_print(json_t *value, bool compact, struct error *error)
{
    int failure = json_dumpf(value, stdout,
                             (compact ? JSON_COMPACT : JSON_INDENT(2)) | JSON_REAL_PRECISION(15));
    json_decref(value);
    if (failure != 0 || fputc('\n', stdout) == EOF)
        return error_set_errno(error, errno, "cannot write the result");
    return STATUS_OK;
}

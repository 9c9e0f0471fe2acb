/* Values of constants and parameters as the subject keys that they are equal to. What PostgreSQL
 * would not take as a value of its type is no key: the statement fails there. */
#include "gateway/release/probe.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_VARCHAR = 1043,
    OID_UNKNOWN = 705,
    OID_UUID = 2950,
    UUID_BYTES = 16,
    NUMBER_BYTES = 256,
    PLAIN_BYTES = 18,     /* no bigint of so many digits is out of range */
    ARRAY_DIMENSIONS = 6, /* PostgreSQL's MAXDIM */
};

static bool is_integer(uint32_t type)
{
    return type == OID_INT2 || type == OID_INT4 || type == OID_INT8;
}

static bool is_text(uint32_t type)
{
    return type == OID_TEXT || type == OID_VARCHAR;
}

static bool is_open(uint32_t type)
{
    return type == 0 || type == OID_UNKNOWN;
}

/* ---- integers ---- */

/* Without blanks around it, nor underscores in it (PostgreSQL 16); false if it is too long. */
static bool copy_number(struct slice bytes, char out[static NUMBER_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] == '_' || isspace(bytes.data[i]))
            continue;
        if (len == NUMBER_BYTES - 1)
            return false;
        out[len++] = (char)bytes.data[i];
    }
    out[len] = '\0';
    return len > 0;
}

/* Digits in base 2 or 8 behind 0b and 0o (PostgreSQL 16); strtold reads the other bases. */
static bool read_based(const char *text, long double *number)
{
    char *end;
    bool negative = text[0] == '-';
    const char *digits = text + (negative || text[0] == '+');
    int base = digits[0] != '0'                           ? 0
               : tolower((unsigned char)digits[1]) == 'b' ? 2
               : tolower((unsigned char)digits[1]) == 'o' ? 8
                                                          : 0;
    if (base == 0)
        return false;
    *number = (long double)strtoull(digits + 2, &end, base);
    *number = negative ? -*number : *number;
    return end != digits + 2 && *end == '\0';
}

/* long double holds every bigint. */
static bool read_number(const char *text, long double *number)
{
    char *end;
    if (read_based(text, number))
        return true;
    *number = strtold(text, &end);
    return *end == '\0' && isfinite(*number);
}

/* As nearly all are given. */
static bool is_plain(struct slice bytes)
{
    size_t sign = bytes.len > 0 && bytes.data[0] == '-';
    if (bytes.len == sign || bytes.len > PLAIN_BYTES || bytes.data[sign] == '0')
        return false;
    for (size_t i = sign; i < bytes.len; i++)
        if (bytes.data[i] < '0' || bytes.data[i] > '9')
            return false;
    return true;
}

static bool put_integer(const struct probe_value *value, struct buffer *out)
{
    char text[NUMBER_BYTES];
    long double number;
    if (is_plain(value->bytes)) {
        buffer_append(out, value->bytes.data, value->bytes.len);
        return true;
    }
    if (!copy_number(value->bytes, text) || !read_number(text, &number))
        return false;
    bool rounds = is_integer(value->cast);
    if (rounds) /* half away from zero, as numeric does */
        number += number < 0 ? -0.5L : 0.5L;
    if (number < -0x1p63L || number >= 0x1p63L)
        return false;
    if (!rounds && (long double)(long long)number != number)
        return false;
    buffer_printf(out, "%lld", (long long)number);
    return true;
}

static bool put_binary_integer(struct slice bytes, struct buffer *out)
{
    uint64_t bits = 0;
    if (bytes.len != 2 && bytes.len != 4 && bytes.len != 8)
        return false;
    for (size_t i = 0; i < bytes.len; i++)
        bits = bits << 8 | bytes.data[i];
    long long number = bytes.len == 2   ? (int16_t)bits
                       : bytes.len == 4 ? (int32_t)bits
                                        : (long long)bits;
    buffer_printf(out, "%lld", number);
    return true;
}

/* ---- uuid ---- */

static void put_uuid_bytes(const uint8_t bytes[static UUID_BYTES], struct buffer *out)
{
    for (size_t i = 0; i < UUID_BYTES; i++)
        buffer_printf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]);
}

/* Any letter case, in braces or not, with hyphens or without (datatype-uuid). */
static bool put_uuid(struct slice text, struct buffer *out)
{
    uint8_t bytes[UUID_BYTES] = {0};
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '{' || c == '}' || c == '-')
            continue;
        if (!isxdigit(c) || digits == 2 * UUID_BYTES)
            return false;
        uint8_t digit = (uint8_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
        bytes[digits / 2] = (uint8_t)(bytes[digits / 2] << 4 | digit);
        digits++;
    }
    if (digits != 2 * UUID_BYTES)
        return false;
    put_uuid_bytes(bytes, out);
    return true;
}

/* ---- one value ---- */

static bool put_text(struct slice text, struct buffer *out)
{
    if (text.len > LIMIT_SUBJECT_KEY_BYTES)
        return false; /* no key is that long */
    buffer_append(out, text.data, text.len);
    return true;
}

static bool put_from_text(const struct probe_value *value, struct buffer *out)
{
    if (is_integer(value->key_type))
        return put_integer(value, out);
    return value->key_type == OID_UUID ? put_uuid(value->bytes, out) : put_text(value->bytes, out);
}

static enum status unreadable(struct error *error)
{
    return error_set(error, STATUS_DENIED, "0A000", "bind it as text, or with the column's type",
                     "a parameter that a subject key is compared with has a binary form that is "
                     "not supported");
}

/* A parameter whose type is open has that of the key it is compared with, if that is what its
 * length says; a text's binary form is its text. */
static enum status put_from_binary(const struct probe_value *value, struct buffer *out,
                                   bool *is_key, struct error *error)
{
    uint32_t type = is_open(value->type) ? value->key_type : value->type;
    *is_key = true;
    if (is_integer(type) && is_integer(value->key_type))
        *is_key = put_binary_integer(value->bytes, out);
    else if (type == OID_UUID && value->key_type == OID_UUID && value->bytes.len == UUID_BYTES)
        put_uuid_bytes(value->bytes.data, out);
    else if (is_text(type))
        *is_key = put_from_text(value, out);
    else
        return unreadable(error);
    return STATUS_OK;
}

enum status probe_key(const struct probe_value *value, struct buffer *out, bool *is_key,
                      struct error *error)
{
    if (value->binary)
        TRY(put_from_binary(value, out, is_key, error));
    else
        *is_key = put_from_text(value, out);
    return out->overflowed ? error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory")
                           : STATUS_OK;
}

/* ---- arrays ---- */

/* Takes one element of an array's text: up to a comma or brace, or in quotes. */
static struct slice take_element(struct slice text, size_t *at, struct buffer *scratch,
                                 bool *quoted)
{
    size_t end = 0; /* behind the last byte that is no blank */
    bool inside = false;
    *quoted = false;
    buffer_clear(scratch);
    for (; *at < text.len; (*at)++) {
        char c = (char)text.data[*at];
        if (c == '"') {
            *quoted = true;
            inside = !inside;
            end = scratch->len;
            continue;
        }
        if (!inside && (c == ',' || c == '{' || c == '}'))
            break;
        bool escaped = c == '\\' && *at + 1 < text.len;
        if (escaped)
            c = (char)text.data[++*at];
        if (!inside && !escaped && isspace((unsigned char)c) && end == 0 && !*quoted)
            continue;
        buffer_append(scratch, &c, 1);
        if (inside || escaped || !isspace((unsigned char)c))
            end = scratch->len;
    }
    return slice_of(scratch->data, end);
}

static bool is_null(struct slice element)
{
    return element.len == 4 && strncasecmp((const char *)element.data, "null", 4) == 0;
}

static enum status each_of_text(const struct probe_value *array, struct buffer *scratch,
                                probe_each *each, void *context, struct error *error)
{
    struct slice text = array->bytes;
    const uint8_t *brace = text.len == 0 ? NULL : memchr(text.data, '{', text.len);
    size_t at = brace == NULL ? text.len : (size_t)(brace - text.data);
    while (at < text.len) {
        bool quoted;
        struct probe_value element = *array;
        element.bytes = take_element(text, &at, scratch, &quoted);
        if (scratch->overflowed)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
        if (quoted || (element.bytes.len > 0 && !is_null(element.bytes)))
            TRY(each(context, &element, error));
        at++;
    }
    return STATUS_OK;
}

/* array_recv: dimensions, whether there are NULLs, type; length and bound of each; elements. */
static enum status each_of_binary(const struct probe_value *array, probe_each *each, void *context,
                                  struct error *error)
{
    struct wire_reader reader = wire_reader_of(array->bytes);
    struct probe_value element = *array;
    uint32_t dimensions = wire_read_u32(&reader);
    (void)wire_read_u32(&reader);
    element.type = wire_read_u32(&reader);
    uint64_t count = dimensions == 0 ? 0 : 1;
    if (dimensions > ARRAY_DIMENSIONS)
        return STATUS_OK;
    for (uint32_t d = 0; d < dimensions; d++) {
        count *= wire_read_u32(&reader);
        (void)wire_read_u32(&reader);
        if (count > array->bytes.len)
            return STATUS_OK;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint32_t len = wire_read_u32(&reader);
        if (len == UINT32_MAX)
            continue;
        element.bytes = wire_read_bytes(&reader, len);
        if (reader.failed)
            return STATUS_OK;
        TRY(each(context, &element, error));
    }
    return STATUS_OK;
}

enum status probe_elements(const struct probe_value *array, struct buffer *scratch,
                           probe_each *each, void *context, struct error *error)
{
    return array->binary ? each_of_binary(array, each, context, error)
                         : each_of_text(array, scratch, each, context, error);
}

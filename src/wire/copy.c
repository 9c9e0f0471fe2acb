/* COPY's three formats. Text needs no look at the character set: UTF-8 keeps ASCII bytes to
 * itself, so escaping byte by byte never cuts a character. */
#include "wire/copy.h"

#include <string.h>

#include "base/check.h"
#include "wire/protocol.h"

/* Signature, no flags, no extension of the header. */
static const uint8_t binary_header[] = {'P',  'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r', '\n',
                                        '\0', 0,   0,   0,   0,   0,   0,    0,    0};
static const uint8_t binary_end[] = {0xff, 0xff};

/* The letter that stands for a control character behind a backslash; 0: it stands for itself. */
static char control_letter(char c)
{
    switch (c) {
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\v':
        return 'v';
    default:
        return 0;
    }
}

static void put_text(struct buffer *out, const struct wire_copy *copy, struct slice value)
{
    size_t begun = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = (char)value.data[i], letter = control_letter(c);
        if (letter == 0 && c != '\\' && c != copy->delimiter)
            continue;
        buffer_append(out, value.data + begun, i - begun);
        buffer_append_u8(out, '\\');
        buffer_append_u8(out, (uint8_t)(letter != 0 ? letter : c));
        begun = i + 1;
    }
    buffer_append(out, value.data + begun, value.len - begun);
}

static bool is_text(struct slice value, const char *text)
{
    return value.len == strlen(text) && memcmp(value.data, text, value.len) == 0;
}

/* What would read as something else without quotes. alone: it is the row's only column, so that
 * the line could be taken for the end of the data. */
static bool needs_quotes(const struct wire_copy *copy, struct slice value, bool alone)
{
    if (is_text(value, copy->null) || (alone && is_text(value, "\\.")))
        return true;
    for (size_t i = 0; i < value.len; i++) {
        char c = (char)value.data[i];
        if (c == copy->delimiter || c == copy->quote || c == '\n' || c == '\r')
            return true;
    }
    return false;
}

static void put_csv(struct buffer *out, const struct wire_copy *copy, struct slice value,
                    bool quoted, bool alone)
{
    if (!quoted && !needs_quotes(copy, value, alone)) {
        buffer_append(out, value.data, value.len);
        return;
    }
    buffer_append_u8(out, (uint8_t)copy->quote);
    for (size_t i = 0; i < value.len; i++) {
        char c = (char)value.data[i];
        if (c == copy->quote || c == copy->escape)
            buffer_append_u8(out, (uint8_t)copy->escape);
        buffer_append_u8(out, (uint8_t)c);
    }
    buffer_append_u8(out, (uint8_t)copy->quote);
}

static void put_header(struct buffer *out, const struct wire_copy *copy, const char *const *names,
                       size_t count)
{
    size_t start = wire_begin(out, 'd');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_u8(out, (uint8_t)copy->delimiter);
        if (copy->format == WIRE_COPY_CSV)
            put_csv(out, copy, slice_of_text(names[i]), false, count == 1);
        else
            put_text(out, copy, slice_of_text(names[i]));
    }
    buffer_append_u8(out, '\n');
    wire_end(out, start);
}

static void put_data(struct buffer *out, const uint8_t *data, size_t len)
{
    size_t start = wire_begin(out, 'd');
    buffer_append(out, data, len);
    wire_end(out, start);
}

void wire_put_copy_begin(struct buffer *out, const struct wire_copy *copy, const char *const *names,
                         size_t count)
{
    bool binary = copy->format == WIRE_COPY_BINARY;
    size_t start = wire_begin(out, 'H');
    buffer_append_u8(out, binary);
    buffer_append_u16be(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++)
        buffer_append_u16be(out, binary);
    wire_end(out, start);
    if (binary)
        put_data(out, binary_header, sizeof binary_header);
    else if (copy->header)
        put_header(out, copy, names, count);
}

static void put_binary_row(struct buffer *out, struct slice values, size_t count)
{
    size_t start = wire_begin(out, 'd');
    buffer_append_u16be(out, (uint16_t)count);
    buffer_append(out, values.data, values.len);
    wire_end(out, start);
}

void wire_put_copy_row(struct buffer *out, const struct wire_copy *copy, struct slice values,
                       size_t count)
{
    if (copy->format == WIRE_COPY_BINARY) {
        put_binary_row(out, values, count);
        return;
    }
    struct wire_reader reader = wire_reader_of(values);
    size_t start = wire_begin(out, 'd');
    for (size_t i = 0; i < count; i++) {
        uint32_t len = wire_read_u32(&reader);
        if (i > 0)
            buffer_append_u8(out, (uint8_t)copy->delimiter);
        if (len == UINT32_MAX)
            buffer_append_text(out, copy->null);
        else if (copy->format == WIRE_COPY_TEXT)
            put_text(out, copy, wire_read_bytes(&reader, len));
        else
            put_csv(out, copy, wire_read_bytes(&reader, len),
                    copy->force_quote != NULL && copy->force_quote[i], count == 1);
    }
    CHECK(wire_reader_done(&reader));
    buffer_append_u8(out, '\n');
    wire_end(out, start);
}

void wire_put_copy_end(struct buffer *out, const struct wire_copy *copy)
{
    if (copy->format == WIRE_COPY_BINARY)
        put_data(out, binary_end, sizeof binary_end);
    wire_put_empty(out, 'c');
}

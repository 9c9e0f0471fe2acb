/* What PostgreSQL answers, on its way to a client: the hidden columns and parameters are taken
 * out. Invariant: a message is checked to its last byte before any of it is passed on, and on
 * failure *out is as it was. No state, any thread; slices read borrow the body. */
#include "wire/protocol.h"

#include <string.h>

#include "base/check.h"

enum { COUNT_BYTES = 2, COLUMN_BYTES = 18 };

enum status wire_parse_fields(struct slice body, struct wire_fields *fields, struct error *error)
{
    struct wire_reader reader = wire_reader_of(body);
    const char *severity = "", *localised = "", *sqlstate = "";
    for (;;) {
        uint8_t field = wire_read_u8(&reader);
        if (field == '\0')
            break;
        const char *text = wire_read_text(&reader);
        if (field == 'V')
            severity = text;
        else if (field == 'S')
            localised = text;
        else if (field == 'C')
            sqlstate = text;
    }
    if (!wire_reader_done(&reader))
        return wire_violation(error, "invalid ErrorResponse or NoticeResponse from upstream");
    if (severity[0] == '\0') /* before PostgreSQL 9.6 */
        severity = localised;
    *fields = (struct wire_fields){0};
    memcpy(fields->severity, severity, strnlen(severity, sizeof fields->severity - 1));
    memcpy(fields->sqlstate, sqlstate, strnlen(sqlstate, sizeof fields->sqlstate - 1));
    return STATUS_OK;
}

/* One column of a RowDescription; written to out (unless NULL) without its table. */
static void copy_column(struct wire_reader *reader, struct buffer *out)
{
    const char *name = wire_read_text(reader);
    struct slice column = wire_read_bytes(reader, COLUMN_BYTES);
    if (out == NULL || reader->failed)
        return;
    wire_put_text(out, name);
    buffer_append_u32be(out, 0);
    buffer_append_u16be(out, 0);
    buffer_append(out, column.data + 6, COLUMN_BYTES - 6);
}

enum status wire_put_visible_description(struct buffer *out, struct slice body,
                                         size_t visible_count, size_t total_count,
                                         struct error *error)
{
    CHECK(visible_count <= total_count && total_count <= UINT16_MAX);
    struct wire_reader reader = wire_reader_of(body);
    if (wire_read_u16(&reader) != total_count || reader.failed)
        return wire_violation(error, "RowDescription from upstream has not the columns asked for");
    size_t before = out->len, start = wire_begin(out, 'T');
    buffer_append_u16be(out, (uint16_t)visible_count);
    for (size_t i = 0; i < total_count && !reader.failed; i++)
        copy_column(&reader, i < visible_count ? out : NULL);
    if (!wire_reader_done(&reader)) {
        out->len = before;
        return wire_violation(error, "invalid RowDescription from upstream");
    }
    wire_end(out, start);
    return STATUS_OK;
}

enum status wire_put_visible_parameters(struct buffer *out, struct slice body, size_t visible_count,
                                        struct error *error)
{
    CHECK(visible_count <= UINT16_MAX);
    struct wire_reader reader = wire_reader_of(body);
    size_t count = wire_read_u16(&reader);
    struct slice types = wire_read_bytes(&reader, 4 * count);
    if (!wire_reader_done(&reader) || count < visible_count)
        return wire_violation(error, "invalid ParameterDescription from upstream");
    size_t start = wire_begin(out, 't');
    buffer_append_u16be(out, (uint16_t)visible_count);
    buffer_append(out, types.data, 4 * visible_count);
    wire_end(out, start);
    return STATUS_OK;
}

/* Steps over one column's value; NULL when it does not fit before end. */
static inline const uint8_t *skip_value(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 4)
        return NULL;
    uint32_t len = wire_load_u32(at);
    at += 4;
    if (len == UINT32_MAX) /* SQL NULL */
        return at;
    return len <= (size_t)(end - at) ? at + len : NULL;
}

enum status wire_split_row(struct slice body, size_t visible_count, size_t hidden_count,
                           size_t *visible_bytes, struct slice *hidden, struct error *error)
{
    if (body.len < COUNT_BYTES || body.len > INT32_MAX ||
        wire_load_u16(body.data) != visible_count + hidden_count)
        return wire_violation(error, "DataRow from upstream has not the columns asked for");
    const uint8_t *start = body.data + COUNT_BYTES, *end = body.data + body.len, *at = start;
    for (size_t i = 0; i < visible_count && at != NULL; i++)
        at = skip_value(at, end);
    const uint8_t *split = at;
    for (size_t i = 0; i < hidden_count && at != NULL; i++) {
        const uint8_t *value = at;
        at = skip_value(at, end);
        if (at != NULL && wire_load_u32(value) == UINT32_MAX)
            hidden[i] = slice_of(NULL, 0);
        else if (at != NULL)
            hidden[i] = slice_of(value + 4, (size_t)(at - value) - 4);
    }
    if (at != end)
        return wire_violation(error, "invalid DataRow from upstream");
    *visible_bytes = (size_t)(split - start);
    return STATUS_OK;
}

void wire_put_visible_row(struct buffer *out, struct slice body, size_t visible_count,
                          size_t visible_bytes)
{
    CHECK(visible_bytes <= body.len - COUNT_BYTES && visible_count <= UINT16_MAX);
    size_t length = 4 + COUNT_BYTES + visible_bytes;
    uint8_t *room = buffer_reserve(out, 1 + length);
    if (room == NULL)
        return;
    room[0] = 'D';
    store_u32be(room + 1, (uint32_t)length);
    store_u16be(room + 5, (uint16_t)visible_count);
    if (visible_bytes > 0)
        memcpy(room + 7, body.data + COUNT_BYTES, visible_bytes);
    out->len += 1 + length;
}

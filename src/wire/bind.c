/* Bind: read from a client, sent on with parameters and result columns of ours behind its own.
 * Invariant: what wire_parse_bind accepted is well formed to the last byte, so wire_put_bind may
 * copy the parameters as they are. No state, any thread; results borrow the body. */
#include "wire/protocol.h"

#include "base/check.h"

enum { FORMAT_TEXT = 0, FORMAT_BINARY = 1 };

/* A count and that many format codes. */
static struct slice read_formats(struct wire_reader *reader, size_t *count)
{
    *count = wire_read_u16(reader);
    return wire_read_bytes(reader, 2 * *count);
}

static struct slice read_parameters(struct wire_reader *reader, size_t count)
{
    size_t start = reader->at;
    for (size_t i = 0; i < count && !reader->failed; i++) {
        uint32_t len = wire_read_u32(reader);
        if (len != UINT32_MAX) /* NULL; any other negative length is more than there can be */
            wire_read_bytes(reader, len);
    }
    return slice_of(reader->data + start, reader->at - start);
}

/* PostgreSQL answers these with an error and lives on, and so do we. */
static enum status check_formats(struct slice formats, struct error *error)
{
    for (size_t at = 0; at < formats.len; at += 2) {
        unsigned format = wire_load_u16(formats.data + at);
        if (format != FORMAT_TEXT && format != FORMAT_BINARY)
            return error_set(error, STATUS_DENIED, "22023", NULL, "unsupported format code: %u",
                             format);
    }
    return STATUS_OK;
}

enum status wire_parse_bind(struct slice body, struct wire_bind *bind, struct error *error)
{
    struct wire_reader reader = wire_reader_of(body);
    struct wire_bind parsed;
    parsed.portal = wire_read_text(&reader);
    parsed.statement = wire_read_text(&reader);
    parsed.formats = read_formats(&reader, &parsed.format_count);
    parsed.parameter_count = wire_read_u16(&reader);
    parsed.parameters = read_parameters(&reader, parsed.parameter_count);
    parsed.result_formats = read_formats(&reader, &parsed.result_format_count);
    if (!wire_reader_done(&reader))
        return wire_violation(error, "invalid Bind message");
    if (parsed.parameter_count > LIMIT_PARAMETERS)
        return error_set(error, STATUS_LIMIT, "54000", NULL,
                         "a statement may have at most %d parameters", LIMIT_PARAMETERS);
    if (parsed.format_count > 1 && parsed.format_count != parsed.parameter_count)
        return error_set(error, STATUS_DENIED, "08P01", NULL,
                         "bind message has %zu parameter formats but %zu parameters",
                         parsed.format_count, parsed.parameter_count);
    TRY(check_formats(parsed.formats, error));
    TRY(check_formats(parsed.result_formats, error));
    *bind = parsed;
    return STATUS_OK;
}

/* `count` format codes by the 0 / 1 / n rule: none means text, one stands for all. */
static void put_expanded(struct buffer *out, struct slice formats, size_t format_count,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t format = FORMAT_TEXT;
        if (format_count > 0)
            format = wire_load_u16(formats.data + (format_count == 1 ? 0 : 2 * i));
        buffer_append_u16be(out, format);
    }
}

static void put_parameter_formats(struct buffer *out, const struct wire_bind *bind,
                                  size_t extra_count)
{
    CHECK(bind->format_count <= 1 || bind->format_count == bind->parameter_count);
    if (extra_count == 0) {
        buffer_append_u16be(out, (uint16_t)bind->format_count);
        buffer_append(out, bind->formats.data, bind->formats.len);
        return;
    }
    buffer_append_u16be(out, (uint16_t)(bind->parameter_count + extra_count));
    put_expanded(out, bind->formats, bind->format_count, bind->parameter_count);
    for (size_t i = 0; i < extra_count; i++)
        buffer_append_u16be(out, FORMAT_BINARY);
}

static void put_parameters(struct buffer *out, const struct wire_bind *bind,
                           const struct slice *extra, size_t extra_count)
{
    buffer_append_u16be(out, (uint16_t)(bind->parameter_count + extra_count));
    buffer_append(out, bind->parameters.data, bind->parameters.len);
    for (size_t i = 0; i < extra_count; i++) {
        CHECK(extra[i].len <= INT32_MAX);
        buffer_append_u32be(out, extra[i].data == NULL ? UINT32_MAX : (uint32_t)extra[i].len);
        buffer_append(out, extra[i].data, extra[i].len);
    }
}

static void put_result_formats(struct buffer *out, const struct wire_bind *bind,
                               size_t visible_count, size_t hidden_count)
{
    /* No format at all means text for every column, the hidden ones included. */
    if (hidden_count == 0 || bind->result_format_count == 0) {
        buffer_append_u16be(out, (uint16_t)bind->result_format_count);
        buffer_append(out, bind->result_formats.data, bind->result_formats.len);
        return;
    }
    CHECK(bind->result_format_count == 1 || bind->result_format_count == visible_count);
    buffer_append_u16be(out, (uint16_t)(visible_count + hidden_count));
    put_expanded(out, bind->result_formats, bind->result_format_count, visible_count);
    for (size_t i = 0; i < hidden_count; i++)
        buffer_append_u16be(out, FORMAT_TEXT);
}

void wire_put_bind(struct buffer *out, const char *portal, const char *statement,
                   const struct wire_bind *bind, const struct slice *extra, size_t extra_count,
                   size_t visible_count, size_t hidden_count)
{
    CHECK(bind->parameter_count <= UINT16_MAX - extra_count && extra_count <= UINT16_MAX);
    CHECK(visible_count <= UINT16_MAX && hidden_count <= UINT16_MAX - visible_count);
    size_t start = wire_begin(out, 'B');
    wire_put_text(out, portal);
    wire_put_text(out, statement);
    put_parameter_formats(out, bind, extra_count);
    put_parameters(out, bind, extra, extra_count);
    put_result_formats(out, bind, visible_count, hidden_count);
    wire_end(out, start);
}

/* Building messages: what the gateway answers to clients and what it sends upstream.
 * Each function appends one whole message; when the buffer overflows its content is no longer
 * whole and must not be sent. No state, any thread. */
#include "wire/protocol.h"

#include <string.h>

#include "base/check.h"

size_t wire_begin(struct buffer *out, uint8_t type)
{
    if (type != 0)
        buffer_append_u8(out, type);
    size_t start = out->len;
    buffer_append_u32be(out, 0);
    return start;
}

void wire_end(struct buffer *out, size_t start)
{
    if (out->overflowed)
        return;
    size_t length = out->len - start;
    CHECK(length >= 4 && length <= INT32_MAX);
    store_u32be(out->data + start, (uint32_t)length);
}

void wire_put_text(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text) + 1);
}

void wire_put_empty(struct buffer *out, uint8_t type)
{
    wire_end(out, wire_begin(out, type));
}

/* ---- to clients ---- */

void wire_put_authentication(struct buffer *out, uint32_t code, struct slice data)
{
    size_t start = wire_begin(out, 'R');
    buffer_append_u32be(out, code);
    buffer_append(out, data.data, data.len);
    wire_end(out, start);
}

void wire_put_parameter_status(struct buffer *out, const char *name, const char *value)
{
    size_t start = wire_begin(out, 'S');
    wire_put_text(out, name);
    wire_put_text(out, value);
    wire_end(out, start);
}

void wire_put_backend_key(struct buffer *out, uint32_t pid, uint32_t secret)
{
    size_t start = wire_begin(out, 'K');
    buffer_append_u32be(out, pid);
    buffer_append_u32be(out, secret);
    wire_end(out, start);
}

void wire_put_ready(struct buffer *out, char transaction_status)
{
    CHECK(transaction_status == 'I' || transaction_status == 'T' || transaction_status == 'E');
    size_t start = wire_begin(out, 'Z');
    buffer_append_u8(out, (uint8_t)transaction_status);
    wire_end(out, start);
}

void wire_put_command_complete(struct buffer *out, const char *tag)
{
    size_t start = wire_begin(out, 'C');
    wire_put_text(out, tag);
    wire_end(out, start);
}

static void put_field(struct buffer *out, uint8_t field, const char *text)
{
    buffer_append_u8(out, field);
    wire_put_text(out, text);
}

static void put_report(struct buffer *out, uint8_t type, const char *severity, const char *sqlstate,
                       const char *message, const char *hint)
{
    size_t start = wire_begin(out, type);
    put_field(out, 'S', severity);
    put_field(out, 'V', severity);
    put_field(out, 'C', sqlstate);
    put_field(out, 'M', message);
    if (hint != NULL && hint[0] != '\0')
        put_field(out, 'H', hint);
    buffer_append_u8(out, '\0');
    wire_end(out, start);
}

void wire_put_error(struct buffer *out, const char *severity, const char *sqlstate,
                    const char *message, const char *hint)
{
    put_report(out, 'E', severity, sqlstate, message, hint);
}

void wire_put_notice(struct buffer *out, const char *severity, const char *sqlstate,
                     const char *message, const char *hint)
{
    put_report(out, 'N', severity, sqlstate, message, hint);
}

/* The manual says "minor version"; PostgreSQL sends, and libpq reads, the whole number. */
void wire_put_negotiate(struct buffer *out, uint32_t minor, const char *const *options,
                        size_t option_count)
{
    CHECK(option_count <= WIRE_MAX_STARTUP_PARAMETERS);
    size_t start = wire_begin(out, 'v');
    buffer_append_u32be(out, WIRE_PROTOCOL_3_0 | minor);
    buffer_append_u32be(out, (uint32_t)option_count);
    for (size_t i = 0; i < option_count; i++)
        wire_put_text(out, options[i]);
    wire_end(out, start);
}

void wire_put_text_row_description(struct buffer *out, const char *const *names, size_t count)
{
    CHECK(count <= UINT16_MAX);
    size_t start = wire_begin(out, 'T');
    buffer_append_u16be(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        wire_put_text(out, names[i]);
        buffer_append_u32be(out, 0); /* no table, */
        buffer_append_u16be(out, 0); /* no column of it */
        buffer_append_u32be(out, WIRE_TEXT_OID);
        buffer_append_u16be(out, UINT16_MAX); /* size: -1, varies */
        buffer_append_u32be(out, UINT32_MAX); /* modifier: -1, none */
        buffer_append_u16be(out, 0);          /* text format */
    }
    wire_end(out, start);
}

void wire_put_text_row(struct buffer *out, const char *const *cells, size_t count)
{
    CHECK(count <= UINT16_MAX);
    size_t start = wire_begin(out, 'D');
    buffer_append_u16be(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        if (cells[i] == NULL) {
            buffer_append_u32be(out, UINT32_MAX);
            continue;
        }
        size_t len = strlen(cells[i]);
        CHECK(len <= INT32_MAX);
        buffer_append_u32be(out, (uint32_t)len);
        buffer_append(out, cells[i], len);
    }
    wire_end(out, start);
}

/* ---- upstream ---- */

void wire_put_startup(struct buffer *out, const char *const *names_and_values, size_t pairs)
{
    size_t start = wire_begin(out, 0);
    buffer_append_u32be(out, WIRE_PROTOCOL_3_0);
    for (size_t i = 0; i < 2 * pairs; i++)
        wire_put_text(out, names_and_values[i]);
    buffer_append_u8(out, '\0');
    wire_end(out, start);
}

void wire_put_ssl_request(struct buffer *out)
{
    size_t start = wire_begin(out, 0);
    buffer_append_u32be(out, WIRE_SSL_REQUEST);
    wire_end(out, start);
}

void wire_put_cancel_request(struct buffer *out, uint32_t pid, uint32_t secret)
{
    size_t start = wire_begin(out, 0);
    buffer_append_u32be(out, WIRE_CANCEL_REQUEST);
    buffer_append_u32be(out, pid);
    buffer_append_u32be(out, secret);
    wire_end(out, start);
}

void wire_put_password(struct buffer *out, struct slice data)
{
    size_t start = wire_begin(out, 'p');
    buffer_append(out, data.data, data.len);
    wire_end(out, start);
}

void wire_put_query(struct buffer *out, const char *sql)
{
    size_t start = wire_begin(out, 'Q');
    wire_put_text(out, sql);
    wire_end(out, start);
}

void wire_put_parse(struct buffer *out, const char *name, const char *sql, const uint32_t *types,
                    size_t type_count)
{
    CHECK(type_count <= UINT16_MAX);
    size_t start = wire_begin(out, 'P');
    wire_put_text(out, name);
    wire_put_text(out, sql);
    buffer_append_u16be(out, (uint16_t)type_count);
    for (size_t i = 0; i < type_count; i++)
        buffer_append_u32be(out, types[i]);
    wire_end(out, start);
}

void wire_put_target(struct buffer *out, uint8_t type, uint8_t what, const char *name)
{
    CHECK((type == 'D' || type == 'C') && (what == 'S' || what == 'P'));
    size_t start = wire_begin(out, type);
    buffer_append_u8(out, what);
    wire_put_text(out, name);
    wire_end(out, start);
}

void wire_put_execute(struct buffer *out, const char *portal, uint32_t max_rows)
{
    size_t start = wire_begin(out, 'E');
    wire_put_text(out, portal);
    buffer_append_u32be(out, max_rows);
    wire_end(out, start);
}

void wire_put_sync(struct buffer *out)
{
    wire_put_empty(out, 'S');
}

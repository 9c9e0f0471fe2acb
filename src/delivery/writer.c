/* See writer.h. */
#include "delivery/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "delivery/sink.h"

enum { /* pg_type.h */
       BOOL_OID = 16,
       INT8_OID = 20,
       INT2_OID = 21,
       INT4_OID = 23,
       FLOAT4_OID = 700,
       FLOAT8_OID = 701,
       NUMERIC_OID = 1700,
       JSONB_OID = 3802,
};

struct delivery_writer {
    struct sink sink;
    enum delivery_format format;
    const struct delivery_column *columns;
    size_t count;
};

static void put_csv(struct delivery_writer *writer, const char *value)
{
    struct buffer *out = &writer->sink.bytes;
    if (value != NULL && value[0] == '\0')
        buffer_append_text(out, "\"\"");
    else if (value != NULL && writer->format == DELIVERY_CSV_DISARMED)
        csv_append_disarmed(out, value);
    else if (value != NULL)
        csv_append(out, value);
}

static void put_csv_row(struct delivery_writer *writer, const char *const *cells)
{
    struct buffer *out = &writer->sink.bytes;
    for (size_t i = 0; i < writer->count; i++) {
        if (i > 0)
            buffer_append_u8(out, ',');
        /* A line of one empty field would be no line at all. */
        if (writer->count == 1 && cells[i] == NULL)
            continue;
        put_csv(writer, cells[i]);
    }
    buffer_append_text(out, "\r\n");
}

static void put_json_text(struct buffer *out, const char *text)
{
    buffer_append_u8(out, '"');
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            buffer_append_u8(out, '\\');
            buffer_append_u8(out, *c);
        } else if (*c < ' ') {
            buffer_printf(out, "\\u%04x", *c);
        } else {
            buffer_append_u8(out, *c);
        }
    }
    buffer_append_u8(out, '"');
}

static bool is_number(uint32_t type, const char *value)
{
    switch (type) {
    case INT2_OID:
    case INT4_OID:
    case INT8_OID:
    case FLOAT4_OID:
    case FLOAT8_OID:
    case NUMERIC_OID: /* JSON has neither NaN nor Infinity */
        return value[strspn(value, "-+.eE0123456789")] == '\0';
    default:
        return false;
    }
}

static void put_json(struct buffer *out, uint32_t type, const char *value)
{
    if (value == NULL)
        buffer_append_text(out, "null");
    else if (type == BOOL_OID)
        buffer_append_text(out, value[0] == 't' ? "true" : "false");
    else if (type == JSONB_OID || is_number(type, value))
        buffer_append_text(out, value);
    else
        put_json_text(out, value);
}

static void put_json_row(struct delivery_writer *writer, const char *const *cells)
{
    struct buffer *out = &writer->sink.bytes;
    for (size_t i = 0; i < writer->count; i++) {
        buffer_append_text(out, i == 0 ? "{" : ", ");
        put_json_text(out, writer->columns[i].name);
        buffer_append_text(out, ": ");
        put_json(out, writer->columns[i].type, cells[i]);
    }
    buffer_append_text(out, writer->count == 0 ? "{}\n" : "}\n");
}

enum status delivery_writer_open(int fd, enum delivery_format format,
                                 const struct delivery_column *columns, size_t count,
                                 struct delivery_writer **out, struct error *error)
{
    struct delivery_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    *writer = (struct delivery_writer){
        .sink = {.fd = fd}, .format = format, .columns = columns, .count = count};
    buffer_init(&writer->sink.bytes, SINK_BYTES);
    for (size_t i = 0; i < count && format != DELIVERY_JSONL; i++) {
        if (i > 0)
            buffer_append_u8(&writer->sink.bytes, ',');
        put_csv(writer, columns[i].name);
    }
    if (format != DELIVERY_JSONL)
        buffer_append_text(&writer->sink.bytes, "\r\n");
    *out = writer;
    return STATUS_OK;
}

enum status delivery_writer_row(struct delivery_writer *writer, const char *const *cells,
                                struct error *error)
{
    if (writer->format != DELIVERY_JSONL)
        put_csv_row(writer, cells);
    else
        put_json_row(writer, cells);
    return sink_put(&writer->sink, false, error);
}

enum status delivery_writer_finish(struct delivery_writer *writer, struct error *error)
{
    return sink_put(&writer->sink, true, error);
}

void delivery_writer_close(struct delivery_writer *writer)
{
    if (writer == NULL)
        return;
    buffer_free(&writer->sink.bytes);
    free(writer);
}

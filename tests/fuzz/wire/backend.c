/* Fuzz target: what an upstream answers. First byte: visible columns, second: hidden ones, third:
 * what the rest is. What is passed on must be well formed again and without a hidden byte. */
#include "base/check.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER_BYTES = 3, MAX_COLUMNS = 16 };

static struct slice body_of(const struct buffer *out, uint8_t type)
{
    struct wire_message message;
    struct error error;
    size_t needed;
    CHECK(wire_next_message(buffer_slice(out), LIMIT_ROW_BYTES, &message, &needed, &error) ==
          STATUS_OK);
    CHECK(message.type == type && message.size == out->len);
    return message.body;
}

static void run_row(struct slice body, size_t visible, size_t hidden_count, struct buffer *out)
{
    struct slice hidden[MAX_COLUMNS];
    struct error error;
    size_t visible_bytes, again_bytes, hidden_bytes = 0;
    if (wire_split_row(body, visible, hidden_count, &visible_bytes, hidden, &error) != STATUS_OK)
        return;
    for (size_t i = 0; i < hidden_count; i++) {
        CHECK(hidden[i].data != NULL || hidden[i].len == 0);
        hidden_bytes += 4 + hidden[i].len;
    }
    CHECK(2 + visible_bytes + hidden_bytes == body.len);
    wire_put_visible_row(out, body, visible, visible_bytes);
    CHECK(wire_split_row(body_of(out, 'D'), visible, 0, &again_bytes, NULL, &error) == STATUS_OK);
    CHECK(again_bytes == visible_bytes);
}

static void run_description(struct slice body, size_t visible, size_t hidden, struct buffer *out)
{
    struct error error;
    if (wire_put_visible_description(out, body, visible, visible + hidden, &error) != STATUS_OK) {
        CHECK(out->len == 0);
        return;
    }
    struct buffer again;
    buffer_init(&again, LIMIT_ROW_BYTES);
    CHECK(wire_put_visible_description(&again, body_of(out, 'T'), visible, visible, &error) ==
          STATUS_OK);
    CHECK(slice_equal(buffer_slice(&again), buffer_slice(out)));
    buffer_free(&again);
}

static void run_parameters(struct slice body, size_t visible, struct buffer *out)
{
    struct error error;
    if (wire_put_visible_parameters(out, body, visible, &error) == STATUS_OK)
        CHECK(body_of(out, 't').len == 2 + 4 * visible);
    else
        CHECK(out->len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER_BYTES)
        return 0;
    size_t visible = data[0] % MAX_COLUMNS, hidden = data[1] % MAX_COLUMNS;
    struct slice body = slice_of(data + HEADER_BYTES, size - HEADER_BYTES);
    struct wire_fields fields;
    struct error error;
    struct buffer out;
    buffer_init(&out, LIMIT_ROW_BYTES);
    switch (data[2] % 4) {
    case 0:
        run_row(body, visible, hidden, &out);
        break;
    case 1:
        run_description(body, visible, hidden, &out);
        break;
    case 2:
        run_parameters(body, visible, &out);
        break;
    case 3:
        if (wire_parse_fields(body, &fields, &error) == STATUS_OK)
            CHECK(fields.severity[15] == '\0' && fields.sqlstate[5] == '\0');
        break;
    }
    buffer_free(&out);
    return 0;
}

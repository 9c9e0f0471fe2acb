/* Fuzz target: a stream of messages from a client that has logged in. What was read and is
 * written again under the same names must be the same bytes. */
#include <string.h>

#include "base/check.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct buffer *built, struct slice message)
{
    CHECK(!built->overflowed);
    CHECK(slice_equal(buffer_slice(built), message));
}

static void run_parse(struct slice body, struct slice message, struct buffer *out)
{
    static uint32_t types[LIMIT_PARAMETERS];
    struct wire_parse parse;
    struct error error;
    if (wire_parse_parse(body, types, &parse, &error) != STATUS_OK)
        return;
    wire_put_parse(out, parse.name, parse.sql, parse.types, parse.type_count);
    check_same(out, message);
}

/* With additions, the message must still be one, with as many of everything as was asked for. */
static void run_bind_with_additions(const struct wire_bind *bind, struct buffer *out)
{
    const struct slice extra[] = {slice_of("key", 3), slice_of(NULL, 0)};
    size_t visible = bind->result_format_count > 1 ? bind->result_format_count : 3;
    if (bind->parameter_count > LIMIT_PARAMETERS - 2 || visible > UINT16_MAX - 2)
        return;
    struct wire_message message;
    struct wire_bind again;
    struct error error;
    size_t needed;
    buffer_clear(out);
    wire_put_bind(out, "", "", bind, extra, 2, visible, 2);
    CHECK(wire_next_message(buffer_slice(out), out->len, &message, &needed, &error) == STATUS_OK);
    CHECK(wire_parse_bind(message.body, &again, &error) == STATUS_OK);
    CHECK(again.parameter_count == bind->parameter_count + 2);
    CHECK(again.format_count == again.parameter_count);
    CHECK(again.result_format_count == (bind->result_format_count == 0 ? 0 : visible + 2));
}

static void run_bind(struct slice body, struct slice message, struct buffer *out)
{
    struct wire_bind bind;
    struct error error;
    if (wire_parse_bind(body, &bind, &error) != STATUS_OK)
        return;
    wire_put_bind(out, bind.portal, bind.statement, &bind, NULL, 0, bind.result_format_count, 0);
    check_same(out, message);
    run_bind_with_additions(&bind, out);
}

static void run_others(const struct wire_message *message, struct slice whole, struct buffer *out)
{
    struct wire_target target;
    struct wire_execute execute;
    struct error error;
    if ((message->type == 'D' || message->type == 'C') &&
        wire_parse_target(message->body, &target, &error) == STATUS_OK) {
        wire_put_target(out, message->type, target.what, target.name);
        check_same(out, whole);
    }
    if (message->type == 'E' && wire_parse_execute(message->body, &execute, &error) == STATUS_OK)
        CHECK(strlen(execute.portal) + 5 == message->body.len && execute.max_rows <= INT32_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct wire_message message;
    struct error error;
    struct buffer out;
    size_t needed;
    buffer_init(&out, 8 * LIMIT_MESSAGE_BYTES);
    while (wire_next_message(rest, LIMIT_MESSAGE_BYTES, &message, &needed, &error) == STATUS_OK) {
        struct slice whole = slice_of(rest.data, message.size);
        buffer_clear(&out);
        if (message.type == 'P')
            run_parse(message.body, whole, &out);
        else if (message.type == 'B')
            run_bind(message.body, whole, &out);
        else
            run_others(&message, whole, &out);
        rest = slice_of(rest.data + message.size, rest.len - message.size);
    }
    buffer_free(&out);
    return 0;
}

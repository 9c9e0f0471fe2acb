/* What a client sends after startup: Parse, Describe, Close, Execute (Bind: bind.c).
 * A message must be used up exactly. No state, any thread; results borrow the body. */
#include "wire/protocol.h"

enum status wire_parse_parse(struct slice body, uint32_t types[static LIMIT_PARAMETERS],
                             struct wire_parse *parse, struct error *error)
{
    struct wire_reader reader = wire_reader_of(body);
    struct wire_parse parsed = {.types = types};
    parsed.name = wire_read_text(&reader);
    parsed.sql = wire_read_text(&reader);
    parsed.type_count = wire_read_u16(&reader);
    struct slice encoded = wire_read_bytes(&reader, 4 * parsed.type_count);
    if (!wire_reader_done(&reader))
        return wire_violation(error, "invalid Parse message");
    if (parsed.type_count > LIMIT_PARAMETERS)
        return error_set(error, STATUS_LIMIT, "54000", NULL,
                         "a statement may have at most %d parameters", LIMIT_PARAMETERS);
    for (size_t i = 0; i < parsed.type_count; i++)
        types[i] = wire_load_u32(encoded.data + 4 * i);
    *parse = parsed;
    return STATUS_OK;
}

enum status wire_parse_target(struct slice body, struct wire_target *target, struct error *error)
{
    struct wire_reader reader = wire_reader_of(body);
    struct wire_target parsed;
    parsed.what = wire_read_u8(&reader);
    parsed.name = wire_read_text(&reader);
    if (!wire_reader_done(&reader))
        return wire_violation(error, "invalid Describe or Close message");
    if (parsed.what != 'S' && parsed.what != 'P')
        return wire_violation(error, "invalid Describe or Close message subtype %u", parsed.what);
    *target = parsed;
    return STATUS_OK;
}

enum status wire_parse_execute(struct slice body, struct wire_execute *execute, struct error *error)
{
    struct wire_reader reader = wire_reader_of(body);
    struct wire_execute parsed;
    parsed.portal = wire_read_text(&reader);
    parsed.max_rows = wire_read_u32(&reader);
    if (!wire_reader_done(&reader))
        return wire_violation(error, "invalid Execute message");
    if (parsed.max_rows > INT32_MAX) /* PostgreSQL takes a negative count as "all" */
        parsed.max_rows = 0;
    *execute = parsed;
    return STATUS_OK;
}

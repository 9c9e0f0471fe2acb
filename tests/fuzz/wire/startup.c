/* Fuzz target: the bytes a stranger sends first. */
#include <string.h>

#include "base/check.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status take_option(void *context, const char *name, const char *value,
                               struct error *error)
{
    size_t *bytes = context;
    *bytes += strlen(name) + strlen(value);
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_message message;
    struct wire_startup startup;
    struct error error;
    if (wire_next_startup(slice_of(data, size), &message, &error) != STATUS_OK)
        return 0;
    CHECK(message.size <= size && message.body.len < message.size);
    if (wire_parse_startup(message.body, &startup, &error) != STATUS_OK)
        return 0;
    size_t text_bytes = 0;
    for (size_t i = 0; i < startup.parameter_count; i++)
        text_bytes += strlen(startup.parameters[i].name) + strlen(startup.parameters[i].value) + 2;
    CHECK(startup.kind != WIRE_STARTUP_SESSION || text_bytes + 5 == message.body.len);
    const char *options = wire_startup_value(&startup, "options");
    size_t option_bytes = 0;
    if (options != NULL &&
        wire_parse_options(options, take_option, &option_bytes, &error) == STATUS_OK)
        CHECK(option_bytes <= strlen(options));
    return 0;
}

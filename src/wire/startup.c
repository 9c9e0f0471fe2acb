/* The startup phase: session, TLS, GSSAPI and cancel requests, and libpq's "options".
 * Mirrors PostgreSQL's ProcessStartupPacket and pg_split_opts, so that what a driver may send
 * there it may send here. No state, any thread; results borrow the packet. */
#include "wire/protocol.h"

#include <string.h>

static enum status parse_cancel(struct wire_reader *reader, struct wire_startup *startup,
                                struct error *error)
{
    uint32_t pid = wire_read_u32(reader), secret = wire_read_u32(reader);
    if (!wire_reader_done(reader))
        return wire_violation(error, "invalid length of cancel request");
    startup->kind = WIRE_STARTUP_CANCEL;
    startup->cancel_pid = pid;
    startup->cancel_secret = secret;
    startup->parameter_count = 0;
    return STATUS_OK;
}

static enum status parse_encryption(struct wire_reader *reader, enum wire_startup_kind kind,
                                    struct wire_startup *startup, struct error *error)
{
    if (!wire_reader_done(reader))
        return wire_violation(error, "invalid length of encryption request");
    startup->kind = kind;
    startup->parameter_count = 0;
    return STATUS_OK;
}

/* Names and values in turn until an empty name, which must be the packet's last byte. */
static enum status parse_session(struct wire_reader *reader, uint32_t protocol,
                                 struct wire_startup *startup, struct error *error)
{
    struct wire_startup parsed = {.kind = WIRE_STARTUP_SESSION, .protocol = protocol};
    for (;;) {
        const char *name = wire_read_text(reader);
        if (reader->failed || name[0] == '\0')
            break;
        const char *value = wire_read_text(reader);
        if (parsed.parameter_count == WIRE_MAX_STARTUP_PARAMETERS)
            return wire_violation(error, "more than %d parameters in startup packet",
                                  WIRE_MAX_STARTUP_PARAMETERS);
        parsed.parameters[parsed.parameter_count].name = name;
        parsed.parameters[parsed.parameter_count].value = value;
        parsed.parameter_count++;
    }
    if (!wire_reader_done(reader))
        return wire_violation(error,
                              "invalid startup packet layout: expected terminator as last byte");
    *startup = parsed;
    return STATUS_OK;
}

enum status wire_parse_startup(struct slice body, struct wire_startup *startup, struct error *error)
{
    struct wire_reader reader = wire_reader_of(body);
    uint32_t code = wire_read_u32(&reader);
    if (reader.failed)
        return wire_violation(error, "invalid length of startup packet");
    switch (code) {
    case WIRE_CANCEL_REQUEST:
        return parse_cancel(&reader, startup, error);
    case WIRE_SSL_REQUEST:
        return parse_encryption(&reader, WIRE_STARTUP_SSL, startup, error);
    case WIRE_GSSENC_REQUEST:
        return parse_encryption(&reader, WIRE_STARTUP_GSSENC, startup, error);
    }
    if (code >> 16 != 3)
        return error_set(error, STATUS_PEER, "0A000", NULL,
                         "unsupported frontend protocol %u.%u: server supports 3.0",
                         (unsigned)(code >> 16), (unsigned)(code & 0xFFFF));
    return parse_session(&reader, code, startup, error);
}

const char *wire_startup_value(const struct wire_startup *startup, const char *name)
{
    for (size_t i = startup->parameter_count; i > 0; i--)
        if (strcmp(startup->parameters[i - 1].name, name) == 0)
            return startup->parameters[i - 1].value;
    return NULL;
}

/* ---- options ---- */

static enum status bad_options(struct error *error)
{
    return error_set(error, STATUS_PEER, "42601",
                     "Only settings are accepted there: -c name=value or --name=value.",
                     "invalid startup options");
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Unescapes the next word into *word, terminated, and steps over it; false at the end. */
static bool next_word(const char **options, struct buffer *word)
{
    const char *at = *options;
    while (is_space(*at))
        at++;
    if (*at == '\0')
        return false;
    buffer_clear(word);
    for (; *at != '\0' && !is_space(*at); at++) {
        if (*at == '\\' && *++at == '\0')
            break;
        buffer_append_u8(word, (uint8_t)*at);
    }
    buffer_append_u8(word, '\0');
    *options = at;
    return true;
}

/* "name=value"; dashes in the name stand for underscores, as in PostgreSQL's ParseLongOption. */
static enum status give_setting(char *setting, wire_option_fn fn, void *context,
                                struct error *error)
{
    char *equals = strchr(setting, '=');
    if (equals == NULL || equals == setting)
        return bad_options(error);
    *equals = '\0';
    for (char *at = setting; at < equals; at++)
        if (*at == '-')
            *at = '_';
    return fn(context, setting, equals + 1, error);
}

static enum status parse_words(const char *options, struct buffer *word, wire_option_fn fn,
                               void *context, struct error *error)
{
    while (next_word(&options, word)) {
        if (word->overflowed)
            return bad_options(error);
        char *text = (char *)word->data;
        if (strcmp(text, "-c") == 0) {
            if (!next_word(&options, word) || word->overflowed)
                return bad_options(error);
            text = (char *)word->data;
        } else if (strncmp(text, "-c", 2) == 0 || strncmp(text, "--", 2) == 0) {
            text += 2;
        } else {
            return bad_options(error);
        }
        TRY(give_setting(text, fn, context, error));
    }
    return STATUS_OK;
}

enum status wire_parse_options(const char *options, wire_option_fn fn, void *context,
                               struct error *error)
{
    struct buffer word;
    buffer_init(&word, LIMIT_STARTUP_BYTES);
    enum status status = parse_words(options, &word, fn, context, error);
    buffer_free(&word);
    return status;
}

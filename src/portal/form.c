/* Decoding of one field of a form. Any thread. */
#include "portal/form.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

static int hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Decodes one character at *at; -1 for a broken escape. */
static int next_byte(struct slice text, size_t *at)
{
    uint8_t byte = text.data[(*at)++];
    if (byte == '+')
        return ' ';
    if (byte != '%')
        return byte;
    if (text.len - *at < 2)
        return -1;
    int high = hex_value(text.data[*at]), low = hex_value(text.data[*at + 1]);
    *at += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool named(struct slice name, const char *wanted)
{
    size_t at = 0;
    while (at < name.len && *wanted != '\0') {
        if (next_byte(name, &at) != (uint8_t)*wanted++)
            return false;
    }
    return at == name.len && *wanted == '\0';
}

static enum status decode(struct slice value, char *text, size_t room)
{
    size_t len = 0, at = 0;
    while (at < value.len) {
        int byte = next_byte(value, &at);
        bool leading = len == 0 && byte == ' ';
        if (byte < 0 || len + 1 >= room)
            return STATUS_INVALID;
        if (!leading)
            text[len++] = (char)byte;
    }
    while (len > 0 && text[len - 1] == ' ')
        len--;
    text[len] = '\0';
    return text_is_plain(slice_of(text, len)) ? STATUS_OK : STATUS_INVALID;
}

enum status form_value(struct slice body, const char *name, char *text, size_t room)
{
    for (size_t at = 0; at < body.len;) {
        const uint8_t *pair = body.data + at, *end = memchr(pair, '&', body.len - at);
        size_t len = end == NULL ? body.len - at : (size_t)(end - pair);
        const uint8_t *equals = memchr(pair, '=', len);
        size_t name_len = equals == NULL ? len : (size_t)(equals - pair);
        if (named(slice_of(pair, name_len), name)) {
            size_t skipped = name_len + (equals != NULL);
            return decode(slice_of(pair + skipped, len - skipped), text, room);
        }
        at += len + 1;
    }
    return STATUS_NOT_FOUND;
}

/* Decoding of one field of a form. Any thread. */
#include "portal/form.h"

#include <stdbool.h>
#include <string.h>

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

/* RFC 3629: how many bytes the character at text has, with its least value; 0 for none. */
static size_t character_length(const uint8_t *text, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t count = text[0] < 0x80           ? 1
                   : (text[0] >> 5) == 0x6  ? 2
                   : (text[0] >> 4) == 0xe  ? 3
                   : (text[0] >> 3) == 0x1e ? 4
                                            : 0;
    if (count == 0 || count > len)
        return 0;
    uint32_t value = count == 1 ? text[0] : text[0] & (0x7fU >> count);
    for (size_t i = 1; i < count; i++) {
        if (text[i] >> 6 != 2)
            return 0;
        value = value << 6 | (text[i] & 0x3f);
    }
    bool control =
        value < 0x20 || (value >= 0x7f && value < 0xa0) || value == 0x2028 || value == 0x2029;
    bool surrogate = value >= 0xd800 && value < 0xe000;
    return control || surrogate || value > 0x10ffff || value < least[count] ? 0 : count;
}

static bool plain_text(const uint8_t *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t count = character_length(text + at, len - at);
        if (count == 0)
            return false;
        at += count;
    }
    return true;
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
    return plain_text((const uint8_t *)text, len) ? STATUS_OK : STATUS_INVALID;
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

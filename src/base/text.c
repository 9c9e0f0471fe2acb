/* See text.h. Any thread. */
#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

/* RFC 3629: how many bytes the character at text has, and which it is; 0 for none. */
static size_t read_character(const uint8_t *text, size_t len, uint32_t *character)
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
    bool surrogate = value >= 0xd800 && value < 0xe000;
    *character = value;
    return surrogate || value > 0x10ffff || value < least[count] ? 0 : count;
}

static bool is_control(uint32_t value)
{
    return value < 0x20 || (value >= 0x7f && value < 0xa0) || value == 0x2028 || value == 0x2029;
}

bool text_is_plain(struct slice text)
{
    uint32_t character;
    for (size_t at = 0; at < text.len;) {
        size_t count = read_character(text.data + at, text.len - at, &character);
        if (count == 0 || is_control(character))
            return false;
        at += count;
    }
    return true;
}

void text_make_plain(char *text)
{
    uint32_t character;
    size_t len = strlen(text);
    for (size_t at = 0, count; at < len; at += count) {
        count = read_character((const uint8_t *)text + at, len - at, &character);
        if (count == 0 || is_control(character)) {
            count += count == 0;
            memset(text + at, ' ', count);
        }
    }
}

size_t text_utf8_len(struct slice text)
{
    uint32_t character;
    size_t at = 0, count;
    while (at < text.len && (count = read_character(text.data + at, text.len - at, &character)) > 0)
        at += count;
    return at;
}

void text_of_address(const struct in6_addr *address, char text[static INET6_ADDRSTRLEN])
{
    bool v4 = IN6_IS_ADDR_V4MAPPED(address);
    const char *written = inet_ntop(v4 ? AF_INET : AF_INET6, address->s6_addr + (v4 ? 12 : 0), text,
                                    INET6_ADDRSTRLEN);
    CHECK(written != NULL);
}

bool text_to_address(const char *text, struct in6_addr *address)
{
    char mapped[INET6_ADDRSTRLEN + 8];
    snprintf(mapped, sizeof mapped, "%s%s", strchr(text, ':') == NULL ? "::ffff:" : "", text);
    return inet_pton(AF_INET6, mapped, address) == 1;
}

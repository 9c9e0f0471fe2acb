/* See base64url.h. */
#include "oidc/base64url.h"

static int value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

enum status base64url_decode(struct slice text, struct buffer *out)
{
    uint32_t bits = 0;
    unsigned count = 0; /* of the low bits of `bits` that are not written yet */
    if (text.len % 4 == 1)
        return STATUS_INVALID;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.data[i]);
        if (value < 0)
            return STATUS_INVALID;
        bits = (bits << 6 | (uint32_t)value) & 0xFFFF;
        count += 6;
        if (count >= 8) {
            count -= 8;
            buffer_append_u8(out, (uint8_t)(bits >> count));
        }
    }
    if ((bits & ((1U << count) - 1)) != 0)
        return STATUS_INVALID;
    return out->overflowed ? STATUS_LIMIT : STATUS_OK;
}

/* See spelling.h. */
#include "never/spelling.h"

#include <string.h>

#include "base/clock.h"
#include "crypto/crypto.h"

enum {
    DECIMAL = 10,
    MOST_DIGITS = 19,
    INSTANT_BYTES = 20,
    BASE64_BYTES = 96,
    BASE64_TEXT = BASE64_BYTES / 3 * 4,
};

bool spelling_number(struct slice text, uint64_t *number)
{
    uint64_t value = 0;
    if (text.len == 0 || text.len > MOST_DIGITS || (text.len > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * DECIMAL + (uint64_t)(text.data[i] - '0'); /* 19 digits fit */
    }
    if (value > INT64_MAX)
        return false;
    *number = value;
    return true;
}

bool spelling_instant(struct slice text, int64_t *time_ns)
{
    char copy[INSTANT_BYTES + 1], again[INSTANT_BYTES + 1];
    int64_t value;
    if (text.len != INSTANT_BYTES || memchr(text.data, '\0', text.len) != NULL)
        return false;
    memcpy(copy, text.data, INSTANT_BYTES);
    copy[INSTANT_BYTES] = '\0';
    if (clock_parse(copy, &value, NULL) != STATUS_OK)
        return false;
    clock_format_utc(value, again);
    if (strcmp(copy, again) != 0)
        return false;
    *time_ns = value;
    return true;
}

static bool digit(uint8_t c, uint8_t *value)
{
    if (c >= '0' && c <= '9')
        *value = (uint8_t)(c - '0');
    else if (c >= 'a' && c <= 'f')
        *value = (uint8_t)(c - 'a' + DECIMAL);
    else
        return false;
    return true;
}

bool spelling_hex(struct slice text, uint8_t *bytes, size_t len)
{
    if (text.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t high, low;
        if (!digit(text.data[2 * i], &high) || !digit(text.data[2 * i + 1], &low))
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool spelling_base64(struct slice text, uint8_t *bytes, size_t len)
{
    uint8_t read[BASE64_BYTES];
    char again[BASE64_TEXT + 1];
    size_t read_len;
    if (len > BASE64_BYTES || text.len != (len + 2) / 3 * 4 ||
        crypto_base64_decode((const char *)text.data, text.len, read, &read_len) != STATUS_OK ||
        read_len != len)
        return false;
    crypto_base64_encode(read, len, again); /* bits behind the end are none of ours */
    if (memcmp(again, text.data, text.len) != 0)
        return false;
    memcpy(bytes, read, len);
    return true;
}

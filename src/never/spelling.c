/* See spelling.h. */
#include "never/spelling.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
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

/* ---- names and keys ---- */

static bool is_of(struct slice text, const char *letters)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\0' || strchr(letters, text.data[i]) == NULL)
            return false;
    return text.len > 0 && text.len <= LIMIT_NAME_BYTES;
}

bool spelling_name(struct slice text)
{
    return is_of(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") && text.data[0] >= 'a';
}

bool spelling_column(struct slice text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$";
    const uint8_t *dot = text.len == 0 ? NULL : memchr(text.data, '.', text.len);
    if (dot == NULL)
        return false;
    size_t len = (size_t)(dot - text.data);
    return is_of(slice_of(text.data, len), letters) &&
           is_of(slice_of(dot + 1, text.len - len - 1), letters);
}

/* Unicode 15: format characters, and the fillers and selectors that are drawn as nothing. */
static bool is_unseen(uint32_t value)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0xAD, 0xAD},      {0x34F, 0x34F},   {0x61C, 0x61C},     {0x115F, 0x1160},
                  {0x17B4, 0x17B5},  {0x180B, 0x180F}, {0x200B, 0x200F},   {0x202A, 0x202E},
                  {0x2060, 0x206F},  {0x3164, 0x3164}, {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},
                  {0xFFA0, 0xFFA0},  {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A},
                  {0xE0000, 0xE0FFF}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (value >= ranges[i].first && value <= ranges[i].last)
            return true;
    return false;
}

bool spelling_key(struct slice text)
{
    if (text.len == 0 || !text_is_plain(text))
        return false;
    for (size_t at = 0; at < text.len;) {
        uint8_t lead = text.data[at++]; /* well formed: text_is_plain has looked */
        uint32_t value = lead < 0x80   ? lead
                         : lead < 0xE0 ? lead & 0x1FU
                         : lead < 0xF0 ? lead & 0x0FU
                                       : lead & 0x07U;
        while (at < text.len && (text.data[at] & 0xC0) == 0x80)
            value = value << 6 | (text.data[at++] & 0x3FU);
        if (is_unseen(value))
            return false;
    }
    return true;
}

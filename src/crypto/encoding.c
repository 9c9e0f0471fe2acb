/* Hexadecimal and base64 (RFC 4648). Strict: one text for each byte string, so that an encoded
 * key or proof cannot be varied without changing what it decodes to. Any thread. */
#include "crypto/crypto.h"

#include <string.h>

static const char base64_alphabet[65] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const char digits[] = "0123456789abcdef";

void crypto_hex(const void *data, size_t len, char *out)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

bool crypto_unhex(struct slice hex, void *out, size_t len)
{
    uint8_t *bytes = out;
    if (hex.len != 2 * len)
        return false;
    for (size_t i = 0; i < hex.len; i++) {
        const char *digit = memchr(digits, hex.data[i], sizeof digits - 1);
        if (digit == NULL)
            return false;
        bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | (digit - digits));
    }
    return true;
}

void crypto_base64_encode(const void *data, size_t len, char *out)
{
    const uint8_t *at = data;
    for (; len > 0; at += 3) {
        uint32_t group = (uint32_t)at[0] << 16;
        if (len > 1)
            group |= (uint32_t)at[1] << 8;
        if (len > 2)
            group |= at[2];
        *out++ = base64_alphabet[group >> 18];
        *out++ = base64_alphabet[group >> 12 & 63];
        *out++ = len > 1 ? base64_alphabet[group >> 6 & 63] : '=';
        *out++ = len > 2 ? base64_alphabet[group & 63] : '=';
        len -= len > 3 ? 3 : len;
    }
    *out = '\0';
}

/* -1 for a byte outside the alphabet. */
static int base64_value(char symbol)
{
    if (symbol >= 'A' && symbol <= 'Z')
        return symbol - 'A';
    if (symbol >= 'a' && symbol <= 'z')
        return symbol - 'a' + 26;
    if (symbol >= '0' && symbol <= '9')
        return symbol - '0' + 52;
    if (symbol == '+')
        return 62;
    return symbol == '/' ? 63 : -1;
}

/* Four symbols, the last `padding` of them '='; false on a bad symbol or stray bits (3.5). */
static bool decode_group(const char *text, size_t padding, uint8_t bytes[static 3])
{
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? base64_value(text[i]) : 0;
        if (value < 0)
            return false;
        group = group << 6 | (uint32_t)value;
    }
    if ((padding == 1 && (group & 0xFF) != 0) || (padding == 2 && (group & 0xFFFF) != 0))
        return false;
    bytes[0] = (uint8_t)(group >> 16);
    bytes[1] = (uint8_t)(group >> 8);
    bytes[2] = (uint8_t)group;
    return true;
}

enum status crypto_base64_decode(const char *text, size_t len, uint8_t *out, size_t *out_len)
{
    if (len % 4 != 0)
        return STATUS_INVALID;
    size_t written = 0;
    for (size_t at = 0; at < len; at += 4) {
        size_t padding = 0;
        if (at + 4 == len && text[at + 3] == '=')
            padding = text[at + 2] == '=' ? 2 : 1;
        uint8_t bytes[3];
        if (!decode_group(text + at, padding, bytes))
            return STATUS_INVALID;
        memcpy(out + written, bytes, 3 - padding);
        written += 3 - padding;
    }
    *out_len = written;
    return STATUS_OK;
}

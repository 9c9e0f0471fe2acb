/* See token.h. */
#include "crypto/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/crypto.h"

enum { FILE_BYTES = 256, INNER = 0x36, OUTER = 0x5C };

enum status token_secret_read(const char *path, uint8_t secret[static TOKEN_SECRET_BYTES],
                              struct error *error)
{
    struct buffer bytes;
    buffer_init(&bytes, FILE_BYTES);
    enum status status = file_read_secret(path, &bytes, error);
    if (status == STATUS_OK) {
        struct slice content = buffer_slice(&bytes);
        if (content.len != 2 * TOKEN_SECRET_BYTES)
            status = error_set(error, STATUS_INVALID, "F0000", "restore it from the backup",
                               "%s: not a secret of ours", path);
        else
            crypto_sha256(&content, 1, secret);
        crypto_wipe(bytes.data, bytes.len);
    }
    buffer_free(&bytes);
    return status;
}

void token_key(const uint8_t secret[static TOKEN_SECRET_BYTES], const char *partner,
               const char *domain, uint8_t key[static 32])
{
    const struct slice parts[] = {slice_of_text("token"), slice_of("", 1), slice_of_text(partner),
                                  slice_of("", 1), slice_of_text(domain)};
    crypto_hmac_sha256(slice_of(secret, TOKEN_SECRET_BYTES), parts, sizeof parts / sizeof parts[0],
                       key);
}

void token_pad(const uint8_t key[static 32], bool outer, uint8_t pad[static TOKEN_PAD_BYTES])
{
    memset(pad, outer ? OUTER : INNER, TOKEN_PAD_BYTES);
    for (size_t i = 0; i < 32; i++)
        pad[i] ^= key[i];
}

void token_make(const uint8_t key[static 32], struct slice value, char token[static TOKEN_ROOM])
{
    uint8_t mac[CRYPTO_SHA256_BYTES];
    crypto_hmac_sha256(slice_of(key, 32), &value, 1, mac);
    token[0] = 't';
    crypto_hex(mac, (TOKEN_ROOM - 2) / 2, token + 1);
}

/* ---- of a subject ---- */

enum { UUID_CHARS = 36, INTEGER_CHARS = 20 };

static bool read_integer(const char *subject, uint8_t bytes[static 8])
{
    char again[INTEGER_CHARS + 2];
    char *end;
    long long value = strtoll(subject, &end, 10);
    snprintf(again, sizeof again, "%lld", value);
    if (strcmp(again, subject) != 0)
        return false;
    store_u64be(bytes, (uint64_t)value);
    return true;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found == NULL ? -1 : (int)(found - digits);
}

static bool read_uuid(const char *subject, uint8_t bytes[static 16])
{
    size_t count = 0;
    if (strlen(subject) != UUID_CHARS)
        return false;
    for (const char *at = subject; *at != '\0'; at++) {
        size_t place = (size_t)(at - subject);
        bool dash = place == 8 || place == 13 || place == 18 || place == 23;
        if (dash && *at == '-')
            continue;
        int digit = hex_digit(*at);
        if (dash || digit < 0)
            return false;
        bytes[count / 2] = (uint8_t)(bytes[count / 2] << 4 | digit);
        count++;
    }
    return true;
}

size_t token_of_subject(const uint8_t key[static 32], const char *subject,
                        char tokens[static TOKEN_MOST][TOKEN_ROOM])
{
    uint8_t bytes[16] = {0};
    size_t count = 0;
    if (read_integer(subject, bytes))
        token_make(key, slice_of(bytes, 8), tokens[count++]);
    else if (read_uuid(subject, bytes))
        token_make(key, slice_of(bytes, 16), tokens[count++]);
    token_make(key, slice_of_text(subject), tokens[count++]);
    return count;
}

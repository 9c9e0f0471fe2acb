/* See token.h. */
#include "crypto/token.h"

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

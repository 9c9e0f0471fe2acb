/* What a SCRAM server stores for a password, in PostgreSQL's form (manual, "pg_authid").
 * No state, any thread. */
#include <assert.h>
#include <string.h>

#include "base/check.h"
#include "wire/scram.h"
#include "wire/scram_message.h"

enum { MADE_SALT_BYTES = 16 };

static const char prefix[] = "SCRAM-SHA-256$";

/* The text up to the delimiter, which is stepped over; false when it is not there. */
static bool split_at(struct slice *rest, char delimiter, struct slice *head)
{
    const uint8_t *found = rest->len == 0 ? NULL : memchr(rest->data, delimiter, rest->len);
    if (found == NULL)
        return false;
    size_t len = (size_t)(found - rest->data);
    *head = slice_of(rest->data, len);
    *rest = slice_of(found + 1, rest->len - len - 1);
    return true;
}

static bool decode_salt(struct slice text, struct scram_verifier *verifier)
{
    uint8_t salt[SCRAM_MAX_SALT_BYTES + 2];
    size_t len;
    if (text.len > 4 * ((SCRAM_MAX_SALT_BYTES + 2) / 3) ||
        crypto_base64_decode((const char *)text.data, text.len, salt, &len) != STATUS_OK ||
        len < 1 || len > SCRAM_MAX_SALT_BYTES)
        return false;
    memcpy(verifier->salt, salt, len);
    verifier->salt_len = len;
    return true;
}

enum status scram_verifier_parse(const char *text, struct scram_verifier *verifier,
                                 struct error *error)
{
    struct scram_verifier parsed = {0};
    struct slice rest = slice_of_text(text), iterations, salt, stored_key;
    bool valid = strncmp(text, prefix, strlen(prefix)) == 0;
    if (valid) {
        rest = slice_of(rest.data + strlen(prefix), rest.len - strlen(prefix));
        valid =
            split_at(&rest, ':', &iterations) && split_at(&rest, '$', &salt) &&
            split_at(&rest, ':', &stored_key) &&
            scram_iterations_parse(iterations, SCRAM_MAX_VERIFIER_ITERATIONS, &parsed.iterations) &&
            parsed.iterations >= SCRAM_DEFAULT_ITERATIONS && decode_salt(salt, &parsed) &&
            scram_key_decode(stored_key, parsed.stored_key) &&
            scram_key_decode(rest, parsed.server_key);
    }
    if (valid)
        *verifier = parsed;
    crypto_wipe(&parsed, sizeof parsed);
    if (valid)
        return STATUS_OK;
    return error_set(error, STATUS_INVALID, "F0000",
                     "Expected SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, with "
                     "4096 to 10000000 iterations and a salt of at most 64 bytes.",
                     "not a SCRAM verifier");
}

void scram_verifier_make(struct slice password, uint32_t iterations,
                         struct scram_verifier *verifier)
{
    CHECK(iterations >= 1 && iterations <= SCRAM_MAX_VERIFIER_ITERATIONS);
    *verifier = (struct scram_verifier){.iterations = iterations, .salt_len = MADE_SALT_BYTES};
    crypto_random(verifier->salt, verifier->salt_len);
    struct scram_keys keys;
    scram_keys_derive(password, slice_of(verifier->salt, verifier->salt_len), iterations, &keys);
    memcpy(verifier->stored_key, keys.stored_key, sizeof verifier->stored_key);
    memcpy(verifier->server_key, keys.server_key, sizeof verifier->server_key);
    crypto_wipe(&keys, sizeof keys);
}

void scram_verifier_print(const struct scram_verifier *verifier, struct buffer *out)
{
    char salt[4 * ((SCRAM_MAX_SALT_BYTES + 2) / 3) + 1];
    char stored_key[SCRAM_KEY_BASE64_CHARS + 1], server_key[SCRAM_KEY_BASE64_CHARS + 1];
    CHECK(verifier->salt_len <= SCRAM_MAX_SALT_BYTES);
    crypto_base64_encode(verifier->salt, verifier->salt_len, salt);
    crypto_base64_encode(verifier->stored_key, sizeof verifier->stored_key, stored_key);
    crypto_base64_encode(verifier->server_key, sizeof verifier->server_key, server_key);
    buffer_printf(out, "%s%u:%s$%s:%s", prefix, verifier->iterations, salt, stored_key, server_key);
    crypto_wipe(server_key, sizeof server_key);
}

/* The stored key is the output of a keyed hash: nobody knows a client key that hashes to it. */
void scram_verifier_mock(struct slice secret, const char *user, uint32_t iterations,
                         size_t salt_len, struct scram_verifier *verifier)
{
    static_assert(SCRAM_MAX_SALT_BYTES == 64, "two digests are the longest salt");
    CHECK(salt_len >= 1 && salt_len <= SCRAM_MAX_SALT_BYTES);
    struct slice salt[] = {slice_of_text("cofferdam scram mock salt\n"), slice_of_text(user)};
    struct slice more[] = {slice_of_text("cofferdam scram mock salt, more\n"), slice_of_text(user)};
    struct slice key[] = {slice_of_text("cofferdam scram mock key\n"), slice_of_text(user)};
    *verifier = (struct scram_verifier){.iterations = iterations, .salt_len = salt_len};
    crypto_hmac_sha256(secret, salt, 2, verifier->salt);
    crypto_hmac_sha256(secret, more, 2, verifier->salt + 32);
    crypto_hmac_sha256(secret, key, 2, verifier->stored_key);
    crypto_random(verifier->server_key, sizeof verifier->server_key);
}

/* AES-256-GCM (NIST SP 800-38D) with random nonces: nonce ‖ ciphertext ‖ tag.
 * A random 96-bit nonce bounds one key to 2^32 sealed messages (section 8.3 there). Any thread. */
#include "crypto/crypto.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/check.h"

enum { NONCE_BYTES = 12, TAG_BYTES = 16 };
static_assert(NONCE_BYTES + TAG_BYTES == CRYPTO_AEAD_OVERHEAD_BYTES, "format of sealed bytes");

static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *aes_256_gcm;

static void fetch(void)
{
    aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    CHECK(aes_256_gcm != NULL);
}

static EVP_CIPHER_CTX *new_context(void)
{
    pthread_once(&fetch_once, fetch);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    CHECK(context != NULL);
    return context;
}

void crypto_seal(const uint8_t key[static 32], struct slice aad, struct slice plain,
                 struct buffer *out)
{
    CHECK(plain.len <= INT_MAX - CRYPTO_AEAD_OVERHEAD_BYTES && aad.len <= INT_MAX);
    uint8_t *room = buffer_reserve(out, plain.len + CRYPTO_AEAD_OVERHEAD_BYTES);
    if (room == NULL)
        return;
    uint8_t *cipher = room + NONCE_BYTES, *tag = cipher + plain.len;
    crypto_random(room, NONCE_BYTES);

    EVP_CIPHER_CTX *context = new_context();
    int len;
    CHECK(EVP_EncryptInit_ex2(context, aes_256_gcm, key, room, NULL) == 1);
    if (aad.len > 0)
        CHECK(EVP_EncryptUpdate(context, NULL, &len, aad.data, (int)aad.len) == 1);
    if (plain.len > 0)
        CHECK(EVP_EncryptUpdate(context, cipher, &len, plain.data, (int)plain.len) == 1);
    CHECK(EVP_EncryptFinal_ex(context, tag, &len) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1);
    EVP_CIPHER_CTX_free(context);
    out->len += plain.len + CRYPTO_AEAD_OVERHEAD_BYTES;
}

/* Decrypts into plain, which has room for cipher.len bytes; false when the tag does not match. */
static bool decrypt(const uint8_t *key, const uint8_t *nonce, struct slice aad, struct slice cipher,
                    const uint8_t *tag, uint8_t *plain)
{
    uint8_t expected[TAG_BYTES], end[1];
    for (size_t i = 0; i < sizeof expected; i++)
        expected[i] = tag[i];
    EVP_CIPHER_CTX *context = new_context();
    int len;
    CHECK(EVP_DecryptInit_ex2(context, aes_256_gcm, key, nonce, NULL) == 1);
    if (aad.len > 0)
        CHECK(EVP_DecryptUpdate(context, NULL, &len, aad.data, (int)aad.len) == 1);
    if (cipher.len > 0)
        CHECK(EVP_DecryptUpdate(context, plain, &len, cipher.data, (int)cipher.len) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, expected) == 1);
    bool matches = EVP_DecryptFinal_ex(context, end, &len) == 1;
    EVP_CIPHER_CTX_free(context);
    if (!matches)
        ERR_clear_error(); /* what stays in the queue would be taken for TLS's */
    return matches;
}

enum status crypto_open(const uint8_t key[static 32], struct slice aad, struct slice sealed,
                        struct buffer *out)
{
    if (sealed.len < CRYPTO_AEAD_OVERHEAD_BYTES || sealed.len > INT_MAX || aad.len > INT_MAX)
        return STATUS_CORRUPT;
    struct slice cipher =
        slice_of(sealed.data + NONCE_BYTES, sealed.len - CRYPTO_AEAD_OVERHEAD_BYTES);
    uint8_t *plain = buffer_reserve(out, cipher.len);
    if (plain == NULL)
        return STATUS_NOMEM;
    if (!decrypt(key, sealed.data, aad, cipher, cipher.data + cipher.len, plain)) {
        crypto_wipe(plain, cipher.len);
        return STATUS_CORRUPT;
    }
    out->len += cipher.len;
    return STATUS_OK;
}

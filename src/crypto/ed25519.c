/* Ed25519 (RFC 8032, 5.1) over libcrypto, points over libsodium: keys are raw, signatures
 * deterministic. Any thread.
 * Keys are parsed for each call: that costs a tenth of the signature and keeps no secret about. */
#include "crypto/crypto.h"

#include <openssl/evp.h>
#include <sodium.h>

#include "base/check.h"

static EVP_PKEY *private_key(const uint8_t seed[static CRYPTO_ED25519_SEED_BYTES])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, CRYPTO_ED25519_SEED_BYTES);
    CHECK(key != NULL);
    return key;
}

void crypto_ed25519_public(const uint8_t seed[static CRYPTO_ED25519_SEED_BYTES],
                           uint8_t public_key[static CRYPTO_ED25519_PUBLIC_BYTES])
{
    EVP_PKEY *key = private_key(seed);
    size_t len = CRYPTO_ED25519_PUBLIC_BYTES;
    CHECK(EVP_PKEY_get_raw_public_key(key, public_key, &len) == 1);
    CHECK(len == CRYPTO_ED25519_PUBLIC_BYTES);
    EVP_PKEY_free(key);
}

void crypto_ed25519_sign(const uint8_t seed[static CRYPTO_ED25519_SEED_BYTES], struct slice message,
                         uint8_t signature[static CRYPTO_ED25519_SIGNATURE_BYTES])
{
    EVP_PKEY *key = private_key(seed);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t len = CRYPTO_ED25519_SIGNATURE_BYTES;
    CHECK(context != NULL);
    CHECK(EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1);
    CHECK(EVP_DigestSign(context, signature, &len, message.data, message.len) == 1);
    CHECK(len == CRYPTO_ED25519_SIGNATURE_BYTES);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

bool crypto_ed25519_verify(const uint8_t public_key[static CRYPTO_ED25519_PUBLIC_BYTES],
                           struct slice message,
                           const uint8_t signature[static CRYPTO_ED25519_SIGNATURE_BYTES])
{
    /* A string of bytes that is no point of the curve is found out only when it is used. */
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key,
                                                CRYPTO_ED25519_PUBLIC_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    CHECK(context != NULL);
    bool good = key != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(context, signature, CRYPTO_ED25519_SIGNATURE_BYTES, message.data,
                                 message.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}

bool crypto_ed25519_is_key(const uint8_t public_key[static CRYPTO_ED25519_PUBLIC_BYTES])
{
    return crypto_core_ed25519_is_valid_point(public_key) == 1;
}

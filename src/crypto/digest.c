/* SHA-256, HMAC-SHA-256 and PBKDF2 over libcrypto.
 * The algorithm is fetched once a process and the context kept once a thread: fetching and
 * allocating cost several times the hashing of a short input. Any thread. */
#include "crypto/crypto.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/check.h"

enum { SHA256_BLOCK_BYTES = 64 };

static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;
static EVP_MD *sha256;

static void free_context(void *context)
{
    EVP_MD_CTX_free(context);
}

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    CHECK(sha256 != NULL);
    CHECK(pthread_key_create(&context_key, free_context) == 0);
}

static EVP_MD_CTX *thread_context(void)
{
    pthread_once(&fetch_once, fetch);
    EVP_MD_CTX *context = pthread_getspecific(context_key);
    if (context == NULL) {
        context = EVP_MD_CTX_new();
        CHECK(context != NULL);
        CHECK(pthread_setspecific(context_key, context) == 0);
    }
    return context;
}

/* The hash of a block (may be NULL) and then of the parts. */
static void hash_parts(const uint8_t *block, const struct slice *parts, size_t count,
                       uint8_t digest[static 32])
{
    EVP_MD_CTX *context = thread_context();
    CHECK(EVP_DigestInit_ex2(context, sha256, NULL) == 1);
    if (block != NULL)
        CHECK(EVP_DigestUpdate(context, block, SHA256_BLOCK_BYTES) == 1);
    for (size_t i = 0; i < count; i++)
        CHECK(EVP_DigestUpdate(context, parts[i].data, parts[i].len) == 1);
    CHECK(EVP_DigestFinal_ex(context, digest, NULL) == 1);
}

void crypto_sha256(const struct slice *parts, size_t count, uint8_t digest[static 32])
{
    hash_parts(NULL, parts, count, digest);
}

/* RFC 2104, section 2, written out over the hash: libcrypto's EVP_MAC looks its digest up anew
 * for every key, which takes longer than the four compressions of a short message. */
void crypto_hmac_sha256(struct slice key, const struct slice *parts, size_t count,
                        uint8_t mac[static 32])
{
    uint8_t pad[SHA256_BLOCK_BYTES] = {0}, inner[32];
    if (key.len > sizeof pad)
        crypto_sha256(&key, 1, pad);
    else if (key.len > 0)
        memcpy(pad, key.data, key.len);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36;
    hash_parts(pad, parts, count, inner);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    struct slice inner_part = slice_of(inner, sizeof inner);
    hash_parts(pad, &inner_part, 1, mac);
    crypto_wipe(pad, sizeof pad);
    crypto_wipe(inner, sizeof inner);
}

void crypto_pbkdf2_sha256(struct slice password, struct slice salt, uint32_t iterations,
                          uint8_t out[static 32])
{
    CHECK(iterations >= 1 && iterations <= INT_MAX);
    CHECK(password.len <= INT_MAX && salt.len <= INT_MAX);
    pthread_once(&fetch_once, fetch);
    const char *text = password.len > 0 ? (const char *)password.data : "";
    CHECK(PKCS5_PBKDF2_HMAC(text, (int)password.len, salt.data, (int)salt.len, (int)iterations,
                            sha256, CRYPTO_SHA256_BYTES, out) == 1);
}

/* Random bytes, wiping, comparison in constant time. Any thread. */
#include "crypto/crypto.h"

#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/check.h"

void crypto_random(void *out, size_t len)
{
    CHECK(len <= INT_MAX);
    CHECK(RAND_bytes(out, (int)len) == 1);
}

void crypto_wipe(void *secret, size_t len)
{
    if (len > 0)
        OPENSSL_cleanse(secret, len);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}

/* SipHash-2-4 by libsodium. https://www.aumasson.jp/siphash/siphash.pdf */
#include "crypto/crypto.h"

#include <sodium.h>

#include "base/check.h"

uint64_t crypto_short_hash(const uint8_t key[static 16], const void *data, size_t len)
{
    uint8_t hash[crypto_shorthash_BYTES];
    _Static_assert(crypto_shorthash_KEYBYTES == 16, "a key of SipHash");
    CHECK(crypto_shorthash(hash, data, len, key) == 0);
    return load_u64be(hash);
}

/* Token buckets as the time at which they will be full again (GCRA, ITU-T I.371): one number each.
 * Addresses are spread over sets by a keyed hash, so that nobody can choose whom to push out. */
#include "portal/allowance.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

enum { SETS = 16384, WAYS = 4, HASH_KEY_BYTES = 32 };
#define NANOSECONDS_PER_MS INT64_C(1000000)

struct bucket {
    uint64_t tag;    /* of the address; 0: free */
    int64_t full_ns; /* when it will be full; the more it was used, the later */
};
struct allowance {
    struct allowance_rate one, all;
    uint8_t hash_key[HASH_KEY_BYTES];
    int64_t all_full_ns;
    struct bucket sets[SETS][WAYS];
};

enum status allowance_new(struct allowance_rate one, struct allowance_rate all,
                          struct allowance **allowance)
{
    struct allowance *made = calloc(1, sizeof *made);
    if (made == NULL)
        return STATUS_NOMEM;
    made->one = one;
    made->all = all;
    made->all_full_ns = INT64_MIN;
    crypto_random(made->hash_key, sizeof made->hash_key);
    *allowance = made;
    return STATUS_OK;
}

void allowance_free(struct allowance *allowance)
{
    free(allowance);
}

/* When the bucket would be full after one more token was taken now. */
static int64_t full_after(struct allowance_rate rate, int64_t full_ns, int64_t now_ns)
{
    return (full_ns > now_ns ? full_ns : now_ns) + rate.interval_ms * NANOSECONDS_PER_MS;
}

static bool allowed(struct allowance_rate rate, int64_t full_after_ns, int64_t now_ns)
{
    return full_after_ns - now_ns <= (int64_t)rate.most * rate.interval_ms * NANOSECONDS_PER_MS;
}

/* The address's bucket, or the one that takes its place: the one that is fullest by now. */
static struct bucket *find(struct allowance *allowance, const struct in6_addr *address)
{
    uint8_t mac[CRYPTO_SHA256_BYTES];
    bool mapped = IN6_IS_ADDR_V4MAPPED(address);
    struct slice network = slice_of(address->s6_addr, mapped ? 16 : 8);
    crypto_hmac_sha256(slice_of(allowance->hash_key, HASH_KEY_BYTES), &network, 1, mac);
    struct bucket *set = allowance->sets[load_u32be(mac) % SETS], *oldest = set;
    uint64_t tag = load_u64be(mac + 8) | 1;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].tag == tag)
            return &set[i];
        if (set[i].tag == 0 || (oldest->tag != 0 && set[i].full_ns < oldest->full_ns))
            oldest = &set[i];
    }
    *oldest = (struct bucket){.tag = tag, .full_ns = INT64_MIN};
    return oldest;
}

bool allowance_take(struct allowance *allowance, const struct in6_addr *address, int64_t now_ns)
{
    struct bucket *bucket = find(allowance, address);
    int64_t one_ns = full_after(allowance->one, bucket->full_ns, now_ns);
    int64_t all_ns = full_after(allowance->all, allowance->all_full_ns, now_ns);
    if (!allowed(allowance->one, one_ns, now_ns) || !allowed(allowance->all, all_ns, now_ns))
        return false;
    bucket->full_ns = one_ns;
    allowance->all_full_ns = all_ns;
    return true;
}

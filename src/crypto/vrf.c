/* See vrf.h. Section numbers are RFC 9381's. libsodium multiplies points of the prime-order
 * subgroup only, but adds any two points of the curve: so the cofactor of a hashed point is cleared
 * by three doublings, and the one of Gamma by a multiplication with 8x, which is the same point. */
#include "crypto/vrf.h"

#include <pthread.h>
#include <string.h>

#include <sodium.h>

#include "base/check.h"

enum {
    POINT_BYTES = 32,
    SCALAR_BYTES = 32,
    CHALLENGE_BYTES = 16,
    HASH_BYTES = 64,
    SUITE = 0x03, /* ECVRF-EDWARDS25519-SHA512-TAI, 5.5 */
    FRONT_ENCODE = 0x01,
    FRONT_CHALLENGE = 0x02,
    FRONT_OUTPUT = 0x03,
    BACK = 0x00,
    TRIES = 256, /* each succeeds with probability of about a half */
    CHALLENGE_POINTS = 5,
    LOW_ENDS = 2,
};

static pthread_once_t sodium_once = PTHREAD_ONCE_INIT;

static void start_sodium(void)
{
    CHECK(sodium_init() >= 0);
}

/* ---- points ---- */

/* y below 2^255 - 19, and no negative zero: what RFC 8032, 5.1.3, demands of an encoding. Whether
 * there is such a point is for the curve to say. */
static bool is_canonical(const uint8_t point[POINT_BYTES])
{
    static const uint8_t zero_x[LOW_ENDS] = {0x01, 0xEC}; /* y = 1 and y = -1 */
    bool all_ones = (point[31] & 0x7F) == 0x7F, all_zeros = (point[31] & 0x7F) == 0;
    for (size_t i = 1; i < POINT_BYTES - 1; i++) {
        all_ones = all_ones && point[i] == 0xFF;
        all_zeros = all_zeros && point[i] == 0;
    }
    if (all_ones && point[0] >= 0xED)
        return false;
    bool negative = (point[31] & 0x80) != 0;
    bool x_is_zero = (all_zeros && point[0] == zero_x[0]) || (all_ones && point[0] == zero_x[1]);
    return !negative || !x_is_zero;
}

static bool is_identity(const uint8_t point[POINT_BYTES])
{
    static const uint8_t identity[POINT_BYTES] = {1};
    return memcmp(point, identity, POINT_BYTES) == 0;
}

/* 5.4.1.1: the salt is the public key. */
static bool try_encode(const uint8_t public_key[POINT_BYTES], struct slice input, uint8_t counter,
                       uint8_t point[POINT_BYTES])
{
    static const uint8_t front[] = {SUITE, FRONT_ENCODE};
    const uint8_t back[] = {counter, BACK};
    uint8_t hash[HASH_BYTES];
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, front, sizeof front);
    crypto_hash_sha512_update(&state, public_key, POINT_BYTES);
    if (input.len > 0)
        crypto_hash_sha512_update(&state, input.data, input.len);
    crypto_hash_sha512_update(&state, back, sizeof back);
    crypto_hash_sha512_final(&state, hash);
    if (!is_canonical(hash) || crypto_core_ed25519_add(point, hash, hash) != 0)
        return false;
    return crypto_core_ed25519_add(point, point, point) == 0 &&
           crypto_core_ed25519_add(point, point, point) == 0 && !is_identity(point);
}

/* False with a probability of 2^-256. */
static bool encode_to_curve(const uint8_t public_key[POINT_BYTES], struct slice input,
                            uint8_t point[POINT_BYTES])
{
    for (unsigned counter = 0; counter < TRIES; counter++)
        if (try_encode(public_key, input, (uint8_t)counter, point))
            return true;
    return false;
}

/* 5.4.3 */
static void challenge_of(const uint8_t *const points[CHALLENGE_POINTS],
                         uint8_t challenge[SCALAR_BYTES])
{
    static const uint8_t front[] = {SUITE, FRONT_CHALLENGE}, back[] = {BACK};
    uint8_t hash[HASH_BYTES];
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, front, sizeof front);
    for (size_t i = 0; i < CHALLENGE_POINTS; i++)
        crypto_hash_sha512_update(&state, points[i], POINT_BYTES);
    crypto_hash_sha512_update(&state, back, sizeof back);
    crypto_hash_sha512_final(&state, hash);
    memset(challenge, 0, SCALAR_BYTES);
    memcpy(challenge, hash, CHALLENGE_BYTES);
}

/* 5.2; eight_gamma is Gamma with the cofactor. */
static void output_of(const uint8_t eight_gamma[POINT_BYTES], uint8_t output[VRF_OUTPUT_BYTES])
{
    static const uint8_t front[] = {SUITE, FRONT_OUTPUT}, back[] = {BACK};
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, front, sizeof front);
    crypto_hash_sha512_update(&state, eight_gamma, POINT_BYTES);
    crypto_hash_sha512_update(&state, back, sizeof back);
    crypto_hash_sha512_final(&state, output);
}

/* ---- the holder of the secret ---- */

void vrf_key_derive(const uint8_t seed[static VRF_SEED_BYTES], struct vrf_key *key)
{
    uint8_t hash[HASH_BYTES], wide[HASH_BYTES] = {0}, eight[SCALAR_BYTES] = {8};
    pthread_once(&sodium_once, start_sodium);
    crypto_hash_sha512(hash, seed, VRF_SEED_BYTES);
    hash[0] &= 0xF8;
    hash[31] = (hash[31] & 0x7F) | 0x40;
    memcpy(wide, hash, SCALAR_BYTES);
    crypto_core_ed25519_scalar_reduce(key->scalar, wide);
    crypto_core_ed25519_scalar_mul(key->scalar_eight, key->scalar, eight);
    memcpy(key->nonce_key, hash + SCALAR_BYTES, sizeof key->nonce_key);
    CHECK(crypto_scalarmult_ed25519_base_noclamp(key->public_key, key->scalar) == 0);
    sodium_memzero(hash, sizeof hash);
    sodium_memzero(wide, sizeof wide);
}

void vrf_output(const struct vrf_key *key, struct slice input,
                uint8_t output[static VRF_OUTPUT_BYTES])
{
    uint8_t point[POINT_BYTES], eight_gamma[POINT_BYTES];
    CHECK(encode_to_curve(key->public_key, input, point));
    CHECK(crypto_scalarmult_ed25519_noclamp(eight_gamma, key->scalar_eight, point) == 0);
    output_of(eight_gamma, output);
}

/* 5.4.2.2 */
static void make_nonce(const struct vrf_key *key, const uint8_t point[POINT_BYTES],
                       uint8_t nonce[SCALAR_BYTES])
{
    uint8_t hash[HASH_BYTES];
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, key->nonce_key, sizeof key->nonce_key);
    crypto_hash_sha512_update(&state, point, POINT_BYTES);
    crypto_hash_sha512_final(&state, hash);
    crypto_core_ed25519_scalar_reduce(nonce, hash);
    sodium_memzero(hash, sizeof hash);
    sodium_memzero(&state, sizeof state);
}

void vrf_prove(const struct vrf_key *key, struct slice input, uint8_t proof[static VRF_PROOF_BYTES],
               uint8_t output[static VRF_OUTPUT_BYTES])
{
    uint8_t point[POINT_BYTES], gamma[POINT_BYTES], u[POINT_BYTES], v[POINT_BYTES];
    uint8_t nonce[SCALAR_BYTES], challenge[SCALAR_BYTES], answer[SCALAR_BYTES];
    CHECK(encode_to_curve(key->public_key, input, point));
    CHECK(crypto_scalarmult_ed25519_noclamp(gamma, key->scalar, point) == 0);
    make_nonce(key, point, nonce);
    CHECK(crypto_scalarmult_ed25519_base_noclamp(u, nonce) == 0);
    CHECK(crypto_scalarmult_ed25519_noclamp(v, nonce, point) == 0);
    challenge_of((const uint8_t *const[]){key->public_key, point, gamma, u, v}, challenge);
    crypto_core_ed25519_scalar_mul(answer, challenge, key->scalar);
    crypto_core_ed25519_scalar_add(answer, answer, nonce);
    memcpy(proof, gamma, POINT_BYTES);
    memcpy(proof + POINT_BYTES, challenge, CHALLENGE_BYTES);
    memcpy(proof + POINT_BYTES + CHALLENGE_BYTES, answer, SCALAR_BYTES);
    sodium_memzero(nonce, sizeof nonce);
    vrf_output(key, input, output);
}

/* ---- everybody ---- */

static bool is_reduced(const uint8_t scalar[SCALAR_BYTES])
{
    uint8_t wide[HASH_BYTES] = {0}, reduced[SCALAR_BYTES];
    memcpy(wide, scalar, SCALAR_BYTES);
    crypto_core_ed25519_scalar_reduce(reduced, wide);
    return memcmp(reduced, scalar, SCALAR_BYTES) == 0;
}

/* left * a - right * b. False for a scalar of zero or a point that is not of the subgroup; a NULL:
 * the base point. */
static bool combine(const uint8_t left[SCALAR_BYTES], const uint8_t *a,
                    const uint8_t right[SCALAR_BYTES], const uint8_t b[POINT_BYTES],
                    uint8_t sum[POINT_BYTES])
{
    uint8_t first[POINT_BYTES], second[POINT_BYTES];
    int failed = a == NULL ? crypto_scalarmult_ed25519_base_noclamp(first, left)
                           : crypto_scalarmult_ed25519_noclamp(first, left, a);
    return failed == 0 && crypto_scalarmult_ed25519_noclamp(second, right, b) == 0 &&
           crypto_core_ed25519_sub(sum, first, second) == 0;
}

bool vrf_verify(const uint8_t public_key[static VRF_PUBLIC_BYTES], struct slice input,
                const uint8_t proof[static VRF_PROOF_BYTES],
                uint8_t output[static VRF_OUTPUT_BYTES])
{
    static const uint8_t eight[SCALAR_BYTES] = {8};
    const uint8_t *gamma = proof, *answer = proof + POINT_BYTES + CHALLENGE_BYTES;
    uint8_t point[POINT_BYTES], u[POINT_BYTES], v[POINT_BYTES], eight_gamma[POINT_BYTES];
    uint8_t challenge[SCALAR_BYTES] = {0}, expected[SCALAR_BYTES];
    pthread_once(&sodium_once, start_sodium);
    memcpy(challenge, proof + POINT_BYTES, CHALLENGE_BYTES);
    if (!is_canonical(public_key) || crypto_core_ed25519_is_valid_point(public_key) != 1 ||
        !is_canonical(gamma) || crypto_core_ed25519_is_valid_point(gamma) != 1 ||
        !is_reduced(answer) || !encode_to_curve(public_key, input, point))
        return false;
    if (!combine(answer, NULL, challenge, public_key, u) ||
        !combine(answer, point, challenge, gamma, v))
        return false;
    challenge_of((const uint8_t *const[]){public_key, point, gamma, u, v}, expected);
    if (sodium_memcmp(challenge, expected, SCALAR_BYTES) != 0 ||
        crypto_scalarmult_ed25519_noclamp(eight_gamma, eight, gamma) != 0)
        return false;
    output_of(eight_gamma, output);
    return true;
}

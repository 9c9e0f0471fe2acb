/* HPKE's base mode (RFC 9180). Section numbers below are its. Every box has a key pair of its own,
 * whose private half is wiped as soon as the box is closed. Any thread. */
#include "crypto/sealed_box.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/check.h"
#include "crypto/crypto.h"

enum {
    ENC_BYTES = 32,
    TAG_BYTES = 16,
    AES_KEY_BYTES = 16,
    NONCE_BYTES = 12,
    HASH_BYTES = CRYPTO_SHA256_BYTES
};
static_assert(ENC_BYTES + TAG_BYTES == SEALED_BOX_OVERHEAD_BYTES, "format of a box");

static const uint8_t kem_suite[] = {'K', 'E', 'M', 0x00, 0x20}; /* 4.1 */
static const uint8_t hpke_suite[] = {'H',  'P',  'K',  'E',  0x00,
                                     0x20, 0x00, 0x01, 0x00, 0x01}; /* 5.1 */
#define KEM_SUITE  slice_of(kem_suite, sizeof kem_suite)
#define HPKE_SUITE slice_of(hpke_suite, sizeof hpke_suite)

static const struct slice nothing = {(const uint8_t *)"", 0};

/* What both sides come to share: the key of one box. */
struct box_key {
    uint8_t key[AES_KEY_BYTES], nonce[NONCE_BYTES];
};

/* Section 4, LabeledExtract; RFC 5869's Extract is an HMAC under the salt. */
static void labeled_extract(struct slice suite, struct slice salt, const char *label,
                            struct slice input, uint8_t out[static HASH_BYTES])
{
    const struct slice parts[] = {slice_of_text("HPKE-v1"), suite, slice_of_text(label), input};
    crypto_hmac_sha256(salt, parts, 4, out);
}

/* Section 4, LabeledExpand, for at most one block. */
static void labeled_expand(struct slice suite, const uint8_t secret[static HASH_BYTES],
                           const char *label, struct slice info, uint8_t *out, size_t len)
{
    CHECK(len <= HASH_BYTES);
    const uint8_t length[2] = {0, (uint8_t)len}, block_number = 1;
    const struct slice parts[] = {
        slice_of(length, 2),       slice_of_text("HPKE-v1"), suite, slice_of_text(label), info,
        slice_of(&block_number, 1)};
    uint8_t block[HASH_BYTES];
    crypto_hmac_sha256(slice_of(secret, HASH_BYTES), parts, 6, block);
    memcpy(out, block, len);
    crypto_wipe(block, sizeof block);
}

static EVP_PKEY *private_half(const uint8_t private_key[static 32])
{
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, 32);
    CHECK(pair != NULL);
    return pair;
}

void sealed_box_public_key(const uint8_t private_key[static 32], uint8_t public_key[static 32])
{
    EVP_PKEY *pair = private_half(private_key);
    size_t len = ENC_BYTES;
    CHECK(EVP_PKEY_get_raw_public_key(pair, public_key, &len) == 1 && len == ENC_BYTES);
    EVP_PKEY_free(pair);
}

/* X25519; false where the other side's point is of low order and the secret would be known to all
 * (7.1.4). */
static bool agree(const uint8_t private_key[static 32], const uint8_t public_key[static 32],
                  uint8_t shared[static 32])
{
    EVP_PKEY *ours = private_half(private_key);
    EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, public_key, 32);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(ours, NULL);
    CHECK(theirs != NULL && context != NULL);
    size_t len = 32;
    CHECK(EVP_PKEY_derive_init(context) == 1);
    bool agreed = EVP_PKEY_derive_set_peer(context, theirs) == 1 &&
                  EVP_PKEY_derive(context, shared, &len) == 1 && len == 32;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(theirs);
    EVP_PKEY_free(ours);
    if (!agreed)
        ERR_clear_error(); /* what stays in the queue would be taken for TLS's */
    return agreed;
}

/* 4.1 (ExtractAndExpand) and 5.1 (KeySchedule, mode_base). */
static void schedule(const uint8_t dh[static 32], const uint8_t enc[static 32],
                     const uint8_t public_key[static 32], struct slice info, struct box_key *key)
{
    uint8_t secret[HASH_BYTES], shared[HASH_BYTES], context[1 + 2 * HASH_BYTES] = {0};
    uint8_t ends[2 * ENC_BYTES];
    memcpy(ends, enc, ENC_BYTES);
    memcpy(ends + ENC_BYTES, public_key, ENC_BYTES);
    labeled_extract(KEM_SUITE, nothing, "eae_prk", slice_of(dh, 32), secret);
    labeled_expand(KEM_SUITE, secret, "shared_secret", slice_of(ends, sizeof ends), shared,
                   sizeof shared);

    labeled_extract(HPKE_SUITE, nothing, "psk_id_hash", nothing, context + 1);
    labeled_extract(HPKE_SUITE, nothing, "info_hash", info, context + 1 + HASH_BYTES);
    labeled_extract(HPKE_SUITE, slice_of(shared, sizeof shared), "secret", nothing, secret);
    struct slice whole = slice_of(context, sizeof context);
    labeled_expand(HPKE_SUITE, secret, "key", whole, key->key, sizeof key->key);
    labeled_expand(HPKE_SUITE, secret, "base_nonce", whole, key->nonce, sizeof key->nonce);
    crypto_wipe(secret, sizeof secret);
    crypto_wipe(shared, sizeof shared);
}

static EVP_CIPHER_CTX *start(const struct box_key *key, struct slice aad, int encrypts)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int len;
    CHECK(context != NULL);
    CHECK(EVP_CipherInit_ex2(context, EVP_aes_128_gcm(), key->key, key->nonce, encrypts, NULL) ==
          1);
    if (aad.len > 0)
        CHECK(EVP_CipherUpdate(context, NULL, &len, aad.data, (int)aad.len) == 1);
    return context;
}

enum status sealed_box_seal(const uint8_t public_key[static 32], struct slice info,
                            struct slice aad, struct slice plain, uint8_t *box)
{
    CHECK(plain.len <= INT_MAX && aad.len <= INT_MAX);
    uint8_t private_key[32], dh[32], tag[TAG_BYTES];
    struct box_key key;
    crypto_random(private_key, sizeof private_key);
    sealed_box_public_key(private_key, box);
    bool agreed = agree(private_key, public_key, dh);
    crypto_wipe(private_key, sizeof private_key);
    if (!agreed)
        return STATUS_INVALID;
    schedule(dh, box, public_key, info, &key);
    crypto_wipe(dh, sizeof dh);

    EVP_CIPHER_CTX *context = start(&key, aad, 1);
    int len;
    if (plain.len > 0)
        CHECK(EVP_CipherUpdate(context, box + ENC_BYTES, &len, plain.data, (int)plain.len) == 1);
    CHECK(EVP_CipherFinal_ex(context, tag, &len) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1);
    memcpy(box + ENC_BYTES + plain.len, tag, TAG_BYTES);
    EVP_CIPHER_CTX_free(context);
    crypto_wipe(&key, sizeof key);
    return STATUS_OK;
}

enum status sealed_box_open(const uint8_t private_key[static 32], struct slice info,
                            struct slice aad, struct slice box, uint8_t *plain)
{
    if (box.len < SEALED_BOX_OVERHEAD_BYTES || box.len > INT_MAX || aad.len > INT_MAX)
        return STATUS_CORRUPT;
    size_t plain_len = box.len - SEALED_BOX_OVERHEAD_BYTES;
    uint8_t public_key[32], dh[32], tag[TAG_BYTES], end[TAG_BYTES];
    struct box_key key;
    sealed_box_public_key(private_key, public_key);
    if (!agree(private_key, box.data, dh))
        return STATUS_CORRUPT;
    schedule(dh, box.data, public_key, info, &key);
    crypto_wipe(dh, sizeof dh);

    EVP_CIPHER_CTX *context = start(&key, aad, 0);
    int len;
    if (plain_len > 0)
        CHECK(EVP_CipherUpdate(context, plain, &len, box.data + ENC_BYTES, (int)plain_len) == 1);
    memcpy(tag, box.data + ENC_BYTES + plain_len, TAG_BYTES);
    CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1);
    bool matches = EVP_CipherFinal_ex(context, end, &len) == 1;
    EVP_CIPHER_CTX_free(context);
    crypto_wipe(&key, sizeof key);
    if (matches)
        return STATUS_OK;
    ERR_clear_error();
    crypto_wipe(plain, plain_len);
    return STATUS_CORRUPT;
}

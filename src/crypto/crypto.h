/* Cryptography, all of it libcrypto's. Thread-safe; functions that cannot fail but for a broken
 * library CHECK. Secrets are wiped by their owner with crypto_wipe. */
#ifndef COFFERDAM_CRYPTO_CRYPTO_H
#define COFFERDAM_CRYPTO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

enum { CRYPTO_SHA256_BYTES = 32, CRYPTO_AEAD_KEY_BYTES = 32, CRYPTO_AEAD_OVERHEAD_BYTES = 28 };
enum {
    CRYPTO_ED25519_SEED_BYTES = 32,
    CRYPTO_ED25519_PUBLIC_BYTES = 32,
    CRYPTO_ED25519_SIGNATURE_BYTES = 64,
};

/* SHA-256 (FIPS 180-4) of the parts one after the other. */
void crypto_sha256(const struct slice *parts, size_t count, uint8_t digest[static 32]);
/* HMAC-SHA-256 (RFC 2104). */
void crypto_hmac_sha256(struct slice key, const struct slice *parts, size_t count,
                        uint8_t mac[static 32]);
/* PBKDF2-HMAC-SHA-256 (RFC 8018), 32 bytes out. */
void crypto_pbkdf2_sha256(struct slice password, struct slice salt, uint32_t iterations,
                          uint8_t out[static 32]);
/* For tables in memory whose keys strangers choose: they cannot tell which of theirs collide. */
enum { CRYPTO_SHORT_HASH_KEY_BYTES = 16 };
uint64_t crypto_short_hash(const uint8_t key[static 16], const void *data, size_t len);
void crypto_random(void *out, size_t len);
void crypto_wipe(void *secret, size_t len);
/* Constant time in the content. */
bool crypto_equal(const void *a, const void *b, size_t len);
uint32_t crypto_crc32c(uint32_t crc, const void *data, size_t len); /* RFC 3720; start with 0 */

void crypto_hex(const void *data, size_t len, char *out); /* 2*len+1 bytes, lower case */
/* The reverse: false unless they are just 2*len lower-case digits; what is at out is anything then.
 */
MUST_USE bool crypto_unhex(struct slice hex, void *out, size_t len);
/* Standard base64 with padding (RFC 4648). Encoding terminates; room 4*((len+2)/3)+1. */
void crypto_base64_encode(const void *data, size_t len, char *out);
/* Strict decoding; STATUS_INVALID on any other byte or wrong padding. *out_len <= 3*(len/4). */
MUST_USE enum status crypto_base64_decode(const char *text, size_t len, uint8_t *out,
                                          size_t *out_len);

/* AES-256-GCM: nonce[12] ‖ ciphertext ‖ tag[16] is appended to *out; the nonce is random. */
void crypto_seal(const uint8_t key[static 32], struct slice aad, struct slice plain,
                 struct buffer *out);
/* STATUS_CORRUPT when the tag does not match. Appends the plain text. */
MUST_USE enum status crypto_open(const uint8_t key[static 32], struct slice aad,
                                 struct slice sealed, struct buffer *out);

/* Ed25519 (RFC 8032, 5.1). The seed is the private key of the RFC, 32 random bytes. */
void crypto_ed25519_public(const uint8_t seed[static 32], uint8_t public_key[static 32]);
void crypto_ed25519_sign(const uint8_t seed[static 32], struct slice message,
                         uint8_t signature[static 64]);
/* false also where the key is no point of the curve. */
bool crypto_ed25519_verify(const uint8_t public_key[static 32], struct slice message,
                           const uint8_t signature[static 64]);
/* Is it a point that a key pair can have? One of small order, for which anybody can sign, is none.
 */
bool crypto_ed25519_is_key(const uint8_t public_key[static 32]);

#endif

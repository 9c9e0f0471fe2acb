/* Sealed boxes: anybody who has the public key can put something in, only the private key takes it
 * out again, not even the one who put it in. HPKE (RFC 9180), base mode, single shot:
 * DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. A box is enc[32] ‖ ciphertext ‖ tag[16].
 * No state; any thread. */
#ifndef COFFERDAM_CRYPTO_SEALED_BOX_H
#define COFFERDAM_CRYPTO_SEALED_BOX_H

#include "base/buffer.h"
#include "base/status.h"

enum { SEALED_BOX_KEY_BYTES = 32, SEALED_BOX_OVERHEAD_BYTES = 48 };

/* Any 32 secret bytes are a private key (RFC 7748, section 5). */
void sealed_box_public_key(const uint8_t private_key[static 32], uint8_t public_key[static 32]);
/* info: what the boxes are for; aad: what goes with this one in the open. Writes plain.len +
 * SEALED_BOX_OVERHEAD_BYTES. STATUS_INVALID where the public key is none (of low order). */
MUST_USE enum status sealed_box_seal(const uint8_t public_key[static 32], struct slice info,
                                     struct slice aad, struct slice plain, uint8_t *box);
/* Writes box.len - SEALED_BOX_OVERHEAD_BYTES; STATUS_CORRUPT where it does not open. */
MUST_USE enum status sealed_box_open(const uint8_t private_key[static 32], struct slice info,
                                     struct slice aad, struct slice box, uint8_t *plain);

#endif

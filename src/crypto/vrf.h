/* A verifiable random function: ECVRF-EDWARDS25519-SHA512-TAI of RFC 9381. For each input the
 * holder of the secret has exactly one output, can prove which it is, and nobody else can foresee
 * it. Verification is total on hostile bytes, and stricter than the RFC: keys and proofs whose
 * points are not canonical, or not of the prime-order subgroup, are refused; no honest prover makes
 * them. No state, any thread. Secrets are wiped by their owner. */
#ifndef COFFERDAM_CRYPTO_VRF_H
#define COFFERDAM_CRYPTO_VRF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

enum { VRF_SEED_BYTES = 32, VRF_PUBLIC_BYTES = 32, VRF_PROOF_BYTES = 80, VRF_OUTPUT_BYTES = 64 };

struct vrf_key {
    uint8_t public_key[VRF_PUBLIC_BYTES];
    uint8_t scalar[32];       /* x, modulo the group's order */
    uint8_t scalar_eight[32]; /* 8x: the cofactor is in it */
    uint8_t nonce_key[32];    /* second half of the seed's hash (RFC 8032, 5.1.5) */
};

/* The seed is a secret key of RFC 8032. */
void vrf_key_derive(const uint8_t seed[static VRF_SEED_BYTES], struct vrf_key *key);
/* The output alone, in about half the time of a proof. */
void vrf_output(const struct vrf_key *key, struct slice input,
                uint8_t output[static VRF_OUTPUT_BYTES]);
void vrf_prove(const struct vrf_key *key, struct slice input, uint8_t proof[static VRF_PROOF_BYTES],
               uint8_t output[static VRF_OUTPUT_BYTES]);
/* False, and output untouched, unless the proof shows the output of this key for this input. */
bool vrf_verify(const uint8_t public_key[static VRF_PUBLIC_BYTES], struct slice input,
                const uint8_t proof[static VRF_PROOF_BYTES],
                uint8_t output[static VRF_OUTPUT_BYTES]);

#endif

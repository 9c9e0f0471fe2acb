/* SipHash-1-3: a keyed hash, so that people who choose their own keys cannot choose collisions.
 * Aumasson, Bernstein: "SipHash: a fast short-input PRF" (2012); 1-3 as in Rust and Linux. */
#ifndef COFFERDAM_EXPOSURE_SIPHASH_H
#define COFFERDAM_EXPOSURE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* Of the message prefix (2 bytes) ‖ data. */
uint64_t siphash13(const uint64_t key[static 2], uint16_t prefix, const uint8_t *data, size_t len);

#endif

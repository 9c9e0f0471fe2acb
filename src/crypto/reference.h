/* References: what a person types from a letter to ask whether it is genuine. 20 characters of
 * Crockford's base32 (crockford.com/base32.html), 100 bits, and his check character (the number
 * modulo 37), shown in groups: "7K2M-9QXB-4TFD-03WA-8HNE-C". Derived, so that the same case gives
 * the same letters; without the key they look random. No state. */
#ifndef COFFERDAM_CRYPTO_REFERENCE_H
#define COFFERDAM_CRYPTO_REFERENCE_H

#include "base/buffer.h"
#include "base/status.h"

enum { REFERENCE_ROOM = 27, REFERENCE_MARK_BYTES = 16 };

/* From HMAC-SHA-256(key, parts, each preceded by its length); at most 8 parts. */
void reference_derive(const uint8_t key[static 32], const struct slice *parts, size_t count,
                      char reference[static REFERENCE_ROOM]);
/* Reads what a person typed: case, spaces, dashes and the letters O, I, L are forgiven. Writes the
 * canonical form. STATUS_INVALID where it is none or its check character is wrong. */
MUST_USE enum status reference_parse(struct slice typed, char reference[static REFERENCE_ROOM]);
/* What is published of one: the first bytes of HMAC-SHA-256(key, canonical form). */
void reference_mark(const uint8_t key[static 32], const char *reference,
                    uint8_t mark[static REFERENCE_MARK_BYTES]);

#endif

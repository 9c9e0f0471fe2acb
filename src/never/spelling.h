/* Numbers, instants, bytes and names in their one spelling: what commitments and certificates are
 * made of. Each is total on hostile bytes. No state, any thread. Private to never/. */
#ifndef COFFERDAM_NEVER_SPELLING_H
#define COFFERDAM_NEVER_SPELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Decimal, no leading zeros, at most INT64_MAX. */
bool spelling_number(struct slice text, uint64_t *number);
/* "2026-11-22T11:18:48Z", 20 bytes, and no other form. */
bool spelling_instant(struct slice text, int64_t *time_ns);
/* Lower-case hexadecimal of exactly len bytes. */
bool spelling_hex(struct slice text, uint8_t *bytes, size_t len);
/* Base64 (RFC 4648, with padding) of exactly len bytes, at most 96. */
bool spelling_base64(struct slice text, uint8_t *bytes, size_t len);

/* A name of a kind or a partner, as policies have them: a lower-case letter, then also digits, -
 * and _; at most LIMIT_NAME_BYTES. A freer one could finish the claim's sentence in its own way. */
bool spelling_name(struct slice text);
/* dataset.column: letters, digits, _ and $, each part 1 to LIMIT_NAME_BYTES. */
bool spelling_column(struct slice text);
/* A person's key: one line of UTF-8 without characters that are not seen, or that turn the
 * direction of what stands around them. */
bool spelling_key(struct slice text);

#endif

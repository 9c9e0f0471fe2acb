/* Ids of deliveries, to be said over a telephone: "D-2026-11-22-7F3KQ" is the day (UTC), four
 * random characters and one that checks the others. The 31 characters leave out I, L, O, U and Z;
 * 31 is a prime, so the check finds each wrong character and each swap of two. No state. */
#ifndef COFFERDAM_DELIVERY_ID_H
#define COFFERDAM_DELIVERY_ID_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

enum { DELIVERY_ID_ROOM = 19 };

void delivery_id_make(int64_t now_ns, char id[static DELIVERY_ID_ROOM]);
/* Reads what a person typed: small letters, and I, L, O for 1, 1, 0, are forgiven, as are missing
 * dashes. Writes the canonical form. STATUS_INVALID 22023 where it is none. */
MUST_USE enum status delivery_id_parse(const char *typed, char id[static DELIVERY_ID_ROOM],
                                       struct error *error);

#endif

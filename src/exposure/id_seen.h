/* Ids that were met before, which only grows: told of ascending ids, it says how many are new. By
 * the high half of an id a short sorted array, or a bitset of 8 KiB once that grows long: entries
 * of a few hundred ids over all people are asked about millions of times. One thread. */
#ifndef COFFERDAM_EXPOSURE_ID_SEEN_H
#define COFFERDAM_EXPOSURE_ID_SEEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct id_seen; /* owned */

/* NULL where there is no memory. */
struct id_seen *id_seen_new(void);
void id_seen_free(struct id_seen *seen); /* NULL is fine */
/* ids: ascending, each once. *fresh: how many were not there. */
MUST_USE enum status id_seen_add(struct id_seen *seen, const uint32_t *ids, size_t count,
                                 uint64_t *fresh, struct error *error);

#endif

/* A union of subject sets in the making: a bitset of 8 KiB for each 65,536 ids of which it has any,
 * into which sets are read straight from their bytes. For many thin sets, which a question about
 * some days unites: a bitmap for each of them costs more in small pieces of memory than in ids. One
 * thread. */
#ifndef COFFERDAM_EXPOSURE_ID_UNION_H
#define COFFERDAM_EXPOSURE_ID_UNION_H

#include <roaring/roaring.h>

#include "base/buffer.h"
#include "base/status.h"

struct id_union; /* owned */

/* NULL where there is no memory. */
struct id_union *id_union_new(void);
void id_union_free(struct id_union *all); /* NULL is fine */
/* A set that subject_set_count has found sound; its bytes are used until id_union_take.
 * STATUS_NOMEM; STATUS_CORRUPT where it is no set after all. */
MUST_USE enum status id_union_add(struct id_union *all, struct slice set);
/* The ids as a bitmap, owned by the caller (NULL: no memory); the union is empty afterwards. */
roaring_bitmap_t *id_union_take(struct id_union *all);

#endif

/* A set of subject ids as a portable roaring bitmap (github.com/RoaringBitmap/RoaringFormatSpec). */
#ifndef COFFERDAM_EXPOSURE_SUBJECT_SET_H
#define COFFERDAM_EXPOSURE_SUBJECT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

/* Appends the portable form of the ids (any order, duplicates fine; the array is sorted in place).
 * Returns how many distinct ids it holds. */
size_t subject_set_serialize(uint32_t *ids, size_t count, struct buffer *out);
/* Calls fn for each id in ascending order until it returns false. STATUS_CORRUPT if it is none. */
MUST_USE enum status subject_set_each(struct slice set, bool (*fn)(void *context, uint32_t id),
                                      void *context);
MUST_USE enum status subject_set_count(struct slice set, uint64_t *count);

#endif

/* A set of subject ids as a portable roaring bitmap (github.com/RoaringBitmap/RoaringFormatSpec).
 * Written and read without building a bitmap: most sets hold one id, and the bytes read come from
 * a file, so every field is checked. Byte-identical to CRoaring's run-optimised output. */
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
/* Sorts and drops duplicates, in place; returns how many are left. */
size_t subject_ids_unique(uint32_t *ids, size_t count);
/* Calls fn for each id in ascending order until it returns false. STATUS_CORRUPT if it is none;
 * then fn has not been called. */
MUST_USE enum status subject_set_each(struct slice set, bool (*fn)(void *context, uint32_t id),
                                      void *context);
MUST_USE enum status subject_set_count(struct slice set, uint64_t *count);
/* How many ids the set claims to hold, at a glance; nothing is judged but the head. */
MUST_USE enum status subject_set_claims(struct slice set, uint64_t *count);
/* Writes the ids, ascending, into room for as many as it claims. STATUS_CORRUPT if it is none; what
 * was written by then means nothing. */
MUST_USE enum status subject_set_read(struct slice set, uint32_t *ids, uint64_t room,
                                      uint64_t *count);
/* Sets the bits of the set's ids, a bitset of 65,536 for each of their high halves: bits_of gives
 * the words of one, NULL where there is no memory (STATUS_NOMEM). Any bytes are safe, but only
 * lengths are judged: for sets that have been judged before. */
MUST_USE enum status subject_set_unite(struct slice set,
                                       uint64_t *(*bits_of)(void *context, uint32_t high),
                                       void *context);
/* Looks one id up without reading the rest of the set. Any bytes are safe; only those that the
 * search meets are judged. */
MUST_USE enum status subject_set_contains(struct slice set, uint32_t id, bool *found);
/* Asks for the memory in which that search will end; a hint, of any bytes. */
void subject_set_fetch(struct slice set, uint32_t id);
/* For a table of sets, each in the form that subject_set_serialize gives; with a random key nobody
 * can choose sets that collide. */
uint64_t subject_set_hash(const uint64_t key[static 2], struct slice set);

#endif

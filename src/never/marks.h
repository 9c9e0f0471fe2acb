/* Marks: pseudorandom numbers that stand for a person, and for a person with a partner and a
 * column. Who holds the function's secret can compute them, who holds a person's proof can check
 * that person's, and to anybody else they say nothing. Every hash has a tag of its own.
 * docs/NEVER-FORMAT.md, "Marks". No state, any thread. Private to never/. */
#ifndef COFFERDAM_NEVER_MARKS_H
#define COFFERDAM_NEVER_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "crypto/vrf.h"

enum {
    MARK_BYTES = 32,
    SEED_BYTES = 32,
    MARKS_INPUT_BYTES = 32 + LIMIT_NAME_BYTES + LIMIT_SUBJECT_KEY_BYTES,
    MARKS_COLUMN_BYTES = 2 * LIMIT_NAME_BYTES + 1, /* dataset.column */
    MARKS_TAG_NODE = 0x24,                         /* of the index */
    MARKS_TAG_INNER_NODE = 0x25,                   /* of a person's own tree */
};

/* Input of the function for a person; "" and "" for everybody. At most LIMIT_NAME_BYTES and
 * LIMIT_SUBJECT_KEY_BYTES. Returns the length. */
size_t marks_input(struct slice kind, struct slice key, uint8_t input[static MARKS_INPUT_BYTES]);
/* From the function's output. A secret of the company and of who holds that person's proof. */
void marks_seed(const uint8_t output[static VRF_OUTPUT_BYTES], uint8_t seed[static SEED_BYTES]);
/* The person's place in the index. */
void marks_subject(const uint8_t seed[static SEED_BYTES], uint8_t mark[static MARK_BYTES]);
/* The place in the person's own tree; partner or column empty: any. */
void marks_question(const uint8_t seed[static SEED_BYTES], struct slice partner,
                    struct slice column, uint8_t mark[static MARK_BYTES]);

/* Stands for a person's own tree in their leaf. Hashed once more, so that a neighbour's leaf does
 * not tell how much was disclosed of them. leaves: sentinels included. */
void marks_inner(uint64_t leaves, const uint8_t root[static MARK_BYTES],
                 uint8_t inner[static MARK_BYTES]);

/* A leaf of the index. */
struct marks_leaf {
    uint8_t mark[MARK_BYTES];
    uint8_t inner[MARK_BYTES]; /* marks_inner of the person's own tree; zeros for a sentinel */
};
void marks_leaf_hash(const struct marks_leaf *leaf, uint8_t hash[static MARK_BYTES]);

/* The root that is committed to: of an index that begins at a base it cannot pass for one of the
 * whole log, or of another base. from: the first entry counted, 0 of a whole log; statement:
 * SHA-256 of what tells of the dropping. */
void marks_root(uint64_t from, const uint8_t statement[static MARK_BYTES],
                const uint8_t tree[static MARK_BYTES], uint8_t root[static MARK_BYTES]);

/* Sentinels stand at both ends of each tree: below and above every mark. */
extern const uint8_t marks_lowest[MARK_BYTES], marks_highest[MARK_BYTES];

#endif

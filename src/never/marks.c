/* See marks.h. */
#include "never/marks.h"

#include <assert.h>
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"

enum {
    TAG_SEED = 0x20,
    TAG_SUBJECT = 0x21,
    TAG_QUESTION = 0x22,
    TAG_LEAF = 0x23,
    TAG_INNER = 0x26,
    TAG_ROOT = 0x27
};

static const char input_head[] = "cofferdam/never@v1\n";

const uint8_t marks_lowest[MARK_BYTES] = {0};
const uint8_t marks_highest[MARK_BYTES] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

static_assert(MARKS_INPUT_BYTES >= sizeof input_head + LIMIT_NAME_BYTES + LIMIT_SUBJECT_KEY_BYTES,
              "an input fits");

size_t marks_input(struct slice kind, struct slice key, uint8_t input[static MARKS_INPUT_BYTES])
{
    size_t len = sizeof input_head - 1;
    CHECK(kind.len <= LIMIT_NAME_BYTES && key.len <= LIMIT_SUBJECT_KEY_BYTES);
    memcpy(input, input_head, len);
    input[len++] = (uint8_t)kind.len;
    if (kind.len > 0)
        memcpy(input + len, kind.data, kind.len);
    len += kind.len;
    if (key.len > 0)
        memcpy(input + len, key.data, key.len);
    return len + key.len;
}

void marks_seed(const uint8_t output[static VRF_OUTPUT_BYTES], uint8_t seed[static SEED_BYTES])
{
    static const uint8_t tag = TAG_SEED;
    const struct slice parts[] = {slice_of(&tag, 1), slice_of(output, VRF_OUTPUT_BYTES)};
    crypto_sha256(parts, sizeof parts / sizeof parts[0], seed);
}

void marks_subject(const uint8_t seed[static SEED_BYTES], uint8_t mark[static MARK_BYTES])
{
    static const uint8_t tag = TAG_SUBJECT;
    const struct slice parts[] = {slice_of(&tag, 1), slice_of(seed, SEED_BYTES)};
    crypto_sha256(parts, sizeof parts / sizeof parts[0], mark);
}

void marks_question(const uint8_t seed[static SEED_BYTES], struct slice partner,
                    struct slice column, uint8_t mark[static MARK_BYTES])
{
    uint8_t head[1 + SEED_BYTES + 1];
    CHECK(partner.len <= UINT8_MAX);
    head[0] = TAG_QUESTION;
    memcpy(head + 1, seed, SEED_BYTES);
    head[1 + SEED_BYTES] = (uint8_t)partner.len;
    const struct slice parts[] = {slice_of(head, sizeof head), partner, column};
    crypto_sha256(parts, sizeof parts / sizeof parts[0], mark);
}

void marks_inner(uint64_t leaves, const uint8_t root[static MARK_BYTES],
                 uint8_t inner[static MARK_BYTES])
{
    uint8_t head[1 + sizeof leaves] = {TAG_INNER};
    store_u64be(head + 1, leaves);
    const struct slice parts[] = {slice_of(head, sizeof head), slice_of(root, MARK_BYTES)};
    crypto_sha256(parts, sizeof parts / sizeof parts[0], inner);
}

void marks_root(uint64_t from, const uint8_t statement[static MARK_BYTES],
                const uint8_t tree[static MARK_BYTES], uint8_t root[static MARK_BYTES])
{
    uint8_t head[1 + sizeof from] = {TAG_ROOT};
    store_u64be(head + 1, from);
    const struct slice parts[] = {slice_of(head, sizeof head), slice_of(statement, MARK_BYTES),
                                  slice_of(tree, MARK_BYTES)};
    if (from == 0)
        memmove(root, tree, MARK_BYTES);
    else
        crypto_sha256(parts, sizeof parts / sizeof parts[0], root);
}

void marks_leaf_hash(const struct marks_leaf *leaf, uint8_t hash[static MARK_BYTES])
{
    static const uint8_t tag = TAG_LEAF;
    const struct slice parts[] = {slice_of(&tag, 1), slice_of(leaf->mark, MARK_BYTES),
                                  slice_of(leaf->inner, MARK_BYTES)};
    crypto_sha256(parts, sizeof parts / sizeof parts[0], hash);
}

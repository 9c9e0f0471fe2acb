/* Proofs against RFC 6962's own recursions, written down a second time from its text, for every
 * size up to 130; the example of RFC 6962, 2.1.3; and no proof holds once a bit of it is changed.
 */
#include "folder.h"

#include <string.h>

#include "crypto/crypto.h"
#include "ledger/merkle.h"
#include "ledger/proof.h"

enum { SIZES = 130 };

static uint8_t leaves[SIZES][32], roots[SIZES + 1][32];

static void hash_pair(const uint8_t *left, const uint8_t *right, uint8_t *out)
{
    uint8_t node[65] = {1};
    memcpy(node + 1, left, 32);
    memcpy(node + 33, right, 32);
    const struct slice part = slice_of(node, sizeof node);
    crypto_sha256(&part, 1, out);
}

static uint64_t split_of(uint64_t count)
{
    uint64_t split = 1;
    while (2 * split < count)
        split *= 2;
    return split;
}

/* MTH of RFC 6962, 2.1. */
static void tree_hash(uint64_t begin, uint64_t count, uint8_t *out)
{
    uint8_t left[32], right[32];
    if (count == 1) {
        memcpy(out, leaves[begin], 32);
        return;
    }
    uint64_t split = split_of(count);
    tree_hash(begin, split, left);
    tree_hash(begin + split, count - split, right);
    hash_pair(left, right, out);
}

/* PATH of RFC 6962, 2.1.1. */
static void path(uint64_t index, uint64_t begin, uint64_t count, struct proof *proof)
{
    if (count == 1)
        return;
    uint64_t split = split_of(count);
    if (index < split) {
        path(index, begin, split, proof);
        tree_hash(begin + split, count - split, proof->hashes[proof->count++]);
    } else {
        path(index - split, begin + split, count - split, proof);
        tree_hash(begin, split, proof->hashes[proof->count++]);
    }
}

/* SUBPROOF of RFC 6962, 2.1.2. */
static void subproof(uint64_t old, uint64_t begin, uint64_t count, bool whole, struct proof *proof)
{
    if (old == count) {
        if (!whole)
            tree_hash(begin, count, proof->hashes[proof->count++]);
        return;
    }
    uint64_t split = split_of(count);
    if (old <= split) {
        subproof(old, begin, split, whole, proof);
        tree_hash(begin + split, count - split, proof->hashes[proof->count++]);
    } else {
        subproof(old - split, begin + split, count - split, false, proof);
        tree_hash(begin, split, proof->hashes[proof->count++]);
    }
}

static enum status from_leaves(void *context, unsigned level, uint64_t index, uint8_t *hash,
                               struct error *error)
{
    uint64_t size = *(const uint64_t *)context, count = (uint64_t)1 << level;
    if ((index + 1) << level > size)
        fail_msg("asked for subtree %d of level %d in a tree of %d", (int)index, (int)level,
                 (int)size);
    tree_hash(index << level, count, hash);
    return STATUS_OK;
}

static int make_leaves(void **state)
{
    for (size_t i = 0; i < SIZES; i++) {
        const uint8_t entry[2] = {(uint8_t)(i >> 8), (uint8_t)i};
        merkle_leaf(slice_of(entry, sizeof entry), leaves[i]);
        tree_hash(0, i + 1, roots[i + 1]);
    }
    crypto_sha256(NULL, 0, roots[0]);
    return 0;
}

static void assert_same(const struct proof *got, const struct proof *want, uint64_t a, uint64_t b)
{
    if (got->count != want->count || memcmp(got->hashes, want->hashes, 32 * want->count) != 0)
        fail_msg("proof of %d in %d: %d hashes, expected %d, or others", (int)a, (int)b,
                 (int)got->count, (int)want->count);
}

static void inclusion_is_that_of_the_rfc(void **state)
{
    struct error error = {0};
    for (uint64_t size = 1; size <= SIZES; size++)
        for (uint64_t index = 0; index < size; index++) {
            struct proof got, want = {.count = 0};
            path(index, 0, size, &want);
            assert_status(proof_inclusion(index, size, from_leaves, &size, &got, &error),
                          STATUS_OK);
            assert_same(&got, &want, index, size);
            assert_true(proof_inclusion_holds(leaves[index], index, size, &got, roots[size]));
            uint64_t other = (index + 1) % size;
            if (size > 1) {
                assert_false(proof_inclusion_holds(leaves[index], other, size, &got, roots[size]));
                assert_false(proof_inclusion_holds(leaves[other], index, size, &got, roots[size]));
            }
            assert_false(proof_inclusion_holds(leaves[index], index, size, &got, roots[size - 1]));
        }
    uint64_t size = 7;
    struct proof none;
    assert_status(proof_inclusion(7, 7, from_leaves, &size, &none, &error), STATUS_INVALID);
    assert_string_equal(error.message, "entry 7 is not among the first 7");
}

static void consistency_is_that_of_the_rfc(void **state)
{
    struct error error = {0};
    for (uint64_t size = 0; size <= SIZES; size++)
        for (uint64_t old = 0; old <= size; old++) {
            struct proof got, want = {.count = 0};
            if (old > 0)
                subproof(old, 0, size, true, &want);
            assert_status(proof_consistency(old, size, from_leaves, &size, &got, &error),
                          STATUS_OK);
            assert_same(&got, &want, old, size);
            assert_true(proof_consistency_holds(old, roots[old], size, roots[size], &got));
            uint64_t other = (old + 1) % (SIZES + 1);
            assert_false(proof_consistency_holds(old, roots[other], size, roots[size], &got));
            if (old > 0)
                assert_false(proof_consistency_holds(old, roots[old], size, roots[0], &got));
        }
    uint64_t size = 7;
    struct proof none;
    assert_status(proof_consistency(8, 7, from_leaves, &size, &none, &error), STATUS_INVALID);
}

/* The tree of seven leaves in RFC 6962, 2.1.3: for d0 [b, h, l], d3 [c, g, l], d4 [f, j, k], d6
 * [i, k]; between 3 and 7 [c, d, g, l], between 4 and 7 [l], between 6 and 7 [i, j, k]. */
static void the_example_of_the_rfc(void **state)
{
    struct error error = {0};
    uint64_t size = 7;
    uint8_t g[32], h[32], i[32], j[32], k[32], l[32];
    hash_pair(leaves[0], leaves[1], g);
    hash_pair(leaves[2], leaves[3], h);
    hash_pair(leaves[4], leaves[5], i);
    memcpy(j, leaves[6], 32);
    hash_pair(g, h, k);
    hash_pair(i, j, l);
    const struct {
        uint64_t first;
        bool consistency;
        const uint8_t *hashes[4];
    } examples[] = {
        {0, false, {leaves[1], h, l, NULL}},
        {3, false, {leaves[2], g, l, NULL}},
        {4, false, {leaves[5], j, k, NULL}},
        {6, false, {i, k, NULL}},
        {3, true, {leaves[2], leaves[3], g, l}},
        {4, true, {l, NULL}},
        {6, true, {i, j, k, NULL}},
    };
    for (size_t at = 0; at < sizeof examples / sizeof examples[0]; at++) {
        struct proof proof, want = {.count = 0};
        while (want.count < 4 && examples[at].hashes[want.count] != NULL) {
            memcpy(want.hashes[want.count], examples[at].hashes[want.count], 32);
            want.count++;
        }
        assert_status(
            examples[at].consistency
                ? proof_consistency(examples[at].first, 7, from_leaves, &size, &proof, &error)
                : proof_inclusion(examples[at].first, 7, from_leaves, &size, &proof, &error),
            STATUS_OK);
        assert_same(&proof, &want, examples[at].first, 7);
    }
}

static void no_changed_proof_holds(void **state)
{
    struct error error = {0};
    for (uint64_t size = 2; size <= 40; size++)
        for (uint64_t first = 1; first < size; first++) {
            struct proof in, grown;
            assert_status(proof_inclusion(first, size, from_leaves, &size, &in, &error), STATUS_OK);
            assert_status(proof_consistency(first, size, from_leaves, &size, &grown, &error),
                          STATUS_OK);
            for (size_t bit = 0; bit < in.count * 256; bit += 85) {
                in.hashes[bit / 256][bit / 8 % 32] ^= (uint8_t)(1U << bit % 8);
                assert_false(proof_inclusion_holds(leaves[first], first, size, &in, roots[size]));
                in.hashes[bit / 256][bit / 8 % 32] ^= (uint8_t)(1U << bit % 8);
            }
            for (size_t bit = 0; bit < grown.count * 256; bit += 85) {
                grown.hashes[bit / 256][bit / 8 % 32] ^= (uint8_t)(1U << bit % 8);
                assert_false(
                    proof_consistency_holds(first, roots[first], size, roots[size], &grown));
                grown.hashes[bit / 256][bit / 8 % 32] ^= (uint8_t)(1U << bit % 8);
            }
            in.count--;
            assert_false(proof_inclusion_holds(leaves[first], first, size, &in, roots[size]));
            in.count += 2;
            memset(in.hashes[in.count - 1], 0, 32);
            assert_false(proof_inclusion_holds(leaves[first], first, size, &in, roots[size]));
            grown.count--;
            assert_false(proof_consistency_holds(first, roots[first], size, roots[size], &grown));
            grown.count += 2;
            memset(grown.hashes[grown.count - 1], 0, 32);
            assert_false(proof_consistency_holds(first, roots[first], size, roots[size], &grown));
        }
}

static void roots_come_from_subtrees(void **state)
{
    struct error error = {0};
    for (uint64_t size = 0; size <= SIZES; size++) {
        uint8_t root[32];
        assert_status(proof_root(size, from_leaves, &size, root, &error), STATUS_OK);
        assert_memory_equal(root, roots[size], 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inclusion_is_that_of_the_rfc),
        cmocka_unit_test(consistency_is_that_of_the_rfc),
        cmocka_unit_test(the_example_of_the_rfc),
        cmocka_unit_test(no_changed_proof_holds),
        cmocka_unit_test(roots_come_from_subtrees),
    };
    return cmocka_run_group_tests(tests, make_leaves, NULL);
}

/* Paths of one leaf and of two neighbours, in trees of every small size, and every way to bend
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "never/sorted_tree.h"

enum { MOST_LEAVES = 40, TAG = 0x24 };

static void leaf_at(const void *context, uint64_t index, uint8_t hash[static SORTED_HASH_BYTES])
{
    (void)context;
    const struct slice part = slice_of(&index, sizeof index);
    crypto_sha256(&part, 1, hash);
}

static struct sorted_tree tree_of(uint64_t leaves)
{
    return (struct sorted_tree){.leaves = leaves, .tag = TAG, .leaf = leaf_at};
}

/* The shape by RFC 6962's words, not by the code under test. */
static void root_by_the_book(uint64_t low, uint64_t n, uint8_t hash[SORTED_HASH_BYTES])
{
    uint8_t node[1 + 2 * SORTED_HASH_BYTES] = {TAG};
    uint64_t half = 1;
    if (n == 1) {
        leaf_at(NULL, low, hash);
        return;
    }
    while (2 * half < n)
        half *= 2;
    root_by_the_book(low, half, node + 1);
    root_by_the_book(low + half, n - half, node + 1 + SORTED_HASH_BYTES);
    const struct slice part = slice_of(node, sizeof node);
    crypto_sha256(&part, 1, hash);
}

static void every_path_gives_the_root(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= MOST_LEAVES; n++) {
        struct sorted_tree tree = tree_of(n);
        uint8_t root[SORTED_HASH_BYTES], book[SORTED_HASH_BYTES], again[SORTED_HASH_BYTES];
        sorted_tree_root(&tree, root);
        root_by_the_book(0, n, book);
        assert_memory_equal(root, book, sizeof root);
        for (unsigned count = 1; count <= 2; count++)
            for (uint64_t first = 0; first + count <= n; first++) {
                struct sorted_path path;
                uint8_t shown[2][SORTED_HASH_BYTES];
                for (unsigned i = 0; i < count; i++)
                    leaf_at(NULL, first + i, shown[i]);
                sorted_tree_path(&tree, first, count, &path);
                assert_true(sorted_path_root(n, TAG, first, count,
                                             (const uint8_t(*)[SORTED_HASH_BYTES])shown, &path,
                                             again));
                assert_memory_equal(again, root, sizeof root);
            }
    }
}

static bool holds(uint64_t n, uint64_t first, uint8_t (*shown)[SORTED_HASH_BYTES],
                  const struct sorted_path *path, const uint8_t *root)
{
    uint8_t got[SORTED_HASH_BYTES];
    return sorted_path_root(n, TAG, first, 2, (const uint8_t(*)[SORTED_HASH_BYTES])shown, path,
                            got) &&
           memcmp(got, root, sizeof got) == 0;
}

static void bent_paths_do_not(void **state)
{
    (void)state;
    enum { LEAVES = 21, FIRST = 9 };
    struct sorted_tree tree = tree_of(LEAVES);
    struct sorted_path path;
    uint8_t root[SORTED_HASH_BYTES], shown[2][SORTED_HASH_BYTES], other[2][SORTED_HASH_BYTES];
    sorted_tree_root(&tree, root);
    sorted_tree_path(&tree, FIRST, 2, &path);
    leaf_at(NULL, FIRST, shown[0]);
    leaf_at(NULL, FIRST + 1, shown[1]);
    assert_true(holds(LEAVES, FIRST, shown, &path, root));
    for (uint64_t first = 0; first < 2 * LEAVES; first++)
        assert_int_equal(holds(LEAVES, first, shown, &path, root), first == FIRST);
    /* 17 to 32 leaves have one shape as seen from here: how many there are stands in what is
     * signed.
     */
    for (uint64_t n = 0; n <= 16; n++)
        assert_false(holds(n, FIRST, shown, &path, root));
    assert_false(holds(33, FIRST, shown, &path, root));
    leaf_at(NULL, FIRST + 2, other[1]); /* neighbours that are none */
    memcpy(other[0], shown[0], SORTED_HASH_BYTES);
    assert_false(holds(LEAVES, FIRST, other, &path, root));
    for (size_t i = 0; i < path.count; i++) {
        path.hashes[i][i % SORTED_HASH_BYTES] ^= 1;
        assert_false(holds(LEAVES, FIRST, shown, &path, root));
        path.hashes[i][i % SORTED_HASH_BYTES] ^= 1;
    }
    path.count--;
    assert_false(holds(LEAVES, FIRST, shown, &path, root));
    path.count += 2;
    assert_false(holds(LEAVES, FIRST, shown, &path, root));
    assert_false(holds(UINT64_MAX, UINT64_MAX - 1, shown, &path, root));
    assert_false(holds(UINT64_MAX, UINT64_MAX, shown, &path, root));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_gives_the_root),
        cmocka_unit_test(bent_paths_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

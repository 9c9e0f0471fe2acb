/* The tree against the vectors of Certificate Transparency and against RFC 6962's own recursion. */
#include "folder.h"

#include <string.h>

#include "crypto/crypto.h"
#include "ledger/merkle.h"

/* google/certificate-transparency, merkletree tests: eight leaves and the root after each. */
static const struct {
    const char *leaf;
    size_t len;
    const char *root;
} vectors[] = {
    {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"\x40\x41\x42\x43", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
     "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

static void assert_root(const struct merkle *tree, const char *want)
{
    uint8_t root[MERKLE_HASH_BYTES];
    char hex[2 * MERKLE_HASH_BYTES + 1];
    merkle_root(tree, root);
    crypto_hex(root, sizeof root, hex);
    assert_string_equal(hex, want);
}

static void roots_are_those_of_rfc_6962(void **state)
{
    struct merkle tree;
    uint8_t leaf[MERKLE_HASH_BYTES];
    merkle_init(&tree);
    assert_root(&tree, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        merkle_leaf(slice_of(vectors[i].leaf, vectors[i].len), leaf);
        merkle_add(&tree, leaf);
        assert_root(&tree, vectors[i].root);
    }
}

enum { LEAVES = 300 };

/* MTH of RFC 6962, 2.1, as written there: split at the largest power of two below n. */
static void recursive_root(const uint8_t (*leaves)[32], size_t count, uint8_t *root)
{
    if (count == 1) {
        memcpy(root, leaves[0], 32);
        return;
    }
    size_t split = 1;
    while (2 * split < count)
        split *= 2;
    uint8_t node[65] = {1};
    recursive_root(leaves, split, node + 1);
    recursive_root(leaves + split, count - split, node + 33);
    const struct slice part = slice_of(node, sizeof node);
    crypto_sha256(&part, 1, root);
}

static void every_size_agrees_with_the_recursion(void **state)
{
    static uint8_t leaves[LEAVES][32];
    struct merkle tree;
    uint8_t got[32], want[32];
    merkle_init(&tree);
    for (size_t i = 0; i < LEAVES; i++) {
        const uint8_t entry[2] = {(uint8_t)(i >> 8), (uint8_t)i};
        merkle_leaf(slice_of(entry, sizeof entry), leaves[i]);
        merkle_add(&tree, leaves[i]);
        merkle_root(&tree, got);
        recursive_root((const uint8_t(*)[32])leaves, i + 1, want);
        assert_memory_equal(got, want, sizeof got);
    }
    assert_int_equal(tree.size, LEAVES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_rfc_6962),
        cmocka_unit_test(every_size_agrees_with_the_recursion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

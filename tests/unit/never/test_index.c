/* The index: what a later one takes over from an earlier one changes nothing, what is kept of the
 * tree is what the tree gives, and its file is read as it was written or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "exposure/subject_set.h"
#include "never/index.h"

enum { PEOPLE = 1500, SETS = 2, DIRECT = 1, FILE_BYTES = 1 << 20 };

static struct vrf_key key;
static struct seeds seeds; /* invented: the function's own are tried elsewhere */
static char path[] = "/tmp/cofferdam-index-XXXXXX";

static void take(struct holdings *holdings, const struct ledger_entry *entry)
{
    assert_int_equal(holdings_take(holdings, entry, NULL), STATUS_OK);
}

static void disclose(struct holdings *holdings, const char *partner, uint32_t column_set,
                     uint32_t first, uint32_t last)
{
    uint32_t ids[PEOPLE];
    size_t count = 0;
    struct buffer set;
    for (uint32_t id = first; id <= last; id++)
        ids[count++] = id;
    buffer_init(&set, FILE_BYTES);
    subject_set_serialize(ids, count, &set);
    const struct ledger_item item = {
        .grade = DIRECT, .column_set = column_set, .subjects = buffer_slice(&set)};
    take(holdings, &(struct ledger_entry){.type = LEDGER_DISCLOSURE,
                                          .partner = slice_of_text(partner),
                                          .items = &item,
                                          .item_count = 1});
    buffer_free(&set);
}

static void begin(struct holdings *holdings)
{
    static const char *const sets[SETS] = {"customer.email:clear:email\n",
                                           "customer.vin:token:vehicle"};
    for (uint32_t i = 0; i < SETS; i++)
        take(holdings, &(struct ledger_entry){.type = LEDGER_COLUMN_SET,
                                              .column_set = i + 1,
                                              .text = slice_of_text(sets[i])});
    disclose(holdings, "ringway", 1, 1, 1200);
    disclose(holdings, "harbour", 2, 300, 600);
}

/* A few learn more, some are new, one of them is somebody of before under another number. */
static void go_on(struct holdings *holdings)
{
    disclose(holdings, "harbour", 1, 40, 45);
    disclose(holdings, "meadow", 1, 1190, 1201);
    memcpy(seeds.of[1201], seeds.of[7], SEED_BYTES);
}

static void build(struct never_index *index)
{
    index->commitment.entries = index->holdings.entries;
    index->commitment.as_of_ns = INT64_C(1795000000) * 1000000000;
    assert_int_equal(never_index_build(index, &seeds, &key, NULL), STATUS_OK);
}

static struct never_index first_index(void)
{
    struct never_index index = {.origin = "cofferdam/log/00112233445566778899aabbccddeeff"};
    assert_int_equal(holdings_init(&index.holdings, NULL), STATUS_OK);
    begin(&index.holdings);
    build(&index);
    return index;
}

static void write_index(const struct never_index *index)
{
    struct error error = {0};
    if (never_index_write(index, path, &error) != STATUS_OK)
        fail_msg("write: %s", error.message);
}

static void assert_same_tree(const struct never_index *a, const struct never_index *b)
{
    const uint64_t leaves = a->commitment.leaves;
    assert_int_equal(leaves, b->commitment.leaves);
    assert_memory_equal(a->commitment.root, b->commitment.root, NEVER_HASH_BYTES);
    assert_memory_equal(a->leaves, b->leaves, leaves * sizeof *a->leaves);
    assert_memory_equal(a->nodes, b->nodes, never_index_nodes(leaves) * SORTED_HASH_BYTES);
}

static int set_up(void **state)
{
    const uint8_t secret[VRF_SEED_BYTES] = {3};
    (void)state;
    vrf_key_derive(secret, &key);
    seeds.count = PEOPLE + 1;
    seeds.of = calloc(seeds.count, SEED_BYTES);
    for (uint32_t id = 1; id <= PEOPLE; id++) {
        const struct slice part = slice_of(&id, sizeof id);
        crypto_sha256(&part, 1, seeds.of[id]);
    }
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    free(seeds.of);
    return 0;
}

static void what_is_kept_is_what_the_leaves_give(void **state)
{
    (void)state;
    struct never_index index = first_index();
    struct sorted_tree kept = never_index_tree(&index), plain = kept;
    uint8_t root[SORTED_HASH_BYTES];
    plain.kept = NULL;
    assert_int_equal(index.commitment.leaves, 1200 + 3);
    assert_int_equal(never_index_nodes(index.commitment.leaves), 4 + 2 + 1);
    sorted_tree_root(&plain, root);
    assert_memory_equal(root, index.commitment.root, sizeof root);
    for (uint64_t place = 0; place + 1 < index.commitment.leaves; place += 7)
        for (unsigned count = 1; count <= 2; count++) {
            struct sorted_path with, without;
            sorted_tree_path(&kept, place, count, &with);
            sorted_tree_path(&plain, place, count, &without);
            assert_int_equal(with.count, without.count);
            assert_memory_equal(with.hashes, without.hashes, with.count * SORTED_HASH_BYTES);
        }
    never_index_free(&index);
}

/* From the file of an earlier index, and from nothing: the same leaves, nodes and root. */
static void a_later_index_is_the_one_that_is_made_afresh(void **state)
{
    (void)state;
    struct never_index index = first_index(), later, afresh = {0};
    write_index(&index);
    assert_int_equal(never_index_read(path, &later, NULL), STATUS_OK);
    assert_same_tree(&index, &later);
    go_on(&later.holdings);
    build(&later);
    assert_int_equal(holdings_init(&afresh.holdings, NULL), STATUS_OK);
    begin(&afresh.holdings);
    go_on(&afresh.holdings);
    build(&afresh);
    assert_int_equal(afresh.commitment.leaves, 1200 + 3);
    assert_memory_not_equal(afresh.commitment.root, index.commitment.root, NEVER_HASH_BYTES);
    assert_same_tree(&later, &afresh);
    never_index_free(&index);
    never_index_free(&later);
    never_index_free(&afresh);
}

/* What is taken over is really that: a leaf that is false in the file is false afterwards, unless
 * more was disclosed of its person, or the key is another. */
static void who_has_nothing_new_is_taken_over(void **state)
{
    (void)state;
    struct vrf_key other;
    const uint8_t secret[VRF_SEED_BYTES] = {4};
    struct never_index index = first_index(), later;
    uint8_t mark[MARK_BYTES];
    vrf_key_derive(secret, &other);
    for (uint32_t id = 42; id <= 50; id += 8) {
        marks_subject(seeds.of[id], mark);
        index.leaves[never_index_place(&index, mark)].inner[0] ^= 1;
    }
    write_index(&index);
    for (int change = 0; change <= 1; change++) {
        assert_int_equal(never_index_read(path, &later, NULL), STATUS_OK);
        go_on(&later.holdings);
        assert_int_equal(never_index_build(&later, &seeds, change ? &other : &key, NULL),
                         STATUS_OK);
        for (uint32_t id = 42; id <= 50; id += 8) {
            marks_subject(seeds.of[id], mark);
            uint64_t at = never_index_place(&index, mark), now = never_index_place(&later, mark);
            bool taken = memcmp(index.leaves[at].inner, later.leaves[now].inner, MARK_BYTES) == 0;
            assert_int_equal(taken, id == 50 && !change);
        }
        assert_memory_equal(later.commitment.vrf_key, change ? other.public_key : key.public_key,
                            VRF_PUBLIC_BYTES);
        never_index_free(&later);
    }
    never_index_free(&index);
}

static void a_proof_looks_at_the_file_in_place(void **state)
{
    (void)state;
    struct never_index index = first_index(), opened;
    uint8_t mark[MARK_BYTES];
    write_index(&index);
    assert_int_equal(never_index_open(path, &opened, NULL), STATUS_OK);
    assert_same_tree(&index, &opened);
    assert_int_equal(opened.holdings.id_count, 0);
    for (uint32_t id = 1; id <= 1200; id += 100) {
        marks_subject(seeds.of[id], mark);
        uint64_t place = never_index_place(&opened, mark);
        assert_memory_equal(opened.leaves[place].mark, mark, MARK_BYTES);
        assert_int_equal(never_index_set(&opened, place), holdings_of(&index.holdings, id));
    }
    assert_int_equal(opened.holdings.everybody, index.holdings.everybody);
    assert_int_equal(opened.holdings.sets.count, index.holdings.sets.count);
    never_index_free(&index);
    never_index_free(&opened);
}

static void store(struct slice bytes)
{
    struct error error = {0};
    if (file_replace(path, bytes, 0600, &error) != STATUS_OK)
        fail_msg("store: %s", error.message);
}

/* Cut anywhere, or with a byte changed, it is refused; looked at in place it may pass, and then
 * every number in it can be used. */
static void a_damaged_file_is_refused(void **state)
{
    (void)state;
    struct never_index index = first_index(), read;
    struct buffer file;
    buffer_init(&file, FILE_BYTES);
    write_index(&index);
    assert_int_equal(file_read(path, &file, NULL), STATUS_OK);
    for (size_t len = 0; len < file.len; len += len < 400 ? 17 : 6007) {
        store(slice_of(file.data, len));
        assert_int_equal(never_index_read(path, &read, NULL) == STATUS_OK, false);
        assert_int_equal(never_index_open(path, &read, NULL) == STATUS_OK, false);
    }
    for (size_t at = 0; at < file.len; at += at < 400 ? 13 : 3001) {
        file.data[at] ^= 0x55;
        store(buffer_slice(&file));
        assert_int_equal(never_index_read(path, &read, NULL), STATUS_CORRUPT);
        if (never_index_open(path, &read, NULL) == STATUS_OK) {
            struct sorted_tree tree = never_index_tree(&read);
            struct sorted_path shown;
            uint64_t place = never_index_place(&read, seeds.of[5]);
            sorted_tree_path(&tree, place, 2, &shown);
            never_index_free(&read);
        }
        file.data[at] ^= 0x55;
    }
    memcpy(file.data, "CFNINDX1", 8);
    store(buffer_slice(&file));
    assert_int_equal(never_index_read(path, &read, NULL), STATUS_NOT_FOUND);
    unlink(path);
    assert_int_equal(never_index_open(path, &read, NULL), STATUS_NOT_FOUND);
    buffer_free(&file);
    never_index_free(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_is_what_the_leaves_give),
        cmocka_unit_test(a_later_index_is_the_one_that_is_made_afresh),
        cmocka_unit_test(who_has_nothing_new_is_taken_over),
        cmocka_unit_test(a_proof_looks_at_the_file_in_place),
        cmocka_unit_test(a_damaged_file_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

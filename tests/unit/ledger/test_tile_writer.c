/* The edge of the tiles: its root is the tree's at every size, it takes itself up again at every
 * size, and it leaves no more files than it should. */
#include "folder.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/merkle.h"
#include "ledger/tile_writer.h"

enum { LEAVES = 700 };

static const char origin[] = "cofferdam/log/test";
static uint8_t roots[LEAVES + 1][32];

static struct slice entry_of(uint64_t i)
{
    static uint8_t entry[4];
    store_u32be(entry, (uint32_t)i);
    return slice_of(entry, sizeof entry);
}

static int make_roots(void **state)
{
    struct merkle tree;
    uint8_t leaf[32];
    merkle_init(&tree);
    merkle_root(&tree, roots[0]);
    for (uint64_t i = 0; i < LEAVES; i++) {
        merkle_leaf(entry_of(i), leaf);
        merkle_add(&tree, leaf);
        merkle_root(&tree, roots[i + 1]);
    }
    return 0;
}

static void add_up_to(struct tile_writer *writer, uint64_t size)
{
    struct error error = {0};
    while (writer->bundled < size)
        assert_status(tile_writer_add(writer, entry_of(writer->bundled), &error), STATUS_OK);
}

static void assert_root(const struct tile_writer *writer)
{
    uint8_t root[32];
    tile_writer_root(writer, root);
    if (memcmp(root, roots[writer->size], 32) != 0)
        fail_msg("another root at %d leaves", (int)writer->size);
}

static struct tile_writer writer;

static void its_root_is_the_trees(void **state)
{
    struct test_folder folder;
    struct error error = {0};
    folder_make(&folder);
    assert_status(tile_writer_start(&writer, folder.path, origin, &error), STATUS_OK);
    for (uint64_t size = 0; size <= LEAVES; size++) {
        add_up_to(&writer, size);
        assert_root(&writer);
    }
    tile_writer_free(&writer);
    folder_remove(&folder);
}

static void it_takes_itself_up_at_every_size(void **state)
{
    struct test_folder folder;
    struct error error = {0};
    folder_make(&folder);
    assert_status(tile_writer_resume(&writer, folder.path, origin, &error), STATUS_NOT_FOUND);
    for (uint64_t size = 0; size <= LEAVES; size += size < 250 || size > 262 ? 37 : 1) {
        if (size == 0)
            assert_status(tile_writer_start(&writer, folder.path, origin, &error), STATUS_OK);
        else
            assert_status(tile_writer_resume(&writer, folder.path, origin, &error), STATUS_OK);
        add_up_to(&writer, size);
        assert_int_equal(writer.size, size);
        assert_root(&writer);
        assert_status(tile_writer_settle(&writer, &error), STATUS_OK);
        tile_writer_free(&writer);
    }
    folder_remove(&folder);
}

/* A power cut after a settling: what was written since may be torn, what was there before is read.
 */
static void torn_files_after_a_settling_do_no_harm(void **state)
{
    struct test_folder folder;
    struct error error = {0};
    folder_make(&folder);
    assert_status(tile_writer_start(&writer, folder.path, origin, &error), STATUS_OK);
    add_up_to(&writer, 300);
    assert_status(tile_writer_settle(&writer, &error), STATUS_OK);
    add_up_to(&writer, 600);
    assert_status(tile_writer_flush(&writer, &error), STATUS_OK);
    tile_writer_free(&writer);
    const char *const torn[] = {"tiles/tile/0/001", "tiles/tile/0/002.p/88", "tiles/tile/1/000.p/2",
                                "tiles/tile/entries/001"};
    for (size_t i = 0; i < sizeof torn / sizeof torn[0]; i++) {
        assert_true(file_exists(folder_file(&folder, torn[i])));
        write_whole(folder_file(&folder, torn[i]), slice_of_text(""));
    }
    assert_status(tile_writer_resume(&writer, folder.path, origin, &error), STATUS_OK);
    assert_int_equal(writer.size, 300);
    add_up_to(&writer, LEAVES);
    assert_root(&writer);
    assert_status(tile_writer_flush(&writer, &error), STATUS_OK);
    tile_writer_free(&writer);
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    read_whole(folder_file(&folder, "tiles/tile/0/001"), &bytes);
    assert_int_equal(bytes.len, 256 * 32);
    buffer_free(&bytes);
    folder_remove(&folder);
}

static void what_is_not_its_own_is_not_taken_up(void **state)
{
    struct test_folder folder;
    struct error error = {0};
    folder_make(&folder);
    assert_status(tile_writer_start(&writer, folder.path, origin, &error), STATUS_OK);
    add_up_to(&writer, 300);
    assert_status(tile_writer_settle(&writer, &error), STATUS_OK);
    tile_writer_free(&writer);
    assert_status(tile_writer_resume(&writer, folder.path, "cofferdam/log/other", &error),
                  STATUS_CORRUPT);
    assert_status(tile_writer_resume(&writer, folder.path, origin, &error), STATUS_OK);
    assert_int_equal(writer.bundled, 256);
    assert_status(tile_writer_add(&writer, entry_of(7), &error), STATUS_CORRUPT);
    tile_writer_free(&writer);
    write_whole(folder_file(&folder, "tiles/tile/1/000.p/1"), slice_of(roots[9], 32));
    assert_status(tile_writer_resume(&writer, folder.path, origin, &error), STATUS_CORRUPT);
    folder_remove(&folder);
}

static void partial_ones_go_in_time(void **state)
{
    struct test_folder folder;
    struct error error = {0};
    folder_make(&folder);
    assert_status(tile_writer_start(&writer, folder.path, origin, &error), STATUS_OK);
    for (uint64_t size = 10; size <= 40; size += 10) {
        add_up_to(&writer, size);
        assert_status(tile_writer_flush(&writer, &error), STATUS_OK);
    }
    /* Of bundles the last two, of tiles all, since a full one has not come yet. */
    assert_false(file_exists(folder_file(&folder, "tiles/tile/entries/000.p/20")));
    assert_true(file_exists(folder_file(&folder, "tiles/tile/entries/000.p/30")));
    assert_true(file_exists(folder_file(&folder, "tiles/tile/entries/000.p/40")));
    assert_true(file_exists(folder_file(&folder, "tiles/tile/0/000.p/10")));
    add_up_to(&writer, 300);
    assert_status(tile_writer_flush(&writer, &error), STATUS_OK);
    assert_true(file_exists(folder_file(&folder, "tiles/tile/0/000.p/10")));
    assert_status(tile_writer_settle(&writer, &error), STATUS_OK);
    assert_true(file_exists(folder_file(&folder, "tiles/tile/0/000")));
    assert_false(file_exists(folder_file(&folder, "tiles/tile/0/000.p")));
    assert_false(file_exists(folder_file(&folder, "tiles/tile/entries/000.p")));
    assert_true(file_exists(folder_file(&folder, "tiles/tile/0/001.p/44")));
    tile_writer_free(&writer);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_root_is_the_trees),
        cmocka_unit_test(it_takes_itself_up_at_every_size),
        cmocka_unit_test(torn_files_after_a_settling_do_no_harm),
        cmocka_unit_test(what_is_not_its_own_is_not_taken_up),
        cmocka_unit_test(partial_ones_go_in_time),
    };
    return cmocka_run_group_tests(tests, make_roots, NULL);
}

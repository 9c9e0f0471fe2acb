/* Tiles: paths as C2SP tlog-tiles spells them, and proofs made from files that were written by the
 * writer's own side. */
#include "folder.h"

#include <string.h>
#include <unistd.h>

#include "ledger/proof.h"
#include "ledger/tile_writer.h"
#include "ledger/tiles.h"

static void paths_are_those_of_the_standard(void **state)
{
    static const struct {
        struct tile tile;
        const char *path;
    } examples[] = {
        {{0, 0, 256}, "tile/0/000"},
        {{0, 999, 256}, "tile/0/999"},
        {{0, 1000, 256}, "tile/0/x001/000"},
        {{1, 1234067, 256}, "tile/1/x001/x234/067"},
        {{7, 1234067, 8}, "tile/7/x001/x234/067.p/8"},
        {{TILES_ENTRIES, 5, 255}, "tile/entries/005.p/255"},
        {{TILES_ENTRIES, INT64_MAX, 1}, "tile/entries/x009/x223/x372/x036/x854/x775/807.p/1"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        char path[TILES_PATH_ROOM];
        struct tile tile;
        tile_path(&examples[i].tile, path);
        assert_string_equal(path, examples[i].path);
        assert_true(tile_path_parse(slice_of_text(path), &tile));
        assert_int_equal(tile.level, examples[i].tile.level);
        assert_int_equal(tile.index, examples[i].tile.index);
        assert_int_equal(tile.width, examples[i].tile.width);
    }
}

static void no_other_path_is_one(void **state)
{
    static const char *const paths[] = {
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/8/000",
        "tile/10/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/x1/000",
        "tile/0/x0001/000",
        "tile/0/001/000",
        "tile/0/x001/",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000/",
        "tile/0/000.p/1/",
        "tile/0//000",
        "/tile/0/000",
        "tile/0/../0/000",
        "tile/entries/../0/000",
        "tile/0/000%00",
        "tile/entry/000",
        "tile/0/ 00",
        "tile/0/+00",
        "tile/0/x009/x223/x372/x036/x854/x775/808/",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "checkpoint",
    };
    struct tile tile;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (tile_path_parse(slice_of_text(paths[i]), &tile))
            fail_msg("\"%s\" is taken for a tile", paths[i]);
    assert_false(tile_path_parse(slice_of("tile/0/000\0", 11), &tile));
}

static void widths_follow_from_the_size(void **state)
{
    assert_int_equal(tile_width(0, 0, 0), 0);
    assert_int_equal(tile_width(0, 0, 5), 5);
    assert_int_equal(tile_width(0, 0, 256), 256);
    assert_int_equal(tile_width(0, 1, 256), 0);
    assert_int_equal(tile_width(0, 1, 300), 44);
    assert_int_equal(tile_width(TILES_ENTRIES, 1, 300), 44);
    assert_int_equal(tile_width(1, 0, 300), 1);
    assert_int_equal(tile_width(1, 0, 255), 0);
    assert_int_equal(tile_width(2, 0, 70000), 1);
    assert_int_equal(tile_width(0, 273, 70000), 112);
    assert_int_equal(tile_width(0, 274, 70000), 0);
}

static void a_cut_bundle_gives_what_is_whole(void **state)
{
    struct slice rest = slice_of("\0\3one\0\0\0\3tw", 11), entry;
    assert_true(tile_bundle_take(&rest, &entry));
    assert_true(slice_equal(entry, slice_of_text("one")));
    assert_true(tile_bundle_take(&rest, &entry));
    assert_int_equal(entry.len, 0);
    assert_false(tile_bundle_take(&rest, &entry));
}

static struct tile_writer writer;

static void start(const struct test_folder *folder)
{
    struct error error = {0};
    assert_status(tile_writer_start(&writer, folder->path, "cofferdam/log/test", &error),
                  STATUS_OK);
}

/* Adds entries up to this size, and publishes it. */
static void publish(uint64_t size)
{
    struct error error = {0};
    struct buffer note;
    struct checkpoint checkpoint = {.size = size};
    for (uint64_t i = writer.size; i < size; i++) {
        uint8_t entry[4];
        store_u32be(entry, (uint32_t)i);
        assert_status(tile_writer_add(&writer, slice_of(entry, 4), &error), STATUS_OK);
    }
    assert_status(tile_writer_flush(&writer, &error), STATUS_OK);
    buffer_init(&note, 1024);
    tile_writer_root(&writer, checkpoint.root);
    checkpoint_format("cofferdam/log/test", &checkpoint, &note);
    assert_status(tile_writer_checkpoint(&writer, buffer_slice(&note), &error), STATUS_OK);
    buffer_free(&note);
}

static void write_tiles(const struct test_folder *folder, uint64_t size)
{
    start(folder);
    publish(size);
    tile_writer_free(&writer);
}

/* Whoever began to read keeps reading, however often is published meanwhile. */
static void bundles_that_have_gone_are_read_from_later_ones(void **state)
{
    static const uint64_t later[] = {20, 30, 40, 300};
    struct error error = {0};
    struct test_folder folder;
    struct slice entry;
    folder_make(&folder);
    start(&folder);
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        struct tiles *tiles;
        publish(later[i] - 10);
        assert_status(tiles_open(folder.path, &tiles, &error), STATUS_OK);
        const uint64_t last = tiles_checkpoint(tiles)->size - 1;
        for (uint64_t size = later[i] - 9; size < later[i]; size += 3)
            publish(size);
        assert_status(tiles_entry(tiles, last, &entry, &error), STATUS_OK);
        assert_int_equal(load_u32be(entry.data), last);
        tiles_close(tiles);
    }
    tile_writer_free(&writer);
    folder_remove(&folder);
}

static void proofs_from_tiles_hold(void **state)
{
    static const uint64_t sizes[] = {1, 2, 255, 256, 257, 513, 65536, 65793, 70000};
    struct error error = {0};
    for (size_t at = 0; at < sizeof sizes / sizeof sizes[0]; at++) {
        struct test_folder folder;
        struct tiles *tiles;
        struct proof proof;
        uint64_t size = sizes[at];
        folder_make(&folder);
        write_tiles(&folder, size);
        assert_status(tiles_open(folder.path, &tiles, &error), STATUS_OK);
        const struct checkpoint *checkpoint = tiles_checkpoint(tiles);
        assert_int_equal(checkpoint->size, size);
        for (uint64_t i = 0; i < size; i += 1 + size / 23) {
            struct slice entry;
            uint8_t leaf[32], old_root[32];
            assert_status(tiles_entry(tiles, i, &entry, &error), STATUS_OK);
            assert_int_equal(entry.len, 4);
            assert_int_equal(load_u32be(entry.data), i);
            merkle_leaf(entry, leaf);
            assert_status(proof_inclusion(i, size, tiles_source, tiles, &proof, &error), STATUS_OK);
            assert_true(proof_inclusion_holds(leaf, i, size, &proof, checkpoint->root));
            assert_status(proof_root(i, tiles_source, tiles, old_root, &error), STATUS_OK);
            assert_status(proof_consistency(i, size, tiles_source, tiles, &proof, &error),
                          STATUS_OK);
            assert_true(proof_consistency_holds(i, old_root, size, checkpoint->root, &proof));
        }
        struct slice none;
        assert_status(tiles_entry(tiles, size, &none, &error), STATUS_INVALID);
        assert_status(tiles_source(tiles, 0, size, (uint8_t[32]){0}, &error), STATUS_INVALID);
        tiles_close(tiles);
        folder_remove(&folder);
    }
}

/* Flips one byte of a file in the folder. */
static void flip(const struct test_folder *folder, const char *name, size_t at)
{
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    read_whole(folder_file(folder, name), &bytes);
    bytes.data[at] ^= 1;
    write_whole(folder_file(folder, name), buffer_slice(&bytes));
    buffer_free(&bytes);
}

static void a_changed_entry_or_leaf_is_found(void **state)
{
    static const char *const files[] = {"tiles/tile/entries/001.p/44", "tiles/tile/0/001.p/44"};
    struct error error = {0};
    for (size_t i = 0; i < 2; i++) {
        struct test_folder folder;
        struct tiles *tiles;
        struct slice entry;
        folder_make(&folder);
        write_tiles(&folder, 300);
        flip(&folder, files[i], 3);
        assert_status(tiles_open(folder.path, &tiles, &error), STATUS_OK);
        assert_status(tiles_entry(tiles, 255, &entry, &error), STATUS_OK);
        assert_status(tiles_entry(tiles, 256, &entry, &error), STATUS_CORRUPT);
        if (strstr(error.message, "tile/entries/001.p/44: holds an entry that is not") == NULL)
            fail_msg("message is \"%s\"", error.message);
        tiles_close(tiles);
        folder_remove(&folder);
    }
}

static void what_is_missing_is_told(void **state)
{
    struct error error = {0};
    struct test_folder folder;
    struct tiles *tiles;
    struct slice entry;
    folder_make(&folder);
    assert_status(tiles_open(folder.path, &tiles, &error), STATUS_NOT_FOUND);
    write_tiles(&folder, 300);
    assert_status(tiles_open(folder.path, &tiles, &error), STATUS_OK);
    unlink(folder_file(&folder, "tiles/tile/0/001.p/44"));
    assert_status(tiles_entry(tiles, 299, &entry, &error), STATUS_CORRUPT);
    if (strstr(error.message, "tiles/tile/0/001.p/44: missing") == NULL)
        fail_msg("message is \"%s\"", error.message);
    tiles_close(tiles);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_those_of_the_standard),
        cmocka_unit_test(no_other_path_is_one),
        cmocka_unit_test(widths_follow_from_the_size),
        cmocka_unit_test(a_cut_bundle_gives_what_is_whole),
        cmocka_unit_test(proofs_from_tiles_hold),
        cmocka_unit_test(bundles_that_have_gone_are_read_from_later_ones),
        cmocka_unit_test(a_changed_entry_or_leaf_is_found),
        cmocka_unit_test(what_is_missing_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

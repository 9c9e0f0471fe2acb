/* Publishing: what is in the log is in the tiles after a stop, in a while before; tiles that are
 * lost or torn are made anew, and tiles that say something else than the log are left as they are.
 */
#include "folder.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/proof.h"
#include "ledger/tiles.h"

enum { PUBLISH_MS = 20 };

static struct ledger_options options_of(const struct test_folder *folder)
{
    struct ledger_options options = test_options(folder);
    options.publish_ms = PUBLISH_MS;
    return options;
}

/* Opens the log, appends so many entries, waits for them and closes it. */
static void run_once(const struct test_folder *folder, unsigned entries)
{
    struct ledger_options options = options_of(folder);
    struct ledger *ledger = open_ok(&options);
    uint64_t last = 0;
    char text[32];
    for (unsigned i = 0; i < entries; i++) {
        snprintf(text, sizeof text, "entry %u", i);
        last = append_text(ledger, text);
    }
    ledger_wait(ledger, last);
    ledger_close(ledger);
}

static void assert_published(const struct test_folder *folder, uint64_t size)
{
    struct error error = {0};
    struct tiles *tiles;
    struct slice entry;
    struct ledger_reader *reader;
    uint64_t sequence, count;
    uint8_t root[32];
    assert_status(tiles_open(folder->path, &tiles, &error), STATUS_OK);
    assert_int_equal(tiles_checkpoint(tiles)->size, size);
    assert_status(proof_root(size, tiles_source, tiles, root, &error), STATUS_OK);
    assert_memory_equal(root, tiles_checkpoint(tiles)->root, 32);
    assert_status(ledger_reader_open(folder->path, 0, &reader, &error), STATUS_OK);
    for (uint64_t i = 0; i < size; i++) {
        struct slice want, side;
        assert_status(ledger_reader_next_bytes(reader, &sequence, &want, &side, &error), STATUS_OK);
        assert_status(tiles_entry(tiles, i, &entry, &error), STATUS_OK);
        assert_true(slice_equal(entry, want));
    }
    ledger_reader_root(reader, &count, root);
    assert_int_equal(count, size);
    assert_memory_equal(root, tiles_checkpoint(tiles)->root, 32);
    ledger_reader_close(reader);
    tiles_close(tiles);
}

static uint64_t log_size(const struct test_folder *folder)
{
    struct ledger_options options = test_options(folder);
    struct ledger *ledger = open_ok(&options);
    struct ledger_state state;
    ledger_state(ledger, &state);
    ledger_close(ledger);
    return state.entries;
}

static void a_stop_publishes_all(void **state)
{
    struct test_folder folder;
    folder_make(&folder);
    for (unsigned i = 0; i < 4; i++) {
        run_once(&folder, 190);
        assert_published(&folder, log_size(&folder));
    }
    folder_remove(&folder);
}

static void a_running_log_is_published_in_a_while(void **state)
{
    struct test_folder folder;
    struct tiles *tiles;
    folder_make(&folder);
    struct ledger_options options = options_of(&folder);
    struct ledger *ledger = open_ok(&options);
    uint64_t last = append_text(ledger, "one"), size = 0;
    for (int i = 0; i < 1000 && size <= last; i++) {
        usleep(10000);
        if (tiles_open(folder.path, &tiles, NULL) != STATUS_OK)
            continue;
        size = tiles_checkpoint(tiles)->size;
        tiles_close(tiles);
    }
    if (size <= last)
        fail_msg("%d entries are published after 10 seconds, expected more than %d", (int)size,
                 (int)last);
    ledger_close(ledger);
    folder_remove(&folder);
}

static void nothing_is_published_where_it_is_off(void **state)
{
    struct test_folder folder;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    ledger_wait(ledger, append_text(ledger, "one"));
    ledger_close(ledger);
    assert_false(file_exists(folder_file(&folder, "tiles")));
    folder_remove(&folder);
}

static void lost_and_torn_tiles_are_made_anew(void **state)
{
    struct test_folder folder;
    folder_make(&folder);
    run_once(&folder, 600);
    unlink(folder_file(&folder, "tiles.synced"));
    write_whole(folder_file(&folder, "tiles/tile/0/000"), slice_of_text("torn"));
    unlink(folder_file(&folder, "tiles/tile/entries/001"));
    run_once(&folder, 1);
    assert_published(&folder, log_size(&folder));
    write_whole(folder_file(&folder, "tiles.synced"), slice_of_text("torn"));
    unlink(folder_file(&folder, "tiles/tile/0/001"));
    run_once(&folder, 1);
    assert_published(&folder, log_size(&folder));
    folder_remove(&folder);
}

/* A log that was replaced by a shorter one, or by another: the tiles are what shows it. */
/* Other file systems, other hands: it can be empty, or anything. */
static void a_torn_checkpoint_is_replaced(void **state)
{
    static const char *const torn[] = {"", "\0\0\0\0", "cofferdam/log/"};
    struct test_folder folder;
    folder_make(&folder);
    for (size_t i = 0; i < sizeof torn / sizeof torn[0]; i++) {
        run_once(&folder, 20);
        write_whole(folder_file(&folder, "tiles/checkpoint"),
                    slice_of(torn[i], i == 1 ? 4 : strlen(torn[i])));
        run_once(&folder, 20);
        assert_published(&folder, log_size(&folder));
    }
    folder_remove(&folder);
}

static void tiles_that_contradict_are_left_alone(void **state)
{
    struct test_folder folder, other;
    struct tiles *tiles;
    struct error error = {0};
    folder_make(&folder);
    folder_make(&other);
    run_once(&folder, 30);
    folder_copy(&folder, &other);
    assert_int_equal(mkdir(folder_file(&other, "tiles"), 0755), 0);
    run_once(&folder, 30);
    for (int another = 0; another < 2; another++) {
        /* The tiles of the longer log beside the shorter one, which then goes its own way. */
        assert_status(tiles_open(folder.path, &tiles, &error), STATUS_OK);
        const struct checkpoint want = *tiles_checkpoint(tiles);
        struct buffer note;
        buffer_init(&note, NOTE_BYTES_MAX);
        read_whole(folder_file(&folder, "tiles/checkpoint"), &note);
        write_whole(folder_file(&other, "tiles/checkpoint"), buffer_slice(&note));
        tiles_close(tiles);
        run_once(&other, another == 0 ? 1 : 60);
        assert_status(tiles_open(other.path, &tiles, &error), STATUS_OK);
        assert_int_equal(tiles_checkpoint(tiles)->size, want.size);
        assert_memory_equal(tiles_checkpoint(tiles)->root, want.root, 32);
        tiles_close(tiles);
        buffer_free(&note);
    }
    folder_remove(&folder);
    folder_remove(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_publishes_all),
        cmocka_unit_test(a_running_log_is_published_in_a_while),
        cmocka_unit_test(nothing_is_published_where_it_is_off),
        cmocka_unit_test(lost_and_torn_tiles_are_made_anew),
        cmocka_unit_test(a_torn_checkpoint_is_replaced),
        cmocka_unit_test(tiles_that_contradict_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

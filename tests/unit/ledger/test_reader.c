/* The reader beside a running writer: only acknowledged entries, over segments and recoveries. */
#include "folder.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/checkpoint.h"
#include "ledger/durable.h"
#include "ledger/segment.h"

static struct ledger_reader *reader_ok(const struct test_folder *folder, uint64_t from)
{
    struct ledger_reader *reader = NULL;
    struct error error = {0};
    if (ledger_reader_open(folder->path, from, &reader, &error) != STATUS_OK)
        fail_msg("ledger_reader_open: %s", error.message);
    return reader;
}

static void assert_next(struct ledger_reader *reader, uint64_t want_sequence, const char *want)
{
    struct ledger_entry entry;
    struct slice side;
    struct error error = {0};
    uint64_t sequence;
    enum status status = ledger_reader_next(reader, &sequence, &entry, &side, &error);
    if (status != STATUS_OK)
        fail_msg("entry %d: %s: %s", (int)want_sequence, status_name(status), error.message);
    assert_int_equal(sequence, want_sequence);
    assert_int_equal(entry.text.len, strlen(want));
    assert_memory_equal(entry.text.data, want, entry.text.len);
}

static enum status next_status(struct ledger_reader *reader, struct error *error)
{
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    return ledger_reader_next(reader, &sequence, &entry, &side, error);
}

static void it_follows_a_running_writer(void **state)
{
    struct test_folder folder;
    struct error error = {0};
    char text[32];
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    struct ledger_reader *reader = reader_ok(&folder, 0), *late = reader_ok(&folder, 7);
    assert_status(next_status(reader, &error), STATUS_AGAIN);
    for (uint64_t i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "entry %d", (int)i);
        ledger_wait(ledger, append_text(ledger, text));
        assert_next(reader, i, text);
        assert_status(next_status(reader, &error), STATUS_AGAIN);
        if (i < 7)
            assert_status(next_status(late, &error), STATUS_AGAIN);
        else
            assert_next(late, i, text);
    }
    ledger_close(ledger);
    assert_status(next_status(reader, &error), STATUS_AGAIN);
    ledger = open_ok(&options);
    ledger_wait(ledger, append_text(ledger, "after a restart"));
    assert_next(reader, 20, "after a restart");
    ledger_close(ledger);
    ledger_reader_close(reader);
    ledger_reader_close(late);
    folder_remove(&folder);
}

static void it_goes_over_segments_and_starts_anywhere(void **state)
{
    static char text[40000];
    struct test_folder folder;
    struct error error = {0};
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    struct ledger_reader *reader = reader_ok(&folder, 0);
    memset(text, 'x', sizeof text - 1);
    for (uint64_t i = 0; i < 12; i++) {
        struct ledger_entry entry = {.type = LEDGER_ACT, .text = slice_of_text(text)};
        uint64_t sequence;
        while (ledger_append(ledger, &entry, slice_of_text("side"), &sequence, &error) != STATUS_OK)
            usleep(1000);
        ledger_wait(ledger, sequence);
        assert_next(reader, i, text);
    }
    ledger_close(ledger);
    assert_status(next_status(reader, &error), STATUS_AGAIN);
    ledger_reader_close(reader);
    for (uint64_t from = 0; from <= 13; from++) {
        reader = reader_ok(&folder, from);
        for (uint64_t i = from; i < 12; i++)
            assert_next(reader, i, text);
        assert_status(next_status(reader, &error), STATUS_AGAIN);
        ledger_reader_close(reader);
    }
    folder_remove(&folder);
}

/* `durable` holds back a frame that is whole on disk but whose sync has not returned. */
static void it_shows_nothing_that_is_not_acknowledged(void **state)
{
    struct test_folder folder, image;
    struct error error = {0};
    int fd;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    for (int i = 0; i < 5; i++)
        ledger_wait(ledger, append_text(ledger, "one"));
    live_image(&folder, ledger, &image);
    ledger_close(ledger);
    unlink(folder_file(&image, "checkpoint"));
    unlink(folder_file(&image, "durable"));
    struct ledger_reader *reader = reader_ok(&image, 0);
    assert_status(next_status(reader, &error), STATUS_AGAIN);
    assert_status(durable_open(image.path, &fd, &error), STATUS_OK);
    for (uint64_t durable = 1; durable <= 5; durable++) {
        assert_status(durable_store(fd, durable, &error), STATUS_OK);
        assert_next(reader, durable - 1, "one");
        assert_status(next_status(reader, &error), STATUS_AGAIN);
    }
    assert_status(durable_store(fd, 6, &error), STATUS_OK);
    assert_status(next_status(reader, &error), STATUS_CORRUPT);
    close(fd);
    ledger_reader_close(reader);
    folder_remove(&folder);
    folder_remove(&image);
}

static void damage_is_told_with_its_place(void **state)
{
    struct test_folder folder;
    struct error error = {0};
    struct buffer bytes;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    for (int i = 0; i < 3; i++)
        ledger_wait(ledger, append_text(ledger, "one"));
    ledger_close(ledger);
    buffer_init(&bytes, 64 << 20);
    read_whole(folder_segment(&folder, 1), &bytes);
    bytes.data[SEGMENT_HEADER_BYTES + 512 + 120] ^= 1;
    write_whole(folder_segment(&folder, 1), buffer_slice(&bytes));
    buffer_free(&bytes);
    struct ledger_reader *reader = reader_ok(&folder, 0);
    assert_next(reader, 0, "one");
    assert_status(next_status(reader, &error), STATUS_CORRUPT);
    if (strstr(error.message, "segment-0000000001.log: byte 4608:") == NULL)
        fail_msg("message is \"%s\", expected byte 4608 of segment 1", error.message);
    ledger_reader_close(reader);
    folder_remove(&folder);
}

/* Recovery puts a copy in the tail's place; a reader that holds the old file goes on in the new. */
static void it_survives_the_writers_recovery(void **state)
{
    struct test_folder folder, image;
    struct error error = {0};
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    ledger_wait(ledger, append_text(ledger, "before"));
    live_image(&folder, ledger, &image);
    ledger_close(ledger);
    struct ledger_reader *reader = reader_ok(&image, 0);
    assert_next(reader, 0, "before");
    options = test_options(&image);
    ledger = open_ok(&options);
    ledger_wait(ledger, append_text(ledger, "after"));
    assert_status(next_status(reader, &error), STATUS_OK); /* the entry of recovery */
    assert_next(reader, 2, "after");
    ledger_close(ledger);
    ledger_reader_close(reader);
    folder_remove(&folder);
    folder_remove(&image);
}

/* Reading all from the start is a verification: it ends with the root that the writer has. */
static void reading_from_the_start_verifies_the_tree(void **state)
{
    struct test_folder folder;
    struct ledger_state now;
    struct error error = {0};
    uint64_t size;
    uint8_t root[32];
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    for (int i = 0; i < 30; i++)
        append_text(ledger, "one");
    ledger_wait(ledger, 29);
    ledger_state(ledger, &now);
    ledger_close(ledger);
    struct ledger_reader *reader = reader_ok(&folder, 0);
    for (uint64_t i = 0; i < 30; i++)
        assert_next(reader, i, "one");
    assert_status(next_status(reader, &error), STATUS_AGAIN);
    ledger_reader_root(reader, &size, root);
    assert_int_equal(size, 30);
    assert_memory_equal(root, now.root, sizeof root);
    ledger_reader_close(reader);

    uint8_t log_id[SEGMENT_ID_BYTES];
    struct checkpoint forged = {.size = 30};
    assert_status(log_id_read(folder.path, log_id, &error), STATUS_OK);
    assert_status(checkpoint_write(folder.path, log_id, &forged, &error), STATUS_OK);
    reader = reader_ok(&folder, 0);
    for (uint64_t i = 0; i < 29; i++)
        assert_next(reader, i, "one");
    assert_status(next_status(reader, &error), STATUS_CORRUPT);
    ledger_reader_close(reader);
    folder_remove(&folder);
}

static void a_folder_without_a_log_is_told(void **state)
{
    struct test_folder folder;
    struct ledger_reader *reader;
    struct error error = {0};
    folder_make(&folder);
    assert_status(ledger_reader_open(folder.path, 0, &reader, &error), STATUS_NOT_FOUND);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_follows_a_running_writer),
        cmocka_unit_test(it_goes_over_segments_and_starts_anywhere),
        cmocka_unit_test(it_shows_nothing_that_is_not_acknowledged),
        cmocka_unit_test(damage_is_told_with_its_place),
        cmocka_unit_test(it_survives_the_writers_recovery),
        cmocka_unit_test(reading_from_the_start_verifies_the_tree),
        cmocka_unit_test(a_folder_without_a_log_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

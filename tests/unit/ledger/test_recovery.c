/* What a start makes of damage: acknowledged data is never given up silently, an unacknowledged
 * tail never stops a start, and the file and the byte are told. */
#include "folder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "ledger/checkpoint.h"
#include "ledger/segment.h"

enum { ENTRIES = 6, FRAMES_AT = SEGMENT_HEADER_BYTES, FRAME = 512 };

struct counted {
    uint64_t count, recovered;
    char text[64];
};

static enum status count(void *context, uint64_t sequence, const struct ledger_entry *entry,
                         struct slice side, uint64_t segment, struct error *error)
{
    struct counted *counted = context;
    counted->count++;
    counted->recovered += entry->type == LEDGER_RECOVERED;
    snprintf(counted->text, sizeof counted->text, "%.*s", (int)entry->text.len,
             (const char *)entry->text.data);
    return STATUS_OK;
}

static enum status try_open(const struct test_folder *folder, struct ledger **ledger,
                            struct counted *counted, struct error *error)
{
    struct ledger_options options = test_options(folder);
    *counted = (struct counted){0};
    options.replay = count;
    options.replay_context = counted;
    return ledger_open(&options, ledger, error);
}

/* ENTRIES frames of one entry each, as a crash would leave them; or after an orderly stop. */
static void make_log(struct test_folder *folder, bool clean)
{
    struct test_folder live;
    folder_make(&live);
    struct ledger_options options = test_options(&live);
    struct ledger *ledger = open_ok(&options);
    for (int i = 0; i < ENTRIES; i++)
        ledger_wait(ledger, append_text(ledger, "acknowledged"));
    if (!clean)
        live_image(&live, ledger, folder);
    ledger_close(ledger);
    if (clean)
        *folder = live;
    else
        folder_remove(&live);
}

static void flip(const char *path, size_t at, uint8_t mask)
{
    struct buffer bytes;
    buffer_init(&bytes, 64 << 20);
    read_whole(path, &bytes);
    assert_true(at < bytes.len);
    bytes.data[at] ^= mask;
    write_whole(path, buffer_slice(&bytes));
    buffer_free(&bytes);
}

static void assert_corrupt_at(const struct test_folder *folder, const char *file, size_t byte)
{
    struct ledger *ledger;
    struct counted counted;
    struct error error = {0};
    char want[64];
    enum status status = try_open(folder, &ledger, &counted, &error);
    if (status != STATUS_CORRUPT)
        fail_msg("byte %zu damaged: status is %s, expected corrupt", byte, status_name(status));
    snprintf(want, sizeof want, "byte %zu:", byte);
    if (strstr(error.message, file) == NULL || strstr(error.message, want) == NULL)
        fail_msg("message is \"%s\", expected %s, %s", error.message, file, want);
}

static void sweep(bool clean)
{
    struct test_folder folder;
    struct counted counted;
    struct ledger *ledger;
    struct error error = {0};
    char path[256];
    make_log(&folder, clean);
    snprintf(path, sizeof path, "%s", folder_segment(&folder, 1));
    for (size_t at = 0; at < FRAMES_AT; at += at < 128 ? 1 : 61) {
        flip(path, at, (uint8_t)(1u << at % 8));
        assert_corrupt_at(&folder, "segment-0000000001.log", 0);
        flip(path, at, (uint8_t)(1u << at % 8));
    }
    for (size_t at = FRAMES_AT; at < FRAMES_AT + ENTRIES * FRAME; at++) {
        flip(path, at, (uint8_t)(1u << at % 8));
        assert_corrupt_at(&folder, "segment-0000000001.log", at / FRAME * FRAME);
        flip(path, at, (uint8_t)(1u << at % 8));
    }
    assert_status(try_open(&folder, &ledger, &counted, &error), STATUS_OK);
    assert_int_equal(counted.count, ENTRIES);
    ledger_close(ledger);
    folder_remove(&folder);
}

static void every_flip_in_acknowledged_bytes_is_told_after_a_crash(void **state)
{
    sweep(false);
}

static void every_flip_in_acknowledged_bytes_is_told_after_a_stop(void **state)
{
    sweep(true);
}

/* The clean mark and the zeros behind it hold no entries: their damage costs a recovery only. */
static void damage_behind_the_last_entry_is_repaired(void **state)
{
    for (size_t at = FRAMES_AT + ENTRIES * FRAME; at < FRAMES_AT + (ENTRIES + 4) * FRAME;
         at += 37) {
        struct test_folder folder;
        struct counted counted;
        struct ledger *ledger;
        struct error error = {0};
        make_log(&folder, true);
        flip(folder_segment(&folder, 1), at, 0x10);
        assert_status(try_open(&folder, &ledger, &counted, &error), STATUS_OK);
        assert_int_equal(counted.count, ENTRIES);
        ledger_close(ledger);
        assert_status(try_open(&folder, &ledger, &counted, &error), STATUS_OK);
        assert_int_equal(counted.count, ENTRIES + 1);
        assert_int_equal(counted.recovered, 1);
        ledger_close(ledger);
        folder_remove(&folder);
    }
}

/* The log one frame longer than what was acknowledged, in the state before its sync returned. */
static void make_unacknowledged(struct test_folder *folder, const char *text, size_t len)
{
    struct test_folder live, before;
    folder_make(&live);
    struct ledger_options options = test_options(&live);
    struct ledger *ledger = open_ok(&options);
    struct ledger_entry entry = {.type = LEDGER_ACT, .text = slice_of(text, len)};
    struct error error = {0};
    uint64_t sequence;
    for (int i = 0; i < ENTRIES; i++)
        ledger_wait(ledger, append_text(ledger, "acknowledged"));
    live_image(&live, ledger, &before);
    assert_status(ledger_append(ledger, &entry, slice_of(NULL, 0), &sequence, &error), STATUS_OK);
    ledger_wait(ledger, sequence);
    live_image(&live, ledger, folder);
    ledger_close(ledger);
    const char *const proofs[] = {"durable", "checkpoint"};
    for (size_t i = 0; i < 2; i++) {
        struct buffer bytes;
        buffer_init(&bytes, 4096);
        read_whole(folder_file(&before, proofs[i]), &bytes);
        write_whole(folder_file(folder, proofs[i]), buffer_slice(&bytes));
        buffer_free(&bytes);
    }
    folder_remove(&before);
    folder_remove(&live);
}

static void open_torn(const struct test_folder *folder, uint64_t want_entries, size_t cut)
{
    struct counted counted;
    struct ledger *ledger;
    struct error error = {0};
    enum status status = try_open(folder, &ledger, &counted, &error);
    if (status != STATUS_OK)
        fail_msg("cut at %zu: %s: %s", cut, status_name(status), error.message);
    if (counted.count != want_entries)
        fail_msg("cut at %zu: %d entries, expected %d", cut, (int)counted.count, (int)want_entries);
    assert_int_equal(append_text(ledger, "goes on"), want_entries + 1);
    ledger_close(ledger);
    status = try_open(folder, &ledger, &counted, &error);
    assert_status(status, STATUS_OK);
    assert_int_equal(counted.count, want_entries + 2);
    assert_int_equal(counted.recovered, 1);
    assert_string_equal(counted.text, "goes on");
    ledger_close(ledger);
}

/* All bytes of the last frame from `cut` on never reached the disk: zeros, or the file is short. */
static void cut_tail(const struct test_folder *base, size_t frame_at, size_t cut, bool shorten,
                     bool whole)
{
    struct test_folder folder;
    struct buffer bytes;
    folder_make(&folder);
    folder_copy(base, &folder);
    buffer_init(&bytes, 64 << 20);
    read_whole(folder_segment(&folder, 1), &bytes);
    memset(bytes.data + frame_at + cut, 0, bytes.len - frame_at - cut);
    if (shorten)
        bytes.len = frame_at + cut;
    write_whole(folder_segment(&folder, 1), buffer_slice(&bytes));
    buffer_free(&bytes);
    open_torn(&folder, whole ? ENTRIES + 1 : ENTRIES, cut);
    folder_remove(&folder);
}

static void a_tail_torn_at_any_byte_is_dropped(void **state)
{
    struct test_folder base;
    size_t frame_at = FRAMES_AT + ENTRIES * FRAME;
    struct buffer bytes;
    make_unacknowledged(&base, "never acknowledged", 18);
    buffer_init(&bytes, 64 << 20);
    read_whole(folder_segment(&base, 1), &bytes);
    size_t len = load_u32be(bytes.data + frame_at + 4);
    size_t meaning = len; /* trailing zeros of the frame itself are there in zeros, too */
    while (bytes.data[frame_at + meaning - 1] == 0)
        meaning--;
    buffer_free(&bytes);
    assert_true(meaning > 200 && meaning < FRAME);
    for (size_t cut = 0; cut <= FRAME; cut++)
        cut_tail(&base, frame_at, cut, false, cut >= meaning);
    for (size_t cut = 0; cut <= FRAME; cut += 64)
        cut_tail(&base, frame_at, cut, true, cut == FRAME);
    folder_remove(&base);
}

static void a_tail_torn_at_any_sector_is_dropped(void **state)
{
    static char text[20000];
    struct test_folder base;
    size_t frame_at = FRAMES_AT + ENTRIES * FRAME;
    memset(text, 't', sizeof text);
    make_unacknowledged(&base, text, sizeof text);
    for (size_t cut = 0; cut < sizeof text; cut += 512)
        cut_tail(&base, frame_at, cut, false, false);
    folder_remove(&base);
}

/* A disk may write later sectors first: a hole of zeros before written ones is still just a tail.
 */
static void a_hole_in_an_unacknowledged_tail_proves_nothing(void **state)
{
    static char text[20000];
    struct test_folder base;
    size_t frame_at = FRAMES_AT + ENTRIES * FRAME;
    memset(text, 't', sizeof text);
    make_unacknowledged(&base, text, sizeof text);
    for (size_t hole = 0; hole < sizeof text; hole += 1024) {
        struct test_folder folder;
        struct buffer bytes;
        folder_make(&folder);
        folder_copy(&base, &folder);
        buffer_init(&bytes, 64 << 20);
        read_whole(folder_segment(&folder, 1), &bytes);
        memset(bytes.data + frame_at + hole, 0, 512);
        write_whole(folder_segment(&folder, 1), buffer_slice(&bytes));
        buffer_free(&bytes);
        open_torn(&folder, ENTRIES, hole);
        folder_remove(&folder);
    }
    folder_remove(&base);
}

/* Without `durable` and checkpoint, what a later frame says of its own start is the proof. */
static void a_later_frame_proves_the_ones_before(void **state)
{
    struct test_folder folder;
    make_log(&folder, false);
    unlink(folder_file(&folder, "durable"));
    unlink(folder_file(&folder, "checkpoint"));
    for (size_t frame = 0; frame + 1 < ENTRIES; frame++) {
        size_t at = FRAMES_AT + frame * FRAME;
        flip(folder_segment(&folder, 1), at + 100, 1);
        assert_corrupt_at(&folder, "segment-0000000001.log", at);
        flip(folder_segment(&folder, 1), at + 100, 1);
    }
    flip(folder_segment(&folder, 1), FRAMES_AT + (ENTRIES - 1) * FRAME + 100, 1);
    open_torn(&folder, ENTRIES - 1, 0);
    folder_remove(&folder);
}

static void each_proof_alone_shows_a_shortened_log(void **state)
{
    const char *const proofs[] = {"durable", "checkpoint"};
    for (size_t i = 0; i < 2; i++) {
        struct test_folder folder;
        struct buffer bytes;
        make_log(&folder, true);
        unlink(folder_file(&folder, proofs[1 - i]));
        buffer_init(&bytes, 64 << 20);
        read_whole(folder_segment(&folder, 1), &bytes);
        memset(bytes.data + FRAMES_AT + 3 * FRAME, 0, bytes.len - FRAMES_AT - 3 * FRAME);
        write_whole(folder_segment(&folder, 1), buffer_slice(&bytes));
        buffer_free(&bytes);
        assert_corrupt_at(&folder, proofs[i], FRAMES_AT + 3 * FRAME);
        folder_remove(&folder);
    }
}

static void assert_open_fails(const struct test_folder *folder, const char *what)
{
    struct ledger *ledger;
    struct counted counted;
    struct error error = {0};
    assert_status(try_open(folder, &ledger, &counted, &error), STATUS_CORRUPT);
    if (strstr(error.message, what) == NULL)
        fail_msg("message is \"%s\", expected %s in it", error.message, what);
}

static void missing_files_are_told(void **state)
{
    const char *const files[] = {"segment-0000000001.log", "log-id"};
    for (size_t i = 0; i < 2; i++) {
        struct test_folder folder;
        make_log(&folder, true);
        unlink(folder_file(&folder, files[i]));
        assert_open_fails(&folder, i == 0 ? "no segments" : "log-id");
        folder_remove(&folder);
    }
}

/* Each byte of the checkpoint: damaged text, another log's, another size or another root. */
static void a_changed_checkpoint_is_told(void **state)
{
    struct test_folder folder;
    struct buffer bytes;
    make_log(&folder, true);
    buffer_init(&bytes, 4096);
    read_whole(folder_file(&folder, "checkpoint"), &bytes);
    for (size_t at = 0; at < bytes.len; at++) {
        flip(folder_file(&folder, "checkpoint"), at, 1);
        assert_open_fails(&folder, "");
        flip(folder_file(&folder, "checkpoint"), at, 1);
    }
    buffer_free(&bytes);
    folder_remove(&folder);
}

/* A log written anew with the same id cannot pass for the one whose checkpoint was kept. */
static void a_rewritten_history_differs_from_the_checkpoint(void **state)
{
    struct test_folder folder, kept;
    struct buffer bytes;
    make_log(&folder, true);
    folder_make(&kept);
    folder_copy(&folder, &kept);
    const char *const gone[] = {"segment-0000000001.log", "checkpoint", "durable"};
    for (size_t i = 0; i < 3; i++)
        unlink(folder_file(&folder, gone[i]));
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    for (int i = 0; i < ENTRIES; i++)
        append_text(ledger, "forged");
    ledger_close(ledger);
    buffer_init(&bytes, 4096);
    read_whole(folder_file(&kept, "checkpoint"), &bytes);
    write_whole(folder_file(&folder, "checkpoint"), buffer_slice(&bytes));
    buffer_free(&bytes);
    assert_open_fails(&folder, "checkpoint");
    folder_remove(&folder);
    folder_remove(&kept);
}

/* Checksums find accidents; a change with all checksums put right is found by the tree. */
static void a_forged_entry_differs_from_the_root(void **state)
{
    struct test_folder folder;
    struct buffer bytes;
    uint8_t place[16];
    size_t at = FRAMES_AT + 2 * FRAME;
    make_log(&folder, true);
    buffer_init(&bytes, 64 << 20);
    read_whole(folder_segment(&folder, 1), &bytes);
    uint8_t *frame = bytes.data + at;
    size_t len = load_u32be(frame + 4);
    frame[FRAME_HEADER_BYTES + 4 + 20] ^= 1; /* the time */
    memcpy(place, bytes.data + 64, 8);       /* the segment's salt */
    store_u64be(place + 8, at);
    uint32_t crc = crypto_crc32c(crypto_crc32c(0, place, sizeof place), frame, 88);
    store_u32be(frame + 88, crc);
    crc = crypto_crc32c(crypto_crc32c(0, frame, 92), frame + 96, len - 96);
    store_u32be(frame + 92, crc);
    write_whole(folder_segment(&folder, 1), buffer_slice(&bytes));
    buffer_free(&bytes);
    assert_corrupt_at(&folder, "segment-0000000001.log", at);
    assert_open_fails(&folder, "root");
    folder_remove(&folder);
}

static void a_missing_or_foreign_segment_is_told(void **state)
{
    static char text[50000];
    struct test_folder folder, other;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 6; i++) {
        struct error error = {0};
        struct ledger_entry entry = {.type = LEDGER_ACT, .text = slice_of_text(text)};
        uint64_t sequence;
        while (ledger_append(ledger, &entry, slice_of(NULL, 0), &sequence, &error) != STATUS_OK)
            usleep(1000);
    }
    ledger_close(ledger);
    folder_make(&other);
    folder_copy(&folder, &other);
    unlink(folder_segment(&folder, 2));
    assert_open_fails(&folder, "segment-0000000002.log: missing");
    folder_remove(&folder);
    unlink(folder_segment(&other, 3));
    assert_open_fails(&other, "acknowledged entries are damaged or missing");
    make_log(&folder, true);
    folder_copy(&folder, &other);
    assert_open_fails(&other, "segment-0000000002.log: byte 0: a segment of another log");
    folder_remove(&folder);
    folder_remove(&other);
}

/* In a sealed segment any bad frame is damage: the next header says what was durable. */
static void damage_in_an_earlier_segment_is_told(void **state)
{
    static char text[50000];
    struct test_folder folder;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 4; i++) {
        struct error error = {0};
        struct ledger_entry entry = {.type = LEDGER_ACT, .text = slice_of_text(text)};
        uint64_t sequence;
        while (ledger_append(ledger, &entry, slice_of(NULL, 0), &sequence, &error) != STATUS_OK)
            usleep(1000);
        ledger_wait(ledger, sequence);
    }
    ledger_close(ledger);
    unlink(folder_file(&folder, "durable"));
    unlink(folder_file(&folder, "checkpoint"));
    size_t second = FRAMES_AT + frame_pad(FRAME_HEADER_BYTES + 4 + 170 + sizeof text - 1);
    flip(folder_segment(&folder, 1), second + 2000, 4);
    assert_corrupt_at(&folder, "segment-0000000001.log", second);
    folder_remove(&folder);
}

/* A commit must not change metadata: a file that lost its zeros gets them back before use. */
static void a_shortened_file_gets_its_size_back(void **state)
{
    struct test_folder folder;
    struct counted counted;
    struct ledger *ledger;
    struct error error = {0};
    struct stat info;
    make_log(&folder, true);
    assert_int_equal(truncate(folder_segment(&folder, 1), FRAMES_AT + (ENTRIES + 1) * FRAME), 0);
    assert_status(try_open(&folder, &ledger, &counted, &error), STATUS_OK);
    assert_int_equal(counted.count, ENTRIES);
    assert_int_equal(stat(folder_segment(&folder, 1), &info), 0);
    assert_int_equal(info.st_size, TEST_SEGMENT_BYTES);
    ledger_close(ledger);
    folder_remove(&folder);
}

/* What an interrupted start or maker leaves behind is cleared away or taken up. */
static void leftovers_do_no_harm(void **state)
{
    struct test_folder folder;
    struct counted counted;
    struct ledger *ledger;
    struct error error = {0};
    make_log(&folder, false);
    write_whole(folder_file(&folder, "segment-0000000001.new"), slice_of_text("half a copy"));
    write_whole(folder_file(&folder, "segment-0000000002.spare"), slice_of_text("wrong size"));
    write_whole(folder_file(&folder, "checkpoint.new"), slice_of_text("half a checkpoint"));
    assert_status(try_open(&folder, &ledger, &counted, &error), STATUS_OK);
    assert_int_equal(counted.count, ENTRIES);
    ledger_close(ledger);
    assert_status(try_open(&folder, &ledger, &counted, &error), STATUS_OK);
    assert_int_equal(counted.count, ENTRIES + 1);
    ledger_close(ledger);
    folder_remove(&folder);
}

/* The power went while the header was written into it. */
static void a_spare_with_a_torn_header_is_made_again(void **state)
{
    enum { IN_HEADER = 2048 };
    struct test_folder folder;
    struct counted counted;
    struct ledger *ledger;
    struct error error = {0};
    struct buffer bytes;
    make_log(&folder, false);
    assert_status(try_open(&folder, &ledger, &counted, &error), STATUS_OK);
    wait_for_spare(&folder, ledger);
    ledger_close(ledger);
    flip(folder_file(&folder, "segment-0000000002.spare"), IN_HEADER, 0x40);
    assert_status(try_open(&folder, &ledger, &counted, &error), STATUS_OK);
    wait_for_spare(&folder, ledger);
    ledger_close(ledger);
    buffer_init(&bytes, 64 << 20);
    read_whole(folder_file(&folder, "segment-0000000002.spare"), &bytes);
    assert_int_equal(bytes.len, TEST_SEGMENT_BYTES);
    for (size_t i = 0; i < bytes.len; i++)
        assert_int_equal(bytes.data[i], 0);
    buffer_free(&bytes);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flip_in_acknowledged_bytes_is_told_after_a_crash),
        cmocka_unit_test(every_flip_in_acknowledged_bytes_is_told_after_a_stop),
        cmocka_unit_test(damage_behind_the_last_entry_is_repaired),
        cmocka_unit_test(a_tail_torn_at_any_byte_is_dropped),
        cmocka_unit_test(a_tail_torn_at_any_sector_is_dropped),
        cmocka_unit_test(a_hole_in_an_unacknowledged_tail_proves_nothing),
        cmocka_unit_test(a_later_frame_proves_the_ones_before),
        cmocka_unit_test(each_proof_alone_shows_a_shortened_log),
        cmocka_unit_test(missing_files_are_told),
        cmocka_unit_test(a_changed_checkpoint_is_told),
        cmocka_unit_test(a_rewritten_history_differs_from_the_checkpoint),
        cmocka_unit_test(a_forged_entry_differs_from_the_root),
        cmocka_unit_test(a_missing_or_foreign_segment_is_told),
        cmocka_unit_test(damage_in_an_earlier_segment_is_told),
        cmocka_unit_test(a_shortened_file_gets_its_size_back),
        cmocka_unit_test(leftovers_do_no_harm),
        cmocka_unit_test(a_spare_with_a_torn_header_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

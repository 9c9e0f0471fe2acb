/* What verifying finds: every change of a byte, every way to drop, move, cut, fork or roll back,
 * and the place; and that a log which is whole, closed or being written, is called so. */
#include "folder.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "ledger/checkpoint.h"
#include "ledger/segment.h"
#include "ledger/verify.h"

enum { FRAME = 512, FRAMES_AT = SEGMENT_HEADER_BYTES, LAST_SECOND = 12 };

struct outcome {
    enum status status;
    struct verify_report report;
    struct verify_damage damage;
    struct error error;
};

static struct outcome verify_with(const struct test_folder *folder, struct verify_claim *claims,
                                  size_t count)
{
    struct outcome outcome = {0};
    const struct verify_options options = {
        .folder = folder->path, .threads = 1, .claims = claims, .claim_count = count};
    outcome.status = ledger_verify(&options, &outcome.report, &outcome.damage, &outcome.error);
    return outcome;
}

static struct outcome verify_folder(const struct test_folder *folder)
{
    return verify_with(folder, NULL, 0);
}

static void assert_whole(const struct outcome *outcome)
{
    if (outcome->status != STATUS_OK)
        fail_msg("%s: %s", status_name(outcome->status), outcome->error.message);
}

/* file: the end of its name. */
static void assert_damage(const struct outcome *outcome, const char *check, const char *file,
                          uint64_t byte)
{
    const struct verify_damage *damage = &outcome->damage;
    if (outcome->status != STATUS_CORRUPT)
        fail_msg("status is %s, expected corrupt (%s, %s, byte %llu)", status_name(outcome->status),
                 check, file, (unsigned long long)byte);
    size_t len = strlen(damage->file), want = strlen(file);
    if (strcmp(damage->check, check) != 0 || len < want ||
        strcmp(damage->file + len - want, file) != 0 || damage->byte != byte)
        fail_msg("found %s in %s, byte %llu (%s); expected %s in %s, byte %llu", damage->check,
                 damage->file, (unsigned long long)damage->byte, outcome->error.message, check,
                 file, (unsigned long long)byte);
}

/* ---- a log of two segments, closed: every frame holds one entry of ours ---- */

static void append_some(struct ledger *ledger, int count, const char *text)
{
    for (int i = 0; i < count; i++)
        ledger_wait(ledger, append_text(ledger, text));
}

static unsigned segment_of(struct ledger *ledger)
{
    struct ledger_state state;
    ledger_state(ledger, &state);
    return (unsigned)state.current_segment;
}

/* Fills segment 1 and puts `more` entries into segment 2; returns the entries in segment 1. */
static uint64_t fill_two(const struct test_folder *folder, struct ledger *ledger, int more)
{
    uint32_t id;
    uint64_t first = 0;
    assert_status(ledger_column_set(ledger, "person.name:clear:name\n", &id, NULL), STATUS_OK);
    ledger_wait(ledger, 0);
    wait_for_spare(folder, ledger);
    while (segment_of(ledger) == 1) {
        first = append_text(ledger, "one of many");
        ledger_wait(ledger, first);
    }
    append_some(ledger, more - 1, "behind the change");
    wait_for_spare(folder, ledger);
    return first;
}

static uint64_t make_log(struct test_folder *folder)
{
    folder_make(folder);
    struct ledger_options options = test_options(folder);
    struct ledger *ledger = open_ok(&options);
    uint64_t entries = fill_two(folder, ledger, LAST_SECOND);
    ledger_close(ledger);
    return entries;
}

static struct verify_claim claim_of(const struct test_folder *folder, const char *source)
{
    struct outcome outcome = verify_folder(folder);
    assert_whole(&outcome);
    struct verify_claim claim = {.size = outcome.report.entries};
    memcpy(claim.root, outcome.report.root, sizeof claim.root);
    claim.source = source;
    return claim;
}

static void a_whole_log_is_called_so(void **state)
{
    struct test_folder folder;
    uint64_t entries = make_log(&folder);
    struct outcome outcome = verify_folder(&folder);
    assert_whole(&outcome);
    assert_int_equal(outcome.report.entries, entries + LAST_SECOND);
    assert_int_equal(outcome.report.acknowledged, entries + LAST_SECOND);
    assert_int_equal(outcome.report.segments, 2);
    assert_int_equal(outcome.report.column_sets, 1);
    assert_true(outcome.report.closed);
    assert_false(outcome.report.live);
    struct verify_claim claim = claim_of(&folder, "a friend's");
    outcome = verify_with(&folder, &claim, 1);
    assert_whole(&outcome);
    assert_int_equal(outcome.report.claims_met, 2);
    folder_remove(&folder);
}

/* ---- flips ---- */

static int open_rw(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        fail_msg("%s", path);
    return fd;
}

static void flip(int fd, uint64_t at)
{
    uint8_t byte;
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= (uint8_t)(1u << at % 8);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

/* By hand, with any argument: every byte, which takes some minutes. */
static bool each_byte;

/* Flips each byte of [from, to), every step-th, and wants it found there. align: where the thing
 * begins that the byte belongs to (1: the byte itself, 0: the file). */
static void sweep(const struct test_folder *folder, const char *name, uint64_t from, uint64_t to,
                  uint64_t step, uint64_t align)
{
    int fd = open_rw(folder_file(folder, name));
    for (uint64_t at = from; at < to; at += each_byte ? 1 : step * OF_CHANGES_ONE_IN) {
        flip(fd, at);
        struct outcome outcome = verify_folder(folder);
        uint64_t want = align == 0 ? 0 : at / align * align;
        if (outcome.status != STATUS_CORRUPT)
            fail_msg("%s: byte %llu flipped: %s", name, (unsigned long long)at,
                     status_name(outcome.status));
        size_t len = strlen(outcome.damage.file);
        if (outcome.damage.byte != want || len < strlen(name) ||
            strcmp(outcome.damage.file + len - strlen(name), name) != 0)
            fail_msg("%s: byte %llu flipped: %s", name, (unsigned long long)at,
                     outcome.error.message);
        flip(fd, at);
    }
    close(fd);
    struct outcome outcome = verify_folder(folder);
    assert_whole(&outcome);
}

/* Where a flip makes that something stands behind the log's end: told at that end. */
static void sweep_tail(const struct test_folder *folder, const char *name, uint64_t end,
                       uint64_t until, uint64_t step)
{
    int fd = open_rw(folder_file(folder, name));
    for (uint64_t at = end; at < until; at += step * OF_CHANGES_ONE_IN) {
        flip(fd, at);
        struct outcome outcome = verify_folder(folder);
        assert_damage(&outcome, "tail", name, end);
        flip(fd, at);
    }
    close(fd);
}

/* The log consists of these files, and in none of them is there a byte that says nothing. `lock` is
 * empty. Outside the log are only names that recovery throws away: *.new. */
static void every_flipped_byte_is_found(void **state)
{
    struct test_folder folder;
    uint64_t entries = make_log(&folder), end = FRAMES_AT + entries * FRAME;
    static const char first[] = "segment-0000000001.log", second[] = "segment-0000000002.log";
    uint64_t last = FRAMES_AT + LAST_SECOND * FRAME;
    sweep(&folder, first, 0, 128, 1, 0);
    sweep(&folder, first, 128, FRAMES_AT, 37, 0);
    sweep(&folder, first, FRAMES_AT, FRAMES_AT + 2 * FRAME, 3, FRAME);
    sweep(&folder, first, FRAMES_AT + 2 * FRAME, end, 499, FRAME);
    sweep_tail(&folder, first, end, TEST_SEGMENT_BYTES, 211);
    sweep(&folder, second, 0, FRAMES_AT, 31, 0);
    sweep(&folder, second, FRAMES_AT, last, 29, FRAME);
    sweep_tail(&folder, second, last, last + FRAME, 199); /* the mark of the orderly stop */
    sweep_tail(&folder, second, last + FRAME, TEST_SEGMENT_BYTES, 40000);
    sweep(&folder, "durable", 24, 512, 7, 1);
    sweep(&folder, "segment-0000000003.spare", FRAMES_AT, TEST_SEGMENT_BYTES, 4093, 1);
    folder_remove(&folder);
}

static void every_flip_in_the_small_files_is_found(void **state)
{
    static const struct {
        const char *name;
        size_t len;
    } files[] = {{"checkpoint", 95}, {"durable", 24}, {"log-id", 33}};
    struct test_folder folder;
    make_log(&folder);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int fd = open_rw(folder_file(&folder, files[i].name));
        for (uint64_t at = 0; at < files[i].len; at += OF_CHANGES_ONE_IN) {
            flip(fd, at);
            if (verify_folder(&folder).status != STATUS_CORRUPT)
                fail_msg("%s: byte %llu: not found", files[i].name, (unsigned long long)at);
            flip(fd, at);
        }
        close(fd);
    }
    folder_remove(&folder);
}

/* ---- what somebody does who knows the checksums ---- */

static void read_bytes(const char *path, uint64_t at, uint8_t *bytes, size_t len)
{
    int fd = open_rw(path);
    assert_int_equal(pread(fd, bytes, len, (off_t)at), len);
    close(fd);
}

static void write_bytes(const char *path, uint64_t at, const uint8_t *bytes, size_t len)
{
    int fd = open_rw(path);
    assert_int_equal(pwrite(fd, bytes, len, (off_t)at), len);
    close(fd);
}

/* As frame.c: salt and offset, then the header; then all bytes. */
static void reseal(uint8_t frame[static FRAME], uint64_t salt, uint64_t offset)
{
    uint8_t place[16];
    store_u64be(place, salt);
    store_u64be(place + 8, offset);
    store_u32be(frame + 88, crypto_crc32c(crypto_crc32c(0, place, sizeof place), frame, 88));
    size_t len = load_u32be(frame + 4);
    uint32_t crc = crypto_crc32c(0, frame, 92);
    store_u32be(frame + 92, crypto_crc32c(crc, frame + 96, len - 96));
}

static uint64_t salt_of(const char *path)
{
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    struct segment_header header;
    read_bytes(path, 0, bytes, sizeof bytes);
    assert_true(segment_header_decode(bytes, &header));
    return header.salt;
}

static void a_changed_entry_with_good_checksums_is_found_by_the_root(void **state)
{
    struct test_folder folder;
    uint8_t frame[FRAME];
    make_log(&folder);
    const char *path = folder_segment(&folder, 1);
    uint64_t at = FRAMES_AT + 40 * FRAME;
    read_bytes(path, at, frame, FRAME);
    uint8_t *text = memmem(frame, FRAME, "one of many", 11);
    assert_non_null(text);
    memcpy(text, "one of none", 11);
    reseal(frame, salt_of(path), at);
    write_bytes(path, at, frame, FRAME);
    struct outcome outcome = verify_folder(&folder);
    assert_damage(&outcome, "root", "segment-0000000001.log", at);
    assert_int_equal(outcome.damage.sequence, 41);
    folder_remove(&folder);
}

static void two_frames_that_changed_places_are_found(void **state)
{
    struct test_folder folder;
    uint8_t one[FRAME], other[FRAME];
    make_log(&folder);
    const char *path = folder_segment(&folder, 1);
    uint64_t salt = salt_of(path), at = FRAMES_AT + 10 * FRAME;
    read_bytes(path, at, one, FRAME);
    read_bytes(path, at + FRAME, other, FRAME);
    write_bytes(path, at, other, FRAME);
    write_bytes(path, at + FRAME, one, FRAME);
    struct outcome outcome = verify_folder(&folder);
    assert_damage(&outcome, "missing", "segment-0000000001.log", at);
    assert_non_null(strstr(outcome.error.message, "no whole frame"));
    reseal(other, salt, at);
    reseal(one, salt, at + FRAME);
    write_bytes(path, at, other, FRAME);
    write_bytes(path, at + FRAME, one, FRAME);
    outcome = verify_folder(&folder);
    assert_damage(&outcome, "missing", "segment-0000000001.log", at);
    assert_non_null(strstr(outcome.error.message, "one of sequence 11 stands here"));
    folder_remove(&folder);
}

static void bytes_of_a_header_that_say_nothing_are_zero(void **state)
{
    struct test_folder folder;
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    make_log(&folder);
    const char *path = folder_segment(&folder, 2);
    read_bytes(path, 0, bytes, sizeof bytes);
    bytes[2000] = 1;
    store_u32be(bytes + 4092, crypto_crc32c(0, bytes, 4092));
    write_bytes(path, 0, bytes, sizeof bytes);
    struct outcome outcome = verify_folder(&folder);
    assert_damage(&outcome, "header", "segment-0000000002.log", 0);
    folder_remove(&folder);
}

/* ---- whole files ---- */

static void remove_name(const struct test_folder *folder, const char *name)
{
    assert_int_equal(unlink(folder_file(folder, name)), 0);
}

static void a_dropped_segment_is_found(void **state)
{
    struct test_folder folder;
    uint64_t entries = make_log(&folder);
    remove_name(&folder, "segment-0000000002.log");
    struct outcome outcome = verify_folder(&folder);
    assert_damage(&outcome, "missing", "segment-0000000001.log", FRAMES_AT + entries * FRAME);
    assert_int_equal(outcome.damage.sequence, entries);
    folder_remove(&folder);
    make_log(&folder);
    remove_name(&folder, "segment-0000000001.log");
    outcome = verify_folder(&folder);
    assert_damage(&outcome, "segments", "segment-0000000001.log", 0);
    folder_remove(&folder);
}

static void a_segment_cut_off_is_found(void **state)
{
    struct test_folder folder;
    make_log(&folder);
    assert_int_equal(truncate(folder_segment(&folder, 2), FRAMES_AT + 3 * FRAME), 0);
    struct outcome outcome = verify_folder(&folder);
    assert_damage(&outcome, "size", "segment-0000000002.log", FRAMES_AT + 3 * FRAME);
    assert_int_equal(truncate(folder_segment(&folder, 2), TEST_SEGMENT_BYTES), 0);
    outcome = verify_folder(&folder);
    assert_damage(&outcome, "missing", "segment-0000000002.log", FRAMES_AT + 3 * FRAME);
    folder_remove(&folder);
}

static void two_segments_that_changed_names_are_found(void **state)
{
    struct test_folder folder;
    char one[256], two[256];
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    uint64_t entries = make_log(&folder);
    snprintf(one, sizeof one, "%s", folder_segment(&folder, 1));
    snprintf(two, sizeof two, "%s", folder_segment(&folder, 2));
    assert_int_equal(rename(one, folder_file(&folder, "x")), 0);
    assert_int_equal(rename(two, one), 0);
    assert_int_equal(rename(folder_file(&folder, "x"), two), 0);
    struct outcome outcome = verify_folder(&folder);
    assert_damage(&outcome, "header", "segment-0000000001.log", 0);
    read_bytes(one, 0, bytes, sizeof bytes); /* and with the numbers set right */
    store_u64be(bytes + 32, 1);
    store_u32be(bytes + 4092, crypto_crc32c(0, bytes, 4092));
    write_bytes(one, 0, bytes, sizeof bytes);
    outcome = verify_folder(&folder);
    assert_damage(&outcome, "sequence", "segment-0000000001.log", 40);
    assert_true(entries > 0);
    folder_remove(&folder);
}

static void a_missing_witness_of_the_end_is_found(void **state)
{
    static const char *const names[] = {"checkpoint", "durable"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct test_folder folder;
        make_log(&folder);
        remove_name(&folder, names[i]);
        struct outcome outcome = verify_folder(&folder);
        assert_damage(&outcome, names[i], names[i], 0);
        folder_remove(&folder);
    }
}

/* ---- the whole folder, rewritten by its owner ---- */

/* Two logs that are one up to a point, closed, of the same size. */
static void make_fork(struct test_folder *folder, struct test_folder *other)
{
    make_log(folder);
    folder_make(other);
    folder_copy(folder, other);
    const struct test_folder *folders[] = {folder, other};
    for (size_t i = 0; i < 2; i++) {
        struct ledger_options options = test_options(folders[i]);
        struct ledger *ledger = open_ok(&options);
        append_some(ledger, 3, i == 0 ? "what was so" : "what was not");
        ledger_close(ledger);
    }
}

static void a_fork_is_found_by_a_claim(void **state)
{
    struct test_folder folder, other;
    make_fork(&folder, &other);
    struct verify_claim claim = claim_of(&folder, "a partner's checkpoint");
    struct outcome outcome = verify_with(&other, &claim, 1);
    if (outcome.status != STATUS_CORRUPT || strcmp(outcome.damage.check, "fork") != 0 ||
        outcome.damage.sequence != claim.size)
        fail_msg("%s: %s", status_name(outcome.status), outcome.error.message);
    assert_non_null(strstr(outcome.error.message, "a partner's checkpoint"));
    folder_remove(&folder);
    folder_remove(&other);
}

static void a_roll_back_is_found_by_a_claim(void **state)
{
    struct test_folder folder, old;
    uint64_t entries = make_log(&folder);
    folder_make(&old);
    folder_copy(&folder, &old);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    append_some(ledger, 2, "what is to be forgotten");
    ledger_close(ledger);
    struct verify_claim claims[] = {claim_of(&folder, "a newer checkpoint"),
                                    claim_of(&old, "an older checkpoint")};
    struct outcome outcome = verify_folder(&old);
    assert_whole(&outcome); /* by itself it cannot be told from a log that ended there */
    outcome = verify_with(&old, claims, 2);
    assert_damage(&outcome, "missing", "segment-0000000002.log",
                  FRAMES_AT + (LAST_SECOND + 1) * FRAME);
    assert_int_equal(outcome.damage.sequence, entries + LAST_SECOND);
    assert_non_null(strstr(outcome.error.message, "a newer checkpoint"));
    outcome = verify_with(&folder, claims, 2);
    assert_whole(&outcome);
    assert_int_equal(outcome.report.claims_met, 3);
    folder_remove(&folder);
    folder_remove(&old);
}

/* ---- beside a writer ---- */

static void a_log_that_is_being_written_is_whole(void **state)
{
    struct test_folder folder;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct folder_writing writing = {.ledger = open_ok(&options)};
    pthread_t thread;
    uint64_t before = 0;
    assert_int_equal(pthread_create(&thread, NULL, folder_keep_writing, &writing), 0);
    for (int i = 0; i < 30; i++) {
        uint64_t durable = ledger_durable(writing.ledger);
        struct outcome outcome = {0};
        const struct verify_options all = {.folder = folder.path, .threads = 3};
        outcome.status = ledger_verify(&all, &outcome.report, &outcome.damage, &outcome.error);
        assert_whole(&outcome);
        assert_true(outcome.report.entries >= durable);
        assert_true(outcome.report.entries >= before);
        before = outcome.report.entries;
    }
    atomic_store(&writing.stop, true);
    pthread_join(thread, NULL);
    ledger_close(writing.ledger);
    folder_remove(&folder);
}

static void a_log_after_a_crash_is_whole_and_not_closed(void **state)
{
    struct test_folder folder, crashed;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    append_some(ledger, 5, "acknowledged");
    live_image(&folder, ledger, &crashed);
    ledger_close(ledger);
    struct outcome outcome = verify_folder(&crashed);
    assert_whole(&outcome);
    assert_false(outcome.report.closed);
    assert_int_equal(outcome.report.entries, 5);
    folder_remove(&folder);
    folder_remove(&crashed);
}

static void no_log_is_no_damage(void **state)
{
    struct test_folder folder;
    folder_make(&folder);
    assert_status(verify_folder(&folder).status, STATUS_NOT_FOUND);
    folder_remove(&folder);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_whole_log_is_called_so),
    cmocka_unit_test(every_flipped_byte_is_found),
    cmocka_unit_test(every_flip_in_the_small_files_is_found),
    cmocka_unit_test(a_changed_entry_with_good_checksums_is_found_by_the_root),
    cmocka_unit_test(two_frames_that_changed_places_are_found),
    cmocka_unit_test(bytes_of_a_header_that_say_nothing_are_zero),
    cmocka_unit_test(a_dropped_segment_is_found),
    cmocka_unit_test(a_segment_cut_off_is_found),
    cmocka_unit_test(two_segments_that_changed_names_are_found),
    cmocka_unit_test(a_missing_witness_of_the_end_is_found),
    cmocka_unit_test(a_fork_is_found_by_a_claim),
    cmocka_unit_test(a_roll_back_is_found_by_a_claim),
    cmocka_unit_test(a_log_that_is_being_written_is_whole),
    cmocka_unit_test(a_log_after_a_crash_is_whole_and_not_closed),
    cmocka_unit_test(no_log_is_no_damage),
};

int main(int argc, char **argv)
{
    each_byte = argc > 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

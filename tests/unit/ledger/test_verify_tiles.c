/* Published tiles that are not those of the log: a changed hash on any level, a changed entry, a
 * tile that is gone. */
#include "folder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/verify.h"

enum { ENTRIES = 600, PUBLISH_MS = 20 };

struct outcome {
    enum status status;
    struct verify_report report;
    struct verify_damage damage;
    struct error error;
};

static struct outcome verify(const struct test_folder *folder, bool bundles)
{
    struct outcome outcome = {0};
    const struct verify_options options = {
        .folder = folder->path, .threads = 1, .bundles = bundles};
    outcome.status = ledger_verify(&options, &outcome.report, &outcome.damage, &outcome.error);
    return outcome;
}

static void assert_whole(const struct outcome *outcome)
{
    if (outcome->status != STATUS_OK)
        fail_msg("%s: %s", status_name(outcome->status), outcome->error.message);
}

/* Two full tiles and a partial one, and what stands above them. */
static void make_published(struct test_folder *folder)
{
    folder_make(folder);
    struct ledger_options options = test_options(folder);
    options.publish_ms = PUBLISH_MS;
    struct ledger *ledger = open_ok(&options);
    for (int i = 0; i < ENTRIES; i++) {
        if (i % 200 == 0)
            wait_for_spare(folder, ledger);
        ledger_wait(ledger, append_text(ledger, "published"));
    }
    ledger_close(ledger);
}

static void assert_damaged_tile(const struct outcome *outcome, const char *name, long long byte)
{
    const struct verify_damage *damage = &outcome->damage;
    if (outcome->status != STATUS_CORRUPT || strcmp(damage->check, "tiles") != 0)
        fail_msg("%s, byte %lld: %s: %s", name, byte, status_name(outcome->status),
                 outcome->error.message);
}

static void sweep(const struct test_folder *folder, const char *name, off_t step)
{
    uint8_t byte;
    struct stat info;
    int fd = open(folder_file(folder, name), O_RDWR | O_CLOEXEC);
    if (fd < 0)
        fail_msg("%s", name);
    assert_int_equal(fstat(fd, &info), 0);
    for (off_t at = 0; at < info.st_size; at += step) {
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= (uint8_t)(1u << at % 8);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        struct outcome outcome = verify(folder, true);
        assert_damaged_tile(&outcome, name, at);
        byte ^= (uint8_t)(1u << at % 8);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
}

static void published_tiles_are_those_of_the_log(void **state)
{
    struct test_folder folder;
    make_published(&folder);
    struct outcome outcome = verify(&folder, true);
    assert_whole(&outcome);
    assert_int_equal(outcome.report.entries, ENTRIES);
    assert_int_equal(outcome.report.claims_met, 2); /* checkpoint, tiles/checkpoint */
    folder_remove(&folder);
}

static void every_flip_in_a_tile_is_found(void **state)
{
    struct test_folder folder;
    make_published(&folder);
    sweep(&folder, "tiles/tile/0/000", 509);
    sweep(&folder, "tiles/tile/0/001", 509);
    sweep(&folder, "tiles/tile/0/002.p/88", 131);
    sweep(&folder, "tiles/tile/1/000.p/2", 3);
    struct outcome outcome = verify(&folder, true);
    assert_whole(&outcome);
    folder_remove(&folder);
}

static void every_flip_in_a_bundle_is_found_with_the_data(void **state)
{
    struct test_folder folder;
    make_published(&folder);
    sweep(&folder, "tiles/tile/entries/000", 4999);
    sweep(&folder, "tiles/tile/entries/002.p/88", 1999);
    folder_remove(&folder);
}

static void a_tile_that_is_gone_is_told(void **state)
{
    struct test_folder folder;
    make_published(&folder);
    assert_int_equal(unlink(folder_file(&folder, "tiles/tile/0/001")), 0);
    struct outcome outcome = verify(&folder, false);
    assert_damaged_tile(&outcome, "tiles/tile/0/001", 0);
    assert_int_equal(outcome.damage.sequence, 256);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_tiles_are_those_of_the_log),
        cmocka_unit_test(every_flip_in_a_tile_is_found),
        cmocka_unit_test(every_flip_in_a_bundle_is_found_with_the_data),
        cmocka_unit_test(a_tile_that_is_gone_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

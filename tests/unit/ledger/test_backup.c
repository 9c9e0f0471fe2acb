/* Backups: what they hold, that they grow, that nothing but the same log is ever taken for it, and
 * what a restore refuses. */
#include "folder.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "ledger/backup.h"
#include "ledger/segment.h"

struct places {
    struct test_folder log;
    struct test_folder backup; /* made by the first call */
};

static void make_places(struct places *places)
{
    folder_make(&places->log);
    folder_make(&places->backup);
    assert_int_equal(rmdir(places->backup.path), 0);
}

static void remove_places(struct places *places)
{
    folder_remove(&places->log);
    folder_remove(&places->backup);
}

static void append_some(struct ledger *ledger, int count, const char *text)
{
    for (int i = 0; i < count; i++)
        ledger_wait(ledger, append_text(ledger, text));
}

/* Opens, appends, closes. */
static void write_log(const struct test_folder *folder, int count, const char *text)
{
    struct ledger_options options = test_options(folder);
    struct ledger *ledger = open_ok(&options);
    for (int i = 0; i < count; i++) {
        if (i % 200 == 0)
            wait_for_spare(folder, ledger);
        append_some(ledger, 1, text);
    }
    ledger_close(ledger);
}

static struct backup_report back_up_ok(const struct places *places)
{
    struct backup_report report = {0};
    struct error error = {0};
    if (ledger_backup(places->log.path, places->backup.path, NULL, &report, &error) != STATUS_OK)
        fail_msg("ledger_backup: %s", error.message);
    return report;
}

static struct verify_report verify_ok(const char *path)
{
    const struct verify_options options = {.folder = path};
    struct verify_report report = {0};
    struct verify_damage damage;
    struct error error = {0};
    if (ledger_verify(&options, &report, &damage, &error) != STATUS_OK)
        fail_msg("%s: %s", path, error.message);
    return report;
}

static void a_backup_is_the_log(void **state)
{
    struct places places;
    make_places(&places);
    write_log(&places.log, 5, "first");
    struct backup_report report = back_up_ok(&places);
    struct verify_report log = verify_ok(places.log.path), copy = verify_ok(places.backup.path);
    assert_int_equal(report.entries, 5);
    assert_int_equal(report.before, 0);
    assert_int_equal(copy.entries, 5);
    assert_memory_equal(log.root, copy.root, sizeof log.root);
    remove_places(&places);
}

static void the_next_call_copies_what_is_new(void **state)
{
    struct places places;
    make_places(&places);
    write_log(&places.log, 600, "first"); /* three segments */
    struct backup_report report = back_up_ok(&places);
    assert_int_equal(report.segments_copied, 3);
    write_log(&places.log, 3, "second");
    report = back_up_ok(&places);
    assert_int_equal(report.before, 600);
    assert_int_equal(report.entries, 603);
    assert_int_equal(report.segments_copied, 1);
    report = back_up_ok(&places);
    assert_int_equal(report.entries - report.before, 0);
    struct verify_report log = verify_ok(places.log.path), copy = verify_ok(places.backup.path);
    assert_memory_equal(log.root, copy.root, sizeof log.root);
    remove_places(&places);
}

static void an_interrupted_backup_is_the_one_before(void **state)
{
    struct places places;
    struct buffer checkpoint;
    make_places(&places);
    write_log(&places.log, 5, "first");
    back_up_ok(&places);
    buffer_init(&checkpoint, 65536);
    read_whole(folder_file(&places.backup, "checkpoint"), &checkpoint);
    write_log(&places.log, 5, "second");
    back_up_ok(&places);
    write_whole(folder_file(&places.backup, "checkpoint"), buffer_slice(&checkpoint));
    write_whole(folder_file(&places.backup, "segment-0000000001.new"), slice_of("half", 4));
    assert_true(verify_ok(places.backup.path).entries >= 5);
    struct backup_report report = back_up_ok(&places);
    assert_int_equal(report.before, 5);
    assert_int_equal(report.entries, 10);
    buffer_free(&checkpoint);
    remove_places(&places);
}

static void assert_refused(enum status status, enum status want, const struct error *error,
                           const char *text)
{
    if (status != want || strstr(error->message, text) == NULL)
        fail_msg("%s: \"%s\", expected %s, \"%s\"", status_name(status), error->message,
                 status_name(want), text);
}

static void another_log_and_a_fork_are_not_copied(void **state)
{
    struct places places;
    struct test_folder other, fork;
    struct backup_report report;
    struct error error = {0};
    make_places(&places);
    write_log(&places.log, 5, "common");
    folder_make(&fork);
    folder_copy(&places.log, &fork);
    write_log(&places.log, 2, "one way");
    write_log(&fork, 3, "the other way");
    back_up_ok(&places);
    folder_make(&other);
    write_log(&other, 9, "another log");
    assert_refused(ledger_backup(other.path, places.backup.path, NULL, &report, &error),
                   STATUS_INVALID, &error, "another log");
    assert_refused(ledger_backup(fork.path, places.backup.path, NULL, &report, &error),
                   STATUS_CORRUPT, &error, "does not go on from what the backup holds");
    assert_int_equal(verify_ok(places.backup.path).entries, 7);
    folder_remove(&other);
    folder_remove(&fork);
    remove_places(&places);
}

static void damage_is_not_backed_up(void **state)
{
    struct places places;
    struct backup_report report;
    struct error error = {0};
    make_places(&places);
    write_log(&places.log, 5, "first");
    back_up_ok(&places);
    write_log(&places.log, 5, "second");
    int fd = open(folder_segment(&places.log, 1), O_RDWR);
    assert_int_equal(pwrite(fd, "x", 1, SEGMENT_HEADER_BYTES + 2 * 512 + 200), 1);
    close(fd);
    assert_refused(ledger_backup(places.log.path, places.backup.path, NULL, &report, &error),
                   STATUS_CORRUPT, &error, "byte 5120");
    assert_int_equal(verify_ok(places.backup.path).entries, 5);
    remove_places(&places);
}

static void the_ledger_is_not_its_own_backup(void **state)
{
    struct test_folder log;
    struct backup_report report;
    struct error error = {0};
    folder_make(&log);
    write_log(&log, 5, "first");
    assert_refused(ledger_backup(log.path, log.path, NULL, &report, &error), STATUS_INVALID, &error,
                   "is the ledger itself");
    folder_remove(&log);
}

/* ---- beside a writer ---- */

static void a_log_that_is_being_written_is_backed_up(void **state)
{
    struct places places;
    make_places(&places);
    struct ledger_options options = test_options(&places.log);
    struct folder_writing writing = {.ledger = open_ok(&options)};
    pthread_t thread;
    uint64_t before = 0;
    assert_int_equal(pthread_create(&thread, NULL, folder_keep_writing, &writing), 0);
    for (int i = 0; i < 5; i++) {
        struct backup_report report = back_up_ok(&places);
        assert_int_equal(report.before, before);
        assert_true(report.entries >= before);
        assert_int_equal(verify_ok(places.backup.path).entries, report.entries);
        before = report.entries;
        usleep(300000); /* the ledger makes a checkpoint each second */
    }
    assert_true(before > 0);
    atomic_store(&writing.stop, true);
    pthread_join(thread, NULL);
    ledger_close(writing.ledger);
    remove_places(&places);
}

/* ---- restoring ---- */

static void a_restored_log_goes_on(void **state)
{
    struct places places;
    struct test_folder restored;
    struct backup_report report;
    struct error error = {0};
    make_places(&places);
    write_log(&places.log, 300, "first");
    back_up_ok(&places);
    folder_make(&restored); /* an empty folder will do */
    if (ledger_restore(places.backup.path, restored.path, folder_file(&places.log, "checkpoint"),
                       NULL, &report, &error) != STATUS_OK)
        fail_msg("ledger_restore: %s", error.message);
    assert_int_equal(report.entries, 300);
    write_log(&restored, 1, "second");
    struct verify_report whole = verify_ok(restored.path);
    assert_int_equal(whole.entries, 302); /* with what recovery says of itself */
    back_up_ok(&places);                  /* the backup is as it was */
    folder_remove(&restored);
    remove_places(&places);
}

static void a_shorter_backup_is_refused(void **state)
{
    struct places places;
    struct test_folder restored;
    struct backup_report report;
    struct error error = {0};
    char checkpoint[256];
    make_places(&places);
    write_log(&places.log, 5, "first");
    back_up_ok(&places);
    write_log(&places.log, 4, "second");
    folder_make(&restored);
    assert_int_equal(rmdir(restored.path), 0);
    snprintf(checkpoint, sizeof checkpoint, "%s", folder_file(&places.log, "checkpoint"));
    assert_refused(
        ledger_restore(places.backup.path, restored.path, checkpoint, NULL, &report, &error),
        STATUS_DENIED, &error, "5 to 8 would be lost");
    assert_non_null(strstr(error.message, "a fork"));
    assert_false(file_exists(restored.path));
    assert_status(ledger_restore(places.backup.path, restored.path, NULL, NULL, &report, &error),
                  STATUS_OK);
    folder_remove(&restored);
    remove_places(&places);
}

/* Who may write beside the ledger cannot have root clear another folder, or write into it. */
static void a_link_in_the_place_of_a_restore_is_not_followed(void **state)
{
    struct places places;
    struct test_folder elsewhere;
    struct backup_report report;
    struct error error = {0};
    char to[160], partial[180];
    make_places(&places);
    write_log(&places.log, 5, "first");
    back_up_ok(&places);
    folder_make(&elsewhere);
    write_whole(folder_file(&elsewhere, "precious"), slice_of_text("x"));
    snprintf(to, sizeof to, "%s.restored", places.log.path);
    snprintf(partial, sizeof partial, "%s.restoring", to);
    assert_int_equal(symlink(elsewhere.path, partial), 0);
    assert_status(ledger_restore(places.backup.path, to, NULL, NULL, &report, &error), STATUS_IO);
    assert_true(file_exists(folder_file(&elsewhere, "precious")));
    assert_false(file_exists(folder_file(&elsewhere, "log-id")));
    assert_int_equal(unlink(partial), 0);
    folder_remove(&elsewhere);
    remove_places(&places);
}

static void a_folder_in_use_is_left_alone(void **state)
{
    struct places places;
    struct backup_report report;
    struct error error = {0};
    make_places(&places);
    write_log(&places.log, 5, "first");
    back_up_ok(&places);
    assert_refused(ledger_restore(places.backup.path, places.log.path, NULL, NULL, &report, &error),
                   STATUS_INVALID, &error, "is there already");
    assert_int_equal(verify_ok(places.log.path).entries, 5);
    remove_places(&places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backup_is_the_log),
        cmocka_unit_test(the_next_call_copies_what_is_new),
        cmocka_unit_test(an_interrupted_backup_is_the_one_before),
        cmocka_unit_test(another_log_and_a_fork_are_not_copied),
        cmocka_unit_test(damage_is_not_backed_up),
        cmocka_unit_test(the_ledger_is_not_its_own_backup),
        cmocka_unit_test(a_log_that_is_being_written_is_backed_up),
        cmocka_unit_test(a_restored_log_goes_on),
        cmocka_unit_test(a_shorter_backup_is_refused),
        cmocka_unit_test(a_link_in_the_place_of_a_restore_is_not_followed),
        cmocka_unit_test(a_folder_in_use_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A full or failing disk. This program's own pwrite and fdatasync stand in front of libc's, for the
 * library linked into it: they fail where and when a test says. */
#include "folder.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"

static _Atomic bool disk_full;              /* no more blocks for any file */
static _Atomic int write_error, sync_error; /* errno for the log in use, 0 for none */

static bool name_ends(int fd, const char *suffix)
{
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    size_t want = strlen(suffix);
    if (len < (ssize_t)want)
        return false;
    path[len] = '\0';
    return strcmp(path + len - want, suffix) == 0;
}

/* Blocks that a file has already are never asked for again. */
static bool extends(int fd, off_t end)
{
    struct stat info;
    return fstat(fd, &info) == 0 && end > info.st_size;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    int failing = 0;
    if (atomic_load(&disk_full) && extends(fd, offset + (off_t)len))
        failing = ENOSPC;
    if (atomic_load(&write_error) != 0 && name_ends(fd, ".log"))
        failing = atomic_load(&write_error);
    if (failing != 0) {
        errno = failing;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, data, len, offset);
}

int fdatasync(int fd)
{
    int failing = atomic_load(&sync_error);
    if (failing != 0 && name_ends(fd, ".log")) {
        errno = failing;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

static enum status append_big(struct ledger *ledger, uint64_t *sequence, struct error *error)
{
    static char text[50000];
    memset(text, 'x', sizeof text - 1);
    struct ledger_entry entry = {.type = LEDGER_ACT, .text = slice_of_text(text)};
    return ledger_append(ledger, &entry, slice_of(NULL, 0), sequence, error);
}

static enum status count(void *context, uint64_t sequence, const struct ledger_entry *entry,
                         struct slice side, uint64_t segment, struct error *error)
{
    (*(uint64_t *)context)++;
    return STATUS_OK;
}

static uint64_t count_entries(const struct test_folder *folder)
{
    uint64_t entries = 0;
    struct ledger_options options = test_options(folder);
    options.replay = count;
    options.replay_context = &entries;
    ledger_close(open_ok(&options));
    return entries;
}

/* Appends until refused; what was taken becomes durable, and the refusal says why. */
static uint64_t fill_up(struct ledger *ledger)
{
    struct error error = {0};
    struct ledger_state state;
    uint64_t taken = 0, sequence = 0;
    enum status status;
    while ((status = append_big(ledger, &sequence, &error)) == STATUS_OK) {
        taken++;
        assert_true(taken < 100);
    }
    assert_status(status, STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "53100");
    ledger_wait(ledger, sequence);
    ledger_state(ledger, &state);
    assert_true(state.full);
    assert_int_equal(ledger_durable(ledger), sequence + 1);
    return taken;
}

static void a_full_disk_refuses_and_goes_on_when_there_is_room(void **state)
{
    struct test_folder folder;
    struct ledger_state now;
    struct error error = {0};
    uint64_t sequence;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    wait_for_spare(&folder, ledger);
    atomic_store(&disk_full, true);
    uint64_t taken = fill_up(ledger);
    for (int i = 0; i < 10; i++)
        assert_status(append_big(ledger, &sequence, &error), STATUS_LIMIT);
    assert_int_equal(ledger_durable(ledger), taken);
    atomic_store(&disk_full, false);
    for (int i = 0; append_big(ledger, &sequence, &error) != STATUS_OK; i++) {
        assert_true(i < 5000);
        usleep(1000);
    }
    assert_int_equal(sequence, taken);
    ledger_wait(ledger, sequence);
    ledger_state(ledger, &now);
    assert_false(now.full);
    ledger_close(ledger);
    assert_int_equal(count_entries(&folder), taken + 1);
    folder_remove(&folder);
}

/* A crash while the disk was full leaves a full segment and no spare. Once there is room again,
 * what a start writes finds it at once. */
static void a_start_behind_a_full_segment_has_room(void **state)
{
    struct test_folder folder, image;
    struct error error = {0};
    uint64_t sequence;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    wait_for_spare(&folder, ledger);
    atomic_store(&disk_full, true);
    uint64_t taken = fill_up(ledger);
    atomic_store(&disk_full, false);
    live_image(&folder, ledger, &image);
    unlink(folder_file(&image, "segment-0000000003.spare")); /* had the keeper been that quick */
    struct ledger_options again = test_options(&image);
    struct ledger *second = open_ok(&again);
    for (int i = 0; i < 2; i++) /* what a segment holds */
        assert_status(append_big(second, &sequence, &error), STATUS_OK);
    ledger_close(second);
    assert_true(count_entries(&image) >= taken + 2);
    ledger_close(ledger);
    folder_remove(&image);
    folder_remove(&folder);
}

/* After a crash on a full disk the log still opens, and says that it is full. */
static void a_full_disk_does_not_prevent_a_start(void **state)
{
    struct test_folder folder, image;
    struct error error = {0};
    uint64_t sequence;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    ledger_wait(ledger, append_text(ledger, "acknowledged"));
    live_image(&folder, ledger, &image); /* with a spare, which recovery has to use up */
    ledger_close(ledger);
    folder_remove(&folder);

    atomic_store(&disk_full, true);
    options = test_options(&image);
    ledger = open_ok(&options);
    assert_status(append_big(ledger, &sequence, &error), STATUS_OK);
    uint64_t taken = 1 + fill_up(ledger);
    ledger_close(ledger);
    assert_int_equal(count_entries(&image), taken + 2);
    atomic_store(&disk_full, false);
    folder_remove(&image);
}

/* Runs one append in a child whose disk fails; its reply is the byte it writes when released. */
static void assert_aborts(_Atomic int *fault)
{
    struct test_folder folder;
    int pipes[2], result;
    char byte;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    ledger_close(open_ok(&options));
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        struct ledger *ledger = open_ok(&options);
        ledger_wait(ledger, append_text(ledger, "fine"));
        ssize_t put = write(pipes[1], "a", 1);
        atomic_store(fault, EIO);
        ledger_wait(ledger, append_text(ledger, "never acknowledged"));
        put += write(pipes[1], "b", 1);
        _exit(put == 2 ? 0 : 1);
    }
    close(pipes[1]);
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result));
    assert_int_equal(WTERMSIG(result), SIGABRT);
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    assert_int_equal(byte, 'a');
    assert_int_equal(read(pipes[0], &byte, 1), 0);
    close(pipes[0]);
    assert_true(count_entries(&folder) >= 1);
    folder_remove(&folder);
}

static void a_failed_write_ends_the_process(void **state)
{
    assert_aborts(&write_error);
}

static void a_failed_sync_ends_the_process(void **state)
{
    assert_aborts(&sync_error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_refuses_and_goes_on_when_there_is_room),
        cmocka_unit_test(a_start_behind_a_full_segment_has_room),
        cmocka_unit_test(a_full_disk_does_not_prevent_a_start),
        cmocka_unit_test(a_failed_write_ends_the_process),
        cmocka_unit_test(a_failed_sync_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

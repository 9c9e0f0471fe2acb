/* Files: whole reads within a limit, secrets with tight modes, replacement in one step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static char folder[64];

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    struct error error = {0};
    enum status status = file_replace(path_of(name), slice_of_text(text), mode, &error);
    if (status != STATUS_OK)
        fail_msg("%s: %s", name, error.message);
}

static int set_up(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/cofferdam-file-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"a", "a.new", "secret", "f/g/h", "f/g", "f"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (unlink(path_of(names[i])) != 0)
            rmdir(path_of(names[i]));
    return rmdir(folder);
}

static void reads_up_to_the_limit(void **state)
{
    struct buffer out;
    struct error error = {0};
    write_file("a", "0123456789", 0644);
    buffer_init(&out, 10);
    assert_int_equal(file_read(path_of("a"), &out, &error), STATUS_OK);
    assert_int_equal(out.len, 10);
    assert_memory_equal(out.data, "0123456789", 10);
    assert_false(out.overflowed);
    buffer_free(&out);
    buffer_init(&out, 9);
    assert_int_equal(file_read(path_of("a"), &out, &error), STATUS_LIMIT);
    assert_non_null(strstr(error.message, "larger than 9"));
    buffer_free(&out);
}

static void reads_appended_to_what_is_there(void **state)
{
    struct buffer out;
    buffer_init(&out, 100000);
    char *big = calloc(1, 50001);
    memset(big, 'z', 50000);
    write_file("a", big, 0600);
    buffer_append_text(&out, "head");
    assert_int_equal(file_read(path_of("a"), &out, NULL), STATUS_OK);
    assert_int_equal(out.len, 50004);
    assert_memory_equal(out.data, "headzzzz", 8);
    free(big);
    buffer_free(&out);
}

static void says_what_is_missing(void **state)
{
    struct buffer out;
    struct error error = {0};
    buffer_init(&out, 10);
    assert_int_equal(file_read(path_of("nowhere"), &out, &error), STATUS_NOT_FOUND);
    assert_int_equal(error.status, STATUS_NOT_FOUND);
    assert_int_equal(file_read(folder, &out, &error), STATUS_IO);
    assert_false(file_exists(path_of("nowhere")));
    buffer_free(&out);
}

static void secrets_must_be_ours_alone(void **state)
{
    static const mode_t refused[] = {0640, 0604, 0620, 0601, 0644};
    struct buffer out;
    struct error error = {0};
    buffer_init(&out, 100);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        write_file("secret", "s3cret\n", refused[i]);
        enum status status = file_read_secret(path_of("secret"), &out, &error);
        if (status != STATUS_INVALID)
            fail_msg("mode %o gave %s", (unsigned)refused[i], status_name(status));
        assert_int_equal(out.len, 0);
        assert_memory_equal(error.hint, "chmod 600 /", 11);
        assert_string_equal(error.hint + 10, path_of("secret"));
    }
    write_file("secret", "s3cret\n\n", 0600);
    assert_int_equal(file_read_secret(path_of("secret"), &out, &error), STATUS_OK);
    assert_string_equal(buffer_text(&out), "s3cret\n"); /* one newline is cut, not more */
    write_file("secret", "", 0400);
    buffer_clear(&out);
    buffer_append_text(&out, "before\n");
    assert_int_equal(file_read_secret(path_of("secret"), &out, &error), STATUS_OK);
    assert_string_equal(buffer_text(&out), "before\n"); /* never a byte that was there before */
    buffer_free(&out);
}

static void replace_sets_content_and_mode(void **state)
{
    struct stat info;
    write_file("a", "old old old", 0644);
    write_file("a", "new", 0600);
    assert_int_equal(stat(path_of("a"), &info), 0);
    assert_int_equal(info.st_size, 3);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_false(file_exists(path_of("a.new")));
}

static void replace_survives_a_left_over_temporary(void **state)
{
    int fd = open(path_of("a.new"), O_CREAT | O_WRONLY, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "torn", 4), 4);
    close(fd);
    write_file("a", "whole", 0600);
    struct buffer out;
    buffer_init(&out, 100);
    assert_int_equal(file_read(path_of("a"), &out, NULL), STATUS_OK);
    assert_string_equal(buffer_text(&out), "whole");
    assert_false(file_exists(path_of("a.new")));
    buffer_free(&out);
}

static void replace_fails_without_touching_the_old(void **state)
{
    struct error error = {0};
    char path[300];
    snprintf(path, sizeof path, "%s/nofolder/a", folder);
    assert_int_equal(file_replace(path, slice_of_text("x"), 0600, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "No such file"));
}

static void makes_folders_with_their_parents(void **state)
{
    struct stat info;
    struct error error = {0};
    assert_int_equal(file_make_folder(path_of("f/g/h"), 0700, &error), STATUS_OK);
    assert_int_equal(file_make_folder(path_of("f/g/h/"), 0700, &error), STATUS_OK);
    assert_int_equal(stat(path_of("f/g/h"), &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(info.st_mode & 0777, 0700);
    write_file("a", "a file", 0600);
    assert_int_equal(file_make_folder(path_of("a"), 0700, &error), STATUS_IO);
    assert_int_equal(file_make_folder(path_of("a/b"), 0700, &error), STATUS_IO);
    assert_int_equal(file_make_folder("", 0700, &error), STATUS_INVALID);
    assert_int_equal(file_make_folder("/", 0700, &error), STATUS_OK);
}

static void writes_at_an_offset(void **state)
{
    struct buffer out;
    write_file("a", "0123456789", 0600);
    int fd = open(path_of("a"), O_RDWR);
    assert_int_equal(file_write_at(fd, "AB", 2, 4, NULL), STATUS_OK);
    assert_int_equal(file_write_at(fd, "Z", 1, 12, NULL), STATUS_OK);
    close(fd);
    buffer_init(&out, 100);
    assert_int_equal(file_read(path_of("a"), &out, NULL), STATUS_OK);
    assert_int_equal(out.len, 13);
    assert_memory_equal(out.data, "0123AB6789\0\0Z", 13);
    buffer_free(&out);
    struct error error = {0};
    assert_int_equal(file_write_at(-1, "x", 1, 0, &error), STATUS_IO);
    assert_int_equal(file_sync_folder(folder, &error), STATUS_OK);
    assert_int_equal(file_sync_folder(path_of("a"), &error), STATUS_IO);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(reads_up_to_the_limit),
        WITH_FOLDER(reads_appended_to_what_is_there),
        WITH_FOLDER(says_what_is_missing),
        WITH_FOLDER(secrets_must_be_ours_alone),
        WITH_FOLDER(replace_sets_content_and_mode),
        WITH_FOLDER(replace_survives_a_left_over_temporary),
        WITH_FOLDER(replace_fails_without_touching_the_old),
        WITH_FOLDER(makes_folders_with_their_parents),
        WITH_FOLDER(writes_at_an_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

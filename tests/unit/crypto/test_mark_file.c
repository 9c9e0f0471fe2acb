/* The file of marks: every mark that was put in is found, no other, and damaged files are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/mark_file.h"

enum { MOST = 40 };
static const uint8_t key[32] = {9};
static char folder_path[] = "/tmp/cofferdam-marks-XXXXXX";
static int folder;

static int make_folder(void **state)
{
    folder = mkdtemp(folder_path) == NULL ? -1 : open(folder_path, O_RDONLY | O_DIRECTORY);
    return folder < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
    unlinkat(folder, "marks", 0);
    close(folder);
    return rmdir(folder_path);
}

static void put(const void *bytes, size_t len)
{
    unlinkat(folder, "marks", 0);
    int fd = openat(folder, "marks", O_WRONLY | O_CREAT | O_EXCL, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static void number_mark(unsigned number, uint8_t mark[static REFERENCE_MARK_BYTES])
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    reference_mark(key, text, mark);
}

/* Fills out with the file of marks 0 … count - 1. */
static void build(size_t count, struct buffer *out)
{
    struct mark_record records[MOST];
    for (unsigned i = 0; i < count; i++) {
        number_mark(i, records[i].mark);
        records[i].incident = i / 2;
        records[i].issue = i;
        records[i].last_day = (int32_t)i - 20;
    }
    mark_file_build(records, count, out);
}

static void finds_every_mark_of_every_count(void **state)
{
    for (size_t count = 0; count <= MOST; count++) {
        struct buffer bytes;
        struct mark_file file = {0};
        struct mark_record record;
        struct error error;
        uint8_t mark[REFERENCE_MARK_BYTES];
        buffer_init(&bytes, 10000);
        build(count, &bytes);
        put(bytes.data, bytes.len);
        if (mark_file_open(folder, "marks", &file, &error) != STATUS_OK)
            fail_msg("%zu marks: %s", count, error.message);
        assert_int_equal(file.count, count);
        for (unsigned i = 0; i < MOST + 10; i++) {
            number_mark(i, mark);
            bool found = mark_file_find(&file, mark, &record);
            if (found != (i < count))
                fail_msg("mark %u of %zu: %s", i, count, found ? "found" : "not found");
            if (found) {
                assert_memory_equal(record.mark, mark, sizeof mark);
                assert_int_equal(record.issue, i);
                assert_int_equal(record.incident, i / 2);
                assert_int_equal(record.last_day, (int)i - 20);
            }
        }
        mark_file_close(&file);
        mark_file_close(&file);
        buffer_free(&bytes);
    }
}

static void refuse(const char *what)
{
    struct mark_file file = {0};
    struct error error;
    enum status status = mark_file_open(folder, "marks", &file, &error);
    if (status != STATUS_CORRUPT || file.bytes != NULL)
        fail_msg("%s: %s", what, status_name(status));
}

static void refuses_damaged_files(void **state)
{
    struct buffer bytes;
    struct mark_file file = {0};
    buffer_init(&bytes, 10000);
    build(5, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        put(bytes.data, len);
        refuse("cut short");
    }
    uint8_t first[32];
    memcpy(first, bytes.data + 16, 32);
    memcpy(bytes.data + 16, bytes.data + 48, 32);
    memcpy(bytes.data + 48, first, 32);
    put(bytes.data, bytes.len);
    refuse("not sorted");
    bytes.data[0] ^= 1;
    put(bytes.data, bytes.len);
    refuse("other magic");
    unlinkat(folder, "marks", 0);
    assert_int_not_equal(mark_file_open(folder, "marks", &file, NULL), STATUS_OK);
    buffer_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_mark_of_every_count),
        cmocka_unit_test(refuses_damaged_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

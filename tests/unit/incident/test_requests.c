/* The portal's queue as the worker reads it: whatever else lies in that folder, it is not believed
 * and not opened; and the marks of who has had an answer today. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "incident/answered.h"
#include "incident/requests.h"

static const int64_t SECOND = INT64_C(1000000000);
static const int64_t DAY = INT64_C(86400000000000);
static const uint8_t secret[32] = {7};
static uint8_t private_key[32], public_key[32];
static char folder[64];
static int64_t now_ns;
static struct requests_waiting waiting;

static int make_folder(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/cofferdam-requests-XXXXXX");
    request_box_keys(secret, private_key, public_key);
    now_ns = (int64_t)time(NULL) * SECOND;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    DIR *list = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;)
        unlinkat(dirfd(list), entry->d_name, 0);
    closedir(list);
    return rmdir(folder);
}

static size_t entries(void)
{
    size_t count = 0;
    DIR *list = opendir(folder);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count - 2;
}

static void path_of(const char *name, char path[static 200])
{
    snprintf(path, 200, "%s/%s", folder, name);
}

static void write_bytes(const char *name, const void *bytes, size_t len)
{
    char path[200];
    path_of(name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0444);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static void leave(enum request_kind kind, int64_t age_s, uint8_t change)
{
    struct request request = {.kind = kind, .asked_ns = now_ns - age_s * SECOND};
    uint8_t file[REQUEST_BOX_BYTES];
    char name[REQUEST_NAME_ROOM];
    snprintf(request.value, sizeof request.value, "a@example.org");
    assert_int_equal(request_box_seal(public_key, &request, file), STATUS_OK);
    file[REQUEST_BOX_BYTES / 2] ^= change;
    request_box_name(name);
    write_bytes(name, file, sizeof file);
}

static size_t read_queue(struct requests_dropped *dropped)
{
    static struct request_file files[8];
    struct error error = {0};
    size_t count = 99;
    *dropped = (struct requests_dropped){0};
    enum status status =
        requests_read(folder, private_key, now_ns, &waiting, files, 8, &count, dropped, &error);
    if (status != STATUS_OK)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(files[i].request.value, "a@example.org");
        requests_remove(folder, files[i].name);
    }
    return count;
}

static void requests_are_read_and_the_rest_is_dropped(void **state)
{
    struct requests_dropped dropped;
    leave(REQUEST_EMAIL, 0, 0);
    leave(REQUEST_LETTER, 6 * 86400, 0);
    leave(REQUEST_EMAIL, 8 * 86400, 0); /* too old */
    leave(REQUEST_EMAIL, -7200, 0);     /* of tomorrow */
    leave(REQUEST_NOTHING, 0, 0);
    leave(REQUEST_EMAIL, 0, 1); /* altered */
    assert_int_equal(read_queue(&dropped), 2);
    assert_int_equal(dropped.old, 1);
    assert_int_equal(dropped.nothing, 1);
    assert_int_equal(dropped.broken, 2);
    assert_int_equal(entries(), 0);
}

static void no_more_than_there_is_room_for(void **state)
{
    struct requests_dropped dropped;
    for (size_t i = 0; i < 11; i++)
        leave(REQUEST_EMAIL, 0, 0);
    assert_int_equal(read_queue(&dropped), 8);
    assert_int_equal(read_queue(&dropped), 3);
}

static void those_that_wait_stand_before_nobody(void **state)
{
    static struct request_file files[8];
    struct requests_dropped dropped = {0};
    struct error error = {0};
    size_t count = 0;
    for (size_t i = 0; i < 8; i++)
        leave(REQUEST_EMAIL, 0, 0);
    assert_int_equal(
        requests_read(folder, private_key, now_ns, &waiting, files, 8, &count, &dropped, &error),
        STATUS_OK);
    assert_int_equal(count, 8);
    for (size_t i = 0; i < 8; i++)
        requests_wait(&waiting, files[i].name);
    for (size_t i = 0; i < 3; i++)
        leave(REQUEST_EMAIL, 0, 0);
    assert_int_equal(read_queue(&dropped), 3);
    assert_int_equal(read_queue(&dropped), 0);
    waiting.count = 0;
    assert_int_equal(read_queue(&dropped), 8);
}

static void other_things_in_the_folder_do_no_harm(void **state)
{
    static const char link_name[] = "00000000000000000000000000000001.request";
    static const char fifo_name[] = "00000000000000000000000000000002.request";
    static const char young_name[] = "00000000000000000000000000000003.request";
    static const char large_name[] = "00000000000000000000000000000004.request";
    struct requests_dropped dropped;
    char path[200], large[REQUEST_BOX_BYTES + 1] = {0};
    write_bytes("readme", "x", 1);
    write_bytes("00000000000000000000000000000005.request~", "x", 1);
    write_bytes(young_name, "x", 1); /* being written */
    write_bytes(large_name, large, sizeof large);
    path_of(link_name, path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    path_of(fifo_name, path);
    assert_int_equal(mkfifo(path, 0644), 0);
    assert_int_equal(read_queue(&dropped), 0);
    assert_int_equal(dropped.broken, 3);
    assert_int_equal(entries(), 3);
    now_ns += 120 * SECOND;
    assert_int_equal(read_queue(&dropped), 0);
    assert_int_equal(dropped.broken, 1);
    assert_int_equal(entries(), 2);
}

static void a_missing_folder_is_told(void **state)
{
    struct requests_dropped dropped = {0};
    struct request_file file;
    struct error error = {0};
    size_t count;
    assert_int_not_equal(requests_read("/nonexistent", private_key, now_ns, &waiting, &file, 1,
                                       &count, &dropped, &error),
                         STATUS_OK);
    assert_non_null(strstr(error.message, "/nonexistent"));
}

/* ---- once a day ---- */

static struct answered *open_marks(int64_t at_ns)
{
    char path[200];
    struct answered *answered = NULL;
    struct error error = {0};
    path_of("answered", path);
    assert_int_equal(answered_open(path, &answered, &error), STATUS_OK);
    assert_int_equal(answered_turn(answered, at_ns, &error), STATUS_OK);
    return answered;
}

static void an_answer_counts_until_the_day_ends(void **state)
{
    struct error error = {0};
    struct answered *answered = open_marks(100 * DAY);
    assert_false(answered_has(answered, "mail:1", "customer", "42"));
    assert_int_equal(answered_add(answered, "mail:1", "customer", "42", &error), STATUS_OK);
    answered_close(answered);
    answered = open_marks(100 * DAY + DAY - 1); /* another process, the same day */
    assert_true(answered_has(answered, "mail:1", "customer", "42"));
    assert_false(answered_has(answered, "mail:2", "customer", "42"));
    assert_false(answered_has(answered, "mail:1", "customer", "43"));
    assert_false(answered_has(answered, "mail:1", "enquirer", "42"));
    assert_int_equal(answered_turn(answered, 101 * DAY, &error), STATUS_OK);
    assert_false(answered_has(answered, "mail:1", "customer", "42"));
    answered_close(answered);
    answered_close(NULL);
}

static void marks_tell_nothing_of_who(void **state)
{
    struct error error = {0};
    char path[200];
    struct buffer before, after;
    buffer_init(&before, 4096);
    buffer_init(&after, 4096);
    path_of("answered", path);
    for (int day = 1; day <= 2; day++) { /* the same person has another mark on another day */
        struct answered *answered = open_marks((200 + day) * DAY);
        assert_int_equal(answered_add(answered, "mail:1", "customer", "a@example.org", &error),
                         STATUS_OK);
        answered_close(answered);
        assert_int_equal(file_read(path, day == 1 ? &before : &after, &error), STATUS_OK);
    }
    assert_int_equal(before.len, after.len);
    assert_memory_not_equal(before.data + before.len - 16, after.data + after.len - 16, 16);
    buffer_append_u8(&after, 0);
    assert_null(memmem(after.data, after.len, "example", 7));
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    buffer_free(&before);
    buffer_free(&after);
}

static void a_day_has_so_many_answers(void **state)
{
    static uint8_t marks[16 * (ANSWERED_A_DAY - 1)];
    struct error error = {0};
    char path[200];
    answered_close(open_marks(300 * DAY));
    path_of("answered", path);
    crypto_random(marks, sizeof marks);
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, marks, sizeof marks), sizeof marks);
    close(fd);
    struct answered *answered = open_marks(300 * DAY);
    assert_false(answered_full(answered));
    assert_int_equal(answered_add(answered, "mail:0", "customer", "1", &error), STATUS_OK);
    assert_true(answered_full(answered));
    assert_int_equal(answered_add(answered, "mail:0", "customer", "2", &error), STATUS_LIMIT);
    answered_close(answered);
}

static void a_torn_file_begins_a_new_day(void **state)
{
    char path[200];
    struct error error = {0};
    struct answered *answered = open_marks(400 * DAY);
    assert_int_equal(answered_add(answered, "mail:1", "customer", "42", &error), STATUS_OK);
    answered_close(answered);
    path_of("answered", path);
    assert_int_equal(truncate(path, 48 + 15), 0); /* within the mark */
    answered = open_marks(400 * DAY);
    assert_false(answered_has(answered, "mail:1", "customer", "42"));
    assert_int_equal(answered_add(answered, "mail:1", "customer", "42", &error), STATUS_OK);
    answered_close(answered);
    answered = open_marks(400 * DAY);
    assert_true(answered_has(answered, "mail:1", "customer", "42"));
    answered_close(answered);
    assert_int_equal(truncate(path, 20), 0);
    answered = open_marks(400 * DAY);
    assert_false(answered_has(answered, "mail:1", "customer", "42"));
    answered_close(answered);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_are_read_and_the_rest_is_dropped),
        TEST(no_more_than_there_is_room_for),
        TEST(those_that_wait_stand_before_nobody),
        TEST(other_things_in_the_folder_do_no_harm),
        TEST(a_missing_folder_is_told),
        TEST(an_answer_counts_until_the_day_ends),
        TEST(marks_tell_nothing_of_who),
        TEST(a_day_has_so_many_answers),
        TEST(a_torn_file_begins_a_new_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The key file: what was synced comes back; a torn tail ends it, a damaged block is no block. */
#include "scene.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "exposure/key_file.h"

static void add(struct dictionary *d, uint32_t from, uint32_t until)
{
    char text[32];
    for (uint32_t i = from; i < until; i++) {
        int len = snprintf(text, sizeof text, "subject %u", i);
        assert_status(dictionary_learn(d, i, 1, slice_of(text, (size_t)len), NULL), STATUS_OK);
    }
}

static uint32_t known(struct dictionary *d, uint32_t until)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < until; i++)
        count += dictionary_knows(d, i);
    return count;
}

struct files {
    struct scene scene;
    struct dictionary *dictionary;
    struct key_file file;
};

static void load(struct files *files)
{
    struct error error = {0};
    assert_status(dictionary_new(&files->dictionary, &error), STATUS_OK);
    if (key_file_load(&files->file, files->scene.subjects, files->dictionary, &error) != STATUS_OK)
        fail_msg("load: %s", error.message);
}

static void reload(struct files *files, bool mark)
{
    key_file_close(&files->file, mark);
    dictionary_free(files->dictionary);
    load(files);
}

static void begin(struct files *files)
{
    scene_make(&files->scene);
    assert_status(file_make_folder(files->scene.subjects, 0700, NULL), STATUS_OK);
    load(files);
    assert_int_equal(files->file.fd, -1);
    assert_status(key_file_rewrite(&files->file, files->dictionary, NULL), STATUS_OK);
}

static void end(struct files *files)
{
    key_file_close(&files->file, false);
    dictionary_free(files->dictionary);
    scene_remove(&files->scene);
}

static void appended_pairs_come_back(void **state)
{
    struct files files;
    char key[256];
    uint16_t kind;
    struct stat info;
    begin(&files);
    for (uint32_t i = 0; i < 90000; i += 30000) { /* more than one block at a time */
        add(files.dictionary, i, i + 30000);
        assert_status(key_file_append(&files.file, files.dictionary, NULL), STATUS_OK);
        assert_int_equal(files.file.written_below, i + 30000);
    }
    assert_int_equal(stat(scene_subjects_file(&files.scene, "keys"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    reload(&files, true);
    assert_true(files.file.clean);
    assert_int_equal(files.file.written_below, 90000);
    assert_int_equal(known(files.dictionary, 90010), 90000);
    assert_status(dictionary_key(files.dictionary, 61234, &kind, key), STATUS_OK);
    assert_string_equal(key, "subject 61234");
    add(files.dictionary, 90005, 90006); /* behind a closing mark, and after a gap */
    assert_status(key_file_append(&files.file, files.dictionary, NULL), STATUS_OK);
    reload(&files, false);
    assert_false(files.file.clean);
    assert_int_equal(known(files.dictionary, 90010), 90001);
    end(&files);
}

static void a_rewrite_keeps_tombstones_and_drops_erased_keys(void **state)
{
    struct files files;
    struct buffer bytes;
    uint32_t id;
    begin(&files);
    add(files.dictionary, 0, 100);
    assert_status(key_file_append(&files.file, files.dictionary, NULL), STATUS_OK);
    assert_status(dictionary_erase(files.dictionary, 1, slice_of_text("subject 42"), &id),
                  STATUS_OK);
    assert_status(key_file_rewrite(&files.file, files.dictionary, NULL), STATUS_OK);
    buffer_init(&bytes, 1 << 20);
    assert_status(file_read(files.file.path, &bytes, NULL), STATUS_OK);
    assert_null(memmem(bytes.data, bytes.len, "subject 42", 10));
    assert_non_null(memmem(bytes.data, bytes.len, "subject 43", 10));
    buffer_free(&bytes);
    reload(&files, true);
    assert_int_equal(known(files.dictionary, 100), 100);
    assert_status(dictionary_find(files.dictionary, 1, slice_of_text("subject 42"), &id),
                  STATUS_NOT_FOUND);
    end(&files);
}

static void a_torn_tail_ends_the_file_at_any_byte(void **state)
{
    struct files files;
    begin(&files);
    add(files.dictionary, 0, 10);
    assert_status(key_file_append(&files.file, files.dictionary, NULL), STATUS_OK);
    uint64_t first = files.file.size;
    add(files.dictionary, 10, 20);
    assert_status(key_file_append(&files.file, files.dictionary, NULL), STATUS_OK);
    uint64_t second = files.file.size;
    for (uint64_t size = second; size-- > first;) {
        assert_int_equal(truncate(files.file.path, (off_t)size), 0);
        reload(&files, false);
        assert_int_equal(known(files.dictionary, 30), 10);
        assert_int_equal(files.file.size, first);
        assert_false(files.file.clean);
    }
    end(&files);
}

static void a_flipped_byte_is_noticed(void **state)
{
    struct files files;
    uint8_t byte;
    begin(&files);
    add(files.dictionary, 0, 10);
    assert_status(key_file_append(&files.file, files.dictionary, NULL), STATUS_OK);
    uint64_t size = files.file.size;
    for (uint64_t at = 16; at < size; at++) {
        int fd = open(files.file.path, O_RDWR);
        assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        reload(&files, false);
        if (known(files.dictionary, 20) != 0)
            fail_msg("a flip at byte %llu was not noticed", (unsigned long long)at);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        close(fd);
    }
    reload(&files, false);
    assert_int_equal(known(files.dictionary, 20), 10);
    end(&files);
}

static void something_else_is_no_key_file(void **state)
{
    struct files files;
    struct error error = {0};
    begin(&files);
    key_file_close(&files.file, false);
    assert_status(file_replace(files.file.path, slice_of_text("hello"), 0600, NULL), STATUS_OK);
    assert_status(key_file_load(&files.file, files.scene.subjects, files.dictionary, &error),
                  STATUS_CORRUPT);
    assert_non_null(strstr(error.message, "not a key file"));
    end(&files);
}

int main(void)
{
    log_set_level(LOG_ERROR); /* hundreds of torn tails */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_pairs_come_back),
        cmocka_unit_test(a_rewrite_keeps_tombstones_and_drops_erased_keys),
        cmocka_unit_test(a_torn_tail_ends_the_file_at_any_byte),
        cmocka_unit_test(a_flipped_byte_is_noticed),
        cmocka_unit_test(something_else_is_no_key_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

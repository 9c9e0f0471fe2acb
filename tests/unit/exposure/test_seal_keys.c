/* Seal keys: one a segment, kept over restarts, found by number and mark, gone once destroyed. */
#include "scene.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "exposure/seal_keys.h"

static struct seal_keys *open_keys(const struct scene *scene)
{
    struct seal_keys *keys;
    struct error error = {0};
    if (seal_keys_open(scene->subjects, &keys, &error) != STATUS_OK)
        fail_msg("open: %s", error.message);
    return keys;
}

static void keys_roll_survive_and_end(void **state)
{
    struct scene scene;
    struct seal_key one, two, found;
    struct stat info;
    bool rolled;
    scene_make(&scene);
    assert_status(file_make_folder(scene.subjects, 0700, NULL), STATUS_OK);
    struct seal_keys *keys = open_keys(&scene);
    assert_status(seal_keys_roll(keys, 1, &rolled, NULL), STATUS_OK);
    assert_true(rolled);
    seal_keys_current(keys, &one);
    assert_int_equal(one.number, 1);
    assert_int_equal(stat(scene_subjects_file(&scene, "segment-1.key"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_status(seal_keys_roll(keys, 1, &rolled, NULL), STATUS_OK);
    assert_false(rolled);
    assert_status(seal_keys_roll(keys, 5, &rolled, NULL), STATUS_OK);
    assert_true(rolled);
    seal_keys_current(keys, &two);
    assert_int_equal(two.number, 5);
    assert_memory_not_equal(one.secret, two.secret, 32);
    seal_keys_free(keys);
    keys = open_keys(&scene);
    assert_status(seal_keys_find(keys, 1, one.mark, &found), STATUS_OK);
    assert_memory_equal(found.secret, one.secret, 32);
    assert_status(seal_keys_find(keys, 1, two.mark, &found), STATUS_NOT_FOUND);
    assert_status(seal_keys_destroy_older(keys, NULL), STATUS_OK);
    assert_status(seal_keys_find(keys, 1, one.mark, &found), STATUS_NOT_FOUND);
    assert_status(seal_keys_find(keys, 5, two.mark, &found), STATUS_OK);
    assert_false(file_exists(scene_subjects_file(&scene, "segment-1.key")));
    assert_true(file_exists(scene_subjects_file(&scene, "segment-5.key")));
    assert_status(seal_keys_roll(keys, 2, &rolled, NULL), STATUS_OK); /* never backwards */
    assert_false(rolled);
    seal_keys_free(keys);
    scene_remove(&scene);
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    struct scene scene;
    struct seal_keys *keys;
    struct error error = {0};
    bool rolled;
    scene_make(&scene);
    assert_status(file_make_folder(scene.subjects, 0700, NULL), STATUS_OK);
    keys = open_keys(&scene);
    assert_status(seal_keys_roll(keys, 1, &rolled, NULL), STATUS_OK);
    seal_keys_free(keys);
    assert_int_equal(chmod(scene_subjects_file(&scene, "segment-1.key"), 0640), 0);
    assert_status(seal_keys_open(scene.subjects, &keys, &error), STATUS_INVALID);
    scene_remove(&scene);
}

static void a_half_destroyed_key_is_a_destroyed_key(void **state)
{
    static const char zeros[65];
    struct scene scene;
    struct seal_key one, found;
    bool rolled;
    scene_make(&scene);
    assert_status(file_make_folder(scene.subjects, 0700, NULL), STATUS_OK);
    struct seal_keys *keys = open_keys(&scene);
    assert_status(seal_keys_roll(keys, 1, &rolled, NULL), STATUS_OK);
    seal_keys_current(keys, &one);
    seal_keys_free(keys);
    assert_status(file_replace(scene_subjects_file(&scene, "segment-1.key"),
                               slice_of(zeros, sizeof zeros), 0600, NULL),
                  STATUS_OK);
    keys = open_keys(&scene);
    assert_status(seal_keys_find(keys, 1, one.mark, &found), STATUS_NOT_FOUND);
    seal_keys_free(keys);
    scene_remove(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_roll_survive_and_end),
        cmocka_unit_test(a_key_that_others_can_read_is_refused),
        cmocka_unit_test(a_half_destroyed_key_is_a_destroyed_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

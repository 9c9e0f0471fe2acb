/* Gathering rows: hidden columns are taken off, keys are kept, what is not as planned is refused.
 */
#include "scene.h"

#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

static enum status try_hidden(struct scene *scene, struct error *error, const char *first,
                              const char *second)
{
    const char *hidden[SCENE_MAX_HIDDEN] = {first, second};
    return scene_try_row(scene, error, "x", hidden);
}

static void test_null_keys(void **state)
{
    (void)state;
    static const struct {
        enum policy_when_null when_null;
        bool is_set;
        const char *key;
        enum status status;
        const char *sqlstate;
    } cases[] = {
        {POLICY_NULL_NONE, false, NULL, STATUS_OK, ""},
        {POLICY_NULL_REFUSE, false, NULL, STATUS_DENIED, "42501"},
        {POLICY_NULL_HIDE, false, NULL, STATUS_PEER, "XX000"},
        {POLICY_NULL_NONE, true, "{1,NULL}", STATUS_OK, ""},
        {POLICY_NULL_REFUSE, true, "{1,NULL}", STATUS_DENIED, "42501"},
        {POLICY_NULL_HIDE, true, "{NULL}", STATUS_PEER, "XX000"},
        {POLICY_NULL_REFUSE, true, NULL, STATUS_OK, ""}, /* array_agg of no rows */
        {POLICY_NULL_HIDE, true, "{}", STATUS_OK, ""},
        {POLICY_NULL_HIDE, true, "{1", STATUS_PEER, "08P01"},
        {POLICY_NULL_HIDE, true, "1", STATUS_PEER, "08P01"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        struct error error;
        scene_open(&scene, 1);
        scene.hidden[0].when_null = cases[i].when_null;
        scene.hidden[0].depth = cases[i].is_set;
        scene_run(&scene);
        enum status status = try_hidden(&scene, &error, cases[i].key, NULL);
        if (status != cases[i].status)
            fail_msg("case %zu: %s", i, status_name(status));
        if (status != STATUS_OK)
            assert_string_equal(error.sqlstate, cases[i].sqlstate);
        scene_close(&scene);
    }
}

static void test_keys_and_rows(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 2);
    scene.hidden[1].depth = 1;
    scene_run(&scene);
    scene_row(&scene, "a", "1", "{2,\"3,4\",\"q\\\"\\\\\"}");
    scene_row(&scene, "", "", "{}");
    assert_int_equal(scene.batch.row_count, 2);
    assert_int_equal(scene.batch.key_count, 5);
    assert_memory_equal(scene.batch.key_bytes.data, "123,4q\"\\", 8);
    assert_int_equal(scene.batch.row_ends[0].keys_end, 4);
    /* type, length, one column, its length, "a" */
    assert_int_equal(scene.batch.row_ends[0].bytes_end, 12);
    assert_memory_equal(scene.batch.rows.data, "D\0\0\0\x0b\0\1\0\0\0\1a", 12);
    batch_clear(&scene.batch);
    assert_true(batch_empty(&scene.batch));
    scene_close(&scene);
}

static void test_rows_that_were_not_planned(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    scene_run(&scene);
    static const uint8_t three[] = {0, 3, 0, 0, 0, 1, 'a', 0, 0, 0, 1, 'b', 0, 0, 0, 1, 'c'};
    static const uint8_t cut[] = {0, 2, 0, 0, 0, 1, 'a', 0, 0, 0, 5, 'b'};
    assert_status(batch_add(&scene.batch, scene.run, slice_of(three, sizeof three), &error),
                  STATUS_PEER);
    assert_status(batch_add(&scene.batch, scene.run, slice_of(cut, sizeof cut), &error),
                  STATUS_PEER);
    assert_status(batch_add(&scene.batch, scene.run, slice_of(cut, 1), &error), STATUS_PEER);
    assert_true(batch_empty(&scene.batch));
    scene_close(&scene);
}

static void test_a_key_that_is_too_long(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    char key[LIMIT_SUBJECT_KEY_BYTES + 2];
    memset(key, 'k', sizeof key);
    key[LIMIT_SUBJECT_KEY_BYTES + 1] = '\0';
    scene_open(&scene, 1);
    scene_run(&scene);
    assert_status(try_hidden(&scene, &error, key, NULL), STATUS_LIMIT);
    key[LIMIT_SUBJECT_KEY_BYTES] = '\0';
    assert_status(try_hidden(&scene, &error, key, NULL), STATUS_OK);
    scene_close(&scene);
}

static void test_full(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 1);
    scene_run(&scene);
    size_t rows = 0;
    while (!batch_full(&scene.batch)) {
        scene_row(&scene, "x", "1", NULL);
        rows++;
    }
    assert_int_equal(rows, (LIMIT_BATCH_BYTES + 11) / 12);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_keys),
        cmocka_unit_test(test_keys_and_rows),
        cmocka_unit_test(test_rows_that_were_not_planned),
        cmocka_unit_test(test_a_key_that_is_too_long),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Gathering rows: hidden columns are taken off, keys are kept, what is not as planned is refused.
 */
#include "scene.h"

#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

static enum status try_hidden(struct scene *scene, struct error *error, const char *first,
                              const char *second)
{
    const char *hidden[SCENE_MAX_HIDDEN + 1] = {first, second};
    hidden[scene->plan.hidden_count] = "t";
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

/* The sums of the marks of a person's rows stand before the key. */
static void test_marked_sets(void **state)
{
    (void)state;
    static const uint64_t sources[] = {1, 2};
    static const struct {
        const char *set;
        enum status status;
    } cases[] = {
        {"{\"12 -5:a\",\"0 7:b:c d\"}", STATUS_OK},
        {"{NULL}", STATUS_OK},
        {"{\"12 5 6:a\"}", STATUS_PEER},
        {"{\"12:a\"}", STATUS_PEER},
        {"{\"12 x:a\"}", STATUS_PEER},
        {"{\"12 :a\"}", STATUS_PEER},
        {"{a}", STATUS_PEER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        struct error error;
        scene_open(&scene, 1);
        scene.plan.sources = sources;
        scene.plan.source_count = 2;
        scene.hidden[0].depth = 1;
        scene.hidden[0].marked = true;
        scene.hidden[0].when_null = POLICY_NULL_NONE;
        scene_run(&scene);
        enum status status = try_hidden(&scene, &error, cases[i].set, NULL);
        if (status != cases[i].status)
            fail_msg("case %zu: %s", i, status_name(status));
        if (i == 0) {
            const struct batch_key *key = &scene.batch.keys[1];
            assert_int_equal(scene.batch.key_count, 2);
            assert_int_equal(key->len, 5);
            assert_memory_equal(scene.batch.key_bytes.data + key->at, "b:c d", 5);
            assert_true(scene.batch.sums[key->sums_at + 1] == 7);
            assert_true(scene.batch.sums[scene.batch.keys[0].sums_at] == 12);
        }
        scene_close(&scene);
    }
}

/* Where there need not be a row, a NULL key says nothing; the marker still does. */
static void test_null_keys_of_rows_that_need_not_be(void **state)
{
    (void)state;
    static const struct {
        uint8_t depth;
        const char *key;
        enum status status;
    } cases[] = {
        {0, NULL, STATUS_OK},
        {0, "7f3a", STATUS_DENIED},
        {0, "7f3b", STATUS_OK},
        {1, "{1,NULL}", STATUS_OK},
        {1, "{1,7f3a}", STATUS_DENIED},
        {2, "{\"{1,NULL}\",NULL}", STATUS_OK},
        {2, "{\"{1,7f3a}\"}", STATUS_DENIED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        struct error error;
        scene_open(&scene, 1);
        scene.plan.null_key = "7f3a";
        scene.hidden[0].when_null = POLICY_NULL_REFUSE;
        scene.hidden[0].extended = true;
        scene.hidden[0].depth = cases[i].depth;
        scene_run(&scene);
        enum status status = try_hidden(&scene, &error, cases[i].key, NULL);
        if (status != cases[i].status)
            fail_msg("case %zu: %s", i, status_name(status));
        if (status != STATUS_OK)
            assert_string_equal(error.sqlstate, "42501");
        scene_close(&scene);
    }
}

/* What repeats the key before it adds nothing; where it is another, the proof behind it was wrong.
 */
static void test_repeated_keys(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        enum status status;
    } cases[] = {
        {"1", "1", STATUS_OK},    {NULL, NULL, STATUS_OK},  {"1", "2", STATUS_PEER},
        {"1", NULL, STATUS_PEER}, {NULL, "1", STATUS_PEER}, {"1", "1 ", STATUS_PEER},
        {"", NULL, STATUS_PEER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        struct error error;
        scene_open(&scene, 2);
        scene.hidden[0].when_null = scene.hidden[1].when_null = POLICY_NULL_NONE;
        scene.hidden[1].equals_previous = true;
        scene_run(&scene);
        enum status status = try_hidden(&scene, &error, cases[i].first, cases[i].second);
        if (status != cases[i].status)
            fail_msg("case %zu: %s", i, status_name(status));
        if (status != STATUS_OK)
            assert_string_equal(error.sqlstate, "XX000");
        else
            assert_int_equal(scene.batch.key_count, cases[i].first != NULL);
        scene_close(&scene);
    }
}

/* Sets of sets give up all their keys; NULL is a set without members, but not among the keys. */
static void test_sets_of_sets(void **state)
{
    (void)state;
    static const struct {
        uint8_t depth;
        const char *literal, *keys;
        enum status status;
    } cases[] = {
        {2, "{}", "", STATUS_OK},
        {2, NULL, "", STATUS_OK},
        {2, "{\"{}\",NULL}", "", STATUS_OK},
        {2, "{\"{1,2}\",NULL,\"{2,3}\"}", "1|2|2|3|", STATUS_OK},
        {2, "{\"{\\\"a,\\\\\\\\b\\\",{c}\"}", "", STATUS_PEER}, /* {"a,\\b",{c} */
        {2, "{\"{\\\"a,\\\\\\\\b\\\"}\",\"{c}\"}", "a,\\b|c|", STATUS_OK},
        {3, "{\"{\\\"{1,2}\\\",\\\"{3}\\\"}\",NULL,\"{NULL}\"}", "1|2|3|", STATUS_OK},
        {2, "{1,2}", "", STATUS_PEER},
        {2, "{\"{1,2\"}", "", STATUS_PEER},
        {2, "{{1,2},{3,4}}", "", STATUS_PEER},
        {1, "{\"{1,2}\"}", "{1,2}|", STATUS_OK}, /* a key that looks like a set */
        {2, "{\"{1,NULL}\"}", "", STATUS_PEER},  /* the fence is broken */
        {BATCH_SET_DEPTH + 1, "{}", "", STATUS_LIMIT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        struct error error;
        char keys[64] = "";
        scene_open(&scene, 1);
        scene.hidden[0].when_null = POLICY_NULL_HIDE;
        scene.hidden[0].depth = cases[i].depth;
        scene_run(&scene);
        enum status status = try_hidden(&scene, &error, cases[i].literal, NULL);
        if (status != cases[i].status)
            fail_msg("case %zu: %s", i, status_name(status));
        for (size_t k = 0; status == STATUS_OK && k < scene.batch.key_count; k++)
            snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%.*s|",
                     (int)scene.batch.keys[k].len,
                     (const char *)scene.batch.key_bytes.data + scene.batch.keys[k].at);
        assert_string_equal(keys, cases[i].keys);
        scene_close(&scene);
    }
}

/* Sets of the statement come with its first row, and with no other. */
static void test_once(void **state)
{
    (void)state;
    static const struct {
        const char *once, *key, *present; /* of a row */
    } rows[] = {
        {"{1,2}", "3", "t"},   /* 0: a first row */
        {NULL, "4", "t"},      /* 1: one behind it */
        {"{1,2}", NULL, NULL}, /* 2: no rows */
        {NULL, "3", "t"},      /* 3 */
        {"{}", "4", "t"},      /* 4 */
        {NULL, NULL, NULL},    /* 5 */
        {"{1,2}", "3", NULL},  /* 6: a row's key beside what says that there is none */
        {"{}", NULL, NULL},    /* 7: no rows, nobody */
    };
    static const struct {
        int first, second;
        enum status status; /* of the last */
        size_t keys, rows;
    } cases[] = {
        {0, -1, STATUS_OK, 3, 1},   {0, 1, STATUS_OK, 4, 2},    {2, -1, STATUS_OK, 2, 0},
        {7, -1, STATUS_OK, 0, 0},   {3, -1, STATUS_PEER, 0, 0}, /* no sets */
        {5, -1, STATUS_PEER, 0, 0}, {0, 4, STATUS_PEER, 3, 1},  /* sets again */
        {0, 5, STATUS_PEER, 3, 1},                              /* none behind one */
        {2, 1, STATUS_PEER, 2, 0},  {2, 2, STATUS_PEER, 2, 0},  {6, -1, STATUS_PEER, 2, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        struct error error;
        scene_open(&scene, 2);
        scene.plan.has_once = scene.hidden[0].once = true;
        scene.hidden[0].depth = 1;
        scene_run(&scene);
        enum status status = STATUS_OK;
        for (int which = 0; which < 2; which++) {
            int at = which == 0 ? cases[i].first : cases[i].second;
            if (at < 0)
                continue;
            assert_status(status, STATUS_OK);
            const char *hidden[] = {rows[at].once, rows[at].key, rows[at].present};
            status = scene_try_row(&scene, &error, "x", hidden);
        }
        if (status != cases[i].status)
            fail_msg("case %zu: %s", i, status_name(status));
        if (status != STATUS_OK)
            assert_string_equal(error.sqlstate, "XX000");
        assert_int_equal(scene.batch.key_count, cases[i].keys);
        assert_int_equal(scene.batch.row_count, cases[i].rows);
        scene_close(&scene);
    }
}

/* A plan that forgets to say that it has `once` sets gets no row through. */
static void test_once_without_its_column(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    scene.hidden[0].once = true;
    scene.hidden[0].depth = 1;
    scene_run(&scene);
    assert_status(try_hidden(&scene, &error, "{1}", NULL), STATUS_PEER);
    assert_true(batch_empty(&scene.batch));
    scene_close(&scene);
}

static void test_too_much_lineage(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    scene_open(&scene, 2);
    scene.config.limits.max_lineage_bytes = 10;
    scene.hidden[0].depth = scene.hidden[1].depth = 1;
    scene_run(&scene);
    assert_status(try_hidden(&scene, &error, "{1,2}", "{1,2}"), STATUS_OK);
    assert_status(try_hidden(&scene, &error, "{1,2}", "{1,23}"), STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "54000");
    assert_non_null(strstr(error.message, "10 bytes"));
    assert_non_null(strstr(error.hint, "max_lineage_bytes"));
    assert_int_equal(scene.batch.row_count, 1);
    scene_close(&scene);
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
        cmocka_unit_test(test_marked_sets),
        cmocka_unit_test(test_null_keys_of_rows_that_need_not_be),
        cmocka_unit_test(test_repeated_keys),
        cmocka_unit_test(test_sets_of_sets),
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_once_without_its_column),
        cmocka_unit_test(test_too_much_lineage),
        cmocka_unit_test(test_keys_and_rows),
        cmocka_unit_test(test_rows_that_were_not_planned),
        cmocka_unit_test(test_a_key_that_is_too_long),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

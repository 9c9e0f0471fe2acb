/* What the reader refuses, wherever it stands, and how it says where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "fixture.h"

struct refusal {
    const char *text, *message, *hint;
};

static void refuse_all(const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fixture_refuse(cases[i].text, cases[i].message, cases[i].hint);
}

static void says_line_and_column_of_broken_syntax(void **state)
{
    static const struct refusal cases[] = {
        {"datasets:\n  x: [\n", "policy.yaml:3:1: ", NULL},
        {"datasets:\n\tx: 1\n", "policy.yaml:2:1: ", NULL},
        {"a: 'open\n", "policy.yaml:1:5: ", NULL},
        {"datasets: {x: \"\xff\xfe\"}\n", "policy.yaml:1: a byte that is not UTF-8", "save it"},
        {"%\xff\ndatasets: {}\n", "policy.yaml:1: a byte that is not UTF-8", "save it"},
        {"# \xc3\xa9\n# \xe9t\xe9\n", "policy.yaml:2: a byte that is not UTF-8", "save it"},
    };
    refuse_all(cases, sizeof cases / sizeof cases[0]);
}

static void refuses_what_could_read_two_ways(void **state)
{
    static const struct refusal cases[] = {
        {"datasets: {}\ndatasets: {}\n", "policy.yaml:2:1: duplicate key", NULL},
        {"datasets: &a {x: 1}\n", "anchors (&name) are not accepted", "write it out"},
        {"datasets: *a\n", "aliases (*name) are not accepted", "write it out"},
        {"datasets:\n  <<: {table: a}\n", "dataset name \"<<\" is not valid", NULL},
        {"datasets: !!map {}\n", "tags (!name) are not accepted", NULL},
        {"datasets: {}\n---\na: 1\n", "policy.yaml:3:1: a second document", "---"},
        {"datasets: {[a]: 1}\n", "a key must be a plain word", NULL},
        {"datasets: {? : 1}\n", "an empty key", NULL},
        {DATASETS "  b: {table: \"a.b\\0\", subject: none, columns: {c: {}}}\n",
         "a text with a zero character", NULL},
    };
    refuse_all(cases, sizeof cases / sizeof cases[0]);
}

static void refuses_empty_and_shapeless_files(void **state)
{
    static const struct refusal cases[] = {
        {"", "the file is empty", NULL},
        {"# nothing\n", "the file is empty", NULL},
        {"[a, b]\n", "a mapping is expected here", NULL},
        {"words\n", "a mapping is expected here", NULL},
        {"partners: {}\n", "key \"datasets\" is missing", NULL},
    };
    refuse_all(cases, sizeof cases / sizeof cases[0]);
}

static void lists_keys_and_suggests_the_nearest(void **state)
{
    fixture_refuse("datasets: {x: {table: a.b, subject: none, colums: {}}}\n",
                   "policy.yaml:1:43: datasets/x: key \"colums\" is not known; "
                   "did you mean \"columns\"?",
                   "one of: table, subject, columns");
    fixture_refuse("zebra: 1\n", "policy.yaml:1:1: key \"zebra\" is not known",
                   "one of: controller, subjects, datasets, masks, partners");
}

static void bounds_depth_and_size(void **state)
{
    struct buffer deep;
    buffer_init(&deep, 2000);
    buffer_append_text(&deep, "datasets: {x: ");
    for (int i = 0; i < 40; i++)
        buffer_append_text(&deep, "{a: ");
    buffer_append_text(&deep, "1");
    for (int i = 0; i < 40; i++)
        buffer_append_text(&deep, "}");
    buffer_append_text(&deep, "}\n");
    fixture_refuse(buffer_text(&deep), "nested deeper than", NULL);
    buffer_free(&deep);

    enum { TOO_LARGE = 1024 * 1024 + 1 };
    static char large[TOO_LARGE + 1];
    memset(large, '#', TOO_LARGE);
    const struct policy *policy = NULL;
    struct error error = {0};
    assert_int_equal(policy_load(fixture_write(large), &policy, &error), STATUS_LIMIT);
    assert_non_null(strstr(error.message, "larger than 1048576 bytes"));
}

static void names_a_missing_file(void **state)
{
    const struct policy *policy = NULL;
    struct error error = {0};
    assert_int_equal(policy_load("/nonexistent/policy.yaml", &policy, &error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "/nonexistent/policy.yaml"));
    assert_int_equal(policy_load("/nonexistent/policy.yaml", &policy, NULL), STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_line_and_column_of_broken_syntax),
        cmocka_unit_test(refuses_what_could_read_two_ways),
        cmocka_unit_test(refuses_empty_and_shapeless_files),
        cmocka_unit_test(lists_keys_and_suggests_the_nearest),
        cmocka_unit_test(bounds_depth_and_size),
        cmocka_unit_test(names_a_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

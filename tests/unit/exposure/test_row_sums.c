/* Row sums: as bytes, and whose differ. */
#include "scene.h"

#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

#include "exposure/row_sums.h"

enum { MOST = 10000, BELOW = 5, SOURCES = 3 };
static const uint64_t sources[SOURCES] = {11, 22, 11};

/* A statistic of the people from .. until - 1, in the making. */
struct scene_statistic {
    uint32_t ids[MOST];
    uint64_t values[MOST * SOURCES];
    size_t count, source_count;
    struct buffer bytes;
    roaring_bitmap_t *set;
};

static uint64_t random_number(uint64_t seed)
{
    seed = (seed + 1) * 0x9e3779b97f4a7c15;
    return (seed ^ seed >> 29) % ROW_SUMS_PRIME;
}

static struct scene_statistic *people(uint32_t from, uint32_t until, size_t source_count)
{
    struct scene_statistic *made = calloc(1, sizeof *made);
    assert_non_null(made);
    made->source_count = source_count;
    for (uint32_t id = from; id < until; id++) {
        made->ids[made->count] = id;
        for (size_t s = 0; s < source_count; s++)
            made->values[made->count * source_count + s] = random_number(id * SOURCES + s);
        made->count++;
    }
    return made;
}

static struct row_sums finish(struct scene_statistic *made)
{
    buffer_init(&made->bytes, ROW_SUMS_BYTES);
    row_sums_encode(sources, made->source_count, made->ids, made->values, made->count,
                    &made->bytes);
    assert_false(made->bytes.overflowed);
    made->set = roaring_bitmap_of_ptr(made->count, made->ids);
    assert_true(row_sums_valid(buffer_slice(&made->bytes), made->count));
    return (struct row_sums){made->set, made->count, buffer_slice(&made->bytes)};
}

static void free_statistic(struct scene_statistic *made)
{
    if (made == NULL)
        return;
    roaring_bitmap_free(made->set);
    buffer_free(&made->bytes);
    free(made);
}

/* "3 7" for the ids that differ; frees all. */
static const char *differing(struct scene_statistic *whole, struct scene_statistic *one,
                             struct scene_statistic *other)
{
    static char text[100];
    uint32_t ids[10];
    roaring_bitmap_t *few = roaring_bitmap_create();
    struct row_sums a = finish(whole), b = finish(one), c;
    if (other != NULL)
        c = finish(other);
    row_sums_compare(&a, &b, other == NULL ? NULL : &c, BELOW, few);
    size_t count = roaring_bitmap_get_cardinality(few);
    text[0] = '\0';
    if (count > 10)
        snprintf(text, sizeof text, "%zu", count);
    else
        roaring_bitmap_to_uint32_array(few, ids);
    for (size_t i = 0; count <= 10 && i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u", i == 0 ? "" : " ",
                 ids[i]);
    roaring_bitmap_free(few);
    free_statistic(whole);
    free_statistic(one);
    free_statistic(other);
    return text;
}

/* Another row of the first `count` from `first` on. */
static struct scene_statistic *changed(struct scene_statistic *made, size_t first, size_t count,
                                       size_t source)
{
    for (size_t i = first; i < first + count; i++) {
        uint64_t *value = &made->values[i * made->source_count + source];
        *value = row_sums_add(*value, random_number(i + 77777777));
    }
    return made;
}

static struct scene_statistic *times(struct scene_statistic *made, unsigned factor)
{
    for (size_t i = 0; i < made->count * made->source_count; i++) {
        uint64_t once = made->values[i];
        for (unsigned n = 1; n < factor; n++)
            made->values[i] = row_sums_add(made->values[i], once);
    }
    return made;
}

static void the_same_rows_do_not_differ(void **state)
{
    assert_string_equal(differing(people(0, 100, 1), people(0, 100, 1), NULL), "");
    assert_string_equal(differing(people(0, 9000, 2), people(0, 9000, 2), NULL), "");
}

static void few_differ_and_many_do_not_tell(void **state)
{
    assert_string_equal(differing(people(0, 100, 1), changed(people(0, 100, 1), 7, 1, 0), NULL),
                        "7");
    assert_string_equal(differing(people(0, 100, 1), changed(people(0, 100, 1), 7, 4, 0), NULL),
                        "7 8 9 10");
    assert_string_equal(differing(people(0, 100, 1), changed(people(0, 100, 1), 7, 5, 0), NULL),
                        "");
    assert_string_equal(differing(people(0, 6, 1), changed(people(0, 6, 1), 0, 6, 0), NULL), "");
}

static void each_source_is_held_against_its_own(void **state)
{
    assert_string_equal(differing(people(0, 100, 2), changed(people(0, 100, 2), 7, 1, 1), NULL),
                        "7");
    assert_string_equal(
        differing(people(0, 100, 2), changed(changed(people(0, 100, 2), 0, 50, 0), 7, 1, 1), NULL),
        "7");
    /* the third is the first's table again: its numbers are others */
    assert_string_equal(
        differing(people(0, 100, 1), changed(changed(people(0, 100, 3), 7, 1, 0), 0, 99, 2), NULL),
        "7");
}

static void what_weighs_all_alike_does_not_hide_it(void **state)
{
    assert_string_equal(differing(people(0, 100, 1), times(people(0, 100, 1), 3), NULL), "");
    assert_string_equal(
        differing(people(0, 100, 1), changed(times(people(0, 100, 1), 3), 7, 1, 0), NULL), "7");
    assert_string_equal(differing(changed(times(people(0, 9000, 1), 2), 7, 1, 0),
                                  people(0, 9000, 1), NULL)[0] == '\0'
                            ? "none"
                            : "some",
                        "some");
}

/* As many numbers as there is room for: those who share the one that differs are among them. */
static void of_many_people_few_are_added(void **state)
{
    const char *text = differing(people(0, 9000, 1), changed(people(0, 9000, 1), 7, 1, 0), NULL);
    assert_true(strcmp(text, "7") == 0 || strncmp(text, "7 ", 2) == 0);
    assert_string_equal(differing(people(0, 9000, 1), changed(people(0, 9000, 1), 0, 9, 0), NULL),
                        "");
}

static void people_of_one_alone_are_left_out(void **state)
{
    assert_string_equal(differing(people(0, 100, 1), people(2, 103, 1), NULL), "");
    assert_string_equal(differing(people(0, 100, 1), changed(people(2, 103, 1), 5, 1, 0), NULL),
                        "7");
    assert_string_equal(differing(people(0, 3000, 1), people(2, 3003, 1), NULL), "");
    assert_string_equal(differing(people(0, 2000, 1), people(2, 2100, 1), NULL), "");
}

static void two_together(void **state)
{
    assert_string_equal(differing(people(0, 100, 1), people(0, 40, 1), people(40, 100, 1)), "");
    assert_string_equal(
        differing(people(0, 100, 1), changed(people(0, 40, 1), 7, 1, 0), people(40, 100, 1)), "7");
    assert_string_equal(
        differing(people(0, 4000, 1), people(0, 40, 1), changed(people(40, 4000, 1), 7, 9, 0)), "");
    assert_string_not_equal(
        differing(people(0, 4000, 1), changed(people(0, 40, 1), 7, 1, 0), people(40, 4000, 1)), "");
    /* a person in both: half of the rows here and half there */
    assert_string_equal(differing(times(people(0, 50, 1), 2), people(0, 50, 1), people(0, 50, 1)),
                        "");
}

static void numbers_are_read(void **state)
{
    uint64_t value;
    assert_true(row_sums_parse(slice_of_text("12"), &value) && value == 12);
    assert_true(row_sums_parse(slice_of_text("-1"), &value) && value == ROW_SUMS_PRIME - 1);
    assert_true(row_sums_parse(slice_of_text("2305843009213693952"), &value) && value == 1);
    assert_true(row_sums_parse(slice_of_text("-2305843009213693951"), &value) && value == 0);
    assert_true(row_sums_parse(slice_of_text("23058430092136939520"), &value) && value == 10);
    assert_false(row_sums_parse(slice_of_text(""), &value));
    assert_false(row_sums_parse(slice_of_text("-"), &value));
    assert_false(row_sums_parse(slice_of_text("1.5"), &value));
}

static void what_does_not_fit_is_not_valid(void **state)
{
    struct scene_statistic *made = people(0, 20, 2);
    struct slice bytes = finish(made).bytes;
    assert_false(row_sums_valid(bytes, 19));
    assert_false(row_sums_valid(bytes, 3000));
    for (size_t len = 1; len < bytes.len; len++)
        if (len != bytes.len / 2) /* one source of two */
            assert_false(row_sums_valid(slice_of(bytes.data, len), 20));
    assert_true(row_sums_valid(slice_of(NULL, 0), 20));
    memset(made->bytes.data + 12, 0xff, 8); /* beyond the field */
    assert_false(row_sums_valid(bytes, 20));
    free_statistic(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_rows_do_not_differ),
        cmocka_unit_test(few_differ_and_many_do_not_tell),
        cmocka_unit_test(each_source_is_held_against_its_own),
        cmocka_unit_test(what_weighs_all_alike_does_not_hide_it),
        cmocka_unit_test(of_many_people_few_are_added),
        cmocka_unit_test(people_of_one_alone_are_left_out),
        cmocka_unit_test(two_together),
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(what_does_not_fit_is_not_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

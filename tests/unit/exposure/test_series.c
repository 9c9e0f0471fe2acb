/* Who was charged since when: each person in the quarter in which that was last. */
#include "scene.h"

#include "exposure/series.h"
#include "exposure/windows.h"

static struct series_list list;

static int tear_down(void **state)
{
    series_free(&list);
    return 0;
}

static struct series *named(const char *agent, const char *purpose, uint32_t set)
{
    const struct series_name name = {
        .agent = slice_of_text(agent), .purpose = slice_of_text(purpose), .column_set = set};
    return series_at(&list, &name);
}

static void add(struct series *series, int64_t quarter, uint32_t from, uint32_t until)
{
    uint32_t ids[1000];
    for (uint32_t id = from; id < until; id++)
        ids[id - from] = id;
    series_add(series, quarter, ids, until - from);
}

static uint64_t since(const struct series *series, int64_t quarter)
{
    roaring_bitmap_t *ids = roaring_bitmap_create();
    series_union(series, quarter, ids);
    uint64_t count = roaring_bitmap_get_cardinality(ids);
    roaring_bitmap_free(ids);
    return count;
}

static void names_are_kept_apart(void **state)
{
    struct series *first = named("a", "p", 1);
    assert_ptr_not_equal(first, named("a", "p", 2));
    assert_ptr_not_equal(first, named("ap", "", 1));
    assert_ptr_not_equal(first, named("", "ap", 1));
    for (uint32_t set = 3; set < 500; set++)
        named("a", "p", set);
    assert_ptr_equal(first, named("a", "p", 1));
    assert_int_equal(list.count, 501);
}

static void a_person_counts_from_the_last_time(void **state)
{
    struct series *series = named("a", "p", 1);
    add(series, 100, 0, 10);
    add(series, 200, 5, 15);
    add(series, 300, 0, 1);
    add(series, 301, 20, 21); /* now the others have been taken out of older quarters */
    assert_int_equal(since(series, 100), 16);
    assert_int_equal(since(series, 101), 12); /* 5 to 14, 0, 20 */
    assert_int_equal(since(series, 201), 2);
    assert_int_equal(since(series, 302), 0);
    assert_int_equal(since(series, INT64_MIN), 16);
    assert_int_equal(series_earliest(series, 0), 100);
    assert_int_equal(series_earliest(series, 201), 300);
    assert_int_equal(series_earliest(series, 302), INT64_MAX);
}

static void entries_may_come_out_of_order_and_again(void **state)
{
    struct series *series = named("a", "p", 1);
    add(series, 300, 0, 10);
    add(series, 200, 5, 15);
    add(series, 200, 5, 15);
    add(series, 300, 0, 10);
    assert_int_equal(since(series, 201), 10);
    assert_int_equal(since(series, 200), 15);
}

/* However often a partner comes back for the same people, they stand in one quarter. */
static void memory_does_not_grow_with_repetition(void **state)
{
    struct series *series = named("a", "p", 1);
    for (int64_t quarter = 0; quarter < 5000; quarter++)
        add(series, quarter, 0, 500);
    assert_true(series->quarter_count <= 2);
    for (int64_t quarter = 5000; quarter < 10000; quarter++)
        add(series, quarter, (uint32_t)quarter, (uint32_t)quarter + 1);
    assert_true(series->quarter_count <= WINDOW_QUARTERS_KEPT + 1);
    assert_int_equal(since(series, INT64_MIN), 5500);
}

static void growth_is_of_the_last_week(void **state)
{
    enum { DAY = WINDOW_QUARTERS_A_DAY };
    struct series *series = named("a", "p", 1);
    add(series, 10 * DAY, 0, 5);
    add(series, 12 * DAY, 0, 8);
    add(series, 16 * DAY + 95, 8, 9);
    assert_int_equal(series_growth(series, 16 * DAY), 9);
    assert_int_equal(series_growth(series, 17 * DAY), 4);
    assert_int_equal(series_growth(series, 22 * DAY), 1);
    assert_int_equal(series_growth(series, 23 * DAY), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(names_are_kept_apart, tear_down),
        cmocka_unit_test_teardown(a_person_counts_from_the_last_time, tear_down),
        cmocka_unit_test_teardown(entries_may_come_out_of_order_and_again, tear_down),
        cmocka_unit_test_teardown(memory_does_not_grow_with_repetition, tear_down),
        cmocka_unit_test_teardown(growth_is_of_the_last_week, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

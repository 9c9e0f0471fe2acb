/* The index against a plain list of what was added: any range of hours, any order of time. */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "exposure/index.h"

enum { FACTS = 3000, IDS = 400, HOURS = 30 };

static const int64_t HOUR_NS = 3600LL * 1000000000;

struct fact {
    uint32_t column_set, id;
    uint8_t grade;
    int64_t hour;
};

struct expectation {
    const struct fact *facts;
    struct index_range range;
    size_t visits;
};

static uint64_t random_state = 7;

static uint32_t next_random(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static bool matches(const struct fact *fact, const struct index_view *view,
                    struct index_range range)
{
    return fact->column_set == view->column_set && fact->grade == view->grade &&
           fact->hour >= range.from_hour && fact->hour < range.until_hour;
}

static enum status check_view(void *context, const struct index_view *view, struct error *error)
{
    struct expectation *expected = context;
    roaring_bitmap_t *ids = roaring_bitmap_create();
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (size_t i = 0; i < FACTS; i++) {
        const struct fact *fact = &expected->facts[i];
        if (!matches(fact, view, expected->range))
            continue;
        roaring_bitmap_add(ids, fact->id);
        first = fact->hour < first ? fact->hour : first;
        last = fact->hour > last ? fact->hour : last;
    }
    assert_int_equal(roaring_bitmap_get_cardinality(view->ids),
                     roaring_bitmap_get_cardinality(ids));
    assert_true(roaring_bitmap_equals(view->ids, ids));
    assert_int_equal(view->first_hour, first);
    assert_int_equal(view->last_hour, last);
    assert_int_equal(view->kind, 2);
    roaring_bitmap_free(ids);
    expected->visits++;
    return STATUS_OK;
}

struct one {
    const struct fact *facts;
    uint32_t id;
    size_t visits;
};

static enum status check_one(void *context, const struct index_view *view, struct error *error)
{
    static const struct index_range ever = {INT64_MIN, INT64_MAX};
    struct one *one = context;
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (size_t i = 0; i < FACTS; i++)
        if (one->facts[i].id == one->id && matches(&one->facts[i], view, ever)) {
            first = one->facts[i].hour < first ? one->facts[i].hour : first;
            last = one->facts[i].hour > last ? one->facts[i].hour : last;
        }
    assert_int_equal(view->first_hour, first);
    assert_int_equal(view->last_hour, last);
    one->visits++;
    return STATUS_OK;
}

static void add_facts(struct index *index, struct fact *facts)
{
    for (size_t i = 0; i < FACTS; i++) {
        /* Mostly onwards; the clock steps back now and then. */
        int64_t hour = (int64_t)(i * HOURS / FACTS) - (i % 50 == 0 ? 3 : 0);
        facts[i] = (struct fact){.column_set = 1 + next_random() % 3,
                                 .id = next_random() % IDS,
                                 .grade = (uint8_t)(next_random() % 2),
                                 .hour = hour};
        struct index_place place = {.partner = slice_of_text("p"),
                                    .column_set = facts[i].column_set,
                                    .kind = 2,
                                    .grade = facts[i].grade};
        index_add(index, &place, hour * HOUR_NS + 5, &facts[i].id, 1);
    }
}

static void any_range_and_any_subject_agree_with_a_list(void **state)
{
    struct index *index;
    struct fact *facts = calloc(FACTS, sizeof *facts);
    assert_status(index_new(&index, NULL), STATUS_OK);
    add_facts(index, facts);
    for (int64_t from = -5; from < HOURS + 2; from++)
        for (int64_t until = from; until < HOURS + 2; until += 3) {
            struct expectation expected = {.facts = facts,
                                           .range = index_range(from * HOUR_NS, until * HOUR_NS)};
            assert_status(index_each(index, "p", expected.range, check_view, &expected, NULL),
                          STATUS_OK);
            assert_int_equal(expected.visits > 0, until > from && until > -3 && from < HOURS);
        }
    struct expectation ever = {.facts = facts, .range = index_range(INT64_MIN, INT64_MAX)};
    assert_status(index_each(index, "p", ever.range, check_view, &ever, NULL), STATUS_OK);
    assert_int_equal(ever.visits, 6);
    size_t visits = 0;
    for (uint32_t id = 0; id < IDS + 5; id++) {
        struct one one = {.facts = facts, .id = id};
        assert_status(index_each_of(index, "p", id, check_one, &one, NULL), STATUS_OK);
        assert_true(id < IDS || one.visits == 0);
        visits += one.visits;
    }
    assert_true(visits > IDS);
    index_free(index);
    free(facts);
}

static enum status count_all(void *context, const struct index_view *view, struct error *error)
{
    *(uint64_t *)context += roaring_bitmap_get_cardinality(view->ids);
    return STATUS_OK;
}

static void large_hours_are_frozen_and_thawed(void **state)
{
    struct index *index;
    uint32_t *ids = calloc(20000, sizeof *ids);
    struct index_place place = {.partner = slice_of_text("p"), .column_set = 1, .grade = 1};
    assert_status(index_new(&index, NULL), STATUS_OK);
    for (int64_t hour = 0; hour < 5; hour++) {
        for (uint32_t i = 0; i < 20000; i++)
            ids[i] = (uint32_t)hour * 10000 + i * (hour % 2 == 0 ? 1 : 5);
        index_add(index, &place, hour * HOUR_NS, ids, 20000);
        index_add(index, &place, hour * HOUR_NS + HOUR_NS - 1, ids, 20000); /* nothing new */
    }
    for (int64_t hour = 0; hour < 5; hour++) {
        uint64_t count = 0;
        struct index_range range = index_range(hour * HOUR_NS, hour * HOUR_NS + 1);
        assert_status(index_each(index, "p", range, count_all, &count, NULL), STATUS_OK);
        assert_int_equal(count, 20000);
    }
    index_free(index);
    free(ids);
}

static void ranges_widen_to_whole_hours(void **state)
{
    struct index_range range = index_range(HOUR_NS + 1, 3 * HOUR_NS + 1);
    assert_int_equal(range.from_hour, 1);
    assert_int_equal(range.until_hour, 4);
    range = index_range(-1, 3 * HOUR_NS);
    assert_int_equal(range.from_hour, -1);
    assert_int_equal(range.until_hour, 3);
    range = index_range(INT64_MIN, INT64_MAX);
    assert_true(range.from_hour == INT64_MIN && range.until_hour == INT64_MAX);
}

static void partners_and_column_sets_are_listed(void **state)
{
    struct index *index;
    const char **names;
    assert_status(index_new(&index, NULL), STATUS_OK);
    index_add_column_set(index, slice_of_text("ringway"), 4, 1);
    index_add_column_set(index, slice_of_text("north"), 9, 1);
    index_add_column_set(index, slice_of_text("north-mail"), 2, 1);
    index_add_column_set(index, slice_of_text("north"), 7, 1);
    assert_status(index_partners(index, &names, NULL), STATUS_OK);
    assert_string_equal(names[0], "north");
    assert_string_equal(names[1], "north-mail");
    assert_string_equal(names[2], "ringway");
    assert_null(names[3]);
    free(names);
    roaring_bitmap_t *sets = NULL;
    assert_status(index_column_sets(index, "north", &sets, NULL), STATUS_OK);
    assert_int_equal(roaring_bitmap_get_cardinality(sets), 2);
    assert_true(roaring_bitmap_contains(sets, 7) && roaring_bitmap_contains(sets, 9));
    roaring_bitmap_free(sets);
    assert_status(index_column_sets(index, "nobody", &sets, NULL), STATUS_OK);
    assert_null(sets);
    index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_range_and_any_subject_agree_with_a_list),
        cmocka_unit_test(large_hours_are_frozen_and_thawed),
        cmocka_unit_test(ranges_widen_to_whole_hours),
        cmocka_unit_test(partners_and_column_sets_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

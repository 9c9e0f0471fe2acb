/* Unions read straight from sets' bytes are those that roaring makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "exposure/id_union.h"
#include "exposure/subject_set.h"

enum { IDS_MAX = 90000 };

static uint64_t random_state = 5;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(((random_state >> 32) * below) >> 32);
}

/* Thin, dense, and in runs, near both ends of all ids; what a file would hold. */
static roaring_bitmap_t *some_set(void)
{
    static const uint32_t spans[] = {1, 70, 5000, 70000, 3000000, UINT32_MAX};
    roaring_bitmap_t *ids = roaring_bitmap_create();
    uint32_t span = spans[next_random(6)], count = 1 + next_random(next_random(3) ? 300 : IDS_MAX);
    uint32_t from = next_random(2) ? next_random(200000) : UINT32_MAX - span;
    for (uint32_t i = 0; i < count; i++)
        roaring_bitmap_add(ids, from + next_random(span));
    for (uint32_t i = next_random(4); i > 0; i--) {
        uint64_t start = next_random(UINT32_MAX);
        if (next_random(2))
            start &= 0xFFFFF;
        roaring_bitmap_add_range(ids, start, start + 1 + next_random(140000));
    }
    roaring_bitmap_run_optimize(ids);
    return ids;
}

static void unite_some(struct id_union *all, int count)
{
    roaring_bitmap_t *want = roaring_bitmap_create();
    char *sets[20];
    for (int i = 0; i < count; i++) {
        roaring_bitmap_t *ids = some_set();
        size_t len = roaring_bitmap_portable_size_in_bytes(ids);
        sets[i] = malloc(len);
        roaring_bitmap_portable_serialize(ids, sets[i]);
        assert_int_equal(id_union_add(all, slice_of(sets[i], len)), STATUS_OK);
        roaring_bitmap_or_inplace(want, ids);
        roaring_bitmap_free(ids);
    }
    roaring_bitmap_t *had = id_union_take(all);
    assert_non_null(had);
    assert_true(roaring_bitmap_equals(had, want));
    assert_int_equal(roaring_bitmap_get_cardinality(had), roaring_bitmap_get_cardinality(want));
    roaring_bitmap_free(had);
    roaring_bitmap_free(want);
    for (int i = 0; i < count; i++)
        free(sets[i]);
}

/* One after the other with the same union: nothing of the one before is left in it. */
static void a_union_has_all_ids_and_no_others(void **state)
{
    struct id_union *all = id_union_new();
    assert_non_null(all);
    for (int round = 0; round < 24; round++)
        unite_some(all, round % 8);
    unite_some(all, 20);
    unite_some(all, 0);
    id_union_free(all);
}

static void what_is_no_set_is_refused(void **state)
{
    struct id_union *all = id_union_new();
    uint32_t ids[] = {1, 5, 70000, 70001, 5000000};
    struct buffer set;
    buffer_init(&set, 4096);
    subject_set_serialize(ids, 5, &set);
    for (size_t len = 1; len < set.len; len++) {
        uint8_t *exact = malloc(len); /* for the address sanitizer's sake */
        for (size_t i = 0; i < len; i++)
            exact[i] = set.data[i];
        assert_int_equal(id_union_add(all, buffer_slice(&set)), STATUS_OK);
        assert_int_equal(id_union_add(all, slice_of(exact, len)), STATUS_CORRUPT);
        roaring_bitmap_free(id_union_take(all));
        free(exact);
    }
    buffer_free(&set);
    id_union_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_union_has_all_ids_and_no_others),
        cmocka_unit_test(what_is_no_set_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

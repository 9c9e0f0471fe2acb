/* Who is known to several gauges: kept where it pays, taken out of all, forgotten together. */
#include "scene.h"

#include "exposure/known.h"

static void few_gauges_and_too_many_combinations_have_none(void **state)
{
    struct known_list list = {0};
    (void)state;
    assert_null(known_at(&list, 0x3));
    for (uint32_t i = 0; i < KNOWN_SETS; i++)
        assert_non_null(known_at(&list, 0x7u << i));
    assert_null(known_at(&list, 0xf00));
    assert_ptr_equal(known_at(&list, 0x7), list.sets[0].ids);
    known_forget(&list);
    assert_non_null(known_at(&list, 0xf00));
    assert_true(roaring_bitmap_is_empty(known_at(&list, 0xf00)));
    known_forget(&list);
}

static void whoever_is_taken_out_is_in_none(void **state)
{
    struct known_list list = {0};
    (void)state;
    roaring_bitmap_add(known_at(&list, 0x7), 5);
    roaring_bitmap_add(known_at(&list, 0xf), 5);
    roaring_bitmap_add(known_at(&list, 0xf), 6);
    known_remove(&list, 5);
    assert_false(roaring_bitmap_contains(known_at(&list, 0x7), 5));
    assert_false(roaring_bitmap_contains(known_at(&list, 0xf), 5));
    assert_true(roaring_bitmap_contains(known_at(&list, 0xf), 6));
    known_forget(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_gauges_and_too_many_combinations_have_none),
        cmocka_unit_test(whoever_is_taken_out_is_in_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

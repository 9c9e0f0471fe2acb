/* Arenas: zeroed, aligned memory up to a limit, and a failure that sticks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void gives_zeroed_aligned_memory(void **state)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t size = 0; size < 300; size++) {
        unsigned char *memory = arena_alloc(&arena, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xEE, size);
    }
    arena_free(&arena);
}

static void memory_reused_after_reset_is_zeroed_again(void **state)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    memset(arena_alloc(&arena, 5000), 0xEE, 5000);
    assert_non_null(arena_alloc(&arena, 50000));
    arena_reset(&arena);
    assert_int_equal(arena.used_bytes, 0);
    unsigned char *memory = arena_alloc(&arena, 5000);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(memory[i], 0);
    arena_free(&arena);
}

static void limit_is_exact_and_overflow_sticks(void **state)
{
    struct arena arena;
    arena_init(&arena, 1024);
    assert_non_null(arena_alloc(&arena, 1024));
    assert_false(arena.overflowed);
    assert_null(arena_alloc(&arena, 1));
    assert_true(arena.overflowed);
    assert_null(arena_alloc(&arena, 0));
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 512));
    assert_null(arena_alloc(&arena, 513));
    assert_null(
        arena_alloc(&arena, 1)); /* would fit, but a builder must see that something did not */
    arena_free(&arena);
}

static void sizes_at_the_end_of_the_range_do_not_wrap(void **state)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    arena_reset(&arena);
    assert_null(arena_alloc(&arena, SIZE_MAX - 15));
    arena_reset(&arena);
    assert_null(arena_copy(&arena, "x", SIZE_MAX));
    assert_true(arena.overflowed);
    arena_free(&arena);
}

static void multiplication_overflow_is_an_overflow(void **state)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    size_t half = SIZE_MAX / 8 + 2;
    assert_null(arena_array(&arena, uint64_t, half)); /* 8 * half wraps to a small number */
    assert_true(arena.overflowed);
    arena_reset(&arena);
    uint64_t *numbers = arena_array(&arena, uint64_t, 100);
    assert_non_null(numbers);
    assert_int_equal(numbers[99], 0);
    arena_free(&arena);
}

static void large_blocks_do_not_disturb_small_ones(void **state)
{
    struct arena arena;
    arena_init(&arena, 1 << 24);
    char *small = arena_strdup(&arena, "small");
    char *large = arena_alloc(&arena, 1 << 20);
    memset(large, 'x', 1 << 20);
    char *after = arena_printf(&arena, "%d-%s", 7, "after");
    assert_string_equal(small, "small");
    assert_string_equal(after, "7-after");
    arena_free(&arena);
}

static void texts_are_terminated_copies(void **state)
{
    struct arena arena;
    arena_init(&arena, 4096);
    char *copy = arena_copy(&arena, "abcdef", 3);
    assert_string_equal(copy, "abc");
    assert_string_equal(arena_copy(&arena, NULL, 0), "");
    char *printed = arena_printf(&arena, "%0*d", 1000, 1);
    assert_int_equal(strlen(printed), 1000);
    assert_null(arena_printf(&arena, "%0*d", 5000, 1));
    assert_true(arena.overflowed);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_memory),
        cmocka_unit_test(memory_reused_after_reset_is_zeroed_again),
        cmocka_unit_test(limit_is_exact_and_overflow_sticks),
        cmocka_unit_test(sizes_at_the_end_of_the_range_do_not_wrap),
        cmocka_unit_test(multiplication_overflow_is_an_overflow),
        cmocka_unit_test(large_blocks_do_not_disturb_small_ones),
        cmocka_unit_test(texts_are_terminated_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

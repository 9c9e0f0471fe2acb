/* What a partner attested reaches back to an instant, of some people or of everybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "exposure/subject_set.h"
#include "trace/deleted.h"

static const uint32_t people[] = {0, 1, 2, 0}; /* ids 1 and 2 are persons 0 and 1 */

static void take(struct deleted *deleted, struct arena *arena, uint32_t partner, int64_t before_ns,
                 int64_t time_ns, const char *text, uint32_t *ids, size_t count)
{
    struct buffer set;
    buffer_init(&set, 4096);
    struct ledger_item item = {.grade = 1};
    if (count > 0)
        subject_set_serialize(ids, count, &set);
    item.subjects = buffer_slice(&set);
    struct ledger_entry entry = {.type = LEDGER_DELETED,
                                 .time_ns = time_ns,
                                 .text = slice_of_text(text),
                                 .items = &item,
                                 .item_count = count > 0};
    assert_int_equal(deleted_take(deleted, arena, &entry, partner, before_ns, people, 4, NULL),
                     STATUS_OK);
    buffer_free(&set);
}

static void the_claim_that_reaches_furthest_counts(void **state)
{
    struct deleted deleted = {0};
    struct arena arena;
    arena_init(&arena, 65536);
    assert_null(deleted_find(&deleted, 0, 5, 10));
    take(&deleted, &arena, 5, 100, 200, "request=A\n", (uint32_t[]){1, 3}, 2);
    take(&deleted, &arena, 5, 90, 300, "request=B\n", (uint32_t[]){1}, 1);
    assert_string_equal(deleted_find(&deleted, 0, 5, 99)->request, "A");
    assert_null(deleted_find(&deleted, 0, 5, 100)); /* given again */
    assert_null(deleted_find(&deleted, 1, 5, 10));
    assert_null(deleted_find(&deleted, 0, 6, 10));
    take(&deleted, &arena, 5, 900, 400, "request=C\n", NULL, 0); /* before it was said at most */
    assert_string_equal(deleted_find(&deleted, 1, 5, 399)->request, "C");
    assert_null(deleted_find(&deleted, 1, 5, 400));
    assert_string_equal(deleted_find(&deleted, UINT32_MAX, 5, 10)->request, "C");
    assert_string_equal(deleted_find(&deleted, 0, 5, 10)->request, "C"); /* the latest word */
    deleted_free(&deleted);
    arena_free(&arena);
}

static void a_malformed_set_is_refused(void **state)
{
    struct deleted deleted = {0};
    struct arena arena;
    arena_init(&arena, 65536);
    const struct ledger_item item = {.grade = 1, .subjects = slice_of_text("no set")};
    const struct ledger_entry entry = {.type = LEDGER_DELETED, .items = &item, .item_count = 1};
    assert_int_equal(deleted_take(&deleted, &arena, &entry, 5, 10, people, 4, NULL),
                     STATUS_CORRUPT);
    deleted_free(&deleted);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_claim_that_reaches_furthest_counts),
        cmocka_unit_test(a_malformed_set_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

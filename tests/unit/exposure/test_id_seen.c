/* How many ids of a run are new is what a bitmap of CRoaring's says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <roaring/roaring.h>
#include <stdlib.h>

#include "exposure/id_seen.h"
#include "exposure/subject_set.h"

enum { ROUNDS = 3000, COUNT_MAX = 3000 };

static uint64_t random_state = 77;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(((random_state >> 32) * below) >> 32);
}

static void meet(struct id_seen *seen, roaring_bitmap_t *known, uint32_t *ids, size_t count)
{
    uint64_t fresh = 4711, want = 0;
    count = count == 0 ? 0 : subject_ids_unique(ids, count);
    for (size_t i = 0; i < count; i++)
        want += roaring_bitmap_add_checked(known, ids[i]);
    assert_int_equal(id_seen_add(seen, ids, count, &fresh, NULL), STATUS_OK);
    assert_int_equal(fresh, want);
}

/* Parts of which there are few, that become bitsets, and at either end of all ids. */
static void test_random_runs(void **state)
{
    static const uint32_t spans[] = {1, 300, 5000, 70000, 700000, 20000000, UINT32_MAX};
    static uint32_t ids[COUNT_MAX];
    for (size_t s = 0; s < sizeof spans / sizeof spans[0]; s++) {
        struct id_seen *seen = id_seen_new();
        roaring_bitmap_t *known = roaring_bitmap_create();
        for (int round = 0; round < ROUNDS; round++) {
            uint32_t from = next_random(3) ? 0 : next_random(5) * 65530, span = spans[s];
            size_t count = next_random(next_random(100) ? 40 : COUNT_MAX);
            if (next_random(50) == 0)
                from = UINT32_MAX - span;
            for (size_t i = 0; i < count; i++)
                ids[i] = from + next_random(span) + next_random(2);
            meet(seen, known, ids, count);
        }
        id_seen_free(seen);
        roaring_bitmap_free(known);
    }
}

/* An array that is full to its last place, and one more. */
static void test_the_edge_of_an_array(void **state)
{
    struct id_seen *seen = id_seen_new();
    roaring_bitmap_t *known = roaring_bitmap_create();
    static uint32_t ids[COUNT_MAX];
    for (uint32_t i = 0; i < 1023; i++)
        ids[i] = 65536 + 3 * i;
    meet(seen, known, ids, 1023);
    for (uint32_t more = 0; more < 4; more++) {
        ids[0] = 65535;
        ids[1] = 65536 + 3 * more;
        ids[2] = 65537 + 3 * more;
        ids[3] = 131071;
        ids[4] = 131072;
        meet(seen, known, ids, 5);
        meet(seen, known, ids, 5);
    }
    id_seen_free(seen);
    roaring_bitmap_free(known);
    id_seen_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_runs),
        cmocka_unit_test(test_the_edge_of_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

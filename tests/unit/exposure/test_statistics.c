/* Sets behind statistics out of entries: whole, in pieces, between others', cut off. */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "exposure/row_sums.h"
#include "exposure/statistics.h"
#include "exposure/trackers.h"

enum { REMEMBER = 400 };

static struct trackers *trackers;
static const int64_t now_ns = 0;
static struct statistics_open *open_sets;

static int set_up(void **state)
{
    assert_status(trackers_new(&trackers, NULL), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    statistics_forget(&open_sets);
    trackers_free(trackers);
    return 0;
}

static size_t range(uint32_t from, uint32_t until, uint32_t *ids)
{
    for (uint32_t id = from; id < until; id++)
        ids[id - from] = id;
    return until - from;
}

/* An entry of statement `uuid` with one item for each pair of bounds, 0 0 at the end. */
static void take(uint8_t uuid, const char *text, uint32_t chunk_count, const uint32_t *bounds)
{
    struct ledger_item items[8];
    struct buffer sets[8];
    struct error error;
    uint32_t ids[1000];
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                 .uuid = {uuid},
                                 .partner = slice_of_text("stats"),
                                 .text = slice_of_text(text),
                                 .chunk = chunk_count == 0 ? 0 : chunk_count - 1,
                                 .chunk_count = chunk_count,
                                 .items = items};
    for (; bounds[1] != 0; bounds += 2, entry.item_count++) {
        size_t at = entry.item_count;
        buffer_init(&sets[at], 100000);
        subject_set_serialize(ids, range(bounds[0], bounds[1], ids), &sets[at]);
        items[at] = (struct ledger_item){.grade = 2, .subjects = buffer_slice(&sets[at])};
    }
    assert_status(statistics_take(&open_sets, trackers, &entry, &error), STATUS_OK);
    for (size_t i = 0; i < entry.item_count; i++)
        buffer_free(&sets[i]);
}

static bool knows(uint32_t from, uint32_t until)
{
    uint32_t ids[1000];
    struct exposure_people people = {0};
    struct exposure_statistics *statistics = trackers_begin(trackers, "stats", now_ns, REMEMBER);
    enum exposure_verdict verdict =
        exposure_statistic(statistics, 2, ids, range(from, until, ids), slice_of(NULL, 0), &people);
    exposure_statistics_end(statistics, 0);
    free(people.ids);
    return verdict == EXPOSURE_STATISTIC_KNOWN;
}

static void each_item_is_a_set(void **state)
{
    take(1, "", 1, (const uint32_t[]){0, 10, 20, 40, 0, 0});
    assert_true(knows(0, 10));
    assert_true(knows(20, 40));
    assert_false(knows(0, 40));
}

/* Row sums of one source, of ten people or of those that there are. */
static void rows_come_with_the_first_piece(void **state)
{
    static const uint64_t source = 3, values[20] = {1, 2, 3};
    uint32_t ids[20];
    struct error error;
    struct buffer sets[2], rows;
    struct exposure_people people = {0};
    buffer_init(&rows, ROW_SUMS_BYTES);
    row_sums_encode(&source, 1, ids, values, range(0, 20, ids), &rows);
    for (size_t i = 0; i < 2; i++) {
        buffer_init(&sets[i], 1000);
        subject_set_serialize(ids + 10 * i, 10, &sets[i]);
    }
    struct ledger_item items[] = {
        {.grade = 2, .subjects = buffer_slice(&sets[0]), .rows = buffer_slice(&rows)},
        {.grade = 2, .subjects = buffer_slice(&sets[1])}};
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                 .partner = slice_of_text("stats"),
                                 .text = slice_of_text("continues=1\n"),
                                 .chunk_count = 1,
                                 .items = items,
                                 .item_count = 2};
    assert_status(statistics_take(&open_sets, trackers, &entry, &error), STATUS_OK);
    struct exposure_statistics *statistics = trackers_begin(trackers, "stats", now_ns, REMEMBER);
    assert_int_equal(exposure_statistic(statistics, 2, ids, 20, buffer_slice(&rows), &people),
                     EXPOSURE_STATISTIC_KNOWN);
    exposure_statistics_end(statistics, 0);
    entry.item_count = 1; /* twice as many numbers as people */
    assert_status(statistics_take(&open_sets, trackers, &entry, &error), STATUS_CORRUPT);
    for (size_t i = 0; i < 2; i++)
        buffer_free(&sets[i]);
    buffer_free(&rows);
}

static void pieces_are_put_together(void **state)
{
    take(1, "continues=1 3\n", 0, (const uint32_t[]){0, 10, 10, 20, 100, 110, 110, 120, 0, 0});
    assert_false(knows(0, 20)); /* nothing leaves before the last entry */
    assert_false(knows(100, 120));
    take(2, "", 1, (const uint32_t[]){500, 600, 0, 0}); /* another session's */
    take(1, "continues=0\n", 2, (const uint32_t[]){120, 130, 0, 0});
    assert_true(knows(0, 20));
    assert_true(knows(100, 130));
    assert_true(knows(500, 600));
    assert_false(knows(0, 10));
    assert_false(knows(120, 130));
}

/* Rows leave behind the last entry of a release: without it none have. */
static void what_is_cut_off_was_not_released(void **state)
{
    take(1, "", 0, (const uint32_t[]){0, 10, 0, 0});
    statistics_forget(&open_sets);
    assert_null(open_sets);
    assert_false(knows(0, 10));
    take(1, "", 0, (const uint32_t[]){0, 10, 20, 40, 0, 0});
    take(1, "", 1, (const uint32_t[]){100, 110, 0, 0}); /* another release of the statement */
    assert_false(knows(0, 10));
    assert_false(knows(20, 40));
    assert_true(knows(100, 110));
}

static void numbers_are_read_with_care(void **state)
{
    struct slice text = slice_of_text("a=0\ncontinues=2 17 99999999999999999999 \nb=3");
    for (size_t i = 0; i < 30; i++)
        if (statistics_continues(text, i) != (i == 2 || i == 17))
            fail_msg("item %zu", i);
    assert_false(statistics_continues(slice_of_text("continues="), 0));
    assert_false(statistics_continues(slice_of_text("continues=x0y"), 1));
    assert_false(statistics_continues(slice_of(NULL, 0), 0));
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(each_item_is_a_set),         FRESH(rows_come_with_the_first_piece),
        FRESH(pieces_are_put_together),    FRESH(what_is_cut_off_was_not_released),
        FRESH(numbers_are_read_with_care),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which statistics tell of few by what they differ from earlier ones. */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "exposure/row_sums.h"
#include "exposure/trackers.h"

enum { REMEMBER = 400 };
static const int64_t DAY_NS = 24LL * 3600 * 1000000000;

static const struct slice no_rows;
static struct trackers *trackers;
static int64_t now_ns;

static int set_up(void **state)
{
    now_ns = 0;
    assert_status(trackers_new(&trackers, NULL), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    trackers_free(trackers);
    return 0;
}

enum { MOST = 200000, BELOW = 10 };

/* "0-99 105" as ids. */
static size_t ids_of(const char *text, uint32_t *ids)
{
    size_t count = 0;
    while (*text != '\0') {
        char *end;
        uint32_t first = (uint32_t)strtoul(text, &end, 10), last = first;
        if (*end == '-')
            last = (uint32_t)strtoul(end + 1, &end, 10);
        for (uint32_t id = first; id <= last; id++)
            ids[count++] = id;
        text = end + strspn(end, " ");
    }
    return count;
}

/* What a release of this one statistic says: "new", "known", "untold", or the differing ids. */
static const char *ask(const char *set, bool release)
{
    static char text[400];
    static uint32_t ids[MOST];
    struct exposure_people people = {0};
    struct exposure_statistics *statistics = trackers_begin(trackers, "stats", now_ns, REMEMBER);
    size_t count = ids_of(set, ids), len = 0;
    enum exposure_verdict verdict =
        exposure_statistic(statistics, BELOW, ids, count, no_rows, &people);
    exposure_statistics_end(statistics, release ? SIZE_MAX : 0);
    static const char *const words[] = {"new", "known", "", "untold"};
    len = (size_t)snprintf(text, sizeof text, "%s", words[verdict]);
    size_t unique = subject_ids_unique(people.ids, people.count);
    for (size_t i = 0; i < unique; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%u", i == 0 ? "" : " ",
                                people.ids[i]);
    free(people.ids);
    return text;
}

static void two_that_differ_by_few_tell_of_those(void **state)
{
    assert_string_equal(ask("0-99", true), "new");
    assert_string_equal(ask("0-99", true), "known");
    assert_string_equal(ask("0-6 8-99", false), "7"); /* everybody, everybody but one */
    assert_string_equal(ask("0-102", false), "100 101 102");
    assert_string_equal(ask("1-100", false), "0 100"); /* one gone, one come */
    assert_string_equal(ask("0-108", false), "100 101 102 103 104 105 106 107 108");
    assert_string_equal(ask("0-109", false), "new"); /* ten: a statistic of its own */
    assert_string_equal(ask("200-300", false), "new");
    assert_string_equal(ask("0-88", false), "new");
}

static void what_was_not_released_is_not_known(void **state)
{
    assert_string_equal(ask("0-99", false), "new");
    assert_string_equal(ask("0-98", true), "new");
    assert_string_equal(ask("0-99", false), "99");
}

static void all_that_it_differs_from_count(void **state)
{
    assert_string_equal(ask("0-99", true), "new");
    assert_string_equal(ask("0-98", true), "99");
    assert_string_equal(ask("0-97", false), "98 99");
}

/* The set padded by a tracker: men and women make everybody, but one of the women is left out. */
static void two_parts_and_the_whole(void **state)
{
    assert_string_equal(ask("0-999", true), "new");
    assert_string_equal(ask("0-399", true), "new");
    assert_string_equal(ask("400-999", false), "new"); /* exactly the rest */
    assert_string_equal(ask("400-554 556-999", false), "555");
    assert_string_equal(ask("398-999", false), "398 399"); /* in both */
}

static void the_whole_after_its_parts(void **state)
{
    assert_string_equal(ask("0-399", true), "new");
    assert_string_equal(ask("400-999", true), "new");
    assert_string_equal(ask("0-999", false), "new");
    assert_string_equal(ask("0-1001", false), "1000 1001");
    assert_string_equal(ask("0-332 334-999", false), "333");
}

static void statistics_of_one_release_are_compared_as_well(void **state)
{
    static uint32_t ids[MOST];
    struct exposure_people people = {0};
    struct exposure_statistics *statistics = trackers_begin(trackers, "stats", now_ns, REMEMBER);
    size_t count = ids_of("0-99", ids);
    assert_int_equal(exposure_statistic(statistics, BELOW, ids, count, no_rows, &people),
                     EXPOSURE_STATISTIC_NEW);
    assert_int_equal(exposure_statistic(statistics, BELOW, ids, count - 1, no_rows, &people),
                     EXPOSURE_STATISTIC_DIFFERS);
    assert_int_equal(people.count, 1);
    assert_int_equal(people.ids[0], 99);
    free(people.ids);
    exposure_statistics_end(statistics, 0);
    assert_string_equal(ask("0-98", true), "new"); /* neither was released */
}

static void large_sets_are_compared_exactly(void **state)
{
    assert_string_equal(ask("0-99999", true), "new");
    assert_string_equal(ask("0-70000 70002-99999", false), "70001");
    assert_string_equal(ask("100000-199999", true), "new");
    assert_string_equal(ask("0-4 6-199999", false), "5");
}

/* Sparse sets of many: when there is no more room, nothing that is new can be told from anything.
 */
static void without_room_nothing_is_told(void **state)
{
    static uint32_t ids[MOST];
    struct exposure_statistics *statistics = trackers_begin(trackers, "stats", now_ns, REMEMBER);
    struct exposure_people people = {0};
    enum exposure_verdict verdict = EXPOSURE_STATISTIC_NEW;
    size_t sets = 0;
    for (; verdict == EXPOSURE_STATISTIC_NEW && sets < 2000; sets++) {
        for (uint32_t i = 0; i < MOST; i++)
            ids[i] = i * 20 + (uint32_t)sets % 20 + (i % 61 == sets / 20 % 61 ? 0 : 4000000);
        size_t count = subject_ids_unique(ids, MOST);
        verdict = exposure_statistic(statistics, BELOW, ids, count, no_rows, &people);
    }
    exposure_statistics_end(statistics, SIZE_MAX);
    free(people.ids);
    if (verdict != EXPOSURE_STATISTIC_UNTOLD || sets < 50)
        fail_msg("verdict %d after %zu sets", verdict, sets);
    assert_string_equal(ask("0-20", true), "untold"); /* though this one would fit */
}

static void partners_are_apart(void **state)
{
    uint32_t ids[100];
    trackers_take(trackers, slice_of_text("other"), now_ns, ids, ids_of("0-99", ids), no_rows);
    assert_string_equal(ask("0-98", true), "new");
}

static void a_replay_gives_the_same(void **state)
{
    uint32_t ids[100];
    trackers_take(trackers, slice_of_text("stats"), now_ns, ids, ids_of("0-99", ids), no_rows);
    trackers_take(trackers, slice_of_text("stats"), now_ns, ids, ids_of("0-99", ids), no_rows);
    assert_string_equal(ask("0-99", false), "known");
    assert_string_equal(ask("0-98", false), "99");
}

/* Given again is remembered anew; what is forgotten makes room. */
static void what_was_given_long_ago_is_forgotten(void **state)
{
    assert_string_equal(ask("0-99", true), "new");
    assert_string_equal(ask("1000-1099", true), "new");
    now_ns = 300 * DAY_NS;
    assert_string_equal(ask("0-99", true), "known");
    now_ns = 400 * DAY_NS;
    assert_string_equal(ask("1000-1098", false), "1099");
    now_ns = 400 * DAY_NS + 1;
    assert_string_equal(ask("1000-1098", false), "new");
    assert_string_equal(ask("0-98", false), "99");
    now_ns = 700 * DAY_NS + 1;
    assert_string_equal(ask("0-98", false), "new");
}

static void a_full_table_has_room_again(void **state)
{
    enum { LEAST = 20, SIZES = 500 };
    uint32_t ids[LEAST + SIZES];
    for (uint32_t i = 0; i < TRACKER_SETS; i++) {
        for (uint32_t j = 0; j < LEAST + i % SIZES; j++)
            ids[j] = i * 1000 + j;
        trackers_take(trackers, slice_of_text("stats"), i == 0 ? 0 : 1, ids, LEAST + i % SIZES,
                      no_rows);
    }
    now_ns = 400 * DAY_NS;
    assert_string_equal(ask("100000000-100000019", true), "untold");
    now_ns++; /* the one of time 0 is forgotten */
    assert_string_equal(ask("100000000-100000019", true), "new");
    assert_string_equal(ask("100000100-100000119", true), "untold");
    /* A replay knows no policy: that the ledger has one more says that the oldest was forgotten. */
    now_ns = 0;
    trackers_take(trackers, slice_of_text("stats"), 2, ids, LEAST, no_rows);
    assert_string_equal(ask("1000-1020", false), "untold");
    assert_string_equal(ask("2000-2021", false), "known");
    assert_string_equal(ask("100000000-100000019", false), "known");
}

/* One row of each of 20 people, worth its id; one of them changed: is it told of whom? */
static const char *ask_rows(uint32_t changed, bool release)
{
    static char text[100];
    static const uint64_t source = 7;
    uint32_t ids[20];
    uint64_t values[20];
    struct exposure_people people = {0};
    struct buffer rows;
    buffer_init(&rows, ROW_SUMS_BYTES);
    for (uint32_t i = 0; i < 20; i++) {
        ids[i] = i;
        values[i] = 1000003 * (i + 1) + (i == changed ? 1 : 0);
    }
    row_sums_encode(&source, 1, ids, values, 20, &rows);
    struct exposure_statistics *statistics = trackers_begin(trackers, "stats", now_ns, REMEMBER);
    enum exposure_verdict verdict =
        exposure_statistic(statistics, BELOW, ids, 20, buffer_slice(&rows), &people);
    exposure_statistics_end(statistics, release ? SIZE_MAX : 0);
    static const char *const words[] = {"new", "known", "", "untold"};
    snprintf(text, sizeof text, "%s", words[verdict]);
    for (size_t i = 0; i < people.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%u ", people.ids[i]);
    free(people.ids);
    buffer_free(&rows);
    return text;
}

static void the_same_people_with_other_rows(void **state)
{
    assert_string_equal(ask_rows(99, true), "new");
    assert_string_equal(ask_rows(99, true), "known");
    assert_string_equal(ask_rows(5, true), "5 ");
    assert_string_equal(ask_rows(5, true), "known");
    assert_string_equal(ask_rows(8, true), "5 8 "); /* 5 from the second, 8 from both */
    assert_string_equal(ask("0-19", true), "new");  /* nobody can tell its rows */
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(the_same_people_with_other_rows),
        FRESH(two_that_differ_by_few_tell_of_those),
        FRESH(what_was_not_released_is_not_known),
        FRESH(all_that_it_differs_from_count),
        FRESH(two_parts_and_the_whole),
        FRESH(the_whole_after_its_parts),
        FRESH(statistics_of_one_release_are_compared_as_well),
        FRESH(large_sets_are_compared_exactly),
        FRESH(without_room_nothing_is_told),
        FRESH(what_was_given_long_ago_is_forgotten),
        FRESH(a_full_table_has_room_again),
        FRESH(partners_are_apart),
        FRESH(a_replay_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

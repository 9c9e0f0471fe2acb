/* From rows to a durable disclosure: what is sent, what is recorded, what is charged. */
#include "scene.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "gateway/release/probe.h"

#define COMPLETE LEDGER_OUTCOME_COMPLETE
#define GOES_ON  LEDGER_OUTCOME_NONE

static void expect(struct scene *scene, const char *sent, const char *told)
{
    assert_string_equal(scene_ledger(scene), told);
    assert_string_equal(scene_sent(scene), sent);
}

static void test_rows_wait_for_their_entry(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    scene_run(&scene);
    scene_row(&scene, "a", "1", NULL);
    scene_row(&scene, "b", "2", NULL);
    assert_status(scene_release(&scene, GOES_ON, &error), STATUS_OK);
    assert_int_equal(scene.out.gate_count, 1);
    assert_int_equal(scene.out.gates[0].offset, 0);
    assert_int_equal(outqueue_sendable(&scene.out, scene.out.gates[0].sequence).len, 0);
    assert_true(batch_empty(&scene.batch));
    scene_row(&scene, "c", "1", NULL);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    assert_true(scene.run->closed);
    assert_int_equal(scene.run->rows, 3);
    expect(&scene, "a b c", "O- 2 none: direct{1 2}\nC 1 complete: direct{1}\n");
    scene_close(&scene);
}

static void test_nothing_found_is_an_end_too(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    scene_run(&scene);
    assert_status(scene_release(&scene, GOES_ON, &error), STATUS_OK);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect(&scene, "", "OC 0 complete:\n");
    scene_close(&scene);
}

static void test_without_a_fence_nothing_is_written(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    scene_open(&scene, 0);
    scene_run(&scene);
    scene_row(&scene, "a", NULL, NULL);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    assert_int_equal(scene.out.gate_count, 0);
    expect(&scene, "a", "");
    scene_close(&scene);
}

static void test_rows_about_nobody(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    scene.hidden[0].when_null = POLICY_NULL_NONE;
    scene_run(&scene);
    scene_row(&scene, "a", NULL, NULL);
    assert_status(scene_release(&scene, GOES_ON, &error), STATUS_OK);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect(&scene, "a", "O- 1 none:\nC 0 complete:\n");
    scene_close(&scene);
}

static void test_rows_in_one_statement(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    scene.partner.budget.rows_per_statement = 3;
    scene_run(&scene);
    scene_row(&scene, "a", "1", NULL);
    scene_row(&scene, "b", "2", NULL);
    assert_status(scene_release(&scene, GOES_ON, &error), STATUS_OK);
    scene_row(&scene, "c", "3", NULL);
    scene_row(&scene, "d", "4", NULL);
    assert_status(scene_release(&scene, GOES_ON, &error), STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "53400");
    assert_true(scene.run->closed);
    expect(&scene, "a b c", "O- 2 none: direct{1 2}\nC 1 budget: direct{3}\n");
    scene_close(&scene);
}

static void test_the_budget_cuts_at_the_row(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    scene_open(&scene, 2);
    scene.partner.budget.subjects_per_day = 5;
    scene_run(&scene);
    scene_row(&scene, "a", "1", "2");
    scene_row(&scene, "b", "3", "4");
    scene_row(&scene, "c", "5", "6"); /* one too many: nobody of the row is charged */
    scene_row(&scene, "d", "1", "2");
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_LIMIT);
    assert_non_null(strstr(error.message, "5 subjects per day"));
    expect(&scene, "a b", "OC 2 budget: direct{1 3} direct{2 4}\n");
    scene_run(&scene);
    scene_row(&scene, "e", "4", "3"); /* known people are free, and one more fits */
    scene_row(&scene, "f", "5", "5");
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    assert_string_equal(scene_sent(&scene), "a b e f");
    scene_close(&scene);
}

/* OFFSET and LIMIT of ours: what is passed over has decided what came. */
static void test_offset_and_limit(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    scene.plan.relay_offset = 1;
    scene.plan.relay_limit = 2;
    scene_run(&scene);
    scene_row(&scene, "a", "1", NULL);
    scene_row(&scene, "b", "2", NULL);
    assert_status(scene_release(&scene, GOES_ON, &error), STATUS_OK);
    scene_row(&scene, "c", "3", NULL);
    scene_row(&scene, "d", "4", NULL);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect(&scene, "b c", "O- 1 none: direct{2} witness{1}\nC 1 complete: direct{3} witness{4}\n");
    scene_close(&scene);
}

static void statistic(struct scene *scene, size_t hidden, bool suppress)
{
    scene_open(scene, hidden);
    scene->hidden[0].depth = 1;
    scene->plan.statistic = true;
    scene->plan.suppress_small = suppress;
    scene->plan.min_subjects = 3;
}

static void test_small_groups(void **state)
{
    (void)state;
    for (int suppress = 0; suppress <= 1; suppress++) {
        struct scene scene;
        struct error error;
        statistic(&scene, 1, suppress);
        scene.partner.budget.subjects_per_day = 2;
        scene_run(&scene);
        scene_row(&scene, "a", "{1,2,3,4}", NULL);
        scene_row(&scene, "b", "{5,6}", NULL);
        scene_row(&scene, "c", "{7,8,9}", NULL);
        assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
        expect(&scene, suppress ? "a c" : "a b c",
               suppress ? "OC 2 complete: aggregate(4){1 2 3 4} aggregate(3){7 8 9}\n"
                        : "OC 3 complete: direct{5 6} aggregate(4){1 2 3 4} aggregate(3){7 8 9}\n");
        scene_close(&scene);
    }
}

/* A LIMIT over groups depends on all of them, but not on those that are left out. */
static void test_groups_past_a_limit(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    statistic(&scene, 1, true);
    scene.plan.relay_limit = 1;
    scene_run(&scene);
    scene_row(&scene, "a", "{1}", NULL);
    scene_row(&scene, "b", "{2,3,4}", NULL);
    scene_row(&scene, "c", "{5,6,7,8}", NULL);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect(&scene, "b", "OC 1 complete: aggregate(3){2 3 4} aggregate(4){5 6 7 8}\n");
    scene_close(&scene);
}

static void test_a_key_beside_a_set_is_direct(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    statistic(&scene, 2, true);
    scene_run(&scene);
    scene_row(&scene, "a", "{1,2,3}", "9");
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect(&scene, "a", "OC 1 complete: aggregate(3){1 2 3} direct{9}\n");
    scene_close(&scene);
}

static void test_the_smallest_set_decides(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    statistic(&scene, 2, true);
    scene.hidden[1].depth = 1;
    scene_run(&scene);
    scene_row(&scene, "a", "{1,2,3,4}", "{5,6}");
    scene_row(&scene, "b", "{1,2,3,4}", "{5,6,7}");
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect(&scene, "b", "OC 1 complete: aggregate(3){1 2 3 4} aggregate(3){5 6 7}\n");
    scene_close(&scene);
}

/* The members that have a value must be enough too; where they are not all, they are a statistic
 * that is recorded beside the whole. */
static void test_thresholds(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    statistic(&scene, 2, true);
    scene.hidden[1].depth = scene.hidden[1].threshold_only = 1;
    scene_run(&scene);
    scene_row(&scene, "a", "{1,2,3,4}", "{1,2}");
    scene_row(&scene, "b", "{1,2,3,4}", "{1,2,3}");
    scene_row(&scene, "c", "{1,2,3,4}", "{}");
    scene_row(&scene, "d", "{4,5,6}", "{6,5,4}");
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect(&scene, "b c d",
           "OC 3 complete: aggregate(3){1 2 3 4} aggregate(3){4 5 6} aggregate(3){1 2 3}\n");
    scene_close(&scene);
}

/* More people than one entry can hold: several entries, the rows behind the last. */
static void test_a_set_of_many(void **state)
{
    (void)state;
    enum { MEMBERS = 50000 };
    struct scene scene;
    struct error error;
    struct buffer literal;
    statistic(&scene, 1, true);
    scene_run(&scene);
    buffer_init(&literal, 1 << 20);
    buffer_append_text(&literal, "{");
    for (int i = 0; i < MEMBERS; i++)
        buffer_printf(&literal, "%s%d", i == 0 ? "" : ",", i * 7);
    buffer_append_text(&literal, "}");
    scene_row(&scene, "a", buffer_text(&literal), NULL);
    buffer_free(&literal);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    assert_int_equal(scene.out.gate_count, 1);
    const char *told = scene_ledger(&scene);
    uint64_t members = 0;
    for (const char *at = told; (at = strstr(at, "aggregate(50000)[")) != NULL; at++)
        members += (uint64_t)strtoull(at + strlen("aggregate(50000)["), NULL, 10);
    assert_int_equal(members, MEMBERS);
    assert_memory_equal(told, "O- 0 none:\n- 0 none:\n", 21); /* they carry the keys */
    assert_non_null(strstr(told, "C 1 complete:"));
    assert_string_equal(scene_sent(&scene), "a");
    scene_close(&scene);
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Groups of 3 to 21 neighbours in one batch, some of them twice; CPU seconds of the release. */
static double release_groups(int groups, int distinct)
{
    struct scene scene;
    struct error error;
    statistic(&scene, 1, true);
    scene_run(&scene);
    for (int i = 0; i < groups; i++) {
        char visible[16], set[256];
        int first = i % distinct, len = snprintf(set, sizeof set, "{%d", first);
        for (int j = 1; j < 3 + first % 19; j++)
            len += snprintf(set + len, sizeof set - (size_t)len, ",%d", first + j);
        snprintf(set + len, sizeof set - (size_t)len, "}");
        snprintf(visible, sizeof visible, "%d", i);
        scene_row(&scene, visible, set, NULL);
    }
    double begun = cpu_seconds();
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    double taken = cpu_seconds() - begun;
    int items = 0;
    for (const char *at = scene_ledger(&scene); (at = strstr(at, "aggregate(")) != NULL; at++)
        items++;
    assert_int_equal(items, distinct);
    assert_int_equal(scene.run->rows, groups);
    scene_close(&scene);
    return taken;
}

/* Each group is in the ledger once, and ten times as many cost about ten times as much. */
static void test_many_groups(void **state)
{
    (void)state;
    double few = release_groups(1000, 900);
    double many = release_groups(10000, 9000);
    print_message("1,000 groups %.1f ms, 10,000 groups %.1f ms\n", few * 1e3, many * 1e3);
    assert_true(many < 40 * few);
}

/* A set of the statement in the first hidden column, a key of each row in the second. */
static void once(struct scene *scene, enum plan_grade grade)
{
    scene_open(scene, 2);
    scene->plan.has_once = scene->hidden[0].once = true;
    scene->hidden[0].depth = 1;
    scene->hidden[0].grade = grade;
    scene->plan.min_subjects = scene->partner.min_subjects = 3;
}

/* The same before and after a restart. */
static void expect_budget(struct scene *scene, uint64_t subjects, uint64_t probes)
{
    for (int restarted = 0; restarted <= 1; restarted++) {
        struct exposure_budget used;
        exposure_budget(scene->server.exposure, &scene->partner, clock_now_ns(), &used);
        if (used.subjects_today != subjects || used.subjects_total != subjects ||
            used.probes_today != probes)
            fail_msg("%s restart: %llu subjects today, %llu in total, %llu probes",
                     restarted ? "after" : "before", (unsigned long long)used.subjects_today,
                     (unsigned long long)used.subjects_total,
                     (unsigned long long)used.probes_today);
        if (!restarted)
            scene_restart(scene);
    }
}

static void test_sets_of_the_statement_come_first(void **state)
{
    (void)state;
    static const struct {
        enum plan_grade grade;
        const char *set, *told;
        uint64_t subjects;
    } cases[] = {
        {PLAN_GRADE_DIRECT, "{7,8,9}", "O- 1 none: direct{7 8 9} direct{1}\n", 5},
        {PLAN_GRADE_WITNESS, "{7,8,9}", "O- 1 none: witness{7 8 9} direct{1}\n", 5},
        {PLAN_GRADE_INFLUENCE, "{7,8,9}", "O- 1 none: influence(3){7 8 9} direct{1}\n", 2},
        {PLAN_GRADE_INFLUENCE, "{7,8,7}", "O- 1 none: influence{7 8} direct{1}\n", 4},
        {PLAN_GRADE_INFLUENCE, "{}", "O- 1 none: direct{1}\n", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        struct error error;
        char told[200];
        once(&scene, cases[i].grade);
        scene_run(&scene);
        scene_row(&scene, "a", cases[i].set, "1");
        assert_status(scene_release(&scene, GOES_ON, &error), STATUS_OK);
        scene_row(&scene, "b", NULL, "2");
        assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
        snprintf(told, sizeof told, "%sC 1 complete: direct{2}\n", cases[i].told);
        expect(&scene, "a b", told);
        expect_budget(&scene, cases[i].subjects, 0);
        scene_close(&scene);
    }
}

/* They are recorded whatever becomes of the rows. */
static void test_sets_of_the_statement_without_rows(void **state)
{
    (void)state;
    enum { NO_ROWS, SKIPPED, CUT, SUPPRESSED, WAYS };
    static const char *const told[WAYS] = {
        "O- 0 none: influence(3){7 8 9}\nC 0 complete:\n",
        "O- 0 none: influence(3){7 8 9} witness{1}\nC 0 complete:\n",
        "OC 0 budget: influence(3){7 8 9}\n",
        "O- 0 none: influence(3){7 8 9}\nC 0 complete:\n",
    };
    for (int way = 0; way < WAYS; way++) {
        struct scene scene;
        struct error error;
        once(&scene, PLAN_GRADE_INFLUENCE);
        scene.plan.relay_offset = way == SKIPPED ? 1 : 0;
        if (way == SUPPRESSED) {
            scene.plan.statistic = scene.plan.suppress_small = true;
            scene.hidden[1].depth = 1;
        }
        scene_run(&scene);
        if (way == CUT) { /* the row is one more than the statement may return */
            scene.partner.budget.rows_per_statement = 5;
            scene.run->rows = 5;
        }
        if (way == NO_ROWS)
            scene_no_rows(&scene, "{7,8,9}", NULL);
        else
            scene_row(&scene, "a", "{7,8,9}", way == SUPPRESSED ? "{1,2}" : "1");
        assert_status(scene_release(&scene, GOES_ON, &error),
                      way == CUT ? STATUS_LIMIT : STATUS_OK);
        if (way != CUT)
            assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
        expect(&scene, "", told[way]);
        assert_int_equal(scene.run->rows_now, 0);
        scene_close(&scene);
    }
}

/* Without them nobody knows whom an empty result depends on. */
static void test_sets_of_the_statement_that_never_came(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    once(&scene, PLAN_GRADE_INFLUENCE);
    scene_run(&scene);
    assert_status(scene_release(&scene, GOES_ON, &error), STATUS_OK);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_PEER);
    assert_string_equal(error.sqlstate, "XX000");
    assert_false(scene.run->closed);
    assert_status(release_fail(scene.run, "XX000", &scene.out, &error), STATUS_OK);
    scene_run(&scene); /* upstream's own error is told as such */
    assert_status(
        release_batch(&scene.batch, scene.run, LEDGER_OUTCOME_ERROR, "22012", &scene.out, &error),
        STATUS_OK);
    expect(&scene, "", "OC 0 error:\nOC 0 error:\n");
    scene_close(&scene);
}

static void test_sets_of_the_statement_over_the_budget(void **state)
{
    (void)state;
    for (uint64_t most = 2; most <= 3; most++) {
        struct scene scene;
        struct error error;
        once(&scene, PLAN_GRADE_INFLUENCE);
        scene.partner.min_subjects = 4; /* influence of few: charged */
        scene.partner.budget.subjects_per_day = most;
        scene_run(&scene);
        scene_row(&scene, "a", "{7,8,9}", "7"); /* free, once the set is paid for */
        scene_row(&scene, "b", NULL, "1");
        assert_status(scene_release(&scene, COMPLETE, &error), STATUS_LIMIT);
        assert_string_equal(error.sqlstate, "53400");
        expect(&scene, most == 2 ? "" : "a",
               most == 2 ? "OC 0 budget:\n" : "OC 1 budget: influence{7 8 9} direct{7}\n");
        expect_budget(&scene, most == 2 ? 0 : 3, 0);
        scene_close(&scene);
    }
}

/* A row's set of influence is judged by itself and leaves the row's grade as it is. */
static void test_influence_of_a_row(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    statistic(&scene, 2, false);
    scene.partner.min_subjects = 3;
    scene.hidden[1].depth = 1;
    scene.hidden[1].grade = PLAN_GRADE_INFLUENCE;
    scene_run(&scene);
    scene_row(&scene, "a", "{1,2,3}", "{4,5,6,7}");
    scene_row(&scene, "b", "{1,2,3}", "{8,9}");
    scene_row(&scene, "c", "{1,2,3}", NULL);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect(&scene, "a b c",
           "OC 3 complete: aggregate(3){1 2 3} influence(3){4 5 6 7} influence{8 9}\n");
    expect_budget(&scene, 2, 0);
    scene_close(&scene);
}

/* A statistic in a sub-select is judged by itself, held against others, and charged for the few by
 * whom it differs from them. One that is cut off has not been given. */
static void test_a_statistic_of_the_statement(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    once(&scene, PLAN_GRADE_AGGREGATE);
    scene.partner.budget.subjects_per_day = 1;
    scene.partner.remember_days = 400;
    scene.partner.differencing = POLICY_DIFFERENCING_CHARGE;
    static const char *const sets[] = {"{4,5,6,7,8,9}", "{4,5,6,7,8}", "{4,5,6,7}",
                                       "{4,5,6,7}",     "{4,5,6,7,8}", "{1,2}"};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        scene_run(&scene);
        scene_no_rows(&scene, sets[i], NULL);
        bool cut = i == 2 || i == 3 || i == 5;
        assert_status(scene_release(&scene, COMPLETE, &error), cut ? STATUS_LIMIT : STATUS_OK);
    }
    expect(&scene, "",
           "OC 0 complete: aggregate(6){4 5 6 7 8 9}\n"
           "OC 0 complete: aggregate(5){4 5 6 7 8} direct{9}\n"
           "OC 0 budget:\nOC 0 budget:\n"
           "OC 0 complete: aggregate(5){4 5 6 7 8}\n"
           "OC 0 budget:\n");
    expect_budget(&scene, 1, 0);
    scene_close(&scene);
}

static void test_witnesses_of_a_row(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    statistic(&scene, 2, true);
    scene.hidden[1].depth = 1;
    scene.hidden[1].grade = PLAN_GRADE_WITNESS;
    scene_run(&scene);
    scene_row(&scene, "a", "{1,2,3}", "{4}");
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect(&scene, "a", "OC 1 complete: aggregate(3){1 2 3} witness{4}\n");
    expect_budget(&scene, 1, 0);
    scene_close(&scene);
}

/* The same two people in three sets are two people. */
static void test_a_threshold_over_sets_of_sets(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    statistic(&scene, 1, true);
    scene.hidden[0].depth = 2;
    scene_run(&scene);
    scene_row(&scene, "a", "{\"{1,2}\",\"{2,1}\",\"{1}\"}", NULL);
    scene_row(&scene, "b", "{\"{1,2}\",\"{2,3}\"}", NULL);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect(&scene, "b", "OC 1 complete: aggregate(3){1 2 3}\n");
    scene_close(&scene);
}

/* Everybody of a large table: entries in pieces, all of them before the first row. */
static void test_a_statement_about_everybody(void **state)
{
    (void)state;
    enum { MEMBERS = 240000 };
    struct scene scene;
    struct error error;
    struct buffer literal;
    once(&scene, PLAN_GRADE_INFLUENCE);
    scene_run(&scene);
    buffer_init(&literal, 4 << 20);
    buffer_append_text(&literal, "{");
    for (int i = 0; i < MEMBERS; i++)
        buffer_printf(&literal, "%s%d", i == 0 ? "" : ",", i * 7);
    buffer_append_text(&literal, "}");
    scene_row(&scene, "a", buffer_text(&literal), "1");
    buffer_free(&literal);
    assert_true(batch_full(&scene.batch));
    assert_status(scene_release(&scene, GOES_ON, &error), STATUS_OK);
    assert_int_equal(scene.out.gate_count, 1);
    const char *told = scene_ledger(&scene);
    uint64_t members = 0;
    for (const char *at = told; (at = strstr(at, "influence(240000)[")) != NULL; at++)
        members += (uint64_t)strtoull(at + strlen("influence(240000)["), NULL, 10);
    assert_int_equal(members, MEMBERS);
    assert_non_null(strstr(told, " direct{1}"));
    assert_string_equal(scene_sent(&scene), "a");
    assert_true(scene.batch.key_capacity < MEMBERS); /* nor is its memory kept */
    expect_budget(&scene, 1, 0);
    scene_close(&scene);
}

static void test_abandoned(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    scene_run(&scene); /* bound, but never executed: nothing was read */
    scene_run(&scene);
    scene.run->executed = 1;
    scene_run(&scene);
    scene_row(&scene, "a", "1", NULL);
    assert_status(scene_release(&scene, GOES_ON, &error), STATUS_OK);
    release_abandon(scene.run, LEDGER_OUTCOME_CONTAINED);
    release_abandon(scene.run, LEDGER_OUTCOME_ERROR); /* once is enough */
    scene_run(&scene);
    scene_row(&scene, "b", "2", NULL);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect(&scene, "a b",
           "OC 0 abandoned:\nO- 1 none: direct{1}\nC 0 contained:\nOC 1 complete: direct{2}\n");
    scene_close(&scene);
}

static void test_an_error_of_ours_waits_for_its_entry(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    scene_run(&scene);
    assert_status(release_fail(scene.run, "42501", &scene.out, &error), STATUS_OK);
    assert_int_equal(scene.out.gate_count, 1);
    expect(&scene, "", "OC 0 error:\n");
    scene_close(&scene);
}

/* ---- keys that the statement names ---- */

/* person IN (…): each a constant of the statement. */
static void name_keys(struct scene *scene, const char *const *keys, size_t count)
{
    static struct plan_pin pins[8];
    static struct plan_pinned pinned;
    static uint32_t columns;
    struct error error;
    pinned = (struct plan_pinned){.kind = 0};
    for (size_t i = 0; i < count; i++)
        pins[i] = (struct plan_pin){
            .next = i + 1 < count ? &pins[i + 1] : NULL, .type = 20, .text = keys[i]};
    columns = scene->column_sets[0];
    scene->plan.pins = pins;
    scene->plan.pinned = &pinned;
    scene->plan.pinned_count = 1;
    scene->planned.pin_columns = &columns;
    scene_run(scene);
    assert_status(pins_take(scene->run, &(struct wire_bind){0}, &error), STATUS_OK);
}

static uint64_t probes_used(struct scene *scene)
{
    struct exposure_budget used;
    exposure_budget(scene->server.exposure, &scene->partner, clock_now_ns(), &used);
    return used.probes_today;
}

static void test_keys_that_do_not_come_back(void **state)
{
    (void)state;
    static const char *const keys[] = {"7", "3", "1", "7", "2"};
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    name_keys(&scene, keys, 5);
    scene_row(&scene, "a", "1", NULL);
    assert_status(scene_release(&scene, GOES_ON, &error), STATUS_OK);
    scene_row(&scene, "b", "2", NULL);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect(&scene, "a b", "O- 1 none: direct{1}\nC 1 complete: direct{2} probe{3 7}\n");
    assert_int_equal(probes_used(&scene), 2);
    scene_restart(&scene);
    assert_int_equal(probes_used(&scene), 2);
    scene_close(&scene);
}

static void test_keys_of_rows_that_are_cut_are_asked_about(void **state)
{
    (void)state;
    static const char *const keys[] = {"1", "2", "3"};
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    scene.partner.budget.subjects_per_day = 1;
    name_keys(&scene, keys, 3);
    scene_row(&scene, "a", "1", NULL);
    scene_row(&scene, "b", "2", NULL);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_LIMIT);
    expect(&scene, "a", "OC 1 budget: direct{1} probe{2 3}\n");
    scene_close(&scene);
}

/* Asked again is counted again, in a statement of whatever size; what comes back is not. */
static void test_keys_of_nobody_count_each_time(void **state)
{
    (void)state;
    static const char *const keys[] = {"7", "8", "7", "9"};
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    scene.partner.budget.probes_per_day = 4;
    name_keys(&scene, keys, 3);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect_budget(&scene, 0, 2);
    name_keys(&scene, keys, 2);
    scene_row(&scene, "a", "7", NULL);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_OK);
    expect_budget(&scene, 1, 3);
    name_keys(&scene, keys, 4); /* two do not fit: nothing is told, not even who is there */
    scene_row(&scene, "b", "7", NULL);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "53400");
    assert_non_null(strstr(error.message, "4 look-ups in a day that find nobody"));
    expect(&scene, "a",
           "OC 0 complete: probe{7 8}\nOC 1 complete: direct{7} probe{8}\n"
           "OC 0 budget: probe{7 8 9}\n");
    scene_close(&scene);
}

/* What was asked stays written down, and counted. */
static void test_keys_beside_people_who_do_not_fit(void **state)
{
    (void)state;
    static const char *const keys[] = {"7"};
    struct scene scene;
    struct error error;
    once(&scene, PLAN_GRADE_DIRECT);
    scene.partner.budget.subjects_per_day = 1;
    name_keys(&scene, keys, 1);
    scene_row(&scene, "a", "{8,9}", "7");
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_LIMIT);
    assert_non_null(strstr(error.message, "1 subjects per day"));
    expect(&scene, "", "OC 0 budget: probe{7}\n");
    expect_budget(&scene, 0, 1);
    scene_close(&scene);
}

/* The rows at hand would say who is missing. */
static void test_more_keys_of_nobody_than_are_left(void **state)
{
    (void)state;
    static const char *const keys[] = {"1", "7", "8", "9"};
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    scene.partner.budget.probes_per_day = 2;
    name_keys(&scene, keys, 4);
    scene_row(&scene, "a", "1", NULL);
    assert_status(scene_release(&scene, COMPLETE, &error), STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "53400");
    expect(&scene, "", "OC 0 budget: probe{1 7 8 9}\n");
    expect_budget(&scene, 0, 4);
    scene_run(&scene);
    assert_status(pins_take(scene.run, &(struct wire_bind){0}, &error), STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "53400");
    scene_close(&scene);
}

static void test_keys_of_what_fails_or_is_given_up(void **state)
{
    (void)state;
    static const char *const keys[] = {"7"};
    struct scene scene;
    struct error error;
    scene_open(&scene, 1);
    name_keys(&scene, keys, 1);
    assert_status(release_fail(scene.run, "22012", &scene.out, &error), STATUS_OK);
    assert_int_equal(scene.out.gate_count, 1);
    name_keys(&scene, keys, 1); /* bound and never executed */
    name_keys(&scene, keys, 1);
    scene.run->executed = 1;
    scene_run(&scene);
    expect(&scene, "", "OC 0 error: probe{7}\nOC 0 abandoned: probe{7}\n");
    assert_int_equal(probes_used(&scene), 2);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_wait_for_their_entry),
        cmocka_unit_test(test_nothing_found_is_an_end_too),
        cmocka_unit_test(test_without_a_fence_nothing_is_written),
        cmocka_unit_test(test_rows_about_nobody),
        cmocka_unit_test(test_rows_in_one_statement),
        cmocka_unit_test(test_the_budget_cuts_at_the_row),
        cmocka_unit_test(test_offset_and_limit),
        cmocka_unit_test(test_small_groups),
        cmocka_unit_test(test_groups_past_a_limit),
        cmocka_unit_test(test_a_key_beside_a_set_is_direct),
        cmocka_unit_test(test_the_smallest_set_decides),
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_a_set_of_many),
        cmocka_unit_test(test_many_groups),
        cmocka_unit_test(test_sets_of_the_statement_come_first),
        cmocka_unit_test(test_sets_of_the_statement_without_rows),
        cmocka_unit_test(test_sets_of_the_statement_that_never_came),
        cmocka_unit_test(test_sets_of_the_statement_over_the_budget),
        cmocka_unit_test(test_influence_of_a_row),
        cmocka_unit_test(test_a_statistic_of_the_statement),
        cmocka_unit_test(test_witnesses_of_a_row),
        cmocka_unit_test(test_a_threshold_over_sets_of_sets),
        cmocka_unit_test(test_a_statement_about_everybody),
        cmocka_unit_test(test_abandoned),
        cmocka_unit_test(test_an_error_of_ours_waits_for_its_entry),
        cmocka_unit_test(test_keys_that_do_not_come_back),
        cmocka_unit_test(test_keys_of_rows_that_are_cut_are_asked_about),
        cmocka_unit_test(test_keys_of_nobody_count_each_time),
        cmocka_unit_test(test_keys_beside_people_who_do_not_fit),
        cmocka_unit_test(test_more_keys_of_nobody_than_are_left),
        cmocka_unit_test(test_keys_of_what_fails_or_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

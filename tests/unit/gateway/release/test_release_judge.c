/* What happens to groups that HAVING leaves out: recorded and compared like others, never sent. */
#include "scene.h"

#include <string.h>

#include "base/clock.h"

static void open_groups(struct scene *scene, bool suppress)
{
    scene_open(scene, 1);
    scene->hidden[0].depth = 1;
    scene->plan.statistic = scene->plan.keeps_left_out = true;
    scene->plan.suppress_small = suppress;
    scene->plan.min_subjects = scene->partner.min_subjects = 3;
    scene->plan.relay_limit = 1;
    scene_run(scene);
}

static void left_out(struct scene *scene, const char *set)
{
    struct error error;
    const char *hidden[SCENE_MAX_HIDDEN + 1] = {set, NULL};
    assert_status(scene_try_row(scene, &error, "out", hidden), STATUS_OK);
}

static void expect_charged(struct scene *scene, uint64_t people)
{
    struct exposure_budget used;
    exposure_budget(scene->server.exposure, &scene->partner, clock_now_ns(), &used);
    assert_int_equal(used.subjects_total, people);
}

static void test_groups_that_having_leaves_out(void **state)
{
    (void)state;
    for (int suppress = 0; suppress <= 1; suppress++) {
        struct scene scene;
        struct error error;
        open_groups(&scene, suppress);
        left_out(&scene, "{4,5,6}");
        left_out(&scene, "{7}");
        left_out(&scene, "{8,9}");
        scene_row(&scene, "a", "{1,2,3}", NULL);
        assert_status(scene_release(&scene, LEDGER_OUTCOME_COMPLETE, &error), STATUS_OK);
        assert_string_equal(scene_ledger(&scene),
                            suppress ? "OC 1 complete: aggregate(3){4 5 6} aggregate(3){1 2 3}\n"
                                     : "OC 1 complete: aggregate(3){4 5 6} aggregate(3){1 2 3} "
                                       "influence(3){7 8 9}\n");
        assert_string_equal(scene_sent(&scene), "a");
        expect_charged(&scene, 0);
        scene_close(&scene);
    }
}

/* Fewer than min_subjects in all: each of them is told of. */
static void test_few_people_left_out(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    open_groups(&scene, false);
    left_out(&scene, "{7}");
    left_out(&scene, "{7,8}");
    assert_status(scene_release(&scene, LEDGER_OUTCOME_COMPLETE, &error), STATUS_OK);
    assert_string_equal(scene_ledger(&scene), "OC 0 complete: influence{7 8}\n");
    assert_string_equal(scene_sent(&scene), "");
    expect_charged(&scene, 2);
    scene_close(&scene);
}

/* One that differs by a person from what was sent is charged for, though it is not shown. */
static void test_what_is_left_out_is_compared(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    open_groups(&scene, false);
    scene.partner.remember_days = 400;
    scene.partner.differencing = POLICY_DIFFERENCING_CHARGE;
    scene_row(&scene, "a", "{1,2,3,4}", NULL);
    left_out(&scene, "{1,2,3}");
    assert_status(scene_release(&scene, LEDGER_OUTCOME_COMPLETE, &error), STATUS_OK);
    assert_string_equal(scene_ledger(&scene),
                        "OC 1 complete: aggregate(4){1 2 3 4} aggregate(3){1 2 3} direct{4}\n");
    assert_string_equal(scene_sent(&scene), "a");
    expect_charged(&scene, 1);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_that_having_leaves_out),
        cmocka_unit_test(test_few_people_left_out),
        cmocka_unit_test(test_what_is_left_out_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A session's cursors: names, what ends them, and the texts that upstream gets about them. */
#include "scene.h"

#include <string.h>

#include "gateway/statement/cursors.h"

/* A session with room for three cursors; the plan is of a DECLARE. */
struct stage {
    struct scene scene;
    struct worker worker;
    struct session session;
};

static void stage_open(struct stage *stage)
{
    *stage = (struct stage){0};
    scene_open(&stage->scene, 1);
    stage->scene.config.limits.cursors = 3;
    stage->scene.plan.kind = PLAN_DECLARE;
    stage->scene.plan.sql = "SELECT 1";
    stage->scene.plan.valid_until_ns = INT64_MAX;
    scene_run(&stage->scene);
    stage->worker.server = &stage->scene.server;
    stage->session.worker = &stage->worker;
}

static void stage_close(struct stage *stage)
{
    cursors_drop(&stage->session, NULL);
    assert_int_equal(stage->session.cursor_count, 0);
    scene_close(&stage->scene);
}

static enum status declare(struct stage *stage, const char *name, bool hold, uint64_t serial,
                           struct error *error)
{
    stage->scene.plan.name = name;
    stage->scene.plan.cursor.hold = hold;
    return cursors_put(&stage->session, &stage->scene.plan, serial, stage->scene.run, error);
}

static void test_a_name_is_taken_until_it_is_doubtful(void **state)
{
    (void)state;
    struct stage stage;
    struct error error;
    stage_open(&stage);
    assert_status(declare(&stage, "c", false, 1, &error), STATUS_OK);
    assert_status(declare(&stage, "c", false, 2, &error), STATUS_DENIED);
    assert_string_equal(error.sqlstate, "42P03");
    cursors_doubt(&stage.session);
    assert_status(declare(&stage, "c", false, 3, &error), STATUS_OK);
    assert_int_equal(cursors_find(&stage.session, "c")->serial, 3);
    cursors_forget(&stage.session, 2); /* not that one */
    assert_non_null(cursors_find(&stage.session, "c"));
    cursors_forget(&stage.session, 3);
    assert_null(cursors_find(&stage.session, "c"));
    stage_close(&stage);
}

static void test_doubtful_ones_make_room(void **state)
{
    (void)state;
    struct stage stage;
    struct error error;
    stage_open(&stage);
    assert_status(declare(&stage, "a", true, 1, &error), STATUS_OK);
    cursors_doubt(&stage.session);
    assert_status(declare(&stage, "b", true, 2, &error), STATUS_OK);
    assert_status(declare(&stage, "c", true, 3, &error), STATUS_OK);
    assert_status(declare(&stage, "d", true, 4, &error), STATUS_OK);
    assert_null(cursors_find(&stage.session, "a"));
    assert_status(declare(&stage, "e", true, 5, &error), STATUS_LIMIT);
    assert_int_equal(stage.session.cursor_count, 3);
    stage_close(&stage);
}

static void test_what_ends_with_a_transaction(void **state)
{
    (void)state;
    struct stage stage;
    struct error error;
    stage_open(&stage);
    assert_false(cursors_held(&stage.session));
    assert_status(declare(&stage, "early", false, 1, &error), STATUS_OK);
    stage.session.syncs = 1;
    assert_status(declare(&stage, "late", false, 2, &error), STATUS_OK);
    assert_status(declare(&stage, "held", true, 3, &error), STATUS_OK);
    cursors_transaction_ended(&stage.session, 1);
    assert_null(cursors_find(&stage.session, "early"));
    assert_non_null(cursors_find(&stage.session, "late"));
    cursors_end_transaction(&stage.session);
    assert_null(cursors_find(&stage.session, "late"));
    assert_non_null(cursors_find(&stage.session, "held"));
    assert_true(cursors_held(&stage.session));
    stage_close(&stage);
}

/* The text of a statement about a cursor, or the SQLSTATE of its refusal; static. */
static const char *text_of(struct stage *stage, struct plan plan, bool *rows)
{
    static char told[100];
    struct planned planned = {.references = 1, .plan = &plan};
    struct buffer text;
    struct run *run = NULL;
    struct error error;
    buffer_init(&text, 1000);
    enum status status = cursors_text(&stage->session, &planned, 9, &text, &run, &error);
    snprintf(told, sizeof told, "%s", status == STATUS_OK ? buffer_text(&text) : error.sqlstate);
    *rows = run != NULL;
    run_release(run);
    buffer_free(&text);
    return told;
}

static void test_texts(void **state)
{
    (void)state;
    const struct {
        struct plan plan;
        const char *text;
        bool rows;
    } cases[] = {
        {{.kind = PLAN_DECLARE, .name = "x", .sql = "SELECT 1"},
         "DECLARE k9 NO SCROLL CURSOR WITHOUT HOLD FOR SELECT 1",
         false},
        {{.kind = PLAN_DECLARE, .name = "x", .sql = "SELECT 1", .cursor.hold = true},
         "DECLARE k9 NO SCROLL CURSOR WITH HOLD FOR SELECT 1",
         false},
        {{.kind = PLAN_FETCH, .name = "c", .cursor.count = 5}, "FETCH FORWARD 5 FROM k7", true},
        {{.kind = PLAN_FETCH, .name = "c", .cursor.count = -1}, "FETCH FORWARD ALL FROM k7", true},
        {{.kind = PLAN_FETCH, .name = "c", .cursor = {.moves = true, .count = 5}},
         "FETCH FORWARD 5 FROM k7",
         true},
        {{.kind = PLAN_FETCH, .name = "c", .cursor.moves = true}, "MOVE FORWARD 0 FROM k7", true},
        {{.kind = PLAN_FETCH, .name = "k7", .cursor.count = 1}, "34000", false},
        {{.kind = PLAN_CLOSE, .name = "c"}, "CLOSE k7", false},
        {{.kind = PLAN_CLOSE, .name = "k7"}, "34000", false},
        {{.kind = PLAN_CLOSE}, "CLOSE ALL", false},
    };
    struct stage stage;
    struct error error;
    stage_open(&stage);
    assert_status(declare(&stage, "c", false, 7, &error), STATUS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool rows;
        assert_string_equal(text_of(&stage, cases[i].plan, &rows), cases[i].text);
        assert_int_equal(rows, cases[i].rows);
    }
    stage_close(&stage);
}

static void test_no_portions_of_what_the_gateway_leaves_out(void **state)
{
    (void)state;
    const struct plan some = {.kind = PLAN_FETCH, .name = "c", .cursor.count = 2};
    const struct plan all = {.kind = PLAN_FETCH, .name = "c", .cursor.count = -1};
    struct stage stage;
    struct error error;
    bool rows;
    stage_open(&stage);
    assert_status(declare(&stage, "c", false, 7, &error), STATUS_OK);
    struct plan *plan = &stage.scene.plan;
    for (int i = 0; i < 3; i++) {
        plan->relay_offset = i == 0;
        plan->relay_limit = i == 1 ? 10 : -1;
        plan->suppress_small = i == 2;
        assert_string_equal(text_of(&stage, some, &rows), "0A000");
        assert_string_equal(text_of(&stage, all, &rows), "FETCH FORWARD ALL FROM k7");
    }
    stage.session.plan_epoch = 5; /* a new policy */
    assert_string_equal(text_of(&stage, all, &rows), "0A000");
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_is_taken_until_it_is_doubtful),
        cmocka_unit_test(test_doubtful_ones_make_room),
        cmocka_unit_test(test_what_ends_with_a_transaction),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_no_portions_of_what_the_gateway_leaves_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which statement of upstream may be used: only one that is certain to be there. */
#include "scene.h"

#include <stdlib.h>

#include "gateway/statement/statements.h"

static struct prepared *choose(struct session *session, struct planned *planned, bool named,
                               bool fresh_wanted)
{
    struct prepared *prepared;
    struct error error;
    bool fresh;
    assert_status(statements_choose(session, planned, named, &prepared, &fresh, &error), STATUS_OK);
    assert_int_equal(fresh, fresh_wanted);
    return prepared;
}

static struct planned plan_of(uint64_t uses)
{
    return (struct planned){.references = 100000, .uses = uses};
}

static void clear(struct session *session)
{
    frontend_clear(session);
    assert_int_equal(session->prepared_count, 0);
    free(session);
}

static void test_sent_before_the_same_sync(void **state)
{
    (void)state;
    struct session *session = calloc(1, sizeof *session);
    struct planned planned = plan_of(1);
    struct prepared *first = choose(session, &planned, true, true);
    assert_string_equal(first->name, "c1");
    struct prepared *again = choose(session, &planned, true, false);
    assert_ptr_equal(first, again);
    session->syncs++; /* not known whether it was done: another one */
    struct prepared *other = choose(session, &planned, true, true);
    assert_ptr_not_equal(first, other);
    first->confirmed = true;
    statements_lose(session, other); /* it was skipped */
    assert_true(other->gone);
    prepared_release(again);
    again = choose(session, &planned, true, false);
    assert_ptr_equal(first, again);
    prepared_release(first);
    prepared_release(again);
    prepared_release(other);
    clear(session);
}

static void test_the_unnamed_one_is_overwritten(void **state)
{
    (void)state;
    struct session *session = calloc(1, sizeof *session);
    struct planned a = plan_of(1), b = plan_of(1);
    struct prepared *first = choose(session, &a, false, true);
    assert_string_equal(first->name, "");
    first->confirmed = true;
    assert_true(prepared_certain(first, statements_segment(session)));
    struct prepared *second = choose(session, &b, false, true);
    assert_false(prepared_certain(first, statements_segment(session)));
    assert_true(prepared_certain(second, statements_segment(session)));
    session->syncs++;
    assert_false(prepared_certain(second, statements_segment(session)));
    second->confirmed = true;
    assert_true(prepared_certain(second, statements_segment(session)));
    statements_lose(session, second);
    assert_false(prepared_certain(second, statements_segment(session)));
    assert_null(session->unnamed);
    prepared_release(first);
    prepared_release(second);
    clear(session);
}

static void test_what_is_asked_for_again_is_kept(void **state)
{
    (void)state;
    struct session *session = calloc(1, sizeof *session);
    struct planned planned = plan_of(2);
    struct prepared *kept = choose(session, &planned, false, true);
    assert_string_equal(kept->name, "c1");
    session->syncs++; /* it is under way: no second one, but upstream's unnamed statement */
    struct prepared *meanwhile = choose(session, &planned, false, true);
    assert_string_equal(meanwhile->name, "");
    prepared_release(meanwhile);
    prepared_release(kept);
    clear(session);
}

static void test_closed_ones_leave_when_there_are_many(void **state)
{
    (void)state;
    enum { MANY = 300 };
    struct session *session = calloc(1, sizeof *session);
    static struct planned planned[MANY];
    struct prepared *used[MANY];
    for (int i = 0; i < MANY; i++) {
        planned[i] = plan_of(1);
        used[i] = choose(session, &planned[i], true, true);
    }
    assert_null(statements_evict(session)); /* all are in use */
    prepared_release(used[7]);
    prepared_release(used[5]);
    struct prepared *evicted = statements_evict(session);
    assert_string_equal(evicted->name, "c6"); /* the oldest that no one uses */
    prepared_release(evicted);
    evicted = statements_evict(session);
    assert_string_equal(evicted->name, "c8");
    prepared_release(evicted);
    assert_null(statements_evict(session));
    for (int i = 0; i < MANY; i++)
        if (i != 5 && i != 7)
            prepared_release(used[i]);
    clear(session);
}

static void test_names(void **state)
{
    (void)state;
    struct session *session = calloc(1, sizeof *session);
    struct planned planned = plan_of(1);
    struct error error;
    char name[16];
    for (int i = 0; i < LIMIT_PREPARED_STATEMENTS; i++) {
        snprintf(name, sizeof name, "s%d", i);
        assert_status(statements_put(session, name, &planned, NULL, (uint64_t)i + 1, &error),
                      STATUS_OK);
    }
    assert_status(statements_put(session, "more", &planned, NULL, 5000, &error), STATUS_LIMIT);
    assert_status(statements_put(session, "s7", &planned, NULL, 6000, &error), STATUS_OK);
    frontend_forget_statement(session, 8); /* s7 has another serial by now */
    assert_non_null(statements_find(session, "s7"));
    frontend_forget_statement(session, 6000);
    assert_null(statements_find(session, "s7"));
    statements_drop(session, "s8");
    statements_drop(session, "s8");
    assert_null(statements_find(session, "s8"));
    assert_int_equal(session->statement_count, LIMIT_PREPARED_STATEMENTS - 2);
    clear(session);
}

static void test_portals(void **state)
{
    (void)state;
    struct scene scene;
    struct error error;
    struct portal *a, *b;
    struct session *session = calloc(1, sizeof *session);
    scene_open(&scene, 0);
    scene_run(&scene);
    assert_status(portals_put(session, "p", &scene.planned, scene.run, &a, &error), STATUS_OK);
    assert_string_equal(a->upstream_name, "p1");
    assert_status(portals_put(session, "p", &scene.planned, scene.run, &b, &error), STATUS_OK);
    assert_string_equal(b->upstream_name, "p2"); /* never the same one twice */
    assert_int_equal(session->portal_count, 1);
    session->syncs = 1;
    assert_status(portals_put(session, "q", &scene.planned, scene.run, &a, &error), STATUS_OK);
    frontend_portals_ended(session, 1);
    assert_null(portals_find(session, "p"));
    assert_non_null(portals_find(session, "q"));
    frontend_portals_ended(session, 2);
    assert_int_equal(session->portal_count, 0);
    for (int i = 0; i < LIMIT_PORTALS; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        assert_status(portals_put(session, name, &scene.planned, scene.run, &a, &error), STATUS_OK);
    }
    assert_status(portals_put(session, "more", &scene.planned, scene.run, &a, &error),
                  STATUS_LIMIT);
    clear(session);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sent_before_the_same_sync),
        cmocka_unit_test(test_the_unnamed_one_is_overwritten),
        cmocka_unit_test(test_what_is_asked_for_again_is_kept),
        cmocka_unit_test(test_closed_ones_leave_when_there_are_many),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_portals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Alarms: each waits for each of its receivers, in order, once the ledger was told of it; what is
 * kept outlives a restart and is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "registry/alarms.h"

static const int64_t noon_ns = 1790000000LL * 1000000000;
static const char *const receivers[] = {"webhook", "mail"};
static const struct alarms_entry entry = {.event = "0123456789abcdef0123456789abcdef",
                                          .raised_ns = noon_ns,
                                          .rule = "canary-mailed",
                                          .partner = "acme",
                                          .agent = "",
                                          .about = "D-1",
                                          .text = "it's \"text\"; -- é",
                                          .contained = ""};

static void must(enum status status, const struct error *error)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->message);
}

static struct alarms *open_file(void)
{
    struct error error = {0};
    struct alarms *alarms = NULL;
    must(alarms_open(fixture_path, &alarms, &error), &error);
    return alarms;
}

/* The next one's id; 0: none waits. */
static int64_t next(struct alarms *alarms, const char *receiver, struct alarms_delivery *delivery)
{
    static struct arena arena;
    struct error error = {0};
    arena_free(&arena);
    arena_init(&arena, 4096);
    enum status status = alarms_next(alarms, receiver, &arena, delivery, &error);
    if (status == STATUS_NOT_FOUND)
        return 0;
    must(status, &error);
    return delivery->entry.id;
}

static int64_t add(struct alarms *alarms, int64_t sequence)
{
    struct error error = {0};
    int64_t id = 0, lost = 0;
    must(alarms_add(alarms, &entry, receivers, 2, &id, &lost, &error), &error);
    assert_int_equal(lost, 0);
    if (sequence != INT64_MIN)
        must(alarms_set_sequence(alarms, id, sequence, &error), &error);
    return id;
}

static void attempted(struct alarms *alarms, int64_t id, const char *receiver,
                      enum alarms_outcome outcome)
{
    struct error error = {0};
    must(alarms_attempted(alarms, id, receiver, outcome, noon_ns + 7, noon_ns, "HTTP 500", &error),
         &error);
}

static void it_waits_for_the_ledger_and_outlives_a_restart(void **state)
{
    struct alarms_delivery found;
    struct alarms_entry unrecorded;
    struct arena arena;
    struct error error = {0};
    struct alarms *alarms = open_file();
    int64_t id = add(alarms, INT64_MIN);
    assert_int_equal(next(alarms, "webhook", &found), 0);
    alarms_close(alarms);
    alarms = open_file();
    arena_init(&arena, 4096);
    must(alarms_unrecorded(alarms, 0, &arena, &unrecorded, &error), &error);
    assert_int_equal(unrecorded.id, id);
    assert_int_equal(unrecorded.sequence, INT64_MIN);
    assert_int_equal(alarms_unrecorded(alarms, id, &arena, &unrecorded, &error), STATUS_NOT_FOUND);
    must(alarms_set_sequence(alarms, id, 17, &error), &error);
    assert_int_equal(alarms_unrecorded(alarms, 0, &arena, &unrecorded, &error), STATUS_NOT_FOUND);
    arena_free(&arena);
    assert_int_equal(next(alarms, "webhook", &found), id);
    assert_string_equal(found.entry.text, entry.text);
    assert_string_equal(found.entry.event, entry.event);
    assert_int_equal(found.entry.sequence, 17);
    assert_int_equal(found.next_ns, noon_ns);
    alarms_close(alarms);
}

/* A full ledger keeps nobody from being told; it is tried again at the next start. */
static void what_the_ledger_refused_is_delivered_all_the_same(void **state)
{
    struct alarms_delivery found;
    struct alarms_entry unrecorded;
    struct arena arena;
    struct error error = {0};
    struct alarms *alarms = open_file();
    int64_t id = add(alarms, -1);
    assert_int_equal(next(alarms, "mail", &found), id);
    arena_init(&arena, 4096);
    must(alarms_unrecorded(alarms, 0, &arena, &unrecorded, &error), &error);
    assert_int_equal(unrecorded.id, id);
    arena_free(&arena);
    alarms_close(alarms);
}

static void each_receiver_takes_its_own_in_order(void **state)
{
    struct alarms_delivery found;
    struct alarms *alarms = open_file();
    int64_t first = add(alarms, 1), second = add(alarms, 2);
    attempted(alarms, first, "webhook", ALARMS_WAITING);
    assert_int_equal(next(alarms, "webhook", &found), first);
    assert_int_equal(found.attempts, 1);
    assert_int_equal(found.next_ns, noon_ns + 7);
    attempted(alarms, first, "webhook", ALARMS_TAKEN);
    attempted(alarms, first, "webhook", ALARMS_WAITING); /* what was taken stays taken */
    assert_int_equal(next(alarms, "webhook", &found), second);
    assert_int_equal(found.attempts, 0);
    attempted(alarms, second, "webhook", ALARMS_GIVEN_UP);
    assert_int_equal(next(alarms, "webhook", &found), 0);
    assert_int_equal(next(alarms, "mail", &found), first);
    alarms_close(alarms);
}

static void who_wants_no_more_is_left_alone_at_that_place(void **state)
{
    struct alarms_delivery found;
    struct error error = {0};
    bool stopped = false;
    struct alarms *alarms = open_file();
    int64_t id = add(alarms, 1);
    attempted(alarms, id, "webhook", ALARMS_WAITING);
    must(alarms_stop(alarms, "webhook", "https://a.example/", noon_ns, &error), &error);
    must(alarms_is_stopped(alarms, "webhook", "https://a.example/", &stopped, &error), &error);
    assert_true(stopped);
    must(alarms_is_stopped(alarms, "webhook", "https://b.example/", &stopped, &error), &error);
    assert_false(stopped);
    must(alarms_go_on(alarms, "webhook", &error), &error);
    must(alarms_is_stopped(alarms, "webhook", "https://a.example/", &stopped, &error), &error);
    assert_false(stopped);
    assert_int_equal(next(alarms, "webhook", &found), id);
    assert_int_equal(found.next_ns, 0);
    must(alarms_give_up(alarms, "webhook", noon_ns, "no", &error), &error);
    assert_int_equal(next(alarms, "webhook", &found), 0);
    assert_int_equal(next(alarms, "mail", &found), id);
    alarms_close(alarms);
}

static void is_acknowledged_once_and_listed_until_then(void **state)
{
    struct error error = {0};
    struct table table;
    struct alarms *alarms = open_file();
    int64_t id = add(alarms, 9);
    must(alarms_set_repeats(alarms, id, 41, &error), &error);
    must(alarms_list(alarms, true, &table, &error), &error);
    assert_int_equal(table.row_count, 1);
    assert_string_equal(table.first->cells[8], "41");
    assert_string_equal(table.first->cells[9], "mail: waiting; webhook: waiting");
    assert_null(table.first->cells[4]);
    assert_string_equal(table.first->cells[13], "9");
    table_free(&table);
    must(alarms_acknowledge(alarms, id, "jo", "seen", noon_ns, &error), &error);
    assert_int_equal(alarms_acknowledge(alarms, id, "al", "too", noon_ns, &error), STATUS_DENIED);
    assert_string_equal(error.sqlstate, "55000");
    assert_int_equal(alarms_acknowledge(alarms, id + 1, "al", "x", noon_ns, &error),
                     STATUS_NOT_FOUND);
    must(alarms_list(alarms, true, &table, &error), &error);
    assert_int_equal(table.row_count, 0);
    table_free(&table);
    must(alarms_show(alarms, id, &table, &error), &error);
    assert_int_equal(table.row_count, 2);
    assert_string_equal(table.first->cells[10], "jo");
    assert_string_equal(table.first->cells[12], "mail");
    table_free(&table);
    assert_int_equal(alarms_show(alarms, id + 1, &table, &error), STATUS_NOT_FOUND);
    alarms_close(alarms);
}

static void the_oldest_go_and_that_they_waited_is_told(void **state)
{
    struct alarms_delivery found;
    struct error error = {0};
    char sql[100];
    int64_t id = 0, lost = 0;
    struct alarms *alarms = open_file();
    int64_t first = add(alarms, 1);
    attempted(alarms, first, "mail", ALARMS_TAKEN);
    snprintf(sql, sizeof sql, "UPDATE sqlite_sequence SET seq = %d WHERE name = 'alarm'",
             ALARMS_MOST);
    fixture_interfere(sql);
    must(alarms_add(alarms, &entry, receivers, 2, &id, &lost, &error), &error);
    assert_int_equal(id, ALARMS_MOST + 1);
    assert_int_equal(lost, 1); /* the webhook's */
    must(alarms_set_sequence(alarms, id, 2, &error), &error);
    assert_int_equal(next(alarms, "webhook", &found), id);
    alarms_close(alarms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_waits_for_the_ledger_and_outlives_a_restart, fixture_fresh),
        cmocka_unit_test_setup(what_the_ledger_refused_is_delivered_all_the_same, fixture_fresh),
        cmocka_unit_test_setup(each_receiver_takes_its_own_in_order, fixture_fresh),
        cmocka_unit_test_setup(who_wants_no_more_is_left_alone_at_that_place, fixture_fresh),
        cmocka_unit_test_setup(is_acknowledged_once_and_listed_until_then, fixture_fresh),
        cmocka_unit_test_setup(the_oldest_go_and_that_they_waited_is_told, fixture_fresh),
    };
    return cmocka_run_group_tests(tests, fixture_make_folder, fixture_remove_folder);
}

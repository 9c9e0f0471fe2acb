/* What is beyond doubt a canary's value, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "gateway/trust/canary_watch.h"

static struct canary_watch *watch;
static struct deliveries *file;
static char folder[] = "/tmp/cofferdam-watch-XXXXXX", path[64];

static void must(enum status status, const struct error *error)
{
    if (status != STATUS_OK)
        fail_msg("%s", error->message);
}

static void add_delivery(const char *id, const char *partner, const struct canary *canaries,
                         size_t count)
{
    struct error error = {0};
    const struct delivery delivery = {.id = id,
                                      .partner = partner,
                                      .agent = "",
                                      .purpose = "",
                                      .by = "",
                                      .file = "",
                                      .format = "csv",
                                      .statement_sha256 = ""};
    must(deliveries_add(file, &delivery, &error), &error);
    must(deliveries_add_canaries(file, canaries, count, &error), &error);
    must(canary_watch_load(watch, file, id, &error), &error);
}

static struct canary cell(const char *delivery, int64_t row, const char *column, const char *value,
                          bool is_invented)
{
    return (struct canary){.delivery = delivery,
                           .row = row,
                           .column = column,
                           .source = "",
                           .kind = "person",
                           .key = "4711",
                           .form = strcmp(column, "token") == 0    ? "token"
                                   : strcmp(column, "masked") == 0 ? "masked"
                                                                   : "clear",
                           .value = value,
                           .is_invented = is_invented};
}

static int open_all(void **state)
{
    struct error error = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/deliveries.sqlite", folder);
    must(deliveries_open(path, &file, &error), &error);
    must(canary_watch_open(&watch, &error), &error);
    const struct canary first[] = {
        cell("D-1", 1, "id", "4711", true),
        cell("D-1", 1, "name", "Ada Example", true),
        cell("D-1", 1, "mail", "ada.example77@box.example", true),
        cell("D-1", 1, "phone", "+44 7700 900123", true),
        cell("D-1", 1, "born", "1961-06-13", false),
        cell("D-1", 1, "town", "Springfield", false),
        cell("D-1", 1, "token", "9f8e7d6c5b", true),
        cell("D-1", 1, "masked", "masked-value-77", true),
        cell("D-1", 1, "vin", "WVWZZZ1JZXW000001", true),
    };
    add_delivery("D-1", "acme", first, sizeof first / sizeof first[0]);
    const struct canary second[] = {cell("D-2", 1, "mail", "bob99@box.example", true),
                                    cell("D-2", 1, "name", "Bob Example", true)};
    add_delivery("D-2", "rival", second, 2);
    return 0;
}

static int close_all(void **state)
{
    char name[80];
    canary_watch_close(watch);
    deliveries_close(file);
    snprintf(name, sizeof name, "%s-wal", path);
    unlink(name);
    snprintf(name, sizeof name, "%s-shm", path);
    unlink(name);
    unlink(path);
    return rmdir(folder);
}

/* The delivery that these values lead to, or "none". values: NULL-terminated. */
static const char *look(const char *const *values)
{
    static struct canary_sighting sighting;
    struct canary_look looked = {.values = 0};
    for (; *values != NULL; values++)
        canary_look_at(watch, &looked, slice_of_text(*values));
    return canary_look_result(watch, &looked, 0, &sighting) ? sighting.delivery : "none";
}

#define LOOK(...) look((const char *const[]){__VA_ARGS__, NULL})

static void one_strong_value_is_enough(void **state)
{
    assert_string_equal(LOOK("ada.example77@box.example"), "D-1");
    assert_string_equal(LOOK(" ADA.Example77@BOX.example "), "D-1");
    assert_string_equal(LOOK("x", "bob99@box.example"), "D-2");
    assert_string_equal(LOOK("+44 7700 900123"), "D-1");
    assert_string_equal(LOOK("07700900123"), "D-1");
    assert_string_equal(LOOK("(0) 7700-900-123"), "D-1");
    assert_string_equal(LOOK("9F8E7D6C5B"), "D-1");
    assert_string_equal(LOOK("WVWZZZ1JZXW000001"), "D-1");
}

static void weak_values_need_another_of_the_same_person(void **state)
{
    assert_string_equal(LOOK("Ada Example"), "none");
    assert_string_equal(LOOK("Ada Example", "ada  example"), "none");
    assert_string_equal(LOOK("1961-06-13"), "none");
    assert_string_equal(LOOK("Ada Example", "1961-06-13"), "D-1");
    assert_string_equal(LOOK("Bob Example", "1961-06-13"), "none");
    assert_string_equal(LOOK("Ada Example", "Springfield"), "none");
}

static void many_values_prove_nothing_by_coincidence(void **state)
{
    const char *values[CANARY_LOOK_FEW + 2] = {"Ada Example", "1961-06-13"};
    for (size_t i = 2; i <= CANARY_LOOK_FEW; i++)
        values[i] = "somebody";
    assert_string_equal(look(values), "none");
    values[CANARY_LOOK_FEW] = NULL;
    assert_string_equal(look(values), "D-1");
}

static void what_is_no_evidence_is_none(void **state)
{
    assert_string_equal(LOOK("4711"), "none");
    assert_string_equal(LOOK("masked-value-77"), "none");
    assert_string_equal(LOOK("900123"), "none");
    assert_string_equal(LOOK(""), "none");
    assert_string_equal(LOOK("ada.example77@box.exampl"), "none");
}

static void too_long_a_value_is_passed_over(void **state)
{
    char text[PLAN_CONSTANT_BYTES + 2];
    memset(text, ' ', sizeof text);
    memcpy(text, "bob99@box.example", 17);
    text[PLAN_CONSTANT_BYTES] = '\0';
    assert_string_equal(LOOK(text), "D-2");
    text[PLAN_CONSTANT_BYTES] = ' ';
    text[PLAN_CONSTANT_BYTES + 1] = '\0';
    assert_string_equal(LOOK(text), "none");
}

static void two_deliveries_are_both_found(void **state)
{
    struct canary_look looked = {.values = 0};
    struct canary_sighting sighting;
    canary_look_at(watch, &looked, slice_of_text("bob99@box.example"));
    canary_look_at(watch, &looked, slice_of_text("ada.example77@box.example"));
    assert_true(canary_look_result(watch, &looked, 0, &sighting));
    assert_string_equal(sighting.partner, "rival");
    assert_true(canary_look_result(watch, &looked, 1, &sighting));
    assert_string_equal(sighting.partner, "acme");
    assert_false(canary_look_result(watch, &looked, 2, &sighting));
}

static void a_common_name_hides_nobody(void **state)
{
    enum { NAMESAKES = CANARY_LOOK_PEOPLE + 6 };
    struct canary canaries[NAMESAKES];
    for (int64_t i = 0; i < NAMESAKES; i++)
        canaries[i] = cell("D-3", i, "name", "Common Name", true);
    add_delivery("D-3", "acme", canaries, NAMESAKES);
    assert_string_equal(LOOK("Common Name"), "none");
    assert_string_equal(LOOK("Common Name", "bob99@box.example"), "D-2");
    assert_string_equal(LOOK("Common Name", "somebody", "Bob99@box.example"), "D-2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_strong_value_is_enough),
        cmocka_unit_test(weak_values_need_another_of_the_same_person),
        cmocka_unit_test(many_values_prove_nothing_by_coincidence),
        cmocka_unit_test(what_is_no_evidence_is_none),
        cmocka_unit_test(too_long_a_value_is_passed_over),
        cmocka_unit_test(two_deliveries_are_both_found),
        cmocka_unit_test(a_common_name_hides_nobody),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}

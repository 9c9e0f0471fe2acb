/* People, one by one: who was given, with what and when; nobody is told before that is recorded. */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "base/since.h"
#include "exposure/people.h"

static struct scene scene;
static struct people *people;

static int set_up(void **state)
{
    scene_make(&scene);
    scene_open(&scene);
    return 0;
}

static int tear_down(void **state)
{
    people_free(people);
    people = NULL;
    scene_close(&scene);
    scene_remove(&scene);
    return 0;
}

static void give(uint8_t grade, uint32_t columns, const char *time, size_t first, size_t count)
{
    ledger_wait(scene.ledger, disclose(&scene, &(struct disclosure){.partner = "north-mail",
                                                                    .grade = grade,
                                                                    .column_set = columns,
                                                                    .time_ns = instant(time),
                                                                    .number = first,
                                                                    .count = count}));
}

static void fill(void)
{
    uint32_t names = column_set(&scene, "person.name:clear:name\nperson.note:clear:\n");
    uint32_t phones = column_set(&scene, "person.phone:masked:phone\nperson.name:clear:name\n");
    give(1, names, "2026-11-22T09:10:00Z", 10, 3);
    give(3, phones, "2026-11-22T11:50:00Z", 12, 1);
    give(2, phones, "2026-11-22T12:00:00Z", 20, 1); /* a statistic shows no column of one */
    give(5, names, "2026-11-22T12:00:00Z", 30, 5);  /* asked about */
    ledger_wait(scene.ledger, disclose(&scene, &(struct disclosure){.partner = "north-mail",
                                                                    .type = LEDGER_CHANGE,
                                                                    .grade = 6,
                                                                    .column_set = names,
                                                                    .number = 40,
                                                                    .count = 5}));
    ledger_wait(scene.ledger,
                disclose(&scene, &(struct disclosure){
                                     .partner = "ringway", .grade = 1, .number = 50, .count = 5}));
}

static void read_people(const char *from, const char *to)
{
    struct error error = {0};
    people_free(people);
    people = NULL;
    const struct people_wish wish = {.subjects_folder = scene.subjects,
                                     .ledger_folder = scene.ledger_folder,
                                     .partner = "north-mail",
                                     .from_ns = from == NULL ? INT64_MIN : instant(from),
                                     .to_ns = to == NULL ? INT64_MAX : instant(to)};
    if (people_read(&wish, &people, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void record(const char *purpose, size_t first, size_t count)
{
    ledger_wait(scene.ledger, disclose(&scene, &(struct disclosure){.partner = "",
                                                                    .grade = 1,
                                                                    .purpose = purpose,
                                                                    .number = first,
                                                                    .count = count}));
}

static enum status tell(void *context, const struct people_line *line, struct error *error)
{
    char *text = context;
    size_t len = strlen(text);
    snprintf(text + len, 1000 - len, "%s %lld %lld %s%s\n", line->key,
             (long long)(line->first_ns / 3600000000000 % 24),
             (long long)(line->last_ns / 3600000000000 % 24), line->categories,
             line->statistics_only ? "(statistics)" : "");
    return STATUS_OK;
}

static void each_is_told_once_that_is_recorded(void **state)
{
    char told[1000] = "";
    struct error error = {0};
    uint32_t *ids;
    size_t count;
    fill();
    read_people(NULL, NULL);
    assert_int_equal(people_count(people).named, 4);
    assert_int_equal(people_count(people).since_ns, SINCE_EVER);
    assert_status(people_ids(people, 0, &ids, &count, NULL), STATUS_OK);
    assert_int_equal(count, 4);
    free(ids);
    assert_status(people_ids(people, 1, &ids, &count, NULL), STATUS_OK);
    assert_int_equal(count, 0);
    free(ids);
    assert_status(people_confirm(people, "list", &error), STATUS_DENIED);
    record("list", 10, 3); /* not all of them */
    record("another", 10, 11);
    read_people(NULL, NULL);
    assert_status(people_confirm(people, "list", &error),
                  STATUS_DENIED); /* of an earlier reading */
    read_people(NULL, NULL);
    record("list", 10, 2);
    record("list", 12, 9);
    assert_status(people_confirm(people, "list", &error), STATUS_OK);
    assert_status(people_each(people, tell, told, NULL), STATUS_OK);
    assert_string_equal(told, "10 9 9 name\n"
                              "11 9 9 name\n"
                              "12 9 11 name, phone (masked)\n"
                              "20 12 12 (statistics)\n");
}

static void periods_are_hours(void **state)
{
    fill();
    read_people("2026-11-22T11:55:00Z", "2026-11-22T12:00:00Z"); /* the hour from 11 on */
    assert_int_equal(people_count(people).named, 1);
    read_people("2026-11-22T09:30:00Z", "2026-11-22T09:40:00Z");
    assert_int_equal(people_count(people).named, 3);
    read_people("2026-11-23", NULL);
    assert_int_equal(people_count(people).named, 0);
}

static void who_was_erased_has_no_name(void **state)
{
    fill();
    assert_status(exposure_erase(scene.exposure, 0, slice_of_text("11"), NULL), STATUS_OK);
    read_people(NULL, NULL);
    assert_int_equal(people_count(people).named, 3);
    assert_int_equal(people_count(people).erased, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_is_told_once_that_is_recorded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(periods_are_hours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_was_erased_has_no_name, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

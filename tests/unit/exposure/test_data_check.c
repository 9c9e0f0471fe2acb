/* What an entry says of people: sets that are none, people without keys and lost chunks are found,
 * with the entry; erased people are no damage. */
#include "scene.h"

#include <string.h>
#include <unistd.h>

#include "exposure/data_check.h"

static struct scene scene;

static int set_up(void **state)
{
    scene_make(&scene);
    scene_open(&scene);
    return 0;
}

static int tear_down(void **state)
{
    if (scene.exposure != NULL)
        scene_close(&scene);
    scene_remove(&scene);
    return 0;
}

struct outcome {
    enum status status;
    struct data_report report;
    uint64_t sequence;
    struct error error;
};

/* Of the log as it is on disk, with the gateway running. */
static struct outcome check(void)
{
    struct outcome outcome = {0};
    ledger_wait(scene.ledger, ledger_durable(scene.ledger) - 1);
    outcome.status = data_check(scene.ledger_folder, scene.subjects, NULL, &outcome.report,
                                &outcome.sequence, &outcome.error);
    return outcome;
}

static void assert_whole(const struct outcome *outcome)
{
    if (outcome->status != STATUS_OK)
        fail_msg("%s: %s", status_name(outcome->status), outcome->error.message);
}

static void assert_damage(const struct outcome *outcome, uint64_t sequence, const char *text)
{
    if (outcome->status != STATUS_CORRUPT || outcome->sequence != sequence ||
        strstr(outcome->error.message, text) == NULL)
        fail_msg("%s at %llu: %s; expected \"%s\" at %llu", status_name(outcome->status),
                 (unsigned long long)outcome->sequence, outcome->error.message, text,
                 (unsigned long long)sequence);
}

static void tell(size_t first, size_t count)
{
    ledger_wait(scene.ledger, disclose(&scene, &(struct disclosure){.partner = "north-mail",
                                                                    .grade = 1,
                                                                    .number = first,
                                                                    .count = count}));
}

/* An entry as no gateway writes it. */
static uint64_t append_set(struct slice set)
{
    const struct ledger_item items[] = {{.grade = 1}, {.grade = 1, .subjects = set}};
    struct buffer empty;
    buffer_init(&empty, 64);
    subject_set_serialize(NULL, 0, &empty);
    struct ledger_item both[] = {items[0], items[1]};
    both[0].subjects = buffer_slice(&empty);
    const struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                       .chunk_count = 1,
                                       .partner = slice_of_text("north-mail"),
                                       .items = both,
                                       .item_count = 2};
    uint64_t sequence = 0;
    assert_status(ledger_append(scene.ledger, &entry, slice_of(NULL, 0), &sequence, NULL),
                  STATUS_OK);
    ledger_wait(scene.ledger, sequence);
    buffer_free(&empty);
    return sequence;
}

static uint64_t append_chunk(uint8_t uuid, uint32_t chunk, uint32_t count)
{
    const struct ledger_entry entry = {
        .type = LEDGER_DISCLOSURE, .uuid = {uuid}, .chunk = chunk, .chunk_count = count};
    uint64_t sequence = 0;
    assert_status(ledger_append(scene.ledger, &entry, slice_of(NULL, 0), &sequence, NULL),
                  STATUS_OK);
    ledger_wait(scene.ledger, sequence);
    return sequence;
}

static void known_and_erased_people_are_no_damage(void **state)
{
    tell(0, 50);
    tell(25, 50);
    assert_status(exposure_erase(scene.exposure, 0, slice_of_text("30"), NULL), STATUS_OK);
    struct outcome outcome = check();
    assert_whole(&outcome);
    assert_int_equal(outcome.report.subjects, 100);
    assert_int_equal(outcome.report.erased, 2); /* one person, in two entries */
    assert_int_equal(outcome.report.items, 2);
}

static void a_set_that_is_none_is_found(void **state)
{
    tell(0, 5);
    uint64_t sequence = append_set(slice_of_text("no roaring bitmap"));
    struct outcome outcome = check();
    assert_damage(&outcome, sequence, "item 2: the set of people is malformed");
}

static void somebody_without_a_key_is_found(void **state)
{
    struct buffer set;
    uint32_t stranger = 123456;
    buffer_init(&set, 1024);
    subject_set_serialize(&stranger, 1, &set);
    tell(0, 5);
    uint64_t sequence = append_set(buffer_slice(&set));
    struct outcome outcome = check();
    assert_damage(&outcome, sequence, "item 2: person 123456 has neither a key");
    buffer_free(&set);
}

static void keys_that_were_lost_are_found(void **state)
{
    tell(0, 50);
    scene_close(&scene);
    scene.exposure = NULL;
    assert_int_equal(unlink(scene_subjects_file(&scene, "keys")), 0);
    assert_int_equal(unlink(scene_subjects_file(&scene, "segment-1.key")), 0);
    struct outcome outcome = {0};
    outcome.status = data_check(scene.ledger_folder, scene.subjects, NULL, &outcome.report,
                                &outcome.sequence, &outcome.error);
    assert_damage(&outcome, 0, "lacks 50 subjects");
}

static void chunks_are_counted(void **state)
{
    append_chunk(1, 0, 0);
    append_chunk(2, 0, 0);
    append_chunk(1, 1, 0);
    append_chunk(2, 1, 2);
    append_chunk(1, 2, 3);
    append_chunk(1, 0, 1); /* the next batch of that statement */
    append_chunk(3, 0, 0); /* the last one is never written */
    struct outcome outcome = check();
    assert_whole(&outcome);
    assert_int_equal(outcome.report.unfinished, 1);
}

static void a_lost_chunk_is_found(void **state)
{
    append_chunk(1, 0, 0);
    uint64_t sequence = append_chunk(1, 2, 3);
    struct outcome outcome = check();
    assert_damage(&outcome, sequence, "predecessor is missing");
}

static void a_chunk_behind_the_last_is_found(void **state)
{
    append_chunk(1, 0, 0);
    append_chunk(1, 1, 2);
    uint64_t sequence = append_chunk(1, 2, 2);
    struct outcome outcome = check();
    assert_damage(&outcome, sequence, "a chunk behind the last one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(known_and_erased_people_are_no_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_set_that_is_none_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(somebody_without_a_key_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_that_were_lost_are_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(chunks_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_chunk_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_chunk_behind_the_last_is_found, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Names, read beside a gateway that goes on: what is on disk is found, what is gone is not. */
#include "scene.h"

#include <string.h>
#include <unistd.h>

#include "exposure/reading.h"

static struct scene scene;
static struct names *names;

static int set_up(void **state)
{
    scene_make(&scene);
    scene_open(&scene);
    return 0;
}

static int tear_down(void **state)
{
    names_close(names);
    names = NULL;
    if (scene.exposure != NULL)
        scene_close(&scene);
    scene_remove(&scene);
    return 0;
}

static void close_scene(void)
{
    scene_close(&scene);
    scene.exposure = NULL;
}

static void open_names(void)
{
    struct error error = {0};
    names_close(names);
    if (names_open(scene.subjects, &names, &error) != STATUS_OK)
        fail_msg("names_open: %s", error.message);
}

/* Gives every durable entry to the names. */
static enum status take_all(struct error *error)
{
    struct ledger_reader *reader;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    enum status status = ledger_reader_open(scene.ledger_folder, 0, &reader, error);
    while (status == STATUS_OK &&
           (status = ledger_reader_next(reader, &sequence, &entry, &side, error)) == STATUS_OK)
        status = names_take(names, sequence, side, error);
    ledger_reader_close(reader);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

static void take(void)
{
    struct error error = {0};
    if (take_all(&error) != STATUS_OK)
        fail_msg("names_take: %s", error.message);
}

static uint64_t tell(size_t first, size_t count)
{
    return disclose(
        &scene,
        &(struct disclosure){.partner = "north-mail", .grade = 1, .number = first, .count = count});
}

/* The id of a key, and back again. */
static uint32_t find(const char *key)
{
    uint32_t id;
    uint16_t kind = 99;
    char text[256];
    enum status status = names_find(names, 0, slice_of_text(key), &id);
    if (status != STATUS_OK)
        fail_msg("key %s: %s", key, status_name(status));
    assert_status(names_key(names, id, &kind, text), STATUS_OK);
    assert_string_equal(text, key);
    assert_int_equal(kind, 0);
    return id;
}

static void unknown(const char *key)
{
    uint32_t id = 0;
    if (names_find(names, 0, slice_of_text(key), &id) != STATUS_NOT_FOUND)
        fail_msg("key %s has id %u", key, id);
}

/* Disclosures enough for the ledger to go on to its third segment. */
static void fill_segments(size_t first)
{
    struct ledger_state state;
    for (size_t at = first;; at += 500) {
        ledger_wait(scene.ledger, tell(at, 500));
        ledger_state(scene.ledger, &state);
        if (state.current_segment >= 3)
            return;
    }
}

static void learns_what_is_still_sealed(void **state)
{
    open_names();
    ledger_wait(scene.ledger, tell(100, 20));
    unknown("100");
    take();
    assert_int_not_equal(find("100"), find("119"));
    unknown("120");
}

static void reads_the_key_file_of_a_running_gateway(void **state)
{
    ledger_wait(scene.ledger, tell(0, 50));
    close_scene();
    scene_open(&scene);
    open_names();
    find("0");
    find("49");
    unknown("50");
}

static void learns_what_a_torn_tail_lacks(void **state)
{
    const char *path = scene_subjects_file(&scene, "keys");
    tell(0, 50);
    close_scene();
    assert_int_equal(truncate(path, 100), 0);
    open_names();
    unknown("0");
    take();
    find("0");
    find("49");
}

static void needs_no_destroyed_key(void **state)
{
    fill_segments(0);
    close_scene();
    assert_int_equal(access(scene_subjects_file(&scene, "segment-1.key"), F_OK), -1);
    open_names();
    take();
    find("0");
    find("499");
}

/* The key under which a pair was sealed was made and destroyed after the names had been opened. */
static void finds_in_the_file_what_is_sealed_for_good(void **state)
{
    open_names();
    fill_segments(0);
    close_scene();
    take();
    find("0");
    find("499");
}

static void follows_an_erasure(void **state)
{
    struct error error;
    uint16_t kind;
    char key[256];
    ledger_wait(scene.ledger, tell(7, 1));
    open_names();
    take();
    uint32_t before = find("7");
    assert_status(exposure_erase(scene.exposure, 0, slice_of_text("7"), &error), STATUS_OK);
    ledger_wait(scene.ledger, tell(7, 2));
    take();
    assert_int_not_equal(find("7"), before);
    assert_status(names_key(names, before, &kind, key), STATUS_NOT_FOUND);
    find("8");
}

static void says_what_is_lost(void **state)
{
    struct error error = {0};
    fill_segments(0);
    close_scene();
    assert_int_equal(unlink(scene_subjects_file(&scene, "keys")), 0);
    open_names();
    assert_status(take_all(&error), STATUS_CORRUPT);
    if (strstr(error.message, "lacks 500 subjects") == NULL)
        fail_msg("message: %s", error.message);
}

static void refuses_a_malformed_section(void **state)
{
    static const uint8_t side[] = {1, 2, 3};
    struct error error = {0};
    open_names();
    assert_status(names_take(names, 12, slice_of(side, sizeof side), &error), STATUS_CORRUPT);
    assert_string_equal(error.message, "ledger entry 12: a side section is malformed");
}

static void wants_a_folder(void **state)
{
    struct error error = {0};
    struct names *none = NULL;
    assert_status(names_open("/nonexistent/subjects", &none, &error), STATUS_IO);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(learns_what_is_still_sealed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_the_key_file_of_a_running_gateway, set_up, tear_down),
        cmocka_unit_test_setup_teardown(learns_what_a_torn_tail_lacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(needs_no_destroyed_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_in_the_file_what_is_sealed_for_good, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(follows_an_erasure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_what_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_malformed_section, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wants_a_folder, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

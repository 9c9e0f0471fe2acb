/* Exposure over restarts: whatever was durable is rebuilt, whatever cannot be is said. */
#include "scene.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

static const struct policy_kind kinds[] = {{.name = "customer"}, {.name = "enquirer"}};
static const struct policy policy = {.kinds = kinds, .kind_count = 2};
static const char *const names[] = {"north-mail", "ringway", "statlab"};

static const char *const purposes[] = {NULL, "delivery", "billing"};

static struct scene scene;
static uint64_t random_state = 42;

static uint32_t next_random(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static int set_up(void **state)
{
    scene_make(&scene);
    scene_open(&scene);
    return 0;
}

static int tear_down(void **state)
{
    scene_close(&scene);
    scene_remove(&scene);
    return 0;
}

static void append_table(struct buffer *out, struct table *table)
{
    char *text = table_text(table);
    buffer_append_text(out, text);
    free(text);
    table_free(table);
}

/* Everything that can be asked, as one text. Owned. */
static char *all_answers(int64_t now_ns)
{
    struct buffer out;
    struct table table;
    struct error error;
    buffer_init(&out, 64 << 20);
    assert_status(
        exposure_summary(scene.exposure, &policy, NULL, INT64_MIN, INT64_MAX, &table, &error),
        STATUS_OK);
    append_table(&out, &table);
    assert_status(exposure_by_category(scene.exposure, &policy, NULL, now_ns - 5 * 3600000000000,
                                       INT64_MAX, &table, &error),
                  STATUS_OK);
    append_table(&out, &table);
    assert_status(
        exposure_combinations(scene.exposure, &policy, NULL, INT64_MIN, INT64_MAX, &table, &error),
        STATUS_OK);
    append_table(&out, &table);
    for (uint16_t kind = 0; kind < 2; kind++)
        for (int key = 0; key < 40; key++) {
            char text[24];
            snprintf(text, sizeof text, "%d", key);
            if (exposure_subject(scene.exposure, kind, slice_of_text(text), &table, &error) ==
                STATUS_OK)
                append_table(&out, &table);
        }
    for (size_t i = 0; i < 3; i++) {
        struct policy_partner partner = {.name = names[i]};
        struct exposure_budget budget;
        exposure_budget(scene.exposure, &partner, now_ns, &budget);
        buffer_printf(
            &out, "%s today %llu total %llu probes %llu errors %llu\n", names[i],
            (unsigned long long)budget.subjects_today, (unsigned long long)budget.subjects_total,
            (unsigned long long)budget.probes_today, (unsigned long long)budget.errors_today);
    }
    buffer_text(&out);
    return (char *)out.data;
}

/* As the gateway does: charges what is charged, counts what is counted. */
static void random_operation(int64_t now_ns, const uint32_t *column_sets)
{
    struct policy_partner partner = {.name = names[next_random() % 3]};
    uint8_t grade = (uint8_t)(1 + next_random() % 5);
    struct disclosure what = {partner.name,
                              .kind = (uint16_t)(next_random() % 2),
                              .grade = grade,
                              .column_set = column_sets[next_random() % 3],
                              .time_ns = now_ns,
                              .number = next_random() % 300,
                              .count = 1 + next_random() % 20,
                              .purpose = purposes[next_random() % 3]};
    switch (next_random() % 10) {
    case 0:
        what.type = LEDGER_PROBE;
        what.count = 0;
        exposure_count_error(scene.exposure, &partner, now_ns);
        break;
    case 1:
        what.type = LEDGER_DECLARED;
        break;
    case 2:
        what.flags = LEDGER_FLAG_OPENING;
        break;
    case 3:
        what.k = 10;
        break;
    }
    if (what.type == 0 && what.grade == 5)
        exposure_count_missed(scene.exposure, &partner, now_ns, what.count);
    disclose(&scene, &what);
}

static void tables_are_identical_after_a_restart(void **state)
{
    int64_t now = instant("2026-11-22T20:00:00Z");
    uint32_t sets[3] = {column_set(&scene, "customer.full_name:clear:name\n"),
                        column_set(&scene, "customer.phone:masked:phone\nvehicle.vin:token:vin\n"),
                        column_set(&scene, "customer.customer_id:token:\n")};
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 500; i++)
            random_operation(now - (500 - i) * 120000000000LL, sets); /* over 16 hours */
        char *before = all_answers(now);
        scene_close(&scene);
        scene_open(&scene);
        char *after = all_answers(now);
        assert_string_equal(after, before);
        assert_true(strlen(before) > 1000);
        free(before);
        free(after);
        now += 86400000000000LL;
    }
}

static void charges_are_rebuilt(void **state)
{
    struct policy_partner partner = {.name = "north-mail", .budget = {.subjects_per_day = 10}};
    struct exposure_charge charge;
    uint32_t ids[12];
    size_t ends[12];
    int64_t now = clock_now_ns();
    uint32_t set = column_set(&scene, "customer.full_name:clear:name\n");
    disclose(&scene, &(struct disclosure){"north-mail", .grade = 1, .column_set = set,
                                          .time_ns = now, .number = 0, .count = 8});
    scene_close(&scene);
    scene_open(&scene);
    for (size_t i = 0; i < 12; i++) {
        char text[8];
        snprintf(text, sizeof text, "%zu", i);
        if (exposure_find(scene.exposure, 0, slice_of_text(text), &ids[i]) != STATUS_OK)
            ids[i] = 1000 + (uint32_t)i;
        ends[i] = i + 1;
    }
    const struct exposure_subjects subjects = {.ids = ids, .row_ends = ends, .row_count = 12};
    exposure_charge(scene.exposure, &partner, now, &subjects, &charge);
    assert_int_equal(charge.charged, 2);
    assert_int_equal(charge.admitted_rows, 10);
    assert_string_equal(charge.limit, "subjects per day");
}

/* Influence of few has no k: it is charged as a witness is. A probe is charged to nobody. */
static void influence_and_probes_are_rebuilt(void **state)
{
    struct policy_partner partner = {.name = "north-mail"};
    int64_t now = clock_now_ns();
    uint32_t set = column_set(&scene, "customer.full_name:clear:name\n");
    const struct disclosure disclosures[] = {
        {"north-mail", .grade = 4, .k = 0, .number = 0, .count = 3},
        {"north-mail", .grade = 4, .k = 20, .number = 10, .count = 20},
        {"north-mail", .grade = 5, .number = 100, .count = 7},
        {"north-mail", .grade = 5, .number = 100, .count = 2}, /* asked again */
        {"north-mail", .type = LEDGER_DECLARED, .grade = 5, .number = 200, .count = 4},
    };
    for (size_t i = 0; i < sizeof disclosures / sizeof disclosures[0]; i++) {
        struct disclosure one = disclosures[i];
        one.column_set = set;
        one.time_ns = now;
        disclose(&scene, &one);
    }
    scene_close(&scene);
    scene_open(&scene);
    struct exposure_budget used;
    exposure_budget(scene.exposure, &partner, now, &used);
    assert_int_equal(used.subjects_today, 3);
    assert_int_equal(used.probes_today, 9);
    assert_int_equal(used.errors_today, 0);
}

enum { THREADS = 2, ROUNDS = 60 };

static void *disclose_same_keys(void *context)
{
    for (size_t round = 0; round < ROUNDS; round++)
        disclose(&scene, &(struct disclosure){context, .grade = 1, .column_set = 0,
                                              .number = round * 10, .count = 15});
    return NULL;
}

static void threads_share_new_keys(void **state)
{
    pthread_t threads[THREADS];
    struct table table;
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, disclose_same_keys, (void *)(uintptr_t)names[i]);
    for (int i = 0; i < 20; i++) { /* questions while they run */
        assert_status(
            exposure_summary(scene.exposure, &policy, NULL, INT64_MIN, INT64_MAX, &table, NULL),
            STATUS_OK);
        table_free(&table);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    char *before = all_answers(clock_now_ns());
    scene_close(&scene);
    scene_open(&scene);
    char *after = all_answers(clock_now_ns());
    assert_string_equal(after, before);
    assert_non_null(strstr(after, "north-mail|customer|605|605|"));
    assert_non_null(strstr(after, "ringway|customer|605|605|"));
    free(before);
    free(after);
}

static bool file_holds(const char *path, const char *text)
{
    struct buffer bytes;
    buffer_init(&bytes, 1 << 24);
    bool found = file_read(path, &bytes, NULL) == STATUS_OK &&
                 memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
    buffer_free(&bytes);
    return found;
}

/* Runs fn in a process that dies without closing anything. */
static void in_a_crash(void (*fn)(void))
{
    scene_close(&scene);
    pid_t child = fork();
    if (child == 0) {
        scene_open(&scene);
        fn();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void disclose_and_wait(void)
{
    static const char *const keys[] = {"alice", "bob", "carol"};
    uint64_t sequence =
        disclose(&scene, &(struct disclosure){"north-mail", .grade = 1, .keys = keys, .count = 3});
    ledger_wait(scene.ledger, sequence);
}

static void a_crash_before_the_key_file_is_synced_loses_no_key(void **state)
{
    char key[256];
    uint16_t kind;
    uint32_t id, ids[3];
    static const char *const keys[] = {"alice", "bob", "carol"};
    in_a_crash(disclose_and_wait);
    assert_false(
        file_holds(scene_subjects_file(&scene, "keys"), "alice")); /* the crash was first */
    scene_open(&scene);
    for (size_t i = 0; i < 3; i++) {
        assert_status(exposure_find(scene.exposure, 0, slice_of_text(keys[i]), &ids[i]), STATUS_OK);
        assert_status(exposure_key(scene.exposure, ids[i], &kind, key), STATUS_OK);
        assert_string_equal(key, keys[i]);
    }
    disclose(&scene, &(struct disclosure){"north-mail", .grade = 1, .number = 7, .count = 1});
    assert_status(exposure_find(scene.exposure, 0, slice_of_text("7"), &id), STATUS_OK);
    assert_true(id > ids[0] && id > ids[1] && id > ids[2]);
}

/* Enough entries to leave the first segment behind. */
static void fill_segments(void)
{
    struct ledger_state state;
    for (size_t i = 0; i < 4000; i++) {
        disclose(&scene,
                 &(struct disclosure){"north-mail", .grade = 1, .number = i * 3, .count = 9});
        ledger_state(scene.ledger, &state);
        if (state.segments >= 4)
            return;
    }
    fail_msg("the segments do not end");
}

static void segment_keys_are_destroyed_and_not_missed(void **state)
{
    uint16_t kind;
    char key[256];
    fill_segments();
    char *before = all_answers(clock_now_ns());
    struct ledger_state now;
    ledger_state(scene.ledger, &now);
    scene_close(&scene);
    size_t left = 0;
    for (uint64_t number = 0; number <= now.current_segment; number++) {
        char name[64];
        snprintf(name, sizeof name, "segment-%llu.key", (unsigned long long)number);
        left += file_exists(scene_subjects_file(&scene, name));
    }
    assert_int_equal(left, 1);
    scene_open(&scene);
    char *after = all_answers(clock_now_ns());
    assert_string_equal(after, before);
    assert_status(exposure_key(scene.exposure, 5, &kind, key), STATUS_OK);
    free(before);
    free(after);
}

static void a_lost_key_file_is_refused_where_segment_keys_are_gone(void **state)
{
    struct error error = {0};
    fill_segments();
    scene_close(&scene);
    char saved[300];
    snprintf(saved, sizeof saved, "%s.saved", scene_subjects_file(&scene, "keys"));
    assert_int_equal(rename(scene_subjects_file(&scene, "keys"), saved), 0);
    assert_status(scene_try_open(&scene, &error), STATUS_CORRUPT);
    if (strstr(error.message, "subjects/keys lacks") == NULL ||
        strstr(error.hint, "backup") == NULL)
        fail_msg("unclear: %s (%s)", error.message, error.hint);
    assert_int_equal(rename(saved, scene_subjects_file(&scene, "keys")), 0);
    scene_open(&scene); /* the refusal changed nothing */
}

static void a_lost_key_file_is_made_again_where_segment_keys_are_there(void **state)
{
    uint32_t before, after;
    disclose(&scene, &(struct disclosure){"north-mail", .grade = 1, .number = 0, .count = 50});
    assert_status(exposure_find(scene.exposure, 0, slice_of_text("33"), &before), STATUS_OK);
    scene_close(&scene);
    assert_int_equal(unlink(scene_subjects_file(&scene, "keys")), 0);
    scene_open(&scene);
    assert_status(exposure_find(scene.exposure, 0, slice_of_text("33"), &after), STATUS_OK);
    assert_int_equal(after, before);
}

static void an_erased_subject_keeps_its_id_and_loses_its_name(void **state)
{
    static const char *const keys[] = {"alice-in-wonderland", "bob"};
    struct error error = {0};
    struct table table;
    char key[256];
    uint16_t kind;
    uint32_t id, again;
    disclose(&scene, &(struct disclosure){"north-mail", .grade = 1, .keys = keys, .count = 2});
    scene_close(&scene);
    assert_true(file_holds(scene_subjects_file(&scene, "keys"), "wonderland"));
    scene_open(&scene);
    assert_status(exposure_find(scene.exposure, 0, slice_of_text(keys[0]), &id), STATUS_OK);
    assert_status(exposure_erase(scene.exposure, 0, slice_of_text(keys[0]), &error), STATUS_OK);
    assert_status(exposure_erase(scene.exposure, 0, slice_of_text(keys[0]), &error),
                  STATUS_NOT_FOUND);
    for (int round = 0; round < 2; round++) {
        assert_status(exposure_key(scene.exposure, id, &kind, key), STATUS_NOT_FOUND);
        assert_status(exposure_subject(scene.exposure, 0, slice_of_text(keys[0]), &table, &error),
                      STATUS_NOT_FOUND);
        assert_status(exposure_find(scene.exposure, 0, slice_of_text("bob"), &again), STATUS_OK);
        assert_status(
            exposure_summary(scene.exposure, &policy, NULL, INT64_MIN, INT64_MAX, &table, &error),
            STATUS_OK);
        assert_string_equal(table.first->cells[2], "2"); /* history still counts both */
        table_free(&table);
        assert_false(file_holds(scene_subjects_file(&scene, "keys"), "wonderland"));
        assert_false(file_exists(scene_subjects_file(&scene, "keys.new")));
        scene_close(&scene);
        scene_open(&scene);
    }
    disclose(&scene, &(struct disclosure){"north-mail", .grade = 1, .keys = keys, .count = 1});
    assert_status(exposure_find(scene.exposure, 0, slice_of_text(keys[0]), &again), STATUS_OK);
    assert_int_not_equal(again, id);
}

static void an_erased_subject_cannot_be_read_back_from_the_ledger(void **state)
{
    static const char *const keys[] = {"alice"};
    struct error error = {0};
    disclose(&scene, &(struct disclosure){"north-mail", .grade = 1, .keys = keys, .count = 1});
    assert_status(exposure_erase(scene.exposure, 0, slice_of_text("alice"), &error), STATUS_OK);
    scene_close(&scene);
    char saved[300];
    snprintf(saved, sizeof saved, "%s.saved", scene_subjects_file(&scene, "keys"));
    assert_int_equal(rename(scene_subjects_file(&scene, "keys"), saved), 0);
    assert_status(scene_try_open(&scene, &error), STATUS_CORRUPT); /* its seal key is gone */
    assert_int_equal(rename(saved, scene_subjects_file(&scene, "keys")), 0);
    scene_open(&scene);
}

static void an_erasure_that_met_a_bad_disk_is_finished_later(void **state)
{
    static const char *const keys[] = {"alice-in-wonderland"};
    struct error error = {0};
    char key_file[300], inside[320];
    disclose(&scene, &(struct disclosure){"north-mail", .grade = 1, .keys = keys, .count = 1});
    scene_close(&scene);
    scene_open(&scene);
    snprintf(key_file, sizeof key_file, "%s", scene_subjects_file(&scene, "keys.new"));
    snprintf(inside, sizeof inside, "%s/in-the-way", key_file);
    assert_int_equal(mkdir(key_file, 0700), 0); /* the rewrite cannot make its file */
    assert_int_equal(mkdir(inside, 0700), 0);
    assert_status(exposure_erase(scene.exposure, 0, slice_of_text(keys[0]), &error), STATUS_IO);
    assert_true(file_holds(scene_subjects_file(&scene, "keys"), "wonderland"));
    assert_int_equal(rmdir(inside), 0);
    assert_int_equal(rmdir(key_file), 0);
    scene_close(&scene);
    assert_false(file_holds(scene_subjects_file(&scene, "keys"), "wonderland"));
    scene_open(&scene);
}

static void an_id_in_the_ledger_is_never_given_to_another(void **state)
{
    uint32_t id = 5000;
    struct buffer set;
    struct error error = {0};
    uint64_t sequence;
    buffer_init(&set, 100);
    subject_set_serialize(&id, 1, &set);
    struct ledger_item item = {.grade = 1, .subjects = buffer_slice(&set)};
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                 .partner = slice_of_text("north-mail"),
                                 .items = &item,
                                 .item_count = 1};
    assert_status(ledger_append(scene.ledger, &entry, slice_of(NULL, 0), &sequence, &error),
                  STATUS_OK);
    scene_close(&scene);
    scene_open(&scene);
    disclose(&scene, &(struct disclosure){"north-mail", .grade = 1, .number = 1, .count = 1});
    assert_status(exposure_find(scene.exposure, 0, slice_of_text("1"), &id), STATUS_OK);
    assert_int_equal(id, 5001);
    buffer_free(&set);
}

static void an_unclean_key_file_is_written_afresh(void **state)
{
    static const char garbage[] = "left over by a torn write, much longer than one small block; "
                                  "left over by a torn write, much longer than one small block";
    in_a_crash(disclose_and_wait);
    FILE *file = fopen(scene_subjects_file(&scene, "keys"), "ab");
    assert_non_null(file);
    assert_int_equal(fwrite(garbage, 1, sizeof garbage, file), sizeof garbage);
    assert_int_equal(fclose(file), 0);
    scene_open(&scene);
    assert_false(file_holds(scene_subjects_file(&scene, "keys"), "left over"));
    assert_false(file_holds(scene_subjects_file(&scene, "keys"), "small block"));
    assert_true(file_holds(scene_subjects_file(&scene, "keys"), "alice"));
}

static void pairs_travel_until_they_are_durable_and_no_longer(void **state)
{
    struct subject_key key = key_of(0, "alice");
    struct buffer first, second, third;
    uint32_t id;
    buffer_init(&first, 1000);
    buffer_init(&second, 1000);
    buffer_init(&third, 1000);
    assert_status(exposure_map(scene.exposure, &key, 1, &id, &first, NULL), STATUS_OK);
    assert_true(first.len > 0);
    assert_status(exposure_map(scene.exposure, &key, 1, &id, &second, NULL), STATUS_OK);
    assert_int_equal(second.len, first.len);
    static const char *const keys[] = {"alice"};
    ledger_wait(scene.ledger, disclose(&scene, &(struct disclosure){"north-mail", .grade = 1,
                                                                    .keys = keys, .count = 1}));
    assert_status(exposure_map(scene.exposure, &key, 1, &id, &third, NULL), STATUS_OK);
    assert_int_equal(third.len, 0);
    buffer_free(&first);
    buffer_free(&second);
}

static void a_folder_has_one_owner(void **state)
{
    struct exposure *other;
    struct error error = {0};
    assert_status(exposure_open(scene.subjects, &other, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "in use"));
}

int main(void)
{
#define RUNNING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        RUNNING(tables_are_identical_after_a_restart),
        RUNNING(charges_are_rebuilt),
        RUNNING(influence_and_probes_are_rebuilt),
        RUNNING(threads_share_new_keys),
        RUNNING(a_crash_before_the_key_file_is_synced_loses_no_key),
        RUNNING(segment_keys_are_destroyed_and_not_missed),
        RUNNING(a_lost_key_file_is_refused_where_segment_keys_are_gone),
        RUNNING(a_lost_key_file_is_made_again_where_segment_keys_are_there),
        RUNNING(an_erased_subject_keeps_its_id_and_loses_its_name),
        RUNNING(an_erased_subject_cannot_be_read_back_from_the_ledger),
        RUNNING(an_erasure_that_met_a_bad_disk_is_finished_later),
        RUNNING(an_id_in_the_ledger_is_never_given_to_another),
        RUNNING(an_unclean_key_file_is_written_afresh),
        RUNNING(pairs_travel_until_they_are_durable_and_no_longer),
        RUNNING(a_folder_has_one_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

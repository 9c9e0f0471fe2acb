/* The index on disk against the one in memory: the same answers whatever was folded when, the same
 * bytes however it came to be, and never a wrong answer from damaged files. */
#include "index_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exposure/index.h"
#include "exposure/index_build.h"
#include "exposure/index_live.h"
#include "exposure/parts.h"

static void files_and_memory_agree_whatever_is_folded_when(void **state)
{
    struct world world;
    world_make(&world);
    for (int round = 0; round < 4; round++) {
        world_disclose(&world, 120);
        world_compare(&world); /* some in files, some not */
        world_fold(&world);
        world_compare(&world);
        world_check(&world);
    }
    world_disclose(&world, 50);
    world_reopen(&world); /* catches up */
    struct index_state at;
    index_state(world.scene.exposure->index, &at);
    assert_int_equal(at.sequence, ledger_durable(world.scene.ledger));
    world_compare(&world);
    world_check(&world);
    world_end(&world);
}

static void a_rebuild_is_taken_over_by_the_one_who_runs(void **state)
{
    struct world world;
    struct exposure_rebuilt rebuilt;
    struct error error = {0};
    world_make(&world);
    world_disclose(&world, 100);
    world_fold(&world);
    world_disclose(&world, 20);
    assert_status(index_rebuild(world.folder, world.scene.ledger_folder, &rebuilt, &error),
                  STATUS_OK);
    assert_true(rebuilt.disclosures > 100);
    world_compare(&world);
    world_disclose(&world, 20);
    world_fold(&world);
    world_compare(&world);
    world_check(&world);
    world_end(&world);
}

/* ---- a fold beside a session ---- */

static void *fold_beside(void *context)
{
    world_fold(context);
    return NULL;
}

/* An entry of which nobody is part is told to the index before it is on disk: a fold that begins in
 * between waits for it, and does not drop what only the tail says. */
static void a_fold_waits_for_entries_without_people(void **state)
{
    struct world world;
    pthread_t thread;
    uint64_t sequence;
    struct error error = {0};
    roaring_bitmap_t *sets = NULL;
    int64_t before_ns;
    world_make(&world);
    struct scene *scene = &world.scene;
    uint32_t set = column_set(scene, "a.b:clear:name\n");
    const struct ledger_entry nobody = {.type = LEDGER_DISCLOSURE,
                                        .partner = slice_of_text("ringway"),
                                        .column_set = set,
                                        .chunk_count = 1};
    const struct ledger_entry gone = {.type = LEDGER_DELETED,
                                      .partner = slice_of_text("ringway"),
                                      .text = slice_of_text("before=2026-10-01T00:00:00Z\n"),
                                      .chunk_count = 1};
    world_disclose(&world, 5);
    uint64_t next = ledger_durable(scene->ledger);
    exposure_record(scene->exposure, next, &nobody);
    exposure_record(scene->exposure, next + 1, &gone);
    assert_int_equal(pthread_create(&thread, NULL, fold_beside, &world), 0);
    usleep(100000);
    assert_status(ledger_append(scene->ledger, &nobody, slice_of("", 0), &sequence, &error),
                  STATUS_OK);
    assert_int_equal(sequence, next);
    assert_status(ledger_append(scene->ledger, &gone, slice_of("", 0), &sequence, &error),
                  STATUS_OK);
    ledger_wait(scene->ledger, sequence);
    pthread_join(thread, NULL);
    assert_status(index_column_sets(scene->exposure->index, "ringway", &sets, &error), STATUS_OK);
    assert_true(sets != NULL && roaring_bitmap_contains(sets, set));
    roaring_bitmap_free(sets);
    assert_status(exposure_deleted_before(scene->exposure, "ringway", &before_ns), STATUS_OK);
    assert_int_equal(before_ns, instant("2026-10-01T00:00:00Z"));
    world_check(&world);
    world_end(&world);
}

/* ---- damage ---- */

static size_t list_files(const struct world *world, char (*names)[256], size_t room)
{
    size_t count = 0;
    DIR *listing = opendir(world->folder);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (strstr(entry->d_name, ".idx") != NULL || strcmp(entry->d_name, "manifest") == 0) {
            assert_true(count < room);
            snprintf(names[count++], 256, "%.200s", entry->d_name);
        }
    closedir(listing);
    return count;
}

static void flip(const struct world *world, const char *name)
{
    char path[512];
    uint8_t byte;
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", world->folder, name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    off_t at = (off_t)world_random((uint32_t)info.st_size);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= (uint8_t)(1U << world_random(8));
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* Whatever byte of whatever file is wrong: the check finds it, and no answer is. */
static void damage_is_found_and_never_answered_from(void **state)
{
    enum { NAMES = 200 };
    struct world world;
    struct exposure_rebuilt rebuilt;
    struct exposure_difference found;
    struct error error = {0};
    char(*names)[256] = calloc(NAMES, sizeof *names);
    world_make(&world);
    world_disclose(&world, 150);
    world_fold(&world);
    char *want = world_answer(&world, world.scene.exposure, INT64_MIN, INT64_MAX);
    for (int i = 0; i < 40; i++) {
        size_t count = list_files(&world, names, NAMES);
        flip(&world, names[world_random((uint32_t)count)]);
        assert_status(
            index_check(world.folder, world.scene.ledger_folder, &rebuilt, &found, &error),
            STATUS_CORRUPT);
        world_reopen(&world);
        struct table table;
        enum status status = exposure_combinations(world.scene.exposure, &world.policy, NULL,
                                                   instant("2026-10-20T03:00:00Z"),
                                                   instant("2026-12-12T05:00:00Z"), &table, &error);
        assert_true(status == STATUS_OK || status == STATUS_CORRUPT);
        if (status == STATUS_OK)
            table_free(&table);
        assert_status(index_rebuild(world.folder, world.scene.ledger_folder, &rebuilt, &error),
                      STATUS_OK);
        world_fold(&world);
        char *had = world_answer(&world, world.scene.exposure, INT64_MIN, INT64_MAX);
        assert_string_equal(had, want);
        free(had);
    }
    world_compare(&world);
    free(want);
    free(names);
    world_end(&world);
}

static void a_question_that_meets_damage_has_it_made_anew(void **state)
{
    struct world world;
    struct error error = {0};
    struct table table;
    char path[512];
    world_make(&world);
    world_disclose(&world, 150);
    world_fold(&world);
    /* Of a month: opening does not look at it, since only the file of all time is read then. */
    snprintf(path, sizeof path, "%s/month-202611.1.idx", world.folder);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "????", 4, 4096 + 3), 4);
    close(fd);
    scene_close(&world.scene);
    world_open(&world);
    enum status status =
        exposure_summary(world.scene.exposure, &world.policy, NULL, instant("2026-11-05T00:00:00Z"),
                         instant("2026-11-20T00:00:00Z"), &table, &error);
    assert_status(status, STATUS_CORRUPT);
    world_fold(&world); /* as the thread does, every two seconds */
    world_compare(&world);
    world_check(&world);
    world_end(&world);
}

static void spoil(const struct world *world, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", world->folder, name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "????", 4, 4096 + 3), 4);
    close(fd);
}

/* A day's file, which opening does not look at: the fold that goes on from it is the first to. */
static void a_fold_that_meets_damage_makes_all_anew(void **state)
{
    for (int restarts = 0; restarts < 2; restarts++) {
        struct world world;
        struct error error = {0};
        world_make(&world);
        struct disclosure what = {.partner = "north-mail",
                                  .grade = 1,
                                  .column_set = column_set(&world.scene, "a.b:clear:name\n"),
                                  .time_ns = instant("2026-10-14T05:00:00Z"),
                                  .count = 20};
        ledger_wait(world.scene.ledger, disclose(&world.scene, &what));
        world_fold(&world);
        spoil(&world, "day-20261014.1.idx");
        what.number = 30;
        ledger_wait(world.scene.ledger, disclose(&world.scene, &what));
        if (restarts == 1)
            world_reopen(&world);
        else if (index_fold(world.scene.exposure->index, &error) != STATUS_OK)
            world_fold(&world); /* as the thread does, two seconds later */
        world_compare(&world);
        world_check(&world);
        world_end(&world);
    }
}

static void another_ledgers_index_is_not_believed(void **state)
{
    struct world world;
    char path[256], elsewhere[256];
    world_make(&world);
    world_disclose(&world, 100);
    world_fold(&world);
    scene_close(&world.scene);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", world.scene.root);
    assert_int_equal(rename(world.scene.ledger_folder, elsewhere), 0);
    snprintf(path, sizeof path, "%s-old", world.scene.subjects);
    assert_int_equal(rename(world.scene.subjects, path), 0);
    world_open(&world);
    char *nothing = world_answer(&world, world.scene.exposure, INT64_MIN, INT64_MAX);
    assert_string_equal(nothing, "");
    free(nothing);
    world_disclose(&world, 30);
    world_compare(&world);
    world_fold(&world);
    world_compare(&world);
    world_check(&world);
    world_end(&world);
}

/* What a crash in the middle of a fold leaves: files that no manifest names, or none of them. */
static void leftovers_of_a_crash_do_no_harm(void **state)
{
    struct world world;
    char path[512];
    world_make(&world);
    world_disclose(&world, 60);
    world_fold(&world);
    for (int i = 0; i < 3; i++) {
        static const char *const leftovers[] = {"ever.2.idx", "day-20261014.2.idx",
                                                "month-202610.2.idx"};
        snprintf(path, sizeof path, "%s/%s", world.folder, leftovers[i]);
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        assert_int_equal(write(fd, "half", 4), 4);
        close(fd);
    }
    world_disclose(&world, 30);
    world_fold(&world);
    world_compare(&world);
    world_check(&world);
    world_end(&world);
}

/* ---- bounds and times ---- */

static void wait_for_fold(struct index *index, uint64_t sequence)
{
    enum { TRIES = 2000, PAUSE_US = 5000 };
    struct index_state at = {0};
    for (int i = 0; i < TRIES && at.sequence < sequence; i++) {
        pthread_mutex_lock(&index->watch_lock);
        pthread_cond_signal(&index->wake);
        pthread_mutex_unlock(&index->watch_lock);
        usleep(PAUSE_US);
        index_state(index, &at);
    }
    assert_int_equal(at.sequence, sequence);
}

/* A tail that is full takes no more: questions are refused, and never answered from less than all;
 * a fold makes them whole again. */
static void a_full_tail_refuses_questions_until_it_is_folded(void **state)
{
    struct world world;
    struct table table;
    struct error error = {0};
    world_make(&world);
    struct index *index = world.scene.exposure->index;
    struct index_state at;
    int lock;
    assert_status(index_lock(world.folder, true, &lock, &error), STATUS_OK); /* no fold begins */
    index->most = 20000;
    world_disclose(&world, 40);
    world_compare(&world); /* there is room yet */
    for (index_state(index, &at); !at.behind; index_state(index, &at))
        world_disclose(&world, 20);
    assert_true(at.tail_bytes < 3 * index->most);
    world_disclose(&world, 20);
    assert_status(exposure_summary(world.scene.exposure, &world.policy, NULL, INT64_MIN, INT64_MAX,
                                   &table, &error),
                  STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "53100");
    assert_status(exposure_never(world.scene.exposure, &world.policy, "ringway", &table, &error),
                  STATUS_LIMIT);
    close(lock);
    wait_for_fold(index, ledger_durable(world.scene.ledger));
    index_state(index, &at);
    assert_false(at.behind);
    world_compare(&world);
    world_check(&world);
    world_end(&world);
}

/* What is new is folded when a day has closed, however little it is, and not before; also when the
 * tail has grown large. */
static void a_fold_begins_when_a_day_closes_or_the_tail_is_large(void **state)
{
    struct world world;
    struct index_state at;
    world_make(&world);
    struct index *index = world.scene.exposure->index;
    world_disclose(&world, 10);
    index_state(index, &at);
    assert_int_equal(at.sequence, 0);
    index->folded_day--; /* as midnight does */
    wait_for_fold(index, ledger_durable(world.scene.ledger));
    world_disclose(&world, 10);
    struct index_state before;
    index_state(index, &before);
    usleep(50000); /* the day is folded */
    index_state(index, &at);
    assert_int_equal(at.sequence, before.sequence);
    assert_true(at.sequence < ledger_durable(world.scene.ledger));
    index->soft = 1;
    world_disclose(&world, 10);
    wait_for_fold(index, ledger_durable(world.scene.ledger));
    world_compare(&world);
    world_end(&world);
}

static enum status parse_first(enum index_level level, int32_t first)
{
    struct manifest_file files[] = {{.level = level, .first = first, .generation = 1, .size = 4100},
                                    {.level = INDEX_EVER, .generation = 1, .size = 4100}};
    const struct index_manifest manifest = {.generation = 1, .files = files, .count = 2};
    struct index_manifest parsed = {0};
    struct buffer text;
    buffer_init(&text, 1 << 16);
    manifest_format(&manifest, &text);
    enum status status = manifest_parse(buffer_slice(&text), &parsed, NULL);
    manifest_free(&parsed);
    buffer_free(&text);
    return status;
}

/* Days and months that nanoseconds reach, from 1677 to 2262, and no others. */
static void test_a_manifest_of_no_time(void **state)
{
    assert_status(parse_first(INDEX_DAY, 20758), STATUS_OK);
    assert_status(parse_first(INDEX_DAY, -106752), STATUS_OK);
    assert_status(parse_first(INDEX_DAY, 106751), STATUS_OK);
    assert_status(parse_first(INDEX_MONTH, 1677 * 12), STATUS_OK);
    assert_status(parse_first(INDEX_DAY, INT32_MAX), STATUS_CORRUPT);
    assert_status(parse_first(INDEX_DAY, INT32_MIN), STATUS_CORRUPT);
    assert_status(parse_first(INDEX_MONTH, INT32_MAX), STATUS_CORRUPT);
    assert_status(parse_first(INDEX_MONTH, -1), STATUS_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_and_memory_agree_whatever_is_folded_when),
        cmocka_unit_test(a_rebuild_is_taken_over_by_the_one_who_runs),
        cmocka_unit_test(a_fold_waits_for_entries_without_people),
        cmocka_unit_test(damage_is_found_and_never_answered_from),
        cmocka_unit_test(a_question_that_meets_damage_has_it_made_anew),
        cmocka_unit_test(a_fold_that_meets_damage_makes_all_anew),
        cmocka_unit_test(another_ledgers_index_is_not_believed),
        cmocka_unit_test(leftovers_of_a_crash_do_no_harm),
        cmocka_unit_test(a_full_tail_refuses_questions_until_it_is_folded),
        cmocka_unit_test(a_fold_begins_when_a_day_closes_or_the_tail_is_large),
        cmocka_unit_test(test_a_manifest_of_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

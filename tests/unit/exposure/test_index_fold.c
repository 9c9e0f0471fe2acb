/* The index against what goes wrong around it: a bit of any byte of any file, a ledger restored
 * from a backup, clocks that go back, thousands of column sets, midnight under load, death in a
 * fold, and a tail that would grow without end. */
#include "index_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "exposure/index_build.h"
#include "exposure/index_live.h"

static const int64_t HOUR_NS = 3600LL * 1000000000;

/* ---- every byte ---- */

static enum status print_view(void *context, const struct index_view *view, struct error *error)
{
    buffer_printf(context, "%s|%u|%u|%u|%s|%lld|%lld\n", view->partner, view->column_set,
                  view->kind, view->grade, view->purpose, (long long)view->first_hour,
                  (long long)view->last_hour);
    if (view->ids != NULL) {
        roaring_uint32_iterator_t *id = roaring_create_iterator(view->ids);
        for (; id->has_value; roaring_advance_uint32_iterator(id))
            buffer_printf(context, "%u,", id->current_value);
        roaring_free_uint32_iterator(id);
    }
    return STATUS_OK;
}

static enum status ask_statements(const struct world *world, struct buffer *told)
{
    struct table table;
    struct error error = {0};
    TRY(exposure_statements(world->folder, world->scene.ledger_folder, "ringway",
                            instant("2026-10-14T05:05:00Z"), instant("2026-11-02T09:30:00Z"), 10,
                            &table, &error));
    char *text = table_text(&table);
    buffer_append_text(told, text);
    free(text);
    table_free(&table);
    return STATUS_OK;
}

/* What another process reads: all time, a range that ends within a day, one person, deletions. */
static enum status ask(const struct world *world, struct buffer *told)
{
    struct index *index;
    struct error error = {0};
    struct index_range part =
        index_range(instant("2026-10-14T06:00:00Z"), instant("2026-11-02T10:00:00Z"));
    struct index_range ever = {INT64_MIN, INT64_MAX};
    TRY(index_open_reading(world->folder, world->scene.ledger_folder, &index, &error));
    enum status status = index_each(index, "ringway", ever, print_view, told, &error);
    if (status == STATUS_OK)
        status = index_each(index, "ringway", part, print_view, told, &error);
    for (uint32_t id = 0; id < 8 && status == STATUS_OK; id++)
        status = index_each_of(index, "ringway", id, print_view, told, &error);
    if (status == STATUS_OK)
        status = index_each_deleted(index, "ringway", print_view, told, &error);
    for (uint32_t set = 1; set < 3; set++) {
        const char *text = index_column_text(index, set);
        buffer_printf(told, "%s", text == NULL ? "-" : text);
    }
    buffer_printf(told, "%lld", (long long)index_deleted_before(index, "ringway"));
    index_free(index);
    return status == STATUS_OK ? ask_statements(world, told) : status;
}

static void give(struct world *world, const char *time, size_t number, size_t count)
{
    struct disclosure what = {.partner = "ringway",
                              .grade = 1,
                              .column_set = column_set(&world->scene, "a.b:clear:name\n"),
                              .time_ns = instant(time),
                              .number = number,
                              .count = count};
    disclose(&world->scene, &what);
}

static void make_small(struct world *world)
{
    world_make(world);
    give(world, "2026-10-14T05:10:00Z", 0, 4);
    give(world, "2026-10-14T07:10:00Z", 2, 4);
    give(world, "2026-11-02T09:10:00Z", 1, 6);
    struct disclosure gone = {.partner = "ringway",
                              .type = LEDGER_DELETED,
                              .grade = 1,
                              .time_ns = instant("2026-11-03T00:00:00Z"),
                              .count = 2,
                              .text = "before=2026-10-14T06:00:00Z\n"};
    ledger_wait(world->scene.ledger, disclose(&world->scene, &gone));
    world_fold(world);
}

/* A bit of each byte that says something, and of some of the filling. Returns how many were tried.
 */
static size_t flip_all(const struct world *world, const char *name, const struct buffer *want)
{
    enum { FILLING_STEP = 97 };
    char path[512];
    struct stat info;
    struct buffer told;
    size_t tried = 0;
    snprintf(path, sizeof path, "%s/%s", world->folder, name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    buffer_init(&told, 1 << 20);
    for (off_t at = 0; at < info.st_size; at++) {
        uint8_t byte, wrong;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        if (byte == 0 && at % FILLING_STEP != 0)
            continue;
        wrong = byte ^ (uint8_t)(1U << (at % 8));
        assert_int_equal(pwrite(fd, &wrong, 1, at), 1);
        buffer_clear(&told);
        enum status status = ask(world, &told);
        if (status == STATUS_OK && !slice_equal(buffer_slice(&told), buffer_slice(want)))
            fail_msg("%s, byte %lld: another answer", name, (long long)at);
        assert_true(status == STATUS_OK || status == STATUS_CORRUPT);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        tried++;
    }
    buffer_free(&told);
    close(fd);
    return tried;
}

static void no_flipped_bit_changes_an_answer(void **state)
{
    struct world world;
    struct buffer want;
    size_t files = 0, tried = 0;
    make_small(&world);
    buffer_init(&want, 1 << 20);
    assert_status(ask(&world, &want), STATUS_OK);
    assert_true(want.len > 200);
    DIR *listing = opendir(world.folder);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (strstr(entry->d_name, ".idx") != NULL || strcmp(entry->d_name, "manifest") == 0) {
            tried += flip_all(&world, entry->d_name, &want);
            files++;
        }
    closedir(listing);
    assert_true(files >= 6 && tried > 1000);
    buffer_free(&want);
    world_end(&world);
}

/* ---- a restored ledger ---- */

static void copy_folder(const char *from, const char *to)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execlp("cp", "cp", "-a", from, to, (char *)NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void restore(const struct world *world, const char *ledger, const char *subjects)
{
    char gone[256];
    static int number;
    number++;
    snprintf(gone, sizeof gone, "%s/gone-%d", world->scene.root, number);
    assert_int_equal(rename(world->scene.ledger_folder, gone), 0);
    snprintf(gone, sizeof gone, "%s/gone-subjects-%d", world->scene.root, number);
    assert_int_equal(rename(world->scene.subjects, gone), 0);
    copy_folder(ledger, world->scene.ledger_folder);
    copy_folder(subjects, world->scene.subjects);
}

/* The index speaks of entries that the ledger has lost; later the ledger has as many again, others.
 */
static void an_index_newer_than_a_restored_ledger_is_not_believed(void **state)
{
    struct world world;
    char ledger[128], subjects[128], folder[96];
    make_small(&world);
    snprintf(ledger, sizeof ledger, "%s/old-ledger", world.scene.root);
    snprintf(subjects, sizeof subjects, "%s/old-subjects", world.scene.root);
    scene_close(&world.scene);
    copy_folder(world.scene.ledger_folder, ledger);
    copy_folder(world.scene.subjects, subjects);
    world_open(&world);
    world_disclose(&world, 40);
    world_fold(&world);
    scene_close(&world.scene);
    struct buffer told, want;
    buffer_init(&told, 1 << 20);
    buffer_init(&want, 1 << 20);
    restore(&world, ledger, subjects);
    assert_status(ask(&world, &told), STATUS_OK); /* reading beside nobody: from the ledger alone */
    snprintf(folder, sizeof folder, "%s", world.folder);
    snprintf(world.folder, sizeof world.folder, "%s/beside", world.scene.root);
    world_open(&world);
    assert_status(ask(&world, &want), STATUS_OK);
    assert_true(slice_equal(buffer_slice(&told), buffer_slice(&want)));
    world_disclose(&world, 60); /* further than the index that knows of other entries */
    scene_close(&world.scene);
    snprintf(world.folder, sizeof world.folder, "%s", folder);
    world_open(&world);
    world_compare(&world);
    world_check(&world);
    scene_close(&world.scene);
    restore(&world, ledger, subjects);
    world_open(&world);
    world_compare(&world);
    world_check(&world);
    buffer_free(&told);
    buffer_free(&want);
    world_end(&world);
}

/* ---- clocks ---- */

static void a_clock_that_goes_back_is_told_as_it_went(void **state)
{
    struct world world;
    int64_t start_ns = instant("2026-11-02T03:30:00Z");
    world_make(&world);
    struct disclosure what = {.partner = "ringway",
                              .grade = 1,
                              .column_set = column_set(&world.scene, "a.b:clear:name\n"),
                              .count = 3};
    for (int hours = 0; hours < 60; hours++) { /* over two midnights and a month's beginning */
        what.time_ns = start_ns - hours * HOUR_NS;
        what.number = (size_t)hours;
        ledger_wait(world.scene.ledger, disclose(&world.scene, &what));
        if (hours % 7 == 3)
            world_fold(&world);
        if (hours == 30)
            world.scene.exposure->index->folded_day++; /* it was tomorrow when it was folded */
    }
    world_compare(&world);
    world_fold(&world);
    world_compare(&world);
    world_check(&world);
    world_end(&world);
}

struct loading {
    struct world *world;
    uint32_t set;
    size_t number;
};

static void *load(void *context)
{
    enum { ENTRIES = 150 };
    const struct loading *loading = context;
    int64_t start_ns = instant("2026-10-31T22:00:00Z");
    for (size_t i = 0; i < ENTRIES; i++) {
        struct disclosure what = {.partner = "ringway",
                                  .grade = 1,
                                  .column_set = loading->set,
                                  .time_ns = start_ns + (int64_t)i * (HOUR_NS / 30),
                                  .number = loading->number + i,
                                  .count = 3};
        uint64_t sequence = disclose(&loading->world->scene, &what);
        if (i % 10 == 0)
            ledger_wait(loading->world->scene.ledger, sequence);
    }
    return NULL;
}

static void days_close_while_sessions_go_on(void **state)
{
    enum { THREADS = 3, ROUNDS = 40, PAUSE_US = 2000 };
    struct world world;
    pthread_t threads[THREADS];
    struct loading loadings[THREADS];
    world_make(&world);
    struct index *index = world.scene.exposure->index;
    uint32_t set = column_set(&world.scene, "a.b:clear:name\n");
    for (size_t i = 0; i < THREADS; i++) {
        loadings[i] = (struct loading){.world = &world, .set = set, .number = i * 100};
        assert_int_equal(pthread_create(&threads[i], NULL, load, &loadings[i]), 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        index->folded_day--; /* midnight */
        pthread_mutex_lock(&index->watch_lock);
        pthread_cond_signal(&index->wake);
        pthread_mutex_unlock(&index->watch_lock);
        usleep(PAUSE_US);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    give(&world, "2026-11-01T09:10:00Z", 0, 3);
    ledger_wait(world.scene.ledger, ledger_durable(world.scene.ledger) - 1);
    world_reopen(&world); /* what was folded meanwhile, and the rest */
    world_compare(&world);
    world_check(&world);
    world_end(&world);
}

/* ---- many column sets ---- */

static enum status count_view(void *context, const struct index_view *view, struct error *error)
{
    assert_int_equal(roaring_bitmap_get_cardinality(view->ids), 1);
    ++*(size_t *)context;
    return STATUS_OK;
}

static void assert_sets(struct world *world, const char *partner, size_t count)
{
    struct error error = {0};
    struct index *index = world->scene.exposure->index;
    roaring_bitmap_t *sets = NULL;
    size_t views = 0;
    assert_status(
        index_each(index, partner, index_range(INT64_MIN, INT64_MAX), count_view, &views, &error),
        STATUS_OK);
    assert_int_equal(views, count);
    assert_status(index_column_sets(index, partner, &sets, &error), STATUS_OK);
    assert_int_equal(roaring_bitmap_get_cardinality(sets), count);
    roaring_bitmap_free(sets);
}

static void thousands_of_column_sets_are_kept_apart(void **state)
{
    enum { SETS = 4000 };
    static const char *const partners[] = {"ringway", "tollgate"};
    struct world world;
    uint64_t last = 0;
    world_make(&world);
    for (size_t i = 0; i < SETS; i++) {
        char text[64];
        snprintf(text, sizeof text, "crm.customer.c%zu:clear:name\n", i);
        struct disclosure what = {.grade = 1,
                                  .column_set = column_set(&world.scene, text),
                                  .time_ns = instant("2026-10-14T05:10:00Z"),
                                  .number = i % 50,
                                  .count = 1};
        for (size_t p = 0; p < 2; p++) {
            what.partner = partners[p];
            last = disclose(&world.scene, &what);
        }
        if (i == SETS / 2) {
            ledger_wait(world.scene.ledger, last);
            world_fold(&world);
        }
    }
    ledger_wait(world.scene.ledger, last);
    for (int round = 0; round < 2; round++) {
        for (size_t p = 0; p < 2; p++)
            assert_sets(&world, partners[p], SETS);
        world_fold(&world);
    }
    world_check(&world);
    world_end(&world);
}

/* ---- death ---- */

/* Folds and is told of more until it is killed. */
_Noreturn static void live_until_killed(struct world *world)
{
    world_open(world);
    for (;;) {
        world_disclose(world, 3);
        world_fold(world);
    }
}

static void death_in_a_fold_loses_nothing(void **state)
{
    enum { DEATHS = 12, LEAST_US = 8000, SPREAD_US = 40000 };
    struct world world;
    make_small(&world);
    scene_close(&world.scene);
    for (int i = 0; i < DEATHS; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            live_until_killed(&world);
        usleep(LEAST_US + world_random(SPREAD_US));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        if (i % 3 == 0) { /* the others go on from what the one before left */
            world_open(&world);
            world_check(&world);
            scene_close(&world.scene);
        }
    }
    world_open(&world);
    assert_true(ledger_durable(world.scene.ledger) > 20);
    world_compare(&world);
    world_check(&world);
    world_end(&world);
}

/* ---- memory ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { COUNTS_HEAP = 0 }; /* the allocator is not the C library's */
#else
enum { COUNTS_HEAP = 1 };
#endif

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* A tail says how many bytes it takes, and takes no more than that: in many small series, in one
 * large hour, in hour after hour. What is over the bound is left out and said to be. */
static void the_tail_stays_within_its_bound(void **state)
{
    enum { MOST = 4 << 20, ADDITIONS = 120000, IDS = 40 };
    for (int shape = 0; shape < 3; shape++) {
        struct world world;
        struct index_state at;
        struct error error = {0};
        int lock;
        world_make(&world);
        struct index *index = world.scene.exposure->index;
        assert_status(index_lock(world.folder, true, &lock, &error), STATUS_OK); /* no fold */
        index->most = MOST;
        size_t before = heap_bytes();
        for (uint32_t i = 0; i < ADDITIONS; i++) {
            uint32_t ids[IDS];
            for (uint32_t n = 0; n < IDS; n++)
                ids[n] = i * IDS + n;
            struct index_place place = {.partner = slice_of_text("ringway"),
                                        .column_set = shape == 0 ? 1 + i : 1,
                                        .grade = 1,
                                        .sequence = i};
            index_add(index, &place, (shape == 2 ? i : 0) * HOUR_NS, ids, shape == 1 ? IDS : 1);
        }
        size_t grown = heap_bytes() - before;
        index_state(index, &at);
        assert_true(at.behind && at.tail_bytes >= MOST && at.tail_bytes < 2 * MOST);
        if (COUNTS_HEAP)
            assert_true(grown < 2 * MOST);
        close(lock);
        world_end(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_flipped_bit_changes_an_answer),
        cmocka_unit_test(an_index_newer_than_a_restored_ledger_is_not_believed),
        cmocka_unit_test(a_clock_that_goes_back_is_told_as_it_went),
        cmocka_unit_test(days_close_while_sessions_go_on),
        cmocka_unit_test(thousands_of_column_sets_are_kept_apart),
        cmocka_unit_test(death_in_a_fold_loses_nothing),
        cmocka_unit_test(the_tail_stays_within_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

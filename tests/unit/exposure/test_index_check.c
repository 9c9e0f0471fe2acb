/* The check of the index against the ledger tells where they part: whose series, of which hour,
 * and who. The indexes here are sound in themselves, of this ledger by their manifest, and lie. */
#include "scene.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "exposure/index_build.h"
#include "exposure/index_key.h"

static const int64_t HOUR_NS = 3600LL * 1000000000;

enum { PEOPLE = 20 };
static const uint32_t NOBODY = UINT32_MAX;

struct world {
    struct scene scene;
    char folder[96];
    uint32_t set;
    int32_t hour;
    struct index_manifest honest;
};

/* Twenty people of one partner in one hour, ids 0 and up, in files. */
static void make_world(struct world *world)
{
    struct exposure_rebuilt rebuilt;
    struct error error = {0};
    *world = (struct world){0};
    struct scene *scene = &world->scene;
    scene_make(scene);
    scene_open(scene);
    snprintf(world->folder, sizeof world->folder, "%s/exposure", scene->root);
    world->set = column_set(scene, "a.b:clear:name\n");
    world->hour = (int32_t)(instant("2026-10-14T05:00:00Z") / HOUR_NS);
    struct disclosure what = {.partner = "north-mail",
                              .grade = 1,
                              .column_set = world->set,
                              .time_ns = instant("2026-10-14T05:10:00Z"),
                              .purpose = "recall",
                              .count = PEOPLE};
    ledger_wait(scene->ledger, disclose(scene, &what));
    if (index_rebuild(world->folder, scene->ledger_folder, &rebuilt, &error) != STATUS_OK ||
        manifest_read(world->folder, &world->honest, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void end_world(struct world *world)
{
    manifest_free(&world->honest);
    scene_close(&world->scene);
    scene_remove(&world->scene);
}

struct lie {
    const char *partner;
    uint32_t without, beside; /* ids, or NOBODY */
    int32_t hours_later;
    bool untold; /* what the statement told lacks somebody */
    const char *text;
};

/* Writes an index that says so, of the honest one's entries. */
static void write_lie(struct world *world, const struct lie *lie)
{
    struct index_manifest told = {.sequence = world->honest.sequence,
                                  .generation = world->honest.generation};
    struct name_pool pool;
    struct tail *tail;
    struct told *said;
    struct error error = {0};
    const struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                       .partner = slice_of_text("north-mail"),
                                       .time_ns = instant("2026-10-14T05:10:00Z")};
    struct index_place place = {.partner = slice_of_text(lie->partner),
                                .agent = slice_of_text(""),
                                .purpose = slice_of_text("recall"),
                                .column_set = world->set,
                                .grade = 1};
    memcpy(told.log_id, world->honest.log_id, sizeof told.log_id);
    memcpy(told.root, world->honest.root, sizeof told.root);
    name_pool_init(&pool);
    assert_status(tail_new(&pool, &tail, &error), STATUS_OK);
    for (uint32_t id = 0; id < PEOPLE; id++)
        if (id != lie->without)
            tail_add(tail, &place, world->hour + lie->hours_later, &id, 1);
    if (lie->beside != NOBODY)
        tail_add(tail, &place, world->hour + lie->hours_later, &lie->beside, 1);
    assert_status(told_new(NULL, &pool, &said, &error), STATUS_OK);
    for (uint32_t id = lie->untold ? 1 : 0; id < PEOPLE; id++)
        told_ids(said, 1, &id, 1);
    assert_status(told_end(said, &entry, &error), STATUS_OK);
    tail_add_column_set(tail, slice_of_text("north-mail"), world->set);
    tail_add_text(tail, 1, slice_of_text(lie->text));
    if (index_fold_write(world->folder, NULL, tail, said, &told, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    manifest_free(&told);
    tail_free(tail);
    told_free(said);
    name_pool_free(&pool);
}

static struct exposure_difference check(struct world *world, enum status wanted)
{
    struct exposure_rebuilt rebuilt;
    struct exposure_difference found;
    struct error error = {0};
    assert_status(index_check(world->folder, world->scene.ledger_folder, &rebuilt, &found, &error),
                  wanted);
    return found;
}

static void assert_series(const struct world *world, const struct exposure_difference *found)
{
    assert_string_equal(found->file, "day-20261014");
    assert_string_equal(found->purpose, "recall");
    assert_string_equal(found->columns, "a.b:clear:name\n");
    assert_int_equal(found->column_set, world->set);
    assert_int_equal(found->grade, 1);
    assert_true(found->has_hours);
}

static void who_differs_is_named(void **state)
{
    struct world world;
    struct exposure_difference found;
    make_world(&world);
    const struct lie none = {"north-mail", NOBODY, NOBODY, 0, false, "a.b:clear:name\n"};
    const struct lie lacks = {"north-mail", 8, NOBODY, 0, false, "a.b:clear:name\n"};
    const struct lie too_many = {"north-mail", NOBODY, 90, 0, false, "a.b:clear:name\n"};
    write_lie(&world, &none); /* the ids are what the scene's people got */
    assert_int_equal(check(&world, STATUS_OK).what, EXPOSURE_SAME);
    write_lie(&world, &lacks);
    found = check(&world, STATUS_CORRUPT);
    assert_int_equal(found.what, EXPOSURE_SUBJECT_DIFFERS);
    assert_series(&world, &found);
    assert_string_equal(found.partner, "north-mail");
    assert_int_equal(found.subject, 8);
    assert_false(found.index_has);
    assert_int_equal(found.from_hour, world.hour);
    assert_int_equal(found.until_hour, world.hour + 1);
    assert_int_equal(found.index_count, PEOPLE - 1);
    assert_int_equal(found.ledger_count, PEOPLE);
    write_lie(&world, &too_many);
    found = check(&world, STATUS_CORRUPT);
    assert_int_equal(found.what, EXPOSURE_SUBJECT_DIFFERS);
    assert_int_equal(found.subject, 90);
    assert_true(found.index_has);
    end_world(&world);
}

static void whose_series_and_which_hour_are_named(void **state)
{
    struct world world;
    struct exposure_difference found;
    make_world(&world);
    const struct lie other = {"a-partner", NOBODY, NOBODY, 0, false, "a.b:clear:name\n"};
    const struct lie later = {"north-mail", NOBODY, NOBODY, 1, false, "a.b:clear:name\n"};
    const struct lie text = {"north-mail", NOBODY, NOBODY, 0, false, "a.c:clear:name\n"};
    write_lie(&world, &other); /* it comes first: nobody but the index knows it */
    found = check(&world, STATUS_CORRUPT);
    assert_int_equal(found.what, EXPOSURE_SUBJECT_DIFFERS);
    assert_series(&world, &found);
    assert_string_equal(found.partner, "a-partner");
    assert_true(found.index_has && found.ledger_count == 0);
    write_lie(&world, &later);
    found = check(&world, STATUS_CORRUPT);
    assert_series(&world, &found);
    assert_int_equal(found.from_hour, world.hour);
    assert_false(found.index_has);
    write_lie(&world, &text);
    found = check(&world, STATUS_CORRUPT);
    assert_int_equal(found.what, EXPOSURE_TEXT_DIFFERS);
    assert_string_equal(found.file, "ever");
    assert_int_equal(found.column_set, world.set);
    end_world(&world);
}

static void what_a_statement_told_is_compared(void **state)
{
    struct world world;
    struct exposure_difference found;
    make_world(&world);
    const struct lie lie = {"north-mail", NOBODY, NOBODY, 0, true, "a.b:clear:name\n"};
    write_lie(&world, &lie);
    found = check(&world, STATUS_CORRUPT);
    assert_int_equal(found.what, EXPOSURE_STATEMENT_DIFFERS);
    assert_string_equal(found.partner, "north-mail");
    assert_int_equal(found.from_hour, world.hour);
    assert_int_equal(strlen(found.statement), 64);
    assert_int_equal(found.index_count, PEOPLE - 1);
    assert_int_equal(found.ledger_count, PEOPLE);
    end_world(&world);
}

static void damage_is_told_as_a_file(void **state)
{
    struct world world;
    struct exposure_difference found;
    struct manifest_file day;
    char path[INDEX_PATH_ROOM];
    make_world(&world);
    day = world.honest.files[0];
    assert_status(manifest_path(world.folder, &day, path, NULL), STATUS_OK);
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "?", 1, 4100), 1);
    close(fd);
    found = check(&world, STATUS_CORRUPT);
    assert_int_equal(found.what, EXPOSURE_FILE_DIFFERS);
    assert_string_equal(found.file, "day-20261014");
    assert_int_equal(found.byte, 4100);
    end_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_differs_is_named),
        cmocka_unit_test(whose_series_and_which_hour_are_named),
        cmocka_unit_test(what_a_statement_told_is_compared),
        cmocka_unit_test(damage_is_told_as_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

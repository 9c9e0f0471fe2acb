/* See index_world.h. */
#include "index_world.h"

#include <stdlib.h>
#include <string.h>

#include "exposure/index_build.h"

static const int64_t HOUR_NS = 3600LL * 1000000000;

enum { PEOPLE = 500, DAYS = 75 };

static uint64_t random_state = 11;

uint32_t world_random(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

void world_open(struct world *world)
{
    struct scene *scene = &world->scene;
    struct error error = {0};
    assert_status(exposure_open(scene->subjects, &scene->exposure, &error), STATUS_OK);
    if (exposure_use_index(scene->exposure, world->folder, scene->ledger_folder, &error) !=
        STATUS_OK)
        fail_msg("use index: %s", error.message);
    struct ledger_options options = {.folder = scene->ledger_folder,
                                     .node = "test",
                                     .segment_bytes = 131072,
                                     .replay = exposure_replay,
                                     .replay_context = scene->exposure};
    if (ledger_open(&options, &scene->ledger, &error) != STATUS_OK ||
        exposure_attach(scene->exposure, scene->ledger, &error) != STATUS_OK)
        fail_msg("open: %s", error.message);
}

void world_make(struct world *world)
{
    *world = (struct world){.kind = {.name = "customer"}};
    world->policy = (struct policy){.kinds = &world->kind, .kind_count = 1};
    scene_make(&world->scene);
    snprintf(world->folder, sizeof world->folder, "%s/exposure", world->scene.root);
    world_open(world);
}

void world_reopen(struct world *world)
{
    scene_close(&world->scene);
    world_open(world);
}

void world_end(struct world *world)
{
    scene_close(&world->scene);
    scene_remove(&world->scene);
}

void world_fold(struct world *world)
{
    struct error error = {0};
    if (index_fold(world->scene.exposure->index, &error) != STATUS_OK)
        fail_msg("fold: %s", error.message);
}

/* Mostly onwards over DAYS, now and then far back; every grade, several purposes and partners. */
void world_disclose(struct world *world, int count)
{
    static const char *const partners[] = {"north-mail", "ringway", "tollgate"};
    static const char *const purposes[] = {NULL, "recall", "billing"};
    static int64_t hour;
    char at[64];
    uint32_t sets[3];
    sets[0] = column_set(&world->scene, "crm.customer.name:clear:name\n");
    sets[1] = column_set(&world->scene, "crm.customer.phone:masked:phone\n");
    sets[2] =
        column_set(&world->scene, "crm.customer.name:clear:name\ncrm.customer.vin:token:vin\n");
    for (int i = 0; i < count; i++) {
        hour = (hour + world_random(4)) % (DAYS * 24);
        int64_t then = world_random(20) == 0 ? world_random(DAYS * 24) : hour;
        int64_t time_ns = instant("2026-10-14T00:00:00Z") + then * HOUR_NS + world_random(3600);
        bool told = world_random(15) == 0;
        snprintf(at, sizeof at, "at=2026-0%u-1%uT0%u:00:00Z\n", 1 + world_random(9),
                 world_random(9), world_random(9));
        struct disclosure what = {.partner = partners[world_random(3)],
                                  .type = told ? LEDGER_DECLARED : LEDGER_DISCLOSURE,
                                  .grade = told ? 1 : (uint8_t)(1 + world_random(5)),
                                  .k = world_random(2) * 5,
                                  .column_set = sets[world_random(3)],
                                  .time_ns = time_ns,
                                  .number = world_random(PEOPLE),
                                  .count = 1 + world_random(40),
                                  .purpose = purposes[world_random(3)],
                                  .text = told ? at : NULL};
        ledger_wait(world->scene.ledger, disclose(&world->scene, &what));
    }
}

/* ---- answers ---- */

char *world_answer(struct world *world, struct exposure *exposure, int64_t from_ns, int64_t to_ns)
{
    struct table summary, combinations, never;
    struct error error = {0};
    if (exposure_summary(exposure, &world->policy, NULL, from_ns, to_ns, &summary, &error) !=
            STATUS_OK ||
        exposure_combinations(exposure, &world->policy, NULL, from_ns, to_ns, &combinations,
                              &error) != STATUS_OK ||
        exposure_never(exposure, &world->policy, NULL, &never, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    char *first = table_text(&summary), *second = table_text(&combinations), *whole = NULL;
    assert_true(asprintf(&whole, "%s%s", first, second) >= 0);
    free(first);
    free(second);
    table_free(&summary);
    table_free(&combinations);
    table_free(&never);
    return whole;
}

static void compare_subjects(struct exposure *left, struct exposure *right)
{
    char key[16];
    for (unsigned i = 0; i < PEOPLE; i += 7) {
        struct table had, want;
        struct error error = {0};
        snprintf(key, sizeof key, "%u", i);
        enum status status = exposure_subject(left, 0, slice_of_text(key), &had, &error);
        assert_status(exposure_subject(right, 0, slice_of_text(key), &want, &error), status);
        if (status != STATUS_OK)
            continue;
        char *had_text = table_text(&had), *want_text = table_text(&want);
        assert_string_equal(had_text, want_text);
        free(had_text);
        free(want_text);
        table_free(&had);
        table_free(&want);
    }
}

/* An exposure that has read the whole ledger into memory. */
static void read_in_memory(struct world *world, struct exposure *memory)
{
    struct error error = {0};
    char nowhere[128];
    *memory = (struct exposure){.dictionary = world->scene.exposure->dictionary,
                                .ledger = world->scene.ledger};
    snprintf(nowhere, sizeof nowhere, "%s/nowhere", world->scene.root);
    assert_status(index_open_reading(nowhere, world->scene.ledger_folder, &memory->index, &error),
                  STATUS_OK);
}

void world_compare(struct world *world)
{
    struct exposure memory;
    int64_t start_ns = instant("2026-10-14T00:00:00Z");
    read_in_memory(world, &memory);
    for (int i = 0; i < 40; i++) {
        int64_t from = i == 0 ? INT64_MIN : start_ns + (int64_t)world_random(DAYS * 24) * HOUR_NS;
        int64_t to = i < 2 ? INT64_MAX : from + (int64_t)(1 + world_random(50 * 24)) * HOUR_NS;
        if (i % 4 == 3) /* whole days */
            from -= (from % (24 * HOUR_NS)), to -= (to % (24 * HOUR_NS));
        char *had = world_answer(world, world->scene.exposure, from, to);
        char *want = world_answer(world, &memory, from, to);
        assert_string_equal(had, want);
        free(had);
        free(want);
    }
    compare_subjects(world->scene.exposure, &memory);
    index_free(memory.index);
}

void world_check(struct world *world)
{
    struct exposure_rebuilt rebuilt;
    struct error error = {0};
    struct exposure_difference found;
    if (index_check(world->folder, world->scene.ledger_folder, &rebuilt, &found, &error) !=
        STATUS_OK)
        fail_msg("check: %s", error.message);
    assert_true(rebuilt.entries > 0 && rebuilt.files > 1);
}

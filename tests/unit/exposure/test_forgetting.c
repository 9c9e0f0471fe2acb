/* What a cut of the ledger would make the accounts forget is told exactly before, and is what they
 * have forgotten after: then a running exposure is one that was started on what is left. */
#include "scene.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "exposure/forgetting.h"
#include "ledger/retention.h"

static const int64_t day_ns = 86400LL * 1000000000;
static const char *const partners[] = {"north-mail", "ringway"};

struct world {
    struct scene scene;
    char index[96];
    struct policy_partner partner[2];
    struct policy_limit phones;
    struct policy policy;
    uint32_t name, phone;
};

static void open_world(struct world *world)
{
    struct scene *scene = &world->scene;
    struct error error = {0};
    struct ledger_options options = {.folder = scene->ledger_folder,
                                     .node = "test",
                                     .segment_bytes = 131072,
                                     .replay = exposure_replay};
    assert_status(exposure_open(scene->subjects, &scene->exposure, &error), STATUS_OK);
    options.replay_context = scene->exposure;
    if (exposure_use_index(scene->exposure, world->index, scene->ledger_folder, &error) !=
            STATUS_OK ||
        ledger_open(&options, &scene->ledger, &error) != STATUS_OK ||
        exposure_attach(scene->exposure, scene->ledger, &error) != STATUS_OK)
        fail_msg("open: %s", error.message);
}

static unsigned segment_of(struct ledger *ledger)
{
    struct ledger_state state;
    ledger_state(ledger, &state);
    return (unsigned)state.current_segment;
}

static uint64_t give(struct world *world, const char *partner, size_t number, size_t count,
                     uint32_t columns, int64_t time_ns)
{
    struct disclosure what = {.partner = partner,
                              .grade = 1,
                              .column_set = columns,
                              .number = number,
                              .count = count,
                              .time_ns = time_ns};
    uint64_t sequence = disclose(&world->scene, &what);
    ledger_wait(world->scene.ledger, sequence);
    return sequence;
}

/* Years ago north-mail had the names of 0 … 19 and the telephones of 0 … 9, ringway names of 5 … 9;
 * for three segments. Since yesterday north-mail has had names of 5 … 24. */
static void make_world(struct world *world)
{
    int64_t now_ns = clock_now_ns(), then_ns = now_ns - 1000 * day_ns;
    *world = (struct world){.phones = {.name = "phones", .category = "phone", .subjects = 100}};
    world->phones.window = POLICY_EVER;
    for (size_t i = 0; i < 2; i++)
        world->partner[i] = (struct policy_partner){.name = partners[i]};
    world->partner[0].budget.limits = &world->phones;
    world->partner[0].budget.limit_count = 1;
    world->policy = (struct policy){.partners = world->partner, .partner_count = 1};
    scene_make(&world->scene);
    snprintf(world->index, sizeof world->index, "%s/exposure", world->scene.root);
    open_world(world);
    world->name = column_set(&world->scene, "crm.person.name:clear:name\n");
    world->phone = column_set(&world->scene, "crm.person.phone:clear:phone\n");
    give(world, "north-mail", 0, 10, world->phone, then_ns);
    for (unsigned i = 0; i < 60; i++)
        give(world, i % 3 == 0 ? "ringway" : "north-mail", i % 3 == 0 ? 5 : 5 * (i % 4), 5,
             world->name, then_ns + i);
    for (unsigned i = 0; segment_of(world->scene.ledger) < 4; i++)
        give(world, "north-mail", 5, 5, world->name, then_ns + 60 + i);
    for (unsigned i = 0; segment_of(world->scene.ledger) < 6; i++)
        give(world, "north-mail", 5 + 5 * (i % 4), 5, world->name, now_ns - day_ns + i);
}

static void end_world(struct world *world)
{
    scene_close(&world->scene);
    scene_remove(&world->scene);
}

static void plan_for(struct world *world, struct retention_plan *plan)
{
    struct checkpoint checkpoint;
    struct error error = {0};
    /* The entries that define column sets are of now. */
    const struct retention_wish wish = {.before_ns = INT64_MAX,
                                        .keep_segments = 3,
                                        .reason = "kept for two years",
                                        .vouched = UINT64_MAX};
    assert_status(ledger_checkpoint(world->scene.ledger, &checkpoint, NULL, &error), STATUS_OK);
    if (retention_plan(world->scene.ledger_folder, &wish, plan, &error) != STATUS_OK)
        fail_msg("plan: %s", error.message);
}

static struct forgetting *reckon(struct world *world, const struct retention_plan *plan)
{
    struct forgetting *forgetting = NULL;
    struct error error = {0};
    atomic_bool stop = false;
    if (forgetting_reckon(world->scene.exposure, world->scene.ledger_folder,
                          plan->statement.tree.size, &stop, &forgetting, &error) != STATUS_OK)
        fail_msg("reckon: %s", error.message);
    return forgetting;
}

static void add_line(void *context, const struct forgetting_limit *limit)
{
    char *lines = context;
    size_t len = strlen(lines);
    snprintf(lines + len, 400 - len, "%s %s %u %u\n", limit->partner, limit->limit,
             (unsigned)limit->now, (unsigned)limit->after);
}

static void what_would_be_forgotten_is_told(void **state)
{
    struct world world;
    struct retention_plan plan;
    char lines[400] = "";
    make_world(&world);
    plan_for(&world, &plan);
    struct forgetting *forgetting = reckon(&world, &plan);
    forgetting_limits(forgetting, &world.policy, clock_now_ns(), add_line, lines);
    /* Telephones are forgotten also of those who stay in the total. */
    assert_string_equal(lines,
                        "north-mail total 25 20\nnorth-mail phones 10 0\nringway total 5 0\n");
    assert_int_equal(forgetting_people(forgetting), 5);
    forgetting_free(forgetting);
    retention_plan_free(&plan);
    end_world(&world);
}

static char *state_of(struct world *world)
{
    static const char *const ever = "ever";
    struct table summary, never;
    struct error error = {0};
    struct exposure_limit limits[EXPOSURE_LIMITS];
    struct ledger_since since;
    struct policy_kind kind = {.name = "person"};
    struct policy policy = world->policy;
    char *whole = strdup("");
    policy.kinds = &kind;
    policy.kind_count = 1;
    for (size_t p = 0; p < 2; p++) {
        size_t count =
            exposure_limits(world->scene.exposure, &world->partner[p], clock_now_ns(), limits);
        for (size_t i = 0; i < count; i++) {
            char *before = whole;
            assert_true(asprintf(&whole, "%s%s %s %u %d %.2f\n", before, partners[p],
                                 limits[i].name, (unsigned)limits[i].used,
                                 strcmp(limits[i].window, ever) == 0, limits[i].pace) > 0);
            free(before);
        }
    }
    assert_status(exposure_summary(world->scene.exposure, &policy, NULL, INT64_MIN, INT64_MAX,
                                   &summary, &error),
                  STATUS_OK);
    assert_status(exposure_never(world->scene.exposure, &policy, NULL, &never, &error), STATUS_OK);
    exposure_since(world->scene.exposure, &since);
    char *before = whole, *tables = table_text(&summary), *nothing = table_text(&never);
    assert_true(asprintf(&whole, "%s%s%s%llu\n", before, tables, nothing,
                         (unsigned long long)since.below) > 0);
    free(before);
    free(tables);
    free(nothing);
    table_free(&summary);
    table_free(&never);
    return whole;
}

static void a_running_exposure_is_as_one_that_was_started_after_the_cut(void **state)
{
    struct world world;
    struct retention_plan plan;
    struct exposure_rebuilt rebuilt;
    struct exposure_difference found;
    struct error error = {0};
    make_world(&world);
    plan_for(&world, &plan);
    struct forgetting *forgetting = reckon(&world, &plan);
    /* Somebody is charged after it was reckoned, and is not forgotten. */
    give(&world, "ringway", 40, 3, world.name, clock_now_ns());
    assert_status(forgetting_settle(world.scene.exposure, forgetting, &error), STATUS_OK);
    if (retention_state(world.scene.ledger, world.scene.ledger_folder, &plan, &error) !=
            STATUS_OK ||
        forgetting_done(world.scene.exposure, forgetting, &error) != STATUS_OK ||
        retention_sweep(world.scene.ledger_folder, &plan, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    char *running = state_of(&world);
    assert_non_null(strstr(running, "north-mail total 20 1"));
    assert_non_null(strstr(running, "north-mail phones 0 1"));
    assert_non_null(strstr(running, "ringway total 3 1"));
    if (exposure_check(world.index, world.scene.ledger_folder, &rebuilt, &found, &error) !=
        STATUS_OK)
        fail_msg("check: %s", error.message);
    scene_close(&world.scene);
    open_world(&world);
    char *started = state_of(&world);
    assert_string_equal(running, started);
    /* No number of somebody who was forgotten is given to another. */
    uint32_t id, other;
    assert_status(exposure_find(world.scene.exposure, 0, slice_of_text("2"), &id), STATUS_OK);
    give(&world, "ringway", 1000, 1, world.name, clock_now_ns());
    assert_status(exposure_find(world.scene.exposure, 0, slice_of_text("1000"), &other), STATUS_OK);
    assert_true(other > id);
    free(running);
    free(started);
    forgetting_free(forgetting);
    retention_plan_free(&plan);
    end_world(&world);
}

/* What is sealed beside the entries that go is the other copy of a key. */
static void nothing_goes_while_a_key_is_nowhere_else(void **state)
{
    struct world world;
    struct retention_plan plan;
    struct error error = {0};
    struct stat about;
    make_world(&world);
    plan_for(&world, &plan);
    struct forgetting *forgetting = reckon(&world, &plan);
    assert_status(forgetting_settle(world.scene.exposure, forgetting, &error), STATUS_OK);
    const char *keys = scene_subjects_file(&world.scene, "keys");
    assert_int_equal(stat(keys, &about), 0);
    assert_int_equal(truncate(keys, about.st_size / 2), 0);
    assert_status(forgetting_settle(world.scene.exposure, forgetting, &error), STATUS_CORRUPT);
    assert_int_equal(truncate(keys, 0), 0);
    assert_status(forgetting_settle(world.scene.exposure, forgetting, &error), STATUS_CORRUPT);
    forgetting_free(forgetting);
    retention_plan_free(&plan);
    end_world(&world);
}

static void reckoning_can_be_given_up(void **state)
{
    struct world world;
    struct retention_plan plan;
    struct forgetting *forgetting = NULL;
    struct error error = {0};
    atomic_bool stop = true;
    make_world(&world);
    plan_for(&world, &plan);
    assert_status(forgetting_reckon(world.scene.exposure, world.scene.ledger_folder,
                                    plan.statement.tree.size, &stop, &forgetting, &error),
                  STATUS_CLOSED);
    assert_string_equal(error.sqlstate, "57P01");
    retention_plan_free(&plan);
    end_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_would_be_forgotten_is_told),
        cmocka_unit_test(a_running_exposure_is_as_one_that_was_started_after_the_cut),
        cmocka_unit_test(nothing_goes_while_a_key_is_nowhere_else),
        cmocka_unit_test(reckoning_can_be_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

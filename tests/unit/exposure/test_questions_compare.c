/* Gross and net of attested deletions, the overlap of two partners, and the statements that gave
 * new people: figures told by hand. */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "exposure/parts.h"

struct world {
    struct scene scene;
    struct policy policy;
    struct policy_kind kind;
    uint32_t names, phones;
};

static void make_world(struct world *world)
{
    *world = (struct world){.kind = {.name = "customer"}};
    world->policy = (struct policy){.kinds = &world->kind, .kind_count = 1};
    scene_make(&world->scene);
    scene_open(&world->scene);
    world->names = column_set(&world->scene, "crm.customer.full_name:clear:name\n");
    world->phones = column_set(&world->scene, "crm.customer.phone:masked:phone\n");
}

static void end_world(struct world *world)
{
    scene_close(&world->scene);
    scene_remove(&world->scene);
}

static uint64_t give(struct world *world, const char *partner, uint32_t columns, const char *at,
                     size_t number, size_t count)
{
    const struct disclosure what = {.partner = partner,
                                    .grade = 1,
                                    .column_set = columns,
                                    .time_ns = instant(at),
                                    .number = number,
                                    .count = count};
    return disclose(&world->scene, &what);
}

/* The partner's word; count 0: of everybody. */
static void delete_before(struct world *world, const char *partner, const char *before,
                          size_t number, size_t count)
{
    char text[64];
    snprintf(text, sizeof text, "before=%s\n", before);
    const struct disclosure what = {.partner = partner,
                                    .type = LEDGER_DELETED,
                                    .grade = 1,
                                    .time_ns = instant("2026-11-20T00:00:00Z"),
                                    .number = number,
                                    .count = count,
                                    .text = text};
    disclose(&world->scene, &what);
}

static void expect_net(struct world *world, const char *want)
{
    struct table table;
    struct error error = {0};
    assert_status(exposure_net(world->scene.exposure, &world->policy, "ringway", &table, &error),
                  STATUS_OK);
    char *text = table_text(&table);
    assert_string_equal(text, want);
    free(text);
    table_free(&table);
}

static void net_leaves_out_what_is_said_to_be_deleted(void **state)
{
    struct world world;
    make_world(&world);
    give(&world, "ringway", world.names, "2026-11-01T10:20:00Z", 0, 100);
    give(&world, "ringway", world.phones, "2026-11-02T10:20:00Z", 50, 100);
    expect_net(&world, "ringway|customer|-|-|150|150\n"
                       "ringway|customer|name|clear|100|100\n"
                       "ringway|customer|phone|masked|100|100\n");
    /* Listed people: 0 … 59, up to the 5th. */
    delete_before(&world, "ringway", "2026-11-05T00:00:00Z", 0, 60);
    expect_net(&world, "ringway|customer|-|-|150|90\n"
                       "ringway|customer|name|clear|100|40\n"
                       "ringway|customer|phone|masked|100|90\n");
    /* Ten of them are disclosed again. */
    give(&world, "ringway", world.names, "2026-11-06T00:00:00Z", 0, 10);
    expect_net(&world, "ringway|customer|-|-|150|100\n"
                       "ringway|customer|name|clear|100|50\n"
                       "ringway|customer|phone|masked|100|90\n");
    /* And everybody's, up to an hour in which there was one: it counts on. */
    delete_before(&world, "ringway", "2026-11-06T00:30:00Z", 0, 0);
    expect_net(&world, "ringway|customer|-|-|150|10\n"
                       "ringway|customer|name|clear|100|10\n"
                       "ringway|customer|phone|masked|100|0\n");
    end_world(&world);
}

static void a_later_deletion_of_a_person_is_the_one_that_counts(void **state)
{
    struct world world;
    make_world(&world);
    give(&world, "ringway", world.names, "2026-11-01T10:00:00Z", 0, 10);
    delete_before(&world, "ringway", "2026-11-02T00:00:00Z", 0, 10);
    give(&world, "ringway", world.names, "2026-11-03T10:00:00Z", 0, 10);
    delete_before(&world, "ringway", "2026-11-04T00:00:00Z", 0, 4);
    expect_net(&world, "ringway|customer|-|-|10|6\n"
                       "ringway|customer|name|clear|10|6\n");
    end_world(&world);
}

/* Said on the 20th of a day that was yet to come. */
static void a_deletion_reaches_no_further_than_its_telling(void **state)
{
    struct world world;
    make_world(&world);
    delete_before(&world, "ringway", "2027-01-01T00:00:00Z", 0, 10);
    give(&world, "ringway", world.names, "2026-11-21T10:00:00Z", 0, 10);
    expect_net(&world, "ringway|customer|-|-|10|10\n"
                       "ringway|customer|name|clear|10|10\n");
    end_world(&world);
}

static void two_partners_are_laid_side_by_side(void **state)
{
    struct world world;
    struct table table;
    struct error error = {0};
    make_world(&world);
    give(&world, "ringway", world.names, "2026-11-01T10:00:00Z", 0, 100);
    give(&world, "north-mail", world.names, "2026-11-02T10:00:00Z", 70, 50);
    give(&world, "north-mail", world.phones, "2026-11-03T10:00:00Z", 0, 5);
    assert_status(exposure_overlap(world.scene.exposure, &world.policy, "ringway", "north-mail",
                                   INT64_MIN, INT64_MAX, &table, &error),
                  STATUS_OK);
    char *text = table_text(&table);
    assert_string_equal(text, "customer|-|-|35|65|20\n"
                              "customer|name|clear|30|70|20\n"
                              "customer|phone|masked|0|0|5\n");
    free(text);
    table_free(&table);
    assert_status(exposure_overlap(world.scene.exposure, &world.policy, "ringway", "north-mail",
                                   instant("2026-11-02T00:00:00Z"), INT64_MAX, &table, &error),
                  STATUS_OK);
    text = table_text(&table);
    assert_string_equal(text, "customer|-|-|0|0|55\n"
                              "customer|name|clear|0|0|50\n"
                              "customer|phone|masked|0|0|5\n");
    free(text);
    table_free(&table);
    end_world(&world);
}

/* scene's entries have one statement hash; declared people were had before. */
static void statements_are_told_by_the_people_they_added(void **state)
{
    struct world world;
    struct table table;
    struct error error = {0};
    make_world(&world);
    const struct disclosure told = {.partner = "ringway",
                                    .type = LEDGER_DECLARED,
                                    .grade = 1,
                                    .column_set = world.names,
                                    .time_ns = instant("2026-11-01T00:00:00Z"),
                                    .number = 0,
                                    .count = 30,
                                    .text = "at=2026-10-01T00:00:00Z\n"};
    disclose(&world.scene, &told);
    give(&world, "ringway", world.names, "2026-11-01T10:00:00Z", 20, 20);
    give(&world, "north-mail", world.names, "2026-11-01T11:00:00Z", 0, 500);
    uint64_t last = give(&world, "ringway", world.names, "2026-11-03T10:00:00Z", 35, 10);
    ledger_wait(world.scene.ledger, last);
    assert_status(exposure_statements(world.scene.root, world.scene.ledger_folder, "ringway",
                                      INT64_MIN, INT64_MAX, 10, &table, &error),
                  STATUS_OK);
    char *text = table_text(&table);
    const char *hash = "0000000000000000000000000000000000000000000000000000000000000000";
    char want[200];
    snprintf(want, sizeof want, "%s|15|25|0|2026-11-01T10:00:00Z|2026-11-03T10:00:00Z\n", hash);
    assert_string_equal(text, want);
    free(text);
    table_free(&table);
    assert_status(exposure_statements(world.scene.root, world.scene.ledger_folder, "ringway",
                                      instant("2026-11-02T00:00:00Z"), INT64_MAX, 10, &table,
                                      &error),
                  STATUS_OK);
    text = table_text(&table);
    snprintf(want, sizeof want, "%s|5|10|0|2026-11-03T10:00:00Z|2026-11-03T10:00:00Z\n", hash);
    assert_string_equal(text, want);
    free(text);
    table_free(&table);
    end_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_leaves_out_what_is_said_to_be_deleted),
        cmocka_unit_test(a_later_deletion_of_a_person_is_the_one_that_counts),
        cmocka_unit_test(a_deletion_reaches_no_further_than_its_telling),
        cmocka_unit_test(two_partners_are_laid_side_by_side),
        cmocka_unit_test(statements_are_told_by_the_people_they_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

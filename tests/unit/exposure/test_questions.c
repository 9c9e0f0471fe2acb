/* The questions staff ask after a breach, on a small ledger whose answers are known by heart. */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#define NAME_LINE  "customer.full_name:clear:name\n"
#define PHONE_LINE "customer.phone:masked:phone\n"
#define ID_LINE    "customer.customer_id:token:\n"
#define VIN_LINE   "vehicle.vin:token:vin\n"

static const struct policy_kind kinds[] = {{.name = "customer"}, {.name = "enquirer"}};
static const struct policy_column customer_columns[] = {{"customer_id", NULL},
                                                        {"full_name", "name"},
                                                        {"phone", "phone"},
                                                        {"birth_date", "date_of_birth"}};
static const struct policy_column vehicle_columns[] = {{"vin", "vin"}, {"iban", "financial"}};
static const struct policy_dataset datasets[] = {
    {.name = "customer", .columns = customer_columns, .column_count = 4},
    {.name = "vehicle", .columns = vehicle_columns, .column_count = 2}};
static const struct policy_partner partners[] = {{.name = "north-mail"}, {.name = "statlab"}};
static const struct policy policy = {.kinds = kinds,
                                     .kind_count = 2,
                                     .datasets = datasets,
                                     .dataset_count = 2,
                                     .partners = partners,
                                     .partner_count = 2};

static struct scene scene;

/* north-mail: names of 1-10 at nine, masked phones of 6-15 at ten, tokens of 20-22, vins of 1-3 as
 * witness, statistics over 1-50, a probe of 60, an enquirer's name; a declared export of 100-104;
 * ringway: the name of 1. */
static int set_up(void **state)
{
    scene_make(&scene);
    scene_open(&scene);
    uint32_t name = column_set(&scene, NAME_LINE), phone = column_set(&scene, ID_LINE PHONE_LINE);
    uint32_t token = column_set(&scene, ID_LINE), vin = column_set(&scene, VIN_LINE);
    int64_t nine = instant("2026-11-22T09:10:00Z"), ten = instant("2026-11-22T10:10:00Z");
    const struct disclosure disclosures[] = {
        {"north-mail", .grade = 1, .column_set = name, .time_ns = nine, .number = 1, .count = 10},
        {"north-mail", .grade = 1, .column_set = phone, .time_ns = ten, .number = 6, .count = 10},
        {"north-mail", .grade = 1, .column_set = token, .time_ns = ten, .number = 20, .count = 3},
        {"north-mail", .grade = 3, .column_set = vin, .time_ns = ten, .number = 1, .count = 3},
        {"north-mail", .grade = 2, .column_set = name, .time_ns = ten, .number = 1, .count = 50},
        {"north-mail", .grade = 5, .column_set = token, .time_ns = ten, .number = 60, .count = 1},
        {"north-mail", .kind = 1, .grade = 1, .column_set = name, .time_ns = nine, .number = 1,
         .count = 1},
        {"north-mail", .type = LEDGER_DECLARED, .grade = 1, .column_set = name, .time_ns = ten,
         .number = 100, .count = 5},
        {"ringway", .grade = 1, .column_set = name, .time_ns = nine, .number = 1, .count = 1},
    };
    for (size_t i = 0; i < sizeof disclosures / sizeof disclosures[0]; i++)
        disclose(&scene, &disclosures[i]);
    return 0;
}

static int tear_down(void **state)
{
    scene_close(&scene);
    scene_remove(&scene);
    return 0;
}

typedef enum status (*question)(struct exposure *, const struct policy *, const char *, int64_t,
                                int64_t, struct table *, struct error *);

static void assert_answer(question ask, const char *partner, const char *from, const char *to,
                          const char *expected)
{
    struct table table;
    struct error error = {0};
    int64_t from_ns = from == NULL ? INT64_MIN : instant(from);
    int64_t to_ns = to == NULL ? INT64_MAX : instant(to);
    if (ask(scene.exposure, &policy, partner, from_ns, to_ns, &table, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    char *got = table_text(&table);
    assert_string_equal(got, expected);
    free(got);
    table_free(&table);
}

/* A key that was asked about need not even be somebody's: it counts as a probe alone. */
static void summary_counts_distinct_people_by_grade(void **state)
{
    assert_answer(exposure_summary, NULL, NULL, NULL,
                  "north-mail|customer|55|18|50|3|0|1|5|2026-11-22T09:00:00Z|2026-11-22T10:00:00Z\n"
                  "north-mail|enquirer|1|1|0|0|0|0|0|2026-11-22T09:00:00Z|2026-11-22T09:00:00Z\n"
                  "ringway|customer|1|1|0|0|0|0|0|2026-11-22T09:00:00Z|2026-11-22T09:00:00Z\n");
    assert_answer(exposure_summary, "north-mail", "2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z",
                  "north-mail|customer|10|10|0|0|0|0|0|2026-11-22T09:00:00Z|2026-11-22T09:00:00Z\n"
                  "north-mail|enquirer|1|1|0|0|0|0|0|2026-11-22T09:00:00Z|2026-11-22T09:00:00Z\n");
    assert_answer(exposure_summary, "nobody", NULL, NULL, "");
    assert_answer(exposure_summary, NULL, "2026-11-23", NULL, "");
}

/* Of 1 a name was given, in the first hour; of 200 only that it is there; of 201 nothing. */
static void who_was_only_written_is_told_apart(void **state)
{
    int64_t ten = instant("2026-11-22T10:10:00Z");
    uint32_t name = column_set(&scene, NAME_LINE), none = column_set(&scene, "\n");
    const struct disclosure disclosures[] = {
        {"ringway", .type = LEDGER_CHANGE, .grade = 6, .column_set = name, .time_ns = ten,
         .number = 1, .count = 1},
        {"ringway", .type = LEDGER_CHANGE, .grade = 6, .column_set = name, .time_ns = ten,
         .number = 200, .count = 2},
        {"ringway", .grade = 1, .column_set = none, .time_ns = ten, .number = 200, .count = 1},
        {"ringway", .grade = 5, .column_set = name, .time_ns = ten, .number = 201, .count = 1},
    };
    for (size_t i = 0; i < sizeof disclosures / sizeof disclosures[0]; i++)
        disclose(&scene, &disclosures[i]);
    assert_answer(exposure_only_written, NULL, NULL, NULL, "ringway|customer|2\n");
    assert_answer(exposure_only_written, NULL, "2026-11-22T10:00:00Z", NULL,
                  "ringway|customer|3\n");
    assert_answer(exposure_only_written, "north-mail", NULL, NULL, "");
}

static void categories_count_direct_witness_and_declared(void **state)
{
    assert_answer(exposure_by_category, "north-mail", NULL, NULL,
                  "north-mail|customer|name|clear|15\n"
                  "north-mail|customer|phone|masked|10\n"
                  "north-mail|customer|vin|token|3\n"
                  "north-mail|enquirer|name|clear|1\n");
    assert_answer(exposure_by_category, NULL, NULL, "2026-11-22T10:00:00Z",
                  "north-mail|customer|name|clear|10\n"
                  "north-mail|enquirer|name|clear|1\n"
                  "ringway|customer|name|clear|1\n");
}

static void combinations_count_each_person_once(void **state)
{
    assert_answer(exposure_combinations, "north-mail", NULL, NULL,
                  "north-mail|customer|name|7\n"                 /* 4, 5, 100-104 */
                  "north-mail|customer|phone (masked)|5\n"       /* 11-15 */
                  "north-mail|customer|name, phone (masked)|5\n" /* 6-10 */
                  "north-mail|customer|presence only|3\n"        /* 20-22 */
                  "north-mail|customer|name, vin (token)|3\n"    /* 1-3 */
                  "north-mail|enquirer|name|1\n");
}

static void never_lists_what_no_entry_names(void **state)
{
    struct table table;
    struct error error = {0};
    assert_status(exposure_never(scene.exposure, &policy, NULL, &table, &error), STATUS_OK);
    char *got = table_text(&table);
    assert_string_equal(got, "north-mail|date_of_birth\nnorth-mail|financial\n"
                             "statlab|date_of_birth\nstatlab|financial\nstatlab|name\n"
                             "statlab|phone\nstatlab|vin\n"
                             "ringway|date_of_birth\nringway|financial\nringway|phone\n"
                             "ringway|vin\n");
    free(got);
    table_free(&table);
    /* A statement without rows could have read the birth date: it is not "never" any more. */
    disclose(&scene,
             &(struct disclosure){
                 "north-mail", .flags = LEDGER_FLAG_CLOSING,
                 .column_set = column_set(&scene, "customer.birth_date:clear:date_of_birth\n")});
    assert_status(exposure_never(scene.exposure, &policy, "north-mail", &table, &error), STATUS_OK);
    got = table_text(&table);
    assert_string_equal(got, "north-mail|financial\n");
    free(got);
    table_free(&table);
}

static void one_subject_lists_every_column_and_grade(void **state)
{
    struct table table;
    struct error error = {0};
    assert_status(exposure_subject(scene.exposure, 0, slice_of_text("7"), &table, &error),
                  STATUS_OK);
    char *got = table_text(&table);
    assert_string_equal(got,
                        "north-mail|customer|customer_id|-|token|direct|2026-11-22T10:00:00Z|"
                        "2026-11-22T10:00:00Z|-\n"
                        "north-mail|customer|full_name|name|clear|direct|2026-11-22T09:00:00Z|"
                        "2026-11-22T09:00:00Z|-\n"
                        "north-mail|customer|full_name|name|clear|aggregate|2026-11-22T10:00:00Z|"
                        "2026-11-22T10:00:00Z|-\n"
                        "north-mail|customer|phone|phone|masked|direct|2026-11-22T10:00:00Z|"
                        "2026-11-22T10:00:00Z|-\n");
    free(got);
    table_free(&table);
    assert_status(exposure_subject(scene.exposure, 0, slice_of_text("999"), &table, &error),
                  STATUS_NOT_FOUND);
    assert_status(exposure_subject(scene.exposure, 1, slice_of_text("7"), &table, &error),
                  STATUS_NOT_FOUND);
    assert_status(exposure_subject(scene.exposure, 0, slice_of_text("102"), &table, &error),
                  STATUS_OK);
    got = table_text(&table);
    assert_string_equal(got, "north-mail|customer|full_name|name|clear|declared|"
                             "2026-11-22T10:00:00Z|2026-11-22T10:00:00Z|-\n");
    free(got);
    table_free(&table);
}

static void every_purpose_is_named_and_nobody_counted_twice(void **state)
{
    struct table table;
    struct error error = {0};
    const char *const purposes[] = {"billing", "delivery", "billing", NULL};
    for (int i = 0; i < 4; i++)
        disclose(&scene, &(struct disclosure){
                             "statlab", .grade = 1, .number = 600, .count = 2,
                             .column_set = column_set(&scene, "customer.full_name:clear:name\n"),
                             .time_ns = instant("2026-11-22T09:10:00Z") + i * 3600000000000,
                             .purpose = purposes[i]});
    assert_answer(exposure_by_category, "statlab", NULL, NULL, "statlab|customer|name|clear|2\n");
    assert_status(exposure_subject(scene.exposure, 0, slice_of_text("600"), &table, &error),
                  STATUS_OK);
    char *got = table_text(&table);
    assert_string_equal(got, "statlab|customer|full_name|name|clear|direct|2026-11-22T12:00:00Z|"
                             "2026-11-22T12:00:00Z|-\n"
                             "statlab|customer|full_name|name|clear|direct|2026-11-22T09:00:00Z|"
                             "2026-11-22T11:00:00Z|billing\n"
                             "statlab|customer|full_name|name|clear|direct|2026-11-22T10:00:00Z|"
                             "2026-11-22T10:00:00Z|delivery\n");
    free(got);
    table_free(&table);
}

static void a_declared_export_happened_when_it_is_said_to_have(void **state)
{
    struct table table;
    struct error error = {0};
    disclose(&scene, &(struct disclosure){
                         "statlab", LEDGER_DECLARED, .grade = 1, .number = 700, .count = 1,
                         .column_set = column_set(&scene, "customer.full_name:clear:name\n"),
                         .time_ns = instant("2026-11-22T09:10:00Z"),
                         .text = "at=2025-03-02T10:30:00Z\nreason=a file"});
    assert_status(exposure_subject(scene.exposure, 0, slice_of_text("700"), &table, &error),
                  STATUS_OK);
    char *got = table_text(&table);
    assert_string_equal(got, "statlab|customer|full_name|name|clear|declared|2025-03-02T10:00:00Z|"
                             "2025-03-02T10:00:00Z|-\n");
    free(got);
    table_free(&table);
}

static void a_claim_about_everybody_is_remembered(void **state)
{
    int64_t before_ns;
    struct disclosure claim = {"ringway", LEDGER_DELETED, .text = "before=2026-06-01T00:00:00Z\n"};
    assert_status(exposure_deleted_before(scene.exposure, "ringway", &before_ns), STATUS_NOT_FOUND);
    disclose(&scene, &claim);
    claim.text = "before=2026-03-01T00:00:00Z";
    disclose(&scene, &claim);
    assert_status(exposure_deleted_before(scene.exposure, "ringway", &before_ns), STATUS_OK);
    assert_true(before_ns == instant("2026-06-01T00:00:00Z"));
    claim =
        (struct disclosure){"north-mail", LEDGER_DELETED, .grade = 1,
                            .number = 7,  .count = 1,     .text = "before=2026-06-01T00:00:00Z"};
    disclose(&scene, &claim);
    assert_status(exposure_deleted_before(scene.exposure, "north-mail", &before_ns),
                  STATUS_NOT_FOUND);
    assert_true(exposure_knows_partner(scene.exposure, "ringway"));
    assert_false(exposure_knows_partner(scene.exposure, "nobody"));
}

static void a_row_without_columns_is_presence(void **state)
{
    struct table table;
    struct error error = {0};
    disclose(&scene, &(struct disclosure){
                         "statlab", .grade = 1, .column_set = column_set(&scene, "\n"),
                         .time_ns = instant("2026-11-22T09:10:00Z"), .number = 500, .count = 1});
    assert_answer(exposure_combinations, "statlab", NULL, NULL,
                  "statlab|customer|presence only|1\n");
    assert_status(exposure_subject(scene.exposure, 0, slice_of_text("500"), &table, &error),
                  STATUS_OK);
    char *got = table_text(&table);
    assert_string_equal(got,
                        "statlab|-|-|-|-|direct|2026-11-22T09:00:00Z|2026-11-22T09:00:00Z|-\n");
    free(got);
    table_free(&table);
}

static void a_malformed_column_set_is_not_overlooked(void **state)
{
    struct table table;
    struct error error = {0};
    uint32_t set = column_set(&scene, "customer.full_name:clear:name\nno column\n");
    disclose(&scene, &(struct disclosure){"statlab", .grade = 1, .column_set = set, .number = 500,
                                          .count = 1});
    assert_status(exposure_by_category(scene.exposure, &policy, "statlab", INT64_MIN, INT64_MAX,
                                       &table, &error),
                  STATUS_CORRUPT);
}

static void two_hundred_thousand_people_are_partitioned_exactly(void **state)
{
    struct table table;
    struct error error = {0};
    char line[64];
    for (int label = 0; label < 12; label++) { /* person n has category c where bit c of n is set */
        snprintf(line, sizeof line, "customer.c%d:clear:category%02d\n", label, label);
        uint32_t set = column_set(&scene, line);
        for (size_t block = 0; block < 200000; block += 10000) {
            const char *keys[10000];
            char(*texts)[12] = calloc(10000, sizeof *texts);
            size_t count = 0;
            for (size_t n = block; n < block + 10000; n++)
                if ((n >> label & 1) != 0) {
                    snprintf(texts[count], sizeof texts[count], "p%zu", n);
                    keys[count] = texts[count];
                    count++;
                }
            disclose(&scene, &(struct disclosure){"bulk", .grade = 1, .column_set = set,
                                                  .keys = keys, .count = count});
            free(texts);
        }
    }
    assert_status(exposure_combinations(scene.exposure, &policy, "bulk", INT64_MIN, INT64_MAX,
                                        &table, &error),
                  STATUS_OK);
    assert_int_equal(table.row_count, 4095);
    size_t people = 0;
    for (struct table_row *row = table.first; row != NULL; row = row->next)
        people += strtoul(row->cells[3], NULL, 10);
    assert_int_equal(people, 200000 - 49); /* 49 of them are multiples of 4,096: no bit is set */
    table_free(&table);
}

int main(void)
{
#define ON_LEDGER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ON_LEDGER(summary_counts_distinct_people_by_grade),
        ON_LEDGER(who_was_only_written_is_told_apart),
        ON_LEDGER(categories_count_direct_witness_and_declared),
        ON_LEDGER(combinations_count_each_person_once),
        ON_LEDGER(never_lists_what_no_entry_names),
        ON_LEDGER(one_subject_lists_every_column_and_grade),
        ON_LEDGER(every_purpose_is_named_and_nobody_counted_twice),
        ON_LEDGER(a_declared_export_happened_when_it_is_said_to_have),
        ON_LEDGER(a_claim_about_everybody_is_remembered),
        ON_LEDGER(a_row_without_columns_is_presence),
        ON_LEDGER(a_malformed_column_set_is_not_overlooked),
        ON_LEDGER(two_hundred_thousand_people_are_partitioned_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

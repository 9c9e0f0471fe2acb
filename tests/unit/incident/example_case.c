/* The invented case: classes by hand, so that every number in the documents can be checked. */
#include "example_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"

enum { TABLE_BYTES = 1024 * 1024, EXAMPLE_BYTES = 4 * 1024 * 1024 };

static const struct scope_fact facts[] = {
    {"customer", "customer_id", "identifier", "clear", SCOPE_DIRECT},
    {"customer", "full_name", "name", "clear", SCOPE_DIRECT},
    {"customer", "street", "address", "clear", SCOPE_DIRECT},
    {"customer", "postcode", "address", "clear", SCOPE_DIRECT},
    {"customer", "birth_date", "date_of_birth", "clear", SCOPE_DIRECT},
    {"customer", "gender", "gender", "clear", SCOPE_DIRECT},
    {"customer", "email", "email", "masked", SCOPE_DIRECT},
    {"customer", "phone", "phone", "clear", SCOPE_DIRECT},
    {"vehicle", "vin", "vin", "clear", SCOPE_DIRECT},
    {"vehicle", "registration", "vrm", "clear", SCOPE_DIRECT},
    {"enquirer", "enquirer_id", "identifier", "token", SCOPE_DIRECT},
    {"enquirer", "full_name", "name", "clear", SCOPE_DIRECT},
    {"enquirer", "street", "address", "clear", SCOPE_DIRECT},
    {"enquirer", "phone", "phone", "clear", SCOPE_DIRECT},
    {"customer", "gender", "gender", "clear", SCOPE_AGGREGATE},
};
static const uint32_t recall[] = {0, 1, 2, 3, 4, 5}, recall_car[] = {0, 1, 2, 3, 4, 5, 8, 9},
                      service[] = {1, 2, 3, 6, 7, 9}, enquirer[] = {10, 11, 12, 13},
                      counted[] = {14};
static const struct scope_class classes[] = {
    {recall, 6}, {recall_car, 8}, {service, 6}, {enquirer, 4}, {counted, 1}};
static const char *const brands[] = {"", "meridian", "dacre"};
static const char *const countries[] = {"", "GB", "FR"};
static const char *const languages[] = {"", "en", "fr"};
static const char *const never[] = {"credential", "financial", "genetic"};

int64_t example_instant(const char *text)
{
    int64_t time_ns = 0;
    assert_int_equal(clock_parse(text, &time_ns, NULL), STATUS_OK);
    return time_ns;
}

/* Customers in three classes, 7000, 5000 and 400; then enquirers; then those only counted. */
static void make_people(struct example_case *example)
{
    size_t total = EXAMPLE_CUSTOMERS + EXAMPLE_ENQUIRERS + EXAMPLE_COUNTED;
    struct scope_person *people = arena_array(&example->arena, struct scope_person, total);
    assert_non_null(people);
    for (size_t i = 0; i < total; i++) {
        bool is_enquirer = i >= EXAMPLE_CUSTOMERS && i < EXAMPLE_CUSTOMERS + EXAMPLE_ENQUIRERS;
        uint32_t group = i < 7000 ? 1 : i < 12000 ? 0 : i < EXAMPLE_CUSTOMERS ? 2 : 4;
        people[i] = (struct scope_person){.id = (uint32_t)i + 1,
                                          .kind = is_enquirer,
                                          .group = is_enquirer ? 3 : group,
                                          .brand = i % 5 == 0 ? 2 : 1,
                                          .language = i % 40 == 0 ? 2 : 1,
                                          .country = i % 40 == 0 ? 2 : 1,
                                          .flags = i < 25 ? SCOPE_CONFIRMED : 0};
        if (i % 1000 == 999)
            people[i].flags |= SCOPE_CHILD;
    }
    example->scope.people = people;
    example->scope.person_count = total;
}

static void make_scope(struct example_case *example)
{
    example->scope = (struct scope){
        .facts = facts,
        .fact_count = sizeof facts / sizeof facts[0],
        .classes = classes,
        .class_count = sizeof classes / sizeof classes[0],
        .brands = brands,
        .brand_count = 3,
        .languages = languages,
        .language_count = 3,
        .countries = countries,
        .country_count = 3,
        .never = never,
        .never_count = 3,
        .rows = 48210,
        .first_ns = example_instant("2026-02-03T06:10:00Z"),
        .last_ns = example_instant("2026-11-22T02:41:00Z"),
        .ledger_first_ns = example_instant("2026-01-05T08:00:00Z"),
        .since_ns = SINCE_EVER,
        .sha256 = "5bd1e0c2a7f94d3886b1f00c6a2e9d47135c8e7fb0a4926dd8e3f17c0b52a964"};
    make_people(example);
}

void example_make_bare(struct example_case *example)
{
    static const char *const fact_columns[] = {"name", "value", "by", "at", NULL};
    static const char *const filing_columns[] = {"authority", "reference",    "at", "by",
                                                 "phase",     "sheet_sha256", NULL};
    struct error error = {0};
    *example = (struct example_case){0};
    arena_init(&example->arena, EXAMPLE_BYTES);
    make_scope(example);
    if (policy_load(DEMO_POLICY, &example->policy, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    struct brief *brief = &example->brief;
    brief->policy = example->policy;
    brief->partner = policy_find_partner(example->policy, "north-mail");
    brief->incident = (struct incident){.number = 3,
                                        .partner = "north-mail",
                                        .opened_by = "ihartley",
                                        .noticed_ns = example_instant("2026-11-22T09:14:00Z"),
                                        .opened_ns = example_instant("2026-11-22T09:15:40Z"),
                                        .contained_ns = example_instant("2026-11-22T09:15:41Z"),
                                        .from_ns = INT64_MIN,
                                        .to_ns = INT64_MIN,
                                        .closed_ns = INT64_MIN};
    brief->phase = (struct incident_phase){.number = 1,
                                           .at_ns = example_instant("2026-11-22T09:15:42Z"),
                                           .cutoff = 91240,
                                           .by = "ihartley",
                                           .scope_sha256 = example->scope.sha256};
    brief->scope = &example->scope;
    brief->ledger = (struct brief_ledger){.entries = 91260,
                                          .first_ns = example->scope.ledger_first_ns,
                                          .since_ns = SINCE_EVER,
                                          .contained_entry = 91238,
                                          .contained_ns = brief->incident.contained_ns,
                                          .restored_ns = INT64_MIN,
                                          .declared_last_ns = INT64_MIN};
    brief->now_ns = example_instant("2026-11-22T15:00:00Z");
    table_init(&brief->facts, TABLE_BYTES, fact_columns);
    table_init(&brief->filings, TABLE_BYTES, filing_columns);
}

void example_fact(struct example_case *example, const char *name, const char *value, const char *at)
{
    struct table *table = &example->brief.facts;
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", name);
    table_set(table, row, 1, "%s", value);
    table_set(table, row, 2, "ihartley");
    table_set(table, row, 3, "%s", at);
}

void example_filing(struct example_case *example, const char *authority, const char *reference,
                    const char *at, const char *phase)
{
    struct table *table = &example->brief.filings;
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", authority);
    table_set(table, row, 1, "%s", reference);
    table_set(table, row, 2, "%s", at);
    table_set(table, row, 3, "ihartley");
    table_set(table, row, 4, "%s", phase);
}

void example_make(struct example_case *example)
{
    static const char *const said[][2] = {
        {"what_happened", "Somebody outside North Mail used a workstation from which it prints our "
                          "recall letters, and could read the files that we had given it."},
        {"how", "By a remote maintenance account of North Mail's whose password had been used "
                "elsewhere."},
        {"what_went_wrong", "The maintenance account had no second factor."},
        {"cyber", "yes"},
        {"discovered_how", "North Mail noticed log-ins at night and telephoned us."},
        {"ongoing", "no"},
        {"intent", "malicious"},
        {"confidentiality", "yes"},
        {"integrity", "no"},
        {"availability", "no"},
        {"consequences", "Somebody may write or telephone, pretend to be us or a garage, and quote "
                         "a person's name, address or car to seem genuine."},
        {"harm", "not known"},
        {"likelihood", "likely"},
        {"high_risk", "yes"},
        {"impact", "low"},
        {"recovery", "regular"},
        {"prior_measures", "North Mail attested its safeguards in June 2026."},
        {"measures_taken", "North Mail has switched the workstation off."},
        {"measures_proposed",
         "North Mail is let in again only with hardware keys, after an audit."},
        {"reporter_name", "Imogen Hartley"},
        {"reporter_email", "dpo@meridian.example"},
        {"reporter_phone", "+44 1632 960100"},
        {"address", "Meridian House, 1 Meridian Way, Bath BA1 1AA"},
        {"sector", "Motor vehicles: sale and service"},
        {"partner_public_name", "North Mail"},
        {"own_systems", "no"},
        {"own_systems_source", "our own security team"},
        {"own_systems_basis", "log-ins to our systems from 15 to 22 November 2026 were read"}};
    example_make_bare(example);
    struct brief *brief = &example->brief;
    brief->incident.report_name = "notice.txt";
    brief->incident.report_sha256 =
        "0f3a9b1c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a";
    brief->incident.from_ns = example_instant("2026-11-20T22:00:00Z");
    brief->incident.to_ns = example_instant("2026-11-22T08:55:00Z");
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        example_fact(example, said[i][0], said[i][1], "2026-11-22T11:00:00Z");
    brief->has_notice = true;
    brief->notice = (struct incident_notice){
        .number = 1,
        .hash = "c1d2e3f4a5b6c7d8e9f00112233445566778899aabbccddeeff0011223344556",
        .approved_by = "ihartley",
        .approved_ns = example_instant("2026-11-22T12:30:00Z"),
        .finished_ns = INT64_MIN,
        .phase = 1};
}

void example_free(struct example_case *example)
{
    table_free(&example->brief.facts);
    table_free(&example->brief.filings);
    policy_release(example->policy);
    arena_free(&example->arena);
}

/* ---- documents that are kept ---- */

/* Shows the first line that differs. */
static void fail_difference(const char *path, const char *kept, const char *made)
{
    size_t line = 1;
    while (*kept != '\0' && *kept == *made) {
        line += *kept == '\n';
        kept++;
        made++;
    }
    fail_msg("%s:%zu is not what is made now\nkept: %.*s\nmade: %.*s\n"
             "COFFERDAM_WRITE_EXAMPLES=1 in the environment writes it anew",
             path, line, (int)strcspn(kept, "\n"), kept, (int)strcspn(made, "\n"), made);
}

void example_compare(const char *name, struct slice bytes)
{
    char path[512];
    struct error error = {0};
    struct buffer kept, made;
    snprintf(path, sizeof path, "%s/%s", EXAMPLES, name);
    if (getenv("COFFERDAM_WRITE_EXAMPLES") != NULL) {
        enum status written = file_replace(path, bytes, 0644, &error);
        if (written != STATUS_OK)
            fail_msg("%s", error.message);
    }
    buffer_init(&kept, EXAMPLE_BYTES);
    buffer_init(&made, EXAMPLE_BYTES);
    if (file_read(path, &kept, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    buffer_append(&made, bytes.data, bytes.len);
    if (!slice_equal(buffer_slice(&kept), bytes))
        fail_difference(path, buffer_text(&kept), buffer_text(&made));
    buffer_free(&kept);
    buffer_free(&made);
}

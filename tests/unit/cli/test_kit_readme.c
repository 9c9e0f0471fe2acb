/* A kit's texts: they tell the agent's own columns and limits, and nothing that is not its
 * business. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "cli/kit.h"

static const struct policy_column columns[] = {
    {"customer_id", NULL}, {"full_name", "name"}, {"phone", "phone"}, {"iban", "financial"}};
static const struct policy_dataset datasets[] = {{.name = "customer",
                                                  .schema = "crm",
                                                  .table = "customer_master",
                                                  .columns = columns,
                                                  .column_count = 4},
                                                 {.name = "vehicle",
                                                  .schema = "crm",
                                                  .table = "vehicle",
                                                  .columns = columns,
                                                  .column_count = 4}};
static const struct policy_granted_column granted[] = {
    {.column = 0, .form = POLICY_FORM_TOKEN},
    {.column = 1, .form = POLICY_FORM_CLEAR},
    {.column = 2, .form = POLICY_FORM_MASKED, .mask = "last4"}};
static const struct policy_grant grants[] = {{.dataset = 0,
                                              .rows = "country = 'GB' AND NOT gone_away",
                                              .columns = granted,
                                              .column_count = 3,
                                              .valid_from_ns = INT64_MIN,
                                              .valid_until_ns = INT64_MAX},
                                             {.dataset = 1,
                                              .columns = granted,
                                              .column_count = 1,
                                              .agent = "job",
                                              .valid_from_ns = INT64_MIN,
                                              .valid_until_ns = INT64_MAX}};
static const char *const purposes[] = {"recall mailing"};
static const struct policy_agent agents[] = {
    {.name = "sync", .login = "north-mail.sync", .certificate = "spiffe://north-mail/sync"},
    {.name = "job", .login = "north-mail.job", .scram_file = "/secrets/job.scram"}};
static const struct policy_limit named_limits[] = {
    {.name = "phones",
     .subjects = 500,
     .window = POLICY_PER_7D,
     .category = "phone",
     .has_form = true,
     .form = POLICY_FORM_MASKED,
     .agent = "sync"},
    {.name = "jobs", .subjects = 7, .window = POLICY_PER_DAY, .agent = "job"},
    {.name = "mails", .subjects = 9, .window = POLICY_EVER, .purpose = "recall mailing"}};
static const struct policy_partner partner = {
    .name = "north-mail",
    .agreement = "DPA-2024-17",
    .purposes = purposes,
    .purpose_count = 1,
    .agents = agents,
    .agent_count = 2,
    .valid_from_ns = INT64_MIN,
    .valid_until_ns = INT64_C(1798675200000000000),
    .grants = grants,
    .grant_count = 2,
    .budget = {.subjects_per_day = 5000, .limits = named_limits, .limit_count = 3}};
static const struct policy policy = {.controller = {.name = "Meridian Motors UK",
                                                    .dpo_name = "D. Officer",
                                                    .dpo_email = "dpo@meridian.example"},
                                     .datasets = datasets,
                                     .dataset_count = 2,
                                     .partners = &partner,
                                     .partner_count = 1};

static struct kit kit_of(size_t agent, bool certificate)
{
    return (struct kit){.policy = &policy,
                        .partner = &partner,
                        .agent = &agents[agent],
                        .host = "data.meridian.example",
                        .port = 7432,
                        .database = "meridian",
                        .has_certificate = certificate,
                        .expires_ns = INT64_C(1798675200000000000)};
}

static const char *text_of(void (*make)(const struct kit *, struct buffer *), const struct kit *kit,
                           struct buffer *out)
{
    buffer_init(out, 1024 * 1024);
    make(kit, out);
    const char *text = buffer_text(out);
    assert_non_null(text);
    return text == NULL ? "" : text; /* the sanitizers' gcc does not know that the above ends */
}

static void expect(const char *text, const char *wanted)
{
    if (strstr(text, wanted) == NULL)
        fail_msg("\"%s\" is not in:\n%s", wanted, text);
}

static void refute(const char *text, const char *unwanted)
{
    if (strstr(text, unwanted) != NULL)
        fail_msg("\"%s\" is in:\n%s", unwanted, text);
}

static void test_readme_of_a_certificate_agent(void **state)
{
    (void)state;
    struct kit kit = kit_of(0, true);
    struct buffer out;
    const char *text = text_of(kit_readme, &kit, &out);
    expect(text, "Meridian Motors UK");
    expect(text, "north-mail.sync");
    expect(text, "public.customer (some of its rows)");
    expect(text, "  customer_id              token");
    expect(text, "  full_name                clear");
    expect(text, "  phone                    masked, last4");
    expect(text, "Different people a day: 5000");
    expect(text,
           "Limit phones: 500 different people in 7 days, with phone masked, by this agent\n");
    expect(text, "Limit mails: 9 different people in all, for recall mailing\n");
    refute(text, "jobs");
    expect(text, "Valid until 2026-12-31T00:00:00Z");
    expect(text, "PGSERVICEFILE=pg_service.conf psql service=north-mail-sync");
    expect(text, "client.p12");
    expect(text, "53400");
    expect(text, "dpo@meridian.example");
    refute(text, "SCRAM");
    buffer_free(&out);
}

static void test_readme_keeps_what_is_not_theirs(void **state)
{
    (void)state;
    struct kit kit = kit_of(0, true);
    struct buffer out;
    const char *text = text_of(kit_readme, &kit, &out);
    refute(text, "iban");            /* not granted */
    refute(text, "public.vehicle");  /* another agent's */
    refute(text, "country");         /* the row filter */
    refute(text, "customer_master"); /* the real table */
    refute(text, "/secrets/");
    buffer_free(&out);
}

static void test_readme_of_a_password_agent(void **state)
{
    (void)state;
    struct kit kit = kit_of(1, false);
    struct buffer out;
    const char *text = text_of(kit_readme, &kit, &out);
    expect(text, "SCRAM-SHA-256");
    expect(text, "public.vehicle");
    refute(text, "client.key");
    refute(text, "client.p12");
    buffer_free(&out);
}

static void test_readme_without_issued_certificate(void **state)
{
    (void)state;
    struct kit kit = kit_of(0, false);
    struct buffer out;
    const char *text = text_of(kit_readme, &kit, &out);
    expect(text, "use the one that says spiffe://north-mail/sync");
    buffer_free(&out);
}

static void test_service_file(void **state)
{
    (void)state;
    struct kit kit = kit_of(0, true);
    struct buffer out;
    const char *text = text_of(kit_service, &kit, &out);
    expect(text, "[north-mail-sync]\nhost=data.meridian.example\nport=7432\ndbname=meridian\n"
                 "user=north-mail.sync\nsslmode=verify-full\nsslrootcert=ca.crt\n"
                 "sslcert=client.crt\nsslkey=client.key\n");
    buffer_free(&out);
    kit = kit_of(1, false);
    text = text_of(kit_service, &kit, &out);
    refute(text, "sslcert");
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readme_of_a_certificate_agent),
        cmocka_unit_test(test_readme_keeps_what_is_not_theirs),
        cmocka_unit_test(test_readme_of_a_password_agent),
        cmocka_unit_test(test_readme_without_issued_certificate),
        cmocka_unit_test(test_service_file),
    };
    return cmocka_run_group_tests_name("cli/kit_readme", tests, NULL, NULL);
}

/* Partners, agents, budgets, look-ups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

static int64_t instant(const char *text)
{
    int64_t time_ns = 0;
    assert_int_equal(clock_parse(text, &time_ns, NULL), STATUS_OK);
    return time_ns;
}

static void reads_a_contract(void **state)
{
    const struct policy *policy = fixture_load(
        PARTNER
        "    contract: {agreement: DPA-1, breach_contact: {name: A, phone: '1', email: e},\n"
        "      sub_processors: [inkjet], posture: {attested: 2026-06-01, expires:"
        " 2027-06-01}}\n"
        "    valid: {from: 2026-01-01, until: 2026-12-31}\n");
    const struct policy_partner *partner = policy_find_partner(policy, "north-mail");
    assert_non_null(partner);
    assert_string_equal(partner->agreement, "DPA-1");
    assert_string_equal(partner->breach_contact_email, "e");
    assert_int_equal(partner->sub_processor_count, 1);
    assert_string_equal(partner->sub_processors[0], "inkjet");
    assert_int_equal(partner->purpose_count, 2);
    assert_int_equal(partner->posture_attested_ns, instant("2026-06-01"));
    assert_int_equal(partner->posture_expires_ns, instant("2027-06-02"));
    assert_int_equal(partner->valid_from_ns, instant("2026-01-01"));
    assert_int_equal(partner->valid_until_ns, instant("2027-01-01"));
    assert_int_equal(partner->mode, POLICY_MODE_ROWS);
    assert_int_equal(partner->min_subjects, 10);
    policy_release(policy);
}

static void an_instant_ends_exactly(void **state)
{
    const struct policy *policy =
        fixture_load(PARTNER "    valid: {until: 2026-12-31T12:00:00Z}\n");
    assert_int_equal(policy->partners[0].valid_until_ns, instant("2026-12-31T12:00:00Z"));
    assert_int_equal(policy->partners[0].valid_from_ns, INT64_MIN);
    policy_release(policy);
    static const char *const wrong[] = {"2026-13-01",       "31.12.2026", "2026-W01-1",
                                        "2026-02-30",       "1950-01-01", "2300-01-01",
                                        "2026-01-01 12:00", "today"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[2000];
        snprintf(text, sizeof text, "%s    valid: {until: \"%s\"}\n", PARTNER, wrong[i]);
        fixture_refuse(text, "is not a date", "2026-11-22");
    }
    fixture_refuse(PARTNER "    valid: {from: 2026-12-31, until: 2026-12-30}\n",
                   "ends before it begins", NULL);
}

static void reads_agents(void **state)
{
    const struct policy *policy = fixture_load(
        PARTNER "    agents:\n"
                "      - {name: sync, identity: {certificate: \"spiffe://n/sync\"}, networks:"
                " [203.0.113.0/24, \"2001:db8::/32\", 192.0.2.7], hours: [\"Mon-Fri 07:00-19:00"
                " Europe/London\", \"Sat 08:00-12:00 UTC\", \"22:00-24:00\"]}\n"
                "      - {name: job, identity: {scram: secrets/job.scram}}\n");
    const struct policy_partner *partner = NULL;
    const struct policy_agent *sync = policy_find_agent(policy, "north-mail.sync", &partner);
    assert_non_null(sync);
    assert_ptr_equal(partner, &policy->partners[0]);
    assert_string_equal(sync->certificate, "spiffe://n/sync");
    assert_null(sync->scram_file);
    assert_int_equal(sync->network_count, 3);
    assert_int_equal(sync->networks[0].prefix_bits, 120);
    assert_int_equal(sync->networks[0].address.s6_addr[12], 203);
    assert_int_equal(sync->networks[0].address.s6_addr[10], 0xff);
    assert_int_equal(sync->networks[1].prefix_bits, 32);
    assert_int_equal(sync->networks[2].prefix_bits, 128);
    assert_int_equal(sync->hours_count, 3);
    assert_int_equal(sync->hours[0].days, 0x1f);
    assert_int_equal(sync->hours[0].from_minute, 7 * 60);
    assert_int_equal(sync->hours[0].until_minute, 19 * 60);
    assert_non_null(sync->hours[0].zone);
    assert_int_equal(sync->hours[1].days, 0x20);
    assert_null(sync->hours[1].zone);
    assert_int_equal(sync->hours[2].days, 0x7f);
    assert_int_equal(sync->hours[2].until_minute, 24 * 60);
    assert_string_equal(sync->hours[2].text, "22:00-24:00");
    const struct policy_agent *job = policy_find_agent(policy, "north-mail.job", NULL);
    assert_non_null(job);
    const char *beside = strstr(job->scram_file, "/secrets/job.scram");
    assert_non_null(beside); /* relative to the policy's folder */
    assert_int_equal(job->scram_file[0], '/');
    assert_null(policy_find_agent(policy, "north-mail", NULL));
    assert_null(policy_find_agent(policy, "north-mail.syn", NULL));
    policy_release(policy);
}

static void refuse_agent(const char *agent, const char *message, const char *hint)
{
    char text[4000];
    snprintf(text, sizeof text,
             AGENT "      - {name: other, identity: {scram: s}, %s}\n"
                   "  ringway: {purposes: [p]}\n",
             agent);
    fixture_refuse(text, message, hint);
}

static void refuses_wrong_networks_and_hours(void **state)
{
    refuse_agent("networks: [203.0.113.5/24]", "has bits set behind its prefix", "203.0.113.0/24");
    refuse_agent("networks: [\"2001:db8::1/32\"]", "has bits set", "2001:db8::/32");
    refuse_agent("networks: [203.0.113.0/33]", "is not a network", NULL);
    refuse_agent("networks: [203.0.113/24]", "is not a network", NULL);
    refuse_agent("networks: [\"::/129\"]", "is not a network", NULL);
    refuse_agent("networks: [example.org]", "is not a network", NULL);
    refuse_agent("networks: []", "would shut the agent out", NULL);
    refuse_agent("hours: \"22:00-06:00\"", "end before they begin", "00:00-06:00");
    refuse_agent("hours: \"Mon-Fry 07:00-19:00\"", "are not working hours", "Mon-Fri");
    refuse_agent("hours: \"7:00-19:00\"", "are not working hours", NULL);
    refuse_agent("hours: \"07:00-24:01\"", "are not working hours", NULL);
    refuse_agent("hours: \"07:60-09:00\"", "are not working hours", NULL);
    refuse_agent("hours: \"Mon 07:00-19:00 Europe/Londom\"", "is not known", "Europe/London");
    refuse_agent("hours: \"Mon 07:00-19:00 UTC x\"", "are not working hours", NULL);
    refuse_agent("hours: []", "would shut the agent out", NULL);
    refuse_agent("hourz: x", "did you mean \"hours\"?", NULL);
}

static void keeps_agents_apart(void **state)
{
    fixture_refuse(AGENT "      - {name: sync, identity: {scram: s}}\n",
                   "a second agent north-mail.sync", NULL);
    fixture_refuse(AGENT "  ringway:\n    purposes: [p]\n    agents: [{name: a, identity:"
                         " {certificate: \"spiffe://n/sync\"}}]\n",
                   "is agent north-mail.sync's already", NULL);
    fixture_refuse(AGENT "      - {name: x}\n", "key \"identity\" is missing", NULL);
    fixture_refuse(AGENT "      - {name: x, identity: {}}\n", "nothing proves who", NULL);
    fixture_refuse(AGENT "      - {name: X, identity: {scram: s}}\n",
                   "agent name \"X\" is not valid", NULL);
    fixture_refuse(AGENT "      - {name: a.b, identity: {scram: s}}\n",
                   "agent name \"a.b\" is not valid", NULL);
}

static void wants_purposes(void **state)
{
    fixture_refuse(DATASETS "partners: {p: {purposes: []}}\n", "without a purpose", NULL);
    fixture_refuse(DATASETS "partners: {p: {}}\n", "key \"purposes\" is missing", NULL);
    fixture_refuse(DATASETS "partners: {p: {purposes: [a, a]}}\n", "given twice", NULL);
}

static void reads_budgets(void **state)
{
    const struct policy *policy = fixture_load(
        PARTNER "    budget: {subjects: {per_day: 5000, total: 100000}, rows_per_statement: 50,"
                " errors_per_day: 7, time_zone: Europe/London}\n");
    const struct policy_budget *budget = &policy->partners[0].budget;
    assert_int_equal(budget->subjects_per_day, 5000);
    assert_int_equal(budget->subjects_total, 100000);
    assert_int_equal(budget->rows_per_statement, 50);
    assert_int_equal(budget->probes_per_day, 200);
    assert_int_equal(budget->errors_per_day, 7);
    assert_string_equal(budget->zone_name, "Europe/London");
    assert_non_null(budget->zone);
    policy_release(policy);
    policy = fixture_load(PARTNER);
    assert_int_equal(policy->partners[0].budget.subjects_per_day, 0);
    assert_int_equal(policy->partners[0].budget.probes_per_day, 200);
    assert_int_equal(policy->partners[0].budget.errors_per_day, 20);
    policy_release(policy);
    static const char *const wrong[] = {
        "per_day: 0", "per_day: -1",  "per_day: 1e3",
        "per_day: ",  "per_day: 010", "total: 99999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[2000];
        snprintf(text, sizeof text, "%s    budget: {subjects: {%s}}\n", PARTNER, wrong[i]);
        fixture_refuse(text, "north-mail/budget/subjects/", NULL);
    }
    fixture_refuse(PARTNER "    budget: {subjects: {per_day: 5, total: 4}}\n", "than in total",
                   NULL);
    fixture_refuse(PARTNER "    budget: {time_zone: Europe/Londn}\n", "is not known", NULL);
}

#define LIMITS(text) PARTNER "    budget: {limits: [" text "]}\n"

static void reads_named_limits(void **state)
{
    const struct policy *policy = fixture_load(
        PARTNER "    budget:\n      warn_at: 70\n      limits:\n"
                "        - {name: phones, subjects: 500, per: day, category: phone, form: clear}\n"
                "        - {name: all, subjects: 9, per: 30d, category: x_shoe_size}\n");
    const struct policy_budget *budget = &policy->partners[0].budget;
    assert_int_equal(budget->warn_at, 70);
    assert_int_equal(budget->limit_count, 2);
    assert_string_equal(budget->limits[0].name, "phones");
    assert_int_equal(budget->limits[0].subjects, 500);
    assert_int_equal(budget->limits[0].window, POLICY_PER_DAY);
    assert_string_equal(budget->limits[0].category, "phone");
    assert_true(budget->limits[0].has_form);
    assert_int_equal(budget->limits[0].form, POLICY_FORM_CLEAR);
    assert_null(budget->limits[0].agent);
    assert_int_equal(budget->limits[1].window, POLICY_PER_30D);
    assert_false(budget->limits[1].has_form);
    policy_release(policy);
    policy = fixture_load(PARTNER);
    assert_int_equal(policy->partners[0].budget.warn_at, 80);
    policy_release(policy);
    fixture_refuse(LIMITS("{name: a, subjects: 1, per: dya}"), "did you mean \"day\"?", NULL);
    fixture_refuse(LIMITS("{name: a, subjects: 0, per: day}"), "from 1 to", NULL);
    fixture_refuse(LIMITS("{subjects: 1, per: day}"), "key \"name\" is missing", NULL);
    fixture_refuse(LIMITS("{name: a, subjects: 1}"), "key \"per\" is missing", NULL);
    fixture_refuse(LIMITS("{name: total, subjects: 1, per: day}"), "under subjects", NULL);
    fixture_refuse(LIMITS("{name: a, subjects: 1, per: day}, {name: a, subjects: 2, per: week}"),
                   "given twice", NULL);
    fixture_refuse(LIMITS("{name: a, subjects: 1, per: day, category: fone}"),
                   "did you mean \"phone\"?", NULL);
    fixture_refuse(LIMITS("{name: a, subjects: 1, per: day, form: whole}"), "form", NULL);
    fixture_refuse(LIMITS("{name: a, subjects: 1, per: day, agent: nobody}"), "has no agent", NULL);
    fixture_refuse(LIMITS("{name: a, subjects: 1, per: day, purpose: fun}"), "purpose", NULL);
    fixture_refuse(PARTNER "    budget: {warn_at: 101}\n", "from 1 to 100", NULL);
}

static void reads_differencing(void **state)
{
    static const struct {
        const char *text;
        enum policy_differencing expected;
    } cases[] = {
        {"", POLICY_DIFFERENCING_CHARGE},
        {"    mode: aggregates\n", POLICY_DIFFERENCING_REFUSE},
        {"    mode: aggregates\n    aggregates: {differencing: charge}\n",
         POLICY_DIFFERENCING_CHARGE},
        {"    aggregates: {differencing: refuse}\n", POLICY_DIFFERENCING_REFUSE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[2000];
        snprintf(text, sizeof text, "%s%s", PARTNER, cases[i].text);
        const struct policy *policy = fixture_load(text);
        assert_int_equal(policy->partners[0].differencing, cases[i].expected);
        policy_release(policy);
    }
    fixture_refuse(PARTNER "    aggregates: {differencing: off}\n", "differencing", NULL);
}

static void reads_modes(void **state)
{
    const struct policy *policy =
        fixture_load(PARTNER "    mode: aggregates\n    aggregates: {min_subjects: 25}\n");
    assert_int_equal(policy->partners[0].mode, POLICY_MODE_AGGREGATES);
    assert_int_equal(policy->partners[0].min_subjects, 25);
    assert_int_equal(policy->partners[0].remember_days, 400);
    policy_release(policy);
    policy = fixture_load(PARTNER "    aggregates: {remember: 31d}\n");
    assert_int_equal(policy->partners[0].remember_days, 31);
    policy_release(policy);
    fixture_refuse(PARTNER "    aggregates: {remember: 31}\n", "remember is a number of days",
                   NULL);
    fixture_refuse(PARTNER "    aggregates: {remember: 0d}\n", "from 1d to", NULL);
    fixture_refuse(PARTNER "    aggregates: {remember: 100000000000000000001d}\n", "from 1d to",
                   NULL);
    fixture_refuse(PARTNER "    mode: aggregate\n", "did you mean \"aggregates\"?", NULL);
    fixture_refuse(PARTNER "    aggregates: {min_subjects: 1}\n", "from 2 to", NULL);
}

#define VEHICLE_GRANT(columns) "    grants: [{dataset: vehicle, columns: " columns "}]\n"

static void reads_lookups(void **state)
{
    const struct policy *policy = fixture_load(
        PARTNER VEHICLE_GRANT("[registration]") "    lookup_by: [vehicle.registration]\n");
    const struct policy_partner *partner = &policy->partners[0];
    assert_int_equal(partner->lookup_count, 1);
    assert_string_equal(policy->datasets[partner->lookup_by[0].dataset].name, "vehicle");
    assert_string_equal(partner->lookup_by[0].column, "registration");
    policy_release(policy);
    fixture_refuse(PARTNER VEHICLE_GRANT("[vin]") "    lookup_by: [vehicle.registration]\n",
                   "is not granted to this partner in a form", NULL);
    fixture_refuse(
        PARTNER VEHICLE_GRANT("{registration: last4}") "    lookup_by: [vehicle.registration]\n",
        "is not granted to this partner in a form", NULL);
    fixture_refuse(PARTNER VEHICLE_GRANT("[vin]") "    lookup_by: [customer.phone]\n",
                   "dataset customer is not granted", NULL);
    fixture_refuse(PARTNER VEHICLE_GRANT("[vin]") "    lookup_by: [vehicle.vim]\n",
                   "did you mean \"vin\"?", NULL);
    fixture_refuse(PARTNER VEHICLE_GRANT("[vin]") "    lookup_by: [vin]\n", "dataset.column", NULL);
}

static void reads_the_controller(void **state)
{
    const struct policy *policy = fixture_load(
        DATASETS "controller: {name: M, brands: {meridian: {name: Meridian}, dacre: }, dpo:"
                 " {name: D, email: d@m.example}, senders: [a, b], registration: ZA1,"
                 " jurisdictions: [uk-gdpr], privacy_page: m.example/privacy}\n");
    const struct policy_controller *controller = &policy->controller;
    assert_string_equal(controller->name, "M");
    assert_int_equal(controller->brand_count, 2);
    assert_string_equal(controller->brands[0].title, "Meridian");
    assert_string_equal(controller->brands[1].name, "dacre");
    assert_string_equal(controller->dpo_email, "d@m.example");
    assert_null(controller->dpo_phone);
    assert_int_equal(controller->sender_count, 2);
    assert_string_equal(controller->jurisdictions[0], "uk-gdpr");
    policy_release(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_contract),   cmocka_unit_test(an_instant_ends_exactly),
        cmocka_unit_test(reads_agents),       cmocka_unit_test(refuses_wrong_networks_and_hours),
        cmocka_unit_test(keeps_agents_apart), cmocka_unit_test(wants_purposes),
        cmocka_unit_test(reads_budgets),      cmocka_unit_test(reads_modes),
        cmocka_unit_test(reads_named_limits), cmocka_unit_test(reads_differencing),
        cmocka_unit_test(reads_lookups),      cmocka_unit_test(reads_the_controller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

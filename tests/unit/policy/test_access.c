/* Who may act when and from where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "fixture.h"

static const struct policy *load_agent(const char *settings)
{
    char text[4000];
    snprintf(text, sizeof text,
             PARTNER "    contract: {posture: {attested: 2026-01-01, expires: 2026-10-31}}\n"
                     "    valid: {from: 2026-01-01, until: 2026-11-30}\n"
                     "    agents: [{name: a, identity: {scram: s}%s}]\n",
             settings);
    return fixture_load(text);
}

static void expect(const char *settings, const char *when, const char *peer, const char *sqlstate)
{
    const struct policy *policy = load_agent(settings);
    struct in6_addr address;
    char mapped[80];
    int64_t now_ns = 0;
    assert_int_equal(clock_parse(when, &now_ns, NULL), STATUS_OK);
    if (peer != NULL) {
        snprintf(mapped, sizeof mapped, "%s%s", strchr(peer, ':') == NULL ? "::ffff:" : "", peer);
        assert_int_equal(inet_pton(AF_INET6, mapped, &address), 1);
    }
    struct error error = {.sqlstate = "00000"};
    enum status status = policy_admit(&policy->partners[0], &policy->partners[0].agents[0], now_ns,
                                      peer == NULL ? NULL : &address, &error);
    if (strcmp(error.sqlstate, sqlstate) != 0)
        fail_msg("%s at %s from %s: %s %s, not %s", settings, when, peer == NULL ? "-" : peer,
                 error.sqlstate, error.message, sqlstate);
    assert_int_equal(status, strcmp(sqlstate, "00000") == 0 ? STATUS_OK : STATUS_DENIED);
    policy_release(policy);
}

static void looks_at_dates(void **state)
{
    expect("", "2025-12-31T23:59:59Z", NULL, "57P01");
    expect("", "2026-01-01T00:00:00Z", NULL, "00000");
    expect("", "2026-10-31T23:59:59Z", NULL, "00000");
    expect("", "2026-11-01T00:00:00Z", NULL, "28000"); /* posture */
    expect("", "2026-12-01T00:00:00Z", NULL, "28000"); /* validity */
}

static void looks_at_networks(void **state)
{
    static const char *const both = ", networks: [203.0.113.0/25, \"2001:db8:4::/46\"]";
    static const char *const when = "2026-05-05T12:00:00Z";
    expect(both, when, "203.0.113.0", "00000");
    expect(both, when, "203.0.113.127", "00000");
    expect(both, when, "203.0.113.128", "28000");
    expect(both, when, "2001:db8:7:ffff::1", "00000");
    expect(both, when, "2001:db8:8::1", "28000");
    expect(both, when, "::1", "28000");
    expect(both, when, NULL, "28000");
    expect(", networks: [127.0.0.0/8, \"::1\"]", when, "127.1.2.3", "00000");
    expect(", networks: [127.0.0.0/8, \"::1\"]", when, "::1", "00000");
    expect(", networks: [127.0.0.0/8, \"::1\"]", when, "::2", "28000");
    expect(", networks: [0.0.0.0/0]", when, "198.51.100.1", "00000");
    expect(", networks: [0.0.0.0/0]", when, "2001:db8::1", "28000");
    expect(", networks: [\"::/0\"]", when, "198.51.100.1", "00000");
    expect("", when, "198.51.100.1", "00000");
}

static void looks_at_hours(void **state)
{
    /* 2026-05-04 is a Monday; London is an hour ahead of UTC in summer and level in winter. */
    static const char *const office = ", hours: \"Mon-Fri 07:00-19:00 Europe/London\"";
    expect(office, "2026-05-04T06:00:00Z", NULL, "00000");
    expect(office, "2026-05-04T05:59:59Z", NULL, "57P01");
    expect(office, "2026-05-04T17:59:59Z", NULL, "00000");
    expect(office, "2026-05-04T18:00:00Z", NULL, "57P01");
    expect(office, "2026-02-02T06:30:00Z", NULL, "57P01");
    expect(office, "2026-02-02T18:30:00Z", NULL, "00000");
    expect(office, "2026-05-09T12:00:00Z", NULL, "57P01"); /* Saturday */
    static const char *const shifts = ", hours: [\"22:00-24:00\", \"Sat-Mon 00:00-06:00 UTC\"]";
    expect(shifts, "2026-05-06T23:59:59Z", NULL, "00000");
    expect(shifts, "2026-05-07T00:00:00Z", NULL, "57P01"); /* Thursday */
    expect(shifts, "2026-05-10T00:00:00Z", NULL, "00000"); /* Sunday */
    expect(shifts, "2026-05-11T05:59:00Z", NULL, "00000"); /* Monday */
    expect(shifts, "2026-05-12T05:59:00Z", NULL, "57P01");
    expect(", hours: \"Mon,Wed 09:00-10:00\"", "2026-05-06T09:30:00Z", NULL, "00000");
    expect(", hours: \"Mon,Wed 09:00-10:00\"", "2026-05-05T09:30:00Z", NULL, "57P01");
}

static void says_what_to_do(void **state)
{
    const struct policy *policy = load_agent(", hours: \"Sun 09:00-10:00\"");
    struct error error = {0};
    int64_t monday = 0, december = 0;
    assert_int_equal(clock_parse("2026-05-04", &monday, NULL), STATUS_OK);
    assert_int_equal(clock_parse("2026-12-24", &december, NULL), STATUS_OK);
    const struct policy_partner *partner = &policy->partners[0];
    assert_int_equal(policy_admit(partner, partner->agents, monday, NULL, &error), STATUS_DENIED);
    assert_string_equal(error.message, "agent \"north-mail.a\" may not work at this hour");
    assert_string_equal(error.hint, "Its hours: Sun 09:00-10:00");
    assert_int_equal(policy_admit(partner, partner->agents, december, NULL, &error), STATUS_DENIED);
    assert_string_equal(error.message, "your access ended at 2026-12-01T00:00:00Z");
    policy_release(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_at_dates),
        cmocka_unit_test(looks_at_networks),
        cmocka_unit_test(looks_at_hours),
        cmocka_unit_test(says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

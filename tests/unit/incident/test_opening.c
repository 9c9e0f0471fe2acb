/* What staff may write when they open an incident: times, partners, suspects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "incident/opening.h"

static const int64_t now_ns = 1790000000LL * 1000000000; /* 2026-09-21T14:13:20Z */
static const struct policy_agent agents[] = {{.name = "sync"}, {.name = "job"}};
static const struct policy_partner partners[] = {
    {.name = "north-mail", .agents = agents, .agent_count = 2}, {.name = "ringway"}};
static const struct policy policy = {.partners = partners, .partner_count = 2};

static void instants_are_of_the_past(void **state)
{
    int64_t at = 0;
    assert_int_equal(opening_instant("--noticed", "now", now_ns, &at, NULL), STATUS_OK);
    assert_true(at == now_ns);
    assert_int_equal(opening_instant("--noticed", "2026-09-21T14:13:20Z", now_ns, &at, NULL),
                     STATUS_OK);
    assert_int_equal(opening_instant("--noticed", "2026-09-21T16:13:19+02:00", now_ns, &at, NULL),
                     STATUS_OK);
    assert_true(at == now_ns - 1000000000);
    static const struct {
        const char *text, *message;
    } wrong[] = {{"2026-09-21T14:13:21Z", "--from: 2026-09-21T14:13:21Z is in the future"},
                 {"2025-09-20", "--from: 2025-09-20 is more than a year ago"},
                 {"14:13", "--from: \"14:13\" is not a time"},
                 {"", "--from: \"\" is not a time"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error error = {0};
        assert_int_equal(opening_instant("--from", wrong[i].text, now_ns, &at, &error),
                         STATUS_INVALID);
        assert_string_equal(error.message, wrong[i].message);
    }
}

static void unknown_partners_have_a_nearest(void **state)
{
    const struct policy_partner *partner = NULL;
    struct error error = {0};
    assert_int_equal(opening_partner(&policy, "ringway", &partner, NULL), STATUS_OK);
    assert_ptr_equal(partner, &partners[1]);
    assert_int_equal(opening_partner(&policy, "northmail", &partner, &error), STATUS_NOT_FOUND);
    assert_string_equal(error.hint, "did you mean north-mail?");
    assert_int_equal(opening_partner(&policy, "zzzzzzzz", &partner, &error), STATUS_NOT_FOUND);
    assert_string_equal(error.hint, "north-mail, ringway");
}

static void suspects_are_of_four_kinds(void **state)
{
    static const char *const right[] = {"agent:sync", "certificate:0aFF", "certificate:0a:ff",
                                        "delivery:2026-11/3", "unknown"};
    static const char *const wrong[] = {
        "agent", "agent:", "certificate:", "certificate:::", "certificate:0x12",
        "sync",  "",       "Agent:sync",   "agent:cron"};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        struct error error = {0};
        if (opening_suspect(&partners[0], right[i], &error) != STATUS_OK)
            fail_msg("%s: %s", right[i], error.message);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error error = {0};
        if (opening_suspect(&partners[0], wrong[i], &error) == STATUS_OK)
            fail_msg("\"%s\" is taken", wrong[i]);
        assert_true(error.hint[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_are_of_the_past),
        cmocka_unit_test(unknown_partners_have_a_nearest),
        cmocka_unit_test(suspects_are_of_four_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What staff may write when they open an incident: times, partners, suspects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "incident/opening.h"

#define NOW_NS (INT64_C(1790000000) * 1000000000) /* 2026-09-21T14:13:20Z */
static const int64_t now_ns = NOW_NS;
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
                 {"14:13", "--from: \"14:13\" is not a time"},
                 {"", "--from: \"\" is not a time"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error error = {0};
        assert_int_equal(opening_instant("--from", wrong[i].text, now_ns, &at, &error),
                         STATUS_INVALID);
        assert_string_equal(error.message, wrong[i].message);
    }
}

/* Attackers stay for years; but nobody opens an incident of which we were told last year. */
static void only_the_notice_is_of_this_year(void **state)
{
    int64_t at = 0;
    struct error error = {0};
    assert_int_equal(opening_instant("--from", "2019-05-01", now_ns, &at, NULL), STATUS_OK);
    assert_true(opening_is_long_ago(at, now_ns));
    assert_int_equal(opening_noticed("--noticed", "2025-09-20", now_ns, &at, &error),
                     STATUS_INVALID);
    assert_string_equal(error.message, "--noticed: 2025-09-20 is more than a year ago");
    assert_int_equal(opening_noticed("--noticed", "2025-09-22", now_ns, &at, NULL), STATUS_OK);
    assert_false(opening_is_long_ago(at, now_ns));
    assert_false(opening_is_long_ago(INT64_MIN, now_ns));
}

/* What happened on the day that staff name, or in the second, is in scope. */
static void an_end_is_the_last_instant_of_what_is_named(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } ends[] = {
        {"2026-09-20", NOW_NS - (14 * 3600 + 13 * 60 + 20) * INT64_C(1000000000) - 1},
        {"2026-09-21", NOW_NS},
        {"now", NOW_NS},
        {"2026-09-21T14:13:19Z", NOW_NS - 1},
        {"2026-09-21T14:13:20Z", NOW_NS},
        {"2026-09-21T16:13:18+02:00", NOW_NS - INT64_C(1000000001)},
        {"2026-09-21T14:13:19.25Z", NOW_NS - INT64_C(750000000)},
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        int64_t end = 0;
        assert_int_equal(opening_end("--to", ends[i].text, now_ns, &end, NULL), STATUS_OK);
        if (end != ends[i].want)
            fail_msg("--to %s ends at %lld, expected %lld", ends[i].text, (long long)end,
                     (long long)ends[i].want);
    }
    int64_t end = 0;
    assert_int_equal(opening_end("--to", "2026-09-22", now_ns, &end, NULL), STATUS_INVALID);
}

static void who_acts_is_one_line(void **state)
{
    assert_int_equal(opening_actor("O'Neil (DPO), Zo\xc3\xab", NULL), STATUS_OK);
    assert_int_equal(opening_actor("a\nrestore by=b", NULL), STATUS_INVALID);
    assert_int_equal(opening_actor("a\x7f", NULL), STATUS_INVALID);
}

static void unknown_partners_have_a_nearest(void **state)
{
    const struct policy_partner *partner = NULL;
    struct error error = {0};
    assert_int_equal(policy_need_partner(&policy, "ringway", &partner, NULL), STATUS_OK);
    assert_ptr_equal(partner, &partners[1]);
    assert_int_equal(policy_need_partner(&policy, "northmail", &partner, &error), STATUS_NOT_FOUND);
    assert_string_equal(error.hint, "did you mean north-mail?");
    assert_int_equal(policy_need_partner(&policy, "zzzzzzzz", &partner, &error), STATUS_NOT_FOUND);
    assert_string_equal(error.hint, "one of: north-mail, ringway");
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
        cmocka_unit_test(only_the_notice_is_of_this_year),
        cmocka_unit_test(an_end_is_the_last_instant_of_what_is_named),
        cmocka_unit_test(who_acts_is_one_line),
        cmocka_unit_test(unknown_partners_have_a_nearest),
        cmocka_unit_test(suspects_are_of_four_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

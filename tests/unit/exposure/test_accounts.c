/* Budgets: distinct people, stopped exactly at the row; days in the partner's own zone. */
#include "scene.h"

#include <string.h>

#include "base/clock.h"
#include "exposure/accounts.h"

static struct accounts *accounts;
static struct zone *london, *kathmandu;

static int set_up(void **state)
{
    assert_status(accounts_new(&accounts, NULL), STATUS_OK);
    assert_status(zone_open("Europe/London", &london, NULL), STATUS_OK);
    assert_status(zone_open("Asia/Kathmandu", &kathmandu, NULL), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    accounts_free(accounts);
    zone_free(london);
    zone_free(kathmandu);
    return 0;
}

static struct policy_partner partner_of(uint64_t per_day, uint64_t total)
{
    return (struct policy_partner){.name = "north-mail",
                                   .budget = {.subjects_per_day = per_day,
                                              .subjects_total = total,
                                              .probes_per_day = 3,
                                              .errors_per_day = 2}};
}

/* Charges ids from … until - 1, one a row. */
static struct exposure_charge charge(const struct policy_partner *partner, const char *now,
                                     uint32_t from, uint32_t until)
{
    uint32_t ids[1000];
    size_t ends[1000];
    struct exposure_charge result;
    for (uint32_t i = 0; from + i < until; i++) {
        ids[i] = from + i;
        ends[i] = i + 1;
    }
    accounts_charge(accounts, partner, instant(now), ids, ends, until - from, &result);
    return result;
}

static struct exposure_budget budget(const struct policy_partner *partner, const char *now)
{
    struct exposure_budget result;
    accounts_budget(accounts, partner, instant(now), &result);
    return result;
}

static void the_limit_stops_exactly_at_the_row(void **state)
{
    struct policy_partner partner = partner_of(10, 0);
    struct exposure_charge first = charge(&partner, "2026-11-22T10:00:00Z", 0, 8);
    assert_int_equal(first.admitted_rows, 8);
    assert_int_equal(first.charged, 8);
    assert_null(first.limit);
    struct exposure_charge second = charge(&partner, "2026-11-22T10:00:01Z", 6, 20);
    assert_int_equal(second.admitted_rows, 4); /* 6 and 7 are free, 8 and 9 fit */
    assert_int_equal(second.charged, 2);
    assert_string_equal(second.limit, "subjects per day");
    assert_int_equal(second.limit_value, 10);
    assert_int_equal(budget(&partner, "2026-11-22T10:00:02Z").subjects_today, 10);
}

static void a_row_of_many_is_admitted_whole_or_not(void **state)
{
    struct policy_partner partner = partner_of(5, 0);
    const uint32_t ids[] = {1, 2, 2, 1, 3, 4, 5, 6, 1};
    const size_t ends[] = {4, 4, 8, 9}; /* {1,2}, {}, {3,4,5,6}, {1} */
    struct exposure_charge result;
    accounts_charge(accounts, &partner, instant("2026-11-22T10:00:00Z"), ids, ends, 4, &result);
    assert_int_equal(result.admitted_rows, 2);
    assert_int_equal(result.charged, 2);
    assert_int_equal(budget(&partner, "2026-11-22T10:00:00Z").subjects_today, 2);
    assert_int_equal(budget(&partner, "2026-11-22T10:00:00Z").subjects_total, 2);
    accounts_charge(accounts, &partner, instant("2026-11-22T10:00:00Z"), ids, ends, 4, &result);
    assert_int_equal(result.charged, 0);
    partner.budget.subjects_per_day = 6;
    accounts_charge(accounts, &partner, instant("2026-11-22T10:00:00Z"), ids, ends, 4, &result);
    assert_int_equal(result.admitted_rows, 4);
    assert_int_equal(result.charged, 4);
}

static void trying_again_is_free(void **state)
{
    struct policy_partner partner = partner_of(100, 100);
    charge(&partner, "2026-11-22T10:00:00Z", 0, 100);
    struct exposure_charge again = charge(&partner, "2026-11-22T11:00:00Z", 0, 100);
    assert_int_equal(again.admitted_rows, 100);
    assert_int_equal(again.charged, 0);
    assert_null(again.limit);
}

static void the_total_outlives_the_day(void **state)
{
    struct policy_partner partner = partner_of(10, 15);
    charge(&partner, "2026-11-22T10:00:00Z", 0, 10);
    struct exposure_charge next = charge(&partner, "2026-11-23T10:00:00Z", 0, 10);
    assert_int_equal(next.admitted_rows, 10); /* new to the day, not to the total */
    assert_int_equal(next.charged, 10);
    next = charge(&partner, "2026-11-24T10:00:00Z", 8, 18);
    assert_int_equal(next.admitted_rows, 7);
    assert_string_equal(next.limit, "subjects in total");
    assert_int_equal(next.limit_value, 15);
    struct exposure_budget used = budget(&partner, "2026-11-24T10:00:00Z");
    assert_int_equal(used.subjects_today, 7);
    assert_int_equal(used.subjects_total, 15);
}

static void days_begin_at_local_midnight_in_summer_and_winter(void **state)
{
    struct policy_partner partner = partner_of(10, 0);
    partner.budget.zone = london;
    partner.budget.zone_name = "Europe/London";
    charge(&partner, "2026-06-30T22:59:59Z", 0, 10);
    assert_int_equal(charge(&partner, "2026-06-30T22:59:59Z", 10, 11).admitted_rows, 0);
    assert_int_equal(charge(&partner, "2026-06-30T23:00:00Z", 10, 20).admitted_rows, 10);
    assert_int_equal(charge(&partner, "2026-07-01T22:59:59Z", 20, 21).admitted_rows, 0);
    /* The day of 25 hours: from 24 October 23:00 UTC to 26 October 00:00 UTC. */
    assert_int_equal(charge(&partner, "2026-10-24T23:00:00Z", 0, 10).admitted_rows, 10);
    assert_int_equal(charge(&partner, "2026-10-25T23:59:59Z", 10, 11).admitted_rows, 0);
    assert_int_equal(charge(&partner, "2026-10-26T00:00:00Z", 10, 11).admitted_rows, 1);
    partner.name = "ringway";
    partner.budget.zone = kathmandu; /* UTC+05:45 */
    partner.budget.zone_name = "Asia/Kathmandu";
    assert_int_equal(charge(&partner, "2026-11-22T18:14:59Z", 0, 10).admitted_rows, 10);
    assert_int_equal(charge(&partner, "2026-11-22T18:15:00Z", 10, 20).admitted_rows, 10);
}

static void today_follows_from_entries_in_any_zone(void **state)
{
    struct policy_partner partner = partner_of(0, 0);
    const uint32_t ids[] = {1, 2, 3, 4, 5};
    struct slice name = slice_of_text(partner.name);
    /* The 25-hour day of London again, told by entries before any zone is known. */
    accounts_take(accounts, name, instant("2026-10-24T22:59:59Z"), ids, 1);     /* the day before */
    accounts_take(accounts, name, instant("2026-10-24T23:00:00Z"), ids + 1, 1); /* first instant */
    accounts_take(accounts, name, instant("2026-10-25T23:59:59Z"), ids + 2, 2); /* last instant */
    accounts_recount(accounts, name, instant("2026-10-24T22:59:59Z"), 1, 1);
    accounts_recount(accounts, name, instant("2026-10-24T23:00:00Z"), 1, 0);
    partner.budget.zone = london;
    partner.budget.zone_name = "Europe/London";
    struct exposure_budget used = budget(&partner, "2026-10-25T23:59:59Z");
    assert_int_equal(used.subjects_today, 3);
    assert_int_equal(used.subjects_total, 4);
    assert_int_equal(used.probes_today, 1);
    assert_int_equal(used.errors_today, 0);
    partner.budget.zone = NULL; /* a reload: the day is now the UTC day of the 25th */
    used = budget(&partner, "2026-10-25T23:59:59Z");
    assert_int_equal(used.subjects_today, 2);
    accounts_take(accounts, name, instant("2026-10-25T12:00:00Z"), ids + 4, 1); /* out of order */
    used = budget(&partner, "2026-10-25T23:59:59Z");
    assert_int_equal(used.subjects_today, 3);
}

/* As a look-up does that finds nobody: where it would pass the bound, it is not made. */
static bool look_up(const struct policy_partner *partner, int64_t now_ns, uint64_t count)
{
    bool left = accounts_probes_left(accounts, partner, now_ns, count);
    if (left)
        accounts_recount(accounts, slice_of_text(partner->name), now_ns, count, 0);
    return left;
}

static void probes_and_errors_have_bounds_of_their_own(void **state)
{
    struct policy_partner partner = partner_of(0, 0);
    int64_t now = instant("2026-11-22T10:00:00Z"), next = instant("2026-11-23T00:00:00Z");
    assert_true(accounts_errors_left(accounts, &partner, now));
    assert_true(accounts_count_error(accounts, &partner, now));
    assert_true(accounts_errors_left(accounts, &partner, now));
    assert_true(accounts_count_error(accounts, &partner, now));
    assert_false(accounts_errors_left(accounts, &partner, now)); /* a third would pass the bound */
    assert_true(look_up(&partner, now, 1));                      /* the third: errors are probes */
    assert_false(look_up(&partner, now, 1));
    assert_false(look_up(&partner, now, 1));
    struct exposure_budget used = budget(&partner, "2026-11-22T10:00:00Z");
    assert_int_equal(used.probes_today, 3); /* refused ones are not counted */
    assert_int_equal(used.errors_today, 2);
    assert_false(accounts_count_error(accounts, &partner, now));
    assert_true(accounts_errors_left(accounts, &partner, next));
    assert_false(look_up(&partner, next, 4)); /* all or none */
    assert_true(look_up(&partner, next, 2));
    assert_false(look_up(&partner, next, 2));
    assert_true(look_up(&partner, next, 1));
    partner.budget.probes_per_day = partner.budget.errors_per_day = 0; /* no bounds */
    for (int i = 0; i < 100; i++)
        assert_true(accounts_count_error(accounts, &partner, next));
    assert_true(accounts_errors_left(accounts, &partner, next));
}

static void partners_do_not_share(void **state)
{
    struct policy_partner one = partner_of(10, 0), two = partner_of(10, 0);
    two.name = "ringway";
    charge(&one, "2026-11-22T10:00:00Z", 0, 10);
    assert_int_equal(charge(&two, "2026-11-22T10:00:00Z", 0, 12).admitted_rows, 10);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(the_limit_stops_exactly_at_the_row),
        FRESH(a_row_of_many_is_admitted_whole_or_not),
        FRESH(trying_again_is_free),
        FRESH(the_total_outlives_the_day),
        FRESH(days_begin_at_local_midnight_in_summer_and_winter),
        FRESH(today_follows_from_entries_in_any_zone),
        FRESH(probes_and_errors_have_bounds_of_their_own),
        FRESH(partners_do_not_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

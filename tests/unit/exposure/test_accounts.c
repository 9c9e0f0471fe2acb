/* Budgets: distinct people, stopped exactly at the row; days in the partner's own zone. */
#include "scene.h"

#include <stdlib.h>
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
    const struct exposure_subjects subjects = {
        .ids = ids, .row_ends = ends, .row_count = until - from};
    accounts_charge(accounts, partner, instant(now), &subjects, &result);
    return result;
}

static struct exposure_budget budget(const struct policy_partner *partner, const char *now)
{
    struct exposure_budget result;
    accounts_budget(accounts, partner, instant(now), &result);
    return result;
}

/* Sessions take the time before they get here: one a moment before midnight may come second. What
 * is charged and not yet recorded is not lost when the day turns back and forth. */
static void a_day_that_turns_back_keeps_what_is_not_recorded(void **state)
{
    struct policy_partner partner = partner_of(10, 0);
    assert_int_equal(charge(&partner, "2026-11-23T00:00:00Z", 0, 8).charged, 8);
    assert_int_equal(charge(&partner, "2026-11-22T23:59:59Z", 100, 101).charged, 1);
    assert_int_equal(charge(&partner, "2026-11-23T00:00:00Z", 20, 40).charged, 2);
    assert_int_equal(budget(&partner, "2026-11-23T00:00:01Z").subjects_today, 10);
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
    const struct exposure_subjects subjects = {.ids = ids, .row_ends = ends, .row_count = 4};
    struct exposure_charge result;
    accounts_charge(accounts, &partner, instant("2026-11-22T10:00:00Z"), &subjects, &result);
    assert_int_equal(result.admitted_rows, 2);
    assert_int_equal(result.charged, 2);
    assert_int_equal(budget(&partner, "2026-11-22T10:00:00Z").subjects_today, 2);
    assert_int_equal(budget(&partner, "2026-11-22T10:00:00Z").subjects_total, 2);
    accounts_charge(accounts, &partner, instant("2026-11-22T10:00:00Z"), &subjects, &result);
    assert_int_equal(result.charged, 0);
    partner.budget.subjects_per_day = 6;
    accounts_charge(accounts, &partner, instant("2026-11-22T10:00:00Z"), &subjects, &result);
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

static void take(struct slice partner, int64_t time_ns, const uint32_t *ids, size_t count)
{
    accounts_take(accounts, &(struct account_place){.partner = partner}, time_ns, ids, count);
}

static void today_follows_from_entries_in_any_zone(void **state)
{
    struct policy_partner partner = partner_of(0, 0);
    const uint32_t ids[] = {1, 2, 3, 4, 5};
    struct slice name = slice_of_text(partner.name);
    /* The 25-hour day of London again, told by entries before any zone is known. */
    take(name, instant("2026-10-24T22:59:59Z"), ids, 1);     /* the day before */
    take(name, instant("2026-10-24T23:00:00Z"), ids + 1, 1); /* first instant */
    take(name, instant("2026-10-25T23:59:59Z"), ids + 2, 2); /* last instant */
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
    take(name, instant("2026-10-25T12:00:00Z"), ids + 4, 1); /* out of order */
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

/* ---- named limits ---- */

static const char *line_of(void *context, uint32_t column_set)
{
    static const char *const texts[] = {
        NULL, "customer.phone:clear:phone\n",
        "customer.phone:masked:phone\ncustomer.town:clear:address\n", "vehicle.model:clear:\n"};
    return column_set < 4 ? texts[column_set] : NULL;
}

static struct exposure_charge charge_as(const struct policy_partner *partner, const char *now,
                                        const char *agent, const char *purpose, uint32_t set,
                                        uint32_t from, uint32_t until)
{
    uint32_t ids[1000];
    size_t ends[1000];
    struct exposure_charge result;
    for (uint32_t i = 0; from + i < until; i++) {
        ids[i] = from + i;
        ends[i] = i + 1;
    }
    const struct exposure_subjects subjects = {.agent = agent,
                                               .purpose = purpose,
                                               .ids = ids,
                                               .column_sets = &set,
                                               .class_count = 1,
                                               .row_ends = ends,
                                               .row_count = until - from};
    accounts_know_texts(accounts, &(struct gauge_texts){.text = line_of});
    accounts_charge(accounts, partner, instant(now), &subjects, &result);
    return result;
}

static void with_limits(struct policy_partner *partner, const struct policy_limit *limits,
                        size_t count)
{
    partner->budget.limits = limits;
    partner->budget.limit_count = count;
}

static void a_limit_counts_what_it_selects_and_nothing_else(void **state)
{
    static const struct policy_limit limits[] = {
        {.name = "phones",
         .subjects = 5,
         .window = POLICY_PER_DAY,
         .category = "phone",
         .has_form = true,
         .form = POLICY_FORM_CLEAR},
        {.name = "sync", .subjects = 8, .window = POLICY_EVER, .agent = "sync"},
        {.name = "recall", .subjects = 9, .window = POLICY_EVER, .purpose = "recall"}};
    static const char now[] = "2026-11-22T10:00:00Z";
    struct policy_partner partner = partner_of(0, 0);
    with_limits(&partner, limits, 3);
    assert_int_equal(charge_as(&partner, now, "desk", "ads", 2, 0, 100).admitted_rows, 100);
    assert_int_equal(charge_as(&partner, now, "desk", "ads", 3, 0, 100).admitted_rows, 100);
    struct exposure_charge cut = charge_as(&partner, now, "desk", "ads", 1, 0, 100);
    assert_int_equal(cut.admitted_rows, 5);
    assert_string_equal(cut.limit, "subjects per day");
    assert_string_equal(cut.limit_name, "phones");
    assert_int_equal(cut.limit_value, 5);
    assert_int_equal(cut.frees_at_ns, instant("2026-11-23T00:00:00Z"));
    assert_int_equal(charge_as(&partner, now, "desk", "ads", 1, 0, 5).admitted_rows, 5); /* known */
    cut = charge_as(&partner, now, "sync", "ads", 3, 0, 100);
    assert_int_equal(cut.admitted_rows, 8);
    assert_string_equal(cut.limit_name, "sync");
    assert_int_equal(cut.frees_at_ns, INT64_MAX);
    assert_int_equal(charge_as(&partner, now, "sync", "recall", 3, 0, 100).admitted_rows, 8);
    cut = charge_as(&partner, now, "desk", "recall", 3, 0, 100);
    assert_int_equal(cut.admitted_rows, 9);
    assert_string_equal(cut.limit_name, "recall");
    /* a column set whose text is not known counts for every category */
    assert_int_equal(charge_as(&partner, now, "desk", "ads", 77, 50, 60).admitted_rows, 0);
}

/* The row that one limit refuses is taken back from all of them. */
static void an_overdrawn_row_is_taken_back_everywhere(void **state)
{
    static const struct policy_limit limits[] = {
        {.name = "wide", .subjects = 100, .window = POLICY_PER_24H},
        {.name = "narrow", .subjects = 3, .window = POLICY_PER_7D, .category = "phone"}};
    struct policy_partner partner = partner_of(0, 0);
    with_limits(&partner, limits, 2);
    const uint32_t ids[] = {1, 2, 3, 4, 5}, sets[] = {3, 1};
    const uint16_t classes[] = {0, 1, 1, 1, 1};
    const size_t ends[] = {1, 5};
    const struct exposure_subjects subjects = {.agent = "a",
                                               .purpose = "p",
                                               .ids = ids,
                                               .classes = classes,
                                               .column_sets = sets,
                                               .class_count = 2,
                                               .row_ends = ends,
                                               .row_count = 2};
    struct exposure_charge result;
    accounts_know_texts(accounts, &(struct gauge_texts){.text = line_of});
    for (int i = 0; i < 3; i++) {
        accounts_charge(accounts, &partner, instant("2026-11-22T10:00:00Z"), &subjects, &result);
        assert_int_equal(result.admitted_rows, 1);
        assert_int_equal(result.charged, i == 0 ? 1 : 0);
        assert_string_equal(result.limit_name, "narrow");
        assert_int_equal(budget(&partner, "2026-11-22T10:00:00Z").subjects_today, 1);
    }
    assert_int_equal(charge_as(&partner, "2026-11-22T10:00:00Z", "a", "p", 1, 10, 20).admitted_rows,
                     3); /* nobody of the refused row counts */
    assert_int_equal(
        charge_as(&partner, "2026-11-22T10:00:00Z", "a", "p", 3, 100, 300).admitted_rows, 96);
}

static void a_rolling_window_lets_go_of_people_as_it_moves(void **state)
{
    static const struct policy_limit limits[] = {
        {.name = "rolling", .subjects = 10, .window = POLICY_PER_24H}};
    struct policy_partner partner = partner_of(0, 0);
    with_limits(&partner, limits, 1);
    assert_int_equal(charge_as(&partner, "2026-11-22T10:05:00Z", "a", "p", 3, 0, 6).admitted_rows,
                     6);
    assert_int_equal(charge_as(&partner, "2026-11-22T20:00:00Z", "a", "p", 3, 6, 10).admitted_rows,
                     4);
    struct exposure_charge full = charge_as(&partner, "2026-11-23T10:04:59Z", "a", "p", 3, 10, 20);
    assert_int_equal(full.admitted_rows, 0);
    assert_int_equal(full.frees_at_ns, instant("2026-11-23T10:15:00Z"));
    /* asked again, 0 and 1 count from now on */
    assert_int_equal(charge_as(&partner, "2026-11-23T10:05:00Z", "a", "p", 3, 0, 2).admitted_rows,
                     2);
    assert_int_equal(charge_as(&partner, "2026-11-23T10:15:00Z", "a", "p", 3, 10, 20).admitted_rows,
                     4);
}

static void weeks_and_months_are_of_the_calendar(void **state)
{
    static const struct policy_limit limits[] = {
        {.name = "week", .subjects = 10, .window = POLICY_PER_WEEK},
        {.name = "month", .subjects = 15, .window = POLICY_PER_MONTH}};
    struct policy_partner partner = partner_of(0, 0);
    partner.budget.zone = london;
    partner.budget.zone_name = "Europe/London";
    with_limits(&partner, limits, 2);
    /* Monday 26 October 2026 is the first after summer time: 00:00 there and UTC */
    assert_int_equal(charge_as(&partner, "2026-10-18T23:00:00Z", "a", "p", 3, 0, 20).admitted_rows,
                     10); /* Monday 00:00 of summer time */
    assert_int_equal(charge_as(&partner, "2026-10-25T23:59:59Z", "a", "p", 3, 10, 11).admitted_rows,
                     0);
    struct exposure_charge month = charge_as(&partner, "2026-10-26T00:00:00Z", "a", "p", 3, 10, 20);
    assert_int_equal(month.admitted_rows, 5);
    assert_string_equal(month.limit_name, "month");
    assert_int_equal(month.frees_at_ns, instant("2026-11-01T00:00:00Z"));
    assert_int_equal(charge_as(&partner, "2026-11-01T00:00:00Z", "a", "p", 3, 15, 25).admitted_rows,
                     5); /* the week goes on */
}

/* A reload adds a limit: its window is right at once, from what entries said weeks ago. */
static void a_new_limit_knows_the_past(void **state)
{
    static const struct policy_limit limits[] = {
        {.name = "month", .subjects = 12, .window = POLICY_PER_30D, .category = "phone"},
        {.name = "ever", .subjects = 30, .window = POLICY_EVER, .agent = "sync"}};
    struct policy_partner partner = partner_of(0, 0);
    uint32_t ids[20];
    for (uint32_t i = 0; i < 20; i++)
        ids[i] = i;
    struct account_place place = {.partner = slice_of_text(partner.name),
                                  .agent = slice_of_text("sync"),
                                  .purpose = slice_of_text("p"),
                                  .column_set = 1};
    accounts_take(accounts, &place, instant("2026-10-01T10:00:00Z"), ids, 20);
    accounts_take(accounts, &place, instant("2026-10-25T10:00:00Z"), ids, 10);
    place.column_set = 3;
    accounts_take(accounts, &place, instant("2026-10-26T10:00:00Z"), ids + 10, 10);
    with_limits(&partner, limits, 2);
    struct exposure_charge cut =
        charge_as(&partner, "2026-11-22T10:00:00Z", "sync", "p", 1, 100, 120);
    assert_int_equal(cut.admitted_rows, 2); /* ten phones within 30 days, the others are older */
    assert_string_equal(cut.limit_name, "month");
    cut = charge_as(&partner, "2026-11-22T10:00:00Z", "sync", "p", 3, 100, 120);
    assert_int_equal(cut.admitted_rows, 10);
    assert_string_equal(cut.limit_name, "ever");
    with_limits(&partner, limits + 1, 1); /* another reload: the first is gone */
    assert_int_equal(
        charge_as(&partner, "2026-11-22T10:00:00Z", "desk", "p", 1, 200, 300).admitted_rows, 100);
}

/* ---- against a model that counts anew each time ---- */

enum { DAYS = 60, AGENTS = 2, SETS = 4, IDS = 60, STEPS = 3000, ROW_MOST = 6 };

static const char *const agents[AGENTS] = {"desk", "sync"};
static bool told[DAYS][AGENTS][SETS][IDS];

static uint32_t draw(uint32_t below)
{
    static uint64_t state = 20261123;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static bool model_counts(const struct policy_limit *limit, size_t agent, size_t set)
{
    return (limit->agent == NULL || strcmp(limit->agent, agents[agent]) == 0) &&
           (limit->category == NULL || set == 1 || set == 2);
}

static uint64_t model_count(const struct policy_limit *limit, size_t today)
{
    uint64_t count = 0;
    for (size_t id = 0; id < IDS; id++) {
        bool found = false;
        for (size_t day = limit->window == POLICY_EVER ? 0 : today; day <= today; day++)
            for (size_t agent = 0; agent < AGENTS; agent++)
                for (size_t set = 1; set < SETS; set++)
                    found = found || (told[day][agent][set][id] && model_counts(limit, agent, set));
        count += found;
    }
    return count;
}

/* Marks the row, unless it would pass a limit. */
static bool model_admits(const struct policy_limit *limits, size_t count, size_t today,
                         size_t agent, size_t set, const uint32_t *ids, size_t id_count)
{
    bool before[IDS], admitted = true;
    uint64_t counts[8];
    memcpy(before, told[today][agent][set], sizeof before);
    for (size_t i = 0; i < count; i++)
        counts[i] = model_count(&limits[i], today);
    for (size_t i = 0; i < id_count; i++)
        told[today][agent][set][ids[i]] = true;
    for (size_t i = 0; i < count; i++) {
        uint64_t now = model_count(&limits[i], today);
        admitted = admitted && (now <= limits[i].subjects || now == counts[i]);
    }
    if (!admitted)
        memcpy(told[today][agent][set], before, sizeof before);
    return admitted;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

/* Rows come and are refused, days pass, limits come and go: what the account remembers between
 * never changes an answer. */
static void many_limits_admit_what_counting_anew_would(void **state)
{
    static const struct policy_limit limits[] = {
        {.name = "all", .subjects = 55, .window = POLICY_EVER},
        {.name = "day", .subjects = 30, .window = POLICY_PER_DAY},
        {.name = "sync", .subjects = 12, .window = POLICY_PER_DAY, .agent = "sync"},
        {.name = "phones", .subjects = 20, .window = POLICY_PER_DAY, .category = "phone"},
        {.name = "most", .subjects = 50, .window = POLICY_EVER, .agent = "desk"}};
    struct policy_partner partner = partner_of(0, 0);
    size_t count = 5, refused = 0, day = 0;
    memset(told, 0, sizeof told);
    accounts_know_texts(accounts, &(struct gauge_texts){.text = line_of});
    for (size_t step = 0; step < STEPS; step++) {
        uint32_t ids[ROW_MOST];
        const size_t agent = draw(AGENTS), row_end = 1 + draw(ROW_MOST);
        const uint32_t set = 1 + draw(SETS - 1);
        struct exposure_charge result;
        for (size_t i = 0; i < row_end; i++)
            ids[i] = draw(IDS);
        if (draw(100) == 0)
            count = 2 + draw(4); /* the policy was changed */
        if (step % (STEPS / DAYS + 1) == STEPS / DAYS)
            day++;
        with_limits(&partner, limits, count);
        const struct exposure_subjects subjects = {.agent = agents[agent],
                                                   .purpose = "p",
                                                   .ids = ids,
                                                   .column_sets = &set,
                                                   .class_count = 1,
                                                   .row_ends = &row_end,
                                                   .row_count = 1};
        int64_t now_ns =
            instant("2026-09-01T00:00:00Z") + ((int64_t)day * 24 + draw(24)) * 3600 * 1000000000;
        accounts_charge(accounts, &partner, now_ns, &subjects, &result);
        const struct account_place place = {.partner = slice_of_text(partner.name),
                                            .agent = slice_of_text(agents[agent]),
                                            .purpose = slice_of_text("p"),
                                            .column_set = set};
        qsort(ids, row_end, sizeof ids[0], by_number);
        if (result.admitted_rows == 1) /* the entry is recorded */
            accounts_take(accounts, &place, now_ns, ids, row_end);
        bool admitted = model_admits(limits, count, day, agent, set, ids, row_end);
        refused += !admitted;
        if ((result.admitted_rows == 1) != admitted)
            fail_msg("step %zu: %s", step, admitted ? "refused" : "admitted");
    }
    assert_true(refused > STEPS / 20 && refused < STEPS - STEPS / 20);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(the_limit_stops_exactly_at_the_row),
        FRESH(a_day_that_turns_back_keeps_what_is_not_recorded),
        FRESH(a_row_of_many_is_admitted_whole_or_not),
        FRESH(trying_again_is_free),
        FRESH(the_total_outlives_the_day),
        FRESH(days_begin_at_local_midnight_in_summer_and_winter),
        FRESH(today_follows_from_entries_in_any_zone),
        FRESH(probes_and_errors_have_bounds_of_their_own),
        FRESH(partners_do_not_share),
        FRESH(a_limit_counts_what_it_selects_and_nothing_else),
        FRESH(an_overdrawn_row_is_taken_back_everywhere),
        FRESH(a_rolling_window_lets_go_of_people_as_it_moves),
        FRESH(weeks_and_months_are_of_the_calendar),
        FRESH(a_new_limit_knows_the_past),
        FRESH(many_limits_admit_what_counting_anew_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Agents held against histories made of entries, as the ledger has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exposure/subject_set.h"
#include "watch/watch.h"

static const int64_t HOUR_NS = 3600LL * 1000000000, DAY_NS = 86400LL * 1000000000;
static struct policy_agent agent = {.name = "sync", .login = "acme.sync"};
static struct policy_partner partner;
static struct watch *watch;
static struct watch_verdict verdict;
static int64_t start_ns;
static enum watch_mode mode;

/* Subject n has the key "n". */
static bool key_of(void *context, uint32_t id, uint16_t *kind, char key[static 256])
{
    *kind = 0;
    snprintf(key, 256, "%u", id);
    return id != 0;
}

static const char *columns_of(void *context, uint32_t id)
{
    static const char *const texts[] = {NULL, "customer.id:clear:id\ncustomer.name:clear:name\n",
                                        "customer.id:clear:id\n",
                                        "customer.iban:clear:financial\n"
                                        "customer.name:masked:name\n"};
    return id < 4 ? texts[id] : NULL;
}

static int begin(void **state)
{
    const struct watch_sources sources = {.columns = columns_of, .key = key_of};
    struct error error;
    mode = WATCH_LIVE;
    assert_int_equal(clock_parse("2026-11-02T09:00:00Z", &start_ns, NULL), STATUS_OK); /* Monday */
    partner = (struct policy_partner){.name = "acme",
                                      .anomalies = {.days = 28, .learn = 7, .walk_step = 8}};
    for (int i = 0; i < POLICY_ANOMALIES; i++)
        partner.anomalies.rules[i] = (struct policy_anomaly_rule){.floor = 50, .factor = 3};
    assert_int_equal(watch_new(&watch, &error), STATUS_OK);
    watch_know(watch, &sources);
    return 0;
}

static int end(void **state)
{
    watch_free(watch);
    return 0;
}

static void take_entry(struct ledger_entry *entry)
{
    entry->partner = slice_of_text("acme");
    entry->agent = slice_of_text("sync");
    if (entry->session == 0)
        entry->session = 1;
    watch_take(watch, mode == WATCH_REPLAY ? NULL : &partner, mode == WATCH_REPLAY ? NULL : &agent,
               mode, entry, &verdict);
}

/* One statement about these people, ascending. */
static void tell_ids(int64_t time_ns, uint32_t *ids, uint32_t count, uint8_t grade,
                     uint32_t columns)
{
    struct buffer set;
    buffer_init(&set, 1 << 20);
    subject_set_serialize(ids, count, &set);
    struct ledger_item item = {.grade = grade, .subjects = buffer_slice(&set)};
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                 .flags = LEDGER_FLAG_OPENING | LEDGER_FLAG_CLOSING,
                                 .time_ns = time_ns,
                                 .row_count = grade == 5 ? 0 : count,
                                 .column_set = columns,
                                 .items = &item,
                                 .item_count = count > 0};
    take_entry(&entry);
    buffer_free(&set);
}

/* The same about people first … first + count - 1. */
static void tell(int64_t time_ns, uint32_t first, uint32_t count, uint8_t grade, uint32_t columns)
{
    uint32_t *ids = calloc(count + 1, sizeof *ids);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = first + i;
    tell_ids(time_ns, ids, count, grade, columns);
    free(ids);
}

static void log_in(int64_t time_ns, const char *address, uint64_t session)
{
    char text[200];
    snprintf(text, sizeof text, "session-opened\nsession=%d\naddress=%s\ncredential=password\n",
             (int)session, address);
    struct ledger_entry entry = {
        .type = LEDGER_ACT, .time_ns = time_ns, .session = session, .text = slice_of_text(text)};
    take_entry(&entry);
}

/* Days of work from nine to twelve, with so many people an hour. */
static int64_t work_days(int days, uint32_t people)
{
    int64_t time_ns = start_ns;
    for (int day = 0; day < days; day++, time_ns += DAY_NS)
        for (int hour = 0; hour < 3; hour++) {
            log_in(time_ns + hour * HOUR_NS, "::ffff:10.1.2.3", 1);
            tell(time_ns + hour * HOUR_NS, 1 + 1000 * (uint32_t)hour, people, 1, 1);
        }
    return time_ns;
}

static uint64_t now_of(enum policy_anomaly rule, int64_t time_ns)
{
    struct watch_standing standing;
    watch_standing(watch, &partner, &agent, time_ns, &standing);
    return standing.figures[rule].now;
}

static void expect_alarm(enum policy_anomaly rule, const char *text)
{
    if (verdict.count != 1 || verdict.alarms[0].rule != rule ||
        strstr(verdict.alarms[0].text, text) == NULL)
        fail_msg("%zu alarms, %s: %s", verdict.count,
                 verdict.count == 0 ? "none" : watch_rule_name(verdict.alarms[0].rule),
                 verdict.count == 0 ? "" : verdict.alarms[0].text);
}

static void a_fresh_agent_has_floors_alone(void **state)
{
    log_in(start_ns, "::ffff:10.1.2.3", 1);
    assert_int_equal(verdict.count, 0);
    log_in(start_ns + 8 * HOUR_NS, "2001:db8::1", 1);
    assert_int_equal(verdict.count, 0);
    partner.anomalies.rules[POLICY_ANOMALY_ROWS].floor = 1000;
    tell(start_ns, 1, 50, 1, 1);
    assert_int_equal(verdict.count, 0);
    tell(start_ns, 1, 50, 1, 1); /* again: nobody more */
    assert_int_equal(verdict.count, 0);
    tell(start_ns, 51, 1, 3, 3);
    expect_alarm(POLICY_ANOMALY_SUBJECTS, "people in the hour: 51, bound 50 = floor (0 of 7 days");
    assert_false(verdict.contain);
    tell(start_ns, 100, 200, 1, 1);
    assert_int_equal(verdict.count, 0); /* once an hour */
    tell(start_ns + HOUR_NS, 1, 51, 1, 1);
    expect_alarm(POLICY_ANOMALY_SUBJECTS, "51");
    tell(start_ns + HOUR_NS, 1, 51, 2, 1); /* statistics tell of nobody */
    assert_int_equal(now_of(POLICY_ANOMALY_SUBJECTS, start_ns + HOUR_NS), 51);
}

static void the_bound_follows_the_history(void **state)
{
    partner.anomalies.rules[POLICY_ANOMALY_ROWS].off = true;
    int64_t today = work_days(7, 40);
    tell(today, 1, 120, 1, 1);
    assert_int_equal(verdict.count, 0);
    tell(today, 121, 1, 1, 1);
    expect_alarm(POLICY_ANOMALY_SUBJECTS,
                 "people in the hour: 121, bound 120 = max(floor 50, 3 x 40, its most in 28 days, "
                 "on 2026-11-0");
    /* What was today is history tomorrow, and no longer after 28 days. */
    tell(today + DAY_NS, 1, 363, 1, 1);
    assert_int_equal(verdict.count, 0);
    tell(today + 30 * DAY_NS, 1, 51, 1, 1);
    assert_true(verdict.count > 0);
    assert_int_equal(verdict.alarms[0].bound, 50);
}

static void what_is_new(void **state)
{
    int64_t today = work_days(7, 4); /* until Sunday */
    log_in(today, "::ffff:10.1.2.99", 1);
    assert_int_equal(verdict.count, 0);
    log_in(today, "10.1.2.99", 1);
    assert_int_equal(verdict.count, 0);
    log_in(today, "::ffff:10.1.3.3", 1);
    expect_alarm(POLICY_ANOMALY_NETWORKS, "network never come from: 10.1.3.0/24");
    log_in(today + HOUR_NS, "2001:db8:7:1::5", 1);
    expect_alarm(POLICY_ANOMALY_NETWORKS, "2001:db8:7::/48");
    log_in(today + 2 * HOUR_NS, "2001:db8:7:2::6", 1);
    assert_int_equal(verdict.count, 0);
    log_in(today + 2 * HOUR_NS, "-", 1); /* no network */
    assert_int_equal(verdict.count, 0);
    tell(today + 2 * HOUR_NS, 1, 1, 1, 2); /* a column of known ones */
    assert_int_equal(verdict.count, 0);
    tell(today + 2 * HOUR_NS, 1, 1, 1, 3);
    expect_alarm(POLICY_ANOMALY_COLUMNS, "never read before: customer.iban:clear and 1 more");
    tell(today + 12 * HOUR_NS, 1, 1, 1, 3);
    expect_alarm(POLICY_ANOMALY_HOURS, "hour of the week never worked in: Monday 21:00 UTC");
}

static void probes_errors_and_statements(void **state)
{
    for (uint32_t i = 0; i < 50; i++)
        tell(start_ns, 7777777 * i, 1, 5, 0);
    assert_int_equal(verdict.count, 0);
    tell(start_ns, 4, 1, 5, 0);
    assert_int_equal(verdict.count, 2); /* statements too */
    assert_int_equal(verdict.alarms[0].rule, POLICY_ANOMALY_STATEMENTS);
    assert_int_equal(verdict.alarms[1].rule, POLICY_ANOMALY_PROBES);
    for (int i = 0; i < 51; i++)
        take_entry(&(struct ledger_entry){.type = i % 2 == 0 ? LEDGER_PROBE : LEDGER_REFUSAL,
                                          .time_ns = start_ns});
    expect_alarm(POLICY_ANOMALY_ERRORS, "errors in the hour: 51, bound 50");
    struct ledger_entry stranger = {.type = LEDGER_REFUSAL,
                                    .time_ns = start_ns,
                                    .partner = slice_of_text("acme"),
                                    .agent = slice_of_text("sync")};
    watch_take(watch, &partner, &agent, mode, &stranger, &verdict); /* of no session */
    assert_int_equal(now_of(POLICY_ANOMALY_ERRORS, start_ns), 51);
}

static void a_walk_is_told_from_random_look_ups(void **state)
{
    uint64_t seed = 3;
    partner.anomalies.rules[POLICY_ANOMALY_STATEMENTS].off = true;
    partner.anomalies.rules[POLICY_ANOMALY_SUBJECTS].off = true;
    partner.anomalies.rules[POLICY_ANOMALY_ROWS].off = true;
    partner.anomalies.rules[POLICY_ANOMALY_PROBES].off = true;
    for (int i = 0; i < 2000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        tell(start_ns, (uint32_t)(seed >> 33) % 20000 + 1, 1, 1, 1);
        assert_int_equal(verdict.count, 0);
    }
    assert_int_equal(now_of(POLICY_ANOMALY_WALK, start_ns), 0);
    for (uint32_t i = 0; i < 50; i++) { /* every other one is nobody */
        tell(start_ns, 1000000 + i, 1, i % 2 == 0 ? 1 : 5, 1);
        assert_int_equal(verdict.count, 0);
    }
    tell(start_ns, 1000050, 1, 1, 1);
    expect_alarm(POLICY_ANOMALY_WALK, "look-ups along keys in the hour: 51, bound 50");
}

/* The same sixteen people, asked for between the steps or beside each of them. */
static void decoys_hide_no_walk(void **state)
{
    enum { DECOYS = 16 };
    uint32_t ids[DECOYS + 1];
    for (int i = 0; i < POLICY_ANOMALIES; i++)
        partner.anomalies.rules[i].off = i != POLICY_ANOMALY_WALK;
    for (uint32_t i = 0; i < DECOYS; i++)
        ids[i] = 1000 * (i + 1) * (i + 1); /* of no one stride */
    for (uint32_t step = 1000000; step <= 1000025; step++) {
        for (uint32_t i = 0; i < DECOYS; i++)
            tell(start_ns, ids[i], 1, 1, 1);
        tell(start_ns, step, 1, 1, 1);
    }
    for (uint32_t step = 1000026; step <= 1000050; step++) {
        assert_int_equal(verdict.count, 0);
        ids[DECOYS] = step;
        tell_ids(start_ns, ids, DECOYS + 1, 1, 1);
    }
    expect_alarm(POLICY_ANOMALY_WALK, "look-ups along keys in the hour: 51, bound 50");
}

static void what_is_to_be_contained_is_held(void **state)
{
    partner.anomalies.rules[POLICY_ANOMALY_SUBJECTS].contain = true;
    partner.anomalies.rules[POLICY_ANOMALY_ROWS].floor = 1000;
    tell(start_ns, 1, 50, 1, 1);
    assert_false(verdict.contain);
    tell(start_ns, 51, 10, 1, 1);
    assert_int_equal(verdict.count, 1);
    assert_true(verdict.contain);
    assert_int_equal(now_of(POLICY_ANOMALY_ROWS, start_ns), 50); /* the ten have not left */
    tell(start_ns + 1, 1, 1, 1, 1); /* what its sessions have under way */
    assert_int_equal(verdict.count, 0);
    assert_true(verdict.contain);
    tell(start_ns + HOUR_NS / 60, 1, 1, 1, 1);
    assert_true(verdict.contain);
    log_in(start_ns + HOUR_NS / 60, "::1", 9); /* restored by staff */
    assert_false(verdict.contain);
}

static void a_contained_login_teaches_no_network(void **state)
{
    partner.anomalies.rules[POLICY_ANOMALY_NETWORKS].contain = true;
    int64_t today = work_days(8, 4);
    log_in(today, "::ffff:192.0.2.1", 2);
    assert_true(verdict.contain);
    log_in(today + HOUR_NS, "::ffff:192.0.2.1", 3);
    expect_alarm(POLICY_ANOMALY_NETWORKS, "192.0.2.0/24");
}

/* The same entries give the same figures, also where no policy is known. */
static void a_replay_gives_the_same(void **state)
{
    struct watch_standing live, replayed;
    for (int turn = 0; turn < 2; turn++) {
        if (turn == 1) {
            end(NULL);
            begin(NULL);
        }
        mode = turn == 0 ? WATCH_LIVE : WATCH_REPLAY;
        int64_t today = work_days(20, 30);
        log_in(today, "::ffff:10.9.9.9", 4);
        for (uint32_t i = 0; i < 30; i++)
            tell(today, 100 + i, 1, i % 3 == 0 ? 5 : 1, 1 + i % 3);
        watch_standing(watch, &partner, &agent, today, turn == 0 ? &live : &replayed);
    }
    for (int rule = 0; rule < POLICY_ANOMALIES; rule++) {
        assert_int_equal(live.figures[rule].bound, replayed.figures[rule].bound);
        assert_int_equal(live.figures[rule].greatest, replayed.figures[rule].greatest);
        if (rule != POLICY_ANOMALY_HOURS) /* of a zone, which a policy has */
            assert_int_equal(live.figures[rule].now, replayed.figures[rule].now);
    }
    assert_int_equal(live.figures[POLICY_ANOMALY_WALK].now, 30);
    assert_int_equal(live.figures[POLICY_ANOMALY_PROBES].now, 10);
    assert_int_equal(live.worked_days, replayed.worked_days);
    assert_true(replayed.learned);
}

static void a_clock_that_goes_back_forgets_nothing(void **state)
{
    partner.anomalies.rules[POLICY_ANOMALY_ROWS].off = true;
    tell(start_ns + 5 * HOUR_NS, 1, 30, 1, 1);
    tell(start_ns, 31, 20, 1, 1);
    assert_int_equal(now_of(POLICY_ANOMALY_SUBJECTS, start_ns), 50);
    tell(start_ns, 51, 1, 1, 1);
    expect_alarm(POLICY_ANOMALY_SUBJECTS, "51");
    tell(start_ns + HOUR_NS, 1, 1, 1, 1); /* the next hour is one */
    assert_int_equal(now_of(POLICY_ANOMALY_SUBJECTS, start_ns + HOUR_NS), 1);
    tell(start_ns + HOUR_NS - 1, 2, 1, 1, 1); /* a moment late */
    assert_int_equal(now_of(POLICY_ANOMALY_SUBJECTS, start_ns + HOUR_NS), 2);
}

static void malformed_sets_and_texts_do_no_harm(void **state)
{
    struct ledger_item item = {.grade = 1, .subjects = slice_of_text("no set at all")};
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                 .time_ns = start_ns,
                                 .flags = LEDGER_FLAG_OPENING,
                                 .items = &item,
                                 .item_count = 1};
    take_entry(&entry);
    assert_int_equal(now_of(POLICY_ANOMALY_SUBJECTS, start_ns), 0);
    log_in(start_ns, "", 1);
    log_in(start_ns, "1.2.3.4.5", 1);
    entry.delivery = slice_of_text("D1");
    entry.row_count = 99;
    take_entry(&entry); /* staff's */
    assert_int_equal(now_of(POLICY_ANOMALY_ROWS, start_ns), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_fresh_agent_has_floors_alone, begin, end),
        cmocka_unit_test_setup_teardown(the_bound_follows_the_history, begin, end),
        cmocka_unit_test_setup_teardown(what_is_new, begin, end),
        cmocka_unit_test_setup_teardown(probes_errors_and_statements, begin, end),
        cmocka_unit_test_setup_teardown(a_walk_is_told_from_random_look_ups, begin, end),
        cmocka_unit_test_setup_teardown(decoys_hide_no_walk, begin, end),
        cmocka_unit_test_setup_teardown(what_is_to_be_contained_is_held, begin, end),
        cmocka_unit_test_setup_teardown(a_contained_login_teaches_no_network, begin, end),
        cmocka_unit_test_setup_teardown(a_replay_gives_the_same, begin, end),
        cmocka_unit_test_setup_teardown(a_clock_that_goes_back_forgets_nothing, begin, end),
        cmocka_unit_test_setup_teardown(malformed_sets_and_texts_do_no_harm, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

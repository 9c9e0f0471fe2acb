/* Back-off: how long verdicts wait, for whom, and what is reported of failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "gateway/login/backoff.h"

static const int64_t second = 1000000000, minute = 60 * second;
static struct backoff *backoff;
static int64_t now;

static int setup(void **state)
{
    struct error error;
    assert_int_equal(backoff_open(&backoff, &error), STATUS_OK);
    now = 1000 * minute;
    return 0;
}

static int teardown(void **state)
{
    backoff_close(backoff);
    return 0;
}

static struct backoff_from from(const char *login, const char *address)
{
    struct backoff_from made = {.login = login, .known = true};
    assert_int_equal(inet_pton(AF_INET6, address, &made.address), 1);
    return made;
}

/* Milliseconds; -1: too many. */
static int64_t judge(struct backoff_from who, bool right)
{
    struct backoff_verdict verdict;
    backoff_judge(backoff, &who, right, now, &verdict);
    return verdict.too_many ? -1 : (int64_t)verdict.wait_ms;
}

static int64_t wrong(const char *login, const char *address)
{
    return judge(from(login, address), false);
}

static int64_t right(const char *login, const char *address)
{
    return judge(from(login, address), true);
}

#define HOME  "::ffff:192.0.2.1"
#define AWAY  "::ffff:192.0.2.2"
#define OTHER "::ffff:192.0.2.3"

static void three_failures_are_free_and_then_it_doubles(void **state)
{
    static const int64_t waits[] = {0, 0, 0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        assert_int_equal(right("a.b", HOME), waits[i]); /* the same for either */
        assert_int_equal(wrong("a.b", HOME), waits[i]);
        now += waits[i] * 1000000;
    }
    assert_int_equal(right("a.b", AWAY), 0); /* another address has nothing to do with it */
}

/* A thousand connections at once guess no faster than one. */
static void guesses_at_once_take_turns(void **state)
{
    int64_t last = 0, told = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t wait = wrong("a.b", HOME);
        if (wait < 0)
            continue;
        assert_true(wait >= last && wait <= BACKOFF_MOST_S * 1000);
        last = wait;
        told++;
    }
    assert_int_equal(told, 3 + 5); /* free ones; then after 1, 3, 7, 15 and 31 s */
    assert_int_equal(right("a.b", HOME), -1);
    now += 4 * second;
    assert_int_equal(right("a.b", HOME), 59000); /* nothing was added by those who were sent away */
}

static void failures_are_forgotten(void **state)
{
    for (int i = 0; i < 5; i++)
        wrong("a.b", HOME);
    now += 3 * minute;
    assert_int_equal(right("a.b", HOME), 0);
    assert_int_equal(wrong("a.b", HOME), 0); /* two were left: this is the third */
    assert_int_equal(right("a.b", HOME), 1000);
    now += 60 * minute;
    for (int i = 0; i < 3; i++)
        assert_int_equal(wrong("a.b", HOME), 0);
    assert_int_equal(wrong("a.b", HOME), 1000);
}

static void success_begins_anew_for_the_pair_alone(void **state)
{
    struct backoff_from who = from("a.b", HOME);
    struct backoff_line lines[8];
    for (int i = 0; i < 4; i++)
        wrong("a.b", HOME);
    backoff_passed(backoff, &who, now);
    assert_int_equal(right("a.b", HOME), 0);
    assert_int_equal(wrong("a.b", HOME), 0);
    size_t count = backoff_list(backoff, now, lines, 8);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(lines[i].failures, lines[i].kind == BACKOFF_PAIR ? 1 : 5);
}

/* Spraying: one address, many names. */
static void an_address_waits_for_all_names(void **state)
{
    char name[20];
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "a.n%d", i);
        assert_int_equal(wrong(name, HOME), 0);
    }
    assert_int_equal(right("a.new", HOME), 1000);
    assert_int_equal(right("a.new", AWAY), 0);
}

/* Who has logged in from an address is not held up by what others do there, or by others who try
 * its name. */
static void others_do_not_lock_out_who_has_logged_in(void **state)
{
    struct backoff_from who = from("a.b", HOME);
    char name[20], address[40];
    backoff_passed(backoff, &who, now);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "a.n%d", i);
        wrong(name, HOME);
        snprintf(address, sizeof address, "::ffff:198.51.100.%d", i);
        wrong("a.b", address);
    }
    assert_int_equal(right("a.c", HOME), -1);
    assert_int_equal(right("a.b", HOME), 0);
    assert_int_equal(right("a.b", OTHER), 10000); /* from anywhere else it waits, and gets in */
    now += 30 * minute;
    assert_true(right("a.b", OTHER) < 10000);
}

/* A wrong verdict must not tell who has logged in from here; and it counts, or else the pair could
 * be guessed at without end while its address waits. */
static void who_has_logged_in_shows_in_no_wait(void **state)
{
    struct backoff_from who = from("a.b", HOME);
    char name[20];
    backoff_passed(backoff, &who, now);
    for (int i = 0; i < 22; i++) {
        snprintf(name, sizeof name, "a.n%d", i);
        assert_int_equal(wrong(name, HOME), wrong(name, AWAY));
    }
    assert_true(right("a.b", AWAY) > 0);
    assert_int_equal(right("a.b", HOME), 0);
    for (int i = 0; i < 20; i++, now += (i % 5) * second)
        assert_int_equal(wrong("a.b", HOME), wrong("a.b", AWAY));
    assert_int_equal(right("a.b", HOME), -1); /* its own failures */
    now += 3 * minute;
    for (int i = 0; i < 4; i++)
        assert_int_equal(wrong("a.b", HOME), wrong("a.b", AWAY));
}

static void a_network_of_ipv6_is_one_address(void **state)
{
    char address[40];
    for (int i = 0; i < 4; i++) {
        snprintf(address, sizeof address, "2001:db8:1:2::%d", i);
        assert_int_equal(wrong("a.b", address), i == 3 ? 1000 : 0);
    }
    assert_int_equal(wrong("a.b", "2001:db8:1:3::1"), 0);
}

/* Many thousand new names do not wash out one that has failed often. */
static void a_flood_of_names_frees_nobody(void **state)
{
    char name[20], address[40];
    for (int i = 0; i < 9; i++)
        wrong("a.b", HOME);
    int64_t before = right("a.b", HOME);
    for (int i = 0; i < 50000; i++) {
        snprintf(name, sizeof name, "x.n%d", i);
        snprintf(address, sizeof address, "2001:db8:%x:%x::1", i & 0xffff, i >> 16);
        wrong(name, address);
    }
    assert_int_equal(right("a.b", HOME), before);
}

static uint64_t add_reports(bool all, size_t *count)
{
    struct backoff_report reports[16];
    uint64_t sum = 0;
    size_t got;
    *count = 0;
    do {
        got = backoff_reports(backoff, now, all, reports, 16);
        for (size_t i = 0; i < got; i++)
            sum += reports[i].failures;
        *count += got;
    } while (got == 16);
    return sum;
}

static void a_pair_is_reported_once_a_minute(void **state)
{
    struct backoff_report report;
    wrong("a.b", HOME);
    assert_int_equal(backoff_reports(backoff, now, false, &report, 1), 1);
    assert_string_equal(report.login, "a.b");
    assert_int_equal(report.failures, 1);
    for (int i = 0; i < 30; i++)
        wrong("a.b", HOME);
    now += minute - 1;
    assert_int_equal(backoff_reports(backoff, now, false, &report, 1), 0);
    now++;
    assert_int_equal(backoff_reports(backoff, now, false, &report, 1), 1);
    assert_int_equal(report.failures, 30);
}

/* Whatever people type there, passwords too, is not written down. */
static void names_of_nobody_are_reported_by_address(void **state)
{
    struct backoff_report report;
    for (int i = 0; i < 3; i++) {
        char name[20];
        snprintf(name, sizeof name, "hunter%d", i);
        struct backoff_from who = from(name, HOME);
        who.known = false;
        judge(who, false);
    }
    assert_int_equal(backoff_reports(backoff, now, false, &report, 1), 1);
    assert_string_equal(report.login, "");
    struct in6_addr home = from("", HOME).address;
    assert_memory_equal(&report.address, &home, 16);
    assert_int_equal(report.failures, 3);
}

/* An attacker with many addresses fills no disk, and every failure is in some sum. */
static void reports_are_bounded_and_add_up(void **state)
{
    enum { MINUTES = 5, EACH = 8000 };
    uint64_t sum = 0;
    size_t count;
    for (int i = 0; i < MINUTES * EACH; i++) {
        char address[40];
        snprintf(address, sizeof address, "2001:db8:%x::1", i & 0xffff);
        struct backoff_from who = from("a.b", address);
        who.known = i % 2 == 0;
        judge(who, false);
        if (i % EACH == EACH - 1) {
            now += minute;
            sum += add_reports(false, &count);
            assert_true(count > 0 && count <= BACKOFF_REPORTS_A_MINUTE);
        }
    }
    sum += add_reports(true, &count);
    assert_int_equal(sum, MINUTES * EACH);
    assert_int_equal(add_reports(true, &count), 0);
}

static void twenty_failures_of_an_agent_raise_an_alarm(void **state)
{
    char logins[4][BACKOFF_LOGIN_ROOM], address[40];
    for (int i = 0; i < 60; i++) {
        snprintf(address, sizeof address, "::ffff:198.51.100.%d", i);
        wrong("a.b", address);
        struct backoff_from nobody = from("a.nobody", address);
        nobody.known = false;
        judge(nobody, false);
        assert_int_equal(backoff_alarms(backoff, logins, 4), i + 1 == BACKOFF_ALARM_FAILURES);
    }
    assert_string_equal(logins[0], "a.b");
    now += 61 * minute;
    for (int i = 0; i < BACKOFF_ALARM_FAILURES; i++) /* those who are sent away count as well */
        wrong("a.b", HOME);
    assert_int_equal(backoff_alarms(backoff, logins, 4), 1);
}

static void wrong_keys_are_looked_at_once_a_second(void **state)
{
    struct in6_addr home = from("", HOME).address, away = from("", AWAY).address;
    for (int i = 0; i < 10; i++) {
        assert_true(backoff_cancel_allowed(backoff, &home, now));
        backoff_cancel_wrong(backoff, &home, now);
    }
    assert_false(backoff_cancel_allowed(backoff, &home, now));
    assert_true(backoff_cancel_allowed(backoff, &away, now));
    int looked_at = 0;
    for (int i = 0; i < 1000; i++, now += second / 10) {
        if (!backoff_cancel_allowed(backoff, &home, now))
            continue;
        backoff_cancel_wrong(backoff, &home, now);
        looked_at++;
    }
    assert_true(looked_at >= 99 && looked_at <= 100);
    now += minute;
    assert_true(backoff_cancel_allowed(backoff, &home, now));
    for (int i = 0; i < 500; i++) /* a burst */
        backoff_cancel_wrong(backoff, &home, now);
    now += minute;
    assert_false(backoff_cancel_allowed(backoff, &home, now));
    now += second;
    assert_true(backoff_cancel_allowed(backoff, &home, now));
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(three_failures_are_free_and_then_it_doubles),
        case_of(guesses_at_once_take_turns),
        case_of(failures_are_forgotten),
        case_of(success_begins_anew_for_the_pair_alone),
        case_of(an_address_waits_for_all_names),
        case_of(others_do_not_lock_out_who_has_logged_in),
        case_of(who_has_logged_in_shows_in_no_wait),
        case_of(a_network_of_ipv6_is_one_address),
        case_of(a_flood_of_names_frees_nobody),
        case_of(a_pair_is_reported_once_a_minute),
        case_of(names_of_nobody_are_reported_by_address),
        case_of(reports_are_bounded_and_add_up),
        case_of(twenty_failures_of_an_agent_raise_an_alarm),
        case_of(wrong_keys_are_looked_at_once_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

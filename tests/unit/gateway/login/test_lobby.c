/* Who has to go when the lobby is full, and what is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "gateway/login/lobby.h"

enum { MANY = 64 };

static struct lobby_guest guests[MANY];

static void forget_guests(void)
{
    for (size_t i = 0; i < MANY; i++)
        guests[i] = (struct lobby_guest){.owner = &guests[i]};
}

/* Which guest goes for this one; -1: nobody. */
static int enter(struct lobby *lobby, size_t at, uint64_t who)
{
    struct lobby_guest *dropped = NULL;
    assert_true(lobby_enter(lobby, &guests[at], who, &dropped));
    if (dropped == NULL)
        return -1;
    assert_null(dropped->address);
    return (int)(dropped - guests);
}

static void leave_all(struct lobby *lobby)
{
    for (size_t i = 0; i < MANY; i++)
        lobby_leave(lobby, &guests[i]);
    assert_int_equal(lobby_count(lobby), 0);
    lobby_close(lobby);
}

static void test_the_address_with_most_loses_its_oldest(void **state)
{
    (void)state;
    forget_guests();
    struct lobby *lobby = lobby_open(5, 5);
    assert_int_equal(enter(lobby, 0, 7), -1); /* the oldest of all, but alone */
    assert_int_equal(enter(lobby, 1, 8), -1);
    assert_int_equal(enter(lobby, 2, 8), -1);
    assert_int_equal(enter(lobby, 3, 8), -1);
    assert_int_equal(enter(lobby, 4, 9), -1);
    assert_int_equal(enter(lobby, 5, 10), 1);
    assert_int_equal(enter(lobby, 6, 11), 2);
    assert_int_equal(lobby_count(lobby), 5);
    assert_int_equal(enter(lobby, 7, 12), 0); /* all have one: the one that has had it longest */
    leave_all(lobby);
}

static void test_an_address_has_a_bound_of_its_own(void **state)
{
    (void)state;
    forget_guests();
    struct lobby *lobby = lobby_open(10, 2);
    assert_int_equal(enter(lobby, 0, 1), -1);
    assert_int_equal(enter(lobby, 1, 2), -1);
    assert_int_equal(enter(lobby, 2, 2), -1);
    assert_int_equal(enter(lobby, 3, 2), 1);
    assert_int_equal(enter(lobby, 4, 2), 2);
    assert_int_equal(lobby_count(lobby), 3);
    leave_all(lobby);
}

static void test_who_leaves_makes_room(void **state)
{
    (void)state;
    forget_guests();
    struct lobby *lobby = lobby_open(2, 2);
    assert_int_equal(enter(lobby, 0, 1), -1);
    assert_int_equal(enter(lobby, 1, 1), -1);
    lobby_leave(lobby, &guests[0]);
    lobby_leave(lobby, &guests[0]);
    assert_int_equal(lobby_count(lobby), 1);
    assert_int_equal(enter(lobby, 2, 1), -1);
    assert_int_equal(enter(lobby, 3, 1), 1);
    leave_all(lobby);
}

static void test_the_newcomer_never_goes(void **state)
{
    (void)state;
    forget_guests();
    struct lobby *lobby = lobby_open(1, 1);
    assert_int_equal(enter(lobby, 0, 1), -1);
    assert_int_equal(enter(lobby, 1, 1), 0);
    assert_int_equal(enter(lobby, 2, 2), 1);
    leave_all(lobby);
}

/* Against a plain reckoning of who has most, for thousands of random steps. */
static void test_random_steps(void **state)
{
    (void)state;
    enum { MOST = 20, OF_ADDRESS = 8, ADDRESSES = 6 };
    forget_guests();
    struct lobby *lobby = lobby_open(MOST, OF_ADDRESS);
    size_t counts[ADDRESSES] = {0}, total = 0;
    uint64_t whose[MANY] = {0};
    bool in[MANY] = {false};
    srandom(27);
    for (int step = 0; step < 20000; step++) {
        size_t at = (size_t)random() % MANY;
        if (in[at]) {
            lobby_leave(lobby, &guests[at]);
            in[at] = false;
            counts[whose[at]]--;
            total--;
            continue;
        }
        whose[at] = (uint64_t)random() % ADDRESSES;
        counts[whose[at]]++;
        total++;
        in[at] = true;
        size_t most = 0;
        for (size_t i = 0; i < ADDRESSES; i++)
            most = counts[i] > most ? counts[i] : most;
        bool own = counts[whose[at]] > OF_ADDRESS, full = total > MOST;
        int gone = enter(lobby, at, whose[at]);
        assert_int_equal(gone >= 0, own || full);
        if (gone < 0)
            continue;
        assert_true(in[gone] && gone != (int)at);
        assert_int_equal(counts[whose[gone]], own ? counts[whose[at]] : most);
        in[gone] = false;
        counts[whose[gone]]--;
        total--;
        assert_int_equal(lobby_count(lobby), total);
    }
    leave_all(lobby);
}

static void test_lines_of_a_second(void **state)
{
    (void)state;
    struct lobby *lobby = lobby_open(1, 1);
    unsigned logged = 0;
    for (int i = 0; i < 1000; i++)
        logged += lobby_may_log(lobby, INT64_C(5000000000) + i);
    assert_int_equal(logged, 20);
    assert_int_equal(lobby_take_unlogged(lobby), 980);
    assert_int_equal(lobby_take_unlogged(lobby), 0);
    assert_true(lobby_may_log(lobby, INT64_C(6000000000)));
    lobby_close(lobby);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_address_with_most_loses_its_oldest),
        cmocka_unit_test(test_an_address_has_a_bound_of_its_own),
        cmocka_unit_test(test_who_leaves_makes_room),
        cmocka_unit_test(test_the_newcomer_never_goes),
        cmocka_unit_test(test_random_steps),
        cmocka_unit_test(test_lines_of_a_second),
    };
    return cmocka_run_group_tests_name("gateway/lobby", tests, NULL, NULL);
}

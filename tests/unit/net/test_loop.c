/* Loops and timers: waking from another thread, turns, stopping, repeating and one-shot timers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include "base/clock.h"
#include "net/net.h"
#include "peer.h"

struct counts {
    struct net_loop *loop;
    struct net_timer *timer;
    int wakes, turns, ticks;
    int turns_at_tick;
    int stop_after_ticks;
};

static void on_wake(void *context)
{
    struct counts *counts = context;
    counts->wakes++;
    net_loop_stop(counts->loop);
}

static void *wake_from_thread(void *context)
{
    struct counts *counts = context;
    for (int i = 0; i < 100; i++)
        net_loop_wake(counts->loop);
    return NULL;
}

static void test_wake_from_another_thread(void **state)
{
    (void)state;
    struct counts counts = {0};
    assert_int_equal(net_loop_open(&counts.loop, NULL), STATUS_OK);
    net_loop_on_wake(counts.loop, on_wake, &counts);
    struct net_timer *watchdog = watchdog_start(counts.loop);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_from_thread, &counts), 0);
    net_loop_run(counts.loop);
    pthread_join(thread, NULL);
    assert_in_range(counts.wakes, 1, 100);
    net_timer_close(watchdog);
    net_loop_close(counts.loop);
}

static void test_stop_before_run_is_kept(void **state)
{
    (void)state;
    struct net_loop *loop = NULL;
    assert_int_equal(net_loop_open(&loop, NULL), STATUS_OK);
    struct net_timer *watchdog = watchdog_start(loop);
    net_loop_stop(loop);
    net_loop_run(loop);
    net_timer_close(watchdog);
    net_loop_close(loop);
}

static void on_turn(void *context)
{
    struct counts *counts = context;
    counts->turns++;
    if (counts->ticks >= counts->stop_after_ticks && counts->turns > counts->turns_at_tick)
        net_loop_stop(counts->loop);
}

static void on_tick(void *context)
{
    struct counts *counts = context;
    counts->ticks++;
    counts->turns_at_tick = counts->turns;
}

/* What a timer's callback leaves to flush must not wait for the next input: after a tick the turn
 * comes without any other event. */
static void test_turn_follows_timer(void **state)
{
    (void)state;
    struct counts counts = {.stop_after_ticks = 1};
    assert_int_equal(net_loop_open(&counts.loop, NULL), STATUS_OK);
    net_loop_on_turn(counts.loop, on_turn, &counts);
    struct net_timer *watchdog = watchdog_start(counts.loop);
    assert_int_equal(net_timer_open(counts.loop, on_tick, &counts, &counts.timer), STATUS_OK);
    net_timer_start(counts.timer, 5, 0);
    int64_t before_ns = clock_monotonic_ns();
    net_loop_run(counts.loop);
    int64_t took_ms = (clock_monotonic_ns() - before_ns) / 1000000;
    assert_in_range(took_ms, 4, 5000);
    assert_int_equal(counts.ticks, 1);
    net_timer_close(counts.timer);
    net_timer_close(watchdog);
    net_loop_close(counts.loop);
}

static void test_timer_repeats_until_stopped(void **state)
{
    (void)state;
    struct counts counts = {.stop_after_ticks = 5};
    assert_int_equal(net_loop_open(&counts.loop, NULL), STATUS_OK);
    net_loop_on_turn(counts.loop, on_turn, &counts);
    assert_int_equal(net_timer_open(counts.loop, on_tick, &counts, &counts.timer), STATUS_OK);
    net_timer_start(counts.timer, 1, 1);
    net_loop_run(counts.loop);
    assert_int_equal(counts.ticks, 5);
    net_timer_close(counts.timer);
    net_loop_close(counts.loop);
}

static void on_close_own_timer(void *context)
{
    struct counts *counts = context;
    counts->ticks++;
    net_timer_close(counts->timer);
    counts->timer = NULL;
    net_loop_stop(counts->loop);
}

static void test_timer_closes_itself(void **state)
{
    (void)state;
    struct counts counts = {0};
    assert_int_equal(net_loop_open(&counts.loop, NULL), STATUS_OK);
    assert_int_equal(net_timer_open(counts.loop, on_close_own_timer, &counts, &counts.timer),
                     STATUS_OK);
    net_timer_start(counts.timer, 1, 1);
    net_loop_run(counts.loop);
    assert_int_equal(counts.ticks, 1);
    assert_null(counts.timer);
    net_loop_close(counts.loop);
}

static void test_stopped_timer_does_not_fire(void **state)
{
    (void)state;
    struct counts counts = {.stop_after_ticks = 1}, other = {0};
    struct net_timer *stopped = NULL;
    assert_int_equal(net_loop_open(&counts.loop, NULL), STATUS_OK);
    net_loop_on_turn(counts.loop, on_turn, &counts);
    assert_int_equal(net_timer_open(counts.loop, on_tick, &other, &stopped), STATUS_OK);
    assert_int_equal(net_timer_open(counts.loop, on_tick, &counts, &counts.timer), STATUS_OK);
    net_timer_start(stopped, 1, 1);
    net_timer_stop(stopped);
    net_timer_start(counts.timer, 20, 0);
    net_loop_run(counts.loop);
    assert_int_equal(other.ticks, 0);
    net_timer_close(stopped);
    net_timer_close(counts.timer);
    net_loop_close(counts.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wake_from_another_thread),
        cmocka_unit_test(test_stop_before_run_is_kept),
        cmocka_unit_test(test_turn_follows_timer),
        cmocka_unit_test(test_timer_repeats_until_stopped),
        cmocka_unit_test(test_timer_closes_itself),
        cmocka_unit_test(test_stopped_timer_does_not_fire),
    };
    return cmocka_run_group_tests_name("net/loop", tests, NULL, NULL);
}

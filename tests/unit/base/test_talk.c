/* Talking to another process: whole, or not at all, and never beyond the deadline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/talk.h"

enum { SHORT_MS = 20 };

static int ends[2];
static struct buffer frame;

static int setup(void **state)
{
    buffer_init(&frame, 64);
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static int teardown(void **state)
{
    buffer_free(&frame);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static int64_t soon(void)
{
    return clock_monotonic_ns() + SHORT_MS * INT64_C(1000000);
}

static bool receives(size_t most)
{
    buffer_clear(&frame);
    return talk_receive_frame(ends[1], most, &frame, soon());
}

static void a_frame_comes_whole(void **state)
{
    assert_true(talk_send(ends[0], slice_of("\0\0\0\5hello", 9), soon()));
    assert_true(receives(5));
    assert_true(slice_equal(buffer_slice(&frame), slice_of_text("hello")));
}

static void what_is_too_long_is_not_read(void **state)
{
    assert_true(talk_send(ends[0], slice_of("\0\0\0\6hello!", 10), soon()));
    assert_false(receives(5));
    assert_int_equal(frame.len, 0);
    assert_true(talk_send(ends[0], slice_of("\xff\xff\xff\xff", 4), soon()));
    assert_false(receives(64));
}

static void who_says_nothing_is_not_waited_for(void **state)
{
    int64_t begun_ns = clock_monotonic_ns();
    assert_true(talk_send(ends[0], slice_of("\0\0\0\5hel", 7), soon()));
    assert_false(receives(5));
    assert_in_range(clock_monotonic_ns() - begun_ns, 0, INT64_C(2000000000));
    assert_false(talk_wait(ends[0], POLLIN, clock_monotonic_ns() - 1));
}

static void who_takes_nothing_is_not_waited_for(void **state)
{
    static uint8_t many[4 * 1024 * 1024];
    assert_false(talk_send(ends[0], slice_of(many, sizeof many), soon()));
}

static void who_is_gone_is_no_signal(void **state)
{
    shutdown(ends[1], SHUT_RDWR);
    assert_false(talk_send(ends[0], slice_of_text("x"), soon()));
    shutdown(ends[0], SHUT_RDWR);
    assert_false(receives(5));
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(a_frame_comes_whole),
        case_of(what_is_too_long_is_not_read),
        case_of(who_says_nothing_is_not_waited_for),
        case_of(who_takes_nothing_is_not_waited_for),
        case_of(who_is_gone_is_no_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

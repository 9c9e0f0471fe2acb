/* A connection that takes too long over one request is ended, also while it is busy; one that
 * makes a request after the other is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "web/deadline.h"

enum { MOST_MS = 200, STEP_MS = 20 };

static bool is_over(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void only_who_takes_too_long_is_ended(void **state)
{
    struct deadline_ring ring;
    int slow[2], busy[2];
    assert_true(deadline_start(&ring, (int64_t)MOST_MS * 1000000));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, slow), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, busy), 0);
    struct deadline *first = deadline_begin(&ring, slow[0]);
    struct deadline *second = deadline_begin(&ring, busy[0]);
    assert_true(first != NULL && second != NULL);
    assert_false(is_over(slow[1]));
    int waited_ms = 0;
    for (; waited_ms < 20 * MOST_MS && !is_over(slow[1]); waited_ms += STEP_MS) {
        deadline_renew(&ring, second);
        usleep(STEP_MS * 1000);
    }
    assert_true(is_over(slow[1]));
    assert_true(waited_ms >= MOST_MS / 2);
    assert_false(is_over(busy[1]));
    deadline_end(&ring, first);
    deadline_end(&ring, second);
    deadline_stop(&ring);
    for (int i = 0; i < 2; i++) {
        close(slow[i]);
        close(busy[i]);
    }
}

/* The number may be another connection's by now. */
static void what_has_ended_is_left_alone(void **state)
{
    struct deadline_ring ring;
    int pair[2];
    assert_true(deadline_start(&ring, (int64_t)MOST_MS * 1000000));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    deadline_end(&ring, deadline_begin(&ring, pair[0]));
    deadline_end(&ring, NULL);
    deadline_renew(&ring, NULL);
    usleep(2 * MOST_MS * 1000);
    assert_false(is_over(pair[1]));
    deadline_stop(&ring);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_who_takes_too_long_is_ended),
        cmocka_unit_test(what_has_ended_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

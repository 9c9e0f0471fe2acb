/* Plain streams over loopback: echo of megabytes with backpressure, facts about the peer, closing
 * in each callback, hang-ups seen while not reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/net.h"
#include "peer.h"

struct fixture {
    struct net_loop *loop;
    struct net_timer *watchdog;
    struct net_listener *listener;
    uint16_t port;
    struct echo echo;
    struct sender sender;
    struct net_stream *accepted; /* where no echo is wanted */
    bool no_echo;
};

static void on_accept(void *context, struct net_stream *stream)
{
    struct fixture *fixture = context;
    if (fixture->no_echo) {
        fixture->accepted = stream;
        return;
    }
    echo_start(&fixture->echo, stream);
    net_stream_want(stream, true, false);
}

static void open_fixture(struct fixture *fixture, const struct net_handlers *handlers)
{
    assert_int_equal(net_loop_open(&fixture->loop, NULL), STATUS_OK);
    fixture->watchdog = watchdog_start(fixture->loop);
    assert_int_equal(net_listen_tcp(fixture->loop, "127.0.0.1", 0, on_accept, fixture,
                                    &fixture->port, &fixture->listener, NULL),
                     STATUS_OK);
    fixture->sender.loop = fixture->loop;
    assert_int_equal(net_connect(fixture->loop, "127.0.0.1", fixture->port, 2000, handlers,
                                 &fixture->sender, &fixture->sender.stream, NULL),
                     STATUS_OK);
}

static void close_fixture(struct fixture *fixture)
{
    net_stream_close(fixture->sender.stream);
    net_stream_close(fixture->accepted);
    echo_end(&fixture->echo);
    net_listener_close(fixture->listener);
    net_timer_close(fixture->watchdog);
    net_loop_close(fixture->loop);
}

static void test_echo_with_backpressure(void **state)
{
    (void)state;
    struct fixture fixture = {.sender.total = 8 * 1024 * 1024};
    open_fixture(&fixture, &sender_handlers);
    net_loop_run(fixture.loop);
    assert_false(fixture.sender.failed);
    assert_false(fixture.sender.wrong);
    assert_int_equal(fixture.sender.received, fixture.sender.total);
    assert_in_range(fixture.echo.most_held, 1, PEER_ECHO_LIMIT + 16384);
    close_fixture(&fixture);
}

static void test_peer_address(void **state)
{
    (void)state;
    struct fixture fixture = {.sender.total = 10};
    open_fixture(&fixture, &sender_handlers);
    net_loop_run(fixture.loop);
    struct in6_addr address;
    uint16_t port = 0;
    char text[INET6_ADDRSTRLEN];
    uid_t uid;
    pid_t pid;
    assert_true(net_stream_peer_address(fixture.echo.stream, &address, &port));
    assert_string_equal(inet_ntop(AF_INET6, &address, text, sizeof text), "::ffff:127.0.0.1");
    assert_int_not_equal(port, 0);
    assert_false(net_stream_peer_user(fixture.echo.stream, &uid, &pid));
    assert_false(net_stream_is_tls(fixture.echo.stream));
    assert_string_equal(net_stream_tls_version(fixture.echo.stream), "");
    close_fixture(&fixture);
}

/* ---- closing within callbacks ---- */

static void close_sender(struct sender *sender)
{
    net_stream_close(sender->stream);
    sender->stream = NULL;
}

static void ready_and_close(void *context, const struct error *error)
{
    struct sender *sender = context;
    sender->ready = error == NULL;
    close_sender(sender);
}

static void ready_and_want_both(void *context, const struct error *error)
{
    struct sender *sender = context;
    sender->ready = error == NULL;
    net_stream_want(sender->stream, true, true);
}

static void write_one_and_close(void *context)
{
    struct sender *sender = context;
    size_t put = 0;
    assert_int_equal(net_stream_write(sender->stream, "x", 1, &put), STATUS_OK);
    sender->sent += put;
    close_sender(sender);
}

static void write_one(void *context)
{
    struct sender *sender = context;
    size_t put = 0;
    assert_int_equal(net_stream_write(sender->stream, "x", 1, &put), STATUS_OK);
    sender->sent += put;
    net_stream_want(sender->stream, true, false);
}

static void read_and_close(void *context)
{
    struct sender *sender = context;
    uint8_t byte;
    size_t got = 0;
    assert_int_equal(net_stream_read(sender->stream, &byte, 1, &got), STATUS_OK);
    sender->received += got;
    close_sender(sender);
}

static void never(void *context)
{
    (void)context;
    fail_msg("a callback came that was not asked for");
}

/* The echo end learns that the other end has closed, and stops the loop. */
static void stop_when_echo_ended(void *context)
{
    struct fixture *fixture = context;
    if (fixture->echo.ended)
        net_loop_stop(fixture->loop);
}

static void run_closing(const struct net_handlers *handlers, size_t sent, size_t received)
{
    struct fixture fixture = {0};
    open_fixture(&fixture, handlers);
    net_loop_on_turn(fixture.loop, stop_when_echo_ended, &fixture);
    net_loop_run(fixture.loop);
    assert_true(fixture.sender.ready);
    assert_int_equal(fixture.sender.sent, sent);
    assert_int_equal(fixture.sender.received, received);
    assert_int_equal(fixture.echo.reason, STATUS_CLOSED);
    close_fixture(&fixture);
}

static void test_close_in_ready(void **state)
{
    (void)state;
    static const struct net_handlers handlers = {never, never, ready_and_close, NULL};
    run_closing(&handlers, 0, 0);
}

static void test_close_in_writable(void **state)
{
    (void)state;
    static const struct net_handlers handlers = {never, write_one_and_close, ready_and_want_both,
                                                 NULL};
    run_closing(&handlers, 1, 0);
}

static void test_close_in_readable(void **state)
{
    (void)state;
    static const struct net_handlers handlers = {read_and_close, write_one, ready_and_want_both,
                                                 NULL};
    run_closing(&handlers, 1, 1);
}

/* ---- what is not wanted does not come ---- */

struct pausing {
    struct net_loop *loop;
    struct net_timer *timer;
    struct net_stream *stream;
    int readable_calls, hangup_calls;
    bool paused;
};

static void pause_on_first(void *context)
{
    struct pausing *pausing = context;
    pausing->readable_calls++;
    assert_false(pausing->paused);
    pausing->paused = true;
    net_stream_want(pausing->stream, false, false); /* without reading: the byte stays */
    net_timer_start(pausing->timer, 30, 0);
}

static void resume_reading(void *context)
{
    struct pausing *pausing = context;
    if (pausing->readable_calls >= 3) {
        net_loop_stop(pausing->loop);
        return;
    }
    pausing->paused = false;
    net_stream_want(pausing->stream, true, false);
}

static void note_hangup(void *context)
{
    struct pausing *pausing = context;
    pausing->hangup_calls++;
    net_loop_stop(pausing->loop);
}

static void ignore_ready(void *context, const struct error *error)
{
    (void)context;
    assert_null(error);
}

static const struct net_handlers pausing_handlers = {pause_on_first, never, ignore_ready,
                                                     note_hangup};

static void open_pausing(struct fixture *fixture, struct pausing *pausing)
{
    fixture->no_echo = true;
    open_fixture(fixture, &pausing_handlers);
    net_stream_close(fixture->sender.stream); /* connect anew, with the pausing context */
    fixture->sender.stream = NULL;
    pausing->loop = fixture->loop;
    assert_int_equal(net_connect(fixture->loop, "127.0.0.1", fixture->port, 2000, &pausing_handlers,
                                 pausing, &pausing->stream, NULL),
                     STATUS_OK);
    assert_int_equal(net_timer_open(fixture->loop, resume_reading, pausing, &pausing->timer),
                     STATUS_OK);
}

static void stop_when_accepted(void *context)
{
    struct fixture *fixture = context;
    if (fixture->accepted != NULL)
        net_loop_stop(fixture->loop);
}

static void test_readable_is_level_triggered_and_pausable(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct pausing pausing = {0};
    open_pausing(&fixture, &pausing);
    net_stream_want(pausing.stream, true, false);
    net_loop_on_turn(fixture.loop, stop_when_accepted, &fixture);
    net_loop_run(fixture.loop);
    net_loop_on_turn(fixture.loop, NULL, NULL);
    size_t put = 0;
    assert_int_equal(net_stream_write(fixture.accepted, "x", 1, &put), STATUS_OK);
    net_loop_run(fixture.loop);
    assert_int_equal(pausing.readable_calls, 3);
    assert_int_equal(pausing.hangup_calls, 0);
    net_stream_close(pausing.stream);
    net_timer_close(pausing.timer);
    close_fixture(&fixture);
}

static void test_hangup_is_told_while_not_reading(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct pausing pausing = {0};
    open_pausing(&fixture, &pausing);
    net_loop_on_turn(fixture.loop, stop_when_accepted, &fixture);
    net_loop_run(fixture.loop);
    net_loop_on_turn(fixture.loop, NULL, NULL);
    net_stream_close(fixture.accepted);
    fixture.accepted = NULL;
    net_loop_run(fixture.loop);
    assert_int_equal(pausing.hangup_calls, 1);
    assert_int_equal(pausing.readable_calls, 0);
    uint8_t byte;
    size_t got = 0;
    assert_int_equal(net_stream_read(pausing.stream, &byte, 1, &got), STATUS_CLOSED);
    net_stream_close(pausing.stream);
    net_timer_close(pausing.timer);
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_with_backpressure),
        cmocka_unit_test(test_peer_address),
        cmocka_unit_test(test_close_in_ready),
        cmocka_unit_test(test_close_in_writable),
        cmocka_unit_test(test_close_in_readable),
        cmocka_unit_test(test_readable_is_level_triggered_and_pausable),
        cmocka_unit_test(test_hangup_is_told_while_not_reading),
    };
    return cmocka_run_group_tests_name("net/stream", tests, NULL, NULL);
}

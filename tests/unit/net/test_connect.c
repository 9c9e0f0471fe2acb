/* Connecting: refused, timed out, unknown names, unix sockets, and closing while it goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/net.h"
#include "peer.h"

struct fixture {
    struct net_loop *loop;
    struct net_timer *watchdog;
    struct echo echo;
    struct sender sender;
};

static void open_fixture(struct fixture *fixture)
{
    assert_int_equal(net_loop_open(&fixture->loop, NULL), STATUS_OK);
    fixture->watchdog = watchdog_start(fixture->loop);
    fixture->sender.loop = fixture->loop;
}

static void close_fixture(struct fixture *fixture)
{
    net_stream_close(fixture->sender.stream);
    echo_end(&fixture->echo);
    net_timer_close(fixture->watchdog);
    net_loop_close(fixture->loop);
}

static void start(struct fixture *fixture, const char *host, uint16_t port, uint32_t timeout_ms)
{
    assert_int_equal(net_connect(fixture->loop, host, port, timeout_ms, &sender_handlers,
                                 &fixture->sender, &fixture->sender.stream, NULL),
                     STATUS_OK);
    assert_false(fixture->sender.ready); /* never told from within net_connect */
}

/* A port that is bound and listens when asked to; its backlog is one. */
static int hold_port(uint16_t *port, bool listening)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (listening)
        assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void test_refused(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint16_t port = 0;
    int fd = hold_port(&port, false);
    open_fixture(&fixture);
    start(&fixture, "127.0.0.1", port, 2000);
    net_loop_run(fixture.loop);
    assert_true(fixture.sender.failed);
    assert_non_null(strstr(fixture.sender.error.message, "Connection refused"));
    assert_string_equal(fixture.sender.error.sqlstate, "08001");
    close_fixture(&fixture);
    close(fd);
}

static void test_every_address_of_a_name_is_tried(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint16_t port = 0;
    int fd = hold_port(&port, false);
    open_fixture(&fixture);
    start(&fixture, "localhost", port, 2000);
    net_loop_run(fixture.loop);
    assert_true(fixture.sender.failed);
    assert_non_null(strstr(fixture.sender.error.message, "localhost"));
    assert_non_null(strstr(fixture.sender.error.message, "refused"));
    close_fixture(&fixture);
    close(fd);
}

/* Fills the backlog of a listener that accepts nothing: Linux then ignores further SYNs. */
static void test_timed_out(void **state)
{
    (void)state;
    enum { FILLERS = 4 };
    struct fixture fixture = {0};
    uint16_t port = 0;
    int listener = hold_port(&port, true), fillers[FILLERS];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        int result = connect(fillers[i], (struct sockaddr *)&address, sizeof address);
        assert_in_range(result + 1, 0, 1); /* done or under way */
        usleep(1000);
    }
    open_fixture(&fixture);
    int64_t before_ns = clock_monotonic_ns();
    start(&fixture, "127.0.0.1", port, 100);
    net_loop_run(fixture.loop);
    int64_t took_ms = (clock_monotonic_ns() - before_ns) / 1000000;
    assert_true(fixture.sender.failed);
    assert_non_null(strstr(fixture.sender.error.message, "timed out"));
    assert_in_range(took_ms, 95, 5000);
    close_fixture(&fixture);
    for (int i = 0; i < FILLERS; i++)
        close(fillers[i]);
    close(listener);
}

static void test_unknown_name(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    open_fixture(&fixture);
    start(&fixture, "no-such-host.invalid", 5432, 10000); /* RFC 6761: never resolves */
    net_loop_run(fixture.loop);
    assert_true(fixture.sender.failed);
    assert_non_null(strstr(fixture.sender.error.message, "no-such-host.invalid"));
    close_fixture(&fixture);
}

static void test_close_while_looking_up(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    open_fixture(&fixture);
    start(&fixture, "localhost", 5432, 1000);
    close_fixture(&fixture); /* AddressSanitizer judges */
    assert_false(fixture.sender.ready);
}

static void test_close_while_connecting(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint16_t port = 0;
    int fd = hold_port(&port, false);
    open_fixture(&fixture);
    start(&fixture, "127.0.0.1", port, 1000);
    close_fixture(&fixture);
    assert_false(fixture.sender.ready);
    close(fd);
}

/* ---- unix ---- */

static void on_accept(void *context, struct net_stream *stream)
{
    struct fixture *fixture = context;
    echo_start(&fixture->echo, stream);
    net_stream_want(stream, true, false);
}

static void test_unix_socket(void **state)
{
    (void)state;
    struct fixture fixture = {.sender.total = 1024 * 1024};
    struct net_listener *listener = NULL;
    char folder[] = "/tmp/cofferdam-unix-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/.s.PGSQL.5999", folder);
    open_fixture(&fixture);
    assert_int_equal(
        net_listen_unix(fixture.loop, path, 0600, on_accept, &fixture, &listener, NULL), STATUS_OK);
    start(&fixture, folder, 5999, 1000);
    net_loop_run(fixture.loop);
    assert_string_equal(fixture.sender.error.message, "");
    assert_int_equal(fixture.sender.received, fixture.sender.total);
    assert_false(fixture.sender.wrong);
    uid_t uid = (uid_t)-1;
    pid_t pid = 0;
    struct in6_addr address;
    uint16_t port;
    assert_true(net_stream_peer_user(fixture.echo.stream, &uid, &pid));
    assert_int_equal(uid, getuid());
    assert_int_equal(pid, getpid());
    assert_false(net_stream_peer_address(fixture.echo.stream, &address, &port));
    net_listener_close(listener);
    close_fixture(&fixture);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(rmdir(folder), 0);
}

static void test_missing_unix_socket(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    open_fixture(&fixture);
    start(&fixture, "/nonexistent", 5432, 1000);
    net_loop_run(fixture.loop);
    assert_true(fixture.sender.failed);
    assert_non_null(strstr(fixture.sender.error.message, "No such file"));
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_address_of_a_name_is_tried),
        cmocka_unit_test(test_timed_out),
        cmocka_unit_test(test_unknown_name),
        cmocka_unit_test(test_close_while_looking_up),
        cmocka_unit_test(test_close_while_connecting),
        cmocka_unit_test(test_unix_socket),
        cmocka_unit_test(test_missing_unix_socket),
    };
    return cmocka_run_group_tests_name("net/connect", tests, NULL, NULL);
}

/* Listeners: shared ports, live and dead unix sockets, closing within accept, and running out of
 * descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/net.h"
#include "peer.h"

enum { MAX_ACCEPTED = 8 };

struct fixture {
    struct net_loop *loop;
    struct net_timer *watchdog;
    struct net_listener *listener;
    struct net_stream *accepted[MAX_ACCEPTED];
    int accepted_count, expected;
    bool close_in_accept;
};

static void on_accept(void *context, struct net_stream *stream)
{
    struct fixture *fixture = context;
    fixture->accepted[fixture->accepted_count++] = stream;
    if (fixture->close_in_accept) {
        net_listener_close(fixture->listener);
        fixture->listener = NULL;
    }
    if (fixture->accepted_count == fixture->expected)
        net_loop_stop(fixture->loop);
}

static void open_fixture(struct fixture *fixture)
{
    assert_int_equal(net_loop_open(&fixture->loop, NULL), STATUS_OK);
    fixture->watchdog = watchdog_start(fixture->loop);
}

static void close_fixture(struct fixture *fixture)
{
    for (int i = 0; i < fixture->accepted_count; i++)
        net_stream_close(fixture->accepted[i]);
    net_listener_close(fixture->listener);
    net_timer_close(fixture->watchdog);
    net_loop_close(fixture->loop);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void test_two_listeners_share_a_port(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct net_listener *second = NULL;
    uint16_t port = 0, again = 0;
    open_fixture(&fixture);
    assert_int_equal(net_listen_tcp(fixture.loop, "127.0.0.1", 0, on_accept, &fixture, &port,
                                    &fixture.listener, NULL),
                     STATUS_OK);
    assert_int_not_equal(port, 0);
    assert_int_equal(
        net_listen_tcp(fixture.loop, "127.0.0.1", port, on_accept, &fixture, &again, &second, NULL),
        STATUS_OK);
    assert_int_equal(again, port);
    net_listener_close(second);
    close_fixture(&fixture);
}

static void test_ipv6_any_takes_ipv4(void **state)
{
    (void)state;
    struct fixture fixture = {.expected = 1};
    uint16_t port = 0;
    open_fixture(&fixture);
    assert_int_equal(
        net_listen_tcp(fixture.loop, "::", 0, on_accept, &fixture, &port, &fixture.listener, NULL),
        STATUS_OK);
    int fd = connect_to(port);
    net_loop_run(fixture.loop);
    struct in6_addr address;
    uint16_t peer_port = 0;
    char text[INET6_ADDRSTRLEN];
    assert_true(net_stream_peer_address(fixture.accepted[0], &address, &peer_port));
    assert_string_equal(inet_ntop(AF_INET6, &address, text, sizeof text), "::ffff:127.0.0.1");
    close(fd);
    close_fixture(&fixture);
}

static void test_bad_address(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct error error = {0};
    open_fixture(&fixture);
    assert_int_equal(net_listen_tcp(fixture.loop, "192.0.2.1", 0, on_accept, &fixture, NULL,
                                    &fixture.listener, &error),
                     STATUS_IO);
    assert_non_null(strstr(error.message, "192.0.2.1"));
    close_fixture(&fixture);
}

static void test_close_in_accept(void **state)
{
    (void)state;
    struct fixture fixture = {.expected = 1, .close_in_accept = true};
    uint16_t port = 0;
    open_fixture(&fixture);
    assert_int_equal(net_listen_tcp(fixture.loop, "127.0.0.1", 0, on_accept, &fixture, &port,
                                    &fixture.listener, NULL),
                     STATUS_OK);
    int first = connect_to(port), second = connect_to(port);
    net_loop_run(fixture.loop);
    assert_int_equal(fixture.accepted_count, 1);
    close(first);
    close(second);
    close_fixture(&fixture);
}

static void raise_limit(void *context)
{
    setrlimit(RLIMIT_NOFILE, context);
}

/* Without descriptors the listener waits, and takes the connection once there are some again. */
static void test_out_of_descriptors(void **state)
{
    (void)state;
    struct fixture fixture = {.expected = 1};
    struct net_timer *timer = NULL;
    struct rlimit before, none;
    uint16_t port = 0;
    open_fixture(&fixture);
    assert_int_equal(net_listen_tcp(fixture.loop, "127.0.0.1", 0, on_accept, &fixture, &port,
                                    &fixture.listener, NULL),
                     STATUS_OK);
    int fd = connect_to(port);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(net_timer_open(fixture.loop, raise_limit, &before, &timer), STATUS_OK);
    net_timer_start(timer, 150, 0);
    net_loop_run(fixture.loop);
    assert_int_equal(fixture.accepted_count, 1);
    close(fd);
    net_timer_close(timer);
    close_fixture(&fixture);
}

/* ---- unix ---- */

struct place {
    char folder[32], path[64];
};

static void make_place(struct place *place)
{
    snprintf(place->folder, sizeof place->folder, "/tmp/cofferdam-lis-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/s", place->folder);
}

static void remove_place(const struct place *place)
{
    unlink(place->path);
    assert_int_equal(rmdir(place->folder), 0);
}

static void test_live_unix_socket_is_refused(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct place place;
    struct net_listener *second = NULL;
    struct error error = {0};
    struct stat mode;
    make_place(&place);
    open_fixture(&fixture);
    assert_int_equal(net_listen_unix(fixture.loop, place.path, 0660, on_accept, &fixture,
                                     &fixture.listener, NULL),
                     STATUS_OK);
    assert_int_equal(stat(place.path, &mode), 0);
    assert_int_equal(mode.st_mode & 0777, 0660);
    assert_int_equal(
        net_listen_unix(fixture.loop, place.path, 0660, on_accept, &fixture, &second, &error),
        STATUS_INVALID);
    assert_non_null(strstr(error.message, "another process listens"));
    assert_int_equal(access(place.path, F_OK), 0);
    close_fixture(&fixture);
    remove_place(&place);
}

static void test_dead_unix_socket_is_replaced(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct place place;
    make_place(&place);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", place.path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd); /* as after kill -9: the name stays */
    open_fixture(&fixture);
    assert_int_equal(net_listen_unix(fixture.loop, place.path, 0600, on_accept, &fixture,
                                     &fixture.listener, NULL),
                     STATUS_OK);
    close_fixture(&fixture);
    assert_int_equal(access(place.path, F_OK), -1);
    remove_place(&place);
}

static void test_other_files_are_left_alone(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct place place;
    struct error error = {0};
    make_place(&place);
    int fd = open(place.path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    open_fixture(&fixture);
    assert_int_equal(net_listen_unix(fixture.loop, place.path, 0600, on_accept, &fixture,
                                     &fixture.listener, &error),
                     STATUS_INVALID);
    assert_int_equal(access(place.path, F_OK), 0);
    close_fixture(&fixture);
    remove_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_listeners_share_a_port),
        cmocka_unit_test(test_ipv6_any_takes_ipv4),
        cmocka_unit_test(test_bad_address),
        cmocka_unit_test(test_close_in_accept),
        cmocka_unit_test(test_out_of_descriptors),
        cmocka_unit_test(test_live_unix_socket_is_refused),
        cmocka_unit_test(test_dead_unix_socket_is_replaced),
        cmocka_unit_test(test_other_files_are_left_alone),
    };
    return cmocka_run_group_tests_name("net/listener", tests, NULL, NULL);
}

/* Handshakes take turns by address: whoever comes behind a crowd from another address does not wait
 * for the crowd. Also what counts as one address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "certificates.h"
#include "net/net.h"
#include "peer.h"

enum { CROWD = 300, LONE = 3, HELLO_ROOM = 2048 };

struct scene {
    struct net_loop *loop;
    struct net_tls *tls;
    struct net_stream *streams[CROWD + LONE];
    size_t accepted;
    int crowd[CROWD], lone[LONE];
    size_t crowd_answered; /* when the first of the lone ones was */
};

static void on_ready(void *context, const struct error *error)
{
    (void)context;
    assert_null(error);
}

static const struct net_handlers handlers = {.ready = on_ready};

static void on_accept(void *context, struct net_stream *stream)
{
    struct scene *scene = context;
    struct error error;
    scene->streams[scene->accepted++] = stream;
    net_stream_handle(stream, &handlers, scene);
    assert_int_equal(net_stream_start_tls(stream, scene->tls, NET_TLS_SERVER, 20000, &error),
                     STATUS_OK);
}

static bool answered(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

static void on_turn(void *context)
{
    struct scene *scene = context;
    bool any = false;
    for (size_t i = 0; i < LONE; i++)
        any = any || answered(scene->lone[i]);
    if (!any)
        return;
    for (size_t i = 0; i < CROWD; i++)
        scene->crowd_answered += answered(scene->crowd[i]);
    net_loop_on_turn(scene->loop, NULL, NULL);
    net_loop_stop(scene->loop);
}

static size_t make_hello(unsigned char *room)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    SSL_set_connect_state(ssl);
    assert_int_equal(SSL_do_handshake(ssl), -1);
    int len = BIO_read(out, room, HELLO_ROOM);
    assert_true(len > 0);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return (size_t)len;
}

static int greet_from(const char *address, uint16_t port, const unsigned char *hello, size_t len)
{
    struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(inet_pton(AF_INET, address, &from.sin_addr), 1);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, hello, len, 0), (int)len);
    return fd;
}

static void test_a_crowd_does_not_hold_up_others(void **state)
{
    const struct certificates *certificates = *state;
    static const char *const addresses[LONE] = {"127.0.0.2", "127.0.0.3", "127.0.0.4"};
    static struct scene scene;
    struct error error = {0};
    struct net_listener *listener;
    unsigned char hello[HELLO_ROOM];
    uint16_t port;
    size_t len = make_hello(hello);
    assert_int_equal(net_loop_open(&scene.loop, &error), STATUS_OK);
    struct net_timer *watchdog = watchdog_start(scene.loop);
    assert_int_equal(net_tls_server_open(certificates->server_certificate, certificates->server_key,
                                         NULL, &scene.tls, &error),
                     STATUS_OK);
    assert_int_equal(
        net_listen_tcp(scene.loop, "127.0.0.1", 0, on_accept, &scene, &port, &listener, &error),
        STATUS_OK);
    for (size_t i = 0; i < CROWD; i++)
        scene.crowd[i] = greet_from("127.0.0.1", port, hello, len);
    for (size_t i = 0; i < LONE; i++) /* three: one may share the crowd's bucket */
        scene.lone[i] = greet_from(addresses[i], port, hello, len);
    net_loop_on_turn(scene.loop, on_turn, &scene);
    net_loop_run(scene.loop);
    print_message("%zu of %d were answered before\n", scene.crowd_answered, CROWD);
    assert_true(scene.crowd_answered < CROWD / 2);
    for (size_t i = 0; i < CROWD; i++)
        close(scene.crowd[i]);
    for (size_t i = 0; i < LONE; i++)
        close(scene.lone[i]);
    for (size_t i = 0; i < scene.accepted; i++) /* those in a bucket too */
        net_stream_close(scene.streams[i]);
    net_listener_close(listener);
    net_timer_close(watchdog);
    net_loop_close(scene.loop);
    net_tls_release(scene.tls);
}

static uint64_t block_of(const char *text)
{
    struct in6_addr address;
    assert_int_equal(inet_pton(AF_INET6, text, &address), 1);
    return net_address_block(&address);
}

static void test_what_counts_as_one_address(void **state)
{
    (void)state;
    assert_true(block_of("::ffff:10.0.0.1") != block_of("::ffff:10.0.0.2"));
    assert_true(block_of("2001:db8::1") == block_of("2001:db8::ffff:1"));
    assert_true(block_of("2001:db8::1") != block_of("2001:db8:0:1::1"));
    assert_true(block_of("::ffff:10.0.0.1") != block_of("::1"));
}

static int make_certificates(void **state)
{
    static struct certificates certificates;
    certificates_make(&certificates);
    *state = &certificates;
    return 0;
}

static int remove_certificates(void **state)
{
    certificates_remove(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_crowd_does_not_hold_up_others),
        cmocka_unit_test(test_what_counts_as_one_address),
    };
    return cmocka_run_group_tests_name("net/handshakes", tests, make_certificates,
                                       remove_certificates);
}

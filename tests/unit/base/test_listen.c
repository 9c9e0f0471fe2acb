/* Addresses to listen on: what is one, what is none, and that a listener is reached at its port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/listen.h"

static void addresses_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        int family;
        bool loopback;
    } good[] = {
        {"127.0.0.1:8080", AF_INET, true}, {"127.9.9.9:0", AF_INET, true},
        {"0.0.0.0:443", AF_INET, false},   {"10.0.0.7:1", AF_INET, false},
        {"[::1]:8080", AF_INET6, true},    {"[::]:65535", AF_INET6, false},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct listen_address address;
        struct error error;
        assert_int_equal(listen_parse(good[i].text, &address, &error), STATUS_OK);
        assert_int_equal(address.address.ss_family, good[i].family);
        assert_int_equal(listen_is_loopback(&address), good[i].loopback);
    }
}

static void nothing_else_is_one(void **state)
{
    static const char *const bad[] = {
        "",           "8080",         ":8080",          "127.0.0.1",
        "127.0.0.1:", "127.0.0.1:x",  "127.0.0.1:1x",   "127.0.0.1:65536",
        "::1:80",     "[::1]",        "[127.0.0.1]:80", "localhost:80",
        "[::1:80",    "127.0.0.1:-1", "127.0.0.1: 1",   "[]:1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct listen_address address;
        struct error error;
        if (listen_parse(bad[i], &address, &error) != STATUS_INVALID)
            fail_msg("\"%s\" is taken for an address", bad[i]);
        assert_non_null(strstr(error.message, "is no address to listen on"));
    }
}

static void a_listener_is_reached_at_its_port(void **state)
{
    struct listen_address address;
    struct error error;
    int listener = -1;
    assert_int_equal(listen_parse("127.0.0.1:0", &address, &error), STATUS_OK);
    assert_int_equal(listen_open(&address, &listener, &error), STATUS_OK);
    struct sockaddr_in there = {.sin_family = AF_INET,
                                .sin_port = htons(listen_port(listener)),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&there, sizeof there), 0);
    close(fd);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(nothing_else_is_one),
        cmocka_unit_test(a_listener_is_reached_at_its_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* TLS: our client against our server for megabytes; a plain OpenSSL client in a thread for client
 * certificates; and every way in which a handshake must fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "certificates.h"
#include "net/net.h"
#include "peer.h"

static struct certificates certificates;

struct fixture {
    struct net_loop *loop;
    struct net_timer *watchdog;
    struct net_listener *listener;
    uint16_t port;
    struct net_tls *server_tls, *client_tls;
    uint32_t server_timeout_ms;
    bool direct; /* without an SSLRequest: ALPN is required */
    struct echo echo;
    struct sender sender;
    bool server_ready, server_failed;
    struct error server_error;
    const char *version;
    uint8_t end_point[NET_END_POINT_BYTES]; /* as the server sees it */
    size_t end_point_len;
    struct buffer client_der;
    bool has_client_certificate;
};

static void server_ready(void *context, const struct error *error)
{
    struct fixture *fixture = context;
    struct net_stream *stream = fixture->echo.stream;
    fixture->server_ready = true;
    if (error != NULL) {
        fixture->server_failed = true;
        fixture->server_error = *error;
        net_stream_close(stream);
        fixture->echo.stream = NULL;
        return;
    }
    fixture->version = net_stream_tls_version(stream);
    fixture->end_point_len = net_stream_end_point(stream, fixture->end_point);
    fixture->has_client_certificate = net_stream_peer_certificate(stream, &fixture->client_der);
    net_stream_handle(stream, &echo_handlers, &fixture->echo);
    net_stream_want(stream, true, false);
}

static const struct net_handlers server_handlers = {.ready = server_ready};

static void on_accept(void *context, struct net_stream *stream)
{
    struct fixture *fixture = context;
    echo_start(&fixture->echo, stream);
    net_stream_handle(stream, &server_handlers, fixture);
    struct error error;
    assert_int_equal(net_stream_start_tls(stream, fixture->server_tls,
                                          fixture->direct ? NET_TLS_SERVER_DIRECT : NET_TLS_SERVER,
                                          fixture->server_timeout_ms, &error),
                     STATUS_OK);
}

static void open_fixture(struct fixture *fixture, const char *client_ca, const char *trusted)
{
    struct error error = {0};
    if (fixture->server_timeout_ms == 0)
        fixture->server_timeout_ms = 5000;
    buffer_init(&fixture->client_der, 65536);
    assert_int_equal(net_loop_open(&fixture->loop, &error), STATUS_OK);
    fixture->watchdog = watchdog_start(fixture->loop);
    enum status status =
        net_tls_server_open(certificates.server_certificate, certificates.server_key, client_ca,
                            &fixture->server_tls, &error);
    assert_string_equal(error.message, "");
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(net_tls_client_open(trusted, &fixture->client_tls, &error), STATUS_OK);
    assert_int_equal(net_listen_tcp(fixture->loop, "127.0.0.1", 0, on_accept, fixture,
                                    &fixture->port, &fixture->listener, &error),
                     STATUS_OK);
    fixture->sender.loop = fixture->loop;
}

static void close_fixture(struct fixture *fixture)
{
    net_stream_close(fixture->sender.stream);
    echo_end(&fixture->echo);
    net_listener_close(fixture->listener);
    net_timer_close(fixture->watchdog);
    net_loop_close(fixture->loop);
    net_tls_release(fixture->server_tls);
    net_tls_release(fixture->client_tls);
    buffer_free(&fixture->client_der);
}

/* ---- our client against our server ---- */

static void start_tls_when_connected(void *context, const struct error *error)
{
    struct fixture *fixture = context;
    assert_null(error);
    struct error tls_error;
    net_stream_handle(fixture->sender.stream, &sender_handlers, &fixture->sender);
    assert_int_equal(
        net_stream_start_tls(fixture->sender.stream, fixture->client_tls, false, 5000, &tls_error),
        STATUS_OK);
}

static const struct net_handlers connecting_handlers = {.ready = start_tls_when_connected};

static void connect_our_client(struct fixture *fixture, const char *host)
{
    assert_int_equal(net_connect(fixture->loop, host, fixture->port, 2000, &connecting_handlers,
                                 fixture, &fixture->sender.stream, NULL),
                     STATUS_OK);
}

/* Both ends have the certificate's SHA-256, which is its signature's hash. */
static void check_end_point(const struct fixture *fixture)
{
    uint8_t seen[NET_END_POINT_BYTES], expected[EVP_MAX_MD_SIZE];
    unsigned len;
    FILE *file = fopen(certificates.server_certificate, "r");
    assert_non_null(file);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    assert_non_null(certificate);
    assert_int_equal(X509_digest(certificate, EVP_sha256(), expected, &len), 1);
    X509_free(certificate);
    fclose(file);
    assert_int_equal(fixture->end_point_len, 32);
    assert_memory_equal(fixture->end_point, expected, 32);
    assert_int_equal(net_stream_end_point(fixture->sender.stream, seen), 32);
    assert_memory_equal(seen, expected, 32);
}

static void run_echo(const char *host)
{
    struct fixture fixture = {.sender.total = 4 * 1024 * 1024 + 17};
    open_fixture(&fixture, certificates.ca, certificates.ca);
    connect_our_client(&fixture, host);
    net_loop_run(fixture.loop);
    assert_string_equal(fixture.sender.error.message, "");
    assert_false(fixture.sender.failed);
    assert_false(fixture.sender.wrong);
    assert_int_equal(fixture.sender.received, fixture.sender.total);
    assert_string_equal(fixture.version, "TLSv1.3");
    assert_false(fixture.has_client_certificate);
    assert_true(net_stream_is_tls(fixture.sender.stream));
    check_end_point(&fixture);
    close_fixture(&fixture);
}

static void test_echo_by_address(void **state)
{
    (void)state;
    run_echo("127.0.0.1");
}

static void test_echo_by_name(void **state)
{
    (void)state;
    run_echo("localhost");
}

static void test_client_refuses_unknown_ca(void **state)
{
    (void)state;
    struct fixture fixture = {.sender.total = 1};
    open_fixture(&fixture, NULL, certificates.wrong_ca);
    connect_our_client(&fixture, "127.0.0.1");
    net_loop_run(fixture.loop);
    assert_true(fixture.sender.failed);
    assert_non_null(strstr(fixture.sender.error.message, "unable to get local issuer"));
    assert_int_equal(fixture.sender.received, 0);
    close_fixture(&fixture);
}

static void test_client_refuses_wrong_name(void **state)
{
    (void)state;
    struct fixture fixture = {.sender.total = 1};
    open_fixture(&fixture, NULL, certificates.ca);
    /* 127.0.0.2 reaches a listener on every address, but is not in the certificate. */
    net_listener_close(fixture.listener);
    assert_int_equal(net_listen_tcp(fixture.loop, "0.0.0.0", 0, on_accept, &fixture, &fixture.port,
                                    &fixture.listener, NULL),
                     STATUS_OK);
    connect_our_client(&fixture, "127.0.0.2");
    net_loop_run(fixture.loop);
    assert_true(fixture.sender.failed);
    assert_non_null(strstr(fixture.sender.error.message, "IP address mismatch"));
    close_fixture(&fixture);
}

/* ---- a plain OpenSSL client in a thread ---- */

struct outside {
    uint16_t port;
    const char *certificate, *key; /* or NULL */
    int most_version;              /* 0: no bound */
    const unsigned char *alpn;     /* or NULL */
    unsigned alpn_len;
    bool plaintext, silent;
    int key_updates; /* sent together, before anything else */
    bool shook_hands, echoed;
    char version[16];
    struct net_loop *loop; /* stopped at the end */
};

static int connect_blocking(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    return fd;
}

/* Made first and then sent at once: who attacks does it so, since each costs him as much as us. */
static bool send_key_updates(SSL *ssl, int fd, int count)
{
    BIO *gathered = BIO_new(BIO_s_mem()), *own = SSL_get_wbio(ssl);
    char *bytes;
    BIO_up_ref(own);
    SSL_set0_wbio(ssl, gathered);
    for (int i = 0; i < count; i++)
        if (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 || SSL_do_handshake(ssl) != 1)
            return false;
    long len = BIO_get_mem_data(gathered, &bytes), sent = 0;
    while (sent < len) {
        ssize_t put = send(fd, bytes + sent, (size_t)(len - sent), MSG_NOSIGNAL);
        if (put <= 0)
            break;
        sent += put;
    }
    SSL_set0_wbio(ssl, own);
    return sent == len;
}

static void talk_tls(struct outside *outside, int fd)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_load_verify_locations(context, certificates.ca, NULL);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_max_proto_version(context, outside->most_version);
    if (outside->most_version != 0 && outside->most_version < TLS1_2_VERSION)
        SSL_CTX_set_security_level(context, 0);
    if (outside->alpn != NULL)
        SSL_CTX_set_alpn_protos(context, outside->alpn, outside->alpn_len);
    if (outside->certificate != NULL) {
        SSL_CTX_use_certificate_file(context, outside->certificate, SSL_FILETYPE_PEM);
        SSL_CTX_use_PrivateKey_file(context, outside->key, SSL_FILETYPE_PEM);
    }
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    char byte = 0;
    outside->shook_hands = SSL_connect(ssl) == 1;
    bool sent = outside->shook_hands &&
                (outside->key_updates == 0 || send_key_updates(ssl, fd, outside->key_updates));
    outside->echoed =
        sent && SSL_write(ssl, "x", 1) == 1 && SSL_read(ssl, &byte, 1) == 1 && byte == 'x';
    snprintf(outside->version, sizeof outside->version, "%s", SSL_get_version(ssl));
    if (outside->echoed)
        SSL_shutdown(ssl);
    SSL_free(ssl);
    SSL_CTX_free(context);
}

static void *run_outside(void *context)
{
    struct outside *outside = context;
    int fd = connect_blocking(outside->port);
    char waste[256];
    if (fd >= 0 && outside->plaintext) {
        if (write(fd, "SELECT 1\n", 9) == 9)
            while (read(fd, waste, sizeof waste) > 0)
                continue;
    } else if (fd >= 0 && outside->silent) {
        while (read(fd, waste, sizeof waste) > 0)
            continue;
    } else if (fd >= 0) {
        talk_tls(outside, fd);
    }
    close(fd);
    OPENSSL_thread_stop();
    net_loop_stop(outside->loop);
    return NULL;
}

static void run_with_outside(struct fixture *fixture, struct outside *outside)
{
    outside->port = fixture->port;
    outside->loop = fixture->loop;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_outside, outside), 0);
    net_loop_run(fixture->loop);
    pthread_join(thread, NULL);
}

static void test_client_certificate_is_seen(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct outside outside = {.certificate = certificates.client_certificate,
                              .key = certificates.client_key};
    open_fixture(&fixture, certificates.ca, certificates.ca);
    run_with_outside(&fixture, &outside);
    assert_true(outside.echoed);
    assert_true(fixture.has_client_certificate);
    const unsigned char *at = fixture.client_der.data;
    X509 *seen = d2i_X509(NULL, &at, (long)fixture.client_der.len);
    assert_non_null(seen);
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(seen), NID_commonName, name, sizeof name);
    X509_free(seen);
    assert_string_equal(name, "north-mail.sync");
    close_fixture(&fixture);
}

static void test_no_client_certificate_is_fine(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct outside outside = {0};
    open_fixture(&fixture, certificates.ca, certificates.ca);
    run_with_outside(&fixture, &outside);
    assert_true(outside.echoed);
    assert_false(fixture.has_client_certificate);
    close_fixture(&fixture);
}

static void test_strangers_certificate_is_refused(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct outside outside = {.certificate = certificates.stranger_certificate,
                              .key = certificates.stranger_key};
    open_fixture(&fixture, certificates.ca, certificates.ca);
    run_with_outside(&fixture, &outside);
    assert_false(outside.echoed);
    assert_true(fixture.server_failed);
    assert_non_null(strstr(fixture.server_error.message, "certificate was refused"));
    close_fixture(&fixture);
}

/* Some are worked off; one that goes on without data is at an end. OpenSSL would work on all of
 * them before it came back to the loop. */
static void test_key_updates_without_end(void **state)
{
    (void)state;
    for (int count = 30; count <= 1000; count += 970) {
        struct fixture fixture = {0};
        struct outside outside = {.key_updates = count};
        open_fixture(&fixture, NULL, certificates.ca);
        run_with_outside(&fixture, &outside);
        assert_true(outside.shook_hands);
        assert_int_equal(outside.echoed, count == 30);
        assert_true(fixture.echo.ended);
        assert_int_equal(fixture.echo.reason, count == 30 ? STATUS_CLOSED : STATUS_PEER);
        close_fixture(&fixture);
    }
}

static void test_tls_1_2_works(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct outside outside = {.most_version = TLS1_2_VERSION};
    open_fixture(&fixture, NULL, certificates.ca);
    run_with_outside(&fixture, &outside);
    assert_true(outside.echoed);
    assert_string_equal(outside.version, "TLSv1.2");
    close_fixture(&fixture);
}

static void test_tls_1_1_is_refused(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct outside outside = {.most_version = TLS1_1_VERSION};
    open_fixture(&fixture, NULL, certificates.ca);
    run_with_outside(&fixture, &outside);
    assert_false(outside.shook_hands);
    assert_true(fixture.server_failed);
    close_fixture(&fixture);
}

static void test_alpn(void **state)
{
    (void)state;
    static const unsigned char ours[] = "\012postgresql", other[] = "\002h2";
    for (int round = 0; round < 2; round++) {
        struct fixture fixture = {0};
        struct outside outside = {.alpn = round == 0 ? ours : other,
                                  .alpn_len = round == 0 ? sizeof ours - 1 : sizeof other - 1};
        open_fixture(&fixture, NULL, certificates.ca);
        run_with_outside(&fixture, &outside);
        assert_int_equal(outside.echoed, round == 0);
        close_fixture(&fixture);
    }
}

static void test_direct_tls_needs_alpn(void **state)
{
    (void)state;
    static const unsigned char ours[] = "\012postgresql", other[] = "\010http/1.1";
    const struct {
        const unsigned char *offered;
        unsigned len;
        bool good;
    } rounds[] = {
        {ours, sizeof ours - 1, true}, {other, sizeof other - 1, false}, {NULL, 0, false}};
    for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) {
        struct fixture fixture = {.direct = true};
        struct outside outside = {.alpn = rounds[i].offered, .alpn_len = rounds[i].len};
        open_fixture(&fixture, NULL, certificates.ca);
        run_with_outside(&fixture, &outside);
        assert_int_equal(outside.shook_hands, rounds[i].good);
        assert_int_equal(outside.echoed, rounds[i].good);
        close_fixture(&fixture);
    }
}

static void test_plaintext_is_refused(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct outside outside = {.plaintext = true};
    open_fixture(&fixture, NULL, certificates.ca);
    run_with_outside(&fixture, &outside);
    assert_true(fixture.server_failed);
    assert_int_equal(fixture.server_error.status, STATUS_PEER);
    close_fixture(&fixture);
}

static void test_silent_client_times_out(void **state)
{
    (void)state;
    struct fixture fixture = {.server_timeout_ms = 50};
    struct outside outside = {.silent = true};
    open_fixture(&fixture, NULL, certificates.ca);
    run_with_outside(&fixture, &outside);
    assert_true(fixture.server_failed);
    assert_string_equal(fixture.server_error.message, "TLS handshake timed out");
    close_fixture(&fixture);
}

/* ---- contexts ---- */

static void test_open_key_file_is_refused(void **state)
{
    (void)state;
    struct net_tls *tls = NULL;
    struct error error = {0};
    assert_int_equal(chmod(certificates.server_key, 0644), 0);
    enum status status = net_tls_server_open(certificates.server_certificate,
                                             certificates.server_key, NULL, &tls, &error);
    assert_int_equal(chmod(certificates.server_key, 0600), 0);
    assert_int_equal(status, STATUS_INVALID);
    assert_null(tls);
}

static void test_key_of_another_certificate_is_refused(void **state)
{
    (void)state;
    struct net_tls *tls = NULL;
    struct error error = {0};
    assert_int_equal(net_tls_server_open(certificates.server_certificate, certificates.client_key,
                                         NULL, &tls, &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "does not fit"));
    assert_int_equal(net_tls_client_open("/nonexistent/ca.crt", &tls, &error), STATUS_INVALID);
    assert_null(tls);
}

static void test_a_context_tells_what_it_shows(void **state)
{
    (void)state;
    struct net_tls *tls = NULL;
    struct error error = {0};
    assert_int_equal(net_tls_server_open(certificates.server_certificate, certificates.server_key,
                                         NULL, &tls, &error),
                     STATUS_OK);
    struct net_tls_certificate shown;
    net_tls_describe(tls, &shown);
    net_tls_release(tls);
    FILE *file = fopen(certificates.server_certificate, "r");
    assert_non_null(file);
    X509 *own = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    unsigned char digest[32];
    unsigned len = sizeof digest;
    assert_int_equal(X509_digest(own, EVP_sha256(), digest, &len), 1);
    X509_free(own);
    char hex[65];
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(shown.sha256, hex);
    assert_string_equal(shown.key, "P-256");
    assert_non_null(strstr(shown.names, "localhost"));
    assert_non_null(strstr(shown.subject, "CN="));
    assert_true(strlen(shown.serial) > 0 && strlen(shown.issuer) > 0);
    assert_int_equal(shown.ends_ns - shown.begins_ns, INT64_C(3600) * 1000000000);
}

static int make_certificates(void **state)
{
    (void)state;
    certificates_make(&certificates);
    return 0;
}

static int remove_certificates(void **state)
{
    (void)state;
    certificates_remove(&certificates);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_by_address),
        cmocka_unit_test(test_echo_by_name),
        cmocka_unit_test(test_client_refuses_unknown_ca),
        cmocka_unit_test(test_client_refuses_wrong_name),
        cmocka_unit_test(test_client_certificate_is_seen),
        cmocka_unit_test(test_no_client_certificate_is_fine),
        cmocka_unit_test(test_strangers_certificate_is_refused),
        cmocka_unit_test(test_key_updates_without_end),
        cmocka_unit_test(test_tls_1_2_works),
        cmocka_unit_test(test_tls_1_1_is_refused),
        cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_direct_tls_needs_alpn),
        cmocka_unit_test(test_plaintext_is_refused),
        cmocka_unit_test(test_silent_client_times_out),
        cmocka_unit_test(test_open_key_file_is_refused),
        cmocka_unit_test(test_key_of_another_certificate_is_refused),
        cmocka_unit_test(test_a_context_tells_what_it_shows),
    };
    return cmocka_run_group_tests_name("net/tls", tests, make_certificates, remove_certificates);
}

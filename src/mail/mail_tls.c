/* Who the mail server is: an OpenSSL context that refuses in the handshake. libesmtp's own checks
 * come after it, know no addresses and trust what lies in the user's home: they decide nothing. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "mail/private.h"

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* libesmtp asks for no server by name (RFC 6066 3), and many mail servers then show another
 * certificate: the name is put in as the handshake begins. */
static void name_server(const SSL *ssl, int where, int result)
{
    const struct mail_trust *trust = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if ((where & SSL_CB_HANDSHAKE_START) != 0 && !is_address(trust->host))
        SSL_set_tlsext_host_name((SSL *)(uintptr_t)ssl, trust->host);
}

static int note_reason(int is_fine, X509_STORE_CTX *chain)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct mail_trust *trust = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if (!is_fine)
        trust->reason = X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain));
    return is_fine;
}

enum status mail_tls_open(struct mail_trust *trust, const char *host, const char *ca_file,
                          struct error *error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for TLS");
    /* libesmtp takes whatever can be read for the answer to a command, and waits for it before it
     * has sent the command: a session ticket of TLS 1.3 stops it for good. In 1.2 nothing comes
     * unasked after the handshake. */
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, note_reason);
    X509_VERIFY_PARAM *wanted = SSL_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int named = is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host)
                                 : X509_VERIFY_PARAM_set1_host(wanted, host, 0);
    int trusted = ca_file != NULL ? SSL_CTX_load_verify_file(context, ca_file)
                                  : SSL_CTX_set_default_verify_paths(context);
    if (named != 1 || trusted != 1) {
        SSL_CTX_free(context);
        return error_set(error, STATUS_INVALID, "F0000", "see mail in cofferdam.yaml(5)",
                         named != 1 ? "the mail server's host is no name"
                                    : "the mail server's authorities cannot be read");
    }
    SSL_CTX_set_app_data(context, trust);
    SSL_CTX_set_info_callback(context, name_server);
    *trust = (struct mail_trust){.context = context, .host = host};
    return STATUS_OK;
}

void mail_tls_close(struct mail_trust *trust)
{
    SSL_CTX_free(trust->context);
    trust->context = NULL;
}

bool mail_tls_verified(const struct mail_trust *trust, const SSL *ssl)
{
    return SSL_get_SSL_CTX(ssl) == trust->context && SSL_get_verify_result(ssl) == X509_V_OK &&
           SSL_get0_peer_certificate(ssl) != NULL;
}

void mail_tls_cut(const SSL *ssl)
{
    shutdown(SSL_get_fd(ssl), SHUT_RDWR);
}

void mail_tls_hurry(const SSL *ssl)
{
    int on = 1;
    setsockopt(SSL_get_fd(ssl), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

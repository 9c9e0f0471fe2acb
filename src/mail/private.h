/* What the files of mail/ share. */
#ifndef COFFERDAM_MAIL_PRIVATE_H
#define COFFERDAM_MAIL_PRIVATE_H

#include "mail/mail.h"

/* Before any call of GMime; any thread, any number of times. */
void mail_gmime_start(void);

/* ---- TLS: libesmtp's session with an OpenSSL context of ours. Not thread-safe. ---- */
struct ssl_ctx_st;
struct ssl_st;
struct mail_trust {
    struct ssl_ctx_st *context;
    const char *host;   /* borrowed */
    const char *reason; /* why the last certificate was refused; NULL: none was */
};
/* A context whose handshake fails unless the peer's chain leads to ca_file (NULL: the system's
 * authorities) and its certificate is for host, a name or an address. TLS 1.2. */
MUST_USE enum status mail_tls_open(struct mail_trust *trust, const char *host, const char *ca_file,
                                   struct error *error);
void mail_tls_close(struct mail_trust *trust); /* a zeroed one is fine */
/* Was this connection made by that context, and verified? */
bool mail_tls_verified(const struct mail_trust *trust, const struct ssl_st *ssl);
/* Small writes go out at once: libesmtp writes a message in pieces, and the last would otherwise
 * wait for the acknowledgement of those before (RFC 896), 40 ms each. */
void mail_tls_hurry(const struct ssl_st *ssl);
/* Nothing more goes out or comes in. */
void mail_tls_cut(const struct ssl_st *ssl);

#endif

/* Private to identity/: what its files need of libcrypto's manners. */
#ifndef COFFERDAM_IDENTITY_OPENSSL_H
#define COFFERDAM_IDENTITY_OPENSSL_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buffer.h"
#include "base/status.h"

/* STATUS_IO with libcrypto's reason behind the message. Empties this thread's error queue, as
 * every path out of identity/ must: what stays there would be taken for an error of TLS. */
enum status openssl_failed(struct error *error, const char *what) __attribute__((cold));

/* For every PEM_read_bio_*: any PEM can say that it is sealed, and libcrypto's own callback would
 * ask for its passphrase on the terminal, or on standard input, and wait. */
int openssl_no_passphrase(char *text, int size, int writing, void *context);
/* From PEM; NULL if it is none. Returns owned. */
X509 *openssl_read_certificate(struct slice pem);
/* passphrase: len 0 for a key that is not sealed. Nothing is ever asked on the terminal. */
EVP_PKEY *openssl_read_key(struct slice pem, struct slice passphrase);

/* Nanoseconds since 1970; the year 9999, which stands for "no end" (RFC 5280), and all that has no
 * room is INT64_MAX. False for NULL, for a time that is none and for one before 1970. */
bool openssl_time(const ASN1_TIME *time, int64_t *ns);

/* Appends what was written to a memory BIO; STATUS_NOMEM if it does not fit. */
MUST_USE enum status openssl_take(BIO *bio, struct buffer *out, struct error *error);

#endif

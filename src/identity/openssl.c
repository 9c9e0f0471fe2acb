/* PEM in and out of memory, and libcrypto's errors as ours. No state, any thread. */
#include "identity/openssl.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>

enum status openssl_failed(struct error *error, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    enum status status = error_set(error, STATUS_IO, "58000", NULL, "%s: %s", what,
                                   reason == NULL ? "libcrypto gave no reason" : reason);
    ERR_clear_error();
    return status;
}

int openssl_no_passphrase(char *text, int size, int writing, void *context)
{
    return -1;
}

static BIO *reader_of(struct slice pem)
{
    return pem.len == 0 || pem.len > INT_MAX ? NULL : BIO_new_mem_buf(pem.data, (int)pem.len);
}

X509 *openssl_read_certificate(struct slice pem)
{
    BIO *bio = reader_of(pem);
    X509 *certificate =
        bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, openssl_no_passphrase, NULL);
    BIO_free(bio);
    if (certificate == NULL)
        ERR_clear_error();
    return certificate;
}

/* As much of the passphrase (context: struct slice) as fits; OpenSSL allows 1024 bytes. */
static int give_passphrase(char *text, int size, int writing, void *context)
{
    const struct slice *passphrase = context;
    if (size < 0 || passphrase->len > (size_t)size)
        return 0;
    memcpy(text, passphrase->data, passphrase->len);
    return (int)passphrase->len;
}

EVP_PKEY *openssl_read_key(struct slice pem, struct slice passphrase)
{
    BIO *bio = reader_of(pem);
    EVP_PKEY *key =
        bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase);
    BIO_free(bio);
    if (key == NULL)
        ERR_clear_error();
    return key;
}

enum status openssl_take(BIO *bio, struct buffer *out, struct error *error)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    buffer_append(out, data, len > 0 ? (size_t)len : 0);
    if (out->overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for what was made");
    return STATUS_OK;
}

bool openssl_time(const ASN1_TIME *time, int64_t *ns)
{
    static const int64_t second_ns = 1000000000;
    struct tm parts;
    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1)
        return false;
    int64_t seconds = timegm(&parts);
    if (seconds < 0)
        return false;
    *ns = seconds > INT64_MAX / second_ns ? INT64_MAX : seconds * second_ns;
    return true;
}

/* See renewal.h. Invariant: no certificate is made but for a request that the key of one in
 * issued.csv has signed, one a certificate, none that ends later than its bounds. */
#include "identity/renewal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "identity/authority_private.h"

enum { COMMON_NAME_ROOM = 65, URI_ROOM = 1024, DER_BYTES = 8 * 1024 };
#define SKEW_NS INT64_C(300000000000) /* five minutes: clocks differ */
static const int64_t second_ns = 1000000000;

/* One renewal while it is judged. */
struct judging {
    const struct identity_ca *ca;
    X509 *old;
    X509_REQ *request;
    EVP_PKEY *key; /* the new one */
    struct description before;
    char common_name[COMMON_NAME_ROOM], uri[URI_ROOM]; /* of the old one; uri "": none */
    char request_sha256[65];
    int64_t now_ns;
    /* of issued.csv; borrowed from the table */
    const char *who, *origin;
    int64_t issued_ns, origin_ns;
};

static enum status denied(struct error *error, const char *hint, const char *why)
{
    ERR_clear_error();
    return error_set(error, STATUS_DENIED, "28000", hint, "the certificate is not renewed: %s",
                     why);
}

/* ---- the old certificate ---- */

/* Made by this CA, for a client and nothing else. */
static bool is_ours(const struct identity_ca *ca, X509 *old)
{
    bool ours = X509_check_issued(ca->certificate, old) == X509_V_OK &&
                X509_verify(old, X509_get0_pubkey(ca->certificate)) == 1 &&
                X509_check_ca(old) == 0 && (X509_get_extension_flags(old) & EXFLAG_XKUSAGE) != 0 &&
                X509_get_extended_key_usage(old) == XKU_SSL_CLIENT;
    ERR_clear_error();
    return ours;
}

/* False where it has none, or several. */
static bool read_common_name(X509 *old, char name[static COMMON_NAME_ROOM])
{
    X509_NAME *subject = X509_get_subject_name(old);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return false;
    unsigned char *text = NULL;
    int len =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    bool fits = len > 0 && len < COMMON_NAME_ROOM && memchr(text, 0, (size_t)len) == NULL;
    if (fits)
        snprintf(name, COMMON_NAME_ROOM, "%.*s", len, (const char *)text);
    OPENSSL_free(text);
    return fits;
}

/* "" where it has none; false where it has several. */
static bool read_uri(X509 *old, char uri[static URI_ROOM])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(old, NID_subject_alt_name, NULL, NULL);
    bool fits = true;
    uri[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        const ASN1_STRING *text = name->d.uniformResourceIdentifier;
        int len = ASN1_STRING_length(text);
        fits = fits && uri[0] == '\0' && len > 0 && len < URI_ROOM;
        if (fits)
            snprintf(uri, URI_ROOM, "%.*s", len, (const char *)ASN1_STRING_get0_data(text));
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return fits;
}

static enum status read_old(struct judging *judging, struct slice der, struct error *error)
{
    const unsigned char *at = der.data;
    judging->old = der.len > DER_BYTES ? NULL : d2i_X509(NULL, &at, (long)der.len);
    if (judging->old == NULL || at != der.data + der.len)
        return denied(error, NULL, "what is to be renewed is no certificate");
    TRY(identity_describe(der, &judging->before, error));
    if (!is_ours(judging->ca, judging->old))
        return denied(error, "ask who issued it for a new one",
                      "this CA has not issued it, or not for a client");
    if (judging->now_ns < judging->before.not_before_ns ||
        judging->now_ns >= judging->before.credential.expires_ns)
        return denied(error, "ask the data controller for a new one", "it is not valid now");
    if (!read_common_name(judging->old, judging->common_name) ||
        !read_uri(judging->old, judging->uri))
        return denied(error, "ask the data controller for a new one", "its names are not plain");
    return STATUS_OK;
}

/* ---- the request ---- */

/* The old key over the whole request: nobody else can have made it. */
static bool is_signed(EVP_PKEY *key, struct slice text, struct slice signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool holds = context != NULL && leaf_key_allowed(key) &&
                 EVP_DigestVerifyInit(context, NULL, leaf_digest(key), NULL, key) == 1 &&
                 EVP_DigestVerify(context, signature.data, signature.len, text.data, text.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return holds;
}

static enum status read_request(struct judging *judging, const struct identity_renewal *asked,
                                struct error *error)
{
    unsigned char *der = NULL;
    uint8_t digest[32];
    EVP_PKEY *old_key = X509_get0_pubkey(judging->old);
    judging->request = request_read(asked->request);
    int len = judging->request == NULL ? 0 : i2d_X509_REQ(judging->request, &der);
    if (len <= 0)
        return error_set(error, STATUS_INVALID, "22023", "openssl req -new … -outform PEM",
                         "the request is refused: it is no certificate request in PEM or DER");
    const struct slice text = slice_of(der, (size_t)len);
    crypto_sha256(&text, 1, digest);
    crypto_hex(digest, sizeof digest, judging->request_sha256);
    bool holds = is_signed(old_key, text, asked->signature);
    OPENSSL_free(der);
    if (!holds)
        return denied(error,
                      "sign the request in DER with the old key: openssl dgst -sha256 -sign "
                      "(P-256), openssl pkeyutl -sign -rawin (Ed25519)",
                      "its key has not signed this request");
    TRY(request_check(judging->request, judging->uri[0] == '\0' ? NULL : judging->uri,
                      &judging->key, error));
    if (EVP_PKEY_eq(judging->key, old_key) == 1)
        return denied(error, "make a new key for each request", "the request has the old key");
    return STATUS_OK;
}

/* ---- what was issued ---- */

static const struct table_row *row_where(const struct table *table, size_t column, const char *text)
{
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        if (strcmp(row->cells[column], text) == 0)
            return row;
    return NULL;
}

static enum status find_line(struct judging *judging, const struct table *issued,
                             struct error *error)
{
    const char *id = judging->before.credential.id;
    const struct table_row *row = row_where(issued, ISSUED_SERIAL, id), *origin = row;
    if (row == NULL || strcmp(row->cells[ISSUED_FINGERPRINT], judging->before.fingerprint) != 0)
        return denied(error, "ask the data controller for a new one",
                      "issued.csv does not have it");
    if (row->cells[ISSUED_RENEWS][0] != '\0')
        origin = row_where(issued, ISSUED_SERIAL, row->cells[ISSUED_ORIGIN]);
    if (origin == NULL || origin->cells[ISSUED_RENEWS][0] != '\0' ||
        clock_parse(row->cells[ISSUED_ISSUED], &judging->issued_ns, error) != STATUS_OK ||
        clock_parse(origin->cells[ISSUED_ISSUED], &judging->origin_ns, error) != STATUS_OK)
        return denied(error, "ask the data controller for a new one",
                      "issued.csv does not say which one a human issued");
    judging->who = row->cells[ISSUED_WHO];
    judging->origin = origin->cells[ISSUED_SERIAL];
    return STATUS_OK;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Certificates know seconds. */
static int64_t whole(int64_t instant_ns)
{
    return instant_ns / second_ns * second_ns;
}

/* How long the new one may be valid; the instant is a whole second. */
static enum status find_end(const struct judging *judging,
                            const struct identity_renewal_bounds *bounds, int64_t until_ns,
                            int64_t *end_ns, struct error *error)
{
    int64_t old_end_ns = judging->before.credential.expires_ns, ca_end_ns = 0;
    int64_t life_ns = old_end_ns - judging->issued_ns;
    int64_t opens_ns = old_end_ns - life_ns / 100 * bounds->last_percent;
    char opens[21];
    if (judging->now_ns < opens_ns) {
        clock_format_utc(opens_ns, opens);
        return error_set(error, STATUS_DENIED, "55000", "ask again then",
                         "the certificate is not renewed before %s", opens);
    }
    if (!openssl_time(X509_get0_notAfter(judging->ca->certificate), &ca_end_ns))
        return denied(error, NULL, "when its CA ends cannot be read");
    int64_t wanted_ns = whole(judging->now_ns + least(life_ns, bounds->lifetime_most_ns));
    int64_t most_ns = least(whole(until_ns), ca_end_ns - second_ns);
    *end_ns = least(wanted_ns, most_ns);
    if (*end_ns > old_end_ns)
        return STATUS_OK;
    return wanted_ns <= old_end_ns ? denied(error, "ask again later",
                                            "the new one would not end later than the old one")
           : most_ns < whole(until_ns)
               ? denied(error, "ask the data controller for a new one", "its CA ends")
               : denied(error, "ask the data controller for a new one",
                        "it is too long since a human issued one");
}

/* ---- the new one ---- */

static enum status print_chain(const struct identity_ca *ca, X509 *made, struct buffer *pem,
                               struct error *error)
{
    bool is_root = X509_NAME_cmp(X509_get_subject_name(ca->certificate),
                                 X509_get_issuer_name(ca->certificate)) == 0;
    TRY(leaf_print(made, pem, error));
    return is_root ? STATUS_OK : leaf_print(ca->certificate, pem, error);
}

static enum status describe(X509 *made, struct description *description, char *answer, size_t room,
                            struct error *error)
{
    unsigned char *der = NULL;
    int len = i2d_X509(made, &der);
    if (len <= 0 || (size_t)len > room / 4 * 3 - 4) {
        OPENSSL_free(der);
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the certificate is too long");
    }
    crypto_base64_encode(der, (size_t)len, answer);
    enum status status = identity_describe(slice_of(der, (size_t)len), description, error);
    OPENSSL_free(der);
    return status;
}

/* Recorded, then printed. */
static enum status make(struct judging *judging, const struct issued_file *file, int64_t end_ns,
                        struct identity_renewed *renewed, struct buffer *pem, struct error *error)
{
    char answer[DER_BYTES];
    const struct identity_leaf leaf = {
        .common_name = judging->common_name,
        .san_uri = judging->uri[0] == '\0' ? NULL : judging->uri,
        .not_before_ns = judging->now_ns - SKEW_NS,
        .not_after_ns = end_ns,
    };
    const struct issued_descent descent = {.renews = judging->before.credential.id,
                                           .origin = judging->origin,
                                           .request = judging->request_sha256,
                                           .answer = answer};
    TRY(leaf_check(&leaf, judging->ca->certificate, error));
    X509 *made = leaf_make(judging->ca, &leaf, judging->key);
    enum status status = made == NULL
                             ? openssl_failed(error, "cannot make the certificate")
                             : describe(made, &renewed->made, answer, sizeof answer, error);
    if (status == STATUS_OK)
        status = issued_add(file, judging->who, &renewed->made, &descent, error);
    if (status == STATUS_OK)
        status = print_chain(judging->ca, made, pem, error);
    X509_free(made);
    return status;
}

/* What was made for the same request: an answer may have been lost on its way. */
static enum status repeat(const struct judging *judging, const struct table_row *row,
                          struct identity_renewed *renewed, struct buffer *pem, struct error *error)
{
    uint8_t der[DER_BYTES];
    char ignored[DER_BYTES];
    size_t len = strlen(row->cells[ISSUED_ANSWER]);
    const unsigned char *at = der;
    if (strcmp(row->cells[ISSUED_REQUEST], judging->request_sha256) != 0)
        return error_set(error, STATUS_DENIED, RENEWAL_TWO_HOLDERS,
                         "if it was not you, its key is in other hands: tell the data controller",
                         "the certificate was renewed before, by another request");
    X509 *made = NULL;
    if (len <= sizeof der &&
        crypto_base64_decode(row->cells[ISSUED_ANSWER], len, der, &len) == STATUS_OK)
        made = d2i_X509(NULL, &at, (long)len);
    enum status status = made == NULL
                             ? denied(error, NULL, "issued.csv does not have what was made for it")
                             : describe(made, &renewed->made, ignored, sizeof ignored, error);
    if (status == STATUS_OK)
        status = print_chain(judging->ca, made, pem, error);
    X509_free(made);
    renewed->again = true;
    return status;
}

/* Under the lock. */
static enum status settle(struct judging *judging, const struct identity_renewal *asked,
                          const struct identity_renewal_bounds *bounds,
                          const struct issued_file *file, struct identity_renewed *renewed,
                          struct buffer *pem, struct error *error)
{
    struct table issued;
    int64_t end_ns = 0;
    TRY(issued_read(file, &issued, error));
    enum status status = find_line(judging, &issued, error);
    const struct table_row *next = row_where(&issued, ISSUED_RENEWS, judging->before.credential.id);
    if (status == STATUS_OK) {
        int64_t most_ns = least(asked->human_most_ns, bounds->human_most_ns);
        renewed->until_ns = judging->origin_ns + least(most_ns, INT64_MAX - judging->origin_ns);
        snprintf(renewed->renews, sizeof renewed->renews, "%s", judging->before.credential.id);
        snprintf(renewed->origin, sizeof renewed->origin, "%s", judging->origin);
        status = next != NULL ? repeat(judging, next, renewed, pem, error)
                              : find_end(judging, bounds, renewed->until_ns, &end_ns, error);
    }
    if (status == STATUS_OK && next == NULL)
        status = make(judging, file, end_ns, renewed, pem, error);
    table_free(&issued);
    return status;
}

static enum status judge(struct judging *judging, const struct identity_renewal *asked,
                         const struct identity_renewal_bounds *bounds,
                         struct identity_renewed *renewed, struct buffer *pem, struct error *error)
{
    struct issued_file opened = {.fd = -1}, *file = judging->ca->issued;
    TRY(read_old(judging, asked->certificate, error));
    TRY(read_request(judging, asked, error));
    if (file == NULL) {
        TRY(issued_open(judging->ca->folder, &opened, error));
        file = &opened;
    }
    enum status status = issued_lock(file, error);
    if (status == STATUS_OK) {
        status = settle(judging, asked, bounds, file, renewed, pem, error);
        issued_unlock(file);
    }
    issued_close(&opened);
    return status;
}

enum status identity_renew(const struct identity_ca *ca, const struct identity_renewal *asked,
                           const struct identity_renewal_bounds *bounds,
                           struct identity_renewed *out, struct buffer *pem, struct error *error)
{
    struct judging judging = {.ca = ca, .now_ns = clock_now_ns()};
    struct identity_renewed renewed = {.again = false};
    size_t before = pem->len;
    enum status status = judge(&judging, asked, bounds, &renewed, pem, error);
    if (status == STATUS_OK && pem->overflowed)
        status = error_set(error, STATUS_NOMEM, "53200", NULL, "no room for the certificate");
    X509_free(judging.old);
    X509_REQ_free(judging.request);
    EVP_PKEY_free(judging.key);
    if (status == STATUS_OK)
        *out = renewed;
    else
        pem->len = before;
    return status;
}

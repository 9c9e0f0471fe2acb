/* See crl.h. No state, any thread. */
#include "identity/crl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "identity/openssl.h"

static const int64_t clocks_differ_ns = 300000000000;

static enum status refused(struct error *error, const char *why, const char *hint)
{
    ERR_clear_error();
    return error_set(error, STATUS_INVALID, "F0000", hint, "the CRL is refused: %s", why);
}

bool crl_serial_of(const ASN1_INTEGER *number, struct crl_serial *serial)
{
    BIGNUM *value = ASN1_INTEGER_to_BN(number, NULL);
    bool fits = value != NULL && !BN_is_negative(value) &&
                BN_bn2binpad(value, serial->octets, CRL_SERIAL_BYTES) == CRL_SERIAL_BYTES;
    BN_free(value);
    ERR_clear_error();
    return fits;
}

bool crl_key_hash(const X509 *certificate, uint8_t hash[static 32])
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (len <= 0)
        return false;
    struct slice key = slice_of(der, (size_t)len);
    crypto_sha256(&key, 1, hash);
    OPENSSL_free(der);
    return true;
}

static int order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct crl_serial));
}

bool crl_has(const struct crl *crl, const struct crl_serial *serial)
{
    return crl->count > 0 &&
           bsearch(serial, crl->serials, crl->count, sizeof *serial, order) != NULL;
}

void crl_free(struct crl *list)
{
    while (list != NULL) {
        struct crl *next = list->next;
        free(list->serials);
        free(list);
        list = next;
    }
}

/* ---- judging ---- */

/* Of the list's extensions three say nothing that we would have to understand. A scope
 * (IssuingDistributionPoint) means that certificates may be missing. */
static enum status check_extensions(const X509_CRL *crl, struct error *error)
{
    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        X509_EXTENSION *extension = X509_CRL_get_ext(crl, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
        if (nid == NID_delta_crl)
            return refused(error, "it is a delta, which tells of changes only",
                           "fetch the complete CRL");
        if (nid == NID_issuing_distribution_point)
            return refused(error,
                           "it covers a part of the certificates (issuing distribution "
                           "point)",
                           "have the CA issue one complete CRL");
        if (X509_EXTENSION_get_critical(extension) && nid != NID_authority_key_identifier &&
            nid != NID_crl_number)
            return refused(error, "it has a critical extension that is not known here", NULL);
    }
    return STATUS_OK;
}

/* An entry may only say why and since when: removeFromCRL and other issuers are of other kinds of
 * lists. A certificate on hold is not good either. */
static enum status check_entry(const X509_REVOKED *entry, struct error *error)
{
    for (int i = 0; i < X509_REVOKED_get_ext_count(entry); i++) {
        X509_EXTENSION *extension = X509_REVOKED_get_ext(entry, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
        if (nid == NID_certificate_issuer ||
            (X509_EXTENSION_get_critical(extension) && nid != NID_crl_reason))
            return refused(error, "it has entries of other issuers, or of a kind not known here",
                           NULL);
    }
    int critical;
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, NULL);
    bool removes = reason != NULL && ASN1_ENUMERATED_get(reason) == CRL_REASON_REMOVE_FROM_CRL;
    ASN1_ENUMERATED_free(reason);
    return removes ? refused(error, "it takes back entries, which only a delta does", NULL)
                   : STATUS_OK;
}

static enum status take_entries(X509_CRL *crl, struct crl *out, struct error *error)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
    int count = sk_X509_REVOKED_num(entries);
    if (count > CRL_MOST_ENTRIES)
        return refused(error, "it has more than a million entries", NULL);
    if (count <= 0)
        return STATUS_OK;
    out->serials = calloc((size_t)count, sizeof out->serials[0]);
    if (out->serials == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (int i = 0; i < count; i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
        TRY(check_entry(entry, error));
        if (!crl_serial_of(X509_REVOKED_get0_serialNumber(entry), &out->serials[i]))
            return refused(error, "a serial number is negative or longer than 20 octets", NULL);
    }
    out->count = (size_t)count;
    qsort(out->serials, out->count, sizeof out->serials[0], order);
    return STATUS_OK;
}

static enum status take_times(X509_CRL *crl, int64_t now_ns, struct crl *out, struct error *error)
{
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    bool numbered = number == NULL || crl_serial_of(number, &out->number);
    ASN1_INTEGER_free(number);
    if (!numbered)
        return refused(error, "its number is negative or longer than 20 octets", NULL);
    if (!openssl_time(X509_CRL_get0_lastUpdate(crl), &out->this_update_ns) ||
        !openssl_time(X509_CRL_get0_nextUpdate(crl), &out->next_update_ns))
        return refused(error, "it does not say when it was made and when the next one comes", NULL);
    if (out->this_update_ns > now_ns + clocks_differ_ns)
        return refused(error, "it was made in the future", "look at this machine's clock");
    return STATUS_OK;
}

/* A hash that can be forged would let anybody shorten the list. */
static bool good_hash(const X509_CRL *crl)
{
    int digest = NID_undef, kind = NID_undef;
    if (OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &digest, &kind) != 1)
        return false;
    return digest != NID_sha1 && digest != NID_md5 && digest != NID_md5_sha1;
}

/* The authority whose key has signed it: several may have its name (a roll-over). */
static enum status verify(X509_CRL *crl, STACK_OF(X509) * authorities, struct crl *out,
                          struct error *error)
{
    X509_NAME *issuer = X509_CRL_get_issuer(crl);
    X509_NAME_oneline(issuer, out->issuer, sizeof out->issuer);
    bool named = false;
    for (int i = 0; i < sk_X509_num(authorities); i++) {
        X509 *authority = sk_X509_value(authorities, i);
        if (X509_NAME_cmp(X509_get_subject_name(authority), issuer) != 0)
            continue;
        named = true;
        if ((X509_get_key_usage(authority) & KU_CRL_SIGN) != 0 && X509_check_ca(authority) > 0 &&
            X509_CRL_verify(crl, X509_get0_pubkey(authority)) == 1) {
            ERR_clear_error();
            return crl_key_hash(authority, out->issuer_key) ? STATUS_OK
                                                            : refused(error, "no key", NULL);
        }
    }
    return named ? refused(error, "no authority of its issuer's name has signed it", NULL)
                 : refused(error, "its issuer is none of the authorities that are trusted",
                           "add its certificate to listen.client_ca or listen.authorities");
}

static enum status judge(X509_CRL *crl, STACK_OF(X509) * authorities, int64_t now_ns,
                         struct crl **list, struct error *error)
{
    struct crl *out = calloc(1, sizeof *out);
    if (out == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = good_hash(crl) ? STATUS_OK
                                        : refused(error,
                                                  "it is signed over SHA-1, MD5 or in an "
                                                  "unknown way",
                                                  NULL);
    if (status == STATUS_OK)
        status = verify(crl, authorities, out, error);
    if (status == STATUS_OK)
        status = check_extensions(crl, error);
    if (status == STATUS_OK)
        status = take_times(crl, now_ns, out, error);
    if (status == STATUS_OK)
        status = take_entries(crl, out, error);
    if (status == STATUS_OK && X509_CRL_digest(crl, EVP_sha256(), out->sha256, NULL) != 1)
        status = refused(error, "it cannot be hashed", NULL);
    if (status != STATUS_OK) {
        crl_free(out);
        return status;
    }
    out->next = *list;
    *list = out;
    return STATUS_OK;
}

/* ---- files ---- */

static enum status read_der(struct slice bytes, STACK_OF(X509) * authorities, int64_t now_ns,
                            struct crl **list, struct error *error)
{
    const unsigned char *at = bytes.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)bytes.len);
    if (crl == NULL || at != bytes.data + bytes.len) {
        X509_CRL_free(crl);
        return refused(error, "it is no CRL in PEM or DER", NULL);
    }
    enum status status = judge(crl, authorities, now_ns, list, error);
    X509_CRL_free(crl);
    return status;
}

static enum status read_pem(struct slice bytes, STACK_OF(X509) * authorities, int64_t now_ns,
                            struct crl **list, struct error *error)
{
    BIO *bio = BIO_new_mem_buf(bytes.data, (int)bytes.len);
    enum status status = STATUS_OK;
    int count = 0;
    X509_CRL *crl;
    if (bio == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    while (status == STATUS_OK &&
           (crl = PEM_read_bio_X509_CRL(bio, NULL, openssl_no_passphrase, NULL)) != NULL) {
        status = ++count > CRL_MOST_IN_FILE
                     ? refused(error, "the file has more than 64 of them", NULL)
                     : judge(crl, authorities, now_ns, list, error);
        X509_CRL_free(crl);
    }
    unsigned long last = ERR_peek_last_error();
    BIO_free(bio);
    /* The end of the file, and not something broken in front of it. */
    if (status == STATUS_OK && (count == 0 || ERR_GET_REASON(last) != PEM_R_NO_START_LINE))
        status = refused(error, "what stands in the file is broken", NULL);
    ERR_clear_error();
    return status;
}

enum status crl_read(struct slice bytes, STACK_OF(X509) * authorities, int64_t now_ns,
                     struct crl **list, struct error *error)
{
    static const char begin[] = "-----BEGIN X509 CRL-----";
    struct crl *read = NULL;
    if (bytes.len == 0 || bytes.len > CRL_FILE_BYTES)
        return refused(error, "the file is empty or larger than 32 MiB", NULL);
    bool is_pem = memmem(bytes.data, bytes.len, begin, sizeof begin - 1) != NULL;
    enum status status = is_pem ? read_pem(bytes, authorities, now_ns, &read, error)
                                : read_der(bytes, authorities, now_ns, &read, error);
    if (status != STATUS_OK) {
        crl_free(read);
        return status;
    }
    struct crl **end = &read;
    while (*end != NULL)
        end = &(*end)->next;
    *end = *list;
    *list = read;
    return STATUS_OK;
}

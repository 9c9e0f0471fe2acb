/* See trust.h: whom a chain proves, and what lists say of it. TLS has verified the chain (for what
 * is signed in other ways, trust_verify has). Readers of the state, any thread. */
#include "identity/trust_private.h"

#include <limits.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "crypto/crypto.h"
#include "identity/openssl.h"

/* ---- reading ---- */

static bool hash_der(unsigned char *der, int len, uint8_t hash[static 32])
{
    if (len <= 0)
        return false;
    struct slice bytes = slice_of(der, (size_t)len);
    crypto_sha256(&bytes, 1, hash);
    OPENSSL_free(der);
    return true;
}

bool trust_hash_certificate(const X509 *certificate, uint8_t hash[static 32])
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    return hash_der(der, len, hash);
}

bool trust_hash_subject(const X509 *certificate, uint8_t hash[static 32])
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(certificate), &der);
    return hash_der(der, len, hash);
}

static enum status refused(struct error *error, const char *why)
{
    ERR_clear_error();
    return error_set(error, STATUS_INVALID, "28000", NULL, "%s", why);
}

static bool read_link(X509 *certificate, struct trust_chain *chain)
{
    struct trust_link *link = &chain->links[chain->count];
    struct crl_serial serial;
    int64_t end_ns;
    if (certificate == NULL || !trust_hash_certificate(certificate, link->certificate) ||
        !trust_hash_subject(certificate, link->subject) || !crl_key_hash(certificate, link->key) ||
        !crl_serial_of(X509_get0_serialNumber(certificate), &serial) ||
        !openssl_time(X509_get0_notAfter(certificate), &end_ns))
        return false;
    memcpy(link->serial, serial.octets, sizeof serial.octets);
    if (end_ns < chain->expires_ns)
        chain->expires_ns = end_ns;
    chain->count++;
    return true;
}

enum status trust_chain_read(struct slice ders, struct trust_chain *chain, struct error *error)
{
    const unsigned char *at = ders.data, *end = ders.data + ders.len;
    struct trust_chain read = {.expires_ns = INT64_MAX};
    while (at < end) {
        if (read.count == TRUST_CHAIN_LINKS)
            return refused(error, "the chain of certificates is too long");
        X509 *certificate = d2i_X509(NULL, &at, (long)(end - at));
        bool taken = read_link(certificate, &read);
        X509_free(certificate);
        if (!taken)
            return refused(error, "not a certificate that RFC 5280 allows");
    }
    if (read.count == 0)
        return refused(error, "no certificate");
    *chain = read;
    return STATUS_OK;
}

static enum status read_chain(STACK_OF(X509) * certificates, struct trust_chain *chain,
                              struct error *error)
{
    struct trust_chain read = {.expires_ns = INT64_MAX};
    for (int i = 0; i < sk_X509_num(certificates); i++)
        if (read.count == TRUST_CHAIN_LINKS || !read_link(sk_X509_value(certificates, i), &read))
            return refused(error, "its chain of certificates is too long, or not one of RFC 5280");
    *chain = read;
    return STATUS_OK;
}

static X509_STORE *store_of(struct trust *trust)
{
    X509_STORE *store = X509_STORE_new();
    pthread_rwlock_rdlock(&trust->lock);
    for (size_t i = 0; store != NULL && i < trust->state->count; i++)
        if (X509_STORE_add_cert(store, sk_X509_value(trust->state->certificates, (int)i)) != 1) {
            X509_STORE_free(store);
            store = NULL;
        }
    pthread_rwlock_unlock(&trust->lock);
    return store;
}

/* As strict about keys and hashes as TLS is: level 2 is 112 bits. */
enum status trust_verify(struct trust *trust, X509 *certificate, STACK_OF(X509) * others,
                         struct trust_chain *chain, struct error *error)
{
    enum { LEVEL = 2 };
    X509_STORE *store = store_of(trust);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool trusted = store != NULL && context != NULL &&
                   X509_STORE_CTX_init(context, store, certificate, others) == 1 &&
                   X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT) == 1;
    if (trusted)
        X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context), LEVEL);
    trusted = trusted && X509_verify_cert(context) == 1;
    enum status status =
        trusted ? read_chain(X509_STORE_CTX_get0_chain(context), chain, error)
                : error_set(error, STATUS_DENIED, "28000", NULL, "its certificate is not trusted");
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    ERR_clear_error();
    return status;
}

/* ---- whose ---- */

static bool names_partner(const struct config_authority *authority, const char *partner)
{
    for (size_t i = 0; i < authority->partner_count; i++)
        if (strcmp(authority->partners[i], partner) == 0 ||
            strcmp(authority->partners[i], "*") == 0)
            return true;
    return false;
}

static bool same(const uint8_t a[static 32], const uint8_t b[static 32])
{
    return memcmp(a, b, 32) == 0;
}

/* An authority is its key: who else has certified it, under whatever name, does not free it of what
 * it is bound to. Of the certificate in first place nobody is the issuer, so its key is none's. */
static bool is_it(const struct authority *authority, const struct trust_chain *chain, size_t link)
{
    return same(authority->certificate, chain->links[link].certificate) ||
           (link > 0 && same(authority->key, chain->links[link].key));
}

static bool is_known(const struct state *state, const struct trust_chain *chain, size_t link)
{
    for (size_t i = 0; i < state->count; i++)
        if (is_it(&state->authorities[i], chain, link))
            return true;
    return false;
}

static bool is_anchored(const struct state *state, const struct trust_chain *chain)
{
    for (size_t i = 0; i < state->count; i++)
        if (same(state->authorities[i].certificate, chain->links[chain->count - 1].certificate))
            return true;
    return false;
}

/* Every authority in the chain that is bound must be bound to this partner; the last one must still
 * be trusted at all. An authority may stand in several bundles: what binds it counts. One that is
 * in none but has a bound one's name (its next key, certified by an authority of ours before we
 * were told) is bound as that one is, and is not what a policy calls by its name. */
static bool judge_chain(const struct config *config, const struct state *state,
                        const struct trust_chain *chain, const char *partner, const char *issuer)
{
    bool from_issuer = issuer == NULL;
    for (size_t l = 0; l < chain->count; l++) {
        bool known = is_known(state, chain, l);
        for (size_t i = 0; i < state->count; i++) {
            const struct authority *found = &state->authorities[i];
            bool meant = known ? is_it(found, chain, l)
                               : l > 0 && same(found->subject, chain->links[l].subject);
            if (!meant || found->named == SIZE_MAX)
                continue;
            const struct config_authority *named = &config->listen.authorities[found->named];
            if (!names_partner(named, partner))
                return false;
            from_issuer = from_issuer || (known && strcmp(named->name, issuer) == 0);
        }
    }
    return from_issuer && is_anchored(state, chain);
}

bool trust_speaks_for(struct trust *trust, const struct trust_chain *chain, const char *partner,
                      const char *issuer)
{
    pthread_rwlock_rdlock(&trust->lock);
    bool speaks = judge_chain(trust->config, trust->state, chain, partner, issuer);
    pthread_rwlock_unlock(&trust->lock);
    return speaks;
}

/* ---- lists ---- */

static int64_t end_of(const struct config *config, const struct crl *crl)
{
    int64_t grace = (int64_t)config->listen.crl_grace_s * 1000000000;
    return crl->next_update_ns > INT64_MAX - grace ? INT64_MAX : crl->next_update_ns + grace;
}

static bool is_of_link(const struct crl *crl, const struct trust_chain *chain, size_t link)
{
    return same(crl->issuer_key, chain->links[link + 1].key);
}

static bool lists(const struct crl *crl, const struct trust_chain *chain, size_t link)
{
    struct crl_serial serial;
    memcpy(serial.octets, chain->links[link].serial, sizeof serial.octets);
    return is_of_link(crl, chain, link) && crl_has(crl, &serial);
}

static bool is_missing(const struct state *state, const uint8_t key[static 32])
{
    for (size_t i = 0; i < state->missing_count; i++)
        if (same(state->missing[i], key))
            return true;
    return false;
}

static enum status check_link(const struct config *config, const struct state *state,
                              const struct trust_chain *chain, size_t link, int64_t now_ns,
                              int64_t *until_ns, struct error *error)
{
    bool found = false;
    for (const struct crl *crl = state->crls; crl != NULL; crl = crl->next) {
        if (!is_of_link(crl, chain, link))
            continue;
        found = true;
        if (lists(crl, chain, link))
            return error_set(error, STATUS_DENIED, "57P01", "ask who issued it for a new one",
                             "the client certificate has been revoked");
        if (now_ns >= end_of(config, crl))
            return error_set(error, STATUS_DENIED, "57P01", "call the data controller's contact",
                             "the revocation list of the client certificate's authority is out of "
                             "date");
        if (end_of(config, crl) < *until_ns)
            *until_ns = end_of(config, crl);
    }
    if (is_missing(state, chain->links[link + 1].key))
        return error_set(error, STATUS_DENIED, "57P01", "call the data controller's contact",
                         "there is no revocation list of the client certificate's authority that "
                         "is as new as one that was seen before");
    if (found || !config->listen.crl_required)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "57P01", "call the data controller's contact",
                     "there is no revocation list of the client certificate's authority");
}

enum status trust_check_revocation(struct trust *trust, const struct trust_chain *chain,
                                   int64_t now_ns, int64_t *until_ns, struct error *error)
{
    enum status status = STATUS_OK;
    int64_t until = INT64_MAX;
    pthread_rwlock_rdlock(&trust->lock);
    for (size_t i = 0; i + 1 < chain->count && status == STATUS_OK; i++)
        status = check_link(trust->config, trust->state, chain, i, now_ns, &until, error);
    pthread_rwlock_unlock(&trust->lock);
    if (status == STATUS_OK)
        *until_ns = until;
    return status;
}

bool trust_is_listed(struct trust *trust, const struct trust_chain *chain)
{
    bool listed = false;
    pthread_rwlock_rdlock(&trust->lock);
    for (size_t i = 0; i + 1 < chain->count; i++)
        for (const struct crl *crl = trust->state->crls; crl != NULL; crl = crl->next)
            listed = listed || lists(crl, chain, i);
    pthread_rwlock_unlock(&trust->lock);
    return listed;
}

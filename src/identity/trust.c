/* See trust.h. The state is read whole from the files and swapped; what is asked of it is in
 * trust_chain.c. */
#include "identity/trust_private.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "identity/openssl.h"
#include "identity/trust_files.h"
#include "registry/crls.h"

enum { BUNDLE_BYTES = 4 * 1024 * 1024, MOST_AUTHORITIES = 1024 };

static void state_free(struct state *state)
{
    if (state == NULL)
        return;
    sk_X509_pop_free(state->certificates, X509_free);
    free(state->authorities);
    crl_free(state->crls);
    free(state->missing);
    free(state);
}

/* ---- reading ---- */

static enum status add_authority(struct state *state, X509 *certificate, size_t named,
                                 struct error *error)
{
    if (state->count == MOST_AUTHORITIES)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "more than %d authorities",
                         MOST_AUTHORITIES);
    struct authority *at = &state->authorities[state->count];
    at->named = named;
    if (!trust_hash_certificate(certificate, at->certificate) ||
        !trust_hash_subject(certificate, at->subject) || !crl_key_hash(certificate, at->key) ||
        X509_up_ref(certificate) != 1)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "not a certificate");
    if (sk_X509_push(state->certificates, certificate) <= 0) {
        X509_free(certificate);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    state->count++;
    return STATUS_OK;
}

static enum status add_bundle(struct state *state, const char *path, size_t named,
                              struct error *error)
{
    struct buffer pem;
    X509 *certificate;
    size_t before = state->count;
    buffer_init(&pem, BUNDLE_BYTES);
    TRY(file_read(path, &pem, error));
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    enum status status =
        bio == NULL ? error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory") : STATUS_OK;
    while (status == STATUS_OK &&
           (certificate = PEM_read_bio_X509(bio, NULL, openssl_no_passphrase, NULL)) != NULL) {
        status = add_authority(state, certificate, named, error);
        X509_free(certificate);
    }
    unsigned long last = ERR_peek_last_error();
    ERR_clear_error();
    BIO_free(bio);
    buffer_free(&pem);
    if (status == STATUS_OK &&
        (state->count == before || ERR_GET_REASON(last) != PEM_R_NO_START_LINE))
        status = error_set(error, STATUS_INVALID, "F0000", "write the certificates as PEM",
                           "%s has no certificates, or one that is broken", path);
    return status;
}

static enum status read_authorities(const struct config *config, struct state *state,
                                    struct error *error)
{
    state->certificates = sk_X509_new_null();
    state->authorities = calloc(MOST_AUTHORITIES, sizeof state->authorities[0]);
    if (state->certificates == NULL || state->authorities == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (config->listen.client_ca != NULL)
        TRY(add_bundle(state, config->listen.client_ca, SIZE_MAX, error));
    for (size_t i = 0; i < config->listen.authority_count; i++)
        TRY(add_bundle(state, config->listen.authorities[i].certificates, i, error));
    return STATUS_OK;
}

struct reading {
    struct state *state;
    bool strict; /* the first file that does not hold ends it; otherwise it is logged */
};

static enum status take_crl_file(void *context, const char *path, struct error *error)
{
    struct reading *reading = context;
    struct error inner;
    struct buffer bytes;
    buffer_init(&bytes, CRL_FILE_BYTES);
    enum status status = file_read(path, &bytes, &inner);
    if (status == STATUS_OK)
        status = crl_read(buffer_slice(&bytes), reading->state->certificates, clock_now_ns(),
                          &reading->state->crls, &inner);
    buffer_free(&bytes);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (reading->strict)
        return error_set(error, status, inner.sqlstate, inner.hint, "%s: %s", path, inner.message);
    log_event(LOG_ERROR, "crl_refused", "file=\"%s\" reason=\"%s\" hint=\"%s\"", path,
              inner.message, inner.hint);
    return STATUS_OK;
}

static enum status read_state(const struct config *config, bool strict, struct state **state,
                              struct error *error)
{
    struct state *read = calloc(1, sizeof *read);
    if (read == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    struct reading reading = {.state = read, .strict = strict};
    enum status status = trust_seen_room(config, read, error);
    if (status == STATUS_OK)
        status = read_authorities(config, read, error);
    if (status == STATUS_OK)
        status = trust_each_crl_file(config, take_crl_file, &reading, error);
    if (status == STATUS_OK)
        *state = read;
    else
        state_free(read);
    return status;
}

/* ---- what was in force, and what is now ---- */

bool trust_is_older(const struct crl *crl, const struct crl *than)
{
    static const struct crl_serial none;
    int order = memcmp(&crl->number, &than->number, sizeof none);
    bool numbered = memcmp(&crl->number, &none, sizeof none) != 0 &&
                    memcmp(&than->number, &none, sizeof none) != 0;
    return numbered && order != 0 ? order < 0 : crl->this_update_ns < than->this_update_ns;
}

static bool is_authority_key(const struct state *state, const uint8_t key[static 32])
{
    for (size_t i = 0; i < state->count; i++)
        if (memcmp(state->authorities[i].key, key, 32) == 0)
            return true;
    return false;
}

/* Of each authority's lists the newest counts. */
static void drop_older(struct state *state)
{
    for (struct crl **link = &state->crls; *link != NULL;) {
        struct crl *crl = *link, *other = state->crls;
        while (other != NULL &&
               (other == crl || memcmp(other->issuer_key, crl->issuer_key, 32) != 0 ||
                !trust_is_older(crl, other)))
            other = other->next;
        if (other == NULL) {
            link = &crl->next;
            continue;
        }
        log_event(LOG_WARNING, "crl_older", "issuer=\"%s\"", crl->issuer);
        *link = crl->next;
        crl->next = NULL;
        crl_free(crl);
    }
}

/* Moves the lists that were in force to the fresh state: one that was taken away, could not be read
 * or went back in time must not make a revoked certificate good. The newer one wins above. */
static void keep_old(struct state *fresh, struct state *old, const uint8_t *except)
{
    while (old->crls != NULL) {
        struct crl *crl = old->crls;
        old->crls = crl->next;
        crl->next = NULL;
        bool same = except != NULL && memcmp(except, crl->issuer_key, 32) == 0;
        for (struct crl *at = fresh->crls; at != NULL && !same; at = at->next)
            same = memcmp(at->issuer_key, crl->issuer_key, 32) == 0 && !trust_is_older(at, crl);
        if (same || !is_authority_key(fresh, crl->issuer_key)) {
            crl_free(crl);
            continue;
        }
        crl->next = fresh->crls;
        fresh->crls = crl;
    }
}

static void tell_ends(struct trust *trust)
{
    int64_t now = clock_now_ns();
    for (struct crl *crl = trust->state->crls; crl != NULL; crl = crl->next) {
        if (crl->told_end || now < crl->next_update_ns)
            continue;
        char when[21];
        crl->told_end = true;
        clock_format_utc(crl->next_update_ns, when);
        log_event(LOG_ERROR, "crl_ended",
                  "issuer=\"%s\" next_update=%s grace_s=%u hint=\"fetch the next one: certificates "
                  "of this authority are refused without it\"",
                  crl->issuer, when, trust->config->listen.crl_grace_s);
    }
}

/* except: the key of an authority whose old lists do not count any more; or NULL. */
static void swap(struct trust *trust, struct state *fresh, const uint8_t *except)
{
    struct state *old = trust->state;
    pthread_rwlock_wrlock(&trust->lock);
    if (old != NULL)
        keep_old(fresh, old, except);
    drop_older(fresh);
    trust_seen_judge(fresh, trust->registry);
    trust->state = fresh;
    atomic_fetch_add(&trust->generation, 1);
    pthread_rwlock_unlock(&trust->lock);
    state_free(old);
    trust_seen_note(fresh, trust->registry);
}

enum status trust_open(const struct config *config, struct registry *registry, struct trust **trust,
                       struct error *error)
{
    struct trust *opened = calloc(1, sizeof *opened);
    struct state *state = NULL;
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    opened->config = config;
    opened->registry = registry;
    CHECK(pthread_rwlock_init(&opened->lock, NULL) == 0);
    trust_files_fingerprint(config, opened->seen);
    enum status status = read_state(config, true, &state, error);
    if (status != STATUS_OK) {
        trust_close(opened);
        return status;
    }
    swap(opened, state, NULL);
    tell_ends(opened);
    *trust = opened;
    return STATUS_OK;
}

void trust_close(struct trust *trust)
{
    if (trust == NULL)
        return;
    state_free(trust->state);
    pthread_rwlock_destroy(&trust->lock);
    free(trust);
}

bool trust_refresh(struct trust *trust)
{
    uint8_t now[32];
    struct state *fresh = NULL;
    struct error error;
    tell_ends(trust);
    if (trust->registry != NULL && crls_settle(trust->registry, &error) != STATUS_OK)
        log_event(LOG_WARNING, "crls_wait", "for=\"the registry to take them\"");
    trust_files_fingerprint(trust->config, now);
    if (memcmp(now, trust->seen, sizeof now) == 0)
        return false;
    memcpy(trust->seen, now, sizeof now);
    if (read_state(trust->config, false, &fresh, &error) != STATUS_OK) {
        log_event(LOG_ERROR, "authorities_refused", "reason=\"%s\" hint=\"%s\"", error.message,
                  error.hint);
        return false;
    }
    swap(trust, fresh, NULL);
    tell_ends(trust);
    log_event(LOG_INFO, "authorities_in_force", "authorities=%zu", fresh->count);
    return true;
}

enum status trust_reset(struct trust *trust, const uint8_t authority[static 32],
                        struct error *error)
{
    struct state *fresh = NULL;
    TRY(read_state(trust->config, true, &fresh, error));
    enum status status = crls_forget(trust->registry, authority, error);
    if (status != STATUS_OK) {
        state_free(fresh);
        return status;
    }
    swap(trust, fresh, authority);
    return STATUS_OK;
}

uint64_t trust_generation(const struct trust *trust)
{
    return atomic_load(&trust->generation);
}

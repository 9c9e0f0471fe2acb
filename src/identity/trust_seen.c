/* Which lists were seen, over restarts (registry/crls.h): one that is older than its authority's
 * newest is dropped, and an authority that is left without one that is as new lets nobody in. */
#include "identity/trust_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "registry/crls.h"

static_assert((int)CRLS_NUMBER_BYTES == (int)CRL_SERIAL_BYTES, "numbers are kept whole");

/* Where the newest that was seen stands, as a list to be compared with; false: none was. */
static bool find_newest(struct registry *registry, const struct crl *of, struct crl *newest)
{
    struct crl_seen seen;
    if (!crls_find(registry, of->issuer_key, &seen))
        return false;
    *newest = (struct crl){.this_update_ns = seen.this_update_ns};
    memcpy(newest->number.octets, seen.number, sizeof newest->number.octets);
    return true;
}

static void drop_rolled_back(struct state *state, struct registry *registry)
{
    struct crl newest;
    for (struct crl **link = &state->crls; *link != NULL;) {
        struct crl *crl = *link;
        if (!find_newest(registry, crl, &newest) || !trust_is_older(crl, &newest)) {
            link = &crl->next;
            continue;
        }
        log_event(
            LOG_ERROR, "crl_older",
            "issuer=\"%s\" hint=\"a newer one was seen: fetch it, or see cofferdam cert crls\"",
            crl->issuer);
        *link = crl->next;
        crl->next = NULL;
        crl_free(crl);
    }
}

static bool has_list(const struct state *state, const uint8_t *authority)
{
    for (const struct crl *crl = state->crls; crl != NULL; crl = crl->next)
        if (memcmp(crl->issuer_key, authority, sizeof crl->issuer_key) == 0)
            return true;
    return false;
}

static bool find_missing(void *context, const struct crl_seen *seen)
{
    struct state *state = context;
    if (has_list(state, seen->authority) || state->missing_count == CRLS_MOST)
        return true;
    memcpy(state->missing[state->missing_count++], seen->authority, sizeof state->missing[0]);
    log_event(LOG_ERROR, "crl_missing",
              "issuer=\"%s\" hint=\"a list was seen, and none that is as new is here: fetch it, or "
              "see cofferdam cert crls\"",
              seen->issuer);
    return true;
}

enum status trust_seen_room(const struct config *config, struct state *state, struct error *error)
{
    if (config->listen.crl_count == 0)
        return STATUS_OK; /* nobody asks for lists */
    state->missing = calloc(CRLS_MOST, sizeof state->missing[0]);
    return state->missing != NULL ? STATUS_OK
                                  : error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

void trust_seen_judge(struct state *state, struct registry *registry)
{
    if (registry == NULL || state->missing == NULL)
        return;
    drop_rolled_back(state, registry);
    crls_each(registry, find_missing, state);
}

static void note(struct registry *registry, const struct crl *crl)
{
    struct error error;
    struct crl_seen seen = {.this_update_ns = crl->this_update_ns, .seen_ns = clock_now_ns()};
    memcpy(seen.authority, crl->issuer_key, sizeof seen.authority);
    memcpy(seen.number, crl->number.octets, sizeof seen.number);
    memcpy(seen.sha256, crl->sha256, sizeof seen.sha256);
    snprintf(seen.issuer, sizeof seen.issuer, "%s", crl->issuer);
    if (crls_note(registry, &seen, &error) != STATUS_OK)
        log_event(LOG_ERROR, "crl_not_noted",
                  "issuer=\"%s\" reason=\"%s\" hint=\"after a restart an older one would count\"",
                  crl->issuer, error.message);
}

void trust_seen_note(const struct state *state, struct registry *registry)
{
    struct crl newest;
    for (const struct crl *crl = state->crls; registry != NULL && crl != NULL; crl = crl->next)
        if (!find_newest(registry, crl, &newest) || trust_is_older(&newest, crl))
            note(registry, crl);
}

bool trust_has_list(struct trust *trust, const uint8_t authority[static 32])
{
    pthread_rwlock_rdlock(&trust->lock);
    bool has = has_list(trust->state, authority);
    pthread_rwlock_unlock(&trust->lock);
    return has;
}

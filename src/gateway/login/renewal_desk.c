/* See renewal_desk.h. What has waited too long is not asked any more: an issuer that hangs holds up
 * those who ask it, for a bounded time, and nobody else. */
#include "gateway/login/renewal_desk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/alarm.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "gateway/session.h"
#include "registry/registry.h"
#include "registry/revocations.h"

enum { RENEWALS_MAX = 64, WAITED_MOST_S = 10, CERTIFICATE_BYTES = 64 * 1024 };
static const int64_t second_ns = 1000000000;

struct renewal_desk {
    struct server *server;
    renewal_answer_fn *answer;
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_t thread;
    bool running, stop;
    struct renewal *first, **last;
    size_t count;
};

/* ---- one renewal ---- */

struct renewal *renewal_make(const struct session *session, struct slice certificate,
                             struct slice request, struct slice signature)
{
    struct renewal *renewal = calloc(1, sizeof *renewal);
    if (renewal == NULL)
        return NULL;
    renewal->worker = session->worker->index;
    renewal->session = session->id;
    renewal->credential = session->credential;
    renewal->human_most_ns = session->agent->renewal_ns;
    renewal->two_holders = session->partner->alarms.two_holders;
    renewal->asked_ns = clock_monotonic_ns();
    snprintf(renewal->partner, sizeof renewal->partner, "%s", session->partner->name);
    snprintf(renewal->agent, sizeof renewal->agent, "%s", session->agent->name);
    buffer_init(&renewal->certificate, CERTIFICATE_BYTES);
    buffer_init(&renewal->request, ISSUER_REQUEST_BYTES);
    buffer_init(&renewal->signature, ISSUER_SIGNATURE_BYTES);
    buffer_init(&renewal->answer.certificate, ISSUER_PEM_BYTES);
    buffer_append(&renewal->certificate, certificate.data, certificate.len);
    buffer_append(&renewal->request, request.data, request.len);
    buffer_append(&renewal->signature, signature.data, signature.len);
    if (!renewal->certificate.overflowed && !renewal->request.overflowed &&
        !renewal->signature.overflowed)
        return renewal;
    renewal_free(renewal);
    return NULL;
}

void renewal_free(struct renewal *renewal)
{
    buffer_free(&renewal->certificate);
    buffer_free(&renewal->request);
    buffer_free(&renewal->signature);
    buffer_free(&renewal->answer.certificate);
    free(renewal);
}

/* ---- asking ---- */

/* While it waited: nothing is made for whom staff have cut off, though nobody would be given it. */
static enum status check_trust(const struct renewal_desk *desk, struct renewal *renewal)
{
    struct registry *registry = desk->server->registry;
    const struct credential *credential = &renewal->credential;
    const char *what =
        registry_revoked(registry, credential->issuer, credential->id) ? "revoked"
        : registry_contained(registry, renewal->partner, renewal->agent, credential->id)
            ? "contained"
            : NULL;
    return what == NULL ? STATUS_OK
                        : error_set(&renewal->error, STATUS_DENIED, "57P01",
                                    "ask the data controller", "it is %s meanwhile", what);
}

static enum status ask(const struct renewal_desk *desk, struct renewal *renewal)
{
    const struct issuer_question question = {.certificate = buffer_slice(&renewal->certificate),
                                             .request = buffer_slice(&renewal->request),
                                             .signature = buffer_slice(&renewal->signature),
                                             .human_most_ns = renewal->human_most_ns};
    if (clock_monotonic_ns() - renewal->asked_ns > WAITED_MOST_S * second_ns)
        return error_set(&renewal->error, STATUS_IO, "57P03", "try again in a moment",
                         "certificates cannot be renewed now: too many wait for the issuer");
    TRY(check_trust(desk, renewal));
    return issuer_ask(desk->server->config->issuer_socket, &question, &renewal->answer,
                      &renewal->error);
}

/* What came is a certificate of the same authority, and of the one that was asked about. */
static enum status look_at(struct renewal *renewal, struct description *made)
{
    struct error *error = &renewal->error;
    if (identity_describe(buffer_slice(&renewal->answer.certificate), made, error) != STATUS_OK ||
        memcmp(made->credential.issuer, renewal->credential.issuer,
               sizeof made->credential.issuer) != 0 ||
        strcmp(renewal->answer.renews, renewal->credential.id) != 0)
        return error_set(error, STATUS_IO, "58000", "tell the data controller",
                         "the issuer answered with another certificate than was asked for");
    renewal->made = made->credential;
    return STATUS_OK;
}

static enum status record(const struct renewal_desk *desk, struct renewal *renewal)
{
    struct description made;
    char issuer[65], until[21], text[1024];
    TRY(look_at(renewal, &made));
    crypto_hex(made.credential.issuer, sizeof made.credential.issuer, issuer);
    clock_format_utc(made.credential.expires_ns, until);
    snprintf(text, sizeof text,
             RENEWAL_DESK_ACT " id=%s issuer=%s until=%s fingerprint=%s renews=%s origin=%s%s",
             made.credential.id, issuer, until, made.fingerprint, renewal->answer.renews,
             renewal->answer.origin, renewal->answer.again ? " again=yes" : "");
    return server_record_act(desk->server, renewal->partner, renewal->agent, text, true,
                             &renewal->error);
}

static void tell_staff(const struct renewal_desk *desk, const struct renewal *renewal)
{
    char text[ALARM_TEXT_BYTES];
    snprintf(text, sizeof text,
             "certificate %s has been renewed, and its key has signed another request: two may "
             "have the key (cofferdam cert revoke --descendants)",
             renewal->credential.id);
    const struct alarm alarm = {.rule = ALARM_TWO_HOLDERS,
                                .partner = renewal->partner,
                                .agent = renewal->agent,
                                .about = renewal->credential.id,
                                .text = text,
                                .contain = (enum alarm_contain)renewal->two_holders};
    alarm_raise(desk->server->alarms, &alarm);
}

static void settle(const struct renewal_desk *desk, struct renewal *renewal)
{
    renewal->decision = ask(desk, renewal);
    if (renewal->decision != STATUS_OK && strcmp(renewal->error.sqlstate, RENEWAL_TWO_HOLDERS) == 0)
        tell_staff(desk, renewal);
    if (renewal->decision == STATUS_OK)
        renewal->decision = record(desk, renewal);
    if (renewal->decision == STATUS_OK)
        log_event(LOG_INFO, "certificate_renewed", "session=%llu agent=%s.%s renews=%s id=%s",
                  (unsigned long long)renewal->session, renewal->partner, renewal->agent,
                  renewal->answer.renews, renewal->made.id);
    else
        log_event(LOG_WARNING, "certificate_not_renewed",
                  "session=%llu agent=%s.%s id=%s sqlstate=%s reason=\"%s\"",
                  (unsigned long long)renewal->session, renewal->partner, renewal->agent,
                  renewal->credential.id, renewal->error.sqlstate, renewal->error.message);
    desk->answer(desk->server, renewal);
}

static void *desk_main(void *context)
{
    struct renewal_desk *desk = context;
    pthread_mutex_lock(&desk->lock);
    while (!desk->stop) {
        struct renewal *renewal = desk->first;
        if (renewal == NULL) {
            pthread_cond_wait(&desk->work, &desk->lock);
            continue;
        }
        desk->first = renewal->next;
        if (desk->first == NULL)
            desk->last = &desk->first;
        desk->count--;
        pthread_mutex_unlock(&desk->lock);
        settle(desk, renewal);
        pthread_mutex_lock(&desk->lock);
    }
    pthread_mutex_unlock(&desk->lock);
    return NULL;
}

enum status renewal_desk_ask(struct renewal_desk *desk, struct renewal *renewal,
                             struct error *error)
{
    pthread_mutex_lock(&desk->lock);
    bool room = desk->count < RENEWALS_MAX;
    if (room) {
        renewal->next = NULL;
        *desk->last = renewal;
        desk->last = &renewal->next;
        desk->count++;
        pthread_cond_signal(&desk->work);
    }
    pthread_mutex_unlock(&desk->lock);
    return room ? STATUS_OK
                : error_set(error, STATUS_LIMIT, "53400", "try again in a moment",
                            "too many certificates are being renewed");
}

/* ---- life ---- */

enum status renewal_desk_open(struct server *server, renewal_answer_fn *answer,
                              struct renewal_desk **out, struct error *error)
{
    struct renewal_desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL)
        return error_no_memory(error);
    *desk = (struct renewal_desk){.server = server, .answer = answer, .last = &desk->first};
    pthread_mutex_init(&desk->lock, NULL);
    pthread_cond_init(&desk->work, NULL);
    int failed = pthread_create(&desk->thread, NULL, desk_main, desk);
    desk->running = failed == 0;
    if (failed == 0) {
        *out = desk;
        return STATUS_OK;
    }
    renewal_desk_close(desk);
    return error_set_errno(error, failed, "pthread_create");
}

void renewal_desk_close(struct renewal_desk *desk)
{
    if (desk == NULL)
        return;
    pthread_mutex_lock(&desk->lock);
    desk->stop = true;
    pthread_cond_signal(&desk->work);
    pthread_mutex_unlock(&desk->lock);
    if (desk->running)
        pthread_join(desk->thread, NULL);
    while (desk->first != NULL) {
        struct renewal *renewal = desk->first;
        desk->first = renewal->next;
        renewal_free(renewal);
    }
    pthread_cond_destroy(&desk->work);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

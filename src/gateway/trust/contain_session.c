/* A worker cuts a session of its own. What has been released and begun may come to its end within
 * CONTAIN_TAIL_MS, so that the client can read why it was ended; a connection on which it does not
 * is reset. What the kernel was given before is recorded, and dropped after CONTAIN_DRAIN_MS. */
#include "gateway/trust/contain_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/session.h"

enum { CONTAINED_BYTES = 200 };

/* Whoever holds a contained key may try it without end: the ledger is not to be filled by it. */
static void count_try(const struct session *session)
{
    struct server *server = session->worker->server;
    const char *partner = session->partner->name, *agent = session->agent->name;
    struct error error;
    uint64_t tries, sequence;
    if (!registry_count_try(server->registry, partner, agent, session->credential.id,
                            clock_now_ns(), &tries))
        return;
    log_event(LOG_WARNING, "contained_login_refused", "agent=%s credential=%s id=%s tries=%llu",
              session->login, credential_kind_name(session->credential.kind),
              session->credential.id, (unsigned long long)tries);
    struct ledger_entry entry = {.type = LEDGER_REFUSAL,
                                 .partner = slice_of_text(partner),
                                 .agent = slice_of_text(agent),
                                 .session = session->id,
                                 .chunk_count = 1,
                                 .outcome = LEDGER_OUTCOME_CONTAINED};
    memcpy(entry.policy_id, session->snapshot->policy_id, sizeof entry.policy_id);
    memcpy(entry.sqlstate, "57P01", sizeof entry.sqlstate);
    if (ledger_append(server->ledger, &entry, slice_of(NULL, 0), &sequence, &error) != STATUS_OK)
        log_event(LOG_WARNING, "refusal_not_recorded", "session=%llu reason=\"%s\"",
                  (unsigned long long)session->id, error.message);
}

/* The partner is to look where we did: at all of it, at one agent, or at one lost key. */
static void tell_what(const struct session *session, char text[static CONTAINED_BYTES])
{
    struct registry *registry = session->worker->server->registry;
    const char *partner = session->partner->name, *agent = session->agent->name;
    if (registry_contained(registry, partner, NULL, NULL))
        snprintf(text, CONTAINED_BYTES, "partner %s", partner);
    else if (registry_contained(registry, partner, agent, NULL))
        snprintf(text, CONTAINED_BYTES, "agent %s", session->login);
    else
        snprintf(text, CONTAINED_BYTES, "this %s of %s",
                 credential_kind_name(session->credential.kind), session->login);
}

enum status contain_refusal(const struct session *session, struct error *error)
{
    const struct policy_controller *controller = &session->snapshot->policy->controller;
    if (session->state != SESSION_READY)
        count_try(session);
    const char *name = controller->dpo_name, *phone = controller->dpo_phone;
    char hint[sizeof error->hint], what[CONTAINED_BYTES];
    if (name == NULL)
        name = controller->name == NULL ? "the data controller's contact" : controller->name;
    snprintf(hint, sizeof hint, "your access is suspended; call %.80s%s%.40s%s%.80s", name,
             phone == NULL ? "" : ", ", phone == NULL ? "" : phone,
             controller->dpo_email == NULL ? "" : ", ",
             controller->dpo_email == NULL ? "" : controller->dpo_email);
    tell_what(session, what);
    return error_set(error, STATUS_DENIED, "57P01", hint, "%s is contained", what);
}

static bool keep_backend(struct contain *contain, struct contain_backend backend)
{
    if (contain->backend_count == contain->backend_capacity) {
        size_t capacity = contain->backend_capacity == 0 ? 64 : 2 * contain->backend_capacity;
        struct contain_backend *grown = reallocarray(contain->backends, capacity, sizeof *grown);
        if (grown == NULL)
            return false;
        contain->backends = grown;
        contain->backend_capacity = capacity;
    }
    contain->backends[contain->backend_count++] = backend;
    return true;
}

void contain_cut(struct session *session)
{
    struct contain *contain = session->worker->server->contain;
    struct contain_backend backend = {.pid = session->upstream.pid,
                                      .secret = session->upstream.secret};
    bool running = session->upstream.state == UPSTREAM_READY && backend.pid != 0 &&
                   replies_wait_for_upstream(&session->replies);
    pthread_mutex_lock(&contain->lock);
    if (contain->is_acting)
        contain->undelivered += net_stream_unsent(session->client);
    if (contain->is_acting && running)
        /* One that waits for us to read what it sends will find its connection closed. */
        session->is_adopted = session->upstream.paused || keep_backend(contain, backend);
    pthread_mutex_unlock(&contain->lock);
    session->cut_ns = clock_monotonic_ns();
    worker_watch_cut(session->worker);
}

/* Nothing of a result is left to write: only why it ends, or nothing. */
static bool tail_is_out(const struct session *session)
{
    return session->out.sent >= session->tail_end;
}

void contain_gone(struct session *session)
{
    struct server *server = session->worker->server;
    if (!session->live.is_listed)
        return;
    int64_t now_ns = clock_monotonic_ns();
    pthread_mutex_lock(&server->contain->lock);
    if (now_ns > server->contain->last_ns)
        server->contain->last_ns = now_ns;
    pthread_mutex_unlock(&server->contain->lock);
    server_live_remove(server, &session->live);
}

/* The client is done with: what is left is to close upstream, when its turn comes. */
static void drop_client(struct session *session)
{
    contain_gone(session);
    net_stream_close(session->client);
    session->client = NULL;
}

void contain_step(struct session *session, unsigned *room)
{
    if (session->client == NULL) {
        if (*room > 0) {
            --*room;
            session_destroy(session);
        }
        return;
    }
    int64_t age_ms = (clock_monotonic_ns() - session->cut_ns) / 1000000;
    bool out = tail_is_out(session);
    if (out)
        contain_gone(session);
    bool told = outqueue_pending(&session->out) == 0 && net_stream_unsent(session->client) == 0;
    bool late = (!out && age_ms >= CONTAIN_TAIL_MS) || age_ms >= CONTAIN_DRAIN_MS;
    if (!told && !late)
        return;
    if (!told)
        net_stream_reset(session->client);
    if (session->is_unfinished)
        drop_client(session);
    else
        session_destroy(session);
}

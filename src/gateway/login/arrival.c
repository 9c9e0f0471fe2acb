/* Arrival: what is true of a connection before its identity is proven. It is a guest in its
 * worker's lobby; whoever has to go for a newcomer goes without a word. The deadline of a login is
 * looked at in session_review() and never put off by what the client sends. */
#include "gateway/session.h"

#include "base/clock.h"
#include "base/log.h"

/* Whose place in the lobby a connection takes. No address of a peer is at the upper end: there
 * stand the users of this machine (RFC 4291, 2.7: ff00::/8 is multicast). */
static uint64_t counted_for(const struct session *session)
{
    uid_t uid = 0;
    pid_t pid;
    if (session->has_address)
        return net_address_block(&session->address);
    if (!net_stream_peer_user(session->client, &uid, &pid))
        return UINT64_MAX;
    return UINT64_MAX - 1 - uid;
}

static void accept_stream(struct worker *worker, struct net_stream *stream, bool is_staff)
{
    struct server *server = worker->server;
    struct lobby_guest *dropped = NULL;
    if (worker->stop_ticks > 0) {
        net_stream_close(stream);
        return;
    }
    struct session *session = session_make(worker, stream, is_staff);
    if (session == NULL) {
        net_stream_close(stream);
        return;
    }
    session->guest.owner = session;
    if (!lobby_enter(worker->lobby, &session->guest, counted_for(session), &dropped)) {
        session_destroy(session);
        return;
    }
    atomic_fetch_add(&server->lobby_count, 1);
    if (dropped == NULL)
        return;
    atomic_fetch_sub(&server->lobby_count, 1);
    atomic_fetch_add(&server->lobby_dropped, 1);
    worker->lobby_dropped++;
    session_destroy(dropped->owner);
}

void session_accept(void *context, struct net_stream *stream)
{
    accept_stream(context, stream, false);
}

void session_accept_staff(void *context, struct net_stream *stream)
{
    accept_stream(context, stream, true);
}

static void leave_lobby(struct session *session)
{
    if (session->guest.address == NULL)
        return;
    lobby_leave(session->worker->lobby, &session->guest);
    atomic_fetch_sub(&session->worker->server->lobby_count, 1);
}

enum status session_enter(struct session *session, struct error *error)
{
    struct server *server = session->worker->server;
    if (atomic_fetch_add(&server->session_count, 1) >= server->config->listen.max_sessions) {
        atomic_fetch_sub(&server->session_count, 1);
        return error_set(error, STATUS_LIMIT, "53300",
                         "close sessions that are not needed, or try again in a moment",
                         "the gateway has all the sessions that it may have");
    }
    session->counted = true;
    session_list_first(session);
    leave_lobby(session);
    return STATUS_OK;
}

void session_leave(struct session *session)
{
    leave_lobby(session);
    if (session->counted)
        atomic_fetch_sub(&session->worker->server->session_count, 1);
    session->counted = false;
}

struct lobby *arrival_lobby(const struct config *config)
{
    size_t workers = config->workers < SERVER_MAX_WORKERS ? config->workers : SERVER_MAX_WORKERS;
    return lobby_open((config->listen.max_unauthenticated + workers - 1) / workers,
                      (config->listen.max_unauthenticated_per_address + workers - 1) / workers);
}

bool session_may_log(const struct session *session)
{
    return session->counted || lobby_may_log(session->worker->lobby, clock_monotonic_ns());
}

void arrival_tell(struct worker *worker)
{
    uint64_t unlogged = lobby_take_unlogged(worker->lobby), dropped = worker->lobby_dropped;
    worker->lobby_dropped = 0;
    if (dropped > 0)
        log_event(LOG_WARNING, "unauthenticated_dropped",
                  "count=%llu waiting=%zu reason=\"more than listen.max_unauthenticated, or from "
                  "one address\"",
                  (unsigned long long)dropped, lobby_count(worker->lobby));
    if (unlogged > 0)
        log_event(LOG_WARNING, "lines_not_logged", "count=%llu of=unauthenticated",
                  (unsigned long long)unlogged);
}

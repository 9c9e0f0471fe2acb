/* Session: memory, flushing, review, end. */
#include "gateway/session.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "gateway/cancel.h"
#include "gateway/trust/contain.h"
#include "gateway/trust/trust.h"

enum {
    READ_BYTES = 16 * 1024,
    LOBBY_READ_BYTES = 1024,
    OUT_LIMIT = LIMIT_ROW_BYTES + 4 * LIMIT_OUT_HIGH_WATER,
    UPSTREAM_OUT_HIGH_WATER = 256 * 1024,
    READS_PER_TURN = 4,
    HOLD_BYTES = 4096,
    KEEP_BYTES = 128 * 1024, /* of a buffer that is empty */
};

static void client_readable(void *context);
static void client_writable(void *context);
static void client_ready(void *context, const struct error *error);
static void client_hangup(void *context);

static const struct net_handlers client_handlers = {.readable = client_readable,
                                                    .writable = client_writable,
                                                    .ready = client_ready,
                                                    .hangup = client_hangup};

/* Those in the lobby stand behind those that are logged in: see worker.h. */
static void link_session(struct session *session)
{
    struct worker *worker = session->worker;
    session->next = NULL;
    session->previous = worker->last_session;
    if (worker->last_session != NULL)
        worker->last_session->next = session;
    else
        worker->sessions = session;
    worker->last_session = session;
}

static void delist_session(struct session *session)
{
    struct worker *worker = session->worker;
    if (session->previous != NULL)
        session->previous->next = session->next;
    else
        worker->sessions = session->next;
    if (session->next != NULL)
        session->next->previous = session->previous;
    else
        worker->last_session = session->previous;
}

void session_list_first(struct session *session)
{
    struct worker *worker = session->worker;
    delist_session(session);
    session->previous = NULL;
    session->next = worker->sessions;
    if (worker->sessions != NULL)
        worker->sessions->previous = session;
    else
        worker->last_session = session;
    worker->sessions = session;
}

static void forget_dirty(struct session **list, struct session *session)
{
    for (struct session **at = list; *at != NULL; at = &(*at)->next_dirty) {
        if (*at == session) {
            *at = session->next_dirty;
            return;
        }
    }
}

static void unlink_session(struct session *session)
{
    struct worker *worker = session->worker;
    delist_session(session);
    forget_dirty(&worker->dirty, session);
    forget_dirty(&worker->flushing, session);
}

struct session *session_make(struct worker *worker, struct net_stream *stream, bool is_staff)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    uint16_t port;
    session->is_staff = is_staff;
    session->has_address = net_stream_peer_address(stream, &session->address, &port);
    session->worker = worker;
    session->client = stream;
    session->state = SESSION_STARTUP;
    session->transaction = 'I';
    session->id = atomic_fetch_add(&worker->server->next_session, 1) + 1;
    session->started_ns = session->active_ns = clock_monotonic_ns();
    session->credential.expires_ns = INT64_MAX;
    session->clock_line = clock_line(worker->server->clock_line);
    uint32_t random[2];
    crypto_random(random, sizeof random);
    /* The pid says which worker holds the session; 0 would read as "no such backend". */
    session->cancel_pid = (worker->index + 1) << 24 | (random[0] & 0xFFFFFF);
    session->cancel_secret = random[1];
    buffer_init(&session->in, LIMIT_MESSAGE_BYTES + READ_BYTES + 16);
    buffer_init(&session->upstream.in, LIMIT_ROW_BYTES + 256 * 1024);
    buffer_init(&session->upstream.out, 4 * LIMIT_MESSAGE_BYTES);
    buffer_init(&session->upstream.handshake, 64 * 1024);
    outqueue_init(&session->out, OUT_LIMIT);
    batch_init(&session->batch);
    writes_init(&session->writes);
    link_session(session);
    net_stream_handle(stream, &client_handlers, session);
    net_stream_want(stream, true, false);
    return session;
}

void session_destroy(struct session *session)
{
    struct server *server = session->worker->server;
    session_finish_end(session);
    unlink_session(session);
    if (session->cut_ns != 0)
        contain_gone(session);
    server_live_remove(server, &session->live);
    upstream_close(session); /* while replies tell whether something is to be cancelled */
    run_release(session->batch_run);
    writes_end(session);
    copy_in_drop(session);
    frontend_drop_several(session);
    frontend_clear(session);
    replies_free(&session->replies);
    net_timer_close(session->verdict_timer);
    net_stream_close(session->client);
    buffer_free(&session->in);
    buffer_free(&session->upstream.in);
    buffer_free(&session->upstream.out);
    buffer_free(&session->upstream.handshake);
    outqueue_free(&session->out);
    batch_free(&session->batch);
    if (session->scram_begun)
        scram_server_wipe(&session->scram);
    for (size_t i = 0; i < session->setting_count; i++)
        free(session->settings[i]);
    free(session->stated_purpose);
    free(session->database);
    free(session->chain);
    snapshot_release(session->snapshot);
    if (session->agent != NULL && session_may_log(session))
        log_event(LOG_INFO, "session_closed", "session=%llu agent=%s statements=%llu",
                  (unsigned long long)session->id, session->login,
                  (unsigned long long)session->statements_done);
    session_leave(session);
    free(session);
}

void session_touch(struct session *session)
{
    if (session->dirty)
        return;
    session->dirty = true;
    session->next_dirty = session->worker->dirty;
    session->worker->dirty = session;
}

/* A stranger is given little room. */
static size_t read_bytes(const struct session *session)
{
    return session->counted ? READ_BYTES : LOBBY_READ_BYTES;
}

/* Reads what waits, into session->in. False when nothing more can be expected. */
static bool fill_input(struct session *session)
{
    if (session->in_at > 0) {
        buffer_consume(&session->in, session->in_at);
        session->in_at = 0;
    }
    if (session->in.len == 0 && session->in.capacity > KEEP_BYTES)
        buffer_free(&session->in);
    size_t len = read_bytes(session);
    uint8_t *room = buffer_reserve(&session->in, len);
    if (room == NULL)
        return false;
    size_t got;
    enum status status = net_stream_read(session->client, room, len, &got);
    if (status == STATUS_AGAIN)
        return true;
    if (status != STATUS_OK) {
        session->input_ended = true;
        return false;
    }
    session->in.len += got;
    session->active_ns = clock_monotonic_ns();
    return true;
}

/* Next whole message of the client; STATUS_AGAIN when there is none. */
static enum status next_message(struct session *session, struct wire_message *message,
                                struct error *error)
{
    struct slice rest =
        slice_of(session->in.data + session->in_at, session->in.len - session->in_at);
    if (session->state == SESSION_STARTUP)
        return wire_next_startup(rest, message, error);
    size_t needed;
    size_t bound = session->state == SESSION_READY ? LIMIT_MESSAGE_BYTES : LIMIT_PASSWORD_BYTES;
    return wire_next_message(rest, bound, message, &needed, error);
}

/* May the client's next message be looked at now? */
static bool input_welcome(const struct session *session)
{
    return session->state != SESSION_CLOSING && session->state != SESSION_HANDSHAKE &&
           session->state != SESSION_TOKEN_JUDGED && session->state != SESSION_VERDICT &&
           !session->cancelling && !session->writes.sync_due && !session->renewal.waits &&
           (copy_in_active(session) ? copy_in_hungry(session) : session->several.sql == NULL) &&
           !writes_wait(session) && outqueue_pending(&session->out) < 2 * LIMIT_OUT_HIGH_WATER &&
           session->upstream.out.len - session->upstream.out_at < UPSTREAM_OUT_HIGH_WATER &&
           session->replies.count < LIMIT_PENDING_REPLIES - 8 &&
           session->replies.bytes < LIMIT_OUT_HIGH_WATER;
}

static void handle_message(struct session *session, const struct wire_message *message)
{
    switch (session->state) {
    case SESSION_STARTUP:
        login_startup(session, message);
        break;
    case SESSION_SCRAM_FIRST:
    case SESSION_SCRAM_FINAL:
        login_password(session, message);
        break;
    case SESSION_TOKEN:
        login_token(session, message);
        break;
    case SESSION_READY:
        frontend_message(session, message);
        break;
    case SESSION_TOKEN_JUDGED:
    case SESSION_HANDSHAKE:
    case SESSION_VERDICT:
    case SESSION_CLOSING:
        break;
    }
}

/* A Query, which ends in a Sync of ours, behind messages without one: whether it is answered or
 * ignored depends on how those end, so they are brought to an end first. */
static bool must_wait(struct session *session, const struct wire_message *message)
{
    bool waits = session->state == SESSION_READY && session->unsynced &&
                 (message->type == 'Q' || message->type == 'F') && session->replies.count > 0;
    waits = waits || (session->state == SESSION_READY && message->type == 'E' &&
                      !session->skip_to_sync && frontend_must_wait(session));
    session->query_waits = waits;
    return waits;
}

/* Holds the client's next message back. Upstream keeps its answers until a Sync that may stand
 * behind what is held: it is asked for them once for all that has been sent meanwhile. */
static void hold_input(struct session *session, bool asked)
{
    session->input_held = true;
    if (session->unsynced && !asked)
        wire_put_empty(&session->upstream.out, 'H');
}

static void handle_input(struct session *session)
{
    bool asked = session->input_held;
    session->input_held = false;
    while (session->in_at < session->in.len) {
        struct wire_message message;
        struct error error;
        if (!input_welcome(session)) {
            hold_input(session, asked);
            return;
        }
        enum status status = next_message(session, &message, &error);
        if (status == STATUS_AGAIN)
            return;
        if (status != STATUS_OK) {
            session_end(session, LEDGER_OUTCOME_ABANDONED, error.sqlstate, error.message,
                        error.hint);
            return;
        }
        if (must_wait(session, &message)) {
            hold_input(session, asked);
            return;
        }
        asked = false;
        session->in_at += message.size;
        handle_message(session, &message);
    }
}

static void pace_input(struct session *session)
{
    bool pause = !input_welcome(session) || session->input_ended;
    if (pause != session->read_paused || session->write_blocked) {
        session->read_paused = pause;
        net_stream_want(session->client, !pause, session->write_blocked);
    }
}

static void client_readable(void *context)
{
    struct session *session = context;
    if (login_begins_with_tls(session))
        return;
    for (int i = 0; i < READS_PER_TURN && input_welcome(session); i++) {
        size_t before = session->in.len - session->in_at, len = read_bytes(session);
        if (!fill_input(session))
            break;
        bool full = session->in.len - before >= len;
        handle_input(session);
        if (!full || session->state == SESSION_CLOSING)
            break;
    }
    session_touch(session);
}

static void client_writable(void *context)
{
    struct session *session = context;
    session->write_blocked = false;
    net_stream_want(session->client, !session->read_paused, false);
    session_touch(session);
}

/* The client is gone, or will send no more, while we do not read: told where reading would not. */
static void client_hangup(void *context)
{
    struct session *session = context;
    session->dead = true;
    session_touch(session);
}

static void client_ready(void *context, const struct error *error)
{
    struct session *session = context;
    if (error != NULL) {
        if (session_may_log(session))
            log_event(LOG_INFO, "tls_failed", "session=%llu reason=\"%s\"",
                      (unsigned long long)session->id, error->message);
        session->dead = true;
        session_touch(session);
        return;
    }
    session->state = SESSION_STARTUP;
    session->read_paused = false;
    net_stream_want(session->client, true, false);
    session_touch(session);
}

/* Writes what may leave. False when the connection is gone. */
static bool write_output(struct session *session)
{
    for (;;) {
        struct slice bytes = outqueue_sendable(&session->out, session->durable);
        if (bytes.len == 0) {
            session->blocked_since_ns = 0;
            return true;
        }
        /* A few bytes before a gate (a row description, mostly) go out with what is behind it. */
        if (bytes.len < HOLD_BYTES && session->out.gate_count > 0)
            return true;
        size_t put;
        enum status status = net_stream_write(session->client, bytes.data, bytes.len, &put);
        if (status == STATUS_AGAIN) {
            outqueue_blocked(&session->out, bytes.len);
            if (session->blocked_since_ns == 0)
                session->blocked_since_ns = clock_monotonic_ns();
            session->write_blocked = true;
            net_stream_want(session->client, !session->read_paused, true);
            return true;
        }
        if (status != STATUS_OK)
            return false;
        session->blocked_since_ns = 0;
        outqueue_sent(&session->out, put);
    }
}

void session_resume_upstream(struct session *session)
{
    struct upstream *upstream = &session->upstream;
    bool pause = outqueue_pending(&session->out) >= LIMIT_OUT_HIGH_WATER && !session->discard;
    if (upstream->stream == NULL || pause == upstream->paused)
        return;
    upstream->paused = pause;
    net_stream_want(upstream->stream, !pause, upstream->out_at < upstream->out.len);
    if (!pause)
        relay_pump(session);
}

/* A client that will send no more, and has nothing left that could be handled, is gone: what it
 * still waits for is not worth a backend. */
static bool finished(const struct session *session)
{
    if (session->state == SESSION_CLOSING) /* one that is cut: contain_step says when */
        return outqueue_pending(&session->out) == 0 && session->cut_ns == 0;
    return session->input_ended && (session->replies.count > 0 || input_welcome(session));
}

/* Messages that were held back for want of room may be looked at again: no event of a socket need
 * come to say so, since they have been read already. */
static void go_on(struct session *session)
{
    bool input = session->input_held && input_welcome(session) &&
                 (!session->query_waits || session->replies.count == 0);
    if (input || (session->upstream.held && relay_has_room(session)))
        session_touch(session);
}

void session_flush(struct session *session)
{
    if (session->client == NULL) /* cut, and waits to be closed upstream */
        return;
    session->durable = ledger_durable(session->worker->server->ledger);
    if (session->state != SESSION_CLOSING && session->state != SESSION_HANDSHAKE) {
        relay_release_open(session);
        frontend_continue(session);
        handle_input(session);
        relay_pump(session);
        frontend_continue(session);
        relay_release_open(session);
    }
    if (!session->dead)
        upstream_flush(session);
    if (session->dead || !write_output(session) || finished(session)) {
        session_destroy(session);
        return;
    }
    if (session->state == SESSION_CLOSING || session->state == SESSION_HANDSHAKE)
        return;
    session_resume_upstream(session);
    pace_input(session);
    go_on(session);
}

/* What the session was doing ends with this outcome, and its connection upstream with it. */
static void end_work(struct session *session, enum ledger_outcome outcome)
{
    batch_clear(&session->batch);
    if (session->batch_run != NULL)
        release_abandon(session->batch_run, outcome);
    run_release(session->batch_run);
    session->batch_run = NULL;
    for (size_t i = 0; i < session->replies.count; i++) {
        struct run *run =
            session->replies.ring[(session->replies.first + i) % session->replies.capacity].run;
        if (run != NULL)
            release_abandon(run, outcome);
    }
    for (struct portal *portal = session->portals; portal != NULL; portal = portal->next)
        release_abandon(portal->run, outcome);
    cursors_abandon(session, outcome);
}

static void end_upstream(struct session *session)
{
    if (session->replies.count > 0)
        cancel_ask(session);
    upstream_close(session);
}

/* Of one that is cut: closing a connection wakes a process of the database, which would take the
 * processor before the next session is cut. */
static void put_off_end(struct session *session)
{
    session->is_unfinished = true;
    session->upstream.out_at = session->upstream.out.len = 0; /* nothing more is asked for */
    net_stream_want(session->upstream.stream, false, false);
}

void session_finish_end(struct session *session)
{
    if (!session->is_unfinished)
        return;
    session->is_unfinished = false;
    end_upstream(session);
}

void session_end(struct session *session, enum ledger_outcome outcome, const char *sqlstate,
                 const char *message, const char *hint)
{
    if (session->state == SESSION_CLOSING)
        return;
    if (session_may_log(
            session)) /* names that are nobody's stay out: people type passwords there */
        log_event(LOG_INFO, "session_ended", "session=%llu agent=%s sqlstate=%s reason=\"%s\"",
                  (unsigned long long)session->id, session->agent == NULL ? "-" : session->login,
                  sqlstate,
                  session->agent == NULL && strcmp(sqlstate, "28P01") == 0 ? "authentication failed"
                                                                           : message);
    bool plain_start = session->state == SESSION_HANDSHAKE;
    session->state = SESSION_CLOSING;
    session->active_ns = clock_monotonic_ns();
    if (session->out.bytes.overflowed)
        session->dead = true; /* out of memory: where the last message ends is not known */
    else
        outqueue_cut(&session->out);
    session->tail_end = session->out.sent + outqueue_pending(&session->out);
    if (session->is_contained)
        contain_cut(session);
    if (!plain_start)
        wire_put_error(&session->out.bytes, "FATAL", sqlstate, message, hint);
    end_work(session, outcome);
    if (session->is_contained && session->upstream.state == UPSTREAM_READY)
        put_off_end(session);
    else
        end_upstream(session);
    if (!session->is_contained)
        server_live_remove(session->worker->server, &session->live);
    if (!plain_start) /* nothing more is read: a client that goes on sending must not wake us */
        net_stream_want(session->client, false, session->write_blocked);
    session_touch(session);
}

static bool overdue(int64_t since_ns, int64_t now_ns, uint32_t bound_ms)
{
    return bound_ms > 0 && since_ns != 0 && now_ns - since_ns > (int64_t)bound_ms * 1000000;
}

void session_review(struct session *session)
{
    const struct config *config = session->worker->server->config;
    int64_t now = clock_monotonic_ns();
    struct error error;
    if (session->state == SESSION_CLOSING) {
        if (session->cut_ns == 0 && overdue(session->active_ns, now, 2000))
            session_destroy(session);
        return;
    }
    if (overdue(session->blocked_since_ns, now, config->listen.write_timeout_ms)) {
        session_end(session, LEDGER_OUTCOME_ABANDONED, "57014", "the client reads too slowly",
                    "read results as they come, or ask for fewer rows");
        session->dead = true;
        session_touch(session);
        return;
    }
    if (session->state != SESSION_READY) {
        if (session->state != SESSION_VERDICT && /* which has a bound of its own */
            overdue(session->started_ns, now, config->listen.login_timeout_ms))
            session_end(session, LEDGER_OUTCOME_ABANDONED, "57P01", "login took too long", NULL);
        return;
    }
    enum status status = trust_admits(session, &error);
    if (status == STATUS_OK)
        status = trust_stands(session, &error);
    if (status != STATUS_OK)
        session_end(session, LEDGER_OUTCOME_CONTAINED, "57P01", error.message, error.hint);
    else if (session->replies.count == 0 &&
             overdue(session->active_ns, now, config->listen.idle_timeout_ms))
        session_end(session, LEDGER_OUTCOME_ABANDONED, "57P05", "the session was idle too long",
                    NULL);
}

/* Upstream: the session's own connection to the protected database: TLS or unix socket, SCRAM,
 * pinned settings. Statements queue in upstream.out while it is being opened. */
#include "gateway/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gateway/cancel.h"

enum {
    READ_BYTES = 64 * 1024,
    READS_PER_TURN = 4,
    TLS_TIMEOUT_MS = 10000,
    KEEP_BYTES = 1024 * 1024
};

static void upstream_readable(void *context);
static void upstream_writable(void *context);
static void upstream_ready(void *context, const struct error *error);

static const struct net_handlers handlers = {
    .readable = upstream_readable, .writable = upstream_writable, .ready = upstream_ready};

static void lost(struct session *session, const char *reason)
{
    if (session->state == SESSION_CLOSING)
        return;
    log_event(LOG_ERROR, "upstream_lost", "session=%llu reason=\"%s\"",
              (unsigned long long)session->id, reason);
    session->upstream.state = UPSTREAM_LOST;
    session_end(session, LEDGER_OUTCOME_ERROR, "08006",
                "the connection to the customer database failed", "try again later");
}

enum status upstream_open(struct session *session, struct error *error)
{
    struct server *server = session->worker->server;
    const struct config *config = server->config;
    struct upstream *upstream = &session->upstream;
    if (upstream->state != UPSTREAM_NONE)
        return STATUS_OK;
    if (atomic_fetch_add(&server->upstream_count, 1) >= config->upstream.max_connections) {
        atomic_fetch_sub(&server->upstream_count, 1);
        return error_set(error, STATUS_LIMIT, "53300", "try again later",
                         "too many statements run at once");
    }
    upstream->counted = true;
    upstream->state = UPSTREAM_CONNECTING;
    enum status status = net_connect(session->worker->loop, config->upstream.host,
                                     config->upstream.port, config->upstream.connect_timeout_ms,
                                     &handlers, session, &upstream->stream, error);
    if (status != STATUS_OK) {
        atomic_fetch_sub(&server->upstream_count, 1);
        upstream->counted = false;
        upstream->state = UPSTREAM_NONE;
    }
    return status;
}

static void flush_handshake(struct session *session)
{
    struct upstream *upstream = &session->upstream;
    while (upstream->handshake.len > 0) {
        size_t put;
        enum status status = net_stream_write(upstream->stream, upstream->handshake.data,
                                              upstream->handshake.len, &put);
        if (status == STATUS_AGAIN) {
            net_stream_want(upstream->stream, true, true);
            return;
        }
        if (status != STATUS_OK) {
            lost(session, "write failed during login");
            return;
        }
        buffer_consume(&upstream->handshake, put);
    }
}

/* Settings of ours that make the meaning of a planned text certain, and bounds that hold also where
 * the role was set up without them. */
static void send_startup(struct session *session)
{
    const struct config *config = session->worker->server->config;
    char statement_timeout[24], application[80];
    snprintf(statement_timeout, sizeof statement_timeout, "%u",
             (unsigned)config->upstream.statement_timeout_ms);
    snprintf(application, sizeof application, "cofferdam %.60s", session->login);
    /* The role's own setting says on; it is lifted only for agents that may write at all, and not
     * for a file that is made for them. */
    bool writes = !session->is_staff && policy_agent_writes(session->partner, session->agent);
    const char *read_only = writes ? "off" : "on";
    const char *const parameters[] = {"user",
                                      config->upstream.user,
                                      "database",
                                      config->upstream.database,
                                      "application_name",
                                      application,
                                      "client_encoding",
                                      "UTF8",
                                      "search_path",
                                      "pg_catalog",
                                      "standard_conforming_strings",
                                      "on",
                                      "DateStyle",
                                      "ISO, MDY",
                                      "TimeZone",
                                      "Etc/UTC",
                                      "default_transaction_read_only",
                                      read_only,
                                      "statement_timeout",
                                      statement_timeout,
                                      "lock_timeout",
                                      "10000",
                                      "idle_in_transaction_session_timeout",
                                      "600000",
                                      "join_collapse_limit", /* a fence may join tables inside */
                                      "16",
                                      "from_collapse_limit",
                                      "16",
                                      "client_connection_check_interval",
                                      "1000"};
    size_t pairs = sizeof parameters / sizeof parameters[0] / 2;
    /* Since PostgreSQL 14 a backend notices within this time that we have gone. */
    if (model_catalog(session->snapshot->model)->server_version_number < 140000)
        pairs--;
    wire_put_startup(&session->upstream.handshake, parameters, pairs);
    session->upstream.state = UPSTREAM_LOGIN;
    net_stream_want(session->upstream.stream, true, false);
    flush_handshake(session);
}

static void upstream_ready(void *context, const struct error *error)
{
    struct session *session = context;
    struct upstream *upstream = &session->upstream;
    if (error != NULL) {
        lost(session, error->message);
        return;
    }
    if (upstream->state == UPSTREAM_CONNECTING && session->worker->server->upstream_tls != NULL) {
        upstream->state = UPSTREAM_TLS_ANSWER;
        wire_put_ssl_request(&upstream->handshake);
        net_stream_want(upstream->stream, true, false);
        flush_handshake(session);
        return;
    }
    send_startup(session);
}

/* The server's one-byte answer to SSLRequest. */
static void read_tls_answer(struct session *session)
{
    struct error error;
    uint8_t answer;
    size_t got;
    enum status status = net_stream_read(session->upstream.stream, &answer, 1, &got);
    if (status == STATUS_AGAIN)
        return;
    if (status != STATUS_OK || answer != 'S') {
        lost(session, "upstream does not offer TLS");
        return;
    }
    session->upstream.state = UPSTREAM_TLS;
    if (net_stream_start_tls(session->upstream.stream, session->worker->server->upstream_tls, false,
                             TLS_TIMEOUT_MS, &error) != STATUS_OK)
        lost(session, error.message);
}

/* Reads once. False when there is nothing more now, or the connection is gone. */
static bool read_once(struct session *session)
{
    struct upstream *upstream = &session->upstream;
    if (upstream->in_at > 0) {
        buffer_consume(&upstream->in, upstream->in_at);
        upstream->in_at = 0;
    }
    if (upstream->in.len == 0 && upstream->in.capacity > KEEP_BYTES)
        buffer_free(&upstream->in);
    uint8_t *room = buffer_reserve(&upstream->in, READ_BYTES);
    if (room == NULL) {
        lost(session, "a message is too large");
        return false;
    }
    size_t got;
    enum status status = net_stream_read(upstream->stream, room, READ_BYTES, &got);
    if (status == STATUS_AGAIN)
        return false;
    if (status != STATUS_OK) {
        lost(session, "closed by the database");
        return false;
    }
    upstream->in.len += got;
    return got == READ_BYTES;
}

static void upstream_readable(void *context)
{
    struct session *session = context;
    if (session->upstream.state == UPSTREAM_TLS_ANSWER) {
        read_tls_answer(session);
        session_touch(session);
        return;
    }
    for (int i = 0; i < READS_PER_TURN; i++) {
        bool more = read_once(session);
        if (session->state == SESSION_CLOSING)
            break;
        relay_pump(session);
        if (!more || session->upstream.stream == NULL || session->upstream.paused)
            break;
    }
    session_touch(session);
}

static void upstream_writable(void *context)
{
    struct session *session = context;
    net_stream_want(session->upstream.stream, !session->upstream.paused, false);
    if (session->upstream.state == UPSTREAM_READY)
        upstream_flush(session);
    else
        flush_handshake(session);
    session_touch(session);
}

void upstream_flush(struct session *session)
{
    struct upstream *upstream = &session->upstream;
    if (upstream->state != UPSTREAM_READY)
        return;
    while (upstream->out_at < upstream->out.len) {
        size_t put;
        enum status status =
            net_stream_write(upstream->stream, upstream->out.data + upstream->out_at,
                             upstream->out.len - upstream->out_at, &put);
        if (status == STATUS_AGAIN) {
            buffer_consume(&upstream->out, upstream->out_at); /* it may never be quite empty */
            upstream->out_at = 0;
            net_stream_want(upstream->stream, !upstream->paused, true);
            return;
        }
        if (status != STATUS_OK) {
            lost(session, "write failed");
            return;
        }
        upstream->out_at += put;
    }
    upstream->out_at = upstream->out.len = 0;
}

void upstream_close(struct session *session)
{
    struct upstream *upstream = &session->upstream;
    if (upstream->stream != NULL) {
        if (replies_wait_for_upstream(&session->replies) && upstream->state == UPSTREAM_READY)
            cancel_ask(session);
        net_stream_close(upstream->stream);
        upstream->stream = NULL;
    }
    cancel_detach(session);
    if (upstream->scram_begun)
        scram_client_wipe(&upstream->scram);
    upstream->scram_begun = false;
    if (upstream->counted)
        atomic_fetch_sub(&session->worker->server->upstream_count, 1);
    upstream->counted = false;
    upstream->state = UPSTREAM_LOST;
}

/* ---- login ---- */

/* Is the mechanism in the list, which is of terminated names and ends in an empty one? */
static bool offers(struct slice list, const char *mechanism)
{
    struct wire_reader reader = wire_reader_of(list);
    for (;;) {
        const char *name = wire_read_text(&reader);
        if (reader.failed || name[0] == '\0')
            return false;
        if (strcmp(name, mechanism) == 0)
            return true;
    }
}

/* Bound to the channel where both can, so that nobody between passes the exchange on. */
static enum status answer_sasl(struct session *session, struct slice mechanisms,
                               struct error *error)
{
    struct upstream *upstream = &session->upstream;
    enum config_binding wanted = session->worker->server->config->upstream.channel_binding;
    struct scram_binding binding = {.len = 0};
    bool plus = offers(mechanisms, SCRAM_PLUS);
    if (wanted != CONFIG_BINDING_DISABLE)
        binding.len = net_stream_end_point(upstream->stream, binding.data);
    if (wanted == CONFIG_BINDING_REQUIRE && (!plus || binding.len == 0))
        return error_set(error, STATUS_PEER, "28000", NULL,
                         "channel binding is required, and the database does not offer it");
    if (!plus && !offers(mechanisms, SCRAM_PLAIN))
        return error_set(error, STATUS_PEER, "28000", NULL, "the database does not offer SCRAM");
    struct buffer first;
    buffer_init(&first, 1024);
    scram_client_init(&upstream->scram, buffer_slice(&session->worker->server->upstream_password),
                      &session->worker->upstream_keys, &binding, plus);
    upstream->scram_begun = true;
    scram_client_first(&upstream->scram, &first);
    size_t start = wire_begin(&upstream->handshake, 'p');
    wire_put_text(&upstream->handshake, scram_client_mechanism(&upstream->scram));
    buffer_append_u32be(&upstream->handshake, (uint32_t)first.len);
    buffer_append(&upstream->handshake, first.data, first.len);
    wire_end(&upstream->handshake, start);
    buffer_free(&first);
    return STATUS_OK;
}

static enum status continue_sasl(struct session *session, struct slice server_first,
                                 struct error *error)
{
    struct upstream *upstream = &session->upstream;
    struct buffer final;
    buffer_init(&final, 2048);
    enum status status = scram_client_final(&upstream->scram, server_first, &final, error);
    if (status == STATUS_OK)
        wire_put_password(&upstream->handshake, buffer_slice(&final));
    buffer_free(&final);
    return status;
}

/* AuthenticationRequest. Only SCRAM, and "ok" (peer, certificate or trust), are taken. */
static enum status authenticate(struct session *session, struct slice body, struct error *error)
{
    struct upstream *upstream = &session->upstream;
    struct wire_reader reader = wire_reader_of(body);
    uint32_t code = wire_read_u32(&reader);
    struct slice rest = reader.failed ? body : wire_read_bytes(&reader, body.len - 4);
    if (code == 0 && upstream->scram_begun && !upstream->scram_verified)
        return error_set(error, STATUS_PEER, "08P01", NULL,
                         "the database skipped the end of SCRAM");
    bool bound =
        session->worker->server->config->upstream.channel_binding == CONFIG_BINDING_REQUIRE;
    if (code == 0 && bound && !upstream->scram_begun)
        return error_set(error, STATUS_PEER, "28000", NULL,
                         "channel binding is required, and the database asks for no password");
    if (code == 0)
        return STATUS_OK;
    if (code == 10 && !upstream->scram_begun)
        return answer_sasl(session, rest, error);
    if (code == 11 && upstream->scram_begun)
        return continue_sasl(session, rest, error);
    if (code == 12 && upstream->scram_begun) {
        TRY(scram_client_verify(&upstream->scram, rest, error));
        upstream->scram_verified = true;
        return STATUS_OK;
    }
    return error_set(error, STATUS_PEER, "28000", "set the service role's password with SCRAM",
                     "the database asks for an authentication that is not SCRAM-SHA-256");
}

/* After login: the session's own settings, then what is queued. */
static void send_settings(struct session *session)
{
    struct upstream *upstream = &session->upstream;
    struct buffer text;
    buffer_init(&text, 128 * 1024);
    for (size_t i = 0; i < session->setting_count; i++)
        if (session->settings[i] != NULL)
            buffer_printf(&text, "%s;", session->settings[i]);
    const char *sql = buffer_text(&text);
    if (text.len == 0) {
        upstream->state = UPSTREAM_READY;
    } else {
        upstream->state = UPSTREAM_SETTINGS;
        wire_put_query(&upstream->handshake, sql);
    }
    buffer_free(&text);
}

static void refuse_settings(struct session *session, const struct wire_message *message)
{
    struct error error;
    struct wire_fields fields;
    if (wire_parse_fields(message->body, &fields, &error) != STATUS_OK)
        snprintf(fields.sqlstate, sizeof fields.sqlstate, "XX000");
    struct plan_upstream_error text = plan_upstream_error(fields.sqlstate);
    session_end(session, LEDGER_OUTCOME_ERROR, fields.sqlstate, text.message, text.hint);
}

static void refuse_login(struct session *session, const struct wire_message *message)
{
    struct error error;
    struct wire_fields fields = {.sqlstate = "XX000"};
    if (wire_parse_fields(message->body, &fields, &error) == STATUS_OK)
        log_event(LOG_ERROR, "upstream_login_refused", "session=%llu sqlstate=%s",
                  (unsigned long long)session->id, fields.sqlstate);
    lost(session, "login refused");
}

void upstream_login_message(struct session *session, const struct wire_message *message)
{
    struct upstream *upstream = &session->upstream;
    struct error error;
    switch (message->type) {
    case 'R':
        if (authenticate(session, message->body, &error) != STATUS_OK) {
            lost(session, error.message);
            return;
        }
        break;
    case 'K': {
        struct wire_reader reader = wire_reader_of(message->body);
        upstream->pid = wire_read_u32(&reader);
        upstream->secret = wire_read_u32(&reader);
        break;
    }
    case 'Z':
        if (upstream->state == UPSTREAM_LOGIN)
            send_settings(session);
        else
            upstream->state = UPSTREAM_READY;
        session_touch(session);
        break;
    case 'E':
        if (upstream->state == UPSTREAM_SETTINGS)
            refuse_settings(session, message);
        else
            refuse_login(session, message);
        return;
    case 'S': /* after SET the client learns what is in force */
        if (upstream->state == UPSTREAM_SETTINGS)
            relay_parameter_status(session, message->body);
        break;
    default: /* notices, CommandComplete of the settings */
        break;
    }
    flush_handshake(session);
}

/* Login: TLS, startup packet, settings; then login_prove.c asks who it is, and whoever has proven
 * that is admitted here. Fail closed: every path that is not a proven identity ends in
 * session_end(). */
#include "gateway/login/login.h"
#include "gateway/trust/watching.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/alarm.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/deliveries.h"
#include "gateway/login/tls_desk.h"
#include "gateway/trust/trust.h"

enum { TLS_TIMEOUT_MS = 10000 };

void login_refuse(struct session *session, const char *sqlstate, const char *message,
                  const char *hint)
{
    session_end(session, LEDGER_OUTCOME_REFUSED, sqlstate, message, hint);
}

/* The one byte that answers SSLRequest or GSSENCRequest goes out before any message. */
static bool answer_byte(struct session *session, char byte)
{
    size_t put;
    return net_stream_write(session->client, &byte, 1, &put) == STATUS_OK;
}

static void begin_tls(struct session *session, enum net_tls_side side)
{
    struct error error;
    struct net_tls *tls = tls_desk_context(session->worker->server->tls);
    enum status status = net_stream_start_tls(session->client, tls, side, TLS_TIMEOUT_MS, &error);
    net_tls_release(tls);
    if (status != STATUS_OK) {
        session->dead = true;
        session_touch(session);
        return;
    }
    session->state = SESSION_HANDSHAKE;
}

static void start_tls(struct session *session)
{
    if (session->in_at != session->in.len) {
        login_refuse(session, "08P01", "plaintext data after the SSLRequest", NULL);
        return;
    }
    if (net_stream_is_tls(session->client)) {
        login_refuse(session, "08P01", "TLS is already in use", NULL);
        return;
    }
    if (answer_byte(session, 'S')) {
        begin_tls(session, NET_TLS_SERVER);
        return;
    }
    session->dead = true;
    session_touch(session);
}

bool login_begins_with_tls(struct session *session)
{
    uint8_t first;
    if (session->heard || session->is_staff || session->state != SESSION_STARTUP ||
        !net_stream_peek(session->client, &first))
        return false;
    session->heard = true;
    if (first != NET_TLS_FIRST_BYTE)
        return false;
    begin_tls(session, NET_TLS_SERVER_DIRECT);
    return true;
}

/* No GSS here. Once, and before TLS: PostgreSQL takes a second one for a protocol error, too. */
static void decline_gss(struct session *session)
{
    if (session->gss_declined || net_stream_is_tls(session->client))
        login_refuse(session, "08P01", "GSS encryption was not offered", NULL);
    else if (!answer_byte(session, 'N'))
        session->dead = true;
    session->gss_declined = true;
}

/* Settings of the startup packet pass the same gate as SET statements. */
static enum status add_setting(struct session *session, const char *name, const char *value,
                               struct error *error)
{
    if (strcmp(name, "cofferdam.purpose") == 0) {
        free(session->stated_purpose);
        session->stated_purpose = strdup(value);
        return STATUS_OK;
    }
    if (session->setting_count == SETTINGS_MAX)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "more than %d settings", SETTINGS_MAX);
    struct buffer text;
    buffer_init(&text, 4096);
    buffer_append_text(&text, "SET \"");
    for (const char *c = name; *c != '\0'; c++)
        buffer_append(&text, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    buffer_append_text(&text, "\" TO '");
    for (const char *c = value; *c != '\0'; c++)
        buffer_append(&text, *c == '\'' ? "''" : c, *c == '\'' ? 2 : 1);
    buffer_append_text(&text, "'");
    const char *sql = buffer_text(&text);
    char *copy = sql == NULL ? NULL : strdup(sql);
    buffer_free(&text);
    if (copy == NULL)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "a setting is too long");
    session->settings[session->setting_count++] = copy;
    return STATUS_OK;
}

static enum status add_option(void *context, const char *name, const char *value,
                              struct error *error)
{
    return add_setting(context, name, value, error);
}

static bool is_setting(const char *name)
{
    return strcmp(name, "user") != 0 && strcmp(name, "database") != 0 &&
           strcmp(name, "options") != 0 && strncmp(name, "_pq_.", 5) != 0;
}

static enum status read_parameters(struct session *session, const struct wire_startup *startup,
                                   struct error *error)
{
    for (size_t i = 0; i < startup->parameter_count; i++) {
        const char *name = startup->parameters[i].name, *value = startup->parameters[i].value;
        if (strcmp(name, "replication") == 0)
            return error_set(error, STATUS_PEER, "0A000", NULL, "replication is not served");
        if (strcmp(name, "options") == 0)
            TRY(wire_parse_options(value, add_option, session, error));
        else if (is_setting(name))
            TRY(add_setting(session, name, value, error));
    }
    return STATUS_OK;
}

/* Turns the settings into what goes upstream; refuses those that are not harmless. */
static enum status judge_settings(struct session *session, struct error *error)
{
    const struct worker *worker = session->worker;
    for (size_t i = 0; i < session->setting_count; i++) {
        struct plan_request request = {.model = session->snapshot->model,
                                       .partner = session->partner,
                                       .agent = session->agent,
                                       .sql = session->settings[i],
                                       .statement_bytes_limit = LIMIT_STATEMENT_BYTES,
                                       .statement_depth_limit = LIMIT_STATEMENT_DEPTH,
                                       .now_ns = clock_now_ns(),
                                       .purpose = session->purpose,
                                       .database = session->database,
                                       .statement_timeout_ms =
                                           worker->server->config->upstream.statement_timeout_ms};
        struct plan *plan;
        TRY(plan_make(&request, &plan, error));
        if (plan->setting_value != NULL && strcmp(plan->setting, "cofferdam.reason") == 0)
            snprintf(session->reason, sizeof session->reason, "%s", plan->setting_value);
        char *sql = plan->sql == NULL ? NULL : strdup(plan->sql);
        plan_release(plan);
        free(session->settings[i]);
        session->settings[i] = sql; /* NULL: nothing for upstream to do */
    }
    return STATUS_OK;
}

static void greet(struct session *session)
{
    const struct catalog *catalog = model_catalog(session->snapshot->model);
    struct buffer *out = &session->out.bytes;
    const char *const parameters[][2] = {
        {"server_version", catalog->server_version},
        {"server_encoding", "UTF8"},
        {"client_encoding", "UTF8"},
        {"application_name", ""},
        {"default_transaction_read_only",
         policy_agent_writes(session->partner, session->agent) ? "off" : "on"},
        {"in_hot_standby", "off"},
        {"is_superuser", "off"},
        {"session_authorization", session->login},
        {"DateStyle", "ISO, MDY"},
        {"IntervalStyle", "postgres"},
        {"TimeZone", "Etc/UTC"},
        {"integer_datetimes", "on"},
        {"standard_conforming_strings", "on"},
    };
    wire_put_authentication(out, LOGIN_AUTH_OK, slice_of(NULL, 0));
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        wire_put_parameter_status(out, parameters[i][0], parameters[i][1]);
    wire_put_backend_key(out, session->cancel_pid, session->cancel_secret);
    wire_put_ready(out, 'I');
}

static void write_address(const struct session *session, char text[static INET6_ADDRSTRLEN])
{
    snprintf(text, INET6_ADDRSTRLEN, "-");
    if (session->has_address)
        text_of_address(&session->address, text);
}

/* By what and from where an agent came in stands in the ledger before anything that it did. It is
 * not waited for: nothing that comes later can be durable without it. */
static enum status record_opening(const struct session *session, struct error *error)
{
    char text[512], address[INET6_ADDRSTRLEN], until[21] = "";
    const struct credential *credential = &session->credential;
    write_address(session, address);
    if (credential->expires_ns != INT64_MAX)
        clock_format_utc(credential->expires_ns, until);
    snprintf(text, sizeof text,
             "session-opened\nsession=%llu\naddress=%s\ncredential=%s\nid=%s\nexpires=%s\n",
             (unsigned long long)session->id, address, credential_kind_name(credential->kind),
             credential->id, until);
    struct ledger_entry entry = {.type = LEDGER_ACT,
                                 .chunk_count = 1,
                                 .partner = slice_of_text(session->partner->name),
                                 .agent = slice_of_text(session->agent->name),
                                 .session = session->id,
                                 .purpose = slice_of_text(session->purpose),
                                 .time_ns = clock_now_ns(),
                                 .text = slice_of_text(text)};
    uint64_t sequence;
    TRY(watching_take(session->worker->server, session->partner, session->agent, &entry, error));
    return ledger_append(session->worker->server->ledger, &entry, slice_of(NULL, 0), &sequence,
                         error);
}

/* Who holds a revoked key, and tries it, may be the thief: somebody should know, and the policy may
 * have the agent cut off whose name it carries. No stranger gets here: the key was proven. */
static void tell_revoked(const struct session *session)
{
    char text[ALARM_TEXT_BYTES], address[INET6_ADDRSTRLEN];
    write_address(session, address);
    snprintf(text, sizeof text, "the revoked %s %s was tried from %s",
             credential_kind_name(session->credential.kind), session->credential.id, address);
    const struct alarm alarm = {
        .rule = ALARM_REVOKED_CREDENTIAL,
        .partner = session->partner->name,
        .agent = session->agent->name,
        .about = session->credential.id,
        .text = text,
        .contain = (enum alarm_contain)session->partner->alarms.revoked_credential};
    alarm_raise(session->worker->server->alarms, &alarm);
}

/* The identity is proven: is the agent admitted, and with which purpose and settings? */
void login_admit(struct session *session)
{
    struct error error;
    enum status status = trust_admits(session, &error);
    if (status == STATUS_OK)
        status = session_enter(session, &error);
    if (status == STATUS_OK)
        status = snapshot_purpose(session->partner, session->agent, session->stated_purpose,
                                  &session->purpose, &error);
    if (status == STATUS_OK)
        approvals_renew(session, trust_now_ns(session));
    if (status == STATUS_OK)
        status = judge_settings(session, &error);
    if (status == STATUS_OK && !session->is_staff)
        status = record_opening(session, &error);
    if (status != STATUS_OK) {
        if (trust_is_revoked(session))
            tell_revoked(session);
        login_refuse(session, error.sqlstate, error.message, error.hint);
        return;
    }
    session->state = SESSION_READY;
    server_live_add(session->worker->server, &session->live, session->login, &session->credential);
    greet(session);
    char address[INET6_ADDRSTRLEN];
    write_address(session, address);
    log_event(LOG_INFO, "session_open",
              "session=%llu agent=%s address=%s tls=%s credential=%s id=%s purpose=\"%s\"",
              (unsigned long long)session->id, session->login, address,
              net_stream_tls_version(session->client),
              credential_kind_name(session->credential.kind), session->credential.id,
              session->purpose);
}

/* Takes the delivery's id and nothing else of the options: a file shows what a session without any
 * settings shows. */
static enum status take_delivery(void *context, const char *name, const char *value,
                                 struct error *error)
{
    char *id = context;
    if (strcmp(name, "cofferdam.delivery") != 0)
        return error_set(error, STATUS_DENIED, "0A000", NULL, "a delivery has no settings");
    return delivery_id_parse(value, id, error);
}

/* Who asks is known from the socket, and what for from the admin database: the delivery that is
 * named here was opened there by the same user, and nobody has taken it yet. */
static void open_delivery(struct session *session, const struct wire_startup *startup)
{
    struct error error;
    struct worker *worker = session->worker;
    struct deliveries_ticket ticket = {.id = ""};
    const char *options = wire_startup_value(startup, "options");
    uid_t uid;
    pid_t pid;
    enum status status =
        options == NULL ? error_set(&error, STATUS_DENIED, "28000", "use cofferdam export",
                                    "this door is for deliveries, and the connection names none")
                        : wire_parse_options(options, take_delivery, ticket.id, &error);
    if (status == STATUS_OK && (!net_stream_peer_user(session->client, &uid, &pid) ||
                                !deliveries_claim(worker->server->deliveries, uid, &ticket)))
        status = error_set(&error, STATUS_DENIED, "28000", "use cofferdam export",
                           "no delivery %s waits for this user", ticket.id);
    if (status != STATUS_OK) {
        login_refuse(session, error.sqlstate, error.message, error.hint);
        return;
    }
    snprintf(session->login, sizeof session->login, "%s", ticket.login);
    session->database = strdup(worker->server->config->upstream.database);
    session->stated_purpose = strdup(ticket.purpose);
    session->snapshot = snapshot_retain(worker->snapshot);
    session->plan_epoch = worker->plan_epoch;
    const struct policy *policy = worker->snapshot->policy;
    session->agent = policy_find_agent(policy, session->login, &session->partner);
    if (session->agent == NULL)
        session->agent = policy_find_nobody(policy, session->login, &session->partner);
    if (session->agent == NULL) {
        login_refuse(session, "28000", "the partner or agent is no longer in the policy", NULL);
        return;
    }
    memcpy(session->delivery, ticket.id, sizeof session->delivery);
    session->credential.kind = CREDENTIAL_STAFF;
    login_admit(session);
}

static void open_session(struct session *session, const struct wire_startup *startup)
{
    struct error error;
    struct worker *worker = session->worker;
    const char *user = wire_startup_value(startup, "user");
    if (startup->protocol >> 16 != 3) {
        login_refuse(session, "0A000", "unsupported protocol version", "use protocol 3.0");
        return;
    }
    if (session->is_staff) {
        open_delivery(session, startup);
        return;
    }
    if (!net_stream_is_tls(session->client)) {
        login_refuse(session, "28000", "TLS is required", "connect with sslmode=verify-full");
        return;
    }
    if (user == NULL || strlen(user) >= sizeof session->login) {
        login_refuse(session, "28000", "no user name", "log in as partner.agent");
        return;
    }
    const char *database = wire_startup_value(startup, "database");
    snprintf(session->login, sizeof session->login, "%s", user);
    session->database = strdup(database == NULL || database[0] == '\0' ? user : database);
    if (read_parameters(session, startup, &error) != STATUS_OK) {
        login_refuse(session, error.sqlstate, error.message, error.hint);
        return;
    }
    session->snapshot = snapshot_retain(worker->snapshot);
    session->plan_epoch = worker->plan_epoch;
    login_prove(session);
}

/* Protocol 3.2 and "_pq_." options: say what we do speak and go on (manual, "Startup"). */
static void negotiate(struct session *session, const struct wire_startup *startup)
{
    const char *unknown[WIRE_MAX_STARTUP_PARAMETERS];
    size_t count = 0;
    for (size_t i = 0; i < startup->parameter_count; i++)
        if (strncmp(startup->parameters[i].name, "_pq_.", 5) == 0)
            unknown[count++] = startup->parameters[i].name;
    if (count > 0 || (startup->protocol >> 16 == 3 && (startup->protocol & 0xFFFF) != 0))
        wire_put_negotiate(&session->out.bytes, 0, unknown, count);
}

void login_startup(struct session *session, const struct wire_message *message)
{
    struct error error;
    struct wire_startup startup;
    if (wire_parse_startup(message->body, &startup, &error) != STATUS_OK) {
        login_refuse(session, error.sqlstate, error.message, error.hint);
        return;
    }
    switch (startup.kind) {
    case WIRE_STARTUP_SSL:
        start_tls(session);
        break;
    case WIRE_STARTUP_GSSENC:
        decline_gss(session);
        break;
    case WIRE_STARTUP_CANCEL:
        worker_post_cancel(session->worker->server, startup.cancel_pid, startup.cancel_secret,
                           &session->address);
        session->dead = true;
        break;
    case WIRE_STARTUP_SESSION:
        negotiate(session, &startup);
        open_session(session, &startup);
        break;
    }
    session_touch(session);
}

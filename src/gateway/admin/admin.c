/* Admin connections: startup, peer check, simple queries. There are two doors, each with a thread
 * and room of its own: what contains must not wait behind a long answer or a crowd. */
#include "gateway/admin/admin.h"
#include "gateway/admin/admin_asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "gateway/trust/contain.h"
#include "gateway/login/tls_desk.h"
#include "wire/wire.h"
#include "registry/requests.h"

enum {
    STACK_BYTES = 128 * 1024 * 1024,
    READ_BYTES = 16 * 1024,
    OUT_LIMIT = 256 * 1024 * 1024,
    MAX_CONNECTIONS = 50,
    MAX_STRANGERS =
        8, /* of these, by users who may not administer: they are told so, and no more */
    LOOK_MS = 500,
    SETTLE_LOOKS = 20,
};
static const int64_t STARTUP_NS = INT64_C(10) * 1000000000; /* to send a startup packet */

struct admin {
    struct server *server;
    struct net_loop *loop;
    struct net_listener *listener;
    struct net_timer *look; /* at the listener's certificate, or what is not in the ledger yet */
    bool is_urgent;         /* serves what contains, and nothing that takes long */
    struct admin *urgent;   /* of the ordinary door: the other one; owned */
    unsigned looks;
    struct admin_connection *connections;
    size_t connection_count, stranger_count;
    pthread_t thread;
};

struct admin_connection {
    struct admin_connection *next;
    struct admin *admin;
    struct net_stream *stream;
    struct buffer in, out;
    size_t out_at;
    int64_t since_ns; /* monotonic */
    bool started, closing, is_stranger;
    char by[64];
};

static void drop(struct admin_connection *connection)
{
    struct admin *admin = connection->admin;
    for (struct admin_connection **at = &admin->connections; *at != NULL; at = &(*at)->next) {
        if (*at == connection) {
            *at = connection->next;
            break;
        }
    }
    admin->connection_count--;
    admin->stranger_count -= connection->is_stranger;
    net_stream_close(connection->stream);
    buffer_free(&connection->in);
    buffer_free(&connection->out);
    free(connection);
}

/* False when the connection is gone. */
static bool flush(struct admin_connection *connection)
{
    while (connection->out_at < connection->out.len) {
        size_t put;
        enum status status =
            net_stream_write(connection->stream, connection->out.data + connection->out_at,
                             connection->out.len - connection->out_at, &put);
        if (status == STATUS_AGAIN) {
            net_stream_want(connection->stream, false, true);
            return true;
        }
        if (status != STATUS_OK) {
            drop(connection);
            return false;
        }
        connection->out_at += put;
    }
    connection->out_at = 0;
    buffer_free(&connection->out);
    if (connection->closing) {
        drop(connection);
        return false;
    }
    net_stream_want(connection->stream, true, false);
    return true;
}

static bool allowed(const struct config *config, uid_t uid)
{
    if (uid == 0 || uid == geteuid())
        return true;
    for (size_t i = 0; i < config->admin.user_count; i++)
        if (config->admin.users[i] == uid)
            return true;
    return false;
}

static void refuse(struct admin_connection *connection, const char *message, const char *hint)
{
    wire_put_error(&connection->out, "FATAL", "28000", message, hint);
    connection->closing = true;
}

static void greet(struct admin_connection *connection)
{
    struct buffer *out = &connection->out;
    wire_put_authentication(out, 0, slice_of(NULL, 0));
    wire_put_parameter_status(out, "server_version", "15.0 (Cofferdam)");
    wire_put_parameter_status(out, "server_encoding", "UTF8");
    wire_put_parameter_status(out, "client_encoding", "UTF8");
    wire_put_parameter_status(out, "DateStyle", "ISO, MDY");
    wire_put_parameter_status(out, "integer_datetimes", "on");
    wire_put_parameter_status(out, "standard_conforming_strings", "on");
    wire_put_ready(out, 'I');
}

static void on_startup(struct admin_connection *connection, const struct wire_message *message)
{
    struct error error;
    struct wire_startup startup;
    uid_t uid;
    pid_t pid;
    if (wire_parse_startup(message->body, &startup, &error) != STATUS_OK) {
        refuse(connection, error.message, error.hint);
        return;
    }
    if (startup.kind == WIRE_STARTUP_SSL || startup.kind == WIRE_STARTUP_GSSENC) {
        buffer_append_u8(&connection->out, 'N');
        return;
    }
    const char *database = wire_startup_value(&startup, "database");
    if (startup.kind == WIRE_STARTUP_CANCEL) {
        connection->closing = true;
    } else if (!net_stream_peer_user(connection->stream, &uid, &pid) ||
               !allowed(connection->admin->server->config, uid)) {
        log_event(LOG_WARNING, "admin_refused", "uid=%u", (unsigned)uid);
        refuse(connection, "this user may not administer the gateway",
               "list the uid under admin.users in cofferdam.yaml");
    } else if (database == NULL || strcmp(database, "cofferdam") != 0) {
        refuse(connection, "only the database \"cofferdam\" is served here", NULL);
    } else {
        snprintf(connection->by, sizeof connection->by, "uid %u", (unsigned)uid);
        connection->started = true;
        greet(connection);
    }
}

static void put_table(struct buffer *out, const struct table *table, const char *tag)
{
    char complete[64], sentence[SINCE_SENTENCE_ROOM];
    since_sentence(table->since, sentence);
    if (sentence[0] != '\0') /* for people; programs ask SHOW SINCE */
        wire_put_notice(out, "NOTICE", "01000", sentence, NULL);
    wire_put_text_row_description(out, table->columns, table->column_count);
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        wire_put_text_row(out, row->cells, table->column_count);
    snprintf(complete, sizeof complete, "%s %zu", tag, table->row_count);
    wire_put_command_complete(out, complete);
}

/* What the urgent door serves. */
static bool is_urgent(const char *text)
{
    static const char *const commands[] = {"CONTAIN ", "REVOKE CREDENTIAL ", "SHOW CONTAINMENT",
                                           "SHOW SESSIONS", "SHOW REVOKED"};
    text += strspn(text, " \t\r\n;");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strncasecmp(text, commands[i], strlen(commands[i])) == 0)
            return true;
    return false;
}

static void on_query(struct admin_connection *connection, const char *text)
{
    struct error error;
    struct table table;
    const char *tag;
    struct buffer *out = &connection->out;
    if (text[strspn(text, " \t\r\n;")] == '\0') {
        wire_put_empty(out, 'I');
    } else if (connection->admin->is_urgent && !is_urgent(text)) {
        wire_put_error(out, "ERROR", "0A000", "this door serves what contains and revokes",
                       "the run folder's own socket serves everything");
    } else if (admin_command(connection->admin->server, text, connection->by, &table, &tag,
                             &error) != STATUS_OK) {
        wire_put_error(out, "ERROR", error.sqlstate, error.message, error.hint);
    } else {
        if (table_overflowed(&table))
            wire_put_error(out, "ERROR", "54000", "the answer is too large",
                           "ask for a partner, or for a shorter time");
        else
            put_table(out, &table, tag);
        table_free(&table);
    }
    wire_put_ready(out, 'I');
}

static void on_message(struct admin_connection *connection, const struct wire_message *message)
{
    struct wire_reader reader = wire_reader_of(message->body);
    if (!connection->started) {
        on_startup(connection, message);
    } else if (message->type == 'X') {
        connection->closing = true;
    } else if (message->type == 'Q') {
        const char *text = wire_read_text(&reader);
        on_query(connection, wire_reader_done(&reader) ? text : ";");
    } else if (message->type == 'S') {
        wire_put_ready(&connection->out, 'I');
    } else if (message->type == 'P') {
        wire_put_error(&connection->out, "ERROR", "0A000",
                       "the admin database speaks the simple protocol only", NULL);
    }
    if (connection->out.overflowed)
        connection->closing = true;
}

static enum status next_message(struct admin_connection *connection, struct wire_message *message,
                                struct error *error)
{
    size_t needed;
    if (!connection->started)
        return wire_next_startup(buffer_slice(&connection->in), message, error);
    return wire_next_message(buffer_slice(&connection->in), LIMIT_MESSAGE_BYTES, message, &needed,
                             error);
}

static void readable(void *context)
{
    struct admin_connection *connection = context;
    struct wire_message message;
    struct error error;
    size_t got;
    uint8_t *room = buffer_reserve(&connection->in, READ_BYTES);
    enum status status =
        room == NULL ? STATUS_PEER : net_stream_read(connection->stream, room, READ_BYTES, &got);
    if (status == STATUS_AGAIN)
        return;
    if (status != STATUS_OK) {
        drop(connection);
        return;
    }
    connection->in.len += got;
    while (!connection->closing &&
           (status = next_message(connection, &message, &error)) == STATUS_OK) {
        on_message(connection, &message);
        buffer_consume(&connection->in, message.size);
    }
    if (status != STATUS_OK && status != STATUS_AGAIN)
        refuse(connection, error.message, error.hint);
    (void)flush(connection);
}

static void writable(void *context)
{
    (void)flush(context);
}

static void ready(void *context, const struct error *error)
{
    (void)context;
    (void)error;
}

static const struct net_handlers handlers = {
    .readable = readable, .writable = writable, .ready = ready};

/* Anyone on this machine may connect; nobody without a right may keep those away who have it. */
static void on_accept(void *context, struct net_stream *stream)
{
    struct admin *admin = context;
    uid_t uid;
    pid_t pid;
    bool is_stranger =
        !net_stream_peer_user(stream, &uid, &pid) || !allowed(admin->server->config, uid);
    bool full = admin->connection_count >= MAX_CONNECTIONS ||
                (is_stranger && admin->stranger_count >= MAX_STRANGERS);
    struct admin_connection *connection = full ? NULL : calloc(1, sizeof *connection);
    if (connection == NULL) {
        net_stream_close(stream);
        return;
    }
    connection->since_ns = clock_monotonic_ns();
    connection->is_stranger = is_stranger;
    admin->stranger_count += is_stranger;
    connection->admin = admin;
    connection->stream = stream;
    connection->next = admin->connections;
    admin->connections = connection;
    admin->connection_count++;
    buffer_init(&connection->in, LIMIT_MESSAGE_BYTES + READ_BYTES);
    buffer_init(&connection->out, OUT_LIMIT);
    net_stream_handle(stream, &handlers, connection);
    net_stream_want(stream, true, false);
}

/* What the registry, then the ledger, could not take, while there may be room now. */
static void settle(struct server *server)
{
    struct error error;
    if (registry_store_late(server->registry, &error) != STATUS_OK)
        log_event(LOG_WARNING, "not_stored", "hint=\"a restart forgets it\" reason=\"%s\"",
                  error.message);
    if (contain_settle(server, &error) != STATUS_OK)
        log_event(LOG_WARNING, "acts_wait", "for=\"the ledger or the registry to take them\"");
    admin_prune_requests(server);
}

/* Twice a second: connections that say nothing, and the listener's certificate. */
static void on_look(void *context)
{
    struct admin *admin = context;
    int64_t now_ns = clock_monotonic_ns();
    for (struct admin_connection *at = admin->connections, *next; at != NULL; at = next) {
        next = at->next;
        if (!at->started && now_ns - at->since_ns > STARTUP_NS)
            drop(at);
    }
    if (!admin->is_urgent)
        tls_desk_look(admin->server);
    else if (++admin->looks % SETTLE_LOOKS == 0)
        settle(admin->server);
}

static void *admin_main(void *context)
{
    struct admin *admin = context;
    net_loop_run(admin->loop);
    while (admin->connections != NULL)
        drop(admin->connections);
    net_listener_close(admin->listener);
    net_timer_close(admin->look);
    return NULL;
}

/* Anyone may knock: who may enter is decided by the peer's user. */
static enum status open_door(struct admin *admin, struct error *error)
{
    const struct config *config = admin->server->config;
    char path[4096];
    snprintf(path, sizeof path, "%s%s", config->run_folder, admin->is_urgent ? "/urgent" : "");
    TRY(file_make_folder(path, 0755, error));
    snprintf(path + strlen(path), sizeof path - strlen(path), "/.s.PGSQL.%u", config->admin.port);
    TRY(net_loop_open(&admin->loop, error));
    TRY(net_listen_unix(admin->loop, path, 0666, on_accept, admin, &admin->listener, error));
    TRY(net_timer_open(admin->loop, on_look, admin, &admin->look));
    net_timer_start(admin->look, 0, LOOK_MS);
    return STATUS_OK;
}

static enum status start_thread(struct admin *admin, struct error *error)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int failed = pthread_create(&admin->thread, &attributes, admin_main, admin);
    pthread_attr_destroy(&attributes);
    return failed == 0
               ? STATUS_OK
               : error_set(error, STATUS_IO, "58030", NULL, "the admin thread did not start");
}

static enum status start(struct server *server, bool is_urgent, struct admin **out,
                         struct error *error)
{
    struct admin *admin = calloc(1, sizeof *admin);
    if (admin == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    admin->server = server;
    admin->is_urgent = is_urgent;
    enum status status = open_door(admin, error);
    if (status == STATUS_OK)
        status = start_thread(admin, error);
    if (status == STATUS_OK) {
        *out = admin;
        return STATUS_OK;
    }
    net_timer_close(admin->look);
    net_listener_close(admin->listener);
    if (admin->loop != NULL)
        net_loop_close(admin->loop);
    free(admin);
    return status;
}

enum status admin_start(struct server *server, struct admin **out, struct error *error)
{
    struct admin *urgent = NULL;
    TRY(start(server, true, &urgent, error));
    enum status status = start(server, false, out, error);
    if (status == STATUS_OK)
        (*out)->urgent = urgent;
    else
        admin_stop(urgent);
    return status;
}

void admin_stop(struct admin *admin)
{
    if (admin == NULL)
        return;
    admin_stop(admin->urgent);
    net_loop_stop(admin->loop);
    pthread_join(admin->thread, NULL);
    net_loop_close(admin->loop);
    free(admin);
}

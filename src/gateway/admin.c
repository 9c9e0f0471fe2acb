/* Admin connections: startup, peer check, simple queries. */
#include "gateway/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/tls_desk.h"
#include "wire/wire.h"

enum {
    STACK_BYTES = 128 * 1024 * 1024,
    READ_BYTES = 16 * 1024,
    OUT_LIMIT = 256 * 1024 * 1024,
    MAX_CONNECTIONS = 50,
    MAX_STRANGERS =
        8, /* of these, by users who may not administer: they are told so, and no more */
    LOOK_MS = 500,
};
static const int64_t STARTUP_NS = INT64_C(10) * 1000000000; /* to send a startup packet */

struct admin {
    struct server *server;
    struct net_loop *loop;
    struct net_listener *listener;
    struct net_timer *look; /* at the listener's certificate */
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

static void on_query(struct admin_connection *connection, const char *text)
{
    struct error error;
    struct table table;
    const char *tag;
    struct buffer *out = &connection->out;
    if (text[strspn(text, " \t\r\n;")] == '\0') {
        wire_put_empty(out, 'I');
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
    tls_desk_look(admin->server);
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

enum status admin_start(struct server *server, struct admin **out, struct error *error)
{
    const struct config *config = server->config;
    char path[4096];
    snprintf(path, sizeof path, "%s/.s.PGSQL.%u", config->run_folder, config->admin.port);
    struct admin *admin = calloc(1, sizeof *admin);
    if (admin == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    admin->server = server;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    enum status status = net_loop_open(&admin->loop, error);
    /* Anyone may knock: who may enter is decided by the peer's user. */
    if (status == STATUS_OK)
        status =
            net_listen_unix(admin->loop, path, 0666, on_accept, admin, &admin->listener, error);
    if (status == STATUS_OK)
        status = net_timer_open(admin->loop, on_look, admin, &admin->look);
    if (status == STATUS_OK)
        net_timer_start(admin->look, 0, LOOK_MS);
    if (status == STATUS_OK && pthread_create(&admin->thread, &attributes, admin_main, admin) != 0)
        status = error_set(error, STATUS_IO, "58030", NULL, "the admin thread did not start");
    pthread_attr_destroy(&attributes);
    if (status != STATUS_OK) {
        net_listener_close(admin->listener);
        net_timer_close(admin->look);
        if (admin->loop != NULL)
            net_loop_close(admin->loop);
        free(admin);
        return status;
    }
    *out = admin;
    return STATUS_OK;
}

void admin_stop(struct admin *admin)
{
    if (admin == NULL)
        return;
    net_loop_stop(admin->loop);
    pthread_join(admin->thread, NULL);
    net_loop_close(admin->loop);
    free(admin);
}

/* COPY FROM STDIN: data in, INSERTs out. See copy_in.h. */
#include "gateway/statement/frontend.h"

#include <stdio.h>
#include <string.h>

enum {
    ROWS_MOST = 100000,           /* as of any write */
    DATA_MOST = 64 * 1024 * 1024, /* bytes, of one COPY */
    BATCH_BYTES = 256 * 1024,
    DATA_BYTES = 2 * LIMIT_MESSAGE_BYTES + 64, /* a row that is not whole, and a message */
};

bool copy_in_active(const struct session *session)
{
    return session->copy_in.plan != NULL;
}

bool copy_in_hungry(const struct session *session)
{
    return session->copy_in.hungry;
}

void copy_in_simple(struct session *session)
{
    session->copy_in.simple = true;
}

void copy_in_written(struct session *session, uint64_t rows)
{
    session->copy_in.written += rows;
}

void copy_in_drop(struct session *session)
{
    struct copy_in *copy = &session->copy_in;
    plan_release(copy->plan);
    buffer_free(&copy->data);
    buffer_free(&copy->rows);
    *copy = (struct copy_in){0};
}

/* A simple query ends in a Sync of ours, which frontend_continue sends when it may. */
static void finish(struct session *session)
{
    bool simple = session->copy_in.simple;
    copy_in_drop(session);
    if (simple && session->several.sql == NULL)
        session->writes.sync_due = true;
    session_touch(session);
}

void copy_in_failed(struct session *session)
{
    if (copy_in_active(session))
        finish(session);
}

static void fail(struct session *session, const struct error *error)
{
    frontend_refuse(session, NULL, error);
    finish(session);
}

enum status copy_in_begin(struct session *session, struct plan *plan, struct error *error)
{
    struct copy_in *copy = &session->copy_in;
    struct buffer text;
    if (session->transaction == 'E' && session->replies.count == 0)
        return error_set(error, STATUS_DENIED, "25P02", "ROLLBACK first",
                         "the transaction has failed");
    copy->plan = plan_retain(plan);
    buffer_init(&copy->data, DATA_BYTES);
    buffer_init(&copy->rows, BATCH_BYTES + LIMIT_MESSAGE_BYTES + 4 * LIMIT_PARAMETERS);
    wire_copy_read_begin(&copy->reader, plan->copy, plan->visible_names, plan->visible_count);
    buffer_init(&text, 4096);
    wire_put_copy_in(&text, plan->copy, plan->visible_count);
    frontend_push_text(session, REPLY_FAKE, &text, 0);
    if (session->unsynced) /* the answers to what stands before it */
        wire_put_empty(&session->upstream.out, 'H');
    session_touch(session);
    return STATUS_OK;
}

/* ---- rows ---- */

/* How many rows an INSERT may have: a power of two, so that few different ones are planned. */
static size_t rows_at_once(const struct session *session, const struct plan *plan)
{
    enum { VALUE_BYTES = 7, ROW_BYTES = 4 }; /* "$1000, " and "(), " */
    size_t room = session->worker->server->config->limits.statement_bytes;
    size_t begin = strlen(plan->preparation.sql);
    size_t per_row = plan->visible_count * VALUE_BYTES + ROW_BYTES, rows = COPY_IN_ROWS;
    room = room > begin ? room - begin : 0;
    while (rows > 1 && (rows * plan->visible_count > LIMIT_PARAMETERS || rows * per_row > room))
        rows /= 2;
    return rows;
}

static bool enough(const struct session *session)
{
    const struct copy_in *copy = &session->copy_in;
    return copy->row_count >= rows_at_once(session, copy->plan) || copy->rows.len >= BATCH_BYTES;
}

static enum status too_long(const struct copy_in *copy, struct error *error)
{
    return error_set(error, STATUS_LIMIT, "54000", NULL,
                     "line %llu of the data: a row is longer than %d bytes",
                     (unsigned long long)copy->reader.line, LIMIT_MESSAGE_BYTES);
}

/* As many as any write may have, and as one statement may tell of. */
static enum status check_count(const struct session *session, struct error *error)
{
    const struct copy_in *copy = &session->copy_in;
    uint64_t rows = copy->given + copy->row_count,
             most = session->partner->budget.rows_per_statement;
    if (most > 0 && rows >= most)
        return error_set(error, STATUS_LIMIT, "53400", "copy fewer rows at once",
                         "one statement may have at most %llu rows", (unsigned long long)most);
    if (rows >= ROWS_MOST)
        return error_set(error, STATUS_LIMIT, "54000", "copy fewer rows at once",
                         "one COPY may write at most %d rows", ROWS_MOST);
    return STATUS_OK;
}

static enum status take_row(struct copy_in *copy, struct error *error)
{
    size_t start = copy->row_count == 0 ? 0 : copy->ends[copy->row_count - 1];
    if (copy->rows.overflowed ||
        copy->rows.len - start > LIMIT_MESSAGE_BYTES + 4 * copy->plan->visible_count)
        return too_long(copy, error);
    copy->ends[copy->row_count++] = copy->rows.len;
    return STATUS_OK;
}

/* Reads rows until there are enough, or no more. STATUS_AGAIN: the data does not go that far. */
static enum status read_rows(struct session *session, struct error *error)
{
    struct copy_in *copy = &session->copy_in;
    while (!enough(session)) {
        size_t taken;
        struct slice rest =
            slice_of(copy->data.data + copy->data_at, copy->data.len - copy->data_at);
        enum status status =
            wire_copy_read(&copy->reader, rest, copy->done, &taken, &copy->rows, error);
        if (status == STATUS_OK || status == STATUS_AGAIN)
            copy->data_at += taken;
        if (status == STATUS_NOT_FOUND) { /* what stands behind an end marker is ignored */
            copy->data_at = copy->data.len;
            copy->ended = copy->done;
            return copy->done ? STATUS_OK : STATUS_AGAIN;
        }
        if (status == STATUS_AGAIN && rest.len - taken > LIMIT_MESSAGE_BYTES)
            return too_long(copy, error);
        TRY(status);
        TRY(check_count(session, error));
        TRY(take_row(copy, error));
    }
    return STATUS_OK;
}

/* ---- INSERT ---- */

static enum status insert_text(const struct plan *plan, size_t rows, struct buffer *text,
                               struct error *error)
{
    buffer_append_text(text, plan->preparation.sql);
    for (size_t row = 0, number = 1; row < rows; row++) {
        for (size_t i = 0; i < plan->visible_count; i++)
            buffer_printf(text, "%s$%zu", i > 0 ? ", " : row > 0 ? ", (" : "(", number++);
        buffer_append_u8(text, ')');
    }
    return buffer_text(text) == NULL
               ? error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory")
               : STATUS_OK;
}

static enum status plan_insert(struct session *session, size_t rows, struct planned **planned,
                               struct error *error)
{
    struct buffer text;
    buffer_init(&text, LIMIT_STATEMENT_BYTES + 32 * LIMIT_PARAMETERS);
    enum status status = insert_text(session->copy_in.plan, rows, &text, error);
    if (status == STATUS_OK)
        status = frontend_plan(session, buffer_text(&text), NULL, 0, planned, error);
    buffer_free(&text);
    return status;
}

static enum status send_errand(struct session *session, struct errand *errand, size_t rows,
                               struct error *error)
{
    static const uint8_t binary[] = {0, 1};
    const struct copy_in *copy = &session->copy_in;
    bool is_binary = copy->plan->copy->format == WIRE_COPY_BINARY;
    struct wire_bind bind = {.format_count = is_binary ? 1 : 0,
                             .formats = slice_of(binary, is_binary ? sizeof binary : 0),
                             .parameter_count = rows * copy->plan->visible_count,
                             .parameters = slice_of(copy->rows.data, copy->ends[rows - 1])};
    char name[24];
    TRY(errand_pin(errand, &bind, error));
    TRY(errand_prepare(session, errand, name, error));
    TRY(errand_bind(session, errand, "", name, &bind, true, error));
    return frontend_execute(session, errand->planned, errand->run, 0, "", 0, true, error);
}

static enum status send_planned(struct session *session, struct planned *planned, size_t rows,
                                struct error *error)
{
    struct errand errand;
    if (planned->plan->client_parameter_count != rows * session->copy_in.plan->visible_count)
        return error_set(error, STATUS_DENIED, "0A000", "copy again",
                         "the policy has changed meanwhile");
    enum status status = errand_make(session, planned, NULL, &errand, error);
    if (status == STATUS_OK)
        status = send_errand(session, &errand, rows, error);
    errand_free(&errand);
    return status;
}

/* Sends the first rows, as many as a power of two takes. */
static enum status send_rows(struct session *session, struct error *error)
{
    struct copy_in *copy = &session->copy_in;
    struct planned *planned;
    size_t rows = rows_at_once(session, copy->plan);
    while (rows > copy->row_count)
        rows /= 2;
    TRY(plan_insert(session, rows, &planned, error));
    enum status status = send_planned(session, planned, rows, error);
    planned_release(planned);
    TRY(status);
    size_t sent = copy->ends[rows - 1];
    buffer_consume(&copy->rows, sent);
    copy->row_count -= rows;
    copy->given += rows;
    for (size_t i = 0; i < copy->row_count; i++)
        copy->ends[i] = copy->ends[i + rows] - sent;
    return STATUS_OK;
}

/* ---- its course ---- */

static enum status complete(struct session *session, struct error *error)
{
    const struct copy_in *copy = &session->copy_in;
    struct buffer text;
    char tag[40];
    if (copy->written != copy->given)
        return error_set(error, STATUS_PEER, "XX000", NULL,
                         "upstream did not say what became of a row that was to be written");
    snprintf(tag, sizeof tag, "COPY %llu", (unsigned long long)copy->written);
    buffer_init(&text, 100);
    wire_put_command_complete(&text, tag);
    frontend_push_text(session, REPLY_FAKE, &text, 0);
    finish(session);
    return STATUS_OK;
}

static enum status step(struct session *session, struct error *error)
{
    const struct copy_in *copy = &session->copy_in;
    if (!copy->ended)
        TRY(read_rows(session, error));
    return copy->row_count > 0 ? send_rows(session, error) : complete(session, error);
}

void copy_in_continue(struct session *session)
{
    struct copy_in *copy = &session->copy_in;
    while (copy_in_active(session) && session->state == SESSION_READY) {
        struct error error;
        copy->hungry = false;
        if (session->replies.count > 0 || writes_wait(session))
            return;
        enum status status = step(session, &error);
        copy->hungry = status == STATUS_AGAIN;
        if (status == STATUS_AGAIN || status == STATUS_CLOSED)
            return;
        if (status != STATUS_OK)
            fail(session, &error);
    }
}

static enum status take_data(struct copy_in *copy, struct slice data, struct error *error)
{
    buffer_consume(&copy->data, copy->data_at);
    copy->data_at = 0;
    copy->bytes += data.len;
    if (copy->bytes > DATA_MOST)
        return error_set(error, STATUS_LIMIT, "54000", "copy fewer rows at once",
                         "one COPY may take at most %d bytes", DATA_MOST);
    buffer_append(&copy->data, data.data, data.len);
    return copy->data.overflowed ? too_long(copy, error) : STATUS_OK;
}

static enum status take_message(struct session *session, const struct wire_message *message,
                                struct error *error)
{
    struct copy_in *copy = &session->copy_in;
    switch (message->type) {
    case 'd':
        return take_data(copy, message->body, error);
    case 'c':
        copy->done = true;
        return STATUS_OK;
    case 'f':
        return error_set(error, STATUS_DENIED, "57014", NULL,
                         "COPY FROM STDIN failed: the client has ended it");
    case 'H':
    case 'S': /* of a client that always sends them behind Execute */
        return STATUS_OK;
    default:
        return error_set(error, STATUS_DENIED, "08P01", NULL,
                         "unexpected message type 0x%02x during COPY FROM STDIN", message->type);
    }
}

void copy_in_message(struct session *session, const struct wire_message *message)
{
    struct error error;
    if (take_message(session, message, &error) == STATUS_OK)
        copy_in_continue(session);
    else
        fail(session, &error);
}

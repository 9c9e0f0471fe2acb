/* Frontend: the client's messages, judged one by one. What passes goes upstream at once with an
 * expected reply; what is refused gets its error in its place in the order of replies. Here: the
 * way of each message, and the simple protocol. */
#include "gateway/statement/frontend.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/statement/renew.h"
#include "gateway/statement/statements.h"

/* A text that ends where its message ends. */
static enum status message_text(struct slice body, const char **text, struct error *error)
{
    struct wire_reader reader = wire_reader_of(body);
    *text = wire_read_text(&reader);
    if (!wire_reader_done(&reader))
        return error_set(error, STATUS_PEER, "08P01", NULL, "malformed message");
    return STATUS_OK;
}

static void describe_local(struct session *session, const struct plan *plan)
{
    struct buffer text;
    buffer_init(&text, 4096);
    local_description(plan, &text);
    frontend_push_text(session, REPLY_FAKE, &text, 0);
}

static enum status run_planned(struct session *session, struct planned *planned,
                               struct error *error)
{
    const struct plan *plan = planned->plan;
    if (plan->client_parameter_count > 0)
        return error_set(error, STATUS_DENIED, "42P02", "use the extended protocol",
                         "a simple query cannot have parameters");
    if (frontend_goes_upstream(plan))
        return frontend_run(session, planned, false, error);
    if (plan->kind == PLAN_RENEW)
        return renew_ask_simple(session, plan, error);
    if (plan->kind == PLAN_LOCAL)
        describe_local(session, plan);
    return frontend_answer(session, planned->plan, error);
}

static enum status query(struct session *session, const char *sql, struct error *error)
{
    struct planned *planned;
    TRY(frontend_plan(session, sql, NULL, 0, &planned, error));
    enum status status = run_planned(session, planned, error);
    planned_release(planned);
    if (copy_in_active(session))
        copy_in_simple(session);
    return status;
}

/* Answers what went wrong, if something did. */
static void answer_failure(struct session *session, enum status status, const char *sql,
                           const struct error *error)
{
    if (status != STATUS_OK && status != STATUS_CLOSED)
        frontend_refuse(session, sql, error);
}

/* Might there be several statements? Something stands behind a semicolon. */
static bool may_hold_several(const char *sql)
{
    const char *first = strchr(sql, ';');
    return first != NULL && first[1 + strspn(first + 1, "; \t\r\n")] != '\0';
}

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* Keeps the statements of a text for frontend_continue, if it has more than one. */
static enum status split_query(struct session *session, const char *sql, struct error *error)
{
    const struct config *config = session->worker->server->config;
    struct several *several = &session->several;
    struct plan_part parts[LIMIT_STATEMENTS_IN_TEXT];
    size_t count;
    TRY(plan_split(sql, config->limits.statement_bytes, config->limits.statement_depth, parts,
                   LIMIT_STATEMENTS_IN_TEXT, &count, error));
    if (count <= 1)
        return STATUS_OK;
    if (count > LIMIT_STATEMENTS_IN_TEXT)
        return error_set(error, STATUS_LIMIT, "54000", "send them in several queries",
                         "more than %d statements in one query", LIMIT_STATEMENTS_IN_TEXT);
    *several = (struct several){.sql = strdup(sql), .count = count};
    several->parts = calloc(count, sizeof several->parts[0]);
    if (several->sql == NULL || several->parts == NULL) {
        frontend_drop_several(session);
        return out_of_memory(error);
    }
    memcpy(several->parts, parts, count * sizeof parts[0]);
    return STATUS_OK;
}

void frontend_drop_several(struct session *session)
{
    free(session->several.sql);
    free(session->several.parts);
    session->several = (struct several){0};
}

/* One of several, planned now: it may be about what those before it have made. */
static void next_of_several(struct session *session)
{
    struct several *several = &session->several;
    const struct plan_part *part = &several->parts[several->next++];
    char *text = strndup(several->sql + part->at, part->len);
    struct error error;
    enum status status = text == NULL ? out_of_memory(&error) : query(session, text, &error);
    answer_failure(session, status, text, &error);
    free(text);
}

static bool must_wait(const struct session *session)
{
    return session->replies.count >= LIMIT_PENDING_REPLIES / 2 || copy_in_active(session) ||
           session->renewal.waits || frontend_must_wait(session);
}

/* Upstream gets no Sync in between: one transaction, and an error ends the rest. */
static void continue_several(struct session *session)
{
    struct several *several = &session->several;
    while (several->sql != NULL && session->state == SESSION_READY) {
        if (must_wait(session)) {
            if (session->unsynced && !several->asked)
                wire_put_empty(&session->upstream.out, 'H');
            several->asked = true;
            return;
        }
        several->asked = false;
        if (several->next < several->count && !session->skip_to_sync) {
            next_of_several(session);
            continue;
        }
        frontend_drop_several(session);
        frontend_sync(session);
    }
}

void frontend_continue(struct session *session)
{
    copy_in_continue(session);
    if (session->writes.sync_due && !frontend_must_wait(session)) {
        session->writes.sync_due = false;
        frontend_sync(session);
    }
    continue_several(session);
}

static enum status on_query(struct session *session, struct slice body, struct error *error)
{
    const char *sql;
    enum status status = STATUS_OK;
    TRY(message_text(body, &sql, error));
    session->statements_done++;
    statements_drop(session, ""); /* as PostgreSQL does */
    (void)frontend_close_portal(session, "", true);
    if (may_hold_several(sql))
        status = split_query(session, sql, error);
    if (status == STATUS_OK && session->several.sql != NULL) {
        frontend_continue(session);
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = query(session, sql, error);
    answer_failure(session, status, sql, error);
    if (session->state == SESSION_READY && !copy_in_active(session) && !session->renewal.waits)
        frontend_sync(session);
    return STATUS_OK;
}

static enum status on_function_call(struct session *session, struct error *error)
{
    error_set(error, STATUS_DENIED, "0A000", "call allowed functions in a SELECT",
              "the function-call protocol is not served");
    frontend_refuse(session, NULL, error);
    frontend_sync(session);
    return STATUS_OK;
}

static enum status dispatch(struct session *session, const struct wire_message *message,
                            struct error *error)
{
    switch (message->type) {
    case 'Q':
        return on_query(session, message->body, error);
    case 'P':
    case 'B':
    case 'D':
    case 'E':
    case 'C':
        return frontend_extended(session, message, error);
    case 'F':
        return on_function_call(session, error);
    case 'H':
        if (session->unsynced)
            wire_put_empty(&session->upstream.out, 'H');
        return STATUS_OK;
    case 'd': /* data of a COPY that has failed: ignored, as PostgreSQL does */
    case 'c':
    case 'f':
        return STATUS_OK;
    default:
        return error_set(error, STATUS_PEER, "08P01", NULL, "unknown message type 0x%02x",
                         message->type);
    }
}

void frontend_message(struct session *session, const struct wire_message *message)
{
    struct error error;
    enum status status = STATUS_OK;
    if (message->type == 'X')
        session->dead = true;
    else if (copy_in_active(session))
        copy_in_message(session, message);
    else if (message->type == 'S')
        frontend_sync(session);
    else if (!session->skip_to_sync)
        status = dispatch(session, message, &error);
    if (status != STATUS_OK)
        session_end(session, LEDGER_OUTCOME_ABANDONED, error.sqlstate, error.message, error.hint);
    else if (session->upstream.out.overflowed)
        session_end(session, LEDGER_OUTCOME_ABANDONED, "54000", "too much is pipelined", NULL);
    session_touch(session);
}

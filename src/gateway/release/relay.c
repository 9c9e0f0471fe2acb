/* Relay: upstream's messages, matched with what was expected, on their way to the client. Hidden
 * columns stop here; rows pass through release_batch; errors become texts of our own.
 * Invariant: what upstream says in words (messages, details, hints, notices) never goes on. */
#include "gateway/cancel.h"
#include "gateway/statement/cursors.h"
#include "gateway/statement/statements.h"
#include "gateway/trust/watching.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static void confused(struct session *session, const char *what)
{
    log_event(LOG_ERROR, "upstream_confused", "session=%llu reason=\"%s\"",
              (unsigned long long)session->id, what);
    session_end(session, LEDGER_OUTCOME_ERROR, "08P01",
                "the customer database sent what was not expected", NULL);
}

/* ---- errors of our own, in the middle of a result ---- */

static bool sync_is_queued(const struct session *session)
{
    const struct replies *replies = &session->replies;
    for (size_t i = 0; i < replies->count; i++) {
        enum reply_kind kind = replies->ring[(replies->first + i) % replies->capacity].kind;
        if (kind == REPLY_SYNC || kind == REPLY_FAKE_READY)
            return true;
    }
    return false;
}

/* Ends what upstream does for an answer that is no longer wanted. Not where statements of later
 * requests wait behind it: upstream may be at those by now, and the cancel would hit them. */
static void stop_upstream(struct session *session)
{
    if (!replies_wait_beyond_sync(&session->replies))
        cancel_ask(session);
}

/* The same where the answer itself is there, for what stands behind it in its request. */
static void stop_rest(struct session *session)
{
    if (session->failed_here && session->cancel == NULL &&
        replies_wait_before_sync(&session->replies))
        stop_upstream(session);
}

/* The client has been told of an error: nothing more reaches it until ReadyForQuery. */
static void enter_error(struct session *session)
{
    if (sync_is_queued(session))
        return;
    session->skip_to_sync = true;
    copy_in_failed(session);
}

static void answer_error(struct session *session, const struct error *error)
{
    wire_put_error(&session->out.bytes, "ERROR", error->sqlstate, error->message, error->hint);
    session->discard = true;
    session->failed_here = true;
    enter_error(session);
}

/* A data error is one bit about the data: it is written down, and counted, before it is told. */
static void record_probe(struct session *session, struct run *run, const char *sqlstate)
{
    struct server *server = session->worker->server;
    struct ledger_entry entry = {.type = LEDGER_PROBE,
                                 .partner = slice_of_text(session->partner->name),
                                 .agent = slice_of_text(session->agent->name),
                                 .purpose = slice_of_text(session->purpose),
                                 .delivery = slice_of_text(session->delivery),
                                 .session = session->id,
                                 .time_ns = clock_now_ns(),
                                 .chunk_count = 1,
                                 .outcome = LEDGER_OUTCOME_ERROR};
    struct error error, held;
    uint64_t sequence;
    memcpy(entry.policy_id, session->snapshot->policy_id, sizeof entry.policy_id);
    snprintf(entry.sqlstate, sizeof entry.sqlstate, "%s", sqlstate);
    if (run != NULL) {
        memcpy(entry.uuid, run->uuid, sizeof entry.uuid);
        memcpy(entry.statement_hash, run->planned->statement_hash, sizeof entry.statement_hash);
        entry.column_set = run->planned->all_columns;
    }
    enum status watched = watching_take(server, session->partner, session->agent, &entry, &held);
    if (ledger_append(server->ledger, &entry, slice_of(NULL, 0), &sequence, &error) != STATUS_OK ||
        !outqueue_gate(&session->out, sequence)) {
        session_end(session, LEDGER_OUTCOME_ERROR, "53100", "the ledger does not take entries",
                    "call the data controller");
        return;
    }
    exposure_record(server->exposure, sequence, &entry);
    if (watched != STATUS_OK) {
        session_end(session, LEDGER_OUTCOME_CONTAINED, held.sqlstate, held.message, held.hint);
        return;
    }
    /* Statements are refused before they could pass the bound; those under way are stopped here. */
    if (!exposure_count_error(server->exposure, session->partner, entry.time_ns))
        session_end(session, LEDGER_OUTCOME_BUDGET, "53400",
                    "the partner has caused more data errors today than its budget allows",
                    "SHOW cofferdam.budget tells the bounds; they are lifted at the day's end");
}

/* ---- rows ---- */

/* What a write returns says of each row whether it may stand: nothing of it leaves but with all of
 * it, once that has been judged. Until then, and where it fails, its rows are recorded only. */
static void silence_write(struct session *session, const struct run *run)
{
    if (run->planned->plan->write != NULL)
        batch_silence(&session->batch);
}

static void drop_batch_run(struct session *session)
{
    run_release(session->batch_run);
    session->batch_run = NULL;
}

/* A release that failed otherwise than by a limit has written no closing entry: it comes before the
 * error is told. A row that policy refuses tells something about the data: that is a probe. */
static void fail_release(struct session *session, struct run *run, const struct error *error)
{
    struct error failure;
    bool probe = error->status == STATUS_DENIED;
    if (probe && strcmp(error->sqlstate, "57P01") == 0) { /* watching.h: no answer, an end */
        session_end(session, LEDGER_OUTCOME_CONTAINED, error->sqlstate, error->message,
                    error->hint);
        return;
    }
    if (!run->closed && release_fail(run, error->sqlstate, &session->out, &failure) != STATUS_OK) {
        answer_error(session, &failure);
        return;
    }
    if (probe)
        record_probe(session, run, error->sqlstate);
    if (session->state == SESSION_READY)
        answer_error(session, error);
}

static void release_open(struct session *session)
{
    struct error error;
    struct run *run = session->batch_run;
    if (run == NULL)
        return;
    silence_write(session, run);
    enum status status =
        release_batch(&session->batch, run, LEDGER_OUTCOME_NONE, "", &session->out, &error);
    if (status != STATUS_OK) {
        fail_release(session, run, &error);
        stop_upstream(session);
    }
    drop_batch_run(session);
}

void relay_release_open(struct session *session)
{
    if (session->batch_run != NULL && session->batch_run->planned->plan->write == NULL)
        release_open(session);
}

/* Of a statement that writes, some rows only say what became of a row. False: not for the batch. */
static bool take_mark(struct session *session, struct run *run, const struct wire_message *message)
{
    struct error error;
    bool pass = true;
    if (run->planned->plan->write == NULL)
        return true;
    enum status status = writes_take_row(session, run, message->body, &pass, &error);
    if (status == STATUS_OK)
        return pass;
    release_open(session);
    if (!session->discard && session->state == SESSION_READY)
        fail_release(session, run, &error);
    stop_upstream(session);
    return false;
}

static void answer_ended(struct session *session)
{
    struct error error;
    error_set(&error, STATUS_LIMIT, "55000", "bind the statement again",
              "this portal has ended by an error");
    answer_error(session, &error);
}

static void take_row(struct session *session, struct run *run, const struct wire_message *message)
{
    struct error error;
    if (!run->closed && !take_mark(session, run, message))
        return;
    if (run->closed) { /* cut before: the portal is still open upstream */
        answer_ended(session);
        stop_upstream(session);
        return;
    }
    if (session->batch_run == NULL)
        session->batch_run = run_retain(run);
    enum status status = batch_add(&session->batch, run, message->body, &error);
    if (status != STATUS_OK) {
        release_open(session);
        if (session->discard || session->state != SESSION_READY)
            return;
        fail_release(session, run, &error);
        stop_upstream(session);
        return;
    }
    if (batch_full(&session->batch))
        relay_release_open(session);
}

static void forward(struct session *session, const struct wire_message *message)
{
    struct buffer *out = &session->out.bytes;
    size_t start = wire_begin(out, message->type);
    buffer_append(out, message->body.data, message->body.len);
    wire_end(out, start);
}

/* What stands before the rows of a COPY. */
static void begin_copy(struct session *session, struct run *run)
{
    const struct plan *plan = run->planned->plan;
    if (plan->copy == NULL || run->copying)
        return;
    run->copying = true;
    wire_put_copy_begin(&session->out.bytes, plan->copy, plan->visible_names, plan->visible_count);
}

/* A row behind an error of ours: nobody gets it, and nothing records it. Which rows come after it
 * depends on it, so there are none. */
static void pass_over(struct run *run)
{
    release_abandon(run, LEDGER_OUTCOME_ERROR);
    run->lost = true;
}

static void on_row(struct session *session, const struct wire_message *message)
{
    struct reply *head = replies_head(&session->replies);
    if (head == NULL || head->kind != REPLY_EXECUTE) {
        confused(session, "a row");
        return;
    }
    if (session->discard) {
        pass_over(head->run);
        return;
    }
    enum plan_kind kind = head->run->planned->plan->kind;
    head->run->moving = head->planned->plan->cursor.moves;
    begin_copy(session, head->run);
    if (kind == PLAN_QUERY || kind == PLAN_DECLARE)
        take_row(session, head->run, message);
    else
        forward(session, message);
}

/* Takes the last rows and the closing entry to the ledger. False when an error was answered. */
static bool close_run(struct session *session, struct run *run, enum ledger_outcome outcome,
                      const char *sqlstate)
{
    struct error error;
    if (session->batch_run != NULL)
        drop_batch_run(session);
    if (run->closed)
        return true;
    if (outcome != LEDGER_OUTCOME_COMPLETE)
        silence_write(session, run);
    if (release_batch(&session->batch, run, outcome, sqlstate, &session->out, &error) == STATUS_OK)
        return true;
    fail_release(session, run, &error);
    return false;
}

/* The rows of a write are there. It stands only if all of them may, if what was read is released
 * and if the ledger holds who is changed; or else upstream's transaction is made to fail. */
static void complete_write(struct session *session, struct run *run)
{
    static const char nothing[6] = "\0\0\0\0\0";
    char tag[40];
    struct error error;
    uint64_t probes;
    enum status status = writes_judge(session, run, &probes, &error);
    if (status == STATUS_OK)
        writes_found(session, run);
    enum ledger_outcome outcome =
        status == STATUS_OK ? LEDGER_OUTCOME_COMPLETE : LEDGER_OUTCOME_ERROR;
    if (!close_run(session, run, outcome, status == STATUS_OK ? nothing : error.sqlstate))
        return;
    for (; probes > 0 && session->state == SESSION_READY; probes--)
        record_probe(session, run, status == STATUS_OK ? "23505" : error.sqlstate);
    if (session->state != SESSION_READY)
        return;
    if (status == STATUS_OK)
        status = writes_intend(session, run, &error);
    if (status != STATUS_OK) {
        answer_error(session, &error);
        return;
    }
    if (copy_in_active(session)) {
        copy_in_written(session, session->writes.written);
        return;
    }
    writes_tag(session, run->planned->plan, tag, sizeof tag);
    wire_put_command_complete(&session->out.bytes, tag);
}

static void end_write(struct session *session, struct run *run)
{
    if (!session->discard)
        complete_write(session, run);
    writes_done(session);
    if (session->discard && session->state == SESSION_READY) {
        frontend_fail_upstream(session);
        writes_failed(session);
    }
}

/* What a transaction statement has done to what was written. */
static void end_transaction(struct session *session, const struct plan *plan, struct slice tag)
{
    bool rollback = tag.len >= 8 && memcmp(tag.data, "ROLLBACK", 8) == 0;
    if (plan->transaction == PLAN_TRANSACTION_END)
        writes_ended(session, !rollback);
    else if (plan->transaction == PLAN_TRANSACTION_SAVEPOINT)
        writes_savepoint(session, plan);
}

/* The count is of the rows that were released. */
static void put_tag(struct session *session, const struct plan *plan, const struct run *run)
{
    char tag[40];
    snprintf(tag, sizeof tag, "%s %llu", plan->command, (unsigned long long)run->rows_now);
    wire_put_command_complete(&session->out.bytes, tag);
}

static void complete_query(struct session *session, struct run *run)
{
    const struct plan *plan = run->planned->plan;
    begin_copy(session, run);
    if (!close_run(session, run, LEDGER_OUTCOME_COMPLETE, "\0\0\0\0\0"))
        return;
    if (plan->copy != NULL)
        wire_put_copy_end(&session->out.bytes, plan->copy);
    put_tag(session, plan, run);
}

/* FETCH and MOVE: fewer rows than asked for are the cursor's last, and close its run. */
static void complete_fetch(struct session *session, const struct plan *plan, struct run *run,
                           struct slice body)
{
    struct wire_reader reader = wire_reader_of(body);
    const char *told = strpbrk(wire_read_text(&reader), "0123456789");
    long long fetched = told == NULL ? 0 : strtoll(told, NULL, 10);
    bool last = plan->cursor.count < 0 || fetched < plan->cursor.count || run->no_rows;
    if (!last)
        relay_release_open(session);
    else if (!close_run(session, run, LEDGER_OUTCOME_COMPLETE, "\0\0\0\0\0"))
        return;
    if (!session->discard && session->state == SESSION_READY)
        put_tag(session, plan, run);
}

/* The only row was none. */
static void complete_none(struct session *session, const struct reply *head)
{
    if (close_run(session, head->run, LEDGER_OUTCOME_COMPLETE, "\0\0\0\0\0"))
        put_tag(session, head->planned->plan, head->run);
}

/* Whatever upstream says of a statement is told in its own words only where it has no rows. */
static void complete(struct session *session, const struct reply *head,
                     const struct wire_message *message)
{
    const struct plan *plan = head->planned->plan;
    switch (plan->kind) {
    case PLAN_QUERY:
        complete_query(session, head->run);
        return;
    case PLAN_FETCH:
        if (plan->cursor.count != 0) {
            complete_fetch(session, plan, head->run, message->body);
            return;
        }
        relay_release_open(session); /* the row that the cursor stands on, if it comes again */
        break;
    case PLAN_DECLARE:
        break;
    default:
        head->run->closed = true;
    }
    if (!head->silent && !session->discard && session->state == SESSION_READY)
        forward(session, message);
}

static void on_complete(struct session *session, const struct wire_message *message)
{
    struct reply *head = replies_head(&session->replies);
    if (head == NULL || head->kind != REPLY_EXECUTE) {
        confused(session, "CommandComplete");
        return;
    }
    struct run *run = head->run;
    const struct plan *plan = head->planned->plan;
    end_transaction(session, plan, message->body);
    if (plan->write != NULL) {
        run->rows_now = 0;
        run_retain(run);
        replies_pop(&session->replies);
        end_write(session, run);
        run_release(run);
        return;
    }
    if (!session->discard && run->lost)
        answer_ended(session); /* that there are no more rows would tell of those passed over */
    else if (!session->discard)
        complete(session, head, message);
    run->rows_now = 0;
    replies_pop(&session->replies);
    stop_rest(session);
}

static void on_suspended(struct session *session, const struct wire_message *message)
{
    struct reply *head = replies_head(&session->replies);
    if (head == NULL || head->kind != REPLY_EXECUTE) {
        confused(session, "PortalSuspended");
        return;
    }
    if (head->run->no_rows && !session->discard) {
        complete_none(session, head); /* what was sent was none: there are no others */
    } else {
        relay_release_open(session);
        if (!session->discard)
            forward(session, message);
    }
    head->run->rows_now = 0;
    replies_pop(&session->replies);
}

/* ---- errors of upstream ---- */

/* The client does not get this answer: a statement that it tells of is not there. */
static void withhold(struct session *session, const struct reply *reply)
{
    if ((reply->kind == REPLY_PARSE || reply->kind == REPLY_FAKE) && reply->serial != 0)
        frontend_forget_statement(session, reply->serial);
    if (reply->kind == REPLY_EXECUTE && reply->serial != 0)
        cursors_forget(session, reply->serial);
}

/* Upstream skips to Sync: so do the replies. Statements that were never made are forgotten. */
static void drop_to_sync(struct session *session)
{
    for (bool failed = true;; failed = false) {
        struct reply *head = replies_head(&session->replies);
        if (head == NULL || head->kind == REPLY_SYNC || head->kind == REPLY_FAKE_READY)
            return;
        if (head->kind == REPLY_EXECUTE && !failed)
            head->run->executed--;
        if (head->kind == REPLY_PARSE)
            statements_lose(session, head->prepared);
        withhold(session, head);
        replies_pop(&session->replies);
    }
}

/* NULL if it cannot be told. */
static const struct planned *planned_of(const struct reply *head)
{
    if (head == NULL)
        return NULL;
    return head->kind == REPLY_PARSE     ? head->prepared->planned
           : head->kind == REPLY_EXECUTE ? head->run->planned
                                         : head->planned;
}

/* Could what failed depend on the data? Not where the statement reads none, unless it is the end of
 * a transaction, where the queries of cursors WITH HOLD run, also of those that the client has
 * closed behind it, and where constraints that are deferred are looked at. */
static bool reads_data(const struct session *session, const struct reply *head)
{
    const struct planned *planned = planned_of(head);
    return cursors_held(session) || planned == NULL || planned->plan->fence_count > 0 ||
           planned->plan->transaction == PLAN_TRANSACTION_END;
}

/* Then what is missing upstream is none of the policy's names. */
static bool is_without_datasets(const struct session *session, const struct reply *head)
{
    return !reads_data(session, head) && planned_of(head)->plan->write == NULL;
}

static void tell_error(struct session *session, const struct reply *head, const char *sqlstate)
{
    struct run *run = head != NULL && head->kind == REPLY_EXECUTE ? head->run : NULL;
    if (head != NULL && head->kind == REPLY_REFUSED) {
        buffer_append(&session->out.bytes, head->text, head->text_len);
        return;
    }
    struct plan_upstream_error text = is_without_datasets(session, head)
                                          ? plan_catalogue_error(sqlstate)
                                          : plan_upstream_error(sqlstate);
    if (run != NULL && !close_run(session, run, LEDGER_OUTCOME_ERROR, sqlstate))
        return;
    bool asked = session->cancel_asked && strcmp(sqlstate, "57014") == 0;
    if (text.data_error && reads_data(session, head) && !asked)
        record_probe(session, run, sqlstate);
    if (session->state == SESSION_READY)
        wire_put_error(&session->out.bytes, "ERROR", sqlstate, text.message, text.hint);
}

static void on_error(struct session *session, const struct wire_message *message)
{
    struct error error;
    struct wire_fields fields;
    if (wire_parse_fields(message->body, &fields, &error) != STATUS_OK) {
        confused(session, "a malformed error");
        return;
    }
    log_event(LOG_INFO, "upstream_error", "session=%llu sqlstate=%s",
              (unsigned long long)session->id, fields.sqlstate);
    if (strcmp(fields.severity, "ERROR") != 0) {
        struct plan_upstream_error text = plan_upstream_error(fields.sqlstate);
        session_end(session, LEDGER_OUTCOME_ERROR, fields.sqlstate, text.message, text.hint);
        return;
    }
    struct reply *head = replies_head(&session->replies);
    if (head == NULL) {
        confused(session, "an error that nothing asked for");
        return;
    }
    writes_failed(session);
    if (!session->discard)
        tell_error(session, head, fields.sqlstate);
    if (session->state != SESSION_READY)
        return;
    session->discard = true;
    session->failed_here = false;
    drop_to_sync(session);
    writes_skipped(session);
    cursors_doubt(session);
    enter_error(session);
}

/* ---- everything else ---- */

void relay_parameter_status(struct session *session, struct slice body)
{
    static const char *const followed[] = {"application_name", "client_encoding",
                                           "DateStyle",        "IntervalStyle",
                                           "TimeZone",         "standard_conforming_strings"};
    struct wire_reader reader = wire_reader_of(body);
    const char *name = wire_read_text(&reader), *value = wire_read_text(&reader);
    for (size_t i = 0; i < sizeof followed / sizeof followed[0]; i++)
        if (strcmp(name, followed[i]) == 0)
            wire_put_parameter_status(&session->out.bytes, name, value);
}

/* Warnings about transaction statements are told in our own words; all others stay here. */
static void on_notice(struct session *session, struct slice body)
{
    struct error error;
    struct wire_fields fields;
    if (session->discard || wire_parse_fields(body, &fields, &error) != STATUS_OK)
        return;
    if (strcmp(fields.sqlstate, "25P01") == 0)
        wire_put_notice(&session->out.bytes, "WARNING", fields.sqlstate,
                        "there is no transaction in progress", NULL);
    else if (strcmp(fields.sqlstate, "25001") == 0)
        wire_put_notice(&session->out.bytes, "WARNING", fields.sqlstate,
                        "there is already a transaction in progress", NULL);
}

static void on_ready(struct session *session, struct slice body)
{
    struct reply *head = replies_head(&session->replies);
    if (head == NULL || head->kind != REPLY_SYNC || body.len != 1) {
        confused(session, "ReadyForQuery");
        return;
    }
    session->transaction = (char)body.data[0];
    session->discard = session->cancel_asked = session->failed_here = false;
    writes_ready(session, session->transaction);
    if (session->transaction == 'I')
        frontend_portals_ended(session, head->serial);
    if (session->transaction == 'I')
        cursors_transaction_ended(session, head->serial);
    wire_put_ready(&session->out.bytes, session->transaction);
    replies_pop(&session->replies);
}

/* ParseComplete, BindComplete, CloseComplete. */
static void on_done(struct session *session, const struct wire_message *message,
                    enum reply_kind kind)
{
    struct reply *head = replies_head(&session->replies);
    if (head == NULL || head->kind != kind) {
        confused(session, "an acknowledgement");
        return;
    }
    if (kind == REPLY_PARSE)
        head->prepared->confirmed = true;
    if (session->discard)
        withhold(session, head);
    else if (!head->silent)
        wire_put_empty(&session->out.bytes, message->type);
    replies_pop(&session->replies);
}

/* rows NULL: whatever upstream would send (COPY's query, say), the client gets no rows. */
static enum status describe_rows(struct session *session, const struct planned *rows,
                                 const struct wire_message *message, struct error *error)
{
    struct buffer *out = &session->out.bytes;
    if (rows == NULL || message->type == 'n') {
        wire_put_empty(out, 'n');
        return STATUS_OK;
    }
    const struct plan *plan = rows->plan;
    if (plan->kind == PLAN_SHOW) {
        forward(session, message);
        return STATUS_OK;
    }
    return wire_put_visible_description(out, message->body, plan->visible_count,
                                        plan->visible_count + run_hidden_columns(plan), error);
}

static void on_description(struct session *session, const struct wire_message *message)
{
    struct error error;
    struct reply *head = replies_head(&session->replies);
    enum status status = STATUS_OK;
    if (head == NULL ||
        (head->kind != REPLY_DESCRIBE_STATEMENT && head->kind != REPLY_DESCRIBE_PORTAL)) {
        confused(session, "a description");
        return;
    }
    const struct plan *plan = head->planned->plan;
    struct buffer *out = &session->out.bytes;
    if (message->type == 't') {
        if (!session->discard)
            status = wire_put_visible_parameters(out, message->body, plan->client_parameter_count,
                                                 &error);
    } else {
        if (!session->discard)
            status = describe_rows(session, head->rows, message, &error);
        replies_pop(&session->replies);
    }
    if (status != STATUS_OK)
        confused(session, error.message);
}

static void on_empty(struct session *session, const struct wire_message *message)
{
    struct reply *head = replies_head(&session->replies);
    if (head == NULL || head->kind != REPLY_EXECUTE) {
        confused(session, "EmptyQueryResponse");
        return;
    }
    if (!session->discard)
        forward(session, message);
    replies_pop(&session->replies);
}

static void on_message(struct session *session, const struct wire_message *message)
{
    switch (message->type) {
    case 'D':
        on_row(session, message);
        break;
    case 'C':
        on_complete(session, message);
        break;
    case 's':
        on_suspended(session, message);
        break;
    case 'I':
        on_empty(session, message);
        break;
    case '1':
        on_done(session, message, REPLY_PARSE);
        break;
    case '2':
        on_done(session, message, REPLY_BIND);
        break;
    case '3':
        on_done(session, message, REPLY_CLOSE);
        break;
    case 't':
    case 'T':
    case 'n':
        on_description(session, message);
        break;
    case 'E':
        on_error(session, message);
        break;
    case 'Z':
        on_ready(session, message->body);
        break;
    case 'S':
        relay_parameter_status(session, message->body);
        break;
    case 'N':
        on_notice(session, message->body);
        break;
    case 'A': /* notifications: nobody may LISTEN */
        break;
    default:
        confused(session, "an unknown message");
    }
}

/* Answers of our own whose turn has come. */
static void emit_own(struct session *session)
{
    for (;;) {
        struct reply *head = replies_head(&session->replies);
        if (head == NULL || (head->kind != REPLY_FAKE && head->kind != REPLY_FAKE_READY))
            return;
        if (head->kind == REPLY_FAKE_READY) {
            session->discard = false;
            wire_put_ready(&session->out.bytes, session->transaction);
        } else if (session->discard) {
            withhold(session, head);
        } else {
            buffer_append(&session->out.bytes, head->text, head->text_len);
        }
        replies_pop(&session->replies);
    }
}

static bool next_upstream(struct session *session, struct wire_message *message)
{
    struct upstream *upstream = &session->upstream;
    struct error error;
    size_t needed;
    struct slice rest =
        slice_of(upstream->in.data + upstream->in_at, upstream->in.len - upstream->in_at);
    if (rest.len == 0)
        return false;
    enum status status = wire_next_message(rest, LIMIT_ROW_BYTES, message, &needed, &error);
    if (status == STATUS_AGAIN)
        return false;
    if (status != STATUS_OK) {
        error_set(&error, STATUS_LIMIT, "54000", "ask for smaller groups",
                  "a row of the result, with its lineage, is too large");
        session_end(session, LEDGER_OUTCOME_ERROR, error.sqlstate, error.message, error.hint);
        return false;
    }
    upstream->in_at += message->size;
    return true;
}

/* What is discarded needs no room. */
bool relay_has_room(const struct session *session)
{
    return session->discard ||
           outqueue_pending(&session->out) < LIMIT_OUT_HIGH_WATER + LIMIT_BATCH_BYTES;
}

void relay_pump(struct session *session)
{
    struct wire_message message;
    if (session->state == SESSION_CLOSING)
        return;
    emit_own(session);
    while (session->state != SESSION_CLOSING && relay_has_room(session) &&
           next_upstream(session, &message)) {
        if (session->upstream.state == UPSTREAM_READY)
            on_message(session, &message);
        else
            upstream_login_message(session, &message);
        if (session->state != SESSION_CLOSING)
            emit_own(session);
    }
    session->upstream.held = !relay_has_room(session);
    if (session->out.bytes.overflowed)
        session_end(session, LEDGER_OUTCOME_ERROR, "53200", "the result does not fit in memory",
                    "ask for fewer rows");
}

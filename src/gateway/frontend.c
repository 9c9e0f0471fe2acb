/* Frontend: the client's messages, judged one by one. What passes goes upstream at once with an
 * expected reply; what is refused gets its error in its place in the order of replies, and upstream
 * is made to fail there too, so that transactions and pipelines behave as the protocol says. */
#include "gateway/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "gateway/statements.h"

enum { REFUSALS_RECORDED = 1000 };

/* A statement that no parser accepts, under a name that is never created: upstream's transaction
 * fails where ours was refused. */
static const char failing_name[] = "cx", failing_sql[] = "refused";

static void push(struct session *session, struct reply reply)
{
    struct error error;
    if (replies_push(&session->replies, reply, &error) != STATUS_OK)
        session_end(session, LEDGER_OUTCOME_ABANDONED, error.sqlstate, error.message, error.hint);
}

/* Queues whole messages of ours as an answer in its place. Takes the buffer's bytes. serial: of
 * the client's statement that is not there if the answer is skipped, else 0. */
static void push_answer(struct session *session, enum reply_kind kind, struct buffer *text,
                        uint64_t serial)
{
    if (text->overflowed) {
        buffer_free(text);
        session_end(session, LEDGER_OUTCOME_ABANDONED, "53200", "out of memory", NULL);
        return;
    }
    push(session,
         (struct reply){
             .kind = kind, .text = (char *)text->data, .text_len = text->len, .serial = serial});
}

static void push_text(struct session *session, enum reply_kind kind, struct buffer *text)
{
    push_answer(session, kind, text, 0);
}

static void push_empty(struct session *session, uint8_t type, uint64_t serial)
{
    struct buffer text;
    buffer_init(&text, 16);
    wire_put_empty(&text, type);
    push_answer(session, REPLY_FAKE, &text, serial);
}

static void record_refusal(struct session *session, const char *sql, const struct error *error)
{
    struct ledger_entry entry = {.type = LEDGER_REFUSAL,
                                 .partner = slice_of_text(session->partner->name),
                                 .agent = slice_of_text(session->agent->name),
                                 .purpose = slice_of_text(session->purpose),
                                 .session = session->id,
                                 .chunk_count = 1,
                                 .outcome = LEDGER_OUTCOME_REFUSED};
    if (session->refusals++ >= REFUSALS_RECORDED)
        return;
    if (sql != NULL) {
        struct slice text = slice_of_text(sql);
        crypto_sha256(&text, 1, entry.statement_hash);
    }
    memcpy(entry.policy_id, session->snapshot->policy_id, sizeof entry.policy_id);
    memcpy(entry.sqlstate, error->sqlstate, sizeof entry.sqlstate);
    uint64_t sequence;
    struct error failure;
    if (ledger_append(session->worker->server->ledger, &entry, slice_of(NULL, 0), &sequence,
                      &failure) != STATUS_OK)
        log_event(LOG_WARNING, "refusal_not_recorded", "session=%llu reason=\"%s\"",
                  (unsigned long long)session->id, failure.message);
}

/* Answers a message with an error in its place; the client's messages up to Sync are ignored. */
static void refuse(struct session *session, const char *sql, const struct error *error)
{
    if (session->state != SESSION_READY)
        return;
    record_refusal(session, sql, error);
    log_event(LOG_INFO, "statement_refused", "session=%llu agent=%s sqlstate=%s",
              (unsigned long long)session->id, session->login, error->sqlstate);
    struct buffer text;
    buffer_init(&text, 4096);
    wire_put_error(&text, "ERROR", error->sqlstate, error->message, error->hint);
    bool engaged = session->upstream.state != UPSTREAM_NONE &&
                   (session->transaction != 'I' || session->unsynced ||
                    replies_wait_for_upstream(&session->replies));
    if (engaged) {
        wire_put_parse(&session->upstream.out, failing_name, failing_sql, NULL, 0);
        session->unsynced = true;
        push_text(session, REPLY_REFUSED, &text);
    } else {
        push_text(session, REPLY_FAKE, &text);
    }
    session->skip_to_sync = true;
}

void frontend_fail_upstream(struct session *session)
{
    struct buffer nothing;
    buffer_init(&nothing, 16);
    wire_put_parse(&session->upstream.out, failing_name, failing_sql, NULL, 0);
    session->unsynced = true;
    push_text(session, REPLY_REFUSED, &nothing);
}

static void sync(struct session *session)
{
    session->skip_to_sync = false;
    if (!session->unsynced) {
        push(session, (struct reply){.kind = REPLY_FAKE_READY});
        return;
    }
    session->writes.sync_due = writes_wait(session);
    if (session->writes.sync_due)
        return;
    writes_commit_sent(session);
    wire_put_sync(&session->upstream.out);
    session->unsynced = false;
    push(session, (struct reply){.kind = REPLY_SYNC, .serial = ++session->syncs});
}

void frontend_continue(struct session *session)
{
    if (session->writes.sync_due && !writes_wait(session))
        sync(session);
}

/* Data errors are bits about the data: past their bound no statement that reads data is taken. */
static enum status check_errors(struct session *session, const struct plan *plan,
                                struct error *error)
{
    TRY(writes_check(session, plan, error));
    if (plan->fence_count == 0 ||
        exposure_errors_left(session->worker->server->exposure, session->partner, clock_now_ns()))
        return STATUS_OK;
    return error_set(error, STATUS_LIMIT, "53400",
                     "SHOW cofferdam.budget tells the bounds; they are lifted at the day's end",
                     "partner %s has caused more data errors today than its budget allows",
                     session->partner->name);
}

/* Plans for this session as things stand. Ends the session where the agent is no longer admitted:
 * then STATUS_CLOSED, and nothing is to be answered. */
static enum status get_planned(struct session *session, const char *sql, const uint32_t *types,
                               size_t type_count, struct planned **planned, struct error *error)
{
    struct worker *worker = session->worker;
    if (session_authorise(session, error) != STATUS_OK) {
        session_end(session, LEDGER_OUTCOME_CONTAINED, "57P01", error->message, error->hint);
        return STATUS_CLOSED;
    }
    struct plans_request request = {.server = worker->server,
                                    .snapshot = session->snapshot,
                                    .plan_epoch = session->plan_epoch,
                                    .partner = session->partner,
                                    .agent = session->agent,
                                    .purpose = session->purpose,
                                    .database = session->database,
                                    .sql = sql,
                                    .types = types,
                                    .type_count = type_count};
    return plans_get(worker->plans, &request, planned, error);
}

static struct run *make_run(struct session *session, struct planned *planned)
{
    return run_make(session->worker->server, planned, session->partner, session->agent,
                    session->purpose, session->id);
}

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* Does upstream take part in this plan? */
static bool goes_upstream(const struct plan *plan)
{
    return plan->sql != NULL && plan->kind != PLAN_EMPTY && plan->kind != PLAN_LOCAL;
}

/* Closes a statement upstream that no client's statement uses any more, where there are many. */
static void evict_prepared(struct session *session)
{
    struct prepared *evicted = statements_evict(session);
    if (evicted == NULL)
        return;
    wire_put_target(&session->upstream.out, 'C', 'S', evicted->name);
    session->unsynced = true;
    push(session, (struct reply){.kind = REPLY_CLOSE, .silent = true});
    prepared_release(evicted);
}

/* Sends Parse for the plan, with its secrets' types behind the client's. */
static enum status send_parse(struct session *session, struct prepared *prepared, uint64_t serial,
                              bool silent, struct error *error)
{
    const struct planned *planned = prepared->planned;
    const struct plan *plan = planned->plan;
    uint32_t types[LIMIT_PARAMETERS + 16];
    size_t count = plan->client_parameter_count + plan->secret_count;
    if (count > sizeof types / sizeof types[0])
        return error_set(error, STATUS_LIMIT, "54000", NULL, "too many parameters");
    for (size_t i = 0; i < plan->client_parameter_count; i++)
        types[i] = i < planned->type_count ? planned->types[i] : 0;
    for (size_t i = 0; i < plan->secret_count; i++)
        types[plan->client_parameter_count + i] = WIRE_BYTEA_OID;
    TRY(upstream_open(session, error));
    evict_prepared(session);
    wire_put_parse(&session->upstream.out, prepared->name, plan->sql, types, count);
    session->unsynced = true;
    push(session, (struct reply){.kind = REPLY_PARSE,
                                 .silent = silent,
                                 .prepared = prepared_retain(prepared),
                                 .serial = serial});
    return STATUS_OK;
}

/* The upstream statement for the plan, retained for the caller; sent there if it must be. serial
 * and silent: of the answer to the client, who asked for it or not. */
static enum status prepare(struct session *session, struct planned *planned, bool named,
                           uint64_t serial, bool silent, struct prepared **out, struct error *error)
{
    struct prepared *prepared;
    bool fresh;
    TRY(statements_choose(session, planned, named, &prepared, &fresh, error));
    if (fresh) {
        enum status status = send_parse(session, prepared, serial, silent, error);
        if (status != STATUS_OK) {
            statements_lose(session, prepared);
            prepared_release(prepared);
            return status;
        }
    } else if (!silent) {
        push_empty(session, '1', serial);
    }
    *out = prepared;
    return STATUS_OK;
}

/* Sees to it that what is sent next finds the statement upstream. */
static enum status settle_statement(struct session *session, struct statement *statement,
                                    struct error *error)
{
    struct prepared *prepared;
    if (!goes_upstream(statement->planned->plan) ||
        prepared_certain(statement->prepared, statements_segment(session)))
        return STATUS_OK;
    TRY(prepare(session, statement->planned, statement->name[0] != '\0', 0, true, &prepared,
                error));
    statements_replace(statement, statement->planned, prepared);
    prepared_release(prepared);
    return STATUS_OK;
}

static enum status send_bind(struct session *session, struct planned *planned, const char *portal,
                             const char *statement, const struct wire_bind *bind, bool silent,
                             struct error *error)
{
    enum { MAX_SECRETS = 16 };
    const struct plan *plan = planned->plan;
    uint8_t pads[MAX_SECRETS][64];
    struct slice extra[MAX_SECRETS];
    if (plan->secret_count > MAX_SECRETS)
        return error_set(error, STATUS_LIMIT, "54000", "name fewer token columns",
                         "the statement uses too many token domains");
    TRY(upstream_open(session, error));
    for (size_t i = 0; i < plan->secret_count; i++) {
        server_token_pad(session->worker->server, session->partner->name, plan->secrets[i].domain,
                         plan->secrets[i].outer, pads[i]);
        extra[i] = slice_of(pads[i], sizeof pads[i]);
    }
    wire_put_bind(&session->upstream.out, portal, statement, bind, extra, plan->secret_count,
                  plan->visible_count, run_hidden_columns(plan));
    crypto_wipe(pads, sizeof pads);
    session->unsynced = true;
    push(session,
         (struct reply){.kind = REPLY_BIND, .silent = silent, .planned = planned_retain(planned)});
    return STATUS_OK;
}

static void send_execute(struct session *session, struct run *run, const char *portal,
                         uint32_t max_rows)
{
    const struct plan *plan = run->planned->plan;
    /* What was written is judged when all of it is known. */
    wire_put_execute(&session->upstream.out, portal, plan->write != NULL ? 0 : max_rows);
    session->unsynced = true;
    run->executed++;
    push(session, (struct reply){.kind = REPLY_EXECUTE,
                                 .planned = planned_retain(run->planned),
                                 .run = run_retain(run)});
    if (plan->transaction == PLAN_TRANSACTION_END)
        writes_commit_sent(session);
    if (plan->write == NULL)
        return;
    writes_begin(session, run);
    wire_put_empty(&session->upstream.out, 'H');
}

static void send_describe(struct session *session, struct planned *planned, uint8_t what,
                          const char *name)
{
    wire_put_target(&session->upstream.out, 'D', what, name);
    session->unsynced = true;
    push(session,
         (struct reply){.kind = what == 'S' ? REPLY_DESCRIBE_STATEMENT : REPLY_DESCRIBE_PORTAL,
                        .planned = planned_retain(planned)});
}

/* DEALLOCATE: the client's prepared statements are ours. */
static enum status deallocate(struct session *session, const struct plan *plan, struct error *error)
{
    if (strcmp(plan->command, "DEALLOCATE ALL") == 0) {
        statements_drop_all(session);
        return STATUS_OK;
    }
    if (statements_find(session, plan->setting_value) == NULL)
        return error_set(error, STATUS_DENIED, "26000", NULL,
                         "the prepared statement does not exist");
    statements_drop(session, plan->setting_value);
    return STATUS_OK;
}

/* Answers an execution that upstream has no part in. */
static enum status execute_here(struct session *session, const struct plan *plan,
                                struct error *error)
{
    struct buffer text;
    if (plan->kind == PLAN_UTILITY && strncmp(plan->command, "DEALLOCATE", 10) == 0)
        TRY(deallocate(session, plan, error));
    buffer_init(&text, 1024 * 1024);
    if (plan->kind == PLAN_EMPTY)
        wire_put_empty(&text, 'I');
    else if (plan->kind == PLAN_LOCAL)
        local_rows(session, plan, &text);
    else
        wire_put_command_complete(&text, plan->command);
    push_text(session, REPLY_FAKE, &text);
    return STATUS_OK;
}

/* Ends a portal here and upstream; silent: the client did not ask. False where there is none that
 * upstream knows. */
static bool close_portal(struct session *session, const char *name, bool silent)
{
    struct portal *portal = portals_find(session, name);
    bool upstream = portal != NULL && goes_upstream(portal->run->planned->plan);
    if (upstream) {
        wire_put_target(&session->upstream.out, 'C', 'P', portal->upstream_name);
        session->unsynced = true;
        push(session, (struct reply){.kind = REPLY_CLOSE, .silent = silent});
    }
    portals_drop(session, name);
    return upstream;
}

/* A message that could not be taken: what only breaks a rule of the statement is refused and the
 * session lives; what breaks the protocol ends it. */
static enum status reject(struct session *session, enum status status, const struct error *error)
{
    if (status != STATUS_DENIED && status != STATUS_LIMIT)
        return status;
    refuse(session, NULL, error);
    return STATUS_OK;
}

/* ---- simple protocol ---- */

static enum status query_upstream(struct session *session, struct planned *planned,
                                  struct error *error)
{
    struct prepared *prepared;
    TRY(prepare(session, planned, false, 0, true, &prepared, error));
    struct wire_bind none = {.portal = "", .statement = prepared->name};
    enum status status = send_bind(session, planned, "", prepared->name, &none, true, error);
    prepared_release(prepared);
    if (status != STATUS_OK)
        return status;
    struct run *run = make_run(session, planned);
    if (run == NULL)
        return out_of_memory(error);
    const struct plan *plan = planned->plan;
    if (plan->kind != PLAN_UTILITY && (plan->write == NULL || plan->write->returning))
        send_describe(session, planned, 'P', "");
    send_execute(session, run, "", 0);
    run_release(run);
    return STATUS_OK;
}

static enum status check_query(struct session *session, const struct plan *plan,
                               struct error *error)
{
    if (plan->client_parameter_count > 0)
        return error_set(error, STATUS_DENIED, "42P02", "use the extended protocol",
                         "a simple query cannot have parameters");
    return check_errors(session, plan, error);
}

static enum status query(struct session *session, const char *sql, struct error *error)
{
    struct planned *planned;
    TRY(get_planned(session, sql, NULL, 0, &planned, error));
    const struct plan *plan = planned->plan;
    enum status status = check_query(session, plan, error);
    if (status == STATUS_OK && goes_upstream(plan)) {
        status = query_upstream(session, planned, error);
    } else if (status == STATUS_OK) {
        if (plan->kind == PLAN_LOCAL) {
            struct buffer text;
            buffer_init(&text, 4096);
            local_description(plan, &text);
            push_text(session, REPLY_FAKE, &text);
        }
        status = execute_here(session, plan, error);
    }
    planned_release(planned);
    return status;
}

/* A text that ends where its message ends. */
static enum status message_text(struct slice body, const char **text, struct error *error)
{
    struct wire_reader reader = wire_reader_of(body);
    *text = wire_read_text(&reader);
    if (!wire_reader_done(&reader))
        return error_set(error, STATUS_PEER, "08P01", NULL, "malformed message");
    return STATUS_OK;
}

static enum status on_query(struct session *session, struct slice body, struct error *error)
{
    const char *sql;
    TRY(message_text(body, &sql, error));
    session->statements_done++;
    statements_drop(session, ""); /* as PostgreSQL does */
    (void)close_portal(session, "", true);
    enum status status = query(session, sql, error);
    if (status == STATUS_CLOSED)
        return STATUS_OK;
    if (status != STATUS_OK)
        refuse(session, sql, error);
    sync(session);
    return STATUS_OK;
}

/* ---- extended protocol ---- */

static enum status parse(struct session *session, const struct wire_parse *message,
                         struct error *error)
{
    struct planned *planned;
    struct prepared *prepared = NULL;
    bool named = message->name[0] != '\0';
    if (named && statements_find(session, message->name) != NULL)
        return error_set(error, STATUS_DENIED, "42P05", "close it first or use another name",
                         "the prepared statement exists already");
    TRY(get_planned(session, message->sql, message->types, message->type_count, &planned, error));
    uint64_t serial = ++session->serials;
    enum status status = check_errors(session, planned->plan, error);
    if (status == STATUS_OK)
        status = statements_put(session, message->name, planned, NULL, serial, error);
    if (status == STATUS_OK && goes_upstream(planned->plan)) {
        status = prepare(session, planned, named, serial, false, &prepared, error);
        if (status == STATUS_OK)
            statements_replace(statements_find(session, message->name), planned, prepared);
        else
            statements_drop(session, message->name);
    } else if (status == STATUS_OK) {
        push_empty(session, '1', serial);
    }
    prepared_release(prepared);
    planned_release(planned);
    return status;
}

static enum status on_parse(struct session *session, struct slice body, struct error *error)
{
    uint32_t types[LIMIT_PARAMETERS];
    struct wire_parse message;
    enum status status = wire_parse_parse(body, types, &message, error);
    if (status != STATUS_OK)
        return reject(session, status, error);
    session->statements_done++;
    status = parse(session, &message, error);
    if (status != STATUS_OK && status != STATUS_CLOSED)
        refuse(session, message.sql, error);
    return STATUS_OK;
}

static bool same_shape(const struct plan *a, const struct plan *b)
{
    if (a->kind != b->kind || a->visible_count != b->visible_count ||
        a->client_parameter_count != b->client_parameter_count)
        return false;
    for (size_t i = 0; i < a->visible_count; i++)
        if (strcmp(a->visible_names[i], b->visible_names[i]) != 0)
            return false;
    return true;
}

/* A statement prepared under an older policy is planned anew, if its shape is still the same. */
static enum status renew_statement(struct session *session, struct statement *statement,
                                   struct error *error)
{
    struct planned *old = statement->planned, *planned;
    enum status status =
        get_planned(session, old->sql, old->types, old->type_count, &planned, error);
    if (status != STATUS_OK)
        return status;
    if (!same_shape(old->plan, planned->plan))
        status = error_set(error, STATUS_DENIED, "0A000", "prepare it again",
                           "the policy has changed the result of this prepared statement");
    else
        statements_replace(statement, planned, NULL);
    planned_release(planned);
    return status;
}

static enum status check_bind(const struct plan *plan, const struct wire_bind *bind,
                              struct error *error)
{
    if (bind->parameter_count != plan->client_parameter_count)
        return error_set(error, STATUS_DENIED, "08P01", NULL,
                         "the statement takes %zu parameters, %zu were bound",
                         plan->client_parameter_count, bind->parameter_count);
    if (bind->format_count > 1 && bind->format_count != bind->parameter_count)
        return error_set(error, STATUS_DENIED, "08P01", NULL,
                         "%zu parameter formats for %zu parameters", bind->format_count,
                         bind->parameter_count);
    if (bind->result_format_count > 1 && bind->result_format_count != plan->visible_count)
        return error_set(error, STATUS_DENIED, "08P01", NULL, "%zu result formats for %zu columns",
                         bind->result_format_count, plan->visible_count);
    return STATUS_OK;
}

static enum status bind_portal(struct session *session, const struct wire_bind *message,
                               struct error *error)
{
    struct statement *statement = statements_find(session, message->statement);
    if (statement == NULL)
        return error_set(error, STATUS_DENIED, "26000", NULL,
                         "the prepared statement does not exist");
    if (session_authorise(session, error) != STATUS_OK) {
        session_end(session, LEDGER_OUTCOME_CONTAINED, "57P01", error->message, error->hint);
        return STATUS_CLOSED;
    }
    if (planned_stale(statement->planned, session->plan_epoch))
        TRY(renew_statement(session, statement, error));
    struct planned *planned = statement->planned;
    TRY(check_bind(planned->plan, message, error));
    TRY(check_errors(session, planned->plan, error));
    TRY(settle_statement(session, statement, error));
    struct run *run = make_run(session, planned);
    struct portal *portal;
    if (run == NULL)
        return out_of_memory(error);
    (void)close_portal(session, message->portal, true);
    enum status status = portals_put(session, message->portal, run, &portal, error);
    run_release(run);
    if (status != STATUS_OK)
        return status;
    if (goes_upstream(planned->plan))
        return send_bind(session, planned, portal->upstream_name, statement->prepared->name,
                         message, false, error);
    push_empty(session, '2', 0);
    return STATUS_OK;
}

static enum status on_bind(struct session *session, struct slice body, struct error *error)
{
    struct wire_bind message;
    enum status status = wire_parse_bind(body, &message, error);
    if (status != STATUS_OK)
        return reject(session, status, error);
    status = bind_portal(session, &message, error);
    if (status != STATUS_OK && status != STATUS_CLOSED)
        refuse(session, NULL, error);
    return STATUS_OK;
}

static enum status describe(struct session *session, const struct wire_target *target,
                            struct error *error)
{
    struct statement *statement = NULL;
    struct portal *portal = NULL;
    if (target->what == 'S')
        statement = statements_find(session, target->name);
    else
        portal = portals_find(session, target->name);
    if (statement == NULL && portal == NULL)
        return target->what == 'S'
                   ? error_set(error, STATUS_DENIED, "26000", NULL,
                               "the prepared statement does not exist")
                   : error_set(error, STATUS_DENIED, "34000", NULL, "the portal does not exist");
    struct planned *planned = statement != NULL ? statement->planned : portal->run->planned;
    if (statement != NULL)
        TRY(settle_statement(session, statement, error));
    if (goes_upstream(planned->plan)) {
        send_describe(session, planned, target->what,
                      statement != NULL ? statement->prepared->name : portal->upstream_name);
        return STATUS_OK;
    }
    struct buffer text;
    buffer_init(&text, 4096);
    if (target->what == 'S') {
        size_t start = wire_begin(&text, 't');
        buffer_append_u16be(&text, 0);
        wire_end(&text, start);
    }
    local_description(planned->plan, &text);
    push_text(session, REPLY_FAKE, &text);
    return STATUS_OK;
}

static enum status on_describe(struct session *session, struct slice body, struct error *error)
{
    struct wire_target target;
    TRY(wire_parse_target(body, &target, error));
    if (describe(session, &target, error) != STATUS_OK)
        refuse(session, NULL, error);
    return STATUS_OK;
}

static enum status execute(struct session *session, const struct wire_execute *message,
                           struct error *error)
{
    if (session_authorise(session, error) != STATUS_OK) {
        session_end(session, LEDGER_OUTCOME_CONTAINED, "57P01", error->message, error->hint);
        return STATUS_CLOSED;
    }
    struct portal *portal = portals_find(session, message->portal);
    if (portal == NULL)
        return error_set(error, STATUS_DENIED, "34000", NULL, "the portal does not exist");
    struct run *run = portal->run;
    if (planned_stale(run->planned, session->plan_epoch))
        return error_set(error, STATUS_DENIED, "0A000", "bind the statement again",
                         "the policy has changed since this portal was made");
    TRY(check_errors(session, run->planned->plan, error));
    if (run->planned->plan->write != NULL && run->executed > 0)
        return error_set(error, STATUS_DENIED, "55000", "bind the statement again",
                         "this portal has written already");
    if (!goes_upstream(run->planned->plan))
        return execute_here(session, run->planned->plan, error);
    send_execute(session, run, portal->upstream_name, message->max_rows);
    return STATUS_OK;
}

static enum status on_execute(struct session *session, struct slice body, struct error *error)
{
    struct wire_execute message;
    TRY(wire_parse_execute(body, &message, error));
    enum status status = execute(session, &message, error);
    if (status != STATUS_OK && status != STATUS_CLOSED)
        refuse(session, NULL, error);
    return STATUS_OK;
}

static enum status on_close(struct session *session, struct slice body, struct error *error)
{
    struct wire_target target;
    TRY(wire_parse_target(body, &target, error));
    if (target.what == 'P' && close_portal(session, target.name, false))
        return STATUS_OK;
    if (target.what == 'S')
        statements_drop(session, target.name);
    push_empty(session, '3', 0);
    return STATUS_OK;
}

static enum status on_function_call(struct session *session, struct error *error)
{
    error_set(error, STATUS_DENIED, "0A000", "call allowed functions in a SELECT",
              "the function-call protocol is not served");
    refuse(session, NULL, error);
    sync(session);
    return STATUS_OK;
}

static enum status dispatch(struct session *session, const struct wire_message *message,
                            struct error *error)
{
    switch (message->type) {
    case 'Q':
        return on_query(session, message->body, error);
    case 'P':
        return on_parse(session, message->body, error);
    case 'B':
        return on_bind(session, message->body, error);
    case 'D':
        return on_describe(session, message->body, error);
    case 'E':
        return on_execute(session, message->body, error);
    case 'C':
        return on_close(session, message->body, error);
    case 'F':
        return on_function_call(session, error);
    case 'H':
        if (session->unsynced)
            wire_put_empty(&session->upstream.out, 'H');
        return STATUS_OK;
    case 'd': /* data of a COPY that never began: ignored, as PostgreSQL does */
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
    else if (message->type == 'S')
        sync(session);
    else if (!session->skip_to_sync)
        status = dispatch(session, message, &error);
    if (status != STATUS_OK)
        session_end(session, LEDGER_OUTCOME_ABANDONED, error.sqlstate, error.message, error.hint);
    else if (session->upstream.out.overflowed)
        session_end(session, LEDGER_OUTCOME_ABANDONED, "54000", "too much is pipelined", NULL);
    session_touch(session);
}

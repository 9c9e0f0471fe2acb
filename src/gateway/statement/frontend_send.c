/* What upstream gets for a client's statement. Most are prepared and bound as they are; those about
 * a cursor get a text of this session's; EXECUTE stands for the statement that it names. */
#include "gateway/trust/canary_watch.h"
#include "gateway/statement/frontend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "gateway/statement/cursors.h"
#include "gateway/deliveries.h"
#include "gateway/release/probe.h"
#include "gateway/statement/statements.h"
#include "gateway/trust/trust.h"

enum { MAX_SECRETS = 16, TEXT_BYTES = 4 * 1024 * 1024 + 256 };

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* ---- plans ---- */

bool frontend_goes_upstream(const struct plan *plan)
{
    switch (plan->kind) {
    case PLAN_EMPTY:
    case PLAN_LOCAL:
    case PLAN_PREPARE:
    case PLAN_RENEW:
        return false;
    case PLAN_FETCH:
    case PLAN_CLOSE:
    case PLAN_EXECUTE:
        return true;
    default:
        return plan->sql != NULL;
    }
}

bool frontend_is_fixed(const struct plan *plan)
{
    return frontend_goes_upstream(plan) && plan->sql != NULL && plan->kind != PLAN_DECLARE;
}

enum status frontend_authorise(struct session *session, struct error *error)
{
    enum status status = trust_admits(session, error);
    if (status == STATUS_OK && session->writes.intent_count > 0)
        status = trust_stands(session, error); /* this may be the COMMIT of what was written */
    if (status == STATUS_OK)
        return STATUS_OK;
    session_end(session, LEDGER_OUTCOME_CONTAINED, "57P01", error->message, error->hint);
    return STATUS_CLOSED;
}

enum status frontend_plan(struct session *session, const char *sql, const uint32_t *types,
                          size_t type_count, struct planned **planned, struct error *error)
{
    struct worker *worker = session->worker;
    const struct policy_grant *waits_for = NULL;
    TRY(frontend_authorise(session, error));
    struct plans_request request = {.server = worker->server,
                                    .snapshot = session->snapshot,
                                    .plan_epoch = session->plan_epoch,
                                    .partner = session->partner,
                                    .agent = session->agent,
                                    .purpose = session->purpose,
                                    .database = session->database,
                                    .sql = sql,
                                    .types = types,
                                    .type_count = type_count,
                                    .approvals = session->approvals.list,
                                    .approval_count = session->approvals.count,
                                    .approvals_mark = session->approvals.mark,
                                    .waits_for = &waits_for};
    enum status status = plans_get(worker->plans, &request, planned, error);
    if (status == STATUS_DENIED && waits_for != NULL)
        return approvals_ask(session, waits_for, error);
    TRY(status);
    if (!session->is_staff || deliveries_may_run((*planned)->plan))
        return STATUS_OK;
    planned_release(*planned);
    *planned = NULL;
    return error_set(error, STATUS_DENIED, "25006", "write one SELECT",
                     "a delivery is the result of one query that changes nothing");
}

enum status frontend_check_errors(struct session *session, const struct plan *plan,
                                  struct error *error)
{
    TRY(writes_check(session, plan, error));
    if (plan->fence_count == 0 ||
        exposure_errors_left(session->worker->server->exposure, session->partner, clock_now_ns()))
        return STATUS_OK;
    return error_set(error, STATUS_LIMIT, "53400",
                     "SHOW cofferdam.budget tells the bounds; they are lifted at the day's end",
                     "partner %s has caused more data errors today, or looked up more people who "
                     "are not there, than its budget allows",
                     session->partner->name);
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

enum status frontend_renew(struct session *session, struct statement *statement,
                           struct error *error)
{
    struct planned *old = statement->planned, *planned;
    if (!planned_stale(old, session->plan_epoch) && old->approvals == session->approvals.mark)
        return STATUS_OK;
    TRY(frontend_plan(session, old->sql, old->types, old->type_count, &planned, error));
    enum status status = STATUS_OK;
    if (!same_shape(old->plan, planned->plan))
        status = error_set(error, STATUS_DENIED, "0A000", "prepare it again",
                           "the policy has changed the result of this prepared statement");
    else
        statements_replace(statement, planned, NULL);
    planned_release(planned);
    return status;
}

/* ---- Parse ---- */

/* Closes a statement upstream that no client's statement uses any more, where there are many. */
static void evict_prepared(struct session *session)
{
    struct prepared *evicted = statements_evict(session);
    if (evicted == NULL)
        return;
    wire_put_target(&session->upstream.out, 'C', 'S', evicted->name);
    session->unsynced = true;
    frontend_push(session, (struct reply){.kind = REPLY_CLOSE, .silent = true});
    prepared_release(evicted);
}

/* Sends Parse of a text for the plan, with its secrets' types behind the client's. */
static enum status send_parse(struct session *session, struct prepared *prepared, const char *text,
                              uint64_t serial, bool silent, struct error *error)
{
    const struct planned *planned = prepared->planned;
    const struct plan *plan = planned->plan;
    uint32_t types[LIMIT_PARAMETERS + MAX_SECRETS];
    size_t count = plan->client_parameter_count + plan->secret_count;
    if (count > sizeof types / sizeof types[0])
        return error_set(error, STATUS_LIMIT, "54000", NULL, "too many parameters");
    for (size_t i = 0; i < plan->client_parameter_count; i++)
        types[i] = i < planned->type_count ? planned->types[i] : 0;
    for (size_t i = 0; i < plan->secret_count; i++)
        types[plan->client_parameter_count + i] = WIRE_BYTEA_OID;
    TRY(upstream_open(session, error));
    evict_prepared(session);
    wire_put_parse(&session->upstream.out, prepared->name, text, types, count);
    session->unsynced = true;
    frontend_push(session, (struct reply){.kind = REPLY_PARSE,
                                          .silent = silent,
                                          .prepared = prepared_retain(prepared),
                                          .serial = serial});
    return STATUS_OK;
}

/* Sends Parse of a statement that upstream has not; where that fails it is as if it never was. */
static enum status send_fresh(struct session *session, struct prepared *prepared, const char *text,
                              uint64_t serial, bool silent, struct error *error)
{
    enum status status = send_parse(session, prepared, text, serial, silent, error);
    if (status == STATUS_OK)
        return STATUS_OK;
    statements_lose(session, prepared);
    prepared_release(prepared);
    return status;
}

enum status frontend_prepare(struct session *session, struct planned *planned, bool named,
                             uint64_t serial, bool silent, struct prepared **out,
                             struct error *error)
{
    struct prepared *prepared;
    bool fresh;
    TRY(statements_choose(session, planned, named, &prepared, &fresh, error));
    if (fresh)
        TRY(send_fresh(session, prepared, planned->plan->sql, serial, silent, error));
    else if (!silent)
        frontend_push_empty(session, '1', serial);
    *out = prepared;
    return STATUS_OK;
}

/* Sees to it that what is sent next finds the client's statement upstream. */
static enum status settle_statement(struct session *session, struct statement *statement,
                                    struct error *error)
{
    struct prepared *prepared;
    if (prepared_certain(statement->prepared, statements_segment(session)))
        return STATUS_OK;
    TRY(frontend_prepare(session, statement->planned, statement->name[0] != '\0', 0, true,
                         &prepared, error));
    statements_replace(statement, statement->planned, prepared);
    prepared_release(prepared);
    return STATUS_OK;
}

/* ---- errands ---- */

/* The arguments of EXECUTE, as a Bind in text format has them. */
static enum status take_arguments(const struct plan *execute, const struct planned *inside,
                                  struct errand *errand, struct error *error)
{
    if (execute->argument_count != inside->plan->client_parameter_count)
        return error_set(error, STATUS_DENIED, "42601", NULL,
                         "the statement takes %zu parameters, %zu were given",
                         inside->plan->client_parameter_count, execute->argument_count);
    for (size_t i = 0; i < execute->argument_count; i++) {
        const struct plan_argument *argument = &execute->arguments[i];
        uint32_t type = i < inside->type_count ? inside->types[i] : 0;
        if (argument->type != 0 && argument->type != type)
            return error_set(error, STATUS_DENIED, "0A000",
                             "leave the cast out, or PREPARE with that type",
                             "argument %zu is cast to another type than its parameter is declared "
                             "with",
                             i + 1);
        size_t len = argument->text == NULL ? 0 : strlen(argument->text);
        buffer_append_u32be(&errand->parameters,
                            argument->text == NULL ? UINT32_MAX : (uint32_t)len);
        buffer_append(&errand->parameters, argument->text, len);
    }
    errand->parameter_count = execute->argument_count;
    return errand->parameters.overflowed ? out_of_memory(error) : STATUS_OK;
}

/* EXECUTE: the statement that it names takes its place. */
static enum status enter_execute(struct session *session, const struct plan *execute,
                                 struct errand *errand, struct error *error)
{
    struct statement *statement = statements_find(session, execute->name);
    if (statement == NULL)
        return error_set(error, STATUS_DENIED, "26000", NULL,
                         "the prepared statement does not exist");
    if (!frontend_is_fixed(statement->planned->plan))
        return error_set(error, STATUS_DENIED, "0A000", "execute it by the driver",
                         "EXECUTE takes statements that read data");
    TRY(frontend_renew(session, statement, error));
    TRY(take_arguments(execute, statement->planned, errand, error));
    errand->statement = statement;
    errand->planned = planned_retain(statement->planned);
    return STATUS_OK;
}

static struct run *make_run(struct session *session, struct planned *planned)
{
    struct run *run = run_make(session->worker->server, planned, session->partner, session->agent,
                               session->purpose, session->id);
    if (run != NULL)
        memcpy(run->delivery, session->delivery, sizeof run->delivery);
    return run;
}

enum status errand_make(struct session *session, struct planned *planned,
                        struct statement *statement, struct errand *errand, struct error *error)
{
    const struct plan *plan = planned->plan;
    *errand = (struct errand){.statement = statement};
    buffer_init(&errand->text, TEXT_BYTES);
    buffer_init(&errand->parameters, LIMIT_MESSAGE_BYTES);
    if (plan->kind == PLAN_EXECUTE)
        TRY(enter_execute(session, plan, errand, error));
    else
        errand->planned = planned_retain(planned);
    if (plan->kind == PLAN_DECLARE)
        errand->cursor = ++session->serials;
    if (frontend_goes_upstream(errand->planned->plan) && !frontend_is_fixed(errand->planned->plan))
        TRY(cursors_text(session, planned, errand->cursor, &errand->text, &errand->run, error));
    if (errand->run == NULL)
        errand->run = make_run(session, errand->planned);
    if (errand->run == NULL || errand->text.overflowed)
        return out_of_memory(error);
    return frontend_check_errors(session, errand->run->planned->plan, error);
}

void errand_free(struct errand *errand)
{
    planned_release(errand->planned);
    run_release(errand->run);
    buffer_free(&errand->text);
    buffer_free(&errand->parameters);
}

enum status errand_prepare(struct session *session, struct errand *errand, char room[static 24],
                           struct error *error)
{
    struct prepared *prepared;
    if (errand->text.len > 0) {
        TRY(statements_overwrite(session, errand->planned, &prepared, error));
        TRY(send_fresh(session, prepared, buffer_text(&errand->text), 0, true, error));
    } else if (errand->statement != NULL) {
        TRY(settle_statement(session, errand->statement, error));
        prepared = prepared_retain(errand->statement->prepared);
    } else {
        TRY(frontend_prepare(session, errand->planned, false, 0, true, &prepared, error));
    }
    snprintf(room, 24, "%s", prepared->name);
    prepared_release(prepared);
    return STATUS_OK;
}

struct planned *frontend_rows(struct planned *planned, struct run *run)
{
    const struct plan *plan = planned->plan;
    bool rows = plan->kind == PLAN_SHOW || (plan->kind == PLAN_QUERY && plan->copy == NULL) ||
                (plan->kind == PLAN_FETCH && !plan->cursor.moves);
    if (plan->write != NULL && !plan->write->returning)
        rows = false;
    return rows ? run->planned : NULL;
}

/* Columns that the client gets and those behind them, of what upstream sends for this. */
static void count_columns(const struct errand *errand, size_t *visible, size_t *hidden)
{
    const struct plan *rows = errand->run->planned->plan;
    enum plan_kind kind = errand->planned->plan->kind;
    bool sends = kind == PLAN_QUERY || kind == PLAN_SHOW || kind == PLAN_FETCH;
    *visible = sends ? rows->visible_count : 0;
    *hidden = sends ? run_hidden_columns(rows) : 0;
}

/* The result formats that upstream is asked for: COPY has its own, whatever the client says; what
 * has no rows has none. */
static void choose_formats(const struct errand *errand, size_t visible, struct wire_bind *bind)
{
    static const uint8_t binary[] = {0, 1};
    const struct wire_copy *copy = errand->planned->plan->copy;
    if (copy == NULL && visible > 0)
        return;
    bool is_binary = copy != NULL && copy->format == WIRE_COPY_BINARY;
    bind->result_format_count = is_binary ? 1 : 0;
    bind->result_formats = slice_of(binary, is_binary ? sizeof binary : 0);
}

/* bind, with the arguments of EXECUTE in the client's place. */
static struct wire_bind with_parameters(const struct errand *errand, const struct wire_bind *bind)
{
    struct wire_bind sent = *bind;
    if (errand->parameter_count > 0) {
        sent.format_count = 0;
        sent.parameter_count = errand->parameter_count;
        sent.parameters = buffer_slice(&errand->parameters);
    }
    return sent;
}

enum status errand_pin(const struct errand *errand, const struct wire_bind *bind,
                       struct error *error)
{
    if (errand->run->planned != errand->planned)
        return STATUS_OK; /* FETCH: the cursor's execution has its keys */
    struct wire_bind sent = with_parameters(errand, bind);
    TRY(canary_watch_execution(errand->run, errand->planned, &sent, error));
    return pins_take(errand->run, &sent, error);
}

enum status errand_bind(struct session *session, const struct errand *errand, const char *portal,
                        const char *statement, const struct wire_bind *bind, bool silent,
                        struct error *error)
{
    const struct plan *plan = errand->planned->plan;
    struct wire_bind sent = with_parameters(errand, bind);
    uint8_t pads[MAX_SECRETS][64];
    struct slice extra[MAX_SECRETS];
    size_t visible, hidden;
    if (plan->secret_count > MAX_SECRETS)
        return error_set(error, STATUS_LIMIT, "54000", "name fewer token columns",
                         "the statement uses too many token domains");
    TRY(upstream_open(session, error));
    count_columns(errand, &visible, &hidden);
    choose_formats(errand, visible, &sent);
    for (size_t i = 0; i < plan->secret_count; i++) {
        server_token_pad(session->worker->server, session->partner->name, plan->secrets[i].domain,
                         plan->secrets[i].outer, pads[i]);
        extra[i] = slice_of(pads[i], sizeof pads[i]);
    }
    wire_put_bind(&session->upstream.out, portal, statement, &sent, extra, plan->secret_count,
                  visible, hidden);
    crypto_wipe(pads, sizeof pads);
    session->unsynced = true;
    frontend_push(session, (struct reply){.kind = REPLY_BIND,
                                          .silent = silent,
                                          .planned = planned_retain(errand->planned)});
    return STATUS_OK;
}

/* ---- Execute, Describe ---- */

enum status frontend_execute(struct session *session, struct planned *planned, struct run *run,
                             uint64_t cursor, const char *portal, uint32_t max_rows, bool silent,
                             struct error *error)
{
    const struct plan *plan = planned->plan;
    if (plan->kind == PLAN_DECLARE)
        TRY(cursors_put(session, plan, cursor, run, error));
    /* What was written is judged when all of it is known; a COPY has no portions. */
    bool whole = plan->copy != NULL || plan->write != NULL;
    wire_put_execute(&session->upstream.out, portal, whole ? 0 : max_rows);
    session->unsynced = true;
    run->executed++;
    frontend_push(session, (struct reply){.kind = REPLY_EXECUTE,
                                          .silent = silent,
                                          .planned = planned_retain(planned),
                                          .run = run_retain(run),
                                          .serial = plan->kind == PLAN_DECLARE ? cursor : 0});
    if (plan->transaction == PLAN_TRANSACTION_END)
        writes_commit_sent(session);
    if (plan->write != NULL) {
        writes_begin(session, run);
        wire_put_empty(&session->upstream.out, 'H');
    }
    (void)planned_retain(planned); /* DISCARD drops the portal that has it */
    enum status status = frontend_follow(session, plan, error);
    planned_release(planned);
    return status;
}

void frontend_describe(struct session *session, struct planned *planned, struct planned *rows,
                       uint8_t what, const char *name)
{
    wire_put_target(&session->upstream.out, 'D', what, name);
    session->unsynced = true;
    frontend_push(session, (struct reply){.kind = what == 'S' ? REPLY_DESCRIBE_STATEMENT
                                                              : REPLY_DESCRIBE_PORTAL,
                                          .planned = planned_retain(planned),
                                          .rows = rows == NULL ? NULL : planned_retain(rows)});
}

/* ---- the simple protocol's way ---- */

/* A FETCH from a BINARY cursor answers in binary, but only here. */
static bool answers_in_binary(const struct errand *errand)
{
    return errand->planned->plan->kind == PLAN_FETCH && errand->run->planned->plan->cursor.binary;
}

static enum status run_errand(struct session *session, struct errand *errand, bool silent,
                              struct error *error)
{
    static const uint8_t binary[] = {0, 1};
    struct planned *rows = frontend_rows(errand->planned, errand->run);
    struct wire_bind bind = {0};
    char name[24];
    if (answers_in_binary(errand)) {
        bind.result_format_count = 1;
        bind.result_formats = slice_of(binary, sizeof binary);
    }
    TRY(errand_pin(errand, &bind, error));
    TRY(errand_prepare(session, errand, name, error));
    TRY(errand_bind(session, errand, "", name, &bind, true, error));
    if (rows != NULL)
        frontend_describe(session, errand->planned, rows, 'P', "");
    return frontend_execute(session, errand->planned, errand->run, errand->cursor, "", 0, silent,
                            error);
}

enum status frontend_run(struct session *session, struct planned *planned, bool silent,
                         struct error *error)
{
    struct errand errand;
    enum status status = errand_make(session, planned, NULL, &errand, error);
    if (status == STATUS_OK)
        status = run_errand(session, &errand, silent, error);
    errand_free(&errand);
    return status;
}

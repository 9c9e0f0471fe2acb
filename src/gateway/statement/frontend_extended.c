/* The extended protocol: Parse, Bind, Describe, Execute, Close. */
#include "gateway/statement/frontend.h"

#include "gateway/statement/cursors.h"
#include "gateway/statement/renew.h"
#include "gateway/statement/statements.h"
#include "gateway/trust/trust.h"

/* A message that could not be taken: what only breaks a rule of the statement is refused and the
 * session lives; what breaks the protocol ends it. */
static enum status reject(struct session *session, enum status status, const struct error *error)
{
    if (status != STATUS_DENIED && status != STATUS_LIMIT)
        return status;
    frontend_refuse(session, NULL, error);
    return STATUS_OK;
}

/* ---- Parse ---- */

static enum status parse_planned(struct session *session, const char *name, struct planned *planned,
                                 struct error *error)
{
    struct prepared *prepared;
    uint64_t serial = ++session->serials;
    TRY(frontend_check_errors(session, planned->plan, error));
    TRY(statements_put(session, name, planned, NULL, serial, error));
    if (!frontend_is_fixed(planned->plan)) {
        frontend_push_empty(session, '1', serial);
        return STATUS_OK;
    }
    enum status status =
        frontend_prepare(session, planned, name[0] != '\0', serial, false, &prepared, error);
    if (status != STATUS_OK) {
        statements_drop(session, name);
        return status;
    }
    statements_replace(statements_find(session, name), planned, prepared);
    prepared_release(prepared);
    return STATUS_OK;
}

static enum status parse(struct session *session, const struct wire_parse *message,
                         struct error *error)
{
    struct planned *planned;
    if (message->name[0] != '\0' && statements_find(session, message->name) != NULL)
        return error_set(error, STATUS_DENIED, "42P05", "close it first or use another name",
                         "the prepared statement exists already");
    TRY(frontend_plan(session, message->sql, message->types, message->type_count, &planned, error));
    enum status status = parse_planned(session, message->name, planned, error);
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
        frontend_refuse(session, message.sql, error);
    return STATUS_OK;
}

/* ---- Bind ---- */

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
    return STATUS_OK;
}

/* As PostgreSQL: what has no rows takes any formats. */
static enum status check_formats(const struct planned *rows, const struct wire_bind *bind,
                                 struct error *error)
{
    if (rows == NULL || bind->result_format_count <= 1 ||
        bind->result_format_count == rows->plan->visible_count)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "08P01", NULL, "%zu result formats for %zu columns",
                     bind->result_format_count, rows->plan->visible_count);
}

/* The portal as upstream and the session have it. */
static enum status open_portal(struct session *session, const struct wire_bind *message,
                               struct errand *errand, struct error *error)
{
    struct portal *portal;
    char name[24] = "";
    bool upstream = frontend_goes_upstream(errand->planned->plan);
    TRY(check_formats(frontend_rows(errand->planned, errand->run), message, error));
    TRY(errand_pin(errand, message, error));
    if (upstream)
        TRY(errand_prepare(session, errand, name, error));
    (void)frontend_close_portal(session, message->portal, true);
    TRY(portals_put(session, message->portal, errand->planned, errand->run, &portal, error));
    portal->cursor = errand->cursor;
    if (errand->planned->plan->kind == PLAN_RENEW)
        TRY(renew_bind(errand->planned->plan, message, portal, error));
    if (upstream)
        return errand_bind(session, errand, portal->upstream_name, name, message, false, error);
    frontend_push_empty(session, '2', 0);
    return STATUS_OK;
}

static enum status bind_portal(struct session *session, const struct wire_bind *message,
                               struct error *error)
{
    struct statement *statement = statements_find(session, message->statement);
    struct errand errand;
    if (statement == NULL)
        return error_set(error, STATUS_DENIED, "26000", NULL,
                         "the prepared statement does not exist");
    TRY(frontend_authorise(session, error));
    TRY(frontend_renew(session, statement, error));
    TRY(check_bind(statement->planned->plan, message, error));
    enum status status = errand_make(session, statement->planned, statement, &errand, error);
    if (status == STATUS_OK)
        status = open_portal(session, message, &errand, error);
    errand_free(&errand);
    return status;
}

static enum status on_bind(struct session *session, struct slice body, struct error *error)
{
    struct wire_bind message;
    enum status status = wire_parse_bind(body, &message, error);
    if (status != STATUS_OK)
        return reject(session, status, error);
    status = bind_portal(session, &message, error);
    if (status != STATUS_OK && status != STATUS_CLOSED)
        frontend_refuse(session, NULL, error);
    return STATUS_OK;
}

/* ---- Describe ---- */

/* What the gateway answers itself: parameters are texts, and its rows are its own. */
static void describe_own(struct session *session, const struct plan *plan, bool statement)
{
    struct buffer text;
    buffer_init(&text, 4096 + 4 * LIMIT_PARAMETERS);
    if (statement) {
        size_t start = wire_begin(&text, 't');
        buffer_append_u16be(&text, (uint16_t)plan->client_parameter_count);
        for (size_t i = 0; i < plan->client_parameter_count; i++)
            buffer_append_u32be(&text, WIRE_TEXT_OID);
        wire_end(&text, start);
    }
    local_description(plan, &text);
    frontend_push_text(session, REPLY_FAKE, &text, 0);
}

static enum status describe_statement(struct session *session, const char *name,
                                      struct error *error)
{
    struct statement *statement = statements_find(session, name);
    struct errand errand;
    char upstream_name[24];
    if (statement == NULL)
        return error_set(error, STATUS_DENIED, "26000", NULL,
                         "the prepared statement does not exist");
    if (!frontend_goes_upstream(statement->planned->plan)) {
        describe_own(session, statement->planned->plan, true);
        return STATUS_OK;
    }
    enum status status = errand_make(session, statement->planned, statement, &errand, error);
    if (status == STATUS_OK)
        status = errand_prepare(session, &errand, upstream_name, error);
    if (status == STATUS_OK)
        frontend_describe(session, statement->planned, frontend_rows(errand.planned, errand.run),
                          'S', upstream_name);
    errand_free(&errand);
    return status;
}

/* To PostgreSQL a cursor is a portal: clients ask for its columns, and close it, as one. */
static enum status describe_cursor(struct session *session, const char *name, struct error *error)
{
    struct cursor *cursor = cursors_find(session, name);
    char upstream_name[24];
    if (cursor == NULL)
        return error_set(error, STATUS_DENIED, "34000", NULL, "the portal does not exist");
    cursors_name(cursor, upstream_name);
    frontend_describe(session, cursor->run->planned, cursor->run->planned, 'P', upstream_name);
    return STATUS_OK;
}

static enum status describe_portal(struct session *session, const char *name, struct error *error)
{
    struct portal *portal = portals_find(session, name);
    if (portal == NULL)
        return describe_cursor(session, name, error);
    if (frontend_goes_upstream(portal->planned->plan))
        frontend_describe(session, portal->planned, frontend_rows(portal->planned, portal->run),
                          'P', portal->upstream_name);
    else
        describe_own(session, portal->planned->plan, false);
    return STATUS_OK;
}

static enum status on_describe(struct session *session, struct slice body, struct error *error)
{
    struct wire_target target;
    TRY(wire_parse_target(body, &target, error));
    enum status status = target.what == 'S' ? describe_statement(session, target.name, error)
                                            : describe_portal(session, target.name, error);
    if (status != STATUS_OK)
        frontend_refuse(session, NULL, error);
    return STATUS_OK;
}

/* ---- Execute, Close ---- */

static enum status execute(struct session *session, const struct wire_execute *message,
                           struct error *error)
{
    TRY(frontend_authorise(session, error));
    struct portal *portal = portals_find(session, message->portal);
    if (portal == NULL)
        return error_set(error, STATUS_DENIED, "34000", NULL, "the portal does not exist");
    struct planned *planned = portal->planned;
    if (!trust_holds(session, planned) || !trust_holds(session, portal->run->planned))
        return error_set(error, STATUS_DENIED, "0A000", "bind the statement again",
                         "the policy has changed since this portal was made");
    TRY(frontend_check_errors(session, portal->run->planned->plan, error));
    if (planned->plan->write != NULL && portal->run->executed > 0)
        return error_set(error, STATUS_DENIED, "55000", "bind the statement again",
                         "this portal has written already");
    if (planned->plan->kind == PLAN_RENEW)
        return renew_ask(session, portal->bound[0], portal->bound[1], error);
    if (!frontend_goes_upstream(planned->plan))
        return frontend_answer(session, planned->plan, error);
    return frontend_execute(session, planned, portal->run, portal->cursor, portal->upstream_name,
                            message->max_rows, false, error);
}

static enum status on_execute(struct session *session, struct slice body, struct error *error)
{
    struct wire_execute message;
    TRY(wire_parse_execute(body, &message, error));
    enum status status = execute(session, &message, error);
    if (status != STATUS_OK && status != STATUS_CLOSED)
        frontend_refuse(session, NULL, error);
    return STATUS_OK;
}

static bool close_cursor(struct session *session, const char *name)
{
    struct cursor *cursor = cursors_find(session, name);
    char upstream_name[24];
    if (cursor == NULL)
        return false;
    cursors_name(cursor, upstream_name);
    wire_put_target(&session->upstream.out, 'C', 'P', upstream_name);
    session->unsynced = true;
    frontend_push(session, (struct reply){.kind = REPLY_CLOSE});
    cursors_drop(session, name);
    return true;
}

static enum status on_close(struct session *session, struct slice body, struct error *error)
{
    struct wire_target target;
    TRY(wire_parse_target(body, &target, error));
    if (target.what == 'P' &&
        (frontend_close_portal(session, target.name, false) || close_cursor(session, target.name)))
        return STATUS_OK;
    if (target.what == 'S')
        statements_drop(session, target.name);
    frontend_push_empty(session, '3', 0);
    return STATUS_OK;
}

enum status frontend_extended(struct session *session, const struct wire_message *message,
                              struct error *error)
{
    switch (message->type) {
    case 'P':
        return on_parse(session, message->body, error);
    case 'B':
        return on_bind(session, message->body, error);
    case 'D':
        return on_describe(session, message->body, error);
    case 'E':
        return on_execute(session, message->body, error);
    default:
        return on_close(session, message->body, error);
    }
}

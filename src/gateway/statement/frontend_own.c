/* What a statement means for the session's own state: prepared statements, cursors, settings; and
 * the answers to statements that upstream has no part in. State follows what is sent, not what is
 * answered, since clients pipeline: what upstream then skips is forgotten again (relay.c). */
#include "gateway/statement/frontend.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gateway/statement/cursors.h"
#include "gateway/statement/statements.h"

/* ---- prepared statements ---- */

static enum status deallocate(struct session *session, const struct plan *plan, struct error *error)
{
    if (plan->name == NULL) {
        statements_drop_all(session);
        return STATUS_OK;
    }
    if (statements_find(session, plan->name) == NULL)
        return error_set(error, STATUS_DENIED, "26000", NULL,
                         "the prepared statement does not exist");
    statements_drop(session, plan->name);
    return STATUS_OK;
}

/* Upstream is told of it at once, so that what is wrong with it is told now. */
static enum status keep_statement(struct session *session, const char *name,
                                  struct planned *planned, uint64_t serial, struct error *error)
{
    struct prepared *prepared;
    TRY(frontend_check_errors(session, planned->plan, error));
    TRY(statements_put(session, name, planned, NULL, serial, error));
    enum status status = frontend_prepare(session, planned, true, serial, true, &prepared, error);
    if (status != STATUS_OK) {
        statements_drop(session, name);
        return status;
    }
    statements_replace(statements_find(session, name), planned, prepared);
    prepared_release(prepared);
    return STATUS_OK;
}

static enum status prepare(struct session *session, const struct plan *plan, uint64_t serial,
                           struct error *error)
{
    const struct plan_preparation *inside = &plan->preparation;
    struct planned *planned;
    if (statements_find(session, plan->name) != NULL)
        return error_set(error, STATUS_DENIED, "42P05", "close it first or use another name",
                         "the prepared statement exists already");
    TRY(frontend_plan(session, inside->sql, inside->types, inside->type_count, &planned, error));
    enum status status = keep_statement(session, plan->name, planned, serial, error);
    planned_release(planned);
    return status;
}

enum status frontend_answer(struct session *session, struct plan *plan, struct error *error)
{
    struct buffer text;
    uint64_t serial = 0;
    if (plan->kind == PLAN_UTILITY && strncmp(plan->command, "DEALLOCATE", 10) == 0)
        TRY(deallocate(session, plan, error));
    if (plan->setting_value != NULL && strcmp(plan->setting, "cofferdam.reason") == 0)
        snprintf(session->reason, sizeof session->reason, "%s", plan->setting_value);
    if (plan->kind == PLAN_COPY_IN)
        return copy_in_begin(session, plan, error);
    if (plan->kind == PLAN_PREPARE) {
        serial = ++session->serials;
        TRY(prepare(session, plan, serial, error));
    }
    buffer_init(&text, 1024 * 1024);
    if (plan->kind == PLAN_EMPTY)
        wire_put_empty(&text, 'I');
    else if (plan->kind == PLAN_LOCAL)
        local_rows(session, plan, &text);
    else
        wire_put_command_complete(&text, plan->command);
    frontend_push_text(session, REPLY_FAKE, &text, serial);
    return STATUS_OK;
}

/* ---- portals ---- */

bool frontend_close_portal(struct session *session, const char *name, bool silent)
{
    struct portal *portal = portals_find(session, name);
    bool upstream = portal != NULL && frontend_goes_upstream(portal->planned->plan);
    if (upstream) {
        wire_put_target(&session->upstream.out, 'C', 'P', portal->upstream_name);
        session->unsynced = true;
        frontend_push(session, (struct reply){.kind = REPLY_CLOSE, .silent = silent});
    }
    portals_drop(session, name);
    return upstream;
}

/* ---- what upstream does, too ---- */

/* Is this the SET of that setting? The emitter quotes names as the client wrote them. */
static bool sets(const char *sql, const char *name)
{
    static const char verb[] = "SET \"";
    size_t len = strlen(name);
    return strncmp(sql, verb, sizeof verb - 1) == 0 &&
           strncasecmp(sql + sizeof verb - 1, name, len) == 0 && sql[sizeof verb - 1 + len] == '"';
}

/* RESET takes upstream back to what our connection began with: what the client began with comes on
 * top of that. name NULL: all settings. */
static enum status apply_settings(struct session *session, const char *name, struct error *error)
{
    for (size_t i = 0; i < session->setting_count; i++) {
        struct planned *planned;
        const char *sql = session->settings[i];
        if (sql == NULL || (name != NULL && !sets(sql, name)))
            continue;
        TRY(frontend_plan(session, sql, NULL, 0, &planned, error));
        enum status status = frontend_run(session, planned, true, error);
        planned_release(planned);
        TRY(status);
    }
    return STATUS_OK;
}

/* DISCARD ALL. In a transaction upstream refuses it. */
static void discard_all(struct session *session)
{
    if (session->transaction != 'I')
        return;
    statements_drop_all(session);
    statements_lose_all(session);
    portals_drop_all(session);
    cursors_drop(session, NULL);
}

enum status frontend_follow(struct session *session, const struct plan *plan, struct error *error)
{
    bool back =
        plan->transaction != PLAN_TRANSACTION_NONE && strcmp(plan->command, "ROLLBACK") == 0;
    if (back)
        cursors_doubt(session);
    if (plan->transaction == PLAN_TRANSACTION_END)
        cursors_end_transaction(session);
    if (plan->kind == PLAN_CLOSE)
        cursors_drop(session, plan->name);
    if (plan->kind == PLAN_UTILITY && strcmp(plan->command, "DISCARD ALL") == 0)
        discard_all(session);
    return plan->resets ? apply_settings(session, plan->setting, error) : STATUS_OK;
}

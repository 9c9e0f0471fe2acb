/* Cursors by name, and the statements about them as upstream gets them. */
#include "gateway/statement/cursors.h"

#include "gateway/trust/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cursor **find_cursor(struct session *session, const char *name)
{
    struct cursor **at = &session->cursors;
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

struct cursor *cursors_find(struct session *session, const char *name)
{
    return *find_cursor(session, name);
}

void cursors_name(const struct cursor *cursor, char name[static 24])
{
    (void)snprintf(name, 24, "k%llu", (unsigned long long)cursor->serial);
}

static void remove_cursor(struct session *session, struct cursor **at)
{
    struct cursor *gone = *at;
    *at = gone->next;
    session->cursor_count--;
    run_release(gone->run);
    free(gone->name);
    free(gone);
}

/* Removes those of which `goes` says so. */
static void sweep(struct session *session, bool (*goes)(const struct cursor *, uint64_t),
                  uint64_t number)
{
    for (struct cursor **at = &session->cursors; *at != NULL;) {
        if (goes(*at, number))
            remove_cursor(session, at);
        else
            at = &(*at)->next;
    }
}

static bool is_doubtful(const struct cursor *cursor, uint64_t unused)
{
    (void)unused;
    return cursor->doubtful;
}

enum status cursors_put(struct session *session, const struct plan *plan, uint64_t serial,
                        struct run *run, struct error *error)
{
    uint32_t most = session->worker->server->config->limits.cursors;
    struct cursor **at = find_cursor(session, plan->name);
    if (*at != NULL && !(*at)->doubtful)
        return error_set(error, STATUS_DENIED, "42P03", "close it first or use another name",
                         "the cursor exists already");
    if (*at != NULL)
        remove_cursor(session, at);
    if (session->cursor_count >= most)
        sweep(session, is_doubtful, 0);
    if (session->cursor_count >= most)
        return error_set(error, STATUS_LIMIT, "54000", "close some", "more than %u cursors", most);
    struct cursor *made = calloc(1, sizeof *made);
    char *name = strdup(plan->name);
    if (made == NULL || name == NULL) {
        free(made);
        free(name);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    *made = (struct cursor){.next = session->cursors,
                            .name = name,
                            .serial = serial,
                            .run = run_retain(run),
                            .hold = plan->cursor.hold,
                            .declared_before_sync = session->syncs + 1};
    session->cursors = made;
    session->cursor_count++;
    return STATUS_OK;
}

static bool always(const struct cursor *cursor, uint64_t unused)
{
    (void)unused;
    return cursor != NULL;
}

void cursors_drop(struct session *session, const char *name)
{
    struct cursor **at = name == NULL ? NULL : find_cursor(session, name);
    if (name == NULL)
        sweep(session, always, 0);
    else if (*at != NULL)
        remove_cursor(session, at);
}

static bool has_serial(const struct cursor *cursor, uint64_t serial)
{
    return cursor->serial == serial;
}

void cursors_forget(struct session *session, uint64_t serial)
{
    sweep(session, has_serial, serial);
}

void cursors_doubt(struct session *session)
{
    for (struct cursor *cursor = session->cursors; cursor != NULL; cursor = cursor->next)
        cursor->doubtful = true;
}

static bool without_hold(const struct cursor *cursor, uint64_t unused)
{
    (void)unused;
    return !cursor->hold;
}

void cursors_end_transaction(struct session *session)
{
    sweep(session, without_hold, 0);
}

static bool ended(const struct cursor *cursor, uint64_t sync)
{
    return !cursor->hold && cursor->declared_before_sync <= sync;
}

void cursors_transaction_ended(struct session *session, uint64_t sync)
{
    sweep(session, ended, sync);
}

bool cursors_held(const struct session *session)
{
    for (const struct cursor *cursor = session->cursors; cursor != NULL; cursor = cursor->next)
        if (cursor->hold)
            return true;
    return false;
}

void cursors_abandon(struct session *session, enum ledger_outcome outcome)
{
    for (struct cursor *cursor = session->cursors; cursor != NULL; cursor = cursor->next)
        release_abandon(cursor->run, outcome);
}

/* ---- texts ---- */

/* The plan's text has been verified to be one query, and nothing of the partner's stands in what
 * is put before it. Without SCROLL: no row comes twice. */
static void declare_text(const struct plan *plan, uint64_t serial, struct buffer *text)
{
    buffer_printf(text, "DECLARE k%llu NO SCROLL CURSOR %s HOLD FOR ", (unsigned long long)serial,
                  plan->cursor.hold ? "WITH" : "WITHOUT");
    buffer_append_text(text, plan->sql);
}

/* Do as many rows reach the client as upstream sends? Otherwise a FETCH with a count would look
 * like the end of the rows. */
static bool counts_rows(const struct plan *plan)
{
    return plan->relay_limit < 0 && plan->relay_offset == 0 && !plan->suppress_small &&
           !plan->keeps_left_out;
}

static enum status check_fetch(const struct session *session, const struct cursor *cursor,
                               const struct plan *plan, struct error *error)
{
    const struct planned *declared = cursor->run->planned;
    if (!trust_holds(session, declared))
        return error_set(error, STATUS_DENIED, "0A000", "declare it again",
                         "the policy has changed since this cursor was made");
    if (plan->cursor.count >= 0 && !counts_rows(declared->plan))
        return error_set(error, STATUS_DENIED, "0A000",
                         "FETCH ALL, or leave OFFSET, and LIMIT over groups, to the client",
                         "this cursor's rows cannot be fetched in portions: the gateway leaves "
                         "some out");
    return STATUS_OK;
}

/* MOVE is a FETCH whose rows stay here. At a count of 0 there are none, and upstream's own MOVE
 * tells whether the cursor stands on a row. */
static void fetch_text(const struct plan *plan, uint64_t serial, struct buffer *text)
{
    const char *verb = plan->cursor.moves && plan->cursor.count == 0 ? "MOVE" : "FETCH";
    if (plan->cursor.count < 0)
        buffer_printf(text, "FETCH FORWARD ALL FROM k%llu", (unsigned long long)serial);
    else
        buffer_printf(text, "%s FORWARD %lld FROM k%llu", verb, (long long)plan->cursor.count,
                      (unsigned long long)serial);
}

enum status cursors_text(struct session *session, struct planned *planned, uint64_t serial,
                         struct buffer *text, struct run **run, struct error *error)
{
    const struct plan *plan = planned->plan;
    *run = NULL;
    if (plan->kind == PLAN_DECLARE) {
        declare_text(plan, serial, text);
        return STATUS_OK;
    }
    if (plan->name == NULL) {
        buffer_append_text(text, "CLOSE ALL");
        return STATUS_OK;
    }
    struct cursor *cursor = cursors_find(session, plan->name);
    if (cursor == NULL)
        return error_set(error, STATUS_DENIED, "34000", "declare it in the same transaction",
                         "the cursor does not exist");
    if (plan->kind == PLAN_CLOSE) {
        buffer_printf(text, "CLOSE k%llu", (unsigned long long)cursor->serial);
        return STATUS_OK;
    }
    TRY(check_fetch(session, cursor, plan, error));
    fetch_text(plan, cursor->serial, text);
    *run = run_retain(cursor->run);
    return STATUS_OK;
}

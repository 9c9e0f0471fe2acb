/* DECLARE, FETCH, MOVE and CLOSE. A cursor's query is planned as any query is; its rows are those
 * of that plan, however many statements fetch them. Cursors go forward only: going back would show
 * rows again that have been recorded and counted once. */
#include "sql/session/plan_session.h"

enum status plan_keep_name(struct build *build, const char *name)
{
    build->plan->name = arena_strdup(&build->plan->arena, name);
    return build->plan->name == NULL ? STATUS_NOMEM : STATUS_OK;
}

enum status plan_declare(struct build *build, DeclareCursorStmt *declare, Node **emitted)
{
    struct plan *plan = build->plan;
    if ((declare->options & CURSOR_OPT_SCROLL) != 0)
        return plan_refuse(build, "0A000", "Declare it without SCROLL, and fetch forward.",
                           "cursors that go back are not supported");
    if ((declare->options & CURSOR_OPT_ASENSITIVE) != 0 &&
        (declare->options & CURSOR_OPT_INSENSITIVE) != 0)
        return plan_refuse(build, "42P11", "Leave one of them out.",
                           "a cursor cannot be both INSENSITIVE and ASENSITIVE");
    if (!IsA(declare->query, SelectStmt))
        return plan_refuse_statement(build, declare->query);
    TRY(plan_query(build, (SelectStmt *)declare->query, emitted));
    TRY(plan_keep_name(build, declare->portalname));
    plan->kind = PLAN_DECLARE;
    plan->command = "DECLARE CURSOR";
    plan->cursor.hold = (declare->options & CURSOR_OPT_HOLD) != 0;
    plan->cursor.binary = (declare->options & CURSOR_OPT_BINARY) != 0;
    return STATUS_OK;
}

enum status plan_fetch(struct build *build, FetchStmt *fetch, Node **emitted)
{
    struct plan *plan = build->plan;
    if (fetch->direction != FETCH_FORWARD || fetch->howMany < 0)
        return plan_refuse(build, "0A000", "NEXT, FORWARD, ALL and a count are supported.",
                           "cursors go forward only");
    TRY(plan_keep_name(build, fetch->portalname));
    plan->kind = PLAN_FETCH;
    plan->command = fetch->ismove ? "MOVE" : "FETCH";
    plan->cursor.moves = fetch->ismove;
    plan->cursor.count = fetch->howMany == FETCH_ALL ? -1 : fetch->howMany;
    *emitted = NULL;
    return STATUS_OK;
}

enum status plan_close(struct build *build, ClosePortalStmt *close, Node **emitted)
{
    build->plan->kind = PLAN_CLOSE;
    build->plan->command = close->portalname == NULL ? "CLOSE CURSOR ALL" : "CLOSE CURSOR";
    *emitted = NULL;
    return close->portalname == NULL ? STATUS_OK : plan_keep_name(build, close->portalname);
}

/* CALL: of one procedure, the gateway's own, which renews the client's certificate. */
#include <string.h>

#include "sql/session/plan_session.h"

static const char *const answer_columns[] = {"serial", "not_after", "renewable_until",
                                             "certificate"};

static bool is_renewal(const FuncCall *call)
{
    return list_length(call->funcname) == 2 &&
           strcmp(strVal(linitial(call->funcname)), "cofferdam") == 0 &&
           strcmp(strVal(llast(call->funcname)), "renew_certificate") == 0 && !call->agg_star &&
           !call->agg_distinct && !call->func_variadic && call->agg_order == NIL &&
           call->agg_filter == NULL && call->over == NULL && list_length(call->args) == 2;
}

/* A text, or a parameter; either may be cast, to whatever it likes. */
static enum status read_text(struct build *build, const Node *node, struct plan_renewal_text *text)
{
    while (IsA(node, TypeCast))
        node = ((const TypeCast *)node)->arg;
    if (IsA(node, ParamRef)) {
        text->parameter = (size_t)((const ParamRef *)node)->number;
        return STATUS_OK;
    }
    const A_Const *constant = (const A_Const *)node;
    if (!IsA(node, A_Const) || constant->isnull || !IsA(&constant->val, String))
        return plan_refuse(build, "0A000", "Write texts, or bind them as parameters.",
                           "the request and its signature are two texts");
    text->text = arena_strdup(&build->plan->arena, constant->val.sval.sval);
    return text->text == NULL ? STATUS_NOMEM : STATUS_OK;
}

enum status plan_call(struct build *build, CallStmt *call, Node **emitted)
{
    struct plan *plan = build->plan;
    if (call->funccall == NULL || !is_renewal(call->funccall))
        return plan_refuse_statement(build, (Node *)call);
    TRY(plan_count_parameters(build, (Node *)call->funccall));
    TRY(read_text(build, linitial(call->funccall->args), &plan->renewal.request));
    TRY(read_text(build, llast(call->funccall->args), &plan->renewal.signature));
    plan->kind = PLAN_RENEW;
    plan->command = "CALL";
    plan->visible_names = answer_columns;
    plan->visible_count = lengthof(answer_columns);
    *emitted = NULL;
    return STATUS_OK;
}

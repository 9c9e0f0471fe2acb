/* The constants of a statement, kept beside its plan for whoever looks for values that nobody
 * should ask for: all of them, as the text is bounded. The tree is the partner's own, before
 * anything is rewritten. */
#include "sql/plan/plan_build.h"

#include <string.h>

#include "nodes/nodeFuncs.h"

enum { LEAST_BYTES = 4 };

static void keep(struct plan *plan, const char *text)
{
    size_t len = text == NULL ? 0 : strnlen(text, PLAN_CONSTANT_BYTES + 1);
    if (len < LEAST_BYTES || len > PLAN_CONSTANT_BYTES)
        return;
    struct plan_constant *constant = arena_new(&plan->arena, struct plan_constant);
    char *copy = arena_copy(&plan->arena, text, len);
    if (constant == NULL || copy == NULL)
        return; /* the plan does not fit its memory, and says so */
    *constant = (struct plan_constant){.next = plan->constants, .text = copy};
    plan->constants = constant;
}

static bool constant_walker(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, A_Const)) {
        const A_Const *constant = (const A_Const *)node;
        if (!constant->isnull && IsA(&constant->val, String))
            keep(context, constant->val.sval.sval);
        else if (!constant->isnull && IsA(&constant->val, Float))
            keep(context, constant->val.fval.fval);
        return false;
    }
    return raw_expression_tree_walker(node, constant_walker, context);
}

void plan_keep_constants(struct build *build, Node *statement)
{
    (void)constant_walker(statement, build->plan);
}

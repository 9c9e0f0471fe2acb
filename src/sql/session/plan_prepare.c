/* PREPARE, EXECUTE and DEALLOCATE: prepared statements are the gateway's own. PREPARE holds the
 * text of the statement inside, which is planned when it is prepared; EXECUTE binds constants. */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/tree/emit.h"
#include "sql/session/plan_session.h"

enum { INNER_SQL_BYTES = 4 * 1024 * 1024 };

/* Of a type as the grammar delivers it: int4 or pg_catalog.int4, perhaps an array; 0 for any that
 * is not allowed. */
static uint32_t type_of(const TypeName *type)
{
    const List *names = type->names;
    if (names == NIL || list_length(names) > 2 || type->setof || type->pct_type ||
        (list_length(names) == 2 && strcmp(strVal(linitial(names)), "pg_catalog") != 0))
        return 0;
    const char *name = strVal(llast(names));
    uint32_t element = allow_type(name);
    if (type->arrayBounds == NIL)
        return element != 0 || strcmp(name, "unknown") != 0 ? element : TYPE_UNKNOWN;
    return element == 0 ? 0 : allow_array_type(element);
}

static enum status keep_types(struct build *build, const List *names)
{
    struct plan *plan = build->plan;
    ListCell *cell;
    uint32_t *types = arena_array(&plan->arena, uint32_t, (size_t)list_length(names) + 1);
    if (types == NULL)
        return STATUS_NOMEM;
    if (list_length(names) > LIMIT_PARAMETERS)
        return plan_refuse(build, "54000", "Declare fewer parameters.",
                           "a statement can have at most %d parameters", LIMIT_PARAMETERS);
    foreach (cell, names) {
        uint32_t type = type_of(lfirst_node(TypeName, cell));
        if (type == 0)
            return plan_refuse(build, "42501", "Declare it as text, or leave the types out.",
                               "parameter $%d is declared with a type that is not allowed",
                               foreach_current_index(cell) + 1);
        types[plan->preparation.type_count++] = type == TYPE_UNKNOWN ? 0 : type;
    }
    plan->preparation.types = types;
    return STATUS_OK;
}

enum status plan_prepare(struct build *build, PrepareStmt *prepare, Node **emitted)
{
    struct plan *plan = build->plan;
    struct buffer text;
    if (!IsA(prepare->query, SelectStmt) && !IsA(prepare->query, InsertStmt) &&
        !IsA(prepare->query, UpdateStmt) && !IsA(prepare->query, DeleteStmt))
        return plan_refuse_statement(build, prepare->query);
    TRY(keep_types(build, prepare->argtypes));
    buffer_init(&text, INNER_SQL_BYTES);
    enum status status = emit_verified(prepare->query, &text, build->error);
    if (status == STATUS_OK) {
        plan->preparation.sql = arena_strdup(&plan->arena, buffer_text(&text));
        status =
            plan->preparation.sql == NULL ? STATUS_NOMEM : plan_keep_name(build, prepare->name);
    }
    buffer_free(&text);
    plan->kind = PLAN_PREPARE;
    plan->command = "PREPARE";
    *emitted = NULL;
    return status;
}

/* The text of a constant that reads the same as a parameter; false for anything else. */
static bool constant_text(const Node *node, const char **text)
{
    const A_Const *constant = (const A_Const *)node;
    if (!IsA(node, A_Const))
        return false;
    *text = NULL;
    if (constant->isnull)
        return true;
    switch (nodeTag(&constant->val)) {
    case T_Integer:
        *text = psprintf("%d", constant->val.ival.ival);
        return true;
    case T_Float:
        *text = constant->val.fval.fval;
        return true;
    case T_Boolean:
        *text = constant->val.boolval.boolval ? "true" : "false";
        return true;
    case T_String:
        *text = constant->val.sval.sval;
        return true;
    default:
        return false;
    }
}

/* The grammar writes TRUE as a cast of its own. */
static bool is_boolean(const Node *node)
{
    return IsA(node, A_Const) && !((const A_Const *)node)->isnull &&
           IsA(&((const A_Const *)node)->val, Boolean);
}

static enum status read_argument(struct build *build, const Node *node,
                                 struct plan_argument *argument)
{
    const char *text;
    if (IsA(node, TypeCast) && !is_boolean(((const TypeCast *)node)->arg)) {
        const TypeCast *cast = (const TypeCast *)node;
        argument->type = cast->typeName->typmods == NIL ? type_of(cast->typeName) : 0;
        node = argument->type == 0 ? node : cast->arg;
    }
    if (IsA(node, TypeCast) && is_boolean(((const TypeCast *)node)->arg))
        node = ((const TypeCast *)node)->arg;
    if (!constant_text(node, &text))
        return plan_refuse(build, "0A000",
                           "Write constants, or bind them by the driver: the extended protocol.",
                           "an argument of EXECUTE must be a constant");
    argument->text = text == NULL ? NULL : arena_strdup(&build->plan->arena, text);
    return text != NULL && argument->text == NULL ? STATUS_NOMEM : STATUS_OK;
}

enum status plan_execute(struct build *build, ExecuteStmt *execute, Node **emitted)
{
    struct plan *plan = build->plan;
    ListCell *cell;
    struct plan_argument *arguments =
        arena_array(&plan->arena, struct plan_argument, (size_t)list_length(execute->params) + 1);
    if (arguments == NULL)
        return STATUS_NOMEM;
    foreach (cell, execute->params) {
        arguments[plan->argument_count] = (struct plan_argument){0};
        TRY(read_argument(build, lfirst(cell), &arguments[plan->argument_count++]));
    }
    plan->arguments = arguments;
    plan->kind = PLAN_EXECUTE;
    plan->command = "EXECUTE";
    *emitted = NULL;
    return plan_keep_name(build, execute->name);
}

enum status plan_deallocate(struct build *build, DeallocateStmt *deallocate, Node **emitted)
{
    build->plan->kind = PLAN_UTILITY;
    build->plan->command = deallocate->name == NULL ? "DEALLOCATE ALL" : "DEALLOCATE";
    *emitted = NULL;
    return deallocate->name == NULL ? STATUS_OK : plan_keep_name(build, deallocate->name);
}

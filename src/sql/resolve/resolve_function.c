/* Function calls, aggregates, casts, and the functions that the gateway answers itself: version(),
 * current_user and the like leave as constants, so that they tell nothing about what is behind. */
#include <ctype.h>
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/plan/plan_build.h"

enum { ARGUMENTS_MAX = 100, LENGTH_MAX = 1000 };

/* With OVER it is a window function, of whatever kind; rank() is both. */
bool resolve_is_aggregate(const FuncCall *node)
{
    return node->over == NULL &&
           (node->agg_star || node->agg_within_group ||
            (allow_function_flags(strVal(llast(node->funcname))) & ALLOW_AGGREGATE));
}

static bool aggregate_walker(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, FuncCall) && resolve_is_aggregate((FuncCall *)node))
        return context == NULL || resolve_owner(context, (FuncCall *)node) == context;
    if (IsA(node, SubLink))
        return false;
    return raw_expression_tree_walker(node, aggregate_walker, context);
}

bool resolve_has_aggregate(struct resolver *resolver, Node *node)
{
    return aggregate_walker(node, resolver);
}

/* What is known without asking upstream; NULL if name is no such function. */
static Node *known_value(const struct resolver *resolver, const char *name, uint32_t *type)
{
    const struct plan_request *request = resolver->build->request;
    if (request == NULL)
        return NULL;
    *type = TYPE_NAME;
    if (strcmp(name, "version") == 0) {
        *type = TYPE_TEXT;
        const char *version = model_catalog(request->model)->server_version;
        return rewrite_cast(rewrite_text(psprintf("PostgreSQL %s", version)), "text");
    }
    if (strcmp(name, "current_user") == 0 || strcmp(name, "session_user") == 0 ||
        strcmp(name, "user") == 0 || strcmp(name, "current_role") == 0)
        return rewrite_cast(rewrite_text(request->agent->login), "name");
    if (strcmp(name, "current_database") == 0 || strcmp(name, "current_catalog") == 0)
        return rewrite_cast(
            rewrite_text(request->database == NULL ? "cofferdam" : request->database), "name");
    if (strcmp(name, "current_schema") == 0)
        return rewrite_cast(rewrite_text("public"), "name");
    if (strcmp(name, "pg_is_in_recovery") == 0) {
        *type = TYPE_BOOL;
        return rewrite_boolean(false);
    }
    return NULL;
}

static enum status give_known(struct resolver *resolver, const char *name, Node *value,
                              uint32_t type, struct expression *out)
{
    plan_explain(resolver->build, "constant", "%s is answered by the gateway", name);
    *out = (struct expression){.node = value, .type = type, .total = true, .immutable = true};
    return STATUS_OK;
}

enum status resolve_value_function(struct resolver *resolver, SQLValueFunction *node,
                                   struct expression *out)
{
    static const struct {
        SQLValueFunctionOp op;
        const char *name;
        uint32_t type;
    } known[] = {
        {SVFOP_CURRENT_ROLE, "current_role", 0},
        {SVFOP_CURRENT_USER, "current_user", 0},
        {SVFOP_USER, "user", 0},
        {SVFOP_SESSION_USER, "session_user", 0},
        {SVFOP_CURRENT_CATALOG, "current_catalog", 0},
        {SVFOP_CURRENT_SCHEMA, "current_schema", 0},
        {SVFOP_CURRENT_DATE, NULL, TYPE_DATE},
        {SVFOP_CURRENT_TIME, NULL, TYPE_TIMETZ},
        {SVFOP_CURRENT_TIME_N, NULL, TYPE_TIMETZ},
        {SVFOP_LOCALTIME, NULL, TYPE_TIME},
        {SVFOP_LOCALTIME_N, NULL, TYPE_TIME},
        {SVFOP_CURRENT_TIMESTAMP, NULL, TYPE_TIMESTAMPTZ},
        {SVFOP_CURRENT_TIMESTAMP_N, NULL, TYPE_TIMESTAMPTZ},
        {SVFOP_LOCALTIMESTAMP, NULL, TYPE_TIMESTAMP},
        {SVFOP_LOCALTIMESTAMP_N, NULL, TYPE_TIMESTAMP},
    };
    for (size_t i = 0; i < lengthof(known); i++) {
        if (known[i].op != node->op)
            continue;
        uint32_t type = known[i].type;
        Node *value = known[i].name == NULL ? NULL : known_value(resolver, known[i].name, &type);
        if (value != NULL)
            return give_known(resolver, known[i].name, value, type, out);
        *out = (struct expression){.node = (Node *)node, .type = type, .total = true};
        return STATUS_OK;
    }
    return plan_refuse(resolver->build, "0A000", "Write the value, or bind it as a parameter.",
                       "this value is not supported in %s", resolver->place);
}

static enum status refuse_function(struct resolver *resolver, const char *name)
{
    const char *suggestion = allow_suggestion(name), *refusal = allow_refusal(name);
    char hint[200];
    if (refusal != NULL)
        (void)snprintf(hint, sizeof hint, "%s", refusal);
    else if (suggestion != NULL)
        (void)snprintf(hint, sizeof hint, "Did you mean %s?", suggestion);
    else
        (void)snprintf(hint, sizeof hint, "Built-in functions without side effects are allowed.");
    return plan_refuse(resolver->build, "42501", hint, "function %s is not allowed", name);
}

static enum status check_call(struct resolver *resolver, const FuncCall *node, const char *name)
{
    size_t count = (size_t)list_length(node->funcname);
    if (count > 2 || (count == 2 && strcmp(strVal(linitial(node->funcname)), "pg_catalog") != 0) ||
        (!resolver->trusted && !allow_function(name)))
        return refuse_function(resolver, name);
    return STATUS_OK;
}

/* Where the argument itself stands: behind name => if it has one. */
static Node **argument_at(ListCell *cell)
{
    Node *node = lfirst(cell);
    return IsA(node, NamedArgExpr) ? (Node **)&((NamedArgExpr *)node)->arg : (Node **)&lfirst(cell);
}

static bool has_named(const List *arguments)
{
    ListCell *cell;
    foreach (cell, arguments)
        if (IsA(lfirst(cell), NamedArgExpr))
            return true;
    return false;
}

enum status resolve_arguments(struct resolver *resolver, FuncCall *node, struct expression *result,
                              struct expression *parts, uint32_t *types)
{
    size_t index = 0;
    ListCell *cell;
    foreach (cell, node->args) {
        Node **argument = argument_at(cell);
        TRY(resolve_expression(resolver, *argument, &parts[index]));
        *argument = parts[index].node;
        types[index] = parts[index].type;
        resolve_absorb(result, &parts[index++]);
    }
    return STATUS_OK;
}

/* EXTRACT is a function of its own since PostgreSQL 14. */
void resolve_qualify(const struct resolver *resolver, FuncCall *node, const char *name)
{
    if (strcmp(name, "extract") == 0 &&
        resolver->build->model->catalog->server_version_number < 140000)
        name = "date_part";
    node->funcname = rewrite_qualified(name);
    node->funcformat = COERCE_EXPLICIT_CALL;
}

static bool literals_immutable(const struct allow_signature *signature, const List *arguments)
{
    for (size_t i = 0; i < lengthof(signature->arguments) && i < (size_t)list_length(arguments);
         i++)
        if (signature->argument_count != 255 && signature->arguments[i] != 0 &&
            !resolve_literal_immutable(list_nth(arguments, (int)i), signature->arguments[i]))
            return false;
    return true;
}

/* The length of lpad, rpad and repeat: a small integer, so that no row makes a huge value. */
static bool is_small_length(const Node *node)
{
    const A_Const *literal = (const A_Const *)node;
    return IsA(node, A_Const) && !literal->isnull && IsA(&literal->val, Integer) &&
           literal->val.ival.ival <= LENGTH_MAX;
}

/* A width in a format is at most three digits, and no argument. */
static bool is_small_format(const Node *node)
{
    const A_Const *literal = (const A_Const *)node;
    if (!IsA(node, A_Const) || literal->isnull || !IsA(&literal->val, String))
        return false;
    const char *text = literal->val.sval.sval;
    for (size_t digits = 0; *text != 0; text++) {
        digits = isdigit((unsigned char)*text) ? digits + 1 : 0;
        if (digits > 3 || *text == '*')
            return false;
    }
    return true;
}

static enum status check_length(struct resolver *resolver, const FuncCall *node, const char *name)
{
    bool format = strcmp(name, "format") == 0;
    size_t count = (size_t)list_length(node->args);
    if (format && count > 0 && !node->func_variadic && is_small_format(linitial(node->args)))
        return STATUS_OK;
    if (!format && (count < 2 || is_small_length(lsecond(node->args))))
        return STATUS_OK;
    char hint[100];
    (void)snprintf(hint, sizeof hint, "Write a literal%s of at most %d.",
                   format ? " without * and with widths" : "", format ? 999 : LENGTH_MAX);
    return plan_refuse(resolver->build, "42501", hint, "the length of %s's result is not bounded",
                       name);
}

/* What the name as such asks of the place it stands in. */
static enum status check_place(struct resolver *resolver, const FuncCall *node, const char *name,
                               unsigned flags)
{
    if ((flags & ALLOW_WINDOW) && !(flags & ALLOW_AGGREGATE) && node->over == NULL)
        return plan_refuse(resolver->build, "42P20", "Write OVER () behind it.",
                           "window function %s requires an OVER clause", name);
    if ((flags & ALLOW_ORDERED_SET) && node->over == NULL && !node->agg_within_group)
        return plan_refuse(resolver->build, "42809", "Write WITHIN GROUP (ORDER BY …) behind it.",
                           "%s requires WITHIN GROUP or OVER", name);
    if ((flags & ALLOW_SET) && (!resolver->sets || resolver->level == NULL))
        return plan_refuse(resolver->build, "0A000",
                           "Put it into FROM, or alone into the target list.",
                           "%s returns a set of rows, which cannot stand in %s", name,
                           resolver->mode == RESOLVE_ARGUMENT ? "an aggregate" : resolver->place);
    if ((flags & ALLOW_VOLATILE) && !resolver->volatiles)
        return plan_refuse(resolver->build, "0A000",
                           "Use it in the target list or the ORDER BY of the outermost SELECT.",
                           "%s cannot stand in %s: who is disclosed could not be told", name,
                           resolver->place);
    return flags & ALLOW_LENGTH ? check_length(resolver, node, name) : STATUS_OK;
}

/* A set cannot stand inside CASE, so the guard goes on the arguments: what is strict returns
 * nothing for NULL. Untyped ones would become text in a CASE: they are left, if there are others.
 */
static void guard_arguments(struct level *level, bool grouped, FuncCall *node, uint64_t relations,
                            const struct expression *parts)
{
    size_t index = 0, typed = 0;
    ListCell *cell;
    for (size_t i = 0; i < (size_t)list_length(node->args); i++)
        typed += parts[i].type != TYPE_UNKNOWN && !parts[i].literal;
    foreach (cell, node->args) {
        struct expression part = parts[index++];
        if (typed > 0 && (part.type == TYPE_UNKNOWN || part.literal))
            continue;
        part.total = false;
        part.part_count = 0;
        part.relations = relations;
        *argument_at(cell) = grouped ? guard_grouped(level, &part) : guard_expression(level, &part);
    }
}

static bool is_group(const struct level *level, const Node *node)
{
    for (size_t i = 0; i < level->group_count; i++)
        if (equal(level->groups[i].plain, node))
            return true;
    return false;
}

/* What is itself grouped is guarded as it is in GROUP BY, and stays equal to that. */
static void guard_set(struct resolver *resolver, FuncCall *node, struct expression *result,
                      const struct expression *parts)
{
    FuncCall *plain = copyObject(node);
    guard_arguments(resolver->level, false, plain, result->relations, parts);
    if (resolver->mode != RESOLVE_GROUPED || is_group(resolver->level, (Node *)plain))
        node->args = plain->args;
    else
        guard_arguments(resolver->level, true, node, result->relations, parts);
    result->total = true;
}

/* Its elements are those that are there. */
static bool is_found(const struct expression *array)
{
    return IsA(array->node, SubLink) &&
           ((const SubLink *)array->node)->subLinkType == ARRAY_SUBLINK;
}

/* What is strict gives no rows where an argument is NULL. Of unnest(a, b) both would have to be. */
static uint64_t nulls_of_set(const FuncCall *node, const struct expression *parts)
{
    bool unnests = strcmp(strVal(llast(node->funcname)), "unnest") == 0;
    uint64_t nulls = 0, others = 0;
    if (unnests && list_length(node->args) > 1)
        return 0;
    for (size_t i = 0; i < (size_t)list_length(node->args); i++) {
        uint64_t none = unnests && is_found(&parts[i]) ? parts[i].missing : parts[i].nulls;
        nulls |= none;
        others |= parts[i].missing & ~none;
    }
    return nulls & ~others;
}

/* How many rows there are tells as much as a condition does. */
static void settle_set(struct level *level, const struct expression *result)
{
    settle_fences(level->build, lineage_missing(level, result) & ~result->nulls, PLAN_GRADE_WITNESS,
                  "rows of a function where nobody's row matches: it finds them by that");
}

/* From here on a person has as many rows as the partner likes: no count above is a plain one. */
static void resolve_set(struct resolver *resolver, FuncCall *node, struct expression *result,
                        struct expression *parts)
{
    result->nulls = nulls_of_set(node, parts);
    settle_set(resolver->level, result);
    result->set = true;
    resolver->build->sets = true;
    resolver->level->plain_statistic = false;
    if (!result->total)
        guard_set(resolver, node, result, parts);
}

enum status resolve_function(struct resolver *resolver, FuncCall *node, struct expression *out)
{
    const char *name = strVal(llast(node->funcname));
    uint32_t type;
    Node *value = node->args == NIL && !node->agg_star && node->over == NULL
                      ? known_value(resolver, name, &type)
                      : NULL;
    if (value != NULL)
        return give_known(resolver, name, value, type, out);
    unsigned flags = allow_function_flags(name);
    TRY(check_call(resolver, node, name));
    TRY(check_place(resolver, node, name, flags));
    if (node->over != NULL)
        return resolve_window(resolver, node, name, flags, out);
    if (resolve_is_aggregate(node))
        return resolve_aggregate(resolver, node, name, out);
    size_t count = (size_t)list_length(node->args);
    if (node->agg_distinct || node->agg_order != NIL || node->agg_filter != NULL ||
        node->agg_within_group || count > ARGUMENTS_MAX)
        return plan_refuse(resolver->build, "42809",
                           "Leave DISTINCT, ORDER BY, FILTER and WITHIN GROUP out.",
                           "%s is not an aggregate function", name);
    struct expression result = {.node = (Node *)node, .total = true, .immutable = true};
    struct expression *parts = palloc0((count + 1) * sizeof *parts);
    uint32_t *types = palloc0((count + 1) * sizeof *types);
    TRY(resolve_arguments(resolver, node, &result, parts, types));
    bool loose = node->func_variadic || has_named(node->args);
    size_t matched = loose ? ALLOW_LOOSE : count;
    const struct allow_signature *signature = allow_find_function(name, types, matched);
    if (signature == NULL || !(signature->flags & ALLOW_TOTAL) || loose)
        result.total = false;
    if (signature == NULL || !(signature->flags & ALLOW_IMMUTABLE) ||
        !literals_immutable(signature, node->args))
        result.immutable = false;
    result.type = allow_result(signature, types, matched);
    resolve_qualify(resolver, node, name);
    if (flags & ALLOW_SET)
        resolve_set(resolver, node, &result, parts);
    *out = result;
    return STATUS_OK;
}

/* A literal is read when the statement is parsed, so it fails or not whatever the data is. Which
 * time it means depends on DateStyle unless it is written year first, on TimeZone unless it has an
 * offset, and on the clock if it is a word like today. */
bool resolve_literal_immutable(const Node *node, uint32_t type)
{
    const A_Const *literal = (const A_Const *)node;
    bool clock = type == TYPE_TIME, calendar = type == TYPE_DATE || type == TYPE_TIMESTAMP;
    bool never = type == TYPE_TIMETZ || type == TYPE_INTERVAL;
    if (!IsA(node, A_Const) || literal->isnull ||
        !(clock || calendar || never || type == TYPE_TIMESTAMPTZ || type == 0))
        return true;
    if (never || type == 0 || !IsA(&literal->val, String))
        return false;
    const char *text = literal->val.sval.sval;
    if (text[strspn(text, "0123456789-:. T+Z")] != 0 || !isdigit((unsigned char)text[0]))
        return false;
    if (clock)
        return strchr(text, ':') != NULL;
    if (strspn(text, "0123456789") != 4 || text[4] != '-')
        return false;
    return calendar || (strchr(text, ':') != NULL && strpbrk(strchr(text, ':'), "+-Z") != NULL);
}

enum status resolve_type(struct resolver *resolver, TypeName *type, uint32_t *oid)
{
    size_t count = (size_t)list_length(type->names);
    const char *name = count == 0 ? "" : strVal(llast(type->names));
    if (type->setof || type->pct_type || count == 0 || count > 2 ||
        (count == 2 && strcmp(strVal(linitial(type->names)), "pg_catalog") != 0) ||
        (*oid = allow_type(name)) == 0)
        return plan_refuse(resolver->build, "42501",
                           "Numbers, text, dates and times, boolean, uuid, json, bytea, ranges, "
                           "inet and their arrays are allowed.",
                           "casting to type \"%s\" is not allowed", name);
    ListCell *cell;
    foreach (cell, type->typmods)
        if (!IsA(lfirst(cell), A_Const))
            return plan_refuse(resolver->build, "42601", "Write numbers: numeric(10, 2).",
                               "type modifiers must be simple constants");
    type->names = rewrite_qualified(name);
    if (type->arrayBounds != NIL)
        *oid = allow_array_type(*oid);
    return STATUS_OK;
}

/* A parameter without a type takes that of its cast: then the cast does nothing, and reading the
 * value is Bind's. Not if it stands elsewhere as well, in another way: whichever comes first there
 * decides, and this cast may run on rows. */
static bool is_free_parameter(const struct resolver *resolver, const Node *node)
{
    return IsA(node, ParamRef) &&
           !resolver->build->parameter_mixed[((const ParamRef *)node)->number - 1];
}

enum status resolve_cast(struct resolver *resolver, TypeCast *node, struct expression *out)
{
    struct expression part;
    uint32_t type = 0;
    TRY(resolve_type(resolver, node->typeName, &type));
    TRY(resolve_expression(resolver, node->arg, &part));
    node->arg = part.node;
    struct expression result = {
        .node = (Node *)node, .type = type, .total = true, .immutable = true};
    resolve_absorb(&result, &part);
    result.nulls = part.nulls;
    bool modified = node->typeName->typmods != NIL;
    if (part.literal && part.type == TYPE_UNKNOWN) {
        result.immutable = resolve_literal_immutable((Node *)node->arg, type);
    } else if (part.type != TYPE_UNKNOWN || !is_free_parameter(resolver, node->arg)) {
        uint32_t from = part.type == TYPE_UNKNOWN ? TYPE_TEXT : part.type;
        unsigned flags = from == 0 ? 0 : allow_cast_flags(from, type);
        result.total = result.total && (flags & ALLOW_TOTAL);
        result.immutable = result.immutable && (flags & ALLOW_IMMUTABLE);
    }
    /* Cutting text to a length cannot fail; rounding a number to a precision can, on a value that
     * is not known when the statement is planned. */
    if (modified && type != TYPE_VARCHAR && type != TYPE_BPCHAR &&
        !(part.literal && part.type == TYPE_UNKNOWN))
        result.total = false;
    *out = result;
    return STATUS_OK;
}

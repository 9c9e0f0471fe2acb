/* Expressions: every node kind that a statement may hold, rewritten and judged.
 * What is not listed in resolve_expression() is refused by name. Totality and immutability follow
 * from the allow-lists' signatures under the types derived here; what is not derived is neither. */
#include <ctype.h>
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/plan/plan_build.h"

/* PostgreSQL's rules (parse_collate.c): COLLATE wins over what columns bring, two that differ have
 * no winner. */
static void absorb_collation(struct expression *into, const struct expression *part)
{
    if (part->collation == 0 || part->collation == into->collation) {
        into->collated = into->collated || part->collated;
        return;
    }
    if (into->collation == 0 || (part->collated && !into->collated)) {
        into->collation = part->collation;
        into->collated = part->collated;
    } else if (part->collated || !into->collated) {
        into->collation = COLLATION_MIXED;
        into->collated = false;
    }
}

void resolve_absorb(struct expression *into, const struct expression *part)
{
    into->relations |= part->relations;
    into->total = into->total && part->total;
    into->immutable = into->immutable && part->immutable;
    into->aggregate = into->aggregate || part->aggregate;
    absorb_collation(into, part);
    into->set = into->set || part->set;
    into->unstable = into->unstable || part->unstable;
    into->parameter = into->parameter || part->parameter;
    into->missing |= part->missing;
    if (into->ungrouped == NULL)
        into->ungrouped = part->ungrouped;
}

/* One fence may be missing in both, of a WITH query that is read twice: not for the same row. */
uint64_t resolve_strict_nulls(const struct expression *left, const struct expression *right)
{
    uint64_t other = left->missing & ~left->nulls, nulls = left->nulls;
    if (right != NULL) {
        other |= right->missing & ~right->nulls;
        nulls |= right->nulls;
    }
    return nulls & ~other;
}

static bool is_text(uint32_t type)
{
    return type == TYPE_TEXT || type == TYPE_VARCHAR || type == TYPE_BPCHAR;
}

/* Integers and numeric widen without an error; nothing else is promised. */
static int number_rank(uint32_t type)
{
    switch (type) {
    case TYPE_INT2:
        return 1;
    case TYPE_INT4:
        return 2;
    case TYPE_INT8:
        return 3;
    case TYPE_NUMERIC:
        return 4;
    default:
        return 0;
    }
}

uint32_t resolve_common_type(uint32_t a, uint32_t b)
{
    if (a == b || b == TYPE_UNKNOWN)
        return a;
    if (a == TYPE_UNKNOWN)
        return b;
    if (is_text(a) && is_text(b))
        return TYPE_TEXT;
    if (number_rank(a) > 0 && number_rank(b) > 0)
        return number_rank(a) > number_rank(b) ? a : b;
    return 0;
}

uint32_t resolve_column_type(const struct catalog_column *column)
{
    return column->deterministic ? column->type_oid : 0;
}

uint32_t resolve_element_type(uint32_t array)
{
    return array == TYPE_UNKNOWN ? TYPE_UNKNOWN : allow_element_type(array);
}

/* T_Float is also what an integer becomes that int4 cannot hold: int8 up to 18 digits for sure. */
static uint32_t constant_type(const A_Const *node)
{
    if (node->isnull)
        return TYPE_UNKNOWN;
    switch (nodeTag(&node->val)) {
    case T_Integer:
        return TYPE_INT4;
    case T_Float:
        return strspn(node->val.fval.fval, "0123456789") == strlen(node->val.fval.fval) &&
                       strlen(node->val.fval.fval) <= 18
                   ? TYPE_INT8
                   : TYPE_NUMERIC;
    case T_Boolean:
        return TYPE_BOOL;
    case T_BitString:
        return TYPE_BIT;
    default:
        return TYPE_UNKNOWN;
    }
}

static enum status resolve_parameter(struct resolver *resolver, ParamRef *node,
                                     struct expression *out)
{
    const struct plan_request *request = resolver->build->request;
    if (request == NULL || node->number < 1)
        return plan_refuse(resolver->build, "42P02", "Parameters begin with $1.",
                           "there is no parameter $%d here", node->number);
    uint32_t type = TYPE_UNKNOWN;
    size_t index = (size_t)node->number - 1;
    if (index < request->parameter_type_count && request->parameter_types[index] != 0)
        type = request->parameter_types[index];
    *out = (struct expression){
        .node = (Node *)node, .type = type, .total = true, .immutable = true, .parameter = true};
    return STATUS_OK;
}

/* AND, OR, NOT: total themselves. Their operands stay apart, so that guards go on those alone. */
static enum status resolve_boolean(struct resolver *resolver, BoolExpr *node,
                                   struct expression *out)
{
    struct expression result = {
        .node = (Node *)node, .type = TYPE_BOOL, .total = true, .immutable = true, .tree = true};
    result.part_count = (size_t)list_length(node->args);
    result.parts = palloc0(result.part_count * sizeof *result.parts);
    for (size_t i = 0; i < result.part_count; i++) {
        TRY(resolve_expression(resolver, list_nth(node->args, (int)i), &result.parts[i]));
        lfirst(list_nth_cell(node->args, (int)i)) = result.parts[i].node;
        resolve_absorb(&result, &result.parts[i]);
    }
    if (node->boolop == NOT_EXPR)
        result.nulls = result.parts[0].nulls;
    *out = result;
    return STATUS_OK;
}

static enum status resolve_child(struct resolver *resolver, Expr **child, struct expression *into,
                                 uint32_t *type)
{
    struct expression part;
    TRY(resolve_expression(resolver, (Node *)*child, &part));
    *child = (Expr *)part.node;
    resolve_absorb(into, &part);
    *type = part.type;
    return STATUS_OK;
}

/* IS NULL, IS TRUE …: total over anything but a row. */
static enum status resolve_test(struct resolver *resolver, Node *node, Expr **argument,
                                struct expression *out)
{
    struct expression result = {.node = node, .type = TYPE_BOOL, .total = true, .immutable = true};
    struct expression *part = result.parts = palloc0(sizeof *part);
    TRY(resolve_expression(resolver, (Node *)*argument, part));
    *argument = (Expr *)part->node;
    resolve_absorb(&result, part);
    if (IsA(node, BooleanTest) && part->type != TYPE_BOOL && part->type != TYPE_UNKNOWN)
        result.total = false;
    *out = result;
    return STATUS_OK;
}

/* Above a lone literal PostgreSQL decides: what has no type by then is text. So a cast of it is one
 * of text, that can fail on what a row chose. */
static uint32_t decided(uint32_t type)
{
    return type == TYPE_UNKNOWN ? TYPE_TEXT : type;
}

/* The results of CASE, COALESCE, GREATEST: total if one type holds them all without a cast. */
static enum status resolve_result(struct resolver *resolver, Expr **child, struct expression *into)
{
    uint32_t type;
    TRY(resolve_child(resolver, child, into, &type));
    into->type = resolve_common_type(into->type, type);
    if (into->type == 0)
        into->total = false;
    return STATUS_OK;
}

/* An untyped literal among the results is read as their type. */
static void read_result(struct expression *into, const Node *node)
{
    if (node != NULL && IsA(node, A_Const) &&
        constant_type((const A_Const *)node) == TYPE_UNKNOWN &&
        !resolve_literal_immutable(node, into->type))
        into->immutable = false;
}

static enum status resolve_when(struct resolver *resolver, CaseWhen *when, bool simple,
                                uint32_t tested, struct expression *into)
{
    uint32_t type;
    TRY(resolve_child(resolver, &when->expr, into, &type));
    if (simple) {
        const struct allow_signature *equal = allow_find_operator("=", false, tested, type);
        if (equal == NULL || !(equal->flags & ALLOW_TOTAL))
            into->total = false;
        if (equal == NULL || !(equal->flags & ALLOW_IMMUTABLE))
            into->immutable = false;
        if (type == TYPE_UNKNOWN && !resolve_literal_immutable((Node *)when->expr, tested))
            into->immutable = false;
    } else if (type != TYPE_BOOL && type != TYPE_UNKNOWN)
        into->total = false;
    return resolve_result(resolver, &when->result, into);
}

static enum status resolve_case(struct resolver *outer, CaseExpr *node, struct expression *out)
{
    struct resolver inner = *outer, *resolver = &inner;
    inner.sets = false;
    struct expression result = {
        .node = (Node *)node, .type = TYPE_UNKNOWN, .total = true, .immutable = true};
    uint32_t tested = 0;
    if (node->arg != NULL)
        TRY(resolve_child(resolver, &node->arg, &result, &tested));
    ListCell *cell;
    foreach (cell, node->args)
        TRY(resolve_when(resolver, lfirst_node(CaseWhen, cell), node->arg != NULL, tested,
                         &result));
    if (node->defresult != NULL)
        TRY(resolve_result(resolver, &node->defresult, &result));
    result.type = decided(result.type);
    foreach (cell, node->args)
        read_result(&result, (Node *)lfirst_node(CaseWhen, cell)->result);
    read_result(&result, (Node *)node->defresult);
    *out = result;
    return STATUS_OK;
}

static enum status resolve_choice(struct resolver *resolver, Node *node, List *arguments,
                                  bool compares, struct expression *out)
{
    struct expression result = {
        .node = node, .type = TYPE_UNKNOWN, .total = true, .immutable = true};
    ListCell *cell;
    foreach (cell, arguments) {
        Expr *child = lfirst(cell);
        TRY(resolve_result(resolver, &child, &result));
        lfirst(cell) = child;
    }
    result.type = decided(result.type);
    foreach (cell, arguments)
        read_result(&result, lfirst(cell));
    if (compares) {
        const struct allow_signature *less =
            allow_find_operator("<", false, result.type, result.type);
        if (less == NULL || !(less->flags & ALLOW_TOTAL))
            result.total = false;
        if (less == NULL || !(less->flags & ALLOW_IMMUTABLE))
            result.immutable = false;
    }
    *out = result;
    return STATUS_OK;
}

static enum status resolve_coalesce(struct resolver *resolver, CoalesceExpr *node,
                                    struct expression *out)
{
    struct resolver inner = *resolver;
    inner.sets = false;
    return resolve_choice(&inner, (Node *)node, node->args, false, out);
}

static enum status resolve_array(struct resolver *resolver, A_ArrayExpr *node,
                                 struct expression *out)
{
    struct expression result;
    TRY(resolve_choice(resolver, (Node *)node, node->elements, false, &result));
    /* An array of arrays has their type; they must be of one size, or it fails. */
    if (allow_element_type(result.type) != 0)
        result.total = false;
    else
        result.type = allow_array_type(result.type);
    if (result.type == 0)
        result.total = false;
    *out = result;
    return STATUS_OK;
}

/* A row value of these very columns; a row of a table never gets here. Comparisons look at the
 * members; anything else sees a record, whose comparison may fail. */
static enum status resolve_row(struct resolver *resolver, RowExpr *node, struct expression *out)
{
    struct expression result = {
        .node = (Node *)node, .type = TYPE_RECORD, .total = true, .immutable = true};
    struct expression *members = palloc0((size_t)(list_length(node->args) + 1) * sizeof *members);
    for (int i = 0; i < list_length(node->args); i++) {
        TRY(resolve_expression(resolver, list_nth(node->args, i), &members[i]));
        lfirst(list_nth_cell(node->args, i)) = members[i].node;
        resolve_absorb(&result, &members[i]);
    }
    result.members = members;
    *out = result;
    return STATUS_OK;
}

/* A subscript is cast to int4 by assignment: a wider number may not fit. Documents take a key or a
 * place as it is. */
static bool is_total_subscript(uint32_t container, uint32_t type)
{
    if (type == TYPE_UNKNOWN || type == TYPE_INT4)
        return true;
    return container == TYPE_JSONB ? is_text(type) : type == TYPE_INT2;
}

static enum status resolve_bound(struct resolver *resolver, Node **bound, uint32_t container,
                                 struct expression *into)
{
    struct expression part;
    if (*bound == NULL)
        return STATUS_OK;
    TRY(resolve_expression(resolver, *bound, &part));
    *bound = part.node;
    resolve_absorb(into, &part);
    if (!is_total_subscript(container, part.type))
        into->total = false;
    return STATUS_OK;
}

/* a[1], a[2:3], j['key']: NULL where there is nothing, so total over arrays and documents. */
static enum status resolve_subscripts(struct resolver *resolver, A_Indirection *node,
                                      struct expression *out)
{
    struct expression result = {.node = (Node *)node, .total = true, .immutable = true}, part;
    bool slice = false;
    TRY(resolve_expression(resolver, node->arg, &part));
    node->arg = part.node;
    resolve_absorb(&result, &part);
    ListCell *cell;
    foreach (cell, node->indirection) {
        A_Indices *indices = lfirst(cell);
        if (!IsA(indices, A_Indices))
            return plan_refuse(resolver->build, "0A000", "Select the columns themselves.",
                               "fields of row values are not supported in %s", resolver->place);
        slice = slice || indices->is_slice;
        TRY(resolve_bound(resolver, &indices->lidx, part.type, &result));
        TRY(resolve_bound(resolver, &indices->uidx, part.type, &result));
    }
    uint32_t element = allow_element_type(part.type);
    result.type = part.type == TYPE_JSONB || (slice && element != 0) ? part.type : element;
    if (result.type == 0)
        result.total = false;
    *out = result;
    return STATUS_OK;
}

/* A collation by name, as a number of its own: no OID of ours, so never equal to a column's. */
static uint32_t collation_number(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *name != 0; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    hash |= 0x80000000u;
    return hash == COLLATION_MIXED ? hash - 1 : hash;
}

/* Collations of pg_catalog are deterministic, so what is total stays so. */
static enum status resolve_collate(struct resolver *resolver, CollateClause *node,
                                   struct expression *out)
{
    size_t count = (size_t)list_length(node->collname);
    const char *name = strVal(llast(node->collname));
    if (count > 2 || (count == 2 && strcmp(strVal(linitial(node->collname)), "pg_catalog") != 0) ||
        !allow_collation(name))
        return plan_refuse(resolver->build, "42501", "Those of pg_catalog are allowed, like \"C\".",
                           "collation \"%s\" is not allowed", name);
    struct expression result = {.node = (Node *)node, .total = true, .immutable = true}, part;
    TRY(resolve_expression(resolver, node->arg, &part));
    node->arg = part.node;
    node->collname = rewrite_qualified(name);
    resolve_absorb(&result, &part);
    result.nulls = part.nulls;
    result.type = decided(part.type);
    result.collation = collation_number(name);
    result.collated = true;
    *out = result;
    return STATUS_OK;
}

static enum status refuse_node(struct resolver *resolver, Node *node)
{
    static const struct {
        NodeTag tag;
        const char *what, *hint;
    } known[] = {
        {T_XmlExpr, "XML functions", "Select the columns themselves."},
        {T_XmlSerialize, "XML functions", "Select the columns themselves."},
        {T_SetToDefault, "DEFAULT", "Write the value."},
        {T_CurrentOfExpr, "WHERE CURRENT OF", "Name the rows by their keys."},
    };
    for (size_t i = 0; i < lengthof(known); i++)
        if (nodeTag(node) == known[i].tag)
            return plan_refuse(resolver->build, "0A000", known[i].hint, "not supported in %s: %s",
                               resolver->place, known[i].what);
    return plan_refuse(resolver->build, "0A000",
                       "Columns, constants, parameters, functions, operators, casts, arrays, CASE "
                       "and sub-selects are supported.",
                       "this kind of expression is not supported in %s", resolver->place);
}

/* A sub-select's set of keys copies what it is compared with. Levels below keep the resolver. */
static struct resolver *below(const struct resolver *resolver)
{
    struct resolver *inner = palloc0(sizeof *inner);
    *inner = *resolver;
    inner->sets = inner->volatiles = false;
    return inner;
}

static enum status resolve_node(struct resolver *resolver, Node *node, struct expression *out)
{
    switch (nodeTag(node)) {
    case T_ColumnRef:
        return resolve_column(resolver, (ColumnRef *)node, out);
    case T_ParamRef:
        return resolve_parameter(resolver, (ParamRef *)node, out);
    case T_A_Const:
        *out = (struct expression){.node = node,
                                   .type = constant_type((A_Const *)node),
                                   .total = true,
                                   .immutable = true,
                                   .literal = true};
        return STATUS_OK;
    case T_A_Expr:
        return resolve_operator(resolver, (A_Expr *)node, out);
    case T_BoolExpr:
        return resolve_boolean(resolver, (BoolExpr *)node, out);
    case T_NullTest:
        return resolve_test(resolver, node, &((NullTest *)node)->arg, out);
    case T_BooleanTest:
        return resolve_test(resolver, node, &((BooleanTest *)node)->arg, out);
    case T_CaseExpr:
        return resolve_case(resolver, (CaseExpr *)node, out);
    case T_CoalesceExpr:
        return resolve_coalesce(resolver, (CoalesceExpr *)node, out);
    case T_MinMaxExpr:
        return resolve_choice(resolver, node, ((MinMaxExpr *)node)->args, true, out);
    case T_A_ArrayExpr:
        return resolve_array(resolver, (A_ArrayExpr *)node, out);
    case T_RowExpr:
        return resolve_row(resolver, (RowExpr *)node, out);
    case T_A_Indirection:
        return resolve_subscripts(resolver, (A_Indirection *)node, out);
    case T_CollateClause:
        return resolve_collate(resolver, (CollateClause *)node, out);
    case T_TypeCast:
        return resolve_cast(resolver, (TypeCast *)node, out);
    case T_FuncCall:
        return resolve_function(resolver, (FuncCall *)node, out);
    case T_SQLValueFunction:
        return resolve_value_function(resolver, (SQLValueFunction *)node, out);
    case T_GroupingFunc:
        return resolve_grouping(resolver, (GroupingFunc *)node, out);
    case T_SubLink:
        return resolve_sublink(below(resolver), (SubLink *)node, out);
    default:
        return refuse_node(resolver, node);
    }
}

void resolve_match_group(const struct level *level, struct expression *out)
{
    for (size_t i = 0; i < level->group_count; i++) {
        if (!equal(level->groups[i].plain, out->node))
            continue;
        out->node = level->groups[i].guarded;
        out->ungrouped = NULL;
        out->total = true;
        out->parts = NULL;
        out->part_count = 0;
        out->tree = out->strict = false;
        out->set = false;
        out->members = NULL;
        return;
    }
}

/* What has no collation of its own passes none on: (a COLLATE "C" < 'x') is just a boolean. Where
 * the type is not derived it may be text, so the collation stays, without the right to win. */
static void settle_collation(struct expression *out)
{
    uint32_t type = allow_element_type(out->type) != 0 ? allow_element_type(out->type) : out->type;
    if (!out->collated)
        return;
    if (type == 0 || type == TYPE_RECORD)
        out->collated = false;
    else if (!is_text(type) && type != TYPE_UNKNOWN && type != TYPE_NAME) {
        out->collation = 0;
        out->collated = false;
    }
}

/* A guard would put the set into a CASE, where PostgreSQL refuses it. */
static enum status check_set(struct resolver *resolver, const struct expression *expression)
{
    if (!expression->set || expression->total ||
        guard_policies(resolver->level, expression->relations) == NULL)
        return STATUS_OK;
    return plan_refuse(resolver->build, "0A000",
                       "Put the function into FROM and the rest above it.",
                       "an expression over a set of rows may fail, in %s", resolver->place);
}

/* Only a conjunct's own truth decides: below anything but AND a sub-select is any condition. */
static bool is_conjunct(const Node *node)
{
    return IsA(node, SubLink) ||
           (IsA(node, BoolExpr) && ((const BoolExpr *)node)->boolop == AND_EXPR);
}

/* Constants alone, with nothing that settings or the clock change: PostgreSQL computes it when it
 * plans, so whether it fails tells of no row (clauses.c, eval_const_expressions). A row comparison
 * it does not. */
static bool is_folded(const struct expression *expression)
{
    return expression->immutable && expression->relations == 0 && !expression->parameter &&
           !expression->aggregate && !expression->set && !expression->unstable &&
           expression->type != TYPE_RECORD && expression->members == NULL;
}

/* What a sub-select in the node is to the level. */
static int narrow_sublinks(int sublinks, const Node *node)
{
    bool negation = IsA(node, BoolExpr) && ((const BoolExpr *)node)->boolop == NOT_EXPR;
    if (sublinks == SUBLINK_CONJUNCT && !is_conjunct(node))
        return negation ? SUBLINK_NEGATED : SUBLINK_CONDITION;
    return sublinks == SUBLINK_NEGATED && !IsA(node, SubLink) ? SUBLINK_CONDITION : sublinks;
}

enum status resolve_expression(struct resolver *resolver, Node *node, struct expression *out)
{
    int sublinks = resolver->sublinks;
    resolver->sublinks = narrow_sublinks(sublinks, node);
    enum status status = resolve_node(resolver, node, out);
    resolver->sublinks = sublinks;
    TRY(status);
    if (out->collation == COLLATION_MIXED && !out->tree) {
        out->total = out->strict = false;
        out->part_count = 0;
    }
    settle_collation(out);
    if (is_folded(out))
        out->total = true;
    TRY(check_set(resolver, out));
    if (resolver->mode == RESOLVE_GROUPED && !out->literal)
        resolve_match_group(resolver->level, out);
    return STATUS_OK;
}

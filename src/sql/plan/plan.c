/* Planning one statement: parse, sort by kind, rewrite, emit and verify, and copy what lasts into
 * the plan's arena. Trees live in the parse scope that plan_make() opens and closes; there is one
 * way out. See plan.h for the contract, plan_build.h for the parts. */
#include "sql/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "sql/allow/allow.h"
#include "sql/tree/emit.h"
#include "sql/plan/plan_explain.h"
#include "sql/plan/plan_probe.h"
#include "sql/plan/plan_standing.h"
#include "sql/session/plan_session.h"
#include "sql/virtual/virtual.h"

enum { PLAN_ARENA_BYTES = 4 * 1024 * 1024, PLAN_SQL_BYTES = 4 * 1024 * 1024 };

enum status plan_refuse(struct build *build, const char *sqlstate, const char *hint,
                        const char *format, ...)
{
    char message[sizeof build->error->message];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (build->request != NULL && build->request->inquiry != NULL)
        build->request->inquiry->rule = plan_rule(sqlstate, format);
    return error_set(build->error, STATUS_DENIED, sqlstate, hint, "%s", message);
}

void *plan_grow(void *array, size_t count, size_t size)
{
    enum { FIRST = 8 };
    if (array != NULL && (count < FIRST || (count & (count - 1)) != 0))
        return array;
    size_t room = count < FIRST ? FIRST : 2 * count;
    void *grown = palloc0(room * size);
    if (count > 0)
        memcpy(grown, array, count * size);
    return grown;
}

const char *plan_hidden_name(void)
{
    uint8_t random[8];
    char *name = palloc(2 + 2 * sizeof random);
    crypto_random(random, sizeof random);
    name[0] = 'h';
    crypto_hex(random, sizeof random, name + 1);
    return name;
}

struct plan *plan_retain(struct plan *plan)
{
    atomic_fetch_add(&plan->references, 1);
    return plan;
}

void plan_release(struct plan *plan)
{
    if (plan == NULL || atomic_fetch_sub(&plan->references, 1) != 1)
        return;
    model_release(plan->model);
    arena_free(&plan->arena);
    free(plan);
}

/* True at $0. */
static bool count_walker(Node *node, void *context)
{
    size_t *most = context;
    if (node == NULL)
        return false;
    if (IsA(node, ParamRef) && ((ParamRef *)node)->number == 0)
        return true;
    if (IsA(node, ParamRef) && (size_t)((ParamRef *)node)->number > *most)
        *most = (size_t)((ParamRef *)node)->number;
    return raw_expression_tree_walker(node, count_walker, context);
}

/* How each parameter stands in the statement: cast to a type, or bare. */
struct uses {
    bool *mixed;
    const TypeName **cast; /* by parameter: of the first use, NULL for bare */
    bool *seen;
};

static void note_use(struct uses *uses, const ParamRef *parameter, const TypeName *cast)
{
    size_t index = (size_t)parameter->number - 1;
    if (uses->seen[index] && !equal(uses->cast[index], cast))
        uses->mixed[index] = true;
    uses->seen[index] = true;
    uses->cast[index] = cast;
}

static bool use_walker(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, ParamRef)) {
        note_use(context, (ParamRef *)node, NULL);
        return false;
    }
    if (IsA(node, TypeCast) && IsA(((TypeCast *)node)->arg, ParamRef)) {
        note_use(context, (ParamRef *)((TypeCast *)node)->arg, ((TypeCast *)node)->typeName);
        return false;
    }
    return raw_expression_tree_walker(node, use_walker, context);
}

/* A parameter of a type like regclass would read the catalogue when it is bound. */
static enum status check_parameter_types(struct build *build)
{
    const struct plan_request *request = build->request;
    for (size_t i = 0; i < request->parameter_type_count; i++) {
        uint32_t type = request->parameter_types[i];
        if (type != 0 && type != TYPE_UNKNOWN && !allow_parameter_type(type))
            return plan_refuse(
                build, "42501", "Declare it as text, or leave the type open.",
                "parameter $%zu is declared with a type (OID %u) that is not allowed", i + 1, type);
    }
    return STATUS_OK;
}

enum status plan_count_parameters(struct build *build, Node *statement)
{
    size_t most = build->request->parameter_type_count;
    TRY(check_parameter_types(build));
    plan_keep_constants(build, statement);
    if (count_walker(statement, &most))
        return plan_refuse(build, "42P02", "Parameters begin with $1.", "there is no parameter $0");
    if (most > LIMIT_PARAMETERS)
        return plan_refuse(build, "54000", "Bind fewer parameters.",
                           "a statement can have at most %d parameters", LIMIT_PARAMETERS);
    struct uses uses = {.mixed = palloc0(most + 1),
                        .cast = palloc0((most + 1) * sizeof *uses.cast),
                        .seen = palloc0(most + 1)};
    (void)use_walker(statement, &uses);
    build->parameter_mixed = uses.mixed;
    build->parameter_count = most;
    build->plan->client_parameter_count = most;
    return STATUS_OK;
}

enum status plan_keep_secrets(struct build *build)
{
    struct plan *plan = build->plan;
    struct plan_secret *secrets =
        arena_array(&plan->arena, struct plan_secret, build->secret_count + 1);
    if (secrets == NULL)
        return STATUS_NOMEM;
    memcpy(secrets, build->secrets, build->secret_count * sizeof *secrets);
    plan->secrets = secrets;
    plan->secret_count = build->secret_count;
    return STATUS_OK;
}

enum status plan_keep_names(struct build *build, const struct level *level)
{
    struct plan *plan = build->plan;
    const char **names = arena_array(&plan->arena, const char *, level->target_count + 1);
    for (size_t i = 0; names != NULL && i < level->target_count; i++)
        names[i] = arena_strdup(&plan->arena, level->targets[i].name);
    plan->visible_names = names;
    plan->visible_count = level->target_count;
    return names == NULL ? STATUS_NOMEM : STATUS_OK;
}

/* As written: 'x', NULL::text. A sub-select may be rewritten into something that looks so. */
static bool is_constant(const Node *node)
{
    while (node != NULL && IsA(node, TypeCast))
        node = ((const TypeCast *)node)->arg;
    return node != NULL && IsA(node, A_Const);
}

static struct plan_visible visible_of(const struct target *target)
{
    const struct column *column =
        target->source == NULL ? NULL : &target->source->columns[target->source_column];
    if (column == NULL || column->fence == NULL)
        return (struct plan_visible){.constant = is_constant(target->original)};
    const struct model_granted *granted = &column->fence->grant->columns[column->granted];
    const struct policy_column *policy = granted->column->policy;
    return (struct plan_visible){.of = {.dataset = column->fence->grant->dataset->policy->name,
                                        .column = policy->name,
                                        .category = policy->category,
                                        .form = granted->form}};
}

/* Beside the names: what is shown under each, however it is called. */
static enum status keep_visible(struct build *build, const struct level *level)
{
    struct plan *plan = build->plan;
    struct plan_visible *visible =
        arena_array(&plan->arena, struct plan_visible, level->target_count + 1);
    for (size_t i = 0; visible != NULL && i < level->target_count; i++)
        visible[i] = visible_of(&level->targets[i]);
    plan->visible = visible;
    return visible == NULL ? STATUS_NOMEM : STATUS_OK;
}

static void add_table(struct build *build, uint32_t *tables, const struct model_dataset *dataset)
{
    struct plan *plan = build->plan;
    for (size_t i = 0; i < plan->table_count; i++)
        if (tables[i] == dataset->table->oid)
            return;
    tables[plan->table_count++] = dataset->table->oid;
}

enum status plan_keep_tables(struct build *build)
{
    size_t room = 1;
    for (size_t f = 0; f < build->fence_count; f++)
        for (size_t s = 0; s < build->fences[f]->grant->dataset->subject_count; s++)
            room += build->fences[f]->grant->dataset->subjects[s].hop_count;
    uint32_t *tables = arena_array(&build->plan->arena, uint32_t, room + build->fence_count);
    if (tables == NULL)
        return STATUS_NOMEM;
    for (size_t f = 0; f < build->fence_count; f++) {
        const struct model_dataset *dataset = build->fences[f]->grant->dataset;
        add_table(build, tables, dataset);
        for (size_t s = 0; s < dataset->subject_count; s++)
            for (size_t h = 0; h < dataset->subjects[s].hop_count; h++)
                add_table(build, tables, dataset->subjects[s].hops[h].parent);
    }
    build->plan->tables = tables;
    return STATUS_OK;
}

static enum status check_size(struct build *build, size_t columns)
{
    const struct plan_request *request = build->request;
    if (request->relations_limit > 0 && build->fence_count > request->relations_limit)
        return error_set(build->error, STATUS_LIMIT, "54000", "Read fewer datasets at once.",
                         "the statement reads %zu datasets; at most %zu are allowed",
                         build->fence_count, request->relations_limit);
    if (request->targets_limit > 0 && columns > request->targets_limit)
        return error_set(build->error, STATUS_LIMIT, "54011", "Select fewer columns.",
                         "the result has %zu columns; at most %zu are allowed", columns,
                         request->targets_limit);
    return STATUS_OK;
}

enum status plan_query(struct build *build, SelectStmt *select, Node **emitted)
{
    struct level *level;
    struct plan *plan = build->plan;
    plan->kind = PLAN_QUERY;
    plan->command = "SELECT";
    build->proves = true;
    TRY(plan_count_parameters(build, (Node *)select));
    *emitted = (Node *)select;
    if (virtual_reads(select))
        return virtual_plan(build, select);
    build->secrets = palloc0(2 * LIMIT_RELATIONS * sizeof *build->secrets);
    TRY(plan_select(build, &select, NULL, true, &level));
    TRY(check_size(build, level->target_count));
    TRY(settle_finish(level, &select));
    *emitted = (Node *)select;
    for (size_t i = 0; i < build->fence_count; i++)
        TRY(fence_close(build, build->fences[i]));
    TRY(plan_keep_names(build, level));
    TRY(keep_visible(build, level));
    TRY(plan_keep_secrets(build));
    plan_explain_fences(build);
    TRY(plan_keep_tables(build));
    return lineage_finish(level);
}

static enum status emit_plan(struct build *build, Node *statement)
{
    struct plan *plan = build->plan;
    struct buffer text;
    buffer_init(&text, PLAN_SQL_BYTES);
    enum status status = emit_verified(statement, &text, build->error);
    if (status == STATUS_OK) {
        plan->sql = arena_strdup(&plan->arena, buffer_text(&text));
        if (plan->sql == NULL)
            status = STATUS_NOMEM;
    }
    buffer_free(&text);
    return status;
}

/* A text that is longer than others may be has to be one statement over the catalogue. */
static enum status parse_request(struct build *build, List **statements)
{
    const struct plan_request *request = build->request;
    size_t limit = request->statement_bytes_limit, longest = parse_bytes_limit(request->sql, limit);
    TRY(parse_text(request->sql, longest, request->statement_depth_limit, statements,
                   build->error));
    if (strnlen(request->sql, limit + 1) <= limit)
        return STATUS_OK;
    Node *only = list_length(*statements) == 1 ? linitial_node(RawStmt, *statements)->stmt : NULL;
    if (only != NULL && IsA(only, SelectStmt) && virtual_reads((SelectStmt *)only))
        return STATUS_OK;
    return parse_too_long(limit, build->error);
}

static enum status plan_statement(struct build *build)
{
    List *statements;
    TRY(parse_request(build, &statements));
    if (statements == NIL) {
        build->plan->kind = PLAN_EMPTY;
        build->plan->command = "";
        return STATUS_OK;
    }
    if (list_length(statements) > 1)
        return plan_refuse(build, "0A000", "Send them one by one.",
                           "several statements in one text are not supported");
    Node *statement = linitial_node(RawStmt, statements)->stmt, *emitted = statement;
    if (IsA(statement, SelectStmt))
        TRY(plan_query(build, (SelectStmt *)statement, &emitted));
    else if (IsA(statement, InsertStmt) || IsA(statement, UpdateStmt) || IsA(statement, DeleteStmt))
        TRY(plan_write(build, statement, &emitted));
    else
        TRY(plan_utility(build, statement, &emitted));
    TRY(probe_finish(build));
    TRY(plan_keep_grants(build));
    return emitted == NULL ? STATUS_OK : emit_plan(build, emitted);
}

static struct plan *new_plan(const struct plan_request *request)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return NULL;
    atomic_init(&plan->references, 1);
    arena_init(&plan->arena, PLAN_ARENA_BYTES);
    plan->model = model_retain(request->model);
    plan->relay_limit = -1;
    plan->valid_until_ns = INT64_MAX;
    for (size_t i = 0; i < request->partner->grant_count; i++) {
        const struct policy_grant *grant = &request->partner->grants[i];
        const int64_t edges[] = {grant->valid_from_ns, grant->valid_until_ns};
        for (size_t e = 0; e < 2; e++)
            if (edges[e] > request->now_ns && edges[e] < plan->valid_until_ns)
                plan->valid_until_ns = edges[e];
    }
    return plan;
}

enum status plan_make(const struct plan_request *request, struct plan **out, struct error *error)
{
    struct parse_scope scope;
    struct plan *plan = new_plan(request);
    struct error own;
    if (plan == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    struct build build = {.request = request,
                          .plan = plan,
                          .error = error != NULL ? error : &own,
                          .model = request->model};
    parse_begin(&scope);
    enum status status = plan_statement(&build);
    parse_end(&scope);
    if (status == STATUS_OK && plan->arena.overflowed)
        status = STATUS_NOMEM;
    if (status == STATUS_NOMEM)
        (void)error_set(build.error, status, "53200", "Make the statement smaller.",
                        "the plan does not fit its memory");
    if (status != STATUS_OK) {
        if (request->inquiry != NULL && request->inquiry->rule == NULL)
            request->inquiry->rule = plan_rule(build.error->sqlstate, "");
        plan_release(plan);
        return status;
    }
    *out = plan;
    return STATUS_OK;
}

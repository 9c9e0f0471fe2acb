/* Functions that statements over the catalogue call. Each is answered by SQL of ours over the
 * virtual tables, or leaves as it is because PostgreSQL answers it from its arguments or from what
 * it brings itself. Invariant: none that leaves takes an OID or a name of a relation, a type, a
 * role or a function that is not PostgreSQL's own. */
#include <string.h>

#include "base/check.h"
#include "sql/allow/allow.h"
#include "sql/virtual/virtual_private.h"

#define GIVES(name, least, most, sql)                                                              \
    {                                                                                              \
        name, least, most, sql, false, NULL                                                        \
    }
#define LEAVES(name, least, most)                                                                  \
    {                                                                                              \
        name, least, most, NULL, false, NULL                                                       \
    }
#define VISIBLE(name)              GIVES(name, 1, 1, "($1 IS NOT NULL)")
#define NOTHING(name, least, most) GIVES(name, least, most, "NULL::text")
#define ZERO(name, least, most)    GIVES(name, least, most, "0::int8")

/* One of the rights asked for, as of 'select, insert', is enough. */
#define ASKS(what, n) "(lower((" n ")::text) ~ ('^(.*,)? *(' || " what " || ') *(,.*)?$'))"
#define MAY(what, n)  ASKS("'" what "'", n)

/* Nothing is granted to anybody but the partner itself. Indexes are in pg_class too. */
#define TABLE_MAY(table, n)                                                                        \
    "EXISTS (SELECT 1 FROM pg_class r LEFT JOIN source_relation s ON s.oid = r.oid "               \
    "WHERE " VIRTUAL_MEANT(table) " AND " ASKS("coalesce(s.rights, 'select')", n) ")"
#define COLUMN_MAY(table, which, n)                                                                \
    "EXISTS (SELECT 1 FROM pg_class r JOIN source_column c ON c.relation = r.oid "                 \
    "WHERE " VIRTUAL_MEANT(table) " AND " which " AND " ASKS("c.rights", n) ")"
#define IS_COLUMN(n) "(" n ")::text IN (c.name, c.number::text)"
#define PRIVILEGE(name, words)                                                                     \
    GIVES(name, 2, 2, MAY(words, "$2")), GIVES(name, 3, 3, MAY(words, "$3"))

/* PostgreSQL's own answer about an object that PostgreSQL brings. */
#define OWN_TYPE(n)                                                                                \
    "EXISTS (SELECT 1 FROM pg_catalog.pg_type o WHERE o.oid = (" n                                 \
    ")::oid AND o.typnamespace = 11 AND o.oid < 16384)"
#define OF_FUNCTION(name)                                                                          \
    GIVES(name, 1, 1,                                                                              \
          "(CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_proc o WHERE o.oid = ($1)::oid AND "     \
          "o.pronamespace = 11 AND o.oid < 16384) THEN " name "(($1)::oid) END)")

static const struct virtual_function functions[] = {
    /* names and visibility */
    VISIBLE("pg_table_is_visible"),
    VISIBLE("pg_type_is_visible"),
    VISIBLE("pg_function_is_visible"),
    VISIBLE("pg_operator_is_visible"),
    VISIBLE("pg_opclass_is_visible"),
    VISIBLE("pg_opfamily_is_visible"),
    VISIBLE("pg_collation_is_visible"),
    VISIBLE("pg_conversion_is_visible"),
    VISIBLE("pg_statistics_obj_is_visible"),
    VISIBLE("pg_ts_config_is_visible"),
    VISIBLE("pg_ts_dict_is_visible"),
    VISIBLE("pg_ts_parser_is_visible"),
    VISIBLE("pg_ts_template_is_visible"),
    GIVES("pg_get_userbyid", 1, 1, "(SELECT p.login::name FROM source_partner p)"),
    GIVES("current_schemas", 1, 1,
          "(CASE WHEN ($1)::bool THEN ARRAY['pg_catalog'::name, 'public'::name] "
          "ELSE ARRAY['public'::name] END)"),
    GIVES("current_schema", 0, 0, "'public'::name"),
    GIVES("current_database", 0, 0, "(SELECT p.database::name FROM source_partner p)"),
    GIVES("current_catalog", 0, 0, "(SELECT p.database::name FROM source_partner p)"),
    GIVES("current_user", 0, 0, "(SELECT p.login::name FROM source_partner p)"),
    GIVES("session_user", 0, 0, "(SELECT p.login::name FROM source_partner p)"),
    GIVES("current_role", 0, 0, "(SELECT p.login::name FROM source_partner p)"),
    GIVES("user", 0, 0, "(SELECT p.login::name FROM source_partner p)"),
    GIVES("getpgusername", 0, 0, "(SELECT p.login::name FROM source_partner p)"),
    GIVES("version", 0, 0, "(SELECT p.version FROM source_partner p)"),
    GIVES("pg_is_in_recovery", 0, 0, "false"),
    GIVES("pg_is_wal_replay_paused", 0, 0, "false"),
    GIVES("pg_my_temp_schema", 0, 0, "0::oid"),
    GIVES("pg_is_other_temp_schema", 1, 1, "false"),
    GIVES("getdatabaseencoding", 0, 0, "'UTF8'::name"),
    GIVES("inet_server_addr", 0, 0, "NULL::text"),
    GIVES("inet_server_port", 0, 0, "NULL::int4"),
    GIVES("inet_client_addr", 0, 0, "NULL::text"),
    GIVES("current_setting", 1, 2,
          "(SELECT s.setting FROM pg_settings s WHERE lower(s.name) = lower($1))"),
    GIVES("to_regclass", 1, 1, "(SELECT r.oid FROM pg_class r WHERE " VIRTUAL_MEANT("$1") ")"),
    GIVES("to_regnamespace", 1, 1,
          "(SELECT n.oid FROM pg_namespace n WHERE n.nspname = ($1)::text)"),
    GIVES("to_regrole", 1, 1, "(SELECT n.oid FROM pg_roles n WHERE n.rolname = ($1)::text)"),
    GIVES("to_regtype", 1, 1,
          "(SELECT o.oid FROM pg_catalog.pg_type o WHERE o.typnamespace = 11 AND "
          "o.oid < 16384 AND o.oid = to_regtype(" VIRTUAL_TYPE_NAME("$1") "))"),

    /* definitions and comments */
    GIVES("format_type", 2, 2,
          "(CASE WHEN " OWN_TYPE("$1") " THEN format_type(($1)::oid, ($2)::int4) END)"),
    NOTHING("pg_get_expr", 2, 3),
    NOTHING("pg_get_viewdef", 1, 2),
    NOTHING("pg_get_ruledef", 1, 2),
    NOTHING("pg_get_triggerdef", 1, 2),
    NOTHING("pg_get_function_sqlbody", 1, 1),
    NOTHING("pg_get_serial_sequence", 2, 2),
    NOTHING("pg_get_partkeydef", 1, 1),
    NOTHING("pg_get_partition_constraintdef", 1, 1),
    NOTHING("pg_get_statisticsobjdef", 1, 1),
    NOTHING("pg_get_statisticsobjdef_columns", 1, 1),
    NOTHING("pg_get_statisticsobjdef_expressions", 1, 1),
    NOTHING("shobj_description", 2, 2),
    NOTHING("pg_tablespace_location", 1, 1),
    NOTHING("pg_relation_filepath", 1, 1),
    GIVES("pg_get_constraintdef", 1, 2,
          "(SELECT k.definition FROM source_key k WHERE k.oid = ($1)::oid)"),
    GIVES("pg_get_indexdef", 1, 1,
          "(SELECT k.index_definition FROM source_key k WHERE k.index = ($1)::oid "
          "AND k.kind <> 'f')"),
    GIVES("pg_get_indexdef", 3, 3,
          "(SELECT CASE WHEN ($2)::int4 = 0 THEN k.index_definition ELSE (SELECT "
          "quote_ident(c.name) FROM source_key_column m JOIN source_column c "
          "ON c.relation = k.relation AND c.number = m.number WHERE m.key = k.oid AND "
          "m.position = ($2)::int4) END FROM source_key k WHERE k.index = ($1)::oid AND "
          "k.kind <> 'f')"),
    GIVES("obj_description", 1, 2,
          "(SELECT d.description FROM pg_description d WHERE d.objoid = ($1)::oid AND "
          "d.objsubid = 0)"),
    GIVES("col_description", 2, 2,
          "(SELECT d.description FROM pg_description d WHERE d.objoid = ($1)::oid AND "
          "d.objsubid = ($2)::int4)"),
    GIVES("pg_get_functiondef", 1, 1,
          "(CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_proc o WHERE o.oid = ($1)::oid AND "
          "o.pronamespace = 11 AND o.oid < 16384 AND o.prokind <> 'a') "
          "THEN pg_get_functiondef(($1)::oid) END)"),
    OF_FUNCTION("pg_get_function_arguments"),
    OF_FUNCTION("pg_get_function_identity_arguments"),
    OF_FUNCTION("pg_get_function_result"),
    GIVES("pg_relation_is_publishable", 1, 1, "false"),
    GIVES("pg_partition_root", 1, 1, "NULL::oid"),
    GIVES("pg_partition_ancestors", 1, 1, "NULL::oid"),
    GIVES("pg_partition_tree", 1, 1, "NULL::oid"),
    GIVES("pg_get_replica_identity_index", 1, 1, "NULL::oid"),
    GIVES("acldefault", 2, 2, "NULL::text[]"),
    GIVES("pg_index_column_has_property", 3, 3,
          "(($3)::text IN ('asc', 'orderable', 'nulls_last', 'search_array', 'search_nulls'))"),
    GIVES("pg_index_has_property", 2, 2, "(($2)::text IN ('clusterable', 'index_scan'))"),
    GIVES("pg_indexam_has_property", 2, 2,
          "(($2)::text IN ('can_order', 'can_unique', 'can_multi_col'))"),

    /* sizes and statistics: unknown */
    ZERO("pg_relation_size", 1, 2),
    ZERO("pg_total_relation_size", 1, 1),
    ZERO("pg_table_size", 1, 1),
    ZERO("pg_indexes_size", 1, 1),
    ZERO("pg_database_size", 1, 1),
    ZERO("pg_tablespace_size", 1, 1),
    ZERO("pg_stat_get_numscans", 1, 1),
    ZERO("pg_stat_get_live_tuples", 1, 1),
    ZERO("pg_stat_get_dead_tuples", 1, 1),

    /* privileges */
    GIVES("has_table_privilege", 2, 2, TABLE_MAY("$1", "$2")),
    GIVES("has_table_privilege", 3, 3, TABLE_MAY("$2", "$3")),
    GIVES("has_any_column_privilege", 2, 2, COLUMN_MAY("$1", "true", "$2")),
    GIVES("has_any_column_privilege", 3, 3, COLUMN_MAY("$2", "true", "$3")),
    GIVES("has_column_privilege", 3, 3, COLUMN_MAY("$1", IS_COLUMN("$2"), "$3")),
    GIVES("has_column_privilege", 4, 4, COLUMN_MAY("$2", IS_COLUMN("$3"), "$4")),
    PRIVILEGE("has_schema_privilege", "usage"),
    PRIVILEGE("has_database_privilege", "connect"),
    PRIVILEGE("has_function_privilege", "execute"),
    PRIVILEGE("has_type_privilege", "usage"),
    PRIVILEGE("has_language_privilege", "usage"),
    PRIVILEGE("has_sequence_privilege", "(usage|select)"),
    PRIVILEGE("has_tablespace_privilege", "never"),
    PRIVILEGE("has_server_privilege", "never"),
    PRIVILEGE("has_foreign_data_wrapper_privilege", "never"),
    PRIVILEGE("pg_has_role", "(member|usage)"),
    GIVES("row_security_active", 1, 1, "false"),

    /* what PostgreSQL answers from the arguments alone */
    LEAVES("generate_series", 2, 3),
    LEAVES("generate_subscripts", 2, 3),
    LEAVES("unnest", 1, 1),
    {"pg_get_keywords", 0, 0, NULL, true, NULL},
    LEAVES("pg_options_to_table", 1, 1),
    GIVES("aclexplode", 1, 1, "NULL::text"),
    {"_pg_expandarray", 1, 1, NULL, true, "information_schema"},
    LEAVES("quote_ident", 1, 1),
    LEAVES("parse_ident", 1, 2),
    LEAVES("quote_literal", 1, 1),
    LEAVES("quote_nullable", 1, 1),
    LEAVES("format", 1, 20),
    {"pg_encoding_to_char", 1, 1, NULL, true, NULL},
    LEAVES("pg_char_to_encoding", 1, 1),
    LEAVES("pg_encoding_max_length", 1, 1),
    LEAVES("pg_size_pretty", 1, 1),
    LEAVES("array_to_string", 2, 3),
    LEAVES("string_to_array", 2, 3),
    LEAVES("array_length", 2, 2),
    LEAVES("array_lower", 2, 2),
    LEAVES("array_upper", 2, 2),
    LEAVES("array_ndims", 1, 1),
    LEAVES("array_position", 2, 3),
    LEAVES("array_positions", 2, 2),
    LEAVES("array_append", 2, 2),
    LEAVES("array_prepend", 2, 2),
    LEAVES("array_remove", 2, 2),
    LEAVES("array_cat", 2, 2),
    LEAVES("cardinality", 1, 1),
    LEAVES("array_agg", 1, 1),
    LEAVES("string_agg", 2, 2),
    LEAVES("json_agg", 1, 1),
    LEAVES("jsonb_agg", 1, 1),
    LEAVES("json_object_agg", 2, 2),
    LEAVES("json_build_object", 0, 100),
    LEAVES("jsonb_build_object", 0, 100),
    LEAVES("json_build_array", 0, 100),
    LEAVES("to_json", 1, 1),
    LEAVES("to_jsonb", 1, 1),
    LEAVES("row_to_json", 1, 2),
    LEAVES("bool_or", 1, 1),
    LEAVES("bool_and", 1, 1),
    LEAVES("every", 1, 1),
    LEAVES("row_number", 0, 0),
    LEAVES("rank", 0, 0),
    LEAVES("dense_rank", 0, 0),
    LEAVES("first_value", 1, 1),
    LEAVES("lag", 1, 3),
    LEAVES("lead", 1, 3),
    LEAVES("age", 1, 2),
};

const struct virtual_function *virtual_find_function(const char *name, int arguments)
{
    for (size_t i = 0; i < lengthof(functions); i++)
        if (strcmp(functions[i].name, name) == 0 && arguments >= functions[i].least &&
            arguments <= functions[i].most)
            return &functions[i];
    return NULL;
}

bool virtual_answers(const char *name)
{
    for (size_t i = 0; i < lengthof(functions); i++)
        if (strcmp(functions[i].name, name) == 0 &&
            (functions[i].sql != NULL ? functions[i].most > 0 : functions[i].catalogue))
            return true;
    return false;
}

static enum status refuse_function(struct virtual_walk *walk, const char *name)
{
    return plan_refuse(walk->build, "42501",
                       "Functions that read the granted datasets' descriptions are, and "
                       "those without side effects.",
                       "function %s is not allowed over the system catalogs", name);
}

static bool schema_fits(const FuncCall *call, const char *wanted)
{
    int count = list_length(call->funcname);
    if (wanted != NULL)
        return count == 2 && strcmp(strVal(linitial(call->funcname)), wanted) == 0;
    return count == 1 ||
           (count == 2 && strcmp(strVal(linitial(call->funcname)), "pg_catalog") == 0);
}

static enum status walk_arguments(struct virtual_walk *walk, FuncCall *call, bool text)
{
    ListCell *cell;
    foreach (cell, call->args)
        if (IsA(lfirst(cell), NamedArgExpr))
            return plan_refuse(walk->build, "0A000", "Give the arguments by position.",
                               "named arguments are not supported over the system catalogs");
    TRY(virtual_walk_list(walk, call->args, text));
    TRY(virtual_walk_list(walk, call->agg_order, false));
    TRY(virtual_walk_node(walk, &call->agg_filter, false));
    return virtual_walk_window(walk, call->over);
}

static void leave(FuncCall *call, const char *schema)
{
    const char *name = strVal(llast(call->funcname));
    call->funcname = list_make2(makeString(pstrdup(schema == NULL ? "pg_catalog" : schema)),
                                makeString(pstrdup(name)));
    call->funcformat = COERCE_EXPLICIT_CALL;
}

static enum status answer(struct virtual_walk *walk, const struct virtual_function *function,
                          FuncCall *call, Node **slot)
{
    Node *arguments[4] = {NULL};
    size_t count = 0;
    ListCell *cell;
    foreach (cell, call->args)
        arguments[count++] = lfirst(cell);
    CHECK(count <= lengthof(arguments));
    return virtual_expression(walk, function->sql, arguments, count, slot);
}

/* Is format()'s text written out, without a width, which would make a long result of nothing? */
static bool is_plain_format(const FuncCall *call)
{
    const A_Const *literal = call->args == NIL ? NULL : linitial(call->args);
    if (literal == NULL || !IsA(literal, A_Const) || literal->isnull || !IsA(&literal->val, String))
        return false;
    for (const char *at = literal->val.sval.sval; *at != '\0'; at++)
        if (*at == '*' || (*at >= '0' && *at <= '9' && at[1] != '$'))
            return false;
    return true;
}

/* Small arguments make huge results of these. */
static bool is_unbounded(const FuncCall *call, const char *name)
{
    static const char *const names[] = {"repeat", "lpad", "rpad", "array_fill"};
    for (size_t i = 0; i < lengthof(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return strcmp(name, "format") == 0 && !is_plain_format(call);
}

enum status virtual_walk_call(struct virtual_walk *walk, Node **slot)
{
    FuncCall *call = (FuncCall *)*slot;
    const char *name = strVal(llast(call->funcname));
    const struct virtual_function *function = virtual_find_function(name, list_length(call->args));
    if (walk->trusted)
        function = NULL;
    else if (!schema_fits(call, function == NULL ? NULL : function->schema) ||
             (function == NULL && !allow_function(name)) || is_unbounded(call, name))
        return refuse_function(walk, name);
    bool answered = function != NULL && function->sql != NULL;
    TRY(walk_arguments(walk, call, !answered));
    if (answered)
        return answer(walk, function, call, slot);
    leave(call, function == NULL ? NULL : function->schema);
    return STATUS_OK;
}

enum status virtual_walk_value(struct virtual_walk *walk, Node **slot)
{
    static const struct {
        SQLValueFunctionOp op;
        const char *function;
    } known[] = {
        {SVFOP_CURRENT_ROLE, "current_role"},
        {SVFOP_CURRENT_USER, "current_user"},
        {SVFOP_USER, "user"},
        {SVFOP_SESSION_USER, "session_user"},
        {SVFOP_CURRENT_CATALOG, "current_catalog"},
        {SVFOP_CURRENT_SCHEMA, "current_schema"},
    };
    const SQLValueFunction *value = (const SQLValueFunction *)*slot;
    for (size_t i = 0; i < lengthof(known); i++)
        if (known[i].op == value->op)
            return virtual_expression(walk, virtual_find_function(known[i].function, 0)->sql, NULL,
                                      0, slot);
    return STATUS_OK;
}

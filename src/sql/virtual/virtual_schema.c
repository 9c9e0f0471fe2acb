/* The views of information_schema that partners see, over the sources of virtual_rows.c. Columns
 * and types are those of PostgreSQL's own information_schema.sql, where sql_identifier is name,
 * character_data and yes_or_no are varchar and cardinal_number is integer. */
#include "sql/virtual/virtual_private.h"

#define VIEW(name, sql)                                                                            \
    {                                                                                              \
        "information_schema", name, 0, sql, false                                                  \
    }
#define EMPTY(name, columns)                                                                       \
    {                                                                                              \
        "information_schema", name, 0, columns, true                                               \
    }

#define DATABASE  "p.database::name"
#define PUBLIC    "'public'::name"
#define YES       "'YES'::varchar"
#define NO        "'NO'::varchar"
#define NO_NAME   "NULL::name"
#define NO_TEXT   "NULL::varchar"
#define NO_NUMBER "NULL::int4"

static const char columns_sql[] =
    "SELECT " DATABASE " AS table_catalog, " PUBLIC " AS table_schema, r.name::name AS table_name, "
    "c.name::name AS column_name, c.number::int4 AS ordinal_position, " NO_TEXT
    " AS column_default, (CASE WHEN c.filled THEN 'NO' ELSE 'YES' END)::varchar AS is_nullable, "
    "(CASE WHEN t.typcategory = 'A' THEN 'ARRAY' ELSE format_type(c.type, NULL) END)::varchar "
    "AS data_type, " NO_NUMBER " AS character_maximum_length, "
    "CASE WHEN c.type IN (25, 1042, 1043) THEN 1073741824 END AS character_octet_length, "
    "CASE c.type WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53 "
    "END AS numeric_precision, CASE WHEN c.type IN (20, 21, 23, 700, 701) THEN 2 "
    "WHEN c.type = 1700 THEN 10 END AS numeric_precision_radix, "
    "CASE WHEN c.type IN (20, 21, 23) THEN 0 END AS numeric_scale, "
    "CASE WHEN c.type = 1082 THEN 0 WHEN c.type IN (1083, 1114, 1184, 1186, 1266) THEN 6 END "
    "AS datetime_precision, " NO_TEXT " AS interval_type, " NO_NUMBER
    " AS interval_precision, " NO_NAME " AS character_set_catalog, " NO_NAME
    " AS character_set_schema, " NO_NAME " AS character_set_name, " NO_NAME
    " AS collation_catalog, " NO_NAME " AS collation_schema, " NO_NAME
    " AS collation_name, " NO_NAME " AS domain_catalog, " NO_NAME " AS domain_schema, " NO_NAME
    " AS domain_name, " DATABASE
    " AS udt_catalog, 'pg_catalog'::name AS udt_schema, t.typname::name AS udt_name, " NO_NAME
    " AS scope_catalog, " NO_NAME " AS scope_schema, " NO_NAME " AS scope_name, " NO_NUMBER
    " AS maximum_cardinality, c.number::text::name AS dtd_identifier, " NO
    " AS is_self_referencing, " NO " AS is_identity, " NO_TEXT " AS identity_generation, " NO_TEXT
    " AS identity_start, " NO_TEXT " AS identity_increment, " NO_TEXT
    " AS identity_maximum, " NO_TEXT " AS identity_minimum, " NO
    " AS identity_cycle, 'NEVER'::varchar AS is_generated, " NO_TEXT
    " AS generation_expression, (CASE WHEN c.rights ~ 'update' THEN 'YES' ELSE 'NO' END)::varchar "
    "AS is_updatable FROM source_column c JOIN source_relation r "
    "ON r.oid = c.relation JOIN pg_catalog.pg_type t ON t.oid = c.type CROSS JOIN source_partner p";

static const char tables_sql[] =
    "SELECT " DATABASE " AS table_catalog, " PUBLIC " AS table_schema, r.name::name AS table_name, "
    "'BASE TABLE'::varchar AS table_type, " NO_NAME " AS self_referencing_column_name, " NO_TEXT
    " AS reference_generation, " NO_NAME " AS user_defined_type_catalog, " NO_NAME
    " AS user_defined_type_schema, " NO_NAME
    " AS user_defined_type_name, (CASE WHEN EXISTS (SELECT 1 FROM source_column c "
    "WHERE c.relation = r.oid AND c.rights ~ 'insert') THEN 'YES' ELSE 'NO' END)::varchar"
    " AS is_insertable_into, " NO " AS is_typed, " NO_TEXT
    " AS commit_action FROM source_relation r CROSS JOIN source_partner p";

static const char schemata_sql[] =
    "SELECT " DATABASE
    " AS catalog_name, n.nspname AS schema_name, p.login::name AS schema_owner, " NO_NAME
    " AS default_character_set_catalog, " NO_NAME " AS default_character_set_schema, " NO_NAME
    " AS default_character_set_name, " NO_TEXT
    " AS sql_path FROM pg_namespace n CROSS JOIN source_partner p";

#define CONSTRAINT                                                                                 \
    DATABASE " AS constraint_catalog, " PUBLIC " AS constraint_schema, k.name::name AS "           \
             "constraint_name"
#define TABLE DATABASE " AS table_catalog, " PUBLIC " AS table_schema, r.name::name AS table_name"
#define OF_TABLE                                                                                   \
    " FROM source_key k JOIN source_relation r ON r.oid = k.relation CROSS JOIN source_partner p"

static const char constraints_sql[] =
    "SELECT " CONSTRAINT ", " TABLE ", (CASE k.kind WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN "
    "'UNIQUE' ELSE 'FOREIGN KEY' END)::varchar AS constraint_type, " NO " AS is_deferrable, " NO
    " AS initially_deferred, " YES " AS enforced, " YES " AS nulls_distinct" OF_TABLE;

static const char key_usage_sql[] =
    "SELECT " CONSTRAINT ", " TABLE ", c.name::name AS column_name, m.position AS "
    "ordinal_position, m.parent_position AS position_in_unique_constraint" OF_TABLE
    " JOIN source_key_column m ON m.key = k.oid "
    "JOIN source_column c ON c.relation = k.relation AND c.number = m.number";

static const char referential_sql[] =
    "SELECT " CONSTRAINT ", " DATABASE " AS unique_constraint_catalog, " PUBLIC
    " AS unique_constraint_schema, u.name::name AS unique_constraint_name, "
    "'NONE'::varchar AS match_option, 'NO ACTION'::varchar AS update_rule, "
    "'NO ACTION'::varchar AS delete_rule" OF_TABLE
    " JOIN source_key u ON u.index = k.index AND u.kind <> 'f' WHERE k.kind = 'f'";

/* The columns that a constraint is about: a foreign key's are its parent's. */
static const char constraint_columns_sql[] =
    "SELECT " TABLE ", c.name::name AS column_name, " CONSTRAINT
    " FROM source_key k JOIN source_relation r ON r.oid = coalesce(k.parent, k.relation) "
    "JOIN source_key_column m ON m.key = k.oid "
    "JOIN source_column c ON c.relation = r.oid AND c.number = coalesce(m.parent_number, m.number) "
    "CROSS JOIN source_partner p";

static const char constraint_tables_sql[] =
    "SELECT " TABLE ", " CONSTRAINT
    " FROM source_key k JOIN source_relation r ON r.oid = coalesce(k.parent, k.relation) "
    "CROSS JOIN source_partner p";

#define PRIVILEGE "p.login::name AS grantor, p.login::name AS grantee, " TABLE
#define RIGHT     "upper(q.name)::varchar AS privilege_type, " NO " AS is_grantable"
#define EACH_OF(rights)                                                                            \
    " CROSS JOIN LATERAL (SELECT regexp_split_to_table(" rights ", '[|]') AS name) AS q"

static const char table_privileges_sql[] =
    "SELECT " PRIVILEGE ", " RIGHT ", " YES
    " AS with_hierarchy FROM source_relation r CROSS JOIN source_partner p" EACH_OF("r.rights");

static const char column_privileges_sql[] =
    "SELECT " PRIVILEGE ", c.name::name AS column_name, " RIGHT
    " FROM source_column c JOIN source_relation r ON r.oid = c.relation "
    "CROSS JOIN source_partner p" EACH_OF("c.rights");

static const struct virtual_table tables[] = {
    VIEW("columns", columns_sql),
    VIEW("tables", tables_sql),
    VIEW("schemata", schemata_sql),
    VIEW("table_constraints", constraints_sql),
    VIEW("key_column_usage", key_usage_sql),
    VIEW("referential_constraints", referential_sql),
    VIEW("constraint_column_usage", constraint_columns_sql),
    VIEW("constraint_table_usage", constraint_tables_sql),
    VIEW("table_privileges", table_privileges_sql),
    VIEW("role_table_grants", table_privileges_sql),
    VIEW("column_privileges", column_privileges_sql),
    VIEW("role_column_grants", column_privileges_sql),
    VIEW("information_schema_catalog_name",
         "SELECT " DATABASE " AS catalog_name FROM source_partner p"),
    VIEW("enabled_roles", "SELECT p.login::name AS role_name FROM source_partner p"),
    VIEW("character_sets",
         "SELECT " NO_NAME " AS character_set_catalog, " NO_NAME " AS character_set_schema, "
         "'UTF8'::name AS character_set_name, 'UCS'::name AS character_repertoire, "
         "'UTF8'::name AS form_of_use, " DATABASE " AS default_collate_catalog, "
         "'pg_catalog'::name AS default_collate_schema, 'default'::name AS default_collate_name "
         "FROM source_partner p"),
    VIEW("collations",
         "SELECT " DATABASE " AS collation_catalog, 'pg_catalog'::name AS collation_schema, "
         "c.collname AS collation_name, 'NO PAD'::varchar AS pad_attribute "
         "FROM pg_collation c CROSS JOIN source_partner p"),
    EMPTY("applicable_roles", "grantee name, role_name name, is_grantable varchar"),
    EMPTY("views",
          "table_catalog name, table_schema name, table_name name, view_definition varchar, "
          "check_option varchar, is_updatable varchar, is_insertable_into varchar, "
          "is_trigger_updatable varchar, is_trigger_deletable varchar, "
          "is_trigger_insertable_into varchar"),
    EMPTY("routines",
          "specific_catalog name, specific_schema name, specific_name name, "
          "routine_catalog name, routine_schema name, routine_name name, routine_type varchar, "
          "data_type varchar, type_udt_catalog name, type_udt_schema name, type_udt_name name, "
          "routine_body varchar, routine_definition varchar, external_name varchar, "
          "external_language varchar, is_deterministic varchar, sql_data_access varchar, "
          "security_type varchar"),
    EMPTY("parameters",
          "specific_catalog name, specific_schema name, specific_name name, "
          "ordinal_position int4, parameter_mode varchar, is_result varchar, as_locator varchar, "
          "parameter_name name, data_type varchar, udt_catalog name, udt_schema name, "
          "udt_name name, parameter_default varchar"),
    EMPTY("triggers",
          "trigger_catalog name, trigger_schema name, trigger_name name, "
          "event_manipulation varchar, event_object_catalog name, event_object_schema name, "
          "event_object_table name, action_order int4, action_condition varchar, "
          "action_statement varchar, action_orientation varchar, action_timing varchar"),
    EMPTY("sequences",
          "sequence_catalog name, sequence_schema name, sequence_name name, data_type varchar, "
          "numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, "
          "start_value varchar, minimum_value varchar, maximum_value varchar, increment varchar, "
          "cycle_option varchar"),
    EMPTY("check_constraints",
          "constraint_catalog name, constraint_schema name, constraint_name name, "
          "check_clause varchar"),
    EMPTY("domains",
          "domain_catalog name, domain_schema name, domain_name name, data_type varchar, "
          "character_maximum_length int4, numeric_precision int4, numeric_scale int4, "
          "domain_default varchar, udt_catalog name, udt_schema name, udt_name name"),
    EMPTY("domain_constraints",
          "constraint_catalog name, constraint_schema name, constraint_name name, "
          "domain_catalog name, domain_schema name, domain_name name, is_deferrable varchar, "
          "initially_deferred varchar"),
    EMPTY("element_types",
          "object_catalog name, object_schema name, object_name name, object_type varchar, "
          "collection_type_identifier name, data_type varchar, udt_catalog name, "
          "udt_schema name, udt_name name, dtd_identifier name"),
    EMPTY("user_defined_types", "user_defined_type_catalog name, user_defined_type_schema name, "
                                "user_defined_type_name name, user_defined_type_category varchar"),
    EMPTY("foreign_tables",
          "foreign_table_catalog name, foreign_table_schema name, foreign_table_name name, "
          "foreign_server_catalog name, foreign_server_name name"),
    EMPTY("view_table_usage",
          "view_catalog name, view_schema name, view_name name, table_catalog name, "
          "table_schema name, table_name name"),
    EMPTY("view_column_usage",
          "view_catalog name, view_schema name, view_name name, table_catalog name, "
          "table_schema name, table_name name, column_name name"),
};

const struct virtual_table *virtual_schema_at(size_t index)
{
    return index < lengthof(tables) ? &tables[index] : NULL;
}

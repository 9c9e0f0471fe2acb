/* The tables of pg_catalog that partners see. What says something of the database comes from the
 * sources (virtual_rows.c); what PostgreSQL itself brings is read from the real catalogue and held
 * to it twice: by the namespace pg_catalog (OID 11) where there is one, and by an OID below 16384,
 * the first that anything made after initdb can get. Whatever names a role names the agent. */
#include <string.h>

#include "sql/virtual/virtual_private.h"

#define ROWS(name, oid, sql)                                                                       \
    {                                                                                              \
        "pg_catalog", name, oid, sql, false                                                        \
    }
#define EMPTY(name, oid, columns)                                                                  \
    {                                                                                              \
        "pg_catalog", name, oid, columns, true                                                     \
    }

/* text[], since reading an aclitem looks its roles up in the real catalogue. */
#define NO_ACL "NULL::text[]"

/* Columns of pg_class, for a dataset and for an index. */
#define CLASS_STORAGE                                                                              \
    "0::oid AS relfilenode, 0::oid AS reltablespace, 0 AS relpages, (-1)::float4 AS reltuples, "   \
    "0 AS relallvisible, 0::oid AS reltoastrelid, 0::int2 AS relchecks, false AS relhasrules"
#define CLASS_FLAGS                                                                                \
    "false AS relhassubclass, false AS relrowsecurity, false AS relforcerowsecurity, "             \
    "true AS relispopulated, 'd'::\"char\" AS relreplident, false AS relispartition, "             \
    "0::oid AS relrewrite, '0'::xid AS relfrozenxid, '0'::xid AS relminmxid"
#define CLASS_LAST "NULL::text[] AS reloptions, NULL::text AS relpartbound"

static const char class_sql[] =
    "SELECT r.oid, r.name::name AS relname, 2200::oid AS relnamespace, r.row_type AS reltype, "
    "0::oid AS reloftype, 10::oid AS relowner, 2::oid AS relam, " CLASS_STORAGE ", "
    "r.indexed AS relhasindex, false AS relisshared, 'p'::\"char\" AS relpersistence, "
    "'r'::\"char\" AS relkind, r.width::int2 AS relnatts, EXISTS (SELECT 1 FROM source_key f "
    "WHERE f.kind = 'f' AND r.oid IN (f.relation, f.parent)) AS relhastriggers, " CLASS_FLAGS
    ", ARRAY[p.login || '=' || r.letters || '/' || p.login] AS relacl, " CLASS_LAST
    " FROM source_relation r CROSS JOIN source_partner p "
    "UNION ALL "
    "SELECT k.index, k.name::name, 2200::oid, 0::oid, 0::oid, 10::oid, 403::oid, " CLASS_STORAGE
    ", false, false, 'p'::\"char\", 'i'::\"char\", k.width::int2, false, " CLASS_FLAGS ", " NO_ACL
    ", " CLASS_LAST " FROM source_key k WHERE k.kind <> 'f'";

/* Behind the type's own columns of pg_attribute. */
#define ATTRIBUTE_REST(acl)                                                                        \
    "false AS atthasdef, false AS atthasmissing, ''::\"char\" AS attidentity, "                    \
    "''::\"char\" AS attgenerated, false AS attisdropped, true AS attislocal, 0 AS attinhcount, "  \
    "t.typcollation AS attcollation, " acl " AS attacl, NULL::text[] AS attoptions, "              \
    "NULL::text[] AS attfdwoptions, NULL::text[] AS attmissingval"

static const char attribute_sql[] =
    "SELECT c.relation AS attrelid, c.name::name AS attname, c.type AS atttypid, "
    "(-1)::int4 AS attstattarget, t.typlen AS attlen, c.number::int2 AS attnum, "
    "(CASE WHEN t.typcategory = 'A' THEN 1 ELSE 0 END)::int4 AS attndims, "
    "(-1)::int4 AS attcacheoff, (-1)::int4 AS atttypmod, t.typbyval AS attbyval, "
    "t.typalign AS attalign, t.typstorage AS attstorage, ''::\"char\" AS attcompression, "
    "c.filled AS attnotnull, " ATTRIBUTE_REST(
        "(SELECT ARRAY[p.login || '=' || c.letters || '/' || p.login] FROM source_partner p "
        "WHERE c.letters <> '')") " FROM source_column c JOIN pg_catalog.pg_type t ON t.oid = "
                                  "c.type "
                                  "UNION ALL "
                                  "SELECT k.index, c.name::name, c.type, -1, t.typlen, "
                                  "m.position::int2, 0, -1, -1, t.typbyval, "
                                  "t.typalign, t.typstorage, ''::\"char\", false, " ATTRIBUTE_REST(
                                      NO_ACL) " FROM source_key k JOIN source_key_column m ON "
                                              "m.key = k.oid JOIN source_column c "
                                              "ON c.relation = k.relation AND c.number = m.number "
                                              "JOIN pg_catalog.pg_type t ON t.oid = c.type WHERE "
                                              "k.kind <> 'f'";

/* Rows of tables are no types here. */
static const char type_sql[] =
    "SELECT t.oid, t.typname, t.typnamespace, 10::oid AS typowner, t.typlen, t.typbyval, "
    "t.typtype, t.typcategory, t.typispreferred, t.typisdefined, t.typdelim, t.typrelid, "
    "0::oid AS typsubscript, t.typelem, t.typarray, t.typinput::oid AS typinput, t.typoutput::oid "
    "AS typoutput, t.typreceive::oid AS typreceive, "
    "t.typsend::oid AS typsend, t.typmodin::oid AS typmodin, t.typmodout::oid AS typmodout, "
    "t.typanalyze::oid AS typanalyze, t.typalign, t.typstorage, t.typnotnull, "
    "t.typbasetype, t.typtypmod, t.typndims, t.typcollation, NULL::text AS typdefaultbin, "
    "t.typdefault, " NO_ACL " AS typacl FROM pg_catalog.pg_type t "
    "WHERE t.typnamespace = 11 AND t.oid < 16384 AND t.typrelid = 0 AND t.oid NOT IN "
    "(SELECT r.typarray FROM pg_catalog.pg_type r WHERE r.typrelid <> 0)";

/* What may be called, and what clients look for behind a type: its input and output. */
static const char proc_sql[] =
    "SELECT p.oid, p.proname, p.pronamespace, 10::oid AS proowner, p.prolang, p.procost, "
    "p.prorows, p.provariadic, p.prosupport::oid AS prosupport, p.prokind, p.prosecdef, "
    "p.proleakproof, "
    "p.proisstrict, p.proretset, p.provolatile, p.proparallel, p.pronargs, p.pronargdefaults, "
    "p.prorettype, p.proargtypes, p.proallargtypes, p.proargmodes, p.proargnames, "
    "NULL::text AS proargdefaults, p.protrftypes, p.prosrc, NULL::text AS probin, "
    "NULL::text AS prosqlbody, NULL::text[] AS proconfig, " NO_ACL " AS proacl "
    "FROM pg_catalog.pg_proc p WHERE p.pronamespace = 11 AND p.oid < 16384 AND "
    "(p.proname IN (SELECT f.name FROM source_function f) OR p.oid IN "
    "(SELECT unnest(ARRAY[t.typinput::oid, t.typoutput::oid, t.typreceive::oid, t.typsend::oid]) "
    "FROM pg_catalog.pg_type t WHERE t.typnamespace = 11))";

/* As many zeros as the key has columns. */
#define ZEROS "regexp_replace(k.numbers, '[0-9]+', '0', 'g')"

static const char index_sql[] =
    "SELECT k.index AS indexrelid, k.relation AS indrelid, k.width::int2 AS indnatts, "
    "k.width::int2 AS indnkeyatts, true AS indisunique, false AS indnullsnotdistinct, "
    "k.kind = 'p' AS indisprimary, false AS indisexclusion, true AS indimmediate, "
    "false AS indisclustered, true AS indisvalid, false AS indcheckxmin, true AS indisready, "
    "true AS indislive, false AS indisreplident, k.numbers::int2vector AS indkey, " ZEROS
    "::oidvector AS indcollation, (SELECT string_agg(coalesce((SELECT o.oid::text "
    "FROM pg_catalog.pg_opclass o WHERE o.opcmethod = 403 AND o.opcintype = c.type AND "
    "o.opcdefault AND o.oid < 16384), '3126'), ' ' ORDER BY m.position) "
    "FROM source_key_column m JOIN source_column c ON c.relation = k.relation AND "
    "c.number = m.number WHERE m.key = k.oid)::oidvector AS indclass, " ZEROS
    "::int2vector AS indoption, NULL::text AS indexprs, NULL::text AS indpred FROM source_key k "
    "WHERE k.kind <> 'f'";

/* Nothing is told of use. */
static const char index_use_sql[] =
    "SELECT k.relation AS relid, k.index AS indexrelid, 'public'::name AS schemaname, "
    "r.name::name AS relname, k.name::name AS indexrelname, 0::int8 AS idx_scan, "
    "0::int8 AS idx_tup_read, 0::int8 AS idx_tup_fetch FROM source_key k "
    "JOIN source_relation r ON r.oid = k.relation WHERE k.kind <> 'f'";

static const char table_use_sql[] =
    "SELECT r.oid AS relid, 'public'::name AS schemaname, r.name::name AS relname, "
    "0::int8 AS heap_blks_read, 0::int8 AS heap_blks_hit, 0::int8 AS idx_blks_read, "
    "0::int8 AS idx_blks_hit, 0::int8 AS toast_blks_read, 0::int8 AS toast_blks_hit, "
    "0::int8 AS tidx_blks_read, 0::int8 AS tidx_blks_hit FROM source_relation r";

static const char constraint_sql[] =
    "SELECT k.oid, k.name::name AS conname, 2200::oid AS connamespace, k.kind::\"char\" AS "
    "contype, "
    "false AS condeferrable, false AS condeferred, true AS convalidated, k.relation AS conrelid, "
    "0::oid AS contypid, k.index AS conindid, 0::oid AS conparentid, k.parent AS confrelid, "
    "(CASE WHEN k.kind = 'f' THEN 'a' ELSE ' ' END)::\"char\" AS confupdtype, "
    "(CASE WHEN k.kind = 'f' THEN 'a' ELSE ' ' END)::\"char\" AS confdeltype, "
    "(CASE WHEN k.kind = 'f' THEN 's' ELSE ' ' END)::\"char\" AS confmatchtype, "
    "true AS conislocal, 0 AS coninhcount, true AS connoinherit, "
    "string_to_array(k.numbers, ' ')::int2[] AS conkey, "
    "string_to_array(k.parent_numbers, ' ')::int2[] AS confkey, "
    "NULL::oid[] AS conpfeqop, NULL::oid[] AS conppeqop, NULL::oid[] AS conffeqop, "
    "NULL::int2[] AS confdelsetcols, NULL::oid[] AS conexclop, NULL::text AS conbin "
    "FROM source_key k";

static const char database_sql[] =
    "SELECT 1::oid AS oid, p.database::name AS datname, 10::oid AS datdba, 6 AS encoding, "
    "'c'::\"char\" AS datlocprovider, false AS datistemplate, true AS datallowconn, "
    "(-1)::int4 AS datconnlimit, '0'::xid AS datfrozenxid, '0'::xid AS datminmxid, "
    "1663::oid AS dattablespace, 'C'::text AS datcollate, 'C'::text AS datctype, "
    "NULL::text AS daticulocale, NULL::text AS datlocale, NULL::text AS datcollversion, " NO_ACL
    " AS datacl FROM source_partner p";

static const char roles_sql[] =
    "SELECT 10::oid AS oid, p.login::name AS rolname, false AS rolsuper, true AS rolinherit, "
    "false AS rolcreaterole, false AS rolcreatedb, true AS rolcanlogin, false AS rolreplication, "
    "(-1)::int4 AS rolconnlimit, '********'::text AS rolpassword, "
    "NULL::timestamptz AS rolvaliduntil, false AS rolbypassrls, NULL::text[] AS rolconfig "
    "FROM source_partner p";

static const char user_sql[] =
    "SELECT p.login::name AS usename, 10::oid AS usesysid, false AS usecreatedb, "
    "false AS usesuper, false AS userepl, false AS usebypassrls, '********'::text AS passwd, "
    "NULL::timestamptz AS valuntil, NULL::text[] AS useconfig FROM source_partner p";

/* Those that SET and SHOW know, and bounds that are compiled in. */
static const char settings_sql[] =
    "SELECT s.name, CASE s.name WHEN 'search_path' THEN 'public' "
    "WHEN 'is_superuser' THEN 'off' ELSE s.setting END AS setting, s.unit, s.category, "
    "s.short_desc, s.extra_desc, 'user'::text AS context, s.vartype, 'default'::text AS source, "
    "s.min_val, s.max_val, s.enumvals, s.boot_val, "
    "CASE s.name WHEN 'search_path' THEN 'public' ELSE s.boot_val END AS reset_val, "
    "NULL::text AS sourcefile, NULL::int4 AS sourceline, false AS pending_restart "
    "FROM pg_catalog.pg_settings s WHERE s.name IN ('client_encoding', 'client_min_messages', "
    "'DateStyle', 'IntervalStyle', 'TimeZone', 'extra_float_digits', 'bytea_output', "
    "'standard_conforming_strings', 'transaction_isolation', 'default_transaction_isolation', "
    "'transaction_read_only', 'default_transaction_read_only', 'search_path', 'server_version', "
    "'server_version_num', 'server_encoding', 'integer_datetimes', 'max_identifier_length', "
    "'max_index_keys', 'max_function_args', 'block_size', 'is_superuser', 'statement_timeout', "
    "'lock_timeout', 'escape_string_warning', 'lc_messages', 'backslash_quote')";

static const char range_sql[] =
    "SELECT r.rngtypid, r.rngsubtype, coalesce((to_jsonb(r) ->> 'rngmultitypid')::oid, 0::oid) "
    "AS rngmultitypid, r.rngcollation, r.rngsubopc, r.rngcanonical::oid AS rngcanonical, "
    "r.rngsubdiff::oid AS rngsubdiff "
    "FROM pg_catalog.pg_range r WHERE r.rngtypid < 16384";

static const struct virtual_table tables[] = {
    ROWS("pg_namespace", 2615,
         "SELECT n.oid::oid AS oid, n.name::name AS nspname, 10::oid AS nspowner, " NO_ACL
         " AS nspacl FROM (VALUES (11, 'pg_catalog'), (2200, 'public'), "
         "(13000, 'information_schema')) AS n(oid, name)"),
    ROWS("pg_class", 1259, class_sql),
    ROWS("pg_attribute", 1249, attribute_sql),
    ROWS("pg_type", 1247, type_sql),
    ROWS("pg_proc", 1255, proc_sql),
    ROWS("pg_index", 2610, index_sql),
    ROWS("pg_constraint", 2606, constraint_sql),
    ROWS("pg_description", 2609,
         "SELECT r.oid AS objoid, 1259::oid AS classoid, 0 AS objsubid, r.comment AS description "
         "FROM source_relation r WHERE r.comment IS NOT NULL UNION ALL "
         "SELECT c.relation, 1259::oid, c.number, c.comment FROM source_column c "
         "WHERE c.comment IS NOT NULL"),
    ROWS("pg_database", 1262, database_sql),
    ROWS("pg_roles", 0, roles_sql),
    ROWS("pg_user", 0, user_sql),
    ROWS("pg_settings", 0, settings_sql),
    ROWS("pg_tablespace", 1213,
         "SELECT 1663::oid AS oid, 'pg_default'::name AS spcname, 10::oid AS spcowner, " NO_ACL
         " AS spcacl, NULL::text[] AS spcoptions"),
    ROWS("pg_tables", 0,
         "SELECT 'public'::name AS schemaname, r.name::name AS tablename, p.login::name AS "
         "tableowner, NULL::name AS tablespace, r.indexed AS hasindexes, false AS hasrules, "
         "false AS hastriggers, false AS rowsecurity FROM source_relation r CROSS JOIN "
         "source_partner p"),
    ROWS("pg_indexes", 0,
         "SELECT 'public'::name AS schemaname, r.name::name AS tablename, k.name::name AS "
         "indexname, NULL::name AS tablespace, k.index_definition AS indexdef FROM source_key k "
         "JOIN source_relation r ON r.oid = k.relation WHERE k.kind <> 'f'"),
    ROWS("pg_stat_user_indexes", 0, index_use_sql),
    ROWS("pg_statio_user_tables", 0, table_use_sql),
    ROWS("pg_statio_all_tables", 0, table_use_sql),
    ROWS("pg_stat_all_indexes", 0, index_use_sql),
    ROWS("pg_am", 2601,
         "SELECT a.oid, a.amname, a.amhandler::oid AS amhandler, a.amtype FROM pg_catalog.pg_am a "
         "WHERE a.oid < 16384"),
    ROWS("pg_collation", 3456,
         "SELECT c.oid, c.collname, c.collnamespace, 10::oid AS collowner, c.collprovider, "
         "c.collisdeterministic, c.collencoding, c.collcollate, c.collctype, "
         "NULL::text AS colliculocale, NULL::text AS colllocale, NULL::text AS collicurules, "
         "c.collversion FROM pg_catalog.pg_collation c "
         "WHERE c.collnamespace = 11 AND c.oid < 16384"),
    ROWS("pg_range", 3541, range_sql),
    ROWS("pg_operator", 2617,
         "SELECT o.oid, o.oprname, o.oprnamespace, 10::oid AS oprowner, o.oprkind, o.oprcanmerge, "
         "o.oprcanhash, o.oprleft, o.oprright, o.oprresult, o.oprcom, o.oprnegate, o.oprcode::oid "
         "AS oprcode, "
         "o.oprrest::oid AS oprrest, o.oprjoin::oid AS oprjoin FROM pg_catalog.pg_operator o "
         "WHERE o.oprnamespace = 11 AND o.oid < 16384"),
    ROWS("pg_cast", 2605,
         "SELECT c.oid, c.castsource, c.casttarget, c.castfunc, c.castcontext, c.castmethod "
         "FROM pg_catalog.pg_cast c WHERE c.oid < 16384"),
    ROWS("pg_opclass", 2616,
         "SELECT o.oid, o.opcmethod, o.opcname, o.opcnamespace, 10::oid AS opcowner, "
         "o.opcfamily, o.opcintype, o.opcdefault, o.opckeytype FROM pg_catalog.pg_opclass o "
         "WHERE o.opcnamespace = 11 AND o.oid < 16384"),
    ROWS("pg_opfamily", 2753,
         "SELECT o.oid, o.opfmethod, o.opfname, o.opfnamespace, 10::oid AS opfowner "
         "FROM pg_catalog.pg_opfamily o WHERE o.opfnamespace = 11 AND o.oid < 16384"),
    ROWS("pg_language", 2612,
         "SELECT l.oid, l.lanname, 10::oid AS lanowner, l.lanispl, l.lanpltrusted, "
         "0::oid AS lanplcallfoid, 0::oid AS laninline, 0::oid AS lanvalidator, " NO_ACL
         " AS lanacl FROM pg_catalog.pg_language l WHERE l.oid < 16384"),
    ROWS("pg_aggregate", 2600,
         "SELECT a.aggfnoid::oid AS aggfnoid, a.aggkind, a.aggnumdirectargs, a.aggtransfn::oid AS "
         "aggtransfn, a.aggfinalfn::oid AS aggfinalfn, "
         "a.aggtranstype, a.agginitval FROM pg_catalog.pg_aggregate a "
         "WHERE a.aggfnoid::oid < 16384"),
    ROWS("pg_timezone_names", 0,
         "SELECT z.name, z.abbrev, z.utc_offset, z.is_dst FROM pg_catalog.pg_timezone_names z"),

    EMPTY("pg_attrdef", 2604, "oid oid, adrelid oid, adnum int2, adbin text"),
    EMPTY("pg_views", 0, "schemaname name, viewname name, viewowner name, definition text"),
    EMPTY("pg_matviews", 0,
          "schemaname name, matviewname name, matviewowner name, tablespace name, "
          "hasindexes bool, ispopulated bool, definition text"),
    EMPTY("pg_enum", 3501, "oid oid, enumtypid oid, enumsortorder float4, enumlabel name"),
    EMPTY("pg_extension", 3079,
          "oid oid, extname name, extowner oid, extnamespace oid, extrelocatable bool, "
          "extversion text, extconfig oid[], extcondition text[]"),
    EMPTY("pg_available_extensions", 0,
          "name name, default_version text, installed_version text, comment text"),
    EMPTY("pg_trigger", 2620,
          "oid oid, tgrelid oid, tgparentid oid, tgname name, tgfoid oid, tgtype int2, "
          "tgenabled char, tgisinternal bool, tgconstrrelid oid, tgconstrindid oid, "
          "tgconstraint oid, tgdeferrable bool, tginitdeferred bool, tgnargs int2, "
          "tgattr int2vector, tgargs bytea, tgqual text, tgoldtable name, tgnewtable name"),
    EMPTY("pg_rewrite", 2618,
          "oid oid, rulename name, ev_class oid, ev_type char, ev_enabled char, "
          "is_instead bool, ev_qual text, ev_action text"),
    EMPTY("pg_rules", 0, "schemaname name, tablename name, rulename name, definition text"),
    EMPTY("pg_inherits", 2611, "inhrelid oid, inhparent oid, inhseqno int4, inhdetachpending bool"),
    EMPTY("pg_partitioned_table", 3350,
          "partrelid oid, partstrat char, partnatts int2, partdefid oid, partattrs int2vector, "
          "partclass oidvector, partcollation oidvector, partexprs text"),
    EMPTY("pg_sequence", 2224,
          "seqrelid oid, seqtypid oid, seqstart int8, seqincrement int8, seqmax int8, "
          "seqmin int8, seqcache int8, seqcycle bool"),
    EMPTY("pg_sequences", 0,
          "schemaname name, sequencename name, sequenceowner name, data_type text, "
          "start_value int8, min_value int8, max_value int8, increment_by int8, cycle bool, "
          "cache_size int8, last_value int8"),
    EMPTY("pg_foreign_table", 3118, "ftrelid oid, ftserver oid, ftoptions text[]"),
    EMPTY("pg_foreign_server", 1417,
          "oid oid, srvname name, srvowner oid, srvfdw oid, srvtype text, srvversion text, "
          "srvacl text[], srvoptions text[]"),
    EMPTY("pg_foreign_data_wrapper", 2328,
          "oid oid, fdwname name, fdwowner oid, fdwhandler oid, fdwvalidator oid, "
          "fdwacl text[], fdwoptions text[]"),
    EMPTY("pg_user_mappings", 0,
          "umid oid, srvid oid, srvname name, umuser oid, usename name, umoptions text[]"),
    EMPTY("pg_event_trigger", 3466,
          "oid oid, evtname name, evtevent name, evtowner oid, evtfoid oid, evtenabled char, "
          "evttags text[]"),
    EMPTY("pg_statistic_ext", 3381,
          "oid oid, stxrelid oid, stxname name, stxnamespace oid, stxowner oid, "
          "stxstattarget int4, stxkeys int2vector, stxkind char[], stxexprs text"),
    EMPTY("pg_policy", 3256,
          "oid oid, polname name, polrelid oid, polcmd char, polpermissive bool, "
          "polroles oid[], polqual text, polwithcheck text"),
    EMPTY("pg_policies", 0,
          "schemaname name, tablename name, policyname name, permissive text, roles name[], "
          "cmd text, qual text, with_check text"),
    EMPTY("pg_publication", 6104,
          "oid oid, pubname name, pubowner oid, puballtables bool, pubinsert bool, "
          "pubupdate bool, pubdelete bool, pubtruncate bool, pubviaroot bool"),
    EMPTY("pg_publication_rel", 6106,
          "oid oid, prpubid oid, prrelid oid, prqual text, prattrs int2vector"),
    EMPTY("pg_publication_namespace", 6237, "oid oid, pnpubid oid, pnnspid oid"),
    EMPTY("pg_publication_tables", 0,
          "pubname name, schemaname name, tablename name, attnames name[], rowfilter text"),
    EMPTY("pg_subscription", 6100,
          "oid oid, subdbid oid, subname name, subowner oid, subenabled bool, "
          "subpublications text[]"),
    EMPTY("pg_depend", 2608,
          "classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, "
          "refobjsubid int4, deptype char"),
    EMPTY("pg_shdepend", 1214,
          "dbid oid, classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, "
          "deptype char"),
    EMPTY("pg_shdescription", 2396, "objoid oid, classoid oid, description text"),
    EMPTY("pg_seclabel", 3596,
          "objoid oid, classoid oid, objsubid int4, provider text, label text"),
    EMPTY("pg_shseclabel", 3592, "objoid oid, classoid oid, provider text, label text"),
    EMPTY("pg_seclabels", 0,
          "objoid oid, classoid oid, objsubid int4, objtype text, objnamespace oid, "
          "objname text, provider text, label text"),
    EMPTY("pg_default_acl", 826,
          "oid oid, defaclrole oid, defaclnamespace oid, defaclobjtype char, defaclacl text[]"),
    EMPTY("pg_init_privs", 3394,
          "objoid oid, classoid oid, objsubid int4, privtype char, initprivs text[]"),
    EMPTY("pg_db_role_setting", 2964, "setdatabase oid, setrole oid, setconfig text[]"),
    EMPTY("pg_auth_members", 1261, "roleid oid, member oid, grantor oid, admin_option bool"),
    EMPTY("pg_group", 0, "groname name, grosysid oid, grolist oid[]"),
    EMPTY("pg_conversion", 2607,
          "oid oid, conname name, connamespace oid, conowner oid, conforencoding int4, "
          "contoencoding int4, conproc oid, condefault bool"),
    EMPTY("pg_ts_config", 3602,
          "oid oid, cfgname name, cfgnamespace oid, cfgowner oid, cfgparser oid"),
    EMPTY("pg_ts_dict", 3600,
          "oid oid, dictname name, dictnamespace oid, dictowner oid, dicttemplate oid, "
          "dictinitoption text"),
    EMPTY("pg_ts_parser", 3601, "oid oid, prsname name, prsnamespace oid"),
    EMPTY("pg_ts_template", 3764, "oid oid, tmplname name, tmplnamespace oid"),
    EMPTY("pg_amop", 2602,
          "oid oid, amopfamily oid, amoplefttype oid, amoprighttype oid, amopstrategy int2, "
          "amoppurpose char, amopopr oid, amopmethod oid, amopsortfamily oid"),
    EMPTY("pg_amproc", 2603,
          "oid oid, amprocfamily oid, amproclefttype oid, amprocrighttype oid, amprocnum int2, "
          "amproc oid"),
    EMPTY("pg_transform", 3576, "oid oid, trftype oid, trflang oid, trffromsql oid, trftosql oid"),
    EMPTY("pg_largeobject_metadata", 2995, "oid oid, lomowner oid, lomacl text[]"),
    EMPTY("pg_prepared_xacts", 0,
          "transaction xid, gid text, prepared timestamptz, owner name, database name"),
    EMPTY("pg_stat_activity", 0,
          "datid oid, datname name, pid int4, leader_pid int4, usesysid oid, usename name, "
          "application_name text, client_addr inet, client_hostname text, client_port int4, "
          "backend_start timestamptz, xact_start timestamptz, query_start timestamptz, "
          "state_change timestamptz, wait_event_type text, wait_event text, state text, "
          "backend_xid xid, backend_xmin xid, query_id int8, query text, backend_type text"),
    EMPTY("pg_stat_user_tables", 0,
          "relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8, "
          "idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, "
          "n_live_tup int8, n_dead_tup int8, last_vacuum timestamptz, "
          "last_autovacuum timestamptz, last_analyze timestamptz, last_autoanalyze timestamptz"),
    EMPTY("pg_stat_all_tables", 0,
          "relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8, "
          "idx_scan int8, idx_tup_fetch int8, n_live_tup int8, n_dead_tup int8"),
    EMPTY("pg_locks", 0,
          "locktype text, database oid, relation oid, transactionid xid, virtualtransaction text, "
          "pid int4, mode text, granted bool"),
};

const struct virtual_table *virtual_find(const char *schema, const char *name)
{
    const struct virtual_table *table;
    if (schema == NULL || strcmp(schema, "pg_catalog") == 0)
        for (size_t i = 0; i < lengthof(tables); i++)
            if (strcmp(tables[i].name, name) == 0)
                return &tables[i];
    if (schema != NULL && strcmp(schema, "information_schema") == 0)
        for (size_t i = 0; (table = virtual_schema_at(i)) != NULL; i++)
            if (strcmp(table->name, name) == 0)
                return table;
    return NULL;
}

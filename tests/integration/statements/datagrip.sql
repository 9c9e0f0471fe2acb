SELECT T.relkind AS table_kind, T.relname AS table_name, T.oid > 0 AS table_id, T.relhassubclass AS has_children, T.relispartition AS is_partition,
array(SELECT inhparent::bigint FROM pg_catalog.pg_inherits WHERE T.oid = inhrelid ORDER BY inhseqno)::varchar AS ancestors,
T.reloptions AS options, T.reltablespace AS tablespace_id
FROM pg_catalog.pg_class T WHERE relnamespace = 2200::oid AND relkind IN ('r', 'm', 'v', 'f', 'p') ORDER BY table_kind, table_name;

WITH T AS (SELECT T.oid AS table_id, T.relname AS table_name FROM pg_catalog.pg_class T
WHERE T.relnamespace = 2200::oid AND T.relkind IN ('r', 'm', 'v', 'f', 'p'))
SELECT T.table_name, C.attnum AS column_position, C.attname AS column_name, C.atttypmod AS type_mod, C.attndims AS dimensions_number,
pg_catalog.format_type(C.atttypid, C.atttypmod) AS type_spec, C.atttypid AS type_id, C.attnotnull AS mandatory,
pg_catalog.pg_get_expr(D.adbin, T.table_id) AS column_default_expression, NOT C.attislocal AS column_is_inherited, C.attisdropped AS column_is_dropped
FROM T JOIN pg_catalog.pg_attribute C ON T.table_id = C.attrelid
LEFT JOIN pg_catalog.pg_attrdef D ON (C.attrelid, C.attnum) = (D.adrelid, D.adnum)
WHERE attnum > 0 ORDER BY table_name, attnum;

SELECT T.relname, con.conname, con.contype AS con_kind, con.conkey AS con_columns, con.confkey AS ref_columns, con.condeferrable AS is_deferrable,
con.confupdtype AS on_update, con.confdeltype AS on_delete, con.connoinherit AND con.contype <> 'f' AND con.contype <> 'p' AND con.contype <> 'u' AS no_inherit
FROM pg_catalog.pg_constraint con JOIN pg_catalog.pg_class T ON con.conrelid = T.oid
WHERE T.relkind IN ('r', 'v', 'f', 'p') AND relnamespace = 2200::oid AND contype IN ('p', 'u', 'f', 'c', 'x') AND connamespace = 2200::oid;

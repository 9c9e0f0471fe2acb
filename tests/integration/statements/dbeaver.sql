SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass
WHERE n.nspname = 'public' ORDER BY nspname;

SELECT c.oid,c.relname,c.relkind,c.relnatts,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key
FROM pg_catalog.pg_class c
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass
WHERE c.relnamespace=2200 AND c.relkind not in ('i','I','c');

SELECT c.relname,a.attname,a.attnum,a.atttypid,a.attnotnull,a.atttypmod,a.attidentity,a.attgenerated,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value,dep.objid
FROM pg_catalog.pg_attribute a
INNER JOIN pg_catalog.pg_class c ON (a.attrelid=c.oid)
LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum)
LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid)
LEFT OUTER JOIN pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid
WHERE NOT a.attisdropped AND c.relkind not in ('i','I','c') AND c.oid='line'::regclass AND a.attnum > 0
ORDER BY a.attnum;

SELECT c.oid,c.conname,c.contype,c.conkey,c.confkey,t.relname as tabrelname,rt.relnamespace as refnamespace,rt.relname as refrelname,
case when c.contype='c' then "substring"(pg_get_constraintdef(c.oid), 7) else null end consrc_copy,pg_catalog.pg_get_constraintdef(c.oid) as definition
FROM pg_catalog.pg_constraint c
INNER JOIN pg_catalog.pg_class t ON t.oid=c.conrelid
LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid=c.confrelid
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_constraint'::regclass
WHERE c.conrelid='line'::regclass
ORDER BY c.oid;

SELECT i.indnatts,i.indisunique,i.indisprimary,i.indkey::text,i.indkey as keys,c.relname,c.relnamespace,c.relam,c.reltablespace,tc.relname as tabrelname,
dsc.description,pg_catalog.pg_get_expr(i.indpred, i.indrelid) as pred_expr,pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) as expr,
pg_catalog.pg_get_indexdef(i.indexrelid) as definition
FROM pg_catalog.pg_index i
INNER JOIN pg_catalog.pg_class c ON c.oid=i.indexrelid
INNER JOIN pg_catalog.pg_class tc ON tc.oid=i.indrelid
LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid=dsc.objoid
WHERE i.indrelid='line'::regclass ORDER BY tabrelname, c.relname;

SELECT t.oid,t.typname,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, d.description
FROM pg_catalog.pg_type t
LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid=t.typelem
LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid
LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid=d.objoid AND d.classoid = 'pg_class'::regclass
WHERE t.typname IN ('int8', 'text', 'date', 'int4', '_text') AND t.typnamespace = 11 ORDER BY t.oid;

SELECT db.oid IS NOT NULL, db.datallowconn, pg_encoding_to_char(db.encoding) FROM pg_catalog.pg_database db WHERE datallowconn AND NOT datistemplate AND db.datname = current_database();

SELECT current_schema(), current_schemas(false);

SELECT DISTINCT 1 FROM pg_catalog.pg_settings WHERE name = 'standard_conforming_strings' AND setting = 'on';

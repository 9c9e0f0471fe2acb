SELECT current_setting('server_version_num')::int/100 AS version;

SELECT extversion FROM pg_extension WHERE extname = 'timescaledb';

SELECT
CASE WHEN quote_ident(table_schema) IN (
SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1),
array_upper(string_to_array(current_setting('search_path'),','),1)) AS i,
string_to_array(current_setting('search_path'),',') s)
THEN quote_ident(table_name)
ELSE quote_ident(table_schema) || '.' || quote_ident(table_name)
END AS "table"
FROM information_schema.tables
WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache', '_timescaledb_catalog',
'_timescaledb_internal', '_timescaledb_config', 'timescaledb_information', 'timescaledb_experimental')
ORDER BY CASE WHEN quote_ident(table_schema) IN (
SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1),
array_upper(string_to_array(current_setting('search_path'),','),1)) AS i,
string_to_array(current_setting('search_path'),',') s) THEN 0 ELSE 1 END, 1;

SELECT quote_ident(column_name) AS "column", data_type AS "type"
FROM information_schema.columns
WHERE
CASE WHEN array_length(parse_ident('line'),1) = 2
THEN quote_ident(table_schema) = (parse_ident('line'))[1] AND quote_ident(table_name) = (parse_ident('line'))[2]
ELSE quote_ident(table_name) = 'line' AND quote_ident(table_schema) IN (
SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1),
array_upper(string_to_array(current_setting('search_path'),','),1)) AS i,
string_to_array(current_setting('search_path'),',') s)
END;

SELECT quote_ident(column_name) FROM information_schema.columns
WHERE quote_ident(table_name) = 'invoice' AND data_type IN ('timestamp without time zone','timestamp with time zone','bigint','integer','double precision','real');

SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT LIKE 'pg_%' AND schema_name NOT LIKE '\_%' AND schema_name <> 'information_schema';

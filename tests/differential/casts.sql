-- Casts between all kinds of values, typed literals, and what types the result has.
SELECT i::⟨text|numeric|float8|bigint|varchar(2)|real⟩ FROM ints ORDER BY id;
SELECT m::⟨text|int|bigint|float8|numeric(12, 1)|real⟩ FROM nums WHERE id NOT IN (4, 6) ORDER BY id;
SELECT d::⟨text|timestamp|timestamptz|varchar⟩ FROM days ORDER BY id;
SELECT b::⟨text|int|varchar(1)⟩ FROM flags ORDER BY id;
SELECT t::⟨varchar|varchar(4)|char(4)|text⟩ FROM texts ORDER BY id;
SELECT body::text, (body ->> 'a')::numeric, (body -> 'a')::text FROM docs WHERE id IN (1, 9) ORDER BY id;
SELECT int '1', bigint '2', smallint '3', numeric '1.50', numeric(4, 1) '1.55', float8 '1e3', real '0.1', text 'x', varchar(2) 'xyz', char 'q', bool 't', date '2024-01-01', bit '1', bit(3) '101', uuid 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', bytea '\x01ff';
SELECT CAST('1' AS int), CAST(1.6 AS int), CAST(2.5 AS int), CAST(3.5 AS int), CAST(-2.5 AS int), 2.5::float8::int, CAST(NULL AS date), CAST('t' AS bool), 'yes'::bool, 1::bool, 'f'::bool::text;
SELECT 1 = '1', '1' = 1, 1.0 = 1, 1::bigint = 1::smallint, 'a'::varchar = 'a'::text, date '2024-01-01' = '2024-01-01', true = 't';
SELECT NULL, NULL::int, NULL = NULL, NULL IS NULL, NULL IS DISTINCT FROM NULL, NULL AND false, NULL OR true, NOT NULL::bool;
SELECT 'a' AS unknown, 'b'::name, '5'::oid, 'x'::"char", 3::money;
SELECT pg_typeof(1), pg_typeof(1.5), pg_typeof('x'::text);
SELECT 'x'::bool;
SELECT 'a0'::uuid;
SELECT 1::date;
SELECT true::date;
SELECT 'x'::no_such_type;
SELECT '300'::smallint::"char";

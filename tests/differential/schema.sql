-- Small tables of every kind of value, with NULLs, extremes and duplicates. Everything follows from row numbers.
CREATE TABLE ints (id integer PRIMARY KEY, i integer, j bigint, k smallint);
INSERT INTO ints VALUES (1, 0, 0, 0), (2, 1, 123, 2), (3, -1, -123, -2), (4, 123456, 4567890123456789, 32767),
  (5, -123456, -4567890123456789, -32768), (6, 2147483647, 9223372036854775807, 1), (7, -2147483648, -9223372036854775808, 1),
  (8, NULL, NULL, NULL), (9, 1, 123, 5), (10, 42, 42, NULL), (11, NULL, 7, 7), (12, 42, NULL, 0);
CREATE TABLE nums (id integer PRIMARY KEY, n numeric, m numeric(10, 2), f double precision, r real);
INSERT INTO nums VALUES (1, 0, 0, 0, 0), (2, 1.5, 1.50, 1.5, 1.5), (3, -34.84, -34.84, -34.84, -34.84), (4, 1e20, 99999999.99, 1e200, 1e20),
  (5, -1e-20, -0.01, -1e-200, -1e-20), (6, 'NaN', NULL, 'NaN', 'NaN'), (7, NULL, NULL, NULL, NULL), (8, 4.31, 799461.40, 'Infinity', 'Infinity'),
  (9, 16397.038491, 16397.04, '-Infinity', '-Infinity'), (10, 1.5, 2.25, 1.5, 0.1), (11, 2.5, 3.5, 2.5, 2.5), (12, -2.5, -3.5, -2.5, -2.5);
CREATE TABLE texts (id integer PRIMARY KEY, t text, v varchar(12), c char(6));
INSERT INTO texts VALUES (1, 'doh!', 'doh!', 'doh'), (2, 'hi de ho neighbor', 'hi de ho', 'hi'), (3, '', '', ''), (4, NULL, NULL, NULL),
  (5, 'ABC', 'abc', 'Abc'), (6, 'abc', 'ABC', 'abc   '), (7, '  padded  ', ' pad ', ' pad'), (8, 'it''s', 'a_b%c', 'a\b'),
  (9, 'Zoë Müller', 'œuvre', 'é'), (10, '12', '-7', '12'), (11, 'one,two,three', 'x,y', ','), (12, E'line\nbreak\ttab', '日本', '日'),
  (13, 'abcabc', 'cab', 'bca'), (14, '2024-02-29', '1.5e3', 'true');
CREATE TABLE days (id integer PRIMARY KEY, d date, s timestamp, z timestamptz, o time, p interval);
INSERT INTO days VALUES (1, '1970-01-01', '1970-01-01 00:00:00', '1970-01-01 00:00:00+00', '00:00', '0'),
  (2, '2000-02-29', '2000-02-29 12:34:56.789', '2000-02-29 12:34:56.789+02', '12:34:56.789', '1 day'),
  (3, '1999-12-31', '1999-12-31 23:59:59.999999', '1999-12-31 23:59:59+00', '23:59:59.999999', '1 mon -2 days 03:04:05'),
  (4, '2024-03-31', '2024-03-31 02:30:00', '2024-03-31 02:30:00+01', '02:30', '-1 year'),
  (5, NULL, NULL, NULL, NULL, NULL), (6, 'infinity', 'infinity', 'infinity', '24:00', '100 years'),
  (7, '-infinity', '-infinity', '-infinity', '12:00', '-00:00:01'), (8, '0044-03-15 BC', '0044-03-15 10:00 BC', '2024-06-15 12:00:00-05', '10:10:10', '1.5 hours'),
  (9, '2024-02-29', '2024-02-29 00:00', '2024-02-29 00:00+00', '00:00:01', '36 hours'), (10, '2000-02-29', '2000-02-29 01:00', '2000-02-29 01:00+00', '01:00', '1 day');
CREATE TABLE flags (id integer PRIMARY KEY, b boolean, g boolean);
INSERT INTO flags VALUES (1, true, true), (2, true, false), (3, true, NULL), (4, false, true), (5, false, false), (6, false, NULL), (7, NULL, true), (8, NULL, false), (9, NULL, NULL);
CREATE TABLE lists (id integer PRIMARY KEY, a integer[], x text[], g integer[]);
INSERT INTO lists VALUES (1, '{1,2,3}', '{a,b,c}', '{{1,2},{3,4}}'), (2, '{}', '{}', '{}'), (3, NULL, NULL, NULL), (4, '{NULL,1}', '{NULL,"",NULL}', '{{NULL,0}}'),
  (5, '[2:4]={7,8,9}', '{"a b","c,d","e\"f","{g}"}', '{{1},{2}}'), (6, '{5}', '{a}', NULL), (7, '{3,2,1}', '{c,b,a}', '{{1,2},{3,4}}'), (8, '{1,1,2}', '{a,a}', '{{9}}');
CREATE TABLE docs (id integer PRIMARY KEY, body jsonb, raw json);
INSERT INTO docs VALUES (1, '{"a": 1, "b": {"c": [1, 2, {"d": null}]}, "e": "x"}', '{"a": 1,  "a": 2}'), (2, '[1, "two", null, true, {"k": [3]}]', '[1,2]'),
  (3, '"text"', '"text"'), (4, '12.50', '12.50'), (5, 'null', 'null'), (6, NULL, NULL), (7, '{}', '{}'), (8, '{"a": "1", "tags": ["x", "y"], "n": 1e3}', '{"b": [ ]}'),
  (9, '{"a": 1, "b": 2, "c": 3}', '{"z": {"y": {"x": 1}}}'), (10, 'false', 'true');
CREATE TABLE place (town text PRIMARY KEY, country text, size integer);
INSERT INTO place VALUES ('Bath', 'GB', 90), ('York', 'GB', 200), ('Lyon', 'FR', 500), ('Ghent', 'BE', 260), ('Nowhere', NULL, NULL), ('Ulm', 'DE', 126);
CREATE TABLE person (person_id integer PRIMARY KEY, name text NOT NULL, town text, born date, boss integer, score numeric(8, 2), grade integer);
INSERT INTO person SELECT n, 'Person ' || n, CASE n % 6 WHEN 0 THEN NULL WHEN 1 THEN 'Bath' WHEN 2 THEN 'York' WHEN 3 THEN 'Lyon' WHEN 4 THEN 'Ghent' ELSE 'Elsewhere' END,
  date '1950-01-01' + n * 97, CASE WHEN n = 1 THEN NULL ELSE n / 3 + CASE WHEN n < 3 THEN 1 ELSE 0 END END, CASE WHEN n % 7 = 0 THEN NULL ELSE (n * 37 % 100) + 0.25 END, n % 5 FROM generate_series(1, 60) AS n;
CREATE TABLE task (task_id integer PRIMARY KEY, person_id integer REFERENCES person, kind text, hours numeric(6, 2), done boolean, due date, place text);
INSERT INTO task SELECT n, CASE WHEN n % 11 = 0 THEN NULL ELSE 1 + n * 7 % 45 END, (ARRAY['call', 'visit', 'letter'])[1 + n % 3], CASE WHEN n % 13 = 0 THEN NULL ELSE n % 9 * 0.75 END,
  CASE WHEN n % 4 = 0 THEN NULL ELSE n % 2 = 0 END, date '2024-01-01' + n, CASE WHEN n % 5 = 0 THEN NULL ELSE (ARRAY['Bath', 'York', 'Ulm'])[1 + n % 3] END FROM generate_series(1, 150) AS n;
CREATE TABLE wide (id integer PRIMARY KEY, other integer UNIQUE, two integer, four integer, ten integer, twenty integer, hundred integer, label text);
INSERT INTO wide SELECT n, (n * 379 + 11) % 500, n % 2, n % 4, n % 10, n % 20, n % 100, chr(65 + n % 26) || chr(65 + n * 7 % 26) || 'xx' FROM generate_series(0, 499) AS n;
CREATE TABLE node (node_id integer PRIMARY KEY, parent integer, label text);
INSERT INTO node SELECT n, CASE WHEN n > 1 THEN n / 2 END, 'node ' || n FROM generate_series(1, 25) AS n;
CREATE INDEX ON task (person_id);
ANALYZE;

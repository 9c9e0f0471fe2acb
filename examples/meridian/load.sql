-- Meridian Motors: loads the demo's database from nothing, the same bytes each time.
--   psql -v scale=1 -f examples/meridian/load.sql       scale 1: 200,000 customers; 0.1: quick; 0.01: tests
-- Nothing here is random: every value is a hash of its row's number (pick, in names.sql), so two
-- loads of one scale are equal row by row, and verify.sql can say so. All people are invented;
-- telephone numbers are from ranges that regulators keep for drama, mail domains from RFC 2606.
\set ON_ERROR_STOP on
\if :{?scale}
\else
\set scale 1
\endif
\set QUIET on
SET client_min_messages = warning;
SET search_path = pg_catalog;
SET maintenance_work_mem = '256MB';
SET work_mem = '128MB';
BEGIN;
\ir schema.sql
\ir names.sql
\set target customer
\set seed 0
\set share 200000
\ir people.sql
\set target enquirer
\set seed 1000
\set share 40000
\ir people.sql
\ir vehicles.sql
\ir keys.sql
COMMIT;
ANALYZE;

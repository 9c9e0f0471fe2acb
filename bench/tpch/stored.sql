-- The lines once more, each with its customer's key. A foreign key of both columns keeps it what the order says, and
-- lets the gateway rely on that.
SET client_min_messages = warning;
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';
CREATE SCHEMA stored;
CREATE TABLE stored.lineitem (LIKE tpch.lineitem, l_custkey int NOT NULL);
INSERT INTO stored.lineitem SELECT l.*, o_custkey FROM tpch.lineitem AS l JOIN tpch.orders ON o_orderkey = l_orderkey ORDER BY l.ctid;
ALTER TABLE tpch.orders ADD UNIQUE (o_orderkey, o_custkey);
ALTER TABLE stored.lineitem ADD PRIMARY KEY (l_orderkey, l_linenumber),
    ADD FOREIGN KEY (l_orderkey, l_custkey) REFERENCES tpch.orders (o_orderkey, o_custkey),
    ADD FOREIGN KEY (l_partkey, l_suppkey) REFERENCES tpch.partsupp;
CREATE INDEX ON stored.lineitem (l_partkey, l_suppkey);
CREATE INDEX ON stored.lineitem (l_shipdate);
VACUUM ANALYZE;

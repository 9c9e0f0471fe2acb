-- TPC-H-like data of our own, made of hashes of row numbers: the same scale gives the same rows.
-- The eight tables and the distributions that the 22 questions select by (dates, segments, brands,
-- types, containers, phones, words in names and comments) follow the public specification.
--     psql -v scale=0.1 -f load.sql
-- Schema tpch has the tables; stored.sql adds lineitem once more, with the customer's key in it.
\set suppliers 'greatest(100, (10000 * ' :scale ')::bigint)'
\set parts '(200000 * ' :scale ')::bigint'
\set customers '(150000 * ' :scale ')::bigint'
\set orders '(1500000 * ' :scale ')::bigint'
SET client_min_messages = warning;
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';
CREATE SCHEMA tpch;
SET search_path = tpch;

-- A number from low to high that only n and the draw's number decide.
CREATE FUNCTION pick(n bigint, draw bigint, low bigint, high bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT low + (hashint8extended(n, draw) & 9223372036854775807) % (high - low + 1) $$;
CREATE FUNCTION word(n bigint, draw bigint, words text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT words[1 + (hashint8extended(n, draw) & 9223372036854775807) % cardinality(words)] $$;
CREATE FUNCTION adjective(n bigint, draw bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT word(n, draw, '{special,pending,unusual,express,furious,sly,careful,blithe,quick,fluffy,slow,quiet,ruthless,thin,close,dogged}') $$;
CREATE FUNCTION noun(n bigint, draw bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT word(n, draw, '{requests,packages,accounts,deposits,foxes,ideas,theodolites,instructions,dependencies,excuses,platelets,asymptotes,courts,dolphins,multipliers,sauternes,warthogs,frets}') $$;
CREATE FUNCTION verb(n bigint, draw bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT word(n, draw, '{sleep,wake,are,cajole,haggle,nag,use,boost,affix,detect,integrate,maintain,nod,was,lose,sublate}') $$;
CREATE FUNCTION address(n bigint, draw bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT substr(md5((n * 100 + draw)::text), 1, (10 + n % 20)::int) $$;
CREATE FUNCTION phone(n bigint, draw bigint, nation bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (nation + 10) || '-' || pick(n, draw, 100, 999) || '-' || pick(n, draw + 1, 100, 999) || '-' || pick(n, draw + 2, 1000, 9999) $$;
CREATE FUNCTION retail_price(part bigint) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (90000 + (part / 10) % 20001 + 100 * (part % 1000))::numeric / 100 $$;
-- The i-th (0 to 3) of a part's four suppliers.
CREATE FUNCTION supplier_of(part bigint, i bigint, suppliers bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (part + i * (suppliers / 4 + (part - 1) / suppliers)) % suppliers + 1 $$;

CREATE TABLE region (r_regionkey int NOT NULL, r_name char(25) NOT NULL, r_comment varchar(152));
INSERT INTO region SELECT n - 1, ('{AFRICA,AMERICA,ASIA,EUROPE,MIDDLE EAST}'::text[])[n], noun(n, 1) FROM generate_series(1, 5) AS n;

CREATE TABLE nation (n_nationkey int NOT NULL, n_name char(25) NOT NULL, n_regionkey int NOT NULL, n_comment varchar(152));
INSERT INTO nation SELECT n - 1, names[n], regions[n], noun(n, 2)
FROM generate_series(1, 25) AS n, (SELECT
    '{ALGERIA,ARGENTINA,BRAZIL,CANADA,EGYPT,ETHIOPIA,FRANCE,GERMANY,INDIA,INDONESIA,IRAN,IRAQ,JAPAN,JORDAN,KENYA,MOROCCO,MOZAMBIQUE,PERU,CHINA,ROMANIA,SAUDI ARABIA,VIETNAM,RUSSIA,UNITED KINGDOM,UNITED STATES}'::text[] AS names,
    '{0,1,1,1,4,0,3,3,2,2,4,4,2,4,0,0,0,1,2,3,4,2,3,3,1}'::int[] AS regions) AS list;

CREATE TABLE supplier (s_suppkey int NOT NULL, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL, s_nationkey int NOT NULL,
    s_phone char(15) NOT NULL, s_acctbal numeric(15,2) NOT NULL, s_comment varchar(101) NOT NULL);
INSERT INTO supplier SELECT n, 'Supplier#' || lpad(n::text, 9, '0'), address(n, 1), nation, phone(n, 11, nation),
    pick(n, 14, -99999, 999999)::numeric / 100,
    CASE n % 2000 WHEN 7 THEN 'the Customer has ' || adjective(n, 15) || ' Complaints'
                  WHEN 11 THEN 'the Customer often Recommends them'
                  ELSE adjective(n, 15) || ' ' || noun(n, 16) || ' ' || verb(n, 17) END
FROM (SELECT n, pick(n, 10, 0, 24) AS nation FROM generate_series(1, :suppliers) AS n) AS s;

CREATE TABLE part (p_partkey int NOT NULL, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL, p_brand char(10) NOT NULL,
    p_type varchar(25) NOT NULL, p_size int NOT NULL, p_container char(10) NOT NULL, p_retailprice numeric(15,2) NOT NULL,
    p_comment varchar(23) NOT NULL);
-- Five colours without repetition: steps of at most 22 through a list of 92 do not meet.
INSERT INTO part SELECT n, (SELECT string_agg(colours[1 + (first + i * step) % 92], ' ' ORDER BY i) FROM generate_series(0, 4) AS i),
    'Manufacturer#' || maker, 'Brand#' || maker || pick(n, 24, 1, 5),
    word(n, 25, '{STANDARD,SMALL,MEDIUM,LARGE,ECONOMY,PROMO}') || ' ' || word(n, 26, '{ANODIZED,BURNISHED,PLATED,POLISHED,BRUSHED}')
        || ' ' || word(n, 27, '{TIN,NICKEL,BRASS,STEEL,COPPER}'),
    pick(n, 28, 1, 50), word(n, 29, '{SM,LG,MED,JUMBO,WRAP}') || ' ' || word(n, 30, '{CASE,BOX,BAG,JAR,PKG,PACK,CAN,DRUM}'),
    retail_price(n), noun(n, 31)
FROM (SELECT n, pick(n, 21, 0, 91) AS first, pick(n, 22, 1, 22) AS step, pick(n, 23, 1, 5) AS maker FROM generate_series(1, :parts) AS n) AS p,
    (SELECT '{almond,antique,aquamarine,azure,beige,bisque,black,blanched,blue,blush,brown,burlywood,burnished,chartreuse,chiffon,chocolate,coral,cornflower,cornsilk,cream,cyan,dark,deep,dim,dodger,drab,firebrick,floral,forest,frosted,gainsboro,ghost,goldenrod,green,grey,honeydew,hot,indian,ivory,khaki,lace,lavender,lawn,lemon,light,lime,linen,magenta,maroon,medium,metallic,midnight,mint,misty,moccasin,navajo,navy,olive,orange,orchid,pale,papaya,peach,peru,pink,plum,powder,puff,purple,red,rose,rosy,royal,saddle,salmon,sandy,seashell,sienna,sky,slate,smoke,snow,spring,steel,tan,thistle,tomato,turquoise,violet,wheat,white,yellow}'::text[] AS colours) AS list;

CREATE TABLE partsupp (ps_partkey int NOT NULL, ps_suppkey int NOT NULL, ps_availqty int NOT NULL, ps_supplycost numeric(15,2) NOT NULL,
    ps_comment varchar(199) NOT NULL);
INSERT INTO partsupp SELECT n, supplier_of(n, i, :suppliers), pick(n * 4 + i, 41, 1, 9999), pick(n * 4 + i, 42, 100, 100000)::numeric / 100,
    adjective(n * 4 + i, 43) || ' ' || noun(n * 4 + i, 44) || ' ' || verb(n * 4 + i, 45) || ' about the ' || noun(n * 4 + i, 46)
FROM generate_series(1, :parts) AS n, generate_series(0, 3) AS i;

CREATE TABLE customer (c_custkey int NOT NULL, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL, c_nationkey int NOT NULL,
    c_phone char(15) NOT NULL, c_acctbal numeric(15,2) NOT NULL, c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL);
INSERT INTO customer SELECT n, 'Customer#' || lpad(n::text, 9, '0'), address(n, 2), nation, phone(n, 52, nation),
    pick(n, 55, -99999, 999999)::numeric / 100, word(n, 56, '{AUTOMOBILE,BUILDING,FURNITURE,MACHINERY,HOUSEHOLD}'),
    adjective(n, 57) || ' ' || noun(n, 58) || ' ' || verb(n, 59) || ' among the ' || adjective(n, 60) || ' ' || noun(n, 61)
FROM (SELECT n, pick(n, 51, 0, 24) AS nation FROM generate_series(1, :customers) AS n) AS c;

-- Each third customer has no orders; order keys are sparse, 8 of 32.
CREATE TEMP TABLE ordered AS SELECT n, (n - 1) / 8 * 32 + (n - 1) % 8 + 1 AS orderkey, buyer + (buyer - 1) / 2 AS custkey,
    date '1992-01-01' + pick(n, 71, 0, 2405)::int AS orderdate
FROM (SELECT n, pick(n, 70, 1, :customers * 2 / 3) AS buyer FROM generate_series(1, :orders) AS n) AS o;

CREATE TABLE lineitem (l_orderkey bigint NOT NULL, l_partkey int NOT NULL, l_suppkey int NOT NULL, l_linenumber int NOT NULL,
    l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL,
    l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL,
    l_receiptdate date NOT NULL, l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL);
INSERT INTO lineitem SELECT orderkey, part, supplier_of(part, pick(id, 82, 0, 3), :suppliers), line, quantity, quantity * retail_price(part),
    pick(id, 84, 0, 10)::numeric / 100, pick(id, 85, 0, 8)::numeric / 100,
    CASE WHEN receiptdate > '1995-06-17' THEN 'N' ELSE word(id, 86, '{R,A}') END, CASE WHEN shipdate > '1995-06-17' THEN 'O' ELSE 'F' END,
    shipdate, commitdate, receiptdate,
    word(id, 90, '{DELIVER IN PERSON,COLLECT COD,NONE,TAKE BACK RETURN}'), word(id, 91, '{REG AIR,AIR,RAIL,SHIP,TRUCK,MAIL,FOB}'),
    adjective(id, 92) || ' ' || noun(id, 93) || ' ' || verb(id, 94)
FROM (SELECT orderkey, line, id, pick(id, 81, 1, :parts) AS part, pick(id, 83, 1, 50) AS quantity, orderdate + ship AS shipdate,
          orderdate + pick(id, 88, 30, 90)::int AS commitdate, orderdate + ship + pick(id, 89, 1, 30)::int AS receiptdate
      FROM (SELECT *, orderkey * 8 + line AS id, pick(orderkey * 8 + line, 87, 1, 121)::int AS ship
            FROM ordered, generate_series(1, pick(n, 80, 1, 7)) AS line) AS l) AS dated;

CREATE TABLE orders (o_orderkey bigint NOT NULL, o_custkey int NOT NULL, o_orderstatus char(1) NOT NULL, o_totalprice numeric(15,2) NOT NULL,
    o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL, o_clerk char(15) NOT NULL, o_shippriority int NOT NULL, o_comment varchar(79) NOT NULL);
INSERT INTO orders SELECT orderkey, custkey, status, total, orderdate,
    word(n, 72, '{1-URGENT,2-HIGH,3-MEDIUM,4-NOT SPECIFIED,5-LOW}'), 'Clerk#' || lpad(pick(n, 73, 1, greatest(1, :orders / 1500))::text, 9, '0'), 0,
    adjective(n, 74) || ' ' || noun(n, 75) || ' ' || verb(n, 76) || ' above the ' || adjective(n, 77) || ' ' || noun(n, 78)
FROM ordered JOIN (SELECT l_orderkey, sum(l_extendedprice * (1 + l_tax) * (1 - l_discount)) AS total,
        CASE WHEN bool_and(l_linestatus = 'F') THEN 'F' WHEN bool_and(l_linestatus = 'O') THEN 'O' ELSE 'P' END AS status
    FROM lineitem GROUP BY l_orderkey) AS totals ON l_orderkey = orderkey;

ALTER TABLE region ADD PRIMARY KEY (r_regionkey);
ALTER TABLE nation ADD PRIMARY KEY (n_nationkey), ADD FOREIGN KEY (n_regionkey) REFERENCES region;
ALTER TABLE supplier ADD PRIMARY KEY (s_suppkey), ADD FOREIGN KEY (s_nationkey) REFERENCES nation;
ALTER TABLE part ADD PRIMARY KEY (p_partkey);
ALTER TABLE partsupp ADD PRIMARY KEY (ps_partkey, ps_suppkey), ADD FOREIGN KEY (ps_partkey) REFERENCES part,
    ADD FOREIGN KEY (ps_suppkey) REFERENCES supplier;
ALTER TABLE customer ADD PRIMARY KEY (c_custkey), ADD FOREIGN KEY (c_nationkey) REFERENCES nation;
ALTER TABLE orders ADD PRIMARY KEY (o_orderkey), ADD FOREIGN KEY (o_custkey) REFERENCES customer;
ALTER TABLE lineitem ADD PRIMARY KEY (l_orderkey, l_linenumber), ADD FOREIGN KEY (l_orderkey) REFERENCES orders,
    ADD FOREIGN KEY (l_partkey, l_suppkey) REFERENCES partsupp;
CREATE INDEX ON supplier (s_nationkey);
CREATE INDEX ON partsupp (ps_suppkey);
CREATE INDEX ON customer (c_nationkey);
CREATE INDEX ON orders (o_custkey);
CREATE INDEX ON orders (o_orderdate);
CREATE INDEX ON lineitem (l_partkey, l_suppkey);
CREATE INDEX ON lineitem (l_shipdate);
DROP TABLE ordered;
VACUUM ANALYZE;

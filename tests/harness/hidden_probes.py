"""Statements that fail on hidden rows alone: an error tells that the gateway let a partner's expression see one.

The schema is that of tests/long/leak.py. Each probe is an expression that holds for whatever the partner may
see and fails on a row, or a raw value, that it may not; it is put into every place where SQL takes an
expression, under every construct that the planner may move it through. `x` and `y` are the two relations.
"""

# Of a relation by its alias: fails on hidden rows (names, towns and labels that are canaries; prices up to 2), or
# where an expression meets the value behind a mask.
PROBES = {
    "person": ["substr({a}.name, 6)::int", "substr({a}.town, 6)::int", "1 / (strpos({a}.name, 'cA') - 1)", "1 / (strpos({a}.town, 'cA') - 1)",
               "(CASE WHEN {a}.name LIKE 'cA%' THEN 'x' ELSE '1' END)::int", "1 / (strpos({a}.phone, 'cA') - 1)", "1 / (strpos({a}.email, 'cA') - 1)",
               "('1' || replace(left({a}.name, 1), 'N', '0'))::numeric::int", "length(repeat('x', 5 - 6 * strpos({a}.name, 'cA'))) / (1 - strpos({a}.town, 'cA'))",
               "CASE {a}.name WHEN 'Name 1' THEN 1 ELSE substr({a}.name, 6)::int END", "coalesce(nullif(substr({a}.name, 6)::int, 7), 0)",
               "greatest(substr({a}.town, 6)::int, 1)", "abs(substr({a}.name, 6)::smallint)"],
    "item": ["1 / (4 * ({a}.price / 3))", "substr({a}.label, 7)::int", "1 / (strpos({a}.label, 'cA') - 1)", "round(ln({a}.price))::int", "100 / {a}.price",
             "sqrt({a}.price - 3)::int", "1 / ({a}.price - 1)", "1 / ({a}.price - 2)", "(2147483640 + {a}.item_id * 0 + CASE WHEN {a}.price < 3 THEN 2147483640 ELSE 0 END) / 2147483640",
             "(CASE WHEN {a}.label LIKE 'cA%' THEN 'x' ELSE '1' END)::int", "least(substr({a}.label, 7)::int, {a}.price)"],
}
NAMES = {"person": "name", "item": "label"}

# {P}: a probe on x. {Q}: one on y. {B}, {D}: the same as conditions that are always true. {n}, {m}: names of x
# and y. {T}: FROM item "… AS x". {U}: "… AS y". {t}, {u}: the tables' names.
PLACES = [
    # one level
    "SELECT {P} FROM {T}", "SELECT {n} FROM {T} WHERE {B}", "SELECT {n} FROM {T} WHERE NOT ({B} AND {n} IS NULL)", "SELECT {n} FROM {T} ORDER BY {P}, {n}",
    "SELECT {n} FROM {T} WHERE {B} ORDER BY {n} LIMIT 3", "SELECT {n} FROM {T} WHERE {P} IN (1, 2, {P})", "SELECT {n} FROM {T} WHERE {P} BETWEEN 0 AND {P}",
    "SELECT {n} FROM {T} WHERE ({P}, 1) > (0, 0)", "SELECT {n} FROM {T} WHERE {P} = ANY (ARRAY[{P}, 3])", "SELECT {n} FROM {T} WHERE {B} OR {n} = 'a'",
    "SELECT {n} FROM {T} WHERE CASE WHEN {n} IS NOT NULL THEN {B} END", "SELECT ARRAY[{P}, {P}], ROW({P}) IS NULL FROM {T}", "SELECT (ARRAY[1, 2, 3])[{P}] FROM {T}",
    "SELECT {n} FROM {T} WHERE {P} IS DISTINCT FROM 7", "SELECT coalesce({P}, 1), nullif({P}, 2), greatest({P}, 3) FROM {T}", "SELECT {P}::text || {n} COLLATE \"C\" FROM {T}",
    # groups
    "SELECT count({P}) FROM {T}", "SELECT sum({P}), max({P}) FROM {T} WHERE {B}", "SELECT {P}, count(*) FROM {T} GROUP BY {P}", "SELECT {P} AS g, count(*) FROM {T} GROUP BY g",
    "SELECT {n}, count(*) FROM {T} GROUP BY {n} HAVING max({P}) > -5", "SELECT {n} FROM {T} GROUP BY {n} HAVING bool_and({B})", "SELECT count(*) FILTER (WHERE {B}) FROM {T}",
    "SELECT array_agg({n} ORDER BY {P}) FROM {T}", "SELECT count(DISTINCT {P}) FROM {T}", "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY {P}) FROM {T}",
    "SELECT {n}, count(*) FROM {T} GROUP BY ROLLUP ({n}, {P})", "SELECT {P}, GROUPING({P}) FROM {T} GROUP BY CUBE ({P})", "SELECT string_agg({n}, ',' ORDER BY {P}) FROM {T} GROUP BY {P} HAVING min({P}) > -9",
    "SELECT s.g FROM (SELECT {n} AS g, count(*) AS c FROM {T} GROUP BY {n}) AS s WHERE 1 / (strpos(s.g, 'cA') - 1) < 5",
    "SELECT s.g FROM (SELECT {n} AS g FROM {T} GROUP BY {n} HAVING count(*) > 0) AS s ORDER BY 1 / (strpos(s.g, 'cA') - 1), s.g",
    # DISTINCT
    "SELECT DISTINCT {P} FROM {T}", "SELECT DISTINCT {n} FROM {T} WHERE {B}", "SELECT DISTINCT ON ({P}) {n} FROM {T} ORDER BY {P}, {n}",
    "SELECT s.g FROM (SELECT DISTINCT {n} AS g FROM {T}) AS s WHERE 1 / (strpos(s.g, 'cA') - 1) < 5", "SELECT s.g FROM (SELECT DISTINCT ON ({n}) {n} AS g FROM {T} ORDER BY {n}) AS s WHERE 1 / (strpos(s.g, 'cA') - 1) < 5",
    # joins
    "SELECT {n}, {m} FROM {T} JOIN {U} ON {P} = {Q}", "SELECT {n}, {m} FROM {T} JOIN {U} ON {P} = {Q} AND {B}", "SELECT {n} FROM {T}, {U} WHERE {P} = {Q} AND {D}",
    "SELECT {n}, {m} FROM {T} LEFT JOIN {U} ON {P} = {Q}", "SELECT {n}, {m} FROM {T} LEFT JOIN {U} ON {D} AND {n} = {m}", "SELECT {n}, {m} FROM {T} LEFT JOIN {U} ON {B} AND {n} = {m}",
    "SELECT {n} FROM {T} LEFT JOIN {U} ON {n} = {m} WHERE {Q} IS NULL OR {D}", "SELECT {n} FROM {T} LEFT JOIN {U} ON {n} = {m} WHERE {B}",
    "SELECT {n}, {m} FROM {T} RIGHT JOIN {U} ON {P} = {Q} WHERE {D}", "SELECT {n}, {m} FROM {T} FULL JOIN {U} ON {P} = {Q}", "SELECT coalesce({P}, {Q}) FROM {T} FULL JOIN {U} ON {n} = {m}",
    "SELECT {n} FROM {T} CROSS JOIN shop WHERE {P} = shop.shop_id OR {B}", "SELECT {n} FROM {T} JOIN shop ON shop.shop_id = {P}", "SELECT shop.title FROM shop LEFT JOIN {T} ON {P} = shop.shop_id",
    "SELECT shop.title, s.p FROM shop LEFT JOIN (SELECT {P} AS p FROM {T}) AS s ON s.p = shop.shop_id", "SELECT shop.title FROM shop FULL JOIN (SELECT {P} AS p, {n} AS g FROM {T} WHERE {B}) AS s ON s.p = shop.shop_id",
    "SELECT {m} FROM {U} LEFT JOIN (SELECT {n} AS g, {P} AS p FROM {T}) AS s ON s.g = {m} WHERE coalesce(s.p, 0) > -9", "SELECT {n}, count({Q}) FROM {T} LEFT JOIN {U} ON {n} = {m} GROUP BY {n}",
    # sub-selects in FROM, CTEs, LATERAL
    "SELECT * FROM (SELECT {P} AS p, {n} AS g FROM {T}) AS s WHERE s.p > -9", "SELECT count(*) FROM (SELECT {P} AS p FROM {T}) AS s JOIN shop ON shop.shop_id = s.p",
    "SELECT * FROM (SELECT {n} AS g FROM {T} WHERE {B} ORDER BY {P} LIMIT 4) AS s WHERE 1 / (strpos(s.g, 'cA') - 1) < 3", "SELECT * FROM (SELECT {n} AS g FROM {T} OFFSET 1) AS s WHERE 1 / (strpos(s.g, 'cA') - 1) < 3",
    "WITH q AS (SELECT {P} AS p, {n} AS g FROM {T}) SELECT g FROM q WHERE p > -9", "WITH q AS MATERIALIZED (SELECT {P} AS p FROM {T}) SELECT count(*) FROM q", "WITH q AS NOT MATERIALIZED (SELECT {n} AS g FROM {T}) SELECT a.g FROM q a JOIN q b ON 1 / (strpos(a.g, 'cA') - 1) = 1 / (strpos(b.g, 'cA') - 1) LIMIT 3",
    "WITH q AS (SELECT {n} AS g FROM {T}), r AS (SELECT 1 / (strpos(q.g, 'cA') - 1) AS p FROM q) SELECT count(*) FROM r WHERE p < 4",
    "SELECT {n}, s.p FROM {T}, LATERAL (SELECT {P} + shop.shop_id AS p FROM shop) AS s", "SELECT {n}, s.g FROM {T} LEFT JOIN LATERAL (SELECT {m} AS g FROM {U} WHERE {P} = {Q} ORDER BY {Q} LIMIT 1) AS s ON {B}",
    "SELECT {n}, s.c FROM {T} CROSS JOIN LATERAL (SELECT count({Q}) AS c FROM {U} WHERE {m} = {n} AND {D}) AS s", "SELECT {n}, g FROM {T}, generate_series(1, abs({P}) % 3) AS g", "SELECT {n}, e FROM {T}, unnest(ARRAY[{P}, 2]) AS e",
    "SELECT {n}, v.p FROM {T}, LATERAL (VALUES ({P}), (2)) AS v (p)", "WITH RECURSIVE r (g, d) AS (SELECT {n}, 0 FROM {T} WHERE {B} UNION ALL SELECT r.g, r.d + 1 / (strpos(r.g, 'cA') - 1) + 2 FROM r WHERE r.d < 2) SELECT count(*) FROM r",
    # sub-selects in expressions
    "SELECT title FROM shop WHERE EXISTS (SELECT 1 FROM {T} WHERE {P} = shop.shop_id)", "SELECT title FROM shop WHERE NOT EXISTS (SELECT FROM {T} WHERE {P} > shop.shop_id + 1000)", "SELECT title FROM shop WHERE shop_id IN (SELECT {P} FROM {T})",
    "SELECT title FROM shop WHERE shop_id NOT IN (SELECT {P} FROM {T} WHERE {B})", "SELECT title FROM shop WHERE shop_id > ALL (SELECT {P} - 1000 FROM {T})", "SELECT title FROM shop WHERE (shop_id, title) IN (SELECT {P}, {n} FROM {T})",
    "SELECT title, (SELECT max({P}) FROM {T}) FROM shop", "SELECT title, (SELECT count(*) FROM {T} WHERE {P} > shop.shop_id) FROM shop", "SELECT (SELECT {P} FROM {T} WHERE {B} ORDER BY {n} LIMIT 1)", "SELECT ARRAY(SELECT {P} FROM {T})",
    "SELECT {n} FROM {T} WHERE {P} > (SELECT min({Q}) - 1000 FROM {U})", "SELECT {n} FROM {T} WHERE EXISTS (SELECT 1 FROM {U} WHERE {m} = {n} AND {P} = {Q})", "SELECT {n} FROM {T} WHERE {P} IN (SELECT {Q} FROM {U})",
    "SELECT {n}, CASE WHEN EXISTS (SELECT 1 FROM {U} WHERE {D}) THEN {P} END FROM {T}", "SELECT {n} FROM {T} ORDER BY (SELECT count(*) FROM shop WHERE shop_id = {P}), {n}", "SELECT {n} FROM {T} GROUP BY {n} HAVING count(*) > (SELECT min({Q}) - 1000 FROM {U})",
    "SELECT 1 LIMIT (SELECT count({P}) FROM {T})", "SELECT {n} FROM {T} WHERE (SELECT {B})", "SELECT {n} FROM {T} WHERE {P} NOT IN (SELECT shop_id + 100000 FROM shop)",
    # set operations
    "SELECT {P} FROM {T} UNION SELECT {Q} FROM {U}", "SELECT {P} FROM {T} UNION ALL SELECT shop_id FROM shop", "SELECT {n} FROM {T} WHERE {B} INTERSECT SELECT {m} FROM {U} WHERE {D}", "SELECT {n} FROM {T} EXCEPT SELECT {m} FROM {U} WHERE {D}",
    "SELECT s.g FROM (SELECT {n} AS g FROM {T} UNION ALL SELECT {m} FROM {U}) AS s WHERE 1 / (strpos(s.g, 'cA') - 1) < 5", "SELECT s.g FROM (SELECT {n} AS g FROM {T} UNION SELECT {m} FROM {U}) AS s WHERE 1 / (strpos(s.g, 'cA') - 1) < 5",
    "SELECT s.g FROM (SELECT {n} AS g FROM {T} INTERSECT SELECT {m} FROM {U}) AS s WHERE 1 / (strpos(s.g, 'cA') - 1) < 5", "SELECT s.g FROM (SELECT {n} AS g FROM {T} EXCEPT ALL SELECT {m} FROM {U}) AS s WHERE 1 / (strpos(s.g, 'cA') - 1) < 5",
    # windows
    "SELECT rank() OVER (ORDER BY {P}) FROM {T}", "SELECT {n}, sum({P}) OVER (PARTITION BY {n}) FROM {T}", "SELECT count(*) OVER (PARTITION BY {P} ORDER BY {n}) FROM {T}", "SELECT lag({P}, 1, 0) OVER (ORDER BY {n}) FROM {T} WHERE {B}",
    "SELECT s.g FROM (SELECT {n} AS g, row_number() OVER (PARTITION BY {n} ORDER BY {n}) AS r FROM {T}) AS s WHERE 1 / (strpos(s.g, 'cA') - 1) < 5", "SELECT s.r FROM (SELECT rank() OVER (PARTITION BY {P} ORDER BY {P}) AS r, {P} AS p FROM {T}) AS s WHERE s.p > -9",
    "SELECT sum({P}) OVER w FROM {T} WINDOW w AS (PARTITION BY {P} ORDER BY {P})", "SELECT count(*) FILTER (WHERE {B}) OVER (ORDER BY {n}) FROM {T}", "SELECT max(count(*)) OVER (ORDER BY {P}) FROM {T} GROUP BY {P}",
    "SELECT s.l FROM (SELECT first_value({n}) OVER (PARTITION BY {n} ORDER BY {n}) AS l FROM {T}) AS s WHERE 1 / (strpos(s.l, 'cA') - 1) < 5",
    # wrapped once more
    "SELECT * FROM (SELECT s.g, s.p FROM (SELECT {n} AS g, {P} AS p FROM {T}) AS s WHERE s.p > -9) AS z LEFT JOIN shop ON shop.shop_id = z.p", "SELECT count(*) FROM (SELECT {n} AS g FROM {T} LEFT JOIN {U} ON {n} = {m} AND {D} GROUP BY {n}) AS s WHERE 1 / (strpos(s.g, 'cA') - 1) < 5",
    "SELECT * FROM (SELECT {n} AS g FROM {T} WHERE EXISTS (SELECT 1 FROM {U} WHERE {D})) AS s JOIN shop ON 1 / (strpos(s.g, 'cA') - 1) < shop.shop_id", "SELECT (SELECT max(s.p) FROM (SELECT {P} AS p FROM {T} WHERE {B}) AS s WHERE s.p > shop.shop_id - 1000) FROM shop",
]


def wrap(random, sql):
    """Now and then a level or two around it; what it says stays as it is."""
    while random.random() < 0.2:
        sql = random.choice(["SELECT * FROM ({s}) AS w{n}", "SELECT count(*) FROM ({s}) AS w{n}", "WITH w{n} AS ({s}) SELECT * FROM w{n}",
                             "({s}) UNION ALL ({s})", "SELECT 1 WHERE EXISTS ({s})", "SELECT count(*) FROM shop LEFT JOIN LATERAL ({s}) AS w{n} ON true",
                             "SELECT shop_id, (SELECT count(*) FROM ({s}) AS w{n}) FROM shop"]).format(s=sql, n=random.randrange(1000))
    return sql


def fill(random, place):
    t, u = random.choice(list(PROBES)), random.choice(list(PROBES))
    p, q = random.choice(PROBES[t]).format(a="x"), random.choice(PROBES[u]).format(a="y")
    relations = {"T": f"{t} AS x", "U": f"{u} AS y"}
    for name, table, alias, chance in (("T", t, "x", 0.15), ("U", u, "y", 0.15)):
        if random.random() < chance:  # behind a sub-select
            relations[name] = f"(SELECT * FROM {table}) AS {alias}"
    return place.format(P=f"({p})", Q=f"({q})", B=f"({p}) > -2000000000", D=f"({q}) > -2000000000", n=f"x.{NAMES[t]}", m=f"y.{NAMES[u]}",
                        t=t, u=u, **relations)


def statements(random):
    """Endless: each place in some order, again and again, with other probes."""
    while True:
        places = list(PLACES)
        random.shuffle(places)
        for place in places:
            yield wrap(random, fill(random, place))

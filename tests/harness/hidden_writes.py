"""Writes that would tell of hidden rows: by what they change, return or run into. Each is to be rolled back.

The schema is that of tests/long/leak.py; probes and their letters are those of hidden_probes.py. A constraint
that a hidden row is in the way of may be told, as it is bounded; what fails on a hidden row may not.
"""
from harness import hidden_probes

TARGETS = {"person": ("town = 'Town 4'", "town = 'Town ' || abs({p}) % 5"), "item": ("price = 5", "price = 5 + 0 * {p}"), "memo": ("kind = 5", "kind = 5 + 0 * {p}")}
PROBES = {**hidden_probes.PROBES, "memo": ["1 / (strpos({a}.body, 'cA') - 1)", "substr({a}.body, 6)::int", "1 / (4 * ({a}.kind / 3))", "100 / {a}.kind"]}
NAMES = {**hidden_probes.NAMES, "memo": "body"}

# {S}: SET's text. {V}: the same with a probe in it. The rest is as in hidden_probes.
PLACES = [
    "UPDATE {t} AS x SET {S}", "UPDATE {t} AS x SET {S} WHERE {B}", "UPDATE {t} AS x SET {V}", "UPDATE {t} AS x SET {V} WHERE {B} RETURNING {n}, {P}",
    "UPDATE {t} AS x SET {S} RETURNING *", "UPDATE {t} AS x SET {S} RETURNING {P}", "UPDATE {t} AS x SET {S} WHERE {n} LIKE 'cA%' RETURNING x.*",
    "UPDATE {t} AS x SET {S} FROM shop WHERE shop.shop_id = 1 AND {B}", "UPDATE {t} AS x SET {V} FROM shop WHERE shop.shop_id = 2 RETURNING {n}",
    "UPDATE {t} AS x SET {S} WHERE EXISTS (SELECT 1 FROM {U} WHERE {D} AND {B})", "UPDATE {t} AS x SET {S} WHERE {P} IN (SELECT {Q} FROM {U}) RETURNING *",
    "UPDATE {t} AS x SET {S} WHERE {P} > (SELECT min({Q}) - 100 FROM {U})", "UPDATE {t} AS x SET {S} WHERE {n} NOT IN (SELECT {m} FROM {U} WHERE {D})",
    "DELETE FROM {t} AS x", "DELETE FROM {t} AS x WHERE {B} RETURNING *", "DELETE FROM {t} AS x RETURNING {P}, {n}", "DELETE FROM {t} AS x WHERE {n} LIKE 'cA%' RETURNING {n}",
    "DELETE FROM {t} AS x USING {U} WHERE {n} = {m} AND {D}", "DELETE FROM {t} AS x WHERE {P} < 0 OR EXISTS (SELECT 1 FROM {U} WHERE {D})",
    "INSERT INTO shop (shop_id, title) SELECT 1000 + row_number() OVER (ORDER BY {n}), {n} FROM {T} WHERE {B}", "INSERT INTO shop (shop_id, title) SELECT 2000 + count({P}), 'x' FROM {T}",
    "INSERT INTO memo (memo_id, body, kind) SELECT 1000 + row_number() OVER (), 'memo ' || {n}, 4 + 0 * {P} FROM {T}", "INSERT INTO shop (shop_id, title) VALUES (99, (SELECT max({n}) FROM {T} WHERE {B})) RETURNING title",
    "WITH w AS (UPDATE {t} AS x SET {S} RETURNING *) SELECT * FROM w", "MERGE INTO {t} AS x USING (SELECT 1 AS one) AS s ON {B} WHEN MATCHED THEN DELETE", "UPDATE {t} AS x SET {S} RETURNING (SELECT max({m}) FROM {U})",
    "UPDATE {t} AS x SET {S} RETURNING x", "UPDATE {t} AS x SET {S} RETURNING x.ctid, x.tableoid", "UPDATE {t} AS x SET {S} RETURNING x.secret", "DELETE FROM {t} AS x RETURNING x::text",
]
# Of a memo's number: hidden ones are in the way.
CONFLICTS = [
    "INSERT INTO memo (memo_id, body, kind) VALUES ({k}, 'memo {k}', 4)", "INSERT INTO memo (memo_id, body, kind) VALUES ({k}, 'memo {k}', 4) ON CONFLICT (memo_id) DO NOTHING RETURNING *",
    "INSERT INTO memo (memo_id, body, kind) VALUES ({k}, 'memo a', 4), ({k} + 1, 'memo b', 4), ({k} + 2, 'memo c', 4) ON CONFLICT (memo_id) DO NOTHING RETURNING memo_id",
    "INSERT INTO memo (memo_id, body, kind) VALUES ({k}, 'memo {k}', 4) ON CONFLICT (memo_id) DO UPDATE SET body = EXCLUDED.body RETURNING *",
    "INSERT INTO memo (memo_id, body, kind) VALUES ({k}, 'memo {k}', 4) ON CONFLICT (memo_id) DO UPDATE SET kind = memo.kind + 1 RETURNING *",
    "INSERT INTO memo (memo_id, body, kind) VALUES ({k}, 'memo {k}', 4) ON CONFLICT (memo_id) DO UPDATE SET body = memo.body || EXCLUDED.body WHERE memo.kind > 1 RETURNING *",
    "INSERT INTO memo (memo_id, body, kind) VALUES ({k}, 'memo {k}', 4) ON CONFLICT DO NOTHING", "INSERT INTO memo (memo_id, body) SELECT memo_id, body FROM memo ON CONFLICT (memo_id) DO NOTHING",
    "INSERT INTO item (item_id, label, price) VALUES ({k}, 'label {k}', 5) RETURNING *", "INSERT INTO item (item_id, label, price) VALUES ({k}, 'label {k}', 5) ON CONFLICT (item_id) DO UPDATE SET price = 6 RETURNING *",
    "UPDATE memo SET body = 'other' WHERE memo_id < {k} RETURNING *", "UPDATE memo SET kind = 1 RETURNING body", "UPDATE memo SET body = NULL", "UPDATE memo SET memo_id = {k}", "INSERT INTO memo (memo_id, body, kind) VALUES ({k}, NULL, 4)",
]
COPIES = ["COPY memo (memo_id, body, kind) FROM STDIN", "COPY memo (memo_id, body, kind) FROM STDIN (FORMAT csv)", "COPY memo (memo_id, body) FROM STDIN", "COPY memo FROM STDIN",
          "COPY shop (shop_id, title) FROM STDIN", "COPY item (item_id, label, price) FROM STDIN", "COPY memo (memo_id, body, kind) FROM STDIN (FORMAT binary)", "COPY vault FROM STDIN"]
LINES = ["{k}\tmemo {k}\t4", "{k}\tother\t4", "x\tmemo\t4", "{k}\tmemo", "{k}\tmemo\t4\t5", "\\N\tmemo\t4", "{k}\t\\x\t1", "9{k}0\tmemo new\t4", "{k},memo {k},4", "9{k}1,memo new,5", '{k},"memo', "\\.", ""]

GOOD = ["9{k}0\tmemo new\t4", "9{k}1\tmemo {k}\t6", "9{k}2\tmemo \\\\ {k}\t5"]


def fill(random, place):
    t, u = random.choice(list(TARGETS)), random.choice(list(PROBES))
    p, q = f"({random.choice(PROBES[t]).format(a='x')})", f"({random.choice(PROBES[u]).format(a='y')})"
    plain, probing = TARGETS[t]
    return place.format(t=t, T=f"{t} AS x", U=f"{u} AS y", S=plain, V=probing.format(p=p), P=p, Q=q, B=f"{p} > -2000000000", D=f"{q} > -2000000000", n=f"x.{NAMES[t]}", m=f"y.{NAMES[u]}")


def statements(random):
    """Endless: (statement, data of a COPY or None)."""
    while True:
        chance = random.random()
        if chance < 0.7:
            yield fill(random, random.choice(PLACES)), None
        elif chance < 0.85:
            yield random.choice(CONFLICTS).format(k=random.randrange(1, 45)), None
        else:
            lines, copy = (LINES, random.choice(COPIES)) if random.random() < 0.6 else (GOOD, COPIES[0])
            lines = [random.choice(lines).replace("{k}", str(random.randrange(1, 45))) for _ in range(random.choice([1, 2, 4]))]
            yield copy, "".join(line + "\n" for line in lines).encode()

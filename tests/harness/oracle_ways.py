"""The ways by which one query's rows can leave: each gives what the client got, for the oracle to judge.

A way is a context: what it gives is looked at while its cursor or portal is still open, so that what is to be
in the ledger before the rows leave is not first there when everything ends. Some ways stop before the end.
"""
import contextlib
import dataclasses
import re

import psycopg
import psycopg2
import psycopg2.extensions
from psycopg import pq

from harness import rawclient

RAW = psycopg2.extensions.new_type((16, 17, 20, 21, 23, 25, 114, 700, 701, 1000, 1005, 1007, 1009, 1015, 1016, 1043, 1082, 1114, 1182, 1231, 1700, 2950, 3802),
                                   "RAW", lambda value, _: value)
PORTIONS = "this cursor's rows cannot be fetched in portions"  # documented (decision 0011): then all at once
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
SMALLINT = 21


class Told(Exception):
    """An error that the client got."""

    def __init__(self, sqlstate, text):
        super().__init__(f"{sqlstate} {text}")
        self.sqlstate, self.text = sqlstate, text


@dataclasses.dataclass
class Seen:
    types: list            # None where the way does not tell
    rows: list             # tuples of texts; of bytes, where the way is binary
    whole: bool = True     # whether these are all of the rows
    expected: list = None  # what the views gave the same way, where that is not the rows in text
    tag: str = ""


@dataclasses.dataclass
class Asker:
    """One partner's connections, and the views' own."""
    random: object
    simple: object         # psycopg2
    extended: object       # psycopg 3
    raw: object            # gives a rawclient.RawClient
    direct: object         # psycopg2, on the views


# ---- how libpq asks ----

def results(pgconn):
    """Of all statements that were sent; an error ends them."""
    found, error = [], None
    while True:
        result = pgconn.get_result()
        if result is None:
            break
        if result.status == pq.ExecStatus.FATAL_ERROR:
            error = error or result
        found.append(result)
    if error:
        text = lambda what: (error.error_field(what) or b"").decode()
        raise Told(text(pq.DiagnosticField.SQLSTATE), text(pq.DiagnosticField.MESSAGE_PRIMARY))
    return found


def run(pgconn, sql, values=()):
    if values:
        pgconn.send_query_params(sql.encode(), [str(v).encode() for v in values], param_types=[SMALLINT if isinstance(v, int) else 0 for v in values])
    else:
        pgconn.send_query(sql.encode())
    return results(pgconn)


def texts(result):
    rows = [tuple(None if v is None else v.decode() for v in (result.get_value(r, c) for c in range(result.nfields))) for r in range(result.ntuples)]
    return [result.ftype(c) for c in range(result.nfields)], rows


@contextlib.contextmanager
def tidied(pgconn, *last):
    """Whatever happens inside, the session is as it was."""
    try:
        yield
    finally:
        for sql in (["ROLLBACK"] if pgconn.transaction_status != pq.TransactionStatus.IDLE else []) + list(last):
            with contextlib.suppress(Told):
                run(pgconn, sql)


def raw_rows(connection, sql, most=None):
    """(types, rows) with every value as the server wrote it."""
    with connection.cursor() as cursor:
        psycopg2.extensions.register_type(RAW, cursor)
        cursor.execute(sql)
        rows = [] if cursor.description is None else cursor.fetchmany(most) if most else cursor.fetchall()
        return [c.type_code for c in cursor.description or []], rows


def with_marks(case, mark):
    return case.statement.sql.format(*(mark(n) for n in range(len(case.statement.values))))


# ---- the ways ----

@contextlib.contextmanager
def simple(ask, case):
    try:
        types, rows = raw_rows(ask.simple, case.sql)
    except psycopg2.Error as error:
        raise Told(error.pgcode, error.diag.message_primary or "") from error
    yield Seen(types, rows)


@contextlib.contextmanager
def bound(ask, case):
    """By the extended protocol, prepared or not."""
    sql = case.statement.sql.replace("%", "%%").format(*(f"%(p{n})s" for n in range(len(case.statement.values))))
    try:
        cursor = ask.extended.execute(sql, {f"p{n}": v for n, v in enumerate(case.statement.values)}, prepare=ask.random.choice([None, True, False]))
    except psycopg.Error as error:
        raise Told(error.sqlstate, error.diag.message_primary or "") from error
    yield Seen(*texts(cursor.pgresult))


@contextlib.contextmanager
def prepared(ask, case):
    """SQL's own PREPARE and EXECUTE."""
    pgconn, values = ask.extended.pgconn, case.statement.values
    kinds = f" ({', '.join('smallint' if isinstance(v, int) else 'text' for v in values)})" if values else ""
    given = f" ({', '.join(str(v) if isinstance(v, int) else f'{chr(39)}{v}{chr(39)}' for v in values)})" if values else ""
    with tidied(pgconn, "DEALLOCATE ALL"):
        run(pgconn, f"PREPARE way{kinds} AS {with_marks(case, lambda n: f'${n + 1}')}")
        yield Seen(*texts(run(pgconn, f"EXECUTE way{given}")[0]))


@contextlib.contextmanager
def several(ask, case):
    """Among other statements of one query."""
    before, after = ask.random.choice([(["SELECT 1"], ["SELECT 2"]), ([], ["SELECT 1"]), (["BEGIN"], ["COMMIT"]), ([case.sql], []),
                                       (["SET search_path TO public"], ["SHOW cofferdam.partner"])])
    pgconn = ask.extended.pgconn
    with tidied(pgconn):
        yield Seen(*texts(run(pgconn, "; ".join(before + [case.sql] + after))[len(before)]))


@contextlib.contextmanager
def cursor(ask, case):
    """DECLARE and FETCH in pieces, to the end or not; held over the end of its transaction or not."""
    pgconn, hold = ask.extended.pgconn, ask.random.random() < 0.4
    pieces = ask.random.choice([["FETCH ALL"], ["FETCH 2", "FETCH ALL"], ["FETCH NEXT", "FETCH FORWARD 3", "FETCH FORWARD ALL"], ["FETCH 1"], ["FETCH 3", "MOVE 1", "FETCH 2"],
                                ["MOVE 2", "FETCH ALL"], ["FETCH 2", "MOVE ALL"]])
    with tidied(pgconn, "CLOSE ALL"):
        try:
            seen = fetched(ask, case, hold, pieces)
        except Told as told:
            if not told.text.startswith(PORTIONS):
                raise
            with tidied(pgconn, "CLOSE ALL"):
                pass
            seen = fetched(ask, case, hold, ["FETCH ALL"])
        yield seen


def fetched(ask, case, hold, pieces):
    pgconn, values, outside = ask.extended.pgconn, case.statement.values, hold and ask.random.random() < 0.5
    if not outside:
        run(pgconn, "BEGIN")
    text = with_marks(case, lambda n: f"${n + 1}") if values else case.sql
    run(pgconn, f"DECLARE way {ask.random.choice(['', 'NO SCROLL '])}CURSOR {'WITH HOLD ' if hold else ''}FOR {text}", values)
    if hold and not outside:
        run(pgconn, "COMMIT")
    types, rows, moved = None, [], 0
    for piece in pieces:
        result = run(pgconn, f"{piece} FROM way")[0]
        if piece.startswith("MOVE"):
            moved += int((result.command_status or b"MOVE 0").split()[1])
        else:
            types, more = texts(result)
            rows += more
    return Seen(types, rows, not moved and pieces[-1].endswith("ALL"))


@contextlib.contextmanager
def portal(ask, case):
    """Execute with a number of rows, again and again, to the end or not."""
    client, size, pieces = ask.raw(), ask.random.choice([1, 2, 3]), ask.random.choice([1, 2, 1000])
    values = case.statement.values
    client.take()
    client.send(client.parse(with_marks(case, lambda n: f"${n + 1}"), types=[SMALLINT if isinstance(v, int) else 0 for v in values]),
                client.bind(values), client.describe())
    try:
        messages, ended = [], False
        while not ended and pieces > 0:
            client.send(client.execute(size), client.FLUSH)
            while not messages or messages[-1][0] not in (b"s", b"C", b"E"):
                messages.append(client.receive())
            ended, pieces = messages[-1][0] != b"s", pieces - 1
            if messages[-1][0] == b"E":
                error = rawclient.fields(messages[-1][1])
                raise Told(error["C"], error["M"])
            messages.append((b"", b""))
        rows = [tuple(None if cell is None else cell.decode() for cell in row) for row in rawclient.rows(messages)]
        yield Seen(described(messages), rows, ended)
    finally:
        client.send(client.SYNC)
        client.until_ready()


def described(messages):
    """Types of the columns, of a RowDescription."""
    body = next(body for kind, body in messages if kind == b"T")
    types, at = [], 2
    for _ in range(int.from_bytes(body[:2], "big")):
        at = body.index(b"\0", at) + 1
        types.append(int.from_bytes(body[at + 6:at + 10], "big"))
        at += 18
    return types


# ---- COPY ----

def copied(pgconn, sql):
    """What COPY … TO STDOUT sends."""
    pgconn.send_query(sql.encode())
    result, data = pgconn.get_result(), b""
    if result.status != pq.ExecStatus.COPY_OUT:
        text = lambda what: (result.error_field(what) or b"").decode()
        results(pgconn)
        raise Told(text(pq.DiagnosticField.SQLSTATE), text(pq.DiagnosticField.MESSAGE_PRIMARY))
    while True:
        size, part = pgconn.get_copy_data(0)
        if size <= 0:
            break
        data += bytes(part)
    results(pgconn)
    return data


def unescaped(field):
    return None if field == "\\N" else re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), field)


@contextlib.contextmanager
def copy_text(ask, case):
    mark = ask.random.choice(["\t", "|"])
    pgconn, options = ask.extended.pgconn, "" if mark == "\t" else " (DELIMITER '|')"
    with tidied(pgconn):
        lines = copied(pgconn, f"COPY ({case.sql}) TO STDOUT{options}").decode().split("\n")[:-1]
    # No value of the worlds has a backslash or a separator in it: it would need more than this.
    yield Seen(None, [tuple(unescaped(field) for field in line.split(mark)) for line in lines])


@contextlib.contextmanager
def copy_csv(ask, case):
    mark, pgconn = ask.random.choice([",", ";"]), ask.extended.pgconn
    options, header = ask.random.choice(["", ", FORCE_QUOTE *"]), ask.random.choice(["", ", HEADER"])
    with tidied(pgconn):
        text = copied(pgconn, f"COPY ({case.sql}) TO STDOUT WITH (FORMAT csv, DELIMITER '{mark}'{options}{header})").decode()
    rows, row = [], []
    for found in re.finditer(rf'(?:"((?:[^"]|"")*)"|([^"{mark}\n]*))([{mark}\n])', text):
        quoted, plain, end = found.groups()
        row.append(quoted.replace('""', '"') if quoted is not None else plain or None)
        if end == "\n":
            rows.append(tuple(row))
            row = []
    assert not row, text
    yield Seen(None, rows[1:] if header else rows)


def binary_rows(data):
    """Tuples of bytes or None."""
    at, rows = 19, []
    while True:
        count = int.from_bytes(data[at:at + 2], "big", signed=True)
        at += 2
        if count < 0:
            assert at == len(data), data[at:]
            return rows
        row = []
        for _ in range(count):
            size = int.from_bytes(data[at:at + 4], "big", signed=True)
            at += 4
            row.append(None if size < 0 else data[at:at + size])
            at += max(size, 0)
        rows.append(tuple(row))


@contextlib.contextmanager
def copy_binary(ask, case):
    sql, pgconn = f"COPY ({case.sql}) TO STDOUT (FORMAT binary)", ask.extended.pgconn
    with tidied(pgconn):
        rows = binary_rows(copied(pgconn, sql))
    yield Seen(None, rows, expected=binary_rows(copied_directly(ask.direct, sql)))


def copied_directly(connection, sql):
    parts = []
    with connection.cursor() as cursor:
        cursor.copy_expert(sql, type("Sink", (), {"write": lambda self, part: parts.append(bytes(part))})())
    return b"".join(parts)


# ---- writes, which are rolled back ----

@contextlib.contextmanager
def written(ask, case):
    pgconn = ask.extended.pgconn
    with tidied(pgconn):
        run(pgconn, "BEGIN")
        yield answered(run(pgconn, case.statement.sql)[0])


@contextlib.contextmanager
def written_extended(ask, case):
    pgconn = ask.extended.pgconn
    with tidied(pgconn):
        run(pgconn, "BEGIN")
        pgconn.send_query_params(case.statement.sql.encode(), [])
        yield answered(results(pgconn)[0])


@contextlib.contextmanager
def written_prepared(ask, case):
    pgconn = ask.extended.pgconn
    with tidied(pgconn, "DEALLOCATE ALL"):
        run(pgconn, f"BEGIN; PREPARE way AS {case.statement.sql}")
        yield answered(run(pgconn, "EXECUTE way")[0])


@contextlib.contextmanager
def written_among(ask, case):
    pgconn = ask.extended.pgconn
    with tidied(pgconn):
        yield answered(run(pgconn, f"BEGIN; {case.statement.sql}; ROLLBACK")[1])


def answered(result):
    types, rows = texts(result)
    return Seen(types, rows, tag=result.command_status.decode())


PLAIN = (simple, bound)
OTHERS = (prepared, several, cursor, portal, copy_text, copy_csv, copy_binary)
BINDING = (prepared, cursor, portal)  # of these: by the rest, values could only be written into the statement
WRITING = (written, written_extended, written_prepared, written_among)
ALL = {way.__name__: way for way in PLAIN + OTHERS + WRITING}

"""Each way by which a client of the leak test may ask: all messages of it, up to an error."""
from harness import differential, rawclient


def query(client, sql, random):
    return client.query(sql)


def text(client, sql, random):
    return client.extended(sql)


def binary(client, sql, random):
    return client.extended(sql, result_formats=(1,))


def rows(client, sql, random):
    return client.extended(sql, max_rows=3)


def prepare(client, sql, random):
    return chain(client, [f"PREPARE way AS {sql}", "EXECUTE way", "EXECUTE way"], "DEALLOCATE ALL")


def several(client, sql, random):
    before, after = random.choice([("SELECT 1; ", ""), ("", "; SELECT 2"), ("SET DateStyle TO German; ", "; SHOW DateStyle; RESET DateStyle"), (f"{sql}; ", "")])
    return client.query(f"{before}{sql}{after}")


def copy(client, sql, random):
    options = random.choice(["", " (FORMAT csv)", " (FORMAT binary)", " (FORMAT csv, HEADER, FORCE_QUOTE *, NULL 'nil')", " WITH (DELIMITER '|', NULL 'nil')"])
    return client.query(f"COPY ({sql}) TO STDOUT{options}")


def cursor(client, sql, random):
    pieces = random.choice([["FETCH 2 FROM way", "MOVE 1 FROM way", "FETCH ALL FROM way"], ["MOVE 2 IN way", "FETCH FORWARD 3 FROM way"], ["FETCH ALL FROM way"], ["MOVE ALL FROM way"]])
    return chain(client, ["BEGIN", f"DECLARE way NO SCROLL CURSOR FOR {sql}", *pieces, "CLOSE way", "COMMIT"])


def held(client, sql, random):
    pieces = random.choice([["FETCH 2 FROM way", "FETCH ALL FROM way"], ["MOVE ALL FROM way"]])
    inside = random.random() < 0.5
    declare = f"DECLARE way CURSOR WITH HOLD FOR {sql}"
    return chain(client, [*(["BEGIN", declare, "FETCH 1 FROM way", "COMMIT"] if inside else [declare]), *pieces], "CLOSE ALL")


def fetched(client, sql, random):
    """By the extended protocol, in binary."""
    messages = client.query("BEGIN") + client.extended(f"DECLARE way CURSOR FOR {sql}")
    if not rawclient.errors(messages):
        messages += client.extended("FETCH 3 FROM way", result_formats=(1,)) + client.extended("FETCH ALL FROM way", max_rows=2, result_formats=(1,))
    return messages + client.query("ROLLBACK")


def chain(client, statements, last=None):
    messages = []
    for statement in statements:
        messages += client.query(statement)
        if rawclient.errors(messages):
            break
    if last:
        messages += client.query(last)
    return messages


def given(client, sql, data):
    """COPY … FROM STDIN with this data."""
    client.send(client.simple(sql))
    messages = [client.receive()]
    while messages[-1][0] not in b"GEZ":
        messages.append(client.receive())
    if messages[-1][0] == b"G":
        client.send(client.message(b"d", data), client.message(b"c"))
    return messages + (client.until_ready() if messages[-1][0] != b"Z" else [])


PLAIN = {way.__name__: way for way in (query, text, binary, rows)}
WRAPPED = {way.__name__: way for way in (prepare, several, copy, cursor, held, fetched)}  # around a query only
WRITING = {way.__name__: way for way in (query, text, binary, rows, prepare, several)}
WAYS = {**PLAIN, **WRAPPED}


def pick(random, sql):
    return random.choice(list(WAYS if differential.QUERY.match(sql) and random.random() < 0.6 else PLAIN))

"""The same statement directly and through the gateway: everything that a client sees of it must be the same.

A corpus is SQL files, in which ⟨a|b|c⟩ stands for a statement each with a, with b and with c. Compared are
column names, type OIDs, modifiers, rows in text format, their order where the statement gives one, command
tag, and SQLSTATE of an error. What the gateway refuses is counted by reason.
"""
import collections
import itertools
import re

from psycopg import pq

from harness import places

FOLDER = places.ROOT / "tests/differential"
CHOICE = re.compile("⟨([^⟨⟩]*)⟩")
TOKEN = re.compile(r"""--[^\n]*|/\*.*?\*/|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"[^"]*"|(\$\w*\$).*?\1|;|\(|\)|[^;'"$()\-/eE]+|.""", re.DOTALL)
QUERY = re.compile(r"\s*\(*\s*(SELECT|VALUES|WITH|TABLE)\b", re.IGNORECASE)
ORDERED = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)
WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|INTO|MERGE)\b", re.IGNORECASE)
DEPENDS = re.compile(r"random|now\(|current_|localtime|clock_|_timestamp\(\)|timeofday|setval|nextval|currval|lastval|pg_|txid|xid|"
                     r"'(now|today|tomorrow|yesterday)|set_config|version\(|regclass|inet_|user", re.IGNORECASE)
CATALOGUE = re.compile(r"information_schema|has_\w+_privilege|to_reg[a-z]+\(", re.IGNORECASE)
UPSTREAM_TEXT = re.compile(r'\{"([0-9A-Z]*)",\s*\{"([^"]+)"')


def split(text):
    """Statements of a script, without comments at the top; psql's own commands and COPY's data are left out."""
    text = re.sub(r"^COPY [^;]*FROM stdin;\n.*?^\\\.$", "", text, flags=re.DOTALL | re.MULTILINE | re.IGNORECASE)
    text = re.sub(r"^\\[^\n]*\n", "", text, flags=re.MULTILINE)
    statement, depth = "", 0
    for found in TOKEN.finditer(text):
        token = found.group()
        if token.startswith("--") or token.startswith("/*"):
            continue
        depth += (token == "(") - (token == ")")
        if token != ";" or depth > 0:
            statement += token
            continue
        yield statement.strip()
        statement, depth = "", 0


def expand(statement):
    """A statement for each way to choose."""
    parts = CHOICE.split(statement)
    choices = [part.split("|") if i % 2 else [part] for i, part in enumerate(parts)]
    return ["".join(chosen) for chosen in itertools.product(*choices)]


def own_corpus():
    """(topic, statement) of the corpus in tests/differential."""
    for path in sorted(FOLDER.glob("*.sql")):
        if path.name != "schema.sql":
            for statement in split(path.read_text()):
                for one in expand(statement):
                    yield path.stem, one


def is_query(statement):
    """Does it read, and say the same whenever it is asked? The catalogue is ours (decision 0012) and says less than PostgreSQL's."""
    return bool(QUERY.match(statement)) and not WRITES.search(statement) and not DEPENDS.search(statement) and not CATALOGUE.search(statement) \
        and not re.search(r"\\g|:'|:\w+\b(?!:)", re.sub(r"'[^']*'|::", "", statement))


def upstream_texts():
    """What the gateway says of an error upstream, as opposed to a refusal of its own."""
    source = (places.ROOT / "src/sql/upstream_error.c").read_text()
    return {text for _, text in UPSTREAM_TEXT.findall(source)}


class Answer:
    """What a client sees of one statement."""

    def __init__(self, result):
        self.state = result.error_field(pq.DiagnosticField.SQLSTATE)
        self.state = self.state and self.state.decode()
        self.message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode()
        self.lost = result.status == pq.ExecStatus.FATAL_ERROR and not self.state
        self.columns = [(result.fname(n).decode(), result.ftype(n), result.fmod(n)) for n in range(result.nfields)]
        self.rows = [tuple(result.get_value(r, c) for c in range(result.nfields)) for r in range(result.ntuples)]
        self.tag = (result.command_status or b"").decode()


class Differential:
    """run() compares one statement. count and reasons sum up; told holds what differs."""

    def __init__(self, direct, gateway_connect):
        self.direct, self.gateway_connect = direct, gateway_connect
        self.gateway = gateway_connect()
        self.count, self.reasons, self.topics = collections.Counter(), collections.Counter(), collections.Counter()
        self.told, self.upstream = [], upstream_texts()
        for name in ("TimeZone", "DateStyle", "IntervalStyle"):
            self.direct.execute(f"SET {name} TO '{self.gateway.info.parameter_status(name)}'")
        self.direct.execute("SET statement_timeout TO '20s'")

    def ask(self, connection, statement, extended):
        text = statement.encode()
        return Answer(connection.pgconn.exec_params(text, []) if extended else connection.pgconn.exec_(text))

    def judge(self, statement, here, there):
        """same, refused, reordered, or what differs."""
        if there.lost:
            self.gateway = self.gateway_connect()
            return "connection lost"
        if there.state:
            if there.state == here.state:
                return "same"
            if there.message in self.upstream:
                return f"SQLSTATE {there.state} ({there.message}), directly {here.state or 'rows'}"
            self.reasons[f"{there.state} {re.sub(r'[^ ]*[0-9][^ ]*', '…', there.message)}"] += 1
            return "refused"
        if here.state:
            return f"rows, directly SQLSTATE {here.state} ({here.message})"
        if here.columns != there.columns:
            return f"columns {there.columns}, directly {here.columns}"
        if here.tag != there.tag:
            return f"tag {there.tag}, directly {here.tag}"
        if here.rows == there.rows:
            return "same"
        order = lambda row: [(value is None, value or b"") for value in row]
        if sorted(here.rows, key=order) != sorted(there.rows, key=order):
            return f"rows {there.rows[:8]}, directly {here.rows[:8]}"
        return "reordered" if ORDERED.search(statement) else "same"

    def run(self, topic, statement):
        extended = self.count["statements"] % 2 == 1
        self.count["statements"] += 1
        verdict = self.judge(statement, self.ask(self.direct, statement, extended), self.ask(self.gateway, statement, extended))
        known = verdict in ("same", "refused", "reordered")
        self.count[verdict if known else "different"] += 1
        self.topics[topic, verdict if known else "different"] += 1
        if not known or verdict == "reordered":
            self.told.append(f"{topic}: {statement}\n  {verdict}")

    def result(self):
        count = self.count
        return (f"RESULT statements={count['statements']} same={count['same']} refused={count['refused']} "
                f"different={count['different']} reordered={count['reordered']}")

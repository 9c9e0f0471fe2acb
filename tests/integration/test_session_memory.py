"""Whatever a client sends and does not wait for, or asks for and does not read, the gateway's memory stays small."""
import pathlib

import pytest

from harness.rawclient import RawClient, errors, rows, states, status, tags

MEGABYTE = 1024 * 1024
SQL = """
CREATE SCHEMA s;
CREATE TABLE s.person (person_id bigint PRIMARY KEY, note text);
INSERT INTO s.person SELECT n, 'x' FROM generate_series(1, 300) AS n;
"""
POLICY = """
controller: {name: Shop, dpo: {name: D, email: d@shop.example}}
subjects: {person: {dataset: person, key: person_id}}
datasets:
  person:
    table: s.person
    subject: {kind: person, key: person_id}
    columns: {person_id: {category: identifier}, note: {category: x_note}}
partners:
  desk:
    contract: {agreement: A, breach_contact: {name: B, phone: "1"}}
    purposes: [support]
    agents: [{name: one, identity: {certificate: "spiffe://desk/one"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - dataset: person
        columns: {person_id: clear, note: clear}
        write: {insert: [person_id, note], update: [note]}
    budget: {subjects: {per_day: 100000, total: 100000}, rows_per_statement: 100000}
"""


@pytest.fixture(scope="module")
def gateway(make_module_gateway, cluster):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASAN_OPTIONS", "quarantine_size_mb=1")  # or freed memory would be measured
        yield make_module_gateway(policy_yaml=POLICY, database=cluster.create_database(sql=SQL),
                                  config={"listen": {"write_timeout_ms": 2000}})


@pytest.fixture
def client(gateway):
    client = RawClient(gateway, "desk.one", timeout=30)
    client.query("SELECT 1")
    yield client
    client.close()


class Memory:
    """What the gateway has grown by since then, and its most since then, in bytes."""

    def __init__(self, gateway):
        self.folder = pathlib.Path(f"/proc/{gateway.process.pid}")
        (self.folder / "clear_refs").write_text("5")  # the most begins anew
        self.before = self.read("VmRSS")

    def read(self, name):
        text = (self.folder / "status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith(name + ":")).split()[1]) * 1024

    def most(self):
        return self.read("VmHWM") - self.before


def push(client, data, most):
    """Sends as long as the gateway takes it, up to `most` bytes."""
    client.socket.settimeout(1)
    sent = 0
    try:
        while sent < most:
            client.socket.sendall(data)
            sent += len(data)
    except (TimeoutError, OSError):
        pass
    return sent


def test_data_of_a_copy_whose_rows_wait(gateway, client):
    """The table is locked: the first rows wait upstream, and no more of the data is taken than one message."""
    memory = Memory(gateway)
    with gateway.cluster.connect(gateway.database) as admin:
        admin.execute("BEGIN; LOCK s.person")
        client.send(client.simple("COPY person (person_id, note) FROM STDIN"))
        client.until(b"G")
        piece = b"".join(b"%d\t%s\n" % (n, b"y" * 1000) for n in range(1000, 1500))
        sent = push(client, client.message(b"d", piece), 60 * MEGABYTE)
        assert sent < 30 * MEGABYTE, f"{sent} bytes were taken by somebody"
        assert memory.most() < 16 * MEGABYTE, memory.most()
        client.reset()
        gateway.until_sessions(0)
        admin.execute("ROLLBACK")
    gateway.until_backends(0)


@pytest.mark.parametrize("ask", ["DECLARE c CURSOR FOR {}", "DECLARE c CURSOR WITH HOLD FOR {}"])
def test_rows_of_a_cursor_that_nobody_reads(gateway, ask):
    client = RawClient(gateway, "desk.one", timeout=20, receive_buffer=4096)
    client.query("BEGIN")
    query = "SELECT a.person_id, repeat('z', 1000) FROM person a, person b LIMIT 80000"
    assert tags(client.query(ask.format(query))) == ["DECLARE CURSOR"]
    memory = Memory(gateway)
    client.send(client.simple("FETCH ALL FROM c"))
    gateway.until_backends(0, seconds=15)  # ended, for it does not read
    assert memory.most() < 8 * MEGABYTE, memory.most()
    client.reset()


def test_rows_of_returning_that_must_wait_for_the_last(gateway, client):
    """They are held until all are judged; what is too much for that ends the statement, and undoes it."""
    long = "k" * 250000
    memory = Memory(gateway)
    answer = client.extended("UPDATE person SET note = $1 WHERE person_id < 80 RETURNING note, note, note, note", [long])
    assert (states(answer), rows(answer), status(answer)) == (["54000"], [], "I"), errors(answer)
    assert memory.most() < 200 * MEGABYTE, memory.most()
    with gateway.cluster.connect(gateway.database) as admin:
        assert admin.execute("SELECT count(*) FROM s.person WHERE length(note) > 1").fetchone() == (0,)
    answer = client.extended("UPDATE person SET note = $1 WHERE person_id < 4 RETURNING note, note, note, note", [long])
    assert (states(answer), rows(answer)) == ([], [[long.encode()] * 4] * 3)


def test_keys_named_by_portals_that_never_run(gateway, client):
    """Each Bind names as many as one may: what is kept of them is bounded by how many portals there are."""
    memory = Memory(gateway)
    keys = "{" + ",".join(str(10 ** 12 + n) for n in range(10000)) + "}"
    client.query("BEGIN")
    client.send(client.parse("SELECT note FROM person WHERE person_id = ANY ($1)", "s"), client.SYNC)
    client.until_ready()
    refused = []
    for number in range(110):
        client.send(client.bind([keys], portal=f"p{number}", name="s"), client.SYNC)
        refused += states(client.until_ready())
    assert refused[0] == "54000"
    assert memory.most() < 150 * MEGABYTE, memory.most()
    client.query("ROLLBACK")

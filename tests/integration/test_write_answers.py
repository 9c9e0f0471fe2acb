"""What a write answers says of each row whether it could be written, also where what stands in its way
is hidden: each such row is a bit that is counted, and nothing leaves before all of it has been judged."""
import time

import pytest

from harness.rawclient import RawClient, errors, kinds, rows, states, tags

SQL = """
CREATE SCHEMA s;
CREATE TABLE s.person (person_id bigint PRIMARY KEY, town text, vip boolean);
CREATE TABLE s.note (note_id bigint PRIMARY KEY, person_id bigint REFERENCES s.person, body text, kind text);
INSERT INTO s.person SELECT n, 'York', n % 2 = 0 FROM generate_series(1, 20) AS n;
INSERT INTO s.note VALUES (5, 1, 'five', 'call');
INSERT INTO s.note SELECT n, 1 + n % 20, 'hidden', 'visit' FROM generate_series(10, 40) AS n;
"""
POLICY = """
controller: {name: Shop, dpo: {name: D, email: d@shop.example}}
subjects: {person: {dataset: person, key: person_id}}
datasets:
  person:
    table: s.person
    subject: {kind: person, key: person_id}
    columns: {person_id: {category: identifier}, town: {category: address}, vip: {}}
  note:
    table: s.note
    subject: {kind: person, via: [{dataset: person, on: person_id}]}
    columns: {note_id: {}, person_id: {category: identifier}, body: {category: x_note}, kind: {}}
partners:
  desk:
    contract: {agreement: A, breach_contact: {name: B, phone: "1"}}
    purposes: [support]
    agents: [{name: one, identity: {certificate: "spiffe://desk/one"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - dataset: person
        rows: "town = 'York' OR vip"
        columns: {person_id: clear, town: clear}
        write: {update: [town]}
      - dataset: note
        rows: "kind = 'call'"
        columns: {note_id: clear, person_id: clear, body: clear, kind: clear}
        write: {insert: [note_id, person_id, body, kind], update: [body]}
    budget: {subjects: {per_day: 1000, total: 1000}, rows_per_statement: 100000, errors_per_day: 5, probes_per_day: 1000}
"""


@pytest.fixture
def gateway(make_gateway, cluster):
    return make_gateway(policy_yaml=POLICY, database=cluster.create_database(sql=SQL))


def insert(numbers, more, body="x"):
    values = ", ".join(f"({n}, 1, '{body}', 'call')" for n in numbers)
    return f"INSERT INTO note (note_id, person_id, body, kind) VALUES {values} ON CONFLICT (note_id) {more}"


def probes(gateway):
    return [row["type"] for row in gateway.admin("SHOW LEDGER LAST 100")].count("probe")


def test_each_row_that_is_left_out_is_counted(gateway):
    client = RawClient(gateway, "desk.one")
    answer = client.query(insert([1, 10, 2, 11, 3], "DO NOTHING RETURNING note_id"))
    assert sorted(int(row[0]) for row in rows(answer)) == [1, 2, 3] and tags(answer) == ["INSERT 0 3"]
    assert probes(gateway) == 2
    client.close()


def test_no_list_of_keys_tells_which_of_them_are_hidden(gateway):
    client = RawClient(gateway, "desk.one")
    client.take()
    client.send(client.simple(insert(range(1, 31), "DO NOTHING RETURNING note_id")))
    answer = client.until_closed()
    assert [error["C"] for error in errors(answer)] == ["53400"] and "D" not in kinds(answer) and not tags(answer)
    until = time.monotonic() + 10
    while probes(gateway) < 6 and time.monotonic() < until:  # the last word does not wait for the ledger
        time.sleep(0.05)
    assert probes(gateway) == 6
    assert [row["outcome"] for row in gateway.admin("SHOW LEDGER LAST 100") if row["type"] == "change"] == []


def test_a_loader_that_leaves_out_itself_what_it_may_see_pays_only_for_the_hidden(gateway):
    """Loading the same rows again costs nothing then: the errors' budget here is five."""
    def load(numbers):
        values = ", ".join(f"({n}, 1, 'loaded', 'call')" for n in numbers)
        return client.query(f"INSERT INTO note (note_id, person_id, body, kind) SELECT * FROM (VALUES {values}) AS v (n, p, b, k)"
                            " WHERE NOT EXISTS (SELECT FROM note WHERE note_id = v.n) ON CONFLICT (note_id) DO NOTHING")

    client = RawClient(gateway, "desk.one")
    assert tags(load(range(100, 160))) == ["INSERT 0 60"]
    for _ in range(3):
        assert tags(load(range(100, 162))) in (["INSERT 0 2"], ["INSERT 0 0"])
    assert probes(gateway) == 0
    assert tags(load([100, 10, 162, 11])) == ["INSERT 0 1"]
    assert probes(gateway) == 2
    client.close()


def test_rows_that_would_leave_the_filter_are_not_told_one_by_one(gateway):
    """Who is a vip stays in the filter: RETURNING would show those, and NULLs for the others."""
    client = RawClient(gateway, "desk.one")
    answer = client.query("UPDATE person SET town = 'x' RETURNING person_id")
    assert states(answer) == ["44000"] and not rows(answer)
    assert probes(gateway) == 1
    client.close()


def many(hidden):
    """Seven thousand rows, far more than one batch; the last of them is in the way of a hidden one."""
    number = f"CASE WHEN n = 9000 THEN {hidden} ELSE n END"
    return (f"INSERT INTO note (note_id, person_id, body, kind) SELECT {number}, 1, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy', 'call' "
            "FROM generate_series(2000, 9000) AS n ON CONFLICT (note_id) DO UPDATE SET body = EXCLUDED.body RETURNING note_id, body")


def test_nothing_leaves_before_the_last_row_is_judged(gateway):
    client = RawClient(gateway, "desk.one")
    answer = client.query(many(10))
    assert states(answer) == ["23505"] and not rows(answer)
    answer = client.query(many(9000))
    assert len(rows(answer)) == 7001 and tags(answer) == ["INSERT 0 7001"]
    client.close()


def test_an_error_of_an_earlier_request_does_not_let_a_write_commit_unseen(gateway):
    """The error comes while the write waits for a lock; its own Sync waits for the ledger all the same."""
    client = RawClient(gateway, "desk.one")
    client.query("SELECT person_id FROM person LIMIT 1")
    with gateway.cluster.connect(gateway.database) as server:
        server.execute("BEGIN")
        server.execute("SELECT FROM s.note WHERE note_id = 5 FOR UPDATE")
        client.send(client.parse("SELECT nosuch.nosuch"), client.parse("SELECT 1 / 0"), client.SYNC,
                    client.parse("SELECT 1 / 0"), client.bind(), client.execute(), client.SYNC,
                    client.parse("UPDATE note SET body = 'new' WHERE note_id = 5"), client.bind(), client.execute(), client.SYNC)
        client.until_ready()
        assert states(client.until_ready()) == ["22012"]
        time.sleep(0.5)
        server.execute("ROLLBACK")
    answer = client.until_ready()
    assert states(answer) == [] and tags(answer) == ["UPDATE 1"], answer
    types = [row["type"] for row in gateway.admin("SHOW LEDGER LAST 100")]
    assert types.count("change") == 1 and types.count("change-end") == 1
    client.close()

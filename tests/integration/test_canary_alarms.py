"""Whoever names an invented person of a delivery is told on: by any value that is nobody else's, in any way to name it; louder where another partner does; and contained where the policy says so."""
import contextlib
import hashlib
import json
import sqlite3
import time

import psycopg
import pytest

from harness import places

SQL = """
CREATE SCHEMA crm;
CREATE TABLE crm.person (id bigint PRIMARY KEY, full_name text, email text, phone text, born date);
INSERT INTO crm.person SELECT 7 * n, 'Real Person' || chr(64 + n % 26), 'p' || n || '@mail.example',
       '+44 7123 4' || lpad(n::text, 5, '0'), date '1950-01-01' + n * 37 FROM generate_series(1, 200) AS n;
CREATE TABLE crm.note (note_id bigint PRIMARY KEY, body text);
ANALYZE;
"""
PARTNER = """
  {name}:
    contract: {{agreement: DPA-1, breach_contact: {{name: A. Contact, phone: "+44 1632 960001"}}}}
    purposes: [delivery]
    agents: [{{name: cert, identity: {{certificate: "spiffe://{name}/cert"}}}},
             {{name: job, identity: {{scram: secrets/{name}-job.scram}}}}]
    valid: {{from: 2020-01-01, until: 2099-12-31}}
    grants:
      - {{dataset: person, columns: {{id: clear, full_name: clear, email: clear, phone: clear, born: clear}}}}
      - {{dataset: note, columns: {{note_id: clear, body: clear}}, write: {{insert: [note_id, body]}}}}
    budget: {{subjects: {{per_day: 100000, total: 1000000}}, rows_per_statement: 1000000}}{more}"""
POLICY = """
controller: {name: Shop, dpo: {name: D. Officer, email: dpo@shop.example}}
subjects: {person: {dataset: person, key: id}}
datasets:
  person:
    table: crm.person
    subject: {kind: person, key: id}
    columns: {id: {}, full_name: {category: name}, email: {category: email}, phone: {category: phone},
              born: {category: date_of_birth}}
  note:
    table: crm.note
    subject: none
    columns: {note_id: {}, body: {}}
partners:""" + PARTNER.format(name="acme", more="") + PARTNER.format(name="rival", more="") + PARTNER.format(
    name="strict", more="\n    alarms: {canary: contain}") + "\n"


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY, sql=SQL, config={
        "canaries": {"mailbox_domain": "post-box.example", "mailbox_folder": "canary-mail"}, "alarms": {"interval_s": 86400}})


def export(gateway, count=5):
    """A delivery to acme: its id, and its canaries as dicts of columns."""
    folder = places.make_folder("canaries")
    folder.chmod(0o777)
    told = json.loads(gateway.cli("export", "--partner", "acme", "--canaries", str(count), "--json",
                                  "SELECT * FROM person ORDER BY id", str(folder / "people.csv")))
    rows = {}
    with contextlib.closing(sqlite3.connect(f"file:{gateway.state_dir}/deliveries.sqlite?mode=ro", uri=True)) as file:
        for row, column, value in file.execute("SELECT row, column, value FROM canary WHERE delivery = ?", (told["delivery"],)):
            rows.setdefault(row, {})[column] = value
    places.remove_folder(folder)
    return told["delivery"], list(rows.values())


@pytest.fixture
def delivery(gateway):
    """A new one for each test, so that no alarm is merely counted."""
    return export(gateway)


def alarms(gateway, delivery, least=0):
    """Those about the delivery, oldest first."""
    deadline = time.monotonic() + 5
    while True:
        found = [row for row in reversed(gateway.admin("SHOW ALARMS")) if row["about"] == delivery]
        if len(found) >= least or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


def by_literal(connection, canary):
    connection.execute(f"SELECT full_name FROM person WHERE email = '{canary['email']}'")


def by_parameter(connection, canary):
    connection.execute("SELECT full_name FROM person WHERE email = %s", (canary["email"].upper(),))


def by_national_number(connection, canary):
    national = "0" + canary["phone"].replace(" ", "").removeprefix("+44")
    connection.execute("SELECT full_name FROM person WHERE phone = %s", (national,))


def by_array(connection, canary):
    connection.execute("SELECT full_name FROM person WHERE email = ANY(%s)", (["a@b.example", canary["email"]],))


def behind_many(connection, canary):
    """Nobody hides among others, nor behind one that is very long."""
    others = ["x" * 70000] + [f"somebody{n}@mail.example" for n in range(5000)]
    connection.execute("SELECT full_name FROM person WHERE email = ANY(%s)", (others + [canary["email"]],))


def by_name_and_birth(connection, canary):
    connection.execute(f"SELECT id FROM person WHERE full_name = '{canary['full_name']}' AND born = %s", (canary["born"],))


def by_key(connection, canary):
    connection.execute("SELECT full_name FROM person WHERE id = %s", (int(canary["id"]),))


def by_execute(connection, canary):
    connection.execute("PREPARE find(text) AS SELECT id FROM person WHERE email = $1")
    connection.execute(f"EXECUTE find('{canary['email']}')")


def by_writing(connection, canary):
    connection.execute("INSERT INTO note (note_id, body) VALUES (1, %s)", (canary["email"],))


def by_copying(connection, canary):
    with connection.cursor().copy("COPY note (note_id, body) FROM STDIN") as copy:
        copy.write_row((2, canary["email"]))


WAYS = [by_literal, by_parameter, by_national_number, by_array, behind_many, by_name_and_birth, by_key, by_execute, by_writing, by_copying]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_whoever_was_given_it_is_told_on(gateway, delivery, way):
    name, canaries = delivery
    with gateway.connect("acme.cert") as connection:
        way(connection, canaries[0])
    found = alarms(gateway, name, 1)
    assert [(row["rule"], row["partner"], row["agent"], row["contained"]) for row in found] == [
        ("canary-looked-up", "acme", "cert", None)]
    told = found[0]["text"].replace(name, "")  # a key of three digits may be in a date or the delivery's own name
    assert not any(value in told for value in canaries[0].values()), told


def test_another_partner_is_louder_and_the_same_is_counted(gateway, delivery):
    name, canaries = delivery
    for canary in canaries:
        with gateway.connect("rival.cert") as connection:
            by_parameter(connection, canary)
    found = alarms(gateway, name, 1)
    assert [(row["rule"], row["partner"]) for row in found] == [("canary-crossed", "rival")]
    assert "which acme was given and nobody else" in found[0]["text"]
    deadline = time.monotonic() + 5
    while alarms(gateway, name)[0]["repeats"] != "4" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alarms(gateway, name)[0]["repeats"] == "4"
    assert "level=error event=alarm " in gateway.log_text()


def test_names_alone_dates_alone_and_real_people_raise_nothing(gateway, delivery):
    name, canaries = delivery
    with gateway.connect("acme.cert") as connection:
        for canary in canaries:
            connection.execute("SELECT id FROM person WHERE full_name = %s", (canary["full_name"],))
            connection.execute("SELECT id FROM person WHERE born = %s", (canary["born"],))
        names, dates = ([canary[column] for canary in canaries] * 5 for column in ("full_name", "born"))
        connection.execute("SELECT id FROM person WHERE full_name = ANY(%s) OR born = ANY(%s::date[])", (names, dates))
        connection.execute("SELECT id FROM person WHERE email = 'p7@mail.example' AND phone = '+44 7123 400007' AND id = 49")
    gateway.admin("TEST ALARMS")
    assert alarms(gateway, name) == []


def test_the_policy_may_contain_before_an_answer(gateway, delivery):
    name, canaries = delivery
    with pytest.raises(psycopg.Error, match="strict is contained"):
        with gateway.connect("strict.cert") as connection:
            connection.execute("SELECT full_name, %s::text FROM person", (canaries[0]["email"],))
    with pytest.raises(psycopg.OperationalError, match="contain"):
        gateway.connect("strict.job")
    assert [(row["rule"], row["contained"]) for row in alarms(gateway, name, 1)] == [("canary-crossed", "partner")]
    texts = [(entry.get("partner"), entry.get("text", "")) for entry in gateway.ledger()]
    assert any(partner == "strict" and text.startswith("contain by=alarm") for partner, text in texts)
    assert not any(entry["type"] == "disclosure" and entry.get("partner") == "strict" for entry in gateway.ledger())


def test_they_are_watched_for_after_a_restart(gateway):
    name, canaries = export(gateway)
    gateway.restart()
    with gateway.connect("acme.job") as connection:
        by_literal(connection, canaries[2])
    assert [row["agent"] for row in alarms(gateway, name, 1)] == ["job"]


def deliver(gateway, name, to, header="To: undisclosed-recipients:;", body="Dear customer"):
    """As the mail server does it; then one round of the worker. Whether the mail was taken."""
    folder = gateway.folder / "canary-mail"
    for part in ("tmp", "new", "cur"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "new" / name).write_text(
        f"Delivered-To: {to}\nFrom: Offers <news@Shop-Window.example>\nMessage-ID: <m.1@shop-window.example>\n{header}\n\n{body}\n")
    for path in [folder, *folder.rglob("*")]:
        places.own(path, gateway.user)
    gateway.cli("worker", "--once")
    assert (folder / "cur" / f"{name}:2,S").exists() != (folder / "new" / name).exists()
    return (folder / "cur" / f"{name}:2,S").exists()


def test_mail_to_an_invented_address_names_the_delivery(gateway, delivery):
    name, canaries = delivery
    assert deliver(gateway, f"first-{name}", canaries[0]["email"].upper(), body="secret words")
    (found,) = alarms(gateway, name, 1)
    assert (found["rule"], found["partner"], found["agent"], found["contained"]) == ("canary-mailed", "acme", None, None)
    sha = hashlib.sha256(b"m.1@shop-window.example").hexdigest()[:32]
    assert "from shop-window.example" in found["text"] and sha in found["text"], found
    assert not any(text in json.dumps(found) for text in (canaries[0]["email"], "secret", "Offers", "m.1@"))
    # The same delivery again within the interval is counted; both recipients of one mail are one alarm.
    assert deliver(gateway, f"second-{name}", canaries[1]["email"], header=f"Cc: {canaries[2]['email']}")
    deadline = time.monotonic() + 5
    while (counted := alarms(gateway, name))[0]["repeats"] != "1" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(counted) == 1 and counted[0]["repeats"] == "1", counted
    with gateway.connect("acme.cert") as connection:  # anybody may send mail: nobody is cut off
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_other_mail_to_that_domain_stays_and_raises_nothing(gateway, delivery):
    name, canaries = delivery
    before = len(gateway.admin("SHOW ALARMS"))
    assert not deliver(gateway, f"spam-{name}", "info@post-box.example")
    assert not deliver(gateway, f"elsewhere-{name}", canaries[0]["email"].replace("post-box", "post-bag"))
    assert not deliver(gateway, f"quoted-{name}", "x@post-box.example", body=f"To: {canaries[0]['email']}")
    assert len(gateway.admin("SHOW ALARMS")) == before


def test_mail_waits_while_the_gateway_does_not_run(gateway, delivery):
    name, canaries = delivery
    assert gateway.stop() == 0
    with pytest.raises(RuntimeError, match="Is the gateway running"):
        deliver(gateway, f"early-{name}", canaries[0]["email"])
    assert (gateway.folder / f"canary-mail/new/early-{name}").exists()
    gateway.start()
    gateway.cli("worker", "--once")
    assert (gateway.folder / f"canary-mail/cur/early-{name}:2,S").exists()
    assert [row["rule"] for row in alarms(gateway, name, 1)] == ["canary-mailed"]

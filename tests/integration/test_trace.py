"""A leaked sample is held against the ledger: whose copy it can have come from, why, and when one cannot tell."""
import contextlib
import datetime
import json
import os
import pty
import sqlite3
import time

import pytest

from harness import places

SQL = """
CREATE SCHEMA shop;
CREATE TABLE shop.person (person_id bigint PRIMARY KEY, full_name text, phone text, email text, postcode text, born date);
INSERT INTO shop.person
SELECT n, chr(65 + n % 26) || 'nn Person ' || n, '+44 7700 9' || lpad(n::text, 5, '0'), 'p' || n || '@example.org',
       'YO' || n || ' 1AB', date '1950-01-02' + n * 100
  FROM generate_series(1, 200) AS n;
ANALYZE;
"""


def partner(name, columns, extra=""):
    return f"""
  {name}:
    contract: {{agreement: DPA-{name}, breach_contact: {{name: A. Contact, phone: "+44 1632 960001"}}{extra}}}
    purposes: [delivery]
    agents:
      - {{name: cert, identity: {{certificate: "spiffe://{name}/cert"}}}}
      - {{name: night, identity: {{certificate: "spiffe://{name}/night"}}}}
    valid: {{from: 2020-01-01, until: 2099-12-31}}
    grants:
      - {{dataset: person, columns: {{{columns}}}}}
    budget: {{subjects: {{per_day: 100000, total: 1000000}}, rows_per_statement: 1000000}}"""


POLICY = """
controller: {name: Shop, dpo: {name: D. Officer, email: dpo@shop.example}}
subjects:
  person: {dataset: person, key: person_id, contact: {name: full_name, email: email, phone: phone, post: [postcode],
           birth_date: born}}
datasets:
  person:
    table: shop.person
    subject: {kind: person, key: person_id}
    columns:
      person_id: {}
      full_name: {category: name}
      phone: {category: phone}
      email: {category: email}
      postcode: {category: address}
      born: {category: date_of_birth}
partners:""" + partner("north", "person_id: clear, full_name: clear, phone: last4, email: clear, postcode: clear",
                       ", sub_processors: [Haulage Ltd]") + partner(
    "south", "person_id: token, full_name: clear, email: clear, phone: clear, postcode: postcode_area, born: year") + partner(
    "west", "person_id: clear, full_name: initial, email: clear, phone: clear, postcode: clear, born: month")

BY_NORTH, BY_SOUTH, BY_WEST = range(1, 61), range(1, 41), range(20, 81)


@pytest.fixture(scope="module")
def world(make_module_gateway):
    """north has had people 1 to 60, south 1 to 40, west 20 to 80: 61 to 80 at night, and 1 to 10 later than .before."""
    gateway = make_module_gateway(policy_yaml=POLICY, sql=SQL, contact=True,
                                  config={"canaries": {"mailbox_domain": "letters.example"}})
    gateway.rows("north.cert", "SELECT person_id, full_name, phone, email, postcode FROM person WHERE person_id <= 60")
    gateway.tokens = [row[0] for row in gateway.rows(
        "south.cert", "SELECT person_id, full_name, phone, email, born FROM person WHERE email = ANY (%s) ORDER BY email",
        [[f"p{n}@example.org" for n in BY_SOUTH]])]
    west = "SELECT person_id, full_name, phone, email, born FROM person WHERE person_id BETWEEN {} AND {}"
    gateway.rows("west.cert", west.format(20, 60))
    gateway.rows("west.night", west.format(61, 80))
    time.sleep(1.1)
    gateway.before = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    gateway.rows("west.cert", west.format(1, 10))
    return gateway


def trace(gateway, text, *options, fails=False, name="sample.csv"):
    """What `cofferdam trace --json` says of a file with this text; its error where it must fail."""
    path = gateway.folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o644)
    code, output, errors = gateway.cli("trace", path, *options, *([] if fails else ["--json"]), check=False)
    assert (code != 0) == fails, (code, output, errors)
    return errors if fails else json.loads(output)


def copies(report):
    return {source["copy"]: source for source in report["sources"]}


def column(report, name):
    return next(column for column in report["columns"] if column["column"] == name)


def whys(report):
    return [record["why"] for record in report["deciding"]]


def initial(n):
    return chr(65 + n % 26) + "."


def test_forms_name_the_copy(world):
    """All three had these people, but only one had a name's initial beside the whole telephone number."""
    report = trace(world, "person_id,full_name,phone,email\n" + "".join(
        f"{n},{initial(n)},+44 7700 9{n:05},p{n}@example.org\n" for n in range(21, 40)))
    assert report["verdict"] == "this copy" and report["sources"][0]["copy"] == "west", report
    assert report["sources"][0]["posterior"] > 0.99 and report["recognised"] == report["by_key"] == 19, report
    assert report["deciding_for"] == 19 and report["deciding_against"] == 0, report
    assert any(why.startswith("form: ") and "had full_name as clear, here it is initial" in why for why in whys(report)), report
    assert report["compared_with"] == "north" and [part["agent"] for part in report["parts"]] == ["cert"], report
    phone = column(report, "phone")
    assert phone["fit"] == 19 and phone["told_by"] == "name" and phone["targets"] == ["person.phone"], phone


def test_masked_telephone_numbers_are_the_copy_that_was_given_them(world):
    report = trace(world, "customer;mobile\n" + "".join(
        f"p{n}@example.org;***{n % 10000:04}\n" for n in range(21, 40)), "--column", "customer=person.email")
    assert report["verdict"] == "this copy" and report["sources"][0]["copy"] == "north", report
    assert report["by_contact"] == 19 and column(report, "mobile")["told_by"] == "meaning", report
    assert copies(report)["west"]["records"] == copies(report)["south"]["records"] == 0, report
    assert report["sources"][0]["passed_on"] == pytest.approx(report["sources"][0]["posterior"] / 2)
    assert any(note.startswith("south had 19 of these records in clear") for note in report["notes"]), report
    assert any("Haulage Ltd" in note for note in report["notes"]), report
    assert any("in one statement" in note for note in report["notes"]), report


def test_the_same_holdings_cannot_be_told_apart(world):
    """E-mail addresses went to all three in clear."""
    report = trace(world, "".join(f"p{n}@example.org\n" for n in range(20, 41)))
    assert report["verdict"] == "cannot tell" and "times as probable" in report["why"], report
    found = copies(report)
    assert found["north"]["records"] == found["south"]["records"] == found["west"]["records"] == 21, report
    assert found["north"]["posterior"] == pytest.approx(found["west"]["posterior"]) == pytest.approx(found["south"]["posterior"])
    assert any("exactly the same of these records" in note for note in report["notes"]), report
    told = world.cli("trace", world.folder / "sample.csv")
    assert "Verdict: cannot tell" in told and "p20@" not in told, told
    assert "probability of guilt" not in told and "compan" not in told, told
    report = trace(world, "".join(f"p{n}@example.org\n" for n in range(20, 41)), "--prior", "south=0.9")
    assert report["verdict"] == "this copy" and report["sources"][0]["copy"] == "south", report


def test_people_whom_one_alone_had(world):
    report = trace(world, '{"email": "p1@example.org"}\n' + "".join(
        json.dumps({"email": f"P{n}@example.org", "more": {"x": [n]}}) + "\n" for n in range(61, 70)))
    assert report["verdict"] == "this copy" and report["sources"][0]["copy"] == "west", report
    assert report["parts"][0]["agent"] == "night" and report["parts"][0]["posterior"] > 0.99, report
    assert "person: north had nothing of this person; no other copy had it" in whys(report), report
    small = trace(world, "email\np61@example.org\np62@example.org\n")
    assert small["verdict"] == "cannot tell" and "too small" in small["why"], small
    assert trace(world, "email\np61@example.org\n", "--ratio", "2")["verdict"] == "cannot tell"


def test_a_token_names_its_copy_at_once(world):
    report = trace(world, f"who,note\n{world.tokens[3]},x\nt{'0' * 32},y\n")
    assert report["verdict"] == "this copy" and report["sources"][0]["copy"] == "south", report
    assert report["by_token"] == 1 and report["unknown_lines"] == [3] and report["sources"][0]["posterior"] > 0.9999, report
    assert whys(report) == ["token: made for south alone"], report


def test_what_was_given_after_the_leak_is_not_in_it(world):
    """West had people 1 to 10 only later; south had them before, by token and whole name."""
    text = "email,phone\n" + "".join(f"p{n}@example.org,+44 7700 9{n:05}\n" for n in range(1, 11))
    now = trace(world, text)
    assert now["verdict"] == "cannot tell" and copies(now)["west"]["records"] == 10, now
    before = trace(world, text, "--leaked-before", world.before)
    assert before["verdict"] == "this copy" and before["sources"][0]["copy"] == "south", before
    assert copies(before)["west"]["records"] == 0, before
    west = trace(world, text, "--leaked-before", world.before, "--prior", "west=0.4,south=0.4,north=0,outside=0")
    assert west["sources"][1]["copy"] == "west", west
    assert whys(west)[0].startswith("time: west had it only after the leak, on 20"), west
    never = trace(world, text, "--leaked-before", "2020-01-01")
    assert never["verdict"] == "cannot tell" and never["records_of_no_copy"] == 10, never


def test_dates_masked_by_the_built_in_masks(world):
    """A year and the first of a month, of the same birthdays."""
    born = [(n, datetime.date(1950, 1, 2) + datetime.timedelta(days=100 * n)) for n in range(21, 40)]
    years = trace(world, "email,born\n" + "".join(f"p{n}@example.org,{day.year}\n" for n, day in born))
    assert years["sources"][0]["copy"] == "south" and years["verdict"] == "this copy", years
    months = trace(world, "email,dob\n" + "".join(f"p{n}@example.org,{day:%Y-%m}-01\n" for n, day in born))
    assert months["sources"][0]["copy"] == "west" and months["verdict"] == "this copy", months
    assert column(months, "dob")["fit"] == 19, months


def test_people_of_nobody_and_people_never_disclosed(world):
    report = trace(world, "email\np150@example.org\nnobody@example.org\np151@example.org\n")
    assert report["undisclosed"] == 2 and report["unknown_lines"] == [3] and report["records"] == 0, report
    assert report["verdict"] == "cannot tell" and "nobody was recognised" in report["why"], report
    by_key = trace(world, "person_id\n150\n999\n30\n")
    assert by_key["undisclosed"] == 1 and by_key["unknown_lines"] == [3] and by_key["records"] == 1, by_key


def test_what_is_read_is_in_the_ledger_and_nothing_is_kept(world):
    last = max(int(entry["sequence"]) for entry in world.ledger())
    trace(world, "email,full_name\np33@example.org,Person\np160@example.org,x\n")
    ours = {str(entry["sequence"]) for entry in world.ledger() if entry["purpose"] == "trace"}
    read = {row["subject"] for row in world.admin(f"SHOW DISCLOSED AFTER {last}") if str(row["sequence"]) in ours}
    assert read == {"33"}, read
    (world.folder / "sample.csv").unlink()
    everything = b"".join(path.read_bytes() for path in world.folder.rglob("*") if path.is_file())
    assert b"p33@example.org" not in everything


def test_files_of_another_form_are_refused_with_a_hint(world):
    cases = [("colour,size\nred,1\n", [], "no column leads to a person", "--column"),
             ('[{"email": "a@b.example"}]', [], "a JSON array", "jq"),
             ('{"email": "a@b.example"}\n{"email":\n', [], "line 2: it is not one JSON object", "one JSON object a line"),
             ("email\np1@example.org,too,many\n", [], "line 2 has 3 fields", "quote"),
             ("email\n", [], "no line of data", "CSV"),
             ("", [], "no line of data", "CSV"),
             (b"\xff\xfee\x00m\x00", [], "UTF-16", ""),
             ("email,email\na@b.example,x\n", [], "the same name", "name of its own"),
             ("email\na@b.example\n", ["--column", "mail=person.email"], 'no column "mail"', "email"),
             ("email\na@b.example\n", ["--column", "email=person.mail"], "no column person.mail", "policy"),
             ("email\na@b.example\n", ["--prior", "south=0.9,west=0.2"], "more than 1", ""),
             ("email\na@b.example\n", ["--prior", "east=0.2"], 'no partner "east"', "outside"),
             ("email\na@b.example\n", ["--elsewhere", "2"], "from 0 to 1", ""),
             ("email\na@b.example\n", ["--format", "jsonl"], "line 1", "JSON")]
    for text, options, message, hint in cases:
        told = trace(world, text, *options, fails=True)
        assert message in told and hint in told, (text, told)
        assert "a@b" not in told, told


def test_without_the_database_keys_and_looks_are_compared(make_gateway):
    gateway = make_gateway(policy_yaml=POLICY, sql=SQL)
    gateway.rows("north.cert", "SELECT person_id, full_name, phone FROM person WHERE person_id <= 20")
    gateway.rows("west.cert", "SELECT person_id, full_name, phone FROM person WHERE person_id <= 20")
    report = trace(gateway, "person_id,full_name,phone\n" + "".join(
        f"{n},{initial(n)},+44 7700 9{n:05}\n" for n in range(1, 6)))
    assert report["without_database"] and report["verdict"] == "this copy" and report["sources"][0]["copy"] == "west", report
    gateway.stop()
    report = trace(gateway, "person_id,full_name\n" + "".join(f"{n},Ann Person {n}\n" for n in range(1, 6)))
    assert report["sources"][0]["copy"] == "north" and report["recognised"] == 5, report


def test_a_copy_of_an_earlier_policy_is_not_excluded_by_masks_of_this_one(make_gateway):
    """North had the last four digits; by now the policy gives it none."""
    gateway = make_gateway(policy_yaml=POLICY, sql=SQL, contact=True)
    gateway.rows("north.cert", "SELECT email, phone FROM person WHERE person_id <= 20")
    text = "email,phone\n" + "".join(f"p{n}@example.org,***{n:04}\n" for n in range(1, 10))
    assert copies(trace(gateway, text))["north"]["records"] == 9
    gateway.reload(POLICY.replace("phone: last4", "phone: redact"))
    gateway.rows("north.cert", "SELECT email, phone FROM person WHERE person_id BETWEEN 50 AND 60")
    report = trace(gateway, text)
    assert report["verdict"] == "this copy" and report["sources"][0]["copy"] == "north", report
    later = trace(gateway, "email,phone\n" + "".join(f"p{n}@example.org,***{n:04}\n" for n in range(50, 60)))
    assert later["records_of_no_copy"] == 10 and later["verdict"] == "cannot tell", later


def answer(gateway, path, typed):
    """(exit code, standard output, what the terminal showed) of a trace that may ask."""
    ours, theirs = pty.openpty()
    os.write(ours, typed)
    command = [gateway.program, "trace", path, "-c", gateway.config]
    process = places.popen_as(gateway.user, command, stdin=theirs, stderr=theirs, stdout=-1, text=True)
    output = process.communicate(timeout=30)[0]
    os.close(theirs)
    told = b""
    try:
        while part := os.read(ours, 65536):
            told += part
    except OSError:  # how a terminal whose other side is closed ends
        pass
    os.close(ours)
    return process.returncode, output, told.decode()


def test_on_a_terminal_the_columns_are_confirmed(world):
    path = world.folder / "asked.csv"
    path.write_text("email,colour\np21@example.org,red\np22@example.org,blue\np199@example.org,blue\n")
    path.chmod(0o644)
    code, output, told = answer(world, path, b"n\n")
    assert code == 1 and output == "" and "nothing was judged" in told and "--column" in told, (output, told)
    rows = {line.split()[0]: line.split()[1:] for line in told.splitlines() if len(line.split()) > 1}
    assert rows["email"] == ["person.email", "name", "3", "email", "(3)", "3"] and rows["colour"][:2] == ["not", "compared"], told
    code, output, told = answer(world, path, b"y\n")
    assert code == 0 and "Verdict: cannot tell" in output and "Are these columns right?" in told, (output, told)


@pytest.fixture(scope="module")
def delivery(world):
    """(id, rows) of a delivery to north of people 1 to 60, with three canaries."""
    path = world.folder / "north.csv"
    sql = "SELECT person_id, full_name, phone, email, postcode FROM person WHERE person_id <= 60"
    told = json.loads(world.cli("export", "--partner", "north", "--canaries", "3", "--json", sql, path))
    lines = path.read_text().splitlines()
    real = {str(n) for n in range(1, 201)}
    canaries = [line for line in lines[1:] if line.split(",")[0] not in real]
    assert len(canaries) == 3 == told["canaries"], told
    return told["delivery"], lines[0], canaries


def test_a_canary_names_its_delivery_at_once(world, delivery):
    """Everybody had these addresses; one line is of a person who was invented for one file."""
    identity, header, canaries = delivery
    same = "".join(f"p{n}@example.org\n" for n in range(20, 30))
    invented = canaries[0].split(",")
    email = invented[header.split(",").index("email")]
    report = trace(world, "email\n" + same + email + "\n")
    assert report["verdict"] == "this copy" and report["sources"][0]["copy"] == "north", report
    assert report["by_canary"] == 1 and report["unknown"] == 0 and report["sources"][0]["posterior"] > 0.9999, report
    assert whys(report)[0] == f"canary: invented for delivery {identity} to north", report
    assert report["parts"][0]["delivery"] == identity and report["parts"][0]["posterior"] > 0.99, report
    alone = trace(world, header + "\n" + canaries[1] + "\n")
    assert alone["verdict"] == "this copy" and alone["records"] == 1 and alone["by_canary"] == 1, alone
    twice = trace(world, header + "\n" + (canaries[1] + "\n") * 3)
    assert twice["records"] == 1 and twice["deciding"][0]["lines"] == 3, twice
    early = trace(world, header + "\n" + canaries[1] + "\n", "--leaked-before", world.before)
    assert early["verdict"] == "cannot tell" and early["records_of_no_copy"] == 1, early


@contextlib.contextmanager
def changed(world, sql, *values):
    """deliveries.sqlite with a change in it by somebody who can write the file."""
    path = world.state_dir / "deliveries.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        file.execute(sql, values)
    try:
        yield
    finally:
        with contextlib.closing(sqlite3.connect(path)) as file, file:
            file.execute("DELETE FROM canary WHERE column = 'forged'")
            file.execute("UPDATE delivery SET partner = 'north'")
            file.execute("UPDATE canary SET value = substr(value, 2) WHERE value LIKE '~%'")


@pytest.mark.parametrize("sql", [
    "UPDATE canary SET value = '~' || value WHERE canary_id = (SELECT min(canary_id) FROM canary)",
    "INSERT INTO canary SELECT NULL, delivery, 9, 'forged', '', '', '', 'clear', 'x@forged.example', 1 FROM canary LIMIT 1",
])
def test_canaries_that_the_ledger_does_not_know_accuse_nobody(world, delivery, sql):
    header, canaries = delivery[1:]
    with changed(world, sql):
        report = trace(world, header + "\n" + canaries[1] + "\n" + ",,,x@forged.example,\n")
    assert report["by_canary"] == 0 and report["verdict"] == "cannot tell", report
    assert any("deliveries.sqlite was changed" in note and delivery[0] in note for note in report["notes"]), report
    assert any("count for nothing: they are not those" in note for note in report["notes"]), report


def test_a_canary_is_of_the_partner_whom_the_ledger_names(world, delivery):
    with changed(world, "UPDATE delivery SET partner = 'south'"):
        report = trace(world, delivery[1] + "\n" + delivery[2][1] + "\n")
    assert report["verdict"] == "this copy" and report["sources"][0]["copy"] == "north", report


def test_canaries_that_never_went_out_accuse_nobody(world):
    (opened, *_) = world.admin("DELIVERY OPEN PARTNER 'north' FILE '/x' FORMAT 'csv' CANARIES '1' STATEMENT "
                               "'SELECT email FROM person'")
    world.admin(f"DELIVERY CANARIES '{opened['delivery']}' CELLS '1\temail\tperson.email\t\t\tclear\t1\tf@forged.example\n'")
    world.admin(f"DELIVERY CLOSE '{opened['delivery']}' OUTCOME 'given up'")
    report = trace(world, "email\nf@forged.example\n")
    assert report["by_canary"] == 0 and report["verdict"] == "cannot tell", report
    assert any("no file of it was ever made" in note for note in report["notes"]), report


def test_a_key_that_somebody_has_been_given_since_accuses_nobody(world, delivery):
    """Tables have no gaps: what was invented above the greatest key may be a customer's later."""
    header, canaries = delivery[1:]
    key = canaries[0].split(",")[header.split(",").index("person_id")]
    assert int(key) > 200
    assert trace(world, f"person_id\n{key}\n")["by_canary"] == 1
    world.cluster.script(world.database, f"INSERT INTO shop.person (person_id, full_name) VALUES ({key}, 'New Customer')")
    try:
        report = trace(world, f"person_id\n{key}\n")
    finally:
        world.cluster.script(world.database, f"DELETE FROM shop.person WHERE person_id = {key}")
    assert report["by_canary"] == 0 and report["verdict"] == "cannot tell", report


def test_a_canary_of_what_is_attested_as_deleted_casts_doubt(world, delivery):
    time.sleep(1.1)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    world.cli("exposure", "deletion", "--partner", "north", "--before", now, "--request", "REQ-7", "--method", "shredded")
    report = trace(world, delivery[1] + "\n" + "\n".join(delivery[2]) + "\n")
    assert any("REQ-7" in note and "casts doubt" in note and delivery[0] in note for note in report["notes"]), report
    assert report["verdict"] == "this copy", report


def test_what_is_attested_as_deleted_is_said_beside_the_copy(world):
    """Of people 61 to 64, whom west alone had; one of them was given again. No figure changes."""
    text = "email\n" + "".join(f"p{n}@example.org\n" for n in range(61, 70))
    before = trace(world, text)
    assert before["sources"][0]["copy"] == "west" and before["sources"][0]["deleted"] == 0, before
    time.sleep(1.1)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    listed = world.folder / "deleted.txt"
    listed.write_text("61\n62\n63\n64\n")
    listed.chmod(0o644)
    world.cli("exposure", "deletion", "--partner", "west", "--before", now, "--request", "REQ-9", "--method", "shredded",
              "--kind", "person", "--keys", listed)
    world.rows("west.cert", "SELECT email FROM person WHERE person_id = 61")
    report = trace(world, text)
    west = report["sources"][0]
    assert west["copy"] == "west" and west["deleted"] == 3 and west["deletion_request"] == "REQ-9", report
    assert west["posterior"] == before["sources"][0]["posterior"] and west["deletion_attested"] >= now, report
    assert any("of the 9 records that west had, it attested 3 as deleted" in note.lower() for note in report["notes"]), report
    assert "said deleted" in world.cli("trace", world.folder / "sample.csv")
    early = trace(world, text, "--leaked-before", now)
    assert early["sources"][0]["records"] == 9 and early["sources"][0]["deleted"] == 0, early

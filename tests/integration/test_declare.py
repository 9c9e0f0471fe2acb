"""What staff tell of partners is in the ledger for good: exports made elsewhere, and deletions that a partner attests."""
import hashlib
import json

import pytest

ALL = "SELECT person_id, full_name FROM person ORDER BY person_id"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway()


@pytest.fixture
def keys(gateway):
    """Writes a file of keys that the gateway's user can read, and returns its path."""
    def write(content, name="keys.txt"):
        path = gateway.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path
    return write


def declare(gateway, path, *more, partner="acme", columns="person.full_name,phone:masked", check=True):
    return gateway.cli("exposure", "declare", "--partner", partner, "--columns", columns, "--keys", path,
                       "--reason", "a file by mail", *more, check=check)


def exposure(gateway, partner="acme"):
    found = [row for row in gateway.admin("SHOW EXPOSURE") if row["partner"] == partner]
    return {name: int(found[0][name]) for name in ("subjects", "direct", "declared")} if found else None


def numbers(first, last):
    return "".join(f"{n}\n" for n in range(first, last + 1))


def test_a_declared_export_counts_from_then_on(gateway, keys):
    gateway.rows("acme.cert", "SELECT person_id FROM person WHERE person_id IN (1, 2, 3)")
    printed = declare(gateway, keys(numbers(3, 12)), "--at", "2026-03-02T10:30:00Z", "--purpose", "delivery")
    assert "data of 10 persons" in printed and "9 new to the ledger" in printed
    expected = {"subjects": 12, "direct": 3, "declared": 10}
    assert exposure(gateway) == expected
    gateway.restart()
    assert exposure(gateway) == expected
    gateway.kill9()
    gateway.start()
    assert exposure(gateway) == expected
    rows = gateway.cli_json("subject", "person", "12")["rows"]
    assert {(row["column"], row["form"], row["grade"], row["first"]) for row in rows} == {
        ("full_name", "clear", "declared", "2026-03-02T10:00:00Z"),
        ("phone", "masked", "declared", "2026-03-02T10:00:00Z")}
    assert {row["category"] for row in gateway.admin("SHOW CATEGORIES PARTNER 'acme'")} == {"name", "phone"}
    assert "phone" not in {row["category"] for row in gateway.admin("SHOW NEVER PARTNER 'acme'")}
    assert exposure(gateway, "rival") is None


def test_the_entry_says_what_and_why(gateway, keys):
    declare(gateway, keys(numbers(1, 4)), "--at", "2026-03-02", "--by", "D. Officer")
    entry = gateway.ledger(1)[0]
    assert (entry["type"], entry["partner"], entry["subjects"]) == ("declared", "acme", 4)
    assert entry["text"] == "person.full_name:clear:name\nperson.phone:masked:phone\n"
    rows = {row["subject"]: (row["grade"], row["columns"]) for row in gateway.admin("SHOW DISCLOSED AFTER -1")}
    assert set(rows) == {"1", "2", "3", "4"}


def test_budgets_are_not_charged(gateway, keys):
    declare(gateway, keys(numbers(1, 50)))
    assert [row["used"] for row in gateway.admin("SHOW BUDGET PARTNER 'acme'")] == ["0"] * 4


def test_a_spreadsheet_with_the_keys_column(gateway, keys):
    path = keys(b"\xef\xbb\xbfname;person_id;town\r\nAnn;7;Bath\r\n\"B; O\";\"8\";York\r\n;;\r\nCy;7;Bath\r\n", "list.csv")
    told = json.loads(declare(gateway, path, "--json"))
    assert (told["partner"], told["subjects"], told["known"]) == ("acme", 2, 0)
    assert {row["subject"] for row in gateway.admin("SHOW DISCLOSED AFTER -1")} == {"7", "8"}


def test_nothing_is_declared_where_a_line_is_wrong(gateway, keys):
    before = gateway.admin("SHOW CUTOFF")[0]["entries"]
    for content, told in ((numbers(1, 5000) + "x" * 256, "line 5001: the key is longer than 255 bytes"),
                          ("name,person_id\nAnn,1\nBo,\n", "line 3: there is no key"),
                          ("a,b\n1,2\n", "line 1 has several fields"),
                          (b"1\n\xff\n", "line 2: the file is not UTF-8 text"),
                          ("", "there is no key in it")):
        code, _, errors = declare(gateway, keys(content), check=False)
        assert (code, told in errors) == (1, True), errors
    assert gateway.admin("SHOW CUTOFF")[0]["entries"] == before


@pytest.mark.parametrize("options, told", [
    ({"columns": "person.shoe_size"}, "no column of the policy"),
    ({"columns": "article.item"}, "not about the kind person"),
    ({"columns": "person.phone:shouted"}, "no form for column"),
    ({"columns": "person.phone,"}, "no column of the policy"),
    ({"partner": "nobody"}, "not in the policy"),
])
def test_what_the_policy_does_not_know_is_refused(gateway, keys, options, told):
    code, _, errors = declare(gateway, keys("1\n"), check=False, **options)
    assert (code, told in errors) == (1, True), errors
    assert exposure(gateway) is None


def test_an_export_to_come_is_refused(gateway, keys):
    code, _, errors = declare(gateway, keys("1\n"), "--at", "2096-01-01", check=False)
    assert (code, "in the future" in errors) == (1, True), errors


def test_a_long_list_goes_in_pieces(gateway, keys):
    count = 60000
    told = json.loads(declare(gateway, keys("".join(f"it's key {n:08}\n" for n in range(count))), "--json"))
    assert told["subjects"] == count
    expected = {"subjects": count, "direct": 0, "declared": count}
    assert exposure(gateway) == expected
    gateway.kill9()
    gateway.start()
    assert exposure(gateway) == expected
    again = json.loads(declare(gateway, gateway.folder / "keys.txt", "--json"))
    assert (again["subjects"], again["known"]) == (count, count)
    assert exposure(gateway) == expected


# ---- deletions ----

def attest(gateway, *more, check=True):
    return gateway.cli("exposure", "deletion", "--partner", "acme", "--before", "2026-06-01", "--request", "DEL-12",
                       "--method", "disks wiped", *more, check=check)


def newest_text(gateway):
    """Of a deletion: its text has no columns before it."""
    return dict(line.split("=", 1) for line in gateway.ledger(1)[0]["text"].splitlines())


def test_a_deletion_of_everything(gateway, keys):
    gateway.rows("acme.cert", ALL)
    before = exposure(gateway)
    letter = keys("we have deleted it all", "letter.txt")
    attest(gateway, "--backups", "overwritten in 30 days", "--evidence", letter, "--by", "D. Officer")
    text = newest_text(gateway)
    assert text.pop("by").endswith(" (D. Officer)")
    assert text == {"before": "2026-06-01T00:00:00Z", "request": "DEL-12", "method": "disks wiped",
                    "backups": "overwritten in 30 days",
                    "evidence": hashlib.sha256(letter.read_bytes()).hexdigest()}
    entry = gateway.ledger(1)[0]
    assert (entry["type"], entry["partner"], entry["subjects"]) == ("deleted", "acme", 0)
    assert exposure(gateway) == before, "a claim changed what was disclosed"
    gateway.restart()
    assert exposure(gateway) == before
    properties = {row["property"]: row["value"] for row in gateway.admin("SHOW PARTNER 'acme'")}
    assert properties["deletion attested"].startswith("all it had before 2026-06-01T00:00:00Z")
    assert "deletion attested" not in {row["property"] for row in gateway.admin("SHOW PARTNER 'rival'")}


def test_a_deletion_of_some(gateway, keys):
    gateway.rows("acme.cert", "SELECT person_id FROM person WHERE person_id IN (1, 2, 3)")
    told = json.loads(attest(gateway, "--keys", keys("1\n2\n500\n"), "--json"))
    assert (told["subjects"], told["unknown"]) == (2, 1)
    sequence = int(gateway.admin("SHOW CUTOFF")[0]["entries"]) - 1
    deleted = gateway.admin(f"SHOW DISCLOSED AFTER {sequence - 1}")
    assert {row["subject"] for row in deleted} == {"1", "2"}
    assert exposure(gateway) == {"subjects": 3, "direct": 3, "declared": 0}
    properties = {row["property"] for row in gateway.admin("SHOW PARTNER 'acme'")}
    assert "deletion attested" not in properties, "a claim about two people passes for one about all"


def test_a_deletion_of_strangers_is_not_one_of_everybody(gateway, keys):
    gateway.rows("acme.cert", ALL)
    told = json.loads(attest(gateway, "--keys", keys("900\n901\n"), "--json"))
    assert (told["subjects"], told["unknown"]) == (0, 2)
    gateway.restart()
    assert "deletion attested" not in {row["property"] for row in gateway.admin("SHOW PARTNER 'acme'")}
    assert "900" not in {row["subject"] for row in gateway.admin("SHOW DISCLOSED AFTER -1")}


def test_deletions_that_are_refused(gateway, keys):
    entries = gateway.admin("SHOW CUTOFF")[0]["entries"]
    for options, told, status in ((("--before", "2096-01-01"), "in the future", 1),
                                  (("--method", "two\nbefore=2096-01-01T00:00:00Z"), "control characters", 1),
                                  (("--kind", "person"), "--kind goes with --keys", 2),
                                  (("--before", "soon"), "takes a date or an instant", 2),
                                  (("--evidence", "/nonexistent"), "/nonexistent", 1)):
        code, _, errors = attest(gateway, *options, check=False)
        assert (code, told in errors) == (status, True), errors
    assert gateway.admin("SHOW CUTOFF")[0]["entries"] == entries

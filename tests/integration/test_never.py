"""A certificate that somebody was never disclosed, checked offline with the log's public key alone."""
import json
import sqlite3
import subprocess
import time

import pytest


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(config={"ledger": {"publish_every_ms": 200}})


def commit(gateway, *more):
    return json.loads(gateway.cli("ledger", "commit", "--json", *more))


def refused(gateway, *arguments):
    code, _, errors = gateway.cli(*arguments, check=False)
    assert code == 1, errors
    return errors


def ask(gateway, first, last, columns="full_name, phone"):
    gateway.rows("acme.cert", f"SELECT person_id, {columns} FROM person WHERE person_id BETWEEN {first} AND {last}")


# ---- the index ----

def test_a_commit_counts_everybody_once(gateway):
    empty = commit(gateway)
    assert (empty["people"], empty["new_key"]) == (0, True)
    ask(gateway, 1, 5)
    ask(gateway, 3, 8)
    told = commit(gateway)
    assert (told["people"], told["computed"], told["erased"], told["new_key"]) == (6, 6, 0, False)  # each fourth is hidden from acme
    entry = gateway.ledger(1)[0]
    assert entry["type"] == "commitment"
    lines = dict(line.split("=", 1) for line in entry["text"].splitlines())
    assert (lines["root"], lines["vrf"], lines["entries"]) == (told["root"], told["vrf"], str(told["entries"]))
    assert int(lines["entries"]) == told["sequence"]


def test_going_on_from_what_is_kept_is_the_same_as_beginning_afresh(gateway):
    ask(gateway, 1, 40)
    commit(gateway)
    ask(gateway, 30, 60, "town")
    gateway.restart()
    ask(gateway, 10, 20, "born")
    went_on = commit(gateway)
    assert (went_on["people"], went_on["computed"]) == (45, 15)
    assert (gateway.state_dir / "never" / "index").stat().st_mode & 0o777 == 0o600
    afresh = commit(gateway, "--afresh")
    assert (afresh["people"], afresh["root"]) == (45, went_on["root"])
    (gateway.state_dir / "never" / "seeds").unlink()
    assert commit(gateway, "--afresh")["root"] == went_on["root"]


def test_a_lost_key_is_not_replaced_unseen(gateway):
    ask(gateway, 1, 5)
    first = commit(gateway)
    (gateway.state_dir / "never.key").unlink()
    assert "never.key is missing" in refused(gateway, "ledger", "commit")
    again = commit(gateway, "--new-key")
    assert again["vrf"] != first["vrf"] and again["root"] != first["root"] and again["people"] == 4
    (gateway.state_dir / "never.key").chmod(0o644)
    assert refused(gateway, "ledger", "commit")


def test_what_is_damaged_is_not_used(gateway):
    ask(gateway, 1, 5)
    told = commit(gateway)
    for name in ("index", "seeds"):
        path = gateway.state_dir / "never" / name
        whole = path.read_bytes()
        for at in (3, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            assert "damaged" in refused(gateway, "ledger", "commit")
        path.write_bytes(whole)
    assert commit(gateway)["root"] == told["root"]


def check_backup(gateway, told):
    """What is erased comes back from a backup alone."""
    backup = gateway.folder / "backup"
    for _ in range(2):  # the second in the place of the first
        gateway.cli("ledger", "backup", str(backup), "--with-keys")
    copies = [(gateway.state_dir / name, backup / name) for name in ("never.key", "never/seeds")]
    for path, copy in copies:
        assert copy.read_bytes() == path.read_bytes() and copy.stat().st_mode & 0o777 == 0o600
        path.write_bytes(b"lost")
    (gateway.state_dir / "never" / "index").unlink()
    assert refused(gateway, "ledger", "commit")
    for path, copy in copies:
        path.write_bytes(copy.read_bytes())
    again = commit(gateway)
    assert (again["root"], again["erased"], again["new_key"]) == (told["root"], told["erased"], False)
    assert "would be false" in refused(gateway, "ledger", "prove", "--never", "--subject", "2")
    if (gateway.state_dir / "deliveries.sqlite").exists():
        assert (backup / "deliveries.sqlite").stat().st_mode & 0o777 == 0o600
        with sqlite3.connect(backup / "deliveries.sqlite") as database:
            assert database.execute("SELECT count(*) FROM canary").fetchone() == (0,)


def test_who_is_erased_stays_in_the_index(gateway):
    ask(gateway, 1, 5)
    gateway.cli("erase", "person", "1", "--reason", "request 1")  # nothing is committed yet
    assert commit(gateway)["erased"] == 1
    ask(gateway, 6, 7)
    gateway.cli("erase", "person", "6", "--reason", "request 2")
    gateway.cli("erase", "person", "2", "--reason", "request 3")
    told = commit(gateway)
    assert (told["people"], told["erased"]) == (5, 1)
    ask(gateway, 2, 2)  # comes back, under another number
    again = commit(gateway, "--afresh")
    assert (again["people"], again["erased"]) == (5, 1)
    for key in ("2", "6"):
        assert "would be false" in refused(gateway, "ledger", "prove", "--never", "--subject", key)
    assert "lacks 1 people" in prove(gateway, "--subject", "1")
    check_backup(gateway, again)


def test_an_index_that_does_not_follow_from_the_log_is_found(gateway):
    assert "no commitment" in refused(gateway, "ledger", "commit", "--check")
    ask(gateway, 1, 5)
    first = commit(gateway)
    assert "follows from" in gateway.cli("ledger", "commit", "--check")
    ask(gateway, 6, 7)
    told = gateway.cli_json("ledger", "commit", "--check")
    assert (told["verdict"], told["sequence"], told["commitments"]) == ("follows", first["sequence"], 1)
    # Somebody commits to the first index again, as if nothing had been disclosed since.
    entries = gateway.admin("SHOW CUTOFF")[0]["entries"]
    lines = dict(line.split("=", 1) for line in gateway.ledger()[first["sequence"]]["text"].splitlines())
    told = gateway.admin(f"COMMIT NEVER ENTRIES '{entries}' AT '{lines['at']}' LEAVES '{lines['leaves']}' "
                         f"ROOT '{lines['root']}' VRF '{lines['vrf']}' ERASED '0'")
    assert "does not follow from the ledger" in refused(gateway, "ledger", "commit", "--check")
    assert "does not follow from the ledger" in refused(gateway, "ledger", "verify", "--with-data")
    last = commit(gateway)
    assert f"index of entry {last['sequence']} follows" in gateway.cli("ledger", "verify", "--with-data")
    assert gateway.cli_json("ledger", "verify", "--with-data")["never_follows"] == last["sequence"]


def test_commitments_that_make_no_sense_are_refused(gateway):
    said = {"ENTRIES": "1", "AT": "2026-01-01T00:00:00Z", "LEAVES": "3", "ROOT": "0" * 64, "VRF": "1" * 64,
            "ERASED": "0"}
    before = gateway.admin("SHOW CUTOFF")[0]["entries"]
    for change in ({"ENTRIES": "999999"}, {"ENTRIES": "1x"}, {"ROOT": "00"}, {"AT": "2096-01-01T00:00:00Z"},
                   {"AT": "2026-01-01"}, {"LEAVES": "-1"}, {"VRF": "A" * 64}, {"ERASED": "01"}):
        with pytest.raises(Exception, match="malformed|has [0-9]+ entries|in the future"):
            gateway.admin("COMMIT NEVER " + " ".join(f"{name} '{value}'" for name, value in (said | change).items()))
    assert gateway.admin("SHOW CUTOFF")[0]["entries"] == before


# ---- certificates ----

def prove(gateway, *question, seconds=10):
    """The certificate's text, once the log with its commitment is published."""
    deadline = time.monotonic() + seconds
    while True:
        code, output, errors = gateway.cli("ledger", "prove", "--never", *question, check=False)
        if code == 0 or "Try again in some seconds" not in errors or time.monotonic() > deadline:
            assert code == 0, errors
            return output
        time.sleep(0.1)


@pytest.fixture
def stranger(tmp_path):
    """Verifies as somebody does who has the program, the certificate and the log's key, and nothing else."""
    def verify(gateway, text, *more, key=None, check=True):
        (tmp_path / "never.txt").write_text(text)
        (tmp_path / "log.vkey").write_text(key or (gateway.ledger_dir / "log.vkey").read_text())
        done = subprocess.run([gateway.program, "ledger", "verify", "never.txt", "--key", "log.vkey", *more],
                              cwd=tmp_path, capture_output=True, text=True, env={}, timeout=60)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout if check else (done.returncode, done.stderr)
    return verify


QUESTIONS = [
    (["--subject", "12"], 'Nothing about the person "12" was ever disclosed to any partner.'),
    (["--subject", "12", "--partner", "acme"], 'Nothing about the person "12" was ever disclosed to the partner acme.'),
    (["--subject", "2", "--partner", "rival"], 'Nothing about the person "2" was ever disclosed to the partner rival.'),
    (["--subject", "2", "--column", "person.born"],
     'The column person.born of the person "2" was never disclosed to any partner.'),
    (["--subject", "5", "--partner", "rival", "--column", "person.phone"],
     'The column person.phone of the person "5" was never disclosed to the partner rival.'),
    (["--column", "person.secret"], "The column person.secret of anybody was never disclosed to any partner."),
    (["--column", "person.phone", "--partner", "rival"],
     "The column person.phone of anybody was never disclosed to the partner rival."),
]

FALSE = [
    ["--subject", "2"], ["--subject", "5", "--partner", "rival"], ["--subject", "2", "--column", "person.phone"],
    ["--subject", "2", "--column", "person.full_name", "--partner", "acme"], ["--partner", "rival"],
    ["--column", "person.phone"], ["--subject", "44", "--partner", "acme"], ["--subject", "150", "--partner", "acme"],
]


def disclose(gateway):
    ask(gateway, 1, 10)
    gateway.rows("rival.cert", "SELECT full_name FROM person WHERE person_id = 5")
    keys = gateway.folder / "keys.txt"
    keys.write_text("44\n")
    gateway.cli("exposure", "declare", "--partner", "acme", "--columns", "person.full_name", "--keys", keys,
                "--reason", "a file by mail")
    gateway.rows("acme.cert", "SELECT count(*) FROM person WHERE person_id BETWEEN 149 AND 155")


@pytest.fixture(scope="module")
def certified(make_module_gateway):
    """Disclosed and committed, for tests that only ask for certificates."""
    gateway = make_module_gateway(config={"ledger": {"publish_every_ms": 200}})
    disclose(gateway)
    commit(gateway)
    return gateway


def test_certificates_are_given_where_they_are_true(certified, stranger):
    gateway = certified
    for question, sentence in QUESTIONS:
        text = prove(gateway, *question)
        assert sentence in text.splitlines()
        assert f"holds: {sentence}" in stranger(gateway, text)
        told = json.loads(stranger(gateway, text, "--json"))
        assert (told["verdict"], told["claim"]) == ("holds", sentence)
        for partner in {"acme", "rival"} - set(question):
            assert partner not in text  # nor anybody else, in words; marks are pseudorandom


def test_false_ones_are_refused(certified):
    gateway = certified
    prove(gateway, "--subject", "12")
    for question in FALSE:
        errors = refused(gateway, "ledger", "prove", "--never", *question)
        assert "that would be false: it was disclosed on 20" in errors, errors
        assert ("cofferdam subject" in errors) == ("--subject" in question)
    for question, told in ((["--subject", "12", "--partner", "acne"], "is not in the policy"),
                           (["--column", "person.shoe_size"], "no column of the policy"),
                           (["--subject", "12", "--kind", "customer"], "no kind of subject")):
        assert told in refused(gateway, "ledger", "prove", "--never", *question)


def test_a_certificate_speaks_as_of_its_commitment(gateway, stranger):
    ask(gateway, 1, 3)
    commit(gateway)
    before = prove(gateway, "--subject", "10", "--partner", "acme")
    ask(gateway, 9, 11)
    stranger(gateway, before)
    commit(gateway)
    errors = refused(gateway, "ledger", "prove", "--never", "--subject", "10", "--partner", "acme")
    assert "it was disclosed" in errors, errors
    gateway.restart()
    stranger(gateway, prove(gateway, "--subject", "13"))


def test_a_stranger_refuses_what_was_changed(certified, stranger, make_gateway):
    gateway = certified
    text = prove(gateway, "--subject", "12", "--partner", "acme")
    for old, new in (('"12"', '"2"'), ("partner acme", "partner rival"), ("was ever", "was never"),
                     ("subject 12", "subject 2"), ("erased 0", "erased 1")):
        assert old in text
        code, errors = stranger(gateway, text.replace(old, new, 1), check=False)
        assert code == 1 and "certificate" in errors, errors
    code, errors = stranger(gateway, text.replace('"12"', '"2"').replace("subject 12", "subject 2"), check=False)
    assert code == 1 and "person's place is false" in errors, errors
    other = make_gateway(config={"ledger": {"publish_every_ms": 200}})
    code, errors = stranger(gateway, text, key=(other.ledger_dir / "log.vkey").read_text(), check=False)
    assert code == 1 and "not signed by a given key" in errors, errors

"""A certificate that somebody was never disclosed, checked offline with the log's public key alone."""
import json

import pytest


@pytest.fixture
def gateway(make_gateway):
    return make_gateway()


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

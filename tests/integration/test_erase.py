"""A person's key can be forgotten: the ledger keeps its entries and its counts, and nobody can say who it was."""
import pytest

REASON = ("--reason", "request 2026-118")


@pytest.fixture
def gateway(make_gateway):
    return make_gateway()


def refused(gateway, *words):
    """(exit code, what was said) of an erase that must fail."""
    code, _, errors = gateway.cli("erase", *words, check=False)
    return code, errors


def subjects(gateway):
    return [int(row["subjects"]) for row in gateway.admin("SHOW EXPOSURE") if row["partner"] == "acme"]


def test_the_key_is_gone_and_the_counts_stay(gateway):
    gateway.rows("acme.cert", "SELECT person_id, full_name FROM person WHERE person_id IN (2, 3)")
    before = subjects(gateway)
    told = gateway.cli("erase", "person", "3", *REASON)
    assert "leads to nobody" in told
    for _ in range(2):  # now, and by the files alone
        assert subjects(gateway) == before == [2]
        assert "nothing has been disclosed" in gateway.cli("subject", "person", "3")
        assert "full_name" in gateway.cli("subject", "person", "2")
        acts = [" ".join(str(cell) for cell in row.values()) for row in gateway.admin("SHOW LEDGER LAST 50") if "erase" in " ".join(str(cell) for cell in row.values())]
        assert len(acts) == 1 and "request 2026-118" in acts[0] and " id=" in acts[0], acts
        gateway.restart()
    keys = b"".join(path.read_bytes() for path in (gateway.state_dir / "subjects").iterdir() if path.name == "keys")
    assert b"\x012" in keys and b"\x013" not in keys  # a length, then the key's text


def test_what_comes_later_is_of_a_new_number(gateway):
    gateway.rows("acme.cert", "SELECT person_id FROM person WHERE person_id = 3")
    gateway.cli("erase", "person", "3", *REASON)
    gateway.rows("acme.cert", "SELECT person_id FROM person WHERE person_id = 3")
    assert subjects(gateway) == [2]
    assert "person_id" in gateway.cli("subject", "person", "3")


def test_nobody_is_erased_without_reason_or_by_a_slip(gateway):
    gateway.rows("acme.cert", "SELECT person_id FROM person WHERE person_id = 3")
    code, said = refused(gateway, "person", "99999", *REASON)
    assert code == 1 and "nothing of this person is in the ledger" in said and "written as the database has them" in said
    assert refused(gateway, "person", "3")[0] == 2
    assert "no kind of subject" in refused(gateway, "robot", "3", *REASON)[1]
    assert "person_id" in gateway.cli("subject", "person", "3")


def test_while_an_incident_is_open_it_takes_a_second_look(gateway):
    gateway.rows("acme.cert", "SELECT person_id FROM person WHERE person_id = 3")
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now")
    code, said = refused(gateway, "person", "3", *REASON)
    assert code == 1 and "incident 1 is open" in said and "--despite-incidents" in said
    assert "leads to nobody" in gateway.cli("erase", "person", "3", *REASON, "--despite-incidents")

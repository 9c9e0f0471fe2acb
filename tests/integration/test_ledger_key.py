"""The ledger's checkpoints are signed: who has log.vkey checks them, a lost key stops the start, a new one is handed over to."""
import base64
import os
import pwd
import subprocess
import time

import pytest

from harness import places
from harness.notes import Key, Note


@pytest.fixture
def gateway(make_gateway):
    return make_gateway()


def vkey(gateway):
    return Key((gateway.ledger_dir / "log.vkey").read_text())


def newest(gateway):
    """The newest checkpoint that was kept."""
    return Note(max((gateway.ledger_dir / "checkpoints").iterdir()).read_text())


def test_an_incident_gets_a_signed_checkpoint_that_is_kept(gateway):
    cutoff = gateway.admin("SHOW CUTOFF")[0]
    note, key = Note(cutoff["checkpoint"]), vkey(gateway)
    assert note.signed_by(key)
    origin, size, root = note.checkpoint()
    assert origin == key.name == "cofferdam/log/" + (gateway.ledger_dir / "log-id").read_text().strip()
    assert (str(size), root.hex()) == (cutoff["entries"], cutoff["root"])
    kept = gateway.ledger_dir / "checkpoints" / f"{size:020}"
    assert kept.read_text() == cutoff["checkpoint"]
    assert kept.stat().st_mode & 0o777 == 0o644
    assert (gateway.state_dir / "ledger.key").stat().st_mode & 0o777 == 0o600


def test_a_key_is_handed_over_and_who_wanted_it_is_in_the_ledger(gateway):
    old = vkey(gateway)
    table = gateway.cli_json("ledger", "key", "rotate", "--reason", "each year")
    new = vkey(gateway)
    assert [row["how"] for row in table] == ["first", "handed over"]
    assert [row["id"] for row in table] == [old.id.hex(), new.id.hex()]
    assert newest(gateway).signed_by(old) and newest(gateway).signed_by(new)
    act, told = gateway.ledger(2)
    assert act["type"] == "act" and act["text"].startswith("rotate key by=uid ") and "each year" in act["text"]
    assert told["type"] == "key"
    entry = Note(told["text"])
    assert entry.signed_by(old) and entry.signed_by(new)
    assert entry.text.startswith(f"cofferdam/key-change/v1\n{old.name}\n")
    gateway.restart()
    gateway.stop()
    assert newest(gateway).signed_by(new) and newest(gateway).signed_by(old) is None
    gateway.start()
    assert gateway.cli_json("ledger", "key", "show") == table
    assert gateway.cli("ledger", "verify").strip()


@pytest.fixture
def exchange():
    """A folder that the gateway's user can read."""
    folder = places.make_folder("exchange")
    yield folder
    places.remove_folder(folder)


def prove(gateway, path, signer):
    """A proof of entry 0, once a checkpoint that this key signed is published."""
    published = gateway.ledger_dir / "tiles/checkpoint"
    deadline = time.monotonic() + 30
    while not (published.exists() and Note(published.read_text()).signed_by(signer)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    path.write_text(gateway.cli("ledger", "prove", "0"))


def test_proofs_of_before_and_after_a_change_hold_by_the_chain(make_gateway, exchange):
    gateway = make_gateway(config={"ledger": {"publish_every_ms": 50}})
    places.own(exchange, gateway.user)
    before, after, chain = exchange / "before", exchange / "after", exchange / "chain"
    old = (gateway.ledger_dir / "log.vkey").read_text().strip()
    prove(gateway, before, Key(old))
    gateway.cli("ledger", "key", "rotate", "--reason", "each year")
    gateway.restart()  # the first checkpoint behind a change is signed by both
    new = (gateway.ledger_dir / "log.vkey").read_text().strip()
    gateway.stop()
    gateway.start()
    prove(gateway, after, Key(new))
    assert Note(after.read_text().split("\n\n", 1)[1]).signed_by(Key(old)) is None
    chain.write_text(gateway.cli("ledger", "key", "chain"))
    for proof, key, other in ((before, old, new), (after, new, old)):
        verify = ("ledger", "verify", proof, "--key")
        assert gateway.cli(*verify, key).startswith("holds: entry 0 ")
        assert gateway.cli(*verify, other, check=False)[0] == 1
        assert gateway.cli(*verify, other, "--chain", chain).startswith("holds: entry 0 ")
    lines = chain.read_text().split("\n")
    text = bytearray(base64.b64decode(lines[1]))
    text[-10] ^= 1  # of a signature
    chain.write_text(base64.b64encode(text).decode() + "\n")
    code, _, errors = gateway.cli("ledger", "verify", before, "--key", new, "--chain", chain, check=False)
    assert code == 1 and "the log's entry about its signing key" in errors
    chain.write_text(lines[0] + "\n")  # without the hand-over
    assert gateway.cli("ledger", "verify", before, "--key", new, "--chain", chain, check=False)[0] == 1


def test_a_lost_key_stops_the_start_until_its_loss_is_declared(gateway):
    old = vkey(gateway)
    gateway.stop()
    (gateway.state_dir / "ledger.key").unlink()
    with pytest.raises(RuntimeError, match="signing key is missing") as refused:
        gateway.start()
    assert "ledger key replace" in str(refused.value)
    code, _, errors = gateway.cli("ledger", "key", "replace", check=False)
    assert code == 2 and "--reason" in errors
    gateway.cli("ledger", "key", "replace", "-r", "the disk died")
    gateway.start()
    shown = gateway.cli_json("ledger", "key", "show")
    assert [row["how"] for row in shown] == ["first", "replaced, nobody vouches for it"]
    assert shown[1]["id"] == vkey(gateway).id.hex() != old.id.hex()


def test_a_key_that_is_there_is_not_replaced_and_no_other_act_is_known(gateway):
    gateway.stop()
    before = (gateway.state_dir / "ledger.key").read_text()
    code, _, errors = gateway.cli("ledger", "key", "replace", "-r", "x", check=False)
    assert code == 1 and "there is a signing key" in errors and "rotate" in errors
    code, _, errors = gateway.cli("ledger", "key", "replace", "-r", "x", check=False, user=pwd.getpwuid(os.getuid()))
    assert code == 1 and ("run this as that user" if os.getuid() == 0 else "there is a signing key") in errors
    assert (gateway.state_dir / "ledger.key").read_text() == before
    gateway.start()
    code, _, errors = gateway.cli("ledger", "key", "replace", "-r", "x", check=False)
    assert code == 1 and "in use by another process" in errors
    code, _, errors = gateway.cli("ledger", "key", "destroy", check=False)
    assert code == 2 and "show, rotate or replace" in errors
    assert "rotate" in subprocess.run([places.binary(), "ledger", "key", "--help"], capture_output=True, text=True).stdout

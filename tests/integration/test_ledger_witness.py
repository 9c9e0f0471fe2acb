"""Witnesses cosign the ledger's checkpoints, and refuse a log that was rewritten or put back, which is told loudly."""
import json
import pathlib
import shutil
import time

import pytest

from harness import places
from harness.notes import Key, Note
from harness.witness import Witness


@pytest.fixture
def witness(tmp_path):
    made = Witness(tmp_path / "state.json")
    yield made
    made.close()


def configure(gateway, *witnesses, quorum=None, **more):
    gateway.settings["ledger"]["witnesses"] = [{"key": w.vkey, "url": w.url, **more} for w in witnesses]
    gateway.settings["ledger"].pop("witness_quorum", None)
    if quorum is not None:
        gateway.settings["ledger"]["witness_quorum"] = quorum
    gateway.write_config()


@pytest.fixture
def gateway(make_gateway, witness):
    made = make_gateway(config={"ledger": {"publish_every_ms": 20}})
    shutil.copy(places.binary().with_name("cofferdam-http"), made.folder)
    witness.trust((made.ledger_dir / "log.vkey").read_text())
    configure(made, witness)
    return made


def published(gateway):
    return Note((gateway.ledger_dir / "tiles/checkpoint").read_text())


def grow(gateway):
    """A new entry, and its checkpoint is published."""
    gateway.admin("RECORD ACT 'something happened'")
    size = int(gateway.admin("SHOW CUTOFF")[0]["entries"])
    deadline = time.monotonic() + 10
    checkpoint = gateway.ledger_dir / "tiles/checkpoint"
    while not checkpoint.exists() or published(gateway).checkpoint()[1] < size:
        assert time.monotonic() < deadline, f"{size} entries are not published after ten seconds"
        time.sleep(0.02)
    return size


def test_checkpoints_are_cosigned_and_each_witness_is_asked_once(gateway, witness):
    size = grow(gateway)
    gateway.stop()  # nothing publishes a newer one meanwhile
    told = gateway.cli_json("ledger", "witness")
    assert [(row["witness"], row["state"], row["reason"]) for row in told] == [("witness.example/w", "cosigned", "")]
    note = published(gateway)
    assert told[0]["entries"] == note.checkpoint()[1] >= size
    assert note.signed_by(Key(witness.vkey)) and note.signed_by(Key((gateway.ledger_dir / "log.vkey").read_text()))
    kept = gateway.ledger_dir / "checkpoints" / f"{note.checkpoint()[1]:020}"
    assert Note(kept.read_text()).signed_by(Key(witness.vkey))
    assert witness.seen == [(0, 200)]
    assert gateway.cli_json("ledger", "witness")[0]["state"] == "cosigned"
    assert witness.seen == [(0, 200)], "a checkpoint that it has cosigned is not sent again"
    gateway.start()
    grow(gateway)
    first, second = note.checkpoint()[1], None
    assert gateway.cli_json("ledger", "witness", "--once")[0]["state"] == "cosigned"
    second = witness.remembered(note.checkpoint()[0])["size"]
    assert second > first and witness.seen[1:] == [(0, 409), (first, 200)], "with the proof from the size it named"


def put_back(gateway, older):
    """The whole folder as it was, with everything that remembers."""
    shutil.rmtree(gateway.ledger_dir)
    shutil.copytree(older, gateway.ledger_dir)
    for path in [gateway.ledger_dir, *gateway.ledger_dir.rglob("*")]:
        places.own(path, gateway.user)


def test_a_log_that_was_put_back_is_refused_loudly(gateway, witness):
    grow(gateway)
    gateway.stop()
    older = gateway.folder / "older"
    shutil.copytree(gateway.ledger_dir, older)
    gateway.start()
    grow(gateway)
    gateway.cli("ledger", "witness")
    gateway.stop()
    put_back(gateway, older)
    code, output, errors = gateway.cli("ledger", "witness", check=False)
    assert code == 3 and "THIS LEDGER IS NOT WHAT IT WAS" in errors and "entries were taken away" in errors
    assert "forked" in output
    code, _, errors = gateway.cli("ledger", "witness", "--every", "1", check=False)
    assert code == 3 and "event=ledger_forked" in errors, "it does not go on at its interval"


def test_a_log_that_was_rewritten_is_refused_loudly(gateway, witness):
    gateway.stop()
    older = gateway.folder / "older"
    shutil.copytree(gateway.ledger_dir, older)
    gateway.start()
    grow(gateway)
    gateway.cli("ledger", "witness")
    gateway.stop()
    put_back(gateway, older)
    gateway.start()  # and another history is told since, with the same key
    for _ in range(8):
        grow(gateway)
    before = (gateway.ledger_dir / "tiles/checkpoint").read_text()
    code, output, errors = gateway.cli("ledger", "witness", check=False)
    assert code == 3 and "the log was rewritten" in errors, errors
    assert witness.seen[-1][1] == 422 and "forked" in output
    assert Note(before).signed_by(Key(witness.vkey)) is None


def test_answers_are_verified_a_quorum_counts_and_failures_say_what_to_do(gateway, witness, tmp_path):
    grow(gateway)
    forger = witness.cosigner.__class__("witness.example/w")
    witness.answer = lambda code, body, kind: (code, forger.line(published(gateway).text, 1), kind)
    code, output, _ = gateway.cli("ledger", "witness", check=False)
    assert code == 1 and "another key" in " ".join(output.split())
    witness.answer = lambda code, body, kind: (200, "x" * 100000, kind)
    code, output, _ = gateway.cli("ledger", "witness", check=False)
    assert code == 1 and "longer than" in " ".join(output.split())
    assert published(gateway).signed_by(Key(witness.vkey)) is None
    witness.answer = lambda *told: told
    stranger = Witness(tmp_path / "other.json", "stranger.example")  # was told of no log
    try:
        configure(gateway, witness, stranger, quorum=1)
        told = {row["witness"]: row for row in gateway.cli_json("ledger", "witness")}
        assert told["witness.example/w"]["state"] == "cosigned"
        assert told["stranger.example"]["state"] == "refused"
        assert "does not know this log" in told["stranger.example"]["reason"]
        assert "log.vkey" in told["stranger.example"]["advice"]
        configure(gateway, witness, stranger)
        code, _, errors = gateway.cli("ledger", "witness", check=False)
        assert code == 1 and "1 of 2 witnesses have cosigned, 2 are needed" in errors
    finally:
        stranger.close()
    code, output, _ = gateway.cli("ledger", "witness", check=False)
    assert code == 1 and "away" in output


def test_tls_is_verified_and_a_configuration_without_witnesses_is_told(gateway, authority, tmp_path):
    tls = Witness(tmp_path / "tls.json", "tls.example", tls=authority.server())
    try:
        tls.trust((gateway.ledger_dir / "log.vkey").read_text())
        grow(gateway)
        configure(gateway, tls)
        code, output, _ = gateway.cli("ledger", "witness", check=False)
        assert code == 1 and "away" in output and tls.seen == []
        configure(gateway, tls, ca="ca.crt")
        assert gateway.cli_json("ledger", "witness")[0]["state"] == "cosigned"
    finally:
        tls.close()

    # The client of the network is a program of its own: the gateway has nothing of it.
    maps = pathlib.Path(f"/proc/{gateway.process.pid}/maps").read_text()
    assert "libcrypto" in maps and "libcurl" not in maps
    (gateway.folder / "cofferdam-http").unlink()
    grow(gateway)
    code, output, _ = gateway.cli("ledger", "witness", "--json", check=False)
    told = json.loads(output)[0]
    assert (code, told["state"]) == (1, "away") and "cofferdam-http" in told["reason"] and "beside cofferdam" in told["advice"]

    configure(gateway)
    code, _, errors = gateway.cli("ledger", "witness", check=False)
    assert code == 1 and "names no witnesses" in errors and "key: VKEY" in errors

"""A backup is made beside a working gateway, holds all that partners had before it, and becomes the ledger again."""
import csv
import io
import json
import threading

import pytest

SELECT = "SELECT person_id, full_name FROM person WHERE person_id BETWEEN %s AND %s"


class Load:
    """One agent that reads on and on; received: the people whom it has had."""

    def __init__(self, gateway):
        self.received, self.stopping, self.failure = set(), threading.Event(), None
        self.thread = threading.Thread(target=self._read, args=(gateway,))
        self.thread.start()

    def _read(self, gateway):
        try:
            with gateway.connect("acme.cert") as connection:
                low = 1
                while not self.stopping.is_set():
                    rows = connection.execute(SELECT, (low, low + 2)).fetchall()
                    self.received |= {row[0] for row in rows}
                    low = low % 60 + 1
        except Exception as failure:  # told by the test
            self.failure = failure

    def stop(self):
        self.stopping.set()
        self.thread.join(10)
        assert self.failure is None, self.failure


def people(gateway, *where):
    text = gateway.cli("ledger", "export", *where, "--subjects", "--partner", "acme")
    return {int(row["key"]) for row in csv.DictReader(io.StringIO(text)) if row["grade"] == "direct"}


@pytest.fixture
def gateway(make_gateway):
    return make_gateway()


def test_backup_under_load_and_restore(gateway):
    backup, restored = gateway.folder / "backup", gateway.folder / "restored"
    load = Load(gateway)
    while len(load.received) < 20:
        assert load.thread.is_alive(), load.failure
    before = set(load.received)
    first = gateway.cli_json("ledger", "backup", str(backup), "--with-keys")
    while first["entries"] < 20:  # a checkpoint is made each second
        first = gateway.cli_json("ledger", "backup", str(backup), "--with-keys")
    load.stop()
    assert (backup / "subjects").stat().st_mode & 0o777 == 0o700
    assert (backup / "subjects" / "keys").stat().st_mode & 0o777 == 0o600
    assert not list((backup / "subjects").glob("*.key"))
    told = people(gateway, str(backup / "ledger"))
    assert before <= told

    gateway.stop()
    refused = gateway.cli("ledger", "restore", str(backup), "--to", str(restored), "--checkpoint",
                          str(gateway.ledger_dir / "checkpoint"), check=False)
    assert refused[0] == 1 and "would be lost" in refused[2] and "fork" in refused[2]
    assert not restored.exists()

    second = gateway.cli_json("ledger", "backup", str(backup), "--with-keys")
    assert second["before"] == first["entries"] < second["entries"]
    damaged = gateway.ledger_dir.rename(gateway.ledger_dir.with_name("damaged"))
    done = gateway.cli_json("ledger", "restore", str(backup), "--to", str(gateway.ledger_dir), "--checkpoint",
                            str(damaged / "checkpoint"))
    assert done["entries"] == second["entries"]
    gateway.start()
    assert load.received <= people(gateway)
    gateway.rows("acme.cert", "SELECT full_name FROM person WHERE person_id = 1")
    assert any(entry["type"] == "recovered" for entry in gateway.ledger())
    verdict = json.loads(gateway.cli("ledger", "verify", "--since", str(damaged / "checkpoint"), "--json"))
    assert verdict["verdict"] == "whole" and verdict["signed"] >= second["entries"]


def test_restore_wants_to_know_of_newer_checkpoints(gateway):
    backup = gateway.folder / "backup"
    gateway.cli("ledger", "backup", str(backup))
    assert not (backup / "subjects").exists()
    unsaid = gateway.cli("ledger", "restore", str(backup), "--to", str(gateway.folder / "x"), check=False)
    assert unsaid[0] == 2 and "--no-checkpoint" in unsaid[2]
    there = gateway.cli("ledger", "restore", str(backup), "--to", str(gateway.ledger_dir), "--no-checkpoint",
                        check=False)
    assert there[0] == 1 and "is there already" in there[2]

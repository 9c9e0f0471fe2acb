"""A cut-off fixes what the ledger said at an instant: after containment, all that the partner received is below it."""
import hashlib
import re
import struct
import subprocess
import threading
import time

import psycopg
import pytest

from harness import places, shop

MANY = shop.SQL.replace("generate_series(1, 200) AS n;\nINSERT INTO shop.purchase", "generate_series(1, 40000) AS n;\nINSERT INTO shop.purchase")
ALL = "SELECT person_id, full_name FROM person ORDER BY person_id"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway()


def cutoff(gateway):
    return gateway.admin("SHOW CUTOFF")[0]


def root_of(leaves):
    """RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + root_of(leaves[:half]) + root_of(leaves[half:])).digest()


def leaves_of(folder):
    """Leaf hashes of all entries on disk, read as docs/LEDGER-FORMAT.md says."""
    leaves = []
    for path in sorted(folder.glob("segment-*.log")):
        data, at = path.read_bytes(), 4096
        while data[at:at + 4] == b"CFF1":
            length, _, count = struct.unpack_from(">IQI", data, at + 4)
            entry = at + 96
            for _ in range(count):
                size, = struct.unpack_from(">I", data, entry)
                leaves.append(hashlib.sha256(b"\0" + data[entry + 4:entry + 4 + size]).digest())
                entry += 4 + size
            at += (length + 511) // 512 * 512
    return leaves


class Reader:
    """Asks for one person after the other, each of whom nobody else asks for, and remembers whom it received."""

    def __init__(self, gateway, agent, keys):
        self.got, self.connection, self.stopping = set(), gateway.connect(agent), False
        self.thread = threading.Thread(target=self.read, args=(keys,), daemon=True)
        self.thread.start()

    def read(self, keys):
        try:
            for key in keys:
                if self.stopping:
                    break
                self.got.update(row[0] for row in self.connection.execute(
                    "SELECT person_id, full_name FROM person WHERE person_id = %s", (key,)))
        except psycopg.Error:
            pass

    def stop(self):
        """Nobody may close a connection that another thread is in."""
        self.stopping = True
        self.thread.join(30)
        assert not self.thread.is_alive()
        self.connection.close()


def test_size_and_root_belong_together(gateway):
    for _ in range(20):
        gateway.rows("acme.cert", "SELECT full_name FROM person WHERE person_id = 3")
    told = cutoff(gateway)
    assert told["node"] and told["time"].endswith("Z")
    leaves = leaves_of(gateway.ledger_dir)[:int(told["entries"])]
    assert (len(leaves), root_of(leaves).hex()) == (int(told["entries"]), told["root"])


def test_all_that_was_received_is_below(make_gateway):
    gateway = make_gateway(sql=MANY)
    readers = [Reader(gateway, agent, range(first, 40000, 3))
               for first, agent in enumerate(("acme.cert", "acme.job", "rival.cert"), 1)]
    while min(len(reader.got) for reader in readers) < 100:
        time.sleep(0.001)
    gateway.cli("partner", "contain", "acme", "--reason", "test")
    told = cutoff(gateway)
    for reader in readers[:2]:
        reader.thread.join(30)
        assert not reader.thread.is_alive(), "the contained session goes on"
    assert readers[2].thread.is_alive(), "the other partner was cut as well"
    readers[2].stop()
    entries, received = int(told["entries"]), readers[0].got | readers[1].got
    below = {int(row["subject"]) for row in gateway.admin("SHOW DISCLOSED AFTER -1") if int(row["sequence"]) < entries}
    assert received - below == set(), f"{len(received)} received"
    gateway.admin("RECORD ACT 'the ledger goes on'")
    leaves = leaves_of(gateway.ledger_dir)
    assert (len(leaves) > entries, root_of(leaves[:entries]).hex()) == (True, told["root"])


def test_a_cutoff_is_the_same_after_a_crash(gateway):
    gateway.rows("acme.cert", ALL)
    before = cutoff(gateway)
    gateway.kill9()
    gateway.start()
    after = cutoff(gateway)
    assert int(after["entries"]) >= int(before["entries"])
    leaves = leaves_of(gateway.ledger_dir)
    assert root_of(leaves[:int(before["entries"])]).hex() == before["root"]
    assert root_of(leaves[:int(after["entries"])]).hex() == after["root"]


def test_an_act_is_recorded_with_who(gateway):
    before = cutoff(gateway)
    sequence = int(gateway.admin("RECORD ACT 'incident 3 decision 2' PARTNER 'acme' BY 'D. Officer'")[0]["sequence"])
    entry = gateway.ledger(1)[0]
    assert entry["sequence"] == sequence >= int(before["entries"])
    assert (entry["type"], entry["partner"]) == ("act", "acme")
    assert re.fullmatch(r"incident 3 decision 2 by=uid \d+ \(D\. Officer\)", entry["text"]), entry["text"]
    assert int(cutoff(gateway)["entries"]) == sequence + 1


def refused(gateway, command):
    with pytest.raises(psycopg.Error) as caught:
        gateway.admin(command)
    return caught.value.sqlstate


def test_acts_that_are_refused(gateway):
    assert refused(gateway, "RECORD ACT ''") == "22023"
    assert refused(gateway, "RECORD ACT 'two\nlines'") == "22023"
    assert refused(gateway, f"RECORD ACT '{'x' * 1001}'") == "54000"
    for word in ("contain", "erase", "Delivery", "retain", "total-forgotten"):
        assert refused(gateway, f"RECORD ACT '{word} by=uid 0'") == "22023"
    assert refused(gateway, "RECORD ACT 'incident 1' PARTNER 'nobody'") == "42704"


def test_our_own_reading_is_recorded_and_is_nobodys_exposure(gateway):
    gateway.rows("acme.cert", ALL)
    exposure = gateway.admin("SHOW EXPOSURE")
    gateway.admin("RECORD READ KIND 'person' COLUMNS 'person.full_name,person.phone' "
                  "PURPOSE 'incident 1 notice' IDS '0-9 12'")
    entry = gateway.ledger(1)[0]
    assert (entry["type"], entry["partner"], entry["agent"]) == ("disclosure", "", "cofferdam.contact")
    assert (entry["purpose"], entry["outcome"], entry["subjects"]) == ("incident 1 notice", "complete", 11)
    assert entry["text"] == "person.full_name:clear:name\nperson.phone:clear:phone\n"
    assert gateway.admin("SHOW EXPOSURE") == exposure
    gateway.restart()
    assert gateway.admin("SHOW EXPOSURE") == exposure


def test_readings_that_are_refused(gateway):
    gateway.rows("acme.cert", ALL)
    read = "RECORD READ KIND 'person' COLUMNS '{}' PURPOSE 'p' IDS '{}'"
    assert refused(gateway, read.format("person.full_name", "0-9999")) == "02000"
    assert refused(gateway, read.format("person.full_name", "3-1")) == "22023"
    assert refused(gateway, read.format("person.full_name", "5 4")) == "22023"
    assert refused(gateway, read.format("person.full_name", "")) == "22023"
    assert refused(gateway, read.format("person.shoe_size", "1")) == "42703"
    assert refused(gateway, read.format("person.phone:masked", "1")) == "22023"
    assert refused(gateway, read.format("article.item", "1")) == "22023"
    assert refused(gateway, "RECORD READ KIND 'ghost' COLUMNS 'person.phone' PURPOSE 'p' IDS '1'") == "42704"


def probe(gateway, ids):
    """The client that the breach path uses, on its own: (exit code, output, errors)."""
    done = subprocess.run([places.binary().parent / "tests/admin_probe", gateway.run_dir], capture_output=True,
                          text=True, timeout=60, input="\n".join(map(str, ids)))
    return done.returncode, done.stdout.split(), done.stderr


def test_a_long_reading_goes_in_pieces(gateway):
    keys = gateway.folder / "keys"
    keys.write_text("".join(f"{n}\n" for n in range(120000)))
    gateway.cli("exposure", "declare", "--partner", "acme", "--columns", "full_name", "--keys", keys, "--reason", "x")
    code, (before, sequence, after), errors = probe(gateway, range(0, 120000, 2))
    assert (code, errors, int(after)) == (0, "", int(sequence) + 1)
    entries = [entry for entry in gateway.ledger(100) if entry["sequence"] >= int(before)]
    act, read = entries[-1], [entry for entry in entries if entry["purpose"] == "it's a probe"]
    assert act["text"].startswith("probe isn't an act by=uid ") and act["text"].endswith(" (it's me)")
    assert len(read) > 1 and sum(entry["subjects"] for entry in read) == 60000
    assert {(entry["agent"], entry["partner"]) for entry in read} == {("cofferdam.contact", "")}


def test_the_client_tells_why(gateway):
    code, _, errors = probe(gateway, [5])
    assert (code, errors) == (1, "02000 subject id 5 is unknown, erased, or of another kind\n")
    gateway.stop()
    code, _, errors = probe(gateway, [5])
    assert (code, errors.split()[0]) == (1, "08001")

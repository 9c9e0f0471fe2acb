"""The crash test on a disk of its own: see long/crash.py, --device."""
import shutil
import threading
import time

from harness import crashing, disk

CUT, CUT_AFTER_WRITES, CUT_WITH_NAMES = "power cut", "power cut after some writes", "power cut that keeps names"
CUT_AT_START, EXHAUSTED = "power cut while starting", "storage below runs out"
KINDS = [CUT, CUT_AFTER_WRITES, CUT_WITH_NAMES, CUT_AT_START, EXHAUSTED]
CHECK_EACH = 4
why_not = disk.why_not


class Witness(threading.Thread):
    """Somebody outside, who keeps the largest signed checkpoint that there was to be read."""

    def __init__(self, ledger_dir):
        super().__init__(daemon=True)
        self.paths = [ledger_dir / "tiles/checkpoint", ledger_dir / "checkpoint"]
        self.size, self.note, self.stopping = -1, None, threading.Event()

    def run(self):
        while not self.stopping.is_set():
            for path in self.paths:
                try:
                    note = path.read_bytes()
                    if b"\n\n" in note and int(note.split(b"\n")[1]) > self.size:
                        self.size, self.note = int(note.split(b"\n")[1]), note
                except (OSError, ValueError, IndexError):
                    pass
            time.sleep(0.003)

    def stop(self):
        self.stopping.set()
        self.join()


class DeviceCrash(crashing.Crashing):
    def __init__(self, seed):
        super().__init__(seed)
        gateway = self.gateway
        gateway.stop()
        shutil.rmtree(gateway.state_dir)
        self.disk = disk.Disk(gateway.state_dir, user=gateway.user)
        gateway.start()
        self.key = (gateway.ledger_dir / "log.vkey").read_text().strip()
        self.seen = gateway.folder / "seen.checkpoint"

    def close(self):
        if self.gateway and self.gateway.process.poll() is None:
            self.gateway.kill9()
        self.disk.close()
        super().close()

    # ---- staff at work ----

    def act(self):
        """One of the things that write besides the ledger; it may fail, since the power does."""
        state, person = self.gateway.state_dir, str(self.random.randint(1, crashing.PEOPLE))
        return self.random.choice([
            ("ledger", "key", "rotate", "--reason", "each case"), ("ledger", "commit"), ("ledger", "commit", "--afresh"),
            ("erase", "person", person, "--reason", "asked"), ("exposure", "rebuild"),
            ("ledger", "backup", str(state / "backup"), "--with-keys"), ("partner", "contain", "nobody"),
            ("export", "--partner", "reader", "--force", "--canaries", "2",
             "SELECT person_id, name FROM person WHERE person_id < 500", str(state / "export.csv"))])

    def staff(self):
        words = self.act()

        def work():
            self.gateway.cli(*words, check=False)
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.count["acts"] += 1
        return thread

    # ---- what happens ----

    def strike(self, kind):
        if kind == EXHAUSTED:
            self.disk.exhaust()
            time.sleep(self.random.uniform(0.2, 1.5))
            return
        if kind == CUT_AFTER_WRITES:
            self.disk.write_out(self.random)
        self.disk.cut(disk.KEEP_JOURNAL if kind == CUT_WITH_NAMES else disk.LOSE_JOURNAL)
        self.until_dead(5.0)
        self.count["outlived"] += self.gateway.process.poll() is None

    def die_while_starting(self):
        """The start is cut off at a random instant, and so may be the next."""
        for _ in range(self.random.choice([1, 2, 4])):
            cut = threading.Timer(self.random.uniform(0.01, 0.25), self.disk.cut)
            cut.start()
            try:
                self.gateway.start()
            except RuntimeError:
                self.count["cut starts"] += 1
            cut.join()
            if self.gateway.process.poll() is None:
                self.gateway.kill9()
            self.disk.power_on(self.random.choice(disk.MOUNTS))

    # ---- a case ----

    def load(self, kind):
        witness = Witness(self.gateway.ledger_dir)
        witness.start()
        clients = self.clients()
        staff = [self.staff() for _ in range(self.random.choice([0, 1, 2]))]
        time.sleep(self.random.uniform(0.01, 0.6))
        self.strike(kind)
        self.end(clients)
        for thread in staff:
            thread.join(timeout=60)
        witness.stop()
        if witness.note:
            self.count["seen"] += 1
            self.seen.write_bytes(witness.note)
        return clients

    def check(self, kind):
        since = ("--since", str(self.seen)) if self.seen.exists() else ()
        self.holds(kind, "ledger", "verify", "--key", self.key, *since)
        self.holds(kind, "exposure", "rebuild", "--check")
        self.holds(kind, "ledger", "commit")

    def case(self, kind):
        before = self.last_entry()
        clients = self.load(kind)
        self.disk.power_on(self.random.choice(disk.MOUNTS))
        if kind == CUT_AT_START:
            self.die_while_starting()
        self.count["points"] += 1
        self.kinds[kind] += 1
        if not self.start_again():
            return False
        if self.count["points"] % CHECK_EACH == 0 or self.count["broken"]:
            self.check(kind)
        return self.compare(before, clients, kind)

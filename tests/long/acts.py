"""Acts test: what staff and the gateway do besides disclosing, killed at each call that writes, syncs or names a file.

    tests/run acts [--cases N] [--minutes M] [--seed S] [--only ACT]

The acts: a change of key, a commitment, an erasure, a backup, an export, a rebuilt index, a start
that folds the index, an orderly stop. Each is counted once, then killed (SIGKILL, or in the middle of a write) at each
of its calls, in the gateway or in the command, whichever made it. Afterwards the gateway starts, what clients had is in the
ledger, the ledger verifies by its first key and goes on from the newest checkpoint seen, the index is what the ledger
says, and the act can be done again and is then complete. --cases bounds the calls of each act: a sample, in no order.
    RESULT points=… struck=… received=… lost=… failed_starts=… checked=… broken=… seed=…
"""
import subprocess
import sys
import time

from harness import crashing, faults, longrun, places

STATE_ACTS = ["rotate", "commit", "commit afresh", "erase", "backup", "export", "rebuild", "start", "stop"]
SLACK = 2  # calls more than were counted


class Acts(crashing.Crashing):
    def __init__(self, seed):
        super().__init__(seed)
        self.faults = faults.Faults(self.gateway)
        self.environment = self.gateway.environment
        self.gateway.restart()
        self.key = (self.gateway.ledger_dir / "log.vkey").read_text().strip()
        self.seen = self.gateway.folder / "seen.checkpoint"
        self.person = 0
        self.out = self.gateway.state_dir / "out"
        self.out.mkdir()
        places.own(self.out, self.gateway.user)

    def close(self):
        self.faults.disarm()
        self.faults.close()
        super().close()

    # ---- the acts ----

    def words(self, act):
        return {"rotate": ("ledger", "key", "rotate", "--reason", "each case"),
                "commit": ("ledger", "commit"),
                "commit afresh": ("ledger", "commit", "--afresh"),
                "erase": ("erase", "person", str(self.person), "--reason", "asked"),
                "backup": ("ledger", "backup", str(self.out / "backup"), "--with-keys"),
                "export": ("export", "--partner", "reader", "--force", "--canaries", "2",
                           "SELECT person_id, name FROM person WHERE person_id < 500", str(self.out / "export.csv")),
                "rebuild": ("exposure", "rebuild")}[act]

    def do(self, act):
        """Does it with faults in force, wherever they strike. True where it said that it was done."""
        gateway = self.gateway
        if act == "start":
            gateway.kill9()
            try:
                gateway.start()
            except RuntimeError:
                return False
            return True
        if act == "stop":
            return gateway.stop() == 0
        process = places.popen_as(gateway.user, [gateway.program, *self.words(act), "-c", gateway.config],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=self.environment)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            self.count["broken"] += 1
            print(f"HANGS: {act}", flush=True)
        return process.returncode == 0

    def done_again(self, act):
        """It is complete: at once, or when it is done once more."""
        if act in ("start", "stop"):
            return
        words = self.words(act)
        code, output, errors = self.gateway.cli(*words, check=False)
        gone = act == "erase" and code == 1 and "nothing of this person" in errors
        if code != 0 and not gone:
            self.broken(act, words, errors + output)
        if act.startswith("commit"):
            self.holds(act, "ledger", "commit", "--check")
        if act == "erase":
            self.nobody()
        if act == "export":
            lines = (self.out / "export.csv").read_text().splitlines()
            if len(lines) != 502 or [path.name for path in self.out.iterdir() if path.name not in ("export.csv", "backup")]:
                self.broken(act, words, f"{len(lines)} lines; {list(self.out.iterdir())}")
            self.holds(act, "export", "--list")
        if act == "backup":
            self.restore()

    def broken(self, act, words, told):
        self.count["broken"] += 1
        print(f"BROKEN after {act}: {' '.join(words)}: {told}"[:2000], flush=True)

    def nobody(self):
        told = self.gateway.cli("subject", "person", str(self.person))
        if "nothing has been disclosed" not in told:
            self.broken("erase", ["subject"], told)

    def restore(self):
        to = self.out / "restored"
        if self.holds("backup", "ledger", "restore", str(self.out / "backup"), "--to", str(to), "--no-checkpoint",
                      "--key", self.key):
            self.holds("backup", "ledger", "verify", str(to), "--key", self.key)
        subprocess.run(["rm", "-rf", to], check=True)

    # ---- a case ----

    def read(self):
        """A few people more, a new one each time; the largest checkpoint so far is kept outside."""
        self.person = self.person % crashing.PEOPLE + 1
        rows = self.gateway.rows("reader.one", "SELECT person_id FROM person WHERE person_id BETWEEN %s AND %s",
                                 (self.person, self.person + 5))
        self.seen.write_bytes((self.gateway.ledger_dir / "checkpoint").read_bytes())
        return {str(row[0]) for row in rows}

    def calls(self, act):
        self.read()
        before = self.faults.calls
        if not self.do(act):
            return 0
        calls = self.faults.calls - before
        if act == "stop":
            self.gateway.start()
        return calls

    def case(self, act, kind, step):
        before = self.last_entry()
        received = self.read()
        self.faults.arm(kind, step)
        self.do(act)
        self.count["struck"] += self.faults.struck
        if self.faults.struck:
            self.until_dead(0.3)  # if it was the gateway that was struck
        self.faults.disarm()
        if self.gateway.process.poll() is None and self.random.random() < 0.7:
            self.gateway.kill9()
        self.count["points"] += 1
        self.kinds[act] += 1
        if self.gateway.process.poll() is not None and not self.start_again():
            return False
        written = {row[3] for row in self.admin(f"SHOW DISCLOSED AFTER {before}")}
        lost = received - written - ({str(self.person)} if act == "erase" else set())
        self.count["received"] += len(received)
        self.count["lost"] += len(lost)
        if lost:
            print(f"LOST after {act}, call {step}: {lost}", flush=True)
        broken = self.count["broken"]
        self.holds(act, "ledger", "verify", "--key", self.key, "--since", str(self.seen))
        self.holds(act, "exposure", "rebuild", "--check")
        self.done_again(act)
        if self.count["broken"] > broken:
            print(f"  after {faults.NAMES[kind]} at call {step} of {act}", flush=True)
        return True


def main():
    options = longrun.options(__doc__, 1000, lambda parser: parser.add_argument("--only", choices=STATE_ACTS))
    acts = Acts(options.seed)
    try:
        for act in STATE_ACTS:
            if options.only not in (None, act):
                continue
            calls = acts.calls(act)
            print(f"{act}: {calls} calls", flush=True)
            if calls == 0:
                continue
            points = [(kind, step) for step in range(1, calls + 1 + SLACK) for kind in (faults.KILL_BEFORE, faults.TORN)
                      if kind == faults.KILL_BEFORE or step % 3 == 0]
            for kind, step in acts.random.sample(points, min(options.cases, len(points))):
                if time.monotonic() > options.deadline or not acts.case(act, kind, step):
                    break
    finally:
        acts.close()
    acts.result("points", "struck", "received", "lost", "failed_starts", "checked", "broken")
    print(f"seed={options.seed}")
    return 0 if acts.kept_promise and acts.count["struck"] else 1


if __name__ == "__main__":
    sys.exit(main())

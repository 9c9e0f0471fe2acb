"""Retain test: dropping a log's beginning, killed at each call that writes, syncs or names a file.

    tests/run retain [--cases N] [--minutes M] [--seed S]

A log has three years' old entries and new ones. `ledger retain` is counted once, then killed (SIGKILL, or in the middle of
a write), or met by a full disk, at each of its calls, in the gateway or in the command. Afterwards the gateway starts, the
ledger verifies by its first key and goes on from the checkpoint seen before, the index is what the ledger says, and retain
can be done again.
    RESULT points=… struck=… dropped=… failed_starts=… broken=… seed=…
"""
import collections
import pathlib
import random
import shutil
import subprocess
import sys
import time

from harness import clock, faults, longrun, places, shop

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import test_retain as retained  # noqa: E402

WORDS = ("ledger", "retain", *retained.WISH, "--yes", "--forget-totals")


class Retain(longrun.Stage):
    def __init__(self):
        super().__init__()
        self.count, years = collections.Counter(), clock.Clock()
        self.start(shop.SQL, shop.POLICY + retained.FILLER * 4000,
                   {"budget": {"approvals": 1}, "ledger": {"segment_bytes": 1 << 20, "publish_every_ms": 100}})
        gateway = self.gateway
        gateway.stop()
        gateway.expect_alarm = True
        shutil.rmtree(gateway.state_dir)
        gateway.state_dir.mkdir()
        places.own(gateway.state_dir, gateway.user)
        years.at(gateway, retained.YEARS)
        gateway.start()
        retained.read(gateway, [1 + n % 40 for n in range(300)])
        for _ in range(2):
            retained.fill_segment(gateway)
        gateway.stop()
        years.close()
        gateway.environment = None
        gateway.start()
        retained.read(gateway, [35 + n % 16 for n in range(100)])
        retained.fill_segment(gateway)
        gateway.stop()
        self.key = (gateway.ledger_dir / "log.vkey").read_text().strip()
        self.seen, self.pristine = gateway.folder / "seen.checkpoint", gateway.folder / "pristine"
        subprocess.run(["cp", "-a", gateway.state_dir, self.pristine], check=True)
        self.faults = faults.Faults(gateway)

    def close(self):
        self.faults.disarm()
        self.faults.close()
        super().close()

    def put_back(self):
        shutil.rmtree(self.gateway.state_dir)
        subprocess.run(["cp", "-a", self.pristine, self.gateway.state_dir], check=True)
        self.gateway.start()
        self.seen.write_bytes((self.gateway.ledger_dir / "checkpoint").read_bytes())

    def retain(self):
        command = [self.gateway.program, *WORDS, "-c", self.gateway.config]
        process = places.popen_as(self.gateway.user, command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, env=self.gateway.environment)
        return process.wait(timeout=60)

    def calls(self):
        self.put_back()
        before = self.faults.calls
        code = self.retain()
        self.gateway.stop()
        return self.faults.calls - before if code == 0 else 0

    def holds(self, kind, step, *words):
        code, _, errors = self.gateway.cli(*words, check=False)
        if code != 0:
            self.count["broken"] += 1
            print(f"BROKEN after {faults.NAMES[kind]} at call {step}: {' '.join(words)}: {errors}"[:2000], flush=True)

    def whole(self, kind, step):
        self.holds(kind, step, "ledger", "verify", "--key", self.key, "--since", str(self.seen))
        self.holds(kind, step, "exposure", "rebuild", "--check")

    def case(self, kind, step):
        self.put_back()
        self.faults.arm(kind, step)
        self.retain()
        if self.faults.struck:
            self.count["struck"] += 1
            time.sleep(0.3)  # until whoever was struck is gone
        self.faults.disarm()
        if self.gateway.process.poll() is None:
            self.gateway.kill9()
        self.count["points"] += 1
        try:
            self.gateway.start()
        except RuntimeError as error:
            self.count["failed_starts"] += 1
            print(f"NO START after {faults.NAMES[kind]} at call {step}:\n{str(error)[-2000:]}", flush=True)
            return
        self.whole(kind, step)
        first = self.gateway.ledger_dir / "segment-0000000001.log"
        if first.exists():
            self.holds(kind, step, *WORDS)
            self.whole(kind, step)
        self.count["dropped"] += not first.exists()
        self.gateway.kill9()


def main():
    options = longrun.options(__doc__, 1000)
    stage, chance = Retain(), random.Random(options.seed)
    try:
        kinds = (faults.KILL_BEFORE, faults.TORN, faults.DISK_FULL)
        points = [(kind, step) for step in range(1, stage.calls() + 3) for kind in kinds]
        for kind, step in chance.sample(points, min(options.cases, len(points))):
            if time.monotonic() < options.deadline:
                stage.case(kind, step)
    finally:
        stage.close()
    names = ("points", "struck", "dropped", "failed_starts", "broken")
    print("RESULT " + " ".join(f"{name}={stage.count[name]}" for name in names), f"seed={options.seed}")
    count = stage.count
    return 1 if count["failed_starts"] or count["broken"] or count["dropped"] < count["points"] or not count["struck"] else 0


if __name__ == "__main__":
    sys.exit(main())

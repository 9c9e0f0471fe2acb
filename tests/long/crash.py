"""Crash test: the gateway dies, or its disk fails, under load; what clients had received is in its ledger.

    tests/run crash [--cases N] [--minutes M] [--seed S] [--only FAULT] [--device]

Each case strikes once, while clients read people's keys by point look-ups, by bulk results and in portals, or while the
gateway starts and recovers: SIGKILL at a random instant, before and after each call that writes or syncs, a torn
write, a write or a sync that fails once and then succeeds again, a full disk, a bit that flips in a file of the
ledger. Afterwards the gateway starts, and every key that had reached a client stands in its ledger; after a flipped
bit it may refuse to start instead, and must say which file. While the disk is full it lives, and what it cannot write
down it refuses with SQLSTATE 53100.
    RESULT points=… received=… lost=… refused=… struck=… failed_starts=… seed=…
With --device the state folder is a file system of its own, on a loop device (takes root): its power fails, also while the
gateway starts, or the storage below it runs out. Staff are at work meanwhile (backup, change of key, commit, erase,
export, rebuild), and somebody outside reads each signed checkpoint. Afterwards the ledger verifies by its first key and
goes on from the newest checkpoint seen, and the index of exposure is what the ledger says.
    RESULT points=… received=… lost=… failed_starts=… outlived=… acts=… seen=… checked=… broken=… seed=…
"""
import sys
import time

from harness import crash_device, crashing, faults, longrun

RANDOM_KILL, FLIP, AT_START = "kill at random", "bit flip", "kill while starting"
DYING = [faults.KILL_BEFORE, faults.KILL_AFTER, faults.TORN, faults.WRITE_EIO, faults.SYNC_EIO]
KINDS = [RANDOM_KILL, *DYING, AT_START, faults.DISK_FULL, FLIP]


def name_of(kind):
    return faults.NAMES.get(kind, kind)


class Crash(crashing.Crashing):
    def __init__(self, seed):
        super().__init__(seed)
        self.faults = faults.Faults(self.gateway)
        self.gateway.restart()

    def close(self):
        self.faults.disarm()
        self.faults.close()
        super().close()

    def load(self, then):
        """Runs clients, does what `then` says, and returns the clients once the gateway has gone."""
        clients = self.clients()
        then()
        self.end(clients)
        self.faults.disarm()
        return clients

    # ---- what happens ----

    def die_at_random(self):
        time.sleep(self.random.uniform(0.002, 0.25))

    def strike(self, kind):
        """A call that is not the log's may fail without an end: then it is killed a little later."""
        self.faults.arm(kind, self.random.choice([1, 2, 3, 5, 8, 13, 40, 120]))
        self.until_dead(1.0)
        self.count["struck"] += self.faults.struck

    def fill_disk(self, clients):
        """It must live without room, and work again when there is some."""
        self.faults.arm(faults.DISK_FULL)
        time.sleep(self.random.uniform(0.5, 1.5))
        if self.gateway.process.poll() is not None:
            self.count["failed_starts"] += 1
            print(f"DIED of a full disk:\n{self.gateway.log_text()[-2000:]}", flush=True)
            return
        self.faults.disarm()
        time.sleep(self.random.uniform(0, 0.3))

    def die_while_starting(self):
        for _ in range(self.random.choice([1, 2, 4])):
            self.faults.arm(self.random.choice([faults.KILL_BEFORE, faults.KILL_AFTER, faults.TORN]),
                            self.random.choice([1, 2, 3, 4, 6, 9, 14, 30]))
            try:
                self.gateway.start()
                self.gateway.kill9()
            except RuntimeError:
                self.count["struck"] += self.faults.struck
            self.faults.disarm()

    def flip(self):
        """One bit of one file. Returns what undoes it."""
        files = sorted(path for path in self.gateway.ledger_dir.iterdir() if path.is_file() and path.stat().st_size)
        path = self.random.choice(files)
        used = len(path.read_bytes().rstrip(b"\0")) or path.stat().st_size
        at, bit = self.random.randrange(used), 1 << self.random.randrange(8)

        def turn():
            with open(path, "r+b") as file:
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ bit]))
        turn()
        return turn

    # ---- a case ----

    def case(self, kind):
        before = self.last_entry()
        if kind == faults.DISK_FULL:
            clients = self.load(lambda: self.fill_disk(None))
        elif kind in DYING:
            clients = self.load(lambda: self.strike(kind))
        else:
            clients = self.load(self.die_at_random)
        if kind == AT_START:
            self.die_while_starting()
        self.count["points"] += 1
        self.kinds[name_of(kind)] += 1
        if kind == FLIP:
            undo = self.flip()
            if not self.start_again(may_refuse=True):
                undo()
                return self.start_again(may_refuse=False) and self.compare(before, clients, name_of(kind))
            return self.compare(before, clients, name_of(kind))
        return self.start_again(may_refuse=False) and self.compare(before, clients, name_of(kind))


def add_options(parser):
    parser.add_argument("--only", help="one fault: " + ", ".join(name_of(kind) for kind in [*KINDS, *crash_device.KINDS]))
    parser.add_argument("--device", action="store_true", help="the faults of a disk of its own")


def main():
    options = longrun.options(__doc__, 200, add_options)
    why = crash_device.why_not() if options.device else None
    if why:
        print(f"this machine cannot run the crash test on a device: {why}", file=sys.stderr)
        return 2
    kinds = [kind for kind in (crash_device.KINDS if options.device else KINDS) if options.only in (None, name_of(kind))]
    crash = (crash_device.DeviceCrash if options.device else Crash)(options.seed)
    try:
        while crash.count["points"] < options.cases and time.monotonic() < options.deadline:
            if not crash.case(kinds[crash.count["points"] % len(kinds)]):
                break
    finally:
        crash.close()
    if options.device:
        crash.result("points", "received", "lost", "failed_starts", "outlived", "acts", "seen", "checked", "broken")
    else:
        crash.result("points", "received", "lost", "refused", "struck", "failed_starts")
    print(f"seed={options.seed}")
    return 0 if crash.kept_promise else 1


if __name__ == "__main__":
    sys.exit(main())

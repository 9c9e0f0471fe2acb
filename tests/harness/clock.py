"""A gateway that lives at another time, or whose clock is moved while it runs: see clock.c."""
import os
import subprocess
import time

from harness import places


class Clock:
    """Compiles the library once; at(gateway, days) has it start that many days off from now on. Gateways that
    movable() was called for before their start follow move_to() and move_by() while they run."""

    def __init__(self):
        self.folder = places.make_folder("clock")
        self.library = self.folder / "clock.so"
        self.file = self.folder / "offset"
        self.move(0)
        self.folder.chmod(0o755)
        self.file.chmod(0o644)
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-D_GNU_SOURCE", "-o", self.library,
                        places.ROOT / "tests/harness/clock.c"], check=True)

    def _preload(self, gateway, **settings):
        before = (gateway.environment or os.environ).get("LD_PRELOAD", "").replace(str(self.library), "")
        gateway.environment = {**(gateway.environment or os.environ),
                               "LD_PRELOAD": places.preload(gateway.program, self.library, before), **settings}

    def at(self, gateway, days):
        self._preload(gateway, COFFERDAM_CLOCK_OFFSET_S=str(int(days * 86400)))

    def movable(self, gateway):
        self._preload(gateway, COFFERDAM_CLOCK_FILE=str(self.file))

    def move(self, seconds):
        """All movable gateways are off by so many seconds, at once."""
        with open(self.file, "r+b" if self.file.exists() else "wb", buffering=0) as file:
            file.write(int(seconds).to_bytes(8, "little", signed=True))
        self.seconds = int(seconds)

    def move_by(self, seconds):
        self.move(self.seconds + seconds)

    def move_to(self, instant):
        """An aware datetime that it is from now on."""
        self.move(round(instant.timestamp() - time.time()))

    def close(self):
        places.remove_folder(self.folder)

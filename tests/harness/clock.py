"""A gateway that lives at another time: see clock.c."""
import os
import subprocess

from harness import places


class Clock:
    """Compiles the library once; at(gateway, days) has it start that many days off from now on."""

    def __init__(self):
        self.folder = places.make_folder("clock")
        self.library = self.folder / "clock.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-D_GNU_SOURCE", "-o", self.library,
                        places.ROOT / "tests/harness/clock.c"], check=True)

    def at(self, gateway, days):
        before = (gateway.environment or os.environ).get("LD_PRELOAD", "").replace(str(self.library), "").strip()
        gateway.environment = {**(gateway.environment or os.environ),
                               "LD_PRELOAD": f"{before} {self.library}".strip(),
                               "COFFERDAM_CLOCK_OFFSET_S": str(int(days * 86400))}

    def close(self):
        places.remove_folder(self.folder)

"""A disk that fails where it is told to, under one gateway: see faults.c."""
import mmap
import os
import struct
import subprocess

from harness import places

KILL_BEFORE, KILL_AFTER, TORN, WRITE_EIO, SYNC_EIO, DISK_FULL, NO_SYNC = range(1, 8)
NAMES = {KILL_BEFORE: "kill before a write", KILL_AFTER: "kill after a write", TORN: "torn write",
         WRITE_EIO: "failed write", SYNC_EIO: "failed sync", DISK_FULL: "disk full", NO_SYNC: "no sync"}
SIZE = 64


class Faults:
    """Compiles the library once and starts the gateway with it from now on. close() before the gateway's."""

    def __init__(self, gateway):
        self.folder = places.make_folder("faults")
        library, control = self.folder / "faults.so", self.folder / "control"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-D_GNU_SOURCE", "-o", library,
                        places.ROOT / "tests/harness/faults.c"], check=True)
        control.write_bytes(bytes(SIZE))
        places.own(control, gateway.user)
        self.file = open(control, "r+b")
        self.map = mmap.mmap(self.file.fileno(), SIZE)
        gateway.environment = {**os.environ, "LD_PRELOAD": places.preload(gateway.program, library),
                               "COFFERDAM_FAULTS": str(control), "COFFERDAM_FAULTS_FOLDER": str(gateway.state_dir)}

    def _get(self, index):
        return struct.unpack_from("<Q", self.map, 8 * index)[0]

    def _set(self, index, value):
        struct.pack_into("<Q", self.map, 8 * index, value)

    @property
    def calls(self):
        return self._get(0)

    @property
    def struck(self):
        return self._get(3)

    def arm(self, fault, after_calls=1):
        """The fault strikes the call that comes after so many."""
        self._set(1, 0)
        self._set(3, 0)
        self._set(2, fault)
        self._set(1, self.calls + after_calls)

    def disarm(self):
        self._set(1, 0)

    def close(self):
        self.map.close()
        self.file.close()
        places.remove_folder(self.folder)

"""A disk of one's own below a folder: ext4 on a loop device, which can lose its power and can run out below itself.

Needs root and the kernel's loop devices: why_not() says what is missing. A power cut is ext4's own shutdown (as xfstests
uses it): what had not been synced is gone, and whoever writes or syncs from then on gets EIO. The image lies in a
tmpfs that is smaller than the disk claims to be: once that is full, writes to places never written before fail below
the file system, as on a thin disk whose pool is exhausted.
"""
import contextlib
import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
import time

from harness import places

SHUTDOWN, KEEP_JOURNAL, LOSE_JOURNAL = 0x8004587D, 1, 2  # EXT4_IOC_SHUTDOWN and its flags
WRITE_OUT = 2  # SYNC_FILE_RANGE_WRITE
MIB = 1 << 20
DISK_BYTES, BELOW_BYTES = 640 * MIB, 600 * MIB
# noauto_da_alloc: a file renamed over another may be empty after a cut, as on other file systems.
MOUNTS = ["data=ordered", "data=ordered,noauto_da_alloc", "data=writeback,noauto_da_alloc", "data=writeback,nodelalloc",
          "data=journal"]
TOOLS = ["losetup", "mount", "umount", "mkfs.ext4", "e2fsck"]


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def why_not():
    """None, or why there can be no such disk here."""
    if os.getuid() != 0:
        return "it mounts a file system, and that takes root"
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        return f"there is no {', '.join(missing)} (packages mount and e2fsprogs)"
    if not os.path.exists("/dev/loop-control"):
        return "the kernel gives no loop devices (/dev/loop-control)"
    try:
        with Disk(None, 16 * MIB, 16 * MIB) as disk:
            disk.cut()
    except (RuntimeError, OSError) as error:
        return f"a trial failed: {error}"
    return None


class Disk:
    """Mounted on folder (None: one of its own) and given to user from the beginning; close() takes all of it away."""

    def __init__(self, folder, disk_bytes=DISK_BYTES, below_bytes=BELOW_BYTES, user=None):
        self.own = places.make_folder("disk")
        self.below, self.device, self.mounted = self.own / "below", None, False
        self.folder = folder or self.own / "disk"
        try:
            for path in (self.below, self.folder):
                path.mkdir(exist_ok=True)
            run("mount", "-t", "tmpfs", "-o", f"size={below_bytes}", "cofferdam-test", self.below)
            image = self.below / "image"
            with open(image, "wb") as file:
                file.truncate(disk_bytes)
            self.device = run("losetup", "--find", "--show", image)
            run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.device)
            self.power_on(MOUNTS[0])
            shutil.rmtree(self.folder / "lost+found")
            if user:
                places.own(self.folder, user)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def cut(self, flag=LOSE_JOURNAL):
        """The power fails. Nobody is told but by EIO."""
        self._ioctl(SHUTDOWN, flag)

    def _ioctl(self, number, value):
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(folder, number, struct.pack("I", value))
        finally:
            os.close(folder)

    def write_out(self, random):
        """Parts of files, in no order: what the kernel might have written by itself before the power failed."""
        libc = ctypes.CDLL(None, use_errno=True)
        for folder, _, names in os.walk(self.folder):
            for name in names:
                if random.random() < 0.5:
                    continue
                with contextlib.suppress(OSError):
                    file = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NOFOLLOW)
                    try:
                        pages = os.fstat(file).st_size // 4096 + 1
                        for _ in range(3):
                            libc.sync_file_range(file, ctypes.c_int64(random.randrange(pages) * 4096),
                                                 ctypes.c_int64(random.randint(1, 16) * 4096), WRITE_OUT)
                    finally:
                        os.close(file)

    def exhaust(self):
        """The pool below has no room from now on."""
        with contextlib.suppress(OSError), open(self.below / "ballast", "wb", buffering=0) as file:
            while True:
                file.write(bytes(MIB))
        with contextlib.suppress(OSError), open(self.below / "ballast", "ab", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

    def power_off(self):
        """Nobody may have a file open."""
        deadline = time.monotonic() + 10
        while self.mounted:
            try:
                run("umount", self.folder)
                self.mounted = False
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def power_on(self, options):
        """The journal is played back, and the file system checked."""
        (self.below / "ballast").unlink(missing_ok=True)
        self.power_off()
        checked = subprocess.run(["e2fsck", "-p", self.device], capture_output=True, text=True)
        if checked.returncode > 1:
            raise RuntimeError(f"{self.device}: the file system itself is damaged: {checked.stdout}{checked.stderr}")
        run("mount", "-t", "ext4", "-o", options, self.device, self.folder)
        self.mounted = True

    def close(self):
        with contextlib.suppress(RuntimeError):
            self.power_off()
        if self.device:
            run("losetup", "-d", self.device)
        subprocess.run(["umount", self.below], capture_output=True)
        places.remove_folder(self.own)

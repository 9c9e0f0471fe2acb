"""Where things are, and as whom servers run."""
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
POSTGRES_BIN = pathlib.Path(os.environ.get("POSTGRES_BIN", "/usr/lib/postgresql/15/bin"))
# Debian's psql is a Perl program that looks for a cluster and then becomes this one: ten times the time.
os.environ["PATH"] = f"{POSTGRES_BIN}:{os.environ['PATH']}"


def binary():
    """The program under test: COFFERDAM_BIN, or the build of ./check."""
    given = os.environ.get("COFFERDAM_BIN")
    path = pathlib.Path(given) if given else ROOT / "build/check/cofferdam"
    if not path.is_file():
        raise RuntimeError(f"no program at {path}: build it (./check does) or set COFFERDAM_BIN")
    return path.absolute()


def preload(program, library, others=""):
    """LD_PRELOAD for a program with a library of ours: a sanitizer's runtime, if the program has one, comes first."""
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    first = re.findall(r"=> (\S+/lib[at]san\S+)", linked)
    return " ".join([*first, *(name for name in others.split() if name not in first), str(library)])


def servant(preferred):
    """The user a server runs as: ourselves, or an unprivileged one if we are root."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    for name in (preferred, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("no unprivileged user on this machine")


def own(path, user):
    """Gives a file or folder to the servant (a no-op unless we are root)."""
    if os.getuid() == 0:
        os.chown(path, user.pw_uid, user.pw_gid)


def popen_as(user, command, **options):
    """Starts a program as that user, in a folder that the user can reach."""
    if os.getuid() == 0:  # by a program: where Popen changes the user, it copies all of this process first
        command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]
    return subprocess.Popen([str(part) for part in command], cwd="/", **options)


def run_as(user, command):
    """Runs a program to its end and raises with its words if it fails."""
    process = popen_as(user, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = process.communicate()[0]
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{output}")
    return output


def make_folder(name):
    """A fresh folder with a short path (sockets allow 107 bytes) that any user can reach."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"cofferdam-{name}-", dir="/tmp"))
    folder.chmod(0o755)
    return folder


def remove_folder(folder):
    shutil.rmtree(folder, ignore_errors=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]

"""Other people's verifiers of the published ledger, and the server that hands it to them."""
import functools
import os
import pathlib
import re
import subprocess
import tempfile
import time

from harness import places

START_SECONDS = float(os.environ.get("COFFERDAM_START_SECONDS", "20"))


@functools.cache
def go_program():
    """tests/go/verify_log, built once a run from Debian's golang.org/x/mod."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cofferdam-go-"))
    environment = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOFLAGS="")
    environment.setdefault("GOCACHE", str(pathlib.Path(tempfile.gettempdir()) / "cofferdam-go-cache"))
    subprocess.run(["go", "build", "-o", folder / "verify_log", "."], cwd=places.ROOT / "tests/go/verify_log",
                   env=environment, check=True, timeout=300)
    return folder / "verify_log"


def run(command, **options):
    """(exit code, standard output, standard error)."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, **options)
    return done.returncode, done.stdout, done.stderr


def go(vkey, at=None, olds=(), proofs=(), below=0):
    """golang.org/x/mod/sumdb over a folder of tiles or a URL, whose entries below were dropped, and over proofs."""
    words = [word for old in olds for word in ("-old", old)] + [word for proof in proofs for word in ("-proof", proof)]
    return run([go_program(), "-vkey", vkey, "-from", below, *words, *([at] if at else [])])


def sigstore(vkey, *proofs):
    """npm's @sigstore/verify over proofs of entries: "good", or why not, for each."""
    code, told, errors = run(["node", places.ROOT / "tests/harness/sigstore.js", vkey, *proofs],
                             env=dict(os.environ, NODE_PATH=str(places.ROOT / "node_modules")))
    assert code == 0, errors
    return told.splitlines()


class Server:
    """One `cofferdam ledger serve`; close() stops it and judges its end."""

    def __init__(self, gateway):
        self.log = gateway.folder / "serve.log"
        command = [gateway.program, "ledger", "serve", gateway.ledger_dir, "--listen", "127.0.0.1:0"]
        command += ["--user", gateway.user.pw_name] if os.getuid() == 0 else []
        # A sanitizer's search for leaks is a process that traces us: this one can make none.
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(part) for part in command], cwd="/", stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=environment)
        deadline = time.monotonic() + START_SECONDS
        while not (found := re.search(r"event=serve_ready port=(\d+)", self.log.read_text())):
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.01)
        self.port = int(found.group(1))
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self):
        self.process.terminate()
        assert self.process.wait(timeout=20) == 0, self.log.read_text()

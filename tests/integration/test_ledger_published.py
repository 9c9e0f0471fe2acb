"""What the gateway publishes while it works is verified by code that is not ours: Go's and Sigstore's."""
import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import threading
import time

import psycopg
import pytest

from harness import places, verifiers

MIDDLE = 100  # entries that are there before the older checkpoint is kept


def published(gateway):
    """Size that tiles/checkpoint speaks of; 0 while there is none."""
    path = gateway.ledger_dir / "tiles/checkpoint"
    return int(path.read_text().split("\n")[1]) if path.exists() else 0


def newest(level, size):
    """The partial tile, or bundle, at the end of a log."""
    return f"tile/{level}/{size // 256:03}.p/{size % 256}"


def work(gateway, until):
    with gateway.connect("acme.cert") as connection:
        number = 0
        while not until.is_set():
            number += 1
            connection.execute("SELECT person_id, full_name FROM person WHERE person_id = %s",
                               (1 + 4 * (number % 50),)).fetchall()


def work_until_it_dies(gateway, enough):
    with contextlib.suppress(psycopg.OperationalError):
        work(gateway, enough)


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Log:
    """A ledger that a gateway has written under load, and what was seen of it meanwhile."""

    def __init__(self, gateway, folder):
        self.gateway, self.folder = gateway, folder
        self.tiles, self.vkey = gateway.ledger_dir / "tiles", gateway.ledger_dir / "log.vkey"
        self.old = folder / "old.checkpoint"
        enough = threading.Event()
        gateway.parameters("acme.cert")  # makes the certificate, which threads must not do together
        threads = [threading.Thread(target=work, args=(gateway, enough)) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: published(gateway) > MIDDLE)
            self.old.write_bytes((self.tiles / "checkpoint").read_bytes())
            server = verifiers.Server(gateway)
            until(lambda: published(gateway) > self.old_size)
            self.under_load = verifiers.go(self.vkey, server.url, olds=[self.old])
            server.close()
            until(lambda: published(gateway) > 600)
        finally:
            enough.set()
            for thread in threads:
                thread.join()
        assert gateway.stop() == 0
        self.size = published(gateway)
        self.proofs = [self.prove(index, f"{index}.tlog-proof") for index in
                       (0, 1, 255, 256, 511, 512, self.old_size, self.size - 1)]
        self.since = self.prove("--from", self.old, "since.proof")

    @property
    def old_size(self):
        return int(self.old.read_text().split("\n")[1])

    def prove(self, *words):
        path = self.folder / words[-1]
        self.gateway.cli("ledger", "prove", *words[:-1], "-o", path)
        return path


@pytest.fixture(scope="module")
def log(make_module_gateway):
    verifiers.go_program()
    gateway = make_module_gateway(config={"ledger": {"publish_every_ms": 500}})
    folder = places.make_folder("published")
    places.own(folder, gateway.user)  # it writes proofs there
    yield Log(gateway, folder)
    places.remove_folder(folder)


def test_go_verifies_it_over_http_under_load(log):
    code, told, errors = log.under_load
    assert code == 0, errors
    assert int(re.match(r"entries=(\d+) older=1 ", told).group(1)) > log.old_size


def test_go_verifies_all_of_it(log):
    code, told, errors = verifiers.go(log.vkey, log.tiles, olds=[log.old], proofs=[*log.proofs, log.since])
    assert (code, told) == (0, f"entries={log.size} older=1 proofs={len(log.proofs) + 1}\n"), errors


def test_sigstore_verifies_entries(log):
    assert verifiers.sigstore(log.vkey, *log.proofs) == ["good"] * len(log.proofs)


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.mark.parametrize("name, at", [
    ("tile/entries/000", 40), ("tile/entries/001", -1), ("tile/0/000", 0), ("tile/0/001", 8191),
    ("tile/1/000.p", 0), ("tile/0/last", 5), ("tile/entries/last", 2), ("checkpoint", 20), ("checkpoint", -20)])
def test_go_finds_one_byte(log, tmp_path, name, at):
    copy = tmp_path / "tiles"
    shutil.copytree(log.tiles, copy)
    if name.endswith("last"):
        name = newest(name.split("/")[1], log.size)
    elif name.endswith(".p"):
        name += f"/{log.size // 256}"
    flip(copy / name, at)
    code, told, errors = verifiers.go(log.vkey, copy)
    assert (code, told) == (1, ""), errors


def changed(proof, line, tmp_path):
    """The proof with a bit of that line's base64 bytes changed, in a file of its own."""
    lines = proof.read_text().split("\n")
    head, _, last = lines[line].rpartition(" ")
    content = bytearray(base64.b64decode(last))
    content[10] ^= 1
    lines[line] = f"{head}{' ' if head else ''}{base64.b64encode(content).decode()}"
    path = tmp_path / f"{line}-{proof.name}"
    path.write_text("\n".join(lines))
    return path


def test_both_find_one_bit_of_a_proof(log, tmp_path):
    proof = log.proofs[3]
    blank = proof.read_text().split("\n").index("")
    bad = [changed(proof, line, tmp_path) for line in (1, 3, blank + 3, blank + 5)]  # entry, hash, root, signature
    assert verifiers.sigstore(log.vkey, *bad) == [
        *["calculated root hash does not match inclusion proof"] * 2, *["invalid checkpoint signature"] * 2]
    for path in bad:
        assert verifiers.go(log.vkey, proofs=[path])[0] == 1, path
    since = changed(log.since, 1, tmp_path)
    assert verifiers.go(log.vkey, olds=[log.old], proofs=[since])[0] == 1
    assert verifiers.go(log.vkey, olds=[log.old], proofs=[proof, log.since])[0] == 0


def verify(log, *arguments):
    """(exit code, verdict or errors) of our own verifier, without configuration or ledger."""
    code, told, errors = verifiers.run([log.gateway.program, "ledger", "verify", *arguments])
    return code, told or errors


def test_ours_agrees_about_proofs(log, tmp_path):
    for proof, index in zip(log.proofs, (0, 1, 255, 256, 511, 512, log.old_size, log.size - 1)):
        code, told = verify(log, proof, "--key", log.vkey)
        assert (code, told.startswith(f"holds: entry {index} (")) == (0, True), told
    told = json.loads(verify(log, log.since, "--key", log.vkey, "--since", log.old, "--json")[1])
    assert (told["verdict"], told["old"], told["checkpoint"]) == ("holds", log.old_size, log.size)
    proof = log.proofs[3]
    blank = proof.read_text().split("\n").index("")
    for line in (1, 3, blank + 3, blank + 5):
        assert verify(log, changed(proof, line, tmp_path), "--key", log.vkey)[0] == 1, line
    assert verify(log, changed(log.since, 1, tmp_path), "--key", log.vkey, "--since", log.old)[0] == 1
    assert verify(log, proof)[0] == verify(log, log.since, "--key", log.vkey)[0] == 2


def test_a_statement_is_proved_entry_by_entry(log):
    folder = log.folder / "statement"
    entry = base64.b64decode(log.proofs[4].read_text().split("\n")[1].split(" ")[1])
    uuid = entry[4:20].hex()
    uuid = "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))
    paths = log.gateway.cli("ledger", "prove", "--statement", uuid, "-o", folder).split()
    assert str(folder / "511.tlog-proof") in paths
    assert verifiers.sigstore(log.vkey, *paths) == ["good"] * len(paths)


def test_what_cannot_be_proved_is_told(log):
    def refused(*arguments):
        code, output, errors = log.gateway.cli("ledger", "prove", *arguments, check=False)
        assert output == ""
        return code, errors

    code, errors = refused(str(log.size))
    assert code == 1 and f"entry {log.size} is not among the first {log.size}" in errors
    code, errors = refused("--statement", "ffffffff-ffff-ffff-ffff-ffffffffffff", "-o", log.folder / "none")
    assert code == 1 and "no entry of that statement is published" in errors
    assert refused()[0] == refused("1", "--from", log.old)[0] == refused("x")[0] == 2
    forked = log.folder / "forked.checkpoint"
    lines = log.old.read_text().split("\n")
    forked.write_text("\n".join([*lines[:2], base64.b64encode(bytes(32)).decode(), *lines[3:]]))
    code, errors = refused("--from", forked)
    assert code == 1 and "has another root" in errors and "keep both" in errors


def test_after_a_kill_it_goes_on_where_the_log_goes_on(make_gateway, tmp_path):
    gateway = make_gateway(config={"ledger": {"publish_every_ms": 50}})
    vkey, tiles = gateway.ledger_dir / "log.vkey", gateway.ledger_dir / "tiles"
    olds = []
    for number in range(3):
        before, enough = published(gateway), threading.Event()
        thread = threading.Thread(target=work_until_it_dies, args=(gateway, enough))
        thread.start()
        until(lambda: published(gateway) > before + 20)
        olds.append(tmp_path / f"{number}.checkpoint")
        olds[-1].write_bytes((tiles / "checkpoint").read_bytes())
        gateway.kill9()
        thread.join()
        if number == 1:  # a power cut: what was not synced may be anything
            (tiles / newest("entries", published(gateway))).write_bytes(b"")
        gateway.start()
    assert gateway.stop() == 0
    code, told, errors = verifiers.go(vkey, tiles, olds=olds)
    assert (code, told) == (0, f"entries={published(gateway)} older=3 proofs=0\n"), errors


@pytest.fixture(scope="module")
def server(log):
    server = verifiers.Server(log.gateway)
    yield server
    server.close()


def ask(server, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def test_the_server_hands_out_tiles_and_their_checkpoint(log, server):
    for path, kind, caching in (("/checkpoint", "text/plain; charset=utf-8", "no-cache"),
                                ("/tile/0/000", "application/octet-stream", "max-age=31536000, immutable"),
                                ("/tile/entries/001", "application/octet-stream", "max-age=31536000, immutable")):
        status, headers, body = ask(server, path)
        assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, kind, caching)
        assert body == (log.tiles / path[1:]).read_bytes()
        status, headers, body = ask(server, path, "HEAD")
        assert (status, int(headers["Content-Length"]), body) == (200, (log.tiles / path[1:]).stat().st_size, b"")


def test_the_server_hands_out_nothing_else(log, server):
    (log.tiles / "tile/0/link").symlink_to("/etc/passwd")
    (log.tiles / "tile/0/900").symlink_to("/etc/passwd")
    for path in ("/", "/tile", "/tile/", "/tile/0", "/tile/0/", "/tile/0/link", "/tile/0/900", "/tile/0/901", "/.new",
                 "/../log-id", "/tile/../../log-id", "/tile/0/..%2f..%2f..%2flog-id", "/%2e%2e/checkpoint", "//checkpoint",
                 "/tile/0/0", "/tile/0/000/", "/tile/8/000", "/segment-0000000001.log", "/checkpoint/", "/CHECKPOINT"):
        assert ask(server, path)[0] == 404, path
    status, headers, _ = ask(server, "/checkpoint", "DELETE")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_the_server_listens_to_strangers_over_tls_only(log):
    done = subprocess.run([log.gateway.program, "ledger", "serve", log.gateway.ledger_dir, "--listen", "0.0.0.0:0",
                           "--user", "nobody"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "does not travel in the clear" in done.stderr
    if os.getuid() == 0:
        done = subprocess.run([log.gateway.program, "ledger", "serve", log.gateway.ledger_dir, "--listen",
                               "127.0.0.1:0"], capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and "does not run as root" in done.stderr

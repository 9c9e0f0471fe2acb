"""testssl.sh (the Debian package) against a gateway's port, by its JSON."""
import json
import pathlib
import subprocess
import tempfile

FINE = {"OK", "INFO", "LOW", "DEBUG"}


def findings(port, authority, checks=(), timeout=600):
    """What it found above LOW, as texts, and how many findings there were in all."""
    with tempfile.TemporaryDirectory() as folder:
        answer = pathlib.Path(folder) / "answer.json"
        done = subprocess.run(["testssl", "--quiet", "--color", "0", "--warnings", "off", "-n", "none", "--add-ca", authority,
                               *checks, "-t", "postgres", "--jsonfile", answer, f"127.0.0.1:{port}"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        assert answer.exists(), done.stdout + done.stderr
        found = json.loads(answer.read_text())
    return [f"{one['severity']} {one['id']}: {one['finding']}" for one in found if one["severity"] not in FINE], len(found)

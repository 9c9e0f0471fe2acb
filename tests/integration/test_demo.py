"""./demo --quick --exit tells its story to the end, and each command in it does what the story says."""
import os
import subprocess

import pytest

from harness import places


def demo(folder, *words):
    environment = dict(os.environ, COFFERDAM_BIN=str(places.binary()), COFFERDAM_DEMO_FOLDER=str(folder))
    return subprocess.run([str(places.ROOT / "demo"), *words], env=environment, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)


@pytest.fixture(scope="module")
def folder():
    path = places.make_folder("demo")
    yield path
    demo(path, "--down")
    places.remove_folder(path)


def servers_under(folder):
    """Processes that work in or were started from the folder."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                command = open(f"/proc/{entry.name}/cmdline", "rb").read()
            except OSError:
                continue
            if str(folder).encode() in command:
                found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_the_story_holds_and_leaves_nothing_running(folder):
    done = demo(folder, "--quick", "--exit")
    assert done.returncode == 0, done.stdout[-4000:]
    for word in ("53400", "42501", "30 of 30", "Never", "Is this message genuine", "We sent a message with this",
                 "handed over to the mail server", "is closed; dossier", "agree with the ledger", "scope: who", "+44 7700 900999", "change-end", "committed",
                 "needs approval: request 1 was made", "canary-crossed", "statlab.notebook", "canaries among the rows", "the copy given to brightwash is", "signed: ", "was ever disclosed to the partner north-mail"):
        assert word in done.stdout, f"{word!r} is not in the story:\n{done.stdout[-4000:]}"
    assert "\x1b[" not in done.stdout, "colours, and no terminal"
    assert servers_under(folder) == []


def test_up_is_quick_the_second_time_and_leaves_urls(folder):
    first = demo(folder, "--quick", "--up")
    assert first.returncode == 0, first.stdout
    running = servers_under(folder)
    second = demo(folder, "--quick", "--up")
    assert (second.returncode, servers_under(folder)) == (0, running)
    urls = dict(line.split("=", 1) for line in (folder / "urls.env").read_text().splitlines()
                if not line.startswith("#"))
    assert {"UPSTREAM_URL", "ADMIN_URL", "NORTH_MAIL_URL", "RINGWAY_URL", "STATLAB_URL", "BRIGHTWASH_URL"} <= set(urls)
    for name, statement in (("UPSTREAM_URL", "SELECT 1"), ("NORTH_MAIL_URL", "SELECT 1"), ("RINGWAY_URL", "SELECT 1"),
                            ("STATLAB_URL", "SELECT 1"), ("BRIGHTWASH_URL", "SELECT 1")):
        psql = subprocess.run(["psql", "-XAt", urls[name].strip("'"), "-c", statement], text=True, capture_output=True)
        assert (name, psql.stdout, psql.stderr) == (name, "1\n", "")
    admin = subprocess.run(["psql", "-XAt", urls["ADMIN_URL"].strip("'"), "-c", "SHOW SESSIONS"], text=True,
                           capture_output=True)
    assert (admin.returncode, admin.stderr) == (0, "")
    assert demo(folder, "--down").returncode == 0
    assert servers_under(folder) == []

"""A portal process before an invented incident's published folder, and who asks it."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import urllib.parse

from harness import places

START_SECONDS = float(os.environ.get("COFFERDAM_START_SECONDS", "20"))
ALARMS = re.compile(r"ERROR: AddressSanitizer|runtime error:|WARNING: ThreadSanitizer|event=check_failed"
                    r"|LeakSanitizer")
FORM = "application/x-www-form-urlencoded"
REQUEST_BYTES = 1080


def user():
    """As whom the portal runs: not as the gateways of these tests."""
    return places.servant("daemon")


class Site:
    """A published folder and its queue. references: [(issue, text)], the last `expired` too old."""

    def __init__(self, references=1000, expired=100):
        self.base = places.make_folder("portal")
        self.folder, self.queue = self.base / "site", self.base / "queue"
        self.queue.mkdir()
        self.queue.chmod(0o1733)
        self.expired = expired
        self.references = self.publish(1, references, expired)

    def publish(self, incident, references, expired=0):
        """Publishes an incident (again); its references."""
        program = places.binary().parent / "tests/unit/incident/sample_site"
        words = [program, places.ROOT / "share", self.folder, incident, references, expired]
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        lines = [line.split() for line in done.stdout.splitlines()]
        return [(int(issue), reference) for issue, reference in lines if issue.isdigit()]

    @property
    def valid(self):
        return self.references[:len(self.references) - self.expired]

    @property
    def too_old(self):
        return self.references[len(self.references) - self.expired:]

    def queued(self):
        return sorted(self.queue.iterdir())

    def close(self):
        places.remove_folder(self.base)


class Portal:
    """One `cofferdam portal`; close() stops and judges it."""

    def __init__(self, site, *options, listen="127.0.0.1:0", proxy="127.0.0.1", keep=()):
        """keep: file descriptors that stay open in it."""
        self.site = site
        self.log = site.base / f"log-{time.monotonic_ns()}"
        self.program = site.base / "cofferdam"
        if not self.program.exists():
            shutil.copy(places.binary(), self.program)
        command = [self.program, "portal", "--folder", site.folder, "--queue", site.queue, "--listen", listen]
        command += ["--proxy", proxy] if proxy else []
        command += ["--user", user().pw_name] if os.getuid() == 0 else []
        # A sanitizer's search for leaks is a process that traces us: the portal can make none.
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(part) for part in [*command, *options]], cwd="/", stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, env=environment, pass_fds=keep)
        self.port = int(self.wait_for(r"event=portal_ready port=(\d+)"))

    def log_text(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern, seconds=START_SECONDS):
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.log_text())):
            assert self.process.poll() is None, f"the portal ended:\n{self.log_text()}"
            assert time.monotonic() < deadline, f"no {pattern} within {seconds} s:\n{self.log_text()}"
            time.sleep(0.02)
        return found.group(1) if found.groups() else found.group()

    def url(self, path="/", host="meridian.example", scheme="http"):
        return f"{scheme}://{host}:{self.port}{path}"

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        assert code == 0, f"exit code {code}:\n{self.log_text()}"
        assert not ALARMS.search(self.log_text()), self.log_text()


class Asker:
    """A connection to a portal, from an address of its own: the portal believes its proxy."""

    def __init__(self, portal, address="192.0.2.1", host="meridian.example"):
        self.connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=30)
        self.headers = {"Host": host, "X-Forwarded-For": address}

    def request(self, method, path, body=None, **headers):
        """(status, headers as a list, body as bytes)."""
        self.connection.request(method, path, body, {**self.headers, **headers})
        response = self.connection.getresponse()
        return response.status, response.getheaders(), response.read()

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    def post(self, path, fields, **headers):
        body = fields if isinstance(fields, (str, bytes)) else urllib.parse.urlencode(fields)
        return self.request("POST", path, body, **{"Content-Type": FORM, **headers})

    def close(self):
        self.connection.close()


def address(number):
    """The number-th of many IPv4 addresses."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def steady(headers):
    """Headers but for the clock's."""
    return [(name, value) for name, value in headers if name != "Date"]


def browse(visits, hosts=("meridian.example", "dacre.example")):
    """Visits pages with Chromium: browser.js beside this file. The hosts are this machine's."""
    program = next(path for path in (shutil.which("chromium"), shutil.which("chromium-browser")) if path)
    plan = {"program": program, "visits": visits,
            "host_rules": ",".join(f"MAP {host} 127.0.0.1" for host in hosts)}
    environment = dict(os.environ, NODE_PATH=str(places.ROOT / "node_modules"))
    done = subprocess.run(["node", str(pathlib.Path(__file__).with_name("browser.js"))], input=json.dumps(plan),
                          capture_output=True, text=True, timeout=180, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

"""A real SMTP server on loopback for tests: examples/meridian/mailbox.py as a process.

    server = MailServer(authority, refuse="^gone", notices=maildir)
    server.port, server.ca, server.user, server.password_file
    server.messages()  # what was accepted: dicts with from, to, envid, notify, data
"""
import json
import os
import pathlib
import signal
import subprocess
import sys

from . import places

USER, PASSWORD = "notices", "a password for tests"


class MailServer:
    def __init__(self, authority=None, port=0, user=USER, **options):
        """authority None: no TLS. Other options are mailbox.py's, with _ for -."""
        self.folder = places.make_folder("mail")
        self.password_file = self.folder / "password"
        self.password_file.write_text(f"{PASSWORD}\n")
        self.password_file.chmod(0o600)
        self.user, self.port, self.process = user, port, None
        self.ca = authority.certificate if authority else None
        self.command = ["/usr/bin/python3", places.ROOT / "examples/meridian/mailbox.py", "--folder", self.folder]
        if authority:
            certificate, key = authority.server()
            self.command += ["--certificate", certificate, "--key", key]
        if user:
            self.command += ["--user", user, "--password-file", self.password_file]
        self.start(**options)

    def start(self, **options):
        words = []
        for name, value in options.items():
            name = "--" + name.replace("_", "-")
            words += [name] if value is True else [name, str(value)] if value not in (None, False) else []
        self.process = subprocess.Popen([*map(str, self.command), "--port", str(self.port), "--attached", *words],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().split()
        if line[:1] != ["ready"]:
            raise RuntimeError("the mail server did not start")
        self.port = int(line[1])

    def messages(self):
        path = self.folder / "messages.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines()]

    def forget(self):
        """What was accepted so far is not shown again."""
        os.truncate(self.folder / "messages.jsonl", 0)

    def hurry(self):
        """It is not slow any more: the messages that are left go quickly."""
        self.process.send_signal(signal.SIGUSR1)

    def stop(self):
        """The port stays reserved in self.port: start() serves on it again."""
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    def close(self):
        self.stop()
        places.remove_folder(self.folder)


def make_maildir(folder):
    """An empty Maildir."""
    for part in ("tmp", "new", "cur"):
        (pathlib.Path(folder) / part).mkdir(parents=True, exist_ok=True)
    return pathlib.Path(folder)


def main():
    """For programs that are not Python: options as name=value, and tls=no, name=elsewhere. Prints
    "PORT CA FOLDER" and serves until the standard input ends."""
    from . import pki
    options = dict(word.split("=", 1) for word in sys.argv[1:])
    folder = places.make_folder("mailca")
    authority = pki.Authority(folder) if options.pop("tls", "yes") == "yes" else None
    if options.pop("name", "localhost") != "localhost":
        authority.server = lambda: authority.leaf("elsewhere", "DNS:elsewhere.example", "serverAuth")
    user = options.pop("user", USER)
    server = MailServer(authority, user=user or None,
                        **{name: True if value == "yes" else value for name, value in options.items()})
    print(server.port, server.ca or "-", server.folder, flush=True)
    sys.stdin.read()
    server.close()
    places.remove_folder(folder)


if __name__ == "__main__":
    main()

"""A case with a queue, for tests of the worker: ask() is what the portal does, work() one round of the worker."""
import subprocess

from harness import places
from harness.notices import Case

# Customers up to 50 and the first two enquirers are in scope.
STATEMENTS = ("SELECT customer_id, full_name, email, street FROM customer WHERE customer_id <= 50",
              "SELECT customer_id, full_name FROM enquirer WHERE customer_id <= 2")


class Office:
    def __init__(self, make_gateway, server, statements=STATEMENTS):
        self.case, self.server = Case(make_gateway, server, statements=statements), server
        self.gateway = self.case.gateway
        self.queue = self.gateway.folder / "queue"
        self.queue.mkdir()
        self.queue.chmod(0o1733)
        places.own(self.queue, self.gateway.user)
        self.gateway.settings["portal"] = {"folder": "site", "queue": "queue"}
        self.gateway.write_config()
        self.case.open()
        self.gateway.cli("worker", "--once")  # makes the installation's secret

    @property
    def incidents(self):
        return self.gateway.state_dir / "incidents"

    def ask(self, value, kind="email", postcode="", language="en", age_s=0):
        program = places.binary().parent / "tests/unit/incident/seal_request"
        words = [program, self.incidents / "reference.key", self.queue, kind, value, postcode, language, age_s]
        words = [word if isinstance(word, bytes) else str(word) for word in words]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    def work(self, fails=False):
        """The messages that one round sent; with fails, what it said."""
        before = len(self.server.messages())
        code, output, errors = self.gateway.cli("worker", "--once", check=False)
        assert (code != 0) == fails, (code, output, errors)
        self.told = errors
        return errors if fails else self.server.messages()[before:]

    def waiting(self):
        return len(list(self.queue.iterdir()))

    def new_day(self):
        (self.incidents / "answered").unlink(missing_ok=True)

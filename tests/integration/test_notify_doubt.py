"""A message without an answer is sent again only if nothing can prove that it was taken."""
import collections
import time

import pytest

from harness import notices
from harness.mailserver import MailServer, make_maildir

DOUBTED = {f"c{n}@mail.example" for n in range(10, 15)}


@pytest.fixture
def make_server(authority):
    made = []

    def make(**options):
        made.append(MailServer(authority, **options))
        return made[-1]
    yield make
    for server in made:
        server.close()


def send_until_only_doubt_is_left(case):
    """The first run, ended while it waits."""
    process = case.start("--send", "--approve", case.dry_run()["hash"])
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        if case.notify("--status", check=False)[0] == 0:
            states = case.states()
            if states.get("in doubt") == len(DOUBTED) and not {"ready", "offered", "begun"} & set(states):
                break
        time.sleep(0.1)
    process.terminate()
    output = process.communicate(timeout=30)[0]
    assert case.states().get("in doubt") == len(DOUBTED), output


def test_every_notice_that_has_come_is_read_before_anything_is_sent_again(make_gateway, make_server):
    server = make_server()
    case = notices.Case(make_gateway, server, 40, 0, mail={"doubt_s": 600})
    late = make_maildir(server.folder / "late")
    server.stop()
    server.start(swallow=r"^c1[0-4]@", notices=late)
    case.open()
    send_until_only_doubt_is_left(case)
    for notice in list((late / "new").iterdir()):  # more of them than one look takes
        for copy in range(12):
            (case.bounces / "new" / f"{notice.name}.{copy}").write_bytes(notice.read_bytes())
    case.configure(doubt_s=1)
    time.sleep(1.1)
    case.notify("--resume")
    got = collections.Counter(message["to"] for message in server.messages())
    assert not [address for address, count in got.items() if count > 1], got
    assert "send again those in doubt" not in case.log()


def test_a_notice_that_comes_before_the_second_message_goes_keeps_it_back(make_gateway, make_server):
    """Staff said «again», or the wait was over; then the notice came, and then the next run began."""
    server = make_server()
    case = notices.Case(make_gateway, server, 40, 0, mail={"doubt_s": 600})
    late = make_maildir(server.folder / "late")
    server.stop()
    server.start(swallow=r"^c1[0-4]@", notices=late)
    case.open()
    send_until_only_doubt_is_left(case)
    case.notify("--doubt", "resend", "--why", "the server's log has been lost")
    assert case.states()["ready"] == len(DOUBTED)
    for notice in list((late / "new").iterdir()):
        (case.bounces / "new" / notice.name).write_bytes(notice.read_bytes())
    case.notify("--resume")
    got = collections.Counter(message["to"] for message in server.messages())
    assert not [address for address, count in got.items() if count > 1], got
    assert "ready" not in case.states()


def test_a_notice_that_comes_while_the_second_message_waits_its_turn_keeps_it_back(make_gateway, make_server):
    """A batch is offered at once and sent slowly: the notices come after its first message."""
    server = make_server()
    case = notices.Case(make_gateway, server, 40, 0, mail={"doubt_s": 600})
    late = make_maildir(server.folder / "late")
    server.stop()
    server.start(swallow=r"^c1[0-4]@", notices=late)
    case.open()
    send_until_only_doubt_is_left(case)
    case.notify("--doubt", "resend", "--why", "the server's log has been lost")
    had = len(server.messages())
    case.configure(doubt_s=600, connections=1, per_minute=20)  # three in a batch, three seconds apart
    process = case.start("--resume")
    until = time.monotonic() + 30
    while len(server.messages()) == had and time.monotonic() < until and process.poll() is None:
        time.sleep(0.05)
    for notice in list((late / "new").iterdir()):
        (case.bounces / "new" / notice.name).write_bytes(notice.read_bytes())
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    got = collections.Counter(message["to"] for message in server.messages())
    assert len([address for address, count in got.items() if count > 1]) == 1, (got, output)
    assert not {"ready", "offered", "begun", "in doubt"} & set(case.states()), case.states()


def test_the_promise_of_another_server_proves_nothing(make_gateway, make_server):
    """The first server promises no notices; the one that takes its place does."""
    server = make_server()
    case = notices.Case(make_gateway, server, 40, 0, mail={"doubt_s": 1})
    server.stop()
    server.start(swallow=r"^c1[0-4]@", defer=r"^c20@", no_dsn=True)
    case.open()
    send_until_only_doubt_is_left(case)
    server.stop()
    server.start(notices=case.bounces)
    time.sleep(1.1)
    case.notify("--resume", check=False)
    got = collections.Counter(message["to"] for message in server.messages())
    assert not [address for address, count in got.items() if count > 1], got
    assert case.states()["in doubt"] == len(DOUBTED)

"""Sending is killed again and again: in the end nobody has got two messages, and nobody none."""
import collections
import os
import random
import time

import pytest

from harness import notices
from harness.mailserver import MailServer

CUSTOMERS, KILLS = 300, 20
SEED = int(os.environ.get("COFFERDAM_SEED", "0")) or random.randrange(1 << 30)


@pytest.fixture
def server(authority):
    made = MailServer(authority)
    yield made
    made.close()


def wait_for_more(server, count, process):
    """Until the server has taken more messages than that; it answers a little later."""
    path = server.folder / "messages.jsonl"
    while process.poll() is None:
        if path.exists() and path.stat().st_size > count:
            return
        time.sleep(0.001)


def test_killed_at_any_moment_everybody_gets_exactly_one(make_gateway, server):
    print("seed", SEED)
    chance = random.Random(SEED)
    case = notices.Case(make_gateway, server, CUSTOMERS, 0, mail={"doubt_s": 2})
    server.stop()
    server.start(notices=case.bounces, slow=0.005, slow_answer=0.06)
    case.open()
    words = ["--send", "--approve", case.dry_run()["hash"]]
    kills = 0
    while kills < KILLS:
        process = case.start(*words)
        words = ["--resume"]
        path = server.folder / "messages.jsonl"
        wait_for_more(server, path.stat().st_size if path.exists() else 0, process)
        if kills % 2:
            time.sleep(chance.uniform(0, 0.3))  # anywhere; else just between taking and answering
        if process.poll() is not None:
            break
        process.kill()
        process.communicate()
        kills += 1
    assert kills == KILLS, f"only {kills} kills before everybody had a message"
    server.hurry()
    case.notify("--resume")
    got = collections.Counter(message["to"] for message in server.messages())
    expected = {f"c{n}@mail.example" for n in range(1, CUSTOMERS + 1)} - {
        f"c{n}@mail.example" for n in (notices.DECEASED, notices.NO_EMAIL, notices.NOWHERE,
                                       notices.GONE_NO_EMAIL, notices.BAD_EMAIL)}
    assert set(got) == expected, (sorted(expected - set(got)), sorted(set(got) - expected))
    assert not [address for address, count in got.items() if count > 1]
    states = case.states()
    assert states["accepted"] == len(expected) and "in doubt" not in states, states


def test_a_message_lost_with_its_sender_is_sent_again(make_gateway, server):
    """Killed between begin and answer, with a server that takes nothing; the next one promises notices."""
    case = notices.Case(make_gateway, server, 12, 0, mail={"doubt_s": 2, "connections": 1})
    server.stop()
    server.start(notices=case.bounces, slow=3600)
    case.open()
    process = case.start("--send", "--approve", case.dry_run()["hash"])
    while process.poll() is None and '"begun"' not in case.notify("--status", "--json", check=False)[1]:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    server.stop()
    server.start(notices=case.bounces)
    assert server.messages() == []
    case.notify("--resume")
    got = collections.Counter(message["to"] for message in server.messages())
    assert len(got) == 7 and set(got.values()) == {1}, got

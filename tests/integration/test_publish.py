"""What is published of a breach lets a person check the very message that came, and ask; nothing goes out before."""
import os
import random
import re
import types

import pytest

from harness.mailserver import MailServer
from harness.notices import Case, parsed, text_of
from harness.pace import ask_many, judge_times
from harness.portal import REQUEST_BYTES, Asker, Portal

SEED = int(os.environ.get("COFFERDAM_SEED", "20261122"))
REFERENCE = re.compile(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){4}-[0-9A-Z]\b")


@pytest.fixture(scope="module")
def server(authority):
    made = MailServer(authority)
    yield made
    made.close()


@pytest.fixture(scope="module")
def case(make_module_gateway, server):
    """An open incident; a portal is configured, and nothing has been published."""
    made = Case(make_module_gateway, server)
    made.gateway.settings["portal"] = {"folder": "site", "queue": "queue"}
    made.gateway.write_config()
    return made.open()


@pytest.fixture(scope="module")
def refused(case):
    """What sending says before anything is published."""
    code, output, errors = case.notify("--send", "--approve", case.dry_run()["hash"], check=False)
    return code, output + errors, len(case.server.messages())


@pytest.fixture(scope="module")
def published(case, refused):
    return case.gateway.cli("incident", "publish", "1", "--by", "dpo")


@pytest.fixture(scope="module")
def portal(case, published):
    folder = case.gateway.folder
    running = Portal(types.SimpleNamespace(base=folder, folder=folder / "site", queue=folder / "queue"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def messages(case, portal):
    """What people got, by address."""
    case.send()
    return {message["to"]: message for message in case.server.messages()}


@pytest.fixture
def asker(portal):
    asking = Asker(portal, "192.0.2.1")
    yield asking
    asking.close()


def reference_of(message):
    (found,) = set(REFERENCE.findall(text_of(message)))
    return found


def test_nothing_is_sent_before_it_can_be_checked(refused):
    code, said, sent = refused
    assert (code, sent) == (1, 0)
    assert "does not vouch for these messages" in said and "cofferdam incident publish 1" in said


def test_publishing_is_a_decision(case, published):
    assert re.fullmatch(r"published in 2 languages: \d+ messages, \d+ references\n", published)
    log = case.gateway.cli_json("incident", "log", "1")
    (row,) = [row for row in log if row["step"] == "publish"]
    assert row["by"] == "dpo" and "references" in row["why"]


def test_the_page_has_the_statement_and_our_messages(asker):
    status, _, body = asker.get("/en/")
    text = body.decode()
    for words in ("Data breach at a company that works for us, 1 January 2026", "We are sorry", "your name",
                  "privacy@meridian.example", "Meridian: a data breach that affects you", "Imogen Hartley"):
        assert words in text, words
    assert status == 200 and "Person" not in text and "mail.example" not in text
    assert "Nous vous présentons nos excuses" in asker.get("/fr/")[2].decode()


@pytest.mark.parametrize("address", ["c10@mail.example", "c11@mail.example", "c12@mail.example", "e1@mail.example"])
def test_each_message_can_be_checked_against_the_page(messages, portal, address):
    message = messages[address]
    language = parsed(message)["Content-Language"]
    asking = Asker(portal, f"198.51.100.{len(address) + ord(address[1])}")
    status, _, body = asking.post(f"/{language}/genuine", {"reference": reference_of(message)})
    asking.close()
    text = body.decode().replace("&#39;", "'")
    opening = re.search(r"<dd lang=\"\w+\"><p>(.+?)</p>", text).group(1)
    assert status == 200 and parsed(message)["Subject"] in text
    assert opening[:60] in " ".join(text_of(message).split()), opening
    assert re.search(r"privacy@(\w+)\.example", text).group(0) == parsed(message)["From"].addresses[0].addr_spec


def test_references_differ_and_the_folder_names_nobody(case, messages):
    references = [reference_of(message) for message in messages.values()]
    assert len(set(references)) == len(messages) > 50
    site = case.gateway.folder / "site"
    for path in (site / "current").resolve().rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert b"mail.example" not in content and b"Low Road" not in content and b"Person " not in content, path
        assert not any(reference.encode() in content for reference in references), path


def test_publishing_again_keeps_what_was_sent(case, messages, portal, asker):
    case.gateway.cli("incident", "publish", "1")
    portal.wait_for(r"event=portal_generation generation")
    for message in list(messages.values())[:5]:
        assert b"<dl>" in asker.post("/en/genuine", {"reference": reference_of(message)})[2]


def test_a_later_phase_keeps_the_references_of_the_earlier(case, messages, portal, asker):
    case.gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "an export was found")
    case.gateway.cli("incident", "publish", "1")
    before = portal.log_text().count("event=portal_generation ")
    portal.wait_for(r"(?s)(event=portal_generation .*){%d}" % max(before, 2))
    for message in list(messages.values())[5:10]:
        assert b"<dl>" in asker.post("/en/genuine", {"reference": reference_of(message)})[2]


def test_who_asks_at_the_portal_is_answered_by_the_worker(case, messages, asker):
    before = len(case.server.messages())
    for fields in ({"email": "c11@mail.example"}, {"email": "nobody@mail.example"}, {"email": "x"}):
        assert asker.post("/en/affected", fields)[0] == 200
    queue = case.gateway.folder / "queue"
    assert len(list(queue.iterdir())) == 3 and queue.stat().st_mode & 0o7777 == 0o1733
    case.gateway.cli("worker", "--once")
    assert [message["to"] for message in case.server.messages()[before:]] == ["c11@mail.example"]
    assert list(queue.iterdir()) == []


def test_members_and_strangers_cannot_be_told_apart(case, messages, portal):
    """1,500 questions: addresses of people who were sent messages, of strangers, and what is no address."""
    rng = random.Random(SEED)
    members = sorted(messages)
    questions = [("member", {"email": rng.choice(members)}) for _ in range(500)]
    questions += [("stranger", {"email": f"{rng.getrandbits(64):x}@example.org"}) for _ in range(500)]
    questions += [("invalid", {"email": "%" * rng.randrange(200)}) for _ in range(500)]
    rng.shuffle(questions)
    results = ask_many(portal, "/en/affected", questions)
    queued = list((case.gateway.folder / "queue").iterdir())
    sizes = {path.stat().st_size for path in queued}
    for path in queued:
        path.unlink()
    assert len({answer for _, _, answer in results}) == 1 and results[0][2][0] == 200, results[0]
    assert (len(queued), sizes) == (1500, {REQUEST_BYTES})
    judge_times(results)


def test_a_folder_is_needed(make_gateway, server):
    case = Case(make_gateway, server, customers=12, enquirers=1).open()
    code, _, errors = case.gateway.cli("incident", "publish", "1", check=False)
    assert code == 1 and "no folder to publish in" in errors and "--out" in errors
    out = case.gateway.folder / "elsewhere"
    case.gateway.cli("incident", "publish", "1", "--out", out)
    assert (out / "current" / "site").is_file()

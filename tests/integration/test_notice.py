"""A person is told of that person's own data alone, by name where the name is one, and again only when more is
known of them than they were told."""
import re

import pytest

from harness import notices
from harness.mailserver import MailServer
from harness.notices import Case, parsed

PHONE, EVIL, HIDDEN, LONG, INITIALS = 12, 13, 14, 15, 16
EVIL_NAME = "see http://evil.example"
HIDDEN_NAME = "Ol\u202eivia\u200b  Smith\x07\r\nBcc: x"


def text_of(message):
    return notices.text_of(message).replace("\r\n", "\n")


@pytest.fixture(scope="module")
def case(make_module_gateway, authority):
    server = MailServer(authority)
    case = Case(make_module_gateway, server, customers=24, enquirers=2)
    with case.gateway.cluster.connect(case.gateway.database) as upstream:
        for number, name in (EVIL, EVIL_NAME), (HIDDEN, HIDDEN_NAME), (LONG, "Ann " * 60), \
                (INITIALS, "J.R.R. O’Brien-Śmith"):
            upstream.execute("UPDATE crm.customer SET full_name = %s WHERE customer_id = %s", (name, number))
    case.open()
    case.send()
    yield case
    server.close()


def by_address(messages):
    return {message["to"]: message for message in messages}


def reference_of(text):
    return re.search(r"^[0-9A-Z]{4}(-[0-9A-Z]{4}){4}-.$", text, re.M).group()


def test_each_person_reads_of_their_own_categories(case):
    messages = by_address(case.server.messages())
    enquirer, young, old = (text_of(messages[f"{who}@mail.example"]) for who in ("e1", "c10", "c21"))
    taken, spared = enquirer.split("As far as our records show")
    assert "- your name\n" in taken and "- your postal address\n" not in taken
    assert "- your postal address\n" in spared and "- your name\n" not in spared
    assert "you once asked us for information" in enquirer
    assert "- your date of birth\n" in young.split("As far as our records show")[0]
    assert "- your date of birth\n" in old.split("As far as our records show")[1]


def test_text_and_page_say_the_same(case):
    for message in case.server.messages():
        mail = parsed(message)
        page = mail.get_body(("html",)).get_content()
        words = re.sub(r"<[^>]+>", " ", page.split("<body", 1)[1].split(">", 1)[1])
        for entity, character in ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&"):
            words = words.replace(entity, character)
        plain = text_of(message).replace("\n- ", "\n")
        assert words.split() == plain.split()
        assert not re.search(r"<(a|img|script|link|iframe)\b|://|url\(", page)


def test_references_are_ones_own(case):
    references = [reference_of(text_of(message)) for message in case.server.messages()]
    assert len(references) == len(set(references)) == len(case.server.messages())


def test_names_are_words_and_nothing_else(case):
    messages = by_address(case.server.messages())
    for number in EVIL, LONG:
        text = text_of(messages[f"c{number}@mail.example"])
        assert text.startswith("Hello,\n") or text.startswith("Bonjour,\n")
        assert "evil" not in messages[f"c{number}@mail.example"]["data"]
    assert "J.R.R. O’Brien-Śmith,\n" in text_of(messages[f"c{INITIALS}@mail.example"])
    hidden = parsed(messages[f"c{HIDDEN}@mail.example"])
    assert hidden["Bcc"] is None
    assert "\u202e" not in text_of(messages[f"c{HIDDEN}@mail.example"])


def test_only_those_of_whom_more_is_known_are_written_to_again(case):
    first = len(case.server.messages())
    gateway = case.gateway
    keys = gateway.folder / "keys.txt"
    keys.write_text(f"{PHONE}\n")
    gateway.cli("exposure", "declare", "--partner", "north", "--columns", "customer.phone", "--keys", str(keys),
                "--kind", "customer", "--reason", "a list sent by post in May")
    gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "the list was found")
    plan = case.dry_run()
    case.notify("--send", "--approve", plan["hash"])
    (message,) = case.server.messages()[first:]
    assert message["to"] == f"c{PHONE}@mail.example"
    text = text_of(message)
    assert re.search(r"We wrote to you about this on|Nous vous avons déjà écrit à ce sujet le", text)
    assert re.search(r"- (your telephone number|votre numéro de téléphone)\n", text)
    old = text_of(by_address(case.server.messages()[:first])[message["to"]])
    assert reference_of(text) != reference_of(old)
    # Once more: nothing is left to say.
    gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "to be sure")
    assert [row for row in case.dry_run()["summary"] if row["item"] == "messages in all"][0]["people"] == 0

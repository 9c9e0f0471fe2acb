"""Staff get a sheet to paste into the authority's form: the numbers are those of the ledger, what only they can know
is asked of them, and nobody's own data is in it."""
import hashlib
import html.parser
import json
import pathlib
import re

import pytest

from harness import breach

RULER = "-" * 76


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(policy_yaml=breach.POLICY)


def report(gateway, *more, authority="ico", number=1):
    return gateway.cli("incident", "report", str(number), "--authority", authority, *more)


def summary(gateway, *more, authority="ico"):
    return json.loads(report(gateway, "--json", *more, authority=authority))


def answers(sheet):
    """question -> what stands between its rulers, boxes ticked, and what is missing."""
    found = {}
    for part in re.split(r"\n(?=\d+\.\d+ )", sheet)[1:]:
        body = part.split("\n" + "=" * 76)[0]
        question = re.match(r"\d+\.\d+ (.*?)(?=\n\[|\n    |\n-{76}|\nMISSING)", body, re.DOTALL).group(1).replace("\n", " ")
        between = re.search(rf"{RULER}\n(.*?){RULER}\n", body + "\n", re.DOTALL)
        found[question] = {"text": between.group(1).replace("\n", " ").strip() if between else None,
                           "ticked": re.findall(r"^\[x\] (.*)", body, re.MULTILINE),
                           "missing": re.findall(r"cofferdam incident fact \d+ (\w+)", body)}
    return found


def test_numbers_are_those_of_the_ledger(gateway):
    people, _ = breach.breach(gateway)
    found = answers(report(gateway))
    assert found["How many people could be affected?"]["text"] == str(len(people))
    assert found["How many personal data records are concerned?"]["text"] == str(len(people))  # one data set
    categories = found["Which categories of personal data are included?"]
    assert categories["ticked"] == [breach.BASIC]
    assert f"names ({len(people)} people)" in categories["text"]
    assert re.search(r"dates of birth \((\d+) people\)", categories["text"]).group(1) == "30"
    assert "though we hold it: passwords" in categories["text"]
    assert "cut off on" in found["What have you done about it?"]["text"]
    assert found["Data protection registration number"]["text"] == "ZB000001"
    assert "dpo@shop.example" in found["Data protection officer"]["text"]
    assert "DPA-1" in found["What has happened?"]["text"]


def test_nobodys_own_data_is_in_it(gateway):
    _, given = breach.breach(gateway)
    sheets = report(gateway) + report(gateway, "--format", "html") + report(gateway, authority="eu")
    values = {value for value in given if value != "York"}  # the town is in the officer's address
    assert len(values) > 80
    assert not [value for value in values if value in sheets]
    assert "canary" not in sheets


def test_what_is_missing_is_asked_for_until_it_is_told(gateway):
    breach.breach(gateway)
    before = summary(gateway)
    question = "How likely is it that people experience significant consequences?"
    assert answers(report(gateway))[question]["missing"] == ["likelihood"]
    breach.fact(gateway, "likelihood", "very likely")
    after = answers(report(gateway))[question]
    assert after == {"text": None, "ticked": ["Very likely"], "missing": []}
    assert summary(gateway)["missing"] == before["missing"] - 1


def test_every_missing_fact_can_be_told(gateway):
    """The commands that a sheet prints are commands that work; then nothing is missing."""
    breach.breach(gateway, "--from", breach.stamp(7200), "--to", breach.stamp(3600))
    for authority in ("ico", "eu"):
        for name in sorted({name for answer in answers(report(gateway, authority=authority)).values()
                            for name in answer["missing"]}):
            code, _, errors = gateway.cli("incident", "fact", "1", name, "not known", check=False)
            if code != 0:  # told in words of its own
                breach.fact(gateway, name, "likely" if "likely" in errors else "yes")
        assert summary(gateway, authority=authority)["missing"] == 0


def test_the_sheet_is_kept_and_its_hash_is_printed(gateway):
    breach.breach(gateway)
    found = summary(gateway)
    kept = pathlib.Path(found["sheet"])
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == found["sha256"]
    assert kept.stat().st_mode & 0o077 == 0
    assert report(gateway).encode() == kept.read_bytes()  # the same case, the same bytes
    gateway.cli("incident", "reported", "1", "--authority", "ico", "--reference", "IC-1", "--sheet", str(kept))
    breach.fact(gateway, "how", "By a stolen password.")
    assert summary(gateway)["sheet"] != found["sheet"]
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == found["sha256"]


def test_a_follow_up_says_what_changed(gateway):
    people, _ = breach.breach(gateway)
    first = report(gateway)
    assert "[x] Initial report" in first
    gateway.cli("incident", "reported", "1", "--authority", "ico", "--reference", "IC-77", "--at", breach.stamp(5))
    breach.fact(gateway, "how", "By a stolen password.")
    keys = gateway.folder / "keys"
    keys.write_text("\n".join(str(n) for n in range(101, 111)) + "\n")
    keys.chmod(0o644)
    gateway.cli("exposure", "declare", "--partner", "acme", "--columns", "person.secret", "--keys", str(keys),
                "--reason", "a file of last year")
    gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "an export was declared")
    found = answers(report(gateway))
    assert found["Is this an initial report or a follow-up?"]["ticked"] == ["Follow-up report"]
    assert found["Case reference that the ICO gave you"]["text"] == "IC-77"
    changes = found["What has changed since your last report?"]["text"]
    assert f"People: {len(people) + 10}, before {len(people)} (+10)" in changes
    assert "Categories added: passwords" in changes
    assert "How did it happen" in changes
    assert "Identification data, such as user names and passwords" in \
        found["Which categories of personal data are included?"]["ticked"]
    assert answers(report(gateway, "--phase", "1"))["How many people could be affected?"]["text"] == str(len(people))


def test_late_reports_are_asked_why(gateway):
    breach.breach(gateway, noticed=breach.stamp(73 * 3600))
    found = summary(gateway)
    assert found["late"]
    why = answers(report(gateway))["Why is this report later than 72 hours after you became aware?"]
    assert why["missing"] == ["delay_reason"]
    assert why["text"].startswith("It was due on ")


def test_the_page_says_the_same_and_stands_by_itself(gateway):
    class Page(html.parser.HTMLParser):
        def __init__(self):
            super().__init__()
            self.tags, self.references, self.answers, self.inside = [], [], [], False

        def handle_starttag(self, tag, attributes):
            self.tags.append(tag)
            self.references += [value for name, value in attributes if name in ("href", "src", "action")]
            self.inside = dict(attributes).get("class") == "answer"

        def handle_endtag(self, tag):
            self.inside = False

        def handle_data(self, data):
            if self.inside:
                self.answers.append(" ".join(data.split()))

    breach.breach(gateway)
    breach.fact(gateway, "how", "<img src=x> & \"quotes\"")
    page = Page()
    page.feed(report(gateway, "--format", "html"))
    assert not page.references
    assert not {"script", "img", "a", "link", "iframe", "form"} & set(page.tags)
    assert page.answers == [answer["text"] for answer in answers(report(gateway)).values() if answer["text"]]
    assert '<img src=x> & "quotes"' in page.answers


@pytest.mark.parametrize("name, message", [
    ("cnil", "there is no form for authority"), ("../facts", "is not the name of an authority's form")])
def test_unknown_authorities_are_refused(gateway, name, message):
    breach.breach(gateway)
    code, output, errors = gateway.cli("incident", "report", "1", "--authority", name, check=False)
    assert (code, output) == (1, "")
    assert message in errors

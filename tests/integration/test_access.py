"""Somebody who asks who has had their data is told each recipient, what it had, when, and for which purpose."""
import pytest

from harness import places, shop

PURPOSES = shop.POLICY.replace("purposes: [delivery]", "purposes: [delivery, billing]", 1)


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(policy_yaml=PURPOSES, config={"data_folder": str(places.ROOT / "share")})


def ask(gateway, purpose, sql):
    gateway.rows("acme.cert", sql, options=f"-c cofferdam.purpose={purpose}")


def told(gateway, key):
    return {(row["partner"], row["column"], row["form"], row["grade"], row["purpose"])
            for row in gateway.cli_json("subject", "person", key)["rows"]}


def test_each_purpose_is_told(gateway):
    ask(gateway, "delivery", "SELECT full_name FROM person WHERE person_id IN (1, 2)")
    ask(gateway, "billing", "SELECT full_name, phone FROM person WHERE person_id IN (2, 3)")
    gateway.rows("rival.cert", "SELECT full_name FROM person WHERE person_id = 2")
    # The condition reads the number as well.
    shown = {("acme", "full_name", "clear", "direct", "delivery"), ("acme", "person_id", "clear", "direct", "delivery"),
             ("acme", "full_name", "clear", "direct", "billing"), ("acme", "person_id", "clear", "direct", "billing"),
             ("acme", "phone", "masked", "direct", "billing"), ("rival", "full_name", "clear", "direct", "delivery"),
             ("rival", "person_id", "clear", "direct", "delivery")}
    hidden = {row for row in told(gateway, "2") if row[1] == "town"}  # the row filter's own column
    assert told(gateway, "2") - hidden == shown
    assert {row[4] for row in told(gateway, "1")} == {"delivery"}
    assert {row[4] for row in told(gateway, "3")} == {"billing"}
    before = told(gateway, "2")
    gateway.kill9()
    gateway.start()
    assert told(gateway, "2") == before


def test_people_are_counted_once_for_all_purposes(gateway):
    for purpose in ("delivery", "billing"):
        ask(gateway, purpose, "SELECT full_name FROM person WHERE person_id IN (1, 2, 3)")
    rows = gateway.admin("SHOW EXPOSURE PARTNER 'acme'")
    assert [(row["subjects"], row["direct"]) for row in rows] == [("3", "3")]
    used = {(row["limit"], row["window"]): row["used"] for row in gateway.admin("SHOW BUDGET PARTNER 'acme'")}
    assert used[("subjects", "total")] == "3"


def test_the_letter(gateway):
    ask(gateway, "delivery", "SELECT full_name, phone FROM person WHERE person_id = 2")
    letter = gateway.cli("subject", "person", "2", "--letter")
    assert "1. acme\n   Contract: DPA-1\n" in letter
    assert "   Purpose: delivery\n   - your name\n   - part of your telephone number\n" in letter
    assert "D. Officer: email" in letter and "rival" not in letter
    french = gateway.cli("subject", "person:2", "--letter", "--language", "fr")
    assert "   - votre nom\n   - une partie de votre numéro de téléphone\n" in french
    assert "Nobody has received" in gateway.cli("subject", "person", "4", "--letter")


@pytest.mark.parametrize("arguments, status, part", [
    (["2", "--letter"], 2, "KIND KEY"),
    (["person", "2", "--letter", "--json"], 2, "text, not JSON"),
    (["person", "2", "--language", "fr"], 2, "goes with --letter"),
    (["person", "2", "--letter", "--language", "../../etc"], 2, "a tag such as"),
    (["person", "2", "--letter", "--language", "xx"], 1, "xx.yaml"),
    (["ghost", "2", "--letter"], 1, "no kind of subject"),
])
def test_letters_that_cannot_be(gateway, arguments, status, part):
    code, output, errors = gateway.cli("subject", *arguments, check=False)
    assert (code, output, part in errors) == (status, "", True), errors

"""The press office gets a statement in which every sentence is borne out by the ledger, or marked as somebody's word;
what nobody can prove is left out, and why is said."""
import json

import pytest

from harness import breach


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(policy_yaml=breach.POLICY)


def draft(gateway, *more):
    return json.loads(gateway.cli("incident", "statement", "1", "--json", *more))


def claims(found):
    return {claim["claim"]: claim for claim in found["claims"]}


def verdict(gateway, claim, *more):
    return claims(draft(gateway, *more)).get(claim, {}).get("verdict")


def check(gateway, text):
    path = gateway.folder / "press.txt"
    path.write_text(text)
    path.chmod(0o644)
    code, output, errors = gateway.cli("incident", "statement", "1", "--json", "--check", str(path), check=False)
    return code, claims(json.loads(output)), errors


def contain_entry(gateway):
    return next(entry for entry in gateway.ledger() if entry["type"] == "act" and "contain " in entry["text"])


def test_claims_are_bound_to_the_ledger(gateway):
    people, given = breach.breach(gateway)
    found = draft(gateway)
    made, text = claims(found), " ".join(found["statement"].split())
    scope = json.loads(gateway.cli("incident", "scope", "1", "--json"))
    assert made["taken"]["verdict"] == "proved"
    assert scope["sha256"] in made["taken"]["evidence"]
    assert "information from us about people." in text  # the kind has no words of its own
    assert "- names" in text and "- telephone numbers, in part" in text and "- dates of birth" in text
    assert made["never"]["verdict"] == "proved"
    assert "no passwords" in made["never"]["said"]
    assert made["contained"]["verdict"] == "proved"
    assert f"ledger entry {contain_entry(gateway)['sequence']}," in made["contained"]["evidence"]
    assert made["other_partners"]["verdict"] == made["no_misuse"]["verdict"] == "refused"
    assert made["authorities_ico"]["verdict"] == made["people"]["verdict"] == "refused"
    assert str(len(people)) not in text.replace("+44 1632 960999", "")
    assert f"It is about {len(people)} people at most." in " ".join(
        draft(gateway, "--with-numbers")["statement"].split())
    assert not [value for value in given if value in text and value != "York"]
    assert not found["findings"]


def test_containment_is_claimed_while_it_lasts(gateway):
    breach.breach(gateway)
    assert verdict(gateway, "contained") == "proved"
    gateway.cli("partner", "restore", "acme", "--reason", "all clear")
    found = draft(gateway)
    assert claims(found)["contained"]["verdict"] == "refused"
    assert "cut this company off" not in found["statement"]


def test_never_falls_with_the_first_declared_export(gateway):
    breach.breach(gateway)
    keys = gateway.folder / "keys"
    keys.write_text("7\n")
    keys.chmod(0o644)

    def declare(column):
        gateway.cli("exposure", "declare", "--partner", "acme", "--columns", column, "--keys", str(keys),
                    "--reason", "a file of last year")

    declare("person.town")
    stale = claims(draft(gateway))
    assert stale["taken"]["verdict"] == stale["never"]["verdict"] == "refused"  # no phase counts it yet
    gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "an export was declared")
    weaker = claims(draft(gateway))["never"]
    assert weaker["verdict"] == "proved"
    assert "through the system by which we share data" in weaker["said"]
    declare("person.secret")
    gateway.cli("incident", "scope", "1", "--new-phase", "--reason", "another was declared")
    found = draft(gateway)
    assert claims(found)["never_credential"]["verdict"] == "refused"
    assert "- passwords" in found["statement"]


def test_filings_and_facts_add_sentences(gateway):
    notice = gateway.folder / "notice.txt"
    notice.write_text("We were hacked.\n")
    notice.chmod(0o644)
    breach.breach(gateway, "--report", str(notice))
    assert claims(draft(gateway))["happened"]["verdict"] == "the provider's claim"
    gateway.cli("incident", "reported", "1", "--authority", "ico", "--reference", "IC-5")
    for name, value in (("own_systems", "no"), ("own_systems_source", "partner"), ("own_systems_basis", "a call")):
        breach.fact(gateway, name, value)
    found = draft(gateway)
    assert "We have told the Information Commissioner's Office." in found["statement"]
    assert claims(found)["own_systems"]["verdict"] == "the provider's claim"
    breach.fact(gateway, "own_systems_source", "our security team")
    assert verdict(gateway, "own_systems") == "the company's own word"


def test_french_and_pages(gateway):
    breach.breach(gateway)
    assert "ni mots de passe" in " ".join(draft(gateway, "--language", "fr")["statement"].split())
    page = gateway.cli("incident", "statement", "1", "--language", "fr", "--format", "html")
    assert '<html lang="fr"' in page
    assert "<script" not in page and "href" not in page
    evidence = gateway.folder / "run" / "evidence.txt"
    text = gateway.cli("incident", "statement", "1", "--evidence", str(evidence))
    assert "proved" not in text
    assert "contained: proved" in evidence.read_text()
    code, _, errors = gateway.cli("incident", "statement", "1", "--language", "de", check=False)
    assert code == 1 and "de.yaml" in errors


def test_a_text_of_others_is_judged(gateway):
    breach.breach(gateway)
    code, judged, errors = check(gateway, "Names and dates of birth were taken. No passwords and no phone numbers "
                                          "were taken. The incident is contained. There is no evidence of misuse.\n")
    assert code == 1
    assert {name: claim["verdict"] for name, claim in judged.items()} == {
        "names_name": "proved", "names_date_of_birth": "proved", "denies_credential": "proved",
        "denies_phone": "refused", "contained": "proved", "no_misuse": "refused", "omits_address": "refused",
        "omits_phone": "refused"}
    code, judged, _ = check(gateway, "Names, addresses, dates of birth and phone numbers were taken.\n")
    assert (code, {claim["verdict"] for claim in judged.values()}) == (0, {"proved"})


def test_the_statement_passes_its_own_check(gateway):
    breach.breach(gateway)
    code, judged, errors = check(gateway, draft(gateway)["statement"])
    assert code == 0, (errors, [claim for claim in judged.values() if claim["verdict"] == "refused"])

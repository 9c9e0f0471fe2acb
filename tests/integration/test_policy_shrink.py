"""What a change of the policy means before it is in force, and rights that nobody uses."""
import datetime
import json
import subprocess

import pytest

from harness import shop


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat()


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    made = make_module_gateway()
    made.begun = now()
    made.rows("acme.job", "SELECT full_name FROM person WHERE born > '1960-01-01' LIMIT 3")
    made.rows("acme.cert", "SELECT sum(pence) FROM purchase")
    made.rows("rival.cert", "SELECT full_name, person_id FROM person WHERE person_id = 3")
    return made


@pytest.fixture
def folder(gateway):
    """Where the service's user may read, too."""
    made = gateway.folder / "policies"
    made.mkdir(exist_ok=True)
    made.chmod(0o755)
    return made


def rights(gateway, *arguments):
    return {(row["right"], row["name"]): row["state"]
            for row in gateway.cli_json("policy", "unused", *arguments)["rights"]}


def test_what_nobody_used_is_listed(gateway):
    assert rights(gateway, "--since", gateway.begun) == {
        ("column", "person.person_id"): "unused", ("column", "person.phone"): "unused",
        ("column", "person.town"): "unused", ("column", "purchase.purchase_id"): "unused",
        ("column", "purchase.person_id"): "unused", ("column", "purchase.item"): "unused",
        ("dataset", "article"): "unused"}


def test_what_is_new_is_not_called_unused(gateway):
    told = rights(gateway, "--since", "90d")
    assert set(told.values()) == {"too new to tell"} and ("dataset", "article") in told
    assert gateway.cli_json("policy", "unused")["patch"] == ""


def test_an_agent_that_did_nothing_since_is_unused(gateway):
    later = now()
    told = rights(gateway, "--since", later, "--partner", "rival")
    assert told == {("agent", "rival.cert"): "unused", ("dataset", "person"): "unused"}


def test_the_change_applies_and_is_what_was_listed(gateway, folder):
    answer = gateway.cli_json("policy", "unused", "--since", gateway.begun)
    before, after = folder / "old.yaml", folder / "policy.yaml"
    before.write_text(shop.POLICY)
    after.write_text(shop.POLICY)
    subprocess.run(["patch", "-p1"], cwd=folder, input=answer["patch"], text=True, check=True, capture_output=True)
    text = after.read_text()
    assert "- {dataset: purchase, columns: {pence: clear}}" in text and "article, columns" not in text
    assert "columns: {full_name: clear, born: clear}" in text
    diff = gateway.cli_json("policy", "diff", str(before), str(after))
    assert {row["change"] for row in diff["rights"]} == {"loses"} and diff["other"] == []
    assert {row["column"] for row in diff["rights"]} == {
        "person.person_id", "person.phone", "person.town", "purchase.purchase_id", "purchase.person_id",
        "purchase.item", "article.item", "article.maker"}
    told = gateway.cli("policy", "diff", "--no-count", str(before), str(after))
    assert all(row["column"].split(".")[1] in told for row in diff["rights"])
    assert told.count(" loses ") < len(diff["rights"]), "columns that share all the rest stand in one row"
    assert "--- a/policy.yaml" in gateway.cli("policy", "unused", "--since", gateway.begun)


def test_a_change_is_told_with_its_people(gateway, folder):
    new = folder / "new.yaml"
    new.write_text(shop.POLICY.replace("town = 'York'", "town = 'Bath' OR person_id = 1").replace(
        "phone: last4", "phone: clear").replace("{dataset: article, columns: all}",
                                                "{dataset: article, columns: [item], agent: job}"))
    (folder / "old.yaml").write_text(shop.POLICY)
    diff = gateway.cli_json("policy", "diff", str(folder / "old.yaml"), str(new))
    told = {(row["agent"], row["column"]): row for row in diff["rights"]}
    phone = told["job", "person.phone"]
    assert (phone["change"], phone["was"], phone["now"]) == (
        "otherwise", "last4, where town = 'York'", "clear, where town = 'Bath' OR person_id = 1")
    assert (phone["people"], phone["before"], phone["after"], phone["people_gained"], phone["people_lost"]) == (
        "person", 150, 51, 50, 149)
    assert told["cert", "article.maker"]["change"] == told["cert", "article.item"]["change"] == "loses"
    assert told["cert", "article.item"]["people"] is None  # about nobody
    assert ("job", "article.item") not in told


def test_people_along_a_path_and_of_nobody_before(gateway, folder):
    new = folder / "new.yaml"
    old = shop.POLICY.replace("subject: {kind: person, key: person_id}\n    columns: {purchase_id",
                              "subject: {kind: person, via: [{dataset: person, on: person_id}]}\n    columns: {purchase_id")
    new.write_text(old.replace("- {dataset: person, columns: {person_id: clear, full_name: clear}}",
                               "- {dataset: purchase, rows: \"pence <= 30\", columns: [item]}"))
    (folder / "old.yaml").write_text(old)
    diff = gateway.cli_json("policy", "diff", str(folder / "old.yaml"), str(new))
    told = {row["column"]: row for row in diff["rights"]}
    assert {row["agent"] for row in diff["rights"]} == {"cert"} and {row["partner"] for row in diff["rights"]} == {"rival"}
    assert (told["purchase.item"]["before"], told["purchase.item"]["after"]) == (0, 3)
    assert (told["person.full_name"]["before"], told["person.full_name"]["after"]) == (200, 0)


def test_the_policy_in_force_is_the_old_one(gateway):
    gateway.write_policy(shop.POLICY.replace("total: 1000000}", "total: 150000}"))
    try:
        diff = gateway.cli_json("policy", "diff")
        assert diff["rights"] == []
        assert [(row["where"], row["was"], row["now"]) for row in diff["other"]] == [
            (f"partners/{name}/budget/subjects/total", "1000000", "150000") for name in ("acme", "rival")]
        assert "Nobody gains or loses a column." in gateway.cli("policy", "diff", "--no-count")
    finally:
        gateway.write_policy(shop.POLICY)


def test_what_cannot_be_counted_is_not_zero(gateway, folder):
    (folder / "old.yaml").write_text(shop.POLICY)
    (folder / "new.yaml").write_text(shop.POLICY.replace("town = 'York'", "secret = 'x'"))
    code = subprocess.run([gateway.program, "policy", "diff", folder / "old.yaml", folder / "new.yaml", "-c",
                           gateway.config, "--json"], capture_output=True, text=True)
    rows = json.loads(code.stdout)["rights"]
    assert code.returncode == 0 and rows and {row["people_lost"] for row in rows} == {None}
    assert "cannot be counted" in code.stderr and "cofferdam grants" in code.stderr


def test_bad_input_is_told(gateway, folder):
    for arguments, text in ((("--since", "soon"), "90d"), (("--since", "0d"), "90d"),
                            (("--partner", "nobody"), "no partner"), (("--since", "2199-01-01"), "yet to come")):
        with pytest.raises(RuntimeError, match=text):
            gateway.cli("policy", "unused", *arguments)
    (folder / "bad.yaml").write_text("datasets: 7\n")
    with pytest.raises(RuntimeError, match="bad.yaml:1"):
        gateway.cli("policy", "diff", str(folder / "bad.yaml"))


def test_what_is_only_counted_keeps_a_column(gateway, folder):
    """count(*) reads no column: its dataset is used all the same, whoever or whatever it is about."""
    since = now()
    gateway.rows("acme.job", "SELECT count(*) FROM purchase")
    gateway.rows("acme.job", "SELECT full_name FROM person WHERE EXISTS (SELECT FROM article) LIMIT 1")
    answer = gateway.cli_json("policy", "unused", "--since", since, "--partner", "acme")
    told = {row["name"]: row["state"] for row in answer["rights"]}
    assert told["purchase.purchase_id"] == told["article.item"] == "unused, but rows are counted"
    assert told["purchase.item"] == told["article.maker"] == told["person.town"] == "unused"
    (folder / "policy.yaml").write_text(shop.POLICY)
    subprocess.run(["patch", "-p1"], cwd=folder, input=answer["patch"], text=True, check=True, capture_output=True)
    text = (folder / "policy.yaml").read_text()
    assert "dataset: purchase, columns: {purchase_id: clear}" in text and "dataset: article, columns: [item]" in text

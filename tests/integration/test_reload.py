"""A reload takes effect at once for what is prepared, bound, or connected; a broken policy changes nothing."""
import psycopg
import pytest

from harness import shop
from harness.rawclient import RawClient, errors, kinds, rows, states

NARROW = shop.POLICY.replace("rows: \"town = 'York'\"", 'rows: "person_id = 1"')
FEWER = shop.POLICY.replace("columns: {person_id: clear, full_name: clear, phone: last4,", "columns: {person_id: clear, phone: last4,")
MASKED = shop.POLICY.replace("columns: {person_id: clear, full_name: clear, phone: last4,",
                             "columns: {person_id: clear, full_name: initial, phone: last4,")
WITHOUT_JOB = shop.POLICY.replace("      - {name: job, identity: {scram: secrets/acme-job.scram}}\n", "")
OTHER_CERTIFICATE = shop.POLICY.replace('certificate: "spiffe://acme/cert"', 'certificate: "spiffe://acme/other"')
WITHOUT_GRANT = shop.POLICY.replace("      - {dataset: purchase, columns: {purchase_id: clear, person_id: clear, item: clear, pence: clear}}\n", "")
NAMES = "SELECT full_name FROM person ORDER BY person_id LIMIT 3"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway()


@pytest.fixture
def client(gateway):
    client = RawClient(gateway, "acme.cert", timeout=20)
    yield client
    client.close()


def execute(client, name):
    client.send(client.bind(name=name), client.execute(), client.SYNC)
    return client.until_ready()


def prepare(client, sql, name="s"):
    client.send(client.parse(sql, name), client.SYNC)
    assert kinds(client.until_ready()) == "1Z"


def test_a_prepared_statement_sees_the_new_rows(gateway, client):
    prepare(client, NAMES)
    assert len(rows(execute(client, "s"))) == 3
    gateway.reload(NARROW)
    assert rows(execute(client, "s")) == [[b"Person 1"]]
    gateway.reload(shop.POLICY)
    assert len(rows(execute(client, "s"))) == 3


def test_a_prepared_statement_sees_the_new_mask(gateway, client):
    prepare(client, NAMES)
    gateway.reload(MASKED)
    assert {row[0] for row in rows(execute(client, "s"))} <= {b"P", b"P."}


def test_a_prepared_statement_whose_column_is_gone(gateway, client):
    prepare(client, NAMES)
    prepare(client, "SELECT phone FROM person LIMIT 1", "other")
    gateway.reload(FEWER)
    assert states(execute(client, "s")) == ["42703"]
    assert kinds(execute(client, "other")) == "2DCZ"


def test_a_prepared_statement_whose_shape_has_changed(gateway, client):
    prepare(client, "SELECT * FROM person LIMIT 1")
    gateway.reload(FEWER)
    assert states(execute(client, "s")) == ["0A000"]


def test_a_dataset_that_is_gone(gateway, client):
    prepare(client, "SELECT item FROM purchase")
    gateway.reload(WITHOUT_GRANT)
    assert states(execute(client, "s")) == ["42P01"]
    assert states(client.query("SELECT item FROM purchase")) == ["42P01"]


def test_an_open_portal_does_not_go_on(gateway, client):
    client.query("BEGIN")
    client.send(client.parse(NAMES, "s"), client.bind(portal="p", name="s"), client.execute(1, "p"), client.SYNC)
    assert len(rows(client.until_ready())) == 1
    gateway.reload(NARROW)
    client.send(client.execute(1, "p"), client.SYNC)
    messages = client.until_ready()
    assert (states(messages), rows(messages)) == (["0A000"], [])
    client.query("ROLLBACK")
    assert rows(execute(client, "s")) == [[b"Person 1"]]


def test_a_cached_plan_is_not_used_again(gateway, client):
    for _ in range(5):
        assert len(rows(client.query(NAMES))) == 3
    gateway.reload(NARROW)
    assert rows(client.query(NAMES)) == [[b"Person 1"]]


def test_statements_prepared_before_many_reloads(gateway, client):
    for name in "abcdef":
        prepare(client, f"SELECT full_name, '{name}' FROM person LIMIT 1", name)
        gateway.reload(NARROW)
        gateway.reload(shop.POLICY)
    for name in "abcdef":
        assert kinds(execute(client, name)) == "2DCZ"


def test_an_agent_who_is_gone(gateway, client):
    job = gateway.connect("acme.job")
    gateway.reload(WITHOUT_JOB)
    with pytest.raises(psycopg.Error):
        job.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        gateway.connect("acme.job", password="pw-acme.job")
    assert kinds(client.query(NAMES)) == "TDDDCZ"


def test_an_agent_who_is_somebody_else_now(gateway, client):
    gateway.reload(OTHER_CERTIFICATE)
    client.send(client.simple(NAMES))
    told = errors(client.until_closed())
    assert [(error["S"], error["C"]) for error in told] == [("FATAL", "57P01")]


@pytest.mark.parametrize("broken", ["partners: [", shop.POLICY.replace("full_name: {category: name}", "no_such_column: {}"),
                                    shop.POLICY.replace("table: shop.person\n", "table: shop.nobody\n"),
                                    shop.POLICY.replace("phone: last4", "phone: no_such_mask", 1),
                                    shop.POLICY.replace("subjects:\n", "subjects:\n  item: {dataset: article, key: item}\n").replace(
                                        "subject: none", "subject: {kind: item, key: item}")],
                         ids=["yaml", "column", "table", "mask", "kinds"])
def test_a_broken_policy_changes_nothing(gateway, client, broken):
    good = (gateway.folder / "policy.yaml").read_text()
    prepare(client, NAMES)
    (gateway.folder / "policy.yaml").write_text(broken)
    with pytest.raises(psycopg.Error):
        gateway.admin("RELOAD")
    assert len(rows(execute(client, "s"))) == 3
    assert len(gateway.rows("acme.cert", NAMES)) == 3
    (gateway.folder / "policy.yaml").write_text(good)
    gateway.admin("RELOAD")
    assert len(rows(execute(client, "s"))) == 3


def test_kinds_of_subject_keep_their_numbers(gateway):
    """The ledger names kinds by number: a policy that moves them would change what was recorded."""
    moved = shop.POLICY.replace("subjects:\n", "subjects:\n  item: {dataset: article, key: item}\n").replace(
        "subject: none", "subject: {kind: item, key: item}")
    with pytest.raises(psycopg.Error, match="kind of subject"):
        gateway.reload(moved)
    gateway.reload(moved.replace("  item: {dataset: article, key: item}\n  person: {dataset: person, key: person_id}\n",
                                 "  person: {dataset: person, key: person_id}\n  item: {dataset: article, key: item}\n"))


def test_kinds_keep_their_numbers_over_a_restart(make_gateway):
    """Stopping the gateway first is no way round."""
    gateway = make_gateway()
    gateway.rows("acme.cert", "SELECT full_name FROM person WHERE person_id = 5")
    gateway.write_policy(shop.POLICY.replace("subjects:\n", "subjects:\n  item: {dataset: article, key: item}\n").replace(
        "subject: none", "subject: {kind: item, key: item}"))
    assert gateway.stop() == 0
    with pytest.raises(RuntimeError, match="kind of subject"):
        gateway.start()
    gateway.write_policy(shop.POLICY)
    gateway.start()
    assert [row["partner"] for row in gateway.admin("SHOW SUBJECT 'person' '5'")] == ["acme"] * 2

"""A budget counts distinct people, is held before release, and asking again for the same people is free."""
import psycopg
import pytest

from harness import shop
from harness.rawclient import RawClient, kinds, rows, states

DAY = 20
POLICY = shop.POLICY.replace("budget: {subjects: {per_day: 100000, total: 1000000}, rows_per_statement: 1000000}",
                             f"budget: {{subjects: {{per_day: {DAY}, total: 30}}, rows_per_statement: 500}}", 1)


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(policy_yaml=POLICY)


def used(gateway, window):
    rows = gateway.rows("acme.cert", "SHOW cofferdam.budget")
    return next(int(row[1]) for row in rows if row[0] == "distinct subjects" and row[4].startswith(window))


def received(gateway, sql):
    """(rows that arrived before the end, SQLSTATE or None), row by row as they come."""
    rows = []
    with gateway.connect("acme.cert") as connection:
        try:
            for row in connection.cursor().stream(sql):
                rows.append(row)
        except psycopg.Error as error:
            return rows, error.sqlstate
    return rows, None


def test_the_row_that_is_one_too_many_is_not_sent(gateway):
    rows, state = received(gateway, "SELECT person_id FROM person ORDER BY person_id")
    assert (len({row[0] for row in rows}), state) == (DAY, "53400")
    assert used(gateway, "day") == DAY


def test_known_people_are_free(gateway):
    first, state = received(gateway, "SELECT person_id FROM person WHERE person_id <= 20")
    assert (len(first), state) == (15, None)
    for _ in range(5):
        assert received(gateway, "SELECT person_id, full_name FROM person WHERE person_id <= 20") == (
            [(n, f"Person {n}") for (n,) in first], None)
    assert used(gateway, "day") == 15


def test_several_rows_of_one_person_charge_once(gateway):
    rows, state = received(gateway, "SELECT purchase_id FROM purchase WHERE person_id = 7")
    assert (len(rows), state, used(gateway, "day")) == (5, None, 1)


def test_all_agents_of_a_partner_share_it(gateway):
    received(gateway, "SELECT person_id FROM person WHERE person_id <= 20")
    with gateway.connect("acme.job") as connection:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("SELECT person_id FROM person WHERE person_id BETWEEN 21 AND 60").fetchall()
    assert caught.value.sqlstate == "53400"
    assert caught.value.diag.message_hint
    assert used(gateway, "day") == DAY


def test_another_partner_is_not_touched(gateway):
    received(gateway, "SELECT person_id FROM person")
    assert len(gateway.rows("rival.cert", "SELECT person_id FROM person")) == 200


def test_it_survives_a_restart_and_a_crash(gateway):
    received(gateway, "SELECT person_id FROM person")
    gateway.restart()
    assert used(gateway, "day") == DAY
    gateway.kill9()
    gateway.start()
    assert used(gateway, "day") == DAY
    assert received(gateway, "SELECT person_id FROM person WHERE person_id > 150")[1] == "53400"


def test_rows_a_statement(gateway):
    rows, state = received(gateway, "SELECT p.person_id FROM purchase p, article a WHERE p.person_id = 1")
    assert (len(rows), state) == (35, None)
    rows, state = received(gateway, "SELECT 1 FROM purchase p, article a, article b, article c WHERE p.person_id = 1")
    assert (len(rows), state) == (500, "53400")


def test_what_is_refused_by_the_budget_is_in_the_ledger(gateway):
    received(gateway, "SELECT person_id FROM person")
    assert any(entry.get("outcome") == "budget" for entry in gateway.ledger()), gateway.ledger(5)


def told(gateway):
    return {int(row["subject"]) for row in gateway.admin("SHOW DISCLOSED AFTER 0") if row["grade"] == "direct"}


@pytest.mark.parametrize("way", ["simple", "extended", "portions", "binary"])
def test_exactly_what_was_admitted_arrives_and_is_recorded(gateway, way):
    client = RawClient(gateway, "acme.cert", timeout=20)
    sql = "SELECT person_id FROM person ORDER BY person_id"
    if way == "portions":
        client.query("BEGIN")
        client.send(client.parse(sql), client.bind(), client.execute(13), client.execute(13), client.execute(13), client.SYNC)
        messages = client.until_ready()
    else:
        messages = client.query(sql) if way == "simple" else client.extended(sql, result_formats=[1] * (way == "binary"))
    got = {int.from_bytes(row[0], "big") if way == "binary" else int(row[0]) for row in rows(messages)}
    assert (len(got), states(messages)) == (DAY, ["53400"])
    assert kinds(messages).endswith("DEZ")
    assert told(gateway) == got
    if way == "portions":
        client.query("ROLLBACK")
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    client.close()


def test_what_stands_behind_the_cut_in_a_pipeline_is_skipped(gateway):
    client = RawClient(gateway, "acme.cert", timeout=20)
    everyone, one = "SELECT person_id FROM person ORDER BY person_id", "SELECT full_name FROM person WHERE person_id = 199"
    client.send(client.parse(everyone), client.bind(), client.execute(), client.parse(one), client.bind(), client.execute(), client.SYNC,
                client.simple("SELECT full_name FROM person WHERE person_id = 1"), client.simple(one))
    cut, known, unknown = (client.until_ready() for _ in range(3))
    assert (kinds(cut).replace("D", ""), states(cut)) == ("12EZ", ["53400"])
    assert kinds(known) == "TDCZ"
    assert states(unknown) == ["53400"]
    assert 199 not in told(gateway)
    client.close()


def test_the_bound_of_all_days(make_gateway):
    gateway = make_gateway(policy_yaml=POLICY.replace("per_day: 20, total: 30", "total: 30"))
    rows_got, state = received(gateway, "SELECT person_id FROM person ORDER BY person_id")
    assert (len(rows_got), state, used(gateway, "in total")) == (30, "53400", 30)


def test_a_cut_portal_gives_nothing_more(gateway):
    client = RawClient(gateway, "acme.cert", timeout=20)
    client.query("BEGIN")
    client.send(client.parse("SELECT person_id FROM person ORDER BY person_id"), client.bind(portal="p"), client.execute(15, "p"),
                client.SYNC, client.execute(15, "p"), client.SYNC)
    assert len(rows(client.until_ready())) == 15
    cut = client.until_ready()
    assert (len(rows(cut)), states(cut)) == (5, ["53400"])
    client.send(client.execute(15, "p"), client.SYNC)
    after = client.until_ready()
    assert (rows(after), len(states(after))) == ([], 1)
    client.query("ROLLBACK")
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    client.close()

"""What an agent does is held against its own history: alarms say which figure passed which bound, and where the
policy says so, what passes it does not leave."""
import contextlib
import time

import psycopg
import pytest

from harness import clock, shop
from harness.rawclient import Closed, RawClient, rows, states

RULES = """\
    anomalies:
      learn: 1
      subjects_per_hour: {floor: 60}
      rows_per_hour: {floor: 120}
      statements_per_hour: {floor: 90}
      probes_per_hour: {floor: 3}
      errors_per_hour: {floor: 4}
      walk_per_hour: {floor: 15}
    valid: {from: 2020-01-01"""
POLICY = shop.POLICY.replace("    valid: {from: 2020-01-01", RULES, 1)
HOLDING = POLICY.replace("subjects_per_hour: {floor: 60}", "subjects_per_hour: {floor: 20, contain: true}").replace(
    "probes_per_hour: {floor: 3}", "probes_per_hour: {floor: 3, contain: true}").replace(
    "      learn: 1\n", "      learn: 1\n      new_networks: {contain: true}\n")


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=POLICY)


@pytest.fixture(scope="module")
def holding(make_module_gateway):
    """A gateway whose agents were at work two days ago, from 127.0.0.1, reading names."""
    days = clock.Clock()
    gateway = make_module_gateway(policy_yaml=HOLDING, start=False)
    gateway.grant()
    days.at(gateway, -2)
    gateway.start()
    for agent in ("acme.cert", "acme.job"):
        gateway.rows(agent, "SELECT full_name FROM person WHERE person_id IN (1, 101)")
    days.at(gateway, 0)
    gateway.restart()
    yield gateway
    days.close()


def standing(gateway, agent):
    return {row["rule"]: row for row in gateway.cli_json("anomaly", "show", "--agent", agent.replace(".", "/"))}


def alarms(gateway, agent, *rules):
    """Texts by rule of the alarms about this agent, once these rules are among them."""
    partner, name = agent.split(".")
    deadline = time.monotonic() + 5
    while True:
        acts = [dict(line.split("=", 1) for line in act["text"].splitlines() if "=" in line)
                for act in gateway.ledger() if act["type"] == "act" and act["text"].startswith("alarm\n")
                and (act["partner"], act["agent"]) == (partner, name)]
        found = {act["rule"].removeprefix("anomaly-"): act for act in acts}
        if set(rules) <= set(found):
            assert len(acts) == len(found), "an alarm was raised twice in its hour"
            return found
        assert time.monotonic() < deadline, f"{found} lacks some of {rules}"
        time.sleep(0.05)


def test_each_rate_has_its_alarm(gateway):
    with gateway.connect("acme.cert") as session:
        session.execute("SELECT person_id FROM person").fetchall()  # 150 people, 150 rows
        for key in (99990001, 99980002, 99970003, 99960004):
            session.execute("SELECT full_name FROM person WHERE person_id = %s", (key,)).fetchall()
        for _ in range(5):
            with pytest.raises(psycopg.Error):
                session.execute("SELECT secret FROM person")
        for _ in range(90):
            session.execute("SELECT maker FROM article LIMIT 1").fetchall()
    figures = standing(gateway, "acme.cert")
    assert {rule: row["now"] for rule, row in figures.items()} == {
        "subjects_per_hour": 150, "rows_per_hour": 240, "statements_per_hour": 100, "probes_per_hour": 4,
        "errors_per_hour": 5, "walk_per_hour": 0, "new_columns": 3, "new_hours": 1, "new_networks": 1}
    raised = alarms(gateway, "acme.cert", "subjects-per-hour", "rows-per-hour", "probes-per-hour", "errors-per-hour",
                    "statements-per-hour")
    assert len(raised) == 5  # nothing is new to one who is not known yet
    assert raised["subjects-per-hour"]["text"] == (
        "people in the hour: 150, bound 60 = floor (0 of 1 days of work seen)")
    assert "9999" not in str(raised)
    assert figures["subjects_per_hour"]["state"] == "alarm raised"
    assert figures["walk_per_hour"]["state"] == "learning (0 of 1 days)"


def test_a_walk_by_two_sessions_and_a_range(gateway):
    with gateway.connect("acme.job") as one, gateway.connect("acme.job") as other:
        for step in range(10):
            one.execute("SELECT full_name FROM person WHERE person_id = %s", (1 + step,)).fetchall()
            other.execute("SELECT full_name FROM person WHERE person_id = %s", (190 - step,)).fetchall()
    assert standing(gateway, "acme.job")["walk_per_hour"]["now"] == 20
    text = alarms(gateway, "acme.job", "walk-per-hour")["walk-per-hour"]["text"]
    assert text.startswith("look-ups along keys in the hour: ") and "bound 15 = floor" in text
    with gateway.connect("rival.cert") as session:
        for low in range(1, 120, 10):
            session.execute("SELECT full_name FROM person WHERE person_id BETWEEN %s AND %s", (low, low + 9)).fetchall()
    assert standing(gateway, "rival.cert")["walk_per_hour"]["now"] == 12


def test_what_other_bounds_would_have_raised(gateway):
    stricter = gateway.state_dir.parent / "stricter.yaml"
    stricter.write_text(POLICY.replace("walk_per_hour: {floor: 15}", "walk_per_hour: {floor: 10, contain: true}").replace(
        "errors_per_hour: {floor: 4}", "errors_per_hour: off"))
    listed = gateway.cli_json("anomaly", "test", "--since", "1d", "--policy", stricter)
    assert {(row["partner"], row["agent"], row["rule"], row["contain"]) for row in listed} == {
        ("acme", "cert", "subjects_per_hour", "no"), ("acme", "cert", "rows_per_hour", "no"),
        ("acme", "cert", "statements_per_hour", "no"), ("acme", "cert", "probes_per_hour", "no"),
        ("acme", "job", "walk_per_hour", "yes"), ("acme", "job", "probes_per_hour", "no")}  # who is hidden is nobody
    own = gateway.cli_json("anomaly", "test", "--agent", "acme/cert")
    raised = alarms(gateway, "acme.cert")
    assert sorted(row["text"] for row in own) == sorted(alarm["text"] for alarm in raised.values())
    assert gateway.cli_json("anomaly", "test", "--since", "2099-01-01") == []


def test_check_prints_the_bounds(gateway):
    bounds = {(row["partner"], row["anomaly"]): row for row in gateway.cli_json("check")["anomalies"]}
    assert bounds["acme", "walk_per_hour"]["floor"] == "15"
    assert bounds["rival", "subjects_per_hour"] == {"partner": "rival", "anomaly": "subjects_per_hour", "floor": "1000",
                                                    "or": "3 x the greatest hour of 28 days", "then": "alarm"}
    assert "new_networks" in gateway.cli("check", "--partner", "acme")


def test_a_restart_gives_the_same(gateway):
    before = {agent: standing(gateway, agent) for agent in ("acme.cert", "acme.job", "rival.cert")}
    count = len(gateway.ledger())
    gateway.restart()
    for agent, figures in before.items():
        after = standing(gateway, agent)
        for rule, row in figures.items():
            assert {**after[rule], "state": ""} == {**row, "state": ""}
    gateway.rows("acme.job", "SELECT full_name FROM person WHERE person_id = 11")
    assert not any(act["text"].startswith("alarm") for act in gateway.ledger()[count:])


def test_what_is_new_to_one_who_is_known(holding):
    holding.rows("acme.job", "SELECT born FROM person WHERE person_id = 1")
    text = alarms(holding, "acme.job", "new-columns")["new-columns"]["text"]
    assert text == "never read before: person.born:clear; 1 days of work seen, new from 1 on"
    assert "new-hours" in alarms(holding, "acme.job", "new-hours")


def test_what_passes_a_bound_does_not_leave(holding):
    with (contextlib.closing(RawClient(holding, "acme.cert")) as client,
          contextlib.closing(RawClient(holding, "acme.cert")) as bystander):
        client.send(client.simple("SELECT person_id FROM person WHERE person_id < 20"))
        assert len(rows(client.until_ready())) == 15
        client.send(client.simple("SELECT person_id, full_name FROM person WHERE person_id BETWEEN 100 AND 150"))
        told = client.until_closed()
        assert (rows(told), states(told)[-1]) == ([], "57P01")
        assert b"Person 1" not in client.seen
        assert states(bystander.until_closed())[-1] == "57P01"
    entry = [entry for entry in holding.ledger() if entry["type"] == "disclosure"][-1]
    assert (entry["outcome"], entry["rows"]) == ("contained", 0)
    assert entry["subjects"] == 38, entry  # recorded, though withheld
    alarm = alarms(holding, "acme.cert", "subjects-per-hour")["subjects-per-hour"]
    assert alarm["contained"] == "agent" and "people in the hour: 53, bound 20 = " in alarm["text"]
    with pytest.raises(psycopg.OperationalError, match="contained"):
        holding.connect("acme.cert")


def test_the_look_up_that_is_one_too_many_is_not_answered(holding):
    with holding.connect("acme.job") as session:
        for key in (99990001, 99980002, 99970003):
            assert session.execute("SELECT full_name FROM person WHERE person_id = %s", (key,)).fetchall() == []
        with pytest.raises(psycopg.OperationalError, match="far from what it used to do"):
            session.execute("SELECT full_name FROM person WHERE person_id = 99960004").fetchall()
    holding.cli("partner", "restore", "acme/job", "--reason", "it was a test")
    with holding.connect("acme.job") as session:  # once an hour
        session.execute("SELECT full_name FROM person WHERE person_id = 99950005").fetchall()


def test_a_network_nobody_came_from_is_not_let_in(holding):
    holding.cli("partner", "restore", "acme/cert", "--reason", "it was a test")
    with pytest.raises(Closed):
        RawClient(holding, "acme.cert", source="127.9.9.9")
    alarm = alarms(holding, "acme.cert", "new-networks")["new-networks"]
    assert alarm["text"].startswith("network never come from: 127.9.9.0/24; ") and alarm["contained"] == "agent"

"""Limits on parts of what a partner gets: named, warned of, forecast, raised by two people, right after a restart."""
import re

import psycopg
import pytest

from harness import shop

LIMITS = """limits: [{name: phones, subjects: 10, per: day, category: phone, form: masked},
                              {name: job, subjects: 6, per: 30d, agent: job},
                              {name: ever, subjects: 500, per: ever, purpose: delivery}]"""
POLICY = shop.POLICY.replace("rows_per_statement: 1000000}", "rows_per_statement: 1000000, " + LIMITS + "}", 1)
PHONES = "SELECT phone FROM person WHERE phone IS NOT NULL ORDER BY person_id"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(policy_yaml=POLICY)


def limit(gateway, name, window="day"):
    return next(row for row in gateway.admin("SHOW BUDGET PARTNER 'acme'")
                if row["limit"] == name and row["window"] in (window, "30d", "ever"))


def received(gateway, sql, agent="acme.cert"):
    """(rows that arrived, notices, error or None)"""
    rows, notices = [], []
    with gateway.connect(agent) as connection:
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        try:
            for row in connection.cursor().stream(sql):
                rows.append(row)
        except psycopg.Error as error:
            return rows, notices, error
    return rows, notices, None


def test_ten_phones_a_day_and_no_bound_on_the_rest(gateway):
    rows, _, error = received(gateway, PHONES)
    assert (len(rows), error.sqlstate) == (10, "53400")
    assert "10 subjects per day (limit phones)" in error.diag.message_primary
    assert re.search(r"room again from \d{4}-\d\d-\d\dT00:00:00Z", error.diag.message_hint), error.diag.message_hint
    assert len(received(gateway, "SELECT person_id FROM person")[0]) == 150, "no phones, no bound"
    assert received(gateway, PHONES + " LIMIT 10")[2] is None, "known people are free"
    assert (limit(gateway, "phones")["used"], limit(gateway, "phones")["state"]) == ("10", "used up")
    assert limit(gateway, "phones")["counts"] == "phone, masked"
    assert "people of limit phones (day) 10 of 10" in gateway.cli("explain", "acme/cert", "SELECT phone FROM person")
    shown = {row["property"]: row["value"] for row in gateway.admin("SHOW PARTNER 'acme'")}
    assert shown["limit phones"] == "10 of 10 people, day (phone, masked)" and shown["limit per_day"].endswith("people, day"), shown


def test_it_follows_from_the_ledger(gateway):
    received(gateway, PHONES)
    rows, _, error = received(gateway, "SELECT person_id FROM person ORDER BY person_id", "acme.job")
    assert (len(rows), error.sqlstate) == (6, "53400")
    gateway.kill9()
    gateway.start()
    assert (limit(gateway, "phones")["used"], limit(gateway, "job")["used"]) == ("10", "6")
    gateway.reload(POLICY.replace("subjects: 10, per: day", "subjects: 15, per: week").replace("name: phones", "name: more"))
    assert limit(gateway, "more", "week")["used"] == "10", "a limit that a reload adds knows the past"
    assert len(received(gateway, PHONES)[0]) == 15


def test_a_warning_once_a_window(gateway):
    rows, notices, error = received(gateway, PHONES + " LIMIT 8")
    assert (len(rows), error) == (8, None)
    assert notices == ["8 of 10 subjects per day are used (limit phones)"]
    assert received(gateway, PHONES + " LIMIT 9")[1] == []
    gateway.restart()
    assert limit(gateway, "phones")["state"] == "warned"
    assert received(gateway, PHONES + " LIMIT 9")[1] == []
    warnings = [entry for entry in gateway.ledger() if entry.get("text", "").startswith("budget-warning")]
    assert len(warnings) == 1 and "budget_warning" in gateway.log_text()


def test_the_partner_sees_its_limits_and_staff_a_forecast(gateway):
    received(gateway, PHONES + " LIMIT 3")
    own = {row[0]: row[1:] for row in gateway.rows("acme.cert", "SHOW cofferdam.budget")}
    assert own["phones"] == ("3", "10", "7", "day (UTC)"), own
    assert own["job"][3] == "30d", own
    assert limit(gateway, "phones")["used_up"] == "not at this pace"
    assert float(limit(gateway, "phones")["pace"]) == 3
    received(gateway, "SELECT person_id FROM person ORDER BY person_id LIMIT 4", "acme.job")
    assert re.match(r"\d{4}-\d\d-\d\dT", limit(gateway, "job")["used_up"]), "4 in a day, 6 in 30 days"


def raise_it(gateway, to="20", **changes):
    options = {"limit": "phones", "to": to, "until": changes.pop("until", "2099-01-01"), "reason": "recall", **changes}
    return gateway.cli("budget", "raise", "acme", *(f"--{key}={value}" for key, value in options.items()), check=False)  # code, out, err


def soon():
    import datetime
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_raising_takes_two(gateway):
    received(gateway, PHONES)
    code, out, err = raise_it(gateway, until=soon())
    assert code == 0 and "another user approves" in out, (out, err)
    number = re.search(r"raise (\d+) is proposed", out).group(1)
    assert received(gateway, PHONES)[2].sqlstate == "53400", "proposed is not approved"
    code, out, err = gateway.cli("budget", "approve", number, check=False)
    assert code == 1 and "same user" in err, (out, err)
    assert [row["state"] for row in gateway.cli_json("budget", "raises")] == ["to be approved"]
    (approved,) = gateway.admin(f"APPROVE BUDGET ID '{number}'")  # the tests' own user; the command line is nobody's
    assert (approved["state"], approved["by"] != approved["approved_by"]) == ("in force", True), approved
    assert len(received(gateway, PHONES)[0]) == 20


def test_one_suffices_where_config_says_so(make_gateway):
    gateway = make_gateway(policy_yaml=POLICY, config={"budget": {"approvals": 1}})
    received(gateway, PHONES)
    assert "is in force" in raise_it(gateway, until=soon())[1]
    assert len(received(gateway, PHONES)[0]) == 20
    raised = gateway.cli_json("budget", "acme")
    assert next(row for row in raised if row["limit"] == "phones")["of"] == 20
    gateway.kill9()
    gateway.start()
    assert limit(gateway, "phones")["of"] == "20" and limit(gateway, "phones")["raised_until"]
    (row,) = gateway.cli_json("budget", "raises", "acme")
    assert row["by"] == row["approved_by"], row
    gateway.cli("budget", "raise", "--revoke", str(row["id"]), "--reason", "done")
    assert (limit(gateway, "phones")["of"], gateway.cli_json("budget", "raises")) == ("10", [])
    gateway.restart()
    assert limit(gateway, "phones")["of"] == "10"
    texts = [entry["text"].split("\n")[0] for entry in gateway.ledger() if entry.get("text", "").startswith("budget-raise")]
    assert sorted(texts) == ["budget-raise-proposed", "budget-raise-revoked", "budget-raised"], texts


def test_what_is_no_raise(gateway):
    for changes, said in [({"limit": "fones"}, "no bound"), ({"to": "10"}, "is no raise"), ({"to": "many"}, "'number' is wanted"),
                          ({"until": "2001-01-01"}, "within the next 366 days"), ({"until": "tomorrow"}, "UNTIL")]:
        code, out, err = raise_it(gateway, **{"until": soon(), **changes})
        assert code == 1 and said in err, (out, err)
    for word in ("budget-raised", "budget-raise-proposed"):
        with pytest.raises(psycopg.Error) as caught:
            gateway.admin(f"RECORD ACT '{word} id=1' PARTNER 'acme'")
        assert caught.value.sqlstate == "22023", "nobody writes a raise by hand"

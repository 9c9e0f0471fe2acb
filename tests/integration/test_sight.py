"""Each of Meridian's partners sees what its grants allow, in the form they allow, and is told why not more."""
import re

import pytest

RECALL, DESK, APP, NOTEBOOK = "north-mail.recall", "ringway.desk", "brightwash.app", "statlab.notebook"
LOOK_UP = ("SELECT c.full_name, c.phone, v.registration FROM vehicle v JOIN customer c ON c.customer_id = v.owner_id"
           " WHERE v.registration = %s")


@pytest.fixture(scope="module")
def truth(cluster, meridian):
    """Rows of the database itself."""
    return lambda sql: cluster.rows(sql, meridian)


def test_rows_are_those_of_the_condition(demo_gateway, truth):
    seen = demo_gateway.rows(RECALL, "SELECT customer_id, full_name, birth_date, postcode FROM customer"
                                     " ORDER BY customer_id")
    assert seen == truth("SELECT customer_id, full_name, birth_date, postcode FROM crm.customer"
                         " WHERE country = 'GB' AND NOT gone_away AND NOT deceased ORDER BY customer_id")
    assert len(seen) > 1000


def test_star_is_the_granted_columns(demo_gateway):
    with demo_gateway.connect(RECALL) as connection:
        names = [column.name for column in connection.execute("SELECT * FROM customer LIMIT 1").description]
    assert names == ["customer_id", "brand", "full_name", "birth_date", "gender", "street", "city", "postcode",
                     "language"]


def test_a_phone_is_its_last_four_digits(demo_gateway, truth):
    mark, phone = truth("SELECT registration, phone FROM crm.vehicle JOIN crm.customer ON customer_id = owner_id"
                        " WHERE phone IS NOT NULL AND NOT deceased ORDER BY vehicle_id LIMIT 1")[0]
    (name, seen, _), = demo_gateway.rows(DESK, LOOK_UP, (mark,))
    assert seen == "***" + phone[-4:]


def test_null_stays_null_under_a_mask(demo_gateway, truth):
    mark, = truth("SELECT registration FROM crm.vehicle JOIN crm.customer ON customer_id = owner_id"
                  " WHERE phone IS NULL AND NOT deceased ORDER BY vehicle_id LIMIT 1")[0]
    assert demo_gateway.rows(DESK, LOOK_UP, (mark,))[0][1] is None


def test_the_partners_conditions_see_only_the_mask(demo_gateway, truth):
    mark, phone = truth("SELECT registration, phone FROM crm.vehicle JOIN crm.customer ON customer_id = owner_id"
                        " WHERE phone IS NOT NULL AND NOT deceased ORDER BY vehicle_id LIMIT 1")[0]
    assert demo_gateway.rows(DESK, LOOK_UP + " AND c.phone = %s", (mark, phone)) == []
    assert len(demo_gateway.rows(DESK, LOOK_UP + " AND c.phone = %s", (mark, "***" + phone[-4:]))) == 1


def test_tokens_join_within_a_partner_and_differ_between_partners(demo_gateway, truth):
    mark, key = truth("SELECT registration, owner_id FROM crm.vehicle JOIN crm.customer ON customer_id = owner_id"
                      " WHERE NOT deceased ORDER BY vehicle_id LIMIT 1")[0]
    (desk, same), = demo_gateway.rows(
        DESK, "SELECT v.owner_id, c.customer_id FROM vehicle v JOIN customer c ON c.customer_id = v.owner_id"
              " WHERE v.registration = %s", (mark,))
    (app,), = demo_gateway.rows(APP, "SELECT owner_id FROM vehicle WHERE registration = %s", (mark,))
    assert desk == same
    assert app != desk
    assert str(key) not in (desk, app)


def test_a_token_is_the_same_every_time(demo_gateway):
    sql = "SELECT vehicle_id, owner_id FROM vehicle ORDER BY vehicle_id LIMIT 20"
    first = demo_gateway.rows(APP, sql)
    assert demo_gateway.rows(APP, sql) == first
    assert len({token for _, token in first}) > 15


def test_statistics_leave_small_groups_out(demo_gateway, truth):
    seen = dict(demo_gateway.rows(NOTEBOOK, "SELECT postcode, count(*) FROM customer GROUP BY postcode"))
    real = dict(truth("SELECT substring(postcode FROM '^[A-Z]+'), count(*) FROM crm.customer WHERE country = 'GB' AND postcode IS NOT NULL"
                      " GROUP BY 1 HAVING count(*) >= 10"))
    assert min(seen.values()) >= 10
    assert {area: seen.get(area) for area in real} == real


@pytest.mark.parametrize("agent, sql, state, hint", [
    (RECALL, "SELECT email FROM customer", "42703", None),
    (RECALL, "SELECT iban FROM payment_method", "42P01", None),
    (RECALL, "SELECT rolpassword FROM pg_authid", "42P01", None),
    (RECALL, "SELECT pg_read_file('/etc/passwd')", "42883|42501", None),
    (RECALL, "DELETE FROM customer", "42501|0A000", None),
    (RECALL, "COPY customer TO '/tmp/x'", "42501|0A000", None),
    (DESK, "SELECT full_name FROM customer", "42501", "registration"),
    (NOTEBOOK, "SELECT birth_date FROM customer", "42501", None),
    (APP, "SELECT full_name FROM customer", "42P01", None),
])
def test_what_is_not_granted_is_refused_with_a_reason(demo_gateway, agent, sql, state, hint):
    told = demo_gateway.refused(agent, sql)
    assert re.fullmatch(state, told[0]), told
    assert told[1] and told[2], told
    assert hint is None or hint in told[2], told


def test_a_refusal_names_nothing_that_is_hidden(demo_gateway):
    for sql in ("SELECT email FROM customer", "SELECT nonsense FROM customer"):
        told = " ".join(str(part) for part in demo_gateway.refused(RECALL, sql)).lower()
        for hidden in ("crm.", "iban", "phone", "gone_away", "owner_id"):
            assert hidden not in told, told

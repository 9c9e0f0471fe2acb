"""A point look-up through the fence uses the very indexes that the same statement uses without it."""
import json

import pytest

LOOK_UPS = [
    ("north-mail/recall", "SELECT full_name FROM customer WHERE customer_id = 7"),
    ("north-mail/recall", "SELECT vin FROM vehicle WHERE registration = 'AB12 CDE'"),
    ("north-mail/recall", "SELECT registration FROM vehicle WHERE vin = 'SM9CA6292PS000001'"),
    ("north-mail/recall", "SELECT registration FROM vehicle WHERE owner_id = 7"),
    ("north-mail/recall", "SELECT full_name FROM customer WHERE postcode = 'M13 2SA'"),
    ("north-mail/recall", "SELECT c.full_name, v.vin FROM customer c JOIN vehicle v ON v.owner_id = c.customer_id"
                          " WHERE c.customer_id = 7"),
    ("ringway/desk", "SELECT c.full_name, c.phone FROM vehicle v JOIN customer c ON c.customer_id = v.owner_id"
                     " WHERE v.registration = 'AB12 CDE'"),
    ("ringway/desk", "SELECT s.visited_on FROM vehicle v JOIN service_visit s ON s.vehicle_id = v.vehicle_id"
                     " WHERE v.registration = 'AB12 CDE'"),
    ("brightwash/app", "SELECT owner_id FROM vehicle WHERE vehicle_id = 7"),
]


def scans(plan):
    """(kind of scan, index) of each node, in no order."""
    found = [(plan["Node Type"], plan.get("Index Name"))] if "Scan" in plan["Node Type"] else []
    for child in plan.get("Plans", []):
        found += scans(child)
    return sorted(found, key=str)


def explained(cluster, database, sql):
    """The scans of a statement run by the administrator; $1 and $2 are tokens' keys."""
    with cluster.connect(database) as connection:
        connection.execute("SET search_path = crm")
        parameters = sql.count("$2") and "(bytea, bytea)"
        connection.execute(f"PREPARE look_up {parameters or ''} AS {sql}")
        values = r"('\x00', '\x00')" if parameters else ""
        (plan,), = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE look_up{values}").fetchall()
    return scans(plan[0]["Plan"])


@pytest.mark.parametrize("agent, sql", LOOK_UPS)
def test_the_same_indexes(demo_gateway, cluster, meridian, agent, sql):
    told = json.loads(demo_gateway.cli("explain", agent, sql, "--json"))
    rewritten = next(line["text"] for line in told if line["topic"] == "rewritten")
    direct, fenced = explained(cluster, meridian, sql), explained(cluster, meridian, rewritten)
    wanted = {index for _, index in direct if index}
    assert wanted, direct
    assert wanted <= {index for _, index in fenced}, (direct, fenced)
    assert not any(kind == "Seq Scan" for kind, _ in fenced), fenced

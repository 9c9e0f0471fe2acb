"""The demo's car maker has the same invented people in every copy, and its numbers check out."""
from harness import cluster as clusters
from harness import places

DEMO = places.ROOT / "examples/meridian"

# What a load at a hundredth of the size gives, on any machine. A change to the data changes these.
FINGERPRINTS = {
    "credential": "05ce51d027f03b6b4f83fd0371db30bc",
    "customer": "d365153779f1f51fe45c734fe99e56a0",
    "dealer": "ea05ab3f3c63105b8909e257ea9b8032",
    "enquirer": "4dbb6a9592dcc2658af5c545ab19b355",
    "model": "b74a8d677a1ca0a73f4f3bf6a4c4719e",
    "payment_method": "4afe22b6c4f13cf6933ad7212c89ee2d",
    "service_line": "9f2c03062387d91ccd9af52ca7c03ea8",
    "service_visit": "07b1cb8ef9458ec43fbd8a9e4e8061d0",
    "vehicle": "26b851713347029b8b5ca04ab00338ed",
}


def fingerprints(cluster, database):
    sql = (DEMO / "fingerprint.sql").read_text()
    output = cluster.script(database, "\\pset format unaligned\n\\pset tuples_only on\n" + sql)
    return dict(line.split("|") for line in output.splitlines())


def test_every_promise_of_the_data_holds(cluster, meridian):
    output = cluster.script(meridian, "\\pset format unaligned\n\\pset tuples_only on\n"
                            f"\\set scale 0.01\n\\i {DEMO}/verify.sql\n")
    promises = [line.split("|") for line in output.splitlines()]
    assert len(promises) >= 19, output
    assert [promise for promise in promises if promise[1] != "t"] == []


def test_two_loads_are_equal_row_by_row(cluster, meridian):
    second = cluster.create_database("meridian_again")
    cluster.script(second, path=DEMO / "load.sql", scale=0.01)
    assert fingerprints(cluster, second) == fingerprints(cluster, meridian)


def test_the_rows_are_those_of_every_other_machine(cluster, meridian):
    assert fingerprints(cluster, meridian) == FINGERPRINTS


def test_a_larger_scale_has_more_of_the_same_people(cluster, meridian):
    larger = clusters.meridian(cluster, 0.02)
    sql = "SELECT md5(string_agg(t::text, ' ' ORDER BY customer_id)) FROM crm.customer AS t WHERE customer_id <= 2000"
    assert cluster.rows(sql, larger) == cluster.rows(sql, meridian)


def test_look_ups_have_their_indexes(cluster, meridian):
    indexed = {row[0] for row in cluster.rows(
        "SELECT tablename || '(' || substring(indexdef FROM '\\((.*)\\)') || ')' FROM pg_indexes"
        " WHERE schemaname = 'crm'", meridian)}
    wanted = {"vehicle(registration)", "vehicle(vin)", "vehicle(owner_id)", "service_visit(vehicle_id)",
              "service_line(visit_id)", "customer(customer_id)", "customer(postcode)"}
    assert wanted - indexed == set()

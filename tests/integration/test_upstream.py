"""The gateway's own connection to the database: over a network only with TLS that names the right server, only
with SCRAM, with the service role's own bounds; what partners can do never exceeds that role."""
import shutil

import psycopg
import pytest

from harness import cluster as clusters
from harness import pki, places, shop
from harness.middleman import Middleman

HBA = """
local all postgres trust
hostssl tls_only all 127.0.0.1/32 scram-sha-256
host clear_text all 127.0.0.1/32 password
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


@pytest.fixture(scope="module")
def tls_cluster(authority):
    """A PostgreSQL that speaks TLS on loopback with a certificate of the test's authority."""
    server = clusters.Cluster()
    certificate, key = authority.server()
    for source, name in ((certificate, "server.crt"), (key, "server.key")):
        shutil.copy(source, server.data / name)
        (server.data / name).chmod(0o600)
        places.own(server.data / name, server.user)
    (server.data / "pg_hba.conf").write_text(HBA)
    server.rows("ALTER SYSTEM SET ssl = on")
    server.stop()
    server.start()
    for name in ("tls_only", "clear_text"):
        server.create_database(name, sql=shop.SQL)
    yield server
    server.close()


@pytest.fixture
def make(tls_cluster, authority):
    from conftest import close_all, gateway_maker
    made = []
    make = gateway_maker(tls_cluster, authority, made)
    yield lambda **options: make(start=False, **options)
    close_all(made)


def over_network(ca, port, host="localhost", **more):
    return {"upstream": {"host": host, "port": port, "tls_ca": str(ca), **more}}


def test_tls_upstream_with_the_right_name_works(make, tls_cluster, authority):
    gateway = make(database="tls_only", config=over_network(authority.certificate, tls_cluster.port))
    gateway.grant()
    gateway.start()
    assert gateway.rows("acme.cert", "SELECT full_name FROM person WHERE person_id = 5") == [("Person 5",)]
    with gateway.connect("acme.cert") as connection:
        connection.execute("SELECT 1").fetchone()
        secure = tls_cluster.rows("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                                  " WHERE application_name LIKE 'cofferdam acme%'")
    assert secure and all(row == (True,) for row in secure)


def test_an_unknown_authority_is_not_trusted(make, tls_cluster, tmp_path_factory):
    other = pki.Authority(places.make_folder("other-ca"), name="another CA")
    gateway = make(database="tls_only", config=over_network(other.certificate, tls_cluster.port))
    code, _, errors = gateway.cli("grants", check=False)
    assert code == 1 and "certificate" in errors
    places.remove_folder(other.folder)


def test_a_wrong_authority_after_start_serves_nobody(make, tls_cluster, authority):
    """The catalogue was read with the right one; sessions' connections check by themselves."""
    gateway = make(database="tls_only", config=over_network(authority.certificate, tls_cluster.port))
    gateway.grant()
    gateway.start()
    evil = pki.Authority(places.make_folder("evil-ca"), name="evil")
    certificate, key = evil.server()
    originals = {}
    for source, name in ((certificate, "server.crt"), (key, "server.key")):
        originals[name] = (tls_cluster.data / name).read_bytes()
        (tls_cluster.data / name).write_bytes(source.read_bytes())
    try:
        tls_cluster.rows("SELECT pg_reload_conf()")
        with pytest.raises(psycopg.OperationalError) as caught:
            for _ in range(20):
                gateway.rows("acme.cert", "SELECT full_name FROM person WHERE person_id = 5")
        assert "connection to the customer database failed" in str(caught.value)
    finally:
        for name, content in originals.items():
            (tls_cluster.data / name).write_bytes(content)
        tls_cluster.rows("SELECT pg_reload_conf()")
        places.remove_folder(evil.folder)


def test_a_password_is_never_sent_in_clear(make, tls_cluster, authority):
    gateway = make(database="clear_text", config=over_network(authority.certificate, tls_cluster.port))
    gateway.grant()
    gateway.start()
    with pytest.raises(psycopg.OperationalError) as caught:
        gateway.rows("acme.cert", "SELECT full_name FROM person WHERE person_id = 5")
    assert "connection to the customer database failed" in str(caught.value)
    assert "not SCRAM-SHA-256" in gateway.log_text()


def test_the_database_is_bound_to_its_channel(make, tls_cluster, authority):
    """channel_binding: require. A middleman with a certificate that the gateway believes gets nothing of it."""
    required = {"channel_binding": "require"}
    gateway = make(database="tls_only", config=over_network(authority.certificate, tls_cluster.port, **required))
    gateway.grant()
    gateway.start()
    assert gateway.rows("acme.cert", "SELECT full_name FROM person WHERE person_id = 5") == [("Person 5",)]
    for more in (required, {}):  # require is about whom to believe; what both can is done in any case
        between = Middleman(tls_cluster.port, authority)
        gateway = make(database="tls_only", config=over_network(authority.certificate, between.port, **more))
        code, _, errors = gateway.cli("grants", check=False)
        assert code == 1 and "channel binding" in errors, errors
    gateway = make(database="clear_text", config=over_network(authority.certificate, tls_cluster.port, **required))
    code, _, errors = gateway.cli("grants", check=False)
    assert code == 1 and "channel binding" in errors, errors


def test_a_middleman_after_start_gets_no_session(make, tls_cluster, authority):
    """The catalogue is read through libpq, sessions by the gateway's own client: it binds as well."""
    between = Middleman(tls_cluster.port, authority, honest=True)
    gateway = make(database="tls_only", config=over_network(authority.certificate, between.port))
    gateway.grant()
    gateway.start()
    between.honest = False
    with pytest.raises(psycopg.OperationalError) as caught:
        gateway.rows("acme.cert", "SELECT full_name FROM person WHERE person_id = 5")
    assert "connection to the customer database failed" in str(caught.value)
    assert "login refused" in gateway.log_text()


def test_a_network_without_tls_is_refused_in_the_configuration(make, tls_cluster):
    gateway = make(database="tls_only", config={"upstream": {"host": "db.example", "port": tls_cluster.port}})
    code, _, errors = gateway.cli("grants", check=False)
    assert code == 1 and "tls_ca" in errors


def test_the_service_role_is_read_only_and_bounded(make_gateway, cluster):
    gateway = make_gateway()
    wanted = {row["setting"]: row["fine"] for row in gateway.cli_json("check")["role_settings"]}
    assert wanted and set(wanted.values()) == {"yes"}
    with psycopg.connect(f"host={cluster.folder} port={cluster.port} dbname={gateway.database} user={gateway.role}"
                         " password=upstream-pw", autocommit=True) as service:
        for statement in ("SELECT secret FROM shop.person", "DELETE FROM shop.person", "CREATE TABLE x (a int)",
                          "SELECT * FROM shop.person"):
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
                service.execute(statement)
        assert service.execute("SELECT full_name FROM shop.person WHERE person_id = 5").fetchone() == ("Person 5",)

"""A password login is bound to its TLS channel where the client can, so that nobody between passes it on; what a
client was not shown, it says, and the gateway refuses."""
import shutil
import time

import psycopg
import pytest

from harness import clients, pki, places
from harness.middleman import Middleman
from harness.rawlogin import BINDING, PLAIN, PLUS, RawLogin, refusal

AGENT = "acme.job"


def turned_away(gateway, **changes):
    with pytest.raises(psycopg.OperationalError) as caught:
        gateway.connect(AGENT, **changes).close()
    return str(caught.value)


def test_libpq_binds_the_channel(shop_gateway):
    for wish in ("require", "prefer", "disable"):
        assert shop_gateway.rows(AGENT, "SELECT 1", channel_binding=wish) == [(1,)]
    login = RawLogin(shop_gateway, AGENT)
    assert login.mechanisms() == [PLUS, PLAIN]
    login.close()


def test_node_binds_the_channel(shop_gateway):
    """node-postgres chooses PLUS where it is told to; it computes the certificate's hash by itself."""
    for bind in ("false", "true"):  # the middleman shows that it binds when told to, and only then
        port = Middleman(shop_gateway.port, shop_gateway.authority).port
        script = (f"const client = new pg.Client({{...config, port: {port}, enableChannelBinding: {bind}}});"
                  " client.connect().then(() => console.log('true'), () => console.log('false'))"
                  ".finally(() => client.end().catch(() => 0));")
        assert clients.node(shop_gateway, AGENT, script) is (bind == "false")
    script = ("const client = new pg.Client({...config, enableChannelBinding: true}); await client.connect();"
              " const {rows} = await client.query('SELECT 1 AS one');"
              " console.log(JSON.stringify(rows)); await client.end();")
    assert clients.node(shop_gateway, AGENT, script) == [{"one": 1}]


def test_a_right_password_by_hand(shop_gateway):
    for header, mechanism in ((b"n,,", PLAIN), (BINDING, PLUS)):
        login = RawLogin(shop_gateway, AGENT)
        login.mechanisms()
        login.begin(header, mechanism)
        login.finish(*login.challenge(), password=f"pw-{AGENT}")
        assert [kind for kind, _ in login.until_ready()][:2] == [b"R", b"R"]
        login.close()


@pytest.mark.parametrize("header, mechanism, sqlstate", [
    (b"y,,", PLAIN, "28000"),  # could bind, and was not shown that we do: somebody took the offer out
    (b"p=tls-unique,,", PLUS, "08P01"),
    (b"p=tls-exporter,,", PLUS, "08P01"),
    (b"n,,", PLUS, "08P01"),
    (BINDING, PLAIN, "08P01"),
    (b"n,,", "SCRAM-SHA-1", "08P01"),
])
def test_downgrades_are_refused(shop_gateway, header, mechanism, sqlstate):
    login = RawLogin(shop_gateway, AGENT)
    login.mechanisms()
    login.begin(header, mechanism)
    assert refusal(login.until_closed())[0] == sqlstate


def test_another_channels_hash_is_refused(shop_gateway):
    """The password is right, and the proof is over another certificate's hash."""
    login = RawLogin(shop_gateway, AGENT)
    login.mechanisms()
    login.begin(BINDING, PLUS)
    login.finish(*login.challenge(), password=f"pw-{AGENT}", binding=BINDING + bytes(32))
    assert refusal(login.until_closed())[0] == "28000"


def test_a_middleman_gets_nobody_in(shop_gateway):
    """He has a certificate of the partner's own authority, and the client comes with the right password."""
    between = lambda **options: Middleman(shop_gateway.port, shop_gateway.authority, **options).port
    told = turned_away(shop_gateway, port=between())
    assert "channel binding does not match" in told
    told = turned_away(shop_gateway, port=between(strip=True))
    assert "was not shown that we offer it" in told
    # Without binding he could: the test's own middleman works.
    with shop_gateway.connect(AGENT, port=between(), channel_binding="disable") as connection:
        assert connection.info.status == psycopg.pq.ConnStatus.OK


# ---- a password that is changed ----

LONG = "SELECT p.full_name FROM person p, purchase a, purchase b, purchase c"


def ended(connection, seconds=3):
    """What a session is told when it ends by itself."""
    deadline = time.monotonic() + seconds
    with pytest.raises(psycopg.OperationalError) as caught:
        while time.monotonic() < deadline:
            connection.execute("SELECT 1")
            time.sleep(0.05)
    return str(caught.value)


def test_a_new_password_ends_the_sessions_of_the_old_one(shop_gateway):
    """Also one whose result is under way; an agent's other ways in, and other agents, go on."""
    gateway = shop_gateway
    verifier = gateway.folder / "secrets" / "acme-job.scram"
    kept = verifier.with_suffix(".kept")
    kept.hardlink_to(verifier)
    idle, busy, other = gateway.connect(AGENT), gateway.connect(AGENT), gateway.connect("acme.cert")
    result = busy.cursor().stream(LONG)
    next(result)
    gateway.cli("agent", "passwd", "acme/job", text="a new long password\n")
    assert "has been changed" in ended(idle)
    with pytest.raises(psycopg.errors.AdminShutdown, match="has been changed\\s+HINT:  connect again with the new one"):
        for _ in result:
            pass
    with gateway.connect(AGENT, password="a new long password") as new:
        verifier.unlink()
        assert "has been withdrawn" in ended(new)
    assert other.execute("SELECT 1").fetchone() == (1,)
    kept.rename(verifier)
    assert gateway.rows(AGENT, "SELECT 1") == [(1,)]
    # What the ledger says of them tells the two passwords apart, and helps nobody to guess one.
    opened = [entry["text"] for entry in gateway.ledger()
              if entry["text"].startswith("session-opened\n") and "\ncredential=password\n" in entry["text"]]
    names = [text.split("\nid=")[1].split("\n")[0] for text in opened][-4:]
    assert names[0] == names[1] == names[3] != names[2] and len(names[0]) == 32


@pytest.mark.parametrize("kind, offered", [
    (("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha384"), True),
    (("-newkey", "ed25519"), False),
])
def test_certificates_with_other_signatures(make_gateway, tmp_path, kind, offered):
    """SHA-384 is bound with SHA-384. Ed25519 has no hash that clients agree on: PLUS is not offered, and the
    login works without."""
    gateway = make_gateway(start=False)
    pki.openssl("req", "-x509", *kind, "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", tmp_path / "crt")
    for name in ("server.key", "server.crt"):
        shutil.copyfile(tmp_path / name.split(".")[1], gateway.folder / name)
        places.own(gateway.folder / name, gateway.user)
    gateway.grant()
    gateway.start()
    trust = {"sslrootcert": tmp_path / "crt"}
    assert gateway.rows(AGENT, "SELECT 1", channel_binding="prefer", **trust) == [(1,)]
    if offered:
        assert gateway.rows(AGENT, "SELECT 1", channel_binding="require", **trust) == [(1,)]
    else:
        assert "channel binding" in turned_away(gateway, channel_binding="require", **trust)

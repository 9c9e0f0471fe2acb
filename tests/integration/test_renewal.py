"""An agent renews its certificate by itself, within bounds that neither a thief of its key nor the gateway can move."""
import datetime
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import time

import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from harness import clock as clocks
from harness import issuer as issuers
from harness import places, shop

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="the issuer is another user than the gateway")

CALL = "CALL cofferdam.renew_certificate(%s, %s)"
POLICY = shop.POLICY.replace(
    '{name: cert, identity: {certificate: "spiffe://acme/cert"}}',
    '{name: cert, identity: {certificate: {uri: "spiffe://acme/cert", renewal: 30d}}}\n'
    '      - {name: fixed, identity: {certificate: "spiffe://acme/fixed"}}\n'
    '      - {name: both, identity: {certificate: {uri: "spiffe://acme/both", renewal: 30d},'
    ' scram: secrets/acme-both.scram}}').replace(
    '{name: cert, identity: {certificate: "spiffe://rival/cert"}}',
    '{name: cert, identity: {certificate: {uri: "spiffe://rival/cert", renewal: 30d}}}')


class World:
    """A gateway, an issuer and holders of certificates of its CA."""

    def __init__(self, make_gateway):
        self.clock = clocks.Clock()
        user = places.servant("nobody")
        self.issuer = issuers.Issuer(user, self.clock)
        bundle = self.issuer.base / "bundle.pem"
        self.gateway = make_gateway(policy_yaml=POLICY, config={
            "listen": {"client_ca": str(bundle)}, "issuer": {"socket": str(self.issuer.socket)}}, start=False)
        bundle.write_text(self.gateway.authority.certificate.read_text() + (self.issuer.ca / "ca.crt").read_text()
                          if os.access(self.issuer.ca / "ca.crt", os.R_OK) else "")
        self.gateway.grant()
        self.gateway.start()
        self.count = 0

    def holder(self, agent="acme/cert", *options):
        self.count += 1
        return self.issuer.issue(self.gateway.config, agent, f"holder{self.count}", "--ttl", "1h", *options)

    def connect(self, holder, agent="acme.cert"):
        return self.gateway.connect(agent, **holder.files)

    def next(self, holder, pem, key):
        self.count += 1
        return issuers.Holder(self.issuer.base / f"holder{self.count}", pem, key)

    def acts(self, word):
        return [entry["text"] for entry in self.gateway.ledger() if entry["text"].startswith(word)]


@pytest.fixture(scope="module")
def world(make_module_gateway):
    made = World(make_module_gateway)
    yield made
    made.issuer.close()
    made.clock.close()


def refused(connection, *arguments):
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(CALL, arguments)
    return caught.value.sqlstate, str(caught.value)


# ---- asking ----

@pytest.mark.parametrize("kind, simple", [("p256", False), ("ed25519", True)])
def test_an_agent_renews(world, kind, simple):
    old, key = world.holder("acme/cert", "--key-type", kind), issuers.new_key(kind)
    request = old.request(key)
    with world.connect(old) as session:
        if simple:
            row = psycopg.ClientCursor(session).execute(CALL, request).fetchone()
        else:
            row = session.execute(CALL, request).fetchone()
        serial, not_after, until, pem = row
        assert session.execute("SELECT count(*) FROM article").fetchone() == (7,)
        new = world.next(old, pem, key)
        assert new.serial == serial and new.certificate.not_valid_after > old.certificate.not_valid_after
        assert new.certificate.not_valid_after.strftime("%Y-%m-%dT%H:%M:%SZ") == not_after < until
        with world.connect(new) as other:
            assert other.execute("SHOW cofferdam.agent").fetchone() == ("cert",)
        assert session.execute("SELECT 1").fetchone() == (1,), "the session was disturbed"
    [act] = [act for act in world.acts("certificate-renewed") if serial in act]
    assert f"id={serial}" in act and f"renews={old.serial}" in act and f"origin={old.serial}" in act
    [line] = [line for line in world.issuer.issued() if line["serial"] == serial]
    assert (line["who"], line["renews"], line["origin"]) == ("acme.cert", old.serial, old.serial)


def test_it_takes_its_place_among_statements(world):
    """In a pipeline, in a transaction, among several statements of one text."""
    old, key = world.holder(), issuers.new_key()
    request, signature = old.request(key)
    with world.connect(old) as session:
        with session.pipeline():
            first = session.execute("SELECT count(*) FROM article")
            second = session.execute(CALL, (request, signature))
            third = session.execute("SELECT count(*) FROM article WHERE maker = 'maker 1'")
            assert (first.fetchone(), third.fetchone()) == ((7,), (3,))
            serial = second.fetchone()[0]
        text = f"SELECT 1; CALL cofferdam.renew_certificate('{request}', '{signature}'); SELECT 2"
        answers = session.pgconn.exec_(text.encode())
        assert answers.get_value(0, 0) == b"2"
        with session.transaction():
            session.execute("SELECT count(*) FROM article")
            assert session.execute(CALL, (request, signature)).fetchone()[0] == serial, "not the same again"
        session.autocommit = False
        with pytest.raises(psycopg.Error):
            session.execute("SELECT nothing")
        assert refused(session, request, signature)[0] == "25P02"


# ---- who may not ----

def test_only_with_the_certificate_and_where_the_policy_says(world):
    both, fixed = world.holder("acme/both"), world.holder("acme/fixed")
    with world.gateway.connect("acme.both", sslcert="/nonexistent", sslkey="/nonexistent") as session:
        assert refused(session, *both.request(issuers.new_key()))[0] == "28000"
    with world.connect(fixed, "acme.fixed") as session:
        sqlstate, text = refused(session, *fixed.request(issuers.new_key()))
        assert sqlstate == "42501" and "may not renew" in text
    assert fixed.serial not in {line["renews"] for line in world.issuer.issued()}
    with world.gateway.connect("acme.cert") as session:  # of another CA, that the gateway trusts as well
        sqlstate, text = refused(session, *both.request(issuers.new_key()))
        assert sqlstate == "28000" and "this CA has not issued it" in text
    with world.connect(both, "acme.both") as session:
        assert refused(session, None, "x")[0] == "22004"
        assert refused(session, "x" * 20000, "x")[0] == "54000"
        assert refused(session, "x", "x")[0] == "22023"
        for wrong in ("CALL cofferdam.renew()", "CALL renew_certificate('x', 'y')",
                      "CALL cofferdam.renew_certificate('x')", "CALL shop.f(1)"):
            with pytest.raises(psycopg.Error) as caught:
                session.execute(wrong)
            assert caught.value.sqlstate == "42501"
        session.pgconn.prepare(b"many", b"CALL cofferdam.renew_certificate($1, $1000)")
        assert session.pgconn.describe_prepared(b"many").nparams == 1000
        for wrong in ("'x', $0", "$0, 'x'", "$0::text, $0::text"):
            answer = session.pgconn.exec_(f"CALL cofferdam.renew_certificate({wrong})".encode())
            assert answer.error_field(ord("C")) == b"42P02"
            answer = session.pgconn.exec_params(f"CALL cofferdam.renew_certificate({wrong})".encode(), [])
            assert answer.error_field(ord("C")) == b"42P02"
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_what_is_revoked_or_contained_is_not_renewed(world):
    stolen, other = world.holder("rival/cert"), world.holder("rival/cert")
    session = world.connect(stolen, "rival.cert")
    authority = world.gateway.folder / "issuing.crt"
    shutil.copy(world.issuer.ca / "ca.crt", authority)
    world.gateway.cli("cert", "revoke", stolen.serial, "--ca", authority, "--reason", "stolen")
    with pytest.raises(psycopg.OperationalError, match="revoked"):
        session.execute(CALL, stolen.request(issuers.new_key()))
    session = world.connect(other, "rival.cert")
    world.gateway.cli("partner", "contain", "rival", "--reason", "test")
    with pytest.raises(psycopg.OperationalError, match="contained"):
        session.execute(CALL, other.request(issuers.new_key()))
    world.gateway.cli("partner", "restore", "rival", "--reason", "test")
    assert not {stolen.serial, other.serial} & {line["renews"] for line in world.issuer.issued()}


def test_hours_hold_for_renewals_too(world):
    """They end before it is asked for, and while the issuer is asked: the agent gets nothing until they begin again."""
    early, late = world.holder("acme/both"), world.holder("acme/both")
    request = late.request(issuers.new_key())
    sessions = [world.connect(holder, "acme.both") for holder in (early, late)]
    day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)).strftime("%a")
    world.issuer.process.send_signal(signal.SIGSTOP)
    try:
        sessions[1].pgconn.send_query_params(b"CALL cofferdam.renew_certificate($1, $2)",
                                             [text.encode() for text in request])
        world.gateway.reload(POLICY.replace("acme-both.scram}", f'acme-both.scram}}, hours: "{day} 00:00-00:01 Etc/UTC"'))
        with pytest.raises(psycopg.OperationalError, match="at this hour"):
            sessions[0].execute(CALL, early.request(issuers.new_key()))
        answer = sessions[1].pgconn.get_result()
        assert (answer.error_field(ord("C")), answer.ntuples) == (b"57P01", 0)
    finally:
        world.issuer.process.send_signal(signal.SIGCONT)
        world.gateway.reload(POLICY)
    with world.connect(late, "acme.both") as session:  # with what the issuer had made, or makes now
        assert session.execute(CALL, request).fetchone()
    assert early.serial not in {line["renews"] for line in world.issuer.issued()}


def test_a_certificate_that_can_never_be_renewed_is_told_of(world):
    """The policy says 30d: one of 30 days would have to end later than that."""
    for ttl, warned in ((), True), (("--ttl", "29d"), False):
        code, _, told = world.issuer.cli(
            "issue", "--ca", world.issuer.ca, "--passphrase-file", world.issuer.passphrase, "--agent", "acme/cert",
            "--out", world.issuer.base / "long", "-c", world.gateway.config, *ttl, check=False)
        assert code == 0 and ("can never be renewed" in told) == warned, told


def test_an_issuer_that_hangs_or_is_gone_holds_up_nobody_else(world):
    old = world.holder()
    request = old.request(issuers.new_key())
    with world.connect(old) as session, world.gateway.connect("acme.job") as job:
        world.issuer.process.send_signal(signal.SIGSTOP)
        try:
            session.pgconn.send_query_params(b"CALL cofferdam.renew_certificate($1, $2)",
                                             [text.encode() for text in request])
            begun = time.monotonic()
            for _ in range(10):
                assert job.execute("SELECT count(*) FROM article").fetchone() == (7,)
            assert time.monotonic() - begun < 1.5
            assert session.pgconn.get_result().error_field(ord("C")) == b"57P03"
        finally:
            world.issuer.process.send_signal(signal.SIGCONT)
        while session.pgconn.get_result():
            pass
        assert world.issuer.stop() == 0
        assert refused(session, *request)[0] == "57P03"
        world.issuer.start()
        serial = session.execute(CALL, request).fetchone()[0]
        assert [line["serial"] for line in world.issuer.issued() if line["renews"] == old.serial] == [serial]


@pytest.mark.parametrize("cut", ["contain", "revoke"])
def test_nothing_is_made_for_whom_staff_cut_off_while_they_wait(world, cut):
    """Behind another's renewal, which the issuer takes its time for."""
    first, waits = world.holder(), world.holder("rival/cert")
    begun = len(world.issuer.issued())
    with world.connect(first) as ahead, world.connect(waits, "rival.cert") as behind:
        world.issuer.process.send_signal(signal.SIGSTOP)
        try:
            for session, holder in ((ahead, first), (behind, waits)):
                session.pgconn.send_query_params(b"CALL cofferdam.renew_certificate($1, $2)",
                                                 [text.encode() for text in holder.request(issuers.new_key())])
                time.sleep(0.2)
            if cut == "contain":
                world.gateway.cli("partner", "contain", "rival", "--reason", "test")
            else:
                authority = world.gateway.folder / "issuing.crt"
                shutil.copy(world.issuer.ca / "ca.crt", authority)
                world.gateway.cli("cert", "revoke", waits.serial, "--ca", authority, "--reason", "stolen")
            assert behind.pgconn.get_result().error_field(ord("C")) == b"57P01"
        finally:
            world.issuer.process.send_signal(signal.SIGCONT)
        assert ahead.pgconn.get_result().ntuples == 1
        while ahead.pgconn.get_result() or behind.pgconn.get_result():
            pass
    refusal = f"id={waits.serial} sqlstate=57P01"
    deadline = time.monotonic() + 5
    while refusal not in world.gateway.log_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    if cut == "contain":
        world.gateway.cli("partner", "restore", "rival", "--reason", "test")
    assert [line["renews"] for line in world.issuer.issued()[begun:]] == [first.serial]
    assert refusal in world.gateway.log_text()


# ---- two holders of one key ----

def test_a_second_request_is_refused_and_told(world):
    old = world.holder()
    mine, thiefs = old.request(issuers.new_key()), old.request(issuers.new_key())
    with world.connect(old) as session:
        serial = session.execute(CALL, mine).fetchone()[0]
        sqlstate, text = refused(session, *thiefs)
        assert sqlstate == "42710" and "renewed before" in text
        assert session.execute(CALL, mine).fetchone()[0] == serial
    deadline = time.monotonic() + 5
    while not any("certificate-two-holders" in act and old.serial in act for act in world.acts("alarm")):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_revoking_one_names_its_line_or_takes_it_along(world):
    line = [world.holder()]
    while len(line) < 3:
        key = issuers.new_key()
        with world.connect(line[-1]) as session:
            answer = None
            while answer is None:  # the new one must end a second later
                try:
                    answer = session.execute(CALL, line[-1].request(key)).fetchone()
                except psycopg.Error as error:
                    assert error.sqlstate == "28000" and "not end later" in str(error), error
                    time.sleep(0.1)
        line.append(world.next(line[-1], answer[3], key))
    readable = world.gateway.folder / "ca"
    shutil.copytree(world.issuer.ca, readable)
    for path in (readable, *readable.iterdir()):
        places.own(path, world.gateway.user)
    last = world.connect(line[2])
    code, output, errors = world.gateway.cli("cert", "revoke", line[0].serial, "--ca", readable, "--reason", "stolen",
                                             check=False)
    assert code == 0 and f"{line[1].serial} {line[2].serial}" in errors and "--descendants" in errors
    assert last.execute("SELECT 1").fetchone() == (1,)
    told = world.gateway.cli_json("cert", "revoke", line[0].serial, "--ca", readable, "--reason", "stolen",
                                  "--descendants")
    assert [row["credential_id"] for row in told] == [one.serial for one in line]
    assert told[0]["renewals"] == f"{line[1].serial} {line[2].serial}" and told[2]["renewals"] == ""
    with pytest.raises(psycopg.OperationalError, match="revoked"):
        last.execute("SELECT 1")
    assert world.gateway.cli("cert", "revoke", line[0].serial, "--descendants", "--reason", "x", check=False)[0] == 2


# ---- a gateway that was taken over ----

def test_a_gateway_mints_nothing(world):
    """It has every certificate that it has seen, and the socket; not the agents' keys."""
    old, key = world.holder(), issuers.new_key()
    fixed = world.holder("acme/fixed")
    own = old.request(key, signer=key)
    assert world.issuer.ask(old.der, *own)[:1] == ("28000",), "signed with the new key alone"
    request, signature = old.request(key)
    assert world.issuer.ask(old.der, old.request(issuers.new_key())[0], signature)[0] == "28000", "another's signature"
    assert world.issuer.ask(fixed.der, request, signature)[0] == "28000", "for another agent"
    assert world.issuer.ask(old.der, *old.request(key, uri="spiffe://rival/cert"))[0] == "22023"
    assert world.issuer.ask(old.der, *old.request(old.key))[0] == "28000", "the old key lives on"
    server = world.gateway.folder / "server.crt"
    assert world.issuer.ask(b"x", request, signature)[0] == "28000" and server.exists()
    assert world.issuer.ask(old.der, request, signature)[0] is None
    stolen = old.request(issuers.new_key())
    assert world.issuer.ask(old.der, *stolen)[0] == "42710", "replayed, for another key"


def test_only_the_gateways_user_is_served(world):
    letter = b"\0\0\0\1\2"
    with pytest.raises(PermissionError):
        world.issuer.send(letter, as_user=places.servant("games"))
    info = os.stat(world.issuer.socket)
    assert (info.st_uid, info.st_mode & 0o777) == (world.gateway.user.pw_uid, 0o600)
    before = world.issuer.log_text().count("issuer_stranger")
    root = pwd.getpwuid(0)  # whom no mode holds back
    assert world.issuer.send(letter, as_user=root) == b""
    assert world.issuer.log_text().count("issuer_stranger") == before + 1


def test_malformed_questions_end_the_conversation(world):
    for letter in (b"\xff\xff\xff\xff", b"\0\0\0\1\2", b"\0\0\0\0", struct.pack(">I", 9) + b"\1" + b"\xff" * 8, b"\0\0"):
        assert world.issuer.send(letter, half=True) == b""
    begun = time.monotonic()
    assert world.issuer.send(b"\0\0\1\0") == b"" and time.monotonic() - begun < 5, "it waits for the rest"
    assert world.issuer.process.poll() is None


def test_it_has_given_everything_up(world):
    status = (places.pathlib.Path("/proc") / str(world.issuer.process.pid) / "status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split()[0] == str(issuers.user().pw_uid) and fields["Seccomp"].strip() == "2"
    assert fields["NoNewPrivs"].strip() == "1"
    for options, words in ((("--user", places.servant("nobody").pw_name), "gateway's user"),
                           (("--last", "0"), "--last")):
        done = subprocess.run([str(word) for word in (
            world.issuer.program, "cert", "serve", "--ca", world.issuer.ca, "--socket", world.issuer.base / "other",
            "--gateway-user", world.gateway.user.pw_name, "--passphrase-file", world.issuer.passphrase, *options)],
            capture_output=True, text=True, timeout=30)
        assert done.returncode != 0 and words in done.stderr, done.stderr


def test_over_and_over_until_a_human_is_asked(world):
    """A certificate of five minutes, renewed in its last half, ends twenty minutes after a human issued it."""
    clock = world.clock
    clock.move(0)
    issuer = issuers.Issuer(world.gateway.user, clock, ("--human", "20m"), moved=True)
    try:
        issuer.cli("issue", "--ca", issuer.ca, "--passphrase-file", issuer.passphrase, "--agent", "acme/cert", "--out",
                   issuer.base / "first", "-c", world.gateway.config, "--ttl", "5m")
        holder = first = issuers.Holder(issuer.base / "first")
        assert issuer.ask(holder.der, *holder.request(issuers.new_key()))[0] == "55000", "too early"
        begun, ends = time.time(), []
        for number in range(20):
            clock.move_by(170)
            key = issuers.new_key()
            answer = issuer.ask(holder.der, *holder.request(key))
            if answer[0] is not None:
                break
            holder = issuers.Holder(issuer.base / f"next{number}", answer[5], key)
            ends.append(holder.certificate.not_valid_after)
            assert answer[2] == first.serial
        assert answer[0] == "28000" and "since a human issued" in answer[1], answer
        assert len(ends) >= 5 and ends == sorted(ends)
        last = ends[-1].replace(tzinfo=datetime.timezone.utc).timestamp()
        assert 20 * 60 - 5 <= last - begun <= 20 * 60 + 5
        clock.move_by(1200)
        assert issuer.ask(holder.der, *holder.request(issuers.new_key()))[1].endswith("it is not valid now")
    finally:
        clock.move(0)
        issuer.close()


# ---- the kit ----

@pytest.mark.parametrize("kind", ["p256", "ed25519"])
def test_the_kits_script_renews(world, kind):
    kit = world.issuer.base / f"kit-{kind}"
    world.issuer.run("partner", "kit", "acme/cert", "-c", world.gateway.config, "--ca", world.issuer.ca, "--days", "1",
                     "--passphrase-file", world.issuer.passphrase, "--server-ca", world.gateway.authority.certificate,
                     "--host", "localhost", "--port", str(world.gateway.port), "--out", kit, ago=20)
    if kind == "ed25519":
        for path in world.holder("acme/cert", "--key-type", kind).folder.iterdir():
            shutil.copy(path, kit / path.name)
    before = world.issuer.base / f"before-{kind}"
    shutil.copytree(kit, before)
    holder = issuers.Holder(before)
    with open(kit / "pg_service.conf", "a") as file:
        file.write("hostaddr=127.0.0.1\n")

    def run():
        return subprocess.run([kit / "renew"], capture_output=True, text=True, timeout=60, cwd="/")
    assert "renew " in (kit / "README.txt").read_text()
    with world.connect(holder) as session:
        done = run()
        assert done.returncode == 0, done.stderr
        new = issuers.Holder(kit)
        assert new.serial != holder.serial and type(new.key) is type(holder.key)
        assert os.stat(kit / "client.key").st_mode & 0o077 == 0
        with world.connect(new) as other:
            assert other.execute("SELECT 1").fetchone() == (1,)
        assert session.execute("SELECT count(*) FROM article").fetchone() == (7,), "the session was disturbed"
    assert sorted(path.name for path in kit.iterdir()) == [
        "README.txt", "ca.crt", "client.crt", "client.key", "client.p12", "client.p12.pass", "pg_service.conf", "renew"]
    _, in_p12, _ = pkcs12.load_key_and_certificates(
        (kit / "client.p12").read_bytes(), (kit / "client.p12.pass").read_bytes().strip())
    assert format(in_p12.serial_number, "x") == new.serial
    # Interrupted between the two files: the next run ends it.
    shutil.copy(before / "client.crt", kit / "client.crt")
    pending = (new.folder / "client.key").read_text()
    (kit / "client.new").write_text(pending + new.request(new.key)[0])
    (kit / "client.new.crt").write_bytes(new.certificate.public_bytes(serialization.Encoding.PEM))
    done = run()
    assert done.returncode == 0, done.stderr
    assert issuers.Holder(kit).serial == new.serial and not (kit / "client.new").exists()
    # Interrupted before the last file, and by a signal while the gateway does not answer.
    shutil.copy(before / "client.p12", kit / "client.p12")
    (kit / "client.new").write_text(pending + new.request(new.key)[0])
    (kit / "client.new.crt").write_bytes(new.certificate.public_bytes(serialization.Encoding.PEM))
    assert run().returncode == 0
    _, in_p12, _ = pkcs12.load_key_and_certificates(
        (kit / "client.p12").read_bytes(), (kit / "client.p12.pass").read_bytes().strip())
    assert format(in_p12.serial_number, "x") == new.serial and not (kit / "client.new").exists()
    service = (kit / "pg_service.conf").read_text()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (kit / "pg_service.conf").write_text(
            service.replace(f"port={world.gateway.port}", f"port={silent.getsockname()[1]}"))
        interrupted = subprocess.Popen([kit / "renew"], stderr=subprocess.DEVNULL, start_new_session=True)
        silent.settimeout(20)
        with silent.accept()[0]:
            os.killpg(interrupted.pid, signal.SIGTERM)
            assert interrupted.wait(20) != 0 and not list(kit.glob("renew.*"))
    # A gateway that is not there is not one that says "not yet" (55000), whatever its port.
    (kit / "pg_service.conf").write_text(service.replace(f"port={world.gateway.port}", "port=55000"))
    done = run()
    assert done.returncode == 1 and "55000" in done.stderr, (done.returncode, done.stderr)
    (kit / "pg_service.conf").write_text(service)
    # A key whose certificate somebody else has renewed: nothing is changed, and it says why.
    for name in ("client.crt", "client.key"):
        shutil.copy(before / name, kit / name)
    done = run()
    assert done.returncode == 1 and "42710" in done.stderr and issuers.Holder(kit).serial == holder.serial

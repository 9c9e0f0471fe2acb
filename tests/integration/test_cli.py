"""The operator's command line: help for every verb, exact exit codes, tables and JSON, and a kit
that lets the other side in."""
import json
import os
import re
import stat
import subprocess
import time

import pytest

from harness import pki, places

VERBS = ["gateway", "check", "grants", "explain", "reload", "sessions",
         "alarm list", "alarm show", "alarm test", "alarm acknowledge", "anomaly show", "anomaly test", "budget", "budget raise", "budget approve", "budget raises", "request list", "request show", "request approve", "request deny", "request revoke", "stats", "tls", "exposure show", "exposure net", "exposure overlap", "exposure statements", "exposure rebuild",
         "exposure declare", "exposure deletion", "attest", "export", "incident open", "incident list", "incident show", "incident scope",
         "incident lint", "incident fact", "incident decide", "incident notify", "incident log", "incident statement",
         "incident publish", "incident report", "incident reported", "incident close", "incident reopen",
         "incident verify", "trace", "subject", "erase",
         "partner list", "partner show", "partner kit", "partner contain", "partner restore",
         "policy diff", "policy unused", "agent passwd", "agent backoff", "oidc check", "cert ca", "cert server",
         "cert issue", "cert serve", "cert crl", "cert crls", "cert reset-crl", "cert list", "cert show", "cert revoke", "cert revoked", "ledger key", "ledger commit", "ledger tail", "ledger backup", "ledger restore", "ledger retain", "ledger export",
         "ledger prove", "ledger serve", "ledger verify", "ledger witness", "portal", "worker", "drill", "version"]

COMMON = {"help", "config", "admin", "json"}


def run(*arguments, text=None):
    """(exit code, output, errors) of the program, without a gateway."""
    done = subprocess.run([places.binary(), *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          input=text)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    made = make_module_gateway()
    made.rows("acme.cert", "SELECT person_id, full_name, phone FROM person ORDER BY person_id LIMIT 5")
    made.rows("rival.cert", "SELECT full_name FROM person WHERE person_id = 1")
    return made


@pytest.fixture
def folder():
    path = places.make_folder("cli")
    yield path
    places.remove_folder(path)


# ---- usage ----

def test_help_lists_every_verb():
    code, output, _ = run("--help")
    assert code == 0
    listed = [line.strip().split("  ")[0] for line in output.splitlines() if line.startswith("  ")]
    assert listed == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help(verb):
    code, output, errors = run(*verb.split(), "--help")
    assert (code, errors) == (0, "")
    for part in (f"usage: cofferdam {verb}", "options:", "examples:", "exit codes:"):
        assert part in output, f"no {part!r} in:\n{output}"


@pytest.mark.parametrize("verb", VERBS)
def test_manual_knows_each_verb_and_option(verb):
    group, name = (verb.split() + [None])[:2]
    page, name = ("cofferdam-incident.1", name) if group == "incident" else ("cofferdam.1", verb)
    manual = re.sub(r"\b(?:Oo|Oc|Op|Cm|Nm|Ar|Ns) ", "", (places.ROOT / "man" / page).read_text())
    others = "".join(rf"(?! {other[len(verb) + 1:]}\b)" for other in VERBS if other.startswith(verb + " "))
    entries = re.findall(rf"^\.It {name}\b{others}.*(?:\n(?!\.It).*)*", manual, re.MULTILINE)
    entry = "\n".join(entries)
    assert len(entries) == 1 or group == "incident" and entries, f"{len(entries)} entries of {verb} in {page}"
    found = re.findall(r"^  (?:-(\w), |    )--([\w-]+)", run(*verb.split(), "--help")[1], re.MULTILINE)
    common = COMMON | ({"by"} if group == "incident" else set())  # said once, above them all
    for letter, option in found:
        wanted = [f"Fl Fl {option}"] + ([f"Fl {letter}"] if letter else [])
        assert option in common or any(name in entry for name in wanted), f"--{option} is not in:\n{entry}"
    said = re.findall(r"Fl (Fl [\w-]+|\w\b(?!-))", " ".join(re.findall(r"^\.It .*", entry, re.MULTILINE)))
    known = {f"Fl {option}" for _, option in found} | {letter for letter, _ in found}
    assert set(said) <= known, f"{set(said) - known} of the manual are no options of {verb}"


def test_the_manual_has_each_command_of_the_admin_database():
    table = (places.ROOT / "src/gateway/admin/admin_command.c").read_text().split("} commands[] = {")[1].split("};")[0]
    commands = re.findall(r'\{\{"(\w+)"(?:, "(\w+)")?\}', table)
    manual = (places.ROOT / "man/cofferdam.1").read_text().split(".Sh ADMIN DATABASE")[1].split(".Ed")[0]
    shown = set(re.findall(r"^([A-Z]+(?: [A-Z]+)?)", manual, re.MULTILINE))
    shown |= {f"SHOW {word}" for line in re.findall(r"^SHOW .*", manual, re.MULTILINE)
              for word in re.findall(r"\| ([A-Z]+)", line)}
    assert len(commands) > 40
    missing = [words for words in commands if not any(entry.startswith(" ".join(words).strip()) for entry in shown)]
    assert not missing


def test_examples_go_on_in_a_second_line():
    examples = run("attest", "--help")[1].split("examples:\n")[1].split("\n\n")[0].splitlines()
    assert [line[:12] for line in examples] == ["  cofferdam ", "      --docu"] * 1 + ["  cofferdam ", "      --told"], examples


def test_the_readme_names_verbs_and_options_that_there_are():
    text = (places.ROOT / "README.md").read_text()
    said = {}
    for command in re.findall(r"^    cofferdam ([^#\n]*)|`cofferdam ([a-z][^`]*)`", text, re.MULTILINE):
        words = (command[0] or command[1]).split()
        if words[0].startswith("-"):
            continue
        verb = next((v for v in (" ".join(words[:2]), words[0]) if v in VERBS), None)
        assert verb or any(v.startswith(f"{words[0]} ") for v in VERBS), command
        if verb:
            said.setdefault(verb, set()).update(re.findall(r"(?<!\S)--([\w-]+)", " ".join(words)))
    assert len(said) > 15
    for verb, options in said.items():
        known = set(re.findall(r"^  (?:-\w, |    )--([\w-]+)", run(*verb.split(), "--help")[1], re.MULTILINE))
        assert options <= known, f"README.md: {options - known} are no options of {verb}"


@pytest.mark.parametrize("arguments, hint", [
    (["gatway"], 'did you mean "cofferdam gateway"?'),
    (["alarm", "ack"], 'did you mean "cofferdam alarm acknowledge"?'),
    (["partner", "contian"], 'did you mean "cofferdam partner contain"?'),
    (["ledger", "tail", "--folow"], "did you mean --follow?"),
    (["partner", "contain", "acme"], "--reason is needed"),
    (["partner", "contain", "a/b/c", "--reason", "x"], "neither PARTNER nor PARTNER/AGENT"),
    (["exposure", "--from", "yesterday"], "takes a date or an instant"),
    (["subject"], "[KIND] KEY is needed"),
    (["cert", "server", "--ca", "x", "--out", "y"], "--dns or --ip is needed"),
    ([], "usage: cofferdam VERB"),
])
def test_wrong_usage_ends_with_two(arguments, hint):
    code, output, errors = run(*arguments)
    assert (code, output) == (2, ""), errors
    assert hint in errors


def test_missing_configuration_is_told():
    code, output, errors = run("sessions", "-c", "/nonexistent/cofferdam.yaml")
    assert (code, output) == (1, "")
    assert "/nonexistent/cofferdam.yaml" in errors


def test_no_gateway_is_told(folder):
    code, output, errors = run("sessions", "--admin", folder)
    assert (code, output) == (1, "")
    assert "there is no admin socket" in errors and "hint: Is the gateway running?" in errors


# ---- without a running gateway ----

def test_check_prints_what_partners_see(gateway):
    output = gateway.cli("check")
    assert "acme (rows, 2 agents)" in output
    report = gateway.cli_json("check")
    seen = {(row["partner"], row["dataset"], row["column"]): row["form"] for row in report["columns"]}
    assert seen[("acme", "person", "full_name")] == "clear"
    assert seen[("acme", "person", "phone")] == "masked"
    assert seen[("acme", "person", "secret")] == "hidden"
    assert set(report) == {"policy_id", "columns", "side_doors", "role_settings", "findings", "recommended", "anomalies"}


def test_check_recommends_what_the_database_lacks(gateway):
    """By what the live catalogue says of a table with many rows."""
    def recommended():
        return [row["recommended"] for row in gateway.cli_json("check")["recommended"]]
    many = "UPDATE pg_class SET reltuples = 50000 WHERE oid = 'shop.purchase'::regclass;"
    gateway.cluster.script(gateway.database, many)
    try:
        assert recommended() == []
        gateway.cluster.script(gateway.database, "DROP INDEX shop.purchase_person_id_idx;")
        assert recommended() == ['CREATE INDEX ON "shop"."purchase" ("person_id")']
        assert "Recommended" in gateway.cli("check")
    finally:
        gateway.cluster.script(gateway.database, "CREATE INDEX IF NOT EXISTS purchase_person_id_idx ON shop.purchase (person_id); "
                                                 "ANALYZE shop.purchase;")


def test_check_lists_side_doors(gateway):
    gateway.cluster.script(gateway.database, "CREATE ROLE cli_side_door LOGIN; GRANT USAGE ON SCHEMA shop TO "
                                             "cli_side_door; GRANT SELECT ON shop.person TO cli_side_door;")
    try:
        doors = gateway.cli_json("check")["side_doors"]
        assert "cli_side_door" in {door["role"] for door in doors}
        code, _, errors = gateway.cli("check", "--strict", check=False)
        assert code == 1 and "finding" in errors
    finally:
        gateway.cluster.script(gateway.database, "DROP OWNED BY cli_side_door; DROP ROLE cli_side_door;")


def test_check_refuses_a_broken_policy(gateway, folder):
    policy = (gateway.folder / "policy.yaml").read_text()
    config = folder / "cofferdam.yaml"
    config.write_text(gateway.config.read_text().replace("policy: policy.yaml", f"policy: {folder}/policy.yaml")
                      .replace("state_folder: state", f"state_folder: {gateway.state_dir}"))
    (folder / "policy.yaml").write_text(policy.replace("full_name: {category: name}", "full_nme: {category: name}"))
    code, output, errors = run("check", "-c", config)
    assert (code, output) == (1, ""), errors
    assert "full_n" in errors


def test_grants_is_sql(gateway):
    sql = gateway.cli("grants")
    assert "GRANT" in sql and gateway.role in sql
    assert gateway.cli_json("grants")["sql"] == sql


# ---- the admin database ----

def test_sessions(gateway):
    with gateway.connect("acme.cert"):
        deadline = time.monotonic() + 5  # the workers publish their sessions now and then
        agents = []
        while agents != ["acme.cert"] and time.monotonic() < deadline:
            time.sleep(0.1)
            agents = [session["agent"] for session in gateway.cli_json("sessions")]
        assert agents == ["acme.cert"]
        assert "acme.cert" in gateway.cli("sessions")


def test_exposure_in_sections(gateway):
    output = gateway.cli("exposure")
    for heading in ("People disclosed", "By category of data", "some or all of", "Never disclosed"):
        assert heading in output
    report = gateway.cli_json("exposure", "show", "--partner", "acme")
    assert list(report) == ["exposure", "only_written", "categories", "combinations", "never", "since"]
    assert report["since"] is None
    [acme] = [row for row in report["exposure"] if row["kind"] == "person"]
    assert acme["partner"] == "acme" and acme["subjects"] == 5
    assert "credential" in {row["category"] for row in report["never"]}


def test_exposure_in_a_period(gateway):
    assert gateway.cli_json("exposure", "--to", "2001-01-01")["exposure"] == []


def test_subject_with_and_without_kind(gateway):
    told = gateway.cli_json("subject", "person", "1")
    rows = told["rows"]
    assert told["since"] is None
    assert {"acme", "rival"} == {row["partner"] for row in rows}
    assert {"person"} == {row["kind"] for row in rows}
    assert gateway.cli_json("subject", "1") == told
    assert gateway.cli_json("subject", "person:1") == told
    assert gateway.cli_json("subject", "person", "no such") == {"since": None, "rows": []}
    assert "nothing has been disclosed" in gateway.cli("subject", "no such")


def test_explain(gateway):
    text = gateway.cli("explain", "acme/cert", "SELECT full_name FROM person WHERE town = 'Y\\or''k'")
    assert "Y\\or''k" in text and "person.full_name" in text
    assert "refused" in gateway.cli("explain", "acme.cert", "-", text="SELECT secret FROM person")


def test_unknown_partner_has_message_and_hint(gateway):
    code, output, errors = gateway.cli("partner", "show", "it's nobody", check=False)
    assert (code, output) == (1, "")
    assert "it's nobody" in errors and "hint: " in errors


def test_no_error_or_heading_commands_the_terminal(gateway):
    """What others have written is quoted: a partner's name in a ticket, a key in a leaked file."""
    code, _, errors = gateway.cli("partner", "show", "a\x1b]0;evil\x07", check=False)
    assert code == 1 and "a\\x1b]0;evil\\x07" in errors and not set("\x1b\x07") & set(errors)
    told = gateway.cli("subject", "person", "3\x1b[2J")
    assert "person 3\\x1b[2J" in told and "\x1b" not in told


def test_lists_and_counters(gateway):
    partners = {row["partner"]: row for row in gateway.cli_json("partner", "list")}
    assert set(partners) == {"acme", "rival"} and isinstance(partners["acme"]["agents"], int)
    assert gateway.cli_json("budget", "acme")[0]["partner"] == "acme"
    assert "ledger entries" in gateway.cli("stats")
    counters = gateway.cli_json("stats")
    assert counters["ledger_entries"] > 0 and re.fullmatch("[0-9a-f]{64}", counters["ledger_root"])
    assert isinstance(gateway.cli_json("tls")["days_left"], int)
    assert gateway.cli_json("version", "--gateway")[0]["version"].startswith("cofferdam")
    assert gateway.cli_json("reload")[0]["partners"] == 2


def test_ledger_tail(gateway):
    entries = gateway.cli_json("ledger", "tail", "-n", "5")
    numbers = [entry["sequence"] for entry in entries]
    assert numbers == sorted(numbers) and len(numbers) == 5
    later = gateway.cli_json("ledger", "tail", "--after", str(numbers[-2]))
    assert later[0]["sequence"] == numbers[-1]
    assert "sequence" in gateway.cli("ledger", "tail")


def test_ledger_tail_follows(gateway):
    command = [gateway.program, "ledger", "tail", "-n", "1", "--follow", "--json", "-c", gateway.config]
    process = places.popen_as(gateway.user, command, stdout=subprocess.PIPE, text=True)
    try:
        first = json.loads(process.stdout.readline())
        gateway.rows("rival.cert", "SELECT full_name FROM person WHERE person_id = 2")
        assert json.loads(process.stdout.readline())["sequence"] > first["sequence"]
    finally:
        process.kill()
        process.wait()


def test_contain_and_restore(make_gateway):
    gateway = make_gateway()
    output = gateway.cli("partner", "contain", "acme/cert", "--reason", "it's a test")
    assert "acme/cert is contained: 0 sessions ended in" in output
    with pytest.raises(Exception):
        gateway.connect("acme.cert")
    assert gateway.rows("acme.job", "SELECT 1") == [(1,)]
    [row] = gateway.cli_json("partner", "list", "--contained")
    assert (row["partner"], row["agent"], row["reason"]) == ("acme", "cert", "it's a test")
    gateway.cli("partner", "restore", "acme/cert", "--reason", "over")
    assert gateway.rows("acme.cert", "SELECT 1") == [(1,)]
    answer = gateway.cli_json("partner", "contain", "rival", "--reason", "x")
    assert isinstance(answer[0]["cut_ms"], (int, float))


# ---- certificates, passwords, kits ----

def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def own_ca(folder):
    code, _, errors = run("cert", "ca", "--out", folder / "ca", "--name", "Shop CA", "--unsealed")
    assert code == 0, errors
    return folder / "ca"


def test_ca_is_not_overwritten(own_ca):
    assert mode_of(own_ca / "ca.key") == 0o600
    code, _, errors = run("cert", "ca", "--out", own_ca, "--unsealed")
    assert code == 1 and "exists already" in errors


def test_server_certificate(own_ca, folder):
    code, _, errors = run("cert", "server", "--ca", own_ca, "--dns", "data.shop.example", "--ip", "127.0.0.1",
                          "--out", folder / "server")
    assert code == 0, errors
    assert mode_of(folder / "server" / "server.key") == 0o600
    text = pki.openssl("x509", "-in", folder / "server" / "server.crt", "-noout", "-ext", "subjectAltName")
    assert "data.shop.example" in text and "127.0.0.1" in text
    pki.openssl("verify", "-CAfile", own_ca / "ca.crt", "-purpose", "sslserver", folder / "server" / "server.crt")


def test_kit_lets_the_agent_in(make_gateway, folder, own_ca):
    """The gateway trusts two authorities: the test's, and the one that the kit is issued by."""
    gateway = make_gateway()
    both = gateway.folder / "ca.crt"
    both.write_text(both.read_text() + (own_ca / "ca.crt").read_text())
    gateway.restart()
    code, _, errors = run("partner", "kit", "acme/cert", "--ca", own_ca, "--server-ca",
                          gateway.authority.certificate, "--host", "localhost", "--port", gateway.port, "--out",
                          folder / "kit", "-c", gateway.config)
    assert code == 0, errors
    kit = folder / "kit"
    assert {path.name for path in kit.iterdir()} == {"ca.crt", "client.crt", "client.key", "client.p12",
                                                     "client.p12.pass", "pg_service.conf", "README.txt"}
    assert {mode_of(kit / name) for name in ("client.key", "client.p12", "client.p12.pass")} == {0o600}
    done = subprocess.run(["psql", "-XAt", "-c", "SELECT count(*) > 0 FROM article", "service=acme-cert"], cwd=kit,
                          env={**os.environ, "PGSERVICEFILE": "pg_service.conf"}, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("t\n", "")
    bag = pki.openssl("pkcs12", "-in", kit / "client.p12", "-passin", f"file:{kit / 'client.p12.pass'}", "-nodes")
    assert "friendlyName: user" in bag  # the alias that the JDBC driver looks for
    readme = (kit / "README.txt").read_text()
    assert "public.person (some of its rows)" in readme and "secret" not in readme.split("What you can see")[1]


def test_kit_of_a_password_agent(gateway, folder):
    code, _, errors = run("partner", "kit", "acme/job", "--server-ca", gateway.authority.certificate, "--host",
                          "localhost", "--out", folder / "kit", "-c", gateway.config)
    assert code == 0, errors
    assert {path.name for path in (folder / "kit").iterdir()} == {"ca.crt", "pg_service.conf", "README.txt"}
    assert "agent passwd acme/job" in errors


def test_password_is_set_and_works(make_gateway):
    gateway = make_gateway()
    gateway.cli("agent", "passwd", "acme/job", text="a new long password\n")
    assert mode_of(gateway.folder / "secrets" / "acme-job.scram") == 0o600
    assert gateway.rows("acme.job", "SELECT 1", password="a new long password") == [(1,)]
    with pytest.raises(Exception):
        gateway.connect("acme.job", password="pw-acme.job")
    assert "$4096:" in (gateway.folder / "secrets" / "acme-job.scram").read_text()
    made = gateway.cli("agent", "passwd", "acme/job", "--generate", "--iterations", "20000").strip()
    stored = (gateway.folder / "secrets" / "acme-job.scram").read_text()
    assert stored.startswith("SCRAM-SHA-256$20000:") and made not in stored
    assert gateway.rows("acme.job", "SELECT 1", password=made) == [(1,)]


@pytest.mark.parametrize("agent, text, reason", [
    ("acme/job", "short\n", "at least 16 characters"),
    ("acme/job", "aaaaaaaaaaaaaaaaaaaaaaaa\n", "at least 8 different characters"),
    ("acme/job", "acme.job-acme\n" * 2, "at least 16 characters"),
    ("acme/job", "the name is acme.job\n", "little beside the login's own name"),
    ("acme/job", "pässword-pässword-pässword\n", "printable ASCII"),
    ("acme/cert", "long enough to pass\n", "does not log in by password"),
    ("acme/jbo", "long enough to pass\n", "did you mean job?"),
])
def test_password_refusals(gateway, agent, text, reason):
    code, output, errors = gateway.cli("agent", "passwd", agent, text=text, check=False)
    assert (code, output) == (1, "")
    assert reason in errors


def test_a_relative_path_of_the_configuration_finds_the_gateway(gateway):
    done = subprocess.run([gateway.program, "sessions", "--json", "-c", gateway.config.name], cwd=gateway.folder,
                          capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")

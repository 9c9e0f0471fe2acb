"""A gateway process with a policy, certificates and an upstream role of its own."""
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import time

import psycopg
import psycopg2
import yaml
from psycopg.rows import dict_row

from harness import pki, places

START_SECONDS = float(os.environ.get("COFFERDAM_START_SECONDS", "20"))
NUMBERS = itertools.count(1)
ALARMS = re.compile(r"ERROR: AddressSanitizer|runtime error:|WARNING: ThreadSanitizer|event=check_failed"
                    r"|LeakSanitizer")


class Gateway:
    """One `cofferdam gateway`. make_gateway in conftest.py builds it; close() stops and judges it.

    policy: YAML text. database: one of the cluster's. config: changes to cofferdam.yaml, merged.
    contact=True: a contact role beside the gateway's own, with the rights that grants prints.
    Agents with a certificate get one from the test's authority; agents with scram get the password
    "pw-<login>" and a verifier file.
    """

    def __init__(self, cluster, authority, policy, database, config=None, start=True,
                 contact=False):
        self.cluster, self.authority, self.database = cluster, authority, database
        self.user = places.servant("nobody")
        self.folder = places.make_folder("gw")
        self.state_dir = self.folder / "state"
        self.ledger_dir = self.state_dir / "ledger"
        self.run_dir = self.folder / "run"
        self.log = self.folder / "log"
        self.config = self.folder / "cofferdam.yaml"
        self.program = self.folder / "cofferdam"
        number = next(NUMBERS)
        self.role = f"cofferdam_service_{number}"
        self.contact_role = f"cofferdam_contact_{number}" if contact else None
        self.port, self.process, self.agents, self.expect_alarm = 0, None, {}, False
        self.environment = None  # of the process; None: this one's
        shutil.copy(places.binary(), self.program)
        for folder in (self.folder, self.state_dir, self.run_dir):
            folder.mkdir(exist_ok=True)
            places.own(folder, self.user)
        cluster.create_role(self.role, "upstream-pw")
        self._write_secret("upstream.password", "upstream-pw")
        certificate, key = authority.server()
        self._write_secret("server.key", key.read_text())
        shutil.copy(certificate, self.folder / "server.crt")
        shutil.copy(authority.certificate, self.folder / "ca.crt")
        self.settings = self._merge({
            "policy": "policy.yaml",
            "state_folder": "state",
            "run_folder": "run",
            "listen": {"address": "127.0.0.1", "port": 0, "certificate": "server.crt",
                       "key": "server.key", "client_ca": "ca.crt"},
            "admin": {"port": 5432},
            "upstream": {"host": str(cluster.folder), "port": cluster.port, "database": database,
                         "user": self.role, "password_file": "upstream.password"},
            "ledger": {"segment_bytes": 4 * 1024 * 1024},
            "data_folder": str(places.ROOT / "share"),
            "workers": 2,
        }, config or {})
        if contact:
            cluster.create_role(self.contact_role, "contact-pw")
            self._write_secret("contact.password", "contact-pw")
            self.settings["contact"] = {"user": self.contact_role, "password_file": "contact.password"}
        self.write_policy(policy)
        self.write_config()
        if start:
            self.grant()
            self.start()

    # ---- files ----

    @staticmethod
    def _merge(base, changes):
        for key, value in changes.items():
            base[key] = Gateway._merge(base.get(key, {}), value) if isinstance(value, dict) else value
        return base

    def _write_secret(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        places.own(path, self.user)
        places.own(path.parent, self.user)

    def write_config(self):
        self.config.write_text(yaml.dump(self.settings, Dumper=yaml.CSafeDumper, sort_keys=False))

    def write_policy(self, policy):
        """Writes the policy and what its agents need to log in. It takes a reload to take effect."""
        (self.folder / "policy.yaml").write_text(policy)
        self.agents = {}
        for name, partner in (yaml.load(policy, Loader=yaml.CSafeLoader).get("partners") or {}).items():
            for agent in partner.get("agents", []):
                login, identity = f"{name}.{agent['name']}", agent.get("identity", {})
                self.agents[login] = identity
                if "scram" in identity:
                    self._write_secret(identity["scram"], pki.scram_verifier(f"pw-{login}") + "\n")

    # ---- life ----

    def grant(self):
        """Gives the roles what `cofferdam grants` prints, as an administrator would."""
        self.cluster.script(self.database, self.cli("grants"))
        if self.contact_role:
            self.cluster.script(self.database, self.cli("grants", "--contact"))

    def start(self):
        position = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            self.process = places.popen_as(self.user, [self.program, "gateway", "-c", self.config],
                                           stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment)
        deadline = time.monotonic() + START_SECONDS
        while True:
            with open(self.log, "rb") as log:
                log.seek(position)
                found = re.search(rb"event=listening\b[^\n]*\bport=(\d+)[^\n]*\n", log.read())
            if found:
                break
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the gateway did not start:\n{self.log_text()}")
            time.sleep(0.01)
        self.port = int(found.group(1))
        if self.settings["listen"]["port"] != self.port:
            self.settings["listen"]["port"] = self.port  # kept over restarts
            self.write_config()

    def stop(self, seconds=30):
        """Asks it to end and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=seconds)

    def kill9(self):
        self.process.kill()
        self.process.wait(timeout=30)

    def restart(self):
        if self.process.poll() is None:
            code = self.stop()
            assert code == 0, f"the gateway ended with {code}:\n{self.log_text()}"
        self.start()

    def reload(self, policy=None):
        """SIGHUP semantics through the admin database, so that a refusal is an exception here."""
        if policy:
            self.write_policy(policy)
        return self.admin("RELOAD")

    def close(self):
        """Stops it, removes its files; an alarm in its log or a bad end fails the test."""
        code = None
        if self.process and self.process.poll() is None:
            try:
                code = self.stop()
            except subprocess.TimeoutExpired:
                self.kill9()
                code = "no end within 30 s"
        log = self.log_text()
        places.remove_folder(self.folder)
        assert code in (None, 0), f"the gateway ended with {code}:\n{log[-4000:]}"
        assert self.expect_alarm or not ALARMS.search(log), f"alarm in the gateway's log:\n{log[-8000:]}"

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    # ---- talking to it ----

    def parameters(self, agent, **changes):
        """libpq's parameters for that agent. Pass a parameter as None to leave it out."""
        identity = self.agents.get(agent, {})
        wanted = {"host": "localhost", "hostaddr": "127.0.0.1", "port": self.port, "user": agent,
                  "dbname": self.database, "sslmode": "verify-full",
                  "sslrootcert": self.authority.certificate, "connect_timeout": 20}
        if "certificate" in identity:
            name = identity["certificate"]  # {uri or common_name, issuer} where an authority is named
            name = name.get("uri") or name.get("common_name") if isinstance(name, dict) else name
            wanted["sslcert"], wanted["sslkey"] = self.authority.client(name)
        else:
            wanted["sslcert"] = wanted["sslkey"] = "/nonexistent"
        if "scram" in identity:
            wanted["password"] = f"pw-{agent}"
        wanted.update(changes)
        return {name: str(value) for name, value in wanted.items() if value is not None}

    def url(self, agent, **changes):
        return " ".join(f"{name}='{value}'" for name, value in self.parameters(agent, **changes).items())

    def connect(self, agent, autocommit=True, **changes):
        """psycopg 3. Keywords that libpq does not know go through parameters()."""
        return psycopg.connect(self.url(agent, **changes), autocommit=autocommit)

    def connect2(self, agent, **changes):
        """psycopg2."""
        connection = psycopg2.connect(self.url(agent, **changes))
        connection.autocommit = True
        return connection

    def rows(self, agent, sql, parameters=None, **changes):
        with self.connect(agent, **changes) as connection:
            return connection.execute(sql, parameters).fetchall()

    def psql(self, agent, *sql, flags=("-At",), timeout=120, **changes):
        """The real psql, a -c for each statement; stderr is verbose, so that it has SQLSTATEs."""
        command = ["psql", "-X", "-v", "VERBOSITY=verbose", *flags, "-d", self.url(agent, **changes)]
        for statement in sql:
            command += ["-c", statement]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL)

    def refused(self, agent, sql, parameters=None):
        """(SQLSTATE, message, hint) of a statement that must fail; the session must survive it."""
        with self.connect(agent) as connection:
            try:
                rows = connection.execute(sql, parameters).fetchmany(3)
            except psycopg.Error as error:
                told = (error.sqlstate, error.diag.message_primary, error.diag.message_hint)
            else:
                raise AssertionError(f"not refused: {sql!r} gave {rows}")
            assert connection.execute("SELECT 1").fetchone() == (1,), "the session did not survive"
            return told

    def backends(self, state=None):
        """Process ids of the upstream connections, of those in that state."""
        condition = f" AND state = '{state}'" if state else ""
        return [pid for (pid,) in self.cluster.rows(
            f"SELECT pid FROM pg_stat_activity WHERE usename = '{self.role}'{condition}")]

    def until_backends(self, count, state=None, seconds=5):
        """Waits until there are so many; fails the test after that time."""
        deadline = time.monotonic() + seconds
        while len(self.backends(state)) != count:
            assert time.monotonic() < deadline, (
                f"{len(self.backends(state))} {state or ''} backends after {seconds} s, not {count}")
            time.sleep(0.01)

    def until_sessions(self, count, seconds=5):
        deadline = time.monotonic() + seconds
        while len(self.admin("SHOW SESSIONS")) != count:
            assert time.monotonic() < deadline, self.admin("SHOW SESSIONS")
            time.sleep(0.05)

    def until_executing(self):
        """Waits until a statement of ours runs upstream; a moment later it can be cancelled."""
        self.until_backends(1, "active")
        time.sleep(0.2)

    def admin(self, sql):
        """Rows of the admin database, as dicts; [] where the statement has none."""
        url = f"host={self.run_dir} port={self.settings['admin']['port']} dbname=cofferdam"
        with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def cli(self, *arguments, check=True, text=None, user=None):
        """Runs `cofferdam VERB … -c FILE` and returns what it prints; json=… by cli_json."""
        command = [self.program, *arguments, "-c", self.config]
        options = {"stdin": subprocess.PIPE if text is not None else subprocess.DEVNULL,
                   "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = places.popen_as(user or self.user, command, **options)
        output, errors = process.communicate(text, timeout=60)
        if check and process.returncode != 0:
            raise RuntimeError(f"cofferdam {' '.join(map(str, arguments))} ended with "
                               f"{process.returncode}: {errors}{output}")
        return output if check else (process.returncode, output, errors)

    def cli_json(self, *arguments):
        return json.loads(self.cli(*arguments, "--json"))

    def ledger(self, count=1000):
        """The last entries of the ledger, as `ledger tail --json` has them: a list of dicts."""
        output = self.cli("ledger", "tail", "-n", str(count), "--json").strip()
        if output.startswith("["):
            return json.loads(output)
        return [json.loads(line) for line in output.splitlines()]

"""A PostgreSQL of our own: never the system's. Unix socket and a free port on loopback."""
import collections
import itertools
import signal
import subprocess
import time

import psycopg

from harness import places

SETTINGS = """
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
shared_buffers = 128MB
max_connections = 200
jit = off
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
password_encryption = 'scram-sha-256'
"""
HBA = """
local all postgres trust
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


class Cluster:
    """A running server. Administrators come in over the socket as postgres, all others by SCRAM."""

    def __init__(self):
        self.user = places.servant("postgres")
        self.folder = places.make_folder("pg")
        self.port = places.free_port()
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.numbers = itertools.count(1)
        self.wanted, self.models = collections.Counter(), {}  # by script: how often, a database to copy
        places.own(self.folder, self.user)
        places.run_as(self.user, [places.POSTGRES_BIN / "initdb", "-D", self.data, "-U", "postgres", "-N",
                                  "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(f"{SETTINGS}port = {self.port}\nunix_socket_directories = '{self.folder}'\n")
        (self.data / "pg_hba.conf").write_text(HBA)
        self.process = None
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = places.popen_as(self.user, [places.POSTGRES_BIN / "postgres", "-D", self.data],
                                           stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start: {error}\n{self.log.read_text()}")
                time.sleep(0.05)

    def stop(self, immediate=False):
        """Ends our own server, by its process id."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
            self.process.wait(timeout=60)

    def close(self):
        self.stop(immediate=True)
        places.remove_folder(self.folder)

    def url(self, database="postgres", user="postgres"):
        return f"host={self.folder} port={self.port} dbname={database} user={user}"

    def connect(self, database="postgres", **options):
        """As the administrator, past the gateway: what the data really is."""
        return psycopg.connect(self.url(database), autocommit=True, **options)

    def rows(self, sql, database="postgres"):
        with self.connect(database) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def script(self, database, sql=None, path=None, **variables):
        """Runs a script with psql, from a text or a file."""
        command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url(database)]
        for name, value in variables.items():
            command += ["-v", f"{name}={value}"]
        done = subprocess.run(command + (["-f", str(path)] if path else []), input=sql, text=True,
                              capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"psql ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def create_database(self, name=None, sql=None, template="template0"):
        """A new database, filled by a script. Returns its name. What is asked for again is copied."""
        name = name or f"test_{next(self.numbers)}"
        if sql and template == "template0":
            self.wanted[sql] += 1
            template, sql = self._model(sql) if self.wanted[sql] > 1 else (template, sql)
        self.rows(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')  # a third cheaper than wal_log
        if sql:
            self.script(name, sql)
        return name

    def _model(self, sql):
        """(a database that the script has filled and to which nobody connects, what is left to run there: nothing)"""
        if sql not in self.models:
            name = f"model_{next(self.numbers)}"
            self.rows(f'CREATE DATABASE "{name}" TEMPLATE template0 STRATEGY file_copy')
            self.script(name, sql)
            self.rows(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            self.models[sql] = name
        return self.models[sql], None

    def create_role(self, name, password):
        self.rows(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{password}'")


def meridian(cluster, scale):
    """Loads the demo's database at that scale and returns its name."""
    name = cluster.create_database("meridian_" + str(scale).replace(".", "_"))
    cluster.script(name, path=places.ROOT / "examples/meridian/load.sql", scale=scale)
    return name

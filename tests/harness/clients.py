"""Partners' clients that are not Python: node-postgres, JDBC, pgbench."""
import json
import os
import pathlib
import subprocess

from harness import places

JDBC = pathlib.Path("/usr/share/java/postgresql.jar")
JAVA_FOLDER = places.ROOT / "tests/integration/java"


def run(command, timeout=120, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stderr}{done.stdout}")
    return done.stdout


def node(gateway, agent, script):
    """Runs a script of node's. It finds `config` for `new pg.Client(config)` and prints JSON."""
    parameters = gateway.parameters(agent)
    config = {"host": "localhost", "port": gateway.port, "user": agent, "database": gateway.database,
              "password": parameters.get("password"),
              "ssl": {"ca": pathlib.Path(parameters["sslrootcert"]).read_text()}}
    if parameters["sslcert"] != "/nonexistent":
        config["ssl"]["cert"] = pathlib.Path(parameters["sslcert"]).read_text()
        config["ssl"]["key"] = pathlib.Path(parameters["sslkey"]).read_text()
    program = ("const pg = require('pg');\nrequire('net').setDefaultAutoSelectFamily?.(true);\n"
               f"const config = {json.dumps(config)};\n"
               f"(async () => {{\n{script}\n}})().catch(e => {{ console.error(e); process.exit(1); }});\n")
    environment = dict(os.environ, NODE_PATH=str(places.ROOT / "node_modules"))
    return json.loads(run(["node", "-e", program], env=environment))


def jdbc(gateway, agent, program, *arguments):
    """Runs tests/integration/java/<program>.java with the connection's URL first."""
    parameters = gateway.parameters(agent)
    url = (f"jdbc:postgresql://localhost:{gateway.port}/{gateway.database}?user={agent}"
           f"&sslmode=verify-full&sslrootcert={parameters['sslrootcert']}")
    if "password" in parameters:
        url += f"&password={parameters['password']}"
    if parameters["sslcert"] != "/nonexistent":
        identity = gateway.agents[agent]["certificate"]
        url += f"&sslkey={gateway.authority.pkcs12(identity)}&sslpassword=secret"
    return run(["java", "-cp", JDBC, JAVA_FOLDER / f"{program}.java", url, *arguments])


def pgbench(gateway, agent, script, *flags):
    """pgbench with a script of ours; returns its report."""
    path = gateway.folder / "pgbench.sql"
    path.write_text(script)
    return run([places.POSTGRES_BIN / "pgbench", "-n", "-f", path, *flags, gateway.url(agent)])

"""Random statements by sqlsmith (a Debian package), made for views that look like a partner's datasets.

It reads a catalogue at its start, so it works on a scratch database, whose catalogue is cut down to the
functions and operators that the gateway allows: most of what it makes then passes the gateway's allow-list.
"""
import re
import shutil
import subprocess

from harness import differential, places

STRANGE = re.compile(r'(?<=null as )(name|oid|"char")(?=\))')  # what its own look-ups need stays in the catalogue
# sqlsmith leaves out functions with names like ri_fkey_… and operators without a result, and asks for its
# catalogue with some of both. What the server refers to by number goes on under another name.
PRUNE = """
SET allow_system_table_mods TO on;
CREATE TABLE pg_temp.kept (name text);
INSERT INTO pg_temp.kept VALUES {kept};
CREATE TABLE pg_temp.kinds AS SELECT oid FROM pg_type WHERE typname IN ('bool', 'int2', 'int4', 'int8', 'numeric', 'float8', 'text', 'varchar',
  'bpchar', 'date', 'timestamp', 'timestamptz', 'time', 'interval', 'jsonb', 'any');
UPDATE pg_proc SET proname = ('ri_fkey_' || oid)::name WHERE proname NOT IN ('quote_ident', 'format', 'unnest', 'version')
  AND NOT (proname IN (SELECT name FROM pg_temp.kept) AND (proargtypes::oid[] || prorettype) <@ ARRAY(SELECT oid FROM pg_temp.kinds));
UPDATE pg_operator SET oprresult = 0 WHERE NOT oprleft IN ('oid'::regtype, 'name'::regtype, '"char"'::regtype)
  AND NOT (oprname IN (SELECT name FROM pg_temp.kept) AND ARRAY[oprleft, oprright] <@ ARRAY(SELECT oid FROM pg_temp.kinds));
"""


def allowed_names():
    """Functions and operators on the gateway's allow-lists; none if the program that lists them was not built."""
    program = places.binary().parent / "tests/unit/sql/list_allow"
    if not program.is_file():
        return []
    lines = subprocess.run([program], text=True, capture_output=True, check=True).stdout.splitlines()
    return sorted({line.split("\t")[1] for line in lines if line.split("\t")[0] in ("function", "operator")})


class Smith:
    """statements() is endless; a batch is one run of sqlsmith with a seed of its own."""

    def __init__(self, cluster, views, seed, batch=400):
        if not shutil.which("sqlsmith"):
            raise RuntimeError("sqlsmith is missing: tools/install test")
        self.cluster, self.seed, self.batch = cluster, seed % (1 << 30), batch
        self.database = cluster.create_database(sql=views)
        names = allowed_names()
        if names:
            literal = ", ".join("('" + name.replace("'", "''") + "')" for name in names)
            cluster.script(self.database, PRUNE.replace("{kept}", literal))

    def make(self):
        self.seed += 1
        done = subprocess.run(["sqlsmith", f"--target={self.cluster.url(self.database)}", "--dry-run", "--exclude-catalog",
                               f"--seed={self.seed}", f"--max-queries={self.batch}"], text=True, capture_output=True, timeout=120)
        text = done.stdout.split("Generating indexes...done.\n")[-1]
        made = [STRANGE.sub("text", statement) for statement in differential.split(text)]
        if not made:
            raise RuntimeError(f"sqlsmith made nothing: {done.stdout[-500:]}{done.stderr[-500:]}")
        return made

    def statements(self):
        while True:
            yield from self.make()

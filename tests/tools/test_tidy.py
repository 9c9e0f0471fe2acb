"""tools/tidy finds a violation of each of its rules, names its file and line, and passes a clean tree."""
import json
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOOD_HEADER = "/* Purpose. */\n#ifndef A_H\n#define A_H\n\n#include <stddef.h>\n\nsize_t one(void);\n\n#endif\n"
GOOD_SOURCE = "/* Purpose. */\n#include \"crypto/crypto.h\"\n\nsize_t one(void)\n{\n    return 1;\n}\n"

ATTACKS = "| attack | what happens | test |\n|---|---|---|\n"


def tidy(tree, *only):
    command = [str(ROOT / "tools/tidy"), "--root", str(tree), "--build", str(tree / "build")]
    for name in only:
        command += ["--only", name]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def tree(tmp_path):
    """A small repository without a fault."""
    write(tmp_path, "src/crypto/crypto.h", GOOD_HEADER)
    write(tmp_path, "src/crypto/crypto.c", GOOD_SOURCE)
    write(tmp_path, ".clang-format", (ROOT / ".clang-format").read_text())
    write(tmp_path, "build/compile_commands.json", json.dumps([{
        "directory": str(tmp_path / "build"), "file": "../src/crypto/crypto.c",
        "command": f"cc -I../src -std=gnu17 -Wall -o x.o -c ../src/crypto/crypto.c"}]))
    return tmp_path


def write(tree, path, text):
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text(text)


def test_a_clean_tree_passes(tree):
    done = tidy(tree)
    assert (done.returncode, done.stdout) == (0, "tidy: 14 checks hold, 0 do not\n"), done.stderr


@pytest.mark.parametrize("rule, path, text, told", [
    ("layers", "src/crypto/a.c", '/* P. */\n#include "wire/wire.h"\n', "src/crypto/a.c:2: crypto/ includes"),
    ("layers", "src/stray/a.c", "/* P. */\n", "module stray is not in the layer table"),
    ("layers", "src/crypto/inner/a.c", "/* P. */\n", "folder inner of crypto/ is not in the table"),
    ("layers", "src/sql/allow/a.c", '/* P. */\n#include "sql/tree/parse.h"\n', "src/sql/allow/a.c:2: sql/allow/ may not include"),
    ("layers", "src/sql/tree/a.c", '/* P. */\n#include "wire/wire.h"\n#include "ledger/ledger.h"\n', "src/sql/tree/a.c:3: sql/ includes"),
    ("paths", "src/crypto/a.c", '/* P. */\n#include "crypto.h"\n', '"crypto.h" is not written from src/'),
    ("paths", "src/crypto/a.c", '/* P. */\n#include "crypto/gone.h"\n', "there is no src/crypto/gone.h"),
    ("private", "src/wire/a.c", '/* P. */\n#include "crypto/inner.h"\n', '"crypto/inner.h" is private to crypto/'),
    ("private", "tests/unit/wire/test_a.c", '#include "crypto/inner.h"\n', "is private to crypto/"),
    ("private", "src/gateway/a.c", '/* P. */\n#include "sql/tree/parse.h"\n', '"sql/tree/parse.h" is private to sql/'),
    ("libraries", "src/wire/a.c", "/* P. */\n#include <openssl/evp.h>\n", "src/wire/a.c:2: <openssl/evp.h> belongs"),
    ("headers", "src/crypto/a.h", "/* P. */\nsize_t lonely(void);\n", "src/crypto/a.h:1: does not compile alone"),
    ("sizes", "src/crypto/a.c", "/* P. */\n" + "\n" * 800, "801 lines"),
    ("sizes", "src/crypto/a.c", "/* P. */\nint long_one(int x)\n{\n" + "    x++;\n" * 71 + "}\n",
     "src/crypto/a.c:3: long_one() has 71 lines"),
    ("openings", "src/crypto/a.c", "int a;\n", "src/crypto/a.c:1: does not open with a comment"),
    ("openings", "src/crypto/a.c", "/*" + "\n * x" * 12 + " */\n", "has 13 lines"),
    ("banned", "src/crypto/a.c", "/* P. */\nint a(char *b)\n{\n    return sprintf(b, \"x\");\n}\n",
     "src/crypto/a.c:4: sprintf() is banned"),
    ("unfinished", "src/crypto/a.c", "/* P. TO" "DO: more */\n", "src/crypto/a.c:1: TO" "DO"),
    ("mirror", "tests/unit/crypto/test_nothing.c", "int a;\n", "there is no src/crypto/nothing.c"),
    ("mirror", "tests/unit/sql/test_parse.c", "int a;\n", "there is no src/sql/parse.c"),
    ("mirror", "tests/unit/sql/tree/test_nothing.c", "int a;\n", "there is no src/sql/tree/nothing.c"),
    ("manual", "man/a.1", ".Dd nonsense\n.Sh NAME\n", "a.1:"),
    ("documents", "docs/a.md", "See `src/crypto/gone.c`.\n", "docs/a.md:1: there is no src/crypto/gone.c"),
    ("documents", "README.md", "See [this](docs/gone.md).\n", "README.md:1: there is no docs/gone.md"),
    ("attacks", "docs/SECURITY.md", ATTACKS + "| a | b | `test_gone.py` |\n", "docs/SECURITY.md:3: there is no test_gone.py"),
    ("attacks", "docs/SECURITY.md", ATTACKS + "| a | b | `test_a.py`, `test_gone` |\n", "test_a.py has no test_gone()"),
    ("attacks", "docs/SECURITY.md", ATTACKS + "| a | b | `test_a.py::test_gone` |\n", "test_a.py has no test_gone()"),
    ("attacks", "docs/SECURITY.md", ATTACKS + "| a | b | `tests/run gone` |\n", "there is no tests/run gone"),
    ("attacks", "docs/SECURITY.md", ATTACKS + "| a | b | by hand |\n", "the attack has no test"),
    ("format", "src/crypto/a.c", "/* P. */\nint a( void );\n", "src/crypto/a.c:2: not formatted"),
])
def test_a_violation_is_found(tree, rule, path, text, told):
    write(tree, path, text)
    write(tree, "tests/integration/test_a.py", "def test_one():\n    pass\n")
    done = tidy(tree, rule)
    assert done.returncode == 1, done.stdout
    assert told in done.stdout
    assert f"[{rule}]" in done.stdout


@pytest.mark.parametrize("rule, path, text", [
    ("banned", "src/crypto/a.c", "/* sprintf(x) */\nconst char *a = \"strcpy(b)\";\nint b = x.rand(1);\n"),
    ("private", "tests/unit/crypto/test_crypto.c", '#include "crypto/inner.h"\n'),
    ("private", "tests/unit/crypto/deep/test_a.c", '#include "crypto/inner.h"\n'),
    ("layers", "src/sql/allow/a.c", '/* P. */\n#include "sql/allow/allow.h"\n#include "sql/plan.h"\n'),
    ("layers", "src/sql/a.c", '/* P. */\n#include "sql/allow/allow.h"\n'),
    ("sizes", "src/crypto/a.c", "/* P. */\nint just_right(int x)\n{\n" + "    x++;\n" * 70 + "}\n"),
])
def test_what_is_allowed_passes(tree, rule, path, text):
    write(tree, path, text)
    done = tidy(tree, rule)
    assert (done.returncode, done.stdout) == (0, "tidy: 1 checks hold, 0 do not\n")


def test_every_rule_has_a_planted_violation():
    listed = subprocess.run([str(ROOT / "tools/tidy"), "--list"], capture_output=True, text=True).stdout
    rules = {line.split()[0] for line in listed.splitlines()}
    marks = test_a_violation_is_found.pytestmark
    planted = {case[0] for mark in marks for case in mark.args[1]}
    assert rules - planted == set()

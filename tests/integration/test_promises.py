"""The long checks of the promise hold in a short run, and each of them can fail."""
import collections
import importlib.util
import os
import re
import subprocess
import sys

import pytest

from harness import hostile_ways, oracle_ways, places


def load(name):
    """A program of tests/long as a module."""
    spec = importlib.util.spec_from_file_location(f"long_{name}", places.ROOT / f"tests/long/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name, *options):
    """The numbers of the RESULT line of `tests/run name`, which must have ended well."""
    environment = dict(os.environ, PYTHONPATH=str(places.ROOT / "tests"))
    done = subprocess.run([sys.executable, places.ROOT / f"tests/long/{name}.py", *map(str, options)], capture_output=True, text=True, timeout=300, env=environment)
    lines = done.stdout.strip().splitlines()
    assert done.returncode == 0 and lines and lines[-1].startswith("RESULT "), done.stdout[-4000:] + done.stderr[-4000:]
    return {key: float(value) for key, value in (pair.split("=", 1) for pair in lines[-1].split()[1:])}


def test_everybody_whom_a_result_depends_on_is_recorded():
    result = run("oracle", "--cases", 2000, "--seed", 20260801)
    assert (result["missed"], result["columns_missed"], result["different"]) == (0, 0, 0), result
    assert result["valid"] > 1800 and result["accepted"] > 300 and result["columns_seen"] > 100, result


def test_no_hidden_value_leaves():
    result = run("leak", "--cases", 400, "--seed", 20260802)
    assert (result["leaks"], result["crashes"]) == (0, 0), result
    assert result["answered"] == result["statements"] == 400 and result["with_rows"] > 20, result


def test_what_clients_received_survives_kill_9():
    result = run("crash", "--cases", 10, "--seed", 20260803)
    assert result["lost"] == 0 and result["points"] >= 10, result


@pytest.fixture(scope="module")
def one_oracle():
    made = load("oracle").Oracle(7)
    made.new_worlds()
    yield made
    made.close()


@pytest.fixture
def oracle(one_oracle, monkeypatch):
    monkeypatch.setattr(one_oracle, "count", collections.Counter())
    monkeypatch.setattr(one_oracle, "recorded", one_oracle.recorded)
    return one_oracle


def judged(oracle, alter, accepted=60):
    """The oracle's counts over some statements, where what is recorded is altered first."""
    recorded = oracle.recorded
    oracle.recorded = lambda: alter(recorded())
    while oracle.count["accepted"] < accepted:
        oracle.case()
    return oracle.count


def nothing(told):
    return {}


def test_a_subject_is_taken_out_of_the_views_by_a_setting(oracle):
    for world in oracle.worlds[:4]:
        for kind, key in world.subjects():
            for table in world.tables.values():
                wanted = sum((kind, key) not in world.about(table, row) for row in table.rows)
                ((left,),) = oracle.ask(f"SET oracle.gone = '{kind}:{key}'; SELECT count(*) FROM alive_{world.schema}.{table.name}")
                assert left == wanted, (table, kind, key)
    oracle.ask("SET oracle.gone = ''")


def test_the_oracle_misses_a_subject_that_is_not_recorded(oracle, capsys):
    def drop_one(told):
        for pair in sorted(told)[:1]:
            del told[pair]
        return told
    count = judged(oracle, drop_one)
    assert count["missed"] > 10 and "MISSED" in capsys.readouterr().out, count


@pytest.mark.parametrize("way", [way for way in oracle_ways.ALL.values() if way not in oracle_ways.WRITING], ids=lambda way: way.__name__)
def test_the_oracle_misses_whom_a_way_does_not_record(oracle, monkeypatch, way, capsys):
    able = (*oracle_ways.BINDING, oracle_ways.bound)
    monkeypatch.setattr(oracle, "pick_way", lambda partner, statement: oracle_ways.bound if statement.values and way not in able else way)
    monkeypatch.setattr(oracle, "some_write", oracle.new_case)
    assert judged(oracle, lambda told: told, 25)["missed"] == oracle.count["different"] == 0, capsys.readouterr().out
    count = judged(oracle, nothing, 50)
    assert count["missed"] > 10 and f"way={way.__name__}" in capsys.readouterr().out, count


@pytest.mark.parametrize("way", oracle_ways.WRITING, ids=lambda way: way.__name__)
def test_the_oracle_misses_whom_a_write_changes(oracle, monkeypatch, way, capsys):
    def unchanged(told):
        return {pair: (grades - {"changed"}, columns) for pair, (grades, columns) in told.items()}
    monkeypatch.setattr(oracle, "pick_way", lambda partner, statement: way)
    monkeypatch.setattr(oracle, "new_case", oracle.some_write)
    assert judged(oracle, lambda told: told, 25)["missed"] == oracle.count["different"] == 0, capsys.readouterr().out
    assert oracle.count["writes"] >= 20 and oracle.count["changed"] > 5, oracle.count
    count = judged(oracle, unchanged, 50)
    assert count["missed"] > 5 and f"way={way.__name__}" in capsys.readouterr().out, count


def test_the_oracle_misses_a_column_that_is_not_recorded(oracle, capsys):
    def forget_columns(told):
        return {pair: (grades, {c for c in columns if c.split(".")[1] not in ("name", "town", "size", "born", "price", "flag")})
                for pair, (grades, columns) in told.items()}
    count = judged(oracle, forget_columns)
    assert count["missed"] == 0 and count["columns_missed"] > 0 and "COLUMN" in capsys.readouterr().out, count


def test_the_oracle_sees_a_result_that_differs(oracle, capsys):
    for world in oracle.worlds:
        for partner, grants in world.partners.items():
            for table in grants:
                oracle.ask(f"ALTER VIEW {partner}.{table} RENAME TO whole_{table}; CREATE VIEW {partner}.{table} AS TABLE {partner}.whole_{table} OFFSET 1")
    assert judged(oracle, lambda told: told)["different"] > 0 and "DIFFERENT" in capsys.readouterr().out


@pytest.fixture(scope="module")
def careless():
    """The leak test's machinery before a policy that grants everything in clear, hidden rows too."""
    leak = load("leak")
    columns = "person_id name phone email secret born salary town".split()
    clear = ", ".join(f"{column}: {{form: clear, justification: test}}" for column in columns)
    strict = "columns: {person_id: token, name: clear, phone: last4, email: domain, born: year, town: clear}"
    assert strict in leak.POLICY and "CASE WHEN open" in leak.POLICY
    leak.POLICY = re.sub('rows: "CASE WHEN open .*"', 'rows: "person_id > 0"', leak.POLICY.replace(strict, f"columns: {{{clear}}}"))
    check = leak.Leak(1)
    yield check
    check.close()


@pytest.mark.parametrize("column", ["person_id", "name", "phone", "email", "secret", "born", "salary", "town"])
def test_the_leak_test_sees_what_was_granted_by_mistake(careless, column, capsys):
    leaks = {}
    for how in hostile_ways.WAYS:
        careless.pick_way = lambda source, sql, how=how: how
        before = careless.count["leaks"]
        for _ in range(12):  # a way may pass over rows, or choose a format, at random
            if careless.count["leaks"] == before:
                careless.run("hostile", f"SELECT {column} FROM person ORDER BY person_id")
        leaks[how] = careless.count["leaks"] - before
    wanted = set(leaks) - ({"binary", "fetched"} if column in ("born", "salary") else set())  # their binary form has no such digits
    assert {how for how, seen in leaks.items() if seen} == wanted and "LEAK" in capsys.readouterr().out, leaks

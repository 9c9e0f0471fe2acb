"""./check's last line adds up unit tests (also under sanitizers), tidiness and integration tests; what did not run has
failed."""
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = '{"name": "a", "result": "OK"}\n{"name": "b", "result": "OK"}\n'
TIDY = '{"passed": 3, "failed": 0}'
SUITE = '<testsuites><testsuite tests="5" failures="%d" errors="%d" skipped="%d"/></testsuites>'


def sum_results(folder, unit=UNIT, address=UNIT, thread=UNIT, tidy=TIDY, integration=SUITE % (0, 0, 0)):
    for name, text in (("unit.json", unit), ("address.json", address), ("thread.json", thread), ("tidy.json", tidy),
                       ("integration.xml", integration)):
        if text is not None:
            (folder / name).write_text(text)
    done = subprocess.run([str(ROOT / "tools/sum-results"), str(folder)], capture_output=True, text=True)
    return done.stdout, done.returncode


def test_all_good(tmp_path):
    assert sum_results(tmp_path) == ("14 passed, 0 failed\n", 0)


@pytest.mark.parametrize("changes, line", [
    ({"unit": UNIT + '{"name": "c", "result": "FAIL"}\n'}, "14 passed, 1 failed\n"),
    ({"unit": UNIT + '{"name": "c", "result": "TIMEOUT"}\n'}, "14 passed, 1 failed\n"),
    ({"unit": UNIT + '{"name": "c", "result": "SKIP"}\n'}, "14 passed, 1 failed\n"),
    ({"tidy": '{"passed": 2, "failed": 1}'}, "13 passed, 1 failed\n"),
    ({"integration": SUITE % (1, 1, 1)}, "11 passed, 3 failed\n"),
    ({"address": None}, "12 passed, 1 failed\n"),
    ({"thread": UNIT.replace("OK", "FAIL", 1)}, "13 passed, 1 failed\n"),
    ({"integration": None}, "9 passed, 1 failed\n"),
    ({"unit": None, "address": None, "thread": None, "tidy": None, "integration": None}, "0 passed, 5 failed\n"),
])
def test_each_failure_counts(tmp_path, changes, line):
    assert sum_results(tmp_path, **changes) == (line, 1)

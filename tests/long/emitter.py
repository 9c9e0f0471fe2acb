"""Emitter: random statements of every form; text → tree → text → tree must give the same tree.

    tests/run emitter [--cases N] [--minutes M] [--seed S]

Runs the unit test of the emitter, which compares, with that many trees and that seed; it stops at the
first difference and prints the statement.
    RESULT trees=… different=… rejected=… deep=… per_second=… seed=…
"""
import os
import re
import subprocess
import sys
import time

from harness import longrun, places

PROGRAM = "tests/unit/sql/test_sql_emit"
TOLD = re.compile(r"^trees (\d+) rejected (\d+) deep (\d+)$", re.MULTILINE)


def main():
    options = longrun.options(__doc__, 1_000_000)
    environment = dict(os.environ, COFFERDAM_TEST_SEED=str(max(options.seed, 1)), COFFERDAM_TEST_CASES=str(options.cases))
    begin = time.monotonic()
    done = subprocess.run([places.binary().parent / PROGRAM], env=environment, text=True, capture_output=True,
                          timeout=max(options.deadline - begin, 1))
    seconds = time.monotonic() - begin
    told = TOLD.search(done.stdout)
    trees, rejected, deep = map(int, told.groups()) if told else (0, 0, 0)
    failed = done.returncode != 0 or trees < options.cases
    if failed:
        print(done.stdout + done.stderr, file=sys.stderr)
    print(f"RESULT trees={trees} different={int(failed)} rejected={rejected} deep={deep} "
          f"per_second={trees / seconds:.0f} seed={options.seed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

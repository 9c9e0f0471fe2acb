"""Rewriting: microseconds from a statement's text to its plan, without a database.

    bench/run rewrite [--seconds S] [--queries DIR]

A point look-up by key, a join of three tables, and the 22 TPC-H questions, each planned over and over in one thread
(bench/rewrite_bench.c); medians and 99th percentiles. What is not accepted is named with its refusal.
COFFERDAM_BIN names the program of the build whose bench is run.
    RESULT point_us=… join_us=… q01_us=… q03_us=… q21_us=… accepted=… refused=…
"""
import argparse
import pathlib
import subprocess
import sys

from harness import places

HERE = pathlib.Path(__file__).resolve().parent / "tpch"
OTHERS = {
    "point": "SELECT c_name, c_phone FROM customer WHERE c_custkey = $1",
    "join": "SELECT c_name, o_orderdate, l_quantity, l_extendedprice FROM customer JOIN orders ON o_custkey = c_custkey"
            " JOIN lineitem ON l_orderkey = o_orderkey WHERE c_custkey = $1 AND o_orderdate >= $2 ORDER BY o_orderdate",
}


def texts(folder):
    """{name: text}, the plain ones first."""
    found = dict(OTHERS)
    for path in sorted(pathlib.Path(folder).glob("q??.sql")):
        found[path.stem] = path.read_text().strip().rstrip(";").replace(":fraction", "0.0001")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=12, help="for all statements together")
    parser.add_argument("--queries", default=HERE / "queries", help="a folder with q01.sql to q22.sql")
    options = parser.parse_args()
    program = places.binary().parent / "tests/unit/sql/rewrite_bench"
    if not program.exists():
        sys.exit(f"there is no {program}: build the tests of that build (ninja)")
    folder = places.make_folder("rewrite")
    try:
        paths = []
        for name, text in texts(options.queries).items():
            paths.append(folder / f"{name}.sql")
            paths[-1].write_text(text)
        done = subprocess.run([str(part) for part in (program, HERE / "policy.yaml", options.seconds, *paths)],
                              stdout=subprocess.PIPE, text=True, check=True)
    finally:
        places.remove_folder(folder)
    medians, refused = {}, 0
    print("| statement | median µs | p99 µs |\n|---|---|---|")
    for line in done.stdout.splitlines():
        name, state, rest = line.split(" ", 2)
        if state == "ok":
            median, tail, _ = rest.split()
            medians[name] = median
            print(f"| {name} | {median} | {tail} |")
        else:
            refused += 1
            print(f"| {name} | refused: {rest} | |")
    print("RESULT " + " ".join(f"{name}_us={medians.get(name, '-')}" for name in ("point", "join", "q01", "q03", "q21"))
          + f" accepted={len(medians)} refused={refused}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Fuzz: libFuzzer over every parser of bytes from outside, under AddressSanitizer and UndefinedBehaviorSanitizer.

    tests/run fuzz [--minutes M] [--seed S] [--only WORD]

Each target of tests/fuzz/meson.build gets an equal share of the time and begins with its seeds. Needs clang. What
crashes a target is left in build/fuzz/crashes, to become a seed once it is mended.
    RESULT targets=… executions=… crashes=… seed=…
"""
import os
import re
import subprocess
import sys

from harness import longrun, places

BUILD = places.ROOT / "build/fuzz"


def build():
    """The targets, name -> program."""
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["meson", "setup", BUILD, "-Dfuzz=true", "-Dwerror=false"], check=True, cwd=places.ROOT,
                       env={**os.environ, "CC": "clang"}, stdout=subprocess.DEVNULL)
    names = re.findall(r"^  '([a-z_]+/[a-z_0-9]+)':", (places.ROOT / "tests/fuzz/meson.build").read_text(), re.MULTILINE)
    targets = {name: f"tests/fuzz/fuzz_{name.replace('/', '_')}" for name in names}
    subprocess.run(["ninja", "-C", BUILD, *targets.values()], check=True, stdout=subprocess.DEVNULL)
    return {name: BUILD / path for name, path in targets.items()}


def fuzz(name, program, seconds, seed):
    """(executions, crashed) of one target."""
    module, base = name.split("/")
    seeds = places.ROOT / "tests/fuzz" / module / "seeds" / base
    corpus, crashes = BUILD / "corpus" / name, BUILD / "crashes"
    corpus.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(exist_ok=True)
    done = subprocess.run([program, f"-max_total_time={seconds}", f"-seed={seed}", "-print_final_stats=1", "-timeout=10",
                           f"-artifact_prefix={crashes}/{base}-", corpus, seeds], capture_output=True, text=True, errors="replace")
    count = re.search(r"stat::number_of_executed_units: *(\d+)", done.stderr)
    if done.returncode:
        print(f"CRASH {name}:\n{done.stderr[-3000:]}", flush=True)
    return int(count.group(1)) if count else 0, done.returncode != 0


def main():
    options = longrun.options(__doc__, 0, lambda parser: parser.add_argument("--only", default=""))
    targets = {name: program for name, program in build().items() if options.only in name}
    seconds = max(1, int(options.minutes * 60 / max(1, len(targets))))
    executions = crashes = 0
    for name, program in targets.items():
        count, crashed = fuzz(name, program, seconds, options.seed % (1 << 31))
        print(f"  {name}: {count} executions{', CRASHED' if crashed else ''}", flush=True)
        executions, crashes = executions + count, crashes + crashed
    print(f"RESULT targets={len(targets)} executions={executions} crashes={crashes} seed={options.seed}")
    return 1 if crashes or not executions else 0


if __name__ == "__main__":
    sys.exit(main())

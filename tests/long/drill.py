"""Drill: a breach from beginning to end on the demo's 240,000 people, timed, and its scope held against the truth.

    tests/run drill [--cases N]        N: how many invented people, default 240000

The truth is computed here, from the files that the thief's clients had received. Fails where one person is missed
or named too many, gets two messages or has no outcome; where the scope takes 5 s or more from `incident open`, or the first notice
60 s or more.
    RESULT scope_s=… first_notice_s=… missed=… extra=… messages=… doubled=… unsent=… seconds=… subjects=…
"""
import collections
import csv
import json
import re
import subprocess
import sys
import time

from harness import longrun, places

SCOPE_SECONDS, NOTICE_SECONDS = 5, 60
LEAST = 2400


def first_fields(path):
    with open(path) as file:
        return [line.split("|", 1)[0].strip() for line in file]


def truth(folder):
    """(kind, key) of everybody of whom the thief received something."""
    owners = dict(line.strip().split("|") for line in open(folder / "owners"))
    people = {("customer", key) for name in ("customers", "vehicles") for key in first_fields(folder / "stolen" / name)}
    people |= {("enquirer", key) for key in first_fields(folder / "stolen" / "enquirers")}
    return people | {("customer", owners[mark]) for mark in first_fields(folder / "stolen" / "reminders") if mark in owners}


def named(folder):
    with open(folder / "scope.csv", newline="") as file:
        return {(row["kind"], row["key"]) for row in csv.DictReader(file)}


def messages(folder):
    """How many messages each envelope's person was sent."""
    return collections.Counter(json.loads(line)["envid"] for line in open(folder / "messages.jsonl"))


def outcomes(folder):
    """(kind, key) -> (state, envelope id) of everybody whom the notice is for."""
    with open(folder / "proof.csv", newline="") as file:
        return {(row["kind"], row["key"]): (row["state"], row["envelope_id"]) for row in csv.DictReader(file)}


def unsent(folder):
    """People by name at the thief's who have no outcome, or one without the message that it tells of."""
    proof, sent = outcomes(folder), messages(folder)
    named_there = {("customer", key) for key in first_fields(folder / "stolen" / "customers")}
    named_there |= {("enquirer", key) for key in first_fields(folder / "stolen" / "enquirers")}
    final = {"letter", "public notice", "silent", "erased", "refused", "bounced"}
    bad = {person for person in named_there if person not in proof}
    for person, (state, envelope) in proof.items():
        if not (state in final or (state == "accepted" and envelope in sent)):
            bad.add(person)
    return bad


def run(subjects, folder):
    began = time.monotonic()
    done = subprocess.run([places.binary(), "drill", "--data", places.ROOT / "share", "--subjects", str(subjects), "--out", folder],
                          text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not found:
        print(done.stdout[-6000:], file=sys.stderr)
        sys.exit("the drill failed")
    return done.stdout, dict(word.split("=") for word in found.group(1).split()), time.monotonic() - began


def main():
    given = longrun.options(__doc__, 240000)
    folder = places.make_folder("drill-out")
    try:
        text, told, seconds = run(max(given.cases, LEAST), folder)
        stolen, scope, sent, silent = truth(folder), named(folder), messages(folder), unsent(folder)
    finally:
        places.remove_folder(folder)
    print(text[text.rindex("open: contained"):text.rindex("RESULT")])
    missed, extra = len(stolen - scope), len(scope - stolen)
    doubled = sum(count > 1 for count in sent.values())
    print(f"RESULT scope_s={told['scope_s']} first_notice_s={told['first_notice_s']} missed={missed} extra={extra} "
          f"messages={sum(sent.values())} doubled={doubled} unsent={len(silent)} seconds={seconds:.0f} subjects={given.cases}")
    late = float(told["scope_s"]) >= SCOPE_SECONDS or float(told["first_notice_s"]) >= NOTICE_SECONDS
    sys.exit(1 if missed or extra or doubled or silent or late or not stolen else 0)


if __name__ == "__main__":
    main()

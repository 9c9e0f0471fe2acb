"""`cofferdam drill`: a company that has never been breached practises it, on its own machine, in an invented world."""
import re
import subprocess

import pytest

from harness import places
from long import drill as drills

SUBJECTS = 2400


@pytest.fixture(scope="module")
def drill():
    folder = places.make_folder("drill-out")
    text, told, _ = drills.run(SUBJECTS, folder)
    yield folder, text, told
    places.remove_folder(folder)


def test_the_scope_is_what_the_thief_received(drill):
    folder, _, told = drill
    stolen, scope = drills.truth(folder), drills.named(folder)
    assert len(stolen) > SUBJECTS / 2
    assert stolen == scope
    assert (told["missed"], told["extra"]) == ("0", "0")


def test_nobody_is_written_to_twice(drill):
    sent = drills.messages(drill[0])
    assert sum(sent.values()) > SUBJECTS / 2
    assert {envelope: count for envelope, count in sent.items() if count != 1} == {}


def test_everybody_has_an_outcome(drill):
    assert drills.unsent(drill[0]) == set()


def test_each_step_is_timed(drill):
    steps = re.findall(r"^  (\S.*?) +(\d+\.\d\d) s$", drill[1], re.MULTILINE)
    assert len(steps) >= 9, steps
    assert steps[-1][0] == "all of it"


def test_a_drill_too_small_is_refused():
    done = subprocess.run([places.binary(), "drill", "--subjects", "1"], text=True, capture_output=True)
    assert (done.returncode, "from 2400 to" in done.stderr) == (2, True), done.stderr

"""Each mutant of tests/run mutants changes a text that stands just once in the source as it is now: a stale one would
judge nothing."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/long")]

import mutants  # noqa: E402


def test_no_mutant_is_stale():
    stale = [mutant.name for mutant in mutants.MUTANTS if mutants.is_stale(mutant, ROOT)]
    assert len(mutants.MUTANTS) > 90 and stale == []

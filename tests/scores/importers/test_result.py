"""What an import gives: its faults, filtered and counted."""

from typing import get_args

import pytest

from flasheval.scores.importers.result import Fault, ImportResult, Problem

_ABSENT = {"missing", "absent", "unmeasured prompts"}


def _fault(problem, path="CLIP/a.json"):
    return Fault(path, "clip", "a", problem, f"it is {problem}")


def test_a_fault_reads_as_where_what_and_why():
    fault = Fault("CLIP/a.json", "clip", "sd15/DDIM10/fp", "empty", "the file has no bytes")
    assert str(fault) == "CLIP/a.json: empty: the file has no bytes"


def test_a_result_without_faults(make_table):
    result = ImportResult(make_table(3, 4, ("clip", "fid")))
    assert result.faults == ()
    assert result.bad_files == ()
    assert result.summary() == "3 variants, 4 prompts, metrics clip, fid; faults: none"


def test_faults_are_counted_by_kind_in_the_order_met(make_table):
    faults = tuple(map(_fault, ("not finite", "missing", "not finite", "empty", "missing")))
    result = ImportResult(make_table(12, 40), faults)
    assert result.summary() == (
        "12 variants, 40 prompts, metrics clip; faults: 2 not finite, 2 missing, 1 empty"
    )


@pytest.mark.parametrize("problem", get_args(Problem))
def test_bad_files_are_those_that_are_there(make_table, problem):
    faults = (_fault(problem, "x"), _fault("empty", "y"))
    bad = ImportResult(make_table(2, 2), faults).bad_files
    assert bad == (faults[1:] if problem in _ABSENT else faults)


def test_every_word_for_a_problem_is_explained():
    told = " ".join(Fault.__doc__.split())
    for problem in get_args(Problem):
        assert f"``{problem}``" in told


def test_results_are_compared_by_identity(make_table):
    table = make_table(2, 2)
    assert ImportResult(table) != ImportResult(table)
    assert len({ImportResult(table), ImportResult(table)}) == 2

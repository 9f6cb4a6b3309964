"""Files that are almost right are used or refused in one line: the script, in its small form."""

import sys
from pathlib import Path

import pytest

STRESS = Path(__file__).resolve().parents[3] / "scripts" / "stress"


@pytest.fixture
def fuzz(monkeypatch):
    monkeypatch.syspath_prepend(str(STRESS))
    import fuzz

    yield fuzz
    for name in ("fuzz", "fuzzing", "fuzzing.inputs", "fuzzing.mutating"):
        sys.modules.pop(name, None)


def test_every_kind_of_file_is_used_or_refused_well(fuzz, capsys):
    pytest.importorskip("PIL")
    code = fuzz.main(["280", "5", "--no-limit-memory"])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert said.out.startswith("fuzz: seed 5, 280 inputs: ")
    assert said.out.endswith("0 kinds of fault\n")
    for kind in ("manifest", "evaluation", "population", "prompts", "scores", "run_record"):
        assert f"{kind} used " in said.out
        assert f"{kind} refused " in said.out


def test_what_is_no_error_of_ours_is_a_fault(fuzz):
    def broken(rng):
        raise KeyError(rng.random())

    def two_lines(rng):
        error = fuzz.FlashevalError("a")
        error.args = ("a\nb",)
        raise error

    counts, faults = fuzz.fuzz({"a": broken, "b": two_lines}, 6, seed=0)
    assert counts == {("a", "at fault"): 3, ("b", "refused"): 3}
    assert [fault.partition(",")[0] for fault in faults] == [
        "a: KeyError in broken",
        "b: more than one line",
    ]
    assert faults["b: more than one line"][0] == 1

"""Objects where names of methods may stand: those of flasheval, and of one's own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import flasheval
from flasheval.base.errors import SettingError
from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.auto import Auto
from flasheval.selection.methods.selector import Selection, State


@dataclass(frozen=True)
class Slowly:
    """A method from scratch: a prompt a step, those of greatest spread first."""

    name: ClassVar[str] = "slowly"
    cheap: ClassVar[bool] = True
    together: ClassVar[bool] = False
    borrows: ClassVar[bool] = False
    weight: float = 1.0
    parts: tuple[int, ...] = (1, 2)

    def prepare(self, problem):
        spread = sum(scores.std(axis=0) for scores in problem.scores)
        order = problem.allowed[np.argsort(-spread[problem.allowed], kind="stable")]
        return np.concatenate([problem.required, order[: problem.n_free]])

    def start(self, work, rng):
        return State(rng=rng, arrays={"chosen": work[:1]}, steps=len(work))

    def step(self, work, state):
        state.step += 1
        state.sets += 1
        state.arrays["chosen"] = work[: state.step]

    def best(self, work, state):
        return Selection(np.asarray(state.arrays["chosen"], dtype=np.int64))


QUICK = {"size": 6, "splits": "random:2", "draws": 5, "curve": None, "calibrate": False}


def test_an_object_a_mapping_and_a_name_find_the_same(make_table):
    table = make_table(24, 60)
    named = flasheval.search(table, method="anneal", settings={"swaps": 1000}, **QUICK)
    mapped = flasheval.search(table, method={"name": "anneal", "swaps": 1000}, **QUICK)
    given = flasheval.search(table, method=Anneal(swaps=1000), **QUICK)
    assert named.subset.content_hash == mapped.subset.content_hash == given.subset.content_hash
    assert given.subset.method.name == "anneal"
    assert given.subset.method.settings["swaps"] == 1000


def test_a_method_of_ones_own_is_searched_with_and_named_in_the_manifest(make_table, tmp_path):
    result = flasheval.search(
        make_table(24, 60), method=Slowly(weight=2.0), folder=tmp_path, **QUICK
    )
    assert result.subset.size == 6
    assert result.sets == 6
    assert len(result.measurement.splits) == 2
    loaded = flasheval.Subset.load(result.subset.save(tmp_path / "subset.json"))
    assert loaded.method.name == "slowly"
    assert loaded.method.settings == {"weight": 2, "parts": [1, 2]}


def test_auto_as_an_object_is_told_what_to_expect(make_table):
    table = make_table(24, 60)
    by_name = flasheval.search(table, method="auto", **QUICK)
    by_object = flasheval.search(table, method=Auto(), **QUICK)
    assert by_object.subset.method.settings["expect"] == "similar"
    assert by_object.subset.content_hash == by_name.subset.content_hash


def test_objects_are_compared_beside_names(make_table, tmp_path):
    methods = [Slowly(), Slowly(weight=3.0), Anneal(swaps=500), "pooled", {"name": "ridge"}]
    report = flasheval.validate(
        make_table(24, 60),
        size=6,
        methods=methods,
        splits="random:2",
        draws=5,
        reference=None,
        folder=tmp_path,
    )
    labels = ["random", "slowly", "slowly(weight=3.0)", "anneal(swaps=500)", "pooled", "ridge"]
    assert [one.label for one in report.methods] == labels
    first, second = (report.summary(method=label, size=6) for label in labels[1:3])
    assert first.measures == second.measures
    report.save(tmp_path / "saved")


def test_what_is_no_method_is_one_line(make_table):
    with pytest.raises(SettingError, match="method: an object of type function is none"):
        flasheval.search(make_table(24, 60), method=lambda problem: None, **QUICK)
    with pytest.raises(SettingError, match=r"there is no method 'anneel'; .* mean 'anneal'\?"):
        flasheval.search(make_table(24, 60), method="anneel", **QUICK)

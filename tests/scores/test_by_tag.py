"""Rankings by tag, against SciPy on the prompts of each value."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from flasheval.base.errors import SettingError
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreMatrix, ScoreTable
from flasheval.scores.by_tag import rankings_by_tag, tag_ranking_table


def _table(values, kinds, higher=True):
    ids = tuple(map(str, range(values.shape[1])))
    names = tuple(f"v{row}" for row in range(len(values)))
    matrix = ScoreMatrix("m", values, names, ids, higher_is_better=higher)
    prompts = PromptSet("set", ids, extras={"kind": tuple(kinds)})
    return ScoreTable(prompts, tuple(map(Variant, names)), {"m": matrix})


@pytest.mark.parametrize("higher", [True, False])
def test_tau_and_the_best_variant_of_each_value(higher):
    values = np.random.default_rng(0).normal(size=(7, 40)).astype(np.float32)
    kinds = ["a" if place < 25 else "b" for place in range(40)]
    first, second = rankings_by_tag(_table(values, kinds, higher), "kind")
    assert (first.value, first.prompts, second.prompts) == ("a", 25, 15)
    sign = 1 if higher else -1
    means, part = sign * values.mean(axis=1), sign * values[:, :25].mean(axis=1)
    assert first.tau == pytest.approx(kendalltau(part, means).statistic)
    assert first.best == f"v{np.argmax(part)}"
    assert 0 <= first.near_ties <= 1


def test_values_of_one_prompt_gaps_and_no_variant():
    values = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    values[0, 2] = np.nan
    found = rankings_by_tag(_table(values, ["a", "a", '["a", "b"]', ""]), "kind")
    assert [(one.value, one.prompts) for one in found] == [("a", 3), ("b", 1)]
    assert "v0" not in {one.best for one in found}  # it is not complete
    assert np.isnan(found[1].near_ties)
    values[0, 0] = values[1, 1] = values[2, 3] = np.nan
    nobody = rankings_by_tag(_table(values, "aabb"), "kind")
    assert {one.best for one in nobody} == {""}
    assert tag_ranking_table("kind", nobody).rows[0][-1] == "-"
    with pytest.raises(SettingError, match="by=mood"):
        rankings_by_tag(_table(values, "aabb"), "mood")

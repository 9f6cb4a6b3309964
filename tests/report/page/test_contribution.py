import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr

from flasheval.report.page.contribution import contribution_of, times_chosen
from flasheval.selection.methods.selector import Selection


@pytest.mark.parametrize("weights", [None, np.array([1.0, 0.5, 2.0])])
def test_leaving_out_is_what_it_says(weights):
    rng = np.random.default_rng(1)
    values = (rng.normal(size=(9, 1)) + rng.normal(size=(9, 20))).astype("f4")
    chosen = Selection(np.array([3, 17, 5]), weights)
    found = contribution_of("clip", values, chosen)
    full = values.mean(axis=1, dtype=np.float64)

    def judged(places):
        share = None if weights is None else weights[places]
        means = np.average(values[:, chosen.indices[places]].astype(float), axis=1, weights=share)
        return kendalltau(means, full).statistic, 1 - pearsonr(means, full).statistic ** 2

    tau, rest = judged([0, 1, 2])
    for place in range(3):
        without = judged([other for other in range(3) if other != place])
        assert found.tau[place] == pytest.approx(tau - without[0])
        assert found.unexplained[place] == pytest.approx(without[1] - rest)


def test_nothing_is_left_without_the_only_prompt_and_constants_say_nothing():
    alone = contribution_of("clip", np.eye(3, dtype="f4"), Selection(np.array([1])))
    assert np.isnan(alone.tau).all()
    assert np.isnan(alone.unexplained).all()
    values = np.array([[1, 0, 1], [1, 1, 1], [1, 2, 5]], dtype="f4")
    flat = contribution_of("clip", values, Selection(np.array([0, 1])))
    assert np.isnan(flat.unexplained[1])
    assert not np.isnan(flat.unexplained[0])


def test_other_searches_that_chose_a_prompt_are_counted():
    mine = Selection(np.array([4, 2, 9]))
    others = [Selection(np.array([9, 4])), None, Selection(np.array([1, 4]))]
    counts, searches = times_chosen(mine, others)
    assert (counts.tolist(), searches) == ([2, 0, 1], 2)

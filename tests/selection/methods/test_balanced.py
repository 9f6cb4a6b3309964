import numpy as np

from flasheval.selection.methods.balanced import Balanced
from flasheval.selection.methods.driver import drive


def test_it_stops_at_the_first_pass_that_changes_nothing(a_problem):
    found = drive(Balanced(passes=50), a_problem(), np.random.default_rng(0))
    changed = [row["changed"] for row in found.history]
    assert changed[0] == 6
    assert changed[-1] == 0
    assert all(changed[1:-1])
    assert len(changed) < 51


def test_no_passes_are_the_greedy_set(a_problem):
    found = drive(Balanced(passes=0), a_problem(), np.random.default_rng(0))
    assert [row["changed"] for row in found.history] == [6]
    assert found.sets == 6 * 60


def test_noise_weight_trades_noise_for_error(a_problem):
    problem = a_problem(n_prompts=300, size=20)
    little, much = (
        drive(Balanced(noise_weight=weight), problem, np.random.default_rng(0)).selection
        for weight in (1e-3, 1e3)
    )
    noise = Balanced().prepare(problem).noise[0] / Balanced().prepare(problem).slope[0] ** 2
    assert np.median(noise[much.indices]) < np.median(noise[little.indices])


def test_metrics_count_alike_whatever_their_scale(a_problem):
    problem = a_problem(n_metrics=2)
    scaled = a_problem(n_metrics=2)
    scaled.scores[1][:] *= 1024.0
    found, same = (
        drive(Balanced(), one, np.random.default_rng(0)).selection.indices
        for one in (problem, scaled)
    )
    np.testing.assert_array_equal(found, same)

"""What every method promises, whatever it does inside."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.base.errors import SettingError
from flasheval.base.threads import crew
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.registry import METHODS
from flasheval.selection.methods.selector import Selection, State, require_positive
from flasheval.selection.methods.set_scores import set_scores
from flasheval.selection.methods.smooth_loss import smooth_loss

WARM = ("auto", "frequency", "evolve", "anneal", "balanced", "shared", "pooled", "padded")
SEEDED = ("random", "ridge", "stratified", "anchors", "frequency", "evolve", "anneal", "padded")
FITTED = ("ridge",)  # its weights may be negative


def _find(selector, problem, seed=0):
    return drive(selector, problem, np.random.default_rng(seed)).selection


def _check(selection, problem, method=""):
    """A whole, legal subset: distinct, required first, the rest allowed, sound weights."""
    indices = selection.indices
    assert indices.dtype == np.int64
    assert indices.shape == (problem.size,)
    assert len(set(indices.tolist())) == problem.size
    fixed = len(problem.required)
    np.testing.assert_array_equal(indices[:fixed], problem.required)
    assert np.isin(indices[fixed:], problem.allowed).all()
    if selection.weights is not None:
        assert selection.weights.shape == (problem.size,)
        assert np.isfinite(selection.weights).all()
        assert (selection.weights > 0).all() or method in FITTED
        if method not in ("", "anchors"):
            assert selection.weights.mean() == pytest.approx(1.0, abs=1e-5 * problem.size)


@pytest.mark.parametrize("n_metrics", [1, 3])
@pytest.mark.parametrize("method", METHODS)
def test_a_subset_is_whole_and_legal(a_problem, quick, method, n_metrics):
    problem = a_problem(
        size=9, n_metrics=n_metrics, required=[41, 7], forbidden=list(range(10, 40))
    )
    _check(_find(quick(method), problem), problem, method)


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_legal_problem_has_a_subset(a_problem, quick, method, data):
    n_prompts = data.draw(st.integers(1, 14))
    marks = data.draw(st.lists(st.sampled_from("rfaaaa"), min_size=n_prompts, max_size=n_prompts))
    required = [i for i, mark in enumerate(marks) if mark == "r"]
    forbidden = [i for i, mark in enumerate(marks) if mark == "f"]
    if len(forbidden) == n_prompts:
        forbidden.pop()
    size = data.draw(st.integers(max(1, len(required)), n_prompts - len(forbidden)))
    problem = a_problem(
        n=data.draw(st.integers(2, 9)),
        n_prompts=n_prompts,
        size=size,
        n_metrics=data.draw(st.integers(1, 2)),
        seed=data.draw(st.integers(0, 99)),
        required=required,
        forbidden=forbidden,
    )
    _check(_find(quick(method), problem), problem, method)


@pytest.mark.parametrize("size", [1, 59, 60])
@pytest.mark.parametrize("method", METHODS)
def test_sizes_from_one_to_all_prompts(a_problem, quick, method, size):
    problem = a_problem(size=size)
    _check(_find(quick(method), problem), problem, method)


@pytest.mark.parametrize("method", METHODS)
def test_only_required_prompts_leave_nothing_to_choose(a_problem, quick, method):
    problem = a_problem(size=3, required=[8, 2, 30])
    assert _find(quick(method), problem).indices.tolist() == [8, 2, 30]


@pytest.mark.parametrize("n", [2, 3, 4, 5])
@pytest.mark.parametrize("method", METHODS)
def test_a_handful_of_variants_is_enough_to_run(a_problem, quick, method, n):
    problem = a_problem(n=n, n_metrics=2)
    _check(_find(quick(method), problem), problem, method)


@pytest.mark.parametrize("method", METHODS)
def test_tied_variants_and_constant_prompts(quick, method):
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 4, (9, 30)).astype(np.float32)
    scores[3], scores[5] = scores[1], scores[1][::-1]  # two and three equal full scores
    scores[:, 12:15] = 2.0
    problem = make_problem([scores], ["m"], 5)
    assert len(np.unique(problem.targets()[0])) < 9
    _check(_find(quick(method), problem), problem, method)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_subset(a_problem, quick, method):
    problem = a_problem(n_metrics=2)
    first, second = (_find(quick(method), problem) for _ in range(2))
    np.testing.assert_array_equal(first.indices, second.indices)
    np.testing.assert_array_equal(first.weights, second.weights)


@pytest.mark.parametrize("method", METHODS)
def test_the_number_of_threads_changes_nothing(a_problem, quick, method):
    problem = a_problem(n_metrics=2, n_prompts=200)
    found = []
    for threads in (1, 2, 3):
        with crew(threads):
            found.append(_find(quick(method), problem).indices)
    for other in found:
        np.testing.assert_array_equal(other, found[0])


@pytest.mark.parametrize("method", METHODS)
def test_other_seeds_matter_to_the_methods_that_draw(a_problem, quick, method):
    problem = a_problem(n_prompts=300)
    found = {tuple(_find(quick(method), problem, seed).indices.tolist()) for seed in range(4)}
    assert (len(found) > 1) == (method in SEEDED)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("method", [name for name in METHODS if name != "stratified"])
def test_lower_is_better_finds_the_same_prompts(a_problem, quick, method, seed):
    # Negated scores turn every ranking round, the full one and the subset's, so nothing changes.
    # anneal and evolve add a pair loss up in the opposite order and so agree but for rounding.
    # stratified draws one prompt a stratum of mean score, and the strata come in reverse.
    problem = a_problem(n_metrics=1 + seed % 2, seed=seed)
    negated = make_problem([-block for block in problem.scores], problem.metrics, problem.size)
    there, back = _find(quick(method), problem), _find(quick(method), negated)
    if method == "padded":  # four times anneal's swaps here: the order may differ, not the set
        assert set(there.indices.tolist()) == set(back.indices.tolist())
    else:
        np.testing.assert_array_equal(there.indices, back.indices)


# All but stratified, which chooses by the very means that an offset changes.
@pytest.mark.parametrize("method", [name for name in METHODS if name != "stratified"])
def test_offsets_of_a_prompt_change_nothing(a_problem, quick, method):
    problem = a_problem(n_prompts=40)
    shift = np.random.default_rng(0).integers(-2, 3, 40).astype(np.float32)
    exact = [np.round(block * 64) / 64 for block in problem.scores]
    plain = make_problem(exact, ["m"], 5)
    moved = make_problem([block + shift for block in exact], ["m"], 5)
    # Rounding may change anneal's path and so the order, but not where it ends.
    there, back = _find(quick(method), plain), _find(quick(method), moved)
    assert set(there.indices.tolist()) == set(back.indices.tolist())


def _objective(method, problem, indices):
    """What the method itself lowers."""
    chosen = indices[len(problem.required) :]
    if method == "anneal":
        return smooth_loss(problem, inflation=2.0).of_sets(indices[None])[0]
    tau = set_scores(problem).of_sets(chosen[None].astype(np.int32))[0]
    loss = smooth_loss(problem, inflation=2.0).of_sets(indices[None])[0]
    return -tau if method == "frequency" else (-tau, loss)


@pytest.mark.parametrize("method", ["frequency", "evolve", "anneal"])
@pytest.mark.parametrize("n_metrics", [1, 2])
def test_a_warm_start_is_never_made_worse(a_problem, quick, method, n_metrics):
    good = _find(quick("balanced"), a_problem(n_metrics=n_metrics, required=[2])).indices
    for start in (good, np.array([2, 50, 51, 52, 53, 54])):
        problem = a_problem(n_metrics=n_metrics, required=[2], warm_start=start.tolist())
        little = {"frequency": {"n_sets": 3}, "evolve": {"generations": 2}, "anneal": {"swaps": 50}}
        found = _find(quick(method, **little[method]), problem)
        _check(found, problem)
        assert _objective(method, problem, found.indices) <= _objective(method, problem, start)


@pytest.mark.parametrize("method", METHODS)
def test_a_warm_start_is_used_or_refused(a_problem, quick, method):
    problem = a_problem(size=6, warm_start=[5, 9], required=[4], forbidden=[9])
    if method in WARM:
        _check(_find(quick(method), problem), problem, method)
    else:
        with pytest.raises(SettingError, match=f"method '{method}' chooses from scratch"):
            _find(quick(method), problem)


@pytest.mark.parametrize("method", METHODS)
def test_the_problem_is_left_as_it_was(a_problem, quick, method):
    start = [5, 9] if method in WARM else None
    problem = a_problem(n_metrics=2, required=[3], warm_start=start)
    before = [block.copy() for block in problem.scores]
    for block in problem.scores:
        block.setflags(write=False)
    _find(quick(method), problem)
    for block, copy in zip(problem.scores, before, strict=True):
        np.testing.assert_array_equal(block, copy)
    assert problem.required.tolist() == [3]


def test_first_takes_weights_along():
    selection = Selection(np.array([4, 2, 9]), np.array([1.0, 2.0, 3.0]))
    assert selection.first(2).indices.tolist() == [4, 2]
    assert selection.first(2).weights.tolist() == [1.0, 2.0]
    assert Selection(np.array([4, 2])).first(1).weights is None


def test_weights_are_kept_as_a_manifest_keeps_them():
    weights = Selection(np.arange(3), np.array([1 / 3, 2.0, 1e-9 / 7])).weights
    assert weights.tolist() == [0.333333, 2.0, 1.42857e-10]


def test_a_state_is_done_after_its_last_step():
    state = State(np.random.default_rng(0), steps=2)
    assert not state.done
    state.step = 2
    assert state.done


def test_settings_must_be_above_zero():
    require_positive("anneal", {"swaps": 1, "hot": 0.1})
    for value in (0, -1, float("nan")):
        with pytest.raises(
            SettingError, match=r"method.hot=.* \(anneal\): expected a number above"
        ):
            require_positive("anneal", {"swaps": 1, "hot": value})

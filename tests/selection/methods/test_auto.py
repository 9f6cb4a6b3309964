"""`auto`: chooses a method on variants held out of the search variants themselves."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import SettingError
from flasheval.base.threads import crew
from flasheval.selection.methods import auto
from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.auto import (
    Auto,
    contenders,
    decide,
    explain,
    inner_splits,
    usual_method,
)
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.nested import run_nested
from flasheval.selection.methods.pooled import Pooled
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.random import Random
from flasheval.selection.methods.saved_state import load_state, save_state
from flasheval.selection.methods.selector import OneShot, Selection

FAMILIES = tuple("abcd"[row % 4] for row in range(20))
NAN = float("nan")


@pytest.fixture
def few_splits(monkeypatch):
    """Compare on two inner splits, for tests that search many times."""
    monkeypatch.setattr(auto, "_SPLITS", 2)
    monkeypatch.setattr(auto, "_DRAWS", 3)


@pytest.fixture
def decided(monkeypatch):
    """A function: decided(number) lets every comparison come out so."""
    return lambda number: monkeypatch.setattr(auto, "decide", lambda tau, usual, n: number)


def _problem(a_problem, n=20, **rest):
    hints = Hints(a_problem(n=n, seed=77).scores, FAMILIES[:n])
    return a_problem(n=n, hints=hints, **rest)


def _run(problem, expect=None, seed=0, **rest):
    return drive(Auto(expect), problem, np.random.default_rng(seed), **rest)


def _same(first, second):
    np.testing.assert_array_equal(first.selection.indices, second.selection.indices)
    np.testing.assert_array_equal(first.selection.weights, second.selection.weights)
    assert first.history == second.history
    assert first.sets == second.sets


# --- what is compared, and how -------------------------------------------------------------------


def test_random_prompts_are_among_the_methods_compared():
    names = [one.name for one in contenders()]
    assert names == ["pooled", "anneal", "balanced", "random", "ridge"]
    assert names[auto._RANDOM] == "random"


def test_the_usual_method_goes_by_what_is_expected_and_by_what_scores_are_like(a_problem):
    names = [one.name for one in contenders()]
    graded = a_problem(n=20, n_metrics=2)
    points = make_problem(np.round(np.stack(graded.scores) / 3), ["a", "b"], 6)
    mixed = make_problem([graded.scores[0], points.scores[1]], ["a", "b"], 6)
    assert len(np.unique(points.scores[0])) <= 10
    told = {"similar": (graded, mixed, points), "new_family": (graded, points)}
    found = {key: [names[usual_method(one, key)] for one in told[key]] for key in told}
    assert found["similar"] == ["pooled", "pooled", "balanced"]
    assert found["new_family"] == ["anneal", "anneal"]
    assert names[usual_method(points.take(np.arange(19)), "similar")] == "anneal"


@pytest.mark.parametrize("n", [16, 17, 30])
def test_random_thirds_that_follow_from_the_number_of_variants(a_problem, n):
    splits = inner_splits(a_problem(n=n), "similar")
    assert splits.dtype == bool
    assert splits.shape == (8, n)
    assert (splits.sum(axis=1) == n // 3).all()
    assert len({split.tobytes() for split in splits}) == 8
    again = inner_splits(a_problem(n=n, seed=5, n_metrics=2, size=2), "similar")
    np.testing.assert_array_equal(splits, again)


@pytest.mark.parametrize("expect", ["similar", "new_family"])
def test_below_sixteen_variants_there_are_none(a_problem, expect):
    hints = Hints(groups=tuple("abcde" * 3))
    assert inner_splits(a_problem(n=15, hints=hints), expect).shape == (0, 15)


def _families(a_problem, groups):
    return inner_splits(a_problem(n=len(groups), hints=Hints(groups=tuple(groups))), "new_family")


def test_each_family_in_turn_in_the_order_of_the_variants(a_problem):
    groups = "c" * 6 + "a" * 5 + "b" * 4 + "c"
    splits = _families(a_problem, groups)
    expected = [[one == name for one in groups] for name in "cab"]
    assert splits.tolist() == expected


@pytest.mark.parametrize(
    ("groups", "kept"),
    [
        ("aabbccdd" + "e" * 8, "abcde"),
        ("abbccdd" + "e" * 9, "bcde"),  # one variant of a family is no ranking
        ("a" * 12 + "bbcc", "abc"),
        ("a" * 13 + "bbcc", "abc"),
        ("a" * 14 + "bb" + "c", ""),  # without a too few are left, and c is alone
        ("a" * 8 + "b" * 8, ""),  # below 3 families
        ("abcdefghijklmnop", ""),
    ],
)
def test_families_too_small_or_too_large_are_not_held_out(a_problem, groups, kept):
    splits = _families(a_problem, groups)
    assert splits.tolist() == [[one == name for one in groups] for name in kept]


@pytest.mark.parametrize("n", [8, 20])
def test_families_that_are_not_known_are_one_line(a_problem, n):
    words = r"method.expect=new_family \(auto\): the variants' families are not known; .*group="
    with pytest.raises(SettingError, match=words) as caught:
        _run(a_problem(n=n), "new_family")
    assert "\n" not in str(caught.value)


def test_an_expectation_that_is_none_is_one_line(a_problem):
    with pytest.raises(SettingError, match=r"method.expect=old .*expected similar or new_family"):
        _run(a_problem(), "old")


# --- what is decided -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "taken"),
    [
        ([[0.5, 0.9], [0.5, 0.9]], 1),
        ([[0.5, 0.5], [0.5, 0.5]], 0),
        ([[0.9, 0.5], [0.9, 0.5]], 0),
        ([[0.5, 0.9]], 0),  # one split has no error
        ([[0.5, 0.9], [NAN, 0.9]], 0),
        ([[0.5, 0.9], [0.5, NAN], [0.5, 0.9]], 1),
        ([[0.5, 0.4], [0.5, 0.45], [0.5, NAN], [NAN, 0.9]], 0),
        ([[NAN, NAN], [NAN, NAN]], 0),
        ([[0.5, 0.6, 0.7, 0.65], [0.5, 0.6, 0.7, 0.65]], 2),
        ([[0.5, 0.6, 0.4, 0.1, 0.9], [0.5, 0.6, 0.4, 0.1, 0.3]], 1),  # ridge not clearly ahead
        ([[0.1, 0.1, 0.2, 0.6], [0.2, 0.1, 0.2, 0.8], [0.1, 0.2, 0.2, 0.7]], 3),  # random
        ([[0.5, 0.4, 0.3, 0.9], [0.5, 0.4, 0.3, 0.1]], 3),  # random, as it does as well
        ([[0.5, 0.4, 0.3, 0.9], [0.5, 0.4, 0.3, 0.09]], 0),
        ([[0.5, 0.9, 0.3, 0.9], [0.5, 0.9, 0.3, 0.9]], 3),
    ],
)
def test_the_usual_method_unless_another_is_clearly_ahead(rows, taken):
    assert decide(np.array(rows), 0, 24) == taken


def test_whatever_method_is_usual():
    tau = np.array([[0.9, 0.5, 0.5], [0.4, 0.5, 0.6], [0.5, 0.5, 0.45]])
    assert [decide(tau, usual, 24) for usual in range(3)] == [0, 1, 2]
    tau[:, 2] += 0.3
    assert [decide(tau, usual, 24) for usual in range(3)] == [0, 2, 2]


def test_clearly_is_two_standard_errors_of_the_paired_difference():
    base = np.array([0.1, 0.7, 0.3, 0.5])  # splits differ far more than methods do
    sides = np.array([-1, 1, 1, -1])  # standard error of 1 + d * sides: d / sqrt(3)
    for ahead, n, taken in ((2.05, 59, 1), (1.95, 59, 0), (1.05, 60, 1), (0.95, 60, 0)):
        gain = 0.01 * (1 + sides * np.sqrt(3) / ahead)
        assert decide(np.stack([base, base + gain], axis=1), 0, n) == taken


def test_no_splits_decide_for_the_usual_method():
    assert decide(np.zeros((0, 4)), 2, 24) == 2


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 9), st.integers(2, 5))
def test_the_one_decided_for_is_ahead_of_the_usual_one(seed, n_splits, n_methods):
    rng = np.random.default_rng(seed)
    tau = rng.normal(size=(n_splits, n_methods))
    tau[rng.random(tau.shape) < 0.1] = NAN
    taken = decide(tau, 0, 24)
    known = tau[np.isfinite(tau).all(axis=1)]
    assert 0 <= taken < n_methods
    if taken == 3 and known[:, 3].mean() >= known[:, 0].mean():
        return  # random prompts need not be clearly ahead
    if taken:
        gains = known[:, taken] - known[:, 0]
        assert gains.mean() > 2 * np.std(gains, ddof=1) / np.sqrt(len(known))


# --- the search ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("expect", "usual"), [(None, Pooled()), ("new_family", Anneal())])
def test_few_variants_are_searched_by_the_usual_method(a_problem, expect, usual):
    problem = _problem(a_problem, n=14, required=[3])
    found = _run(problem, expect)
    rng = np.random.default_rng(np.random.default_rng(0).integers(2**63))
    same = drive(usual, problem, rng)
    np.testing.assert_array_equal(found.selection.indices, same.selection.indices)
    np.testing.assert_array_equal(found.selection.weights, same.selection.weights)
    number = [one.name for one in contenders()].index(usual.name)
    assert found.history == [{"chosen": number, "usual": number}]
    assert found.sets == same.sets


@pytest.mark.usefixtures("few_splits")
@pytest.mark.parametrize("number", range(5))
def test_the_method_decided_for_searches_all_variants(a_problem, decided, number):
    decided(number)
    problem = _problem(a_problem, required=[3], forbidden=[0, 1])
    found = _run(problem)
    assert found.history[-1] == {"chosen": number, "usual": 0}
    indices, weights = found.selection.indices, found.selection.weights
    assert indices[0] == 3
    assert len(np.unique(indices)) == 6
    assert not np.isin(indices, [0, 1]).any()
    if number == 0:  # draws nothing, so that any generator gives it
        same = drive(Pooled(), problem, np.random.default_rng(1)).selection
        np.testing.assert_array_equal(indices, same.indices)
    assert (weights is None) == (contenders()[number].name in ("anneal", "balanced", "random"))


@pytest.mark.usefixtures("few_splits")
def test_every_contender_is_judged_on_every_split(a_problem):
    found = _run(_problem(a_problem))
    rows = [(row["split"], row["contender"]) for row in found.history[:-1]]
    assert rows == list(itertools.product(range(2), range(5)))
    assert all(-1 <= row["tau"] <= 1 for row in found.history[:-1])


def test_the_inner_agreement_is_of_variants_the_inner_search_has_not_seen(a_problem, monkeypatch):
    from scipy.stats import kendalltau

    seen = []

    class Spy(Pooled):
        def prepare(self, problem):
            seen.append(problem)
            return super().prepare(problem)

    problem = _problem(a_problem, n_metrics=2)
    monkeypatch.setattr(auto, "contenders", lambda: (Spy(),))
    found = _run(problem)
    splits = inner_splits(problem, "similar")
    assert [one.n_variants for one in seen] == [20, *[14] * 8]
    for split, inner, row in zip(splits, seen[1:], found.history, strict=False):
        for block, whole in zip(inner.scores, problem.scores, strict=True):
            np.testing.assert_array_equal(block, whole[~split])
        np.testing.assert_array_equal(inner.hints.scores[0], problem.hints.scores[0][~split])
        assert inner.hints.groups == tuple(np.array(FAMILIES)[~split])
        chosen = drive(Pooled(), inner, np.random.default_rng(0)).selection
        taus = [
            kendalltau(
                np.average(block[split][:, chosen.indices], axis=1, weights=chosen.weights),
                block[split].mean(axis=1),
            ).statistic
            for block in problem.scores
        ]
        assert row["tau"] == pytest.approx(np.mean(taus))


def test_new_families_are_held_out_whole(a_problem, monkeypatch):
    seen = []

    class Spy(Pooled):
        def prepare(self, problem):
            seen.append(set(problem.hints.groups))
            return super().prepare(problem)

    monkeypatch.setattr(auto, "contenders", lambda: (Spy(),))
    monkeypatch.setattr(auto, "usual_method", lambda problem, expect: 0)
    _run(_problem(a_problem), "new_family")
    whole = set("abcd")
    assert seen == [whole, *[whole - {name} for name in "abcd"]]


def test_random_prompts_are_taken_where_choosing_does_not_pay(monkeypatch):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(24, 1)) + rng.normal(size=(24, 60))
    scores[:, :10] = rng.normal(size=(24, 10))  # prompts that say nothing of quality

    class Misled(OneShot):
        name = "misled"

        def choose(self, problem, rng):
            return Selection(np.arange(6))

    problem = make_problem([scores], ["m"], 6)
    monkeypatch.setattr(auto, "contenders", lambda: (Misled(), Random()))
    found = _run(problem)
    assert found.history[-1] == {"chosen": 1, "usual": 0}
    assert not set(found.selection.indices.tolist()) <= set(range(10))
    monkeypatch.setattr(auto, "contenders", lambda: (Random(), Misled()))
    assert _run(problem).history[-1] == {"chosen": 0, "usual": 0}


def test_splits_in_which_variants_tie_do_not_count(a_problem):
    groups = tuple("aaaaaaaabbbbcccc")
    problem = a_problem(n=16)
    scores = problem.scores[0].copy()
    scores[8:] = scores[8]  # with family a held out all the others tie, and b and c do as well
    tied = make_problem([scores], ["m"], 4, hints=Hints(groups=groups))
    found = _run(tied, "new_family")
    assert all(np.isnan(row["tau"]) for row in found.history[:-1])
    assert found.history[-1] == {"chosen": 1, "usual": 1}
    assert explain(found.history).endswith("too few variants to compare methods")


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_handful_of_variants_and_a_flat_hint(a_problem, n):
    other = a_problem(n=n, seed=77).scores[0]
    flat = Hints((np.tile(other[:1], (n, 1)), other))
    found = _run(a_problem(n=n, hints=flat)).selection
    same = _run(a_problem(n=n, hints=Hints((other,)))).selection
    np.testing.assert_array_equal(found.indices, same.indices)


@pytest.mark.usefixtures("few_splits")
def test_a_warm_start_is_for_the_methods_that_have_a_use_for_it(a_problem, decided):
    problem = _problem(a_problem, warm_start=[9, 8, 7, 6, 5, 4])
    for number in range(4):
        decided(number)
        assert len(np.unique(_run(problem).selection.indices)) == 6


@pytest.mark.usefixtures("few_splits")
@pytest.mark.parametrize("expect", ["similar", "new_family"])
def test_a_seed_gives_the_same_on_any_number_of_threads(a_problem, expect):
    problem = _problem(a_problem, n_metrics=2)
    found = []
    for threads in (1, 2, 3):
        with crew(threads):
            found += [_run(problem, expect), _run(problem, expect)]
    for other in found[1:]:
        _same(other, found[0])


@pytest.mark.usefixtures("few_splits")
@pytest.mark.parametrize("number", [0, 1, 4])
def test_stopped_after_any_step_and_continued(a_problem, decided, tmp_path, number):
    decided(number)
    problem, file = _problem(a_problem), tmp_path / "state.npz"
    usual = drive(Pooled(), problem, np.random.default_rng(0)).selection
    whole, steps = _run(problem), 2 * 5 + 2
    for after in range(1, steps + 1):

        def progress(step, planned, after=after):
            assert planned == steps
            if step == after:
                raise KeyboardInterrupt

        stopped = _run(problem, progress=progress, state_file=file, key="k")
        assert stopped.interrupted
        best = usual if after < steps else whole.selection
        np.testing.assert_array_equal(stopped.selection.indices, best.indices)
        np.testing.assert_array_equal(stopped.selection.weights, best.weights)
        _same(_run(problem, seed=99, state_file=file, key="k"), whole)


@pytest.mark.usefixtures("few_splits")
def test_saved_and_read_back_between_all_steps(a_problem, tmp_path):
    problem, file, selector = _problem(a_problem), tmp_path / "state.npz", Auto("new_family")
    whole = _run(problem, "new_family")
    work = selector.prepare(problem)
    state = selector.start(work, np.random.default_rng(0))
    while not state.done:
        save_state(state, file, key="k")
        state = load_state(file, key="k")
        selector.step(selector.prepare(problem), state)
    np.testing.assert_array_equal(selector.best(work, state).indices, whole.selection.indices)
    assert (state.history, state.sets) == (whole.history, whole.sets)


def test_stopped_within_the_first_step_there_is_nothing_yet(a_problem, monkeypatch):
    problem = _problem(a_problem, required=[8])
    work = Auto().prepare(problem)
    state = Auto().start(work, np.random.default_rng(0))
    assert Auto().best(work, state).indices.tolist() == [8]

    def stop(work, state):
        raise KeyboardInterrupt

    monkeypatch.setattr(Pooled, "step", lambda self, work, state: stop(work, state))
    with pytest.raises(KeyboardInterrupt):
        _run(problem)


@pytest.mark.usefixtures("few_splits")
@pytest.mark.parametrize("number", range(5))
def test_nested_sizes_are_prefixes_with_weights(a_problem, decided, number):
    decided(number)
    nested = run_nested(Auto(), _problem(a_problem), (3, 6), np.random.default_rng(0))
    small = run_nested(Auto(), _problem(a_problem, size=3), (3, 6), np.random.default_rng(0))
    chosen = nested.selection
    assert len(np.unique(chosen.indices)) == 6
    assert [row["size"] for row in nested.history if "chosen" in row] == [3, 6]
    assert chosen.first(3).indices.tolist() == small.selection.indices[:3].tolist()
    if number in (0, 4):
        assert chosen.first(3).weights.tolist() == chosen.weights[:3].tolist()
    else:
        assert chosen.weights is None


# --- what is said --------------------------------------------------------------------------------


def _rows(*taus):
    return [{"split": 0, "contender": k, "tau": tau} for k, tau in enumerate(taus)]


@pytest.mark.parametrize(
    ("history", "line"),
    [
        (
            [],
            "auto was interrupted before it compared methods, so it used its usual method",
        ),
        (
            _rows(0.5),
            "auto was interrupted before it compared methods, so it used its usual method",
        ),
        (
            [{"chosen": 1, "usual": 1}],
            "auto chose anneal, its usual method: too few variants to compare methods",
        ),
        (
            [*_rows(0.5, 0.75, 0.25, 0.1), *_rows(0.7, 0.85, 0.35, 0.2), {"chosen": 1}],
            "auto chose anneal; inner held-out tau: pooled 0.600, anneal 0.800, balanced 0.300, "
            "random 0.150",
        ),
        (
            [*_rows(0.5, NAN), {"split": 1, "contender": 0}, {"chosen": 0}],
            "auto chose pooled; inner held-out tau: pooled 0.500",
        ),
        (
            [*_rows(0.5, 0.25, 0.3, 0.75), {"chosen": 3}],
            "auto chose random; inner held-out tau: pooled 0.500, anneal 0.250, balanced 0.300, "
            "random 0.750; choosing prompts does not pay here, more variants would help",
        ),
    ],
)
def test_one_line_says_what_was_taken_and_why(history, line):
    assert explain(history) == line


def test_the_line_of_a_real_search(a_problem):
    found = _run(_problem(a_problem))
    line = explain(found.history)
    taken = contenders()[int(found.history[-1]["chosen"])].name
    assert line.startswith(f"auto chose {taken}; inner held-out tau: pooled ")
    assert "\n" not in line


# --- twins ---------------------------------------------------------------------------------------


def _doubled(problem, rows, groups=None):
    """Return the problem with some variants again, in the hints too."""
    order = np.array([*range(problem.n_variants), *rows])
    hints = Hints(tuple(block[order] for block in problem.hints.scores), groups)
    return make_problem([block[order] for block in problem.scores], ["m"], 6, hints=hints)


def test_twins_are_held_out_together(a_problem):
    problem = _doubled(a_problem(n=20), range(10))
    splits = inner_splits(problem, "similar")
    np.testing.assert_array_equal(splits[:, :10], splits[:, 20:])
    np.testing.assert_array_equal(splits[:, :20], inner_splits(a_problem(n=20), "similar"))


def test_twins_of_another_family_are_held_out_too(a_problem):
    groups = (*FAMILIES, *("e" * 3))
    problem = _doubled(a_problem(n=20), [0, 4, 8], groups)  # of family a
    splits = inner_splits(problem, "new_family")
    for split in splits:
        np.testing.assert_array_equal(split[[0, 4, 8]], split[20:])


def test_twins_are_no_more_variants(a_problem):
    assert len(inner_splits(a_problem(n=16), "similar")) > 0
    assert len(inner_splits(_doubled(a_problem(n=15), range(15)), "similar")) == 0


def test_what_differs_in_another_metric_is_no_twin(a_problem):
    problem = _problem(a_problem, n=20)
    scores = problem.scores[0].copy()
    scores[19] = scores[0]
    alike = make_problem([scores], ["m"], 6, hints=problem.hints)
    np.testing.assert_array_equal(inner_splits(alike, "similar"), inner_splits(problem, "similar"))

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from flasheval.base.errors import DataError
from flasheval.selection.methods import driver
from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.registry import METHODS


class Broken:
    """A method whose n-th step is stopped by Ctrl-C after it has changed its state."""

    cheap = True

    def __init__(self, inner, breaks_at):
        self.inner, self.name, self.breaks_at, self.calls = inner, inner.name, breaks_at, 0
        self.prepare, self.start, self.best = inner.prepare, inner.start, inner.best

    def step(self, work, state):
        self.calls += 1
        self.inner.step(work, state)
        if self.calls == self.breaks_at:
            raise KeyboardInterrupt


def _interrupting(after):
    calls = []

    def progress(step, steps):
        calls.append(step)
        if len(calls) == after:
            raise KeyboardInterrupt

    return progress


def _same(first, second):
    np.testing.assert_array_equal(first.selection.indices, second.selection.indices)
    np.testing.assert_array_equal(first.selection.weights, second.selection.weights)
    assert first.history == second.history
    assert first.sets == second.sets


@pytest.fixture
def many_chunks(monkeypatch):
    """Let frequency cut its sets into chunks of a thousand."""
    monkeypatch.setattr("flasheval.selection.methods.frequency._CHUNK_VALUES", 1)


def _selector(quick, method):
    if method == "frequency":
        return quick(method, n_sets=2_500, pools=[30, 10])
    return quick(method, **{"evolve": {"generations": 5}}.get(method, {}))


def _steps(selector, problem):
    seen = []
    drive(selector, problem, np.random.default_rng(0), progress=lambda *at: seen.append(at))
    return seen


@pytest.mark.usefixtures("many_chunks")
@pytest.mark.parametrize("method", METHODS)
def test_stopped_between_any_two_steps_and_continued(a_problem, quick, method, tmp_path):
    problem = a_problem(n_metrics=2, required=[3])
    selector = _selector(quick, method)
    whole = drive(selector, problem, np.random.default_rng(0))
    file = tmp_path / "state.npz"
    for after in range(1, len(_steps(selector, problem)) + 1):
        stopped = drive(
            selector,
            problem,
            np.random.default_rng(0),
            progress=_interrupting(after),
            state_file=file,
            key="k",
        )
        assert stopped.interrupted
        assert file.exists()
        other = np.random.default_rng(99)  # the saved generator counts, not this one
        _same(drive(selector, problem, other, state_file=file, key="k"), whole)
        assert not file.exists()


@pytest.mark.usefixtures("many_chunks")
@pytest.mark.parametrize("method", METHODS)
def test_stopped_within_any_step_and_continued(a_problem, quick, method, tmp_path):
    problem = a_problem(n_metrics=2, required=[3])
    selector = _selector(quick, method)
    whole = drive(selector, problem, np.random.default_rng(0))
    file = tmp_path / "state.npz"
    for step in range(1, len(_steps(selector, problem)) + 1):
        broken = Broken(selector, step)
        arguments = {"state_file": file, "key": "k"}
        if step == 1:  # nothing was found yet that could be handed back
            with pytest.raises(KeyboardInterrupt):
                drive(broken, problem, np.random.default_rng(0), **arguments)
        else:
            stopped = drive(broken, problem, np.random.default_rng(0), **arguments)
            assert stopped.interrupted
            assert len(stopped.selection.indices) == problem.size
        _same(drive(selector, problem, np.random.default_rng(9), **arguments), whole)


@pytest.mark.usefixtures("many_chunks")
@pytest.mark.parametrize("method", ["frequency", "anneal", "evolve", "balanced"])
def test_stopped_at_every_single_step_in_turn(a_problem, quick, method, tmp_path):
    problem = a_problem()
    selector = _selector(quick, method)
    whole = drive(selector, problem, np.random.default_rng(0))
    file, rounds = tmp_path / "state.npz", 0
    while True:
        found = drive(
            selector,
            problem,
            np.random.default_rng(0),
            progress=_interrupting(1),
            state_file=file,
            key="k",
        )
        rounds += 1
        if not found.interrupted:
            break
    assert rounds == len(_steps(selector, problem)) + 1
    _same(found, whole)


def test_without_a_file_the_best_so_far_comes_back(a_problem):
    problem = a_problem()
    found = drive(Anneal(swaps=9_000), problem, np.random.default_rng(0), progress=_interrupting(2))
    assert found.interrupted
    assert found.sets == 4_000
    assert len(found.history) == 2
    assert len(set(found.selection.indices.tolist())) == problem.size


def test_a_state_is_saved_every_few_seconds(a_problem, monkeypatch, tmp_path):
    file = tmp_path / "state.npz"
    there = []
    monkeypatch.setattr(driver, "_SAVE_EVERY_SECONDS", -1.0)
    progress = lambda step, steps: there.append(file.exists())  # noqa: E731
    drive(
        Anneal(swaps=6_000),
        a_problem(),
        np.random.default_rng(0),
        progress=progress,
        state_file=file,
    )
    assert there == [False, True, True]  # saved after the report of a step
    assert not file.exists()


def test_a_state_of_another_search_is_passed_over(a_problem, tmp_path):
    problem, file = a_problem(), tmp_path / "state.npz"
    drive(
        Anneal(swaps=6_000),
        problem,
        np.random.default_rng(5),
        progress=_interrupting(1),
        state_file=file,
        key="another",
    )
    whole = drive(Anneal(), problem, np.random.default_rng(0))
    found = drive(Anneal(), problem, np.random.default_rng(0), state_file=file, key="this")
    _same(found, whole)


def test_a_damaged_state_is_one_line(a_problem, tmp_path):
    file = tmp_path / "state.npz"
    file.write_bytes(b"PK nonsense")
    with pytest.raises(
        DataError, match=r"state.npz: not a saved search .*delete the file"
    ) as caught:
        drive(Anneal(), a_problem(), np.random.default_rng(0), state_file=file, key="k")
    assert "\n" not in str(caught.value)


def test_a_finished_state_may_be_kept(a_problem, tmp_path):
    file, problem = tmp_path / "state.npz", a_problem()
    arguments = {"state_file": file, "key": "k", "keep_state": True}
    whole = drive(Anneal(), problem, np.random.default_rng(0), **arguments)
    assert file.exists()
    no_step = Broken(Anneal(), 1)
    _same(drive(no_step, problem, np.random.default_rng(1), **arguments), whole)


def test_progress_counts_the_steps(a_problem):
    assert _steps(Anneal(swaps=5_000), a_problem()) == [(1, 3), (2, 3), (3, 3)]


def test_linear_algebra_runs_on_one_thread_and_seconds_are_counted(a_problem):
    class Looking(Broken):
        def step(self, work, state):
            self.threads = {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}
            self.inner.step(work, state)

    looking = Looking(Anneal(), 0)
    found = drive(looking, a_problem(), np.random.default_rng(0))
    assert looking.threads == {1}
    assert found.seconds > 0
    assert not found.interrupted

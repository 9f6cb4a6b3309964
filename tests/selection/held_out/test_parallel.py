import threading
import time

import pytest
from threadpoolctl import threadpool_info

from flasheval.base.errors import DataError, SettingError
from flasheval.base.threads import spread
from flasheval.selection.held_out.parallel import run_parallel


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_work(workers):
    def piece(number):
        def run(steps):
            time.sleep(0.001 * (7 - number))
            steps(1, 2)
            return number * number

        return run

    found, interrupted = run_parallel(
        [piece(n) for n in range(7)], [str(n) for n in range(7)], workers=workers
    )
    assert found == [n * n for n in range(7)]
    assert not interrupted


def _blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_linear_algebra_is_held_to_one_thread():
    before = _blas_threads()
    found, _ = run_parallel([lambda steps: _blas_threads()] * 4, ["x"] * 4, workers=2)
    assert all(blas <= {1} for blas in found)
    assert _blas_threads() == before


def test_a_piece_may_spread_its_own_work_over_the_same_crew():
    def piece(steps):
        return spread([threading.get_ident] * 20)

    found, _ = run_parallel([piece] * 10, ["x"] * 10, workers=1)
    assert {ident for idents in found for ident in idents} == {threading.get_ident()}


def test_progress_weighs_pieces_by_their_cost():
    reports = []

    def report(label, done, total):
        reports.append((round(done, 9), total))

    run_parallel(
        [lambda steps: steps(1, 2) or 1, lambda steps: 1],
        ["dear", "cheap"],
        costs=[3.0, 1.0],
        workers=1,
        report=report,
    )
    assert list(dict.fromkeys(reports)) == [(0.0, 2), (0.75, 2), (1.5, 2), (2.0, 2)]


def test_progress_counts_what_is_done_and_the_shares_of_what_is_not():
    reports = []
    release = threading.Event()

    def half(steps):
        steps(1, 2)
        assert release.wait(10)
        return 1

    def report(label, done, total):
        reports.append((label, done, total))
        if done == 0.5:
            release.set()

    run_parallel([half], ["the label"], workers=1, report=report)
    assert ("the label", 0.5, 1) in reports
    assert reports[-1][1:] == (1, 1)


def test_progress_never_goes_back():
    reports = []

    def piece(steps):
        for step in range(20):
            time.sleep(0.0005)
            steps(step + 1, 20)
        return 1

    def report(label, done, total):
        reports.append(done)

    run_parallel([piece] * 12, ["x"] * 12, workers=3, report=report)
    assert reports == sorted(reports)
    assert len(reports) > 20
    assert reports[-1] == pytest.approx(12)


def test_an_interruption_stops_what_runs_and_keeps_what_is_done():
    stopped = threading.Event()

    def quick(steps):
        return "done"

    def endless(steps):
        try:
            while True:
                steps(1, 10)
                time.sleep(0.002)
        except KeyboardInterrupt:  # as a search does: its state is saved
            stopped.set()

    def report(label, done, total):
        if done >= 1:
            raise KeyboardInterrupt

    work = [quick, endless, quick, quick]
    found, interrupted = run_parallel(work, ["x"] * 4, workers=1, report=report)
    assert interrupted
    assert stopped.is_set() or found[1] is None
    assert found[0] == "done"
    assert found[2:] == [None, None]


def test_an_interruption_after_all_is_done_is_none():
    def report(label, done, total):
        if done == total:
            raise KeyboardInterrupt

    found, interrupted = run_parallel([lambda steps: 1], ["x"], workers=1, report=report)
    assert (found, interrupted) == ([1], False)


def test_an_error_stops_the_others_and_is_raised():
    def bad(steps):
        raise DataError("no ranking")

    def endless(steps):
        while True:
            steps(1, 10)
            time.sleep(0.002)

    with pytest.raises(DataError, match="no ranking"):
        run_parallel([endless, bad], ["x", "y"], workers=2)


def test_nothing_to_do():
    assert run_parallel([], [], workers=2) == ([], False)


@pytest.mark.parametrize("workers", [0, -1, True, 1.5])
def test_a_number_of_workers_that_cannot_be(workers):
    with pytest.raises(SettingError, match="expected at least 1"):
        run_parallel([lambda steps: 1], ["x"], workers=workers)

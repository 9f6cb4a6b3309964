"""The time left, held to what work really took: simulated, and traces of real commands."""

import json
from itertools import accumulate
from pathlib import Path

import pytest

from flasheval.base.time_left import TimeLeft

TRACES = json.loads((Path(__file__).parent / "time_left_traces.json").read_text("utf-8"))


def estimates(trace, takes):
    """What is said 200 times in the course of the work: pairs of time and seconds left, or None."""
    left, said, coming = TimeLeft(0.0), [], list(trace)
    for number in range(1, 200):
        now = takes * number / 200
        while coming and coming[0][0] <= now:
            left.note(*coming.pop(0))
        said.append((now, left.at(now)))
    return said


def check(trace, takes):
    """No estimate is off by more than a factor of two, but for a twentieth of all the time."""
    found = [(now, left) for now, left in estimates(trace, takes) if left is not None]
    slack = takes / 20
    for now, left in found:
        if now >= takes / 10:
            true = takes - now
            assert (true - slack) / 2 <= left <= 2 * true + slack, (now, left, true)
    assert len(found) > 75  # and it is given for more than a third of the time at least
    return found


def in_turn(seconds, costs=None, begin=0.0):
    """A trace of pieces done one after the other, each reported when it is done."""
    costs = costs or [1] * len(seconds)
    ends = [begin + end for end in accumulate(seconds)]
    done = list(accumulate(costs))
    return [(end, part / done[-1]) for end, part in zip(ends, done, strict=True)], ends[-1]


def on_two(seconds, steps):
    """A trace of pieces that two workers take in turn, each reporting so many equal steps."""
    free, reports = [0.0, 0.0], []
    for took in seconds:
        worker = free.index(min(free))
        reports += [free[worker] + took * (k + 1) / steps for k in range(steps)]
        free[worker] += took
    every = len(seconds) * steps
    return [(at, (k + 1) / every) for k, at in enumerate(sorted(reports))], max(free)


def test_steady_work_is_told_to_the_second():
    found = check(*in_turn([1.0] * 100))
    assert all(left == pytest.approx(100 - now, abs=1.0) for now, left in found)
    assert found[0][0] <= 11


@pytest.mark.parametrize("before", [5.0, 50.0, 500.0])
def test_a_slow_start_is_soon_forgotten(before):
    trace, takes = in_turn([1.0] * 100, begin=before)
    for now, left in estimates(trace, takes):
        if left is not None and now > before:
            assert left == pytest.approx(takes - now, rel=0.35, abs=2.0)
        assert left is None or now > before  # and before it nothing is said


def test_a_slow_first_piece_is_forgotten_too():
    check(*in_turn([30.0] + [1.0] * 99))


@pytest.mark.parametrize("found", [10, 900, 990])
def test_work_found_finished_does_not_count(found):
    trace, takes = in_turn([1e-4] * found + [2.0] * (1000 - found))
    check(trace, takes)


def test_a_resumed_run_of_slow_units_waits_for_some_of_them():
    trace, takes = in_turn([1e-4] * 90 + [10.0] * 10)
    said = estimates(trace, takes)
    assert all(left is None for now, left in said if now < 9.9)
    check(trace, takes)


@pytest.mark.parametrize("steps", [5, 30])
@pytest.mark.parametrize("pieces", [9, 21, 80])
def test_two_workers(pieces, steps):
    check(*on_two([3.0] * pieces, steps))


def test_pieces_of_known_cost():
    seconds = [64.0] + [32.0] * 10 + [58.0] * 10
    costs = [1.2 * 64, *[32] * 10, *[0.8 * 58] * 10]  # about right
    trace, takes = in_turn(seconds, costs)
    check(trace, takes)


def test_dear_pieces_at_the_end_are_expected():
    check(*in_turn([1.0] * 50 + [5.0] * 10, [1] * 50 + [5] * 10))


def test_kinds_that_take_turns():
    check(*in_turn([0.02, 0.1, 1.0, 0.5] * 40))


def test_work_that_slows_down_and_speeds_up():
    check(*in_turn([1.0] * 50 + [1.6] * 50))
    check(*in_turn([1.6] * 50 + [1.0] * 50))


@pytest.mark.parametrize("name", TRACES)
def test_real_commands(name):
    trace = [(at, share) for at, share in TRACES[name]["trace"]]
    check(trace, TRACES[name]["seconds"])


def test_nothing_is_said_too_soon():
    left = TimeLeft(0.0)
    assert left.at(1.0) is None
    left.note(1.0, 0.01)
    assert left.at(1.5) is None
    left.note(2.0, 0.02)
    assert left.at(2.5) is None


def test_long_work_is_told_before_so_much_of_it_is_done():
    left = TimeLeft(0.0)
    for minute in range(1, 61):
        left.note(60.0 * minute, minute / 6000)
    assert left.at(3600.0) == pytest.approx(5940 * 60)


def test_between_two_reports_it_counts_down_but_not_past_the_next():
    left = TimeLeft(0.0)
    for second in range(1, 6):
        left.note(10.0 * second, second / 10)
    assert left.at(50.0) == pytest.approx(50.0)
    assert left.at(54.0) == pytest.approx(46.0)
    assert left.at(59.0) == pytest.approx(41.0)
    overdue = [left.at(now) for now in (70.0, 90.0, 110.0)]
    assert overdue == sorted(overdue)
    assert overdue[0] > 41.0


def test_standing_still_ends_the_estimate():
    left = TimeLeft(0.0)
    for second in range(1, 6):
        left.note(10.0 * second, second / 10)
    assert left.at(1000.0) is None


def test_other_work_is_counted_from_its_own_start():
    left = TimeLeft(0.0)
    for second in range(1, 11):
        left.note(float(second), second / 10)
    left.note(10.0, 0.0)
    assert left.at(10.5) is None
    for second in range(1, 11):
        left.note(10.0 + 5.0 * second, second / 40)
    assert left.at(60.0) == pytest.approx(150.0)


def test_very_many_reports_are_thinned_out():
    left = TimeLeft(0.0)
    for number in range(1, 50_001):
        left.note(number / 1000, number / 100_000)
    assert len(left._times) <= 2001
    assert left.at(50.0) == pytest.approx(50.0, rel=0.01)

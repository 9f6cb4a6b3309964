import pytest

from flasheval.runs.score_files import UnitScores
from flasheval.runs.status.pace import Cost, Finished, cost_of, likely_costs, pace_of


def test_one_worker():
    # Three units of 10 images, 5 s each, one after the other: 30 images in 15 s.
    pace = pace_of([Finished(105.0, 5.0, 10), Finished(110.0, 5.0, 10), Finished(115.0, 5.0, 10)])
    assert pace.images_per_second == pytest.approx(2.0)
    assert pace.workers == pytest.approx(1.0)


def test_two_workers_and_idle_time():
    # Two at once, each half of the time at work: 20 s of work in 20 s.
    units = [Finished(at, 5.0, 10) for at in (105.0, 105.0, 120.0, 120.0)]
    pace = pace_of(units)
    assert pace.images_per_second == pytest.approx(2.0)
    assert pace.workers == pytest.approx(1.0)


def test_only_what_came_after_the_last_pause_counts():
    old = [Finished(at, 1.0, 10) for at in (1.0, 2.0, 3.0)]
    new = [Finished(10_000.0 + at, 10.0, 10) for at in (10.0, 20.0)]
    assert pace_of([*new, *old]).images_per_second == pytest.approx(1.0)


def test_slow_units_are_no_pause():
    # Images alone: no seconds; each unit takes 1,000 s, which is longer than a pause.
    pace = pace_of([Finished(1_000.0 * i, 0.0, 32) for i in range(1, 5)])
    assert pace.images_per_second == pytest.approx(0.032)
    assert pace.workers == 0.0


def test_too_little_is_no_pace():
    assert pace_of([]) is None
    assert pace_of([Finished(5.0, 0.0, 32)]) is None
    assert pace_of([Finished(5.0, 2.0, 32)]).images_per_second == 16.0


def _unit(warm: bool, seconds: list[float], batches: list[int], **more: object) -> UnitScores:
    record = {
        "warm": warm,
        "seconds_generate": seconds,
        "batches": batches,
        "seconds_score": 1.0,
        "evaluations": 20,
        "finished": 0.0,
    }
    ids = tuple(map(str, range(10)))
    return UnitScores("v", "k", str(more.get("metric", "m")), "s", 0, "p", ids, [], {}, record)


def test_warm_up_does_not_count():
    units = [_unit(False, [90.0, 2.0], [5, 5]), _unit(True, [1.0, 1.0], [5, 5])]
    cost = cost_of(units)
    assert cost.make == pytest.approx(4.0 / 15)
    assert cost.score == {"m": pytest.approx(0.1)}
    assert cost.evaluations == 20
    assert cost_of([_unit(False, [9.0], [5])]).make is None
    assert cost_of([]) == Cost(None, {}, None)


def test_a_cost_is_of_images_made_and_of_scores():
    assert Cost(2.0, {"a": 0.5}).of(10, {"a": 4, "b": 7}) == 22.0
    assert Cost(None, {}).of(10, {"a": 4}) == 0.0


def test_an_unknown_variant_costs_what_those_like_it_do():
    costs = {"x/10": Cost(1.0, {"m": 0.1}), "x/50": Cost(5.0, {"m": 0.3}), "new": Cost(None, {})}
    factors = {
        "x/10": {"base_model": "x", "steps": 10},
        "x/50": {"base_model": "x", "steps": 50},
        "new": {"base_model": "y", "steps": 50},
        "other": {"base_model": "x", "steps": 20},
    }
    likely = likely_costs(costs, factors)
    assert likely["x/10"].make == 1.0
    assert likely["new"].make == 5.0
    assert likely["other"].make == 3.0
    assert likely["other"].score == {"m": pytest.approx(0.2)}
    assert likely_costs({"new": Cost(None, {})}, factors) == {}

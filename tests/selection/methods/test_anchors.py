import numpy as np
import pytest

from flasheval.selection.methods.anchors import Anchors, _nearest
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.problem import make_problem


def _clusters(sizes, n=12, seed=0):
    """Prompts that rank the variants nearly alike within a cluster, and not at all across."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(sizes), n))
    columns = [centre for centre, size in zip(centres, sizes, strict=True) for _ in range(size)]
    scores = np.array(columns).T + 0.02 * rng.normal(size=(n, sum(sizes)))
    return (scores + rng.normal(size=sum(sizes))).astype(np.float32)


def _find(problem, **settings):
    return drive(Anchors(**settings), problem, np.random.default_rng(0)).selection


def test_every_cluster_has_its_medoid_and_weights_are_cluster_sizes():
    sizes = [30, 6, 12]
    found = _find(make_problem([_clusters(sizes)], ["m"], 3))
    cluster = np.repeat([0, 1, 2], sizes)
    order = np.argsort(cluster[found.indices])
    assert cluster[found.indices][order].tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.weights[order], np.array(sizes) * 3 / 48, rtol=1e-5)
    assert found.weights.mean() == pytest.approx(1.0, abs=1e-5)


def test_the_medoid_is_the_member_nearest_to_all_others():
    scores = _clusters([9, 9])
    found = _find(make_problem([scores], ["m"], 2)).indices
    columns = scores - scores.mean(axis=0)
    columns /= np.linalg.norm(columns, axis=0)
    for medoid in found:
        members = range(9) if medoid < 9 else range(9, 18)
        cost = {
            one: sum(np.square(columns[:, one] - columns[:, two]).sum() for two in members)
            for one in members
        }
        assert cost[medoid] == pytest.approx(min(cost.values()), rel=1e-4)


def test_required_prompts_stand_for_their_clusters():
    found = _find(make_problem([_clusters([30, 6, 12])], ["m"], 3, required=[31]))
    cluster = np.repeat([0, 1, 2], [30, 6, 12])
    assert found.indices[0] == 31
    assert sorted(cluster[found.indices].tolist()) == [0, 1, 2]


def test_weights_may_be_left_out():
    assert _find(make_problem([_clusters([5, 5])], ["m"], 2), weighted=False).weights is None


def test_constant_prompts_are_points_like_any_other():
    scores = _clusters([6, 6])
    scores[:, 3:9] = 1.0
    found = _find(make_problem([scores], ["m"], 4))
    assert len(set(found.indices.tolist())) == 4
    assert np.isfinite(found.weights).all()


def test_every_prompt_belongs_to_its_nearest_medoid_and_a_medoid_to_itself():
    points = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    points[9] = points[4]
    medoids = np.array([4, 9, 30])
    expected = np.square(points[:, None] - points[medoids]).sum(axis=2).argmin(axis=1)
    expected[medoids] = [0, 1, 2]
    np.testing.assert_array_equal(_nearest(points, medoids), expected)

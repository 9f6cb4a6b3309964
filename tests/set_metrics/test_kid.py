import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError, SettingError
from flasheval.set_metrics import kid
from flasheval.set_metrics.kid import kernel_distance, kernel_distance_of_subsets


def _by_loops(x, y):
    def k(a, b):
        return (sum(p * q for p, q in zip(a, b, strict=True)) / len(a) + 1) ** 3

    m, n = len(x), len(y)
    own = sum(k(x[i], x[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    theirs = sum(k(y[i], y[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return own + theirs - 2 * sum(k(a, b) for a in x for b in y) / (m * n)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    m=st.integers(2, 9),
    n=st.integers(2, 9),
    width=st.integers(1, 6),
    block=st.integers(1, 10),
)
def test_equal_to_plain_loops_whatever_the_blocks(seed, m, n, width, block):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(m, width)), rng.normal(size=(n, width)) + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kid, "_BLOCK", block)
        found = kernel_distance(x, y)
        turn = np.linalg.qr(rng.normal(size=(width, width)))[0]
        assert kernel_distance(y @ turn, x @ turn) == pytest.approx(found, rel=1e-9, abs=1e-9)
    assert found == pytest.approx(_by_loops(x, y), rel=1e-9, abs=1e-9)


def test_unbiased_where_the_distributions_are_the_same():
    rng = np.random.default_rng(0)
    found = [kernel_distance(*rng.normal(size=(2, 20, 5))) for _ in range(400)]
    assert min(found) < 0
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(400)


def test_subsets_give_the_mean_and_its_error():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 5)), rng.normal(size=(500, 5)) + 0.5
    found = kernel_distance_of_subsets(x, y, np.random.default_rng(1), size=50, subsets=60)
    assert found == kernel_distance_of_subsets(x, y, np.random.default_rng(1), size=50, subsets=60)
    assert (found.size, found.subsets) == (50, 60)
    assert abs(found.value - kernel_distance(x, y)) < 4 * found.standard_error
    again = [
        kernel_distance_of_subsets(x, y, np.random.default_rng(i), size=50, subsets=60).value
        for i in range(2, 32)
    ]
    assert 0.6 < np.std(again, ddof=1) / found.standard_error < 1.6


def test_two_subsets_by_hand():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 3)), rng.normal(size=(8, 3))
    found = kernel_distance_of_subsets(x, y, np.random.default_rng(1), size=4, subsets=2)
    again = np.random.default_rng(1)
    a, b = (
        kernel_distance(x[again.choice(9, 4, replace=False)], y[again.choice(8, 4, replace=False)])
        for _ in range(2)
    )
    assert found.value == pytest.approx((a + b) / 2)
    assert found.standard_error == pytest.approx(abs(a - b) / 2)  # sd |a - b| / sqrt(2)


def test_pairs_are_left_out_by_hand():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    total = sum(
        (x[i] @ x[j] / 3 + 1) ** 3
        + (y[i] @ y[j] / 3 + 1) ** 3
        - (x[i] @ y[j] / 3 + 1) ** 3
        - (x[j] @ y[i] / 3 + 1) ** 3
        for i in range(5)
        for j in range(5)
        if i != j
    )
    assert kernel_distance(x, y, paired=True) == pytest.approx(total / 20)
    with pytest.raises(DataError, match="5 and 4 images are no pairs"):
        kernel_distance(x, y[:4], paired=True)


def test_pairs_alike_are_not_below_0():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(30, 6))
    near = x + 0.01 * rng.normal(size=x.shape)
    assert abs(kernel_distance(x, near, paired=True)) < 0.02
    assert kernel_distance(x, near) < -0.1  # as if independent


def test_constant_features():
    assert kernel_distance(np.ones((3, 2)), np.ones((4, 2))) == pytest.approx(0)


def test_mistakes_are_told():
    x = np.eye(3)
    with pytest.raises(DataError, match="are 2 wide, and the reference 3"):
        kernel_distance(np.eye(2), x)
    with pytest.raises(DataError, match="of 1 images"):
        kernel_distance(x[:1], x)
    with pytest.raises(DataError, match="overflows"), np.errstate(over="ignore", invalid="ignore"):
        kernel_distance(x * 1e200, x)
    rng = np.random.default_rng(0)
    with pytest.raises(SettingError, match="size=4: expected from 2 to 3"):
        kernel_distance_of_subsets(x, x, rng, size=4)
    with pytest.raises(SettingError, match="subsets=1"):
        kernel_distance_of_subsets(x, x, rng, size=2, subsets=1)

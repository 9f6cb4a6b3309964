import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from flasheval.selection.methods.random_sets import draw_key, draw_set, draw_sets

KEY = np.uint64(0xDEADBEEFCAFEF00D)


def _by_hand(key, number, size, count):
    """The documented generator in Python's whole numbers."""
    last = 2**64 - 1

    def mix(value):
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & last
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & last
        return value ^ (value >> 31)

    state = mix((key + number * 0xBF58476D1CE4E5B9) & last)
    chosen = []
    while len(chosen) < count:
        state = (state + 0x9E3779B97F4A7C15) & last
        place = ((mix(state) >> 32) * size) >> 32
        if place not in chosen:
            chosen.append(place)
    return chosen


def _numbers(count):
    return np.arange(count, dtype=np.int64)


def _pool(size):
    return np.arange(size, dtype=np.int32)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**64 - 1), st.integers(1, 40), st.data())
def test_draws_are_distinct_and_from_the_pool(key, size, data):
    count = data.draw(st.integers(1, size))
    pool = np.sort(np.random.default_rng(size).choice(1000, size, replace=False)).astype(np.int32)
    sets = draw_sets(np.uint64(key), _numbers(20), pool, count, False)
    assert sets.shape == (20, count)
    assert np.isin(sets, pool).all()
    assert all(len(set(row)) == count for row in sets.tolist())


def test_with_replacement_prompts_come_twice():
    sets = draw_sets(KEY, _numbers(200), _pool(10), 8, True)
    assert any(len(set(row)) < 8 for row in sets.tolist())
    sets = draw_sets(KEY, _numbers(5), _pool(2), 30, True)
    assert sets.shape == (5, 30)


@pytest.mark.parametrize(
    ("size", "count", "replace"), [(37, 5, False), (37, 5, True), (8, 7, False)]
)
def test_prompts_are_drawn_uniformly(size, count, replace):
    sets = draw_sets(KEY, _numbers(40_000), _pool(size), count, replace)
    observed = np.bincount(sets.ravel(), minlength=size)
    if replace:
        assert chisquare(observed).pvalue > 1e-3
    else:  # without replacement the counts vary less, by the share that is not drawn
        share = count / size
        statistic = np.square(observed - observed.mean()).sum() / (40_000 * share * (1 - share))
        assert 0.3 * size < statistic < 2.2 * size
    for place in range(count):
        assert chisquare(np.bincount(sets[:, place], minlength=size)).pvalue > 1e-4


def test_pairs_of_prompts_and_neighbouring_sets_are_uniform_too():
    sets = draw_sets(KEY, _numbers(60_000), _pool(12), 2, False)
    pairs = np.bincount(sets[:, 0] * 12 + sets[:, 1], minlength=144)
    off_diagonal = pairs[~np.eye(12, dtype=bool).ravel()]
    assert chisquare(off_diagonal).pvalue > 1e-3
    chained = np.bincount(sets[:-1, 0] * 12 + sets[1:, 0], minlength=144)
    assert chisquare(chained).pvalue > 1e-3


def test_a_set_depends_on_key_and_number_alone():
    every = draw_sets(KEY, _numbers(100), _pool(50), 6, False)
    some = draw_sets(KEY, np.array([93, 0, 17], dtype=np.int64), _pool(50), 6, False)
    np.testing.assert_array_equal(some, every[[93, 0, 17]])
    other = draw_sets(np.uint64(1), _numbers(100), _pool(50), 6, False)
    assert (other != every).any(axis=1).mean() > 0.99


def test_scratch_may_be_used_again_by_the_next_set():
    every = draw_sets(KEY, _numbers(10), _pool(9), 9, False)
    seen, chosen = np.full(9, -1, dtype=np.int64), np.empty(9, dtype=np.int32)
    for number in range(10):
        draw_set(KEY, number, _pool(9), 9, False, seen, chosen)
        np.testing.assert_array_equal(chosen, every[number])


def test_large_numbers_and_pinned_values():
    numbers = [0, 1, 2**40]
    sets = draw_sets(KEY, np.array(numbers, dtype=np.int64), _pool(40_504), 4, False)
    assert sets.tolist() == [_by_hand(int(KEY), number, 40_504, 4) for number in numbers]
    # A change here changes every frequency search there ever was.
    assert sets[0].tolist() == [38105, 10442, 37377, 9386]


def test_keys_come_from_the_generator():
    rng = np.random.default_rng(0)
    first, second = draw_key(rng), draw_key(rng)
    assert first != second
    assert first == draw_key(np.random.default_rng(0))
    assert isinstance(first, np.uint64)

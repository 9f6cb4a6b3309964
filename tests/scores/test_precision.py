"""Scores that float32 cannot tell apart are found, and others are left alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.scores.precision import as_scores, exact_warnings, loses_scores


def _scores(n=6, n_prompts=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 1)) + rng.normal(size=(n, n_prompts))


@pytest.mark.parametrize(
    "scores",
    [
        1e6 + _scores(),
        1e8 + 10 * _scores(),
        2**24 + np.round(10 * _scores()),
        (2**24 + np.round(10 * _scores())).astype(np.int64),
        1e6 * np.arange(1, 41) + 0.1 * _scores(),  # an offset a prompt
        1e30 * (1 + 1e-7 * _scores()),
    ],
)
def test_lost_scores_are_found_and_kept(scores):
    assert loses_scores(scores)
    kept = as_scores(scores)
    assert kept.dtype == np.float64
    np.testing.assert_array_equal(kept, scores)


@pytest.mark.parametrize(
    "scores",
    [
        _scores(),
        1e30 * _scores(),
        1e-30 * _scores(),
        100 + _scores(),
        np.round(1e9 * np.abs(_scores())),  # a step of 64 beside a range of billions
        np.full((4, 5), 1 / 3),
        np.array([[0.3, 0.7], [0.1 + 0.2, 0.7], [0.9, 0.2]]),  # equal but for rounding
        np.zeros((0, 3)),
        np.full((3, 4), np.nan),
        1
        - 1e-9 * np.abs(_scores()) * (np.arange(40) < 20)
        - np.abs(_scores()) * (np.arange(40) >= 20),
    ],
)
def test_others_become_float32(scores):
    assert as_scores(scores).dtype == np.float32


def test_missing_scores_do_not_count():
    scores = 1e6 + _scores()
    scores[0, ::2] = np.nan
    scores[:, 3] = np.nan
    assert loses_scores(scores)


@settings(deadline=None, max_examples=50)
@given(st.integers(-90, 90), st.integers(0, 50))
def test_scale_does_not_count(power, seed):
    scale = 2.0**power
    assert loses_scores(scale * (1e6 + _scores(seed=seed)))
    assert not loses_scores(scale * _scores(seed=seed))


def test_what_is_known_to_be_exact_stays_so():
    assert as_scores(_scores(), exact=True).dtype == np.float64
    assert as_scores(_scores().astype(np.float32), exact=True).dtype == np.float64


def test_each_metric_has_its_warning():
    assert exact_warnings([]) == []
    assert [line.split(":")[0] for line in exact_warnings(["a", "b"])] == ["a", "b"]

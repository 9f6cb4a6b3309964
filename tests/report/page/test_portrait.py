import numpy as np

from flasheval.report.page.portrait import portrait_of
from flasheval.scores import ScoreMatrix


def _matrix(values):
    n, p = values.shape
    names, ids = tuple(f"v{i}" for i in range(n)), tuple(f"p{i}" for i in range(p))
    return ScoreMatrix("clip", values.astype("f4"), names, ids)


def test_what_follows_quality_discriminates_and_what_does_not_is_noisy():
    rng = np.random.default_rng(0)
    quality = rng.normal(size=(40, 1))
    sharp = quality + 0.1 * rng.normal(size=(40, 100))
    dull = quality + 1.0 * rng.normal(size=(40, 100))
    wrong = -quality + 0.5 * rng.normal(size=(40, 5))
    found = portrait_of(_matrix(np.hstack([sharp, dull, wrong]) + 3))
    assert np.median(found.discrimination[:100]) > 5
    assert 0.5 < np.median(found.discrimination[100:200]) < 1.5  # sd 1 of quality over sd 1
    assert (found.discrimination[200:] < 0).all()
    assert np.median(found.noise[:100]) < 0.35 < np.median(found.noise[100:200]) < 1.2
    np.testing.assert_allclose(found.mean[0], sharp[:, 0].mean() + 3, rtol=1e-5)


def test_nothing_is_said_where_nothing_can_be():
    assert portrait_of(_matrix(np.arange(8.0).reshape(2, 4))) is None
    assert portrait_of(_matrix(np.ones((5, 4)))) is None

import numpy as np

from flasheval.scores.importers.results.images import mean_of_images


def test_the_mean_is_that_of_numpy_without_a_warning():
    values = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    values[values > 0.5] = np.nan
    np.testing.assert_allclose(mean_of_images(values), np.nanmean(values, axis=2), rtol=1e-6)
    empty = mean_of_images(np.full((1, 1, 2), np.nan))
    assert np.isnan(empty).all()
    assert empty.dtype == np.float32

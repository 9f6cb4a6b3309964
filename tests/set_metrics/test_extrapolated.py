import numpy as np
import pytest
import scipy.stats

from flasheval.base.errors import SettingError
from flasheval.set_metrics.extrapolated import frechet_infinity
from flasheval.set_metrics.frechet import FrechetReference, frechet_distance


def test_the_bias_of_few_images_goes():
    rng = np.random.default_rng(0)
    width = 10
    reference = FrechetReference.of_moments(np.zeros(width), np.eye(width))
    truth = width * (0.1**2 + (1.5 - 1) ** 2)
    found, plain = [], []
    for _ in range(40):
        x = 1.5 * rng.normal(size=(400, width)) + 0.1
        plain.append(frechet_distance(x, reference).value)
        found.append(frechet_infinity(x, reference, rng, smallest=60).value)
    error = np.std(found) / np.sqrt(40)
    assert abs(np.mean(found) - truth) < 3 * error
    assert np.mean(plain) > truth + 3 * np.std(plain) / np.sqrt(40)


def test_the_line_and_its_error_are_those_of_scipy():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 4))
    reference = FrechetReference.of(rng.normal(size=(500, 4)) + 1)
    found = frechet_infinity(x, reference, rng, points=7, smallest=50)
    line = scipy.stats.linregress(1 / np.array(found.sizes), found.distances)
    assert found.value == pytest.approx(line.intercept, rel=1e-9)
    assert found.slope == pytest.approx(line.slope, rel=1e-9)
    assert found.standard_error == pytest.approx(line.intercept_stderr, rel=1e-9)
    assert found.sizes[0] == 50
    assert found.sizes[-1] == 300
    assert found.distances[-1] == pytest.approx(frechet_distance(x, reference).value)


def test_the_same_seed_gives_the_same_number():
    x = np.random.default_rng(2).normal(size=(80, 3))
    reference = FrechetReference.of(x[:40] + 1)
    a, b = (frechet_infinity(x, reference, np.random.default_rng(5)) for _ in range(2))
    assert a == b
    assert a != frechet_infinity(x, reference, np.random.default_rng(6))


@pytest.mark.parametrize("options", [{"points": 2}, {"smallest": 1}, {"smallest": 70}])
def test_sizes_that_cannot_be_are_told(options):
    x = np.random.default_rng(2).normal(size=(80, 3))
    with pytest.raises(SettingError, match="expected at least 3 points"):
        frechet_infinity(x, FrechetReference.of(x), np.random.default_rng(0), **options)

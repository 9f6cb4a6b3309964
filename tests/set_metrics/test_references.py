import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.set_metrics.feature_sets import FeatureSets
from flasheval.set_metrics.references import Reference, find_reference

Image = pytest.importorskip("PIL.Image")


class Colour:
    def __init__(self, version):
        self.version = version

    def embed(self, images):
        return np.array([image.getpixel((0, 0)) for image in images])


@pytest.fixture
def sets():
    features = np.random.default_rng(0).normal(size=(2, 9, 3))
    ids = tuple(f"p{number}" for number in range(9))
    return FeatureSets(("a", "b"), features, (ids, ids), "colour", "1")


def test_a_variant(sets):
    found = find_reference("b", sets, lambda: Colour("1"))
    assert found.others(sets.names) == [0]
    np.testing.assert_array_equal(found.features, sets.features[1])
    assert found.ids == sets.ids[1]


def test_a_folder_and_its_statistics(sets, tmp_path):
    (tmp_path / "a").mkdir()  # the name of a variant, but not what was asked for
    for number in range(4):
        Image.new("RGB", (4, 4), (number, 2 * number, 7)).save(tmp_path / "a" / f"{number}.png")
    found = find_reference(str(tmp_path / "a"), sets, lambda: Colour("1"))
    assert (found.name, found.statistics.n) == ("a", 4)
    assert found.others(sets.names) == [0, 1]
    assert found.statistics.mean.tolist() == [1.5, 3, 7]
    found.statistics.save(tmp_path / "a.npz")
    again = find_reference(str(tmp_path / "a.npz"), sets, lambda: Colour("1"))
    assert (again.name, again.features) == ("a", None)
    assert again.described() == pytest.approx(found.described())
    with pytest.raises(DataError, match=r"would go through 2, and .* are of 1"):
        find_reference(str(tmp_path / "a"), sets, lambda: Colour("2"))


def test_mistakes_are_told(sets, tmp_path):
    with pytest.raises(SettingError, match=r"reference=c: .* \(a, b\)"):
        find_reference("c", sets, lambda: Colour("1"))
    Reference.of("x", np.eye(4)).statistics.save(tmp_path / "x.npz")
    with pytest.raises(DataError, match="is of 4 features, and the variants' images have 3"):
        find_reference(str(tmp_path / "x.npz"), sets, lambda: Colour("1"))

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.set_metrics.feature_sets import features_of_folders
from flasheval.set_metrics.protocol import ImageProtocol

Image = pytest.importorskip("PIL.Image")


class Colour:
    """Sees the size, and the first pixel."""

    version = "colour-1"

    def embed(self, images):
        return np.array([[*image.size, image.getpixel((0, 0))[0]] for image in images])


@pytest.fixture
def folders(tmp_path):
    for shade, name in enumerate(("a", "b")):
        (tmp_path / "out" / name).mkdir(parents=True)
        for number in range(6):
            path = tmp_path / "out" / name / f"p{number}.png"
            Image.new("RGB", (10, 8), (10 * number + shade, 0, 0)).save(path)
    return tmp_path / "out"


def test_one_folder_a_variant(folders):
    sets = features_of_folders(folders, Colour(), "colour")
    assert (sets.names, len(sets), sets.version) == (("a", "b"), 2, "colour-1")
    assert sets.ids == (tuple(f"p{number}" for number in range(6)),) * 2
    assert sets.features[1].tolist() == [[10, 8, 10 * number + 1] for number in range(6)]
    named = features_of_folders({"x": folders / "b"}, Colour(), "colour")
    assert named.names == ("x",)
    np.testing.assert_array_equal(named.features[0], sets.features[1])


def test_a_protocol_draws_the_same_prompts_for_all(folders):
    protocol = ImageProtocol(images=3, side=4)
    sets = features_of_folders(folders, Colour(), "colour", protocol=protocol, seed=1)
    assert sets.ids[0] == sets.ids[1]
    assert len(sets.ids[0]) == 3
    assert sets.features[0][:, :2].tolist() == [[4, 4]] * 3
    other = features_of_folders(folders, Colour(), "colour", protocol=protocol, seed=3)
    assert other.ids != sets.ids


def test_prompts_give_the_texts(folders, tmp_path):
    path = tmp_path / "prompts.csv"
    path.write_text("id,prompt\n" + "".join(f"p{number},thing {number}\n" for number in range(9)))
    sets = features_of_folders(folders, Colour(), "colour", prompts=path)
    assert sets.prompts.texts[4] == "thing 4"
    path.write_text("id,prompt\np0,thing\n")
    with pytest.raises(DataError, match="5 of 6 ids are not in prompt set"):
        features_of_folders(folders, Colour(), "colour", prompts=path)


def test_mistakes_are_told(folders):
    for value in ({}, {"a": 3}, folders / "a"):
        with pytest.raises(SettingError, match=r"expected \{name:folder"):
            features_of_folders(value, Colour(), "colour")
    with pytest.raises(DataError, match="cannot read"):
        features_of_folders(folders / "nowhere", Colour(), "colour")
    (folders / "a" / "p1.webp").write_bytes((folders / "a" / "p1.png").read_bytes())
    with pytest.raises(DataError, match="several images of prompt 'p1'"):
        features_of_folders(folders, Colour(), "colour")

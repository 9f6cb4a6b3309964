import pytest

from flasheval.base.errors import SettingError
from flasheval.set_metrics.extractor_settings import VisionSettings, make_extractor


def test_what_the_metric_is_called_after():
    assert make_extractor("vision", {"checkpoint": "models/dino/"}).label == "dino"
    assert make_extractor("inception").label == "Inception"
    assert make_extractor("scorer", {"scorer": {"name": "clip", "metric_name": "B"}}).label == "B"


def test_a_name_a_mapping_an_object_and_none():
    made = VisionSettings(batch=8)
    assert make_extractor("vision", {"batch": 8}) == made
    assert make_extractor({"name": "vision", "batch": 8}) == made
    assert make_extractor(made) is made
    assert make_extractor(None) == VisionSettings()


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("visoin", {}, "there is no extractor 'visoin'; .* did you mean 'vision'"),
        ("vision", {"checkpiont": "x"}, "no setting 'checkpiont'; .* did you mean 'checkpoint'"),
        ("vision", {"dtype": "fp8"}, 'dtype is "fp8"; expected one of'),
        ("inception", {"batch": "x"}, 'batch is "x"; expected a whole number'),
    ],
)
def test_mistakes_are_told(name, settings, said):
    with pytest.raises(SettingError, match=said):
        make_extractor(name, settings)


def test_what_cannot_be_loaded():
    with pytest.raises(SettingError, match=r"extractor\.path is missing"):
        make_extractor("inception").load("cpu")
    with pytest.raises(SettingError, match="image-reward: it makes no image embeddings"):
        make_extractor("scorer", {"scorer": "image-reward"}).load("cpu")

"""The quality of miniature pictures as a scorer: random weights, saved as the trained ones are."""

import numpy as np
import pytest

from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.scorers.miniature_quality import QualitySettings
from flasheval.scorers.registry import make_scorer

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return _save(tmp_path_factory.mktemp("models") / "quality", seed=0)


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)) for _ in range(9)]


def _save(folder, seed):
    from flasheval.miniature.quality import QualityNetwork, save_quality

    torch.manual_seed(seed)
    save_quality(QualityNetwork(), folder)
    return folder


def _score(folder, images, prompts=None, **settings):
    scorer = QualitySettings(str(folder), **settings).load("cpu")
    return scorer.score(images, ["a red circle"] * len(images) if prompts is None else prompts)


def test_scores_are_the_networks_of_pixels_from_minus_one_to_one(folder, images):
    from flasheval.base.models.weights import locate
    from flasheval.miniature.quality import load_quality

    network = load_quality(locate(str(folder)))
    pixels = np.stack([np.asarray(image) for image in images]).astype(np.float64)
    inputs = torch.from_numpy((pixels / 255 * 2 - 1).transpose(0, 3, 1, 2)).float()
    scores = _score(folder, images)
    assert (scores.dtype, scores.shape) == (np.float32, (9,))
    np.testing.assert_allclose(scores, network(inputs), atol=1e-6)
    assert len(set(scores.tolist())) == 9
    assert ((scores > 0) & (scores < 1)).all()


def test_the_same_twice_in_any_batch_in_any_order_for_any_prompt(folder, images):
    scores = _score(folder, images)
    np.testing.assert_array_equal(_score(folder, images), scores)
    np.testing.assert_array_equal(_score(folder, images, [""] * 9), scores)
    np.testing.assert_allclose(_score(folder, images, batch=2), scores, atol=1e-6)
    np.testing.assert_allclose(_score(folder, images[::-1])[::-1], scores, atol=1e-6)
    np.testing.assert_allclose([_score(folder, [i])[0] for i in images], scores, atol=1e-6)
    assert _score(folder, []).shape == (0,)


def test_other_sizes_and_modes_are_brought_to_32_pixels(folder, images):
    large = [image.resize((96, 96), Image.Resampling.NEAREST) for image in images]
    grey = Image.new("L", (32, 32), 90)
    scores = _score(folder, [*large, grey, grey.convert("RGB")])
    assert np.isfinite(scores).all()
    assert scores[-1] == scores[-2]


def test_what_it_says_of_itself(folder, tmp_path):
    settings = make_scorer({"name": "miniature-quality", "checkpoint": str(folder)})
    assert settings == QualitySettings(str(folder))
    revision = settings.identity()["checkpoint"]
    assert settings.identity() == {"kind": "miniature-quality", "checkpoint": revision}
    assert settings.version == f"quality@{revision.removeprefix('sha256:')[:8]}"
    assert (settings.metric, settings.higher_is_better, settings.embeds) == ("Quality", True, False)
    loaded = settings.load("cpu")
    assert (loaded.name, loaded.version, loaded.higher_is_better) == (
        "Quality",
        settings.version,
        True,
    )
    same = QualitySettings(str(_save(tmp_path / "same" / "quality", seed=0)), batch=2)
    assert (same.identity(), same.version) == (settings.identity(), settings.version)
    other = QualitySettings(str(_save(tmp_path / "other" / "quality", seed=1)))
    assert other.identity() != settings.identity()


def test_without_a_checkpoint_it_is_the_shipped_one(folder, monkeypatch):
    import flasheval.base.models.weights

    monkeypatch.setattr(flasheval.base.models.weights, "miniature_dir", lambda: folder.parent)
    assert QualitySettings().identity() == QualitySettings(str(folder)).identity()


def test_mistakes_are_one_line(folder, images, tmp_path):
    with pytest.raises(DataError, match=r"checkpoint nowhere: there is no such folder"):
        QualitySettings("nowhere").identity()
    with pytest.raises(DataError, match=r"the folder has no config.json"):
        QualitySettings(str(tmp_path)).load("cpu")
    with pytest.raises(DataError, match=r"scorer Quality: 9 images for 1 prompts"):
        _score(folder, images, ["a red circle"])
    with pytest.raises(SettingError, match=r"scorer miniature-quality: batch=0"):
        QualitySettings(batch=0)
    with pytest.raises(FlashevalError, match=r"metric_name"):
        QualitySettings(metric_name="")
    with pytest.raises(DataError, match=r"it cannot be put on device"):
        QualitySettings(str(folder)).load("no-such-device")

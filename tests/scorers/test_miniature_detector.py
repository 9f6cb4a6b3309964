"""The miniature's detector as a scorer, with random weights and with an eye without error."""

import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.miniature.composition import compare
from flasheval.miniature.drawing import draw
from flasheval.miniature.layout import lay_out
from flasheval.miniature.sightings import seen_exactly
from flasheval.miniature.world import parse_caption
from flasheval.scorers.miniature_detector import DetectorScorer, DetectorSettings

PROMPTS = ["a red star", "two blue moons above a pink heart", "a small white cross, glossy"]


@pytest.fixture(scope="module")
def pictures():
    return [lay_out(parse_caption(text), np.random.default_rng(1)) for text in PROMPTS]


@pytest.fixture(scope="module")
def images(pictures):
    pytest.importorskip("PIL")
    return [draw(picture) for picture in pictures]


def save(folder, seed):
    torch = pytest.importorskip("torch")
    from flasheval.miniature.detector import make_network, save_detector

    torch.manual_seed(seed)
    save_detector(make_network((8, 16, 24)), folder)
    return str(folder)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return save(tmp_path_factory.mktemp("scorer") / "eye", 0)


class Eye:
    """Sees pictures without error."""

    def detect(self, images):
        return [seen_exactly(picture) for picture in images]


def test_what_is_seen_is_compared_with_the_prompt_of_its_row(pictures):
    scorer = DetectorScorer("Composition", "eye", Eye())
    np.testing.assert_array_equal(scorer.score(pictures, PROMPTS), [1, 1, 1])
    turned = scorer.score(pictures, PROMPTS[::-1])
    expected = [
        compare(parse_caption(text), seen_exactly(picture)).score
        for text, picture in zip(PROMPTS[::-1], pictures, strict=True)
    ]
    np.testing.assert_allclose(turned, expected, rtol=1e-6)
    assert turned[0] < 0.5


def test_scores_do_not_depend_on_batch_and_order(checkpoint, images):
    scorer = DetectorSettings(checkpoint).load("cpu")
    scores = scorer.score(images, PROMPTS)
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    turned = scorer.score(images[::-1], PROMPTS[::-1])[::-1]
    np.testing.assert_allclose(turned, scores, atol=1e-6)
    alone = [scorer.score([i], [p])[0] for i, p in zip(images, PROMPTS, strict=True)]
    np.testing.assert_allclose(alone, scores, atol=1e-6)
    assert scorer.score([], []).shape == (0,)


def test_what_it_says_of_itself(checkpoint, tmp_path):
    settings = DetectorSettings(checkpoint)
    digest = settings.identity()["checkpoint"].removeprefix("sha256:")
    assert settings.identity() == {"kind": "miniature-detector", "checkpoint": f"sha256:{digest}"}
    assert settings.version == f"eye@{digest[:8]}"
    assert (settings.metric, settings.higher_is_better, settings.embeds) == (
        *("Composition", True),
        False,
    )
    other = DetectorSettings(save(tmp_path / "eye", 1))
    assert other.identity()["checkpoint"] != settings.identity()["checkpoint"]


def test_without_a_checkpoint_it_is_the_shipped_one(monkeypatch, checkpoint, tmp_path):
    import flasheval.base.models.weights

    monkeypatch.setattr(flasheval.base.models.weights, "miniature_dir", lambda: tmp_path)
    with pytest.raises(DataError, match="checkpoint miniature:detector: shipped are"):
        DetectorSettings().identity()
    save(tmp_path / "detector", 0)
    assert DetectorSettings().identity() == DetectorSettings(checkpoint).identity()


def test_mistakes_are_one_line(checkpoint, images):
    scorer = DetectorSettings(checkpoint).load("cpu")
    wrong = [*PROMPTS[:2], "a photo of a cat"]
    with pytest.raises(DataError, match="scorer Composition: caption 'a photo of a cat': no thing"):
        scorer.score(images, wrong)
    with pytest.raises(DataError, match="3 images for 1 prompts"):
        scorer.score(images, PROMPTS[:1])
    with pytest.raises(DataError, match="there is no such folder"):
        DetectorSettings("/no/such/folder").identity()
    with pytest.raises(DataError, match="cannot be put on device nowhere"):
        DetectorSettings(checkpoint).load("nowhere")
    with pytest.raises(DataError, match="metric_name"):
        DetectorSettings(metric_name="")

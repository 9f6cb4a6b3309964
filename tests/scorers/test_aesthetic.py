"""The aesthetic predictor against CLIP in NumPy and torch's own linear layers."""

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.scorers.aesthetic import AestheticSettings
from flasheval.scorers.scorer import Embedder


@pytest.fixture(scope="module")
def settings(tiny_clip, tiny_aesthetic):
    return AestheticSettings(str(tiny_clip), predictor=str(tiny_aesthetic))


@pytest.fixture(scope="module")
def expected(numpy_clip, tiny_aesthetic, images):
    import torch
    from torch.nn import Dropout, Linear, Sequential

    # The published network, by its places.
    layers = Sequential(
        *(Linear(24, 1024), Dropout(0.2), Linear(1024, 128), Dropout(0.2)),
        *(Linear(128, 64), Dropout(0.1), Linear(64, 16), Linear(16, 1)),
    )
    torch.nn.ModuleDict({"layers": layers}).load_state_dict(
        torch.load(tiny_aesthetic, weights_only=True)
    )
    embedded = np.array([numpy_clip.embed_image(image) for image in images])
    embedded /= np.linalg.norm(embedded, axis=1, keepdims=True)
    with torch.no_grad():
        return layers.double().eval()(torch.from_numpy(embedded)).numpy()[:, 0]


def test_the_score_is_the_head_of_the_normalised_embedding(settings, images, prompts, expected):
    scores = settings.load("cpu").score(images, prompts)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=5e-6)
    assert np.ptp(expected) > 0.1


def test_the_prompt_does_not_matter(settings, images, prompts):
    scorer = settings.load("cpu")
    np.testing.assert_array_equal(
        scorer.score(images, prompts), scorer.score(images, ["other"] * len(images))
    )


def test_an_image_alone_scores_as_in_any_batch(settings, images, prompts):
    whole = settings.load("cpu").score(images, prompts)
    scorer = AestheticSettings(settings.checkpoint, predictor=settings.predictor, batch=3)
    np.testing.assert_allclose(scorer.load("cpu").score(images, prompts), whole, atol=1e-5)
    alone = settings.load("cpu")
    scores = [alone.score([i], [p])[0] for i, p in zip(images, prompts, strict=True)]
    np.testing.assert_allclose(scores, whole, atol=1e-5)


def test_it_embeds_as_clip_does(settings, numpy_clip, images, prompts):
    scorer = settings.load("cpu")
    assert settings.embeds
    assert isinstance(scorer, Embedder)
    kept = scorer.embed(images)
    np.testing.assert_allclose(kept, [numpy_clip.embed_image(i) for i in images], atol=2e-5)
    np.testing.assert_array_equal(
        scorer.score_embeddings(kept, prompts), scorer.score(images, prompts)
    )
    assert np.isnan(scorer.score_embeddings(np.zeros((1, 24), np.float32), ["a"])).all()
    assert scorer.score([], []).shape == (0,)


def test_a_file_a_folder_and_safetensors_are_the_same(settings, tiny_aesthetic, tmp_path, images):
    import torch
    from safetensors.torch import save_file

    save_file(torch.load(tiny_aesthetic, weights_only=True), tmp_path / "head.safetensors")
    texts = [""] * len(images)
    scores = settings.load("cpu").score(images, texts)
    for predictor in (tiny_aesthetic.parent, tmp_path / "head.safetensors"):
        made = AestheticSettings(settings.checkpoint, predictor=str(predictor))
        np.testing.assert_array_equal(made.load("cpu").score(images, texts), scores)


def test_what_it_says_of_itself(settings, tiny_clip, tiny, tmp_path):
    from flasheval.base.models.weights import locate

    identity = settings.identity()
    assert identity["kind"] == "aesthetic"
    assert identity["checkpoint"] == locate(str(tiny_clip)).revision
    assert identity["predictor"].startswith("sha256:")
    head = identity["predictor"][7:15]
    assert settings.version.startswith(f"sac+logos+ava1-l14-linearMSE.pth@{head} on clip@")
    assert (settings.metric, settings.higher_is_better) == ("Aesthetic", True)
    other = tiny("aesthetic").make_aesthetic(tmp_path, seed=1)
    changed = AestheticSettings(str(tiny_clip), predictor=str(other))
    assert changed.identity()["predictor"] != identity["predictor"]


def test_the_predictor_must_be_given():
    settings = AestheticSettings()
    for use in (settings.identity, lambda: settings.version, lambda: settings.load("cpu")):
        with pytest.raises(DataError, match=r"fetch sac.* christophschuhmann/improved-aesthetic"):
            use()
    with pytest.raises(SettingError, match="scorer aesthetic: batch=0"):
        AestheticSettings(batch=0)


def test_the_head_at_the_real_size(tiny):
    import torch

    from flasheval.scorers.head import read_head

    shapes = tiny("aesthetic").head_shapes(768)
    assert shapes == {
        **{"layers.0.weight": (1024, 768), "layers.0.bias": (1024,)},
        **{"layers.2.weight": (128, 1024), "layers.2.bias": (128,)},
        **{"layers.4.weight": (64, 128), "layers.4.bias": (64,)},
        **{"layers.6.weight": (16, 64), "layers.6.bias": (16,)},
        **{"layers.7.weight": (1, 16), "layers.7.bias": (1,)},
    }
    state = {name: torch.ones(shape) for name, shape in shapes.items()}
    # All ones: 768 + 1 after the first layer, times 1,024 + 1 after the second, and so on.
    last = ((((768 + 1) * 1024 + 1) * 128 + 1) * 64 + 1) * 16 + 1
    assert read_head(state, "layers.", 768, "x")(np.ones((2, 768))).tolist() == [last, last]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers.4.bias": None}, r"layers.4.bias is missing; the published head has \[64\] here"),
        ({"layers.0.weight": (1024, 25)}, r"layers.0.weight has the shape \[1024, 25\]; .* 24\]"),
        ({"layers.8.weight": (1, 1)}, "layers.8.weight is not one of the published head's layers"),
    ],
)
def test_a_damaged_predictor_is_one_line(tiny_clip, tiny_aesthetic, tmp_path, change, message):
    import torch

    state = torch.load(tiny_aesthetic, weights_only=True)
    for name, shape in change.items():
        if shape is None:
            del state[name]
        else:
            state[name] = torch.zeros(shape)
    torch.save(state, tmp_path / "head.pth")
    with pytest.raises(DataError, match=message) as caught:
        AestheticSettings(str(tiny_clip), predictor=str(tmp_path / "head.pth")).load("cpu")
    assert "head.pth" in str(caught.value)
    assert "\n" not in str(caught.value)

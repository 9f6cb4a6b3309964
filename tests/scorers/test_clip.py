"""CLIPScore and PickScore against CLIP in NumPy, and what they promise of batches and dtypes."""

import json
import math
import shutil

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.base.models.weights import locate
from flasheval.scorers.clip import ClipSettings
from flasheval.scorers.clip_model import cosine, load_clip
from flasheval.scorers.pickscore import PickScoreSettings
from flasheval.scorers.scorer import Embedder


@pytest.fixture(scope="module")
def clip(tiny_clip):
    return ClipSettings(str(tiny_clip)).load("cpu")


@pytest.fixture(scope="module")
def expected(numpy_clip, images, prompts):
    return np.array([numpy_clip.cosine(*pair) for pair in zip(images, prompts, strict=True)])


def test_clip_score_is_the_cosine_of_the_embeddings(clip, images, prompts, expected):
    scores = clip.score(images, prompts)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=2e-6)
    assert np.ptp(expected) > 0.1  # the tiny model tells the pairs apart


def test_embeddings_are_those_of_the_weights(clip, numpy_clip, images, prompts):
    made = clip.embed(images)
    np.testing.assert_allclose(made, [numpy_clip.embed_image(i) for i in images], atol=2e-5)
    texts = clip.model.embed_texts(prompts)
    np.testing.assert_allclose(texts, [numpy_clip.embed_text(p) for p in prompts], atol=2e-5)


def test_pick_score_is_the_scaled_cosine(tiny_clip, tmp_path, images, prompts, expected):
    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(tiny_clip, tmp_path / "pick")
    weights = load_file(folder / "model.safetensors")
    weights["logit_scale"] = np.array(4.6, dtype=np.float32)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    scores = PickScoreSettings(str(folder)).load("cpu").score(images, prompts)
    np.testing.assert_allclose(scores, math.exp(4.6) * expected, atol=2e-4)


@pytest.mark.parametrize("kind", [ClipSettings, PickScoreSettings])
def test_an_image_alone_scores_as_in_any_batch(kind, tiny_clip, images, prompts):
    whole = kind(str(tiny_clip)).load("cpu").score(images, prompts)
    for batch in (1, 3):
        parts = kind(str(tiny_clip), batch=batch).load("cpu").score(images, prompts)
        np.testing.assert_allclose(parts, whole, atol=1e-5)
    alone = kind(str(tiny_clip)).load("cpu")
    one = [alone.score([i], [p])[0] for i, p in zip(images, prompts, strict=True)]
    np.testing.assert_allclose(one, whole, atol=1e-5)


@pytest.mark.parametrize("kind", [ClipSettings, PickScoreSettings])
def test_scores_are_exactly_those_of_the_kept_embeddings(kind, tiny_clip, images, prompts):
    scorer = kind(str(tiny_clip)).load("cpu")
    assert isinstance(scorer, Embedder)
    assert kind.embeds
    kept = scorer.embed(images)
    assert kept.shape == (7, 24)
    assert kept.dtype == np.float32
    scores = scorer.score(images, prompts)
    np.testing.assert_array_equal(scores, scorer.score_embeddings(kept, prompts))
    again = kind(str(tiny_clip)).load("cpu").score(images, prompts)
    np.testing.assert_array_equal(again, scores)


def test_a_prompt_is_cut_at_77_tokens(clip, images):
    words = "a cat and a dog on the table with the red bird " * 10
    (long,) = clip.score(images[:1], [words])
    (other_end,) = clip.score(images[:1], [words + "a small green house"])
    (other_start,) = clip.score(images[:1], ["a small green house " + words])
    assert long == other_end
    assert abs(long - other_start) > 1e-4


def test_a_training_loop_around_changes_nothing(clip, images, prompts):
    import torch

    scores = clip.score(images, prompts)
    matmul = torch.backends.cuda.matmul.fp32_precision
    convolution = torch.backends.cudnn.conv.fp32_precision
    with torch.autocast("cpu", dtype=torch.bfloat16):
        np.testing.assert_array_equal(clip.score(images, prompts), scores)
        assert torch.is_autocast_enabled("cpu")
    assert torch.is_grad_enabled()
    assert torch.backends.cuda.matmul.fp32_precision == matmul
    assert torch.backends.cudnn.conv.fp32_precision == convolution
    assert not clip.model.model.training


def test_loading_is_quiet_and_leaves_the_bars_as_they_were(tiny_clip, capfd):
    from huggingface_hub.utils import are_progress_bars_disabled
    from transformers.utils import logging

    before = (are_progress_bars_disabled(), logging.is_progress_bar_enabled())
    ClipSettings(str(tiny_clip)).load("cpu")
    assert "".join(capfd.readouterr()) == ""
    assert (are_progress_bars_disabled(), logging.is_progress_bar_enabled()) == before


def test_half_precision_is_near_and_told_apart(tiny_clip, images, prompts, expected):
    for dtype, tolerance in (("auto", 2e-6), ("bf16", 3e-2), ("fp16", 5e-3)):
        settings = ClipSettings(str(tiny_clip), dtype=dtype)
        scorer = settings.load("cpu")
        np.testing.assert_allclose(scorer.score(images, prompts), expected, atol=tolerance)
        assert settings.identity()["dtype"] == dtype
        assert scorer.version.endswith(f" {dtype}")
    assert str(scorer.model.model.dtype) == "torch.float16"


def test_no_images_no_scores(clip):
    assert clip.score([], []).shape == (0,)
    assert clip.embed([]).shape == (0, 24)


def test_embeddings_without_a_direction_have_no_score():
    zero = np.zeros((2, 3), dtype=np.float32)
    ones = np.float32([[1, 1, 1], [np.nan, 1, 1]])
    assert np.isnan(cosine(zero, ones)).all()
    assert np.isnan(cosine(ones, ones)).tolist() == [False, True]


def test_a_prompt_an_image(clip, images):
    with pytest.raises(DataError, match="scorer CLIP: 2 images for 1 prompts; give one each"):
        clip.score(images[:2], ["a cat"])
    with pytest.raises(DataError, match="3 images for 1 prompts"):
        clip.score_embeddings(clip.embed(images[:3]), ["a cat"])


def test_what_a_scorer_says_of_itself(tiny_clip):
    settings = ClipSettings(str(tiny_clip), metric_name="tiny", batch=2)
    revision = locate(str(tiny_clip)).revision
    assert settings.identity() == {"kind": "clip", "checkpoint": revision, "dtype": "fp32"}
    assert settings.version == f"clip@{revision[7:15]}"
    scorer = settings.load("cpu")
    assert (scorer.name, scorer.version, scorer.higher_is_better) == (
        "tiny",
        settings.version,
        True,
    )
    assert (settings.metric, settings.higher_is_better) == ("tiny", True)


def test_pick_score_takes_its_processor_from_elsewhere(tiny_clip, tmp_path, images, prompts):
    bare = shutil.copytree(tiny_clip, tmp_path / "weights")
    for name in ("tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"):
        (bare / name).unlink()
    with pytest.raises(DataError, match=r"weights: the folder has no preprocessor_config\.json"):
        PickScoreSettings(str(bare)).identity()
    settings = PickScoreSettings(str(bare), processor=str(tiny_clip))
    whole = PickScoreSettings(str(tiny_clip))
    np.testing.assert_array_equal(
        settings.load("cpu").score(images, prompts), whole.load("cpu").score(images, prompts)
    )
    assert settings.identity()["processor"] == whole.identity()["processor"]
    assert settings.identity()["checkpoint"] != whole.identity()["checkpoint"]


def test_published_checkpoints_are_pinned(monkeypatch):
    asked = []

    def locate(name, revision=None, *, marker="config.json", tested=None):
        asked.append((name, revision or (tested or {}).get(name), marker))

    monkeypatch.setattr("flasheval.scorers.clip.locate", locate)
    monkeypatch.setattr("flasheval.scorers.checkpoint.locate", locate)
    _ = ClipSettings().weights
    _ = ClipSettings(revision="main").weights
    _ = ClipSettings("some/other").weights
    _ = PickScoreSettings().weights, PickScoreSettings().processor_weights
    _ = PickScoreSettings("some/other", revision="v2").processor_weights
    assert asked == [
        (
            "openai/clip-vit-large-patch14",
            "32bd64288804d66eefd0ccbe215aa642df71cc41",
            "config.json",
        ),
        ("openai/clip-vit-large-patch14", "main", "config.json"),
        ("some/other", None, "config.json"),
        ("yuvalkirstain/PickScore_v1", "a4e4367c6dfa7288a00c550414478f865b875800", "config.json"),
        (
            "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
            "1c2b8495b28150b8a4922ee1c8edee224c284c0c",
            "preprocessor_config.json",
        ),
        ("some/other", "v2", "preprocessor_config.json"),
    ]


def _broken(tiny_clip, folder, mistake):
    shutil.copytree(tiny_clip, folder)
    if mistake == "no tokenizer":
        (folder / "tokenizer.json").unlink()
    elif mistake == "no processor":
        (folder / "preprocessor_config.json").unlink()
    elif mistake == "no weights":
        (folder / "model.safetensors").unlink()
    elif mistake == "cut short":
        data = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(data[:1000])
    elif mistake in ("a layer more", "a smaller model"):
        config = json.loads((folder / "config.json").read_text("utf-8"))
        more = {"num_hidden_layers": 3} if mistake == "a layer more" else {"vocab_size": 100}
        config["text_config"] |= more
        (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ("no tokenizer", "its tokenizer has 2 tokens, and the model 650"),
        ("no processor", "its image processor cannot be loaded"),
        ("no weights", "its model cannot be loaded"),
        ("cut short", "its model cannot be loaded"),
        ("a layer more", "16 weights of a CLIP model are missing or of another shape"),
        ("a smaller model", "such as text_model.embeddings.token_embedding.weight"),
    ],
)
def test_a_damaged_checkpoint_is_one_line(tiny_clip, tmp_path, mistake, message):
    folder = _broken(tiny_clip, tmp_path / "bad", mistake)
    with pytest.raises(DataError) as caught:
        ClipSettings(str(folder)).load("cpu")
    assert message in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there_is_one_line(tiny_clip):
    weights = locate(str(tiny_clip))
    with pytest.raises(DataError, match="cannot be put on device nonsense"):
        load_clip(weights, weights, device="nonsense", dtype="fp32", batch=1)


@pytest.mark.parametrize("kind", [ClipSettings, PickScoreSettings])
def test_settings_are_checked_when_made(kind):
    with pytest.raises(SettingError, match=r"batch=0; expected a whole number above 0"):
        kind(batch=0)
    with pytest.raises(DataError, match=r"metric_name '\.\./x' cannot be a file name"):
        kind(metric_name="../x")

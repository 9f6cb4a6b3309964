import json

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.set_metrics.extractors import load_vision_model
from flasheval.set_metrics.features import extract_features
from flasheval.set_metrics.frechet import FrechetReference, frechet_distance

pytest.importorskip("transformers")
Image = pytest.importorskip("PIL.Image")


def _save(folder, family):
    import torch
    import transformers

    config = getattr(transformers, f"{family}Config")(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=28,
        patch_size=14,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = getattr(transformers, f"{family}Model")(config)
    model.save_pretrained(folder)
    processor = {"Dinov2": "BitImageProcessorPil", "ViT": "ViTImageProcessorPil"}[family]
    options = {"crop_size": {"height": 28, "width": 28}} if family == "Dinov2" else {}
    size = {"shortest_edge": 28} if family == "Dinov2" else {"height": 28, "width": 28}
    getattr(transformers, processor)(size=size, **options).save_pretrained(folder)
    return model.eval()


def _images(count=5):
    rng = np.random.default_rng(0)
    return [
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)) for _ in range(count)
    ]


@pytest.mark.parametrize("family", ["Dinov2", "ViT"])
def test_features_are_the_pooled_output(tmp_path, family):
    import torch

    model = _save(tmp_path, family)
    extractor = load_vision_model(str(tmp_path), batch=2)
    found = extract_features(_images(), extractor)
    pixels = extractor.processor(images=_images(), return_tensors="pt")["pixel_values"]
    assert pixels.shape == (5, 3, 28, 28)
    with torch.no_grad():
        expected = model(pixel_values=pixels).pooler_output.numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert found.std(axis=0).min() > 0
    reference = FrechetReference.of(found)
    assert frechet_distance(found, reference).value == pytest.approx(0, abs=1e-9)
    assert tmp_path.name in extractor.version


def test_of_clip_it_is_the_projected_image_embedding(tiny_models):
    from flasheval.scorers.registry import make_scorers

    settings = make_scorers([{"name": "clip", "checkpoint": str(tiny_models["clip"])}])[0]
    expected = settings.load("cpu").embed(_images())
    found = load_vision_model(str(tiny_models["clip"])).embed(_images())
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_weights_that_are_missing_are_told(tmp_path):
    from safetensors.numpy import load_file, save_file

    _save(tmp_path, "ViT")
    path = tmp_path / "model.safetensors"
    tensors = load_file(path)
    save_file(
        {name: value for name, value in tensors.items() if "pooler" not in name},
        path,
        metadata={"format": "pt"},
    )
    with pytest.raises(DataError, match="2 weights of a vision model are missing") as caught:
        load_vision_model(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_what_is_no_vision_model_is_told(tmp_path):
    with pytest.raises(DataError, match="there is no such folder"):
        load_vision_model(str(tmp_path / "none"))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(DataError, match="its image processor cannot be loaded"):
        load_vision_model(str(tmp_path))
    with pytest.raises(SettingError, match="batch=0"):
        load_vision_model(str(tmp_path), batch=0)


def test_no_images_are_told(tiny_models):
    with pytest.raises(DataError, match="there are no images"):
        load_vision_model(str(tiny_models["clip"])).embed([])

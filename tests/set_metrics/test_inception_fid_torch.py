import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from flasheval.set_metrics.inception_fid_torch import (  # noqa: E402 - it imports torch
    LAYERS,
    load_inception,
    resize_like_tensorflow,
)

# What torch-fidelity 0.4.0's own extractor gives for the checkpoint and the images made below.
EXPECTED = [[0.0, 0.0, 0.0, 0.456969, 0.909498], [0.0, 0.0, 0.0, 1.27982, 1.62245]]
MEANS = [0.947899, 1.51381]


def _checkpoint():
    generator = torch.Generator().manual_seed(0)
    state = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    for name, shape in LAYERS.items():
        width = shape[0]
        spread = (2 / (shape[1] * shape[2] * shape[3])) ** 0.5
        state[f"{name}.conv.weight"] = spread * torch.randn(shape, generator=generator)
        state[f"{name}.bn.weight"] = 1 + 0.1 * torch.randn(width, generator=generator)
        state[f"{name}.bn.bias"] = 0.1 * torch.randn(width, generator=generator)
        state[f"{name}.bn.running_mean"] = 0.1 * torch.randn(width, generator=generator)
        state[f"{name}.bn.running_var"] = 0.5 + torch.rand(width, generator=generator)
        state[f"{name}.bn.num_batches_tracked"] = torch.tensor(0)
    return state


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(_checkpoint(), path)
    return path


def _images(*sizes):
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)) for h, w in sizes]


def test_the_layout_is_that_of_the_published_file():
    assert len(LAYERS) == 94
    assert sum(int(np.prod(shape)) for shape in LAYERS.values()) == 21_751_136
    assert len(_checkpoint()) == 566


def test_features_are_those_of_torch_fidelity(checkpoint):
    found = load_inception(checkpoint).embed(_images((64, 48), (299, 299)))
    assert found.shape == (2, 2048)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, ::500], EXPECTED, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.mean(axis=1), MEANS, rtol=1e-4)


def test_batches_change_rounding_only(checkpoint):
    images = _images((64, 48), (70, 70), (30, 90))
    whole = load_inception(checkpoint).embed(images)
    single = load_inception(checkpoint, batch=1).embed(images)
    np.testing.assert_allclose(single, whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(2, 2), (5, 7), (40, 11)])
def test_resizing_looks_where_tensorflow_1_does(size):
    side = 9
    pixels = np.random.default_rng(0).random((3, *size)).astype(np.float32)
    found = resize_like_tensorflow(torch.from_numpy(pixels), side).numpy()
    for i in range(side):
        for j in range(side):
            y, x = i * size[0] / side, j * size[1] / side
            top, left = int(y), int(x)
            below, right = min(top + 1, size[0] - 1), min(left + 1, size[1] - 1)
            upper = pixels[:, top, left] * (1 - x + left) + pixels[:, top, right] * (x - left)
            lower = pixels[:, below, left] * (1 - x + left) + pixels[:, below, right] * (x - left)
            expected = upper * (1 - y + top) + lower * (y - top)
            np.testing.assert_allclose(found[:, i, j], expected, atol=1e-5)


def test_an_image_of_its_size_stays():
    pixels = torch.rand(3, 299, 299)
    assert torch.equal(resize_like_tensorflow(pixels, 299), pixels)


def test_files_that_are_something_else_are_told(tmp_path):
    path = tmp_path / "weights.pth"
    with pytest.raises(DataError, match="does not exist"):
        load_inception(path)
    path.write_bytes(b"not torch")
    with pytest.raises(DataError, match="not a PyTorch file of weights alone"):
        load_inception(path)
    state = _checkpoint()
    name = "Mixed_7c.branch3x3dbl_3b.bn.running_var"
    for change, said in (
        ({name: torch.zeros(3)}, r"has shape \[3\], expected \[384\]"),
        (None, "is missing"),
    ):
        changed = {**state, **(change or {})}
        if change is None:
            del changed[name]
        torch.save(changed, path)
        with pytest.raises(DataError, match=f"{name} {said}"):
            load_inception(path)
    torch.save([1, 2], path)
    with pytest.raises(DataError, match=r"fc\.weight is missing"):
        load_inception(path)
    with pytest.raises(SettingError, match="batch=0"):
        load_inception(path, batch=0)


def test_no_images_are_told(checkpoint):
    with pytest.raises(DataError, match="there are no images"):
        load_inception(checkpoint).embed([])

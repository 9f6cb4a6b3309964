"""Pictures are spoiled as said, damage is what its formula says, and training begins to tell it."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "miniature"


def _module(name):
    sys.path.insert(0, str(SCRIPTS))
    try:
        return import_module(f"miniature_training.{name}")
    finally:
        sys.path.remove(str(SCRIPTS))


spoiling, quality = _module("spoiling"), _module("quality")
data, loop = _module("data"), _module("loop")
WAYS = (*spoiling.TRAINED, *spoiling.LEFT_OUT)


@pytest.fixture(scope="module")
def drawn():
    return data.draw_chunk(np.random.default_rng(0), 64)


@pytest.fixture(scope="module")
def clean(drawn):
    return loop.as_images(drawn.images)


def test_the_same_seed_spoils_alike_and_another_does_not(clean):
    first, again, other = (spoiling.spoil(clean, np.random.default_rng(s)) for s in (1, 1, 2))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.damage, again.damage)
    assert not torch.equal(first.images, other.images)
    assert (first.damage.shape, first.cells.shape) == ((64,), (64, 8, 8))
    assert first.damage.min() == 0  # some stay clean
    assert 0.8 < first.damage.max() < 1


@pytest.mark.parametrize("way", WAYS)
def test_every_way_spoils_more_with_more_of_it(clean, way):
    some, much = (
        spoiling.spoil(clean, np.random.default_rng(0), [way], most=most, clean=0.0)
        for most in (0.2, 1.0)
    )
    for made in (some, much):
        levels = (made.images + 1) * 127.5
        assert (levels - levels.round()).abs().max() < 1e-3  # of 8 bits, as what is scored
        assert levels.min() > -1e-3
        assert levels.max() < 255 + 1e-3
        assert made.images.shape == clean.shape
    assert much.damage.mean() > 1.3 * some.damage.mean() > 0


def test_nothing_is_done_to_clean_pictures(clean):
    made = spoiling.spoil(clean, np.random.default_rng(0), clean=1.0)
    torch.testing.assert_close(made.images, clean, atol=1e-6, rtol=0)
    assert made.damage.max() < 1e-5


def test_damage_is_its_formula():
    rng = np.random.default_rng(0)
    made, reference, other = rng.uniform(-1, 1, (3, 2, 3, 32, 32)).astype(np.float32)
    other[0, :, :, :16] = made[0, :, :, :16]  # half of the picture is the other's
    # Only the first picture has the other among its references.
    references = [(reference, [True, True]), (other, [True, False])]
    whole, cells = spoiling.damage(
        torch.from_numpy(made),
        [(torch.from_numpy(image), torch.tensor(valid)) for image, valid in references],
    )
    for k in range(2):
        errors = [_errors(made[k] - image[k]) for image, valid in references if valid[k]]
        error = np.min(errors, axis=0)
        assert whole[k] == pytest.approx(1 - np.exp(-np.sqrt(np.mean(error**2)) / 0.16), rel=1e-5)
        blocks = error.reshape(8, 4, 8, 4).mean((1, 3))
        np.testing.assert_allclose(cells[k], 1 - np.exp(-blocks / 0.25), rtol=1e-5, atol=1e-6)
    assert cells[0, :, :3].max() == 0


def _errors(d):
    """The mean over 5 x 5 pixels of the error of each, in plain loops."""
    x, y = np.zeros((32, 32)), np.zeros((32, 32))
    x[:, :-1] = np.abs(np.diff(d, axis=2)).max(0)
    y[:-1] = np.abs(np.diff(d, axis=1)).max(0)
    error = np.abs(d).max(0) + (x + y) / 2
    return np.array(
        [
            [error[max(r - 2, 0) : r + 3, max(c - 2, 0) : c + 3].mean() for c in range(32)]
            for r in range(32)
        ]
    )


def test_an_even_shift_of_one_channel_by_hand():
    made = torch.zeros(1, 3, 32, 32)
    made[:, 1] = 0.2  # no step anywhere: the error is 0.2 at every pixel
    whole, cells = spoiling.damage(made, [(torch.zeros_like(made), torch.tensor([True]))])
    assert whole.item() == pytest.approx(1 - np.exp(-0.2 / 0.16), rel=1e-5)
    assert cells[0, 3, 3].item() == pytest.approx(1 - np.exp(-0.2 / 0.25), rel=1e-5)


def test_a_short_training_goes_on_where_it_was_and_is_measured(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(quality, "_BATCH", 8)
    trained = quality.train_quality(drawn, tmp_path / "a", seed=0, steps=3)
    again = quality.train_quality(drawn, tmp_path / "a", seed=0, steps=3)
    kept = again.state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in trained.state_dict().items())
    assert not trained.training
    found = quality.measure(trained, seed=1, count=32)
    assert set(WAYS) < set(found)
    assert all(-1 <= row["correlation"] <= 1 and 0 <= row["light"] <= 1 for row in found.values())
    lines = quality.markdown(found).splitlines()
    assert len(lines) == 2 + len(found)
    assert sum("(left out)" in line for line in lines) == len(spoiling.LEFT_OUT)


def test_measured_is_what_the_scores_order():
    class Knows(torch.nn.Module):
        """Tells noise by its roughness: nothing else of clean pictures is as rough."""

        def forward(self, images):
            return -(images[..., 1:] - images[..., :-1]).abs().mean((1, 2, 3))

    found = quality.measure(Knows(), seed=1, count=64)
    assert found["noised"]["correlation"] > 0.5 > found["blurred"]["correlation"]
    assert found["noised"]["light"] > 0.5 > found["blurred"]["light"]

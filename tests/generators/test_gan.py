"""GANs: a tiny generator made here, called in any batch and order."""

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.generators.gan import GanSettings
from flasheval.generators.generator import Batch
from flasheval.generators.images import ImageFault, to_images
from flasheval.generators.seeds import image_seed

torch = pytest.importorskip("torch")

CODE = '''
import torch
from torch import nn


class Tiny(nn.Module):
    """z [n, 6] and texts to images [n, 3, 8, 8] in [-1, 1]; batch statistics would leak."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.norm = nn.Linear(7, 32), nn.BatchNorm1d(32)
        self.grow = nn.ConvTranspose2d(2, 3, 2, stride=2)
        self.drop = nn.Dropout(0.5)

    def forward(self, z, prompts):
        assert isinstance(prompts, list) and not torch.is_grad_enabled()
        length = torch.tensor([[len(p) / 10] for p in prompts]).to(z)
        hidden = self.drop(self.norm(self.first(torch.cat([z, length], 1))).tanh())
        return self.grow(hidden.reshape(-1, 2, 4, 4)).tanh()


def load(device, weights=None):
    model = Tiny()
    if weights is not None:
        with open(weights) as file:
            torch.nn.init.constant_(model.grow.bias, float(file.read()))
    return model


def overflowing(device):
    return lambda z, prompts: torch.stack([z[:, :3]] * 4, 2)[..., None].repeat(1, 1, 1, 4) * 10


def broken(device):
    return lambda z, prompts: torch.full((len(z), 3, 4, 4), float("inf"))


def bytes_(device):
    return lambda z, prompts: torch.full((len(z), 3, 4, 4), 7, dtype=torch.uint8)


def arrays(device):
    return lambda z, prompts: z.numpy()


def nothing(device):
    return None


def failing(device):
    raise RuntimeError("no such\\nthing")
'''


@pytest.fixture
def code(tmp_path):
    path = tmp_path / "tiny_gan.py"
    path.write_text(CODE)
    return str(path)


def batch_of(*ids):
    return Batch(ids, tuple(f"a prompt {i}" for i in ids), tuple(image_seed(0, i) for i in ids))


def floats(generator, batch):
    return np.asarray(generator.generate(batch), dtype=np.float32)


def test_an_image_does_not_depend_on_its_batch(code):
    generator = GanSettings(f"{code}:load", (6,)).load("cpu")
    ids = tuple(str(i) for i in range(9))
    whole = floats(generator, batch_of(*ids))
    assert whole.shape == (9, 3, 8, 8)
    alone = np.concatenate([floats(generator, batch_of(i)) for i in ids])
    np.testing.assert_allclose(alone, whole, atol=1e-5)
    turned = floats(generator, batch_of(*ids[::-1]))[::-1]
    np.testing.assert_allclose(turned, whole, atol=1e-5)
    assert np.ptp(whole, axis=0).max() > 0.05  # seeds and texts do tell


def test_the_text_and_the_seed_both_count(code):
    generator = GanSettings(f"{code}:load", (6,)).load("cpu")
    first = floats(generator, Batch(("a",), ("short",), (1,)))
    assert not np.array_equal(first, floats(generator, Batch(("a",), ("short",), (2,))))
    assert not np.array_equal(first, floats(generator, Batch(("a",), ("a long text",), (1,))))
    np.testing.assert_array_equal(first, floats(generator, Batch(("b",), ("short",), (1,))))


def test_the_range_says_what_black_and_full_are(code):
    batch = batch_of("a", "b")
    usual = floats(GanSettings(f"{code}:load", (6,)).load("cpu"), batch)
    raw = GanSettings(f"{code}:load", (6,)).load("cpu").model
    noise = torch.stack(
        [torch.randn(6, generator=torch.Generator().manual_seed(seed)) for seed in batch.seeds]
    )
    with torch.inference_mode():
        made = raw(noise, list(batch.prompts)).numpy()
    np.testing.assert_allclose(usual, made / 2 + 0.5, atol=1e-6)
    wide = floats(GanSettings(f"{code}:load", (6,), range=(-3, 1)).load("cpu"), batch)
    np.testing.assert_allclose(wide, (made + 3) / 4, atol=1e-6)


def test_outputs_beyond_the_range_are_cut_and_infinities_are_faults(code):
    cut = floats(GanSettings(f"{code}:overflowing", (6,)).load("cpu"), batch_of("a", "b"))
    assert (cut.min(), cut.max()) == (0, 1)
    broken = GanSettings(f"{code}:broken", (6,)).load("cpu").generate(batch_of("a"))
    assert to_images(broken, 1) == [ImageFault("the image holds NaN")]


def test_bytes_stay_bytes(code):
    made = GanSettings(f"{code}:bytes_", (6,)).load("cpu").generate(batch_of("a"))
    assert np.asarray(to_images(made, 1)[0]).tolist() == [[[7] * 3] * 4] * 4


def test_half_precision_runs_and_is_near(code):
    batch = batch_of("a", "b", "c")
    full = floats(GanSettings(f"{code}:load", (6,)).load("cpu"), batch)
    generator = GanSettings(f"{code}:load", (6,), dtype="bf16").load("cpu")
    assert next(generator.model.parameters()).dtype == torch.bfloat16
    half = generator.generate(batch)
    assert 0 < np.abs(half.numpy() - full).max() < 0.05


def test_family_evaluations_and_factors(code):
    settings = GanSettings(f"{code}:load", (6,), dtype="fp16")
    assert settings.factors() == {"family": "gan", "precision": "fp16"}
    generator = GanSettings(f"{code}:load", (6,)).load("cpu")
    assert (generator.family, generator.evaluations) == ("gan", 1)


def test_weights_are_handed_over_and_count(code, tmp_path):
    weights = tmp_path / "step100.txt"
    weights.write_text("0.0")
    settings = GanSettings(f"{code}:load", (6,), weights=str(weights))
    before, image = settings.identity("cpu"), floats(settings.load("cpu"), batch_of("a"))
    weights.write_text("0.5")
    assert settings.identity("cpu") != before
    assert not np.allclose(floats(settings.load("cpu"), batch_of("a")), image)
    weights.unlink()
    with pytest.raises(SettingError, match=r"weights=.*cannot be read"):
        settings.identity("cpu")


def test_the_identity_holds_all_that_counts(code):
    usual = GanSettings(f"{code}:load", (6,))
    others = (
        GanSettings(f"{code}:overflowing", (6,)),
        GanSettings(f"{code}:load", (7,)),
        GanSettings(f"{code}:load", (6,), range=(0, 1)),
        GanSettings(f"{code}:load", (6,), dtype="bf16"),
        GanSettings(f"{code}:load", (6,), version="2"),
    )
    seen = [usual.identity("cpu"), *(other.identity("cpu") for other in others)]
    assert all(first != second for i, first in enumerate(seen) for second in seen[:i])
    assert usual.identity("cpu") == usual.identity("cuda:1")


def test_a_version_is_taken_at_its_word(code):
    settings = GanSettings(f"{code}:load", (6,), version="2")
    assert settings.identity("cpu")["version"] == "2"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"latent": ()}, r"latent=\[\]: expected the shape"),
        ({"latent": (3, 0)}, r"latent=\[3, 0\]"),
        ({"range": (1.0, -1.0)}, r"range=\[1.0, -1.0\]"),
        ({"range": (0.0,)}, "expected the lowest and the highest"),
        ({"range": (0.0, float("nan"))}, "range="),
    ],
)
def test_settings_that_cannot_be(more, words):
    with pytest.raises(SettingError, match=words):
        GanSettings(**{"function": "a:b", "latent": (6,), **more})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", "gave a NoneType; expected G"),
        ("failing", "failed to load G: RuntimeError: no such thing"),
        ("missing", "has no 'missing'"),
    ],
)
def test_a_function_that_gives_no_generator_is_one_line(code, name, words):
    with pytest.raises(SettingError, match=words) as caught:
        GanSettings(f"{code}:{name}", (6,)).load("cpu")
    assert "\n" not in str(caught.value)


def test_a_generator_that_gives_no_tensor_is_one_line(code):
    generator = GanSettings(f"{code}:arrays", (6,)).load("cpu")
    with pytest.raises(DataError, match="gave a ndarray; expected a tensor"):
        generator.generate(batch_of("a"))


def test_further_arguments_are_passed_by_name_and_are_factors(tmp_path):
    path = tmp_path / "options.py"
    path.write_text(
        "def load(device, weights=None, *, level=0.0, words=()):\n"
        "    import torch\n"
        "    return lambda z, prompts: torch.full((len(z), 3, 4, 4), level)\n"
    )
    settings = GanSettings(f"{path}:load", (6,), arguments={"level": 0.5, "words": ["a"]})
    made = settings.load("cpu").generate(batch_of("a", "b"))
    assert float(made.mean()) == pytest.approx(0.75)
    assert settings.factors() == {"family": "gan", "precision": "fp32", "level": 0.5}
    plain = GanSettings(f"{path}:load", (6,))
    assert "arguments" not in plain.identity("cpu")  # what was made before stays what it is
    assert settings.identity("cpu")["arguments"] == {"level": 0.5, "words": ["a"]}
    wrong = GanSettings(f"{path}:load", (6,), arguments={"lvel": 0.5})
    with pytest.raises(SettingError, match="unexpected keyword argument 'lvel'"):
        wrong.load("cpu")


@pytest.mark.parametrize("name", ["device", "weights", "two words"])
def test_arguments_that_are_set_elsewhere_are_refused(name):
    with pytest.raises(SettingError, match=f"arguments.{name}: expected the name of a further"):
        GanSettings("gan.py:load", (6,), arguments={name: 1})


def test_weights_may_be_a_folder_or_shipped(code):
    shipped = GanSettings(f"{code}:load", (6,), weights="miniature:detector")
    assert shipped.identity("cpu")["weights"].startswith("sha256:")
    with pytest.raises(DataError, match="shipped are"):
        GanSettings(f"{code}:load", (6,), weights="miniature:none").identity("cpu")

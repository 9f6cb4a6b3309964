"""The network that tells how clean a picture is: shapes, its files, and what is wrong with them."""

import json

import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.base.models.weights import locate

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from flasheval.miniature.quality import QualityNetwork, load_quality, save_quality  # noqa: E402


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = QualityNetwork()
    made(torch.randn(16, 3, 32, 32))  # statistics unlike those it starts with
    return made.eval()


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.uniform(-1, 1, (7, 3, 32, 32)).astype(np.float32))


@pytest.fixture
def folder(network, tmp_path):
    save_quality(network, tmp_path)
    return tmp_path


def test_one_number_a_picture_and_one_a_cell(network, pictures):
    with torch.inference_mode():
        scores = network(pictures)
        whole, cells = network.damage(pictures)
    assert (scores.shape, whole.shape, cells.shape) == ((7,), (7,), (7, 8, 8))
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(whole.double())), rtol=1e-6)
    assert len(set(scores.tolist())) == 7


def test_the_company_does_not_matter_once_trained(network, pictures):
    with torch.inference_mode():
        together = network(pictures)
        np.testing.assert_allclose([network(p[None])[0] for p in pictures], together, atol=1e-6)
        assert torch.equal(network(pictures), together)


def test_it_is_small(network):
    assert sum(parameter.numel() for parameter in network.parameters()) <= 150_000


def test_cells_lie_where_the_damage_is(network, pictures):
    changed = pictures.clone()
    changed[:, :, :4, 28:] = 1.0  # the top right cell
    with torch.inference_mode():
        moved = (network.layers(changed) - network.layers(pictures)).abs().mean((0, 1))
    assert moved[:2, 6:].min() > 5 * moved[4:, :4].max()


def test_saved_and_loaded_it_is_the_same_to_half_precision(network, pictures, folder):
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors"}
    assert (folder / "model.safetensors").stat().st_size < 2 * 150_000
    loaded = load_quality(locate(str(folder)))
    assert not loaded.training
    with torch.inference_mode():
        np.testing.assert_allclose(loaded(pictures), network(pictures), atol=2e-3)
    for name, value in loaded.state_dict().items():
        assert torch.equal(value.half(), network.state_dict()[name].half())


def test_other_widths_are_kept(tmp_path, pictures):
    save_quality(QualityNetwork((4, 8, 8, 12)), tmp_path)
    assert load_quality(locate(str(tmp_path)))(pictures).shape == (7,)


@pytest.mark.parametrize(
    "config", ["{", "[]", '{"widths": 3}', '{"widths": [4, 8]}', '{"widths": [4, 8, 8, 7]}']
)
def test_settings_of_something_else_are_one_line(folder, config):
    (folder / "config.json").write_text(config)
    with pytest.raises(
        DataError, match=r"config.json: expected .* 4 multiples of 4; is the fol"
    ) as caught:
        load_quality(locate(str(folder)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: (f / "model.safetensors").unlink(), "it cannot be read"),
        (
            lambda f: (f / "config.json").write_text(json.dumps({"widths": [16, 32, 48, 80]})),
            r"has the shape \[64\]; expected \[80\] of a miniature-quality checkpoint",
        ),
    ],
)
def test_weights_of_something_else_are_one_line(folder, change, message):
    change(folder)
    with pytest.raises(DataError, match=message) as caught:
        load_quality(locate(str(folder)))
    assert folder.name in str(caught.value)
    assert "\n" not in str(caught.value)

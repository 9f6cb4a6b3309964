"""The GAN's network, by hand and by its parts; what the shipped ones make."""

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from torch.nn import functional as F  # noqa: E402, N812

from flasheval.miniature.gan import (  # noqa: E402
    NOISE,
    MixedConvolution,
    SynthesisNetwork,
    load,
    save_gan,
)


@pytest.fixture(scope="module")
def shipped():
    return load("cpu")


def _noise(count, seed=0):
    return torch.randn(count, *NOISE, generator=torch.Generator().manual_seed(seed))


def test_filters_are_mixed_scaled_and_normed_for_each_picture():
    torch.manual_seed(1)
    layer = MixedConvolution(5, 7)
    x, style = torch.randn(3, 5, 4, 4), torch.randn(3, 128)
    with torch.no_grad():
        found = layer(x, style)
        for row in range(3):  # the filter itself, as the paper writes it
            mix = layer.mix(style[row]).softmax(0)
            kernel = (mix[:, None, None, None, None] * layer.bank).sum(0)
            kernel = kernel * layer.scale(style[row])[None, :, None, None]
            kernel = kernel / (kernel.square().sum((1, 2, 3), keepdim=True) + 1e-6).sqrt()
            made = F.conv2d(x[row : row + 1], kernel, padding=1)
            expected = F.leaky_relu(made + layer.shift[:, None, None], 0.2) * 2**0.5
            torch.testing.assert_close(found[row : row + 1], expected, atol=1e-4, rtol=1e-4)


def test_a_picture_does_not_depend_on_its_batch(shipped):
    noise, prompts = _noise(3), ["a red star", "two blue moons above a green heart", "a pink cross"]
    with torch.inference_mode():
        together = shipped(noise, prompts)
        alone = [shipped(noise[k : k + 1], [prompts[k]]) for k in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-4, rtol=1e-4)


def test_noise_and_caption_both_change_the_picture(shipped):
    with torch.inference_mode():
        one, other = shipped(_noise(2), ["a red star"] * 2)
        named = shipped(_noise(1), ["a blue moon on a black background"])[0]
    assert (one - other).abs().mean() > 0.01
    assert (one - named).abs().mean() > 0.05


def test_truncation_goes_to_the_mean_of_the_caption():
    captions = ["a red star"] * 4
    with torch.inference_mode():
        spread = {}
        for truncation in (0.0, 0.5, 1.0):
            gan = load("cpu", truncation=truncation)
            styles = gan.styles(_noise(4), gan.read(captions)[1])[0]
            spread[truncation] = float((styles - styles.mean(0)).square().sum())
    assert spread[0.0] < 1e-6
    assert spread[0.5] == pytest.approx(spread[1.0] / 4, rel=1e-3)


def test_mixing_takes_the_fine_style_from_a_noise_of_its_own(shipped):
    mixed = load("cpu", mixing=True)
    noise = _noise(2)
    with torch.inference_mode():
        pooled = shipped.read(["a red star"] * 2)[1]
        coarse, fine = shipped.styles(noise, pooled)
        assert torch.equal(coarse, fine)
        coarse_mixed, fine_mixed = mixed.styles(noise, pooled)
    assert torch.equal(coarse, coarse_mixed)
    assert not torch.allclose(fine, fine_mixed)


def test_the_way_from_one_prompt_to_another_starts_and_ends_with_their_pictures(shipped):
    first, second = "a red star", "two large blue moons on a black background"
    with torch.inference_mode():
        way = shipped.between(_noise(1), first, second, [0.0, 0.25, 0.5, 0.75, 1.0])
        ends = shipped(_noise(1).repeat(2, 1, 1), [first, second])
    torch.testing.assert_close(way[[0, -1]], ends, atol=1e-4, rtol=1e-4)
    steps = (way[1:] - way[:-1]).abs().mean((1, 2, 3))
    assert (steps > 0).all()
    assert steps.max() < (ends[0] - ends[1]).abs().mean()  # it goes, it does not jump


def test_a_network_is_saved_and_loaded(tmp_path):
    torch.manual_seed(3)
    network = SynthesisNetwork(16, 8).eval()
    save_gan(network, tmp_path / "mine")
    again = load("cpu", str(tmp_path / "mine")).network
    for name, value in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, atol=1e-2, rtol=1e-3)
    (tmp_path / "mine" / "config.json").write_text('{"widths": [16, 12]}')
    with pytest.raises(DataError, match="miniature-gan checkpoint"):
        load("cpu", str(tmp_path / "mine"))


@pytest.mark.parametrize("truncation", [-0.1, 2.5, float("nan")])
def test_a_truncation_out_of_range_is_told(truncation):
    with pytest.raises(SettingError, match=r"truncation=.*from 0 to 2"):
        load("cpu", truncation=truncation)


def test_colours_are_those_asked_for(shipped):
    """A red thing's picture is redder than a blue one's, whatever the shape."""
    prompts = [f"a large {colour} square" for colour in ("red", "blue") for _ in range(8)]
    with torch.inference_mode():
        pictures = shipped(_noise(16), prompts)
    redness = (pictures[:, 0] - pictures[:, 2]).mean((1, 2)).numpy()
    assert np.mean(redness[:8]) > np.mean(redness[8:]) + 0.05

"""Training of the masked-token model and the GAN: what the losses teach, and that it goes on."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "scripts" / "miniature"), str(ROOT / "tests")]

from miniature_training import data, export, gan, loop, masked, tokens, vae  # noqa: E402

from flasheval.base.resources import miniature_dir  # noqa: E402


@pytest.fixture(scope="module")
def drawn():
    return data.draw_chunk(np.random.default_rng(0), 40)


def _said(count, words=6):
    torch.manual_seed(2)
    mask = torch.ones(count, words, dtype=torch.bool)
    return [torch.randn(count, words, 128), torch.randn(count, 128), mask]


def test_each_network_of_the_gan_learns_from_its_own_loss_alone(monkeypatch):
    monkeypatch.setattr(gan, "_SLOPES", 2)
    torch.manual_seed(0)
    both = gan.Both()
    real, noise, said = torch.randn(4, 2, 8, 8, 8), torch.randn(8, 2, 64), _said(6)
    loss = gan.losses(both, real, noise, said)
    loss.backward()
    maker = {name: p.grad.clone() for name, p in both.made.named_parameters()}
    both.zero_grad()
    # The generator's gradient is that of its own term: the judge, taken as it is, against real.
    with torch.autocast("cpu", torch.bfloat16):
        right = [part[:4] for part in said]
        made = [
            part.float().unflatten(0, (-1, 2))
            for part in both.made(noise, *(part.repeat_interleave(2, 0) for part in right))
        ]
        of_made = both.judge(*made, *right).float()
        is_real = both.judge(real, gan._small(real), *right).float().detach()
    torch.nn.functional.softplus(is_real - of_made).mean().backward()
    for name, parameter in both.made.named_parameters():
        size = float(parameter.grad.abs().max())
        np.testing.assert_allclose(maker[name], parameter.grad, atol=0.08 * size + 1e-7)


def test_the_judge_sees_that_two_pictures_are_the_same():
    torch.manual_seed(0)
    judge, said = gan.Discriminator(), _said(3)
    pictures = torch.randn(3, 2, 8, 8, 8)
    twins = pictures[:, :1].expand(-1, 2, -1, -1, -1)
    with torch.no_grad():
        apart, same = (judge(p, gan._small(p), *said) for p in (pictures, twins))
    assert apart.shape == (3, 8)
    torch.testing.assert_close(same[:, 0], same[:, 1])  # each picture by itself: no difference
    torch.testing.assert_close(same[:, 0], apart[:, 0], atol=1e-4, rtol=1e-4)
    assert (same[:, 2] - apart[:, 2]).abs().min() > 1e-4  # the pair: a difference


def test_another_picture_of_a_caption_has_its_things_elsewhere(drawn):
    again = data.draw_again(drawn, 0)
    assert again.captions == drawn.captions
    differs = np.abs(again.images.astype(int) - drawn.images).mean((1, 2, 3))
    assert (differs > 1).mean() > 0.9
    np.testing.assert_array_equal(again.images, data.draw_again(drawn, 0).images)


def test_hidden_tokens_are_mostly_many_and_never_none():
    hidden = np.concatenate([masked._hidden(np.random.default_rng(k)) for k in range(20)])
    share = hidden.reshape(len(hidden), -1).mean(1)
    assert share.min() >= 1 / 64
    assert share.mean() == pytest.approx(2 / np.pi, abs=0.03)  # of the cosine of a uniform number


def test_the_vq_model_starts_with_the_autoencoders_decoder(drawn):
    autoencoder = vae.load_vae(miniature_dir() / "vae")
    vq = tokens._from_vae(autoencoder).eval()
    pixels = torch.from_numpy(drawn.images).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.inference_mode():
        known = autoencoder.encode(pixels).latent_dist.mean
        made = 2 * vq.decoder(vq.post_quant_conv(known)) - 1
        torch.testing.assert_close(made, autoencoder.decode(known).sample, atol=1e-3, rtol=0)


@pytest.mark.slow
def test_training_goes_on_where_it_was_killed(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(tokens, "CODES", 32)
    monkeypatch.setattr(masked, "CODES", 32)
    for module in (gan, masked):  # its steps are whole ones of the networks that ship: few pictures
        monkeypatch.setattr(module, "_BATCH", 4)
    monkeypatch.setattr(gan, "_SLOPES", 2)
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(40, 8, 8, 8)).astype(np.float16)
    np.save(tmp_path / "latents.npy", latents)
    np.save(tmp_path / "tokens.npy", rng.integers(0, 32, (40, 8, 8)).astype(np.int16))
    clip = miniature_dir() / "clip"
    pair = tmp_path / "latents.npy", tmp_path / "latents.npy"

    def both(name):
        out = tmp_path / name
        gan.train_gan(drawn, pair, clip, out, out, 0, 3, {"final": 3})
        masked.train_masked(drawn, tmp_path / "tokens.npy", clip, out, out, 0, 3, {"final": 3})
        return out

    def killed(*_):
        raise KeyboardInterrupt

    def cut(stage, folder, seed):  # in its second step; the first is kept
        return loop.train(replace(stage, milestones={2: killed}), folder, seed)

    whole = both("whole")
    monkeypatch.setattr(loop, "_SAVE_EVERY", -1.0)
    for module, made in ((gan, pair), (masked, tmp_path / "tokens.npy")):
        monkeypatch.setattr(module, "train", cut)
        train = module.train_gan if module is gan else module.train_masked
        parts = tmp_path / "parts"
        with pytest.raises(KeyboardInterrupt):
            train(drawn, made, clip, parts, parts, 0, 3, {"final": 3})
        name = "gan" if module is gan else "masked"
        assert torch.load(parts / f"{name}.pt", weights_only=True)["step"] == 1
        monkeypatch.setattr(module, "train", loop.train)
    parts = both("parts")
    for one in whole.rglob("*.safetensors"):
        assert one.read_bytes() == (parts / one.relative_to(whole)).read_bytes()


def test_export_adds_and_removes_nothing_of_others(tmp_path):
    from diffusers import VQModel

    models, trained = tmp_path / "models", tmp_path / "trained"
    (models / "clip").mkdir(parents=True)
    (models / "clip" / "config.json").write_text("{}")
    VQModel(norm_num_groups=8, block_out_channels=(8,)).save_pretrained(trained / "vq")
    masked.make_transformer().save_pretrained(trained / "masked-final" / "transformer")
    gan.save_gan(gan.SynthesisNetwork(16, 8), trained / "gan-final")
    size = export.export_families(trained, models)
    assert sorted(p.name for p in models.iterdir()) == ["clip", "gan-final", "masked-final", "vq"]
    assert size == sum(p.stat().st_size for p in models.rglob("*") if p.is_file()) - 2
    index = (models / "masked-final" / "model_index.json").read_text()
    assert "AmusedPipeline" in index

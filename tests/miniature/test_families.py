"""The families beside diffusion that travel with the package: what they make is what was scored."""

from pathlib import Path

import numpy as np
import pytest

import flasheval
from flasheval.base.resources import miniature_dir
from flasheval.generators.generator import Batch
from flasheval.generators.images import to_images
from flasheval.generators.populations.sources import read_population
from flasheval.generators.seeds import image_seed
from flasheval.miniature import SCORERS
from flasheval.miniature.drawing import draw
from flasheval.miniature.layout import lay_out
from flasheval.miniature.prompts import miniature_prompts
from flasheval.miniature.world import parse_caption
from flasheval.scores import score_difference

ROOT = Path(__file__).parents[2]
TOLERANCE = 0.01
NEW = ("vq", "masked-middle", "masked-final", "gan-middle", "gan-final")


@pytest.fixture(scope="module")
def mixed():
    return flasheval.load_scores("miniature-mixed")


def _family(table, name):
    return [row for row, one in enumerate(table.factor("family")) if one == name]


def test_the_diffusion_variants_are_those_of_the_miniature(mixed):
    known = flasheval.load_scores("miniature")
    same = mixed.with_variants(list(known.variant_names))
    for metric in known.metrics:
        np.testing.assert_array_equal(same[metric].values, known[metric].values)
    assert mixed.prompts.hash == known.prompts.hash
    population = read_population("miniature-families")
    names = tuple(recipe.name for recipe in population.recipes)
    assert mixed.variant_names == (*known.variant_names, *names)
    assert len(names) >= 16
    for metric in mixed.metrics:
        assert np.isfinite(mixed[metric].values).all()


def test_a_sample_run_anew_gives_the_shipped_scores(mixed, tmp_path):
    entries = {one["name"]: one for one in read_population("miniature-families").entries}
    chosen = ["masked-final/steps4", "masked-middle/steps8", "gan-final/mixing", "gan-middle"]
    prompts = miniature_prompts().take(range(500, 505))
    result = flasheval.run(
        {"name": "some", "variants": [entries[name] for name in chosen]},
        prompts,
        SCORERS,
        out=tmp_path / "run",
        batch=3,
        device="cpu",
        progress=False,
    )
    assert not result.failures
    found = score_difference(result.scores, mixed)
    assert [metric.n_cells for metric in found.metrics] == [20, 20, 20]
    found.check(TOLERANCE, "the shipped table")
    for metric in found.metrics:  # another variant's scores are not these
        assert np.abs(metric.scores - np.roll(metric.reference, 1, axis=0)).max() > 5 * TOLERANCE


@pytest.mark.parametrize(("family", "share"), [("masked-token", 0.8), ("gan", 0.6)])
def test_each_family_follows_its_captions(mixed, family, share):
    means = mixed["Composition"].full_means
    small = [row for row, one in enumerate(mixed.factor("base_model")) if one == "small-final"]
    best = max(means[row] for row in _family(mixed, family))
    assert best >= share * max(means[row] for row in small)


@pytest.mark.parametrize("model", ["masked-final", "gan-final"])
def test_a_caption_does_not_always_give_the_same_picture(model):
    from flasheval.set_metrics.extractor_settings import make_extractor

    texts = [text for text in miniature_prompts().texts[:10] for _ in range(6)]
    rng = np.random.default_rng(0)
    real = [draw(lay_out(parse_caption(text), rng)) for text in texts]
    recipe = next(
        one
        for one in read_population("miniature-families").recipes
        if one.variant.factors["base_model"] == model
    )
    ids = tuple(map(str, range(len(texts))))
    batch = Batch(ids, tuple(texts), tuple(image_seed(0, one) for one in ids))
    made = to_images(recipe.generator.load("cpu").generate(batch), len(texts))
    clip = {"name": "clip", "checkpoint": "miniature:clip"}
    extractor = make_extractor("scorer", {"scorer": clip}).load("cpu")

    def spread(images):
        found = np.asarray(extractor.embed(images), np.float64)
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        by_prompt = found.reshape(10, 6, -1)
        return float(((by_prompt - by_prompt.mean(axis=1, keepdims=True)) ** 2).sum(2).mean())

    assert spread(made) >= 0.5 * spread(real)


def test_every_variant_says_what_an_image_costs(mixed):
    seconds = np.array([variant.seconds for variant in mixed.variants])
    assert np.isfinite(seconds).all()
    assert ((seconds > 0) & (seconds < 5)).all()
    evaluations = {one.name: one.factors["evaluations"] for one in mixed.variants}
    assert evaluations["gan-final"] == 1
    assert evaluations["masked-final/steps8"] == 8
    assert evaluations["large-final/DPM10/guidance2.0/fp32"] == 10
    assert max(seconds[_family(mixed, "gan")]) < min(seconds[_family(mixed, "masked-token")])


def test_the_new_weights_are_small():
    files = [path for name in NEW for path in (miniature_dir() / name).rglob("*")]
    assert sum(path.stat().st_size for path in files if path.is_file()) < 8.4e6


@pytest.mark.parametrize("name", ["families.png", "frontier.png", "interpolation.png"])
def test_the_pictures_are_there_and_small(name):
    assert 5_000 < (ROOT / "docs" / "images" / name).stat().st_size < 1e6

"""What travels with the package: models, scores, and that the one gives the other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import flasheval
from flasheval.base.resources import conf_dir, miniature_dir
from flasheval.generators.populations.sources import (
    population_file,
    population_settings,
    read_population,
)
from flasheval.generators.seeds import ImageSeeds
from flasheval.miniature import SCORERS
from flasheval.miniature.prompts import miniature_prompts
from flasheval.scores import load_scores, score_difference

ROOT = Path(__file__).parents[2]
TOLERANCE = 0.01


def _bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def shipped():
    return load_scores("miniature")


@pytest.fixture(scope="module")
def several():
    return load_scores("miniature-images")


def test_it_is_small(shipped):
    assert _bytes(miniature_dir()) <= 22e6
    assert _bytes(miniature_dir().parent / "score_table") < 5e6


def test_weights_are_half_precision_safetensors():
    from safetensors import safe_open

    files = [path for path in miniature_dir().rglob("*") if path.suffix != ".json"]
    names = {path.suffix for path in files if path.is_file()}
    assert names <= {".safetensors", ".txt"}
    for path in miniature_dir().rglob("*.safetensors"):
        with safe_open(path, "np") as weights:
            kinds = {str(weights.get_slice(key).get_dtype()) for key in weights.keys()}  # noqa: SIM118
        assert "F16" in kinds, path
        assert kinds <= {"F16", "I64"}, path


def test_the_table_is_whole_and_of_this_population_and_these_prompts(shipped):
    assert shipped.metrics == ("CLIP", "Composition", "Quality")
    assert shipped.prompts.hash == miniature_prompts().hash
    assert flasheval.load_prompts("miniature").ids == miniature_prompts().ids
    population = read_population("miniature")
    assert shipped.variant_names == tuple(recipe.variant.name for recipe in population.recipes)
    assert len(shipped.variant_names) >= 60
    assert shipped.n_prompts >= 2000
    for metric in shipped.metrics:
        assert np.isfinite(shipped[metric].values).all()
        assert shipped[metric].higher_is_better


def test_a_sample_run_anew_gives_the_shipped_scores(shipped, several, tmp_path):
    settings = population_settings(population_file("miniature"))
    settings["grid"] = [
        {"base_model": "large-final", "scheduler": "DPM", "steps": 5, "guidance": 2.0},
        {"base_model": "small-middle", "scheduler": "DDIM", "steps": 3, "guidance": 2.0},
        {
            "base_model": "small-final",
            "scheduler": "DPM",
            "steps": 5,
            "guidance": 2.0,
            "quantise": "fake-int6",
        },
    ]
    prompts = miniature_prompts()
    some = prompts.take(range(700, 706))
    result = flasheval.run(
        settings, some, SCORERS, out=tmp_path / "run", batch=9, images_per_prompt=3,
        device="cpu", progress=False,
    )  # fmt: skip
    assert not result.failures
    names = list(result.scores.variant_names)
    known = several.with_variants(names).take_prompts(range(700, 706))
    for metric in several.metrics:
        images = result.scores[metric].images
        np.testing.assert_allclose(images, known[metric].images, atol=TOLERANCE)
    first = flasheval.ScoreTable.from_arrays(
        {name: result.scores[name].images[:, :, 0] for name in several.metrics},
        variants=names, prompts=some,
    )  # fmt: skip
    found = score_difference(first, shipped)
    assert found.variants == (3, 0, len(shipped.variant_names) - 3)
    assert [metric.n_cells for metric in found.metrics] == [18, 18, 18]
    found.check(TOLERANCE, "the shipped table")
    for metric in found.metrics[:2]:  # another variant's scores are not these
        assert np.abs(metric.scores - np.roll(metric.reference, 1, axis=0)).max() > 10 * TOLERANCE


def test_the_experiment_names_the_scorers_of_the_table():
    import yaml

    found = yaml.safe_load((conf_dir() / "experiment" / "miniature.yaml").read_text("utf-8"))
    assert tuple(found["scorers"]) == SCORERS
    assert found["tolerance"] == TOLERANCE


@pytest.mark.slow
def test_the_experiment_from_a_shell(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "flasheval", "run", "experiment=miniature", "limit=6"),
            *("chunk=6", "out=mini"),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "They agree" in done.stdout
    assert (tmp_path / "mini" / "contact-sheet.png").read_bytes()[:4] == b"\x89PNG"
    assert json.loads((tmp_path / "mini" / "run.json").read_text())["seed"] == 0


def test_the_contact_sheet_in_the_docs_is_small():
    assert 10_000 < (ROOT / "docs" / "images" / "miniature.png").stat().st_size < 1e6


def test_the_tuning_series_rises_and_falls_on_the_same_prompts(shipped):
    series = load_scores("miniature-tuning")
    assert len(series) >= 20
    assert series.prompts.hash == shipped.prompts.hash
    full = series["CLIP"].full_means
    best = int(full.argmax())
    assert 0 < best < len(full) - 1
    difference = series["CLIP"].values[best] - series["CLIP"].values[[0, -1]]
    errors = difference.std(axis=1, ddof=1) / np.sqrt(series.n_prompts)
    assert (difference.mean(axis=1) > 2 * errors).all()
    assert list(series.factor("step")) == sorted(series.factor("step"))


def test_the_table_of_images_has_the_shipped_ones_first(shipped, several):
    assert _bytes(miniature_dir().parent / "images_table") < 6e6
    assert several.prompts.hash == shipped.prompts.hash
    assert several.variant_names == shipped.variant_names
    assert (several.images_per_prompt, several.seeds) == (3, ImageSeeds(0))
    for metric in shipped.metrics:
        matrix = several[metric]
        assert not np.isnan(matrix.images).any()
        first = shipped[metric].values.astype(np.float16)
        np.testing.assert_array_equal(matrix.images[:, :, 0], first)
        # Each is of its own seed: alike, and not the same.
        pairs = [(0, 1), (0, 2), (1, 2)]
        alike = [
            np.corrcoef(matrix.images[:, :, a].ravel(), matrix.images[:, :, b].ravel())[0, 1]
            for a, b in pairs
        ]
        assert max(alike) - min(alike) < 0.03
        assert 0.5 < min(alike) < max(alike) < 0.9

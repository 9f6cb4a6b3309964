"""From models to a subset through the real command line, with real diffusers pipelines."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from flasheval.scores import load_scores

OBJECTS = ("cat", "dog", "bird", "horse", "train", "bus", "car", "tree")
COLOURS = ("red", "green", "blue", "yellow", "black")
N_PROMPTS = len(OBJECTS) * len(COLOURS)


def _flasheval(*words: object, code: int = 0) -> str:
    command = [sys.executable, "-m", "flasheval", *map(str, words)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == code, ran.stderr + ran.stdout
    assert "Traceback" not in ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def bench(tiny_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with prompts and a population of six variants of four families and a GAN."""
    folder = tmp_path_factory.mktemp("bench")
    rows = [
        {"id": f"{colour}-{thing}", "prompt": f"a photo of a {colour} {thing}"}
        for thing in OBJECTS
        for colour in COLOURS
    ]
    (folder / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    population = {
        "base_models": {
            name: {"checkpoint": str(tiny_models[name])}
            for name in ("sd", "sdxl", "pixart", "amused")
        },
        "grid": [
            {"base_model": "sd", "scheduler": ["DDIM", "DPM"], "steps": 2, "guidance": 3.0},
            {"base_model": ["sdxl", "pixart", "amused"], "steps": 2, "guidance": 3.0},
        ],
    }
    population["base_models"]["pixart"]["options"] = {"use_resolution_binning": False}
    (folder / "five.yaml").write_text(yaml.safe_dump(population))
    gan = {
        "name": "gan",
        "generator": "gan",
        "function": f"{tiny_models['gan']}:load",
        "weights": str(tiny_models["gan"].with_name("gan.safetensors")),
        "latent": [32],
    }
    (folder / "six.yaml").write_text(yaml.safe_dump({**population, "variants": [gan]}))
    return folder


def _units(run: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(run)): (path.stat().st_mtime_ns, path.stat().st_ino)
        for path in (run / "units").rglob("*.json")
    }


@pytest.mark.slow
def test_a_population_is_generated_scored_and_searched(bench, tiny_models):
    run = bench / "run"
    words = [f"prompts={bench / 'prompts.jsonl'}", f"out={run}", "device=cpu", "chunk=20"]
    clip = f"{{name:clip,checkpoint:{tiny_models['clip']}}}"
    pick = f"{{name:pickscore,checkpoint:{tiny_models['clip']}}}"

    said = _flasheval("run", f"population={bench / 'five.yaml'}", *words, f"scorers=[{clip}]")
    assert "Complete: scores of 5 variants on 40 prompts" in said
    first = _units(run)
    assert len(first) == 5 * 2  # variants x chunks, one metric

    # A variant more: only its units are new.
    said = _flasheval("run", f"population={bench / 'six.yaml'}", *words, f"scorers=[{clip}]")
    assert "Complete: scores of 6 variants on 40 prompts" in said
    second = _units(run)
    assert {name: second[name] for name in first} == first
    assert len(second) == 6 * 2

    # A metric more: only its units are new.
    both = f"scorers=[{clip},{pick}]"
    _flasheval("run", f"population={bench / 'six.yaml'}", *words, both)
    third = _units(run)
    assert {name: third[name] for name in second} == second
    assert len(third) == 6 * 2 * 2

    table = load_scores(run)
    assert (len(table), table.n_prompts, table.metrics) == (6, N_PROMPTS, ("CLIP", "PickScore"))
    assert all(share.min() == 1 for share in table.coverage().values())
    values = table["CLIP"].values
    assert np.abs(values).max() <= 1
    assert len({row.tobytes() for row in values}) == 6
    assert table.factor("family").count("gan") == 1
    assert len(set(table.factor("family"))) >= 4
    assert table["CLIP"].scorer_version
    assert table.factor("evaluations")[:2] == (2, 2)

    said = _flasheval("search", f"scores={run}", "size=5", "method=balanced", f"out={bench / 's'}")
    assert "5 of 40 prompts" in said
    assert (bench / "s" / "subset.json").exists()
    said = _flasheval("status", run)
    assert "Complete" in said


@pytest.mark.slow
def test_images_kept_by_generate_are_scored_to_the_same_numbers(bench, tiny_models):
    words = [
        f"population={bench / 'six.yaml'}",
        f"prompts={bench / 'prompts.jsonl'}",
        "device=cpu",
        "limit=10",
    ]
    scorer = f"scorers=[{{name:clip,checkpoint:{tiny_models['clip']}}}]"
    _flasheval("run", *words, f"out={bench / 'whole'}", scorer)
    said = _flasheval("generate", *words, f"out={bench / 'parts'}", "image_store=folder")
    assert "Complete: images of 6 variants on 10 prompts" in said
    assert len(list((bench / "parts" / "images").rglob("*.png"))) == 60
    _flasheval("score", *words, f"out={bench / 'parts'}", "image_store=folder", scorer)
    whole, parts = load_scores(bench / "whole"), load_scores(bench / "parts")
    assert np.array_equal(whole["CLIP"].values, parts["CLIP"].values)
    kept = ("image_store=folder", "keep_images=true", "contact_sheet=true")
    agree = (f"compare={bench / 'whole'}", "tolerance=0")
    said = _flasheval("run", *words, f"out={bench / 'parts'}", scorer, *kept, *agree)
    assert "They agree, within 0." in said
    assert (bench / "parts" / "contact-sheet.png").stat().st_size <= 1_000_000


def test_what_is_missing_is_told_in_a_line(bench):
    prompts = f"prompts={bench / 'prompts.jsonl'}"
    assert "population is missing" in _flasheval("run", prompts, code=2)
    population = f"population={bench / 'six.yaml'}"
    assert "prompts is missing" in _flasheval("run", population, code=2)
    assert "no scorer 'clap'" in _flasheval(
        "run", population, prompts, "scorers=[clap]", "device=cpu", code=2
    )
    assert "-m is for flasheval search" in _flasheval("run", "-m", population, "seed=0,1", code=2)

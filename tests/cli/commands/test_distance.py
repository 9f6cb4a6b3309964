"""The verb end to end: models to kept embeddings to distances and a subset."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from flasheval import Subset
from flasheval.base.errors import FlashevalError
from flasheval.cli import main
from flasheval.cli.commands.context import Context
from flasheval.cli.commands.distance import run_distance
from flasheval.cli.configs import DistanceConfig
from flasheval.set_metrics import FrechetReference, frechet_distance, kernel_distance
from flasheval.set_metrics.kept import read_kept
from flasheval.set_metrics.protocol import COCO_30K

Pillow = pytest.importorskip("PIL.Image")
pytest.importorskip("transformers")

DRAWING = """
import numpy as np

def _drawing(noise):
    def draw(prompts, seeds):
        made = []
        for seed in seeds:
            rng = np.random.default_rng(seed)
            plain = np.ones((12, 12, 3), dtype="f4") * rng.random(3, dtype="f4")
            made.append((1 - noise) * plain + noise * rng.random((12, 12, 3), dtype="f4"))
        return made
    return draw

best, a, b, c, d, e = (_drawing(noise) for noise in (0, 0.1, 0.2, 0.4, 0.6, 0.9))
"""
NAMES = ("best", "a", "b", "c", "d", "e")
N_PROMPTS = 16
SEARCH = ("size=[4,6]", "n_sets=50", "draws=20")


@pytest.fixture(scope="module")
def bench(tiny_models, tmp_path_factory):
    """A folder with a run that kept embeddings, one that did not, and folders of images."""
    folder = tmp_path_factory.mktemp("distance")
    (folder / "drawing.py").write_text(DRAWING)
    (folder / "prompts.txt").write_text("".join(f"thing {i}\n" for i in range(N_PROMPTS)))
    shutil.copytree(tiny_models["clip"], folder / "clip")
    variants = [
        {"name": name, "generator": "function", "function": f"{folder}/drawing.py:{name}"}
        for name in NAMES
    ]
    (folder / "population.yaml").write_text(json.dumps({"variants": variants}))
    clip = f"scorers=[{{name:clip,checkpoint:{folder}/clip}}]"
    words = [f"population={folder}/population.yaml", f"prompts={folder}/prompts.txt", clip]
    words.append("device=cpu")
    kept = ["keep_embeddings=true", "keep_images=true", "image_store=folder"]
    assert main(["run", *words, f"out={folder}/run", *kept]) == 0
    assert main(["run", *words, f"out={folder}/bare", "limit=2"]) == 0
    for number in range(12):
        rng = np.random.default_rng(number)
        pixels = rng.integers(0, 256, (20, 14, 3), dtype=np.uint8)
        (folder / "real").mkdir(exist_ok=True)
        Pillow.fromarray(pixels).save(folder / "real" / f"{number}.png")
    return folder


@pytest.fixture
def distance(bench, run, monkeypatch):
    """A function: distance(*words) in the bench's folder."""
    monkeypatch.chdir(bench)
    return lambda *words: run("distance", *words)


def _rows(folder: Path) -> dict[str, dict[str, float]]:
    return {row["variant"]: row for row in pq.read_table(folder / "distances.parquet").to_pylist()}


def test_from_a_shell_and_again(bench, distance):
    words = ["run=run", "reference=best", *SEARCH]
    done = subprocess.run(
        [sys.executable, "-m", "flasheval", "distance", *words, "out=shell"],
        cwd=bench,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Nearest to best: a, at ")
    assert "lower is better" in lines[1]
    assert max(map(len, lines)) <= 80
    warned = done.stdout.index("warning: 16 images are too few for a covariance of 24 features")
    assert warned < done.stdout.index("variant  images")
    assert "3 search variants: below 20" in done.stdout.replace("\n", " ")
    assert 'use them: flasheval.load_subset("shell/subset-4.json")' in lines

    kept = read_kept(bench / "run", "CLIP")
    best, *others = kept.features
    rows = _rows(bench / "shell")
    assert list(rows) == list("abcde")  # the nearest first
    for name, features in zip("abcde", others, strict=True):
        expected = frechet_distance(features, FrechetReference.of(best)).value
        assert rows[name]["frechet"] == pytest.approx(expected, rel=1e-9)
        paired = kernel_distance(features, best, paired=True)
        assert rows[name]["kid"] == pytest.approx(paired, rel=1e-9)
        assert (rows[name]["images"], rows[name]["infinity"]) == (N_PROMPTS, None)

    # The same command gives the same numbers, on any number of threads.
    assert distance(*words, "out=again", "threads=3").code == 0
    assert _rows(bench / "again") == rows
    for size in (4, 6):
        first = Subset.load(bench / "shell" / f"subset-{size}.json")
        again = Subset.load(bench / "again" / f"subset-{size}.json")
        assert again.content_hash == first.content_hash
        assert again.record.evidence == first.record.evidence


def test_the_subset_is_an_honest_manifest(bench, distance, run):
    assert distance("run=run", "reference=best", "size=4", "n_sets=20", "held_out=[a,d]").code == 0
    (path,) = (bench / "flasheval-runs" / "distance").glob("run-best-*/subset-4.json")
    subset = Subset.load(path)
    assert str(subset.metrics[0]) == "Frechet CLIP (lower is better)"
    assert subset.searched_variants == ("b", "c", "e")
    assert subset.method.settings["n_sets"] == 20
    assert subset.method.settings["reference"]["name"] == "best"
    assert subset.record.evidence.applies_to == "this set"
    assert subset.record.evidence.splits[0].n_held_out == 2
    assert "no estimate" in subset.record.notes[0]
    assert all(prompt.text_hash and prompt.text is None for prompt in subset.prompts)
    shown = run("show", str(path)).out
    assert "Frechet CLIP (lower is better)" in shown
    assert "measured on this exact set" in shown


def test_real_images_and_their_statistics(bench, distance):
    clip = ["extractor=scorer", "extractor.scorer={name:clip,checkpoint:clip}"]
    words = ["run=run", "device=cpu", *clip]
    assert distance(*words, "reference=real", "save_reference=real.npz", "out=o").code == 0
    rows = _rows(bench / "o")
    assert set(rows) == set(NAMES)
    assert all(row["kid"] is not None for row in rows.values())
    ran = distance("run=run", "reference=real.npz", "out=o", "overwrite=true")
    assert "KID takes the reference's images" in ran.out
    for name, row in _rows(bench / "o").items():
        assert row["frechet"] == pytest.approx(rows[name]["frechet"], rel=1e-6)
        assert row["kid"] is None
    distance("run=run", "reference=real").one_line("add extractor=scorer", "scorers=[...]")


def test_folders_of_images_give_a_runs_numbers(bench, distance):
    images = ["images=run/images", "extractor.checkpoint=clip", "device=cpu", "reference=best"]
    assert distance(*images, "prompts=prompts.txt", "out=i", *SEARCH).code == 0
    rows = _rows(bench / "i")
    assert distance("run=run", "reference=best", "out=k", *SEARCH).code == 0
    for name, row in _rows(bench / "k").items():
        assert rows[name]["frechet"] == pytest.approx(row["frechet"], rel=1e-3)
    known = Subset.load(bench / "i" / "subset-4.json")
    assert all(prompt.text_hash for prompt in known.prompts)


def test_a_protocol_takes_its_settings(bench, distance):
    assert (COCO_30K.images, COCO_30K.side) == (30_000, 256)
    words = ["images={x:run/images/a,y:run/images/e}", "reference=real", "device=cpu"]
    words += ["extractor.checkpoint=clip", "protocol=coco-30k"]
    distance(*words).one_line("x: run/images/a has 16 images", "30,000", "protocol.images=16")
    assert distance(*words, "protocol.images=10", "protocol.side=8", "out=p").code == 0
    assert distance(*words, "protocol.images=10", "protocol.side=30", "out=q").code == 0
    small, large = _rows(bench / "p"), _rows(bench / "q")
    assert {row["images"] for row in small.values()} == {10}
    assert small["x"]["frechet"] != pytest.approx(large["x"]["frechet"], rel=1e-3)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["run=bare", "reference=best"], ["kept no embeddings", "keep_embeddings=true"]),
        (["run=run", "reference=best", "protocol.side=1"], ["protocol none has no setting side"]),
        (["run=run", "reference=best", "extractor=clip"], ["no such extractor", "vision"]),
        (["images={a:one}", "reference=real", "extractor.checkpoint=clip"], ["of 1 images"]),
    ],
)
def test_mistakes_are_told_in_a_line(bench, distance, words, parts):
    (bench / "one").mkdir(exist_ok=True)
    Pillow.new("RGB", (8, 8)).save(bench / "one" / "1.png")
    before = set((bench / "flasheval-runs").rglob("*"))
    distance(*words, "device=cpu").one_line(*parts)
    assert set((bench / "flasheval-runs").rglob("*")) == before  # nothing is left behind


CLIP = {"name": "vision", "checkpoint": "clip"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"reference": "best"}, r"run=FOLDER .* images=\{name:folder"),
        ({"run": "run"}, "reference is missing: a folder"),
        ({"run": "run", "images": "real", "reference": "best"}, "not both"),
        ({"run": "nowhere", "reference": "best"}, "nowhere holds no run"),
        ({"run": "run", "reference": "bets"}, "reference=bets: .* did you mean 'best'"),
        ({"run": "run", "reference": "none.npz"}, "none.npz does not exist"),
        ({"run": "run", "reference": "wide.npz"}, "wide.npz is of 5 features, .* have 24"),
        ({"run": "run", "reference": "best", "metric": "HPS"}, "no metric 'HPS'"),
        ({"run": "run", "reference": "best", "size": [4, 17]}, "size=17: .* the 16 prompts"),
        ({"run": "run", "reference": "best", "size": "x"}, r"size=x: .* \[50,100\]"),
        ({"run": "run", "reference": "best", "n_sets": 0}, "n_sets=0"),
        ({"run": "run", "reference": "best", "save_reference": "x"}, "save_reference=x"),
        ({"run": "run", "reference": "best", "prompts": "x"}, "prompts belong to images="),
        ({"run": "run", "reference": "best", "size": 4, "held_out": 0.9}, "1 of 5 variants"),
        ({"images": "run/images", "metric": "CLIP", "reference": "best"}, "metric belongs to run="),
        ({"images": "real", "reference": "real", "extractor": CLIP}, "images=real: expected"),
        ({"images": {"a": "real"}, "reference": "a", "extractor": CLIP}, "the only variant"),
    ],
)
def test_settings_that_cannot_be(bench, monkeypatch, tmp_path, settings, said):
    FrechetReference.of(np.random.default_rng(0).normal(size=(9, 5))).save(bench / "wide.npz")
    monkeypatch.chdir(bench)
    config = DistanceConfig(device="cpu", **settings)
    with pytest.raises(FlashevalError, match=said):
        run_distance(config, Context(Console(quiet=True), tmp_path))
    assert list(tmp_path.iterdir()) == []

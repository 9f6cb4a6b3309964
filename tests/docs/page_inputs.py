"""The files that the pages' commands read: small, made up from a seed, under the pages' names."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import flasheval
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreTable
from flasheval.scores.synthetic import synthetic_scores

__all__ = ["make_inputs"]

N_VARIANTS, N_PROMPTS = 24, 120
TOPICS = ("animals", "food", "places")


def make_inputs(folder: Path) -> None:
    """Write every file that a page reads and no page makes into a folder."""
    table = _table()
    table.save(folder / "coco")
    table.save(folder / "ddb")
    _prompts(table.prompts, folder)
    _tables_of_scores(table, folder)
    _votes(folder)
    _subset_and_reports(table, folder)


def _table() -> ScoreTable:
    """24 variants by 120 prompts, CLIP and HPS, of four families."""
    made = synthetic_scores(N_VARIANTS, N_PROMPTS)
    prompts = PromptSet("coco", made.prompts.ids, made.prompts.texts)
    scores = {
        name: replace(made[old], metric=name, prompt_set_hash=prompts.hash)
        for name, old in (("CLIP", "quality"), ("HPS", "alignment"))
    }
    return ScoreTable(prompts, made.variants, scores)


def _prompts(prompts: PromptSet, folder: Path) -> None:
    rows = [
        {"id": one, "text": text, "category": TOPICS[number % 3]}
        for number, (one, text) in enumerate(zip(prompts.ids, prompts.texts or (), strict=True))
    ]
    for name in ("coco.jsonl", "prompts.jsonl"):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    header = ("uid", "set", "number", "wording", "topic", "skill")
    wordings = ((row["id"], row["text"], row["category"]) for row in rows)
    mine = [
        (uid, f"set{n % 2}", n, text, topic, ("count", "colour")[n % 2])
        for n, (uid, text, topic) in enumerate(wordings)
    ]
    _write_csv(folder / "mine.csv", header, mine)


def _tables_of_scores(table: ScoreTable, folder: Path) -> None:
    from openpyxl import Workbook

    ids, names = table.prompts.ids, table.variant_names
    clip, hps = (table[metric].values for metric in ("CLIP", "HPS"))
    wide = [(one, *map(float, clip[:, row])) for row, one in enumerate(ids)]
    for name in ("clip.csv", "scores.csv"):
        _write_csv(folder / name, ("prompt_id", *names), wide)
    cells = [(v, p) for v in range(len(names)) for p in range(len(ids))]
    _write_csv(
        folder / "results.csv",
        ("model", "id", "CLIP", "HPS"),
        [(names[v], ids[p], clip[v, p], hps[v, p]) for v, p in cells],
    )
    steps = [str(variant.factors["steps"]) for variant in table.variants]
    models = [name.removesuffix(step) for name, step in zip(names, steps, strict=True)]
    _write_csv(
        folder / "sweep.csv",
        ("model", "steps", "prompt_id", "CLIP"),
        [(models[v], steps[v], ids[p], clip[v, p]) for v, p in cells],
    )
    book = Workbook()
    book.active.append(("model", "prompt", "CLIP", "HPS"))
    for v, p in cells:
        book.active.append((names[v], ids[p], float(clip[v, p]), float(hps[v, p])))
    book.save(folder / "results.xlsx")
    two = ("sd15", "sdxl")
    _write_csv(
        folder / "wide.csv",
        ("prompt_id", *two, *(f"model-{n}" for n in range(10)), "difficulty", "Average"),
        [(one, *map(float, clip[:14, row])) for row, one in enumerate(ids)],
    )
    costs = [(name, 0.1 + place / 50) for place, name in enumerate(names)]
    _write_csv(folder / "costs.csv", ("variant", "seconds"), costs)
    long = {
        "variant": [names[v] for v, _ in cells],
        "prompt_id": [ids[p] for _, p in cells],
        "metric": ["CLIP"] * len(cells),
        "score": [float(clip[v, p]) for v, p in cells],
    }
    pq.write_table(pa.table(long), folder / "long.parquet")
    pq.write_table(pa.table(long), folder / "all-models.parquet")


def _votes(folder: Path) -> None:
    rng = np.random.default_rng(0)
    models = tuple(f"model-{n}" for n in range(8))
    votes = []
    for number, (a, b) in product(range(60), combinations(range(len(models)), 2)):
        winner = "a" if rng.normal(a - b) > 0 else "b"
        votes.append((models[a], models[b], f"p{number}", winner, f"rater{(a + b) % 5}"))
    keys = ("model_a", "model_b", "prompt_id", "winner", "rater")
    document = {
        "format": "flasheval-votes",
        "version": 1,
        "votes": [dict(zip(keys, vote, strict=True)) for vote in votes],
    }
    (folder / "study.json").write_text(json.dumps(document), "utf-8")
    header = ("left_system", "right_system", "prompt_id", "choice", "worker")
    _write_csv(folder / "log.csv", header, votes)


def _subset_and_reports(table: ScoreTable, folder: Path) -> None:
    """A subset of the scores, and reports of two models on it that draw a grey of their own."""
    searched = table.with_variants(range(N_VARIANTS - 6))  # an audit is of the other six
    result = flasheval.search(searched, metric="CLIP", size=10, method="balanced", splits=None)
    result.subset.save(folder / "my-subset.json")
    (folder / "reports").mkdir()
    level = float(np.nanmean(table["CLIP"].values))
    names = {"2000": 0.05, "1000": 0.0}
    for name, shift in names.items():
        report = flasheval.evaluate(
            _images,
            result.subset,
            [_scorer(level + shift)],
            name=f"step-{name}",
        )
        report.save(folder / "reports" / f"{name}.json")
    for name, same in (("a", "2000"), ("new", "2000"), ("b", "1000"), ("old", "1000")):
        text = (folder / "reports" / f"{same}.json").read_bytes()
        (folder / f"{name}.json").write_bytes(text)
    pictures = {"base": _images, "tuned": _images}
    flasheval.run(
        pictures, table.prompts, [_scorer(level)], out=folder / "my-run", keep_images=True
    )
    (folder / "step-2000.json").write_bytes((folder / "a.json").read_bytes())


def _images(prompts: Sequence[str], seeds: Sequence[int]) -> list[object]:
    from PIL import Image

    return [Image.new("RGB", (8, 8), (seed % 256, 0, 0)) for seed in seeds]


def _scorer(level: float) -> object:
    def CLIP(images: Sequence[object], prompts: Sequence[str]) -> np.ndarray:  # noqa: N802
        reds = [image.getpixel((0, 0))[0] / 255 for image in images]  # type: ignore[attr-defined]
        return np.array([level + 0.1 * (red - 0.5) for red in reds], dtype=np.float32)

    return CLIP


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)

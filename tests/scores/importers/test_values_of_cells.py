"""Several values of one variant and prompt stay beside their mean, whatever they are read from."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flasheval.scores import ScoreTable, load_scores
from flasheval.scores.importers.by_shape import read_scores
from flasheval.scores.importers.values_of_cells import images_of_metric, values_in_cells

VARIANTS, PROMPTS = ("sd15", "sdxl", "flux"), ("p0", "p1", "p2", "p3", "p4")
IMAGES = np.random.default_rng(0).random((3, 5, 4)).round(3)
IMAGES[0, 1, 2] = IMAGES[2, 4, 0] = np.nan  # two that failed
IMAGES = IMAGES.astype(np.float32)


def rows(name: str) -> list[dict[str, Any]]:
    return [
        {"model": variant, "prompt_id": prompt, name: 100 + k, "score": float(IMAGES[v, p, k])}
        for k in range(4)
        for v, variant in enumerate(VARIANTS)
        for p, prompt in enumerate(PROMPTS)
        if not np.isnan(IMAGES[v, p, k])
    ]


def to_csv(path: Path, records: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    return path


def lists(folder: Path) -> Path:
    cells = [[IMAGES[v, p].tolist() for p in range(5)] for v in range(3)]
    cells = [[[x for x in one if x == x] for one in row] for row in cells]
    table = pa.table({"prompt_id": PROMPTS, **dict(zip(VARIANTS, cells, strict=True))})
    pq.write_table(table, folder / "score.parquet")
    return folder / "score.parquet"


def columns_of_raters(folder: Path) -> Path:
    records = [
        {"model": variant, "prompt_id": prompt}
        | {f"rater{k}": "" if np.isnan(x) else float(x) for k, x in enumerate(IMAGES[v, p])}
        for v, variant in enumerate(VARIANTS)
        for p, prompt in enumerate(PROMPTS)
    ]
    return to_csv(folder / "score.csv", records)


def wide_with_seeds(folder: Path) -> Path:
    records = [
        {"prompt_id": prompt, "seed": k}
        | {
            variant: "" if np.isnan(IMAGES[v, p, k]) else float(IMAGES[v, p, k])
            for v, variant in enumerate(VARIANTS)
        }
        for p, prompt in enumerate(PROMPTS)
        for k in range(4)
    ]
    return to_csv(folder / "score.csv", records)


def npz(folder: Path, name: str = "score.npz", **entries: Any) -> Path:
    arrays = {"scores": IMAGES, "variants": VARIANTS, "prompt_ids": PROMPTS, **entries}
    np.savez(folder / name, **arrays)
    return folder / name


def geneval(folder: Path) -> Path:
    for v, variant in enumerate(VARIANTS):
        (folder / variant).mkdir()
        lines = [
            {
                "filename": f"{variant}/{p:05d}/samples/{k:05d}.png",
                "tag": "colors",
                "prompt": f"a photo of thing {p}",
                "correct": float(IMAGES[v, p, k]),
                "reason": "",
                "metadata": "{}",
                "details": "{}",
            }
            for p in range(5)
            for k in range(4)
            if not np.isnan(IMAGES[v, p, k])
        ]
        text = "\n".join(map(json.dumps, lines))
        (folder / variant / "results.jsonl").write_text(text, encoding="utf-8")
    return folder


def frame(folder: Path) -> Any:
    return pytest.importorskip("pandas").DataFrame(rows("seed"))


SOURCES: dict[str, Callable[[Path], Any]] = {
    "long, a row a seed": lambda folder: to_csv(folder / "score.csv", rows("seed")),
    "long, a row a rater": lambda folder: to_csv(folder / "score.csv", rows("rater")),
    "a column a rater": columns_of_raters,
    "wide, a row a seed": wide_with_seeds,
    "npz": npz,
    "npz, the metrics first": lambda folder: npz(
        folder, scores=np.stack([IMAGES, 2 * IMAGES]), metrics=["score", "twice"]
    ),
    "GenEval results": geneval,
    "pandas": frame,
    "records": lambda folder: rows("image"),
    "an array with names": lambda folder: {
        "scores": IMAGES, "variants": VARIANTS, "prompt_ids": PROMPTS
    },
    "arrays by metric, with names": lambda folder: {
        "scores": np.stack([IMAGES, 2 * IMAGES]),
        "metrics": ["score", "twice"],
        "variants": VARIANTS,
        "prompt_ids": PROMPTS,
    },
}  # fmt: skip


@pytest.mark.parametrize("what", SOURCES)
def test_images_are_kept_saved_merged_and_chosen(what: str, tmp_path: Path) -> None:
    folder = tmp_path / "read"
    folder.mkdir()
    table = load_scores(SOURCES[what](folder))
    matrix = table[table.metrics[0]]
    order = [table.variant_names.index(name) for name in VARIANTS]
    prompts = [place for place in range(5) if "GenEval" in what] or [
        table.prompts.ids.index(one) for one in PROMPTS
    ]
    assert matrix.images is not None
    np.testing.assert_array_equal(matrix.images[order][:, prompts], IMAGES)
    assert matrix.images.dtype == np.float32
    mean = np.nanmean(IMAGES.astype(np.float64), axis=2)
    np.testing.assert_allclose(matrix.values[order][:, prompts], mean, rtol=1e-6)

    again = ScoreTable.load(table.save(tmp_path / "saved"))
    assert again.content_hash == table.content_hash
    np.testing.assert_array_equal(again[matrix.metric].images, matrix.images)
    assert load_scores(tmp_path / "saved").content_hash == table.content_hash

    halves = table.with_variants([0]), table.with_variants([1, 2])
    assert halves[0].merge(halves[1]).content_hash == table.content_hash
    chosen = table.take_prompts([3, 1])[matrix.metric]
    assert chosen.images is not None
    np.testing.assert_array_equal(chosen.images, matrix.images[:, [3, 1]])


def test_lists_in_cells_are_images_packed_where_one_is_missing(tmp_path: Path) -> None:
    table = load_scores(lists(tmp_path))
    images = table["score"].images
    assert images is not None
    assert images.shape == IMAGES.shape
    packed = IMAGES[0, 1][~np.isnan(IMAGES[0, 1])]
    np.testing.assert_array_equal(images[0, 1, :3], packed)
    assert np.isnan(images[0, 1, 3])


def test_how_many_is_said(tmp_path: Path) -> None:
    how = read_scores(geneval(tmp_path)).how
    assert how == "read as GenEval results: 3 models, 5 prompts, 3 to 4 images a prompt"


def test_one_value_a_cell_takes_no_more_memory(tmp_path: Path) -> None:
    single = [row for row in rows("seed") if row["seed"] == 101]
    assert load_scores(to_csv(tmp_path / "one.csv", single))["one"].images is None
    assert load_scores(npz(tmp_path, scores=IMAGES[..., :1]))["score"].images is None
    twice = load_scores(to_csv(tmp_path / "two.csv", single * 2))["two"]
    assert twice.images is not None  # two rows of one seed: both count
    same = [{k: v for k, v in row.items() if k != "seed"} for row in single]
    assert load_scores(to_csv(tmp_path / "same.csv", same * 2))["same"].images is None


def test_metrics_of_one_file_keep_their_own_images(tmp_path: Path) -> None:
    records = [
        {"model": m, "prompt_id": p, "metric": metric, "seed": seed, "score": seed + len(p + m)}
        for m in ("sd15", "sdxl2")
        for p in ("p0", "p11")
        for metric, seeds in (("clip", (1, 2, 3)), ("hps", (1,)))
        for seed in seeds
    ]
    table = load_scores(to_csv(tmp_path / "both.csv", records))
    assert table["clip"].images is not None
    assert table["clip"].images.shape == (2, 2, 3)
    assert table["hps"].images is None


def test_numbers_that_cells_do_not_share_are_counted_in_each() -> None:
    cells, scores = np.array([0, 0, 1, 1, 2]), np.arange(5.0)
    shared = np.array([7, 9, 9, 7, 9])
    kept = values_in_cells(cells, scores, 3, repeated=True, numbers=shared)[1]
    np.testing.assert_array_equal(kept, [[0, 1], [3, 2], [np.nan, 4]])
    for numbers in (np.arange(5), np.zeros(5, dtype=np.int64)):
        counted = values_in_cells(cells, scores, 3, repeated=True, numbers=numbers)[1]
        np.testing.assert_array_equal(counted, [[0, 1], [2, 3], [4, np.nan]])


def test_places_that_a_metric_never_has_are_left_out() -> None:
    images = np.array([[[1, np.nan, 2], [3, np.nan, np.nan]]])
    kept = images_of_metric(images)
    assert kept is not None
    np.testing.assert_array_equal(kept, [[[1, 2], [3, np.nan]]])
    assert images_of_metric(np.array([[[1, np.nan], [np.nan, 3]]])) is None
    assert images_of_metric(None) is None


def test_models_may_have_images_of_other_numbers(tmp_path):
    """Three images in all, two of a model: a place for each of the three."""
    path = tmp_path / "ratings.csv"
    path.write_text("model,prompt,image,seed,score\na,x,9,0,1\na,x,2.png,1,2\nb,x,1.png,0,3\n")
    table = load_scores(path)
    (metric,) = table.metrics
    assert table[metric].full_means.tolist() == [1.5, 3.0]

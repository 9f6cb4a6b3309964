"""Scores that float32 cannot tell apart rank exactly, whatever they are read from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import flasheval
from flasheval.base.errors import DataError
from flasheval.scores import ScoreTable, load_scores
from flasheval.scores.importers.flasheval_official import FlashevalOfficial

VARIANTS = tuple(f"model-{letter}" for letter in "abcdefgh")
PROMPTS = tuple(f"p{place:02d}" for place in range(12))
_RNG = np.random.default_rng(0)
_NOISE = _RNG.permutation(8)[:, None] * 2 + _RNG.integers(0, 4, (8, 12))
KINDS: dict[str, np.ndarray[Any, Any]] = {
    "an offset of a million": 1e6 + _NOISE / 128,
    "below minus a million": -1e6 - _NOISE / 64,
    "a narrow range": 50 + _NOISE / 2**20,
    "whole numbers above 2^24": (2**24 + _NOISE).astype(np.int64),
    "whole numbers above 2^40": (2**40 + 1000 * _NOISE).astype(np.int64),
}


def records(scores: Any, variant: str = "model") -> list[dict[str, Any]]:
    return [
        {variant: name, "prompt_id": prompt, "score": scores[v, p].item()}
        for v, name in enumerate(VARIANTS)
        for p, prompt in enumerate(PROMPTS)
    ]


def columns(scores: Any) -> dict[str, list[Any]]:
    return {"prompt_id": list(PROMPTS), **dict(zip(VARIANTS, scores.tolist(), strict=True))}


def nested(scores: Any) -> dict[str, dict[str, Any]]:
    return {
        name: dict(zip(PROMPTS, row, strict=True))
        for name, row in zip(VARIANTS, scores.tolist(), strict=True)
    }


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def lines(header: list[str], rows: list[list[Any]], separator: str = ",") -> str:
    return "\n".join(separator.join(map(str, row)) for row in [header, *rows]) + "\n"


def wide(scores: Any) -> tuple[list[str], list[list[Any]]]:
    return ["prompt_id", *VARIANTS], [
        [one, *scores[:, p].tolist()] for p, one in enumerate(PROMPTS)
    ]


def long(scores: Any) -> tuple[list[str], list[list[Any]]]:
    return ["model", "prompt_id", "score"], [list(row.values()) for row in records(scores)]


def semicolons(folder: Path, scores: Any) -> Path:
    header, rows = wide(scores)
    text = lines(header, [[str(one).replace(".", ",") for one in row] for row in rows], ";")
    return write(folder / "s.csv", text)


def turned(folder: Path, scores: Any) -> Path:
    rows = [[name, *row] for name, row in zip(VARIANTS, scores.tolist(), strict=True)]
    return write(folder / "s.csv", lines(["model", *PROMPTS], rows))


def with_seeds(folder: Path, scores: Any) -> Path:
    apart = np.ptp(scores).item() / 2
    if scores.dtype.kind == "i":
        apart = int(apart)
    rows = [
        [*list(row.values())[:2], seed, row["score"] + shift]
        for row in records(scores)
        for seed, shift in ((1, -apart), (2, apart))
    ]
    return write(folder / "s.csv", lines(["model", "prompt_id", "seed", "score"], rows))


def parquet(folder: Path, table: dict[str, Any]) -> Path:
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), folder / "s.parquet")
    return folder / "s.parquet"


def feather(folder: Path, scores: Any) -> Path:
    pyarrow.feather.write_feather(pa.table(columns(scores)), str(folder / "s.feather"))
    return folder / "s.feather"


def cells_of_lists(folder: Path, scores: Any) -> Path:
    table = {k: v if k == "prompt_id" else [[x, x] for x in v] for k, v in columns(scores).items()}
    return parquet(folder, table)


def file_a_variant(folder: Path, scores: Any) -> Path:
    for name, row in nested(scores).items():
        text = lines(["prompt_id", "score"], [list(pair) for pair in row.items()])
        write(folder / "all" / f"{name}.csv", text)
    return folder / "all"


def npz(folder: Path, scores: Any) -> Path:
    np.savez(folder / "s.npz", scores=scores, models=VARIANTS, prompt_ids=PROMPTS)
    return folder / "s.npz"


def lm_eval(folder: Path, scores: Any) -> Path:
    for name, row in nested(scores).items():
        text = "\n".join(
            json.dumps({"doc_id": p, "doc": {}, "metrics": ["acc"], "filter": "none", "acc": one})
            for p, one in enumerate(row.values())
        )
        write(folder / name / "samples_task_2026-01-01T10-00-00.000000.jsonl", text)
    return folder


def pandas(scores: Any) -> Any:
    return pytest.importorskip("pandas").DataFrame(columns(scores))


def polars(scores: Any) -> Any:
    return pytest.importorskip("polars").DataFrame(records(scores))


def excel(folder: Path, scores: Any) -> Path:
    book = pytest.importorskip("openpyxl").Workbook()
    header, rows = wide(scores)
    for row in [header, *rows]:
        book.active.append(row)
    book.save(folder / "s.xlsx")
    return folder / "s.xlsx"


SOURCES: dict[str, Callable[[Path, Any], Any]] = {
    "a wide CSV": lambda folder, s: write(folder / "s.csv", lines(*wide(s))),
    "a long CSV": lambda folder, s: write(folder / "s.csv", lines(*long(s))),
    "a TSV": lambda folder, s: write(folder / "s.tsv", lines(*wide(s), "\t")),
    "decimal commas": semicolons,
    "a turned CSV": turned,
    "a CSV with seeds": with_seeds,
    "a file a variant": file_a_variant,
    "wide Parquet": lambda folder, s: parquet(folder, columns(s)),
    "long Parquet": lambda folder, s: parquet(folder, pa.Table.from_pylist(records(s))),
    "Feather": feather,
    "Excel": excel,
    "lists in cells": cells_of_lists,
    "JSON records": lambda folder, s: write(folder / "s.json", json.dumps(records(s))),
    "JSON by variant": lambda folder, s: write(folder / "s.json", json.dumps(nested(s))),
    "JSON lines": lambda folder, s: write(
        folder / "s.jsonl", "\n".join(map(json.dumps, records(s)))
    ),
    "npz": npz,
    "lm-eval samples": lm_eval,
    "pandas": lambda _, s: pandas(s),
    "polars": lambda _, s: polars(s),
    "Arrow": lambda _, s: pa.table(columns(s)),
    "records": lambda _, s: records(s),
    "columns": lambda _, s: columns(s),
    "a dict of dicts": lambda _, s: nested(s),
    "an array with names": lambda _, s: {"scores": s, "models": VARIANTS, "prompt_ids": PROMPTS},
    "arrays": lambda _, s: ScoreTable.from_arrays(s, variants=VARIANTS, prompts=PROMPTS),
    "a frame of our own": lambda _, s: ScoreTable.from_arrays(
        s, variants=VARIANTS, prompts=PROMPTS
    ).to_pandas(),
}


def is_exact(table: ScoreTable, scores: Any, prompts: tuple[str, ...] = PROMPTS) -> None:
    (matrix,) = table.matrices.values()
    rows = [table.variant_names.index(name) for name in VARIANTS]
    places = [table.prompts.ids.index(one) for one in prompts]
    np.testing.assert_allclose(matrix.values[rows][:, places], scores, rtol=2.0**-51)
    assert matrix.exact
    assert matrix.full_means[rows].argsort().tolist() == scores.mean(axis=1).argsort().tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", SOURCES)
def test_every_importer_keeps_them_apart(what: str, kind: str, tmp_path: Path) -> None:
    scores = KINDS[kind]
    (tmp_path / "read").mkdir()
    table = load_scores(SOURCES[what](tmp_path / "read", scores))
    by_number = what == "lm-eval samples"
    is_exact(table, scores, tuple(map(str, range(12))) if by_number else PROMPTS)
    again = ScoreTable.load(table.save(tmp_path / "saved"))
    assert again.content_hash == table.content_hash
    half, rest = table.with_variants(range(3)), table.with_variants(range(2, 8))
    assert half.merge(rest).content_hash == table.content_hash
    assert table.take_prompts(range(5))[table.metrics[0]].exact


def test_the_official_tree_keeps_them_apart(tmp_path: Path) -> None:
    scores = KINDS["an offset of a million"]
    for place, row in enumerate(scores):
        name = tmp_path / "tree" / "CLIP" / f"m{place}" / "CLIP-DDIM10step-fp-score.json"
        write(name, json.dumps(dict(zip(PROMPTS, row.tolist(), strict=True))))
    prompts = flasheval.PromptSet("set", PROMPTS, tuple(f"text {one}" for one in PROMPTS))
    matrix = FlashevalOfficial(prompts=prompts, expected=()).read(tmp_path / "tree").table["CLIP"]
    np.testing.assert_array_equal(matrix.values, scores)


def test_tables_of_other_precision_merge_where_their_scores_are_the_same() -> None:
    scores = KINDS["an offset of a million"]
    exact = ScoreTable.from_arrays(scores, variants=VARIANTS, prompts=PROMPTS)
    coarse = ScoreTable.from_arrays(scores.astype(np.float32), variants=VARIANTS, prompts=PROMPTS)
    assert not coarse["score"].exact
    for one, other in ((exact, coarse), (coarse, exact)):
        np.testing.assert_array_equal(one.merge(other)["score"].values, scores)


@pytest.mark.parametrize("kind", KINDS)
def test_no_message_says_that_all_are_the_same(kind: str, tmp_path: Path) -> None:
    source = write(tmp_path / "s.csv", lines(*wide(KINDS[kind])))
    result = flasheval.search(source, size=3, method="pooled", draws=10, progress=False)
    told = " ".join(result.warnings)
    assert "same" not in told
    assert "its scores need more digits than float32 has" in told
    means = KINDS[kind].mean(axis=1)
    known = {one.name: one.full_means["s"] for one in result.subset.record.known_variants}
    assert sorted(VARIANTS, key=known.__getitem__) == [VARIANTS[v] for v in means.argsort()]


def test_scores_that_are_all_the_same_are_said_to_be(tmp_path: Path) -> None:
    source = write(tmp_path / "s.csv", lines(*wide(np.full((8, 12), 1e6 + 0.25))))
    with pytest.raises(DataError, match="all 8 variants have the same full score"):
        flasheval.search(source, size=3, method="pooled", progress=False)

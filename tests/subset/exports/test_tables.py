"""JSON lines, CSV and Parquet, read back by the readers people use."""

import io
import json

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.prompts import load_prompts, text_hash
from flasheval.subset.exports import export, make_format

COLUMNS = ["prompt_id", "text", "weight", "multiplicity", "text_sha256", "sources"]
TEXTS = ("a cat", ' "two, words"\nand a line', "NA", "", "\u2028 日本 🦊", "1e5")


def _check(table, subset):
    """The columns, as lists, hold what the subset does."""
    assert list(table) == COLUMNS
    assert table["prompt_id"] == list(subset.ids)
    assert table["text"] == list(subset.texts)
    assert table["text_sha256"] == [text_hash(text) for text in subset.texts]
    assert table["weight"] == [prompt.weight for prompt in subset.prompts]
    assert table["multiplicity"] == [prompt.multiplicity for prompt in subset.prompts]
    assert list(map(json.loads, table["sources"])) == [dict(p.sources) for p in subset.prompts]


@pytest.fixture
def subset(make_subset):
    return make_subset(*TEXTS, weights=(1, 2, 0.5, 1, 1, 1), draws=(1, 1, 3, 1, 1, 1))


def test_json_lines_in_pandas_polars_and_datasets(subset, tmp_path):
    import datasets

    path = tmp_path / "a.jsonl"
    path.write_bytes(export(subset, "jsonl"))
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    table = {key: [row[key] for row in rows] for key in rows[0]}
    _check({**table, "sources": list(map(json.dumps, table["sources"]))}, subset)
    pandas = pd.read_json(path, lines=True, dtype=False)
    assert pandas["text"].tolist() == list(subset.texts)
    assert pl.read_ndjson(path)["text"].to_list() == list(subset.texts)
    loaded = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert list(loaded["text"]) == list(subset.texts)
    assert loaded["weight"] == [1, 2, 0.5, 1, 1, 1]


def test_csv_in_pandas_polars_and_duckdb(subset, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(export(subset, "csv"))
    pandas = eval(make_format("csv").how(str(path))[0], {"pandas": pd})  # noqa: S307 - as printed
    _check(pandas.to_dict("list"), subset)
    polars = pl.read_csv(path, schema_overrides={"prompt_id": pl.String})
    _check({key: polars[key].to_list() for key in polars.columns}, subset)
    found = duckdb.read_csv(str(path), all_varchar=True).fetchall()
    assert [row[1] or "" for row in found] == list(subset.texts)


def test_parquet_in_pandas_polars_and_duckdb(subset, tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(export(subset, "parquet"))
    _check(pd.read_parquet(path).to_dict("list"), subset)
    polars = pl.read_parquet(path)
    _check({key: polars[key].to_list() for key in polars.columns}, subset)
    _check({k: v.tolist() for k, v in duckdb.read_parquet(str(path)).fetchnumpy().items()}, subset)
    metadata = pq.read_schema(path).metadata
    assert metadata[b"flasheval.subset"] == b"odd"
    assert metadata[b"flasheval.content_hash"].decode() == subset.content_hash
    assert export(subset, "parquet") == path.read_bytes()


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_load_prompts_reads_them_too(subset, tmp_path, form):
    path = tmp_path / f"a.{form}"
    path.write_bytes(export(subset, form))
    prompts = load_prompts(path)
    assert prompts.ids == subset.ids
    assert prompts.texts == subset.texts
    subset.verify(prompts)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_text_comes_back_or_is_refused(data, odd_lists, written):
    texts = data.draw(odd_lists)
    lines = written(texts, "jsonl").decode().splitlines()
    assert [json.loads(line)["text"] for line in lines] == texts
    table = pq.read_table(io.BytesIO(written(texts, "parquet")))
    assert table["text"].to_pylist() == texts
    csv = written(texts, "csv")
    assert (csv is None) == any("\0" in text for text in texts)
    if csv is not None:
        pandas = pd.read_csv(io.BytesIO(csv), keep_default_na=False, dtype=str)
        assert pandas["text"].tolist() == texts
        polars = pl.read_csv(io.BytesIO(csv), infer_schema=False)
        assert polars["text"].to_list() == texts

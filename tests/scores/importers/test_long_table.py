import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.prompts import PromptSet
from flasheval.scores import load_scores
from flasheval.scores.importers.long_table import LongTable

_ROWS = [
    ("a", "p1", "clip", 0.5),
    ("a", "p2", "clip", 0.25),
    ("b", "p1", "clip", 1.0),
    ("b", "p1", "fid", 9.0),
]
_KEYS = ("variant", "prompt_id", "metric", "score")


def _write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def _csv(path, rows=_ROWS, header="variant,prompt_id,metric,score"):
    return _write(path, "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl", ".json"])
def test_every_format_gives_the_same_table(tmp_path, suffix):
    path = tmp_path / f"long{suffix}"
    if suffix in (".csv", ".tsv"):
        _csv(path)
        if suffix == ".tsv":
            path.write_text(path.read_text().replace(",", "\t"))
    elif suffix == ".parquet":
        columns = dict(zip(_KEYS, map(list, zip(*_ROWS, strict=True)), strict=True))
        pq.write_table(pa.table(columns), path)
    else:
        rows = [dict(zip(_KEYS, row, strict=True)) for row in _ROWS]
        text = json.dumps(rows) if suffix == ".json" else "\n".join(map(json.dumps, rows))
        path.write_text(text)
    table = load_scores(path, higher_is_better={"fid": False})
    assert table.metrics == ("clip", "fid")
    assert table.variant_names == ("a", "b")
    assert table.prompts.ids == ("p1", "p2")
    assert table["fid"].higher_is_better is False
    np.testing.assert_array_equal(table["clip"].values, [[0.5, 0.25], [1, np.nan]])
    np.testing.assert_array_equal(table["fid"].values, [[np.nan, np.nan], [9, np.nan]])


_CELLS = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.sampled_from(["m", "n"])),
    st.floats(-1e6, 1e6, width=32) | st.just(float("nan")),
    min_size=1,
)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_CELLS, st.booleans(), st.randoms())
def test_every_score_finds_its_cell(tmp_path, cells, repeated, random):
    rows = [(*key, value) for key, value in cells.items()] * (1 + repeated)
    random.shuffle(rows)
    path = tmp_path / "long.jsonl"
    path.write_text("\n".join(json.dumps(dict(zip(_KEYS, row, strict=True))) for row in rows))
    table = load_scores(path)
    for (variant, prompt, metric), value in cells.items():
        row = table.variant_names.index(variant)
        column = table.prompts.ids.index(str(prompt))
        np.testing.assert_equal(table[metric].values[row, column], np.float32(value))
    measured = sum(int((~np.isnan(m.values)).sum()) for m in table.matrices.values())
    assert measured == sum(value == value for value in cells.values())


def test_two_scores_in_one_cell_give_their_mean_and_are_told(tmp_path):
    rows = [*_ROWS, ("a", "p1", "clip", 0.75), ("a", "p1", "clip", "")]
    with pytest.warns(UserWarning, match="up to 2 values a cell; no column says what tells"):
        table = load_scores(_csv(tmp_path / "long.csv", rows))
    assert table["clip"].values[0, 0] == 0.625
    same = [*_ROWS, ("a", "p1", "clip", 0.5), ("a", "p1", "clip", "nan")]
    assert load_scores(_csv(tmp_path / "long.csv", same)).n_prompts == 2


def test_other_names_of_the_columns_and_one_metric(tmp_path):
    path = _csv(tmp_path / "a.csv", [("a", "p1", 0.5)], "model,prompt,value")
    assert load_scores(path, metric="clip").metrics == ("clip",)
    assert load_scores(path).metrics == ("a",)
    with pytest.raises(SettingError, match="has a column 'metric'; leave out metric='clip'"):
        load_scores(_csv(tmp_path / "b.csv"), metric="clip")


def test_texts_come_with_the_rows(tmp_path):
    header = "variant,prompt_id,metric,score,caption"
    rows = [("a", "1", "m", 1, "A cat."), ("b", "1", "m", 1, "A cat. "), ("a", "2", "m", 1, "B")]
    prompts = load_scores(_csv(tmp_path / "a.csv", rows, header)).prompts
    assert prompts == PromptSet("a", ("1", "2"), ("A cat.", "B"))
    rows.append(("b", "2", "m", 1, "C"))
    with pytest.raises(ConflictError, match=r"row 4: prompt '2' has another caption"):
        load_scores(_csv(tmp_path / "a.csv", rows, header))


def test_texts_looked_up_in_a_prompt_file(tmp_path):
    prompts = _write(tmp_path / "p.jsonl", "\n".join(
        json.dumps({"id": f"p{i}", "caption": f"text {i}"}) for i in (1, 2, 3)
    ))  # fmt: skip
    table = load_scores(_csv(tmp_path / "a.csv"), prompts=prompts)
    assert table.prompts.texts == ("text 1", "text 2")
    few = _write(tmp_path / "few.jsonl", '{"id": "p1", "caption": "x"}')
    with pytest.raises(DataError, match="1 of 2 ids are not in prompt set 'few': 'p2'"):
        load_scores(_csv(tmp_path / "a.csv"), prompts=few)


def test_columns_become_factors(tmp_path):
    header = "variant,prompt_id,metric,score,steps,base"
    rows = [("a", "1", "m", 1, 10, "x"), ("a", "2", "m", 1, 10, "x"), ("b", "1", "m", 1, 20, "x")]
    path = _csv(tmp_path / "a.csv", rows, header)
    table = LongTable(factors=["steps", "base"]).read(path).table
    assert table.factor("base") == ("x", "x")
    assert table.factor("steps") == (10, 20)
    with pytest.raises(DataError, match="no column 'stesp' for the factor"):
        LongTable(factors=["stesp"]).read(path)
    rows[1] = ("a", "2", "m", 1, 11, "x")
    with pytest.raises(ConflictError, match="row 2: variant 'a' has steps=11 but 10 in an earlier"):
        LongTable(factors=["steps"]).read(_csv(path, rows, header))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", "1", "m", "high")], "row 1: column 'score' is 'high'; expected a number"),
        ([("a", "1", "m", "1"), ("a", "2", "m", "-inf")], "row 2: column 'score' is -inf"),
        ([("a", "", "m", "1")], "row 1: prompt_id is empty"),
        ([("", "1", "m", "1")], "row 1: variant is empty"),
        ([("prompt_id", "1", "m", "1")], "cannot be called 'prompt_id'"),
        ([], "only column names"),
    ],
)
def test_bad_rows_are_named(tmp_path, rows, message):
    with pytest.raises(DataError, match=message) as caught:
        load_scores(_csv(tmp_path / "long.csv", rows))
    assert "long.csv" in str(caught.value)


def test_columns_that_are_misnamed_do_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("flasheval.scores.importers.one_table._MAX_SCORES", 3)
    with pytest.raises(DataError, match="is one of the columns misnamed"):
        load_scores(_csv(tmp_path / "long.csv"))


def test_official_names_tell_factors(tmp_path):
    rows = [("stablediffusion1.5/DDIM10/fp", "1", "m", 1)]
    assert load_scores(_csv(tmp_path / "a.csv", rows)).factor("steps") == (10,)

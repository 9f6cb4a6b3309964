import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.prompts import PromptSet
from flasheval.scores import load_scores
from flasheval.scores.importers.wide_table import WideTable
from flasheval.scores.parquet import write_matrix

_CSV = "prompt_id,a,stablediffusion1.5/DDIM10/fp\n007,0.5,1\n8,,nan\n"


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_file(tmp_path):
    table = WideTable().read(_write(tmp_path / "clip.csv", _CSV)).table
    assert table.metrics == ("clip",)
    assert table.prompts.ids == ("007", "8")
    assert table.factor("steps") == (None, 10)
    np.testing.assert_array_equal(table["clip"].values, [[0.5, np.nan], [1, np.nan]])


def test_a_tsv_file_and_a_named_metric(tmp_path):
    path = _write(tmp_path / "x.tsv", _CSV.replace(",", "\t"))
    table = WideTable(metric="fid", higher_is_better=False).read(path).table
    assert table["fid"].higher_is_better is False


def test_texts_in_the_file(tmp_path):
    path = _write(tmp_path / "x.csv", 'id,caption,v\n1,"A cat, ",0.5\n')
    table = WideTable().read(path).table
    assert table.prompts.texts == ("A cat, ",)
    assert table["x"].prompt_set_hash == table.prompts.hash
    assert table.variant_names == ("v",)


def test_a_folder_of_files_is_several_metrics(tmp_path):
    _write(tmp_path / "clip.csv", _CSV)
    _write(tmp_path / "hps.csv", "prompt_id,b\n8,1\n007,2\n")
    _write(tmp_path / "notes.md", "not scores")
    table = WideTable().read(tmp_path).table
    assert table.metrics == ("clip", "hps")
    np.testing.assert_array_equal(table["hps"].values[2], [2, 1])
    with pytest.raises(SettingError, match="cannot name all 2 files"):
        WideTable(metric="clip").read(tmp_path)
    with pytest.raises(DataError, match="holds no wide tables"):
        WideTable().read(_write(tmp_path / "empty" / "x.md", "").parent)


def test_metadata_and_settings(tmp_path, make_table):
    table = make_table(3, 4, ("fid",), lower_is_better=("fid",))
    path = write_matrix(table["fid"], tmp_path / "anything.parquet")
    read = WideTable().read(path).table
    assert read.metrics == ("fid",)
    assert read["fid"].higher_is_better is False
    assert read["fid"].prompt_set_hash == table.prompts.hash
    assert WideTable(metric="kid").read(path).table.metrics == ("kid",)
    with pytest.raises(ConflictError, match="higher_is_better is True by the setting but False in"):
        WideTable(higher_is_better=True).read(path)
    with pytest.raises(SettingError, match="must be true or false, not 'yes'"):
        WideTable(higher_is_better="yes").read(path)
    assert WideTable(prompts=table.prompts).read(path).table.prompts == table.prompts
    other = PromptSet("other", table.prompts.ids, ("x",) * 4)
    with pytest.raises(ConflictError, match="measured on other texts"):
        WideTable(prompts=other).read(path)


_BAD = {
    "word.csv": ("prompt_id,a,b\n1,0.5,1\n2,0.5,high\n", r"word\.csv row 2: column 'b' is 'high'"),
    "inf.csv": ("prompt_id,a\n1,inf\n", r"inf\.csv row 1: column 'a' is inf"),
    "twice.csv": ("prompt_id,a\n1,1\n1,2\n", "id '1' more than once"),
    "columns.csv": ("prompt_id,a,a\n1,1,2\n", "column 'a' more than once"),
    "bare.csv": ("prompt_id\n1\n", "no columns of scores beside 'prompt_id'"),
    "header.csv": ("prompt_id,a\n", "only column names"),
    "no-id.csv": ("a,b\n1,2\n", "no column 'prompt_id' or 'id' or 'prompt' for the prompt ids"),
    "ragged.csv": ("prompt_id,a\n1,2\n3\n", "Expected 2 columns, got 1"),
    "empty.csv": ("", "is empty"),
    "unnamed.csv": ("prompt_id,\n1,2.5\n", "no columns of scores beside 'prompt_id'"),
    "cut.parquet": ("PAR1", "not a readable Parquet file"),
    "odd.docx": ("x", "does not say what it holds"),
    "odd.xlsx": ("x", "not a readable Excel file"),
}


@pytest.mark.parametrize("name", _BAD)
def test_bad_files_end_in_one_line_that_names_them(tmp_path, name):
    text, message = _BAD[name]
    with pytest.raises(DataError, match=message) as caught:
        load_scores(_write(tmp_path / name, text))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_large_file_is_read_without_a_loop_over_cells(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(64, 40504)).astype(np.float32)
    columns = {"prompt_id": np.arange(40504), **{f"v{i}": row for i, row in enumerate(values)}}
    pq.write_table(pa.table(columns), tmp_path / "m.parquet", use_dictionary=False)
    start = time.perf_counter()
    table = load_scores(tmp_path / "m.parquet")
    seconds = time.perf_counter() - start
    np.testing.assert_array_equal(table["m"].values, values)
    assert seconds < 5, "a tenth of a second where nothing else runs"

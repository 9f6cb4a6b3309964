import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flasheval.base.errors import DataError
from flasheval.base.table_files import read_columns


def _csv(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    return read_columns(path)


def _parquet(tmp_path, **columns):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path)
    return read_columns(path)


def test_ids_are_kept_as_they_are_written(tmp_path):
    columns = _csv(tmp_path, "id,x\n007,1\nNA,2\n 3 ,3\n")
    assert columns.ids("id") == ("007", "NA", " 3 ")


def test_integer_ids_of_any_width(tmp_path):
    for kind in (pa.int8(), pa.uint64(), pa.int32()):
        assert _parquet(tmp_path, id=pa.array([1, 2], kind)).ids("id") == ("1", "2")


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
)
def test_strings_of_any_make(tmp_path, kind):
    columns = _parquet(tmp_path, id=pa.array(["a", "b"], pa.string()).cast(kind))
    assert columns.ids("id") == ("a", "b")
    assert columns.texts("id") == ("a", "b")


def test_ids_that_are_no_ids(tmp_path):
    for array in (pa.array([1.0, 2.0]), pa.array([True, False])):
        with pytest.raises(DataError, match="write them as integers or strings"):
            _parquet(tmp_path, id=array).ids("id")
    with pytest.raises(DataError, match="row 2: id is empty"):
        _parquet(tmp_path, id=["a", None]).ids("id")


def test_every_spelling_of_not_measured_is_nan(tmp_path):
    cells = ["", "nan", "NaN", "NA", "n/a", "null", "None", "  ", "1.5", " 2 ", "1e-3"]
    columns = _csv(tmp_path, "id,x\n" + "".join(f"r{i},{c}\n" for i, c in enumerate(cells)))
    expected = np.array([[np.nan] * 8 + [1.5, 2, 1e-3]], dtype=np.float32)
    np.testing.assert_array_equal(columns.floats(["x"]), expected)


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1, None], pa.int32()),
        pa.array([1, None], pa.uint64()),
        pa.array([1.0, None], pa.float16()),
        pa.array([1.0, float("nan")], pa.float64()),
        pa.array(["1", ""]),
        pa.array(["1", None]),
    ],
)
def test_numbers_of_any_type(tmp_path, array):
    values = _parquet(tmp_path, x=array).floats(["x"])
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, [[1, np.nan]])


def test_a_column_of_nothing_is_not_measured(tmp_path):
    assert np.isnan(_parquet(tmp_path, x=pa.nulls(3)).floats(["x"])).all()


def test_more_columns_than_one_batch_keep_their_order(tmp_path):
    names = [f"v.{i}" for i in range(150)]
    columns = _parquet(tmp_path, **{name: [float(i)] for i, name in enumerate(names)})
    np.testing.assert_array_equal(columns.floats(names[::-1])[:, 0], np.arange(150)[::-1])


def test_a_name_that_begins_another_is_not_confused(tmp_path):
    # Parquet readers take "a" for the parent of "a.b" too.
    columns = _parquet(tmp_path, **{"a.b": [1.0], "a": [2.0], "a.b.c": [3.0]})
    np.testing.assert_array_equal(columns.floats(["a", "a.b.c", "a.b"])[:, 0], [2, 3, 1])


@pytest.mark.parametrize("row", [0, 1, 700, 999])
def test_the_first_cell_that_is_no_number_is_named(tmp_path, row):
    cells = ["1.0"] * 1000
    cells[row] = "x1"
    cells[-1] = cells[-1] if row == 999 else "later"
    columns = _csv(tmp_path, "id,a,b\n" + "".join(f"{i},2,{c}\n" for i, c in enumerate(cells)))
    with pytest.raises(
        DataError, match=rf"a\.csv row {row + 1}: column 'b' is 'x1'; expected a num"
    ):
        columns.floats(["a", "b"])


def test_infinite_scores_are_named(tmp_path):
    with pytest.raises(DataError, match="row 2: column 'x' is inf"):
        _parquet(tmp_path, x=[1.0, float("inf")]).floats(["x"])
    with pytest.raises(DataError, match="row 1: column 'x' is -inf"):
        _csv(tmp_path, "id,x\n1,-inf\n").floats(["x"])
    with pytest.raises(DataError, match=r"row 1: column 'x' is 1e\+300"):
        _parquet(tmp_path, x=[1e300]).floats(["x"])


def test_types_that_are_no_numbers_are_named(tmp_path):
    with pytest.raises(DataError, match="column 'x' is of type time"):
        _parquet(tmp_path, x=[datetime.datetime(2026, 1, 1)]).floats(["x"])
    with pytest.raises(DataError, match="column 'x' is of type list"):
        _parquet(tmp_path, x=[[1.0]]).floats(["x"])


def test_json_lines_name_the_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"x": 1}\n\n{"x": NaN}\n{"x": "high"}\n')
    with pytest.raises(DataError, match=r"line 4: column 'x' is 'high'"):
        read_columns(path).floats(["x"])


def test_unknown_columns(tmp_path):
    with pytest.raises(DataError, match="no column 'scroe' for the scores; it has: id, score; did"):
        _csv(tmp_path, "id,score\n1,2\n").pick("scroe", (), "scores")


def test_a_text_file_keeps_its_spelling_but_factors_are_read_as_numbers(tmp_path):
    columns = _csv(tmp_path, "i,f,b,s,z\n10,0.50,true,x,007\n,2,false,,1\n")
    assert columns.plain("f") == ["0.50", "2"]
    read = {name: columns.factors(name) for name in columns.names}
    assert read == {
        "i": [10, None],
        "f": [0.5, 2.0],
        "b": [True, False],
        "s": ["x", None],
        "z": ["007", "1"],
    }
    assert _parquet(tmp_path, s=["1"]).factors("s") == ["1"]


@pytest.mark.parametrize(
    ("cells", "exact"),
    [
        (["0.1", "0.9", ""], False),
        (["100.1", "900.5", ""], False),
        (["1000000.01", "1000000.02", ""], True),
        (["16777216", "16777217", ""], True),
        (["1e30", "2e30", ""], True),
        (["0.3", "0.3", ""], False),
        (["", "", ""], False),
    ],
)
def test_digits_that_float32_lacks_are_kept(tmp_path, cells, exact):
    values = _csv(tmp_path, "i,x,y\n" + "".join(f"{i},{c},1\n" for i, c in enumerate(cells)))
    found = values.floats(["y", "x"])
    assert found.dtype == (np.float64 if exact else np.float32)
    expected = np.array([np.nan if not cell else float(cell) for cell in cells])
    np.testing.assert_array_equal(found[1], expected.astype(found.dtype))


def test_float32_columns_stay_what_they_are(tmp_path):
    columns = _parquet(tmp_path, x=pa.array([1e6, 1e6 + 1], pa.float32()))
    assert columns.floats(["x"]).dtype == np.float32


def test_labels_that_differ_in_white_space_are_one(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("m,x\n a,1\nb ,2\na,3\nb,4\n c,5\n")
    labels, codes = read_columns(path, "table").codes("m")
    assert labels == ("a", "b", "c")
    assert codes.tolist() == [0, 1, 0, 1, 2]


@pytest.mark.parametrize(("cell", "row"), [("", 2), ("  ", 2)])
def test_an_empty_label_is_named_by_its_row(tmp_path, cell, row):
    path = tmp_path / "a.csv"
    path.write_text(f"m,x\na,1\n{cell},2\nb,3\n")
    with pytest.raises(DataError, match=f"row {row}: m is empty"):
        read_columns(path, "table").codes("m")

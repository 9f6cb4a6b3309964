import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flasheval.base.errors import DataError
from flasheval.base.table_files import read_columns


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", 'id,x\n1,"a,b"\n'),
        ("a.TSV", "id\tx\n1\ta,b\n"),
        ("a.json", '[{"id": "1", "x": "a,b"}]'),
        ("a.jsonl", '{"id": "1", "x": "a,b"}\n'),
        ("a.ndjson", '{"id": 1, "x": "a,b"}\n'),
    ],
)
def test_every_text_form_opens_as_columns(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    columns = read_columns(tmp_path / name)
    assert (columns.names, columns.n_rows) == (("id", "x"), 1)
    assert columns.ids("id") == ("1",)
    assert columns.texts("x") == ("a,b",)
    assert columns.typed == ("json" in name)


def test_parquet_opens_with_its_metadata(tmp_path):
    table = pa.table({"id": ["1"]}).replace_schema_metadata({"flasheval.metric": "clip"})
    pq.write_table(table, tmp_path / "a.parquet")
    columns = read_columns(tmp_path / "a.parquet")
    assert columns.metadata["flasheval.metric"] == "clip"


def test_values_of_mixed_types_are_spelled_as_json_does(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"x": 1}\n{"x": "a"}\n{"x": true}\n{"y": null}\n')
    assert read_columns(tmp_path / "a.jsonl").plain("x") == ["1", "a", "true", None]


def test_an_unknown_suffix(tmp_path):
    (tmp_path / "a.xls").write_text("x")
    with pytest.raises(DataError, match=r"'\.xls' does not say what it holds"):
        read_columns(tmp_path / "a.xls")


def test_a_damaged_parquet_file(tmp_path):
    pq.write_table(pa.table({"x": list(range(10000))}), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:-4], b"PAR1" + bytes(100) + whole[104:]):
        (tmp_path / "a.parquet").write_bytes(damaged)
        with pytest.raises(DataError, match="not a readable Parquet file") as caught:
            read_columns(tmp_path / "a.parquet").floats(["x"])
        assert len(str(caught.value)) < 400


def test_a_long_file_is_checked_to_its_last_byte(tmp_path):
    path = tmp_path / "a.csv"
    rows = b"prompt_id,clip\n" + b"".join(b"%07d,0.5\n" % row for row in range(500_000))
    path.write_bytes(rows)
    columns = read_columns(path, "table")
    assert columns.n_rows == 500_000
    assert columns.ids("prompt_id")[-1] == "0499999"
    path.write_bytes(rows[:-3] + b"\xe9\n")
    with pytest.raises(DataError, match=r"not UTF-8 text \(byte \d+ is 0xe9\)"):
        read_columns(path, "table")


@pytest.mark.parametrize("text", ['[{"\\ud800": 1}]', '[{"a": "\\ud800"}]'])
def test_half_a_character_is_no_text(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=r"a\.json: a string holds a lone surrogate"):
        read_columns(tmp_path / "a.json")

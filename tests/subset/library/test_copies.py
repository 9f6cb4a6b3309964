import json
import lzma
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.prompts import PromptSet, save_prompts
from flasheval.subset.library.copies import open_copy


def rows(source):
    """All rows of a copy: (id or None, image name or None, text)."""
    found = []
    for batch in open_copy(source).batches():
        keys = [batch.keys.get(key) for key in ("id", "image_name")]
        columns = [[None] * len(batch.texts) if key is None else key.to_pylist() for key in keys]
        found += zip(*columns, batch.texts.to_pylist(), strict=True)
    return found


def test_coco_captions(tmp_path):
    annotations = [{"image_id": 9, "id": 37, "caption": "A cat."}]
    file = tmp_path / "captions_val2014.json"
    file.write_text(json.dumps({"info": {}, "images": [{"id": 9}], "annotations": annotations}))
    assert rows(file) == [("37", None, "A cat.")]


def test_json_lines_packed(tmp_path):
    line = {"id": 1, "caption": "A\u2028cat. ", "image_name": "a.png", "part_id": 3}
    file = tmp_path / "prompts.jsonl.xz"
    file.write_bytes(lzma.compress((json.dumps(line) + "\n").encode()))
    assert rows(str(file)) == [("1", "a.png", "A\u2028cat. ")]


def test_the_table_of_diffusiondb_has_no_ids(tmp_path):
    table = {"image_name": ["a.png"], "prompt": ["A cat."], "part_id": [1], "seed": [3]}
    pq.write_table(pa.table(table), tmp_path / "metadata.parquet")
    assert rows(tmp_path / "metadata.parquet") == [(None, "a.png", "A cat.")]


def test_the_parts_of_diffusiondb_one_or_all(tmp_path):
    for number in (1, 2):
        file = tmp_path / f"part-{number:06}" / f"part-{number:06}.json"
        file.parent.mkdir()
        file.write_text(json.dumps({f"{number}.png": {"p": f"prompt {number}", "se": 3}}))
    assert rows(tmp_path) == [(None, "1.png", "prompt 1"), (None, "2.png", "prompt 2")]
    assert rows(file) == [(None, "2.png", "prompt 2")]
    file.write_text('{"2.png": {"q": 3}}')
    with pytest.raises(DataError, match=r'part-000002\.json: expected \{"IMAGE\.png"'):
        rows(file)


def test_what_load_prompts_reads(tmp_path):
    prompts = PromptSet("pets", ("a", "b"), ("A cat.", "A dog."))
    assert rows(save_prompts(prompts, tmp_path / "prompts.parquet")) == rows(prompts)
    assert rows(tmp_path) == rows(prompts) == [("a", None, "A cat."), ("b", None, "A dog.")]
    (tmp_path / "p.csv").write_text("ID,Prompt\na,A cat.\n")
    assert rows(tmp_path / "p.csv") == [("a", None, "A cat.")]
    (tmp_path / "p.txt").write_text("A cat.\r\nA dog.")
    assert [text.strip() for _, _, text in rows(tmp_path / "p.txt")] == ["A cat.", "A dog."]
    assert len(rows("miniature")) == 2_000


def test_lists_of_texts_have_no_keys(tmp_path):
    assert rows(["A cat."]) == [(None, None, "A cat.")]
    pq.write_table(
        pa.table({"id": [1], "captions": [["A cat.", "A pet."]]}), tmp_path / "c.parquet"
    )
    assert [text for _, _, text in rows(tmp_path / "c.parquet")] == ["A cat.", "A pet."]


def test_a_folder_that_the_datasets_library_reads(tmp_path):
    pytest.importorskip("datasets")
    for split in ("train", "test"):
        line = {"prompt": f"a {split}", "image_name": "a.png"}
        (tmp_path / f"{split}.jsonl").write_text(json.dumps(line) + "\n")
    assert sorted(rows(f"datasets:{tmp_path}")) == [
        (None, "a.png", "a test"), (None, "a.png", "a train"),
    ]  # fmt: skip
    assert rows(f"datasets:{tmp_path}:test") == [(None, "a.png", "a test")]
    with pytest.raises(DataError, match="cannot be read by the datasets library"):
        rows(f"datasets:{tmp_path}:validation")
    with pytest.raises(DataError, match="cannot be read by the datasets library"):
        rows(f"datasets:{tmp_path}/nowhere")
    with pytest.raises(SettingError, match=r"expected datasets:OWNER/NAME"):
        rows("datasets:me/mine:")


def test_without_the_datasets_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"pip install .flasheval\[hub\]"):
        open_copy("datasets:me/mine")


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("missing.json", None, "does not exist"),
        ("empty.jsonl", b"", "is empty"),
        ("latin.txt", b"caf\xe9", "not UTF-8"),
        ("cut.parquet", b"PAR1", "not a readable Parquet file"),
        ("cut.json", b'{"annotations": [', "cut short"),
        (
            "other.csv",
            b"id,title\n1,x\n",
            "no column 'caption' or 'prompt'",
        ),
        ("numbers.json", b'[{"id": 1, "prompt": 3}]', "the texts are of type int64"),
        ("floats.json", b'[{"id": 1.5, "prompt": "x"}]', "the id are of type double"),
        ("half.json", b'[{"id": 1, "prompt": "\\ud800"}]', "lone surrogate"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(tmp_path, name, content, part):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FlashevalError, match=part) as raised:
        rows(tmp_path / name)
    assert name in str(raised.value)


def test_a_parquet_file_damaged_within(tmp_path):
    path = save_prompts(PromptSet("p", ("1",), ("A cat. " * 99,)), tmp_path / "p.parquet")
    content = bytearray(path.read_bytes())
    for position in range(20, 60):
        content[position] ^= 255
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"p\.parquet is not a readable Parquet file"):
        rows(path)


def test_other_things(tmp_path):
    for source in (3, [3], "", PromptSet("p", ("1",))):
        with pytest.raises(FlashevalError):
            open_copy(source)
    with pytest.raises(DataError, match=r"holds no prompts: .*or prompts=datasets:"):
        open_copy(tmp_path)

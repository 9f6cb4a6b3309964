import csv
import gzip
import json
import lzma
import warnings
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.prompts import PromptSet, load_prompts, save_prompts

_CHARACTERS = st.characters(exclude_categories=("Cs",))
_TEXT = st.text(_CHARACTERS, max_size=12)
_ID = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=6)
_ROWS = st.dictionaries(_ID, _TEXT, min_size=1, max_size=6)
_FILES = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _write_jsonl(path, rows, **extra):
    lines = [json.dumps({"id": key, "caption": text, **extra}) for key, text in rows.items()]
    path.write_text("\n".join(lines), encoding="utf-8")


@_FILES
@given(_ROWS, st.booleans())
def test_json_lines_come_back_exactly(tmp_path, rows, ascii_only):
    path = tmp_path / "a.jsonl"
    lines = [
        json.dumps({"id": key, "caption": text}, ensure_ascii=ascii_only)
        for key, text in rows.items()
    ]
    path.write_bytes("\n".join(lines).encode())
    prompts = load_prompts(path)
    assert (prompts.ids, prompts.texts) == (tuple(rows), tuple(rows.values()))


@_FILES
@given(_ROWS, st.sampled_from([(".csv", ","), (".tsv", "\t")]))
def test_csv_and_tsv_come_back_exactly(tmp_path, rows, form):
    suffix, delimiter = form
    path = tmp_path / f"a{suffix}"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerow(["prompt_id", "prompt"])
        writer.writerows(rows.items())
    prompts = load_prompts(path)
    assert (prompts.ids, prompts.texts) == (tuple(rows), tuple(rows.values()))


@_FILES
@given(_ROWS, st.booleans(), st.dictionaries(_ID, _TEXT, max_size=2))
def test_parquet_comes_back_exactly(tmp_path, rows, with_texts, extras):
    texts = tuple(rows.values())
    columns = {key: (value,) * len(rows) for key, value in extras.items()}
    columns |= {"text": texts, "prompt_id": texts, "extra.x": texts, "image": texts}
    prompts = PromptSet("my set", tuple(rows), texts, extras=columns)
    if not with_texts:
        prompts = prompts.without_texts()
    assert load_prompts(save_prompts(prompts, tmp_path / "a.parquet")) == prompts


def test_a_prompt_set_without_any_texts_comes_back(tmp_path):
    prompts = PromptSet("bare", ("1", "2"), extras={"caption": ("x", "")})
    assert load_prompts(save_prompts(prompts, tmp_path / "a.parquet")) == prompts


def test_coco_captions(tmp_path):
    path = tmp_path / "captions_val2014.json"
    annotations = [
        {"image_id": 7, "id": 48, "caption": "A cat. "},
        {"image_id": 7, "id": 37, "caption": "A cat. "},
    ]
    path.write_text(json.dumps({"info": {}, "images": [{"id": 7}], "annotations": annotations}))
    prompts = load_prompts(path)
    assert prompts == PromptSet(
        "captions_val2014", ("48", "37"), ("A cat. ", "A cat. "), extras={"image_id": ("7", "7")}
    )


def test_a_json_list_and_pretty_printed_documents(tmp_path):
    rows = [{"prompt_id": 1, "text": "a"}, {"prompt_id": 2, "text": "b"}]
    path = tmp_path / "a.json"
    for indent in (None, 2):
        path.write_text(json.dumps(rows, indent=indent))
        assert load_prompts(path).ids == ("1", "2")
        path.write_text(json.dumps({"annotations": rows}, indent=indent))
        assert load_prompts(path).ids == ("1", "2")


def test_one_line_of_json_lines(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"id": 5, "caption": "x"}\n')
    assert load_prompts(path).ids == ("5",)


def test_other_plain_values_become_extras(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [
        {"id": 1, "caption": "a", "image_name": "x.png", "part_id": 3, "ok": True, "tags": ["t"]},
        {"id": 2, "caption": "b", "part_id": 4, "image_name": None, "ok": False},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert load_prompts(path).extras == {
        "image_name": ("x.png", ""),
        "part_id": ("3", "4"),
        "ok": ("true", "false"),
    }


def test_keys_and_name_can_be_given(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("key,words,id\nx,A cat.,1\ny,A dog.,2\n")
    prompts = load_prompts(path, name="pets", id_key="key", text_key="words")
    assert prompts == PromptSet("pets", "xy", ("A cat.", "A dog."), extras={"id": ("1", "2")})
    with pytest.raises(DataError, match=r"no column 'wrods' .*did you mean 'words'"):
        load_prompts(path, text_key="wrods")
    with pytest.raises(DataError, match="no column 'caption' or 'prompt' or 'text'"):
        load_prompts(path)


def test_plain_text_is_one_prompt_a_line(tmp_path):
    path = tmp_path / "pets.txt"
    path.write_bytes(b" A cat. \r\nA\xe2\x80\xa8dog.\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prompts = load_prompts(path)
    assert prompts == PromptSet("pets", ("1", "2"), (" A cat. ", "A\u2028dog."))


def test_blank_lines_are_left_out_and_said(tmp_path):
    path = tmp_path / "pets.txt"
    path.write_text("A cat.\n\n  \nA dog.\n")
    with pytest.warns(UserWarning, match="2 blank lines are left out"):
        prompts = load_prompts(path)
    assert prompts.ids == ("1", "4")


@pytest.mark.parametrize(("suffix", "pack"), [(".xz", lzma.compress), (".gz", gzip.compress)])
def test_packed_text_forms(tmp_path, suffix, pack):
    forms = {
        "a.jsonl": '{"id": 1, "caption": "x"}',
        "a.json": '[{"id": 1, "caption": "x"}]',
        "a.csv": "id,caption\n1,x\n",
        "a.tsv": "id\tcaption\n1\tx\n",
        "a.txt": "x\n",
    }
    for name, content in forms.items():
        path = tmp_path / f"{name}{suffix}"
        path.write_bytes(pack(content.encode()))
        assert load_prompts(path) == PromptSet("a", ("1",), ("x",))


_BAD = {
    "none.jsonl": (None, "does not exist"),
    "folder.jsonl": ("folder", "is a folder"),
    "empty.jsonl": (b"", "is empty"),
    "blank.jsonl": (b" \n\n", "only white space"),
    "blank.csv": (b"\n\n", "only white space"),
    "blank.txt": (b"\n \n", "only blank lines"),
    "latin.txt": (b"caf\xe9", "not UTF-8"),
    "latin.csv": (b"id,caption\n1,caf\xe9\n", "not UTF-8"),
    "cut.jsonl": (b'{"id": 1, "caption": "a"}\n{"id": 2, "cap', "line 2 is not valid JSON"),
    "first.jsonl": (b'{"id": 1 "caption": "a"}\n{"id": 2, "caption": "b"}', "line 1 is not valid"),
    "cut.json": (b'[{"id": 1, "caption": "a"}, {"id": 2', "not valid JSON"),
    "cut-coco.json": (b'{"annotations": [{"id": 1, "caption": "a"}', "not valid JSON"),
    "pretty.json": (b'{\n "annotations": [\n  {"id": 1,\n', "not valid JSON"),
    "number.jsonl": (b'{"id": 1, "caption": "a"}\n7', "line 2: expected an object, found 7"),
    "number.json": (b"[1]", "item 1: expected an object"),
    "nothing.json": (b"[]", "holds no objects"),
    "odd.json": (b'{"annotations": 3}', "expected a list of objects"),
    "deep.json": (b"[" * 100_000, "is not JSON that can be read"),
    "twice.jsonl": (b'{"id": 1, "caption": "a"}\n{"id": 1, "caption": "b"}', "id '1' more than"),
    "no-id.jsonl": (b'{"caption": "a"}', "no column 'prompt_id' or 'id'"),
    "null-id.jsonl": (b'{"id": 1, "caption": "a"}\n{"caption": "b"}', "line 2: id is empty"),
    "real-id.jsonl": (b'{"id": 1.5, "caption": "a"}', "of type double"),
    "no-text.jsonl": (b'{"id": 1, "caption": "a"}\n\n{"id": 2}', "line 3: caption is missing"),
    "number-text.jsonl": (b'{"id": 1, "caption": 3}', "of type int64, not text"),
    "surrogate.jsonl": (b'{"id": 1, "caption": "\\ud800"}', "lone surrogate"),
    "header.csv": (b"id,caption\n", "holds no prompts"),
    "ragged.csv": (b"id,caption\n1,a\n2,b,c\n", "Expected 2 columns, got 3"),
    "double.csv": (b"id,caption,caption\n1,a,b\n", "'caption' more than once"),
    "no-id.csv": (b"id,caption\n1,a\n,b\n", "row 2: id is empty"),
    "cut.parquet": (b"PAR1 and then nothing", "not a readable Parquet file"),
    "cut.txt.xz": (lzma.compress(b"a\nb\n")[:-5], "cannot be unpacked"),
}


@pytest.mark.parametrize("name", _BAD)
def test_bad_files_end_in_one_line_that_names_them(tmp_path, name):
    content, message = _BAD[name]
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        load_prompts(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_text_files_have_no_keys(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match="plain text"):
        load_prompts(tmp_path / "a.txt", id_key="id")


def test_saving_where_nothing_can_be_saved(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot write"):
        save_prompts(PromptSet("x", ("1",)), tmp_path / "file" / "a.parquet")


def test_the_official_prompts(shared_data, diffusiondb_tree):
    coco = load_prompts(shared_data / "coco-prompts.jsonl.xz")
    assert len(coco) == 40504
    assert sum(text != text.strip() for text in coco.texts) == 4722
    repeated = [count for count in Counter(coco.texts).values() if count > 1]
    assert (len(repeated), sum(repeated)) == (448, 1315)
    diffusiondb = load_prompts(diffusiondb_tree / "data" / "diffusionDB_5000.json")
    assert diffusiondb.ids == tuple(str(i) for i in range(1, 5001))
    assert sum(text != text.strip() for text in diffusiondb.texts) == 3240
    assert set(diffusiondb.extras) == {"image_name", "part_id"}
    assert len(set(coco.ids) & set(diffusiondb.ids)) == 421

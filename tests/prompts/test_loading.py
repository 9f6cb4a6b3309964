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


def test_other_columns_become_extras(tmp_path):
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
        "tags": ("t", ""),
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
    "folder.jsonl": ("folder", "holds no prompts"),
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
    "number.jsonl": (b'{"id": 1, "caption": "a"}\n7', "line 2: expected an object, found a number"),
    "number.json": (b"[1]", "item 1: expected an object"),
    "nothing.json": (b"[]", "holds no objects"),
    "odd.json": (b'{"annotations": 3}', "expected a list of objects"),
    "deep.json": (b"[" * 100_000, "is not JSON that can be read"),
    "twice.jsonl": (b'{"id": 1, "caption": "a"}\n{"id": 1, "caption": "b"}', "id '1' more than"),
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


def _read(tmp_path, name, content, **keys):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return load_prompts(path, **keys)


def test_ids_that_no_column_has_are_row_numbers_and_said(tmp_path):
    with pytest.warns(
        UserWarning, match="no column of ids: a prompt's id is the number of its row"
    ):
        prompts = _read(
            tmp_path, "a.jsonl", '{"Prompt": "A cat.", "tag": "x"}\n{"Prompt": "A dog."}'
        )
    assert prompts.ids == ("1", "2")
    assert prompts.extras == {"tag": ("x", "")}


@pytest.mark.parametrize(
    ("name", "content", "ids"),
    [
        ("strings.json", '["A cat.", "A dog."]', ("1", "2")),
        ("map.json", '{\n "t7": "A cat.",\n "t8": "A dog."\n}', ("t7", "t8")),
        (
            "objects.json",
            '{"x": {"prompt": "A cat.", "n": 1}, "y": {"prompt": "A dog."}}',
            ("x", "y"),
        ),
        (
            "part.json",
            '{"a.png": {"p": "A cat.", "se": 1}, "b.png": {"p": "A dog."}}',
            ("a.png", "b.png"),
        ),
        (
            "wrapped.json",
            '{"data": [{"ID": 3, "Prompt": "A cat."}, {"ID": 4, "Prompt": "A dog."}]}',
            ("3", "4"),
        ),
        ("upper.csv", "ID, Prompt\n1, A cat.\n2, A dog.\n", ("1", "2")),
        ("tabs.tsv", "key\tCaptions\nx\tA cat.\ny\tA dog.\n", ("x", "y")),
        (
            "lines.jsonl",
            '{"image_name": "i", "text": "A cat."}\n{"image_name": "j", "text": "A dog."}',
            ("i", "j"),
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_layouts_of_two_prompts(tmp_path, name, content, ids):
    prompts = _read(tmp_path, name, content)
    assert prompts.ids == ids
    assert prompts.texts == ("A cat.", "A dog.")


def test_karpathys_split_gives_a_prompt_a_sentence(tmp_path):
    images = [
        {"cocoid": 9, "split": "test", "sentences": [{"sentid": 1, "raw": "A cat."}]},
        {"cocoid": 8, "split": "val", "sentences": [{"sentid": 4, "raw": "A dog."}] * 1},
    ]
    prompts = _read(tmp_path, "dataset.json", json.dumps({"images": images, "dataset": "coco"}))
    assert (prompts.ids, prompts.texts) == (("1", "4"), ("A cat.", "A dog."))
    assert prompts.extras == {"split": ("test", "val"), "cocoid": ("9", "8")}


def test_a_row_a_question_is_one_prompt_that_keeps_its_questions(tmp_path):
    asked = ["7,A cat.,pets,Is it a cat?", "7,A cat.,pets,Alive?", "8,A dog.,pets,Dog?"]
    rows = "\n".join(["item_id,text,category,question", *asked])
    prompts = _read(tmp_path, "dpg.csv", rows)
    assert (prompts.ids, prompts.texts) == (("7", "8"), ("A cat.", "A dog."))
    assert prompts.extras == {
        "category": ("pets", "pets"),
        "question": ('["Is it a cat?", "Alive?"]', "Dog?"),
    }


def test_ids_that_start_again_in_each_category(tmp_path):
    rows = "category,id,prompt\nA,1,A cat.\nA,2,A dog.\nB,1,A hen.\n"
    prompts = _read(tmp_path, "one.csv", rows)
    assert prompts.ids == ("A/1", "A/2", "B/1")
    assert prompts.extras["category"] == ("A", "A", "B")
    assert _read(tmp_path, "two.csv", rows, id_key="id+category").ids == ("1/A", "2/A", "1/B")


def test_an_id_of_two_texts_is_refused(tmp_path):
    with pytest.raises(DataError, match="the id '1' more than once"):
        _read(tmp_path, "one.csv", "id,prompt\n1,A cat.\n1,A dog.\n")


def test_two_columns_of_texts_are_two_prompts_a_row(tmp_path):
    row = {"type": "color", "short_prompt": "A cat.", "long_prompt": "A cat that sits."}
    prompts = _read(tmp_path, "a.jsonl", json.dumps(row))
    assert prompts.ids == ("color/short/0", "color/long/0")
    assert _read(tmp_path, "b.jsonl", json.dumps({**row, "id": 5}), text_key="long_prompt").ids == (
        "5",
    )


def test_a_folder_of_a_prompt_a_file(tmp_path):
    for name in ("10", "9"):
        (tmp_path / f"{name}.txt").write_text(f"Prompt {name}\n")
    prompts = load_prompts(tmp_path, name="dpg")
    assert (prompts.ids, prompts.texts) == (("10", "9"), ("Prompt 10", "Prompt 9"))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_folder_of_lists_tells_them_apart(tmp_path):
    (tmp_path / "anime.json").write_text('["A cat.", "A dog."]')
    (tmp_path / "photo.json").write_text('["A hen."]')
    prompts = load_prompts(tmp_path)
    assert prompts.ids == ("anime/1", "anime/2", "photo/1")
    assert prompts.extras == {"file": ("anime", "anime", "photo")}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_messages_hold_no_prompt(tmp_path, name):
    with pytest.raises(DataError) as caught:
        _read(tmp_path, name, '[{"id": 1, "prompt": "x"}, "A secret cat."]')
    assert "secret" not in str(caught.value)

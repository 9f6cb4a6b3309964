"""Prompt lists in the layouts that public benchmarks have, by made-up files of each shape."""

import csv
import io
import json
import warnings

import pytest

from flasheval.base.errors import DataError
from flasheval.prompts import load_prompts, save_prompts
from flasheval.subset.library.copies import open_copy

TEXTS = ("A cat, twice.", 'A "red" dog', "A hen", "A cow on a hill")
KINDS = ("one", "one", "two", "two")
NUMBERED = ("1", "2", "3", "4")


def _rows(**columns):
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _csv(delimiter=",", quoting=csv.QUOTE_MINIMAL, end="\n", **columns):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return file.getvalue()


def _jsonl(rows):
    return "\n".join(map(json.dumps, rows))


def _dims(kinds):
    return [json.dumps({"Subjects": kind, "Testpoints": [kind, "any"]}) for kind in kinds]


# name: (file name or {file name: content}, content, ids, tags)
LAYOUTS = {
    "geneval": (
        "evaluation_metadata.jsonl",
        _jsonl(_rows(tag=KINDS, include=[[{"class": "cat", "count": 1}]] * 4, prompt=TEXTS)),
        NUMBERED,
        {"tag": KINDS},
    ),
    "a prompt a line": ("generation_prompts.txt", "\n".join(TEXTS), NUMBERED, {}),
    "a prompt a line, CRLF": ("color_val.txt", "\r\n".join([*TEXTS, ""]), NUMBERED, {}),
    "geneval2": (
        "geneval2_data.jsonl",
        _jsonl(_rows(prompt=TEXTS, atom_count=(3, 3, 4, 4), skills=[["object", "count"]] * 4)),
        NUMBERED,
        {"atom_count": ("3", "3", "4", "4"), "skills": ("object", "count")},
    ),
    "partiprompts": (
        "PartiPrompts.tsv",
        "Prompt\tCategory\tChallenge\tNote\n"
        + "".join(f"{text}\t{kind}\tBasic\t\n" for text, kind in zip(TEXTS, KINDS, strict=True)),
        NUMBERED,
        {"Category": KINDS},
    ),
    "drawbench": ("drawbench.csv", _csv(Prompts=TEXTS, Category=KINDS), NUMBERED, {}),
    "hpdv2 list": ("anime.json", json.dumps(TEXTS), NUMBERED, {}),
    "hpdv2 evalkit": (
        "hpdv2.json",
        json.dumps(_rows(style=KINDS, idx=(0, 1, 0, 1), prompt=TEXTS)),
        ("one/0", "one/1", "two/0", "two/1"),
        {"style": KINDS},
    ),
    "dpg json": (
        "dpg.json",
        json.dumps(dict(zip(("0.txt", "1.txt", "2.txt", "3.txt"), TEXTS, strict=True))),
        ("0.txt", "1.txt", "2.txt", "3.txt"),
        {},
    ),
    "dpg folder": (
        {f"p{i}.txt": text for i, text in enumerate(TEXTS)},
        None,
        ("p0", "p1", "p2", "p3"),
        {},
    ),
    "compbench folder": (
        {
            "color_val.txt": "\r\n".join(TEXTS[:2]) + "\r\n",
            "shape_val.txt": "\r\n".join(TEXTS[2:]),
        },
        None,
        ("color_val/1", "color_val/2", "shape_val/1", "shape_val/2"),
        {"file": ("color_val", "color_val", "shape_val", "shape_val")},
    ),
    "oneig": (
        "OneIG-Bench.csv",
        _csv(category=KINDS, id=("001", "002", "001", "002"), prompt_en=TEXTS, end="\r\n"),
        ("one/001", "one/002", "two/001", "two/002"),
        {"category": KINDS},
    ),
    "oneig zh": (
        "OneIG-Bench-ZH.json",
        json.dumps(_rows(category=KINDS, id=("1", "2", "1", "2"), prompt_cn=TEXTS)),
        ("one/1", "one/2", "two/1", "two/2"),
        {"category": KINDS},
    ),
    "tiif": (
        "color_prompts.jsonl",
        _jsonl(
            [
                {"type": "color", "short_description": TEXTS[0], "long_description": TEXTS[2]},
                {"type": "color", "short_description": TEXTS[1], "long_description": TEXTS[3]},
            ]
        ),
        ("color/short/0", "color/short/1", "color/long/0", "color/long/1"),
        {},
    ),
    "wise": (
        "merge.json",
        json.dumps(
            _rows(Prompt=TEXTS, Explanation=TEXTS, Category=KINDS, prompt_id=(1, 2, 3, 4)), indent=2
        ),
        NUMBERED,
        {"Category": KINDS},
    ),
    "unigenbench": (
        "test_prompts_en.csv",
        _csv(index=range(4), prompt_en=TEXTS, sub_dims_en=_dims(KINDS)),
        ("0", "1", "2", "3"),
        {"Subjects": KINDS, "Testpoints": ("one", "two", "any")},
    ),
    "unigenbench zh": (
        "test_prompts_zh.csv",
        _csv(index=range(4), prompt_zh=TEXTS, sub_dims_zh=_dims(KINDS)),
        ("0", "1", "2", "3"),
        {"Subjects": KINDS},
    ),
    "genai-bench": (
        "genai_image.json",
        json.dumps(
            {
                f"{i:05d}": {
                    "id": f"{i:05d}",
                    "prompt": text,
                    "prompt in Chinese": text,
                    "models": {"a": [1, 2, 3]},
                }
                for i, text in enumerate(TEXTS)
            }
        ),
        ("00000", "00001", "00002", "00003"),
        {},
    ),
    "gecko": (
        "prompts.csv",
        _csv(**{"": range(4), "prompt_id": "abcd", "prompt": TEXTS, "prompt_type": KINDS}),
        tuple("abcd"),
        {"prompt_type": KINDS},
    ),
    "tifa": (
        "tifa_v1.json",
        json.dumps(_rows(id=("coco_1", "coco_2", "drawbench_1", "drawbench_2"), caption=TEXTS)),
        ("coco_1", "coco_2", "drawbench_1", "drawbench_2"),
        {},
    ),
    "a row a question": (
        "dsg-1k-anns.csv",
        _csv(
            item_id=[one for one in "abcd" for _ in range(2)],
            text=[text for text in TEXTS for _ in range(2)],
            category_broad=["entity", "relation"] * 4,
            question_natural_language=[f"Is it {i}?" for i in range(8)],
        ),
        tuple("abcd"),
        {"category_broad": ("entity", "relation")},
    ),
    "imagereward": (
        "benchmark-prompts.json",
        json.dumps(
            _rows(id=("0-1", "0-2", "0-3", "0-4"), prompt=TEXTS, generations=[["a.png"]] * 4)
        ),
        ("0-1", "0-2", "0-3", "0-4"),
        {},
    ),
    "imagereward refl": (
        "refl_data.json",
        json.dumps(_rows(text=TEXTS, image=("a", "b", "c", "d"))),
        NUMBERED,
        {},
    ),
    "pickapic spo": (
        "spo.json",
        json.dumps(_rows(caption=TEXTS, trainset_idx=(5, 9, 11, 12))),
        None,
        {},
    ),
    "vbench": (
        "VBench_full_info.json",
        json.dumps(
            _rows(
                prompt_en=TEXTS,
                dimension=[["color"], ["color", "scene"], ["scene"], ["scene"]],
                auxiliary_info=[{"color": "red"}] * 4,
            )
        ),
        NUMBERED,
        {"dimension": ("color", "scene")},
    ),
    "longtext": (
        "text_prompts.jsonl",
        _jsonl(
            _rows(prompt_id=range(4), prompt=TEXTS, category=KINDS, length=KINDS, text=[["OK"]] * 4)
        ),
        ("0", "1", "2", "3"),
        {"category": KINDS, "length": KINDS},
    ),
    "conceptmix": (
        "k1.json",
        json.dumps(
            _rows(
                index=(1, 2, 3, 4),
                sentence=TEXTS,
                categories=[["object", kind] for kind in KINDS],
                question=[["Is it?"]] * 4,
            )
        ),
        NUMBERED,
        {"categories": ("object", "one", "two")},
    ),
    "conceptmix folder": (
        {
            "k1.json": json.dumps(_rows(index=(1, 2), sentence=TEXTS[:2])),
            "k2.json": json.dumps(_rows(index=(1, 2), sentence=TEXTS[2:])),
        },
        None,
        ("k1/1", "k1/2", "k2/1", "k2/2"),
        {},
    ),
    "evalmi tasks": (
        "tasks.jsonl",
        _jsonl(
            [
                {"prompt": t, "tag": k, f"extra{i}": i}
                for i, (t, k) in enumerate(zip(TEXTS, KINDS, strict=True))
            ]
        ),
        NUMBERED,
        {"tag": KINDS},
    ),
    "mlperf": (
        "captions_source.tsv",
        _csv(delimiter="\t", image_id=(7, 8, 9, 6), id=(1, 2, 3, 4), caption=TEXTS),
        NUMBERED,
        {},
    ),
    "mjhq": (
        "meta_data.json",
        json.dumps(
            {
                f"{i:040x}": {"category": k, "prompt": t}
                for i, (t, k) in enumerate(zip(TEXTS, KINDS, strict=True))
            }
        ),
        tuple(f"{i:040x}" for i in range(4)),
        {"category": KINDS},
    ),
    "diffusiondb part": (
        "part-000001.json",
        json.dumps(
            {f"{i}.png": {"p": t, "se": i, "c": 7.0, "st": 50} for i, t in enumerate(TEXTS)}
        ),
        ("0.png", "1.png", "2.png", "3.png"),
        {},
    ),
    "coco captions": (
        "captions_val2014.json",
        json.dumps(
            {
                "info": {},
                "images": [],
                "annotations": _rows(image_id=(1, 1, 2, 2), id=(1, 2, 3, 4), caption=TEXTS),
            }
        ),
        NUMBERED,
        {"image_id": ("1", "1", "2", "2")},
    ),
    "karpathy": (
        "dataset_coco.json",
        json.dumps(
            {
                "images": [
                    {"split": k, "cocoid": i, "sentences": [{"sentid": i + 1, "raw": t}]}
                    for i, (t, k) in enumerate(zip(TEXTS, KINDS, strict=True))
                ]
            }
        ),
        NUMBERED,
        {"split": KINDS},
    ),
    "cvtg": (
        "2.json",
        json.dumps({"data_list": _rows(index=range(4), prompt=TEXTS, carrier_list=[["sign"]] * 4)}),
        ("0", "1", "2", "3"),
        {},
    ),
    "lists by category": (
        "by_category.json",
        json.dumps({"one": TEXTS[:2], "two": TEXTS[2:]}, indent=1),
        NUMBERED,
        {"category": KINDS},
    ),
    "objects by category": (
        "objects.json",
        json.dumps(
            {"one": _rows(id=(1, 2), prompt=TEXTS[:2]), "two": _rows(id=(1, 2), prompt=TEXTS[2:])}
        ),
        ("one/1", "one/2", "two/1", "two/2"),
        {"category": KINDS},
    ),
    "a table as columns": (
        "columns.json",
        json.dumps({"prompt": TEXTS, "kind": KINDS}),
        NUMBERED,
        {"kind": KINDS},
    ),
    "captions in lists": (
        "images.jsonl",
        _jsonl([{"image_id": 7, "captions": TEXTS[:2]}, {"image_id": 8, "captions": TEXTS[2:]}]),
        ("7/0", "7/1", "8/0", "8/1"),
        {},
    ),
    "quoted throughout": (
        "all.tsv",
        _csv(delimiter="\t", quoting=csv.QUOTE_ALL, id="wxyz", Text=TEXTS),
        tuple("wxyz"),
        {},
    ),
    "semicolons": ("excel.csv", _csv(delimiter=";", ID=(1, 2, 3, 4), Prompt=TEXTS), NUMBERED, {}),
}


def _write(folder, name, content):
    if isinstance(name, str):
        (folder / name).write_bytes(content.encode())
        return folder / name
    for one, text in name.items():
        (folder / one).write_bytes(text.encode())
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_gives_texts_ids_and_tags(tmp_path, layout):
    name, content, ids, tags = LAYOUTS[layout]
    path = _write(tmp_path, name, content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        prompts = load_prompts(path)
        again = [text for rows in open_copy(path).batches() for text in rows.texts.to_pylist()]
    assert prompts.texts == TEXTS
    assert set(TEXTS) <= {
        text for text in again if text
    }  # what finds a subset's texts reads it too
    if ids is not None:
        assert prompts.ids == ids
    for tag, values in tags.items():
        column = prompts.column(tag, "by")
        if values is not None and len(values) == len(column):
            assert column == values
        elif values is not None:
            assert set(prompts.by_tag(tag)) == set(values)
    saved = load_prompts(save_prompts(prompts, tmp_path / "saved" / "p.parquet"))
    assert saved == prompts


def test_quotation_marks_of_a_tsv_that_quotes_nothing(tmp_path):
    texts = ('"A cat" and "a dog"', 'a sign that says "hi', '"open', 'whole ""x"" text')
    lines = ["Prompt\tCategory", *(f"{text}\tsigns" for text in texts)]
    (tmp_path / "a.tsv").write_text("\n".join(lines))
    with pytest.warns(UserWarning, match="no column of ids"):
        assert load_prompts(tmp_path / "a.tsv").texts == texts


def test_a_tsv_that_quotes_a_line_break(tmp_path):
    (tmp_path / "a.tsv").write_text('id\tprompt\n1\t"two\nlines"\n2\t"say ""hi"""\n')
    assert load_prompts(tmp_path / "a.tsv").texts == ("two\nlines", 'say "hi"')


def test_files_of_a_folder_warn_once_a_kind(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.txt").write_text("A cat.\n\nA dog.\n")
    with pytest.warns(UserWarning, match="1 blank lines are left out .and so for 2 more") as told:
        load_prompts(tmp_path)
    assert len(told) == 1


def test_rows_without_texts_in_a_column_of_lists_are_said(tmp_path):
    rows = [{"id": 1, "captions": ["a", "b"]}, {"id": 2, "captions": []}, {"id": 3}]
    (tmp_path / "c.json").write_text(json.dumps(rows))
    with pytest.warns(UserWarning, match="2 of 3 rows have no text in 'captions' and are left out"):
        assert load_prompts(tmp_path / "c.json").ids == ("1/0", "1/1")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.json", '{"a": "one", "b": "x", "a": "two"}'), ("a.jsonl", '{"id": 1, "id": 2, "p": "x"}')],
)
def test_a_key_that_stands_twice_is_refused(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=r"the key '(a|id)' occurs twice in one object"):
        load_prompts(tmp_path / name)


def test_a_data_set_of_local_files(tmp_path):
    pytest.importorskip("datasets", reason="the datasets library is not installed")
    (tmp_path / "train.jsonl").write_text(_jsonl(_rows(id=(1, 2, 3, 4), prompt=TEXTS, kind=KINDS)))
    (tmp_path / "test.jsonl").write_text(_jsonl([{"id": 9, "prompt": "A fish", "kind": "one"}]))
    prompts = load_prompts(f"datasets:{tmp_path}")
    assert sorted(prompts.texts) == sorted([*TEXTS, "A fish"])
    assert set(prompts.by_tag("split")) == {"train", "test"}
    assert load_prompts(f"datasets:{tmp_path}:test").ids == ("9",)

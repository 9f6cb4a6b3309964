"""Layouts of tables: the shared cases, a small file of each kind, and what is refused."""

import json
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import flasheval
from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.scores import load_scores
from flasheval.scores.importers.by_shape import read_scores
from flasheval.scores.importers.table_folders import table_files

_CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"
_WITH_TEXTS = (6, 25, 27, 28, 42)
_MINE = (6, *range(14, 34), *range(40, 46))


@pytest.mark.parametrize("number", _MINE)
def test_the_shared_cases_read_as_their_table_says(number):
    if not _CASES.is_dir():
        pytest.skip("shared cases are absent: ../shared/cases beside the repository root")
    known = json.loads((_CASES / "expected.json").read_text(encoding="utf-8"))
    cases = [one for one in known if one["case"].startswith(f"s{number:02d}_")]
    assert cases
    for case in cases:
        table = read_scores(_CASES / case["load"]).table
        assert (len(table), table.n_prompts) == (case["n_variants"], case["n_prompts"])
        for metric, means in case["means"].items():
            values = table[table.metrics[0] if metric == "*" else metric].values
            assert sorted(table.variant_names) == sorted(means)
            found = np.nanmean(values, axis=1, dtype=np.float64)
            wanted = [means[name] for name in table.variant_names]
            np.testing.assert_allclose(found, wanted, rtol=1e-9 if number == 32 else 1e-5)
        assert (table.prompts.texts is not None) == (number in _WITH_TEXTS)
        assert table[table.metrics[0]].exact == (number == 32)
        assert (table[table.metrics[0]].images is not None) == (number == 23)


def test_the_shared_twins_are_named_and_counted_once():
    if not _CASES.is_dir():
        pytest.skip("shared cases are absent: ../shared/cases beside the repository root")
    table = load_scores(_CASES / "s26_twins" / "twins.csv")
    groups = table.named_twins()
    assert len(groups) == 12
    assert ("v01", "v01-again") in groups
    assert any({"v03", "checkpoint-1500"} == set(one) for one in groups)
    result = flasheval.search(table, size=8, method="pooled", draws=20, progress=False)
    assert any("the same scores under several names" in line for line in result.warnings)
    for split in result.subset.record.evidence.splits:
        assert split.n_search + split.n_held_out == 12


_IDS = [f"p{place}" for place in range(6)]
_MODELS = ["sd15", "sdxl", "flux"]
_SCORES = np.array(
    [
        [0.31, 0.22, 0.43, 0.14, 0.35, 0.26],
        [0.42, 0.51, 0.33, 0.64, 0.45, 0.36],
        [0.73, 0.62, 0.81, 0.54, 0.65, 0.76],
    ]
)


def _write(path, header, rows, separator=","):
    lines = [separator.join(map(str, row)) for row in [header, *rows]]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _long(columns, scores=_SCORES):
    """Rows of variant, prompt, and whatever `columns` makes of (variant, prompt, score)."""
    return [
        [model, one, *columns(v, p, scores[v, p])]
        for v, model in enumerate(_MODELS)
        for p, one in enumerate(_IDS)
    ]


def _wide(*, scores=_SCORES, cell=lambda score: score):
    return [[one, *(cell(score) for score in scores[:, p])] for p, one in enumerate(_IDS)]


def _is_planted(table, metric=None, scores=_SCORES):
    rows = [table.variant_names.index(name) for name in _MODELS]
    assert len(table) == len(_MODELS)
    assert table.n_prompts == len(_IDS)
    values = table[metric or table.metrics[0]].values[rows]
    np.testing.assert_allclose(values, scores, rtol=1e-6)


def _read(path, **settings):
    result = read_scores(path, **settings)
    assert "\n" not in result.how
    return result.table, result.how


def test_names_in_any_case_and_with_blanks_around(tmp_path):
    path = _write(
        tmp_path / "a.csv", [" Model Name", "PromptId ", "SCORE"], _long(lambda *s: s[2:])
    )
    _is_planted(_read(path)[0], "a")


def test_metrics_in_columns_factors_and_tags(tmp_path):
    header = ["model", "prompt_id", "prompt", "category", "steps", "CLIP", "HPS", "overall"]
    rows = _long(
        lambda v, p, s: (f"text {p}", "ab"[p % 2], 10 * v, s, 1 - s, 0.5)  # overall: their mean
    )
    table, how = _read(_write(tmp_path / "t.csv", header, rows))
    assert table.metrics == ("CLIP", "HPS")
    _is_planted(table, "CLIP")
    _is_planted(table, "HPS", 1 - _SCORES)
    assert table.factor("steps") == (0, 10, 20)
    assert table.prompts.texts[5] == "text 5"
    assert table.prompts.extras["category"] == tuple("ababab")
    assert "factors steps" in how
    assert "left out 'overall'" in how or "overall" not in table.metrics


@pytest.mark.parametrize(
    ("separator", "cell"),
    [
        (";", lambda score: str(score).replace(".", ",")),
        ("\t", lambda score: str(score)),
        ("|", lambda score: f" {score} "),
        (",", lambda score: f"{score:.2%}"),
        (",", lambda score: f'"{score}"'.replace(".", ",")),
    ],
)
def test_separators_decimal_commas_and_percent(tmp_path, separator, cell):
    path = _write(tmp_path / "a.csv", ["prompt_id", *_MODELS], _wide(cell=cell), separator)
    _is_planted(_read(path)[0])


def test_commas_that_could_be_either_and_percent_of_some_columns(tmp_path):
    rows = [[one, '"1,234"', '"2,345"', '"3,456"'] for one in _IDS]
    with pytest.raises(DataError, match=r"row 1: column 'sd15' is '1,234'; which could be a dec"):
        load_scores(_write(tmp_path / "a.csv", ["prompt_id", *_MODELS], rows))
    rows = [[one, "27%", 0.3, 0.4] for one in _IDS]
    with pytest.raises(DataError, match="'sd15' is written in percent but 'sdxl' is not"):
        load_scores(_write(tmp_path / "a.csv", ["prompt_id", *_MODELS], rows))


@pytest.mark.parametrize("words", [("True", "False"), ("yes", "no"), ("TRUE", "FALSE")])
def test_truth_values(tmp_path, words):
    rows = _long(lambda v, p, s: (words[0] if s > 0.4 else words[1],))
    table, _ = _read(_write(tmp_path / "a.csv", ["model", "prompt_id", "correct"], rows))
    _is_planted(table, "correct", (_SCORES > 0.4).astype(float))


@pytest.mark.parametrize("name", ["seed", "rater", "judge", "annotator_id", "image", "Sample Idx"])
def test_several_values_of_a_cell_give_their_mean(tmp_path, name):
    rows = [
        [*row[:2], number, row[2] + shift]
        for row in _long(lambda v, p, s: (s,))
        for number, shift in ((1, -0.1), (2, 0.1))
    ]
    path = _write(tmp_path / "a.csv", ["model", "prompt_id", name, "score"], rows)
    table, how = _read(path)
    _is_planted(table)
    assert "the mean of up to 2 values a cell" in how


def test_raters_in_columns(tmp_path):
    header = ["model", "prompt_id", "rater1", "rater2", "rater3"]
    rows = _long(lambda v, p, s: (s - 0.1, s, s + 0.1))
    path = _write(tmp_path / "ratings.csv", header, rows)
    table, how = _read(path)
    _is_planted(table, "ratings")
    assert "columns={score:[rater1,rater2]}" in how
    table, _ = _read(path, columns={"score": ["rater1", "rater3"]})
    assert table.metrics == ("rater1", "rater3")


def test_lists_of_ratings_in_json(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(
        "\n".join(
            json.dumps({"model": model, "prompt_id": one, "rating": [score - 0.1, score + 0.1]})
            for model, one, score in _long(lambda v, p, s: (s,))
        )
    )
    _is_planted(_read(path)[0], "rating")


def test_a_column_that_tells_values_apart_is_asked_about(tmp_path):
    rows = [
        [*row[:2], steps, round(row[2] + shift, 2)]
        for row in _long(lambda v, p, s: (s,))
        for steps, shift in ((10, -0.1), (50, 0.1))
    ]
    path = _write(tmp_path / "a.csv", ["model", "prompt_id", "steps", "score"], rows)
    with pytest.raises(DataError, match=r"\{variant:model\+steps\}.*\{seed:steps\}"):
        load_scores(path)
    table, _ = _read(path, columns={"variant": "model+steps"})
    assert table.variant_names[:2] == ("sd15/10", "sd15/50")
    _is_planted(_read(path, columns={"seed": "steps"})[0])


@pytest.mark.parametrize("name", ["mean", "Average", "everything"])
def test_an_average_among_the_variants_is_told_by_name_or_values(tmp_path, name):
    scores = np.vstack([_SCORES, _SCORES.mean(axis=0)])
    path = _write(tmp_path / "a.csv", ["prompt_id", *_MODELS, name], _wide(scores=scores))
    table, how = _read(path)
    _is_planted(table)
    assert f"left out '{name}': an average or the like, no variant" in how
    with pytest.warns(UserWarning, match="an average or the like"):
        load_scores(path)


@pytest.mark.parametrize("name", ["Average", "Mean", "everything", "Total"])
def test_an_average_row_is_no_prompt(tmp_path, name):
    means = _SCORES.sum(axis=1) if name == "Total" else _SCORES.mean(axis=1)
    path = _write(tmp_path / "a.csv", ["prompt_id", *_MODELS], [*_wide(), [name, *means]])
    table, how = _read(path)
    _is_planted(table)
    assert f"left out '{name}'" in how


@pytest.mark.parametrize("best", [np.max, np.min])
def test_the_best_of_the_variants_is_no_variant(tmp_path, best):
    scores = np.vstack([_SCORES, best(_SCORES, axis=0)])
    scores[:, 0] = scores[::-1, 0][[1, 2, 3, 0]]  # no variant is the best everywhere
    scores[3] = best(scores[:3], axis=0)
    path = _write(tmp_path / "a.csv", ["prompt_id", *_MODELS, "top"], _wide(scores=scores))
    table, how = _read(path)
    _is_planted(table, scores=scores[:3])
    assert "left out 'top'" in how


def test_additive_scores_have_no_average_among_them(tmp_path):
    scores = np.arange(5)[:, None] / 10 + np.arange(6) / 10  # the third is the mean of the others
    rows = [[one, *scores[:, p]] for p, one in enumerate(_IDS)]
    table, _ = _read(_write(tmp_path / "a.csv", ["prompt_id", *"vwxyz"], rows))
    assert table.variant_names == tuple("vwxyz")
    assert table.n_prompts == 6


def test_numbers_that_are_no_scores(tmp_path):
    rows = [[*row, 7, 1000 + place] for place, row in enumerate(_wide())]
    path = _write(tmp_path / "a.csv", ["prompt_id", *_MODELS, "n_images", "seed"], rows)
    table, how = _read(path)
    _is_planted(table)
    assert "'seed'" in how
    assert "'n_images'" in how
    path = _write(tmp_path / "b.csv", ["prompt_id", *_MODELS, "difficulty", "x"], rows)
    with pytest.raises(DataError, match=r"column 'x' .*drop=\[x\]"):
        load_scores(path)
    with pytest.raises(DataError, match=r"column 'difficulty' .*drop=\[difficulty\]"):
        load_scores(path, drop="x")
    _is_planted(_read(path, drop=["difficulty", "x"])[0])
    assert len(_read(path, columns={"variant": "*"})[0]) == 5


def test_a_turned_table_with_what_describes_the_variants(tmp_path):
    rows = [[model, "abb"[v], *_SCORES[v]] for v, model in enumerate(_MODELS)]
    path = _write(tmp_path / "a.csv", ["model", "family", *_IDS], rows)
    table, how = _read(path)
    _is_planted(table)
    assert table.factor("family") == ("a", "b", "b")
    assert "turned" in how
    rows = [[v + 1, *row, np.mean(row[2:])] for v, row in enumerate(rows)]
    path = _write(tmp_path / "b.csv", ["rank", "model", "family", *_IDS, "avg"], rows)
    table, how = _read(path)
    _is_planted(table)
    assert "left out 'rank'" in how
    assert "left out 'avg'" in how


def test_a_leaderboard_of_means_is_no_table_of_scores(tmp_path):
    rows = [[model, 0.1, 0.2] for model in _MODELS]
    path = _write(tmp_path / "a.csv", ["model", "CLIP", "HPS"], rows)
    with pytest.raises(DataError, match=r"two ways: .*means.*\{variant:model,prompt:'\*'\}"):
        load_scores(path)


def test_metrics_of_one_variant_or_variants_called_like_metrics(tmp_path):
    path = _write(tmp_path / "sd15.csv", ["prompt_id", "CLIP", "HPS"], [["a", 1, 2], ["b", 3, 4]])
    with pytest.raises(DataError, match=r"\{score:\[CLIP,HPS\]\}.*\{variant:'\*'\}"):
        load_scores(path)
    assert _read(path, columns={"score": ["CLIP", "HPS"]})[0].variant_names == ("sd15",)
    assert _read(path, columns={"variant": "*"})[0].variant_names == ("CLIP", "HPS")


def test_texts_without_ids_get_numbers_and_go_into_the_subset(tmp_path):
    rows = [[f"a cat number {place} on a mat", *row[1:]] for place, row in enumerate(_wide())]
    path = _write(tmp_path / "a.csv", ["prompt", *_MODELS], rows)
    table, how = _read(path)
    _is_planted(table)
    assert table.prompts.ids == tuple("123456")
    assert table.prompts.texts[0] == "a cat number 0 on a mat"
    assert "prompts are numbered" in how
    result = flasheval.search(
        table, size=2, method="pooled", splits=None, calibrate=False, progress=False
    )
    assert all(text.startswith("a cat number") for text in result.subset.texts)
    named = flasheval.PromptSet("mine", tuple("fedcba"), table.prompts.texts)
    assert load_scores(path, prompts=named).prompts.ids == tuple("fedcba")


def test_ids_of_rows_are_no_ids_of_prompts(tmp_path):
    rows = [
        [place, row[0], f"a text of {row[1]}", row[2]]
        for place, row in enumerate(_long(lambda v, p, s: (s,)))
    ]
    path = _write(tmp_path / "a.csv", ["id", "model", "prompt", "score"], rows)
    _is_planted(_read(path)[0])


def test_folders_of_one_file_a_variant(tmp_path):
    for v, model in enumerate(_MODELS):
        rows = [[one, _SCORES[v, p], 1 - _SCORES[v, p]] for p, one in enumerate(_IDS)]
        _write(tmp_path / "a" / f"{model}.csv", ["prompt_id", "CLIP", "HPS"], rows[::-1])
        _write(tmp_path / "b" / f"{model}.csv", ["prompt_id", "alignment", "charm"], rows)
    table, how = _read(tmp_path / "a")
    assert table.metrics == ("CLIP", "HPS")
    assert "one file a variant (3)" in how
    with pytest.raises(DataError, match=r"a file a variant .*or a file a metric"):
        load_scores(tmp_path / "b")
    assert _read(tmp_path / "b", columns={"score": ["alignment"]})[0].variant_names == tuple(
        sorted(_MODELS)
    )


def test_folders_of_folders_with_one_file_each(tmp_path):
    for v, model in enumerate(_MODELS):
        rows = [[one, _SCORES[v, p]] for p, one in enumerate(_IDS)]
        _write(tmp_path / model / "results.csv", ["prompt_id", "score"], rows)
    _is_planted(_read(tmp_path)[0], "score")
    for metric in ("clip", "hps"):
        _write(tmp_path / "m" / metric / "wide.csv", ["prompt_id", *_MODELS], _wide())
    assert _read(tmp_path / "m")[0].metrics == ("clip", "hps")


def test_folders_of_long_tables(tmp_path):
    every = _long(lambda v, p, s: (s,))
    for v, model in enumerate(_MODELS):
        _write(
            tmp_path / "a" / f"{v}.csv", ["model", "prompt_id", "score"], every[6 * v : 6 * v + 6]
        )
        assert model == every[6 * v][0]
    _is_planted(_read(tmp_path / "a")[0])
    for metric in ("clip", "hps"):
        _write(tmp_path / "b" / f"{metric}.csv", ["model", "prompt_id", "score"], every)
    table, how = _read(tmp_path / "b")
    assert table.metrics == ("clip", "hps")
    assert "one file a metric" in how


def test_feather_excel_and_parquet_with_an_index(tmp_path):
    columns = {"prompt_id": _IDS, **dict(zip(_MODELS, _SCORES, strict=True))}
    pa.feather.write_feather(pa.table(columns), tmp_path / "a.feather")
    _is_planted(_read(tmp_path / "a.feather")[0])
    pq.write_table(pa.table({**columns, "__index_level_0__": range(6)}), tmp_path / "a.parquet")
    _is_planted(_read(tmp_path / "a.parquet")[0])
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for title in ("CLIP", "HPS"):
        sheet = book.create_sheet(title)
        for row in [["prompt_id", *_MODELS], *_wide()]:
            sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    table, _ = _read(tmp_path / "a.xlsx")
    assert table.metrics == ("CLIP", "HPS")
    _is_planted(table, "HPS")
    (tmp_path / "b.xlsx").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a readable Excel file"):
        load_scores(tmp_path / "b.xlsx")


@pytest.mark.parametrize("indent", [None, 2])
def test_json_documents(tmp_path, indent):
    path = tmp_path / "a.json"

    def table_of(document):
        path.write_text(json.dumps(document, indent=indent))
        return _read(path)[0]

    nested = {m: dict(zip(_IDS, _SCORES[v], strict=True)) for v, m in enumerate(_MODELS)}
    _is_planted(table_of(nested))
    turned = {one: {m: nested[m][one] for m in _MODELS} for one in _IDS}
    _is_planted(table_of(turned))
    _is_planted(table_of({"CLIP": nested, "HPS": nested}), "HPS")
    _is_planted(table_of({"prompt_id": _IDS, **{m: list(nested[m].values()) for m in _MODELS}}))
    rows = _wide()
    _is_planted(table_of({"columns": ["prompt_id", *_MODELS], "index": [*range(6)], "data": rows}))
    records = [dict(zip(["model", "id", "score"], row, strict=True)) for row in _long(_just)]
    _is_planted(table_of({"results": records}))
    _is_planted(table_of(records))
    path.write_text(json.dumps({"a": 1, "b": {"c": "d"}}, indent=indent))
    with pytest.raises(DataError) as caught:
        load_scores(path)
    assert "cut short" not in str(caught.value)


def _just(v, p, score):
    return (float(score),)


def test_axes_of_arrays_and_an_npy_with_names_beside(tmp_path):
    three = np.stack([_SCORES, 1 - _SCORES])
    names = {"models": _MODELS, "prompt_ids": _IDS, "metrics": ["CLIP", "fid"]}
    np.savez(tmp_path / "a.npz", scores=three, higher_is_better=[True, False], **names)
    table, _ = _read(tmp_path / "a.npz")
    _is_planted(table, "CLIP")
    assert not table["fid"].higher_is_better
    np.savez(tmp_path / "b.npz", scores=np.moveaxis(three, 0, 2), **names)
    table, how = _read(tmp_path / "b.npz")
    _is_planted(table, "fid", 1 - _SCORES)
    assert "[variants, prompts, metrics]" in how
    np.savez(tmp_path / "c.npz", CLIP=_SCORES, HPS=_SCORES, models=_MODELS, prompt_ids=_IDS)
    assert _read(tmp_path / "c.npz")[0].metrics == ("CLIP", "HPS")
    np.save(tmp_path / "d.npy", _SCORES)
    with pytest.raises(DataError, match=r"without names: put d\.json beside it"):
        load_scores(tmp_path / "d.npy")
    (tmp_path / "d.json").write_text(json.dumps({"variants": _MODELS, "prompt_ids": _IDS}))
    _is_planted(_read(tmp_path / "d.npy")[0], "d")


def test_settings_that_cannot_be(tmp_path):
    path = _write(tmp_path / "a.csv", ["prompt_id", *_MODELS], _wide())
    for settings, message in (
        ({"columns": {"modell": "x"}}, "columns has no key 'modell'"),
        ({"columns": "model"}, "expected {variant: COLUMN"),
        ({"columns": {"variant": "*", "prompt": ["a"]}}, "cannot both be lists"),
        ({"columns": {"text": ["a", "b"]}}, "names 2 columns"),
        ({"drop": 3}, "drop=3: expected a column's name"),
    ):
        with pytest.raises(SettingError, match=message):
            load_scores(path, **settings)
    with pytest.raises(DataError, match="no column 'promt' for the prompt ids"):
        load_scores(path, columns={"prompt": "promt"})
    with pytest.raises(DataError, match="drop names 'fluxx', which is no column"):
        load_scores(path, drop="fluxx")
    assert load_scores(path, drop=["flux", "P0"]).n_prompts == 5
    with pytest.raises(SettingError, match="leave out columns and drop"):
        load_scores(load_scores(path), drop="flux")


def test_a_prompt_with_two_texts(tmp_path):
    rows = _long(lambda v, p, s: (f"text {v}", s))
    path = _write(tmp_path / "a.csv", ["model", "prompt_id", "text", "score"], rows)
    with pytest.raises(ConflictError, match="row 7: prompt 'p0' has another text"):
        load_scores(path)


def test_a_plain_table_says_nothing_in_python(tmp_path):
    path = _write(tmp_path / "a.csv", ["prompt_id", *_MODELS], _wide())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _is_planted(load_scores(path))


@pytest.mark.parametrize("name", ["scores.json", "scores.JSON"])
def test_one_json_file_a_folder_may_be_anything(tmp_path, name):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text('{"x": 1}')
    assert table_files(tmp_path) == []

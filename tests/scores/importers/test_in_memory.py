"""Each object in memory reads as the file of the same scores does."""

import builtins
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flasheval
from flasheval.base.errors import ConflictError, DataError, FlashevalError, SettingError
from flasheval.generators.image_time import ImageTime
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreMatrix, ScoreTable, load_scores

pd = pytest.importorskip("pandas")

VARIANTS = ("sd15", "sdxl", "flux")
PROMPTS = tuple(f"p{number}" for number in (3, 1, 2, 10, 7))  # in an order of their own


def wide_frame(table: ScoreTable, metric: str = "score") -> Any:
    """The scores as most people have them: prompt_id, and a column a variant."""
    frame = pd.DataFrame(table[metric].values.T, columns=list(table.variant_names))
    frame.insert(0, "prompt_id", list(table.prompts.ids))
    return frame


def long_frame(table: ScoreTable, metric: str = "score") -> Any:
    frame = wide_frame(table, metric)
    return frame.melt("prompt_id", var_name="variant", value_name="score")


def by_prompt(table: ScoreTable) -> Any:
    return wide_frame(table).set_index("prompt_id")


def by_variant(table: ScoreTable) -> Any:
    return by_prompt(table).T


def nested(table: ScoreTable) -> dict[str, dict[str, float]]:
    rows = zip(table.variant_names, table["score"].values.tolist(), strict=True)
    return {name: dict(zip(table.prompts.ids, row, strict=True)) for name, row in rows}


def arrays(table: ScoreTable) -> dict[str, Any]:
    return {
        "scores": table["score"].values,
        "variants": list(table.variant_names),
        "prompt_ids": list(table.prompts.ids),
    }


def lists_of_records(table: ScoreTable) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [{"prompt_id": prompt, "score": score} for prompt, score in row.items()]
        for name, row in nested(table).items()
    }


def numpy_records(table: ScoreTable) -> Any:
    columns = [np.array(table.prompts.ids), *table["score"].values]
    return np.rec.fromarrays(columns, names=["prompt_id", *table.variant_names])


def with_polars(make: Callable[[Any], Any], lazy: bool = False) -> Callable[[ScoreTable], Any]:
    def made(table: ScoreTable) -> Any:
        polars = pytest.importorskip("polars")
        frame = polars.from_pandas(make(table))
        return frame.lazy() if lazy else frame

    return made


def with_arrow(make: Callable[[Any], Any]) -> Callable[[ScoreTable], Any]:
    def made(table: ScoreTable) -> Any:
        import pyarrow as pa

        return pa.Table.from_pandas(make(table))

    return made


def with_datasets(make: Callable[[Any], Any]) -> Callable[[ScoreTable], Any]:
    def made(table: ScoreTable) -> Any:
        return pytest.importorskip("datasets").Dataset.from_pandas(make(table))

    return made


def tensors(table: ScoreTable) -> dict[str, Any]:
    torch = pytest.importorskip("torch")
    return {**arrays(table), "scores": torch.tensor(table["score"].values)}


OBJECTS: dict[str, Callable[[ScoreTable], Any]] = {
    "pandas, wide": wide_frame,
    "pandas, prompts in a named index": by_prompt,
    "pandas, prompts in an index without a name": lambda t: by_prompt(t).rename_axis(None),
    "pandas, variants in a named index": lambda t: by_variant(t).rename_axis("variant"),
    "pandas, variants in an index without a name": lambda t: by_variant(t).rename_axis(None),
    "pandas, variants in a column": lambda t: by_variant(t).rename_axis("model").reset_index(),
    "pandas, long": long_frame,
    "pandas, long, some rows left": lambda t: pd.concat([long_frame(t)] * 2)[: long_frame(t).size],
    "pandas, long in the index": lambda t: long_frame(t).set_index(["variant", "prompt_id"]),
    "pandas, a series": lambda t: long_frame(t).set_index(["variant", "prompt_id"])["score"],
    "pandas, tidy": lambda t: t.to_pandas(),
    "pandas, pivot": lambda t: pd.concat({"score": by_prompt(t)}, axis=1),
    "pandas, pivot the other way": lambda t: (
        pd.concat({"score": by_prompt(t)}, axis=1)
        .rename_axis(columns=["metric", "variant"])
        .swaplevel(axis=1)
    ),
    "pandas, categories": lambda t: long_frame(t).astype({"variant": "category"}),
    "pandas, nullable": lambda t: wide_frame(t).convert_dtypes(),
    "pandas, backed by Arrow": lambda t: wide_frame(t).convert_dtypes(dtype_backend="pyarrow"),
    "polars, wide": with_polars(wide_frame),
    "polars, long": with_polars(long_frame),
    "polars, lazy": with_polars(long_frame, lazy=True),
    "arrow, wide": with_arrow(wide_frame),
    "arrow, long": with_arrow(long_frame),
    "arrow, from an index without a name": with_arrow(lambda t: by_prompt(t).rename_axis(None)),
    "datasets, wide": with_datasets(wide_frame),
    "datasets, long": with_datasets(long_frame),
    "numpy with names": arrays,
    "numpy records": numpy_records,
    "torch with names": tensors,
    "numpy, a metrics axis": lambda t: {
        **arrays(t),
        "scores": t["score"].values[None],
        "metrics": ["score"],
    },
    "numpy by metric, with names": lambda t: {
        "score": t["score"].values,
        "models": list(t.variant_names),
        "prompts": list(t.prompts.ids),
    },
    "records, wide": lambda t: wide_frame(t).to_dict("records"),
    "records, long": lambda t: long_frame(t).to_dict("records"),
    "records by variant": lists_of_records,
    "columns": lambda t: wide_frame(t).to_dict("list"),
    "columns of a frame": lambda t: wide_frame(t).to_dict(),
    "columns of arrays": lambda t: {
        "prompt_id": list(t.prompts.ids),
        **dict(zip(t.variant_names, t["score"].values, strict=True)),
    },
    "by variant: a frame": lambda t: {
        name: by_prompt(t)[[name]].set_axis(["score"], axis=1).reset_index()
        for name in t.variant_names
    },
    "by variant: a frame of an index": lambda t: {
        name: by_prompt(t)[[name]].set_axis(["score"], axis=1) for name in t.variant_names
    },
    "by variant: columns": lambda t: {
        name: {"prompt_id": list(t.prompts.ids), "score": row}
        for name, row in zip(t.variant_names, t["score"].values, strict=True)
    },
    "series by variant": lambda t: {name: by_prompt(t)[name] for name in t.variant_names},
    "dict of dicts": nested,
    "dict of dicts, prompts first": lambda t: by_variant(t).to_dict(),
    "a score matrix": lambda t: t["score"],
    "by metric: a frame": lambda t: {"score": wide_frame(t)},
    "by metric: a dict of dicts": lambda t: {"score": nested(t)},
    "by metric: a score matrix": lambda t: {"score": ScoreMatrix("x", *_of(t["score"]))},
    "a score table": lambda t: t,
}


def _of(matrix: ScoreMatrix) -> tuple[Any, ...]:
    return matrix.values, matrix.variants, matrix.prompt_ids


def equal(read: ScoreTable, table: ScoreTable) -> None:
    assert (read.metrics, read.variant_names) == (table.metrics, table.variant_names)
    assert read.prompts.ids == table.prompts.ids
    for metric in table.metrics:
        assert read[metric].values.dtype == np.float32
        np.testing.assert_array_equal(read[metric].values, table[metric].values)
    assert read.content_hash == table.content_hash


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of scores, two of them not measured."""
    values = np.random.default_rng(0).random((len(VARIANTS), len(PROMPTS))).round(4)
    values[1, 2] = values[2, 0] = np.nan
    table = ScoreTable.from_arrays(values, variants=VARIANTS, prompts=PROMPTS)
    path: Path = tmp_path_factory.mktemp("scores") / "score.csv"
    wide_frame(table).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("form", OBJECTS)
def test_an_object_reads_as_the_file_of_its_scores(form: str, file: Path) -> None:
    table = load_scores(file)
    assert table.variant_names == VARIANTS
    assert table.prompts.ids == PROMPTS
    equal(load_scores(OBJECTS[form](table)), table)


@pytest.mark.parametrize("form", OBJECTS)
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_small_tables_read_alike_in_every_form(form: str, data: st.DataObject) -> None:
    n_variants = data.draw(st.integers(2, 4))
    n_prompts = data.draw(st.integers(n_variants + 1, 8))
    names = st.lists(
        st.from_regex(r"[a-d]{2,5}(-v[0-9])?", fullmatch=True), min_size=n_variants,
        max_size=n_variants, unique=True,
    )  # fmt: skip
    numbers = st.lists(st.integers(0, 999), min_size=n_prompts, max_size=n_prompts, unique=True)
    prefix = data.draw(st.sampled_from(["p", "prompt-", "id_"]))
    # Eighths: columns of whole numbers alone, or of none, may be no variants, which is asked.
    number = st.integers(-800, 800).map(lambda n: n / 8 + 0.0625)
    score = st.one_of(st.none(), number)
    row = st.tuples(number, st.lists(score, min_size=n_prompts - 1, max_size=n_prompts - 1)).map(
        lambda parts: [parts[0], *parts[1]]
    )
    table = ScoreTable.from_arrays(
        data.draw(st.lists(row, min_size=n_variants, max_size=n_variants)),
        variants=data.draw(names),
        prompts=[f"{prefix}{number}" for number in data.draw(numbers)],
    )
    equal(load_scores(OBJECTS[form](table)), table)


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.int64, np.float16, np.float64])
def test_scores_of_every_type_and_whole_numbers_as_ids(dtype: Any) -> None:
    values = np.array([[1, 0, 1, 1], [0, 0, 1, 0]], dtype=dtype)
    table = ScoreTable.from_arrays(values, variants=["a", "b"], prompts=[7, 3, 40, 12])
    assert table.prompts.ids == ("7", "3", "40", "12")
    assert table["score"].values.tolist() == [[1, 0, 1, 1], [0, 0, 1, 0]]
    frame = pd.DataFrame({"prompt_id": [7, 3, 40, 12], "a": values[0], "b": values[1]})
    records = frame.to_dict("records")
    for source in (
        *(frame, frame.set_index("prompt_id"), frame.set_index("prompt_id").T, records),
        *(frame.set_index("prompt_id").to_dict(), frame.set_index("prompt_id").T.to_dict()),
    ):
        equal(load_scores(source), table)


def test_half_precision_tensors_and_tensors_that_learn() -> None:
    torch = pytest.importorskip("torch")
    values = torch.tensor([[0.5, 0.25], [1.0, 0.125]])
    for given_ in (values.bfloat16(), values.half(), values.clone().requires_grad_(True)):
        table = ScoreTable.from_arrays(given_, variants=["a", "b"], prompts=["p0", "p1"])
        assert table["score"].values.tolist() == values.tolist()


def test_several_metrics_keep_their_names_and_directions() -> None:
    rng = np.random.default_rng(1)
    scores = {name: rng.random((3, 4)).astype(np.float32) for name in ("CLIP", "FD")}
    scores["CLIP"][0, 1] = np.nan
    table = ScoreTable.from_arrays(
        scores,
        variants=VARIANTS,
        prompts=["p0", "p1", "p2", "p3"],
        texts=["A cat.", "A dog.", "A hen.", "An ox."],
        higher_is_better={"FD": False},
        factors={"sd15": {"base_model": "sd", "steps": 20}},
    )
    assert table.variants[0].factors == {"base_model": "sd", "steps": 20}
    frame = table.to_pandas()
    assert list(frame) == ["variant", "prompt_id", "prompt", "CLIP", "FD"]
    assert len(frame) == 12
    equal(load_scores(frame), table)
    equal(load_scores(frame[["variant", "prompt_id", "prompt", "FD"]]), table.with_metrics("FD"))
    equal(load_scores(frame[frame.variant != "sd15"]), table.with_variants(["sdxl", "flux"]))
    timed = table.with_times({"sd15": ImageTime(0.5, "a GPU", batch=8), "flux": ImageTime(2.0)})
    again = load_scores(timed.to_pandas())
    assert [one.time for one in again.variants] == [one.time for one in timed.variants]
    with pytest.raises(ConflictError, match="'FD'"):
        load_scores(frame, higher_is_better=True)
    with pytest.raises(DataError, match="column 'steps' beside those"):
        load_scores(frame.assign(steps=20))

    plain = frame.rename(columns={"variant": "model"})
    plain.attrs = {}
    pivot = plain.pivot(index="prompt_id", columns="model", values=["CLIP", "FD"])
    for source in (
        *(plain, plain.to_dict("records"), pivot, pivot.swaplevel(axis=1)),
        {name: by_metric(table, name) for name in table.metrics},
        {name: nested_of(table, name) for name in table.metrics},
    ):
        read = load_scores(source, higher_is_better={"FD": False})
        read = read.with_variants(VARIANTS)  # pivot sorts them
        assert read.metrics == ("CLIP", "FD")
        assert [read[name].higher_is_better for name in read.metrics] == [True, False]
        for name in read.metrics:
            np.testing.assert_array_equal(read[name].values, table[name].values)
    assert load_scores(plain).prompts.texts == table.prompts.texts


def by_metric(table: ScoreTable, metric: str) -> Any:
    return wide_frame(table, metric)


def nested_of(table: ScoreTable, metric: str) -> dict[str, dict[str, float]]:
    frame: dict[str, dict[str, float]] = wide_frame(table, metric).set_index("prompt_id").to_dict()
    return frame


def test_a_lower_is_better_table_comes_back_without_being_told() -> None:
    table = ScoreTable.from_arrays(
        [[1, 2, 3]], variants=["a"], prompts=[0, 1, 2], metric="value", higher_is_better=False
    )
    equal(load_scores(table.to_pandas()), table)


def test_several_images_of_a_prompt_count_as_their_mean() -> None:
    scores = np.array([[[0.0, 1.0], [0.5, np.nan]], [[np.nan, np.nan], [1.0, 1.0]]])
    table = ScoreTable.from_arrays(scores, variants=["a", "b"], prompts=["p0", "p1"])
    np.testing.assert_array_equal(table["score"].values, [[0.5, 0.5], [np.nan, 1.0]])


def test_a_metric_is_named_by_the_setting_where_the_object_names_none(file: Path) -> None:
    table = load_scores(file)
    for source in (wide_frame(table), nested(table), arrays(table), table["score"]):
        read = load_scores(source, metric="CLIP")
        assert read.metrics == ("CLIP",)
    lower = load_scores(nested(table), metric="FD", higher_is_better=False)
    assert lower["FD"].higher_is_better is False
    with pytest.raises(SettingError, match="names the metric 'FD'"):
        load_scores(nested(table), higher_is_better={"FD": False})


def test_rows_without_names_are_counted(file: Path) -> None:
    table = load_scores(file)
    for source in (
        wide_frame(table).drop(columns="prompt_id"),
        wide_frame(table).drop(columns="prompt_id").to_dict("list"),
    ):
        read = load_scores(source)
        assert read.prompts.ids == ("0", "1", "2", "3", "4")
        np.testing.assert_array_equal(read["score"].values, table["score"].values)


def test_prompts_that_are_known_tell_which_names_are_theirs() -> None:
    pets = PromptSet("pets", ("cat", "dog", "hen"), ("A cat.", "A dog.", "A hen."))
    variants = "abcdefg"
    values = {
        pet: {name: float(len(pet) + i) for i, name in enumerate(variants)} for pet in pets.ids
    }
    frame = pd.DataFrame(values)  # prompts across, and fewer of them than there are variants
    for source in (values, frame.T):
        read = load_scores(source, prompts=pets)
        assert read.variant_names == tuple(variants)
        assert read.prompts == pets
    with pytest.raises(DataError, match="does not say which are the prompts"):
        load_scores(frame.T)
    with pytest.raises(DataError, match="does not say which are the prompts"):
        load_scores(frame.to_dict("index"))


def test_records_by_id_bring_their_texts() -> None:
    read = load_scores(
        {"p0": {"text": "A cat.", "a": 0.5, "b": 1}, "p1": {"text": "A dog.", "a": 0.25, "b": None}}
    )
    assert read.prompts.texts == ("A cat.", "A dog.")
    np.testing.assert_array_equal(read["score"].values, [[0.5, 0.25], [1, np.nan]])


MODELS, IDS = ("alpha", "bravo", "charlie"), ("p0", "p1", "p2", "p3")
BOTH = {"CLIP": np.arange(12.0).reshape(3, 4), "HPS": np.arange(12.0).reshape(3, 4)[::-1] ** 2}


def by_names(order: str, models: tuple[str, ...] = MODELS, ids: tuple[str, ...] = IDS) -> Any:
    """The scores of both metrics as a dict of dicts of dicts, in some order of the levels."""
    names = {"m": tuple(BOTH), "v": models, "p": ids}
    found: dict[str, dict[str, dict[str, float]]] = {}
    for m, metric in enumerate(BOTH):
        for v in range(3):
            for p in range(4):
                place = {"m": m, "v": v, "p": p}
                one, two, three = (names[level][place[level]] for level in order)
                inner = found.setdefault(one, {}).setdefault(two, {})
                inner[three] = float(BOTH[metric][v, p])
    return found


def tidy(v: int) -> Any:
    return pd.DataFrame({"prompt_id": IDS, **{name: BOTH[name][v] for name in BOTH}})


def both_are_read(read: ScoreTable, models: tuple[str, ...] = MODELS) -> None:
    assert set(read.metrics) == set(BOTH)
    assert read.variant_names == models
    assert len(read.prompts) == 4
    for metric, scores in BOTH.items():
        np.testing.assert_array_equal(read[metric].values, scores.astype(np.float32))


@pytest.mark.parametrize("order", ["mvp", "mpv", "vpm", "vmp", "pvm", "pmv"])
def test_names_three_deep_in_any_order(order: str, tmp_path: Path) -> None:
    for models in (MODELS, ("sd15", "sdxl", "flux")):
        scores = by_names(order, models)
        both_are_read(load_scores(scores), models)
        (tmp_path / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
        both_are_read(load_scores(tmp_path / "scores.json"), models)


def test_two_levels_of_three_tell_the_third() -> None:
    scores = by_names("vpm", ("sd15", "sdxl", "flux"))
    unknown = {
        name: {one: {"foo": row["CLIP"], "bar": row["HPS"]} for one, row in rows.items()}
        for name, rows in scores.items()
    }
    read = load_scores(unknown)
    assert (read.metrics, read.variant_names) == (("foo", "bar"), ("sd15", "sdxl", "flux"))
    single = {
        name: {p: {"CLIP": row["CLIP"]} for p, row in rows.items()} for name, rows in scores.items()
    }
    assert load_scores(single).metrics == ("CLIP",)


def test_names_three_deep_that_nothing_tells_are_refused() -> None:
    scores = by_names("vpm")
    unknown = {
        name: {one: {"foo": row["CLIP"], "bar": row["HPS"]} for one, row in rows.items()}
        for name, rows in scores.items()
    }
    with pytest.raises(DataError, match="the dict is three objects deep, and its keys do not tell"):
        load_scores(unknown)
    records = {
        name: {
            one: {"text": f"A {one}.", "CLIP": 0.5, "HPS": row["HPS"]} for one, row in rows.items()
        }
        for name, rows in scores.items()
    }
    read = load_scores(records)
    assert read.variant_names == MODELS
    assert (read.metrics, read.prompts.texts) == (("CLIP", "HPS"), tuple(f"A {p}." for p in IDS))
    for rows in records.values():
        for row in rows.values():
            row["foo"], row["bar"] = row.pop("CLIP"), row.pop("HPS")
    with pytest.raises(DataError, match="the dict is three objects deep"):
        load_scores(records)


def test_means_by_metric_are_no_scores_of_prompts() -> None:
    means = {name: {"CLIP": 0.3, "HPS": 0.2} for name in ("sd15", "sdxl", "flux")}
    with pytest.raises(DataError, match="means only, no score a prompt"):
        load_scores(means)


TIDY: dict[str, Callable[[], Any]] = {
    "frames": lambda: {name: tidy(v) for v, name in enumerate(MODELS)},
    "frames of an index": lambda: {
        name: tidy(v).set_index("prompt_id") for v, name in enumerate(MODELS)
    },
    "frames of an index without a name": lambda: {
        name: tidy(v).set_index("prompt_id").rename_axis(None) for v, name in enumerate(MODELS)
    },
    "columns": lambda: {name: tidy(v).to_dict("list") for v, name in enumerate(MODELS)},
    "records": lambda: {name: tidy(v).to_dict("records") for v, name in enumerate(MODELS)},
    "polars": lambda: {
        name: pytest.importorskip("polars").from_pandas(tidy(v)) for v, name in enumerate(MODELS)
    },
}


@pytest.mark.parametrize("what", TIDY)
def test_tables_by_variant_are_no_tables_by_metric(what: str) -> None:
    both_are_read(load_scores(TIDY[what]()))


def test_a_table_a_metric_stays_one(tmp_path: Path) -> None:
    wide = {
        name: pd.DataFrame({"prompt_id": IDS, **dict(zip(MODELS, BOTH[name], strict=True))})
        for name in BOTH
    }
    both_are_read(load_scores(wide))
    both_are_read(load_scores({name: one.to_dict("records") for name, one in wide.items()}))
    paths = {name: tmp_path / f"{name}_x.csv" for name in wide}
    for name, path in paths.items():
        wide[name].to_csv(path, index=False)
    both_are_read(load_scores(paths))
    unknown = {"foo": wide["CLIP"], "bar": wide["HPS"]}
    assert load_scores(unknown).metrics == ("foo", "bar")


def test_files_by_variant(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{v}.csv" for v, name in enumerate(MODELS)}
    for v, path in enumerate(paths.values()):
        tidy(v).to_csv(path, index=False)
    both_are_read(load_scores(paths))
    one = {name: tidy(v)[["prompt_id", "CLIP"]] for v, name in enumerate(MODELS)}
    read = load_scores(
        {name: table.rename(columns={"CLIP": "score"}) for name, table in one.items()},
        metric="rating",
    )
    assert (read.metrics, read.variant_names) == (("rating",), MODELS)


def test_tables_that_nothing_tells_are_refused() -> None:
    with pytest.raises(DataError, match="the dict can be read two ways: a table a variant"):
        load_scores(
            {name: tidy(0).rename(columns={"CLIP": "x"})[["prompt_id", "x"]] for name in MODELS}
        )


WIDE = pd.DataFrame({"prompt_id": ["p0", "p1"], "a": [0.5, 0.25], "b": [1.0, 0.75]})
REFUSED: dict[str, tuple[Any, str]] = {
    "numbers": ([1, 2, 3], r"list of 3 items such as 1 has no names; use .*from_arrays"),
    "rows of numbers": ([[1, 2], [3]], "has no names; use .*from_arrays"),
    "an array": (np.zeros((2, 3)), r"numpy ndarray of shape \(2, 3\) has no names; use .*from_arr"),
    "an array by metric": ({"CLIP": np.zeros((2, 3))}, "has no names; use .*from_arrays"),
    "a frame of an array": (pd.DataFrame(np.zeros((2, 3))), "names neither variants nor prompts"),
    "an empty frame": (pd.DataFrame(), "pandas DataFrame is empty"),
    "objects": (WIDE.assign(a=[object(), 1]), "DataFrame: column 'a' holds int and object; expect"),
    "infinite": (WIDE.assign(a=np.inf), "DataFrame row 1: column 'a' is inf"),
    "rows twice": (pd.concat([WIDE, WIDE]), "DataFrame has the id 'p0' more than once"),
    "a column twice": (pd.concat([WIDE, WIDE["a"]], axis=1), "the column 'a' more than once"),
    "a series": (WIDE["a"], "Series has one score a label"),
    "ragged": ([{"prompt_id": 1, "a": 1}, 3], "taken for a list of records, but item 2 is 3"),
    "no id": (
        [{"prompt_id": 1, "variant": "a", "score": 1}, {"variant": "a", "score": 1}],
        "list row 2: prompt_id is empty",
    ),
    "columns of unlike length": ({"prompt_id": [1, 2], "a": [1]}, "differ in length"),
    "images without names": ({"a": {"cat": [0.1, 0.2]}}, "places in them have no names"),
    "a number by metric": ({"CLIP": 3}, "holds 3 under 'CLIP'"),
    "an empty list": ([], "list is empty"),
    "nothing": (None, "an object of type 'NoneType' is none of these"),
    "a generator": ((row for row in ()), "an object of type 'generator' is none of these"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_told_in_a_line(what: str) -> None:
    source, words = REFUSED[what]
    with pytest.raises(FlashevalError, match=words) as caught:
        load_scores(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scores": [[1, 2]]}, r"have shape \(1, 2\); expected \(2, 3\)"),
        ({"scores": np.zeros((3, 2))}, r"give the transpose, scores.T"),
        ({"scores": [[1, 2, 3], [1, 2]]}, "do not form an array of numbers"),
        ({"scores": [["x"] * 3] * 2}, "are of type <U1; expected numbers"),
        ({"variants": "ab"}, "is one text; give a list of names"),
        ({"variants": ["a", "a"]}, "the variant 'a' more than once"),
        ({"prompts": "p0"}, "is one text; give a list of ids"),
        ({"prompts": ["p0", "p0", "p1"]}, "more than once"),
        ({"prompts": ["p0", 0.5, "p1"]}, "a prompt is named by a non-empty string"),
        ({"texts": ["A cat."]}, "3 ids but 1 texts"),
        ({"factors": {"c": {"steps": 1}}}, "factors names the variant 'c'"),
        ({"higher_is_better": {"clip": True}}, "names the metric 'clip'; there are: score"),
    ],
)
def test_arrays_that_do_not_fit_are_told_in_a_line(changes: Mapping[str, Any], words: str) -> None:
    given_ = {"scores": np.zeros((2, 3)), "variants": ["a", "b"], "prompts": ["p0", "p1", "p2"]}
    given_.update(changes)
    with pytest.raises(FlashevalError, match=words):
        ScoreTable.from_arrays(given_.pop("scores"), **given_)


def test_searching_and_validating_take_objects() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(24, 1)) / 4 + rng.normal(size=(24, 60))
    table = ScoreTable.from_arrays(
        values, variants=[f"v-{i:02}" for i in range(24)], prompts=[f"p{i}" for i in range(60)]
    )
    frame = wide_frame(table)
    chosen = [
        flasheval.search(source, size=5, method="balanced", splits=None).subset.content_hash
        for source in (table, frame, nested(table))
    ]
    assert len(set(chosen)) == 1
    report = flasheval.validate(frame, size=5, methods=["balanced"], splits="random:2", draws=9)
    assert report.sizes == (5,)


def test_no_library_is_loaded_for_what_is_not_its_own(file: Path) -> None:
    table = load_scores(file)
    archive = file.with_suffix(".npz")
    np.savez(archive, **{name: np.array(value) for name, value in arrays(table).items()})
    code = f"""
import json, sys
import flasheval
heavy = ("pandas", "polars", "torch", "datasets")
table = flasheval.load_scores({str(archive)!r})
flasheval.load_scores(table["score"])
flasheval.load_scores({{"a": {{"p0": 1.0, "p1": 2.0}}}})
found = [[name for name in heavy if name in sys.modules]]
flasheval.load_scores({str(file)!r})
found.append([name for name in heavy[1:] if name in sys.modules])  # pyarrow imports pandas itself
print(json.dumps(found))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[], []]


def test_a_frame_needs_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    table = ScoreTable.from_arrays([[1]], variants=["a"], prompts=["p"])
    with pytest.raises(SettingError, match="pip install pandas"):
        table.to_pandas()


def test_a_metric_named_like_a_column_of_the_frame_is_refused() -> None:
    table = ScoreTable.from_arrays([[1]], variants=["a"], prompts=["p"], metric="prompt")
    with pytest.raises(DataError, match="rename the metric"):
        table.to_pandas()


def test_a_mapping_of_one_turned_table_names_its_metric():
    pandas = pytest.importorskip("pandas")
    turned = pandas.DataFrame(
        [[0.25, 0.5], [0.75, 1.0]],
        index=pandas.Index(["sd15", "sdxl"], name="variant"),
        columns=["p0", "p1"],
    )
    table = load_scores({"CLIP": turned})
    assert table.metrics == ("CLIP",)
    assert table["CLIP"].values.tolist() == [[0.25, 0.5], [0.75, 1.0]]

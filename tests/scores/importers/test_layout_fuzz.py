"""Tables of random layouts with a planted ranking: read as planted, or refused; never otherwise."""

import json
import warnings
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.base.errors import FlashevalError
from flasheval.scores import load_scores

EXAMPLES = 2000
"""Tables tried; raise it for a longer search."""

_VARIANTS = (
    [f"model-{letter}" for letter in "abcdefgh"],
    ["sd15", "sdxl", "flux-dev", "pixart-a", "dalle3", "sana", "sd3", "playground"],
    ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"],
    [f"checkpoint-{500 * step}" for step in range(1, 9)],
    [f"v{number}" for number in range(8)],
)
_WORDS = [
    "a",
    "red",
    "cat",
    "dog",
    "under",
    "old",
    "tree",
    "near",
    "the",
    "blue",
    "house",
    "with",
    "some",
    "birds",
]
_FRUIT = [
    "apple",
    "pear",
    "plum",
    "fig",
    "lime",
    "kiwi",
    "mango",
    "melon",
    "peach",
    "grape",
    "cherry",
    "papaya",
    "guava",
    "date",
]
_NAMES = {
    "variant": ("model", "variant", "model_name", "Model Name", "MODEL", "Variant ", "checkpoint"),
    "prompt": ("prompt_id", "Prompt ID", "id", "prompt", "PROMPT_ID", " prompt_id", "promptId"),
    "text": ("prompt", "text", "caption", "Prompt", "prompt_text"),
    "score": ("score", "value", "Score", "SCORE ", "clip_score"),
    "rater": ("rater", "judge", "annotator_id", "Rater"),
}
_METRICS = ("CLIP", "HPS v2", "ImageReward", "Aesthetic Score", "PickScore")


@dataclass
class Planted:
    """A table: its header and rows, or a JSON document, and what it is known to say."""

    header: list[str]
    rows: list[list[object]]
    variants: list[str]
    means: dict[str, np.ndarray]
    sure: bool
    folder: dict[str, tuple[list[str], list[list[object]]]] | None = None
    document: object = None


@st.composite
def _tables(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_variants, n_prompts = draw(st.integers(3, 8)), draw(st.integers(8, 14))
    variants = [str(one) for one in rng.permutation(draw(st.sampled_from(_VARIANTS))[:n_variants])]
    layout = draw(
        st.sampled_from(["long", "tidy", "wide", "turned", "folder", "nested", "raters", "seeds"])
    )
    digits = draw(st.sampled_from([2, 4]))
    quality = rng.permutation(n_variants) * 0.06 + 0.2
    scale = draw(st.sampled_from([1, 1, 5, 30]))

    def scores():
        noise = rng.normal(scale=0.08, size=(n_variants, n_prompts))
        slope = rng.uniform(0.5, 1.5, size=n_prompts)
        return np.round(scale * (quality[:, None] * slope + noise + 0.5), digits)

    kind = draw(st.sampled_from(["p", "q-", "number", "text", "fruit"]))
    if kind == "text":
        ids = [" ".join(rng.choice(_WORDS, 5)) + f" {place}" for place in range(n_prompts)]
    elif kind == "fruit":
        ids = list(_FRUIT[:n_prompts])
    else:
        prefix = "" if kind == "number" else kind
        ids = [f"{prefix}{place}" for place in range(n_prompts)]
    named = {role: draw(st.sampled_from(names)) for role, names in _NAMES.items()}
    extras = draw(
        st.lists(
            st.sampled_from(
                ["seed", "category", "mean", "average row", "index", "n_images", "text"]
            ),
            max_size=3,
            unique=True,
        )
    )
    value = scores()
    missing = draw(st.booleans())
    if missing:
        value[rng.random(value.shape) < 0.05] = np.nan
    empty = draw(st.sampled_from(["", "N/A", "nan"]))

    def cell(number):
        return empty if np.isnan(number) else number

    category = {one: str(rng.choice(["colors", "counting", "text"])) for one in ids}
    metric = draw(st.sampled_from(_METRICS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        means = {"": np.nanmean(value, axis=1)}
    sure = True
    header, rows, folder, document = [], [], None, None
    prompt = named["text"] if kind == "text" else named["prompt"]
    if layout in ("long", "tidy", "raters", "seeds"):
        header = [named["variant"], prompt]
        names = [named["score"]] if layout != "tidy" else list(_METRICS[: draw(st.integers(1, 3))])
        several = {name: value if place == 0 else scores() for place, name in enumerate(names)}
        if layout == "tidy":
            means = {name.strip(): _means(one) for name, one in several.items()}
        k = draw(st.integers(2, 3)) if layout in ("raters", "seeds") else 1
        repeat = {"raters": named["rater"], "seeds": "seed"}.get(layout)
        header += ([repeat] if repeat else []) + names
        told = {name: np.zeros(value.shape) for name in names}
        body = []
        for v, variant in enumerate(variants):
            for p, one in enumerate(ids):
                for number in range(k):
                    shift = (number - (k - 1) / 2) * 0.25
                    tag = [f"r{number}" if layout == "raters" else 100 + number] if repeat else []
                    body.append(
                        [variant, one, *tag]
                        + [cell(round(several[name][v, p] + shift, 6)) for name in names]
                    )
        del told
        if "category" in extras:
            header.append("category")
            body = [[*row, category[row[1]]] for row in body]
        if "n_images" in extras:
            header.append("n_images")
            body = [[*row, 4] for row in body]
        if "seed" in extras and layout in ("long", "tidy"):
            header.append("seed")
            body = [[*row, 42] for row in body]
        rows = [body[place] for place in rng.permutation(len(body))]
    elif layout == "wide":
        header = [prompt, *variants]
        rows = [[one, *map(cell, value[:, p])] for p, one in enumerate(ids)]
        for name, column in (
            ("seed", [1000 + p for p in range(n_prompts)]),
            ("category", [category[one] for one in ids]),
            ("n_images", [4] * n_prompts),
            ("mean", [np.round(_mean(value[:, p]), digits) for p in range(n_prompts)]),
        ):
            if name in extras:
                header.append(draw(st.sampled_from([name, name.upper(), name.title()])))
                rows = [[*row, one] for row, one in zip(rows, column, strict=True)]
        if "average row" in extras:
            average = [cell(np.round(one, digits)) for one in means[""]]
            rows.append(["Average", *average, *[""] * (len(header) - 1 - n_variants)])
    elif layout == "turned":
        header = [named["variant"], *ids]
        rows = [[variant, *map(cell, value[v])] for v, variant in enumerate(variants)]
        sure = kind in ("p", "q-", "number", "text")
        if "average row" in extras:
            rows.append(
                ["mean", *[cell(np.round(_mean(value[:, p]), digits)) for p in range(n_prompts)]]
            )
    elif layout == "folder":
        name = draw(st.sampled_from(["score", metric]))
        folder = {
            variant: ([prompt, name], [[one, cell(value[v, p])] for p, one in enumerate(ids)])
            for v, variant in enumerate(variants)
        }
        sure = True
    else:
        document = {
            variant: {
                one: None if np.isnan(value[v, p]) else value[v, p] for p, one in enumerate(ids)
            }
            for v, variant in enumerate(variants)
        }
        sure = kind in ("p", "q-", "number", "text")
    if rows and "index" in extras:
        header = ["", *header]
        rows = [[place, *row] for place, row in enumerate(rows)]
    elif rows and draw(st.booleans()):
        order = rng.permutation(len(header))
        header = [header[place] for place in order]
        rows = [[row[place] for place in order] for row in rows]
    return Planted(header, rows, variants, means, sure, folder, document)


def _mean(values):
    measured = values[~np.isnan(values)]
    return measured.mean() if measured.size else np.nan


def _means(values):
    return np.array([_mean(row) for row in values])


def _write(table, folder, form, pretty):
    if table.document is not None:
        path = folder / "scores.json"
        path.write_text(json.dumps(table.document, indent=2 if pretty else None))
        return path
    if table.folder is not None:
        inner = folder / "tables"
        inner.mkdir()
        for name, (header, rows) in table.folder.items():
            _csv(inner / f"{name}.csv", header, rows, ",")
        return inner
    if form == "parquet":
        columns = {}
        for name, column in zip(table.header, zip(*table.rows, strict=True), strict=True):
            cells = [None if one in ("", "N/A", "nan") else one for one in column]
            kinds = {type(one) for one in cells if one is not None}
            if len(kinds) > 1 and str in kinds:
                cells = [None if one is None else str(one) for one in cells]
            columns[name or "__index_level_0__"] = cells
        pq.write_table(pa.table(columns), folder / "scores.parquet")
        return folder / "scores.parquet"
    separator, comma = {
        "csv": (",", False),
        "tab": ("\t", False),
        "semicolon": (";", True),
        "percent": (",", False),
    }[form]
    rows = table.rows
    if comma:
        rows = [[_comma(one) for one in row] for row in rows]
    return _csv(folder / "scores.csv", table.header, rows, separator)


def _comma(one):
    return str(one).replace(".", ",") if isinstance(one, float) else one


def _csv(path, header, rows, separator):
    lines = [separator.join(map(str, row)) for row in [header, *rows]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_random_layouts_are_read_as_planted_or_refused(tmp_path_factory):
    counts: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(_tables(), st.sampled_from(["csv", "tab", "semicolon", "parquet"]), st.booleans())
    def check(table, form, pretty):
        folder = tmp_path_factory.mktemp("layout")
        path = _write(table, folder, form, pretty)
        counts["all"] += 1
        refused = ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                read = load_scores(path)
        except FlashevalError as error:
            refused = str(error)
            counts["refused"] += 1
        if refused:
            assert "\n" not in refused
            assert not table.sure, f"an unambiguous table is refused: {refused}"
            return
        assert sorted(read.variant_names) == sorted(table.variants)
        for name, means in table.means.items():
            metric = name or read.metrics[0]
            rows = [read.variant_names.index(one) for one in table.variants]
            np.testing.assert_allclose(_means(read[metric].values)[rows], means, rtol=1e-4)
        assert len(read.metrics) == len(table.means)
        counts["recovered"] += 1

    check()
    assert counts["recovered"] >= 0.8 * counts["all"], counts

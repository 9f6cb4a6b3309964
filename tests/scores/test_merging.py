from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import ConflictError, DataError
from flasheval.generators.image_time import ImageTime
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreMatrix, ScoreTable


def _table(values, ids, names=None, metric="m", texts="text of {}", set_name="set", **settings):
    values = np.asarray(values, dtype=np.float32)
    names = names or tuple(f"v{i}" for i in range(len(values)))
    ids = tuple(ids)
    prompts = PromptSet(set_name, ids, texts and tuple(texts.format(i) for i in ids))
    matrix = ScoreMatrix(metric, values, tuple(names), ids, **settings)
    return ScoreTable(prompts, tuple(map(Variant, names)), {metric: matrix})


def _cells(table):
    """Every measured score by its labels: what a table says, whatever its order."""
    return {
        (metric, variant, prompt): float(value)
        for metric, matrix in table.matrices.items()
        for variant, row in zip(matrix.variants, matrix.values, strict=True)
        for prompt, value in zip(matrix.prompt_ids, row, strict=True)
        if not np.isnan(value)
    }


@st.composite
def _parts(draw):
    """Two tables cut out of one whole, each with rows, columns and scores missing."""
    whole = np.arange(1, 2 * 5 * 6 + 1, dtype=np.float32).reshape(2, 5, 6)
    tables = []
    for _ in range(2):
        metrics = draw(st.lists(st.sampled_from([0, 1]), min_size=1, max_size=2, unique=True))
        rows = draw(st.lists(st.integers(0, 4), min_size=1, max_size=5, unique=True))
        columns = draw(st.lists(st.integers(0, 5), min_size=1, max_size=6, unique=True))
        ids = tuple(f"p{c}" for c in columns)
        prompts = PromptSet("whole", ids, tuple(f"text {c}" for c in columns))
        names = tuple(f"v{r}" for r in rows)
        matrices = {}
        for metric in metrics:
            values = whole[metric][np.ix_(rows, columns)].copy()
            values[draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))] = np.nan
            matrices[f"m{metric}"] = ScoreMatrix(f"m{metric}", values, names, ids)
        variants = tuple(Variant(name, {"row": name}) for name in names)
        tables.append(ScoreTable(prompts, variants, matrices))
    return tables


@settings(deadline=None)
@given(_parts())
def test_a_merge_holds_what_either_holds_in_either_order(parts):
    one, two = parts
    merged, turned = one.merge(two), two.merge(one)
    assert _cells(merged) == _cells(turned) == {**_cells(one), **_cells(two)}
    assert set(merged.prompts.ids) == set(one.prompts.ids) | set(two.prompts.ids)
    assert set(merged.variants) == set(turned.variants)
    assert set(merged.metrics) == set(turned.metrics)
    assert merged.prompts.ids[: one.n_prompts] == one.prompts.ids
    assert merged.variant_names[: len(one)] == one.variant_names


@settings(deadline=None)
@given(_parts())
def test_merging_again_changes_nothing(parts):
    one, two = parts
    merged = one.merge(two)
    assert one.merge(one).content_hash == one.content_hash
    assert merged.merge(two).content_hash == merged.content_hash
    assert merged.merge(one).content_hash == merged.content_hash


def test_another_text_under_one_id_is_a_conflict():
    one = _table([[1, 2]], ["1", "2"], texts="a{}", set_name="coco")
    two = _table([[1, 2]], ["2", "3"], texts="b{}", set_name="diffusiondb")
    with pytest.raises(ConflictError, match="id '2' is another text in prompt set 'coco' than in"):
        one.merge(two)


def test_spaces_at_the_ends_of_a_text_are_no_conflict():
    one, two = _table([[1]], ["1"], texts="a"), _table([[1]], ["1"], texts="a ")
    assert one.merge(two).prompts.texts == ("a",)


def test_unknown_texts_are_merged_only_within_known_ids():
    known = _table([[1, 2, 3]], "123")
    assert known.merge(_table([[1, 2]], "12", texts=None)).prompts == known.prompts
    assert _table([[1, 2]], "12", texts=None).merge(known).prompts.texts is not None
    for one, two in ((known, "14"), (known, "4567"), (_table([[1, 2]], "12", texts=None), "23")):
        other = _table([[1] * len(two)], two, texts=None, set_name="bare")
        for first, second in ((one, other), (other, one)):
            with pytest.raises(ConflictError, match="give prompts="):
                first.merge(second)


def test_unknown_texts_with_the_same_ids_or_some_of_them():
    one = _table([[1, 2, 3]], "123", texts=None)
    assert one.merge(_table([[4, 5, 6]], "321", ["w"], texts=None)).n_prompts == 3
    assert _table([[2, 3]], "23", texts=None).merge(one).prompts.ids == ("2", "3", "1")


def test_recorded_prompt_sets_that_differ_are_a_conflict():
    one = _table([[1]], "1", texts=None, prompt_set_hash="a")
    two = _table([[1]], "1", texts=None, metric="n", prompt_set_hash="b")
    with pytest.raises(ConflictError, match="record different prompt texts"):
        one.merge(two)
    assert one.merge(_table([[1]], "1", texts=None, metric="n")).metrics == ("m", "n")


def test_hashes_are_kept_where_texts_are_not():
    one, two = _table([[1]], "1"), _table([[1]], "2")
    bare = ScoreTable(two.prompts.without_texts(), two.variants, two.matrices)
    merged = one.merge(bare).prompts
    assert merged.texts is None
    assert merged.hash == one.merge(two).prompts.hash


def test_another_score_is_a_conflict_that_is_named_and_counted():
    one = _table([[1, 2, 3]], "123")
    two = _table([[1, 5, 6]], "123")
    with pytest.raises(
        ConflictError,
        match=r"metric 'm': variant 'v0' on prompt '2' scores 2 .* and 5 .*\(2 scores differ",
    ):
        one.merge(two)


@pytest.mark.parametrize(
    ("settings_1", "settings_2", "name"),
    [
        ({}, {"higher_is_better": False}, "higher_is_better=True and higher_is_better=False"),
        ({"scorer": "a"}, {"scorer": "b"}, "scorer='a' and scorer='b'"),
        ({"scorer_version": "1"}, {"scorer_version": "2"}, "scorer_version"),
    ],
)
def test_other_metadata_is_a_conflict(settings_1, settings_2, name):
    with pytest.raises(ConflictError, match=name):
        _table([[1]], "1", **settings_1).merge(_table([[2]], "2", **settings_2))


def test_a_scorer_that_only_one_side_knows_is_kept():
    merged = _table([[1]], "1", scorer="a").merge(_table([[2]], "2"))
    assert merged["m"].scorer == "a"


def test_factors_are_joined_and_must_agree():
    base = _table([[1]], "1")

    def with_factors(**factors):
        return ScoreTable(base.prompts, (Variant("v0", factors),), base.matrices)

    merged = with_factors(steps=10).merge(with_factors(base="sd"))
    assert merged.variants == (Variant("v0", {"steps": 10, "base": "sd"}),)
    with pytest.raises(ConflictError, match="steps=10 in one table and steps=20 in the other"):
        with_factors(steps=10).merge(with_factors(steps=20))


def test_extras_are_joined_and_must_agree():
    def with_extras(ids, **extras):
        table = _table([[1] * len(ids)], ids)
        prompts = replace(table.prompts, extras={k: tuple(v) for k, v in extras.items()})
        return ScoreTable(prompts, table.variants, table.matrices)

    merged = with_extras("12", image="ab").merge(with_extras("23", part="xy"))
    assert merged.prompts.extras == {"image": ("a", "b", ""), "part": ("", "x", "y")}
    with pytest.raises(ConflictError, match="prompt '2' has image 'b' in prompt set"):
        with_extras("12", image="ab").merge(with_extras("2", image="c"))


def test_names_of_merged_sets():
    one, two = _table([[1, 2]], "12", set_name="b"), _table([[3]], "3", set_name="a")
    assert one.merge(two).prompts.name == two.merge(one).prompts.name == "a+b"
    part = _table([[1]], "1", set_name="part")
    assert part.merge(one).prompts.name == one.merge(part).prompts.name == "b"


def test_texts_are_looked_up_by_id():
    table = _table([[1, 2]], "31", texts=None)
    prompts = PromptSet("pets", "123", ("A", "B", "C"), extras={"image": ("a", "b", "c")})
    found = table.with_prompts(prompts)
    assert found.prompts == PromptSet("pets", "31", ("C", "A"), extras={"image": ("c", "a")})
    assert found["m"].prompt_set_hash == found.prompts.hash
    with pytest.raises(DataError, match="1 of 2 ids are not in prompt set 'pets': '3'"):
        table.with_prompts(PromptSet("pets", "12", ("A", "B")))


def test_texts_other_than_the_recorded_ones_are_a_conflict():
    prompts = PromptSet("pets", "12", ("A", "B"))
    table = _table([[1, 2]], "12", texts=None, prompt_set_hash=prompts.hash)
    assert table.with_prompts(prompts).prompts == prompts
    with pytest.raises(ConflictError, match="measured on other texts"):
        table.with_prompts(PromptSet("pets", "12", ("A", "C")))
    with pytest.raises(ConflictError, match="another text"):
        _table([[1, 2]], "12").with_prompts(prompts)


def test_coco_and_diffusiondb_are_kept_apart(coco_table, diffusiondb_table):
    metrics = ["CLIP"]
    coco, other = coco_table.with_metrics(metrics), diffusiondb_table.with_metrics(metrics)
    with pytest.raises(ConflictError, match="421 ids in all"):
        coco.merge(other)

    def bare(table):
        matrices = {m: replace(x, prompt_set_hash=None) for m, x in table.matrices.items()}
        return ScoreTable(
            PromptSet(table.prompts.name, table.prompts.ids), table.variants, matrices
        )

    with pytest.raises(ConflictError, match=r"share 421 of 40504 and 5000 ids.*give prompts="):
        bare(coco).merge(bare(other))
    with pytest.raises(ConflictError, match="give prompts="):
        coco.merge(bare(other))


def _imaged(images, ids, names=None):
    images = np.asarray(images, dtype=np.float32)
    names = names or tuple(f"v{i}" for i in range(len(images)))
    matrix = ScoreMatrix.from_images("m", images, names, tuple(ids))
    return ScoreTable(PromptSet("set", tuple(ids)), tuple(map(Variant, names)), {"m": matrix})


def test_the_images_of_both_are_kept():
    nan = np.nan
    first = _imaged([[[1, 3], [2, nan]], [[5, 7], [nan, nan]]], "ab")
    second = _imaged([[[2, 4, 6]], [[1, 1, 4]]], "b", ("v1", "v2"))
    merged = first.merge(second)["m"]
    np.testing.assert_array_equal(
        merged.images,
        [
            [[1, 3, nan], [2, nan, nan]],
            [[5, 7, nan], [2, 4, 6]],
            [[nan, nan, nan], [1, 1, 4]],
        ],
    )
    np.testing.assert_array_equal(merged.values, [[2, 2], [6, 4], [nan, 2]])


def test_equal_images_are_merged_once_and_others_refused():
    first = _imaged([[[1, 3], [2, 4]]], "ab")
    assert first.merge(first).content_hash == first.content_hash
    other = _imaged([[[3, 1], [2, 4]]], "ab")  # the mean is the same
    with pytest.raises(ConflictError, match="'v0' on prompt 'a' has other scores of its images"):
        first.merge(other)


def test_scores_without_images_keep_none():
    first = _imaged([[[1, 3]]], "a")
    second = _table([[4]], "a", ("w",), texts=None)
    merged = first.merge(second)["m"]
    np.testing.assert_array_equal(merged.values, [[2], [4]])
    np.testing.assert_array_equal(merged.images, [[[1, 3]], [[np.nan, np.nan]]])


def test_exact_scores_stay_exact():
    values = 2.0**24 + np.arange(4).reshape(2, 2)
    ids = ("a", "b")
    parts = []
    for names, rows in ((("x", "y"), values), (("z",), [[1.0, 2.0]])):
        matrix = ScoreMatrix("m", rows, names, ids)
        parts.append(ScoreTable(PromptSet("set", ids), tuple(map(Variant, names)), {"m": matrix}))
    merged = parts[0].merge(parts[1])["m"]
    assert merged.exact
    np.testing.assert_array_equal(merged.values, [*values, [1, 2]])


def test_seconds_of_both_tables_stay_and_the_first_ones_where_both_have_some():
    first = _table([[1, 2], [3, 4]], "ab").with_times({"v0": ImageTime(1.0, "A")})
    second = _table([[1, 2], [3, 4], [5, 6]], "ab").with_times(
        {"v0": ImageTime(9.0, "B"), "v1": ImageTime(2.0), "v2": ImageTime(3.0)}
    )
    times = [variant.time for variant in first.merge(second).variants]
    assert times == [ImageTime(1.0, "A"), ImageTime(2.0), ImageTime(3.0)]
    assert first.merge(second).content_hash == _table([[1, 2], [3, 4], [5, 6]], "ab").content_hash

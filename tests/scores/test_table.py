from dataclasses import replace

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreMatrix, ScoreTable


def test_a_table_says_what_it_holds(make_table):
    table = make_table(5, 7, ("clip", "fid"), lower_is_better=("fid",))
    assert (len(table), table.n_prompts, table.metrics) == (5, 7, ("clip", "fid"))
    assert table["fid"].higher_is_better is False
    assert table.factor("steps") == (10,) * 5
    assert {m: c.tolist() for m, c in table.coverage().items()} == {
        "clip": [1.0] * 5,
        "fid": [1.0] * 5,
    }


def test_unknown_names_list_what_there_is(make_table):
    table = make_table(5, 7, ("clip", "hps"))
    with pytest.raises(
        SettingError, match=r"metric 'Clip'; there are: clip, hps; did you mean 'clip'"
    ):
        table["Clip"]
    with pytest.raises(
        SettingError, match=r"no variant has the factor 'step'; .*did you mean 'steps'"
    ):
        table.factor("step")
    with pytest.raises(SettingError, match="no variant 'v9' among the 5"):
        table.with_variants(["v1", "v9"])
    with pytest.raises(DataError, match="there is no row 5"):
        table.with_variants([5])
    with pytest.raises(DataError, match="more than once"):
        table.with_variants([1, 1])
    with pytest.raises(DataError, match="at least one variant"):
        table.with_variants([])
    with pytest.raises(DataError, match="at least one metric"):
        table.with_metrics([])


def test_choosing_keeps_rows_and_columns_together(make_table):
    table = make_table(6, 8, ("a", "b"))
    chosen = table.with_variants(["v4", "v1"]).take_prompts([7, 0, 3]).with_metrics(["b"])
    expected = table["b"].values[[4, 1]][:, [7, 0, 3]]
    np.testing.assert_array_equal(chosen["b"].values, expected)
    assert chosen.prompts.ids == ("p7", "p0", "p3")
    assert chosen.variants == (table.variants[4], table.variants[1])
    assert chosen["b"].prompt_set_hash == chosen.prompts.hash
    by_row = table.with_variants(np.array([4, 1]))
    assert by_row.content_hash == table.with_variants(["v4", "v1"]).content_hash


def test_a_table_with_one_variant_is_a_table(make_table):
    assert len(make_table(3, 4).with_variants([1])) == 1


def _with_nan(table, metric, row, column=0):
    values = table[metric].values.copy()
    values[row, column] = np.nan
    matrices = {**table.matrices, metric: replace(table[metric], values=values)}
    return ScoreTable(table.prompts, table.variants, matrices)


def test_complete_keeps_what_is_measured_in_every_named_metric(make_table):
    table = _with_nan(_with_nan(make_table(4, 5, ("a", "b")), "a", 1), "b", 3)
    complete, dropped = table.complete()
    assert (complete.variant_names, dropped) == (("v0", "v2"), ("v1", "v3"))
    complete, dropped = table.complete(["b"])
    assert (complete.variant_names, dropped) == (("v0", "v1", "v2"), ("v3",))
    assert complete.metrics == ("b",)
    whole = make_table(4, 5)
    assert whole.complete()[0] is whole


def test_complete_can_insist(make_table):
    table = _with_nan(make_table(4, 5, ("a",)), "a", 1)
    with pytest.raises(DataError, match=r"1 of 4 variants are not measured .*v1 \(80\.0%\)"):
        table.complete(incomplete="error")
    with pytest.raises(SettingError, match="incomplete=keep: expected drop, prompts or error"):
        table.complete(incomplete="keep")
    with pytest.raises(DataError, match="no variant is left"):
        make_table(3, 4, missing=1.0).complete()


def test_content_hash_is_of_the_content(make_table):
    table = make_table(4, 5, ("a", "b"))
    same = make_table(4, 5, ("a", "b"))
    assert table.content_hash == same.content_hash == table.with_metrics(["b", "a"]).content_hash
    others = [
        table.with_metrics(["a"]),
        table.with_variants([1, 0, 2, 3]),
        table.take_prompts([1, 0, 2, 3, 4]),
        _with_nan(table, "a", 0),
        make_table(4, 5, ("a", "b"), seed=1),
        ScoreTable(table.prompts, tuple(Variant(v.name) for v in table.variants), table.matrices),
    ]
    assert len({table.content_hash, *(other.content_hash for other in others)}) == 7


def test_every_nan_hashes_alike():
    prompts = PromptSet("x", ("1",))
    hashes = set()
    for bits in (0x7FC00000, 0x7FC00001, 0xFFC00000):
        values = np.array([[bits]], dtype=np.uint32).view(np.float32)
        matrix = ScoreMatrix("m", values, ("v",), ("1",))
        hashes.add(ScoreTable(prompts, (Variant("v"),), {"m": matrix}).content_hash)
    assert len(hashes) == 1


def test_matrices_must_be_aligned(make_table):
    table = make_table(3, 4, ("a",))
    with pytest.raises(DataError, match="variants of metric 'a' are not those of the table"):
        ScoreTable(table.prompts, table.variants[::-1], table.matrices)
    with pytest.raises(DataError, match="prompts of metric 'a' are not those of the table"):
        ScoreTable(table.prompts.take([1, 0, 2, 3]), table.variants, table.matrices)
    with pytest.raises(DataError, match="'a' are filed under 'b'"):
        ScoreTable(table.prompts, table.variants, {"b": table["a"]})


def test_the_coco_table(coco_table):
    assert (len(coco_table), coco_table.n_prompts) == (64, 40504)
    assert coco_table.prompts.texts is not None
    for matrix in coco_table.matrices.values():
        assert matrix.coverage.tolist() == [1.0] * 64
        # Summed in float16 the 64 CLIP means collapse to 35 values.
        assert len(set(matrix.full_means.tolist())) == 64
    assert coco_table.factor("base_model")[0] == "dreamlike-photoreal"
    assert set(coco_table.factor("precision")) == {"fp", "_6", "_8"}
    assert set(coco_table.factor("steps")) == {10, 20, 50}


def test_the_coco_means_are_the_published_ones(coco_table, shared_data):
    import json

    from flasheval.scores.importers.official_names import OFFICIAL_VARIANTS

    published = json.loads((shared_data / "official-coco-full-means.json").read_text())
    rows = [OFFICIAL_VARIANTS.index(name) for name in coco_table.variant_names]
    for metric in coco_table.metrics:
        expected = np.array(published[metric])[rows]
        np.testing.assert_allclose(coco_table[metric].full_means, expected, atol=2e-6)


def test_other_metrics_are_those_left_out_and_complete_for_the_variants(make_table):
    table = make_table(6, 10, ("clip", "fid", "aes"))
    values = table["aes"].values.copy()
    values[5, 3] = np.nan
    matrices = {**table.matrices, "aes": replace(table["aes"], values=values)}
    table = ScoreTable(table.prompts, table.variants, matrices)
    part = table.with_metrics(["clip"]).with_variants([4, 1])
    fid, aes = table.other_metrics(part)
    assert (fid.metric, aes.metric) == ("fid", "aes")
    np.testing.assert_array_equal(fid.values, table["fid"].values[[4, 1]])
    whole = table.with_metrics(["clip"])
    assert [matrix.metric for matrix in table.other_metrics(whole)] == ["fid"]
    assert table.other_metrics(table) == []


def test_prompts_are_left_out_where_few_scores_are_missing():
    ids = tuple(map(str, range(20)))
    values = np.arange(60, dtype=np.float32).reshape(3, 20)
    values[0, 4], values[1, 7] = np.nan, np.nan
    values[2, :5] = np.nan  # a quarter: not worth leaving out five prompts for
    matrix = ScoreMatrix("clip", values, ("x", "y", "z"), ids)
    variants = tuple(Variant(name) for name in "xyz")
    table = ScoreTable(PromptSet("p", ids), variants, {"clip": matrix})
    kept, dropped = table.complete(incomplete="prompts")
    assert (kept.variant_names, dropped) == (("x", "y"), ("z",))
    assert kept.prompts.ids == tuple(i for i in ids if i not in ("4", "7"))
    assert not np.isnan(kept["clip"].values).any()
    assert np.array_equal(kept["clip"].values[1], np.delete(values[1], [4, 7]))


def test_a_table_without_gaps_stays_whole():
    matrix = ScoreMatrix("clip", [[1.0, 2.0], [3.0, 4.0]], ("x", "y"), ("a", "b"))
    table = ScoreTable(PromptSet("p", ("a", "b")), (Variant("x"), Variant("y")), {"clip": matrix})
    assert table.complete(incomplete="prompts")[0].content_hash == table.content_hash


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[np.nan, 1.0], [1.0, np.nan]], "no variant is measured on 90%"),
        (np.where(np.arange(20) % 10 == np.arange(10)[:, None], np.nan, 1.0), "no prompt is"),
    ],
)
def test_too_many_gaps_are_an_error(values, message):
    values = np.asarray(values, dtype=np.float32)
    names, ids = tuple(map(str, range(len(values)))), tuple(map(str, range(values.shape[1])))
    matrix = ScoreMatrix("clip", values, names, ids)
    table = ScoreTable(PromptSet("p", ids), tuple(map(Variant, names)), {"clip": matrix})
    with pytest.raises(DataError, match=message):
        table.complete(incomplete="prompts")


def _with_images():
    images = np.random.default_rng(0).normal(size=(4, 6, 3)).astype(np.float32)
    images[0, 1], images[2, 3, 2] = np.nan, np.nan
    names, ids = ("w", "x", "y", "z"), tuple("abcdef")
    matrix = ScoreMatrix.from_images("m", images, names, ids)
    return ScoreTable(PromptSet("set", ids), tuple(map(Variant, names)), {"m": matrix}), images


def test_images_stay_with_their_scores():
    table, images = _with_images()
    texts = PromptSet("set", tuple("fedcba"), tuple("FEDCBA"))
    parts = {
        "variants": (table.with_variants(["z", "x"]), images[[3, 1]]),
        "prompts": (table.take_prompts([4, 0]), images[:, [4, 0]]),
        "metrics": (table.with_metrics("m"), images),
        "texts": (table.with_prompts(texts), images),
        "complete": (table.complete()[0], images[1:]),
    }
    for name, (part, expected) in parts.items():
        np.testing.assert_array_equal(part["m"].images, expected, err_msg=name)


def test_images_are_part_of_the_content():
    table, images = _with_images()
    bare = replace(table["m"], images=None)
    others = images.copy()
    others[1, 0] = images[1, 0, ::-1]  # another order has the same mean
    hashes = {
        ScoreTable(table.prompts, table.variants, {"m": matrix}).content_hash
        for matrix in (table["m"], bare, replace(table["m"], images=others))
    }
    assert len(hashes) == 3
    assert table.content_hash in hashes


def test_the_content_hash_of_plain_scores_never_changes():
    ids = PromptSet("pets", ("1", "2"), ("A cat.", "A dog."))
    matrix = ScoreMatrix("clip", [[0.25, np.nan], [0.5, -1.0]], ("x", "y"), ids.ids)
    table = ScoreTable(ids, (Variant("x", {"steps": 4}), Variant("y")), {"clip": matrix})
    assert table.content_hash == (
        "4ca39f156444ffbf53f03ac314c5474d92c964ce0741a4d8709e7ff947006acc"
    )


def _gaps(missing):
    """Return 25 variants on 500 prompts, of which the last five lack so many prompts each."""
    values = np.random.default_rng(0).normal(size=(25, 500))
    for row in range(20, 25):
        values[row, (row - 20) * missing : (row - 19) * missing] = np.nan
    names, ids = tuple(f"v{i}" for i in range(25)), tuple(f"p{i}" for i in range(500))
    matrix = ScoreMatrix("m", values, names, ids)
    return ScoreTable(PromptSet("set", ids), tuple(map(Variant, names)), {"m": matrix})


def test_what_leaving_out_prompts_would_keep():
    table = _gaps(4)
    assert table.keepable() == "incomplete=prompts would keep all 25 on 480 of 500 prompts"
    kept, dropped = table.complete(incomplete="prompts")
    assert (len(kept), kept.n_prompts, dropped) == (25, 480, ())
    assert table.with_variants(range(20)).keepable() == ""
    assert _gaps(100).keepable() == ""  # too much is missing of those five
    values = table["m"].values.copy()
    values[24, :200] = np.nan
    matrix = replace(table["m"], values=values)
    table = ScoreTable(table.prompts, table.variants, {"m": matrix})
    assert table.keepable("m") == "incomplete=prompts would keep 24 of 25 on 484 of 500 prompts"


def test_where_no_variant_is_complete_the_other_way_is_told():
    values = np.ones((3, 30))
    values[range(3), range(3)] = np.nan
    matrix = ScoreMatrix("m", values, ("x", "y", "z"), tuple(f"p{i}" for i in range(30)))
    ids = PromptSet("set", matrix.prompt_ids)
    table = ScoreTable(ids, tuple(map(Variant, matrix.variants)), {"m": matrix})
    with pytest.raises(DataError, match="incomplete=prompts would keep all 3 on 27 of 30 prompts"):
        table.complete()


def test_twins_are_found_in_all_metrics_and_kept_once(make_table):
    table = make_table(6, 30, ("a", "b"))
    rows = [0, 1, 2, 0, 3, 1]
    names = ("x", "y", "z", "x2", "w", "y2")
    matrices = {m: replace(table[m], values=table[m].values[rows], variants=names) for m in "ab"}
    doubled = ScoreTable(table.prompts, tuple(map(Variant, names)), matrices)
    assert doubled.named_twins() == (("x", "x2"), ("y", "y2"))
    twins = doubled.twins_among(["y2", "w", "y", "z"])
    assert twins.tolist() == [0, 1, 0, 3]
    part = doubled.with_variants(["y2", "w", "y", "z"])
    assert part.distinct(twins).variant_names == ("y2", "w", "z")
    assert part.named_twins(twins) == (("y2", "y"),)
    assert table.distinct(table.first_of_twins) is table

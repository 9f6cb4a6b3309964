from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.base.errors import ConflictError, DataError
from flasheval.generators.image_time import ImageTime
from flasheval.generators.seeds import ImageSeeds
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreMatrix, ScoreTable, load_scores

_WORD = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=6)
_NAME = _WORD.filter(lambda word: word not in ("prompt_id", "name"))
_METRIC = st.text("abcdeéß比-_1", min_size=1, max_size=6)
_FACTOR = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), _WORD
)
_SCORE = st.floats(width=32, allow_infinity=False)


@st.composite
def tables(draw):
    names = draw(st.lists(_NAME, min_size=1, max_size=4, unique=True))
    ids = tuple(draw(st.lists(_WORD, min_size=1, max_size=4, unique=True)))
    texts = tuple(draw(_WORD) for _ in ids) if draw(st.booleans()) else None
    prompts = PromptSet(draw(_WORD), ids, texts, extras={"image": ids} if texts else {})
    if draw(st.booleans()):
        prompts = prompts.without_texts()
    factors = st.dictionaries(_NAME, _FACTOR, max_size=3)
    variants = tuple(Variant(name, draw(factors)) for name in names)
    matrices = {}
    for metric in draw(st.lists(_METRIC, min_size=1, max_size=3, unique_by=str.lower)):
        values = [[draw(_SCORE) for _ in ids] for _ in names]
        matrices[metric] = ScoreMatrix(
            metric,
            np.array(values, dtype=np.float32),
            tuple(names),
            ids,
            higher_is_better=draw(st.booleans()),
            scorer=draw(st.none() | _WORD),
            scorer_version=draw(st.none() | _WORD),
            prompt_set_hash=prompts.hash,
        )
    return ScoreTable(prompts, variants, matrices)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tables())
def test_a_table_comes_back_as_it_was(tmp_path_factory, table):
    loaded = ScoreTable.load(table.save(tmp_path_factory.mktemp("table")))
    assert loaded.content_hash == table.content_hash
    assert loaded.prompts == table.prompts
    assert loaded.variants == table.variants
    types = [{key: type(value) for key, value in v.factors.items()} for v in table.variants]
    assert types == [{k: type(value) for k, value in v.factors.items()} for v in loaded.variants]
    assert loaded.metrics == table.metrics
    for metric, matrix in table.matrices.items():
        np.testing.assert_array_equal(loaded[metric].values, matrix.values)
        for name in ("higher_is_better", "scorer", "scorer_version", "prompt_set_hash"):
            assert getattr(loaded[metric], name) == getattr(matrix, name)


def test_saving_again_replaces(tmp_path, make_table):
    make_table(3, 4, ("a", "b")).save(tmp_path / "t")
    other = make_table(5, 6, ("b", "a"), seed=1)
    other.save(tmp_path / "t")
    assert ScoreTable.load(tmp_path / "t").content_hash == other.content_hash


def test_metrics_of_another_table_are_not_mixed_in(tmp_path, make_table):
    make_table(3, 4, ("a", "b")).save(tmp_path)
    with pytest.raises(ConflictError, match=r"holds b\.parquet, which this table lacks"):
        make_table(3, 4, ("a",)).save(tmp_path)


@pytest.mark.parametrize("metric", ["../x", "a/b", "/x", "..", "a\\b", ".x"])
def test_metric_names_cannot_leave_the_folder(tmp_path, make_table, metric):
    table = make_table(3, 4, (metric, "clip"))
    images = np.stack([table[metric].values] * 2, axis=-1)
    matrices = {**table.matrices, metric: replace(table[metric], images=images)}
    table = replace(table, matrices=matrices)
    table.save(tmp_path / "t")
    assert [path.name for path in tmp_path.iterdir()] == ["t"]
    assert len(list((tmp_path / "t" / "scores").iterdir())) == 2
    again = ScoreTable.load(tmp_path / "t")
    assert again.metrics == (metric, "clip")
    assert again.content_hash == table.content_hash
    assert again[metric].images is not None


def test_metrics_that_differ_in_case_only_cannot_be_files(tmp_path, make_table):
    with pytest.raises(DataError, match="'CLIP' and 'clip' differ in case only, or"):
        make_table(3, 4, ("clip", "CLIP")).save(tmp_path)
    with pytest.raises(DataError, match=r"'a/b' and 'a:b' differ"):
        make_table(3, 4, ("a:b", "a/b")).save(tmp_path)


def test_saving_where_nothing_can_be_saved(tmp_path, make_table):
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataError, match="cannot write"):
            make_table(3, 4).save(folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("prompts.parquet", r"prompts\.parquet does not exist"),
        ("variants.parquet", r"variants\.parquet does not exist"),
        ("scores/a.parquet", r"a\.parquet, listed in variants\.parquet, is missing"),
    ],
)
def test_a_file_that_is_missing_is_named(tmp_path, make_table, name, message):
    make_table(3, 4, ("a", "b")).save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match=message):
        ScoreTable.load(tmp_path)


@pytest.mark.parametrize("name", ["prompts.parquet", "variants.parquet", "scores/a.parquet"])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_file_cut_short_is_named(tmp_path, make_table, name, share):
    make_table(3, 4, ("a", "b")).save(tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=rf"{name} (is empty|is not a readable Parquet file)"):
        ScoreTable.load(tmp_path)


def test_files_of_different_tables_do_not_mix(tmp_path, make_table):
    make_table(3, 4, ("a",)).save(tmp_path / "one")
    make_table(3, 4, ("a",), seed=5).save(tmp_path / "two")
    texts_differ = tmp_path / "one" / "prompts.parquet"
    prompts = PromptSet("x", tuple(f"p{i}" for i in range(4)), tuple("abcd"))
    from flasheval.prompts import save_prompts

    save_prompts(prompts, texts_differ)
    with pytest.raises(ConflictError, match="measured on other prompt texts"):
        ScoreTable.load(tmp_path / "one")
    make_table(4, 4, ("a",)).save(tmp_path / "three")
    (tmp_path / "three" / "scores" / "a.parquet").replace(tmp_path / "two" / "scores" / "a.parquet")
    with pytest.raises(DataError, match="comes from another table"):
        ScoreTable.load(tmp_path / "two")


def test_a_metric_file_that_was_added_is_read_too(tmp_path, make_table):
    make_table(3, 4, ("a",)).save(tmp_path / "one")
    make_table(3, 4, ("b",)).save(tmp_path / "two")
    (tmp_path / "two/scores/b.parquet").replace(tmp_path / "one/scores/b.parquet")
    assert ScoreTable.load(tmp_path / "one").metrics == ("a", "b")


def test_what_is_no_saved_table(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(DataError, match="is not a folder"):
        ScoreTable.load(tmp_path / "a")
    with pytest.raises(DataError, match=r"prompts\.parquet does not exist"):
        ScoreTable.load(tmp_path)


def test_the_layout_is_the_documented_one(tmp_path, make_table):
    table = make_table(3, 4, ("a",), missing=0.2)
    table.save(tmp_path)
    scores = pq.read_table(tmp_path / "scores" / "a.parquet")
    assert scores.column_names == ["prompt_id", "v0", "v1", "v2"]
    assert {str(field.type) for field in scores.schema} == {"string", "float"}
    assert scores.column("v0").null_count == 0
    assert scores.schema.metadata[b"flasheval.metric"] == b"a"
    assert scores.schema.metadata[b"flasheval.higher_is_better"] == b"true"
    assert scores.schema.metadata[b"flasheval.prompt_set_hash"].decode() == table.prompts.hash
    variants = pq.read_table(tmp_path / "variants.parquet")
    assert variants.column_names == ["name", "base_model", "scheduler", "steps", "precision"]
    prompts = pq.read_table(tmp_path / "prompts.parquet")
    assert prompts.column_names == ["prompt_id", "text_sha256", "text"]


def test_pandas_opens_and_writes_the_files(tmp_path, make_table):
    pandas = pytest.importorskip("pandas")
    table = make_table(3, 4, ("a",), missing=0.2)
    table.save(tmp_path)
    frame = pandas.read_parquet(tmp_path / "scores" / "a.parquet")
    np.testing.assert_array_equal(frame[list(table.variant_names)].to_numpy().T, table["a"].values)
    assert pandas.read_parquet(tmp_path / "variants.parquet")["steps"].tolist() == [10] * 3
    for index in (None, "prompt_id"):
        written = tmp_path / "a.parquet"
        (frame if index is None else frame.set_index(index)).to_parquet(written)
        np.testing.assert_array_equal(load_scores(written)["a"].values, table["a"].values)


def test_polars_opens_and_writes_the_files(tmp_path, make_table):
    polars = pytest.importorskip("polars")
    table = make_table(3, 4, ("a",), missing=0.2)
    table.save(tmp_path)
    frame = polars.read_parquet(tmp_path / "scores" / "a.parquet")
    values = frame.select(table.variant_names).to_numpy().T
    np.testing.assert_array_equal(values, table["a"].values)
    frame.write_parquet(tmp_path / "a.parquet")
    again = load_scores(tmp_path / "a.parquet")
    np.testing.assert_array_equal(again["a"].values, table["a"].values)
    assert again.prompts.ids == table.prompts.ids


def test_duckdb_opens_and_writes_the_files(tmp_path, make_table):
    duckdb = pytest.importorskip("duckdb")
    table = make_table(3, 4, ("a",), missing=0.2)
    table.save(tmp_path)
    source, copy = tmp_path / "scores" / "a.parquet", tmp_path / "a.parquet"
    with duckdb.connect() as connection:
        relation = connection.read_parquet(str(source))
        rows = relation.project("v0, v1, v2").fetchall()
        relation.write_parquet(str(copy))
    np.testing.assert_array_equal(np.array(rows, dtype=np.float32).T, table["a"].values)
    np.testing.assert_array_equal(load_scores(copy)["a"].values, table["a"].values)


def test_the_coco_table_comes_back(tmp_path, coco_table):
    loaded = ScoreTable.load(coco_table.save(tmp_path))
    assert loaded.content_hash == coco_table.content_hash
    assert loaded.prompts == coco_table.prompts


def test_a_damaged_score_is_noticed(tmp_path, make_table):
    table = make_table(3, 400, ("a",))
    path = table.save(tmp_path) / "scores" / "a.parquet"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1  # in the middle of the scores of one variant
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=r"a\.parquet is not a readable Parquet file"):
        ScoreTable.load(tmp_path)


def _with_images(n=3, n_prompts=5, k=4, metrics=("a", "b")):
    rng = np.random.default_rng(0)
    names, ids = tuple(f"v{i}" for i in range(n)), tuple(f"p{i}" for i in range(n_prompts))
    matrices = {}
    for metric in metrics:
        images = rng.normal(size=(n, n_prompts, k)).astype(np.float32)
        images[rng.random(images.shape) < 0.3] = np.nan
        matrices[metric] = ScoreMatrix.from_images(metric, images, names, ids)
    return ScoreTable(PromptSet("set", ids), tuple(map(Variant, names)), matrices)


def test_the_scores_of_images_come_back(tmp_path):
    table = _with_images()
    plain = ScoreMatrix("c", np.ones((3, 5)), table.variant_names, table.prompts.ids)
    table = ScoreTable(table.prompts, table.variants, {**table.matrices, "c": plain})
    loaded = ScoreTable.load(table.save(tmp_path))
    assert loaded.content_hash == table.content_hash
    assert loaded["c"].images is None
    for metric in ("a", "b"):
        np.testing.assert_array_equal(loaded[metric].images, table[metric].images)
        assert loaded[metric].images.dtype == np.float32
        np.testing.assert_array_equal(loaded[metric].values, table[metric].values)


def test_the_images_are_lists_in_a_file_of_their_own(tmp_path):
    table = _with_images(metrics=("a",))
    table.save(tmp_path)
    file = pq.read_table(tmp_path / "images" / "a.parquet")
    assert file.column_names == ["prompt_id", "v0", "v1", "v2"]
    assert str(file.schema.field("v0").type).startswith("fixed_size_list<")
    np.testing.assert_array_equal(file["v1"].to_pylist(), table["a"].images[1])
    metadata = pq.read_schema(tmp_path / "variants.parquet").metadata
    assert metadata[b"flasheval.schema_version"] == b"2"
    # The means alone are what they are without images.
    assert load_scores(tmp_path / "scores" / "a.parquet")["a"].values.shape == (3, 5)


def test_a_table_without_images_is_saved_as_ever(tmp_path, make_table):
    make_table(3, 4, ("a",)).save(tmp_path)
    assert not (tmp_path / "images").exists()
    metadata = pq.read_schema(tmp_path / "variants.parquet").metadata
    assert set(metadata) == {b"flasheval.metrics", b"flasheval.mixed_factors"}
    types = {str(kind) for kind in pq.read_schema(tmp_path / "scores" / "a.parquet").types}
    assert types == {"string", "float"}


def test_images_of_an_earlier_table_do_not_stay(tmp_path):
    table = _with_images(metrics=("a",))
    table.save(tmp_path)
    bare = replace(table["a"], images=None)
    loaded = ScoreTable.load(ScoreTable(table.prompts, table.variants, {"a": bare}).save(tmp_path))
    assert loaded["a"].images is None
    assert not (tmp_path / "images" / "a.parquet").exists()


def test_a_later_schema_is_refused(tmp_path):
    _with_images().save(tmp_path)
    path = tmp_path / "variants.parquet"
    file = pq.read_table(path)
    changed = {**file.schema.metadata, b"flasheval.schema_version": b"3"}
    pq.write_table(file.replace_schema_metadata(changed), path)
    with pytest.raises(DataError, match="schema version 3, this flasheval reads up to 2; update"):
        ScoreTable.load(tmp_path)


@pytest.mark.parametrize("columns", [["prompt_id", "v0"], ["prompt_id", "v0", "v2", "v1"]])
def test_images_of_other_variants_are_refused(tmp_path, columns):
    _with_images(metrics=("a",)).save(tmp_path)
    path = tmp_path / "images" / "a.parquet"
    pq.write_table(pq.read_table(path).select(columns), path)
    with pytest.raises(DataError, match="does not have the variants of its metric's scores"):
        ScoreTable.load(tmp_path)


def test_lost_images_are_told(tmp_path):
    _with_images(metrics=("a",)).save(tmp_path)
    (tmp_path / "images" / "a.parquet").unlink()
    with pytest.raises(DataError, match=r"images.a\.parquet"):
        ScoreTable.load(tmp_path)


def test_exact_scores_come_back(tmp_path):
    values = 2.0**24 + np.arange(12).reshape(3, 4)
    names, ids = ("x", "y", "z"), tuple("abcd")
    matrix = ScoreMatrix("elo", values, names, ids)
    table = ScoreTable(PromptSet("set", ids), tuple(map(Variant, names)), {"elo": matrix})
    loaded = ScoreTable.load(table.save(tmp_path))
    assert loaded["elo"].exact
    np.testing.assert_array_equal(loaded["elo"].values, values)
    assert loaded.content_hash == table.content_hash
    part = ScoreTable.load(table.with_variants(["y"]).save(tmp_path / "part"))
    np.testing.assert_array_equal(part["elo"].values, values[1:2])


def test_scores_of_images_can_be_kept_in_half_the_room(tmp_path):
    images = np.random.default_rng(0).random((3, 40, 4), dtype="f4")
    images[0, :9] = np.float32(10.0) ** -np.arange(9)[:, None]  # float16 has few digits near 0
    names, ids = ("a", "b", "c"), tuple(map(str, range(40)))
    matrix = ScoreMatrix.from_images("clip", images, names, ids, seeds=ImageSeeds(7, True))
    table = ScoreTable(PromptSet("pets", ids), tuple(map(Variant, names)), {"clip": matrix})
    table.save(tmp_path / "half", half_images=True)
    table.save(tmp_path / "whole")
    half, whole = (ScoreTable.load(tmp_path / name)["clip"] for name in ("half", "whole"))
    assert whole.images.tobytes() == images.tobytes()
    assert half.values.tobytes() == whole.values.tobytes()  # the means stay exact
    np.testing.assert_array_equal(half.images, images.astype("f2").astype("f4"))
    assert half.seeds == whole.seeds == ImageSeeds(7, True)
    sizes = [
        (tmp_path / name / "images" / "clip.parquet").stat().st_size for name in ("half", "whole")
    ]
    assert sizes[0] < sizes[1] - 900  # 480 numbers of two bytes less


def _timed(*times):
    names, ids = ("x", "y", "z"), tuple("ab")
    variants = tuple(map(Variant, names, ({"steps": 3}, {}, {}), times))
    matrix = ScoreMatrix("m", [[0, 1], [1, 2], [2, 3]], names, ids)
    return ScoreTable(PromptSet("set", ids), variants, {"m": matrix})


def test_seconds_come_back_and_leave_what_is_hashed(tmp_path):
    times = (ImageTime(0.1 + 0.2, "H200 \N{MULTIPLICATION SIGN} 2", 8), None, ImageTime(1e-6))
    timed, plain = _timed(*times), _timed(None, None, None)
    found = ScoreTable.load(timed.save(tmp_path / "timed"))
    assert tuple(variant.time for variant in found.variants) == times
    assert found.factor("steps") == (3, None, None)
    assert found.content_hash == plain.content_hash
    part = ScoreTable.load(found.with_variants(["z", "x"]).take_prompts([1]).save(tmp_path / "p"))
    assert tuple(variant.time for variant in part.variants) == (times[2], times[0])
    plain.save(tmp_path / "plain")
    described = pq.read_schema(tmp_path / "plain" / "variants.parquet").metadata
    assert set(described) == {b"flasheval.metrics", b"flasheval.mixed_factors"}
    scores = [tmp_path / name / "scores" / "m.parquet" for name in ("timed", "plain")]
    assert scores[0].read_bytes() == scores[1].read_bytes()


@pytest.mark.parametrize("text", ["{", "[1]", '{"x": 1}', '{"x": {"seconds": -1}}', '{"x": {}}'])
def test_damaged_seconds_are_told_in_one_line(tmp_path, text):
    _timed(ImageTime(1.0), None, None).save(tmp_path)
    path = tmp_path / "variants.parquet"
    table = pq.read_table(path)
    metadata = {**table.schema.metadata, b"flasheval.seconds": text.encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    with pytest.raises(DataError, match=r"variants\.parquet"):
        ScoreTable.load(tmp_path)

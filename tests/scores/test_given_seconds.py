"""Seconds of a user's own, in every form, and what is said of those that do not fit."""

import json

import numpy as np
import pytest

import flasheval
from flasheval.base.errors import DataError, SettingError
from flasheval.generators.image_time import ImageTime
from flasheval.scores import ScoreTable
from flasheval.scores.given_seconds import fast_enough, with_seconds

NAMES = ["a", "b", "7"]


@pytest.fixture
def table():
    scores = {"clip": np.eye(3), "lag": [[0.5, 0.7, 9.0], [2, 2, 2], [np.nan] * 3]}
    factors = {"a": {"latency": 0.25}, "b": {"latency": 4}, "7": {"family": "gan"}}
    return ScoreTable.from_arrays(scores, variants=NAMES, prompts=range(3), factors=factors)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.csv", "variant,seconds\na,0.5\nb,2\n7,1\n"),
        ("c.csv", "s/image,model\n0.5,a\n2,b\n1,7\n"),
        ("c.csv", "name;what it took\na;0,5\nb;2,0\n7;1,0\n"),
        ("c.csv", "Model,steps,latency_ms\na,10,500\nb,20,2000\n7,5,1000\n"),
        ("c.tsv", "checkpoint\tTime\na\t0.5\nb\t2\n7\t1\n"),
        ("c.json", json.dumps({"a": 0.5, "b": 2, "7": 1})),
        ("c.json", json.dumps([{"model": n, "s": s} for n, s in (("a", 0.5), ("b", 2), ("7", 1))])),
    ],
)
def test_any_layout_of_two_columns(table, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    timed, told = with_seconds(table, tmp_path / name)
    assert timed.seconds.tolist() == [0.5, 2.0, 1.0]
    assert told == []
    assert timed.content_hash == table.content_hash
    assert timed.variants == table.variants


def test_device_and_batch_come_along(table, tmp_path):
    (tmp_path / "c.csv").write_text("model,seconds,gpu,batch_size\na,0.5,H200,8\nb,1,,\n")
    timed, _ = with_seconds(table, str(tmp_path / "c.csv"))
    assert timed.variants[0].time == ImageTime(0.5, "H200", 8)
    assert timed.variants[1].time == ImageTime(1.0)


def test_from_memory(table):
    assert with_seconds(table, {"a": 0.5, "b": np.float32(2), "7": None})[0].seconds[
        :2
    ].tolist() == [*(0.5, 2.0)]
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"model": NAMES, "seconds": [0.5, 2, 1]})
    assert with_seconds(table, frame)[0].seconds.tolist() == [0.5, 2.0, 1.0]
    assert with_seconds(table, None) == (table, [])


def test_a_column_of_the_scores(table):
    timed, told = with_seconds(table, "latency")
    np.testing.assert_array_equal(timed.seconds, [0.25, 4, np.nan])
    assert told == ["seconds: none for 1 of 3 variants (7)"]
    timed, _ = with_seconds(table, "lag")
    np.testing.assert_allclose(timed.seconds, [0.7, 2, np.nan], rtol=1e-6)  # the median
    assert timed.metrics == ("clip",)
    with pytest.raises(SettingError, match="no other metric"):
        with_seconds(table.with_metrics("lag"), "lag")


def test_the_seconds_given_stand_alone(table):
    known = table.with_times({name: ImageTime(1.0) for name in NAMES})
    np.testing.assert_array_equal(with_seconds(known, {"a": 3})[0].seconds, [3, np.nan, np.nan])


def test_variants_that_do_not_fit_are_named_in_one_line(table, tmp_path):
    (tmp_path / "c.csv").write_text("variant,seconds\na,0.5\nz,2\n7,\n")
    _, told = with_seconds(table, str(tmp_path / "c.csv"))
    (line,) = told
    assert line.endswith("c.csv: none for 2 of 3 variants (b, 7); 1 is in no scores (z)")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("variant,seconds\na,-1\n", r"c.csv row 1: seconds is -1; expected a positive number"),
        ("variant,seconds\na,1\na,2\n", r"'a' has seconds already; expected one row"),
        ("variant,seconds\na,fast\n", r"seconds"),
        ("variant,seconds\nA1,1\n", r"no variant of the scores has seconds in it; it names A1, "),
        ("variant,first,second\na,1,2\n", r"expected two columns, .* it has: variant, first, sec"),
        ("variant\na\n", r"expected two columns"),
    ],
)
def test_a_file_that_cannot_be_read_so(table, tmp_path, text, said):
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        with_seconds(table, str(tmp_path / "c.csv"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("latancy", "neither a file nor a column .* did you mean 'latency'"),
        ("no.csv", "no.csv"),
        ({"a": 0}, "variant 'a' has 0; expected a positive number"),
        ({"a": True}, "expected a positive number"),
        ({"a": "x"}, "expected a positive number"),
        ({}, "it names none"),
        (7, "."),
    ],
)
def test_what_names_no_seconds(table, given, said):
    with pytest.raises(flasheval.FlashevalError, match=said):
        with_seconds(table, given)


def test_only_the_fast_ones_stay(table):
    timed, _ = with_seconds(table, {"a": 0.5, "b": 2})
    kept, told = fast_enough(timed, 0.5)  # no more than so many
    assert kept.variant_names == ("a",)
    assert told == ["max_seconds=0.5: left out 1 variants as slower, 1 without seconds"]
    assert fast_enough(timed, None) == (timed, [])
    whole = timed.with_variants(["a", "b"])
    assert fast_enough(whole, 2) == (whole, [])
    with pytest.raises(SettingError, match=r"no variant is that fast; of 2 .* is a, 0.5"):
        fast_enough(timed, 0.1)
    with pytest.raises(SettingError, match="know no seconds an image; give them with seconds="):
        fast_enough(table, 0.1)
    for limit in (0, -1, np.nan, np.inf):
        with pytest.raises(SettingError, match="expected a positive number"):
            fast_enough(timed, limit)

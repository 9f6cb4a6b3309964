"""`flasheval.rank` on tables: gaps, tags, clusters, several metrics, and what cannot be."""

import math

import numpy as np
import pytest
from scipy.stats import kendalltau

import flasheval
from flasheval.base.errors import DataError, SettingError
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreMatrix, ScoreTable

NAN = float("nan")


def _table(extras=None, n=6, n_prompts=120, seed=0, **metrics):
    rng = np.random.default_rng(seed)
    ids = tuple(str(i) for i in range(n_prompts))
    prompts = PromptSet("set", ids, extras=extras or {})
    names = tuple(f"v{row}" for row in range(n))
    if not metrics:
        quality = np.arange(n)[:, None] / 3
        shared = rng.normal(size=n_prompts)
        metrics = {m: quality + shared + rng.normal(size=(n, n_prompts)) for m in ("a", "b")}
    matrices = {name: ScoreMatrix(name, values, names, ids) for name, values in metrics.items()}
    return ScoreTable(prompts, tuple(map(Variant, names)), matrices)


def test_metrics_side_by_side_agree_as_scipy_says():
    table = _table()
    board = flasheval.rank(table)
    assert [one.metric for one in board.standings] == ["a", "b"]
    (found,) = board.agreements
    wanted = kendalltau(table["a"].full_means, table["b"].full_means).statistic
    assert found.tau == pytest.approx(wanted)
    assert found.low <= found.tau <= found.high
    assert (found.first, found.second, found.variants, found.flips) == ("a", "b", 6, ())
    again = flasheval.rank(table)
    assert again.to_csv() == board.to_csv()
    assert again.agreements == board.agreements


def test_pairs_that_flip_are_named_the_firsts_better_one_first():
    rng = np.random.default_rng(1)
    a = rng.normal(size=(4, 200)) + np.array([[0], [1], [2], [9]])
    b = rng.normal(size=(4, 200)) + np.array([[0], [2], [1], [-9]])
    table = _table(n=4, n_prompts=200, a=a, b=b)
    (found,) = flasheval.rank(table).agreements
    assert set(found.flips) == {("v2", "v1"), ("v3", "v0"), ("v3", "v1"), ("v3", "v2")}
    assert found.flips[0] == ("v3", "v1")  # furthest apart in both
    lower = _table(n=4, n_prompts=200, a=a, b=-b)
    turned = {"b": ScoreMatrix("b", -b, lower.variant_names, lower.prompts.ids, False)}
    same = ScoreTable(lower.prompts, lower.variants, {"a": table["a"], **turned})
    (other,) = flasheval.rank(same).agreements
    assert other == found


def test_gaps_leave_out_variants_metric_by_metric_and_it_is_said():
    a = np.random.default_rng(2).normal(size=(5, 60))
    b = a.copy()
    b[4, 7] = NAN
    board = flasheval.rank(_table(n=5, n_prompts=60, a=a, b=b))
    assert len(board["a"].variants) == 5
    assert board["b"].left_out == ("v4",)
    (found,) = board.agreements
    assert (found.variants, found.tau, found.low) == (4, 1.0, 1.0)
    assert any("b: left out 1 variants" in note and "v4" in note for note in board.notes)


def test_gaps_leave_out_prompts_when_asked():
    a = np.random.default_rng(3).normal(size=(5, 60))
    b = a.copy()
    b[4, 7] = NAN
    table = _table(n=5, n_prompts=60, a=a, b=b)
    board = flasheval.rank(table, incomplete="prompts")
    assert (board["a"].prompts, board["b"].prompts) == (60, 59)
    assert board["b"].prompts_left_out == 1
    assert len(board["b"].variants) == 5
    np.testing.assert_allclose(
        np.sort(board["b"].means), np.sort(np.delete(a, 7, axis=1).mean(axis=1)), rtol=1e-6
    )
    assert board.agreements[0].tau == 1.0
    assert any("left out 1 prompts" in note for note in board.notes)
    with pytest.raises(DataError, match="not measured on every prompt"):
        flasheval.rank(table, incomplete="error")


def test_metrics_of_other_variants_are_not_compared_and_it_is_said():
    a = np.random.default_rng(4).normal(size=(4, 40))
    b = a.copy()
    a[:2, 0], b[2:, 0] = NAN, NAN
    board = flasheval.rank(_table(n=4, n_prompts=40, a=a, b=b))
    assert not board.agreements
    assert any(note.startswith("a and b are not compared: ") for note in board.notes)


def test_by_a_column_is_the_order_on_its_prompts():
    kinds = ("cat", "dog", "") * 40
    table = _table({"kind": kinds})
    board = flasheval.rank(table, metric="a", by="kind")
    assert list(board.parts) == ["cat", "dog"]
    rows = table.prompts.by_tag("kind")["dog"]
    (alone,) = flasheval.rank(table.take_prompts(rows), metric="a").standings
    (part,) = board.parts["dog"]
    assert part.variants == alone.variants
    assert part.prompts == 40
    np.testing.assert_allclose(part.means, alone.means)
    np.testing.assert_allclose(part.low, alone.low)
    assert part.best.tolist() == alone.best.tolist()


def test_clusters_widen_what_copies_would_narrow():
    table = _table(n=3, n_prompts=40)
    copied = np.repeat(table["a"].values, 3, axis=1)
    groups = tuple(str(i) for i in np.repeat(np.arange(40), 3))
    wide = _table({"image": groups}, n=3, n_prompts=120, a=copied)
    plain, alone = flasheval.rank(table, metric="a")["a"], flasheval.rank(wide)["a"]
    board = flasheval.rank(wide, cluster="image")
    np.testing.assert_allclose(board["a"].low, plain.low, rtol=1e-6)
    assert np.all(alone.high - alone.low < board["a"].high - board["a"].low)
    assert board["a"].units == 40
    assert board.clusters == "image"
    same = flasheval.rank(wide, cluster=np.repeat(np.arange(40), 3))
    assert same["a"].low.tolist() == board["a"].low.tolist()


def test_few_prompts_are_warned_of_and_two_can_be_read():
    board = flasheval.rank(_table(n_prompts=2))
    assert board["a"].worst.tolist() == [6] * 6
    assert any("only 2 prompts" in note for note in board.notes)
    assert "not told apart" in str(board)
    one = flasheval.rank(_table(n_prompts=1))
    assert math.isnan(one.agreements[0].low)
    assert " - " in str(one)


def test_what_cannot_be_is_said():
    table = _table({"kind": ("cat",) * 120})
    for key in ("by", "cluster"):
        with pytest.raises(SettingError, match=f"{key}=kinds: .*there are: kind; did you mean"):
            flasheval.rank(table, **{key: "kinds"})
    with pytest.raises(SettingError, match="there are: none; prompts=FILE"):
        flasheval.rank(_table(), by="kind")
    with pytest.raises(DataError, match="cluster has 3 labels for 120 prompts"):
        flasheval.rank(table, cluster=[1, 2, 3])
    with pytest.raises(SettingError, match="level=95"):
        flasheval.rank(table, level=95)
    with pytest.raises(SettingError, match="no scores for metric 'c'"):
        flasheval.rank(table, metric="c")
    with pytest.raises(SettingError, match="there are no standings in 'c'; there are: a"):
        flasheval.rank(table, metric="a")["c"]


def _gap(values, cells):
    found = values.copy()
    found[cells] = NAN
    return found


A = np.random.default_rng(5).normal(size=(4, 40)) + np.arange(4)[:, None]
UNRANKED = {
    "none": (_gap(A, (range(4), range(4))), "4 of 4 variants are not measured on every prompt"),
    "one": (_gap(A, (range(1, 4), range(3))), "only v0 is measured on every prompt of it"),
    "flat": (np.full((4, 40), 0.25), "every score is the same"),
}


@pytest.mark.parametrize("name", UNRANKED)
def test_a_metric_that_cannot_be_ranked_is_left_out_with_one_line(name, tmp_path):
    values, why = UNRANKED[name]
    board = flasheval.rank(_table({"kind": ("cat", "dog") * 20}, n=4, n_prompts=40, a=A, x=values))
    assert [one.metric for one in board.standings] == ["a"]
    assert not board.agreements
    (line,) = board.notes
    assert line.startswith(f"x is left out: {why}")
    assert line in " ".join(str(board).split())
    board.save(tmp_path)
    both = flasheval.rank(_table(n=4, n_prompts=40, a=A, x=values, b=A[::-1]))
    assert [one.metric for one in both.standings] == ["a", "b"]


def test_where_no_metric_can_be_ranked_each_is_named():
    metrics = {name: values for name, (values, _) in UNRANKED.items()}
    with pytest.raises(DataError, match=r"no metric can be ranked: none is .*; one is .*; flat is"):
        flasheval.rank(_table(n=4, n_prompts=40, **metrics))


def test_alone_a_metric_is_ranked_whatever_it_is():
    table = _table(n=4, n_prompts=40, a=A, **{name: v for name, (v, _) in UNRANKED.items()})
    assert flasheval.rank(table, metric="one")["one"].variants == ("v0",)
    assert flasheval.rank(table, metric="flat")["flat"].tied_pairs == 6
    with pytest.raises(DataError, match="not measured on every prompt"):
        flasheval.rank(table, metric="none")
    with pytest.raises(DataError, match="not measured on every prompt in none"):
        flasheval.rank(table, metric=["a", "none"], incomplete="error")


def test_it_tells_how_far_it_is():
    table = _table(extras={"kind": ("cat", "dog") * 60})
    told = []
    flasheval.rank(table, by="kind", draws=50, progress=lambda *step: told.append(step))
    labels = [label for label, _, _ in told]
    assert labels[:3] == ["leaderboard of a", "leaderboard of b", "agreement of metrics"]
    assert [done for _, done, _ in told] == list(range(7))  # two metrics, and on two tags' values
    assert {whole for _, _, whole in told} == {7}

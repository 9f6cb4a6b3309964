"""Shares of kinds of prompts that a subset holds exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flasheval
from flasheval import PromptSet, ScoreTable
from flasheval.base.errors import SettingError
from flasheval.selection.features import prompt_kinds
from flasheval.selection.methods.few import drawn_after, places_by_kind

KINDS = tuple("aaaabbbcc-"[i % 10] for i in range(120))
PROMPTS = PromptSet(
    "toys",
    tuple(map(str, range(120))),
    extras={"kind": KINDS, "odd": tuple("yn"[i % 2] for i in range(120))},
)
METHODS = ["auto", "pooled", "balanced", "shared", "anneal", "padded", "random", "ridge"]


def _table(n=24):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(n, 1)) * rng.gamma(3, 1 / 3, 120) + rng.normal(size=(n, 120))
    return ScoreTable.from_arrays(
        scores, variants=[f"v{i}" for i in range(n)], prompts=PROMPTS, metric="score"
    )


def _search(method, n=24, **rest):
    settings = {"size": 20, "quota": "kind", "splits": None, "calibrate": False, **rest}
    return flasheval.search(_table(n), method=method, **settings).subset


def _counts(ids):
    kinds = [KINDS[int(one)] for one in ids]
    return {kind: kinds.count(kind) for kind in "abc-"}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.data())
def test_places_go_by_share_and_grow_with_the_size(kinds, data):
    values = np.unique(np.array(kinds), return_inverse=True)[1].astype(np.int64)
    size = data.draw(st.integers(1, len(kinds)))
    places, before = places_by_kind(values, size), places_by_kind(values, size - 1)
    counts = np.bincount(values)
    assert places.sum() == size
    assert (places <= counts).all()
    assert (places >= before).all()
    # Webster: no transfer of a place brings two kinds' counts a place nearer to each other.
    for gets in range(len(counts)):
        for gives in np.flatnonzero(places):
            if places[gets] < counts[gets]:
                got, given_up = places[gets], places[gives] - 1
                claims = counts[gets] / (2 * got + 1), counts[gives] / (2 * given_up + 1)
                assert claims[0] <= claims[1] + 1e-12


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [6, 24])
def test_every_such_method_holds_the_shares(method, n):
    found = _search(method, n)
    assert _counts(found.ids) == {"a": 8, "b": 6, "c": 4, "-": 2}
    assert len(set(found.ids)) == 20
    assert found.method.settings["quota"] == ["kind"]


@pytest.mark.parametrize("method", ["pooled", "anneal"])
def test_nested_sizes_and_required_prompts_too(method):
    found = _search(method, nested=[10, 20], require=["9", "0"], forbid=["1"])
    assert _counts(found.ids[:10]) == {"a": 4, "b": 3, "c": 2, "-": 1}
    assert _counts(found.ids) == {"a": 8, "b": 6, "c": 4, "-": 2}
    assert {"9", "0"} <= set(found.ids)
    assert "1" not in found.ids


def test_without_it_shares_are_free():
    found = _search("balanced", quota="none", balance="none")
    assert _counts(found.ids) != {"a": 8, "b": 6, "c": 4, "-": 2}
    assert "quota" not in found.method.settings


def test_tags_together_are_kinds():
    kinds = prompt_kinds(PROMPTS, "tags")
    assert kinds.columns == ("kind", "odd")
    assert len(kinds.names) == 7
    found = _search("balanced", quota="tags")
    expected = places_by_kind(kinds.values, 20)
    chosen = kinds.values[[int(one) for one in found.ids]]
    assert np.bincount(chosen, minlength=7).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("method", "settings", "message"),
    [
        ("frequency", {}, "quota=kind: method 'frequency' cannot hold shares; use auto"),
        ("pooled", {"quota": "colour"}, "quota=colour: the prompts of toys have no such column"),
        ("pooled", {"quota": 3}, "quota=3: expected none, tags or names of columns"),
        ("pooled", {"size": 3}, "quota=kind: 4 kinds for 3 places; a kind without a place"),
        ("pooled", {"nested": [3, 20]}, "quota=kind: 4 kinds for 3 places"),
        ("pooled", {"quota": {"a": 1}}, "quota=dict: expected none, tags or names of columns"),
        ("pooled", {"warm_start": ["0"]}, "quota=kind: a warm start may have other shares"),
        (
            "pooled",
            {"require": [str(i) for i in range(120) if KINDS[i] == "-"][:3]},
            "quota=kind: of 20 prompts 2 can be kind=-; require has 3",
        ),
        (
            "pooled",
            {"forbid": [str(i) for i in range(120) if KINDS[i] == "-"][1:]},
            "quota=kind: of 20 prompts 2 must be kind=-; forbid leaves 1",
        ),
    ],
)
def test_what_cannot_be_is_one_line(method, settings, message):
    with pytest.raises(SettingError) as error:
        _search(method, **settings)
    assert str(error.value).startswith(message)


def test_no_tags_where_they_are_asked_for():
    with pytest.raises(SettingError, match="quota=tags: the prompts of bare have no tags"):
        prompt_kinds(PromptSet("bare", "12"), "tags")


def test_validate_holds_them_and_says_who_cannot():
    table = _table()
    report = flasheval.validate(
        table, size=10, methods="balanced", splits="random:2", draws=5, quota="kind"
    )
    assert report.summary(method="balanced", size=10).held_out_tau is not None
    with pytest.raises(SettingError, match="method 'evolve' cannot hold shares"):
        flasheval.validate(table, size=10, methods=["evolve"], splits="random:2", quota="kind")


def test_drawn_prompts_balance_features_within_the_places_left():
    kinds = np.repeat([0, 1], [60, 40])
    features = np.where(np.arange(100) % 2, 1.0, -1.0)[None, :]
    order = np.random.default_rng(0).permutation(100)
    drawn = drawn_after(np.array([1, 3]), 18, order, features, kinds)
    everyone = np.concatenate([[1, 3], drawn])
    assert np.bincount(kinds[everyone]).tolist() == [12, 8]
    assert features[0, everyone].sum() == 0

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.problem import make_problem

SCORES = np.arange(24, dtype=np.float32).reshape(4, 6)
OTHER = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
FAMILIES = ("a", "a", "b", "c")


def test_by_default_there_is_nothing_to_borrow():
    assert Hints() == Hints((), None)
    assert make_problem([SCORES], ["m"], 2).hints == Hints()
    assert Hints().take(np.array([1, 2])) == Hints()


def test_some_variants_in_any_order():
    hints = Hints((OTHER, -OTHER), FAMILIES).take(np.array([3, 0, 2]))
    np.testing.assert_array_equal(hints.scores[0], OTHER[[3, 0, 2]])
    np.testing.assert_array_equal(hints.scores[1], -OTHER[[3, 0, 2]])
    assert hints.groups == ("c", "a", "b")
    assert Hints((OTHER,)).take(np.array([1])).groups is None


def test_a_metric_in_which_those_taken_tie_is_left_out():
    partly = OTHER.copy()
    partly[:2] = [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]]  # equal means, other scores
    hints = Hints((partly, OTHER))
    assert len(hints.take(np.array([0, 1])).scores) == 1
    assert len(hints.take(np.array([0, 2])).scores) == 2
    assert hints.take(np.array([3])).scores == ()


def test_a_metric_in_which_all_tie_never_enters_a_problem():
    flat = np.tile(OTHER[:1], (4, 1))
    problem = make_problem([SCORES], ["m"], 2, hints=Hints((flat, OTHER, flat), FAMILIES))
    assert [block.tolist() for block in problem.hints.scores] == [OTHER.tolist()]
    assert problem.hints.groups == FAMILIES
    assert Hints((flat,)).telling().scores == ()


@pytest.mark.parametrize(
    ("hints", "words"),
    [
        (Hints((OTHER[:3],)), r"hints: scores have shape \(3, 6\), expected \(4, 6\)"),
        (Hints((OTHER, OTHER[:, :5])), r"shape \(4, 5\), expected"),
        (Hints((OTHER[0],)), r"shape \(6,\), expected"),
        (Hints((np.where(OTHER[1, 2] == OTHER, np.nan, OTHER),)), r"missing \(NaN\) or infinite"),
        (Hints((np.where(OTHER[1, 2] == OTHER, np.inf, OTHER),)), r"missing \(NaN\) or infinite"),
        (Hints(groups=("a", "b")), "hints: 2 families for 4 variants"),
        (Hints(groups=()), "hints: 0 families for 4 variants"),
    ],
)
def test_hints_that_do_not_fit_are_one_line(hints, words):
    with pytest.raises(DataError, match=words) as caught:
        make_problem([SCORES], ["m"], 2, hints=hints)
    assert "\n" not in str(caught.value)


def test_the_fingerprint_is_of_everything():
    nudged = OTHER.copy()
    nudged[2, 3] = np.nextafter(nudged[2, 3], np.float32(9))
    every = [
        Hints(),
        Hints((OTHER,)),
        Hints((nudged,)),
        Hints((OTHER, OTHER)),
        Hints((OTHER, SCORES)),
        Hints((SCORES, OTHER)),
        Hints((OTHER[:, ::-1],)),
        Hints(groups=FAMILIES),
        Hints(groups=FAMILIES[::-1]),
        Hints((OTHER,), FAMILIES),
    ]
    assert len({hints.fingerprint() for hints in every}) == len(every)
    assert Hints((OTHER.copy(),), FAMILIES).fingerprint() == every[-1].fingerprint()
    assert Hints((np.asfortranarray(OTHER),)).fingerprint() == every[1].fingerprint()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 99), st.data())
def test_taking_twice_is_taking_once(seed, data):
    blocks = np.random.default_rng(seed).integers(0, 2, (2, 6, 3)).astype(np.float32)
    hints = Hints(tuple(blocks), tuple("abcdef"))
    first = np.array(data.draw(st.permutations(range(6)))[:4])
    second = np.array(data.draw(st.permutations(range(4)))[:2])
    twice, once = hints.take(first).take(second), hints.take(first[second])
    assert twice.fingerprint() == once.fingerprint()


def test_what_a_search_sees_of_some_images():
    rng = np.random.default_rng(0)
    single, few = rng.normal(size=(4, 6, 3)), rng.normal(size=(4, 6, 2))
    plain = rng.normal(size=(4, 6))
    means = (single.mean(axis=2), few.mean(axis=2), plain)
    hints = Hints(means, tuple("abcd"), (single, few, None))
    assert hints.seen(None).scores == means
    assert hints.seen(None).images == ()
    found = hints.seen((1, 2))  # `few` has no third image
    np.testing.assert_allclose(found.scores[0], single[:, :, 1:].mean(axis=2))
    assert len(found.scores) == 1
    assert found.groups == hints.groups
    assert hints.fingerprint() != Hints(means, tuple("abcd")).fingerprint()


def test_hints_with_gaps_are_left_out():
    whole, gaps = np.ones((2, 3)), np.array([[1.0, np.nan, 2.0], [1.0, 2.0, 3.0]])
    assert Hints((whole, gaps)).complete().scores == (whole,)

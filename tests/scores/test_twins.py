"""Variants with the same scores under several names."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.scores import load_scores
from flasheval.scores.twins import first_of_twins, named_twins, twin_groups


def _scores(n, n_prompts, seed=0, kinds=0):
    """Return made-up scores: continuous, or of so many kinds."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, 1)) + rng.normal(size=n_prompts) + rng.normal(size=(n, n_prompts))
    return np.floor(scores) % kinds if kinds else scores


def _groups(*blocks):
    return twin_groups(first_of_twins(blocks))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_copies_are_found_whatever_their_order_and_nothing_else_is(data):
    n, n_prompts = data.draw(st.integers(2, 12)), data.draw(st.integers(10, 80))
    scores = _scores(n, n_prompts, data.draw(st.integers(0, 99)))
    source = data.draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=20))
    source = np.array([*range(min(n, 3)), *source])  # not all of one model
    blocks = [scores[source], -2 * scores[source] + 1]
    missing = np.random.default_rng(1).random(blocks[0].shape) < data.draw(
        st.sampled_from([0, 0.1])
    )
    missing[:, :8] = False
    blocks[0][missing] = np.nan
    found = first_of_twins(blocks)
    assert found.tolist() == [source.tolist().index(model) for model in source]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 99), st.integers(3, 30), st.integers(20, 200))
def test_unlike_variants_are_no_twins(seed, n, n_prompts):
    assert _groups(_scores(n, n_prompts, seed)) == ()


@pytest.mark.parametrize("share", [0.0, 0.005, 0.0099])
def test_one_cell_in_a_hundred_may_differ(share):
    scores = _scores(10, 1000)
    scores[7] = scores[2]
    scores[7, : int(share * 1000)] += 5
    assert _groups(scores) == ((2, 7),)


def test_two_cells_in_a_hundred_may_not():
    scores = _scores(10, 1000)
    scores[7] = scores[2]
    scores[7, :20] = _scores(10, 1000, 1)[7, :20]
    assert _groups(scores) == ()


def test_long_tables_are_searched_on_a_part_and_checked_on_all():
    scores = _scores(6, 30_000)
    scores[4] = scores[1]
    scores[4, ::110] += 1  # 0.9%
    scores[5] = scores[2]
    scores[5, ::90] += 1  # 1.1%
    assert _groups(scores) == ((1, 4),)


def test_rescored_rows_are_twins_by_their_residuals():
    scores = _scores(10, 400)
    noise = np.random.default_rng(5).normal(size=400)
    scores[7] = scores[2] + 0.01 * noise + 3
    assert _groups(scores) == ((2, 7),)
    scores[7] = scores[2] + 0.2 * noise
    assert _groups(scores) == ()


def test_a_few_huge_residuals_make_no_twins():
    scores = _scores(10, 400)
    scores[[2, 7], 0] += 1e5
    assert _groups(scores) == ()


def test_every_metric_must_say_so():
    first, second = _scores(8, 50), _scores(8, 50, 1)
    first[5] = first[3]
    assert _groups(first, second) == ()
    second[5] = second[3]
    assert _groups(first, second) == ((3, 5),)
    second[5] = np.nan  # nobody knows
    assert _groups(first, second) == ((3, 5),)


def test_twins_of_twins_are_twins():
    scores = _scores(9, 1000)
    scores[6] = scores[1]
    scores[6, :9] += 1
    scores[8] = scores[6]
    scores[8, 9:18] += 1  # 1.8% from the first
    assert _groups(scores) == ((1, 6, 8),)


def test_only_what_both_have_is_compared():
    scores = _scores(8, 60)
    scores[5] = scores[3]
    scores[5, 1::3] = np.nan
    scores[3, 2::9] = np.nan
    assert _groups(scores) == ((3, 5),)
    scores[5, 8:] = np.nan
    scores[3, :4] = np.nan  # four prompts in common
    assert _groups(scores) == ()


def test_yes_on_every_prompt_says_nothing():
    rng = np.random.default_rng(0)
    easy = (rng.random((30, 400)) < 0.995).astype(float)
    assert _groups(easy) == ()
    assert _groups(np.ones((4, 40))) == ()
    doubled = np.vstack([(rng.random((12, 40)) < 0.6).astype(float)] * 2)
    assert _groups(doubled) == tuple((row, row + 12) for row in range(12))


def test_too_few_prompts_say_nothing():
    scores = _scores(5, 7)
    scores[4] = scores[0]
    assert _groups(scores) == ()


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_scale_does_not_count(scale):
    scores = _scores(8, 40).astype(np.float32) * np.float32(scale)
    scores[5] = scores[3]
    assert _groups(scores) == ((3, 5),)


def test_many_names_are_cut_short():
    assert named_twins([]) == []
    (line,) = named_twins([(f"a{row}", f"b{row}", f"c{row}") for row in range(25)])
    assert "a0 = b0 = c0, a1 = b1 = c1" in line
    assert line.endswith("a19 = b19 = c19 and 5 more")


def test_the_official_sets_hold_no_twins(diffusiondb_table, coco_table):
    assert diffusiondb_table.named_twins() == ()
    assert coco_table.named_twins() == ()
    for table in (diffusiondb_table, coco_table):
        for metric in table.metrics:
            assert table.with_metrics(metric).named_twins() == ()


def test_human_ratings_hold_none_and_the_answers_one_pair(shared_data):
    with np.load(shared_data / "evalmi.npz") as ratings:
        assert _groups(*ratings["scores"]) == ()
    with np.load(shared_data / "vlm-mmmu.npz") as answers:
        scores = answers["scores"]
        assert _groups(*scores) == ((23, 25),)  # one model under two names: equal in every cell
        np.testing.assert_array_equal(scores[0, 23], scores[0, 25])


@pytest.mark.parametrize("name", ["miniature", "miniature-tuning"])
def test_the_shipped_scores_hold_no_twins(name):
    assert load_scores(name).named_twins() == ()


def test_the_case_of_twins(shared_data):
    file = shared_data.parent / "cases/s26_twins/twins.csv"
    if not file.exists():
        pytest.skip("third-party data is absent: ../shared/cases beside the repository root")
    groups = load_scores(file).named_twins()
    assert len(groups) == 12
    assert {("v01", "v01-again"), ("v03", "checkpoint-1500")} <= set(groups)

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.problem import in_reach, make_problem
from flasheval.selection.methods.registry import METHODS

SCORES = np.arange(24, dtype=np.float32).reshape(4, 6)


def test_a_problem_knows_its_sizes_and_targets():
    problem = make_problem([SCORES, -SCORES], ["a", "b"], 4, required=[5, 1], forbidden=[0])
    assert (problem.n_variants, problem.n_prompts, problem.n_free) == (4, 6, 2)
    assert problem.required.tolist() == [5, 1]
    assert problem.allowed.tolist() == [2, 3, 4]
    assert problem.targets()[0].tolist() == [2.5, 8.5, 14.5, 20.5]
    assert problem.targets()[1].dtype == np.float64
    assert problem.start_prompts() is None


def test_float16_scores_are_cast_before_any_arithmetic():
    half = np.array([[0.1, 0.2], [0.3, 0.5]], dtype=np.float16)
    problem = make_problem([half], ["a"], 1)
    assert problem.scores[0].dtype == np.float32
    assert problem.targets()[0][0] == half[0].astype(np.float64).mean()


def test_repeated_prompts_count_once():
    problem = make_problem(
        [SCORES], ["a"], 3, required=[4, 4], forbidden=[0, 0], warm_start=[3, 2, 3]
    )
    assert problem.required.tolist() == [4]
    assert problem.allowed.tolist() == [1, 2, 3, 5]
    assert problem.start_prompts().tolist() == [3, 2]


def test_a_warm_start_keeps_its_order_and_what_may_be_chosen():
    problem = make_problem(
        [SCORES], ["a"], 4, required=[4], forbidden=[0], warm_start=[5, 0, 4, 3, 2, 1]
    )
    assert problem.start_prompts().tolist() == [5, 3, 2]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"size": 0}, SettingError, "size=0: a subset needs at least 1"),
        ({"size": -3}, SettingError, "at least 1"),
        ({"size": 7}, SettingError, "size=7 is above the 6 prompts"),
        ({"size": 6, "forbidden": [1]}, SettingError, "above the 5 prompts"),
        ({"size": 1, "required": [0, 1]}, SettingError, "smaller than the 2 required"),
        ({"size": 2.0}, SettingError, "size=2.0: expected a whole number"),
        ({"size": "5"}, SettingError, "size='5': expected a whole number"),
        ({"size": True}, SettingError, "expected a whole number"),
        ({"required": [1], "forbidden": [2, 1]}, SettingError, "required and forbidden .*number 2"),
        ({"required": [6]}, DataError, "required: prompt index 6 is outside 0 to 5"),
        ({"forbidden": [-1]}, DataError, "forbidden: prompt index -1"),
        ({"warm_start": [99]}, DataError, "warm_start: prompt index 99"),
        ({"scores": []}, SettingError, "no metric"),
        ({"scores": [SCORES[:1]]}, DataError, "'a': 1 search variant; a ranking needs at least 2"),
        ({"scores": [SCORES[0]]}, DataError, "shape"),
        ({"scores": [np.where(SCORES == 3, np.nan, SCORES)]}, DataError, "'a': scores are missing"),
        ({"scores": [np.where(SCORES == 3, np.inf, SCORES)]}, DataError, "infinite"),
        ({"scores": [np.tile(SCORES[:1], (4, 1))]}, DataError, "all 4 search variants have the"),
    ],
)
def test_what_cannot_be_searched_is_one_line(change, error, words):
    arguments = {"scores": [SCORES], "metrics": ["a"], "size": 2} | change
    if not arguments["scores"]:
        arguments["metrics"] = []
    with pytest.raises(error, match=words) as caught:
        make_problem(**arguments)
    assert "\n" not in str(caught.value)


def test_metrics_of_other_shapes_do_not_go_together():
    with pytest.raises(DataError, match="'b': scores have shape"):
        make_problem([SCORES, SCORES[:, :5]], ["a", "b"], 2)


def test_numpy_sizes_are_whole_numbers():
    assert make_problem([SCORES], ["a"], np.int64(2)).size == 2


@pytest.mark.parametrize("scale", [1.0, 2.0**19, 2.0**-19])
def test_usual_scores_are_taken_as_they_are(scale):
    block = np.random.default_rng(0).uniform(size=(4, 6)) * scale
    np.testing.assert_array_equal(in_reach(block), block.astype(np.float32))


@pytest.mark.parametrize("power", [-99, -40, 40, 99])
def test_other_scores_are_scaled_by_a_power_of_two(power):
    block = np.random.default_rng(0).uniform(0.5, 1, size=(4, 6)).astype(np.float32)
    scaled = in_reach(block * np.float32(2.0**power))
    np.testing.assert_array_equal(scaled, block)
    assert scaled.dtype == np.float32


def test_an_offset_that_hides_the_scores_is_taken_out():
    block = np.random.default_rng(0).normal(size=(4, 6))
    np.testing.assert_allclose(in_reach(1e9 + block), block - block.mean(), atol=1e-5)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "auto"])
@pytest.mark.parametrize("scale", [1e-30, 2.0**-99, 2.0**99, 1e30])
@pytest.mark.filterwarnings("error")
def test_every_method_is_free_of_scale(quick, method, scale):
    table = synthetic_scores(20, 120)
    found = []
    for factor in (1.0, scale):
        blocks = [
            (matrix.values.astype(np.float64) * factor).astype(np.float32)
            for matrix in table.matrices.values()
        ]
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            problem = make_problem(blocks, table.metrics, 8, hints=Hints((blocks[0],)))
            found.append(drive(quick(method), problem, np.random.default_rng(0)).selection)
    if np.frexp(scale)[0] == 0.5:  # else the scores themselves are rounded another way
        np.testing.assert_array_equal(found[0].indices, found[1].indices)
    assert set(found[0].indices) == set(found[1].indices)
    if found[0].weights is not None:
        np.testing.assert_allclose(found[0].weights, found[1].weights, rtol=1e-3)


IMAGES = np.random.default_rng(0).normal(size=(5, 7, 3)).astype(np.float32)


def test_rows_are_images_without_what_variants_share_and_keep_their_variant_s_target():
    means = IMAGES.mean(axis=2)
    problem = make_problem([means, -means], ["a", "b"], 3, images=[IMAGES, -IMAGES])
    blocks, targets = problem.search_rows()
    assert [block.shape for block in blocks] == [(15, 7)] * 2
    for v in range(5):
        for j in range(3):
            expected = IMAGES[v, :, j] - IMAGES[:, :, j].mean(axis=0)
            np.testing.assert_allclose(blocks[0][3 * v + j], expected, atol=1e-6)
            assert targets[1][3 * v + j] == problem.targets()[1][v]
    assert problem.n_variants == 5


@pytest.mark.parametrize("images", [None, [IMAGES]])
def test_rows_are_variants_where_the_mean_is_asked_for_or_all_there_is(images):
    means = IMAGES.mean(axis=2)
    problem = make_problem([means], ["a"], 3, images=images, images_as="mean")
    blocks, targets = problem.search_rows()
    assert blocks[0] is problem.scores[0]
    np.testing.assert_array_equal(targets[0], problem.targets()[0])


def test_some_variants_of_a_problem():
    means = IMAGES.mean(axis=2)
    hints = Hints((means + 1,), groups=tuple("abcde"))
    problem = make_problem([means], ["a"], 3, images=[IMAGES], hints=hints)
    part = problem.take(np.array([4, 1]))
    assert part.hints.groups == ("e", "b")
    np.testing.assert_array_equal(part.images[0], IMAGES[[4, 1]])
    np.testing.assert_array_equal(part.scores[0], means[[4, 1]])


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**30])
def test_images_are_moved_as_their_means_are(scale):
    block = IMAGES.astype(np.float64) * scale
    problem = make_problem([block.mean(axis=2)], ["a"], 3, images=[block])
    assert problem.images[0].dtype == np.float32
    np.testing.assert_allclose(problem.images[0].mean(axis=2), problem.scores[0], rtol=1e-4)


@pytest.mark.parametrize("images", [IMAGES[:4], IMAGES[:, :, 0], IMAGES * np.nan])
def test_images_that_do_not_fit_are_one_line(images):
    with pytest.raises(DataError, match="metric 'a': the scores of images"):
        make_problem([IMAGES.mean(axis=2)], ["a"], 3, images=[images])

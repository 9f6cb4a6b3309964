"""Which images a search sees and which it is judged by."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.base.errors import SettingError
from flasheval.generators.seeds import checked_images_per_prompt
from flasheval.scores import ScoreMatrix, ScoreTable
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.images import (
    ImageUse,
    check_several_images,
    checked_images_as,
    filled_images,
    first_images,
    image_halves,
    image_values,
    lacking_images,
)


def _gappy(seed=0, shape=(5, 8, 3)):
    rng = np.random.default_rng(seed)
    images = rng.normal(size=shape).astype(np.float32)
    images[rng.random(shape) < 0.3] = np.nan
    images[..., 0][np.isnan(images).all(axis=2)] = 0.5
    names, ids = [f"v{i}" for i in range(shape[0])], [str(i) for i in range(shape[1])]
    return ScoreMatrix.from_images("m", images, names, ids)


@given(st.integers(2, 40), st.one_of(st.none(), st.integers(1, 60)))
def test_halves_have_every_image_once_and_are_of_other_seeds(images, used):
    use = image_halves(images, used)
    assert use.other_seeds
    assert len(use.searched) - (images - len(use.searched)) in (0, 1)
    assert (*use.searched, *use.judged) == tuple(range(len(use.searched) + len(use.judged)))
    assert len(use.judged) == min(images - len(use.searched), used or images)


def test_the_first_images_are_of_the_seeds_searched_on():
    assert not first_images(4, 2).other_seeds
    assert first_images(4, 4) is first_images(4, 5) is first_images(4, None) is None


@pytest.mark.parametrize("images", [[0], [2], [0, 1], [1, 2]])
def test_means_are_over_what_there_is_of_the_images(images):
    matrix = _gappy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = np.nanmean(matrix.images[:, :, images].astype(float), axis=2)
    found = image_values(matrix, images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_every_image_is_the_score_itself():
    matrix = _gappy()
    assert image_values(matrix, None) is matrix.values
    single = synthetic_scores(4, 6)["quality"]
    assert image_values(single, (0,)) is single.values


def test_a_missing_image_is_the_mean_of_its_prompts_others():
    matrix, rows = _gappy(), np.array([3, 1])
    found = filled_images(matrix, [0, 2], rows)
    given_ = matrix.images[rows][:, :, [0, 2]]
    there = ~np.isnan(given_)
    np.testing.assert_array_equal(found[there], given_[there])
    one_of_two = there.sum(axis=2) == 1
    assert one_of_two.any()
    np.testing.assert_array_equal(found[one_of_two][:, 0], found[one_of_two][:, 1])
    none = there.sum(axis=2) == 0
    assert none.any()
    expected = matrix.values[rows][none]
    np.testing.assert_array_equal(found[none], np.stack([expected] * 2, axis=1))


def test_a_variant_lacks_images_where_one_half_of_a_prompt_is_empty():
    matrix = _gappy()
    table = ScoreTable.from_arrays(
        np.asarray(matrix.images), variants=matrix.variants, prompts=matrix.prompt_ids
    )
    use = image_halves(3)
    gone = np.isnan(matrix.images)
    expected = gone[:, :, :2].all(axis=2).any(axis=1) | gone[:, :, 2].any(axis=1)
    assert expected.any()
    assert lacking_images(table, use).tolist() == expected.tolist()


def test_what_cannot_be_is_one_line():
    for value in (0, -1, 1.5, True, "2", 10_001):
        with pytest.raises(SettingError, match=r"images_per_prompt=.*expected a whole number"):
            checked_images_per_prompt(value)
    with pytest.raises(SettingError, match=r"images_as=row: .*did you mean 'rows'"):
        checked_images_as("row")
    table = synthetic_scores(4, 6)
    with pytest.raises(SettingError, match=r"splits=seeds: the scores have one image a prompt; "):
        check_several_images(table, "splits=seeds", "use splits=random:10")
    mixed = {"a": np.ones((2, 3, 2)), "b": np.ones((2, 3))}
    table = ScoreTable.from_arrays(mixed, variants=["x", "y"], prompts=["1", "2", "3"])
    with pytest.raises(SettingError, match="the scores of b have one image"):
        check_several_images(table, "splits=seeds", "use splits=random:10")
    check_several_images(synthetic_scores(4, 6, images=2), "splits=seeds", "")


def test_the_key_of_a_search_is_about_what_it_sees():
    assert ImageUse(None, (0,)).search_key is None
    assert image_halves(4).search_key != image_halves(4, 1).search_key  # its noise is another

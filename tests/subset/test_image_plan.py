"""Which images are made where a subset says which ones were searched on."""

import hashlib

import pytest

from flasheval.base.errors import SettingError
from flasheval.generators.seeds import ImageSeeds
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import Record
from flasheval.subset.image_plan import ImagePlan, other_run_seed, plan_images, seeds_line
from flasheval.subset.predictor import MetricCalibration, Predictor

PART = MetricCalibration(
    True, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, Predictor({"clip": 1.0}, scale=0.2, by_error=0.4)
)
CALIBRATION = Calibration({"clip": PART}, dof=8, difference_dof=8, folds=8)
SEARCHED = Record(seeds=ImageSeeds(3), images_searched=2)


def test_where_nothing_is_known_it_is_one_image_with_the_seed_given():
    assert plan_images(Record()) == ImagePlan(ImageSeeds(0), "search", 1)
    assert plan_images(Record(), seed=9) == ImagePlan(ImageSeeds(9), "search", 1)
    other = plan_images(Record(), seeds="other")
    assert (other.kind, other.seeds.run_seed) == ("other", other_run_seed(None))


def test_what_is_known_is_the_default_and_use_comes_before_search():
    assert plan_images(SEARCHED) == ImagePlan(ImageSeeds(3), "search", 2)
    used = Record(seeds=ImageSeeds(3, True), images_searched=2, images_per_prompt=4)
    assert plan_images(used) == ImagePlan(ImageSeeds(3, True), "search", 4)
    assert plan_images(used, images_per_prompt=1).images == 1


def test_another_run_seed_makes_other_seeds_of_it_whatever_seeds_says():
    assert plan_images(SEARCHED, seed=3).kind == "search"
    assert plan_images(SEARCHED, seed=4) == ImagePlan(ImageSeeds(4), "other", 2)
    assert plan_images(SEARCHED, seeds="other", seed=4).seeds.run_seed == 4
    found = plan_images(SEARCHED, seeds="other").seeds.run_seed
    digest = hashlib.sha256(b"other than 3").digest()
    assert found == int.from_bytes(digest[:4], "big") != 3
    itself = other_run_seed(0)
    assert other_run_seed(itself) != itself


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"images_per_prompt": 0}, "images_per_prompt=0: expected a whole number from 1"),
        ({"seeds": "serch"}, "seeds=serch: expected search or other; did you mean 'search'"),
        ({"seeds": "other", "seed": 3}, "seeds=other with seed=3: the search's images have this"),
    ],
)
def test_what_cannot_be_asked_is_one_line(asked, words):
    with pytest.raises(SettingError, match=words) as caught:
        plan_images(SEARCHED, **asked)
    assert "\n" not in str(caught.value)


def test_the_line_says_whose_seeds_the_interval_is_for():
    known = Record(seeds=ImageSeeds(3), calibration=CALIBRATION)
    assert seeds_line(known, 4) == "made with run seed 4, not the search's 3"
    both = Record(seeds=ImageSeeds(3), calibration=CALIBRATION, other_seeds=CALIBRATION)
    assert seeds_line(both, 4).endswith("not the search's 3: intervals are those for other seeds")
    own = Record(seeds=ImageSeeds(3, True), calibration=CALIBRATION)
    assert seeds_line(own, 4).endswith("so intervals hold all the same")
    assert seeds_line(Record(), 4) == "made with run seed 4, not the search's"


def test_where_nobody_knows_the_search_s_seeds_a_calibration_for_others_is_used():
    other = Calibration({"clip": PART}, 8, 8, 8, seeds="other")
    unknown = Record(images_searched=2, other_seeds=other)
    assert plan_images(unknown).kind == plan_images(unknown, seed=5).kind == "other"
    assert plan_images(Record()).kind == "search"
    for wrong in ("a", 1.5, -1):
        with pytest.raises(SettingError, match="seed"):
            plan_images(Record(), seed=wrong)

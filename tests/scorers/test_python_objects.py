"""What is given in Python: functions, lambdas, objects."""

from types import SimpleNamespace

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.scorers.python_objects import ObjectScorer


def width(images, prompts):
    return [image.width for image in images]


class Whole:
    name, version, higher_is_better = "mine", "7", False

    def score(self, images, prompts):
        return [len(text) for text in prompts]


def test_a_function_is_a_scorer(images, prompts):
    settings = ObjectScorer(width)
    assert (settings.metric, settings.higher_is_better) == ("width", True)
    scorer = settings.load("cpu")
    assert scorer.score(images, prompts).tolist() == [image.width for image in images]
    assert scorer.version == settings.version
    assert settings.version.startswith("width@")
    assert len(settings.identity()["version"]) == 64


def test_an_object_is_a_scorer_and_is_checked(images, prompts):
    settings = ObjectScorer(Whole())
    assert settings.identity() == {"kind": "python", "name": "mine", "version": "7"}
    scorer = settings.load("cpu")
    assert (scorer.name, scorer.version, scorer.higher_is_better) == ("mine", "7", False)
    assert scorer.score(images, prompts).tolist() == [len(text) for text in prompts]
    whole = Whole()
    whole.score = lambda images, prompts: [0.0]
    with pytest.raises(DataError, match="scorer mine: it returned 1 of 2 scores"):
        ObjectScorer(whole).load("cpu").score(images[:2], ["a", "b"])


def test_what_is_said_goes_before_what_the_object_says():
    settings = ObjectScorer(Whole(), metric_name="other", higher_is_better=True, version="8")
    assert (settings.metric, settings.higher_is_better, settings.version) == ("other", True, "8")


def test_functions_with_other_sources_are_told_apart():
    def height(images, prompts):
        return [image.height for image in images]

    assert ObjectScorer(height).identity()["version"] != ObjectScorer(width).identity()["version"]


def test_an_object_that_is_called_may_hold_weights_so_it_must_say_its_version(images):
    class Judge:
        def __call__(self, images, prompts):
            return [0.5 for _ in images]

    settings = ObjectScorer(Judge())
    assert settings.load("cpu").score(images[:2], ["a", "b"]).tolist() == [0.5, 0.5]
    with pytest.raises(SettingError, match="scorer Judge: it has no source"):
        settings.identity()
    assert ObjectScorer(Judge(), version="1").identity()["version"] == "1"


def test_code_without_a_source_scores_but_is_not_kept():
    made = {}
    exec("def judge(images, prompts): return [1.0 for _ in images]", made)  # noqa: S102
    settings = ObjectScorer(made["judge"])
    assert settings.version == "unknown"
    assert settings.load("cpu").score([None, None], ["a", "b"]).dtype == np.float32
    with pytest.raises(SettingError, match=r"scorer judge: .* give it one: scorer\.version"):
        settings.identity()
    made["judge"].version = 3
    assert ObjectScorer(made["judge"]).identity()["version"] == "3"


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (5, "scorer 5: expected a name, settings, a function"),
        (Whole, "expected a name, settings, a function"),
        (lambda images, prompts: [], "a lambda has no name"),
        (SimpleNamespace(score=width), "higher_is_better is None; expected True or False"),
        (SimpleNamespace(score=width, name="m", higher_is_better=True), "m: it has no version"),
        (SimpleNamespace(score=width, name="a/b", higher_is_better=True), "cannot be a file name"),
    ],
)
def test_anything_else_is_one_line(thing, message):
    with pytest.raises((SettingError, DataError), match=message):
        ObjectScorer(thing)

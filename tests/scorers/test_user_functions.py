import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.scorers.function import FunctionSettings
from flasheval.scorers.python_objects import ObjectScorer
from flasheval.scorers.user_functions import check_takes, made_function, scores_in

CODE = """
def widths(by, *, device=None):
    def score(images, prompts):
        return [by * image.width for image in images]
    return score

def named(images, prompts):
    return {"width": [image.width for image in images], "one": [1.0] * len(images)}, {}

def single(images, prompts):
    return {"width": [image.width for image in images]}

def nothing():
    return 5

def needs_more(images, prompts, metadata):
    return [0.0]
"""


@pytest.fixture
def code(tmp_path):
    file = tmp_path / "my_metrics.py"
    file.write_text(CODE, "utf-8")
    return file


def test_a_factory_is_called_with_its_arguments_and_the_device(code, images, prompts):
    settings = FunctionSettings(f"{code}:widths", factory=True, arguments={"by": 2.0})
    scores = settings.load("cpu").score(images, prompts)
    assert scores.tolist() == [2 * image.width for image in images]
    other = FunctionSettings(f"{code}:widths", factory=True, arguments={"by": 3.0})
    assert settings.identity() != other.identity()
    assert made_function(lambda device: lambda: device, "f", {}, "cuda:1")() == "cuda:1"
    assert made_function(lambda device: lambda: device, "f", {"device": "cpu"}, "cuda")() == "cpu"


def test_what_a_plain_function_is_kept_under_is_as_before(code):
    assert set(FunctionSettings(f"{code}:single").identity()) == {"kind", "function", "code"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"function": "widths"}, r"takes \(by, device\), but is called with \(images, prompts\); "
         "if it makes the reward function, set factory=true"),
        ({"function": "widths", "factory": True}, "raised TypeError: .*'by'; give its arguments"),
        ({"function": "nothing", "factory": True}, "it returned a int; leave out factory"),
        ({"function": "single", "arguments": {"by": 1}}, "set factory=true, or leave them out"),
        ({"function": "needs_more"}, r"use \{name: reward, style: ddpo"),
    ],
)  # fmt: skip
def test_a_function_that_cannot_be_called_is_one_line_at_once(code, settings, words):
    with pytest.raises(SettingError, match=words) as told:
        FunctionSettings(**{**settings, "function": f"{code}:{settings['function']}"}).load("cpu")
    assert "\n" not in str(told.value)


def test_rewards_by_name_are_asked_for_by_name(code, images, prompts):
    scores = FunctionSettings(f"{code}:named", output="width").load("cpu").score(images, prompts)
    assert scores.tolist() == [image.width for image in images]
    assert FunctionSettings(f"{code}:single").load("cpu").score(images, prompts)[0] > 0
    with pytest.raises(DataError, match=r"by name \(width, one\); say which with output=width, or"):
        FunctionSettings(f"{code}:named").load("cpu").score(images, prompts)


@pytest.mark.parametrize(
    ("found", "output", "expected"),
    [
        ([1.0, 2.0], None, [1.0, 2.0]),
        ((1.0, 2.0), None, (1.0, 2.0)),  # two rewards
        (([1.0, 2.0], {}), None, [1.0, 2.0]),
        (([1.0, 2.0], None), None, [1.0, 2.0]),
        (([1.0, 2.0], [3.0, 4.0], {}), 1, [3.0, 4.0]),
        (({"a": [1.0], "b": [2.0]}, {}), "b", [2.0]),
    ],
)
def test_the_rewards_are_found_in_what_trainers_take(found, output, expected):
    assert scores_in("m", found, output) == expected


def test_arrays_and_tensors_may_be_paired():
    torch = pytest.importorskip("torch")
    for rewards in (np.array([1.0, 2.0]), torch.tensor([1.0, 2.0])):
        assert scores_in("m", (rewards, {})) is rewards


@pytest.mark.parametrize(
    ("found", "output", "words"),
    [
        (([1.0], [2.0]), None, "2 results at once; say which with output=0"),
        (([1.0], [2.0]), 2, "output=2, but it returned 2 results; count from 0"),
        ({"a": [1.0]}, "b", r"by name \(a\); there is no output=b; say which with output=a"),
        (lambda images, prompts: [], None, "set factory=true"),
    ],
)
def test_rewards_that_are_not_clear_are_one_line(found, output, words):
    with pytest.raises(DataError, match=words):
        scores_in("m", found, output)


def test_a_function_given_in_python_is_checked_alike(images, prompts):
    def paired(images, prompts):
        return [image.width for image in images], {"unit": "pixels"}

    def maker():
        return paired

    assert ObjectScorer(paired).load("cpu").score(images, prompts)[0] == images[0].width
    with pytest.raises(SettingError, match=r"takes \(\), but is called with \(images, prompts\)"):
        ObjectScorer(maker).load("cpu")


def test_what_python_cannot_look_into_is_called_as_it_is():
    check_takes("m", dict.fromkeys, ("images", "prompts"))

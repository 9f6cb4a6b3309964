"""Functions of the user's own: named or given, plain or async, right and wrong."""

import asyncio

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.scorers.function import FunctionScorer, FunctionSettings

CODE = """
import numpy as np

def brightness(images, prompts):
    assert isinstance(images, list) and isinstance(prompts, list)
    assert all(image.mode == "RGB" for image in images)
    return [float(np.asarray(image).mean()) if text else None for image, text in
            zip(images, prompts)]

async def later(images, prompts):
    import asyncio
    await asyncio.sleep(0)
    return brightness(images, prompts)

class Judges:
    @staticmethod
    def length(images, prompts):
        return np.array([len(text) for text in prompts])

def too_few(images, prompts):
    return [1.0]

def broken(images, prompts):
    raise KeyError("weights\\nof two lines")

number = 5
"""


@pytest.fixture
def code(tmp_path):
    file = tmp_path / "my_metrics.py"
    file.write_text(CODE, "utf-8")
    return file


@pytest.fixture
def expected(images, prompts):
    means = [np.asarray(image, dtype=np.float64).mean() for image in images]
    return np.float32([mean if text else np.nan for mean, text in zip(means, prompts, strict=True)])


@pytest.mark.parametrize("name", ["brightness", "later"])
@pytest.mark.parametrize("batch", [1, 3, 32])
def test_a_function_in_a_file(code, images, prompts, expected, name, batch):
    scorer = FunctionSettings(f"{code}:{name}", batch=batch).load("cpu")
    np.testing.assert_array_equal(scorer.score(images, prompts), expected)
    assert scorer.name == name
    assert np.isnan(expected).sum() == 1


def test_a_function_in_a_module_or_a_class(code, images, prompts, monkeypatch):
    monkeypatch.syspath_prepend(str(code.parent))
    settings = FunctionSettings("my_metrics:Judges.length", metric_name="length")
    scores = settings.load("cpu").score(images, prompts)
    assert scores.tolist() == [len(text) for text in prompts]


def test_no_images_no_call():
    scorer = FunctionScorer("m", "1", True, lambda images, prompts: 1 / 0)
    assert scorer.score([], []).shape == (0,)


def test_an_async_function_inside_a_running_loop(code, images, prompts, expected):
    scorer = FunctionSettings(f"{code}:later").load("cpu")

    async def notebook():
        return scorer.score(images, prompts)

    np.testing.assert_array_equal(asyncio.run(notebook()), expected)


def test_the_version_follows_the_code_unless_said(code):
    settings = FunctionSettings(f"{code}:brightness")
    before = settings.identity()
    assert before["function"] == "brightness"
    assert settings.version == f"brightness@{before['code'][7:15]}"
    code.write_text(CODE + "\n# changed\n", "utf-8")
    assert settings.identity() != before
    moved = code.rename(code.with_name("elsewhere.py"))
    moved.write_text(CODE, "utf-8")
    assert FunctionSettings(f"{moved}:brightness").identity() == before
    said = FunctionSettings(f"{moved}:brightness", code_version="v2")
    was = said.identity()
    moved.write_text(CODE + "\n# changed\n", "utf-8")
    assert said.identity() == was
    assert said.version == "brightness@v2"


def test_changed_code_is_the_code_that_runs(code, images):
    settings = FunctionSettings(f"{code}:too_few")
    assert settings.load("cpu").score(images[:1], ["a"]) == 1
    code.write_text(CODE.replace("[1.0]", "[2.0]"), "utf-8")
    assert settings.load("cpu").score(images[:1], ["a"]) == 2


def test_direction_and_name_are_settings(code):
    settings = FunctionSettings(f"{code}:brightness", "glare", higher_is_better=False)
    assert (settings.metric, settings.higher_is_better) == ("glare", False)
    scorer = settings.load("cpu")
    assert (scorer.name, scorer.higher_is_better) == ("glare", False)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("too_few", "scorer too_few: it returned 1 of 3 scores; expected one an image"),
        ("broken", r"its function raised KeyError: 'weights\\nof two lines' \(.*, line 24\)"),
    ],
)
def test_what_a_function_does_wrong_is_one_line(code, images, name, message):
    scorer = FunctionSettings(f"{code}:{name}").load("cpu")
    with pytest.raises(DataError, match=message) as caught:
        scorer.score(images[:3], ["a", "b", "c"])
    assert "\n" not in str(caught.value)


def test_settings_that_cannot_be(code):
    with pytest.raises(SettingError, match="function=brightness; expected module:name or path"):
        FunctionSettings("brightness")
    with pytest.raises(SettingError, match="batch=-1; expected a whole number above 0"):
        FunctionSettings("a:b", batch=-1)
    with pytest.raises(SettingError, match="is of type int; expected a function"):
        FunctionSettings(f"{code}:number").load("cpu")
    with pytest.raises(SettingError, match="has no 'nothing'"):
        FunctionSettings(f"{code}:nothing").load("cpu")
    with pytest.raises(SettingError, match="cannot be imported"):
        FunctionSettings("no.such.module:f").identity()

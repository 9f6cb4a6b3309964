"""Functions as generators: named in settings, with a version that follows their source."""

import pytest

from flasheval.base.errors import SettingError
from flasheval.generators.function import FunctionSettings
from flasheval.generators.generator import Batch
from flasheval.generators.images import to_images

CODE = """
import numpy as np

NUMBER = 3


class Box:
    @staticmethod
    def make(prompts, seeds):
        assert type(prompts) is list and type(seeds) is list
        images = np.zeros((len(prompts), 2, 2, 3), np.uint8)
        images[:] = [[[[len(p), s, 1]]] for p, s in zip(prompts, seeds, strict=True)]
        return images
"""


@pytest.fixture
def code(tmp_path):
    path = tmp_path / "painter.py"
    path.write_text(CODE)
    return path


def test_it_is_called_with_prompts_and_seeds(code):
    generator = FunctionSettings(f"{code}:Box.make", family="toy", evaluations=2).load("cpu")
    assert (generator.family, generator.evaluations) == ("toy", 2)
    made = to_images(generator.generate(Batch(("a", "b"), ("A", "BBB"), (5, 6))), 2)
    assert [image.getpixel((1, 1)) for image in made] == [(1, 5, 1), (3, 6, 1)]


def test_its_identity_follows_the_source(code, tmp_path):
    settings = FunctionSettings(f"{code}:Box.make")
    other = tmp_path / "other" / "painter.py"
    other.parent.mkdir()
    other.write_text(CODE + "\n# changed\n")
    first = settings.identity("cpu")
    assert first == settings.identity("cpu")
    assert first["version"].startswith("sha256:")
    second = FunctionSettings(f"{other}:Box.make").identity("cpu")
    assert second["version"] != first["version"]


def test_a_version_needs_no_source():
    settings = FunctionSettings("nowhere.to_be:found", version="3")
    assert settings.identity("cpu") == {"function": "nowhere.to_be:found", "version": "3"}
    assert settings.factors() == {"family": "function"}
    with pytest.raises(SettingError, match="nowhere"):
        settings.load("cpu")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"function": "sys:exit"}, "sys has no source file to take its version from"),
        ({"function": "hypot"}, "expected module:name"),
        ({"function": "no_such_module:f"}, "no_such_module cannot be imported"),
    ],
)
def test_what_has_no_version_is_one_line(settings, words):
    with pytest.raises(SettingError, match=words):
        FunctionSettings(**settings).identity("cpu")


def test_what_is_no_function_is_one_line(code):
    with pytest.raises(SettingError, match="is a int; expected a function"):
        FunctionSettings(f"{code}:NUMBER").load("cpu")
    with pytest.raises(SettingError, match="evaluations=0"):
        FunctionSettings("a:b", evaluations=0)

"""Generators by name: plain settings checked, each mistake one line that names the variant."""

from dataclasses import MISSING, fields

import pytest
import yaml

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.resources import conf_dir
from flasheval.generators.gan import GanSettings
from flasheval.generators.image_folder import ImageFolderSettings
from flasheval.generators.registry import GENERATORS, generator_keys, make_generator

SOURCE = "variant 'sd15/DDIM10'"


def test_the_kinds():
    assert set(GENERATORS) == {"diffusers", "gan", "function", "images"}


def test_lists_become_tuples_and_whole_numbers_floats():
    made = make_generator("gan", {"function": "a:b", "latent": [4, 2], "range": [0, 1]}, SOURCE)
    assert made == GanSettings("a:b", (4, 2), (0.0, 1.0))


def test_nothing_is_looked_up():
    made = make_generator("images", {"folder": "/no/such/folder", "map": "none.csv"}, SOURCE)
    assert made == ImageFolderSettings("/no/such/folder", "none.csv")


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("gann", {}, "there is no generator 'gann'; there are: .*; did you mean 'gan'?"),
        ("bare", {}, "there is no generator 'bare'"),
        (
            "images",
            {"foldr": "x"},
            "generator 'images' has no setting 'foldr'; it has: folder, .*; did you mean 'folder'?",
        ),
        ("images", {}, "folder is missing; add it"),
        ("images", {"folder": 7}, "folder is 7; expected a string"),
        ("images", {"folder": "x", "pattern": "x"}, "pattern=x: expected {prompt_id} in it"),
        ("gan", {"function": "a:b", "latent": 512}, "latent is 512; expected a list"),
        ("gan", {"function": "a:b", "latent": [0]}, r"latent=\[0\]: expected the shape"),
        ("gan", {"function": "a:b", "latent": [2], "dtype": "fp15"}, 'dtype is "fp15"; expected'),
        ("function", {"function": "a:b", "evaluations": 0}, "evaluations=0: expected at least 1"),
        ("function", {"function": None}, "function is null; expected a string"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_variant(kind, settings, words):
    with pytest.raises(FlashevalError, match=words) as caught:
        make_generator(kind, settings, SOURCE)
    assert str(caught.value).startswith(f"{SOURCE}: ")
    assert "\n" not in str(caught.value)


def test_settings_already_made_pass():
    made = ImageFolderSettings("out")
    assert make_generator(made, None, SOURCE) is made
    with pytest.raises(SettingError, match="generator: settings stand beside an object"):
        make_generator(made, {"folder": "in"}, SOURCE)


def test_keys_of_a_kind():
    assert generator_keys("function") == ("function", "family", "evaluations", "version")
    with pytest.raises(SettingError, match="no generator 'x'"):
        generator_keys("x")


@pytest.mark.parametrize("kind", GENERATORS)
def test_the_settings_file_of_a_kind_has_its_keys_and_defaults(kind):
    text = (conf_dir() / "generator" / f"{kind}.yaml").read_text("utf-8")
    values = yaml.safe_load(text)
    assert values.pop("generator") == kind
    assert tuple(values) == generator_keys(kind)
    for field in fields(GENERATORS[kind]):
        default = field.default
        if field.default_factory is not MISSING:
            default = field.default_factory()
        given = values[field.name]
        if default is MISSING:
            assert given is None, field.name
        else:
            assert (tuple(given) if isinstance(given, list) else given) == default, field.name


@pytest.mark.parametrize("kind", GENERATORS)
def test_every_key_has_a_meaning(kind):
    lines = (conf_dir() / "generator" / f"{kind}.yaml").read_text("utf-8").splitlines()
    assert lines[0] == "# @package _global_"  # flasheval evaluate has them at the top level
    assert lines[1].startswith("# ")
    assert lines[2] == f"generator: {kind}"
    required = {field.name for field in fields(GENERATORS[kind]) if _has_none(field)}
    for line in lines[3:]:
        key, _, rest = line.partition(": ")
        assert " # " in rest, line
        assert rest.split(" # ")[1].startswith("required: ") == (key in required), line


def _has_none(field):
    return field.default is MISSING and field.default_factory is MISSING

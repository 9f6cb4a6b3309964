from dataclasses import replace

import pytest

from flasheval.generators.diffusers_settings import DiffusersSettings
from flasheval.generators.populations.recipe import Recipe
from flasheval.generators.variants import Variant
from flasheval.runs.same_images import Seen, same_images, setting_lines


class _Told(DiffusersSettings):
    def without_effect(self):
        return {"negative_prompt": "guidance is 1"} if self.negative_prompt == "told" else {}


def _recipes(**variants):
    return [Recipe(Variant(name), one) for name, one in variants.items()]


BASE = _Told("sd", guidance=1.0)
NEGATIVE = replace(BASE, negative_prompt="blurry")
TOLD = replace(BASE, negative_prompt="told")


def _seen(**images):
    return Seen({name: dict(enumerate(hashes)) for name, hashes in images.items()})


def test_two_variants_with_the_same_images_are_one_line():
    assert setting_lines(_recipes(g=BASE, n=NEGATIVE), _seen(g="x", n="x")) == [
        "g and n made the same images: negative_prompt had no effect"
    ]


def test_the_reason_is_told_once_beside_the_equal_images():
    assert setting_lines(_recipes(g=BASE, n=TOLD), _seen(g="x", n="x")) == [
        "g and n made the same images: negative_prompt had no effect (guidance is 1)"
    ]


def test_without_images_variants_of_one_reason_are_one_line():
    assert setting_lines(_recipes(g=BASE, n=TOLD, m=TOLD), Seen()) == [
        "negative_prompt has no effect in n and m: guidance is 1"
    ]


def test_settings_of_one_reason_are_one_line():
    remarks = {"n": {"height": "resized", "width": "resized"}}
    assert setting_lines(_recipes(n=BASE), Seen({}, remarks)) == [
        "height and width have no effect in n: resized"
    ]


def test_what_a_pipeline_warned_of_is_quoted():
    remarks = {"n": {"height": "FluxPipeline warns: it is resized"}}
    assert setting_lines(_recipes(n=BASE), Seen({}, remarks)) == [
        "height in n: FluxPipeline warns: it is resized"
    ]


def test_a_reason_that_the_images_refute_is_dropped():
    assert setting_lines(_recipes(g=BASE, n=TOLD), _seen(g="x", n="y")) == []
    far = replace(BASE, steps=3)  # differs in more, which refutes nothing
    assert len(setting_lines(_recipes(g=far, n=TOLD), _seen(g="x", n="y"))) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "their settings are the same"),
        ({"options": {"eta": 1.0}}, "options.eta had no effect"),
        ({"steps": 2, "options": {"eta": 1.0}}, "steps and options.eta had no effect"),
    ],
)
def test_what_differs_between_variants_of_the_same_images_is_named(changes, said):
    recipes = _recipes(a=BASE, b=replace(BASE, **changes))
    assert setting_lines(recipes, _seen(a="x", b="x")) == [f"a and b made the same images: {said}"]


def test_the_images_of_every_unit_both_have_must_be_equal():
    images = _seen(a="xy", b="xz", c="x").images
    assert same_images(images, ["a", "b"]) == []
    assert same_images(images, ["b", "c"]) == [("b", "c")]
    assert same_images({"a": {"1": "x"}, "b": {"2": "x"}}, ["a", "b"]) == []
    assert same_images({}, ["a", "b"]) == []


def test_many_names_and_lines_are_cut_short():
    names = {f"v{i}": BASE for i in range(9)}
    (line,) = setting_lines(_recipes(**names), _seen(**dict.fromkeys(names, "x")))
    assert line.startswith("v0, v1, v2, v3 and 5 more made")
    remarks = {f"v{i}": {f"options.o{i}{j}": str(j) for j in range(4)} for i in range(9)}
    lines = setting_lines(_recipes(**names), Seen({}, remarks))
    assert len(lines) == 21
    assert lines[-1] == "16 more settings have no effect"

import pytest

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.generators.populations.population import make_population
from flasheval.generators.populations.sources import (
    population_file,
    population_settings,
    read_population,
)
from flasheval.generators.variants import Variant

TOY = {"settings": {"generator": "function", "function": "math:hypot", "version": "1"}}


def test_the_published_78_variants_are_there():
    population = read_population("flasheval78")
    names = [recipe.name for recipe in population.recipes]
    assert (len(names), len(set(names))) == (78, 78)
    factors = [recipe.variant.factors for recipe in population.recipes]
    assert len({f["base_model"] for f in factors}) == 6
    rounded = [f for f in factors if str(f["precision"]).startswith("fake-int")]
    assert len(rounded) == 30
    assert {(f["scheduler"], f["steps"]) for f in rounded} == {
        *(("DDIM", steps) for steps in (10, 20, 50)),
        *(("DPM", steps) for steps in (10, 20)),
    }
    per_model = [sum(f["base_model"] == m for f in factors) for m in ("small-stablediffusion",)]
    assert per_model == [8]


def test_settings_of_all_of_a_model_and_of_one_variant_override_each_other_in_that_order():
    population = make_population(
        {
            "settings": {**TOY["settings"], "family": "all"},
            "base_models": {"a": {"family": "model"}, "b": {}},
            "grid": [{"base_model": ["a", "b"]}, {"base_model": "a", "family": "own", "name": "c"}],
        }
    )
    families = {r.name: r.variant.factors["family"] for r in population.recipes}
    assert families == {"a": "model", "b": "all", "c": "own"}


def test_factors_are_recorded():
    entry = {"name": "x", "base_model": "b", "factors": {"size": 3}}
    (recipe,) = make_population({**TOY, "variants": [entry]}).recipes
    assert recipe.variant == Variant("x", {"base_model": "b", "family": "function", "size": 3})


def test_the_name_of_a_variant_does_not_change_its_images():
    one, other = make_population({**TOY, "variants": [{"name": "x"}, {"name": "y"}]}).recipes
    assert one.key("cpu") == other.key("cpu")
    (third,) = make_population({**TOY, "variants": [{"name": "x", "version": "2"}]}).recipes
    assert third.key("cpu") != one.key("cpu")


def test_a_file_is_read(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("settings: {generator: images, folder: here}\nvariants: [{name: a}]\n")
    assert [r.name for r in read_population(path).recipes] == ["a"]


def test_python_functions_are_a_population():
    def draw(prompts, seeds):
        return []

    (recipe,) = read_population({"mine": draw}).recipes
    assert (recipe.name, recipe.generator.kind) == ("mine", "bare")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "the population is empty"),
        ({"grids": []}, "population.grids is not a key.*did you mean 'grid'"),
        ({"settings": 3, "variants": [{}]}, "population.settings is 3"),
        ({**TOY, "variants": [3]}, r"population.variants\[0\] is 3"),
        ({**TOY, "grid": [{"base_model": "c"}], "base_models": {"a": {}}}, "'c' is not in popul"),
        ({**TOY, "grid": [{"base_model": "a"}], "base_models": {"a": 3}}, "base_models.a is 3"),
        ({**TOY, "variants": [{"name": "x", "functon": 1}]}, "variant 'x': .* mean 'function'"),
        ({"variants": [{"name": "x", "generator": "difusers"}]}, "did you mean 'diffusers'"),
        ({**TOY, "variants": [{"name": "x", "factors": 3}]}, "variant 'x': factors is 3"),
    ],
)
def test_a_population_that_cannot_be_is_told_in_a_line(settings, message):
    with pytest.raises(FlashevalError, match=message):
        make_population(settings)


def test_files_that_are_no_population(tmp_path):
    with pytest.raises(SettingError, match=r"no population 'flasheval79'.*did you mean"):
        population_file("flasheval79")
    (tmp_path / "a.yaml").write_text("- 3\n")
    with pytest.raises(FlashevalError, match=r"a.yaml: expected settings"):
        population_settings(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text("a: [\n")
    with pytest.raises(FlashevalError, match=r"b.yaml is not YAML"):
        population_settings(tmp_path / "b.yaml")

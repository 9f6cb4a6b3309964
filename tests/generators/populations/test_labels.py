import pytest

from flasheval.base.errors import SettingError
from flasheval.generators.populations.labels import labelled


def _names(entries, template=None):
    return [entry["name"] for entry in labelled(entries, template)]


def test_what_varies_is_in_the_name_and_nothing_else():
    entries = [
        {"base_model": "a", "scheduler": "DDIM", "steps": 10, "guidance": 7.5, "dtype": "fp16"},
        {"base_model": "a", "scheduler": "DDIM", "steps": 10, "guidance": 3.0, "dtype": "fp16"},
    ]
    assert _names(entries) == ["a/guidance=7.5", "a/guidance=3.0"]


def test_quantised_ones_are_named_by_it_and_the_others_by_their_precision():
    entries = [{"base_model": "a", "quantise": "fake-int8"}, {"base_model": "a"}]
    assert _names(entries) == ["a/fake-int8", "a/fp"]


def test_a_template_is_filled():
    entries = [{"base_model": "a", "scheduler": "DPM", "steps": 20, "quantise": "fake-int6"}]
    assert _names(entries, "{base_model}/{scheduler}{steps}/{precision}") == ["a/DPM20/fake-int6"]


def test_a_name_given_stays():
    assert _names([{"name": "mine", "base_model": "a"}, {"base_model": "a"}]) == ["mine", "a"]


def test_equal_names_are_refused():
    with pytest.raises(SettingError, match="occur more than once, such as 'a'"):
        labelled([{"base_model": "a"}, {"base_model": "a"}])


def test_a_key_the_template_lacks_is_named():
    with pytest.raises(SettingError, match=r"has no 'step'.*did you mean 'steps'"):
        labelled([{"base_model": "a", "steps": 3}], "{base_model}{step}")


@pytest.mark.parametrize(
    "template",
    ["{", "}", "{steps", "{steps:2000000000}", "{steps:{steps}}", "{steps!x}", "{steps:q}", "{}"],
)
def test_a_template_that_cannot_be_filled_is_one_line_at_once(template):
    with pytest.raises(SettingError, match=r"population\.label="):
        labelled([{"steps": 2_000_000_000}], template)
    assert labelled([{"steps": 7}], "{steps:03}")[0]["name"] == "007"


@pytest.mark.parametrize("template", ["{base_model", "}", "{base_model:9999}", "{base_model:d}"])
def test_a_template_that_cannot_be_filled_is_told(template):
    with pytest.raises(SettingError, match=r"population\.label="):
        _names([{"base_model": "a"}], template)

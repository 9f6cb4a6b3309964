import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.subset.exports import FORMATS, export, make_format
from flasheval.subset.exports.kohya import Kohya


@pytest.mark.parametrize(
    ("name", "settings", "parts"),
    [
        ("khoya", {}, ["no format 'khoya'", "did you mean 'kohya'?"]),
        ("kohya", {"widht": 5}, ["format 'kohya' has no setting 'widht'", "'width'"]),
        ("kohya", {"width": "wide"}, ['format kohya: width is "wide"', "a whole number"]),
        ("kohya", {"width": 0}, ["format kohya: width=0"]),
        ("kohya", {"guidance": -1.0}, ["guidance=-1"]),
        ("ai-toolkit", {"steps": 0}, ["format ai-toolkit: steps=0"]),
        ("csv", {"width": 5}, ["format 'csv' has no setting 'width'; it has: none"]),
    ],
)
def test_a_setting_that_cannot_be_is_one_line(name, settings, parts):
    with pytest.raises(SettingError) as caught:
        make_format(name, settings)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_subset_without_texts_says_how_to_find_them(make_subset, name):
    with pytest.raises(DataError, match="knows the texts of 0 of its 2 prompts; run: flasheval"):
        export(make_subset("a cat", "a dog").without_texts(), name)


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_format_made_beforehand_writes_the_same(make_subset, name):
    subset = make_subset("a cat", "a dog")
    assert export(subset, make_format(name)) == export(subset, name) == export(subset, name)


def test_a_format_is_a_name_a_mapping_or_an_object(make_subset):
    subset = make_subset("a cat", "a dog")
    named = export(subset, "kohya", {"width": 768})
    assert export(subset, {"name": "kohya", "width": 768}) == named
    assert export(subset, Kohya(width=768)) == named
    with pytest.raises(SettingError, match="format: an object of type int is none"):
        export(subset, 3)


@pytest.mark.parametrize("name", ["kohya", "diffusers"])
def test_what_to_paste_is_quoted_for_a_shell(name):
    assert "'a b.txt'" in make_format(name).how("a b.txt")[0]

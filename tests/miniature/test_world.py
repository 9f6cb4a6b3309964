"""Captions say exactly what scenes are, and nothing else is a caption."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.miniature.world import (
    BACKGROUNDS,
    COLOURS,
    PLACES,
    RELATIONS,
    SHAPES,
    SIZES,
    STYLES,
    Scene,
    Thing,
    parse_caption,
)


def maybe(words):
    return st.none() | st.sampled_from(sorted(words))


things = st.builds(
    Thing,
    st.sampled_from(SHAPES),
    st.sampled_from(COLOURS),
    maybe(SIZES),
    st.integers(1, 4),
    maybe(PLACES),
)
two_related = st.builds(
    Scene,
    st.tuples(things, things),
    st.sampled_from(sorted(RELATIONS)),
    maybe(BACKGROUNDS),
    maybe(STYLES),
)
unrelated = st.builds(
    Scene,
    st.lists(things, min_size=1, max_size=3).map(tuple),
    st.none(),
    maybe(BACKGROUNDS),
    maybe(STYLES),
)


@given(two_related | unrelated)
def test_a_caption_says_all_of_its_scene(scene):
    assert parse_caption(scene.caption) == scene


@pytest.mark.parametrize(
    ("scene", "caption"),
    [
        (Scene((Thing("star", "orange"),)), "an orange star"),
        (Scene((Thing("cross", "red", "small", 3),)), "three small red crosses"),
        (
            Scene((Thing("moon", "white", place="top left"),), background="black"),
            "a white moon in the top left corner on a black background",
        ),
        (
            Scene((Thing("heart", "pink"), Thing("moon", "blue"), Thing("star", "red"))),
            "a pink heart, a blue moon and a red star",
        ),
        (
            Scene(
                (Thing("square", "green", "large"), Thing("circle", "black", count=2)),
                "right of",
                "striped",
                "outlined",
            ),
            "a large green square to the right of two black circles on a striped background, "
            "outlined",
        ),
    ],
)
def test_how_scenes_are_said(scene, caption):
    assert scene.caption == caption
    assert parse_caption(f" {caption}\n") == scene


@pytest.mark.parametrize(
    ("caption", "named"),
    [
        ("", "''"),
        ("a photo of a cat", "'a photo of a cat'"),
        ("a orange star", "'an orange star'"),
        ("two red circle", "'two red circles'"),
        ("one red circle", "'one red circle'"),
        ("a red circle above a blue square above a pink star", "no thing is called"),
        ("a red circle on a green background", "no thing is called"),
    ],
)
def test_what_is_no_caption_is_named_in_one_line(caption, named):
    with pytest.raises(DataError, match="expected a sentence of the drawn world") as caught:
        parse_caption(caption)
    assert named in str(caught.value)
    assert repr(caption) in str(caught.value)
    assert "\n" not in str(caught.value)

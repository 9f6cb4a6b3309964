"""The errors a user meets: one line each, and of kinds that callers can tell apart."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.base import errors
from flasheval.base.errors import (
    ConflictError,
    DataError,
    FlashevalError,
    MissingScoresError,
    SettingError,
)
from flasheval.base.text import visible

KINDS = [FlashevalError, DataError, SettingError, ConflictError, MissingScoresError]


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_is_one_line_whatever_went_into_it(kind: type[FlashevalError]) -> None:
    error = kind("a.csv row 3:\n\tfound  'x\ry'\n\nexpected a number ")
    assert str(error) == "a.csv row 3: found 'x y' expected a number"
    assert str(kind("size=0: expected 1 or more")) == "size=0: expected 1 or more"


@given(st.text())
def test_any_message_keeps_its_words(message: str) -> None:
    said = str(FlashevalError(message))
    assert len(said.splitlines()) <= 1
    assert said == visible(" ".join(message.split()))


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_way_from_another_process(kind: type[FlashevalError]) -> None:
    back = pickle.loads(pickle.dumps(kind("clip.csv is\nempty")))  # noqa: S301
    assert type(back) is kind
    assert str(back) == "clip.csv is empty"


def test_every_error_is_caught_as_the_package_s_own() -> None:
    assert [issubclass(kind, FlashevalError) for kind in KINDS] == [True] * 5
    assert not issubclass(FlashevalError, ValueError | OSError)
    assert issubclass(ConflictError, DataError)
    assert issubclass(MissingScoresError, DataError)
    assert not issubclass(SettingError, DataError)
    assert {getattr(errors, name) for name in errors.__all__} == set(KINDS)

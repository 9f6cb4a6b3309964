import pytest

from flasheval.base.checks import check_draws, checked_names, checked_word
from flasheval.base.errors import SettingError


@pytest.mark.parametrize("draws", [0, -1, 1.5, True, "9", None])
def test_draws_that_cannot_be_are_named(draws):
    with pytest.raises(SettingError, match=rf"draws={draws}: expected a whole number from 1 on"):
        check_draws(draws)


def test_one_draw_is_enough():
    check_draws(1)


def test_a_word_is_one_of_those_known():
    assert checked_word("expect", "new_family", ["similar", "new_family"]) == "new_family"
    with pytest.raises(SettingError, match=r"x=b: expected a$"):
        checked_word("x", "b", ["a"])
    with pytest.raises(SettingError, match=r"x=3: expected a, b or c$"):
        checked_word("x", 3, ["a", "b", "c"])
    with pytest.raises(SettingError, match=r"x=drip: expected drop or error; did you mean 'drop'"):
        checked_word("x", "drip", ["drop", "error"])


@pytest.mark.parametrize("names", [[], (), [1], 5, b"clip", {"a": 1}, ["a", None]])
def test_what_are_no_names_is_refused(names):
    with pytest.raises(SettingError, match=r"^metric="):
        checked_names("metric", names)


def test_names_keep_their_order_and_are_named_once():
    assert checked_names("metric", None) is None
    assert checked_names("metric", ["b", "a"]) == ("b", "a")
    with pytest.raises(SettingError, match="metric: b is listed twice"):
        checked_names("metric", ["b", "a", "b"])

"""Prompt ids as file names: reversible, apart on every file system, safe on each."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flasheval.runs.kept.file_names import file_name, id_of

IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


@given(IDS)
@example("+a=2f")
@example("CON")
@example("con.txt")
@example("..")
@example(" a. ")
@example('a/b\\c:d*e?"<>|\0\n')
@example("\u00e9 e\u0301 \u0130 \u212a")
def test_a_name_gives_its_id_back_and_is_a_plain_file_name(prompt_id):
    name = file_name(prompt_id)
    assert id_of(name) == prompt_id
    assert re.fullmatch(r"[a-z0-9_+=-][a-z0-9_+=.-]*", name)
    assert name.split(".")[0] not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


@given(st.lists(IDS, min_size=2, max_size=8, unique=True))
def test_no_two_ids_share_a_name_whatever_the_case(ids):
    assert len({file_name(prompt_id).casefold() for prompt_id in ids}) == len(ids)


@pytest.mark.parametrize(
    "pair", [("a", "A"), ("\u00e9", "e\u0301"), ("a/b", "a=2fb"), ("K", "\u212a")]
)
def test_ids_a_file_system_may_take_for_the_same(pair):
    first, second = map(file_name, pair)
    assert first.casefold() != second.casefold()


def test_usual_ids_stay_as_they_are():
    for prompt_id in ("37", "000139", "p-1_2", "v1.5-7"):
        assert file_name(prompt_id) == prompt_id

"""What comes with the package is whole, holds no texts and follows from the facts."""

import re

import pytest

from flasheval.base.errors import DataError
from flasheval.prompts.known.lists import known_lists, read_lists

HASH = re.compile(r"[0-9a-f]{64}")


def test_names_are_unique_and_hashes_are_hashes():
    lists = known_lists()
    assert len({one.name for one in lists}) == len(lists) > 100
    assert sum(one.ids_hash is not None for one in lists) == 122
    for one in lists:
        hashes = (one.sequence_hash, one.set_hash, one.ids_hash, one.first, one.last)
        assert all(hash_ is None or HASH.fullmatch(hash_) for hash_ in hashes), one.name
        assert one.licence, one.name
        assert one.source, one.name


def test_each_list_with_texts_has_all_that_recognises_it():
    for one in known_lists():
        if one.sequence_hash:
            assert one.set_hash, one.name
            assert one.first, one.name
            assert one.last, one.name
            assert one.prompts >= one.distinct > 0, one.name
            assert 0 <= one.over_77 <= one.prompts, one.name


def test_tags_are_short_values_not_texts():
    for one in known_lists():
        for counts in one.tags.values():
            assert all(count is None or count > 0 for count in counts.values()), one.name
            assert max(map(len, counts)) < 60, one.name


def test_a_damaged_file_names_the_key(tmp_path):
    file = tmp_path / "lists.json"
    file.write_text('{"lists": [{"name": "pets", "title": "Pets", "prompts": "two"}]}')
    with pytest.raises(DataError, match=r'lists\.json: lists\[0\]\.prompts is "two"'):
        read_lists(file)

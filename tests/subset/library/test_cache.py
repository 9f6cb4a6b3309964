import json
import threading

import pytest

from flasheval.prompts import text_hash
from flasheval.subset.library.cache import cache_path, keep_texts, kept_texts

KEY = "ab" * 32


def by_hash(*texts):
    return {text_hash(text): text for text in texts}


def test_texts_are_added_and_read_back(cache):
    assert kept_texts(KEY) == {} == kept_texts(None)
    assert keep_texts(KEY, by_hash("a", "b ")) == 2
    assert keep_texts(KEY, by_hash("b", "c")) == 1
    assert kept_texts(KEY) == by_hash("a", "b ", "c")
    assert cache_path(KEY) == cache / "texts" / f"{KEY}.json"
    assert keep_texts(None, by_hash("a")) == 0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": "a", "a": "b"}', "\xff"])
def test_a_damaged_file_is_told_and_mended(content):
    path = cache_path(KEY)
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="latin-1")
    with pytest.warns(UserWarning, match="are damaged"):
        assert kept_texts(KEY) == {}
    keep_texts(KEY, {})
    assert json.loads(path.read_text()) == {}
    assert kept_texts(KEY) == {}


def test_a_text_with_another_hash_is_left_out():
    keep_texts(KEY, by_hash("a", "b"))
    path = cache_path(KEY)
    bad = {text_hash("x"): 3, text_hash("y"): "\ud800"}
    path.write_text(json.dumps({**by_hash("a"), text_hash("b"): "c", **bad}))
    with pytest.warns(UserWarning, match="3 of 4 texts do not have their hash"):
        assert kept_texts(KEY) == by_hash("a")
    keep_texts(KEY, by_hash("b"))
    assert kept_texts(KEY) == by_hash("a", "b")


def test_the_users_cache_folder_without_the_variable(monkeypatch):
    monkeypatch.delenv("FLASHEVAL_CACHE")
    assert "flasheval" in cache_path(KEY).parts


def test_several_at_once_leave_a_whole_file():
    sets = [by_hash(*(f"{number}-{i}" for i in range(50))) for number in range(4)]
    threads = [threading.Thread(target=keep_texts, args=(KEY, one)) for one in sets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = kept_texts(KEY)
    assert any(one.items() <= kept.items() for one in sets)

"""The long files of tests come first: each name in the list is one that is there."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def test_the_long_files_are_there_and_come_first(request: pytest.FixtureRequest) -> None:
    plugins = request.config.pluginmanager.get_plugins()
    (ours,) = (one for one in plugins if getattr(one, "__file__", "") == str(TESTS / "conftest.py"))
    assert [name for name in ours._LONG if not (TESTS / name).exists()] == []
    places = [ours._place(item) for item in request.session.items]
    assert places == sorted(places)

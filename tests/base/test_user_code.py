"""Objects named as module:name or file.py:name, and the version of their code."""

import hashlib
import sys

import pytest

from flasheval.base.errors import SettingError
from flasheval.base.user_code import load_object, source_hash

CODE = """
from __future__ import annotations

import dataclasses


@dataclasses.dataclass
class Box:
    size: int = 3

    class Inner:
        value = 7


def double(x):
    return 2 * x
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my_code.py"
    path.write_text(CODE, "utf-8")
    return path


def test_a_file_is_loaded_once(file, monkeypatch):
    double = load_object(f"{file}:double")
    assert double(4) == 8
    assert load_object(f"{file}:double") is double
    monkeypatch.chdir(file.parent)
    assert load_object("my_code.py:double") is double
    monkeypatch.setenv("HOME", str(file.parent))
    assert load_object("~/my_code.py:double") is double


def test_a_module_and_things_inside_classes(file, monkeypatch):
    monkeypatch.syspath_prepend(str(file.parent))
    assert load_object("my_code:Box.Inner.value") == 7
    assert load_object(f"{file}:Box").__name__ == "Box"
    assert load_object(f"{file}:Box")().size == 3
    del sys.modules["my_code"]


def test_two_files_of_one_name_do_not_mix(file, tmp_path):
    other = tmp_path / "other" / "my_code.py"
    other.parent.mkdir()
    other.write_text("def double(x):\n    return -x\n", "utf-8")
    assert load_object(f"{file}:double")(1) == 2
    assert load_object(f"{other}:double")(1) == -1


def test_a_file_that_changed_is_loaded_anew(file):
    first = load_object(f"{file}:double")
    file.write_text(CODE.replace("2 * x", "3 * x"), "utf-8")
    assert load_object(f"{file}:double")(1) == 3
    assert first(1) == 2


def test_the_version_is_the_hash_of_the_file(file, monkeypatch):
    expected = hashlib.sha256(file.read_bytes()).hexdigest()
    assert source_hash(f"{file}:double") == expected
    monkeypatch.syspath_prepend(str(file.parent))
    assert source_hash("my_code:Box.Inner") == expected
    del sys.modules["my_code"]


def test_what_has_no_source_needs_a_version():
    with pytest.raises(SettingError, match=r"scorer=sys:path: sys has no source file .*version"):
        source_hash("sys:path", "scorer")


@pytest.mark.parametrize("name", ["double", "module:", ":double", "", "file.py"])
def test_a_name_written_otherwise_is_one_line(name):
    for function in (load_object, source_hash):
        with pytest.raises(SettingError, match=r"expected module:name or path/to/file\.py:name"):
            function(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def double(x:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("import no_such_module", "No module named 'no_such_module'"),
    ],
)
def test_code_that_cannot_be_loaded_is_one_line_and_leaves_nothing(tmp_path, text, message):
    path = tmp_path / "bad.py"
    path.write_text(text, "utf-8")
    before = set(sys.modules)
    with pytest.raises(SettingError) as caught:
        load_object(f"{path}:double")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not {name for name in set(sys.modules) - before if name.startswith("flasheval_user")}


@pytest.mark.parametrize("name", ["no/such.py:f", "no_such_module:f"])
def test_what_is_not_there_is_one_line(name):
    with pytest.raises(SettingError, match="cannot be imported"):
        load_object(name)


@pytest.mark.parametrize("attribute", ["triple", "Box.Outer", "Box."])
def test_an_attribute_that_is_not_there_is_one_line(file, attribute):
    with pytest.raises(SettingError, match=rf"generator=.*: .*my_code\.py has no '{attribute}'"):
        load_object(f"{file}:{attribute}", "generator")

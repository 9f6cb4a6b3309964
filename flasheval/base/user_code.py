"""Loading a user's functions and classes by ``module:name`` or ``path/to/file.py:name``."""

from __future__ import annotations

import hashlib
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from flasheval.base.errors import SettingError

__all__ = ["load_object", "source_hash"]


def load_object(name: str, what: str = "function") -> Any:
    """Return the object that ``module:name`` or ``path/to/file.py:name`` names.

    Args:
        name: Where it is; dots after the colon go into classes.
        what: The kind of object expected, for the message.

    Raises:
        SettingError: The name has another form, cannot be imported, or does not exist.

    >>> load_object("math:sqrt")(4.0)
    2.0

    """
    place, attribute = _parts(name, what)
    found: Any = _module(place, name, what)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise SettingError(f"{what}={name}: {place} has no {attribute!r}")
        found = getattr(found, part)
    return found


def source_hash(name: str, what: str = "function") -> str:
    """Return the sha256, in hex, of the source file that holds the object ``name``.

    It serves as the version of the code when the user gives none. Raises SettingError as
    `load_object` does, and when the module has no source file.

    >>> len(source_hash("json:dumps"))
    64
    >>> source_hash("json.dumps")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: function=json.dumps: expected module:name or ...
    """
    place, _ = _parts(name, what)
    file = getattr(_module(place, name, what), "__file__", None)
    try:
        return hashlib.sha256(Path(str(file)).read_bytes()).hexdigest()
    except OSError as error:
        raise SettingError(
            f"{what}={name}: {place} has no source file to take its version from; set version="
        ) from error


def _parts(name: str, what: str) -> tuple[str, str]:
    place, _, attribute = str(name).rpartition(":")
    if not place or not attribute:
        raise SettingError(f"{what}={name}: expected module:name or path/to/file.py:name")
    return place, attribute


def _module(place: str, name: str, what: str) -> ModuleType:
    try:
        return _from_file(Path(place)) if place.endswith(".py") else import_module(place)
    except (Exception, SystemExit) as error:  # whatever the user's own code does when loaded
        reason = f"{type(error).__name__}: {error}"
        raise SettingError(f"{what}={name}: {place} cannot be imported ({reason})") from error


def _from_file(path: Path) -> ModuleType:
    path = path.expanduser().resolve(strict=True)
    # By content too: a file edited while Python runs is loaded anew, as its version says it is.
    content = hashlib.sha256(str(path).encode() + b"\0" + path.read_bytes())
    key = f"flasheval_user_{content.hexdigest()[:16]}"
    if key in sys.modules:
        return sys.modules[key]
    spec = spec_from_file_location(key, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[key] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[key]
        raise
    return module

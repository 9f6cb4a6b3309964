"""Plug-ins by name: one registry for methods, scorers, generators and everything else of the kind.

A plug-in is a dataclass whose fields are its settings. It is built in, or another package ships it
through an entry point; an object of the right kind may stand wherever a name may.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, cast, get_type_hints

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.json_data import check_keys, from_plain
from flasheval.base.suggest import nearest

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """The plug-ins of one kind.

    Other packages are looked for when a name is first asked for, and imported when their own name
    is. One that is broken raises then, and takes nothing from the rest.

    Args:
        noun: What one of them is called in messages.
        group: The group of entry points in which other packages name theirs.
        contract: The protocol or base class whose public names every plug-in and object has.
        built_in: The dataclasses that come with flasheval.
        key: The class variable that holds a plug-in's name.
        default: The name that None stands for; without one, None is refused.

    Example:
        >>> from flasheval.selection.methods.registry import METHODS
        >>> METHODS.names()[:3]
        ('auto', 'random', 'ridge')
        >>> METHODS.make({"name": "anneal", "swaps": 1000}).swaps
        1000
        >>> METHODS.make("anneel")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: there is no method 'anneel'; ... did you mean 'anneal'?

    """

    def __init__(
        self,
        noun: str,
        group: str,
        contract: type[Any],
        built_in: list[type[Any]],
        *,
        key: str = "name",
        default: str | None = None,
    ) -> None:
        self.noun, self.group, self.key, self.default = noun, group, key, default
        members = [*dir(contract), *inspect.get_annotations(contract)]
        self._needs = [name for name in dict.fromkeys(members) if not name.startswith("_")]
        self._built_in: dict[str, type[Any]] = {getattr(one, key): one for one in built_in}
        self._loaded: dict[str, type[Any]] = {}

    def names(self) -> tuple[str, ...]:
        """Return every name: those built in, then those of other packages, sorted."""
        return (*self._built_in, *sorted(self._shipped.keys() - self._built_in.keys()))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __getitem__(self, name: object) -> type[Any]:
        """Return the dataclass of this name. Raises SettingError for none, or a broken one."""
        if isinstance(name, str) and name in self._built_in:
            return self._built_in[name]
        if not isinstance(name, str) or name not in self:
            raise SettingError(
                f"there is no {self.noun} {name!r}; {self._there_are()}{nearest(str(name), self)}"
            )
        if name not in self._loaded:
            self._loaded[name] = self._load(self._shipped[name])
        return self._loaded[name]

    def items(self) -> Iterator[tuple[str, type[Any]]]:
        """Give names and dataclasses, without the broken ones of other packages."""
        for name in self:
            try:
                found = self[name]
            except SettingError:
                continue
            yield name, found

    def fits(self, entry: object) -> bool:
        """Return whether an object is of the right kind."""
        return not isinstance(entry, type) and not self._lacks(entry)

    def make(self, entry: object, settings: Mapping[str, object] | None = None) -> T:
        """Return a plug-in with its settings, checked; an object of the right kind as it is.

        Args:
            entry: A name, a mapping of settings with the ``name``, an object, or None where there
                is a default.
            settings: Settings beside the name, or beside those of the mapping.

        Raises:
            SettingError: No such name or setting, a value that cannot be, an object of another
                kind, or a plug-in of another package that is broken.

        """
        entry = self.default if entry is None else entry
        if entry is not None and not isinstance(entry, str | Mapping):
            return self._passed(entry, settings)
        given: dict[str, object] = dict(entry) if isinstance(entry, Mapping) else {}
        name: Any = given.pop("name", None) if isinstance(entry, Mapping) else entry
        if name is None:
            raise SettingError(f"{self.noun}: its name is missing; {self._there_are()}")
        cls = self[name]
        if name in self._built_in and name in self._shipped:
            warnings.warn(
                f"flasheval's own {self.noun} {name!r} is used, not that of "
                f"{_origins(self._shipped[name])}, which needs another name",
                stacklevel=3,
            )
        given |= settings or {}
        check_keys(cls, given, f"{self.noun} {name!r}")
        called = f"{self.noun} {name}"
        try:
            return cast("T", from_plain(cls, given, source=called))
        except (FlashevalError, ValueError) as error:  # ValueError: how others refuse a value
            said = str(error)
            raise SettingError(
                said if said.startswith(self.noun) else f"{called}: {said}"
            ) from None

    @cached_property
    def _shipped(self) -> dict[str, tuple[EntryPoint, ...]]:
        """What other packages ship, by name; nothing of it is imported yet."""
        found: dict[str, tuple[EntryPoint, ...]] = {}
        try:
            points = entry_points(group=self.group)
        except Exception as error:  # one package's damaged metadata hides those of all
            reason = f"{type(error).__name__}: {error}"
            warnings.warn(f"plug-ins of other packages cannot be read ({reason})", stacklevel=3)
            return found
        for point in points:
            found[point.name] = (*found.get(point.name, ()), point)
        return found

    def _load(self, points: tuple[EntryPoint, ...]) -> type[Any]:
        name, called = points[0].name, f"{self.noun} {points[0].name!r} of {_origins(points)}"
        if len(points) > 1:
            raise SettingError(f"{called}: only one of them can have this name; uninstall the rest")
        try:
            found = points[0].load()
            get_type_hints(found)  # settings are checked against them
        except Exception as error:  # whatever somebody else's module raises
            reason = f"{type(error).__name__}: {error}"[:300]
            raise SettingError(f"{called} cannot be used ({reason})") from error
        if not isinstance(found, type) or not is_dataclass(found):
            raise SettingError(f"{called} is no class of settings; expected a dataclass")
        lacks = self._lacks(found)
        if lacks:
            raise SettingError(f"{called} is none: it has no {', '.join(lacks)}")
        own = getattr(found, self.key, None)
        if own != name:
            raise SettingError(f"{called}: its {self.key} is {own!r}; expected {name!r}")
        return found

    def _passed(self, entry: object, settings: Mapping[str, object] | None) -> T:
        if isinstance(entry, type):
            name = entry.__name__
            raise SettingError(f"{self.noun}: {name} is a class; give an object of it: {name}()")
        lacks = self._lacks(entry)
        if lacks:
            raise SettingError(
                f"{self.noun}: an object of type {type(entry).__name__} is none, for it has no "
                f"{', '.join(lacks)}; expected such an object, a name, or settings with the name; "
                f"{self._there_are()}"
            )
        if settings:
            raise SettingError(
                f"{self.noun}: settings stand beside an object ({', '.join(settings)}); give them "
                "to the object"
            )
        return cast("T", entry)

    def _lacks(self, entry: Any) -> list[str]:
        """Return the names of the contract that an object or class does not have."""
        own = [one.name for one in fields(entry)] if is_dataclass(entry) else []
        return [name for name in self._needs if name not in own and not _has(entry, name)]

    def _there_are(self) -> str:
        return f"there are: {', '.join(self)}"


def _has(entry: object, name: str) -> bool:
    """Return whether there is an attribute, its property left alone where there is one."""
    missing = object()
    return inspect.getattr_static(entry, name, missing) is not missing or hasattr(entry, name)


def _origins(points: tuple[EntryPoint, ...]) -> str:
    """Return the packages and targets of entry points, for messages."""
    named = [(point.dist.name if point.dist else "a package", point.value) for point in points]
    return " and ".join(f"{package} ({target})" for package, target in sorted(named))

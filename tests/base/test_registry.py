"""One registry for every kind of plug-in: names, settings, objects, and other people's packages."""

import sys
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import pytest

from flasheval.base import registry as module
from flasheval.base.errors import SettingError
from flasheval.base.registry import Registry

GROUP = "flasheval.shapes"


class Shape(Protocol):
    name: ClassVar[str]

    @property
    def corners(self) -> int: ...

    def area(self) -> float: ...


@dataclass(frozen=True)
class Square:
    name: ClassVar[str] = "square"
    corners: ClassVar[int] = 4
    side: float = 1.0
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.side < 0:
            raise SettingError(f"side={self.side}: expected 0 or more")

    def area(self) -> float:
        return self.side**2


@dataclass(frozen=True)
class Circle:
    name: ClassVar[str] = "circle"
    corners: ClassVar[int] = 0
    radius: float

    def area(self) -> float:
        return 3 * self.radius**2


SHIPPED = """
from dataclasses import dataclass
from typing import ClassVar

@dataclass
class Star:
    name: ClassVar[str] = "star"
    corners: int = 5
    def __post_init__(self):
        if self.corners < 3:
            raise ValueError("a star needs\\nthree corners")
    def area(self): return 0.5

@dataclass
class Unreadable:
    name: ClassVar[str] = "unreadable"
    corners: "Nowhere" = 5
    def area(self): return 0.5

class Plain:
    name = "plain"
    corners = 1
    def area(self): return 0.5

@dataclass
class Line:
    name: ClassVar[str] = "line"

number = 3
"""


@pytest.fixture
def ship(tmp_path, monkeypatch):
    """A function: install a package with entry points for shapes."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "shipped_shapes.py").write_text(SHIPPED)
    monkeypatch.delitem(sys.modules, "shipped_shapes", raising=False)

    def ship(package, **points):
        info = tmp_path / f"{package}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        lines = [f"{name} = {target}" for name, target in points.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))

    yield ship
    sys.modules.pop("shipped_shapes", None)


def shapes(**settings):
    return Registry("shape", GROUP, Shape, [Square, Circle], **settings)


def test_what_is_built_in_has_its_name_and_order():
    made = shapes()
    assert made.names() == tuple(made) == ("square", "circle")
    assert len(made) == 2
    assert made["circle"] is Circle
    assert dict(made.items()) == {"square": Square, "circle": Circle}
    assert "square" in made
    assert "star" not in made
    assert ["square"] not in made


def test_a_name_a_mapping_and_an_object():
    made = shapes()
    assert made.make("square") == Square()
    assert made.make("square", {"side": 2}) == Square(2.0)
    assert made.make({"name": "circle", "radius": 1}) == Circle(1.0)
    assert made.make({"name": "square", "side": 2}, {"tags": ["a"]}) == Square(2.0, ("a",))
    mine = Square(3.0)
    assert made.make(mine) is mine
    assert shapes(default="square").make(None) == Square()


def test_numbers_of_numpy_are_numbers():
    made = shapes().make("square", {"side": np.float32(0.5)})
    assert made == Square(0.5)
    assert type(made.side) is float


def test_a_mapping_that_is_given_stays_as_it_is():
    given = {"name": "square", "side": 2}
    shapes().make(given)
    assert given == {"name": "square", "side": 2}


@pytest.mark.parametrize(
    ("entry", "settings", "said"),
    [
        ("sqare", None, "there is no shape 'sqare'; there are: square, circle; did you mean 'squa"),
        ("Circle", None, "there is no shape 'Circle'; .*; did you mean 'circle'?"),
        ({"name": 3}, None, "there is no shape 3; there are: square, circle$"),
        ({"name": ["square"]}, None, r"there is no shape \['square'\]; there are"),
        (None, None, "shape: its name is missing; there are: square, circle$"),
        ({"side": 1}, None, "shape: its name is missing; there are: square, circle$"),
        (
            "square",
            {"sied": 1},
            "shape 'square' has no setting 'sied'; it has: side, tags; did",
        ),
        ("square", {"name": "x"}, "shape 'square' has no setting 'name'; it has: side, tags"),
        ({"name": "square", 3: 1}, None, "shape 'square' has no setting 3; it has"),
        ("square", {"side": "long"}, 'shape square: side is "long"; expected a number'),
        ("square", {"side": float("nan")}, "shape square: side is not finite"),
        ("square", {"side": -1}, "^shape square: side=-1.0: expected 0 or more"),
        ("circle", None, "shape circle: radius is missing; add it"),
        (3, None, "shape: an object of type int is none, for it has no area, corners, name; exp"),
        (Square, None, r"shape: Square is a class; give an object of it: Square\(\)"),
        (Square(), {"side": 2}, r"shape: settings stand beside an object \(side\)"),
    ],
)
def test_a_mistake_is_one_line(entry, settings, said):
    with pytest.raises(SettingError, match=said) as caught:
        shapes().make(entry, settings)
    assert "\n" not in str(caught.value)


def test_an_object_needs_no_more_than_the_contract_and_its_properties_are_left_alone():
    class Mine:
        name = "mine"

        @property
        def corners(self):
            raise RuntimeError("not to be asked for")

        def __getattr__(self, key):
            if key == "area":
                return lambda: 1.0
            raise AttributeError(key)

    mine = Mine()
    made = shapes()
    assert made.fits(mine)
    assert made.make(mine) is mine
    assert not made.fits(Mine)
    assert not made.fits("square")


def test_other_packages_are_found_by_name_and_imported_when_asked_for(ship):
    ship("stars", star="shipped_shapes:Star")
    made = shapes()
    assert made.names() == ("square", "circle", "star")
    assert "shipped_shapes" not in sys.modules
    assert made.make("star", {"corners": 6}).corners == 6
    assert made.make(made["star"]()).corners == 5
    assert made["star"] is made["star"]
    with pytest.raises(SettingError, match=r"there are: square, circle, star; did you mean 'star'"):
        made.make("stat")
    with pytest.raises(SettingError, match=r"^shape star: a star needs three corners$"):
        made.make("star", {"corners": 2})


def test_they_are_looked_for_once_and_not_before_they_are_needed(monkeypatch):
    asked = []
    monkeypatch.setattr(module, "entry_points", lambda group: asked.append(group) or ())
    made = shapes()
    assert made["square"] is Square
    assert asked == []
    made.names(), made.names(), made.make("square")
    assert asked == [GROUP]


@pytest.mark.parametrize(
    ("name", "target", "said"),
    [
        ("gone", "no_such_module:Star", r"cannot be used \(ModuleNotFoundError: No module"),
        ("gone", "shipped_shapes:Moon", r"cannot be used \(AttributeError: .*'Moon'\)"),
        ("unreadable", "shipped_shapes:Unreadable", r"cannot be used \(NameError: name 'Nowhere'"),
        ("number", "shipped_shapes:number", "cannot be used"),
        ("plain", "shipped_shapes:Plain", "is no class of settings; expected a dataclass"),
        ("line", "shipped_shapes:Line", "is none: it has no area, corners"),
        ("moon", "shipped_shapes:Star", "its name is 'star'; expected 'moon'"),
    ],
)
def test_a_broken_one_is_one_line_when_asked_for_and_harms_nothing(ship, name, target, said):
    ship("careless", **{name: target})
    ship("stars", star="shipped_shapes:Star")
    made = shapes()
    assert made.names() == ("square", "circle", *sorted([name, "star"]))
    assert list(dict(made.items())) == ["square", "circle", "star"]
    assert made.make("square") == Square()
    with pytest.raises(SettingError, match=rf"^shape '{name}' of careless \({target}\)") as caught:
        made.make(name)
    caught.match(said)
    assert "\n" not in str(caught.value)


def test_a_name_of_ours_stays_ours_with_a_warning_when_asked_for(ship):
    ship("stars", square="shipped_shapes:Star", star="shipped_shapes:Star")
    made = shapes()
    assert made.names() == ("square", "circle", "star")
    said = r"flasheval's own shape 'square' is used, not that of stars \(shipped_shapes:Star\)"
    with pytest.warns(UserWarning, match=said):
        assert made.make("square") == Square()
    assert "shipped_shapes" not in sys.modules
    assert made.make("circle", {"radius": 1}) == Circle(1.0)


def test_two_packages_with_one_name_are_told(ship):
    ship("stars", star="shipped_shapes:Star")
    ship("suns", star="shipped_shapes:Star")
    with pytest.raises(SettingError, match=r"'star' of stars \(.*\) and suns \(.*\): only one"):
        shapes().make("star")


def test_damaged_metadata_takes_nothing_from_what_is_built_in(monkeypatch):
    def fail(group):
        raise TypeError("Pair.__new__() missing 1 required positional argument")

    monkeypatch.setattr(module, "entry_points", fail)
    made = shapes()
    with pytest.warns(UserWarning, match="plug-ins of other packages cannot be read"):
        assert made.names() == ("square", "circle")
    assert made.make("square") == Square()

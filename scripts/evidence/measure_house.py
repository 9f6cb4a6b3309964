"""Measure the house: rooms, circles, arrows that run up, late imports, places a verb is wired.

    python scripts/evidence/measure_house.py [PACKAGE_FOLDER]

Reads the sources of a package (that of this checkout unless another folder is named) without
importing them, and prints one row a figure, so that two states of the package can be held side by
side. An import counts wherever it stands: at the top, inside a function, for types only, or as a
dotted target in a string. Arrows between folders run up where no order of the folders lets every
arrow run down: as many as are left over by the best order that a greedy search finds (Eades, Lin
and Smyth 1993).
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_TARGET = re.compile(r"[a-z_]\w*(?:\.[a-z_]\w*)+(?:[:.]\w+)?")
_VERBS = (
    "search validate generate score run distance evaluate compare watch doctor status subsets "
    "publish report import show"
)


@dataclass(frozen=True)
class Import:
    """One module that a file imports or names: which, on which line, and whether in a function."""

    module: str
    line: int
    late: bool = False


def modules_of(package: Path) -> dict[str, Path]:
    """Return every module of a package by its dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports_of(path: Path, modules: Mapping[str, object]) -> list[Import]:
    """Return what a file imports, late imports and those for types and targets in text too."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    late = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise SystemExit(f"{path}:{node.lineno}: write the whole name of the module")
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in modules else str(node.module) for name in whole]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = "" if id(node) in docstrings else node.value
            names = _named(text, modules) if _TARGET.fullmatch(text) else []
        else:
            continue
        found += [Import(name, node.lineno, id(node) in late) for name in names]
    return found


def _named(text: str, modules: Mapping[str, object]) -> list[str]:
    """Return the module that a dotted target names, none where it names none of the package."""
    text = text.partition(":")[0]
    for name in (text, text.rpartition(".")[0]):
        if name in modules and "." in name:
            return [name]
    return []


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the sets of nodes that reach each other (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            cut = stack.index(node)
            part = stack[cut:]
            del stack[cut:]
            if len(part) > 1:
                found.append(sorted(part))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def file_graph(
    imports: Mapping[str, Sequence[Import]], modules: Mapping[str, object]
) -> dict[str, set[str]]:
    """Return which modules of the package each of them imports."""
    return {
        name: {one.module for one in found if one.module in modules} - {name}
        for name, found in imports.items()
    }


def room_of(module: str) -> str:
    """Return the folder at the top of the package that a module lies in; "" for the top itself."""
    return module.split(".")[1] if module.count(".") else ""


def arrows(graph: Mapping[str, set[str]], rooms: set[str]) -> set[tuple[str, str]]:
    """Return the arrows between rooms."""
    return {
        (room_of(name), room_of(other))
        for name, others in graph.items()
        for other in others
        if room_of(name) != room_of(other) and {room_of(name), room_of(other)} <= rooms
    }


def upward(found: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the arrows that run against the best order of the rooms found greedily."""
    left = {room for pair in found for room in pair}
    first: list[str] = []
    last: list[str] = []
    while left:
        inside = [(a, b) for a, b in found if a in left and b in left]
        out = {room: sum(a == room for a, _ in inside) for room in sorted(left)}
        into = {room: sum(b == room for _, b in inside) for room in sorted(left)}
        room = next((r for r in out if not out[r]), None)
        if room is not None:
            last.insert(0, room)
        else:
            room = max(out, key=lambda r: (not into[r], out[r] - into[r]))
            first.append(room)
        left.discard(room)
    order = {room: place for place, room in enumerate([*first, *last])}
    return sorted((a, b) for a, b in found if order[a] > order[b])


def verb_places(modules: Mapping[str, Path]) -> dict[str, int]:
    """Return on how many lines of the package each verb, or the class of its keys, is named."""
    found = {}
    for verb in _VERBS.split():
        words = {verb, f"{verb.capitalize()}Config"}
        lines = {
            (name, node.lineno)
            for name, path in modules.items()
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if (isinstance(node, ast.Constant) and node.value in words)
            or (isinstance(node, ast.Name) and node.id in words - {verb})
            or (isinstance(node, ast.ClassDef) and node.name in words)
        }
        found[verb] = len(lines)
    return found


def _lines(folder: Path) -> int:
    return sum(len(path.read_text("utf-8").splitlines()) for path in folder.rglob("*.py"))


def measure(package: Path) -> dict[str, str]:
    """Return every figure by what it is."""
    modules = modules_of(package)
    imports = {name: imports_of(path, modules) for name, path in modules.items()}
    graph = file_graph(imports, modules)
    late = [one for found in imports.values() for one in found if one.late]
    own = [one for one in late if one.module.partition(".")[0] == package.name]
    top = {path.name for path in package.iterdir()} - {"__pycache__", "py.typed"}
    rooms = {path.name for path in package.iterdir() if (path / "__init__.py").is_file()}
    between = arrows(graph, rooms)
    in_circles = circles(graph)
    verbs = verb_places(modules)
    return {
        "entries at the top": f"{len(top)}",
        "files in import circles": f"{sum(map(len, in_circles))} in {len(in_circles)} circles",
        "arrows between rooms": f"{len(between)}",
        "arrows that run up": f"{len(upward(between))}",
        "imports inside functions": f"{len(late)}, {len(own)} of them of the package",
        "lines that name a verb": f"{min(verbs.values())} to {max(verbs.values())} a verb, "
        f"{sum(verbs.values())} in all",
        "lines of the package": f"{_lines(package):,}",
        "lines of scripts": f"{_lines(package.parent / 'scripts'):,}",
    }


def main() -> None:
    """Print the figures of the package named, or of this checkout's."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", nargs="?", type=Path, default=_ROOT / "flasheval")
    package = parser.parse_args().package.resolve()
    for what, figure in measure(package).items():
        print(f"{what:<26} {figure}")


if __name__ == "__main__":
    main()

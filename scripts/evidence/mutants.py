"""Are the tests any good? Break the code in small ways and see whether its own tests notice.

    python scripts/evidence/mutants.py --count 100 --seed 0 --minutes 50

Draws small changes ("mutants") of the modules named: a comparison turned round, + for -, a number
one up or down, `and` for `or`, a condition negated, a statement left out, an argument's sign
turned. Each is made in a temporary copy of this checkout, never in the checkout itself, and only
the mirrored test file is run on it (flasheval/a/b.py is tested by tests/a/test_b.py). A mutant is
killed when a test fails or the tests take too long, and survives when all of them pass. Printed
are the survivors, each a line to look at: a test is missing, or the change means the same.

Docstrings, annotations, decorators, `__all__`, imports and the words of errors are left alone. A
module is passed over when it has no mirrored test, or when that fails or takes too long as it is.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("flasheval", "hydra_plugins", "tests", "conf", "subsets", "pyproject.toml")
_MODULES = (
    "flasheval/selection/methods",
    "flasheval/selection/held_out",
    "flasheval/selection/calibration",
    "flasheval/subset",
)
_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NOT_NUMBERS = (ast.JoinedStr, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.ListComp)
_SHOWN = 60


@dataclass(frozen=True)
class Mutant:
    """One small change of a file: the bytes from `begin` to `end` become `after`."""

    line: int
    begin: int
    end: int
    before: str
    after: str

    def applied(self, source: bytes) -> bytes:
        """Return the file with the change made."""
        return source[: self.begin] + self.after.encode() + source[self.end :]


def mutants_of(source: bytes) -> list[Mutant]:
    """Return every mutant of a module that still compiles, from top to bottom."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    found = sorted(set(finder.found), key=lambda one: (one.begin, one.end, one.after))
    return [one for one in found if _compiles(one.applied(source))]


def mirrored(module: str) -> str:
    """Return the test file of a module, both as paths from the checkout.

    >>> mirrored("flasheval/selection/held_out/spread.py")
    'tests/selection/held_out/test_spread.py'
    """
    folder, _, name = module.removeprefix("flasheval/").rpartition("/")
    return "/".join(filter(None, ("tests", folder, f"test_{name}")))


class _Finder(ast.NodeVisitor):
    """Collects mutants; what must stay as it is, is not walked into."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        lines = source.splitlines(keepends=True)
        self.starts = [0, *np.cumsum([len(line) for line in lines]).tolist()]
        self.found: list[Mutant] = []

    def add(self, node: ast.expr | ast.stmt, after: str) -> None:
        if node.end_lineno is None or node.end_col_offset is None:
            return
        begin = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[node.end_lineno - 1] + node.end_col_offset
        before = self.source[begin:end].decode()
        self.found.append(Mutant(node.lineno, begin, end, before, after))

    def replace(self, node: ast.expr, new: ast.expr) -> None:
        self.add(node, f"({ast.unparse(new)})")

    def all_of(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    # what stays as it is

    def visit_Import(self, node: ast.Import) -> None:
        pass

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        pass

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pass

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.all_of([*node.args.defaults, *node.args.kw_defaults, *node.body])

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.all_of([*node.args.defaults, *node.args.kw_defaults, node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.all_of(node.body)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.all_of([node.value])

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg != "strict":
            self.visit(node.value)

    # what is changed

    def visit_Assign(self, node: ast.Assign) -> None:
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        if "__all__" in names:
            return
        if all(isinstance(target, ast.Subscript | ast.Attribute) for target in node.targets):
            self.add(node, "pass")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.add(node, "pass")
        if type(node.op) in _COUNTED and not _no_number(node.value):
            new = ast.AugAssign(node.target, _COUNTED[type(node.op)](), node.value)
            self.add(node, ast.unparse(new))
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.add(node, "pass")
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        self.add(node, "pass")

    def visit_Break(self, node: ast.Break) -> None:
        self.add(node, "pass")

    def visit_Continue(self, node: ast.Continue) -> None:
        self.add(node, "pass")

    def visit_Return(self, node: ast.Return) -> None:
        if isinstance(node.value, ast.Compare | ast.BoolOp):
            self.negate(node.value)
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            self.all_of(node.orelse)
            return
        self.negate(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self.negate(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self.negate(test)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for place, operator in enumerate(node.ops):
            new = [*node.ops]
            new[place] = _COMPARED[type(operator)]()
            self.replace(node, ast.Compare(node.left, new, node.comparators))
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        other = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        self.replace(node, ast.BoolOp(other, node.values))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if _counts(node):
            self.replace(node, ast.BinOp(node.left, _COUNTED[type(node.op)](), node.right))
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.USub | ast.Not):
            self.replace(node, node.operand)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self.add(node, str(not node.value))
        elif isinstance(node.value, int | float):
            for step in (-1, 1):
                self.add(node, f"({node.value + step})")

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in ("isinstance", "issubclass", "cast", "TypeVar"):  # arguments that are types
            self.all_of(node.args[:1])
            return
        for argument in node.args:
            if isinstance(argument, ast.BinOp) and _counts(argument):
                self.replace(argument, ast.UnaryOp(ast.USub(), argument))
        self.generic_visit(node)

    def negate(self, test: ast.expr) -> None:
        if not isinstance(test, ast.UnaryOp):  # `not x` loses its `not` anyhow
            self.replace(test, ast.UnaryOp(ast.Not(), test))


def _counts(node: ast.BinOp) -> bool:
    known = type(node.op) in _COUNTED
    return known and not _no_number(node.left) and not _no_number(node.right)


def _no_number(node: ast.expr) -> bool:
    """Whether arithmetic on it is of texts or lists, or builds a type."""
    text = isinstance(node, ast.Constant) and not isinstance(node.value, int | float)
    return text or isinstance(node, _NOT_NUMBERS)


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


class Workshop:
    """A copy of the checkout in which modules are changed and their tests run.

    Args:
        folder: An empty folder.
        limit: Seconds that the tests of one module may take.

    """

    def __init__(self, folder: Path, limit: float) -> None:
        self.folder, self.limit = folder, limit
        self._sound: dict[str, str] = {}
        (folder / "kernels").mkdir()
        for name in _COPIED:
            if (_ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(_ROOT / name, folder / name, ignore=ignored)
            else:
                shutil.copy2(_ROOT / name, folder / name)
        command = [sys.executable, "-c", "import flasheval; print(flasheval.__file__)"]
        ran = subprocess.run(  # noqa: S603
            command, cwd=folder, env=self._environment(), capture_output=True, text=True, check=True
        )
        if not Path(ran.stdout.strip()).is_relative_to(folder.resolve()):
            raise SystemExit(f"the tests would import {ran.stdout.strip()}, not the copy")

    def unsound(self, module: str) -> str:
        """Say why a module's tests tell nothing of mutants; empty where they do."""
        if module not in self._sound:
            self._sound[module] = self._why_unsound(module)
        return self._sound[module]

    def _why_unsound(self, module: str) -> str:
        if not (self.folder / mirrored(module)).is_file():
            return "no mirrored test"
        begun = time.monotonic()
        result = self._tests(module, 4 * self.limit)  # kernels may have to be compiled first
        if result == "passed" and time.monotonic() - begun > self.limit:
            result = self._tests(module, self.limit)
        return {"passed": "", "failed": "its tests fail as it is"}.get(
            result, "its tests take too long as it is"
        )

    def judge(self, module: str, mutant: Mutant) -> str:
        """Return what the module's tests do with a mutant: passed, failed or too long."""
        path = self.folder / module
        source, stamp = path.read_bytes(), path.stat()
        kernels = self.folder / "kernels of the mutant"
        shutil.copytree(self.folder / "kernels", kernels)
        limit = self.limit * (2 if b"ranking.jit" in source else 1)  # its kernels are compiled anew
        try:
            path.write_bytes(mutant.applied(source))
            # Never the time of the file that Python or a kernel was compiled from before.
            os.utime(path, ns=(stamp.st_atime_ns, time.time_ns()))
            kept_apart = {"PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": str(kernels)}
            return self._tests(module, limit, kept_apart)
        finally:
            path.write_bytes(source)
            os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
            shutil.rmtree(kernels)

    def _tests(self, module: str, limit: float, more: Mapping[str, str] | None = None) -> str:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        running = subprocess.Popen(  # noqa: S603
            [*command, mirrored(module)],
            cwd=self.folder,
            env={**self._environment(), **(more or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return "passed" if running.wait(limit) == 0 else "failed"
        except subprocess.TimeoutExpired:
            return "too long"
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()

    def _environment(self) -> dict[str, str]:
        kernels = str(self.folder / "kernels")
        return {**os.environ, "PYTHONPATH": str(self.folder), "NUMBA_CACHE_DIR": kernels}


def modules_in(names: Sequence[str]) -> list[str]:
    """Return the modules in these folders or files, as paths from the checkout."""
    found: set[str] = set()
    for name in names:
        path = (_ROOT / name).resolve()
        if not path.exists() or not path.is_relative_to(_ROOT / "flasheval"):
            raise SystemExit(f"{name}: expected a module or a folder of this checkout's flasheval")
        files = path.rglob("*.py") if path.is_dir() else [path]
        found |= {str(file.relative_to(_ROOT)) for file in files if file.name != "__init__.py"}
    return sorted(found)


def drawn(modules: Sequence[str], seed: int) -> list[tuple[str, Mutant]]:
    """Return all mutants of the modules in an order drawn at random."""
    every = [(name, one) for name in modules for one in mutants_of((_ROOT / name).read_bytes())]
    order = np.random.default_rng(seed).permutation(len(every))
    return [every[number] for number in order]


def report(
    results: Sequence[tuple[str, Mutant, str]], passed_over: dict[str, str]
) -> Iterator[str]:
    """Lay out the survivors, the modules passed over and the totals, as Markdown."""
    survivors = [(name, one) for name, one, result in results if result == "passed"]
    yield "| survivor | line | before | after |"
    yield "| --- | ---: | --- | --- |"
    for name, one in sorted(survivors, key=lambda pair: (pair[0], pair[1].line)):
        yield f"| {name} | {one.line} | `{_short(one.before)}` | `{_short(one.after)}` |"
    if passed_over:
        yield ""
        yield "| passed over | why |"
        yield "| --- | --- |"
        yield from (f"| {name} | {why} |" for name, why in sorted(passed_over.items()))
    counts = Counter(result for _, _, result in results)
    killed = counts["failed"] + counts["too long"]
    yield ""
    yield (
        f"{len(results)} mutants: {killed} killed ({counts['failed']} by a failing test, "
        f"{counts['too long']} by the limit), {counts['passed']} survived"
    )


def _short(text: str) -> str:
    line = " ".join(text.split()).replace("|", "\\|").replace("`", "'")
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."


def main() -> None:
    """Draw mutants, run their tests, and print what survived."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100, help="mutants to judge (100)")
    parser.add_argument("--seed", type=int, default=0, help="which ones are drawn (0)")
    parser.add_argument("--minutes", type=float, help="stop in time, with what is done by then")
    parser.add_argument("--limit", type=float, default=30, help="seconds for a module's tests (30)")
    parser.add_argument(
        "--modules", nargs="+", default=_MODULES, metavar="PATH", help="folders or files to mutate"
    )
    given = parser.parse_args()
    begun, patience = time.monotonic(), 60 * (given.minutes or np.inf)
    results: list[tuple[str, Mutant, str]] = []
    passed_over: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder), given.limit)
        for name, one in drawn(modules_in(given.modules), given.seed):
            if len(results) >= given.count or time.monotonic() - begun > patience:
                break
            if name not in passed_over and (why := workshop.unsound(name)):
                passed_over[name] = why
            if name in passed_over:
                continue
            result = workshop.judge(name, one)
            results.append((name, one, result))
            said = "survived" if result == "passed" else f"killed: {result}"
            print(
                f"{len(results)}/{given.count} {name}:{one.line} {_short(one.before)} -> "
                f"{_short(one.after)}: {said}",
                file=sys.stderr,
                flush=True,
            )
    print("\n".join(report(results, passed_over)))


if __name__ == "__main__":
    main()

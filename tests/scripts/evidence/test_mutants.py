"""Mutants are small, compile, leave words and types alone, and never touch the checkout."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "evidence" / "mutants.py"

mutants = runpy.run_path(str(SCRIPT))
mutants_of, mirrored, report = mutants["mutants_of"], mutants["mirrored"], mutants["report"]

SOURCE = '''"""A module with 1 + 1 in its words."""
import os

__all__ = ["f" + "g", "h"[0:1]]
LIMIT: "dict[str, int]" = {"a": 3}


@decorated(1 < 2)
def f(x: "int | None", n: int = 4, *, flag: bool = True) -> "1 + 1":
    """Return 1 + 1."""
    if x is None or n < 1:
        raise ValueError(f"{n + 1}: expected at least {2 - 1}")
    total = -x
    while total >= 0 and flag:
        total -= n
        calls.append(f"{total * 2}")
        if not flag:
            break
    seen[n] = g(n // 2, strict=False)
    parts = zip([y for y in seen if y], seen, strict=True)
    words = "a" + str(n) + "b"
    return total != 7 if isinstance(x, int | float) else words
'''


def changes(source):
    return {(one.before, one.after) for one in mutants_of(source.encode())}


def test_each_kind_of_change_is_there():
    assert changes(SOURCE) == {
        ("3", "(2)"),
        ("3", "(4)"),
        ("4", "(3)"),
        ("4", "(5)"),
        ("True", "False"),
        ("x is None or n < 1", "(not (x is None or n < 1))"),
        ("x is None or n < 1", "(x is None and n < 1)"),
        ("x is None", "(x is not None)"),
        ("n < 1", "(n <= 1)"),
        ("1", "(0)"),
        ("1", "(2)"),
        ('raise ValueError(f"{n + 1}: expected at least {2 - 1}")', "pass"),
        ("-x", "(x)"),
        ("total >= 0 and flag", "(not (total >= 0 and flag))"),
        ("total >= 0 and flag", "(total >= 0 or flag)"),
        ("total >= 0", "(total > 0)"),
        ("0", "(-1)"),
        ("0", "(1)"),
        ("total -= n", "pass"),
        ("total -= n", "total += n"),
        ('calls.append(f"{total * 2}")', "pass"),
        ("not flag", "(flag)"),
        ("break", "pass"),
        ("seen[n] = g(n // 2, strict=False)", "pass"),
        ("n // 2", "(n * 2)"),
        ("n // 2", "(-(n // 2))"),
        ("2", "(1)"),
        ("2", "(3)"),
        ("y", "(not y)"),
        ("isinstance(x, int | float)", "(not isinstance(x, int | float))"),
        ("total != 7", "(total == 7)"),
        ("7", "(6)"),
        ("7", "(8)"),
    }


def test_a_change_is_made_where_it_was_found():
    source = (
        "# caf\N{LATIN SMALL LETTER E WITH ACUTE}\nx = '\N{SNOWMAN}'; y = (1 +\n     x)\n".encode()
    )
    (sum_,) = [one for one in mutants_of(source) if one.after == "(1 - x)"]
    assert sum_.line == 2
    assert sum_.applied(source).decode().splitlines()[1] == "x = '\N{SNOWMAN}'; y = ((1 - x))"


def test_every_mutant_of_a_real_module_is_another_program():
    path = ROOT / "flasheval" / "selection" / "held_out" / "summaries.py"
    source = path.read_bytes()
    found = mutants_of(source)
    assert len(found) > 50
    for one in found:
        changed = one.applied(source)
        assert changed != source
        compile(changed, str(path), "exec")


def test_a_module_is_tested_by_the_file_of_its_name():
    assert mirrored("flasheval/selection/search.py") == "tests/selection/test_search.py"
    assert mirrored("flasheval/api.py") == "tests/test_api.py"


def test_survivors_are_listed_and_all_are_counted():
    one, other = mutants_of(b"x = y or z\n") + mutants_of(b"x = 1\n")[:1]
    results = [("a.py", one, "passed"), ("a.py", other, "failed"), ("b.py", other, "too long")]
    lines = list(report(results, {"c.py": "no mirrored test"}))
    assert lines[2] == "| a.py | 1 | `y or z` | `(y and z)` |"
    assert "| c.py | no mirrored test |" in lines
    assert lines[-1] == ("3 mutants: 2 killed (1 by a failing test, 1 by the limit), 1 survived")


@pytest.mark.slow
def test_mutants_of_a_small_module_are_killed_in_a_copy():
    module = ROOT / "flasheval" / "selection" / "held_out" / "spread.py"
    before = module.read_bytes(), module.stat().st_mtime_ns
    words = ("--count", "2", "--modules", str(module.relative_to(ROOT)))
    command = [sys.executable, SCRIPT, *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1].startswith("2 mutants: 2 killed")
    assert ran.stderr.count("killed") == 2
    assert (module.read_bytes(), module.stat().st_mtime_ns) == before


@pytest.mark.slow
def test_what_means_the_same_survives_and_what_does_not_is_killed(tmp_path):
    workshop = mutants["Workshop"](tmp_path, limit=60)
    module = "flasheval/selection/held_out/spread.py"
    source = (ROOT / module).read_bytes()
    place = source.index(b"ENOUGH = 8") + len("ENOUGH = ")
    assert workshop.unsound(module) == ""
    for after, result in (("(4 + 4)", "passed"), ("9", "failed")):
        mutant = mutants["Mutant"](0, place, place + 1, "8", after)
        assert workshop.judge(module, mutant) == result
    assert (tmp_path / module).read_bytes() == source
    assert workshop.unsound("flasheval/selection/held_out/records.py") == "no mirrored test"


def test_what_is_no_module_of_the_package_is_one_line():
    command = [sys.executable, SCRIPT, "--modules", "scripts"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.strip() == (
        "scripts: expected a module or a folder of this checkout's flasheval"
    )

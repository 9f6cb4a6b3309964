import os
import subprocess
import sys
import textwrap
from io import StringIO
from pathlib import Path

import pytest
from numba.core import event

from flasheval.base.progress import ProgressBar
from flasheval.scores.ranking.jit import compiled


def test_compiled_functions_keep_their_name_and_docstring():
    @compiled
    def half(value):
        """Halve."""
        return value / 2

    assert half(3) == 1.5
    assert half.__name__ == "half"
    assert half.__doc__ == "Halve."


def test_a_division_by_zero_is_numpys():
    @compiled
    def divide(left, right):
        return left / right

    assert divide(1.0, 0.0) == float("inf")


@pytest.mark.parametrize("edited", ["inner", "outer"])
def test_a_kept_kernel_goes_stale_with_the_functions_compiled_into_it(tmp_path, edited):
    inner = textwrap.dedent(
        """
        from flasheval.scores.ranking.jit import compiled

        @compiled
        def inner(x):
            return x + 1
        """
    )
    outer = textwrap.dedent(
        """
        from flasheval.scores.ranking.jit import compiled
        from inner import inner

        @compiled
        def outer(x):
            return 10 * inner(x)
        """
    )
    (tmp_path / "inner.py").write_text(inner)
    (tmp_path / "outer.py").write_text(outer)
    program = "import outer; print(outer.outer(1), sum(outer.outer.stats.cache_hits.values()))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}

    def run():
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True)

    assert run().stdout.split() == ["20", "0"]
    assert run().stdout.split() == ["20", "1"]
    path = tmp_path / f"{edited}.py"
    path.write_text(path.read_text().replace("x + 1", "x + 2").replace("10 *", "100 *"))
    assert run().stdout.split() == ["30" if edited == "inner" else "200", "0"]


def test_importing_the_package_does_not_import_numba():
    program = "import sys, flasheval; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_progress_says_that_kernels_are_being_compiled(monkeypatch):
    lines, report = [], ProgressBar(StringIO())
    monkeypatch.setattr("flasheval.base.progress._WORTH_SAYING", -1.0)

    @event_while_compiling(lambda: lines.append(report.line()))
    def compile_one():
        @compiled
        def triple(value):
            return 3 * value

        assert triple(2) == 6

    compile_one()
    assert any(line.startswith("compiling the kernels, once: ") for line in lines)
    assert report.line().startswith("starting: ")


def event_while_compiling(look):
    """Call `look` whenever numba ends a compilation, before the progress hears of it."""

    class Looking(event.Listener):
        def on_start(self, event):
            pass

        def on_end(self, event):
            look()

    def decorate(function):
        def run():
            mine = Looking()
            event._registered["numba:compile"].insert(0, mine)
            try:
                function()
            finally:
                event._registered["numba:compile"].remove(mine)

        return run

    return decorate


KERNEL = """
from flasheval.base.progress import ProgressBar
from flasheval.scores.ranking.jit import compiled

@compiled
def thrice(x):
    return 3 * x
"""


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_kernels_of_a_read_only_folder_are_kept_in_the_users_cache(tmp_path):
    package, home = tmp_path / "package", tmp_path / "home"
    package.mkdir()
    home.mkdir()
    (package / "kernels.py").write_text(KERNEL)
    program = (
        # The superuser may write everywhere, so the check numba makes is told what others find.
        "import os, tempfile\n"
        "from pathlib import Path\n"
        f"package = Path({str(package)!r})\n"
        "real = tempfile.TemporaryFile\n"
        "def refuse(*args, dir=None, **more):\n"
        "    if dir is not None and package in [Path(dir), *Path(dir).parents]:\n"
        "        raise PermissionError(dir)\n"
        "    return real(*args, dir=dir, **more)\n"
        "tempfile.TemporaryFile = refuse\n"
        "import kernels\n"
        "print(kernels.thrice(2), sum(kernels.thrice.stats.cache_hits.values()))\n"
        "print(kernels.thrice.stats.cache_path)\n"
    )
    package.chmod(0o555)
    environment = {
        **{key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"},
        "PYTHONPATH": os.pathsep.join([str(package), *sys.path]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
    }

    def run():
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return done.stdout.splitlines()

    try:
        first, second = run(), run()
    finally:
        package.chmod(0o755)
    assert (first[0], second[0]) == ("6 0", "6 1")
    assert Path(first[1]).is_relative_to(home)
    assert [path.name for path in package.rglob("*") if path.is_file()] == ["kernels.py"]

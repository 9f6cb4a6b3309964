import os
import subprocess
import sys
import textwrap

import pytest

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

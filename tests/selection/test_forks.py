"""Worker processes after a search, however they are started: none of them hangs."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "scripts" / "stress" / "fork_after_search.py"

SEARCHED = """
import multiprocessing, os, sys
import numpy as np
import flasheval
from flasheval.base.threads import crew
from flasheval.scores.ranking import kendall_tau_b_many
from flasheval.scores.synthetic import synthetic_scores

def numbers(seed):
    scores = np.random.default_rng(seed).normal(size=(10_000, 12))
    with crew(2):
        return float(kendall_tau_b_many(scores, np.arange(12.0)).sum())

def searched():
    table = synthetic_scores(n_variants=24, n_prompts=200)
    with crew(2):
        for method in ("frequency", "anneal", "pooled"):
            flasheval.search(
                table, size=8, method=method, splits="random:2", draws=10, progress=False
            )
    return [numbers(seed) for seed in range(4)]
"""


def _run(tmp_path, program):
    """Run a program after SEARCHED, in a process of its own so that a hang is an error."""
    file = tmp_path / "after_search.py"
    file.write_text(SEARCHED + textwrap.dedent(program))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, str(file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,  # kernels may have to be compiled
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_calls_kernels(tmp_path):
    program = """
        expected = searched()
        child = os.fork()
        if child == 0:
            os._exit(0 if [numbers(seed) for seed in range(4)] == expected else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert _run(tmp_path, program) == ["0"]


@pytest.mark.parametrize("how", ["fork", "spawn", "forkserver"])
def test_a_pool_calls_kernels(tmp_path, how):
    program = f"""
        if __name__ == "__main__":
            if {how!r} not in multiprocessing.get_all_start_methods():
                print(True)
                sys.exit()
            expected = searched()
            with multiprocessing.get_context({how!r}).Pool(2) as pool:
                print(pool.map_async(numbers, range(4)).get(100) == expected)
    """
    assert _run(tmp_path, program) == ["True"]


def test_a_pool_whose_children_search(tmp_path):
    program = """
        if __name__ == "__main__":
            expected = searched()
            with multiprocessing.Pool(2) as pool:
                found = [pool.apply_async(searched) for _ in range(2)]
                print([one.get(100) for one in found] == [expected] * 2)
    """
    assert _run(tmp_path, program) == ["True"]


def test_workers_of_a_data_loader(tmp_path):
    pytest.importorskip("torch")
    program = """
        if __name__ == "__main__":
            import torch
            torch.set_num_threads(1)

            class Sums(torch.utils.data.Dataset):
                def __len__(self):
                    return 4
                def __getitem__(self, seed):
                    return torch.tensor(numbers(seed), dtype=torch.float64)

            expected = searched()
            for _ in range(2):
                loader = torch.utils.data.DataLoader(
                    Sums(), batch_size=2, num_workers=2, timeout=100
                )
                print([float(one) for batch in loader for one in batch] == expected)
    """
    assert _run(tmp_path, program) == ["True", "True"]


def test_workers_of_xdist(tmp_path):
    pytest.importorskip("xdist")
    tests = SEARCHED + textwrap.dedent(
        """
        import pytest

        @pytest.mark.parametrize("number", range(2))
        def test_search_and_fork(number):
            expected = searched()
            with multiprocessing.Pool(2) as pool:
                assert pool.map_async(numbers, range(4)).get(100) == expected
        """
    )
    (tmp_path / "test_many.py").write_text(tests)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "test_many.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_hundred_forks_after_a_search():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "100"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("100 forks after a search in ")
    assert done.stdout.endswith(", 0 of them bad\n")

"""A small population whose images are drawn by a Python function, and the command that runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

__all__ = ["Ended", "World", "make_world"]

_ROOT = Path(__file__).resolve().parents[3]
_CHUNK = 4
_WITHIN = 120.0  # seconds any one command may take

# Every drawing adds a line to a file, which is how work done twice is counted. One image in each
# unit of the last variant is faulty: faults must survive like scores.
_DRAW = '''\
"""Draws images for flasheval's torture of runs, and scores them."""

import os
import time

import numpy as np


def draw(variant, prompts, seeds):
    with open(os.environ["TORTURE_CALLS"], "a") as calls:
        calls.write(f"{variant} {'+'.join(prompts)}\\n")
    time.sleep(0.01)
    images = [np.random.default_rng(seed).random((16, 16, 3), "f4") for seed in seeds]
    return [variant / 9 + image * (1 - variant / 9) for image in images]


def mean(images, prompts):
    return [float(np.asarray(image).mean()) for image in images]


def spread(images, prompts):
    return [np.asarray(image, "f4").std() / len(text) for image, text in zip(images, prompts)]


'''
_VARIANT = """\
def v{0}(prompts, seeds):
    return draw({0}, prompts, seeds)


"""
_FAULTY = """\
def v{0}(prompts, seeds):
    return [*draw({0}, prompts, seeds)[1:], None]
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, what it printed and what it complained of."""

    code: int
    said: str
    complaint: str

    def mistakes(self, codes: tuple[int, ...] = (0,)) -> list[str]:
        """Return what is wrong with it: another exit code, or not one readable line of error."""
        lines = self.complaint.strip().splitlines()
        if self.code not in codes:
            return [f"exit code {self.code}: {' / '.join(lines)[-300:]}"]
        if self.code and (len(lines) != 1 or not lines[0].startswith("flasheval: error: ")):
            return [f"not one line of error: {' / '.join(lines)[-300:]}"]
        if "Traceback" in self.said + self.complaint:
            return ["a traceback"]
        return []


@dataclass(frozen=True)
class World:
    """A folder with a population, prompts and the reference run.

    Attributes:
        folder: The folder.
        variants: How many variants.
        chunks: How many chunks of prompts.
        images: Images of each prompt.

    """

    folder: Path
    variants: int
    chunks: int
    images: int = 1

    @property
    def n_units(self) -> int:
        """The number of units."""
        return self.variants * self.chunks * self.images

    @property
    def reference(self) -> Path:
        """The run that nothing disturbed."""
        return self.folder / "reference"

    @cached_property
    def seconds(self) -> float:
        """How long the undisturbed command takes, from its start."""
        begun = time.monotonic()
        ended = self.finish(self.reference)
        if ended.mistakes():
            raise SystemExit(f"torture: the undisturbed run failed: {ended.mistakes()}")
        return time.monotonic() - begun

    def start(self, run: Path, *words: str) -> subprocess.Popen[bytes]:
        """Start the command on a run folder and return its process."""
        return self._popen(run, words, subprocess.DEVNULL)

    def finish(self, run: Path, *words: str, most: int | None = None) -> Ended:
        """Run the command to its end; no file it writes may have more than ``most`` bytes."""
        process = self._popen(run, words, subprocess.PIPE, most)
        said, complaint = process.communicate(timeout=_WITHIN)
        return Ended(process.returncode, said.decode(), complaint.decode())

    def calls(self, run: Path) -> Counter[str]:
        """Return how often each unit of a run was drawn."""
        path = _calls(run)
        return Counter(path.read_text("utf-8").splitlines() if path.exists() else ())

    def _popen(
        self, run: Path, words: tuple[str, ...], out: int, most: int | None = None
    ) -> subprocess.Popen[bytes]:
        command = [
            *(sys.executable, "-m", "flasheval", "run", "population=population.yaml"),
            *("prompts=prompts.txt", f"out={run.relative_to(self.folder)}", "device=cpu"),
            *("seed=7", f"images_per_prompt={self.images}", f"chunk={_CHUNK}"),
            *(f"batch={_CHUNK * self.images}", "keep_images=true"),
            "scorers=[{name:function,function:'draw.py:mean'},"
            "{name:function,function:'draw.py:spread',higher_is_better:false}]",
            *words,
        ]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(_ROOT), *_python_path()]),
            "TORTURE_CALLS": str(_calls(run)),
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
        }

        def limit() -> None:
            if most is not None:
                import resource

                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        return subprocess.Popen(  # noqa: S603
            command,
            cwd=self.folder,
            env=environment,
            stdout=out,
            stderr=out,
            preexec_fn=None if most is None else limit,
        )


def make_world(folder: Path, variants: int, chunks: int, images: int = 1) -> World:
    """Write drawing functions, population and prompts into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [_VARIANT.format(i) for i in range(variants - 1)]
    (folder / "draw.py").write_text(_DRAW + "".join(parts) + _FAULTY.format(variants - 1), "utf-8")
    entries = [{"name": f"v{i}", "function": f"draw.py:v{i}"} for i in range(variants)]
    population = {"settings": {"generator": "function", "family": "toy"}, "variants": entries}
    (folder / "population.yaml").write_text(json.dumps(population), "utf-8")
    prompts = [f"thing number {i}" for i in range(chunks * _CHUNK)]
    (folder / "prompts.txt").write_text("\n".join(prompts) + "\n", "utf-8")
    return World(folder, variants, chunks, images)


def _calls(run: Path) -> Path:
    return run.with_name(f"{run.name}.calls")


def _python_path() -> list[str]:
    return [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]

"""One small command line for every verb that writes, and a folder with all that they read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import flasheval
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet, save_prompts
from torture.world import Ended

__all__ = ["Bench", "Command", "commands", "make_bench"]

_ROOT = Path(__file__).resolve().parents[3]
_WITHIN = 180.0
_LONG = 200  # letters that no file's name can have beside a verb's
_VARIANTS, _PROMPTS = 24, 60

_MINE = '''\
"""Draws and scores images without any model."""

import numpy as np


def draw(prompts, seeds):
    return [np.random.default_rng(seed).random((12, 12, 3), "f4") for seed in seeds]


def pale(prompts, seeds):
    return [0.5 + image / 2 for image in draw(prompts, seeds)]


def light(images, prompts):
    return [float(np.asarray(image).mean()) / 255 for image in images]


def load(path):
    value = float(path.read_text())
    return lambda prompts, seeds: [value * image for image in draw(prompts, seeds)]
'''
_LIGHT = "scorers=[{name:function,function:mine.py:light,metric_name:light}]"


@dataclass(frozen=True)
class Command:
    """A verb with its words, and where it writes.

    Attributes:
        name: What it is called here.
        words: The words; ``OUT`` stands for what it writes to.
        suffix: Of a file that it writes; empty for a folder.
        start: A folder that it goes on from, copied to where it writes.

    """

    name: str
    words: tuple[str, ...]
    suffix: str = ""
    start: str = ""

    def out(self, name: str) -> str:
        """Return where it writes, below the bench."""
        return f"{self.name}-{name}{self.suffix}"


def commands() -> tuple[Command, ...]:
    """Return a command for every verb that writes (`run` has a torture of its own)."""
    population = ("population=population.yaml", "prompts=prompts.parquet", "device=cpu", "chunk=8")
    few = ("size=8", "draws=30", "splits=random:3")
    return (
        Command("search", ("search", "scores=table", "method=pooled", *few, "out=OUT")),
        Command(
            "validate", ("validate", "scores=table", "methods=[pooled,random]", *few, "out=OUT")
        ),
        Command("rank", ("rank", "scores=table", "draws=300", "by=kind", "out=OUT")),
        Command("import", ("import", "wide", "source=light.csv", "out=OUT")),
        Command("report", ("report", "searched", "out=OUT"), ".html"),
        Command("export", ("subsets", "export", "subset.json", "format=csv", "out=OUT"), ".csv"),
        Command("publish", ("publish", "subset.json", "license=cc0-1.0", "out=OUT")),
        Command("audit", ("audit", "subset.json", "scores=later", "out=OUT"), ".json"),
        Command(
            "evaluate",
            (
                *("evaluate", "subset=subset.json", "generator=function", "function=mine.py:draw"),
                *("name=mine", _LIGHT, "device=cpu", "out=OUT"),
            ),
            ".json",
        ),
        Command("generate", ("generate", *population, "out=OUT")),
        Command(
            "score", ("score", *population, "image_store=folder", _LIGHT, "out=OUT"), start="kept"
        ),
        Command(
            "watch",
            (
                *("watch", "training", "subset=subset.json", _LIGHT, "device=cpu", "settle=0"),
                *("loader=mine.py:load", "pattern=*.ckpt", "once=true", "out=OUT"),
            ),
        ),
        Command(
            "distance",
            (
                *("distance", "images={draw: images/draw}", "reference=images/pale", "draws=20"),
                *("extractor=scorer", "device=cpu", "out=OUT"),
                "extractor.scorer={name: clip, checkpoint: 'miniature:clip'}",
            ),
        ),
    )


@dataclass(frozen=True)
class Bench:
    """A folder with scores, prompts, a subset, reports, images and checkpoints."""

    folder: Path

    def start(
        self, command: Command, name: str, *, limits: dict[str, int] | None = None, **more: str
    ) -> subprocess.Popen[bytes]:
        """Start a command that writes to a place of this name."""
        out = command.out(name)
        place = self.folder / out
        if command.start and len(name) < _LONG and not place.exists():
            shutil.copytree(self.folder / command.start, place)
        words = [word.replace("OUT", out) for word in command.words]
        environment = {
            **os.environ,
            "PYTHONPATH": str(_ROOT),
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
            **more,
        }
        if more.get("HOME") == "":
            environment = {
                key: value
                for key, value in environment.items()
                if key != "HOME" and not key.startswith("XDG_")
            }

        def limit() -> None:
            import resource

            for key, value in (limits or {}).items():
                resource.setrlimit(getattr(resource, f"RLIMIT_{key}"), (value, value))

        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "flasheval", *words],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=limit if limits else None,
        )

    def finish(self, command: Command, name: str, **given: Any) -> Ended:
        """Run a command to its end."""
        return ended(self.start(command, name, **given))

    def seconds(self, command: Command) -> float:
        """Run a command undisturbed, and return how long it takes."""
        begun = time.monotonic()
        mistakes = self.finish(command, "reference").mistakes()
        if mistakes:
            raise SystemExit(f"torture: {command.name}, undisturbed, failed: {mistakes}")
        return time.monotonic() - begun

    def path(self, command: Command, name: str) -> Path:
        """Return what a command writes under a name."""
        return self.folder / command.out(name)


def ended(process: subprocess.Popen[bytes]) -> Ended:
    """Wait for a command and return how it ended."""
    said, complaint = process.communicate(timeout=_WITHIN)
    return Ended(process.returncode, said.decode(), _errors(complaint.decode()))


def _errors(complaint: str) -> str:
    """Return the lines of a command's complaint without its warnings."""
    return "\n".join(
        line for line in complaint.splitlines() if not line.startswith("flasheval: warning: ")
    )


def make_bench(folder: Path) -> Bench:
    """Write all that the commands read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.py").write_text(_MINE)
    ids = tuple(f"p{place}" for place in range(_PROMPTS))
    kinds = tuple("abc"[place % 3] for place in range(_PROMPTS))
    prompts = PromptSet("things", ids, tuple(f"{one} things" for one in ids), None, {"kind": kinds})
    save_prompts(prompts.take(range(16)), folder / "prompts.parquet")
    rng = np.random.default_rng(0)
    names = tuple(f"v{row}" for row in range(_VARIANTS))
    values = rng.normal(size=(_VARIANTS, 1)) + rng.normal(size=(_VARIANTS, _PROMPTS))
    matrix = flasheval.ScoreMatrix("light", values.astype(np.float32), names, ids)
    later = flasheval.ScoreTable(prompts, tuple(map(Variant, names)), {"light": matrix})
    later.save(folder / "later")
    table = later.with_variants(names[:16])
    table.save(folder / "table")
    rows = [",".join(["prompt_id", *names])]
    rows += [",".join([one, *map(str, column)]) for one, column in zip(ids, values.T, strict=True)]
    (folder / "light.csv").write_text("\n".join(rows))
    found = flasheval.search(table, size=8, method="pooled", draws=30, splits="random:3")
    found.subset.save(folder / "subset.json")
    variants = [
        {"name": name, "generator": "function", "function": f"mine.py:{name}"}
        for name in ("draw", "pale")
    ]
    (folder / "population.yaml").write_text(f"variants: {variants}")
    (folder / "training").mkdir()
    for step in (10, 20, 30):
        (folder / "training" / f"step={step}.ckpt").write_text(str(0.2 + step / 100))
    bench = Bench(folder)
    kept = Command("kept", (*commands()[9].words, "image_store=folder"))
    for made in (kept, commands()[0]):
        mistakes = bench.finish(made, "0").mistakes()
        if mistakes:
            raise SystemExit(f"torture: what the commands read cannot be made: {mistakes}")
    bench.path(kept, "0").rename(folder / "kept")
    bench.path(commands()[0], "0").rename(folder / "searched")
    for name in ("draw", "pale"):
        pictures = [path for path in (folder / "kept").rglob("*.png") if name in path.parts]
        (folder / "images" / name).mkdir(parents=True)
        for path in pictures:
            shutil.copyfile(path, folder / "images" / name / path.name)
    return bench

"""Each kind of file that people hand around: one almost right, and what is done with it."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import flasheval
from flasheval.base.canonical import sha256_of
from flasheval.base.drawing.markdown import markdown
from flasheval.base.drawing.terminal import as_text
from flasheval.base.errors import FlashevalError
from flasheval.base.json_data import from_plain
from flasheval.base.resources import bundled
from flasheval.evaluation.report import MetricScores, Report
from flasheval.generators.populations.sources import read_population
from flasheval.prompts import load_prompts
from flasheval.runs.status.run_status import read_status
from flasheval.scores.importers.by_shape import read_scores
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.report import ValidationReport
from flasheval.subset import Subset
from flasheval.subset.exports.registry import export
from flasheval.subset.library import find_subset
from flasheval.subset.library.verifying import verify
from flasheval.subset.manifest import content_hash, record_hash
from flasheval.subset.upload.card import card
from fuzzing.mutating import json_text, mutated_data, mutated_text

__all__ = ["Kind", "kinds"]

Kind = Callable[[random.Random], None]
"""Makes one input in the scratch folder and uses it; raises what flasheval raises."""

_ENVELOPE = ("format", "schema_version", "content_hash", "record_hash")
_DRAW = """
import numpy as np

def draw(prompts, seeds):
    return [np.random.default_rng(seed).random((8, 8, 3)) for seed in seeds]

def mean(images, prompts):
    return [float(np.asarray(image).mean()) for image in images]
"""
_POPULATION = {
    "name": "mine",
    "settings": {"generator": "function"},
    "base_models": {"a": {"function": "draw.py:draw"}, "b": {"function": "draw.py:draw"}},
    "grid": [{"base_model": ["a", "b"], "factors": {"steps": 10}}],
    "exclude": [{"base_model": "b"}],
    "variants": [
        {"name": "c", "base_model": "b", "function": "draw.py:draw", "factors": {"steps": 5}}
    ],
    "label": "{base_model}-x",
}
_TEXTS: Mapping[str, str] = {
    "prompts.csv": 'id,prompt,category\n1,"a cat, in",animals\n2,a dog,animals\n3,a cup,cups\n',
    "prompts.tsv": "prompt\tskill\na cat\tone\na dog\ttwo\n",
    "prompts.jsonl": '{"id": 1, "text": "a cat", "tags": ["x"]}\n{"id": 2, "text": "a dog"}\n',
    "prompts.json": '[{"id": "a", "prompt": "a cat"}, {"id": "b", "prompt": "a dog"}]',
    "map.json": '{"1": "a cat", "2": "a dog"}',
    "coco.json": '{"annotations": [{"id": 7, "image_id": 3, "caption": "a cat"}], "images": []}',
    "prompts.txt": "a cat\na dog\na bird\n",
}
_SCORES: Mapping[str, str] = {
    "long.csv": "variant,prompt_id,metric,score\n"
    + "".join(f"m{v},p{p},clip,0.{v}{p}\n" for v in range(3) for p in range(4)),
    "wide.csv": "prompt_id,a,b,c\n" + "".join(f"p{p},0.1{p},0.2{p},0.3\n" for p in range(5)),
    "turned.csv": "model,p1,p2,p3\na,0.1,0.2,0.3\nb,0.4,0.5,0.6\n",
    "metrics.csv": "model;steps;prompt;clip;hps\n"
    + "".join(f"a;{s};p{p};0,{s}{p};0,3\n" for s in (1, 2) for p in range(3)),
    "long.jsonl": "".join(
        f'{{"model": "m{v}", "prompt": "p{p}", "clip": 0.{v}{p}}}\n' for v in (1, 2) for p in (1, 2)
    ),
    "nested.json": '{"a": {"clip": {"p1": 0.1, "p2": 0.2}}, "b": {"clip": {"p1": 0.3, "p2": 0.4}}}',
    "records.json": '[{"model": "a", "id": 1, "score": 0.5}, {"model": "b", "id": 1, "score": 1}]',
    "vbench_eval_results.json": '{"scene": [0.5, [{"video_path": "a-0.mp4", "video_results": 1}]]}',
    "results.jsonl": '{"filename": "a/0/samples/0.png", "tag": "colors", "prompt": "a cat", '
    '"correct": true, "reason": ""}\n',
    "ratings.csv": "model,prompt,image,seed,score\na,x,1.png,0,1\na,x,2.png,1,2\nb,x,1.png,0,3\n",
}


def kinds(scratch: Path, corpus: Path | None = None) -> dict[str, Kind]:
    """Return each kind of input by its name.

    Args:
        scratch: An empty folder to write in.
        corpus: A folder of further files of scores and prompts to change.

    """
    (scratch / "draw.py").write_text(_DRAW)
    whole = _rich_manifest()
    manifests = [whole, *(json.loads(path.read_text()) for path in _small(bundled().values()))]
    report = _report(Subset.from_dict(whole)).to_dict()
    run, seeds = _run_folder(scratch), _corpus(corpus)
    validation = _validation(scratch)
    folder = scratch / "input"

    def fresh(name: str) -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder / name

    def manifest(rng: random.Random) -> None:
        path = fresh("a.json")
        path.write_text(json_text(_rehashed(mutated_data(rng.choice(manifests), rng))))
        _use(path)

    def evaluation(rng: random.Random) -> None:
        path = fresh("r.json")
        data = mutated_data(report, rng)
        if isinstance(data.get("subset"), dict):
            data["subset"] = _rehashed(data["subset"])
        path.write_text(json_text(data))
        _use_report(Report.load(path))

    def population(rng: random.Random) -> None:
        path = fresh("p.yaml")
        if rng.random() < 0.6:
            path.write_text(json_text(mutated_data(_POPULATION, rng)))  # JSON is YAML
        else:
            import yaml

            path.write_bytes(mutated_text(yaml.safe_dump(_POPULATION), rng))
        read_population(path)

    def prompts(rng: random.Random) -> None:
        name, text = rng.choice([*_TEXTS.items(), *seeds])
        load_prompts(_written(fresh(name), text, rng))

    def scores(rng: random.Random) -> None:
        name, text = rng.choice([*_SCORES.items(), *seeds])
        path = _written(fresh(name), text, rng)
        table = read_scores(path if rng.random() < 0.7 else path.parent).table
        for metric in table.metrics:
            table[metric].full_means.tolist()

    def run_record(rng: random.Random) -> None:
        path = rng.choice(run)
        before = path.read_bytes()
        try:
            data = json.loads(before)
            checked = isinstance(data, dict) and data.pop("check", None) is not None
            data = mutated_data(data, rng)
            if checked and isinstance(data, dict):
                try:
                    data["check"] = sha256_of(data, digits=17)
                except FlashevalError:
                    data["check"] = ""
            path.write_text(json_text(data))
            read_status(scratch / "r", check=rng.random() < 0.2)
        finally:
            path.write_bytes(before)

    def comparison(rng: random.Random) -> None:
        path, text = validation
        try:
            path.write_text(json_text(mutated_data(json.loads(text), rng)))
            found = ValidationReport.load(path.parent)
            as_text(found.view())
        finally:
            path.write_text(text)

    return {
        one.__name__: one
        for one in (manifest, evaluation, population, prompts, scores, run_record, comparison)
    }


def _use(path: Path) -> None:
    """Do with a manifest what verbs do."""
    verdict = verify(path, {})
    if any("\n" in fault for fault in verdict.faults):
        raise ValueError("a fault of more than one line")
    subset = Subset.load(path)
    as_text(subset.view(), str(subset))
    markdown(subset.view())
    find_subset(path)
    _allowing(lambda: subset.prefix(1))
    _allowing(lambda: card([subset]))
    for form in ("csv", "jsonl", "text", "kohya"):
        _allowing(partial(export, subset, form))
    _use_report(_report(subset))


def _use_report(report: Report) -> None:
    as_text(report.view())
    _allowing(report.predict)
    _allowing(report.place)
    _allowing(report.scalars)
    _allowing(lambda: as_text(flasheval.compare(report, report).view()))


def _allowing(use: Callable[[], Any]) -> None:
    """Do one thing of several; that it cannot be done is an answer too."""
    try:
        use()
    except FlashevalError as error:
        if "\n" in str(error):
            raise ValueError("a message of more than one line") from error


def _report(subset: Subset) -> Report:
    """Return a report of scores in the middle of what the subset is calibrated for."""
    calibration = subset.record.calibration
    parts = {}
    for metric in subset.metrics:
        part = None if calibration is None else calibration.metrics.get(metric.name)
        middle = 0.5 if part is None else part.subset_mean
        scores = tuple(middle + (i % 3 - 1) * 1e-6 for i in range(subset.size))
        parts[metric.name] = MetricScores("1", metric.higher_is_better, scores)
    return Report(subset, 0, parts)


def _rehashed(data: Any) -> Any:
    """Return a manifest with hashes that fit, where it can be read at all."""
    body = {key: value for key, value in data.items() if key not in _ENVELOPE}
    try:
        subset = from_plain(Subset, json.loads(json_text(body)))
        hashes = {"content_hash": content_hash(subset), "record_hash": record_hash(subset)}
    except (FlashevalError, ValueError, RecursionError):
        return data  # reading the file must say so too
    return {**data, **{key: hashes[key] for key in hashes if key in data}}


def _rich_manifest() -> dict[str, Any]:
    """Return a manifest that has every part: evidence of both kinds, looks, texts, sources."""
    table = synthetic_scores(24, 40)
    found = flasheval.search(
        table,
        method="balanced",
        nested=[3, 6],
        splits="random:2",
        curve=None,
        draws=10,
        calibrate=True,
        progress=False,
    )
    subset = found.subset
    record = replace(subset.record, further_evidence=(subset.record.evidence,), notes=("a note",))
    prompts = tuple(
        replace(one, text=f"text {one.id}", text_hash=None, sources={"image_name": f"{one.id}.png"})
        for one in subset.prompts
    )
    data: dict[str, Any] = replace(subset, prompts=prompts, record=record).to_dict()
    return json.loads(json.dumps(data))  # type: ignore[no-any-return]


def _small(paths: Sequence[Path] | Any) -> list[Path]:
    return [path for path in paths if path.stat().st_size < 30_000][:6]


def _run_folder(scratch: Path) -> list[Path]:
    """Make a small run, and return the files of JSON in it."""
    (scratch / "prompts.txt").write_text("".join(f"thing {i}\n" for i in range(4)))
    draw = {"generator": "function", "function": f"{scratch}/draw.py:draw"}
    flasheval.run(
        {"variants": [{"name": name, **draw} for name in "ab"]},
        scratch / "prompts.txt",
        [{"name": "function", "function": f"{scratch}/draw.py:mean"}],
        out=scratch / "r",
        device="cpu",
        progress=False,
    )
    return sorted((scratch / "r").rglob("*.json"))


def _validation(scratch: Path) -> tuple[Path, str]:
    found = flasheval.validate(
        synthetic_scores(8, 30),
        size=[4],
        methods=["random"],
        splits=["random:2"],
        draws=5,
        progress=False,
    )
    found.save(scratch / "v")
    (path,) = (scratch / "v").glob("*.json")
    return path, path.read_text()


def _corpus(folder: Path | None) -> list[tuple[str, str]]:
    found = []
    for path in sorted(folder.rglob("*")) if folder else []:
        if path.is_file() and path.stat().st_size < 200_000:
            try:
                found.append((path.name, path.read_text("utf-8")))
            except UnicodeDecodeError:
                continue
    return found


def _written(path: Path, text: str, rng: random.Random) -> Path:
    """Write a text changed, as data where it is JSON and as text, either as often."""
    if path.suffix == ".json" and rng.random() < 0.5:
        try:
            path.write_text(json_text(mutated_data(json.loads(text), rng)))
            return path
        except ValueError:
            pass
    path.write_bytes(mutated_text(text, rng))
    return path

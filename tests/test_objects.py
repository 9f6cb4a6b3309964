"""Every public result shows itself, and nothing within one has a repr of megabytes."""

import ast
import inspect
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import flasheval
from flasheval.base.drawing.shown import ENVELOPE, Shown
from flasheval.evaluation import MetricScores
from flasheval.evaluation.full_board import rank_reports
from flasheval.evaluation.report import Report
from flasheval.evaluation.watching.leaderboard import make_leaderboard
from flasheval.runs.doctor.checks import Check
from flasheval.runs.doctor.diagnosis import Diagnosis
from flasheval.runs.run import RunResult
from flasheval.runs.status.run_status import RunStatus, VariantStatus
from flasheval.scores.synthetic import synthetic_scores
from flasheval.scores.votes import votes_from_scores
from flasheval.set_metrics.comparison import SetComparison, VariantDistance

NAMES = ("<script>x</script>", "a & b", "[red]c[/red]", "$d$", 'e" f')
WITHOUT = {"CheckpointMonitor", "FlashevalError"}  # of the public classes, what is no result


@pytest.fixture(scope="module")
def results() -> list[Shown]:
    """Return one of each, of variants with the oddest names."""
    table = synthetic_scores(24, 150)
    names = [*NAMES, *(f"variant {n} {'x' * 40}" for n in range(len(NAMES), 24))]
    scores = flasheval.ScoreTable.from_arrays(
        {name: table[name].values for name in table.metrics}, variants=names, prompts=table.prompts
    )
    found = flasheval.search(scores, size=10, method="balanced", splits="random:3", draws=10)
    report = flasheval.validate(
        scores, size=10, methods=["balanced"], splits="random:3", draws=10, metric="quality"
    )
    subset = found.subset
    reports = [
        Report(
            subset,
            0,
            {metric: MetricScores("1", True, (mean,) * 10) for metric in scores.metrics},
            name,
        )
        for name, mean in ((NAMES[0], 0.5), (NAMES[1], 0.4))
    ]
    votes = votes_from_scores(scores.with_variants(range(3)), "quality")
    distances = (VariantDistance(NAMES[0], 40, 0.1, None, None, 0.01),)
    return [
        *(scores, scores["quality"], scores.prompts, scores.variants[0], found, report, subset),
        *(reports[0], flasheval.compare(*reports), rank_reports(reports)),
        *(flasheval.rank(scores, draws=50), votes, votes.rank(draws=50)),
        make_leaderboard(reports, metric="quality"),
        flasheval.audit(
            subset,
            flasheval.ScoreTable.from_arrays(
                {name: table[name].values[:6] for name in table.metrics},
                variants=[f"new {n}" for n in range(6)],
                prompts=table.prompts,
            ),
            draws=10,
        ),
        RunResult(Path("run"), scores, (), {(NAMES[0], "1"): "no image"}),
        RunStatus(Path("run"), None, 2, (VariantStatus(NAMES[0], 2, 1, 0.5),)),
        Diagnosis((Check("prompts", "2"), Check(NAMES[0], "no GPU", ok=False))),
        SetComparison("Frechet CLIP", NAMES[1], distances, ()),
    ]


def test_every_public_class_shows_itself(results: list[Shown]) -> None:
    public = {name for name in flasheval.__all__ if inspect.isclass(getattr(flasheval, name))}
    assert {name for name in public if issubclass(getattr(flasheval, name), Shown)} == (
        public - WITHOUT
    )
    assert public - WITHOUT <= {type(one).__name__ for one in results}


def test_no_class_of_ours_undoes_the_short_line() -> None:
    found = 0
    for path in Path(flasheval.__file__).parent.rglob("*.py"):
        text = path.read_text("utf-8")
        for tree in ast.walk(ast.parse(text)) if "Shown" in text or "Brief" in text else ():
            if not isinstance(tree, ast.ClassDef):
                continue
            if {"Shown", "Brief"} & {one.id for one in tree.bases if isinstance(one, ast.Name)}:
                found += 1
                told = ast.unparse(tree.decorator_list[-1]) if tree.decorator_list else ""
                assert told.startswith("dataclass("), f"{path}: {tree.name}"
                assert "repr=False" in told, f"{path}: {tree.name}"
    assert found > 50


def test_each_has_a_short_repr_plain_data_a_frame_and_html(results: list[Shown]) -> None:
    kinds = [one.kind for one in results]
    assert len(set(kinds)) == len(kinds)
    for one in results:
        assert len(repr(one)) <= 100, repr(one)
        assert repr(one).isprintable()
        data = one.to_dict()
        assert tuple(data)[:3] == ENVELOPE
        assert data["kind"] == one.kind
        assert data["headline"]
        assert json.loads(json.dumps(data, allow_nan=False)) == data
        assert list(one.to_dict()) == list(data)
        assert one.kind == "diagnosis" or len(one.to_pandas().columns)  # no model was timed
        assert one.view().headline in (str(one).splitlines()[0], "")
        assert "<script" not in one._repr_markdown_()


def test_no_record_within_a_result_has_a_long_repr(results: list[Shown]) -> None:
    seen: dict[type, int] = {}
    for one in results:
        _walk(one, seen)
    assert {kind.__name__: size for kind, size in seen.items() if size >= 200} == {}
    assert len(seen) > 40


def _walk(value: Any, seen: dict[type, int], depth: int = 0) -> None:
    if is_dataclass(value) and not isinstance(value, type):
        seen[type(value)] = max(seen.get(type(value), 0), len(repr(value)))
        if depth < 8:
            for field in fields(value):
                _walk(getattr(value, field.name), seen, depth + 1)
    elif isinstance(value, Mapping | list | tuple):
        items = list(value.values()) if isinstance(value, Mapping) else value
        for one in items[:3]:
            _walk(one, seen, depth + 1)


def test_what_ran_says_what_is_wrong(results: list[Shown]) -> None:
    shown = {one.kind: str(one) for one in results}
    assert "no score: 1 image: no image" in shown["run"]
    assert "<script>x</script>: no GPU" in shown["diagnosis"]
    assert shown["diagnosis"].startswith("1 problem\n")
    assert shown["distances"].splitlines()[2].split()[:3] == ["variant", "images", "frechet"]
    assert shown["run_status"].splitlines()[3].split()[:5] == [NAMES[0], "1", "of", "2", "50%"]


def test_names_are_text_in_html(results: list[Shown]) -> None:
    for one in results:
        if not one.view().figures:  # those have a test of their own
            assert "<script" not in one._repr_html_()
    assert "&lt;script&gt;x&lt;/script&gt;" in results[3]._repr_html_()

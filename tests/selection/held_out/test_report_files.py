import json
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

import flasheval
from flasheval.base.errors import DataError
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.report import ValidationReport


@pytest.fixture(scope="module")
def report():
    table = synthetic_scores(24, 300)
    return flasheval.validate(
        table,
        size=6,
        methods=["balanced", {"name": "stratified"}],
        splits={"halves": "random:8", "new": "group:scheduler"},
        cluster="scheduler",
        search_variants=[4],
        draws=5,
        reference="stratified",
        progress=False,
    )


def test_it_comes_back_as_it_was(report, tmp_path):
    assert report.save(tmp_path) == tmp_path
    assert {path.name for path in tmp_path.iterdir()} == {
        "validation.json",
        "cells.parquet",
        "random.parquet",
        "learning.parquet",
    }
    found = ValidationReport.load(tmp_path)
    assert found == report
    assert str(found) == str(report)
    bare = replace(report, learning=(), learning_cells=())
    bare.save(tmp_path)
    assert not (tmp_path / "learning.parquet").exists()
    assert ValidationReport.load(tmp_path) == bare


def test_nan_comes_back_as_nan(report, tmp_path):
    cells = (replace(report.cells[0], held_out_tau=float("nan")), *report.cells[1:])
    replace(report, cells=cells).save(tmp_path)
    assert np.isnan(ValidationReport.load(tmp_path).cells[0].held_out_tau)


def test_cells_open_elsewhere_as_they_are(report, tmp_path):
    report.save(tmp_path)
    frame = pd.read_parquet(tmp_path / "cells.parquet")
    assert len(frame) == len(report.cells)
    means = frame[frame.method == "balanced"].groupby("kind").held_out_tau.mean()
    expected = report.values(method="balanced", kind="new").mean()
    assert means["new"] == pytest.approx(expected)
    assert pl.read_parquet(tmp_path / "cells.parquet").height == len(report.cells)
    assert pl.read_parquet(tmp_path / "random.parquet").height == len(report.random)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "validation.json").unlink(), "does not exist"),
        (lambda folder: (folder / "validation.json").write_text("{}"), "not a validation report"),
        (lambda folder: (folder / "cells.parquet").unlink(), "does not exist"),
        (lambda folder: (folder / "cells.parquet").write_bytes(b"PAR1 no"), "not readable"),
    ],
)
def test_damage_is_one_line(report, tmp_path, damage, said):
    report.save(tmp_path)
    damage(tmp_path)
    with pytest.raises(DataError) as caught:
        ValidationReport.load(tmp_path)
    assert said in str(caught.value)


def test_another_version_or_key_is_told(report, tmp_path):
    path = report.save(tmp_path) / "validation.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "schema_version": 9}))
    with pytest.raises(DataError, match="schema version 9"):
        ValidationReport.load(tmp_path)
    path.write_text(json.dumps({**content, "sizess": [3]}))
    with pytest.raises(DataError, match="did you mean 'sizes'"):
        ValidationReport.load(tmp_path)


def test_what_a_report_does_not_hold_is_named(report):
    for wanted, said in (
        ({"kind": "halve"}, "no kind 'halve'; there are: halves, new; did you mean 'halves'"),
        ({"method": "shared"}, "no method 'shared'"),
        ({"size": 7}, "no size '7'; there are: 6"),
        ({"metric": "quality2"}, "did you mean 'quality'"),
    ):
        with pytest.raises(DataError) as caught:
            report.summary(**wanted)
        assert said in str(caught.value)
    with pytest.raises(DataError, match="no measure 'tau'"):
        report.values("tau")
    assert report.summary().method == "balanced"
    assert report.values("seconds", method="balanced").shape == (8,)


def test_a_report_of_no_sizes_is_refused(report, tmp_path):
    report.save(tmp_path)
    path = tmp_path / "validation.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sizes": []}))
    with pytest.raises(DataError, match=r"its sizes are \[\]; expected sizes of at least 1"):
        ValidationReport.load(tmp_path)

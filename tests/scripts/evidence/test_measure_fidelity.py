"""The replay of the two-metric monitor counts what it did rightly."""

import argparse
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import flasheval
from flasheval.generators.variants import Variant

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "evidence"
sys.path.insert(0, str(SCRIPTS))
try:
    measure = import_module("measure_fidelity")
finally:
    sys.path.remove(str(SCRIPTS))


@pytest.fixture(scope="module")
def series():
    """Four checkpoints: the first, one better and as faithful, the best but unfaithful, a worse."""
    table = flasheval.load_scores("miniature")
    first = table.variant_names.index("base-final/DPM10/guidance2.0/fp32")
    changes = {"Quality": (0.0, 0.1, 0.2, -0.1), "Composition": (0.0, 0.0, -0.2, 0.0)}
    rng = np.random.default_rng(0)

    def rows(metric, moved):
        start = table[metric].values[first]
        return [start + one + 0.01 * rng.normal(size=start.size) * bool(one) for one in moved]

    names = [f"step-{step:04d}" for step in (0, 10, 20, 30)]
    matrices = {
        metric: replace(table[metric], values=np.stack(rows(metric, moved)), variants=names)
        for metric, moved in changes.items()
    }
    return flasheval.ScoreTable(table.prompts, tuple(map(Variant, names)), matrices)


@pytest.fixture(scope="module")
def subset():
    return measure.searched("random", 1)


def test_a_limit_keeps_the_unfaithful_one_from_winning(series, subset):
    alone, limited = (measure.replay(subset, series, limit) for limit in (None, 0.02))
    assert (alone.picked, limited.picked) == (20, 10)
    assert alone.lost == pytest.approx(0.2, abs=0.002)
    assert limited.lost == pytest.approx(0.0, abs=1e-6)
    assert (alone.regret, limited.regret) == (0.0, 0.0)
    assert alone.too_much == (0, 0)
    assert limited.too_much == (0, 1)
    assert limited.covered[1] == 3
    assert limited.worse[0] == 0
    assert limited.stopped is None


def test_the_page_keeps_what_was_before_and_replaces_its_own_part(series, subset):
    found = {
        (kind, limit): [measure.replay(subset, series, limit)]
        for kind in measure.METHODS
        for limit in (*measure.LIMITS, None)
    }
    clip = replace(series["Quality"], metric="CLIP")
    whole = replace(series, matrices={**series.matrices, "CLIP": clip})
    said = measure.write(found, whole, argparse.Namespace(plot=None, page=None))
    assert said.startswith(measure.TITLE)
    assert "| 50 random prompts | 0.02 | 10 (10 to 10) | 0 of 1 |" in said
    once = measure.joined("# Before\n\ntext\n", said)
    assert once.startswith("# Before\n\ntext\n\n# Quality tuning")
    assert measure.joined(once, said) == once

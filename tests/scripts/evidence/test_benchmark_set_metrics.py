"""Both measurements run, and the two ways to the distance agree."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from flasheval.set_metrics.frechet import FrechetReference, frechet_distance

SCRIPT = Path(__file__).parents[3] / "scripts" / "evidence" / "benchmark_set_metrics.py"


@pytest.fixture(scope="module")
def script():
    pytest.importorskip("torch")
    return runpy.run_path(str(SCRIPT))


def test_the_plain_way_is_right(script):
    import torch

    rng = np.random.default_rng(0)
    features, real = script["spread_features"](60, 12, rng), script["spread_features"](90, 12, rng)
    reference = FrechetReference.of(real)
    sets = np.stack([rng.permutation(60)[:40] for _ in range(3)])
    found = script["newton_schulz_distances"](
        *(
            torch.from_numpy(np.asarray(one, dtype=np.float64))
            for one in (features, reference.mean)
        ),
        torch.from_numpy(np.cov(real.astype(np.float64), rowvar=False)),
        torch.from_numpy(sets),
    )
    expected = [frechet_distance(features[one], reference).value for one in sets]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4)


def test_a_small_form_gives_both_tables(script):
    options = script["argparse"].Namespace(
        widths=[24], sizes=[5, 40], search_sizes=[4], sets=20, splits=1
    )
    page = script["report"](options)
    rows = [line.split(" | ") for line in page.splitlines() if re.match(r"\| 24 ", line)]
    assert [row[1] for row in rows] == ["5", "40"]
    assert max(float(row[5]) for row in rows) < 1e-8
    assert re.search(r"\| 4 \| [\d.-]+ \| [\d.-]+ \| [\d.-]+ \|", page)

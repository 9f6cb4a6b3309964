"""The verb on the miniature: a subset of some of its models, audited by all of them."""

import numpy as np
import pytest

import flasheval
from flasheval.subset import Subset


@pytest.fixture
def searched(run, tmp_path):
    table = flasheval.load_scores("miniature").with_metrics(["CLIP"])
    order = np.random.default_rng(1).permutation(len(table))
    old = table.with_variants(sorted(table.variant_names[row] for row in order[:44]))
    found = flasheval.search(old, size=20, method="pooled", splits="random:4", draws=20)
    found.subset.save(tmp_path / "subset.json")
    return found.subset


def test_all_of_it(run, searched, tmp_path):
    ran = run("audit", "subset.json", "scores=miniature", "draws=50", "out=new.json")
    assert ran.code == 0, ran.err
    assert "intervals" in ran.out
    assert "20 variants are among its known ones now" in ran.out
    again = Subset.load(tmp_path / "new.json")
    assert again.content_hash == searched.content_hash
    assert len(again.record.known_variants) == 64


def test_mistakes(run, searched):
    run("audit").one_line("subset is missing")
    run("audit", "subset.json").one_line("scores is missing")
    run("audit", "subset.json", "scores=miniature", "out=new.txt").one_line("a name in .json")
    run("audit", "subset.json", "scores=miniature", "metric=CLIPP").one_line(
        "CLIPP", "did you mean"
    )

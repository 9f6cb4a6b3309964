import numpy as np
import pyarrow.parquet as pq
import pytest

from flasheval.base.errors import DataError
from flasheval.set_metrics import comparison
from flasheval.set_metrics.comparison import compare_sets
from flasheval.set_metrics.extrapolated import frechet_infinity
from flasheval.set_metrics.feature_sets import FeatureSets
from flasheval.set_metrics.frechet import frechet_distance
from flasheval.set_metrics.kid import kernel_distance
from flasheval.set_metrics.references import Reference


def _sets(counts=(60, 60, 60), width=4, ids=None):
    rng = np.random.default_rng(0)
    features = [0.5 * row + rng.normal(size=(count, width)) for row, count in enumerate(counts)]
    names = tuple(f"v{row}" for row in range(len(counts)))
    known = ids or tuple(tuple(f"p{n}" for n in range(count)) for count in counts)
    return FeatureSets(names, features, known, "toy", "1")


def _real(width=4, n=400):
    return Reference.of("real", np.random.default_rng(9).normal(size=(n, width)))


def test_numbers_are_those_of_the_functions():
    sets, real = _sets(), _real()
    found = compare_sets(sets, real, seed=5)
    assert [row.variant for row in found.distances] == ["v0", "v1", "v2"]
    assert (found.metric, found.reference, found.warnings) == ("Frechet toy", "real", ())
    for row, features in zip(found.distances, sets.features, strict=True):
        line = frechet_infinity(features, real.statistics, np.random.default_rng(5), smallest=6)
        assert row.frechet == frechet_distance(features, real.statistics).value
        assert (row.infinity, row.infinity_error) == (line.value, line.standard_error)
        assert row.kid == kernel_distance(features, real.features)
    assert compare_sets(sets, real, seed=5, threads=3) == found
    assert compare_sets(sets, real, extrapolate=False).distances[0].infinity is None


def test_a_variant_on_the_same_prompts_is_paired():
    sets = _sets()
    reference = Reference.of("v1", sets.features[1], sets.ids[1])
    found = compare_sets(sets, reference)
    assert {row.variant for row in found.distances} == {"v0", "v2"}
    assert {row.infinity for row in found.distances} == {None}
    kids = {row.variant: row.kid for row in found.distances}
    assert kids["v2"] == kernel_distance(sets.features[2], sets.features[1], paired=True)
    ids = (sets.ids[0], sets.ids[1], ("p1", *(f"q{n}" for n in range(59))))
    kids = {row.variant: row.kid for row in compare_sets(_sets(ids=ids), reference).distances}
    assert kids["v2"] is None  # some are pairs, some not
    with pytest.raises(DataError, match="v1 is the only variant"):
        compare_sets(FeatureSets(("v1",), sets.features[1:2], sets.ids[1:2], "toy", "1"), reference)


def test_many_images_are_looked_at_in_parts(monkeypatch):
    monkeypatch.setattr(comparison, "_WHOLE", 50)
    monkeypatch.setattr(comparison, "_PART", 25)
    sets = _sets()
    paired = Reference.of("v0", sets.features[0], sets.ids[0])
    for reference in (_real(), paired):
        some = {row.variant: row.kid for row in compare_sets(sets, reference).distances}
        whole = kernel_distance(
            sets.features[2], reference.features, paired=reference.ids is not None
        )
        assert some["v2"] == pytest.approx(whole, rel=0.1)
        assert some["v2"] != whole


def test_what_to_beware_of():
    few = compare_sets(_sets((3, 60)), _real())
    assert "3 images are too few for a covariance of 4 features" in few.warnings[0]
    assert "different numbers of images (3 to 60)" in few.warnings[1]
    assert few.warnings[2].startswith("1 of 2 variants are not extrapolated")
    assert "takes more than 19" in few.warnings[2]
    assert "too few for a covariance" in compare_sets(_sets(), _real(n=3)).warnings[0]
    with pytest.raises(DataError, match="variant v1: features of 1 images"):
        compare_sets(_sets((60, 1)), _real())


def test_a_table_that_opens_anywhere(tmp_path):
    found = compare_sets(_sets((60, 60)), Reference("moments", _real().statistics))
    found.save(tmp_path / "distances.parquet")
    table = pq.read_table(tmp_path / "distances.parquet")
    assert [row["frechet"] for row in table.to_pylist()] == [r.frechet for r in found.distances]
    assert table.column("kid").null_count == 2
    assert table.schema.metadata[b"higher_is_better"] == b"false"

"""Kept features: read back bit for bit, or not at all, and never through pickle."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.runs.kept.features import FeatureStore
from flasheval.runs.kept.images import ImageUnit

UNIT = ImageUnit("c" * 32, "sd15_DDIM10", ("7", "A/b", "é"), ("one", "two", "three"))


def features_of(kind=np.float32, width=5):
    features = np.random.default_rng(0).normal(size=(3, width)).astype(kind)
    features[1] = np.nan  # the row of a fault
    return features


@pytest.mark.parametrize("kind", [np.float16, np.float32])
@pytest.mark.parametrize("width", [0, 1, 768])
def test_features_come_back_bit_for_bit(tmp_path, kind, width):
    store, features = FeatureStore(tmp_path), features_of(kind, width)
    assert not store.has(UNIT, "clip")
    assert store.read(UNIT, "clip") is store.damage(UNIT, "clip") is None
    store.write(UNIT, "clip", features[:, ::-1])
    found = store.read(UNIT, "clip")
    assert (found.dtype, found.shape) == (features.dtype, features.shape)
    np.testing.assert_array_equal(found, features[:, ::-1])
    assert store.has(UNIT, "clip")
    assert store.damage(UNIT, "clip") is None
    assert not store.has(UNIT, "clip2")


def test_numpy_opens_the_archive_as_it_is(tmp_path):
    store = FeatureStore(tmp_path)
    store.write(UNIT, "clip", features_of())
    path = store.path(UNIT, "clip")
    assert path.parent == tmp_path / "sd15_DDIM10"
    with np.load(path, allow_pickle=False) as archive:
        assert archive["ids"].tolist() == list(UNIT.ids)
        assert archive["features"].shape == (3, 5)


def test_equal_features_give_equal_bytes(tmp_path):
    paths = []
    for name in ("one", "two"):
        store = FeatureStore(tmp_path / name)
        store.write(UNIT, "clip", features_of())
        paths.append(store.path(UNIT, "clip"))
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(
    "features",
    [
        np.zeros((2, 5), np.float32),
        np.zeros(3, np.float32),
        np.zeros((3, 2, 2), np.float32),
        np.zeros((3, 5)),
        np.zeros((3, 5), np.int32),
        np.full((3, 1), None),
    ],
)
def test_what_is_no_embedding_of_the_unit_is_refused(tmp_path, features):
    with pytest.raises(DataError, match=r"expected float16 or float32 of shape \[3, width\]"):
        FeatureStore(tmp_path).write(UNIT, "clip", features)
    assert not list(tmp_path.iterdir())


def test_other_prompts_under_the_same_name(tmp_path):
    store = FeatureStore(tmp_path)
    store.write(UNIT, "clip", features_of())
    other = ImageUnit(UNIT.name, UNIT.folder, ("7", "A/b", "e"), UNIT.prompts)
    assert store.read(other, "clip") is None
    assert store.damage(other, "clip") == "it holds embeddings of other prompts"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    store = FeatureStore(tmp_path_factory.mktemp("features"))
    store.write(UNIT, "clip", features_of())
    return store, store.path(UNIT, "clip").read_bytes()


QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(st.floats(0, 1, exclude_max=True))
def test_an_archive_cut_anywhere_is_none(archive, share):
    store, whole = archive
    store.path(UNIT, "clip").write_bytes(whole[: int(len(whole) * share)])
    assert store.read(UNIT, "clip") is None
    assert store.damage(UNIT, "clip")


@QUICK
@given(st.data())
def test_a_flipped_bit_never_gives_a_wrong_number(archive, data):
    store, whole = archive
    flipped = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        flipped[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    store.path(UNIT, "clip").write_bytes(flipped)
    found = store.read(UNIT, "clip")
    assert (found is None) == (store.damage(UNIT, "clip") is not None)
    if found is not None:
        np.testing.assert_array_equal(found, features_of())


def test_every_single_bit(archive):
    store, whole = archive
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << (place % 8)
        store.path(UNIT, "clip").write_bytes(flipped)
        found = store.read(UNIT, "clip")
        assert found is None or np.array_equal(found, features_of(), equal_nan=True), place


def test_an_archive_that_says_it_is_encrypted_is_damaged(archive):
    store, whole = archive
    flagged = bytearray(whole)
    flagged[whole.index(b"PK\x01\x02") + 8] ^= 1
    store.path(UNIT, "clip").write_bytes(flagged)
    assert store.read(UNIT, "clip") is None
    assert "encrypted" in store.damage(UNIT, "clip")


def test_no_pickle_is_read(archive):
    store, _ = archive
    buffer = io.BytesIO()
    np.savez(buffer, features=np.array([{}, {}, {}]), ids=np.array(UNIT.ids), sha256=np.array("x"))
    store.path(UNIT, "clip").write_bytes(buffer.getvalue())
    assert store.read(UNIT, "clip") is None
    assert "allow_pickle=False" in store.damage(UNIT, "clip")

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.prompts import PromptSet
from flasheval.scores.importers.npz import Npz

_NAMES = np.array(["stablediffusion1.5/DDIM10/fp", "mine"])


def _save(path, **entries):
    good = {
        "scores": np.array([[1, 2, np.nan], [3, 4, 5]], dtype=np.float16),
        "models": _NAMES,
        "prompt_ids": np.array([37, 38, 49]),
    }
    good.update(entries)
    np.savez(path, **{key: value for key, value in good.items() if value is not None})
    return path


def test_an_archive_becomes_a_table(tmp_path):
    table = Npz().read(_save(tmp_path / "clip.npz")).table
    assert table.metrics == ("clip",)
    assert table.prompts.ids == ("37", "38", "49")
    assert table["clip"].values.dtype == np.float32
    np.testing.assert_array_equal(table["clip"].values, [[1, 2, np.nan], [3, 4, 5]])
    assert table.factor("steps") == (10, None)


def test_variants_metric_direction_and_prompts(tmp_path):
    path = _save(
        tmp_path / "a.npz", models=None, variants=_NAMES, metric=np.array("fid"),
        prompt_ids=np.array(["x", "y", "z"]),
    )  # fmt: skip
    table = Npz(higher_is_better={"fid": False}).read(path).table
    assert table["fid"].higher_is_better is False
    prompts = PromptSet("p", tuple("zyxw"), tuple("ZYXW"))
    assert Npz(metric="clip", prompts=prompts).read(path).table.prompts.texts == tuple("XYZ")
    with pytest.raises(DataError, match="2 of 3 ids are not in prompt set"):
        Npz(prompts=PromptSet("p", ("x",), ("X",))).read(path)
    with pytest.raises(SettingError, match="names the metric 'fd'; there are: fid; did you mean"):
        Npz(higher_is_better={"fd": False}).read(path)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"scores": None}, "no entry 'scores'; it has: models, prompt_ids"),
        ({"prompt_ids": None}, "no entry 'prompt_ids'"),
        ({"models": None}, "no entry 'models'"),
        ({"scores": np.zeros((3, 3))}, r"shape \(3, 3\), but there are 2 variants and 3 prompt"),
        ({"scores": np.full((2, 3), "x")}, "is of type <U1; expected numbers"),
        ({"scores": np.full((2, 3), np.inf)}, "on prompt '37' is infinite"),
        ({"prompt_ids": np.array([1, 1, 2])}, "id '1' more than once"),
        ({"prompt_ids": np.array([1.0, 2, 3])}, "must be one row of strings or integers"),
        ({"models": np.array(["a", "a"])}, "variant 'a' more than once"),
        ({"models": np.array(["a", None])}, "needs pickle"),
    ],
)
def test_entries_that_do_not_fit(tmp_path, entries, message):
    path = _save(tmp_path / "clip.npz", **entries)
    with pytest.raises(DataError, match=message) as caught:
        Npz().read(path)
    assert "clip.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_archives(tmp_path):
    path = _save(tmp_path / "clip.npz")
    whole = path.read_bytes()
    for content in (b"", b"nothing", whole[: len(whole) // 2], b"PK\x03\x04" + bytes(50)):
        path.write_bytes(content)
        with pytest.raises(DataError, match="npz"):
            Npz().read(path)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(DataError, match="single array"):
        Npz().read(tmp_path / "one.npy")
    for missing in (tmp_path, tmp_path / "none.npz"):
        with pytest.raises(DataError, match="expected a NumPy archive"):
            Npz().read(missing)

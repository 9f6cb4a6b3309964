import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.prompts import PromptSet
from flasheval.runs.run import run
from flasheval.set_metrics.frechet import FrechetReference, frechet_distance
from flasheval.set_metrics.kept import metrics_kept, read_kept

DRAWING = """
import numpy as np

def bright(prompts, seeds):
    return [np.random.default_rng(seed).random((8, 8, 3), dtype="f4") for seed in seeds]

def dark(prompts, seeds):
    return [image / 2 for image in bright(prompts, seeds)]

def faulty(prompts, seeds):
    images = bright(prompts, seeds)
    return [None if text.endswith("3") else image for text, image in zip(prompts, images)]
"""


class Means:
    """A scorer that embeds: the mean colour."""

    name, version, higher_is_better = "means", "1", True

    def score(self, images, texts):
        return self.score_embeddings(self.embed(images), texts)

    def embed(self, images):
        return np.stack([np.asarray(one, dtype=np.float32).mean((0, 1)) for one in images])

    def score_embeddings(self, embeddings, texts):
        return embeddings.sum(1)


@pytest.fixture
def make_run(tmp_path):
    (tmp_path / "drawing.py").write_text(DRAWING)
    prompts = PromptSet(
        "things", tuple(f"p{i}" for i in range(14)), tuple(f"thing {i}" for i in range(14))
    )

    def make(*names, keep=True):
        variants = [
            {"name": name, "generator": "function", "function": f"{tmp_path / 'drawing.py'}:{name}"}
            for name in names
        ]
        settings = {"out": tmp_path / "run", "device": "cpu", "chunk": 5}
        return run({"variants": variants}, prompts, [Means()], keep_embeddings=keep, **settings)

    make.folder = tmp_path / "run"
    return make


def test_embeddings_come_in_the_order_of_the_scores(make_run):
    table = make_run("dark", "bright").scores["means"]
    kept = read_kept(make_run.folder, "means")
    assert kept.features.shape == (2, 14, 3)
    assert kept.features.dtype == np.float32
    assert (kept.variants, kept.prompt_ids) == (table.variants, table.prompt_ids)
    assert kept.left_out == {}
    np.testing.assert_array_equal(kept.features.sum(axis=2), table.values)
    assert kept.complete() is kept
    distance = frechet_distance(kept.features[0], FrechetReference.of(kept.features[1]))
    assert distance.value > 1


def test_prompts_with_a_faulty_image_are_left_out(make_run):
    make_run("faulty", "bright")
    kept = read_kept(make_run.folder, "means")
    assert np.isnan(kept.features[0, [3, 13]]).all()
    complete = kept.complete()
    assert complete.prompt_ids == tuple(f"p{i}" for i in range(14) if i not in (3, 13))
    assert complete.features.shape == (2, 12, 3)
    assert np.isfinite(complete.features).all()


def test_a_variant_that_lacks_some_is_named(make_run):
    make_run("bright", "dark")
    files = sorted((make_run.folder / "embeddings" / "dark").iterdir())
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:-9])
    kept = read_kept(make_run.folder, "means")
    assert kept.variants == ("bright",)
    assert kept.left_out["dark"].startswith("1 of 3 units have whole embeddings")


def test_what_is_not_there_is_told(make_run, tmp_path):
    with pytest.raises(DataError, match="holds no run"):
        read_kept(tmp_path / "none", "means")
    make_run("bright", keep=False)
    with pytest.raises(DataError, match="keep_embeddings=true"):
        read_kept(make_run.folder, "means")
    with pytest.raises(SettingError, match="no metric 'mean'; there are: means"):
        read_kept(make_run.folder, "mean")


def test_metrics_with_embeddings(make_run):
    make_run("dark", keep=False)
    assert metrics_kept(make_run.folder) == ()
    make_run("dark")
    assert metrics_kept(make_run.folder) == ("means",)

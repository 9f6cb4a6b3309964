import numpy as np
import pytest

from flasheval.base.errors import SettingError
from flasheval.scores.synthetic import synthetic_scores


def test_a_table_of_made_up_variants():
    table = synthetic_scores()
    assert (len(table), table.n_prompts, table.metrics) == (48, 1000, ("quality", "alignment"))
    assert table.prompts.texts[0] == "synthetic prompt 1"
    assert set(table.variants[0].factors) == {"base_model", "scheduler", "steps"}
    assert all((share == 1).all() for share in table.coverage().values())


def test_the_same_seed_gives_the_same_table():
    first, second = synthetic_scores(10, 20, seed=4), synthetic_scores(10, 20, seed=4)
    assert first.content_hash == second.content_hash
    assert first.content_hash != synthetic_scores(10, 20, seed=5).content_hash


@pytest.mark.parametrize(("n_variants", "n_prompts"), [(2, 1), (72, 3)])
def test_the_ends_of_what_may_be_asked_for(n_variants, n_prompts):
    table = synthetic_scores(n_variants, n_prompts)
    assert table["quality"].values.shape == (n_variants, n_prompts)
    assert len(set(table.variant_names)) == n_variants


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_variants": 1}, "n_variants=1: expected 2 to 72"),
        ({"n_variants": 73}, "n_variants=73"),
        ({"n_prompts": 0}, "n_prompts=0: expected at least 1"),
    ],
)
def test_what_cannot_be_made_is_one_line(arguments, words):
    with pytest.raises(SettingError, match=words):
        synthetic_scores(**arguments)


def test_it_looks_like_real_scores():
    """Overall quality is shared, but one prompt alone says little of it."""
    table = synthetic_scores()
    quality, alignment = (table[metric].values for metric in table.metrics)
    assert np.corrcoef(quality.mean(axis=1), alignment.mean(axis=1))[0, 1] > 0.7
    alone = [np.corrcoef(column, quality.mean(axis=1))[0, 1] for column in quality.T]
    assert 0.05 < np.mean(alone) < 0.5


def test_images_have_seed_noise_that_variants_share_in_part():
    table = synthetic_scores(48, 4000, images=2, seed_noise=1.0)
    images = table["quality"].images.astype(float)
    half = (images[:, :, 0] - images[:, :, 1]) / np.sqrt(2)
    half /= half.std(axis=0).mean()
    related = np.corrcoef(half)
    bases = np.array(table.factor("base_model"))
    same = bases[:, None] == bases[None, :]
    apart = ~np.eye(48, dtype=bool)
    assert related[same & apart].mean() == pytest.approx(0.4, abs=0.05)
    assert related[~same].mean() == pytest.approx(0.1, abs=0.05)
    assert table.seeds is not None
    np.testing.assert_allclose(table["quality"].values, images.mean(axis=2), atol=1e-5)
    with pytest.raises(SettingError, match="images=0"):
        synthetic_scores(4, 6, images=0)

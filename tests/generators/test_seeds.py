"""The seed of an image depends on the run's seed and the prompt's id, and on nothing else."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from flasheval.generators.seeds import ImageSeeds, image_seed


@given(st.integers(0, 2**32), st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_a_seed_is_the_first_four_bytes_of_the_hash(seed, prompt_id):
    digest = hashlib.sha256(f"{seed}/{prompt_id}".encode()).hexdigest()
    assert image_seed(seed, prompt_id) == int(digest[:8], 16)


def test_seeds_of_a_benchmark_differ():
    seeds = [image_seed(seed, str(i)) for seed in (0, 1) for i in range(5000)]
    # Of 10,000 draws from 2**32 about 0.01 pairs would be equal.
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_seed_and_id_do_not_run_together():
    assert image_seed(1, "23") != image_seed(12, "3")


def test_a_further_image_adds_a_line_with_its_number():
    digest = hashlib.sha256(b"7/p1\n2").hexdigest()
    assert image_seed(7, "p1", 2) == int(digest[:8], 16)
    assert len({image_seed(0, "1", image) for image in range(100)}) == 100
    assert image_seed(0, "1", 1) != image_seed(0, "1/1")


def test_variants_share_seeds_unless_each_has_its_own():
    shared, own = ImageSeeds(3), ImageSeeds(3, variant_seeds=True)
    assert shared.of("1", 2, "a") == shared.of("1", 2, "b") == image_seed(3, "1", 2)
    assert len({own.of("1", image, name) for image in range(3) for name in "abc"}) == 9
    assert str(own) == "run seed 3, another for each variant"

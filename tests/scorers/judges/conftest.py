"""Tiny vision-language models of the real classes, and images to ask them about."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def judge_folder(tiny, tmp_path_factory):
    """A function: judge_folder("smolvlm") -> the folder of a tiny one, made once."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    folder, made = tmp_path_factory.mktemp("judges"), {}

    def find(kind):
        if kind not in made:
            made[kind] = tiny("judges").make_judge(folder / kind, kind)
        return made[kind]

    return find


@pytest.fixture(scope="session")
def pictures():
    """Three RGB images of noise, no two of one size."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    sizes = [(40, 64), (64, 40), (48, 48)]
    return [image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]

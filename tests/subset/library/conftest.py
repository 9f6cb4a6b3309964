"""A folder of published subsets of pets, and a cache of texts that is not the user's."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flasheval.base import resources
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset

_NAMES = ("cat", "dög", "newt", "cow", "hen", "ant", "bee", "owl")
PETS = PromptSet(
    "pets",
    tuple(str(number) for number in range(1, 9)),
    tuple(f"a {name} " for name in _NAMES),
    extras={"image_name": tuple(f"{name}.png" for name in _NAMES)},
)


def _choose(name: str, indices: tuple[int, ...], prompts: PromptSet = PETS) -> Subset:
    metrics, method = (MetricInfo("clip"),), Method("random", {}, seed=0)
    return Subset.choose(prompts, indices, name=name, metrics=metrics, method=method)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where texts are kept here."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FLASHEVAL_CACHE", str(folder))
    return folder


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the published pets-clip-5, its first 2 and 3; beside it rocks-clip-2's."""
    folder = tmp_path / "published"
    whole = _choose("pets-clip-5", (6, 2, 0, 4, 1))
    rocks = PromptSet("rocks", ("1", "2"), ("a red stone", "a blue stone"))
    subsets = [
        whole,
        replace(whole.prefix(2), name="pets-clip-2"),
        replace(whole.prefix(3), name="pets-clip-3"),
        _choose("rocks-clip-2", (1, 0), rocks),
    ]
    for subset in subsets:
        subset.save(folder / subset.prompt_set_name / f"{subset.name}.json")
    monkeypatch.setattr(resources, "subsets_dir", lambda: folder)
    return folder / "pets"


@pytest.fixture
def pets() -> PromptSet:
    """Eight prompts, each with a space at its end, and image names."""
    return PETS


@pytest.fixture
def choose() -> Callable[..., Subset]:
    """A function: choose(name, indices, prompts=pets) -> a subset without texts."""
    return _choose

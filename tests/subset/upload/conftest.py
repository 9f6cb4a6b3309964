"""Subsets made up by hand, and the fake Hub with the real client talking to it."""

import runpy
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.evidence import (
    Agreement,
    EquivalentSize,
    Evidence,
    RandomSize,
    Record,
    SplitSizes,
    Spread,
)

PROMPTS = PromptSet(
    "things",
    tuple(f"p{i}" for i in range(60)),
    tuple(f"a thing numbered {i}, \N{SNOWMAN}" for i in range(60)),
    extras={"image_name": tuple(f"{i}.png" for i in range(60))},
)


def _evidence(size: int, spec: str, tau: float, *metrics: str) -> Evidence:
    splits = tuple(SplitSizes(f"{spec}-{i}", 20, 19) for i in range(2))
    kind = "min-max" if spec.startswith("group") else "5-95%"
    equivalent = EquivalentSize(RandomSize(248), RandomSize(230), RandomSize(5000, ">"))
    one = Agreement(
        Spread(tau, tau - 0.1, tau + 0.1, kind), Spread(0.5, 0.4, 0.6), 0.95, (), equivalent
    )
    return Evidence(size, spec, splits, one, dict.fromkeys(metrics, one))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep texts that are looked up out of the user's cache."""
    monkeypatch.setenv("FLASHEVAL_CACHE", str(tmp_path.with_name(f"{tmp_path.name}-texts")))


@pytest.fixture
def things() -> PromptSet:
    return PROMPTS


@pytest.fixture
def make_subset() -> Callable[..., Subset]:
    """A function: make_subset(name, size, metrics=, texts=, evidence=) -> a subset of things."""

    def make(
        name: str = "things-clip-5",
        size: int = 5,
        metrics: tuple[str, ...] = ("clip",),
        *,
        texts: bool = False,
        evidence: bool = True,
    ) -> Subset:
        record = Record(created="2025-01-31T12:00:00+00:00", versions={"flasheval": "0.1.0"})
        if evidence:
            record = replace(
                record,
                evidence=_evidence(size, "random:2", 0.8, *metrics),
                further_evidence=(_evidence(size, "group:base_model", 0.7, *metrics),),
                warnings=("only 12 search variants | fewer than 20",),
                notes=("a note\nof <b>two</b> lines",),
            )
        return Subset.choose(
            PROMPTS,
            range(size),
            name=name,
            metrics=tuple(map(MetricInfo, metrics)),
            method=Method("balanced", {"lambda": 2.0}, seed=0),
            searched_variants=("v0", "v1"),
            weights=[1.0 + i / 4 for i in range(size)],
            record=record,
            with_texts=texts,
        )

    return make


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The fake Hub, with the real client sent to it; `hub.use(token=None)` logs out."""
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    module = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[2] / "fake_hub.py")))
    with module.FakeHub() as fake:
        fake.cache = tmp_path / "hub-cache"
        fake.use = lambda **how: module.use(fake, fake.cache, monkeypatch, **how)
        fake.use()
        yield fake

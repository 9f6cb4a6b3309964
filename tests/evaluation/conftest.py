"""A pipeline of the miniature and a few of its prompts, shared by the tests here."""

from typing import Any

import pytest

from flasheval.miniature import SCORERS
from flasheval.prompts import load_prompts
from flasheval.subset import Method, MetricInfo, Subset

ROWS = (5, 700, 1203, 1999)


@pytest.fixture(scope="session")
def small_pipe() -> Any:
    """The small pipeline of the miniature; whoever changes it changes it back."""
    pytest.importorskip("diffusers")
    from flasheval.miniature.pipeline import load_pipeline

    return load_pipeline("small-final")


@pytest.fixture(scope="session")
def four() -> Subset:
    """Four prompts of the miniature, those at `ROWS` of its score table."""
    return Subset.choose(
        load_prompts("miniature"),
        ROWS,
        name="four",
        metrics=(MetricInfo("CLIP"),),
        method=Method("random"),
        with_texts=True,
    )


@pytest.fixture(scope="session")
def judges() -> tuple[Any, ...]:
    """The miniature's scorers."""
    return SCORERS

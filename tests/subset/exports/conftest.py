"""Subsets out of texts, and texts that formats trip over."""

import warnings
from collections.abc import Callable, Sequence

import pytest
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.subset import Method, Subset, SubsetPrompt
from flasheval.subset.exports import export

_PIECES = (
    *("a cat", "Ünïcode", "日本", "🦊", "e\u0301", "{a|b}", '"', "'", "\\", "`", "$HOME", "$(ls)"),
    *(
        "--",
        " --w 512",
        "--n x",
        "-",
        "#",
        "# a",
        "s 4 boats",
        "I am",
        "N x",
        "[trigger]",
        "[name]",
    ),
    *(
        "${HOME}",
        "(x:1.2)",
        "\n",
        "\r",
        "\r\n",
        "\t",
        " ",
        "\u2028",
        "\x85",
        "\x0c",
        "\x1c",
        "\xa0",
    ),
    *("\ufeff", "\x00", "\x01", "\x7f", ",", ";", ": ", "- ", "null", "1e5", "yes", "~", "%", "!"),
)


def _subset_of(*texts: str, weights: Sequence[float] = (), draws: Sequence[int] = ()) -> Subset:
    """A subset of prompts p0, p1, ... with these texts."""
    prompts = tuple(
        SubsetPrompt(
            f"p{i}",
            text=text,
            weight=weights[i] if weights else 1.0,
            multiplicity=draws[i] if draws else 1,
            sources={"image_name": f"{i}.png"} if i % 2 else {},
        )
        for i, text in enumerate(texts)
    )
    return Subset("odd", "made-up", None, prompts, (), Method("random", seed=0))


def _written(texts: Sequence[str], form: str, **settings: object) -> bytes | None:
    """The file, warnings aside; None where the format refuses one of the texts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return export(_subset_of(*texts), form, settings)
        except DataError as error:
            if "cannot carry prompt" not in str(error):
                raise
            return None


@pytest.fixture(scope="session")
def odd_lists() -> st.SearchStrategy[list[str]]:
    """Lists of texts of pieces that mean something to a parser, and of any text at all."""
    of_pieces = st.lists(st.sampled_from(_PIECES), max_size=3).map("".join)
    any_text = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
    return st.lists(of_pieces | any_text, min_size=1, max_size=4)


@pytest.fixture(scope="session")
def make_subset() -> Callable[..., Subset]:
    """A function: make_subset("a cat", "a dog", weights=, draws=)."""
    return _subset_of


@pytest.fixture(scope="session")
def written() -> Callable[..., bytes | None]:
    """A function: written(texts, "kohya", width=768) -> the file, None where a text is refused."""
    return _written

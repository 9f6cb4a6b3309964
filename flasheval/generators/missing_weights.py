"""A check that a pipeline's files hold all weights; the libraries would fill in random ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["weights_all_there"]

_LIBRARY = "transformers.modeling_utils"


@contextmanager
def weights_all_there() -> Iterator[Callable[[Any], None]]:
    """Yield a function that raises ValueError when the pipeline just loaded lacks weights.

    transformers fills them in at random and says so in its log alone, which is read here and kept
    off the terminal; diffusers leaves them without values.
    """
    logger = logging.getLogger(_LIBRARY)
    before, told = (logger.level, logger.propagate, logger.handlers), _Listener()
    logger.setLevel(logging.WARNING)
    logger.propagate, logger.handlers = False, [told]
    try:
        yield lambda pipeline: _check(pipeline, told.lines)
    finally:
        logger.setLevel(before[0])
        logger.propagate, logger.handlers = before[1:]


class _Listener(logging.Handler):
    """Keeps the lines that are logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += record.getMessage().splitlines()


def _check(pipeline: Any, lines: list[str]) -> None:
    # A row of the report is "name | MISSING | ..."; its legend names the word with a colon.
    lost = [line.split("|")[0].strip() for line in lines if "MISSING" in line and "|" in line]
    for part, component in pipeline.components.items():
        named = getattr(component, "named_parameters", None)
        if named is not None:
            lost += [f"{part}.{name}" for name, weight in named() if weight.is_meta]
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        raise ValueError(f"its files lack the weights {lost[0]}{more}; are they whole?")

"""Keeping the logs of diffusers and transformers off the terminal, and reading their warnings."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["heard_warnings", "quiet_libraries"]

_LONGEST = 300  # characters of a warning


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the libraries' chatter off the terminal; what fails raises all the same."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    loggings = (diffusers_logging, transformers_logging)
    before = [one.get_verbosity() for one in loggings]
    bars = [one.is_progress_bar_enabled() for one in loggings]
    try:
        for one in loggings:
            one.set_verbosity_error()
            one.disable_progress_bar()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level, bar in zip(loggings, before, bars, strict=True):
            one.set_verbosity(level)
            if bar:
                one.enable_progress_bar()


@contextmanager
def heard_warnings() -> Iterator[list[str]]:
    """Yield the list of what diffusers warns of meanwhile, each a line; none is printed."""
    logger, lines = logging.getLogger("diffusers"), _Lines()
    before = logger.level, logger.propagate, logger.handlers
    logger.propagate, logger.handlers = False, [lines]
    logger.setLevel(logging.WARNING)
    try:
        yield lines.lines
    finally:
        logger.propagate, logger.handlers = before[1:]
        logger.setLevel(before[0])


class _Lines(logging.Handler):
    """Keeps each message once, as one line."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = " ".join(record.getMessage().split())[:_LONGEST]
        if line not in self.lines:
            self.lines.append(line)

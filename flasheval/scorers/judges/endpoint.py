"""The settings of an endpoint: where a judge's questions go, and how patiently."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from flasheval.base.canonical import JSON
from flasheval.base.errors import SettingError

__all__ = ["EndpointSettings"]

_LOCAL = ("localhost", "127.0.0.1", "::1")
_VARIABLE = re.compile(r"FLASHEVAL_\w*KEY\w*")


@dataclass(frozen=True)
class EndpointSettings:
    """An OpenAI-compatible endpoint: a vLLM or SGLang of yours, or a service.

    Attributes:
        url: Its base, such as ``http://localhost:8000/v1``.
        model: The model's name there.
        key_variable: The environment variable that holds the key, if one is needed; its name begins
            with FLASHEVAL_ and holds KEY, so that no settings of other people can name another.
        logprobs: Whether the probability of yes is read from log probabilities; where the endpoint
            gives none, false takes an answer of yes as 1 and of no as 0.
        concurrency: Calls at a time.
        timeout: Seconds for one call, all of it.
        retries: How often a call is tried again that failed for a passing reason.
        max_calls: Calls of one process at most, tries included; None for no limit.
        cache: Folder of the answers kept; None is the user's cache folder.

    >>> EndpointSettings("http://localhost:8000/v1", "Qwen/Qwen3-VL-8B-Instruct").concurrency
    8
    >>> EndpointSettings("http://example.org/v1", "m", key_variable="FLASHEVAL_KEY")
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: endpoint: a key is sent over https or to this machine \
only; url=http://example.org/v1

    """

    url: str
    model: str
    key_variable: str | None = None
    logprobs: bool = True
    concurrency: int = 8
    timeout: float = 120.0
    retries: int = 6
    max_calls: int | None = None
    cache: str | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingError(
                f"endpoint: url={self.url!r}; expected one such as http://localhost:8000/v1"
            )
        if parts.username or parts.password or parts.query:
            raise SettingError(
                "endpoint: the url holds a password or a query; keys are taken from an environment "
                "variable only: key_variable=FLASHEVAL_API_KEY"
            )
        if not self.model:
            raise SettingError("endpoint: model is missing; give the model's name at the endpoint")
        if self.key_variable is not None:
            if not _VARIABLE.fullmatch(self.key_variable):
                raise SettingError(
                    # Not shown: it may be the key itself, and messages end in logs.
                    "endpoint: key_variable holds no such name; expected the name of a variable "
                    "that begins with FLASHEVAL_ and holds KEY, such as FLASHEVAL_API_KEY"
                )
            if parts.scheme != "https" and parts.hostname not in _LOCAL:
                raise SettingError(
                    f"endpoint: a key is sent over https or to this machine only; url={self.url}"
                )
        for name, least in (("concurrency", 1), ("retries", 0), ("max_calls", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise SettingError(f"endpoint: {name}={value}; expected {least} or more")
        if not self.timeout > 0:
            raise SettingError(f"endpoint: timeout={self.timeout:g}; expected seconds above 0")

    def identity(self) -> dict[str, JSON]:
        """Return what of it determines answers: the model, and how yes is measured."""
        return {"model": self.model, "logprobs": self.logprobs}

    def key(self) -> str | None:
        """Return the key from the environment. Raises SettingError where it is not set."""
        if self.key_variable is None:
            return None
        found = os.environ.get(self.key_variable, "").strip()
        if not found:
            raise SettingError(
                f"endpoint: the environment variable {self.key_variable} is not set; export it, or "
                "leave key_variable out where no key is needed"
            )
        return found

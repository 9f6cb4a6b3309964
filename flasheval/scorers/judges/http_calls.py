"""Calls of an endpoint: a limit on calls at a time, patience, and a count of what was used."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from flasheval.base.errors import DataError, FlashevalError
from flasheval.base.version import __version__
from flasheval.scorers.judges.endpoint import EndpointSettings

__all__ = ["Calls", "EndpointError", "RefusedError", "Used", "wait_of"]

_PASSING = (408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529)
_LONGEST_WAIT = 300.0  # seconds that an endpoint may ask us to wait
_FIRST_WAIT, _MOST_WAIT = 0.5, 30.0
_MOST_BYTES = 16 * 2**20  # of an answer
_CHUNK = 1 << 16


class EndpointError(DataError):
    """An endpoint that cannot be used, or that has failed too often."""


class RefusedError(EndpointError):
    """A request that the endpoint says is wrong: the same one would fail again.

    Attributes:
        status: The HTTP status.

    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)  # the message alone, so that it can be sent to another process
        self.status = status


class _PassingError(Exception):
    """A failure that may pass; ``wait`` is how long the endpoint asks to wait, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass
class Used:
    """What was used of an endpoint.

    Attributes:
        calls: Calls made, tries included.
        cached: Answers that were there from before.
        retries: Calls that failed and were made again.
        prompt_tokens: Tokens read, as the endpoint counts them.
        completion_tokens: Tokens written.
        models: The model ids it returned.

    """

    calls: int = 0
    cached: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    models: list[str] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """Return what is not nothing, as JSON data.

        >>> Used(calls=2, models=["m-1"]).as_data()
        {'calls': 2, 'models': ['m-1']}
        """
        return {name: value for name, value in vars(self).items() if value}


class _NoRedirect(HTTPRedirectHandler):
    """Takes a redirect as an error: it would carry the key elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Calls:
    """Calls of an endpoint, from any number of threads.

    Args:
        endpoint: The endpoint.
        sleep: Waits so many seconds.

    """

    def __init__(
        self, endpoint: EndpointSettings, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.endpoint, self._sleep = endpoint, sleep
        self._key = endpoint.key()
        self._opener = build_opener(_NoRedirect)
        self._lock = threading.Lock()
        self._made = 0
        self._not_before = 0.0  # until when all wait, where the endpoint asked for it
        self.used = Used()

    def post(self, path: str, body: Mapping[str, Any], read: Callable[[Any], Any]) -> Any:
        """Return what ``read`` makes of the JSON that a call returns; calls again where that helps.

        Args:
            path: What follows the base URL, such as ``/chat/completions``.
            body: The request, as JSON data.
            read: Makes the result; ValueError, LookupError and TypeError count as an answer that is
                cut short.

        Raises:
            RefusedError: The endpoint says that the request is wrong.
            EndpointError: It failed too often, or ``max_calls`` is reached.

        """
        reason = ""
        for number in range(self.endpoint.retries + 1):
            if number:
                with self._lock:
                    self.used.retries += 1
            try:
                return self._once(path, body, read)
            except _PassingError as error:
                reason = str(error)
                if number < self.endpoint.retries:
                    self._pause(wait_of(number, error.wait), everyone=error.wait is not None)
        raise EndpointError(
            f"endpoint {self.endpoint.url}: {self.endpoint.retries + 1} tries failed, the last "
            f"one: {reason}; see that it runs, then run the same command again: answers are kept"
        )

    def note(self, usage: object, model: str) -> None:
        """Count the tokens of an answer, and remember the model that gave it."""
        told = usage if isinstance(usage, Mapping) else {}
        with self._lock:
            for name in ("prompt_tokens", "completion_tokens"):
                count = told.get(name)
                if isinstance(count, int) and count > 0:
                    setattr(self.used, name, getattr(self.used, name) + count)
            if model not in self.used.models:
                self.used.models.append(model)

    def note_cached(self, count: int) -> None:
        """Count answers that were there from before."""
        with self._lock:
            self.used.cached += count

    def taken(self) -> Used:
        """Return what was used since the last call of this."""
        with self._lock:
            found, self.used = self.used, Used()
        return found

    def _once(self, path: str, body: Mapping[str, Any], read: Callable[[Any], Any]) -> Any:
        self._wait_for_turn()
        most = self.endpoint.max_calls
        with self._lock:
            if most is not None and self._made >= most:
                raise EndpointError(
                    f"endpoint {self.endpoint.url}: max_calls={most} is reached; set a higher one "
                    "and run the same command again: answers are kept"
                )
            self._made += 1
            self.used.calls += 1
        raw = self._sent(path, body)
        try:
            answer = json.loads(raw)
            return read(answer)
        except FlashevalError:
            raise
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise _PassingError(
                f"its answer is not as expected ({type(error).__name__}: {self._shown(raw)})"
            ) from None

    def _sent(self, path: str, body: Mapping[str, Any]) -> bytes:
        """Send a request and return the answer's bytes."""
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": f"flasheval/{__version__}",
        }
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        url = self.endpoint.url.rstrip("/") + path
        request = Request(url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 # the URL's scheme is checked
        end = time.monotonic() + self.endpoint.timeout
        try:
            with self._opener.open(request, timeout=self.endpoint.timeout) as answer:
                return self._whole(answer, end)
        except HTTPError as error:
            with error:
                said = self._shown(_start_of(error))
                status, told = error.code, error.headers.get("Retry-After")
            if status in _PASSING:
                raise _PassingError(f"HTTP {status} {said}", _seconds(told)) from None
            raise RefusedError(
                f"endpoint {self.endpoint.url}: HTTP {status} for model={self.endpoint.model}: "
                f"{said}",
                status,
            ) from None
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise _PassingError(f"{type(reason).__name__}: {self._shown(str(reason))}") from None

    def _whole(self, answer: Any, end: float) -> bytes:
        """Return all bytes of an answer, which may neither drip for ever nor be without end."""
        parts, size = [], 0
        while part := answer.read1(_CHUNK):
            parts.append(part)
            size += len(part)
            if time.monotonic() > end:
                raise _PassingError(f"no whole answer in {self.endpoint.timeout:g} s")
            if size > _MOST_BYTES:
                raise _PassingError("its answer is larger than 16 MB")
        expected = answer.headers.get("Content-Length")
        if expected is not None and expected.isdigit() and size < int(expected):
            raise _PassingError(f"its answer was cut short at {size} of {expected} bytes")
        return b"".join(parts)

    def _wait_for_turn(self) -> None:
        while True:
            with self._lock:
                left = self._not_before - time.monotonic()
            if left <= 0:
                return
            self._sleep(left)
            if self._sleep is not time.sleep:
                return  # in tests no time passes

    def _pause(self, seconds: float, *, everyone: bool) -> None:
        if everyone:
            with self._lock:
                self._not_before = max(self._not_before, time.monotonic() + seconds)
        else:
            self._sleep(seconds)

    def _shown(self, raw: bytes | str) -> str:
        """Return the start of what an endpoint said, without the key, which it may repeat."""
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
        if self._key is not None:
            text = text.replace(self._key, "***")
        return " ".join(text.split())[:200]


def wait_of(number: int, asked: float | None) -> float:
    """Return how long to wait before the next try, in seconds.

    Args:
        number: The number of the try that failed, from 0.
        asked: What the endpoint asks for; at most five minutes of it are heeded.

    >>> wait_of(3, 7.0), 0.25 <= wait_of(0, None) <= 0.5, wait_of(30, None) <= 30
    (7.0, True, True)

    """
    if asked is not None:
        return min(asked, _LONGEST_WAIT)
    longest = min(_MOST_WAIT, _FIRST_WAIT * 2.0 ** min(number, 16))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 # spreads tries out, decides nothing


def _seconds(told: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number or a date."""
    if told is None:
        return None
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _start_of(error: HTTPError) -> bytes:
    try:
        return error.read(2000)
    except (OSError, HTTPException):
        return b""

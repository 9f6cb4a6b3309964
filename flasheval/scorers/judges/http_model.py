"""A vision-language model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from flasheval.base.canonical import sha256_of
from flasheval.base.errors import DataError
from flasheval.base.resources import cache_folder
from flasheval.scorers.judges.asking import Ask, Said, YesNo, without_thoughts
from flasheval.scorers.judges.call_cache import AnswerCache
from flasheval.scorers.judges.endpoint import EndpointSettings
from flasheval.scorers.judges.http_calls import Calls, RefusedError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["HttpModel", "endpoint_model", "yes_of"]

T = TypeVar("T")

_TOP = 20  # log probabilities asked for: the most that OpenAI and vLLM give
_PROBE_SIDE = 256
_PROBE_LASTS = 24 * 3600.0  # seconds after which a probe is made again
_REFUSED = ("content_filter", "refusal")
_POLICIES = ("content_policy", "content_filter", "content policy", "content management policy")
_REFUSAL = "the endpoint refused to answer"


class HttpModel:
    """A model behind an endpoint; it is probed when the first question is asked.

    Each answer is kept the moment it is there, under the image, the question and the model id that
    the endpoint returned, so no question is asked twice.

    Args:
        endpoint: The endpoint.
        calls: What makes the calls; None makes it.

    """

    def __init__(self, endpoint: EndpointSettings, calls: Calls | None = None) -> None:
        self.endpoint = endpoint
        self._calls = calls or Calls(endpoint)
        folder = Path(endpoint.cache).expanduser() if endpoint.cache else cache_folder() / "judges"
        self._cache = AnswerCache(folder)
        self._lock = threading.Lock()
        self._model: str | None = None  # the id returned last
        self._probed: dict[bool, int] = {}  # the largest side probed, with log probabilities or not
        self._limit = "max_tokens"

    def yes(self, asks: Sequence[Ask], batch: int) -> list[YesNo]:
        """Return the probability of yes for each question; see `AnsweringModel.yes`.

        Raises DataError when the endpoint fails, or gives no log probabilities where they are
        wanted.
        """
        more: dict[str, Any] = {}
        if self.endpoint.logprobs:
            more = {"logprobs": True, "top_logprobs": _TOP}
        answers = self._answers(asks, 1 if self.endpoint.logprobs else 16, more)
        return [yes_of(one, self.endpoint.logprobs) for one in answers]

    def say(self, asks: Sequence[Ask], batch: int, most_tokens: int) -> list[Said]:
        """Return an answer to each question; see `AnsweringModel.say`."""
        answers = self._answers(asks, most_tokens, {})
        return [
            Said(None, one["refused"]) if one["refused"] else Said(without_thoughts(one["text"]))
            for one in answers
        ]

    def record(self) -> Mapping[str, Any]:
        """Return the calls, tokens and model ids since the last call of this."""
        return self._calls.taken().as_data()

    def _answers(
        self, asks: Sequence[Ask], most_tokens: int, more: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return an answer to each question, asking those that are not kept."""
        if not asks:
            return []
        images = {id(ask.image): _encoded(ask.image) for ask in asks}
        told = [
            [images[id(ask.image)][0], ask.text, ask.system, self.endpoint.model, most_tokens, more]
            for ask in asks
        ]
        self._probe(max(max(ask.image.size) for ask in asks), more)
        model = self._model or ""
        keys = [sha256_of([model, *one]) for one in told]
        known = self._cache.get(list(dict.fromkeys(keys)))
        self._calls.note_cached(len(known))
        missing = {
            key: (ask, one)
            for key, ask, one in zip(keys, asks, told, strict=True)
            if key not in known
        }

        def ask_one(key: str) -> None:
            ask, one = missing[key]
            answer = self._asked(images[id(ask.image)][1], ask.text, ask.system, most_tokens, more)
            # Where the model behind the name has changed, under its new id.
            self._cache.put(sha256_of([answer["model"], *one]), answer)
            with self._lock:
                known[key] = answer
                self._model = answer["model"]

        self._all(ask_one, list(missing))
        return [known[key] for key in keys]

    def _all(self, work: Callable[[str], None], keys: Sequence[str]) -> None:
        """Do work for each key, so many at a time; after a failure nothing new is begun."""
        stop = threading.Event()

        def one(key: str) -> None:
            if stop.is_set():
                return
            try:
                work(key)
            except BaseException:
                stop.set()
                raise

        with ThreadPoolExecutor(self.endpoint.concurrency) as threads:
            jobs = [threads.submit(one, key) for key in keys]
            try:
                for job in jobs:
                    job.result()
            except BaseException:
                stop.set()
                raise

    def _asked(
        self,
        image: str,
        text: str,
        system: str | None,
        most_tokens: int,
        more: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return the answer to one question: text, log probabilities, refusal, and model id."""
        turns: list[dict[str, Any]] = [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": image}},
                    {"type": "text", "text": text},
                ],
            }
        ]
        if system:
            turns.insert(0, {"role": "system", "content": system})
        body = {
            "model": self.endpoint.model,
            "messages": turns,
            "temperature": 0,
            self._limit: most_tokens,
            **more,
        }
        try:
            found: dict[str, Any] = self._calls.post("/chat/completions", body, self._read)
        except RefusedError as error:
            if not any(word in str(error).lower() for word in _POLICIES):
                raise
            # Refused before a model saw it: said of this image alone, which has no answer then.
            model = self._model or self.endpoint.model
            return {"model": model, "text": "", "first": None, "refused": _REFUSAL}
        return found

    def _read(self, answer: Any) -> dict[str, Any]:
        """Return what counts of an answer. Raises ValueError, LookupError, TypeError for others."""
        model = answer["model"]
        if not isinstance(model, str):
            raise TypeError("model")
        choice = answer["choices"][0]
        message, ended = choice["message"], choice.get("finish_reason")
        text, refusal = message.get("content"), message.get("refusal")
        refused = _REFUSAL if refusal or ended in _REFUSED else None
        if not isinstance(text, str):
            if refused is None:
                raise TypeError("content")
            text = ""
        first = None
        if choice.get("logprobs"):
            tokens = choice["logprobs"]["content"]
            first = (
                [[str(one["token"]), float(one["logprob"])] for one in tokens[0]["top_logprobs"]]
                if tokens
                else None
            )
        self._calls.note(answer.get("usage"), model)
        return {"model": model, "text": text, "first": first, "refused": refused}

    def _probe(self, side: int, more: Mapping[str, Any]) -> None:
        """Ask about a grey image as large as those to come, unless that was done.

        Raises DataError where the endpoint takes no images of this size, or gives no log
        probabilities where they are wanted.
        """
        with self._lock:
            if side <= self._probed.get(bool(more), 0):
                return
            side = max(side, _PROBE_SIDE)
            kept = f"probe {sha256_of([self.endpoint.url, self.endpoint.model, side, more])}"
            found = self._cache.get([kept]).get(kept)
            if found is None or not 0 <= time.time() - found["at"] < _PROBE_LASTS:
                found = {**self._probe_answer(side, more), "at": time.time()}
                if not found["refused"]:
                    self._cache.put(kept, found)
            if more and found["first"] is None and not found["refused"]:
                raise DataError(
                    f"endpoint {self.endpoint.url}: {self.endpoint.model} gives no log "
                    "probabilities; logprobs: false takes an answer of yes as 1 and of no as 0"
                )
            self._limit = found.get("limit", self._limit)
            self._model = found["model"]
            self._probed[bool(more)] = side

    def _probe_answer(self, side: int, more: Mapping[str, Any]) -> dict[str, Any]:
        from PIL import Image

        _, image = _encoded(Image.new("RGB", (side, side), (128, 128, 128)))
        text = "Is this image grey? Answer yes or no."
        try:
            answer = self._asked(image, text, None, 1, more)
        except RefusedError as error:
            if "max_completion_tokens" in str(error):  # newer models of OpenAI call it so
                self._limit = "max_completion_tokens"
                answer = self._asked(image, text, None, 16, more)
            elif error.status in (400, 413, 422):
                raise DataError(
                    f"{error}; it was asked with an image of {side} x {side} pixels: image_side "
                    "makes images smaller"
                ) from None
            else:
                raise
        return {**answer, "limit": self._limit}


_models: WeakValueDictionary[EndpointSettings, HttpModel] = WeakValueDictionary()
_making = threading.Lock()


def endpoint_model(endpoint: EndpointSettings) -> HttpModel:
    """Return the model of an endpoint; judges of one endpoint share its limits and counts."""
    with _making:
        found = _models.get(endpoint)
        if found is None:
            found = HttpModel(endpoint)
            _models[endpoint] = found
        return found


def yes_of(answer: Mapping[str, Any], logprobs: bool) -> YesNo:
    """Return how likely yes is by an answer, from its first token's log probabilities or its text.

    >>> first = [["Yes", -0.1], [" yes", -3.0], ["no", -3.5], ["The", -4.0]]
    >>> found = yes_of({"text": "Yes", "first": first, "refused": None}, True)
    >>> round(found.yes, 3), round(found.mass, 3)
    (0.969, 0.985)
    >>> yes_of({"text": "No, it does not.", "first": None, "refused": None}, False)
    YesNo(yes=0.0, mass=1.0, reason=None)
    """
    if answer["refused"]:
        return YesNo(reason=answer["refused"])
    if logprobs and answer["first"] is None:
        return YesNo(reason="the answer has no log probabilities")
    if logprobs:
        shares = {"yes": 0.0, "no": 0.0}
        for token, value in answer["first"]:
            word = token.strip().lower()
            if word in shares:
                shares[word] += math.exp(min(0.0, value))
        mass = shares["yes"] + shares["no"]
        if mass == 0:
            return YesNo(math.nan, 0.0, "neither yes nor no is among the likeliest answers")
        return YesNo(shares["yes"] / mass, min(1.0, mass))
    words = without_thoughts(answer["text"]).lower().replace("*", " ").split()
    first = words[0].strip(".,!:;\"'") if words else ""
    if first not in ("yes", "no"):
        return YesNo(reason="the answer is neither yes nor no")
    return YesNo(float(first == "yes"), 1.0)


def _encoded(image: Image) -> tuple[str, str]:
    """Return the hash of an image's pixels, and the image as a data URL."""
    image = image.convert("RGB")
    pixels = hashlib.sha256(json.dumps(image.size).encode() + image.tobytes()).hexdigest()
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return pixels, "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()

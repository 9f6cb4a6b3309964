"""The JSON form of a subset, and the two hashes that guard it.

A manifest is one flat object: the fields of :class:`flasheval.subset.Subset`, those that equal
their default left out, after four keys of the envelope: ``format``, ``schema_version``,
``content_hash`` and ``record_hash``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from flasheval.base.canonical import sha256_of
from flasheval.base.errors import DataError
from flasheval.base.json_data import from_plain, to_plain
from flasheval.subset.evidence import Record
from flasheval.subset.parts import Method, MetricInfo, SubsetPrompt

__all__ = ["content_hash", "read_manifest", "record_hash", "write_manifest"]

FORMAT = "flasheval-subset"
SCHEMA_VERSION = 1
_COVERED = {
    "content_hash": "the prompts, metrics, method or names",
    "record_hash": "the record, texts or tags",
}


class Described(Protocol):
    """The fields of `Subset` that a manifest holds, as a protocol."""

    @property
    def name(self) -> str:
        """The subset's name."""

    @property
    def prompt_set_name(self) -> str:
        """The prompt set's name."""

    @property
    def prompt_set_hash(self) -> str | None:
        """The prompt set's hash."""

    @property
    def prompts(self) -> tuple[SubsetPrompt, ...]:
        """The chosen prompts, in order."""

    @property
    def metrics(self) -> tuple[MetricInfo, ...]:
        """The metrics served."""

    @property
    def method(self) -> Method:
        """How the prompts were chosen."""

    @property
    def searched_variants(self) -> tuple[str, ...]:
        """The names of the variants searched."""

    @property
    def record(self) -> Record:
        """Evidence, calibration, versions and notes."""


DescribedT = TypeVar("DescribedT", bound=Described)


def content_hash(subset: Described) -> str:
    """Return the sha256 of the canonical JSON of a subset's content: 64 hex digits.

    It covers the schema version, the names of subset and prompt set and the latter's hash; id,
    text hash, weight, multiplicity and sources of each prompt in order; the metrics with their
    direction; the method with every setting and its seed; the names of the variants searched.

    >>> from flasheval.subset.subset import Subset
    >>> bare = Subset("one", "pets", None, (SubsetPrompt("7"),), (), Method("random"))
    >>> content_hash(bare)[:12]
    '2f0239f5f15f'
    """
    prompts = [
        {
            "id": prompt.id,
            "text_hash": prompt.text_hash,
            "weight": prompt.weight,
            "multiplicity": prompt.multiplicity,
            "sources": prompt.sources,
        }
        for prompt in subset.prompts
    ]
    content = {
        "schema_version": SCHEMA_VERSION,
        "name": subset.name,
        "prompt_set": {"name": subset.prompt_set_name, "hash": subset.prompt_set_hash},
        "prompts": prompts,
        "metrics": [[metric.name, metric.higher_is_better] for metric in subset.metrics],
        "method": [subset.method.name, subset.method.settings, subset.method.seed],
        "searched_variants": subset.searched_variants,
    }
    return sha256_of(content, path="subset")


def record_hash(subset: Described) -> str:
    """Return the sha256 of the record, the texts and any tags, with every digit of every float.

    It does not identify a subset; it makes any change of a measured number noticeable.

    Raises DataError when the record holds what JSON cannot, such as NaN, naming its key path.

    >>> from dataclasses import replace
    >>> from flasheval.subset.subset import Subset
    >>> one = Subset("one", "pets", None, (SubsetPrompt("7"),), (), Method("random"))
    >>> noted = replace(one, record=Record(notes=("checked by hand",)))
    >>> record_hash(one) == record_hash(noted), content_hash(one) == content_hash(noted)
    (False, True)
    """
    rest = {
        "record": to_plain(subset.record),
        "texts": [prompt.text for prompt in subset.prompts],
    }
    if any(prompt.tags for prompt in subset.prompts):  # older manifests have none
        rest["tags"] = [to_plain(prompt.tags) for prompt in subset.prompts]
    return sha256_of(rest, path="manifest", digits=17)


def write_manifest(subset: Described) -> dict[str, Any]:
    """Return the manifest as JSON data.

    Raises DataError as :func:`record_hash` does.

    >>> from flasheval.subset.subset import Subset
    >>> one = Subset("one", "pets", None, (SubsetPrompt("7"),), (), Method("random"))
    >>> data = write_manifest(one)
    >>> list(data)[:4], data["prompts"]
    (['format', 'schema_version', 'content_hash', 'record_hash'], [{'id': '7'}])
    """
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "content_hash": content_hash(subset),
        "record_hash": record_hash(subset),
        **to_plain(subset),
    }


def read_manifest(cls: type[DescribedT], data: object, source: str) -> DescribedT:
    """Return the subset, of type ``cls``, that the manifest ``data`` describes.

    Raises DataError, naming ``source`` and the key path, as :meth:`Subset.from_dict` says.

    >>> from flasheval.subset.subset import Subset
    >>> one = Subset("one", "pets", None, (SubsetPrompt("7"),), (), Method("random"))
    >>> data = write_manifest(one)
    >>> read_manifest(Subset, {**data, "name": "two"}, "one.json")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: one.json: the prompts, metrics, method or names do not ...
    """
    stored, body = _open_envelope(data, source)
    subset = from_plain(cls, body, source=source)
    try:
        computed = {"content_hash": content_hash(subset), "record_hash": record_hash(subset)}
    except DataError as error:  # a record that no JSON can hold
        raise DataError(f"{source}: {error}") from None
    for key, value in computed.items():
        if stored[key] != value:
            raise DataError(
                f"{source}: {_COVERED[key]} do not match {key} (it says {stored[key][:12]}, they "
                f"give {value[:12]}): changed or damaged after it was saved; fetch it again"
            )
    return subset


def _open_envelope(data: object, source: str) -> tuple[dict[str, str], dict[str, object]]:
    """Part a manifest into its hashes and its body, once it is known to be one we can read."""
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise DataError(
            f'{source}: not a subset manifest; expected an object with "format": "{FORMAT}"'
        )
    version = data.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise DataError(
            f"{source}: schema_version is {json.dumps(version, default=str)[:40]}, this flasheval "
            f"reads {SCHEMA_VERSION}; if the manifest is newer, upgrade flasheval"
        )
    for key in _COVERED:
        if not isinstance(data.get(key), str):
            raise DataError(f"{source}: {key} is missing or no string; save the subset again")
    body = dict(data)
    envelope = {key: body.pop(key) for key in ("format", "schema_version", *_COVERED)}
    return envelope, body

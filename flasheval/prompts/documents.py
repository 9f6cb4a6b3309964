"""Prompt lists in one JSON document: strings, texts by id, objects by id, Karpathy's split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flasheval.base.records import Records
from flasheval.base.text import plain_name
from flasheval.prompts.prompt_columns import ID_KEYS, TEXT_KEYS

__all__ = ["prompts_in"]


def prompts_in(document: Any) -> Records | None:
    """Return the prompts of a document as objects, each with its place in words.

    Returns None for any other document, such as a list of objects, which is a table.

    >>> prompts_in({"a": "A cat."})
    [("key 'a'", {'prompt_id': 'a', 'prompt': 'A cat.'})]
    >>> prompts_in(["A cat."])
    [('item 1', {'prompt': 'A cat.'})]
    >>> prompts_in([{"prompt": "A cat."}]) is None
    True
    >>> prompts_in({"pets": ["A cat."], "food": ["A pear."]})[1]
    ("'food' item 1", {'prompt': 'A pear.', 'category': 'food'})
    """
    if isinstance(document, list):
        if not document or not all(isinstance(one, str) for one in document):
            return None
        return [(f"item {place}", {"prompt": one}) for place, one in enumerate(document, 1)]
    if not isinstance(document, Mapping) or not document:
        return None
    images = document.get("images")
    if isinstance(images, list) and images and all(map(_has_sentences, images)):
        return list(_sentences(images))
    if "annotations" not in document and (found := list(_in_lists(document))):
        return found
    values = list(document.values())
    if all(isinstance(one, str) for one in values):
        return [
            (f"key {key!r}", {"prompt_id": key, "prompt": one}) for key, one in document.items()
        ]
    if all(isinstance(one, Mapping) and any(map(_is_text, one.values())) for one in values):
        return [(f"key {key!r}", {**one, "prompt_id": key}) for key, one in document.items()]
    return None


def _in_lists(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the prompts of lists under keys: one list, or one a category."""
    lists = {
        str(key): value
        for key, value in document.items()
        if isinstance(value, list) and value and all(isinstance(one, str | dict) for one in value)
    }
    # A table may be written as its columns.
    columns = {plain_name(key) for key in lists} & {*TEXT_KEYS, *ID_KEYS}
    several = len(lists) > 1
    if not lists or (several and (columns or len(lists) < len(document))):
        return
    for key, items in lists.items():
        for place, one in enumerate(items, 1):
            record = {"prompt": one} if isinstance(one, str) else one
            category = {"category": key} if several and "category" not in record else {}
            yield f"{key!r} item {place}", {**record, **category}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not value.strip().isdigit()


def _has_sentences(image: object) -> bool:
    return isinstance(image, Mapping) and isinstance(image.get("sentences"), list)


def _sentences(images: list[Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the captions of Karpathy's split, one object each."""
    for place, image in enumerate(images, start=1):
        told = {
            key: image[key]
            for key in ("split", "cocoid", "imgid", "filename")
            if isinstance(image.get(key), str | int)
        }
        for sentence in image["sentences"]:
            if isinstance(sentence, Mapping):
                text = {"prompt_id": sentence.get("sentid"), "prompt": sentence.get("raw")}
                yield f"image {place}", {**text, **told}

"""The keys that say how a file of prompts is read: `id`, `text` and `tags`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flasheval.base.errors import SettingError
from flasheval.prompts import PromptSet, load_prompts

__all__ = ["PROMPT_KEYS", "prompts_of", "with_prompts"]

PROMPT_KEYS = ("id", "text", "tags")


def with_prompts(config: Any) -> Any:
    """Return settings whose `prompts` are read, where a key says how; else the same settings.

    Raises SettingError where such a key has no `prompts`, DataError where they cannot be read.

    >>> from flasheval.cli.configs import ShowConfig
    >>> with_prompts(ShowConfig(prompts="coco.jsonl")).prompts
    'coco.jsonl'
    >>> with_prompts(ShowConfig(id="uid"))
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: id=uid names a column of prompts=FILE: add that
    """
    settings = {key: getattr(config, key, None) for key in ("prompts", *PROMPT_KEYS)}
    prompts = prompts_of(settings)
    return replace(config, prompts=prompts) if isinstance(prompts, PromptSet) else config


def prompts_of(settings: Mapping[str, Any]) -> Any:
    """Return the prompts of settings: read where a key says how, else as they are named.

    >>> prompts_of({"prompts": "coco.jsonl", "id": None})
    'coco.jsonl'
    """
    prompts = settings.get("prompts")
    given = [key for key in PROMPT_KEYS if settings.get(key) not in (None, "", [])]
    if not given:
        return prompts
    first = given[0]
    if not isinstance(prompts, str) or not prompts.strip():
        raise SettingError(f"{first}={settings[first]} names a column of prompts=FILE: add that")
    for key in ("id", "text"):
        if not isinstance(settings.get(key), str | None):
            raise SettingError(f"{key}={settings[key]}: expected the name of a column")
    tags = settings.get("tags")
    tags = [tags] if isinstance(tags, str) else tags
    if tags is not None and not (
        isinstance(tags, list | tuple) and all(isinstance(one, str) for one in tags)
    ):
        raise SettingError(f"tags={tags}: expected the name of a column, or a list of names")
    return load_prompts(
        prompts, id_key=settings.get("id"), text_key=settings.get("text"), tag_keys=tags or None
    )

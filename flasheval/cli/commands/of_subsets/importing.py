"""`flasheval subsets import`: someone else's subset as a manifest, with warnings about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import content_stem
from flasheval.base.json_data import check_keys, from_plain
from flasheval.base.run_folders import shown_path
from flasheval.cli.commands.context import Answer
from flasheval.cli.configs import SubsetsConfig
from flasheval.selection.released_subset import import_released
from flasheval.subset.library.catalogue import own_name

__all__ = ["run_import_subset"]

_USAGE = "flasheval subsets import FILE out=theirs.json"


@dataclass(frozen=True)
class _Settings:
    """What ``settings`` may hold; see `flasheval.selection.released_subset.import_released`."""

    scores: str | None = None
    searched: tuple[str, ...] = ()
    metric: str | None = None
    name: str | None = None
    texts: bool = False


def run_import_subset(config: SubsetsConfig, console: Console) -> Answer:
    """Write the manifest of a released subset, print it and every warning.

    Raises FlashevalError for settings or files that cannot be used.
    """
    if len(config.names) != 1:
        given = ", ".join(config.names) or "none"
        raise SettingError(f"import takes one file, not {given}: {_USAGE}")
    if not config.out or not config.out.endswith(".json"):
        raise SettingError(f"out={config.out}: expected a file in .json to write, as in {_USAGE}")
    source, out = Path(config.names[0]).expanduser(), Path(config.out).expanduser()
    if out.resolve() == source.resolve():
        raise SettingError(f"out={config.out} is the source itself; name another file")
    settings = _settings(config)
    released = import_released(
        source,
        prompts=config.prompts,
        scores=settings.scores,
        searched=settings.searched,
        metric=settings.metric,
        name=own_name(settings.name or content_stem(source), "settings.name"),
        texts=settings.texts,
    )
    path = shown_path(released.subset.save(out))
    for line in (str(released.subset), f"manifest: {path}", f"use it:   subset={path}"):
        console.print(line, soft_wrap=True, markup=False)
    subset = released.subset
    said = f"{subset.name}: {subset.size} prompts of {subset.prompt_set_name}"
    warnings = tuple(subset.record.warnings)
    result = {"kind": "manifests", "schema": 1, "manifests": [subset.to_dict()]}
    return Answer(result, said, warnings=warnings, files={"subset": out})


def _settings(config: SubsetsConfig) -> _Settings:
    check_keys(_Settings, config.settings, "import")
    try:
        return from_plain(_Settings, config.settings, source="settings of import")
    except DataError as error:
        raise SettingError(str(error)) from None

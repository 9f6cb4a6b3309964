"""`flasheval subsets export`: a subset as a file for another tool."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from flasheval.base.errors import SettingError
from flasheval.base.files import atomic_write
from flasheval.base.run_folders import shown_path
from flasheval.cli.commands.context import Answer
from flasheval.cli.configs import SubsetsConfig
from flasheval.subset.exports import FORMATS, make_format
from flasheval.subset.library import load_subset

if TYPE_CHECKING:
    from flasheval.subset import Subset
    from flasheval.subset.exports.format import Format

__all__ = ["run_export"]


def run_export(config: SubsetsConfig, console: Console) -> Answer:
    """Write the subset, and say what to give to the tool; without a file print it only.

    Raises FlashevalError for settings, a subset or texts that cannot be used.
    """
    usage = "flasheval subsets export NAME format=FORMAT out=FILE"
    if len(config.names) != 1:
        given = ", ".join(config.names) or "none"
        raise SettingError(f"export takes one subset, not {given}: {usage}")
    if not config.format:
        raise SettingError(f"format is missing: {usage}; there are: {', '.join(FORMATS)}")
    form = make_format(config.format, config.settings)
    path = _path(form, config.out)
    subset = load_subset(config.names[0], prompts=config.prompts)
    data = form.write(subset)
    if path is None:
        if not config.json:
            console.file.write(data.decode())  # as it is: a console would wrap and mark up
        return _answer(subset, config, {"text": data.decode()})
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)
    lines = (f"{subset.size} prompts: {shown_path(path)}", *form.how(shown_path(path)))
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
    return _answer(subset, config, {"how": lines[1:]}, path)


def _answer(
    subset: Subset, config: SubsetsConfig, more: Mapping[str, object], path: Path | None = None
) -> Answer:
    told = {"subset": subset.name, "format": config.format, "prompts": subset.size}
    said = f"{subset.size} prompts of {subset.name}, as {config.format}"
    files = {} if path is None else {"export": path}
    return Answer({"kind": "export", "schema": 1, **told, **more}, said, files=files)


def _path(form: Format, out: str | None) -> Path | None:
    if out is None:
        if form.binary:
            raise SettingError(f"{form.name} is binary and cannot be printed: add out=FILE")
        return None
    path = Path(out).expanduser()
    if form.suffix is not None and path.suffix.lower() != form.suffix:
        raise SettingError(
            f"out={out}: format {form.name} is read by its file name; "
            f"expected one ending in {form.suffix}"
        )
    return path

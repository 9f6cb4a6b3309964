"""What a report is made of: a search's run folder, a manifest, or a published subset."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError
from flasheval.base.resources import bundled
from flasheval.base.run_folders import MANIFEST, RUN_MARK
from flasheval.scores.parquet import is_saved_table
from flasheval.selection.held_out.report_files import REPORT
from flasheval.subset import Subset
from flasheval.subset.library import load_subset

__all__ = ["Origin", "find_origin", "run_with_images"]

_MADE_OF = "a report is made of a search's run folder, a manifest or a published subset"


@dataclass(frozen=True)
class Origin:
    """Where a report begins.

    Attributes:
        subset: The subset.
        folder: The run folder of its search; None for a bare manifest.
        settings: The search's settings as on its command line; empty where they are not known.
        working_folder: Where relative paths of those settings start.
        command: What makes the subset again; empty where it is not known.

    Example:
        >>> from flasheval.subset.library import load_subset
        >>> origin = Origin(load_subset("coco-clip-50"))
        >>> origin.subset.size, origin.folder, origin.kept_images
        (50, None, None)

    """

    subset: Subset
    folder: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    working_folder: Path = Path()
    command: str = ""

    @property
    def kept_images(self) -> Path | None:
        """The run of a population that the search's scores are of, where it kept images."""
        return run_with_images(self.located(self.settings.get("scores")))

    def located(self, path: object) -> Any:
        """Return a path of the settings (or a mapping of them) as it is found from here.

        Example:
            >>> from flasheval.subset.library import load_subset
            >>> origin = Origin(load_subset("coco-clip-50"), working_folder=Path("no-such-folder"))
            >>> origin.located("scores"), origin.located(None)  # what is not found stays as it is
            ('scores', None)

        """
        if isinstance(path, Mapping):
            return {key: self.located(one) for key, one in path.items()}
        if not isinstance(path, str) or Path(path).exists():
            return path
        there = self.working_folder / path
        return str(there) if there.exists() else path


def run_with_images(scores: object) -> Path | None:
    """Return the folder that scores are read from, where it is a run that kept images.

    Example:
        >>> run_with_images("no-such-run") is None, run_with_images(None) is None
        (True, True)

    """
    if not isinstance(scores, str):
        return None
    run = Path(scores)
    return run if (run / RUN_MARK).is_file() and (run / "images").is_dir() else None


def find_origin(source: str | Path) -> Origin:
    """Read what a report is made of.

    Args:
        source: The run folder of `flasheval search`, or what `flasheval.load_subset` reads: the
            name of a published subset, a manifest, an address on the Hub.

    Raises:
        SettingError: No subset of that name.
        DataError: It cannot be read, or is something else.

    Example:
        >>> find_origin("coco-clip-50").subset.name
        'coco-clip-50'

    """
    path = Path(source).expanduser()
    if path.is_dir() and (isinstance(source, Path) or source not in bundled()):
        return _of_folder(path)
    return Origin(load_subset(source))


def _of_folder(folder: Path) -> Origin:
    if not (folder / MANIFEST).is_file():
        raise DataError(_what_else(folder))
    config = folder / "config"
    hydra = _yaml(config / "hydra.yaml")
    words = _yaml(config / "overrides.yaml")
    settings = _yaml(config / "config.yaml")
    cwd = hydra.get("hydra", {}).get("runtime", {}).get("cwd", "") if hydra else ""
    command = shlex.join(["flasheval", "search", *map(str, words)]) if settings else ""
    return Origin(
        Subset.load(folder / MANIFEST),
        folder,
        settings if isinstance(settings, Mapping) else {},
        Path(str(cwd)),
        command,
    )


def _what_else(folder: Path) -> str:
    """Say what a folder without a manifest is, and what to name instead."""
    if (folder / REPORT).is_file():
        return f"{folder} is a comparison of methods, whose report is report.md in it; {_MADE_OF}"
    if (folder / RUN_MARK).is_file():
        return (
            f"{folder} is the run of a population; {_MADE_OF}: "
            f"flasheval search scores={folder}, then flasheval report of its folder"
        )
    if is_saved_table(folder):
        return f"{folder} holds scores; {_MADE_OF}: flasheval search scores={folder} first"
    inside = sorted(path.parent.name for path in folder.glob(f"*/{MANIFEST}"))
    if inside:
        return f"{folder} holds {len(inside)} searches; name one of them, such as {inside[0]}"
    return f"{folder} has no {MANIFEST}; {_MADE_OF}"


def _yaml(path: Path) -> Any:
    """Return what a file of settings holds; nothing where it is absent or damaged."""
    import yaml

    try:
        return yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError):
        return {}

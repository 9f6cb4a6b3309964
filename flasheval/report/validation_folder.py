"""The folder of one validation: what it is called and what lies in it.

Beside the command line's own `config/` a finished run holds `report.md` (all tables, for people),
`agreement.png`, `cells.parquet` (every measurement), `random.parquet` (the random baseline),
`validation.json` (what `flasheval.ValidationReport.load` reads), `validate.log`, and `units/`, the
searches already done; `learning.parquet` too where the number of search variants was varied.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.drawing.markdown import markdown
from flasheval.base.drawing.view import Line, View
from flasheval.base.files import atomic_write
from flasheval.base.run_folders import run_name

if TYPE_CHECKING:
    from flasheval.selection.held_out.report import ValidationReport

__all__ = ["LOG", "PLOT", "TEXT", "markdown_report", "validation_name", "write_validation"]

TEXT = "report.md"
PLOT = "agreement.png"
LOG = "validate.log"


def validation_name(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Return the name of the run with these settings.

    As for a search: scores, metric, methods, sizes and seed can be read off it, and a short hash
    stands for all else that is not the default. `workers` changes no number and no name.

    Args:
        settings: Key to value as on the command line.
        defaults: The same keys with their default values.

    Example:
        >>> from dataclasses import asdict
        >>> from flasheval.cli.configs import ValidateConfig
        >>> defaults = asdict(ValidateConfig())
        >>> validation_name({**defaults, "methods": ["balanced"], "size": [10, 50]}, defaults)
        'miniature-all-balanced-10+50-seed0'

    """
    given = settings["methods"]
    methods = given if isinstance(given, list) else [given]
    names = [one.get("name", "") if isinstance(one, Mapping) else one for one in methods]
    sizes = settings["size"] if isinstance(settings["size"], list) else [settings["size"]]
    plain = {
        key: value
        for key, value in settings.items()
        if key not in ("methods", "size", "workers")
        and not (key == "reference" and value == defaults["reference"])
    }
    plain["method"] = {"name": "+".join(map(str, names))}
    plain["size"] = "+".join(map(str, sizes))
    known = {**defaults, "method": plain["method"]}
    if any(isinstance(one, Mapping) for one in methods):
        plain["methods"] = methods  # their settings count too
    return run_name(plain, known)


def write_validation(report: ValidationReport, folder: Path, command: str) -> None:
    """Write the report's files, its text and its plot; DataError where they cannot be."""
    from flasheval.base.drawing.figures import save_png

    report.save(folder)
    with atomic_write(folder / TEXT) as temporary:
        temporary.write_text(markdown_report(report, command, image=PLOT), "utf-8")
    save_png(report.view().figures[0], folder / PLOT)


def markdown_report(report: ValidationReport, command: str = "", *, image: str = "") -> str:
    """Return the whole report: every table, for people and for pasting.

    Args:
        report: The report.
        command: What was typed, to be shown at its end.
        image: File name of the plot, to be shown after the answer.

    Example:
        >>> from flasheval.selection.held_out.report import ValidationReport
        >>> report = ValidationReport("coco", 5000, 48, ("clip",), (), (), (50,), 50)
        >>> print(markdown_report(report, "flasheval validate").splitlines()[0])
        # Validation of search methods

    """
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    said = f"seed {report.seed}, {report.draws} random subsets a size; {versions}"
    created = f"\n({report.created})" if report.created else ""
    made = (Line("Made by", "chapter"), Line(command, "code"), Line(said + created))
    whole = View((*report.view(detail=True).parts, *made))
    return f"# Validation of search methods\n\n{markdown(whole, image=image)}"

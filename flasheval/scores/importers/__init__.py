"""Importers: score files in other layouts, read into a ScoreTable with a list of faults.

``import_scores("flasheval-official", root, prompts=...)`` runs the importer of that name.
"""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from flasheval.base.errors import SettingError
from flasheval.base.suggest import nearest
from flasheval.scores.importers.flasheval_official import import_flasheval_official
from flasheval.scores.importers.long_table import import_long_table
from flasheval.scores.importers.npz import import_npz
from flasheval.scores.importers.result import Fault, ImportResult
from flasheval.scores.importers.wide_table import import_wide_table

__all__ = ["IMPORTERS", "Fault", "ImportResult", "Importer", "import_scores"]

Importer = Callable[..., ImportResult]

IMPORTERS: Mapping[str, Importer] = {
    "flasheval-official": import_flasheval_official,
    "long": import_long_table,
    "wide": import_wide_table,
    "npz": import_npz,
}
"""The importers by name; each takes a source and settings and gives an ImportResult."""


def import_scores(importer: str, source: Any, /, **settings: Any) -> ImportResult:
    """Run the importer of this name on ``source``.

    Raises SettingError for a name or setting that is not known, and DataError as the importer
    does.

    >>> import_scores("wid", "scores.csv")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: there is no importer 'wid'; there are: ...
    """
    if importer not in IMPORTERS:
        raise SettingError(
            f"there is no importer {importer!r}; there are: {', '.join(IMPORTERS)}"
            f"{nearest(importer, IMPORTERS)}"
        )
    run = IMPORTERS[importer]
    known = list(signature(run).parameters)[1:]
    for name in settings:
        if name not in known:
            raise SettingError(
                f"importer {importer!r} has no setting {name!r}; it has: {', '.join(known)}"
                f"{nearest(name, known)}"
            )
    return run(source, **settings)

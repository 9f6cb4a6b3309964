"""Importers: score files in other layouts, read into a ScoreTable with a list of faults.

``import_scores("flasheval-official", root, prompts=...)`` runs the importer of that name.
"""

from typing import Any

from flasheval.base.registry import Registry
from flasheval.scores.importers.flasheval_official import FlashevalOfficial
from flasheval.scores.importers.importer import Importer
from flasheval.scores.importers.long_table import LongTable
from flasheval.scores.importers.npz import Npz
from flasheval.scores.importers.result import Fault, ImportResult
from flasheval.scores.importers.wide_table import WideTable

__all__ = ["IMPORTERS", "Fault", "ImportResult", "Importer", "import_scores"]

IMPORTERS: Registry[Importer] = Registry(
    "importer", "flasheval.importers", Importer, [FlashevalOfficial, LongTable, WideTable, Npz]
)
"""The importers by name."""


def import_scores(importer: object, source: Any, /, **settings: Any) -> ImportResult:
    """Read ``source`` with an importer.

    Args:
        importer: A name; a mapping of settings with the ``name``; or an importer.
        source: What it reads, a path mostly.
        settings: The importer's settings, beside a name.

    Raises:
        SettingError: A name, a setting or a value that cannot be.
        DataError: What the importer cannot read.

    >>> import_scores("wid", "scores.csv")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: there is no importer 'wid'; there are: ...

    """
    return IMPORTERS.make(importer, settings).read(source)

"""Importers: score files in other layouts, read into a ScoreTable with a list of faults.

``import_scores("flasheval-official", root, prompts=...)`` runs the importer of that name.
"""

from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError
from flasheval.base.registry import Registry
from flasheval.scores.importers.flasheval_official import FlashevalOfficial
from flasheval.scores.importers.importer import Importer
from flasheval.scores.importers.long_table import LongTable
from flasheval.scores.importers.npz import Npz
from flasheval.scores.importers.result import Fault, ImportResult
from flasheval.scores.importers.results.evalscope import Evalscope
from flasheval.scores.importers.results.every_eval_ever import EveryEvalEver
from flasheval.scores.importers.results.genai_bench import GenAiBench
from flasheval.scores.importers.results.geneval import GenEval
from flasheval.scores.importers.results.heim import Heim
from flasheval.scores.importers.results.imagenhub import ImagenHub
from flasheval.scores.importers.results.lm_eval import LmEval
from flasheval.scores.importers.results.t2i_compbench import T2iCompBench
from flasheval.scores.importers.results.tifa import Tifa
from flasheval.scores.importers.results.tiif import Tiif
from flasheval.scores.importers.results.unigenbench import UniGenBench
from flasheval.scores.importers.results.vbench import VBench
from flasheval.scores.importers.results.wise import Wise
from flasheval.scores.importers.wide_table import WideTable

__all__ = ["IMPORTERS", "Fault", "ImportResult", "Importer", "import_scores", "recognised"]

IMPORTERS: Registry[Importer] = Registry(
    "importer",
    "flasheval.importers",
    Importer,
    [
        FlashevalOfficial,
        LongTable,
        WideTable,
        Npz,
        GenEval,
        T2iCompBench,
        Tiif,
        Heim,
        GenAiBench,
        Tifa,
        ImagenHub,
        VBench,
        Evalscope,
        EveryEvalEver,
        LmEval,
        Wise,
        UniGenBench,
    ],
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


def recognised(path: Path) -> str | None:
    """Return the name of the importer that tells a file or folder by its shape, else None.

    An importer, another package's too, tells by a class method ``recognises(path) -> bool``.
    Raises DataError where several do: a folder may hold the results of several benchmarks.

    >>> recognised(Path("no-such-folder")) is None
    True

    """
    tellers = {
        name: importer.recognises for name, importer in IMPORTERS.items() if _tells(importer)
    }
    found = [name for name, recognises in tellers.items() if recognises(path)]
    if len(found) > 1:
        raise DataError(
            f"{path} holds results of {len(found)} layouts ({', '.join(found)}); name a folder of "
            f"one, or import one: flasheval import {found[0]} source=... out=..."
        )
    return found[0] if found else None


def _tells(importer: type[Any]) -> bool:
    return callable(getattr(importer, "recognises", None))

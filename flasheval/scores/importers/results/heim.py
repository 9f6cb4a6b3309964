"""Importer of HEIM's and HELM's runs: `per_instance_stats.json`, one a run folder."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from flasheval.base.errors import DataError
from flasheval.scores.importers.results.cells import Cells
from flasheval.scores.importers.results.files import read_document, walk
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["Heim"]

_FILE = "per_instance_stats.json"
_MODEL = re.compile(r"[:,]?model=([^,]+)")
# What a run counts beside its scores.
_COUNTS = re.compile(
    r"num_.*|batch_size|inference_.*|training_.*|finish_reason_.*|prompt_truncated|max_prob|logprob"
    r"|logprob_per_byte|bits_per_byte|perplexity"
)


@dataclass(frozen=True)
class Heim(ResultLayout):
    """Read a folder of HEIM's runs, such as ``runs/v0/mscoco:model=MAKER_NAME``.

    Models go by their name without the maker's. A metric is a statistic, its score the mean over
    the images; counts and times are left out. Of several scenarios the name stands before the
    prompts' ids. ``instances.json`` gives the texts.
    """

    name: ClassVar[str] = "heim"
    title: ClassVar[str] = "HEIM results"
    expected: ClassVar[str] = "SCENARIO:model=NAME/per_instance_stats.json"
    repeats: ClassVar[str] = "trials"

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the files per_instance_stats.json."""
        return (path for path in walk(source, most) if path.name == _FILE)

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up the statistics of each instance, which is a prompt."""
        runs = [Path(os.path.abspath(path)).parent.name for path in files]
        named = _short({found[1] for run in runs if (found := _MODEL.search(run))})
        for path, run in zip(files, runs, strict=True):
            found = _MODEL.search(run)
            cells.start(path, named[found[1]] if found else run)
            scenario = _MODEL.sub("", run) if found else ""
            texts = _texts(path.with_name("instances.json"))
            records = read_document(path, self.title)
            if not isinstance(records, list):
                raise DataError(f"{path}: expected a list of instances with their stats")
            for number, record in enumerate(records, start=1):
                _add(cells, record, f"instance {number}", scenario, texts)


def _add(cells: Cells, record: Any, where: str, scenario: str, texts: dict[str, Any]) -> None:
    try:
        identifier = record["instance_id"]
        changed = (record.get("perturbation") or {}).get("name")
        text = None if changed else texts.get(identifier)
        prompt = cells.prompt(
            f"{identifier}~{changed}" if changed else identifier, where, text=text, group=scenario
        )
        stats = [(stat["name"], stat.get("mean")) for stat in record["stats"]]
        named = [(name["name"], mean) for name, mean in stats if not name.get("perturbation")]
        trial = int(record.get("train_trial_index") or 0)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(
            f"{cells.path} {where}: expected an instance_id and stats with a name each "
            f"({type(error).__name__}: {error})"
        ) from error
    for metric, mean in named:
        if not _COUNTS.fullmatch(metric):
            cells.add(metric, prompt, mean, where, trial)


def _short(models: set[str]) -> dict[str, str]:
    """Return models without their makers (``maker_model``), where that keeps all of them apart."""
    short = {model: model.partition("_")[2] or model for model in models}
    apart = len(set(short.values())) == len(models)
    return short if apart else {model: model for model in models}


def _texts(path: Path) -> dict[str, Any]:
    """Return the instances' texts by id, where their file lies beside the statistics."""
    if not path.is_file():
        return {}
    found = read_document(path, "a list of instances")
    texts = {}
    for record in found if isinstance(found, list) else []:
        if isinstance(record, dict) and isinstance(record.get("id"), str):
            given = record.get("input")
            texts[record["id"]] = given.get("text") if isinstance(given, dict) else given
    return texts

"""The subsets that FlashEval's authors released: JSON lines of prompts, a file a subset.

Each line holds an id, a caption and where the prompt comes from; a prompt drawn twice stands twice.
Three things are wrong with these files (docs/evidence/released-subsets.md): half repeat prompts,
those labelled Aesthetic and CLIP are each other's, and those of DiffusionDB fit COCO's ranking.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import content_stem, read_bytes
from flasheval.base.ids import prompt_id
from flasheval.base.records import Records, read_records
from flasheval.base.suggest import nearest
from flasheval.base.versions import library_versions, utc_now
from flasheval.prompts import PromptSet, text_hash
from flasheval.prompts.loading import as_prompts
from flasheval.scores import ScoreTable, load_scores
from flasheval.selection.released_labels import Label, about_label, label_of, metric_of
from flasheval.subset import Method, Subset, SubsetPrompt
from flasheval.subset.evidence import Record
from flasheval.subset.library.catalogue import own_name

if TYPE_CHECKING:
    from flasheval.selection.held_out.audit import Fit
    from flasheval.subset import Subset, SubsetPrompt

__all__ = ["ReleasedSubset", "import_released"]

_SOURCES = ("image_id", "image_name", "part_id")
_DRAWS = 200  # random subsets to compare with; only their mean tau counts


@dataclass(frozen=True)
class ReleasedSubset:
    """An imported subset, and which rankings it fits.

    Attributes:
        subset: Its record holds the warnings, and notes of where it comes from.
        fits: Every metric against its own full ranking, best first; none without scores.

    """

    subset: Subset
    fits: tuple[Fit, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user of it should know, one line each."""
        return self.subset.record.warnings


def import_released(
    path: str | Path,
    *,
    prompts: PromptSet | str | Path | None = None,
    scores: ScoreTable | str | Path | None = None,
    searched: Sequence[str] = (),
    metric: str | None = None,
    name: str | None = None,
    texts: bool = False,
) -> ReleasedSubset:
    """Read one released subset, or any JSON lines of ids and captions, repeats and all.

    Args:
        path: The file, as it was released.
        prompts: The prompt set it was chosen from, or its file; that of the scores when not given.
        scores: Scores of the whole prompt set, to learn which ranking it fits, or their folder.
        searched: Names of the variants its search saw, where known; a fit shows best on these.
        metric: The metric it is to serve. By default the one it fits; without scores that of the
            file's name, Aesthetic and CLIP exchanged for the authors' files.
        name: Its name; the file's by default.
        texts: Keep the prompts' texts. They are not the authors' to license, nor yours.

    Returns:
        The subset, its method ``imported``; a prompt's multiplicity says how often it was drawn.

    Raises:
        DataError: A file or row that cannot be used, or a prompt set that has none of the prompts.
        SettingError: No metric is known, or one that the scores lack; or the name is that of a
            shipped subset.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path, row = Path(folder, "mine.json"), '{"id": 1, "caption": "a cat"}'
        ...     _ = path.write_text(f"[{row}, {row}]")
        ...     found = import_released(path, metric="clip")
        >>> [(one.id, one.multiplicity) for one in found.subset.prompts], len(found.warnings)
        ([('1', 2)], 1)

    """
    path = Path(path)
    name = own_name(name or content_stem(path))
    rows = _rows(path)
    label = label_of(path)
    table = load_scores(scores) if isinstance(scores, str | Path) else scores
    prompt_set = None if table is None else table.prompts
    if prompts is not None:
        prompt_set = as_prompts(prompts)
    members = _members(path, rows, texts)
    faults = [] if prompt_set is None else list(_other_prompts(members, prompt_set))
    fits = () if table is None else _fits(table, members, searched)
    warnings = [*_repeats(members), *faults, *about_label(label, fits, table)]
    subset = Subset(
        name,
        prompt_set.name if prompt_set is not None else label.prompt_set if label else "unknown",
        None if prompt_set is None or faults else prompt_set.hash,
        members,
        (metric_of(metric, label, fits, table),),
        Method("imported", _settings(path, label)),
        tuple(searched),
        Record(
            versions=library_versions(),
            created=utc_now(),
            notes=_notes(path, label),
            warnings=tuple(warnings),
        ),
    )
    return ReleasedSubset(subset, fits)


def _rows(path: Path) -> Records:
    if re.search(r"\.(tar(\..+)?|tgz|zip)$", path.name, re.IGNORECASE):
        raise DataError(
            f"{path} is an archive: unpack it (tar xf {path.name}) and give one of its .json files"
        )
    return read_records(path, "released subset")


def _members(path: Path, rows: Records, keep_texts: bool) -> tuple[SubsetPrompt, ...]:
    first: dict[str, tuple[str, dict[str, Any]]] = {}
    draws: Counter[str] = Counter()
    for where, row in rows:
        try:
            identifier = prompt_id(_value(row, ("id", "prompt_id")))
            text = _value(row, ("caption", "prompt", "text"))
            if not isinstance(text, str):
                raise DataError(f"its caption is {text!r:.40}, no text")
            same = text_hash(text) == text_hash(first.setdefault(identifier, (text, row))[0])
        except DataError as error:
            raise DataError(f"{path} {where}: {error}") from None
        if not same:
            raise DataError(f"{path} {where}: prompt {identifier} has another text further up")
        draws[identifier] += 1
    return tuple(
        SubsetPrompt(
            id=identifier,
            text_hash=text_hash(text),
            multiplicity=draws[identifier],
            sources={key: str(row[key]) for key in _SOURCES if row.get(key) is not None},
            text=text if keep_texts else None,
        )
        for identifier, (text, row) in first.items()
    )


def _value(row: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    for key in keys:
        if key in row:
            return row[key]
    raise DataError(f"it has none of the keys {', '.join(keys)}")


def _repeats(members: tuple[SubsetPrompt, ...]) -> list[str]:
    draws = sum(one.multiplicity for one in members)
    if draws == len(members):
        return []
    return [
        f"{draws - len(members)} of its {draws} draws repeat a prompt, {len(members)} are "
        "different: each is kept once and counts as often as it was drawn"
    ]


def _other_prompts(members: tuple[SubsetPrompt, ...], prompts: PromptSet) -> Iterator[str]:
    """Say which prompts are not in the prompt set, or are others there."""
    hashes: Sequence[str | None] = prompts.text_hashes or (None,) * len(prompts)
    there = dict(zip(prompts.ids, hashes, strict=True))
    missing = [one.id for one in members if one.id not in there]
    if len(missing) == len(members):
        raise DataError(
            f'none of its {len(members)} prompts is in prompt set "{prompts.name}"; '
            "give the prompt set it was chosen from"
        )
    other = [one.id for one in members if there.get(one.id) not in (None, one.text_hash)]
    for ids, what in ((missing, "are not in"), (other, "have another text in")):
        if ids:
            shown = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
            yield f'{len(ids)} of its prompts {what} prompt set "{prompts.name}" ({shown})'
    if prompts.text_hashes is None:
        yield f'prompt set "{prompts.name}" has no texts here, so they were not compared'


def _fits(
    table: ScoreTable, members: tuple[SubsetPrompt, ...], searched: Sequence[str]
) -> tuple[Fit, ...]:
    """Hold a subset's ranking of the variants to the full one, metric by metric."""
    from flasheval.selection.held_out.audit import audit_subset

    for fault in _other_prompts(members, table.prompts):
        if table.prompts.text_hashes is not None:
            raise DataError(f"the scores are of other prompts: {fault}")
    whole, _ = table.complete()
    unknown = [name for name in searched if name not in whole.variant_names]
    if unknown:
        hint = nearest(unknown[0], whole.variant_names)
        raise SettingError(f"searched: no complete variant {unknown[0]!r} in the scores{hint}")
    rows = [whole.variant_names.index(name) for name in searched]
    positions = whole.prompts.index_of([one.id for one in members])
    fits = audit_subset(
        whole,
        np.repeat(positions, [one.multiplicity for one in members]),
        variants=rows or None,
        draws=_DRAWS,
        replace=any(one.multiplicity > 1 for one in members),
        rng=np.random.default_rng(0),
    )
    # A search fits a metric's scores to that metric's ranking; another's comes near by chance.
    return tuple(fit for fit in fits if fit.metric == fit.ranking)


def _settings(path: Path, label: Label | None) -> dict[str, str]:
    settings = {"file": path.name, "sha256": hashlib.sha256(read_bytes(path)).hexdigest()}
    return settings if label is None else {**settings, "label": label.metric}


def _notes(path: Path, label: Label | None) -> tuple[str, ...]:
    if label is None:
        return (f"imported from {path.name}",)
    return (
        f"imported from {path.name}, released by the authors of FlashEval (CVPR 2024) at "
        "github.com/thu-nics/FlashEval, which names no licence",
    )

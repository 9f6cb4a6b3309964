"""Loading votes from files, folders of files, and tables in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import reduce
from pathlib import Path
from typing import Any

from flasheval.base.arguments import checked_arguments
from flasheval.base.columns import Columns
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import content_suffix
from flasheval.base.records import Records
from flasheval.base.table_files import TABLE_SUFFIXES, read_columns
from flasheval.prompts import PromptSet
from flasheval.prompts.loading import as_prompts
from flasheval.scores.importers.in_memory import from_memory, named_by_kind
from flasheval.scores.votes.files import PROMPT_SET, in_saved_order
from flasheval.scores.votes.reading import OWN_FORM, checked_columns, votes_in
from flasheval.scores.votes.votes import Votes

__all__ = ["FORMAT", "KEPT", "load_votes"]

FORMAT, VERSION = "flasheval-votes", 1
"""What the JSON of the page that collects votes says it is."""

KEPT = "votes.parquet"
"""What a folder of ranked votes keeps them in."""

_NAME = "votes"


@checked_arguments
def load_votes(
    source: Any,
    *,
    columns: Mapping[str, str] | None = None,
    prompts: PromptSet | str | Path | None = None,
    drop: str | Sequence[str] = (),
) -> Votes:
    """Read votes: who met whom, on which prompt, and who won.

    Args:
        source: A CSV, TSV, Excel, Parquet, Feather, JSON or JSON-lines file with a row a vote; the
            JSON of the page that collects votes; a folder of such files or a list of them, whose
            votes are joined; a pandas or polars frame, an Arrow table or a list of records; or
            votes, which are returned.
        columns: Which columns are what: `model_a` and `model_b`, `winner`, `prompt` (ids), `text`,
            `rater`, `seconds`, `left` (which model was shown left), `image`, or `image_a` and
            `image_b`. What is not said is told from the names; columns that are nothing of
            this are left alone.
        prompts: The prompts voted on, or their file: texts, tags and order come from there, and
            votes with texts alone find their ids.
        drop: Variants to leave out, with all of their votes.

    A winner is ``a``, ``b``, ``model_a``, ``left``, ``right``, a model's name, ``tie``, ``both
    bad`` and the like, 1, 2 and 0, or columns ``winner_model_a``, ``winner_model_b`` and
    ``winner_tie`` of ones and zeros. Prompts with texts and no ids have the start of the
    text's hash as id.

    Raises:
        SettingError: A source or a setting that cannot be.
        DataError: A file that cannot be read, or a row that cannot be used, with its place.

    >>> votes = load_votes([
    ...     {"model_a": "sd15", "model_b": "sdxl", "prompt_id": "1", "winner": "b"},
    ...     {"model_a": "sdxl", "model_b": "sd15", "prompt_id": "2", "winner": "tie"},
    ... ])
    >>> votes.variants, votes.outcome.tolist()
    (('sd15', 'sdxl'), [-1, 0])

    """
    asked = checked_columns(columns)
    known = None if prompts is None else as_prompts(prompts)
    return _loaded(source, asked, known).without(drop)


def _loaded(source: Any, asked: Mapping[str, str], prompts: PromptSet | None) -> Votes:
    if isinstance(source, Votes):
        if asked:
            raise SettingError("these are votes already: leave out columns")
        return source
    if isinstance(source, str | Path):
        files = _files(source)
        return reduce(Votes.merge, [_of_file(path, asked, prompts) for path in files])
    if _is_paths(source):
        parts = [_loaded(one, asked, prompts) for one in source]
        return reduce(Votes.merge, parts)
    with named_by_kind(source):
        found = from_memory(source, None, None, None)
        if not isinstance(found, Columns):
            raise SettingError(
                "votes are read from a file, a folder of files, a list of either, a frame, an "
                "Arrow table or a list of records; scores become votes with "
                "flasheval.scores.votes.votes_from_scores"
            )
        return _of_columns(found, asked, prompts, _NAME)


def _is_paths(source: Any) -> bool:
    listed = isinstance(source, Sequence) and not isinstance(source, str | bytes)
    return listed and len(source) > 0 and all(isinstance(one, str | Path) for one in source)


def _files(source: str | Path) -> list[Path]:
    if not str(source) or "\0" in str(source):
        raise SettingError(f"votes={str(source)!r}: expected a file or a folder of votes")
    path = Path(source).expanduser()
    if not path.is_dir():
        return [path]
    if (path / KEPT).is_file():  # beside a board's own files
        return [path / KEPT]
    found = [
        one
        for one in sorted(path.iterdir())
        if content_suffix(one) in TABLE_SUFFIXES and not one.name.startswith(".")
    ]
    if not found:
        raise DataError(f"{path} holds no file of votes; expected {', '.join(TABLE_SUFFIXES)}")
    return found


def _of_file(path: Path, asked: Mapping[str, str], prompts: PromptSet | None) -> Votes:
    of_page: list[str] = []

    def records_in(document: Any) -> Records | None:
        if not isinstance(document, Mapping) or not isinstance(document.get("votes"), list):
            return None
        name = _checked_page(path, document)
        if name is not None:
            of_page.append(name)
        return _records(path, document["votes"])

    columns = read_columns(path, "file of votes", records_in=records_in)
    if of_page:
        columns = replace(columns, metadata={OWN_FORM: str(VERSION), PROMPT_SET: of_page[0]})
    return _of_columns(columns, asked, prompts, columns.metadata.get(PROMPT_SET) or path.stem)


def _checked_page(path: Path, document: Mapping[str, Any]) -> str | None:
    """Return the name of the prompt set where this is the JSON of the page; check its version."""
    if document.get("format") != FORMAT:
        return None
    if document.get("version") != VERSION:
        raise DataError(
            f"{path} has the version {document.get('version')} of {FORMAT}, this flasheval reads "
            f"{VERSION}; update flasheval"
        )
    named = document.get("prompt_set")
    return named if isinstance(named, str) and named else path.stem


def _records(path: Path, votes: list[Any]) -> Records:
    for number, one in enumerate(votes, 1):
        if not isinstance(one, dict):
            raise DataError(f"{path} vote {number}: expected an object, as {{model_a: ...}}")
    return [(f"vote {number}", one) for number, one in enumerate(votes, 1)]


def _of_columns(
    columns: Columns, asked: Mapping[str, str], prompts: PromptSet | None, name: str
) -> Votes:
    found = in_saved_order(votes_in(columns, asked, prompts, name), columns)
    return Votes(**{one.name: getattr(found, one.name) for one in fields(found)})

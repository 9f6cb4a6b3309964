"""Writing subsets as a folder that the Hub and `datasets` can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flasheval.base.errors import SettingError
from flasheval.subset.library import resolve
from flasheval.subset.library.hub import PUBLIC_NAME
from flasheval.subset.subset import Subset
from flasheval.subset.upload.card import write_card
from flasheval.subset.upload.folder import files_in, whole_folder
from flasheval.subset.upload.licences import card_licences, licence_warnings
from flasheval.subset.upload.tables import write_evidence, write_prompt_table

if TYPE_CHECKING:
    from flasheval.subset.library.rows import Source

__all__ = [
    "Publication",
    "public_name",
    "publish",
]

_LAYOUT = ("README.md", "evidence.csv", "data/*.parquet", "manifests/*.json")


@dataclass(frozen=True)
class Publication:
    """A folder ready to upload.

    Attributes:
        folder: the path of the folder.
        subsets: its subsets, in the order given, with the texts that were included.
        files: its files as relative paths with ``/``; nothing else is uploaded.
        warnings: what to check before uploading, one line each.

    """

    folder: Path
    subsets: tuple[Subset, ...]
    files: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def configs(self) -> tuple[str, ...]:
        """The names of the configurations, the default first."""
        return tuple(subset.name for subset in self.subsets)


def publish(
    subsets: Sequence[Subset],
    out: str | Path,
    *,
    title: str | None = None,
    prompts: Source | None = None,
    license: str | None = None,
    repo: str | None = None,
    overwrite: bool = False,
) -> Publication:
    """Write subsets as a data set that can be uploaded; nothing is uploaded here.

    The folder holds ``README.md`` (the card, with a configuration for each subset, the first the
    default), ``data/NAME.parquet``, ``manifests/NAME.json`` and ``evidence.csv``. The same
    arguments give the same bytes. It appears only when it is complete.

    Args:
        subsets: At least one; their names must differ in more than case.
        out: The folder; an existing one may hold nothing but an earlier state of this.
        title: The title of the card; made from the names when None.
        prompts: Your copy of the prompt set, whose texts are included, as in
            :func:`flasheval.load_subset`. None includes only the texts that the manifests carry;
            see :meth:`Subset.without_texts`.
        license: The Hub's name of the licence; that of the source where it is known when None.
        repo: ``OWNER/NAME`` on the Hub, for the card's examples.
        overwrite: Replace another publication that the folder holds.

    Raises:
        SettingError: No subset, a name that the Hub could not take, one given twice.
        DataError: Prompts that do not fit, or a folder that holds other files.

    >>> import tempfile
    >>> from flasheval.subset.subset import Method, SubsetPrompt
    >>> one = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     publish([one], f"{folder}/out", license="cc-by-4.0").files
    ('README.md', 'data/one.parquet', 'evidence.csv', 'manifests/one.json')

    """
    chosen = _with_texts(_checked(subsets), prompts)
    card_licences(chosen, license)  # before anything is written
    with whole_folder(Path(out), replaced=_LAYOUT if overwrite else ()) as folder:
        for subset in chosen:
            write_prompt_table(subset, folder / "data" / f"{subset.name}.parquet")
            subset.save(folder / "manifests" / f"{subset.name}.json")
        write_evidence(chosen, folder / "evidence.csv")
        write_card(chosen, folder / "README.md", title=title, repo=repo, license=license)
        files = files_in(folder)
    return Publication(Path(out), chosen, tuple(files), tuple(licence_warnings(chosen, license)))


def public_name(name: str) -> str:
    """Return a subset's name when it is allowed on the Hub.

    Raises SettingError for anything but letters, digits, ``.``, ``_``, ``+`` and ``-``.

    >>> public_name("coco-shared-50")
    'coco-shared-50'
    >>> public_name("my subset")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: the subset name "my subset" cannot be published; use at ...
    """
    if not PUBLIC_NAME.fullmatch(name):
        raise SettingError(
            f'the subset name "{name[:100]}" cannot be published; use at most 96 letters, digits, '
            "'.', '_', '+' and '-', with a letter or digit first (name= of the search)"
        )
    return name


def _checked(subsets: Sequence[Subset]) -> tuple[Subset, ...]:
    if not subsets:
        raise SettingError("no subset to publish; name one: flasheval publish NAME ... out=FOLDER")
    seen: dict[str, str] = {}
    for subset in subsets:
        folded = public_name(subset.name).casefold()
        if folded in seen:
            raise SettingError(
                f'two subsets are called "{seen[folded]}" and "{subset.name}"; some file systems '
                "take these for one: name each once"
            )
        seen[folded] = subset.name
        subset.verify()
    return tuple(subsets)


def _with_texts(subsets: tuple[Subset, ...], prompts: Source | None) -> tuple[Subset, ...]:
    if prompts is None:
        return subsets

    return tuple(resolve(subset, prompts) for subset in subsets)

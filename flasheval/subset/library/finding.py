"""Finding a subset by a published name, a manifest, a run's folder or a Hub address."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from flasheval.base.arguments import checked_arguments
from flasheval.base.errors import DataError, SettingError
from flasheval.base.resources import bundled
from flasheval.base.run_folders import MANIFEST, shown_path
from flasheval.base.suggest import nearest
from flasheval.subset.library.cache import with_kept_texts
from flasheval.subset.library.catalogue import SHIPPED, load_named, shipped_namesake
from flasheval.subset.library.hub import fetch_manifest
from flasheval.subset.library.resolving import resolve
from flasheval.subset.subset import Subset

if TYPE_CHECKING:
    from flasheval.subset.library.rows import Source

__all__ = ["find_subset", "load_subset", "manifest_file"]

_log = logging.getLogger(__name__)

_HUB = "hf://"


def find_subset(source: str | Path) -> Subset:
    """Read and check a subset's manifest; no texts are looked up.

    Its `found` says where it was: that it is shipped with flasheval, the file, or the address. A
    file that has the name of a shipped subset but other prompts is read, with a warning.

    Args:
        source: The name of a subset that comes with the package; a manifest; a run's folder; or
            ``hf://OWNER/NAME@COMMIT/SUBSET``, of a data set on the Hub at a commit (40 hex
            digits, so that it stays the same subset). Write ``./NAME``, or give a Path, for a
            file that has the name of a published subset.

    Raises:
        SettingError: No subset of that name, or a Hub address without a commit.
        DataError: A manifest that is missing, damaged, or another subset's.

    >>> subset = find_subset("coco-shared-50")
    >>> subset.size, subset.prompt_set_name
    (50, 'coco')
    >>> subset.found
    'shipped with flasheval'
    >>> find_subset("coco-shred-50")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: there is no subset 'coco-shred-50': no published one of ...

    """
    if not str(source).strip():
        raise SettingError("a subset's name is empty; flasheval subsets list shows all names")
    if isinstance(source, str) and source.startswith(_HUB):
        return _from_hub(source)
    published = bundled()
    if isinstance(source, str) and source in published:
        if _exists(Path(source)):
            warnings.warn(
                f"{source} is taken for the published subset of that name; say ./{source} for the "
                "file or folder here",
                UserWarning,
                stacklevel=3,
            )
        return load_named(published[source], source).found_at(SHIPPED)
    path = Path(source).expanduser()
    if not _exists(path):
        if path.suffix or len(path.parts) > 1:
            raise DataError(
                f"{path} does not exist; expected a subset manifest or a run's folder, or "
                f"the name of a published subset{nearest(str(source), published)}"
            )
        raise SettingError(
            f"there is no subset {str(source)!r}: no published one of that name, no manifest and "
            f"no run{nearest(str(source), published)}; flasheval subsets list shows all names"
        )
    if not path.is_dir():
        return _own(path)
    if not (path / MANIFEST).exists():
        raise DataError(f"{path} holds no {MANIFEST}; expected the folder of a flasheval search")
    return _own(path / MANIFEST)


def manifest_file(source: str | Path) -> Path:
    """Return the manifest on this machine that :func:`find_subset` would read.

    Raises SettingError for a Hub address, which is a file only once it is downloaded.

    >>> manifest_file("coco-shared-50").name
    'coco-shared-50.json'
    """
    if isinstance(source, str) and source.startswith(_HUB):
        raise SettingError(
            f"{source} is not a file here; download its manifest, and name the file to check its "
            "signature"
        )
    published = bundled()
    if isinstance(source, str) and source in published:
        return published[source]
    path = Path(source).expanduser()
    return path / MANIFEST if path.is_dir() else path


@checked_arguments
def load_subset(source: str | Path, *, prompts: Source | None = None) -> Subset:
    """Return a subset, with its prompts' texts when they are known here.

    Its `found` says which it is: ``shipped with flasheval``, or the file or address of one's own.
    Texts come from the manifest, or from the cache of an earlier look-up (`flasheval subsets
    resolve`, or this function with `prompts`). When any text is missing, none is set, and reading
    ``texts`` raises an error that says what to run. A text is accepted only with its hash.

    Args:
        source: A published name, a manifest, a run's folder or a Hub address, as of
            :func:`find_subset`.
        prompts: Your copy of the prompt set: a file, a PromptSet, a list of texts, or
            ``datasets:OWNER/NAME`` for the `datasets` library; see
            :func:`flasheval.subset.library.copies.open_copy`. What is found in it is kept.

    Raises:
        SettingError: No subset of that name.
        DataError: A manifest or a copy that cannot be used, or a text that is not in it, by id.

    Example:
        >>> import tempfile
        >>> from flasheval import PromptSet
        >>> from flasheval.subset import Method, MetricInfo
        >>> pets = PromptSet("pets", ("1", "2"), texts=("a cat", "a dog"))
        >>> made = Subset.choose(pets, [1], name="one-pet", metrics=(MetricInfo("clip"),),
        ...                      method=Method("random"), with_texts=True)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     subset = load_subset(made.save(f"{folder}/one-pet.json"))
        >>> subset.texts
        ('a dog',)

    """
    subset = find_subset(source)
    whole = with_kept_texts(subset) if prompts is None else resolve(subset, prompts)
    return whole.found_at(subset.found)


def _from_hub(source: str) -> Subset:
    name = source.rpartition("/")[2]  # it refuses odd names
    return load_named(fetch_manifest(source), name).found_at(source)


def _own(path: Path) -> Subset:
    """Read a manifest of the user's, and tell it from a shipped one of the same name."""
    subset, where = Subset.load(path), shown_path(path)
    try:
        shipped = shipped_namesake(subset)
    except DataError:  # told where the shipped one is asked for
        shipped = None
    if shipped is None:
        return subset.found_at(where)
    if shipped.content_hash == subset.content_hash:
        return subset.found_at(f"{where}, a copy of the one {SHIPPED}")
    warnings.warn(
        f"{where} has the name of the shipped subset {shipped.name}, but is another "
        f"({len(set(subset.ids) & set(shipped.ids))} of {subset.size} prompts are in both): the "
        "file is used. A search made again gets a name of its own",
        UserWarning,
        stacklevel=4,
    )
    return subset.found_at(f"{where}, not the one {SHIPPED}")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a null character
        return False

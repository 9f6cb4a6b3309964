"""Paths of the files that come with the package: settings, subsets, the miniature.

In a wheel ``conf/`` and ``subsets/`` lie inside the package; in a source checkout, which is also
what an editable install points at, they lie beside it, at the top of the repository.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from flasheval.base.errors import DataError

__all__ = [
    "CACHE_VARIABLE",
    "MINIATURE",
    "bundled",
    "cache_folder",
    "conf_dir",
    "miniature_dir",
    "score_names",
    "shipped_scores",
    "subsets_dir",
]

MINIATURE = "miniature"
"""Name of the population that comes with the package, of its prompts and of its scores."""

CACHE_VARIABLE = "FLASHEVAL_CACHE"
"""The environment variable that says where what can be had again is kept."""

_PACKAGE = Path(__file__).resolve().parents[1]
_TABLES = {
    MINIATURE: "score_table",
    f"{MINIATURE}-images": "images_table",
    f"{MINIATURE}-tuning": "tuning_table",
    f"{MINIATURE}-mixed": "mixed_table",
}


def cache_folder() -> Path:
    """Return the folder of what can be had again: the user's cache, or what FLASHEVAL_CACHE says.

    >>> cache_folder().is_absolute() or CACHE_VARIABLE in os.environ
    True
    """
    said = os.environ.get(CACHE_VARIABLE)
    if said:
        return Path(said).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("flasheval")


def conf_dir() -> Path:
    """Return the folder of Hydra settings, as an absolute path.

    Raises DataError when neither the package nor the checkout holds it.

    >>> conf_dir().name
    'conf'
    """
    return _resource_dir("conf", _PACKAGE)


def subsets_dir() -> Path:
    """Return the folder of published subset manifests, as an absolute path.

    Raises DataError when neither the package nor the checkout holds it.

    >>> subsets_dir().name
    'subsets'
    """
    return _resource_dir("subsets", _PACKAGE)


def bundled() -> dict[str, Path]:
    """Return the paths of the shipped subsets' manifests, by name, smaller sizes first.

    They lie in a folder for each prompt set, one file a subset.

    >>> [name for name in bundled() if name.startswith("coco-shared")][:3]
    ['coco-shared-5', 'coco-shared-10', 'coco-shared-20']
    """
    found = {path.stem: path for path in subsets_dir().rglob("*.json")}
    return {name: found[name] for name in sorted(found, key=_by_number)}


def miniature_dir() -> Path:
    """Return the folder of the miniature's models, one folder each, as an absolute path.

    Raises DataError when it is missing.

    >>> miniature_dir().name
    'models'
    """
    return _part_of_miniature("models")


def score_names() -> tuple[str, ...]:
    """Return the names of the shipped score tables.

    >>> score_names()
    ('miniature', 'miniature-images', 'miniature-tuning', 'miniature-mixed')
    """
    return tuple(_TABLES)


def shipped_scores(source: str | Path) -> Path:
    """Return the path of a score table: of a shipped table when `source` is its name.

    ``miniature`` is the population with one image a prompt, ``miniature-images`` the same with
    several, ``miniature-tuning`` the checkpoints of one training, ``miniature-mixed`` the
    population with other families of models beside it. A folder of yours with such a name is meant
    by ``./NAME``. Raises DataError when the shipped one is missing.

    >>> shipped_scores("miniature").name, shipped_scores("./miniature").name
    ('score_table', 'miniature')
    """
    name = _TABLES.get(str(source))
    return Path(source) if name is None else _part_of_miniature(name)


def _by_number(name: str) -> tuple[str, int]:
    family, number = re.fullmatch(r"(.*?)(\d{0,9})", name, re.DOTALL).groups()  # type: ignore[union-attr] # it fits any text
    return family, int(number or 0)


def _part_of_miniature(name: str) -> Path:
    folder = _PACKAGE / MINIATURE / name
    if not folder.is_dir():
        raise DataError(f"the folder {folder} is missing; install flasheval again")
    return folder


def _resource_dir(name: str, package: Path) -> Path:
    checkout = package.parent
    # Without the project file the parent is a site-packages folder, whose conf/ is not ours.
    # The checkout goes first: a build may leave a stale copy inside the package.
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    if (package / name).is_dir():
        return package / name
    raise DataError(
        f"the folder {name}/ is missing: expected at {package / name} (installed wheel) "
        f"or {checkout / name} (source checkout); install flasheval again"
    )

"""Where the files that travel with the package are found.

In a wheel ``conf/`` and ``subsets/`` lie inside the package; in a source checkout, which is also
what an editable install points at, they lie beside it, at the top of the repository.
"""

from __future__ import annotations

from pathlib import Path

from flasheval.errors import DataError

__all__ = ["conf_dir", "miniature_dir", "subsets_dir"]


def conf_dir() -> Path:
    """Return the folder of Hydra settings, as an absolute path.

    Raises DataError when neither the package nor the checkout holds it.

    >>> conf_dir().name
    'conf'
    """
    return _resource_dir("conf", Path(__file__).resolve().parent)


def subsets_dir() -> Path:
    """Return the folder of published subset manifests, as an absolute path.

    Raises DataError when neither the package nor the checkout holds it.

    >>> subsets_dir().name
    'subsets'
    """
    return _resource_dir("subsets", Path(__file__).resolve().parent)


def miniature_dir() -> Path:
    """Return the folder of the miniature's models, one folder each, as an absolute path.

    Raises DataError when it is missing.

    >>> miniature_dir().name
    'models'
    """
    folder = Path(__file__).resolve().parent / "miniature" / "models"
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

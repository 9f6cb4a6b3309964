"""Where conf/ and subsets/ are found: in a checkout, in a wheel, and when neither has them."""

from pathlib import Path

import pytest

from flasheval.base.errors import DataError
from flasheval.base.resources import _resource_dir, conf_dir, subsets_dir

ROOT = Path(__file__).resolve().parents[2]


def test_a_checkout_uses_the_folders_beside_the_package() -> None:
    assert conf_dir() == ROOT / "conf"
    assert subsets_dir() == ROOT / "subsets"


def test_a_wheel_uses_the_folders_inside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "flasheval"
    (package / "conf").mkdir(parents=True)
    (package.parent / "conf").mkdir()  # of some other distribution
    assert _resource_dir("conf", package) == package / "conf"


def test_a_checkout_wins_over_a_stale_copy(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "conf").mkdir()
    (tmp_path / "flasheval" / "conf").mkdir(parents=True)
    assert _resource_dir("conf", tmp_path / "flasheval") == tmp_path / "conf"


def test_neither_is_one_readable_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"subsets/ is missing.*install flasheval again") as caught:
        _resource_dir("subsets", tmp_path / "flasheval")
    assert str(tmp_path) in str(caught.value)

"""The pages in docs/ and README.md: links lead somewhere, the navigation names them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")
PAGES = [*(ROOT / name for name in TOP), *sorted(DOCS.rglob("*.md"))]
# Made by the site's hook, see tests/docs/test_hooks.py.
MADE = ("reference/", "changelog.md")

_LINK = re.compile(r"(?<!`)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_FENCED = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _links(page: Path) -> list[str]:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    targets = [found["target"] for found in _LINK.finditer(text)]
    return [target for target in targets if not re.match(r"[a-z]+://|#|mailto:", target)]


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_relative_links_lead_to_files(page: Path) -> None:
    for target in _links(page):
        path = (page.parent / target.partition("#")[0]).resolve()
        inside = path.relative_to(DOCS).as_posix() if path.is_relative_to(DOCS) else ""
        assert path.exists() or inside.startswith(MADE), f"{_named(page)} links to {target}"


def test_links_are_found() -> None:
    assert "training.md" in _links(DOCS / "watching.md") or _links(DOCS / "training.md")


def test_navigation_names_every_page_that_is_written() -> None:
    # mkdocs.yml has no tags of Python here, so a plain reader will do.
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    named = set(re.findall(r"[\w/-]+\.md", str(nav)))
    written = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert named >= {name for name in written if not name.startswith("evidence/")}
    assert named <= written | {"changelog.md"}


def test_population_of_the_sweep_is_what_the_page_says(tmp_path: Path) -> None:
    from flasheval.generators.populations.sources import read_population

    text = (DOCS / "how-to" / "sweep.md").read_text(encoding="utf-8")
    found = re.search(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    (tmp_path / "sweep.yaml").write_text(found[1], encoding="utf-8")
    assert len(read_population(tmp_path / "sweep.yaml").recipes) == 18

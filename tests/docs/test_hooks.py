"""What the site's hooks make: no public name, verb or setting is left out."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import flasheval
from flasheval.base.resources import conf_dir
from flasheval.cli.help import verb_help
from flasheval.cli.verbs import VERBS

HOOKS = Path(__file__).parents[2] / "docs" / "hooks"


def _hook(name: str) -> ModuleType:
    sys.path.insert(0, str(HOOKS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(HOOKS))


GENERATED = _hook("generated")


def test_every_public_name_stands_once_in_the_python_reference() -> None:
    lines = "\n".join(GENERATED.python_pages().values()).splitlines()
    for name in flasheval.__all__:
        assert lines.count(f"::: flasheval.{name}") == 1, name


def test_a_new_public_name_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flasheval, "__all__", [*flasheval.__all__, "brand_new"])
    assert "::: flasheval.brand_new" in GENERATED.python_pages()["others"]


def test_what_stands_beside_public_names_exists() -> None:
    for text in GENERATED.python_pages().values():
        for line in text.splitlines():
            if line.startswith("::: flasheval.") and line.count(".") > 1:
                pkgutil.resolve_name(line.removeprefix("::: "))  # AttributeError where it is not


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_on_the_page_of_the_command_line(verb: str) -> None:
    page = GENERATED.cli_page()
    assert f"\n## {verb}\n" in page
    assert verb_help(verb) in page


def test_every_choice_in_conf_is_on_the_page_of_settings() -> None:
    page = GENERATED.settings_page()
    folders = {path.parent.name for path in conf_dir().glob("*/*.yaml")}
    for path in conf_dir().glob("*/*.yaml"):
        assert f"### {path.stem} {{ #{path.parent.name}-{path.stem} }}" in page, path
    assert {"method", "scorer", "generator", "importer"} <= folders
    assert "| `swaps` | `20000` | swaps tried |" in page


def test_evidence_in_the_navigation_begins_with_its_own_page() -> None:
    pytest.importorskip("mkdocs")
    site = _hook("site_hooks")

    config = SimpleNamespace(nav=["index.md", {"Reference": []}, {"Evidence": []}])

    reference, evidence = site.on_config(config).nav[1:]
    assert evidence["Evidence"][0] == "evidence/README.md"
    assert "evidence/agreement.md" in evidence["Evidence"]
    assert "reference/cli.md" in str(reference)


@pytest.mark.parametrize(
    "element",
    [
        '<script src="https://unpkg.com/shim"></script>',
        "<link rel=stylesheet href=https://fonts.example/css>",
        '<img alt="" src="//example.org/a.png">',
    ],
)
def test_a_page_that_would_fetch_is_refused(element: str) -> None:
    exceptions = pytest.importorskip("mkdocs.exceptions")
    site = _hook("site_hooks")
    page = SimpleNamespace(file=SimpleNamespace(src_uri="index.md"))
    fine = '<a href="https://arxiv.org">x</a><script src="assets/a.js"></script>'
    assert site.on_post_page(fine, page=page, config=None) == fine
    with pytest.raises(exceptions.PluginError, match=r"index\.md would fetch"):
        site.on_post_page(fine + element, page=page, config=None)


def test_docstrings_become_markdown() -> None:
    pytest.importorskip("griffe")
    as_markdown = _hook("docstrings").as_markdown
    text = "See :func:`~a.b`.\n\nExample:\n    >>> 1\n    1\n    >>> 2\n    2\n\nMore."
    assert as_markdown(text) == (
        "See `a.b`.\n\nExample:\n    ```pycon\n    >>> 1\n    1\n    >>> 2\n    2\n    ```\n\nMore."
    )
    assert as_markdown(">>> 1\n1") == "```pycon\n>>> 1\n1\n```"
    assert as_markdown("No example.") == "No example."

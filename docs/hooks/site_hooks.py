"""What MkDocs calls: the pages made from the code, and links that leave `docs/`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from generated import pages
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

_ROOT = Path(__file__).resolve().parents[2]

# Pages that lie outside `docs/`, where a reader of the plain repository looks for them.
_OUTSIDE = {
    "CHANGELOG.md": "changelog.md",
    "conf/README.md": "reference/settings-files.md",
    "subsets/README.md": "reference/manifest.md",
}
_FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\ssrc=["']?(?:https?:)?//[^\s>]+
    |<link\b[^>]*\shref=["']?(?:https?:)?//[^\s>]+""",
    re.VERBOSE,
)
_TITLES = {
    "reference/settings-files.md": "Files of settings",
    "reference/manifest.md": "The manifest",
}


def on_config(config: Any) -> Any:
    """Fill the empty sections of the navigation: what there is to list is known here only."""
    evidence = sorted(path.name for path in (_ROOT / "docs" / "evidence").glob("*.md"))
    evidence.sort(key=lambda name: name != "README.md")  # the section's own page first
    made = pages()
    python = [uri for uri in made if uri.startswith("reference/python/")]
    filled: dict[str, list[Any]] = {
        "Reference": [
            {"Python": python},
            *(uri for uri in made if uri not in python),
            *({title: uri} for uri, title in _TITLES.items()),
        ],
        "Evidence": [f"evidence/{name}" for name in evidence],
    }
    for entry in config.nav:
        for title in filled.keys() & (entry.keys() if isinstance(entry, dict) else ()):
            entry[title] = filled[title]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made, and those that lie elsewhere in the repository."""
    for uri, text in pages().items():
        files.append(File.generated(config, uri, content=text))
    for source, uri in _OUTSIDE.items():
        files.append(File.generated(config, uri, abs_src_path=str(_ROOT / source)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Point links at files outside `docs/` to where the site has them; tables are found last."""
    if page.file.src_uri.startswith("evidence/"):
        page.meta.setdefault("search", {"boost": 0.3})
    up = "../" * page.file.src_uri.count("/")
    for source, uri in _OUTSIDE.items():
        markdown = markdown.replace(f"]({up}../{source}", f"]({up}{uri}")
    return markdown


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Refuse a page that would fetch something from elsewhere when it is opened.

    Raises PluginError with the first such element.
    """
    if found := _FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} would fetch from the network: {found[0]}")
    return output

"""The pages in docs/ and README.md: links lead somewhere, Python compiles, the cheap of it runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from flasheval import load_scores

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
TAUGHT = [DOCS / "quickstart.md", *sorted((DOCS / "how-to").glob("*.md"))]
# Made by the site's hook, see tests/docs/test_hooks.py.
MADE = ("reference/", "changelog.md")

_LINK = re.compile(r"(?<!`)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_FENCED = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(
    r"(?:^<!-- test: (?P<how>[^\n]*) -->\n)?^```(?P<kind>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _links(page: Path) -> list[str]:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    targets = [found["target"] for found in _LINK.finditer(text)]
    return [target for target in targets if not re.match(r"[a-z]+://|#|mailto:", target)]


def _blocks(page: Path, kind: str) -> list[tuple[str, str]]:
    """Return each block's mark (`run`, `compile` or nothing) and text."""
    text = page.read_text(encoding="utf-8")
    found = [match for match in _BLOCK.finditer(text) if match["kind"] == kind]
    return [(match["how"] or "", match["code"]) for match in found]


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_relative_links_lead_to_files(page: Path) -> None:
    for target in _links(page):
        path = (page.parent / target.partition("#")[0]).resolve()
        inside = path.relative_to(DOCS).as_posix() if path.is_relative_to(DOCS) else ""
        assert path.exists() or inside.startswith(MADE), f"{_named(page)} links to {target}"


@pytest.mark.parametrize("page", TAUGHT, ids=_named)
def test_python_of_what_is_taught_compiles(page: Path) -> None:
    for _, code in _blocks(page, "python"):
        compile(code, _named(page), "exec")


def test_blocks_and_links_are_found() -> None:
    assert len(TAUGHT) >= 4
    assert [how for how, _ in _blocks(DOCS / "how-to" / "training-loop.md", "python")] == [
        "run",
        "run",
    ]
    assert "training.md" in _links(DOCS / "watching.md") or _links(DOCS / "training.md")


def test_navigation_names_every_page_that_is_written() -> None:
    # mkdocs.yml has no tags of Python here, so a plain reader will do.
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    named = set(re.findall(r"[\w/-]+\.md", str(nav)))
    written = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert named >= {name for name in written if not name.startswith("evidence/")}
    assert named <= written | {"changelog.md"}


@pytest.fixture
def at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, with a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def _run(page: Path, *changes: tuple[str, str]) -> dict[str, object]:
    """Run a page's marked blocks, one after the other, with some words replaced to be quick."""
    names: dict[str, object] = {"__name__": "page"}
    for code in (code for how, code in _blocks(page, "python") if how == "run"):
        for old, new in changes:
            code = code.replace(old, new)
        exec(compile(code, _named(page), "exec"), names)  # noqa: S102 - our own pages
    return names


def test_the_readme_begins_with_python_that_runs(
    at_work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    start = text[: text.index("\n## ")]
    codes = [found["code"] for found in _BLOCK.finditer(start) if found["kind"] == "python"]
    assert len(codes) == 2
    names: dict[str, object] = {"__name__": "page"}
    for code in codes:
        exec(compile(code, "README.md", "exec"), names)  # noqa: S102 - our own page
    assert [path.name for path in at_work.iterdir() if path.is_file()] == ["my-clip-50.json"]
    said = capsys.readouterr().out
    assert "CLIP 0." in said
    assert "prompt_id" in said


def test_the_forms_of_scores_run(at_work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pandas")
    names = _run(DOCS / "how-to" / "scores.md")
    table = names["table"]
    assert "prompt_id" in capsys.readouterr().out
    for source in names["forms"]:  # type: ignore[attr-defined]
        assert load_scores(source).content_hash == table.content_hash  # type: ignore[attr-defined]


def test_quickstart_runs(at_work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import flasheval

    page = DOCS / "quickstart.md"
    _, code = next(block for block in _blocks(page, "python") if block[0] == "run")
    place = re.search(r'"(flasheval-runs/[^"]+)"', code)
    assert place is not None
    result = flasheval.search("miniature", method="balanced", splits=None)
    (at_work / place[1]).parent.mkdir(parents=True)
    result.subset.save(at_work / place[1])
    _run(page)
    assert "CLIP 0." in capsys.readouterr().out


def test_training_how_to_runs(at_work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("diffusers")
    import flasheval

    result = flasheval.search(
        "miniature", metric="CLIP", method="balanced", nested=[2, 4], splits=None
    )
    (at_work / "loop").mkdir()
    result.subset.save(at_work / "loop" / "subset.json")
    names = _run(
        DOCS / "how-to" / "training-loop.md",
        ("range(501)", "range(3)"),
        ("step % 50", "step % 2"),
        ("in range(40)", "in range(4)"),
        ('"num_inference_steps": 10', '"num_inference_steps": 2'),
    )
    monitor = names["monitor"]
    assert isinstance(monitor, flasheval.CheckpointMonitor)
    assert [one.step for one in monitor.steps] == [0, 2]
    assert "best: step" in capsys.readouterr().out


def test_population_of_the_sweep_is_what_the_page_says(at_work: Path) -> None:
    from flasheval.generators.populations.sources import read_population

    ((_, text),) = _blocks(DOCS / "how-to" / "sweep.md", "yaml")
    (at_work / "sweep.yaml").write_text(text, encoding="utf-8")
    population = read_population(at_work / "sweep.yaml")
    assert len(population.recipes) == 18


def test_published_how_to_runs(at_work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("diffusers")
    _run(DOCS / "how-to" / "published-subset.md", ('_steps": 5', '_steps": 2'))
    assert "rank" in capsys.readouterr().out

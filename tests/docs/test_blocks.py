"""Every block of code in README.md and docs/ is run as it stands, or says why it cannot be."""

from __future__ import annotations

import importlib
import logging
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _beside(name: str) -> ModuleType:
    sys.path.insert(0, str(HERE))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(HERE))


BLOCKS = _beside("page_blocks")
PAGES = {
    str(page.relative_to(ROOT)): page
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))
}
RUN = {name: page for name, page in PAGES.items() if any(b.is_run for b in BLOCKS.blocks_of(page))}
QUICK = {
    "search": ("method=balanced", "splits=random:2", "curve=null", "draws=20"),
    "validate": ("methods=[balanced]", "splits=random:2", "draws=20"),
}
# Its 21 plots take seconds; docs/report.md has smaller ones.
_NO_REPORT = ("flasheval report flasheval-runs", "flasheval show flasheval-runs")
_QUANTISED = (
    "  - {base_model: [large, base, small], scheduler: DPM, steps: 5, "
    "quantise: [fake-int6, fake-int4]}\n"
)
_SAID = "import numpy as np\nscores = a = b = np.full(50, 30.0)"
_LABELS = (
    "import numpy as np\n"
    "clip_scores = np.random.default_rng(0).normal(size=200)\n"
    "labels = np.where(np.arange(200) < 50, clip_scores > 0, np.nan)"
)
_INTO_AUTO = "flasheval search out=flasheval-runs/search/miniature-all-auto-50-seed0"
# What is left out or made smaller here, so that the pages take seconds: (as written, as run).
QUICKER: dict[str, list[tuple[str, str]]] = {
    "README.md": [
        ('50, metric="CLIP")', '50, metric="CLIP", method="balanced")'),
        ("flasheval search\n", f"{_INTO_AUTO}\n"),
        # The scores of a new model, and of two others:
        ('subset.predict({"CLIP": scores})', f"{_SAID}\nsubset.predict({{'CLIP': scores}})"),
        ("method=frequency,pooled hydra/launcher=joblib", "method=pooled"),
        ("splits=[random:10,group:base_model] methods", "splits=[random:2] methods"),
        ("methods=[auto,pooled]", "methods=[pooled]"),
        _NO_REPORT,
        ("[8,12,16,24,32]", "[8,12]"),
    ],
    "docs/quickstart.md": [
        ("flasheval search\n", f"{_INTO_AUTO}\n"),
        ("checkpoint=miniature:large-final", "checkpoint=miniature:large-final steps=2"),
        _NO_REPORT,
    ],
    "docs/report.md": [
        ("flasheval search\n", f"{_INTO_AUTO}\n"),
        _NO_REPORT,
        ("report coco-clip-50 scores=coco", "report my-subset.json scores=coco"),
        ("scores=runs/mine out=my-report.html metric=clip", "scores=coco out=my-report.html"),
    ],
    "docs/training.md": [("runs/coco", "coco")],
    "docs/how-to/votes.md": [("found = powered_mean", f"{_LABELS}\nfound = powered_mean")],
    "docs/how-to/audit.md": [
        ("runs/coco", "my-subset.json"),
        ("coco-shared-50 scores=new/", "my-subset.json scores=all-models.parquet"),
    ],
    "docs/how-to/rank.md": [
        ("scores=runs/mine metric=CLIP", "scores=coco metric=CLIP seconds=costs.csv"),
        ("show runs/mine", "show coco"),
        ('rank("runs/mine"', 'rank("coco"'),
    ],
    "docs/how-to/published-subset.md": [
        ('_steps": 5', '_steps": 2'),
        ("flasheval subsets verify\n", "flasheval subsets show miniature-clip-10\n"),  # as README's
    ],
    "docs/how-to/sweep.md": [
        ("limit=64", "limit=8"),
        (
            "{base_model: [large, base, small], scheduler: [",
            "{base_model: [base, small], scheduler: [",
        ),
        ("steps: [3, 5]}", "steps: [2]}"),
        (_QUANTISED, ""),
        ("flasheval doctor", "flasheval doctor sample=false"),
        ("scores=runs/sweep size=10", "scores=runs/sweep size=4 method=balanced"),
        ("splits=[random:10,group:base_model]", "splits=[random:2]"),
        ("small-final,miniature:base-final", "small-final"),
        ("steps=3,5", "steps=2"),
    ],
    "docs/how-to/training-loop.md": [
        ("range(501)", "range(3)"),
        ("step % 50", "step % 2"),
        ("in range(40)", "in range(4)"),
        ('"num_inference_steps": 10', '"num_inference_steps": 2'),
        ("nested=[10,20,50]", "nested=[2,4] splits=null method=balanced"),
    ],
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that pages read."""
    folder = tmp_path_factory.mktemp("inputs")
    _beside("page_inputs").make_inputs(folder)
    return folder


@pytest.fixture
def at_work(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to be in, with those files; modules written there can be imported, for this test."""
    shutil.copytree(inputs, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("COLUMNS", "88")
    handlers, level = list(logging.getLogger().handlers), logging.getLogger("flasheval").level
    modules = set(sys.modules)
    yield tmp_path
    logging.getLogger().handlers[:] = handlers
    logging.getLogger("flasheval").setLevel(level)
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "") or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("name", RUN)
def test_every_block_of_a_page_runs(name: str, at_work: Path) -> None:
    for needed in ("pandas", "diffusers", "openpyxl"):
        pytest.importorskip(needed)
    # What a page shows is what is typed gives; else searches are as small as they can be.
    shown = any(block.mark == "output" for block in BLOCKS.blocks_of(PAGES[name]))
    reader = BLOCKS.Reader(name, at_work, {} if shown else QUICK)
    changes = QUICKER.get(name, [])
    unused = {old for old, _ in changes}
    for block in BLOCKS.blocks_of(PAGES[name]):
        if block.mark == "output":
            different = BLOCKS.alike(block.code, reader.printed)
            assert not different, f"{name}:{block.line}\n{different}"
            continue
        code = block.code
        for old, new in changes:
            if old in code:
                unused.discard(old)
                code = code.replace(old, new)
        reader.read(replace(block, code=code))
    assert not unused, f"these stand no longer on the page: {unused}"


@pytest.mark.parametrize("name", PAGES)
def test_what_is_not_run_is_written_as_it_would_be_typed(name: str, tmp_path: Path) -> None:
    for block in BLOCKS.blocks_of(PAGES[name]):
        if block.is_run or block.kind not in BLOCKS.RUN_KINDS:
            continue
        if block.kind == "python":
            compile(block.code, f"{name}:{block.line}", "exec")
            continue
        for line in BLOCKS.flasheval_lines(block.code):
            for said in re.findall(r"(?:^|[$>] |&& |\| )(flasheval [^|&#>]*)", line):
                for words in BLOCKS.words_of(said, tmp_path):
                    BLOCKS.check_words(words)


def test_no_block_hides_from_the_tests() -> None:
    for name, page in PAGES.items():
        text = page.read_text("utf-8")
        fenced = re.findall(r"^\s*```(?:bash|python|sh|console|py)\b", text, re.MULTILINE)
        found = [block for block in BLOCKS.blocks_of(page) if block.kind in BLOCKS.RUN_KINDS]
        assert len(fenced) == len(found), name


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("tau 0.930 in 3.1 s", "tau  0.931\nin 7 s", True),
        ("tau 0.930", "tau 0.990", False),
        ("tau 0.930", "tau 0.930 more", False),
        ("first\n...\nlast 3\n", "first\nsecond\nlast 3", True),
        ("first\n...\n", "first\nsecond\nlast 3", True),
        ("first\n...\nlast 3\n", "first\nsecond\nlast 4", False),
        ("1,000 prompts", "1,001 prompts", True),
        ("a", "", False),
    ],
)
def test_outputs_are_alike_but_for_folds_times_and_last_digits(
    shown: str, printed: str, same: bool
) -> None:
    assert (BLOCKS.alike(shown, printed) == "") is same


def test_a_shell_tells_the_words(tmp_path: Path) -> None:
    line = "flasheval show 'a b' x={1,2} && flasheval rank > board.json"
    assert BLOCKS.words_of(line, tmp_path) == [["show", "a b", "x=1", "x=2"], ["rank"]]
    with pytest.raises(AssertionError, match="no key sizes"):
        BLOCKS.check_words(["search", "sizes=3"])
    with pytest.raises(AssertionError, match="no such verb"):
        BLOCKS.check_words(["find"])

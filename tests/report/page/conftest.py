"""Runs of the command line to make reports of, each done once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flasheval.cli import main
from flasheval.generators.variants import Variant
from flasheval.report.page import WrittenPage, find_origin, write_report
from flasheval.report.page.origin import Origin
from flasheval.report.page.score_sources import Scored, scores_of
from flasheval.scores import ScoreMatrix, ScoreTable

HOSTILE = "<script>document.title='owned'</script>"


def _search(folder: Path, *words: str) -> Path:
    code = main(
        ["search", "splits=random:4", "draws=10", "calibrate=false", f"out={folder}", *words]
    )
    assert code == 0
    return folder


@pytest.fixture(scope="session")
def table(make_table: Callable[..., ScoreTable]) -> ScoreTable:
    """24 variants, 60 prompts, clip and fid (lower is better); hostile names and texts."""
    made = make_table(24, 60, ("clip", "fid"), lower_is_better=("fid",))
    names = (HOSTILE, "a & \"b\" 'c' $x_1$", *made.variant_names[2:])
    variants = tuple(
        Variant(name, dict(old.factors)) for name, old in zip(names, made.variants, strict=True)
    )
    prompts = replace(
        made.prompts,
        texts=tuple(f"{HOSTILE} number {i}" for i in range(60)),
        text_hashes=None,
    )
    matrices = {
        name: ScoreMatrix(name, one.values, names, prompts.ids, one.higher_is_better)
        for name, one in made.matrices.items()
    }
    return ScoreTable(prompts, variants, matrices)


@pytest.fixture(scope="session")
def scores(table: ScoreTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder the table is saved in."""
    return table.save(tmp_path_factory.mktemp("given") / "scores")


@pytest.fixture(scope="session")
def searched(scores: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a search of 5 prompts on all of it."""
    folder = tmp_path_factory.mktemp("runs") / "made-up"
    return _search(folder, f"scores={scores}", "size=5", "method=balanced", "curve=[10]")


@pytest.fixture(scope="session")
def miniature_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a search of 20 prompts on the miniature."""
    folder = tmp_path_factory.mktemp("runs") / "miniature"
    return _search(folder, "size=20", "method=balanced", "curve=null")


@pytest.fixture(scope="session")
def written(
    searched: Path, table: ScoreTable, tmp_path_factory: pytest.TempPathFactory
) -> WrittenPage:
    """The report of the search, with a hostile warning and a hostile note."""
    origin = find_origin(searched)
    record = replace(origin.subset.record, warnings=(HOSTILE,), notes=(HOSTILE,))
    origin = replace(origin, subset=replace(origin.subset, record=record))
    return write_report(origin, tmp_path_factory.mktemp("report") / "r.html", scores=table)


@pytest.fixture
def origin(searched: Path) -> Origin:
    """Where the subset of the search comes from."""
    return find_origin(searched)


@pytest.fixture
def scored(origin: Origin, table: ScoreTable) -> Scored:
    """The scores of the search beside its subset."""
    return scores_of(origin.subset, table)

"""Shared fixtures: the third-party data beside the repository, and tables made up from a seed."""

import os

# Set before numpy and torch load: two threads beside another busy process slow a run 10-100x.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is fetched; without a network every try takes seconds

import runpy
import signal
import struct
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import flasheval
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreMatrix, ScoreTable, load_scores
from flasheval.scores.importers import import_scores
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.report import ValidationReport
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.registry import METHODS
from flasheval.selection.methods.selector import OneShot, Selection

# A shell's & lets what it starts ignore Ctrl-C, and so would the processes that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

_OF_PROGRESS = ("test_progress.py", "test_jit.py", "test_signs_of_life.py", "test_answers.py")

# Files and folders of long tests. They come first, so that at the end no worker waits for another.
_LONG = (
    *("cli/commands/test_jobs.py", "evaluation/watching", "cli/test_outputs.py", "scripts"),
    *("test_end_to_end.py", "runs/test_run.py", "cli/commands/test_watch.py", "test_scripts.py"),
    *("cli/test_answers.py", "selection/held_out/test_validate.py", "test_packaging.py"),
    *("cli/commands/test_search.py", "cli/commands/test_validate.py", "test_plug_ins.py"),
    *("cli/commands/test_distance.py", "runs/executors", "docs", "test_cli.py"),
    *("selection/test_search.py", "test_doctests.py", "cli/commands/test_evaluate.py"),
    *("cli/test_hydra_app.py", "generators/test_diffusers_pipeline.py", "miniature", "report"),
)

MakeTable = Callable[..., ScoreTable]


def pytest_configure(config: pytest.Config) -> None:
    """Keep the order of the files when they are shared out; by itself it is by number of tests."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    path = item.path.relative_to(Path(__file__).parent)
    names = {path.as_posix(), *(folder.as_posix() for folder in path.parents)}
    return next((place for place, one in enumerate(_LONG) if one in names), len(_LONG))


@pytest.fixture(autouse=True)
def _cache_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep texts that a test resolves out of the user's cache, and out of other tests."""
    monkeypatch.setenv("FLASHEVAL_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True)
def _no_signs_of_life(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep lines of progress, which a busy machine gives after two seconds, out of what is read."""
    if request.path.name not in _OF_PROGRESS:
        monkeypatch.setattr("flasheval.base.progress._SILENCE", 3600.0)


@pytest.fixture(autouse=True)
def _one_torch_thread() -> None:
    """Hold torch to one thread once something has imported it; never import it for that."""
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "set_num_threads"):
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where tiny models with random weights are: sd, sdxl, pixart, sd3, flux, amused, gan, clip."""
    make = runpy.run_path(str(Path(__file__).with_name("tiny_models") / "make.py"))
    models: dict[str, Path] = make["make_tiny_models"](tmp_path_factory.mktemp("tiny"))
    return models


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of third-party data, ../shared/data beside the repository root."""
    if not _SHARED_DATA.is_dir():
        pytest.skip("third-party data is absent: ../shared/data beside the repository root")
    return _SHARED_DATA


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of small input cases, ../shared/cases beside the repository root."""
    folder = _SHARED_DATA.with_name("cases")
    if not folder.is_dir():
        pytest.skip("the cases are absent: ../shared/cases beside the repository root")
    return folder


def _extract(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def diffusiondb_tree(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official DiffusionDB tree: Image_score/diffusionDB5000 and data/."""
    folder = tmp_path_factory.mktemp("diffusiondb")
    return _extract(shared_data / "flasheval-diffusiondb.tar.xz", folder)


@pytest.fixture(scope="session")
def coco_dirty_tree(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven files of the official COCO tree, seven of them bad: Image_score/COCO."""
    folder = tmp_path_factory.mktemp("coco-dirty")
    return _extract(shared_data / "flasheval-coco-dirty-sample.tar.xz", folder)


@pytest.fixture(scope="session")
def diffusiondb_table(diffusiondb_tree: Path) -> ScoreTable:
    """The whole official DiffusionDB table: 78 variants x 5,000 prompts x 4 metrics."""
    return import_scores("flasheval-official", diffusiondb_tree).table


@pytest.fixture(scope="session")
def coco_table(shared_data: Path) -> ScoreTable:
    """The complete variants on COCO: 64 variants x 40,504 prompts x 3 metrics."""
    files = {
        metric: shared_data / f"coco-{metric.lower()}.npz"
        for metric in ("ImageReward", "Aesthetic", "CLIP")
    }
    return load_scores(files, prompts=shared_data / "coco-prompts.jsonl.xz")


def _make_table(
    n_variants: int = 12,
    n_prompts: int = 40,
    metrics: Sequence[str] = ("clip",),
    seed: int = 0,
    *,
    noise: float = 0.5,
    missing: float = 0.0,
    lower_is_better: Sequence[str] = (),
) -> ScoreTable:
    """Return a table of score = quality of the variant x slope of the prompt + noise.

    Variants have the factors base_model (one of 4 kinds), scheduler, steps and precision;
    ``missing`` is the share of scores that are NaN.
    """
    rng = np.random.default_rng(seed)
    ids = tuple(f"p{i}" for i in range(n_prompts))
    prompts = PromptSet(f"made-up-{seed}", ids, tuple(f"a thing numbered {i}" for i in ids))
    variants = []
    for i in range(n_variants):
        factors = {
            "base_model": f"base{i % 4}",
            "scheduler": ("DDIM", "PNDM", "DPM")[(i // 4) % 3],
            "steps": (10, 20, 50)[(i // 12) % 3],
            "precision": "fp" if i % 3 else "_8",
        }
        variants.append(Variant(f"v{i}", factors))
    names = tuple(variant.name for variant in variants)
    quality = rng.normal(size=n_variants) + rng.normal(size=4)[np.arange(n_variants) % 4]
    matrices = {}
    for metric in metrics:
        slope = rng.gamma(4.0, 0.25, size=n_prompts)
        values = quality[:, None] * slope + noise * rng.normal(size=(n_variants, n_prompts))
        values += rng.normal(size=n_prompts)
        values[rng.random(values.shape) < missing] = np.nan
        higher = metric not in lower_is_better
        matrices[metric] = ScoreMatrix(
            metric,
            np.asarray(values if higher else -values, dtype=np.float32),
            names,
            prompts.ids,
            higher_is_better=higher,
            prompt_set_hash=prompts.hash,
        )
    return ScoreTable(prompts, tuple(variants), matrices)


@pytest.fixture(scope="session")
def make_table() -> MakeTable:
    """A function: make_table(n_variants, n_prompts, metrics, seed, noise=, missing=, ...)."""
    return _make_table


@pytest.fixture(scope="session")
def compared() -> ValidationReport:
    """A comparison to show: two kinds of splits, two sizes, three methods, everything there is."""
    return flasheval.validate(
        synthetic_scores(24, 200),
        size=[10, 20],
        methods=["discrimination", "balanced", {"name": "balanced", "passes": 0}],
        splits=["random:8", "group:scheduler"],
        reference="balanced",
        cluster="base_model",
        search_variants=[4, 8],
        draws=20,
        progress=False,
    )


@pytest.fixture(scope="session")
def with_twins() -> Callable[..., ScoreTable]:
    """A function: with_twins(table, rows) -> the table with those rows (all) again, NAME-again.

    The copies have other families: base_model=again.
    """

    def copied(table: ScoreTable, rows: Sequence[int] | None = None) -> ScoreTable:
        again = list(range(len(table))) if rows is None else list(rows)
        variants = (
            *table.variants,
            *(
                Variant(f"{name}-again", {**table.variants[row].factors, "base_model": "again"})
                for row in again
                for name in [table.variant_names[row]]
            ),
        )
        names = tuple(variant.name for variant in variants)
        order = [*range(len(table)), *again]
        matrices = {
            metric: replace(matrix, values=matrix.values[order], variants=names)
            for metric, matrix in table.matrices.items()
        }
        return ScoreTable(table.prompts, variants, matrices)

    return copied


@pytest.fixture
def borrower(monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    """Register a method `borrower` that takes the first prompts; the problems it was given."""
    seen: list[Problem] = []

    @dataclass(frozen=True)
    class Borrower(OneShot):
        name: ClassVar[str] = "borrower"
        borrows: ClassVar[bool] = True

        def choose(self, problem: Problem, rng: np.random.Generator) -> Selection:
            seen.append(problem)
            return Selection(np.concatenate([problem.required, problem.allowed])[: problem.size])

    monkeypatch.setitem(METHODS._built_in, "borrower", Borrower)
    return seen


def _check_hints(problem: Problem, table: ScoreTable, factor: str) -> set[int]:
    """Assert that the hints are of the very variants searched; return those, as rows of `table`."""
    served = table[problem.metrics[0]].values
    where = {row.tobytes(): number for number, row in enumerate(served)}
    rows = [where[row.tobytes()] for row in problem.scores[0]]
    others = [name for name in table.metrics if name not in problem.metrics]
    assert len(problem.hints.scores) == len(others)
    for block, name in zip(problem.hints.scores, others, strict=True):
        np.testing.assert_array_equal(block, table[name].values[rows])
    families = table.factor(factor)
    assert problem.hints.groups == tuple(str(families[row]) for row in rows)
    return set(rows)


@pytest.fixture(scope="session")
def check_hints() -> Callable[[Problem, ScoreTable, str], set[int]]:
    """A function: check_hints(problem, table, factor) -> the rows of the table searched."""
    return _check_hints


@pytest.fixture
def logged_records() -> Callable[[bytes], Iterator[bytes]]:
    """A function: logged_records(data) -> the records in a file of wandb's."""
    return _logged_records


def _logged_records(data: bytes) -> Iterator[bytes]:
    """The records of a LevelDB log, as wandb writes it: seven bytes of its own come first."""
    block, place, parts = 32768, 7, b""
    assert data[:4] == b":W&B"
    while place + 7 <= len(data):
        room = block - place % block
        if room < 7:
            place += room
            continue
        length, kind = struct.unpack("<HB", data[place + 4 : place + 7])
        if kind == 0:
            return
        parts += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last of several parts
            yield parts
            parts = b""

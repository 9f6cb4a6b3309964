"""The authors' split, in the words of the tables that the tests on real data use."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flasheval.scores import ScoreTable
from flasheval.selection.held_out.engine import measure
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.one_search import search_rng
from flasheval.selection.held_out.searches import Procedure
from flasheval.selection.held_out.splits import Split, make_splits
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.request import SearchRequest


@pytest.fixture(scope="session")
def official_diffusiondb(shared_data: Path, diffusiondb_table: ScoreTable) -> Split:
    """The official split of the 78 variants on DiffusionDB: 39 and 39."""
    return make_splits(shared_data / "official-train-ids.json", diffusiondb_table)[0]


@pytest.fixture(scope="session")
def official_coco(
    shared_data: Path, diffusiondb_table: ScoreTable, coco_table: ScoreTable
) -> Split:
    """The official split of the 64 complete variants on COCO: 31 and 33."""
    positions = json.loads((shared_data / "official-train-ids.json").read_text())
    return make_splits(positions, coco_table, given=diffusiondb_table.variant_names)[0]


@pytest.fixture(scope="session")
def a_search() -> Callable[..., np.ndarray]:
    """A function: a_search(table, selector, split, size, seed) -> indices, by the shortest road."""

    def search(table, selector, split, size, seed):
        blocks = [table[metric].values[split.search] for metric in table.metrics]
        problem = make_problem(blocks, table.metrics, size)
        rng = search_rng(seed, split.search, size)
        return drive(selector, problem, rng).selection.indices

    return search


@pytest.fixture(scope="session")
def measure_one() -> Callable[..., Measurement]:
    """A function: measure_one(table, selector, sizes, splits, seed=, required=, ...), as in search.

    One search of each size on every split, or one nested one; random subsets get no cells.
    `engine` holds arguments of `measure` itself.
    """

    def measured(table, selector, sizes, splits, *, seed=0, nested=False, engine=None, **asked):
        groups = [tuple(sorted(sizes))] if nested else [(size,) for size in sizes]
        requests = tuple(SearchRequest(table, selector, group, seed, **asked) for group in groups)
        procedure = Procedure(selector.name, requests)
        kinds = [Kind("splits", "splits", tuple(splits))]
        given = {"seed": seed, "draws": 5, "judge_random": False, **(engine or {})}
        return measure(table, [procedure], kinds, sizes, **given)

    return measured

"""Make the published subsets: every manifest in `subsets/`, or check that they come out the same.

Each family (a population's subsets for one metric, or for all of them) is one list searched on all
variants, whose first 5, 10, 20, 50, 100, 200 and 500 prompts are a subset each. Beside that the
search is repeated on splits no setting was chosen on, and without parts of the variants for the
calibration. `--check` compares the content hashes with what is there and changes nothing.

The official data is not part of this repository. Finished searches are kept in `--units`, so that
the same command continues after an interruption.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

from flasheval.base.errors import DataError
from flasheval.scores import ScoreTable
from flasheval.subset import Subset

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "evidence")]

from publishing.families import POPULATIONS, SHARED, SIZES, families, load_population  # noqa: E402
from publishing.making import make_family, with_advice  # noqa: E402

_FOLDER = Path(__file__).resolve().parents[2] / "subsets"


def main(argv: Sequence[str] | None = None) -> int:
    """Make or check; returns 1 when a hash differs from what is published."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the official data")
    parser.add_argument("--units", type=Path, required=True, help="folder of finished searches")
    parser.add_argument("--out", type=Path, default=_FOLDER, help="folder of the manifests")
    parser.add_argument("--populations", nargs="+", default=POPULATIONS, choices=POPULATIONS)
    parser.add_argument("--check", action="store_true", help="compare hashes, write nothing")
    parser.add_argument(
        "--quick", action="store_true", help="a trial: two sizes, two splits a kind"
    )
    options = parser.parse_args(argv)
    begun, different = time.monotonic(), 0
    for subset in _made(options.populations, options.data, options.units, options.quick):
        path = options.out / subset.prompt_set_name / f"{subset.name}.json"
        before = _published(path)
        same = before is not None and before.content_hash == subset.content_hash
        different += not same
        if not (options.check or (same and _timeless(before) == _timeless(subset))):
            path.parent.mkdir(parents=True, exist_ok=True)
            subset.save(path)
        print(f"{subset.content_hash[:12]} {'same' if same else 'new '} {subset.name}", flush=True)
    minutes = (time.monotonic() - begun) / 60
    print(f"{minutes:.1f} min; {different} content hashes differ from those in {options.out.name}/")
    return int(options.check and different > 0)


def _made(
    populations: Sequence[str], data: Path | None, units: Path, quick: bool
) -> Iterator[Subset]:
    """Make every family, two at a time, the largest population first.

    A population's families are given out together, for what one is worth depends on another.
    """
    with ProcessPoolExecutor(2) as pool:
        jobs: dict[str, list[Future[list[Subset]]]] = {}
        for population in populations:
            for number, family in enumerate(families(population, _loaded(population, data))):
                print(f"{family}: planned", file=sys.stderr)
                jobs.setdefault(population, []).append(
                    pool.submit(_family, population, number, data, units, quick)
                )
        for population, family_jobs in jobs.items():
            made = {one.name: one for job in family_jobs for one in job.result()}
            for subset in made.values():
                shared = made[f"{population}-{SHARED}-{subset.size}"]
                yield subset if subset is shared else with_advice(subset, shared)


def _family(
    population: str, number: int, data: Path | None, units: Path, quick: bool
) -> list[Subset]:
    table = _loaded(population, data)
    family = list(families(population, table))[number]
    trial = {"sizes": SIZES[:2], "most": 2} if quick else {}
    return make_family(family, table, data, units, **trial)


@cache  # a worker makes several families of one population
def _loaded(population: str, data: Path | None) -> ScoreTable:
    return load_population(population, data)


def _published(path: Path) -> Subset | None:
    try:
        return Subset.load(path)
    except DataError:  # not there yet, or damaged: made anew
        return None


def _timeless(subset: Subset | None) -> Subset | None:
    """Return the subset without what differs from one making of it to the next."""
    if subset is None:
        return None
    return replace(subset, record=replace(subset.record, created="", versions={}))


if __name__ == "__main__":
    raise SystemExit(main())

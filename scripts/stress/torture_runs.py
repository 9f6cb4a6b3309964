"""Break runs in every way a machine can, and see that nothing is lost and nothing differs.

A small population (images drawn by a Python function, two metrics, images kept) is run once
undisturbed, through the real command line. Then, in fresh folders, the same command is

- killed with SIGKILL at random moments of its life, started again each time, and finished;
- started two and three times at once on one folder, also with one of them killed;
- run with worker processes that are killed at random, and with their parent killed;
- run out of room, and run again once there is some;
- run on a folder whose files were cut short, flipped in a bit, emptied or deleted.

Afterwards every file of scores, every unit and every kept image must be that of the undisturbed
run, byte by byte, and no unit may have been drawn more often than the kills explain. The last line
says what was done; the exit code is 1 where anything differs. Needs Linux for the workers' part.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT)]

from torture.damaging import damage_files  # noqa: E402
from torture.full_disk import fill_disk  # noqa: E402
from torture.killing import (  # noqa: E402
    kill_commands,
    kill_parent,
    kill_workers,
    run_side_by_side,
)
from torture.outcome import Outcome, timed  # noqa: E402
from torture.world import World, make_world  # noqa: E402


def main() -> int:
    """Torture runs, tell what came of it, and return the exit code."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="flasheval-torture-") as scratch:
        world = make_world(Path(scratch), *((3, 6) if options.quick else (5, 12)), options.images)
        _tell(f"undisturbed run: {world.n_units} units in {world.seconds:.1f} s")
        outcomes = list(_parts(world, options))
    faults = [fault for outcome in outcomes for fault in outcome.faults]
    for fault in faults:
        print(f"torture: {fault}", file=sys.stderr)
    what = ", ".join(outcome.what for outcome in outcomes)
    lost, twice = (sum(getattr(one, key) for one in outcomes) for key in ("lost", "twice"))
    verdict = f"{len(faults)} FAULTS" if faults else "all scores byte-identical"
    print(f"torture: {what}: {verdict}; {lost} units lost, {twice} done twice")
    return 1 if faults or lost or twice else 0


def _parts(world: World, options: argparse.Namespace) -> Iterator[Outcome]:
    rng = random.Random(options.seed)  # noqa: S311 - nothing secret
    quick = options.quick
    yield _told(timed(lambda: kill_commands(world, options.kills or (5 if quick else 50), rng)))
    yield _told(timed(lambda: _runners(world, rng, quick=quick)))
    yield _told(timed(lambda: _workers(world, rng, kills=1 if quick else 6)))
    yield _told(timed(lambda: fill_disk(world, 1 if quick else 5, rng)))
    yield _told(timed(lambda: damage_files(world, 1 if quick else 5, rng)))


def _runners(world: World, rng: random.Random, *, quick: bool) -> Outcome:
    """Run side by side in twos and threes, with and without a kill."""
    forms = [(2, True)] if quick else [(2, False), (2, True), (3, False), (3, True)]
    all_of_them = [run_side_by_side(world, count, rng, kill=kill) for count, kill in forms]
    what = "2 runners" if quick else "2+3 runners"
    return _together(what, all_of_them)


def _workers(world: World, rng: random.Random, kills: int) -> Outcome:
    first = kill_workers(world, kills, rng)
    return _together(first.what, [first, kill_parent(world, rng)])


def _together(what: str, outcomes: list[Outcome]) -> Outcome:
    return Outcome(
        what,
        [fault for one in outcomes for fault in one.faults],
        {key: value for one in outcomes for key, value in one.facts.items()},
        sum(one.lost for one in outcomes),
        sum(one.twice for one in outcomes),
    )


def _told(outcome: Outcome) -> Outcome:
    facts = [f"{key}: {value}" for key, value in outcome.facts.items()]
    facts.append(f"drawn twice: {outcome.twice}")
    _tell(f"{outcome.what}, {outcome.seconds:.0f} s; {'; '.join(facts)}")
    return outcome


def _tell(line: str) -> None:
    print(line, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, help="commands to kill (default: 50; quick: 5)")
    parser.add_argument("--images", type=int, default=1, help="images of each prompt (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="draws moments, files and damage")
    parser.add_argument("--quick", action="store_true", help="each part once, under a minute")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""Disturb every verb that writes, and see that the same command always comes to the same result.

A small command of each verb (`torture/verbs.py`) is run undisturbed. Then it is killed with
SIGKILL at random moments, started again and finished; started twice at once; refused files by the
system, allowed few open files, pointed at a place where nothing can be written, deprived of HOME;
its clock set back; its folder deleted meanwhile; pointed at odd names. It must end well or in a
line, and what it has written in the end must be the undisturbed result, byte by byte but for times.
`torture_runs.py` does as much, and more, to `run`. Needs Linux.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT)]

from torture.disturbing import DISTURBANCES, kill  # noqa: E402
from torture.verbs import Bench, Command, commands, make_bench  # noqa: E402


def main() -> int:
    """Disturb the verbs, tell what came of it, and return the exit code."""
    options = _options()
    asked = [one for one in commands() if not options.verbs or one.name in options.verbs]
    faults: list[str] = []
    kills = disturbed = 0
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="flasheval-torture-") as scratch:
        bench = make_bench(Path(scratch))
        for number, command in enumerate(asked):
            rng = random.Random(f"{options.seed} {command.name}")  # noqa: S311 - nothing secret
            begun = time.monotonic()
            found, done = _disturb(bench, command, number, rng, options)
            faults += found
            kills, disturbed = kills + options.kills, disturbed + done
            seconds = time.monotonic() - begun
            print(f"  {command.name}: {len(found) or 'no'} faults in {seconds:.0f} s", flush=True)
    for fault in faults:
        print(f"torture: {fault}", file=sys.stderr)
    verdict = f"{len(faults)} FAULTS" if faults else "all results as undisturbed"
    print(f"torture: {len(asked)} verbs, {kills} kills, {disturbed} other disturbances: {verdict}")
    return 1 if faults else 0


def _disturb(
    bench: Bench, command: Command, number: int, rng: random.Random, options: argparse.Namespace
) -> tuple[list[str], int]:
    seconds = bench.seconds(command)
    faults = list(kill(bench, command, options.kills, seconds, rng).faults)
    names = list(DISTURBANCES)
    if options.quick:  # one a verb, all of them over the verbs
        names = [names[number % len(names)]]
    for name in names:
        found = DISTURBANCES[name](bench, command, seconds, rng)
        faults += [f"{command.name}: {name}: {one}" for one in found]
    return faults, len(names)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--quick", action="store_true", help="one kill a verb, one more disturbance"
    )
    parser.add_argument("--kills", type=int, default=None, help="kills a verb (20; 1 if quick)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random moments")
    parser.add_argument("--verbs", nargs="*", default=(), help="only these")
    options = parser.parse_args()
    if options.kills is None:
        options.kills = 1 if options.quick else 20
    return options


if __name__ == "__main__":
    sys.exit(main())

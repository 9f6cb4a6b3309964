"""Read files that are almost right, by the thousand, and see that each is used or refused well.

Manifests (with hashes made anew, so that they get past them), evaluations, populations, lists of
prompts, score tables in each layout, the records of a run and comparisons of methods are changed
in a few places, and used as the verbs use them. What flasheval refuses must be refused with a
FlashevalError of one line, within ten seconds and a gigabyte. Anything else is a fault, and is told
once for each place in the code with the number of the input that showed it; `--only INPUT` repeats
that one alone. The last line says what was done; the exit code is 1 where there was a fault.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(Path(__file__).resolve().parent)]

from fuzzing.inputs import Kind, kinds  # noqa: E402

from flasheval.base.errors import FlashevalError  # noqa: E402

_SECONDS, _BYTES = 10, 1 << 30


class TooLong(BaseException):
    """An input took over ten seconds."""


def main(words: Sequence[str] | None = None) -> int:
    """Read so many inputs, tell what came of them, and return the exit code."""
    options = _options(words)
    with tempfile.TemporaryDirectory(prefix="flasheval-fuzz-") as name:
        scratch = Path(name)
        os.environ["FLASHEVAL_CACHE"] = str(scratch / "cache")
        every = kinds(scratch, options.corpus)
        chosen = {kind: every[kind] for kind in options.kinds or every}
        if options.limit_memory:
            _limit_memory()
        counts, faults = fuzz(chosen, options.n, options.seed, options.only)
    for fault, (number, text) in faults.items():
        print(f"fuzz: input {number}: {fault}\n{text}", file=sys.stderr)
    said = ", ".join(f"{kind} {how} {count:,}" for (kind, how), count in sorted(counts.items()))
    print(f"fuzz: seed {options.seed}, {options.n:,} inputs: {said}; {len(faults)} kinds of fault")
    return 1 if faults else 0


def fuzz(
    chosen: dict[str, Kind], n: int, seed: int, only: int | None = None
) -> tuple[Counter[tuple[str, str]], dict[str, tuple[int, str]]]:
    """Use n inputs; return how many were used or refused, by kind, and each fault once."""
    counts: Counter[tuple[str, str]] = Counter()
    faults: dict[str, tuple[int, str]] = {}
    for number in range(n) if only is None else [only]:
        rng = random.Random(f"{seed} {number}")  # noqa: S311 - nothing secret
        kind = list(chosen)[number % len(chosen)]
        try:
            with warnings.catch_warnings(), _in_time():
                warnings.simplefilter("ignore")
                chosen[kind](rng)
            how = "used"
        except FlashevalError as error:
            how = "refused"
            if "\n" in str(error):
                faults.setdefault(f"{kind}: more than one line", (number, str(error)))
        except (Exception, TooLong) as error:
            how = "at fault"
            place = traceback.extract_tb(error.__traceback__)[-1]
            fault = f"{kind}: {type(error).__name__} in {place.name}, line {place.lineno}"
            text = "".join(traceback.format_exception(error)[-9:])[-3000:]
            faults.setdefault(fault, (number, text))
        counts[kind, how] += 1
    return counts, faults


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise TooLong(f"over {_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _limit_memory() -> None:
    """Let the process have a gigabyte more than it has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + _BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("n", type=int, nargs="?", default=20_000, metavar="N", help="inputs")
    parser.add_argument(
        "seed", type=int, nargs="?", default=0, metavar="SEED", help="of the changes"
    )
    parser.add_argument("--kinds", nargs="*", help="only these kinds of input")
    parser.add_argument("--only", type=int, metavar="INPUT", help="one input, by its number")
    parser.add_argument(
        "--corpus", type=Path, help="a folder of further scores and prompts to change"
    )
    parser.add_argument(
        "--limit-memory", action=argparse.BooleanOptionalAction, default=True, help="to a gigabyte"
    )
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())

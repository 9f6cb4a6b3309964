r"""Score images by an endpoint that misbehaves, kill the run several times, and count the calls.

    python scripts/stress/endpoint_kills.py [--images 10000] [--kills 5] [--out figures.json]

A local endpoint answers one call in ten wrongly: 429 and 500, half an answer, wrong JSON, a
connection dropped, a slow drip. A run of `flasheval run` in a process of its own is killed with
SIGKILL at random moments, the same command is started again, and at the end every image must have
the score that the endpoint gives it. Calls, by the endpoint's own count, must be at most the
images, one probe, kills times the calls at a time, and the answers that it spoilt itself.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402
from misbehaving_server import Server, share_of  # noqa: E402 # the suite's own

from flasheval.generators.seeds import image_seed  # noqa: E402
from flasheval.scores import load_scores  # noqa: E402

__all__ = ["main", "torture"]

_FAULTS = ("429", "500", "half", "json", "drop", "keys")
_PAINT = """
import numpy as np

def paint(prompts, seeds):
    shape = (4, 4, 3)
    return [np.random.default_rng(seed).integers(0, 256, shape, dtype="u1") for seed in seeds]
"""
_PROGRAM = """
import json, sys
from flasheval.runs.run import run
told = json.loads(sys.argv[1])
found = run(told["population"], told["prompts"], told["scorers"], out=told["out"],
            progress=False, device="cpu", chunk=32)
assert not found.failures, found.failures[:2]
"""


def torture(
    images: int, kills: int, at_a_time: int, folder: Path, seed: int = 0
) -> dict[str, float]:
    """Run, kill and run again; return the figures. Raises RuntimeError for a promise not kept."""
    rng = random.Random(seed)  # noqa: S311 - nothing secret
    (folder / "paint.py").write_text(_PAINT)
    prompts = folder / "prompts.jsonl"
    lines = (json.dumps({"id": str(n), "prompt": f"thing {n}"}) for n in range(images))
    prompts.write_text("\n".join(lines))
    faults = {number: rng.choice(_FAULTS) for number in range(20 * images) if rng.random() < 0.1}
    slow = {number for number in range(1, 20 * images) if rng.random() < 0.0005}
    with Server(lambda n: "drip" if n in slow else faults.get(n, "ok") if n else "ok") as server:
        endpoint = {"url": server.url, "model": "m", "concurrency": at_a_time, "timeout": 1.0}
        endpoint |= {"cache": str(folder / "cache"), "retries": 12}
        told = {
            "population": {
                "settings": {"generator": "function"},
                "variants": [{"name": "noise", "function": f"{folder}/paint.py:paint"}],
            },
            "prompts": str(prompts),
            "scorers": [{"name": "vqa", "endpoint": endpoint}],
            "out": str(folder / "run"),
        }
        begun, killed = time.monotonic(), 0
        while True:
            process = subprocess.Popen([sys.executable, "-c", _PROGRAM, json.dumps(told)])  # noqa: S603 - our own
            enough = images * (killed + rng.uniform(0.3, 0.9)) / (kills + 1)
            while process.poll() is None and (killed == kills or server.asked.total() < enough):
                time.sleep(0.02)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                killed += 1
            if process.wait() == 0:
                break
            _require(process.returncode == -signal.SIGKILL, "the run failed by itself")
        seconds = time.monotonic() - begun
        calls, good = server.calls.total(), server.calls["ok"]
    _require(killed == kills, f"only {killed} kills: the run was done too soon")
    spoilt = calls - good
    bound = images + 1 + kills * at_a_time + spoilt
    _require(calls <= bound, f"{calls} calls, at most {bound} expected")
    values = load_scores(folder / "run")["VQAScore"].values[0]
    _require(len(values) == images, f"{len(values)} scores")
    _require(bool(np.isfinite(values).all()), "scores are missing")
    for place in range(0, images, max(1, images // 500)):
        drawn = np.random.default_rng(image_seed(0, str(place)))
        pixels = drawn.integers(0, 256, (4, 4, 3), dtype="u1").tobytes()
        text = f'Does this image show "thing {place}"? Answer yes or no.'
        _require(abs(values[place] - share_of(pixels, text)) < 1e-6, f"image {place}")
    twice = sum(server.asked.values()) - len(server.asked)
    return {
        "images": images,
        "kills": kills,
        "concurrency": at_a_time,
        "calls": calls,
        "spoilt": spoilt,
        "answered_twice": twice,
        "bound": bound,
        "most_at_a_time": server.most,
        "seconds": round(seconds, 1),
    }


def _require(kept: bool, what: str) -> None:
    if not kept:
        raise RuntimeError(what)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--out", type=Path, help="write the figures here, as JSON")
    told = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        figures = torture(told.images, told.kills, told.concurrency, Path(folder))
    text = json.dumps(figures, indent=1)
    print(text)
    if told.out is not None:
        told.out.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""One of several processes that train and evaluate; a program, started by test_processes.py."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from flasheval.evaluation.evaluate import evaluate
from flasheval.evaluation.processes import processes
from flasheval.evaluation.report import Report
from flasheval.prompts import PromptSet
from flasheval.subset import Method, Subset

torch.set_num_threads(1)
drawn: list[str] = []


def subset(count: int) -> Subset:
    ids = tuple(f"p{number}" for number in range(count))
    texts = tuple(f"thing {number}" for number in range(count))
    return Subset.choose(
        PromptSet("things", ids, texts),
        range(count),
        name=f"things-{count}",
        metrics=(),
        method=Method("random"),
        with_texts=True,
    )


def draw(prompts: list[str], seeds: list[int]) -> list[Any]:
    drawn.extend(prompts)
    return [
        None if text == "thing 3" else np.full((4, 4, 3), 1 + seed % 250, np.uint8)
        for text, seed in zip(prompts, seeds, strict=True)
    ]


def light(images: list[Any], prompts: list[str]) -> list[float]:
    return [float(image.getpixel((0, 0))[0]) for image in images]


def told(report: Report) -> dict[str, Any]:
    """Return what of a report is the same wherever and whenever it is made."""
    data = replace(report, seconds=0.0, created="").to_dict()
    pixels = [getattr(one, "reason", None) or one.getpixel((0, 0)) for one in report.images]
    return {**data, "pixels": [str(pixel) for pixel in pixels]}


def attempt(action: Callable[[], Report]) -> Any:
    drawn.clear()
    try:
        return [told(action()), len(drawn)]
    except Exception as error:
        return [type(error).__name__, str(error)]


def boom(prompts: list[str], seeds: list[int]) -> list[Any]:
    raise ValueError("no\nluck")


def scenarios(rank: int, only: int) -> dict[str, Any]:
    """Return what each evaluation gives; what is to go wrong does so in process `only`."""
    five, mine = subset(5), rank == only
    absent = Path("absent.json")
    known = evaluate(draw, five.prefix(3), light, images=True)
    return {
        "five": attempt(lambda: evaluate(draw, five, light, images=True, batch=2)),
        "several": attempt(
            lambda: evaluate(draw, five, light, images=True, images_per_prompt=3, batch=2)
        ),
        "one": attempt(lambda: evaluate(draw, subset(1), light)),
        "rest": attempt(lambda: evaluate(draw, five, light, images=True, known=known)),
        "nothing": attempt(lambda: evaluate(draw, five.prefix(3), light, known=known)),
        "broken model": attempt(lambda: evaluate(boom if mine else draw, five, light)),
        "no file": attempt(lambda: evaluate(draw, absent if mine else five, light)),
        "other seed": attempt(lambda: evaluate(draw, five, light, seed=int(mine))),
        "after all": attempt(lambda: evaluate(draw, five, light, images=True)),
    }


def trained(accelerator: Any, look: Callable[[Any], object]) -> list[float]:
    """Train a little with dropout and noise; return the weights."""
    torch.manual_seed(3)
    layers = torch.nn.Linear(4, 4), torch.nn.Dropout(0.3), torch.nn.Linear(4, 1)
    network = torch.nn.Sequential(*layers)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1)
    network, optimizer = accelerator.prepare(network, optimizer)
    for _ in range(4):
        with accelerator.autocast():
            look(accelerator.unwrap_model(network))  # before any weight is cast
            loss = (network(torch.randn(8, 4)) - 1).square().mean()
            look(accelerator.unwrap_model(network))
        look(accelerator.unwrap_model(network))
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
    return [float(value) for one in network.parameters() for value in one.detach().flatten()]


def main(folder: Path) -> None:
    accelerator = Accelerator(cpu=True, mixed_precision="bf16")
    rank, world = processes()
    assert (rank, world) == (accelerator.process_index, accelerator.num_processes)

    decoder = torch.nn.Linear(1, 1).to(torch.bfloat16)  # as a VAE beside a UNet in training
    torch.nn.init.ones_(decoder.weight)

    def look(network: Any) -> None:
        def paint(prompts: list[str], generators: list[Any]) -> list[Any]:
            torch.rand(5)
            assert not network.training
            noise = [torch.rand(1, 4, generator=one) for one in generators]
            shades = [decoder(network(one)).item() for one in noise]
            return [np.full((4, 4, 3), 100 + round(20 * shade) % 100, np.uint8) for shade in shades]

        inside = torch.is_autocast_enabled("cpu")
        more = {} if inside else {"autocast": "bf16"}
        reports.append(told(evaluate(paint, subset(3), light, modules=[network], **more)))

    reports: list[Any] = []
    found = {
        "scenarios": scenarios(rank, only=1),
        "weights": trained(accelerator, lambda network: None),
        "weights, looked at": trained(accelerator, look),
        "reports": reports,
    }
    (folder / f"{rank}.json").write_text(json.dumps(found))
    # Torch's process group now and then aborts while the interpreter ends, with or without us.
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A model of several types of numbers is evaluated as its training computes it, and goes on so."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flasheval
from flasheval.base.errors import SettingError
from flasheval.evaluation.autocast import autocast_of, autocasting
from flasheval.evaluation.evaluate import evaluate
from flasheval.evaluation.monitor import CheckpointMonitor
from flasheval.evaluation.report import Report
from flasheval.prompts import PromptSet
from flasheval.subset import Method, Subset

torch = pytest.importorskip("torch")
CALL = {"num_inference_steps": 1, "guidance_scale": 1.0}


def light(images: list[Any], prompts: list[str]) -> list[float]:
    assert not torch.is_autocast_enabled("cpu")  # scorers never see any
    return [float(np.asarray(image, np.float64).mean()) for image in images]


@pytest.fixture(scope="module")
def two() -> Subset:
    prompts = PromptSet("pets", ("1", "2"), texts=("a cat", "a white dog"))
    return Subset.choose(
        prompts, [0, 1], name="two", metrics=(), method=Method("random"), with_texts=True
    )


@pytest.fixture
def mixed(tiny_models: dict[str, Path]) -> Any:
    """A pipeline as diffusers' training scripts hold it: a float32 UNet, the rest bfloat16."""
    diffusers = pytest.importorskip("diffusers")
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(tiny_models["sd"])
    pipe.vae.to(torch.bfloat16)
    pipe.text_encoder.to(torch.bfloat16)
    return pipe


def scores(report: Report) -> tuple[float | None, ...]:
    return report.metrics["light"].scores


def bf16() -> Any:
    return torch.autocast("cpu", dtype=torch.bfloat16)


def test_a_pipeline_of_two_types_is_evaluated_wherever_it_stands(mixed: Any, two: Subset) -> None:
    outside = evaluate(mixed, two, light, call=CALL)
    with bf16():
        inside = evaluate(mixed, two, light, call=CALL)
        kept = evaluate(mixed, two, light, call=CALL, autocast="keep")
        assert torch.is_autocast_enabled("cpu")
    asked = evaluate(mixed, two, light, call=CALL, autocast=torch.bfloat16)
    assert not torch.is_autocast_enabled("cpu")
    assert outside.call == {**CALL, "autocast": "bfloat16"}
    assert scores(outside) == scores(inside) == scores(kept) == scores(asked)
    assert not outside.faults


def test_what_autocast_would_have_helped_is_one_line(mixed: Any, two: Subset) -> None:
    with pytest.raises(SettingError, match=r"numbers of several types .*; give autocast='bf16'"):
        evaluate(mixed, two, light, call=CALL, autocast="off")
    with pytest.raises(SettingError, match="autocast=int8: expected auto, keep, off"):
        evaluate(mixed, two, light, call=CALL, autocast="int8")
    with pytest.raises(RuntimeError, match="no luck"), autocasting({}):
        raise RuntimeError("no luck")


def test_a_pipeline_of_one_type_sees_no_autocast(tiny_models: Any, two: Subset) -> None:
    diffusers = pytest.importorskip("diffusers")
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(tiny_models["sd"])
    outside = evaluate(pipe, two, light, call=CALL)
    with bf16():
        assert scores(evaluate(pipe, two, light, call=CALL)) == scores(outside)
        kept = evaluate(pipe, two, light, call=CALL, autocast="keep")
    assert outside.call == CALL
    assert kept.call["autocast"] == "bfloat16"
    assert scores(kept) != scores(outside)
    pipe.unet.to(torch.bfloat16)
    pipe.text_encoder.to(torch.bfloat16)  # a decoder of its own type is the pipeline's affair
    assert autocast_of(pipe, "auto", "cpu") == {}


def test_a_function_computes_as_its_caller_does(two: Subset) -> None:
    weights = torch.ones(2, 2)
    seen = []

    def paint(prompts: list[str], seeds: list[int]) -> list[Any]:
        seen.append((weights @ weights).dtype)
        return [np.full((4, 4, 3), 9, np.uint8) for _ in prompts]

    evaluate(paint, two, light)
    with bf16():
        assert evaluate(paint, two, light).call == {"autocast": "bfloat16"}
        evaluate(paint, two, light, autocast="off")
    assert seen == [torch.float32, torch.bfloat16, torch.float32]


def trained(pipe: Any, look: Any) -> dict[str, Any]:
    """Fine-tune the UNet in mixed precision; look before, amid and after forward passes."""
    torch.manual_seed(3)
    unet = pipe.unet.train()
    optimizer = torch.optim.AdamW(unet.parameters(), lr=1e-3)
    size = unet.config.sample_size
    for step in range(2):
        latents = torch.randn(2, unet.config.in_channels, size, size)
        text = torch.randn(2, 8, unet.config.cross_attention_dim)
        times = torch.tensor([10, 500])
        with bf16():
            look(step)
            loss = unet(latents, times, text).sample.square().mean()
            look(step)
            loss = loss + unet(latents, times, text).sample.mean()
        look(step)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return {name: value.clone() for name, value in unet.state_dict().items()}


@pytest.mark.parametrize("autocast", ["auto", "keep", torch.bfloat16])
def test_training_goes_on_bit_for_bit(mixed: Any, two: Subset, autocast: Any) -> None:
    pipes, reports = [mixed, copy.copy(mixed)], []
    pipes[1].unet = copy.deepcopy(mixed.unet)

    def look(step: int) -> None:
        if torch.is_autocast_enabled("cpu") or autocast != "keep":
            reports.append(evaluate(pipes[1], two, light, call=CALL, autocast=autocast, step=step))

    without, draws = trained(pipes[0], lambda step: None), torch.rand(3)
    looked = trained(pipes[1], look)
    assert torch.equal(torch.rand(3), draws)
    assert all(torch.equal(without[name], looked[name]) for name in without)
    found = {
        report.step: {scores(one) for one in reports if one.step == report.step}
        for report in reports
    }
    assert [len(one) for one in found.values()] == [1, 1]
    assert found[0] != found[1]


def test_a_monitor_takes_it_too(mixed: Any) -> None:
    rng = np.random.default_rng(0)
    values = 100 + 20 * rng.normal(size=(16, 1)) + 10 * rng.normal(size=(16, 30))
    prompts = PromptSet(
        "p", tuple(f"p{n}" for n in range(30)), tuple(f"cat {n}" for n in range(30))
    )
    table = flasheval.ScoreTable.from_arrays(
        values, variants=[f"v{n}" for n in range(16)], prompts=prompts, metric="light"
    )
    subset = flasheval.search(table, size=3, method="pooled", splits=None, progress=False).subset
    monitor = CheckpointMonitor(subset.with_texts(prompts), [light], call=CALL, autocast="bf16")
    assert monitor.step(mixed, 1).verdict == "first"
    assert monitor.best_report is not None
    assert monitor.best_report.call["autocast"] == "bfloat16"

"""Training with evaluations in between gives the weights that training without them gives."""

import copy
import random
from typing import Any

import numpy as np
import pytest

from flasheval.evaluation.evaluate import evaluate
from flasheval.subset import Subset

torch = pytest.importorskip("torch")


def train(pipe: Any, look: Any) -> dict[str, Any]:
    """Fine-tune the pipeline's own network on made-up latents; everything random is global."""
    random.seed(1)
    np.random.seed(2)  # noqa: NPY002
    torch.manual_seed(3)
    unet = pipe.unet.train()
    for module in unet.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.1
    unet.down_blocks[0].eval()
    noises = pipe.scheduler
    optimizer = torch.optim.AdamW(unet.parameters(), lr=1e-3)
    size = unet.config.sample_size
    shape = (2, unet.config.in_channels, size, size)
    for step in range(3):
        latents = torch.randn(shape) + float(np.random.rand())  # noqa: NPY002
        noise = torch.randn(shape)
        times = torch.tensor([random.randrange(1000) for _ in range(2)])  # noqa: S311
        text = torch.randn(2, 8, unet.config.cross_attention_dim)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            mixed = noises.add_noise(latents, noise, times)
            loss = torch.nn.functional.mse_loss(unet(mixed, times, text).sample, noise)
            look(step)  # in the midst of a forward pass: autocast has cast weights at hand
            loss = loss + unet(mixed, times, text).sample.square().mean()
        look(step)
        loss.backward()
        look(step)
        optimizer.step()
        optimizer.zero_grad()
    return {name: value.clone() for name, value in unet.state_dict().items()}


@pytest.mark.slow
def test_weights_are_bit_identical(small_pipe: Any, four: Subset, judges: tuple[Any, ...]) -> None:
    def noisy(images: list[Any], prompts: list[str]) -> list[float]:
        random.random()  # noqa: S311
        torch.manual_seed(0)
        return np.random.rand(len(images)).tolist()  # noqa: NPY002

    call, reports = {"num_inference_steps": 1, "guidance_scale": 1.0}, []

    def look(step: int) -> None:
        before = [module.training for module in pipes[1].unet.modules()]
        reports.append(evaluate(pipes[1], four.prefix(1), [judges[0], noisy], call=call, step=step))
        assert [module.training for module in pipes[1].unet.modules()] == before
        assert torch.is_grad_enabled()

    pipes = [copy.copy(small_pipe) for _ in range(2)]
    for pipe in pipes:
        pipe.unet, pipe.scheduler = copy.deepcopy((small_pipe.unet, small_pipe.scheduler))
    without, draws = train(pipes[0], lambda step: None), torch.rand(3)
    looked = train(pipes[1], look)
    assert torch.equal(torch.rand(3), draws)
    assert without.keys() == looked.keys()
    assert all(torch.equal(without[name], looked[name]) for name in without)
    start = small_pipe.unet.state_dict()
    assert not any(torch.equal(without[name], start[name]) for name in list(start)[:5])
    scores = [report.means["CLIP"] for report in reports]
    for step in range(3):  # wherever in a step it looks, it sees the same model
        assert len(set(scores[3 * step : 3 * step + 3])) == 1
    assert len(set(scores)) == 3

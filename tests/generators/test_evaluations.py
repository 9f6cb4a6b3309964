from types import SimpleNamespace

import pytest
import torch

from flasheval.generators.evaluations import EvaluationCounter, denoiser_of


def test_calls_are_counted_within_the_block_only():
    network = torch.nn.Linear(2, 2)
    network(torch.zeros(1, 2))
    with EvaluationCounter(network) as counter:
        for _ in range(3):
            network(torch.zeros(5, 2))
    network(torch.zeros(1, 2))
    assert counter.calls == 3


def test_a_network_that_fails_is_let_go():
    network = torch.nn.Linear(2, 2)
    with pytest.raises(RuntimeError), EvaluationCounter(network) as counter:
        network(torch.zeros(1, 3))
    assert counter.calls == 1
    assert not network._forward_pre_hooks


@pytest.mark.parametrize("name", ["unet", "transformer", "prior"])
def test_the_network_that_denoises_is_found(name):
    assert denoiser_of(SimpleNamespace(**{name: "it", "vae": "another"})) == "it"
    assert denoiser_of(SimpleNamespace(vae="another")) is None

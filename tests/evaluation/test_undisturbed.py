"""Whatever an evaluation does, modes, random states and schedulers are as before."""

import random
import subprocess
import sys
import textwrap
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from flasheval.evaluation.undisturbed import undisturbed

torch = pytest.importorskip("torch")


def mixed() -> Any:
    """A model some of whose modules are in training mode and some not."""
    nn = torch.nn
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(2)))
    model[1].eval()
    model[1][0].train()
    return model


def modes(model: Any) -> list[bool]:
    return [module.training for module in model.modules()]


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002, S311


def seed_all() -> None:
    random.seed(5)
    np.random.seed(6)  # noqa: NPY002
    torch.manual_seed(7)


class BoomError(Exception):
    pass


def through(generator: object, inside: Any, *, fails: bool, modules: Any = ()) -> None:
    try:
        with undisturbed(generator, modules):
            inside()
            if fails:
                raise BoomError
    except BoomError:
        assert fails


@pytest.mark.parametrize("fails", [False, True])
def test_modes_are_restored_one_by_one(fails: bool) -> None:
    class Pipeline:
        def __init__(self, model: Any) -> None:
            self.components = {"unet": model, "tokenizer": object(), "extra": None}

    class Sampler(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.part = mixed()

        def sample(self, prompts: list[str], seeds: list[int]) -> None:
            pass

    model, own = mixed(), Sampler()
    cases = [
        (Pipeline(model), (), model),
        (model, (), model),
        (lambda prompts, seeds: None, [model, "no module"], model),
        (lambda prompts, seeds: None, iter([model, model]), model),
        (own.sample, (), own),
    ]
    for generator, modules, judged in cases:
        before = modes(judged)
        assert len(set(before)) == 2
        inside: list[list[bool]] = []

        def look(judged: Any = judged, inside: Any = inside) -> None:
            inside.append(modes(judged))
            judged.train()  # as a careless function might

        through(generator, look, fails=fails, modules=modules)
        assert inside == [[False] * len(before)]
        assert modes(judged) == before


@pytest.mark.parametrize("fails", [False, True])
def test_random_states_are_those_of_before(fails: bool) -> None:
    seed_all()
    draws()
    expected = draws()
    seed_all()
    draws()

    def waste() -> None:
        draws()
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        torch.manual_seed(1)
        np.random.standard_normal()  # noqa: NPY002 - leaves a second one for later

    through(None, waste, fails=fails)
    assert draws() == expected


class Accelerator:
    """As much of torch.cuda as is asked for."""

    def __init__(self, started: bool) -> None:
        self.started, self.states, self.emptied = started, [1, 2], 0

    def is_initialized(self) -> bool:
        return self.started

    def get_rng_state_all(self) -> list[int]:
        assert self.started
        return list(self.states)

    def set_rng_state_all(self, states: list[int]) -> None:
        self.states = states

    def manual_seed_all(self, seed: int) -> None:
        self.states = [seed, seed]

    def empty_cache(self) -> None:
        self.emptied += 1


def test_random_states_of_accelerators_too(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(11)
    running, sleeping = Accelerator(True), Accelerator(False)
    monkeypatch.setattr(torch, "cuda", running)
    monkeypatch.setattr(torch, "xpu", sleeping)
    with undisturbed(None):
        running.states = [8, 9]
    assert (running.states, running.emptied) == ([1, 2], 1)
    assert (sleeping.states, sleeping.emptied) == ([1, 2], 0)
    with undisturbed(None):  # a scorer starts the device: it is as if training had started it
        sleeping.started = True
        sleeping.states = [3, 4]
    assert sleeping.states == [11, 11]


@pytest.mark.parametrize("fails", [False, True])
def test_gradients_and_autocast(fails: bool) -> None:
    weights, data = torch.ones(2, 2, requires_grad=True), torch.ones(2, 2)
    seen: list[Any] = []

    def inside() -> None:
        made = weights @ data
        kinds = [torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda", "mps")]
        seen.append((made.requires_grad, made.dtype, any(kinds)))

    with torch.autocast("cpu", dtype=torch.bfloat16), torch.autocast("mps"):
        before = [torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda", "mps")]
        through(None, inside, fails=fails)
        made = weights @ data
        assert (made.dtype, made.requires_grad) == (torch.bfloat16, True)
        assert [torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda", "mps")] == before
        assert torch.get_autocast_dtype("cpu") == torch.bfloat16
    assert seen == [(False, torch.float32, False)]
    with torch.no_grad():
        through(None, inside, fails=fails)
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


@pytest.mark.slow
@pytest.mark.parametrize("fails", [False, True])
def test_a_pipelines_scheduler_and_progress_bar(small_pipe: Any, fails: bool) -> None:
    scheduler = small_pipe.scheduler
    scheduler.set_timesteps(7)
    steps, sigmas, config = scheduler.timesteps.clone(), scheduler.sigmas.clone(), small_pipe.config
    small_pipe.set_progress_bar_config(desc="mine", disable=False)
    bar = dict(small_pipe._progress_bar_config)
    inside: list[Any] = []

    def look() -> None:
        inside.append((small_pipe.scheduler, small_pipe._progress_bar_config))
        small_pipe(["a red circle"], num_inference_steps=2, output_type="np")

    try:
        through(small_pipe, look, fails=fails)
        (own, shown) = inside[0]
        assert own is not scheduler
        assert type(own) is type(scheduler)
        assert shown == {"desc": "mine", "disable": True}
        assert small_pipe.scheduler is scheduler
        assert torch.equal(scheduler.timesteps, steps)
        assert torch.equal(scheduler.sigmas, sigmas)
        assert (scheduler.num_inference_steps, scheduler.step_index) == (7, None)
        assert len(own.timesteps) == 2  # so it was the copy that the call changed
        assert small_pipe._progress_bar_config == bar
        assert small_pipe.config == config
    finally:
        small_pipe._progress_bar_config = {"disable": True}


def test_a_schedule_of_learning_rates_is_left_alone() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    rates = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    trainer = SimpleNamespace(scheduler=rates)
    with undisturbed(trainer):
        assert trainer.scheduler is rates


def test_nothing_of_torch_is_imported() -> None:
    code = """
        import random, sys
        import numpy as np
        from flasheval.evaluation.undisturbed import undisturbed
        random.seed(1)
        np.random.seed(1)
        with undisturbed(lambda prompts, seeds: None):
            found = random.random(), np.random.rand()
        assert (random.random(), np.random.rand()) == found
        assert not {"torch", "diffusers", "PIL"} & set(sys.modules)
        with undisturbed(None):
            import torch  # a scorer brings it
            torch.rand(1)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

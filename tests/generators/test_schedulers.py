"""Schedulers by name: which fit which checkpoint, and what a swap keeps."""

import diffusers
import pytest

from flasheval.base.errors import SettingError
from flasheval.generators.schedulers import SCHEDULERS, swapped_scheduler

DIFFUSION = [name for name in SCHEDULERS if not name.startswith("FlowMatch")]
TOLD = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}


@pytest.fixture
def pndm():
    return diffusers.PNDMScheduler(beta_schedule="scaled_linear", beta_end=0.012, steps_offset=1)


@pytest.fixture
def flow():
    return diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)


@pytest.mark.parametrize("name", DIFFUSION)
def test_every_short_name_is_a_class_and_keeps_the_noise(pndm, name):
    made = swapped_scheduler(pndm, name, {})
    assert type(made).__name__ == SCHEDULERS[name]
    assert made.config.beta_end == 0.012
    assert made.config.beta_schedule == "scaled_linear"


def test_a_class_name_does_as_well(pndm):
    made = swapped_scheduler(pndm, "KDPM2AncestralDiscreteScheduler", {})
    assert isinstance(made, diffusers.KDPM2AncestralDiscreteScheduler)


def test_none_is_a_fresh_one_of_the_same_class_with_the_settings(pndm):
    made = swapped_scheduler(pndm, None, {"skip_prk_steps": True})
    assert type(made) is type(pndm)
    assert made is not pndm
    assert made.config.skip_prk_steps
    assert not pndm.config.skip_prk_steps


def test_a_distilled_model_can_be_sampled_as_the_one_it_comes_from(pndm):
    distilled = swapped_scheduler(pndm, "LCM", {})
    assert isinstance(swapped_scheduler(distilled, "DDIM", {}), diffusers.DDIMScheduler)


@pytest.mark.parametrize("name", ["DPM", "UniPC"])
def test_a_solver_told_of_flow_matching_keeps_the_shift(flow, name):
    made = swapped_scheduler(flow, name, TOLD)
    assert made.config.flow_shift == 3.0
    assert swapped_scheduler(made, "FlowMatchHeun", {}).config.shift == 3.0
    assert swapped_scheduler(flow, name, {**TOLD, "flow_shift": 2.0}).config.flow_shift == 2.0


@pytest.mark.parametrize("settings", [{}, {"use_flow_sigmas": True}, {"use_flow_sigmas": False}])
def test_one_not_told_enough_of_flow_matching_is_refused(flow, settings):
    with pytest.raises(SettingError, match=r"scheduler=DPM does not fit.*flow_prediction"):
        swapped_scheduler(flow, "DPM", settings)


def test_a_flow_matching_checkpoint_is_told_by_its_settings_too(flow):
    made = swapped_scheduler(flow, "DPM", TOLD)
    assert type(swapped_scheduler(made, None, {})) is type(made)
    with pytest.raises(SettingError, match="scheduler=DDIM does not fit"):
        swapped_scheduler(made, "DDIM", {})


@pytest.mark.parametrize("name", ["FlowMatchEuler", "EDMEulerScheduler", "AmusedScheduler"])
def test_those_of_other_kinds_of_models_are_refused(pndm, name):
    with pytest.raises(SettingError, match=r"does not fit.*these fit: DDIM, DDPM"):
        swapped_scheduler(pndm, name, {})


def test_a_scheduler_of_masked_tokens_has_no_other():
    amused = diffusers.AmusedScheduler(mask_token_id=3)
    assert swapped_scheduler(amused, None, {}).config.mask_token_id == 3
    with pytest.raises(SettingError, match="leave scheduler= out"):
        swapped_scheduler(amused, "DDIM", {})


@pytest.mark.parametrize("name", ["DPMSolverSDEScheduler", "CosineDPMSolverMultistepScheduler"])
def test_noise_that_no_seed_decides_is_refused(pndm, name):
    with pytest.raises(SettingError, match="ignores the image seeds"):
        swapped_scheduler(pndm, name, {})


def test_a_value_the_scheduler_refuses_is_one_line(pndm):
    with pytest.raises(SettingError, match=r"scheduler=DPM: .*nonsense"):
        swapped_scheduler(pndm, "DPM", {"algorithm_type": "nonsense"})


@pytest.mark.parametrize("name", ["DIM", "SchedulerMixin", "UNet2DModel"])
def test_what_is_no_scheduler_is_one_line(pndm, name):
    with pytest.raises(SettingError, match=f"scheduler={name}: there is none"):
        swapped_scheduler(pndm, name, {})

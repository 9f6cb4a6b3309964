import json

import pytest

from flasheval.generators.diffusers_pipeline import given_arguments
from flasheval.generators.diffusers_settings import DiffusersSettings
from flasheval.generators.without_effect import (
    PipelineFacts,
    facts_of_files,
    mentioned,
    without_effect,
)


def _idle(pipeline, denoiser=None, scheduler=None, schedule=None, config=None, **settings):
    import diffusers

    facts = PipelineFacts(
        getattr(diffusers, pipeline),
        config or {},
        denoiser or {},
        getattr(diffusers, scheduler) if scheduler else None,
        schedule or {},
    )
    given = DiffusersSettings("any", **settings)
    return without_effect(facts, given_arguments(given), given.scheduler_settings)


@pytest.mark.parametrize(
    ("pipeline", "settings", "idle"),
    [
        ("StableDiffusionPipeline", {"guidance": 1.0}, {"negative_prompt"}),
        ("StableDiffusionPipeline", {"guidance": 5.0}, set()),
        ("StableDiffusionPipeline", {}, set()),  # 7.5 unless set
        ("PixArtAlphaPipeline", {"guidance": 0.5}, {"negative_prompt"}),  # a variable of its call
        ("StableDiffusion3Pipeline", {"guidance": 0}, {"negative_prompt"}),
        ("ZImagePipeline", {"guidance": 1.0}, set()),  # guides above 0
        ("ZImagePipeline", {"guidance": 0.0}, {"negative_prompt"}),
        ("FluxPipeline", {"guidance": 5.0}, {"negative_prompt"}),
        ("FluxPipeline", {"options": {"true_cfg_scale": 4.0}}, set()),
        ("FluxPipeline", {"options": {"true_cfg_scale": 1.0}}, {"negative_prompt"}),
        ("QwenImagePipeline", {}, set()),  # true_cfg_scale is 4 unless set
        ("KandinskyCombinedPipeline", {"guidance": 1.0}, set()),  # its prior has its own
    ],
)
def test_a_negative_prompt_needs_guidance_above_what_the_class_says(pipeline, settings, idle):
    assert set(_idle(pipeline, negative_prompt="blurry", **settings)) == idle


def test_the_reason_names_the_guidance_that_is_used():
    (reason,) = _idle("FluxPipeline", negative_prompt="blurry").values()
    assert reason == "FluxPipeline reads it only at true_cfg_scale above 1, here 1.0"


@pytest.mark.parametrize(
    ("pipeline", "denoiser", "settings", "idle"),
    [
        ("FluxPipeline", {}, {"options": {"true_cfg_scale": 4.0}}, {"options.true_cfg_scale"}),
        ("FluxPipeline", {"guidance_embeds": False}, {"guidance": 2.0}, {"guidance"}),
        ("FluxPipeline", {"guidance_embeds": True}, {"guidance": 2.0}, set()),
        ("Flux2KleinPipeline", {"guidance_embeds": False}, {"guidance": 2.0}, set()),
        (
            "StableDiffusionPipeline",
            {"time_cond_proj_dim": 256},
            {"guidance": 8.0, "negative_prompt": "blurry"},
            {"negative_prompt"},
        ),
        (
            "StableDiffusionPipeline",
            {},
            {"guidance": 1.0, "options": {"guidance_rescale": 0.7}},
            {"options.guidance_rescale"},
        ),
        (
            "StableDiffusionXLPipeline",
            {},
            {"steps": 5, "options": {"timesteps": [9, 1]}},
            {"steps"},
        ),
    ],
)
def test_guidance_that_does_nothing_is_told(pipeline, denoiser, settings, idle):
    assert set(_idle(pipeline, denoiser, **settings)) == idle


def test_a_distilled_model_has_no_guidance():
    found = _idle("Flux2KleinPipeline", config={"is_distilled": True}, guidance=2.0)
    assert found == {"guidance": "the model is distilled, without guidance"}


@pytest.mark.parametrize(
    ("scheduler", "schedule", "settings", "idle"),
    [
        ("DDIMScheduler", {}, {"options": {"eta": 1.0}}, ""),
        ("PNDMScheduler", {}, {"options": {"eta": 1.0}}, "options.eta"),
        ("PNDMScheduler", {}, {"options": {"eta": 0.0}}, ""),
        ("DDIMScheduler", {"clip_sample": False}, {"clip_sample_range": 2.0}, "clip_sample_range"),
        ("DDIMScheduler", {"clip_sample": True}, {"clip_sample_range": 2.0}, ""),
        ("DDIMScheduler", {}, {"sample_max_value": 2.0}, "sample_max_value"),
        ("DDIMScheduler", {}, {"sample_max_value": 2.0, "thresholding": True}, ""),
        ("DDIMScheduler", {"trained_betas": [0.1]}, {"beta_end": 0.1}, "beta_end"),
        ("FlowMatchEulerDiscreteScheduler", {}, {"max_shift": 2.0}, "max_shift"),
        ("FlowMatchEulerDiscreteScheduler", {}, {"shift": 2.0}, ""),
        (
            "FlowMatchEulerDiscreteScheduler",
            {"use_dynamic_shifting": True},
            {"shift": 2.0},
            "shift",
        ),
    ],
)
def test_a_setting_the_scheduler_does_not_read_is_told(scheduler, schedule, settings, idle):
    if "options" not in settings:
        settings = {"scheduler_settings": settings}
        idle = idle and f"scheduler_settings.{idle}"
    found = _idle("StableDiffusionPipeline", {}, scheduler, schedule, **settings)
    assert set(found) == ({idle} if idle else set())


@pytest.mark.parametrize(
    ("line", "settings"),
    [
        ("guidance_scale is passed as 3.0, but ignored", ["guidance"]),
        ("Guidance scale 3.0 is ignored for step-wise distilled models.", ["guidance"]),
        ("`height` has to be divisible by 16 but is 30", ["height"]),
        ("image_guidance_scale is ignored", []),
        ("the end of your input was truncated: ['a man of great height']", []),
    ],
)
def test_a_line_of_a_log_names_settings_as_whole_words(line, settings):
    given = {"guidance": ("guidance_scale", 3.0), "height": ("height", 30)}
    assert mentioned(line, given) == settings


def test_nothing_is_claimed_of_a_folder_that_names_no_pipeline_of_diffusers(tmp_path):
    assert facts_of_files(tmp_path) is None
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "NoSuchPipeline"}))
    assert facts_of_files(tmp_path) is None

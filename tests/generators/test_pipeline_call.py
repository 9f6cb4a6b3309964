"""A pipeline is called by name, with arguments it takes; all ways to it share one check."""

import pytest

from flasheval.base.errors import SettingError
from flasheval.evaluation.evaluate import evaluate
from flasheval.generators.diffusers_settings import DiffusersSettings
from flasheval.generators.generator import Batch
from flasheval.generators.pipeline_call import SET_FOR_EACH_BATCH, PipelineCall
from flasheval.generators.python_objects import as_generator
from flasheval.prompts import PromptSet
from flasheval.subset import Method, Subset

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
BATCH = Batch(("a", "b"), ("A", "B"), (5, 6))


class ImageFirst(diffusers.DiffusionPipeline):
    """Takes an image before the prompt, as Flux Kontext, Flux 2 and Z-Image Omni do."""

    def __call__(
        self,
        image=None,
        prompt=None,
        num_inference_steps=50,
        negative_prompt=None,
        generator=None,
        output_type="pil",
        return_dict=True,
    ):
        assert image is None
        assert (output_type, len(generator)) == ("np", len(prompt))
        return [(one, num_inference_steps, negative_prompt) for one in prompt]


class Open(ImageFirst):
    """Somebody's own, which takes whatever there is."""

    def __call__(self, num_inference_steps=50, **more):
        self.seen = more
        return [None] * len(more["prompt"])


def test_prompts_are_passed_by_name():
    made = as_generator(ImageFirst(), {"num_inference_steps": 4}).generate(BATCH)
    assert made == [("A", 4, None), ("B", 4, None)]


def test_a_negative_prompt_is_one_for_each_prompt():
    for given in ("grey", ["grey", "grey"]):
        made = as_generator(ImageFirst(), {"negative_prompt": given}).generate(BATCH)
        assert [one[2] for one in made] == [["grey", "grey"]] * 2


def test_what_a_pipeline_does_not_take_is_refused():
    with pytest.raises(SettingError, match="inference_steps: ImageFirst takes no such argument; d"):
        as_generator(ImageFirst(), {"inference_steps": 4})
    for own in SET_FOR_EACH_BATCH:
        with pytest.raises(SettingError, match=f"{own}: it is set for each batch"):
            as_generator(Open(), {own: None})


def test_a_pipeline_of_ones_own_may_take_anything_but_a_misspelt_name():
    pipe = Open()
    as_generator(pipe, {"strength": 1}).generate(BATCH)
    assert pipe.seen["strength"] == 1
    with pytest.raises(SettingError, match="num_inference_step: Open takes no such argument; did"):
        as_generator(pipe, {"num_inference_step": 4})


def test_what_takes_no_prompts_is_refused():
    class Upscaler(diffusers.DiffusionPipeline):
        def __call__(self, image, generator=None):
            return image

    with pytest.raises(SettingError, match="Upscaler takes no prompt: it is not a text-to-image"):
        PipelineCall(Upscaler(), {})


@pytest.mark.parametrize("name", ["sd", "sdxl", "pixart"])
def test_names_of_old_in_diffusers_do_not_let_misspelt_ones_through(tiny_models, name):
    pipe = diffusers.DiffusionPipeline.from_pretrained(tiny_models[name])
    pets = PromptSet("pets", ("1",), texts=("a cat",))
    subset = Subset.choose(
        pets, [0], name="one", metrics=(), method=Method("random"), with_texts=True
    )

    def light(images, prompts):
        return [0.0]

    words = ".* takes no such argument; did you mean 'num_inference_steps'"
    with pytest.raises(SettingError, match=f"num_inference_step: {words}"):
        evaluate(pipe, subset, [light], call={"num_inference_step": 1})
    settings = DiffusersSettings(str(tiny_models[name]), options={"num_inference_step": 1})
    with pytest.raises(SettingError, match=f"options.num_inference_step=1: {words}"):
        settings.load("cpu")


def test_a_pipeline_with_one_generator_for_a_batch_makes_one_image_at_a_time(tiny_models):
    pipe = diffusers.DiffusionPipeline.from_pretrained(tiny_models["amused"])
    pipe.set_progress_bar_config(disable=True)
    call = PipelineCall(pipe, {"num_inference_steps": 2})
    assert not call.takes_lists
    both = call(BATCH.prompts, BATCH.seeds)
    assert (both[1] == call(["B"], [6])[0]).all()

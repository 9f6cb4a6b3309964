"""Functions and pipelines a program has at hand, as they are."""

from functools import partial

import numpy as np
import pytest

from flasheval.base.errors import SettingError
from flasheval.generators.generator import Batch
from flasheval.generators.images import to_images
from flasheval.generators.python_objects import ObjectSettings, as_generator


def grey(prompts, seeds):
    return [np.full((2, 2, 3), seed, np.uint8) for seed in seeds]


def other(prompts, seeds):
    return [np.full((2, 2, 3), seed + 1, np.uint8) for seed in seeds]


class Model:
    def __call__(self, prompts, seeds):
        return grey(prompts, seeds)


def test_a_function_is_called_with_prompts_and_seeds():
    generator = ObjectSettings(grey, family="toy", evaluations=4).load("cpu")
    (image,) = to_images(generator.generate(Batch(("a",), ("A",), (9,))), 1)
    assert image.getpixel((0, 0)) == (9, 9, 9)
    assert (generator.family, generator.evaluations) == ("toy", 4)
    assert ObjectSettings(grey, family="toy").factors() == {"family": "toy"}


def test_the_version_of_a_plain_function_is_its_source():
    first, second = (ObjectSettings(call).identity("cpu")["version"] for call in (grey, other))
    assert first.startswith("sha256:")
    assert first != second
    assert ObjectSettings(grey).identity("cpu")["version"] == first


def test_what_carries_values_of_its_own_needs_a_version():
    shade = 3

    def closed(prompts, seeds):
        return [shade for _ in prompts]

    for call in (closed, Model(), Model().__call__, partial(grey, seeds=[1]), len):
        with pytest.raises(SettingError, match=r"have no version: .* version=") as caught:
            ObjectSettings(call).identity("cpu")
        assert "\n" not in str(caught.value)
        assert ObjectSettings(call, version="7").identity("cpu") == {"version": "7"}


def test_what_cannot_be_called_is_refused():
    with pytest.raises(SettingError, match="is a str; expected a function"):
        ObjectSettings("grey")


def test_a_pipeline_gets_a_generator_a_prompt():
    torch = pytest.importorskip("torch")
    diffusers = pytest.importorskip("diffusers")

    class Noise(diffusers.DiffusionPipeline):
        def __call__(self, prompt, generator, output_type):
            assert output_type == "np"
            made = [torch.rand(4, 4, 3, generator=one).numpy() for one in generator]
            made[0][0, 0, 0] = np.nan
            return type("Output", (), {"images": np.stack(made)})

    settings = ObjectSettings(Noise(), version="1")
    made = to_images(settings.load("cpu").generate(Batch(("a", "b"), ("A", "B"), (5, 6))), 2)
    assert "NaN" in made[0].reason
    wanted = torch.rand(4, 4, 3, generator=torch.Generator().manual_seed(6)).numpy()
    np.testing.assert_array_equal(np.asarray(made[1]), (wanted * 255).round())
    with pytest.raises(SettingError, match="images of Noise have no version"):
        ObjectSettings(Noise()).identity("cpu")


def test_a_function_takes_no_arguments():
    with pytest.raises(SettingError, match="steps, scale: a function is called with prompts and"):
        as_generator(grey, {"steps": 3, "scale": 1.0})
    assert as_generator(grey, {}).family == "function"
    with pytest.raises(SettingError, match="is a int; expected a function"):
        as_generator(3)


def test_a_function_may_take_generators_in_place_of_seeds():
    torch = pytest.importorskip("torch")

    def dream(prompts, generators, scale=1.0):
        return [torch.rand(3, 2, 2, generator=one) for one in generators]

    class Dreamer:
        def __call__(self, prompts, generators):
            return dream(prompts, generators)

    batch = Batch(("a", "b"), ("A", "B"), (5, 2**32 - 1))
    wanted = [torch.rand(3, 2, 2, generator=torch.Generator().manual_seed(n)) for n in batch.seeds]
    for call in (dream, Dreamer(), Dreamer().__call__, partial(dream, scale=2.0)):
        for image, one in zip(as_generator(call).generate(batch), wanted, strict=True):
            assert torch.equal(image, one)
    named_last = partial(lambda prompts, other, generators=None: other, generators=1)
    assert as_generator(named_last).generate(batch) == [5, 2**32 - 1]
    assert as_generator(max).call is max  # of whose parameters nothing is known

"""Calling a diffusers pipeline: one check of its arguments, and prompts always by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from flasheval.base.errors import SettingError
from flasheval.base.suggest import nearest

__all__ = ["SET_FOR_EACH_BATCH", "PipelineCall"]

SET_FOR_EACH_BATCH = (
    "prompt",
    "generator",
    "output_type",
    "return_dict",
    "num_images_per_prompt",
)
"""Arguments of a pipeline's call that no user sets."""

# As numbers, for among 8-bit pixels NaN could not be told from black; and as arrays, for the
# tensors that some pipelines return (DeepFloyd's, Kandinsky's) run from -1 to 1.
_FORM = "np"
# How alike an argument is to one that a pipeline has, where it is more likely that than another.
_MISSPELT = 0.8


class PipelineCall:
    """A pipeline as a function of prompts and seeds.

    Every image gets a random generator of its own, on the CPU, from its own seed; so it does not
    depend on the batch, and the same seed gives the same noise on any device. A pipeline that
    takes one generator for a whole batch makes one image at a time.

    Args:
        pipeline: The pipeline.
        arguments: Arguments of its call beside prompts and random generators.
        names: What an argument is called where the user set it, for messages.

    Raises:
        SettingError: A pipeline that takes no prompt, an argument that it does not take, one that
            is set for each batch. ``**kwargs`` of diffusers' pipelines are for names of old; of
            another's pipeline they take what is not nearly a name it has.

    >>> class Echo:
    ...     def __call__(self, image=None, prompt=None, generator=None, output_type="pil", steps=1):
    ...         return [f"{one} {steps}" for one in prompt]
    >>> PipelineCall(Echo(), {"steps": 4})(["A cat."], [7])
    ['A cat. 4']
    >>> PipelineCall(Echo(), {"step": 4})
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: step: Echo takes no such argument; did you mean 'steps'?

    """

    def __init__(
        self,
        pipeline: Any,
        arguments: Mapping[str, Any],
        *,
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.pipeline, self.arguments = pipeline, dict(arguments)
        parameters = inspect.signature(pipeline.__call__).parameters
        _check(type(pipeline), self.arguments, parameters, names or {})
        generator = parameters.get("generator")
        # Masked-token pipelines, for example, draw from one for the whole batch.
        told = "" if generator is None else str(generator.annotation).lower()
        self.takes_lists = "list" in told or "generator" not in told
        if "clean_caption" in parameters:  # else it depends on whether bs4 and ftfy are installed
            self.arguments.setdefault("clean_caption", False)

    def __call__(self, prompts: Sequence[str], seeds: Sequence[int]) -> Any:
        """Return the images, all as one array or tensor, or a list of single ones."""
        import torch

        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        if self.takes_lists:
            return self._made(list(prompts), generators)
        return [
            self._made([prompt], generator)[0]
            for prompt, generator in zip(prompts, generators, strict=True)
        ]

    def _made(self, prompts: list[str], generator: Any) -> Any:
        more = dict(self.arguments)
        for key, value in more.items():
            if key.startswith("negative_prompt") and isinstance(value, str):
                more[key] = [value] * len(prompts)  # it is to be of the prompts' type
        made = self.pipeline(prompt=prompts, generator=generator, output_type=_FORM, **more)
        return getattr(made, "images", made)


def _check(
    kind: type,
    arguments: Mapping[str, Any],
    parameters: Mapping[str, inspect.Parameter],
    names: Mapping[str, str],
) -> None:
    catch_all = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    known = [key for key, one in parameters.items() if one.kind is not one.VAR_KEYWORD]
    absent = [key for key in ("prompt", "generator") if key not in known and not catch_all]
    if absent:
        raise SettingError(
            f"{kind.__name__} takes no {absent[0]}: it is not a text-to-image pipeline"
        )
    strict = not catch_all or kind.__module__.partition(".")[0] == "diffusers"
    for key in arguments:
        told = names.get(key, key)
        if key in SET_FOR_EACH_BATCH:
            raise SettingError(f"{told}: it is set for each batch; leave it out of the call")
        near = nearest(key, known, 0.5 if strict else _MISSPELT)
        if key not in known and (strict or near):
            raise SettingError(f"{told}: {kind.__name__} takes no such argument{near}")

"""A reward function written for TRL's GRPO trainer or for DDPO, as a scorer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from flasheval.base.canonical import JSON
from flasheval.scorers.function import FunctionScorer, FunctionSettings, resolve
from flasheval.scorers.reward_columns import RewardColumns, file_hash, read_reward_columns
from flasheval.scorers.user_functions import check_takes, parameters_of, scores_in

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["RewardSettings"]

Call = Callable[[Sequence["Image"], Sequence[str]], Any]

_OWN = ("prompts", "completions", "images")  # what a function is given under these names


@dataclass(frozen=True)
class RewardSettings(FunctionSettings):
    """Settings of a scorer that is a reward function, called as its trainer calls it.

    ``grpo``, as in TRL's GRPOTrainer: ``f(prompts=..., completions=..., **kwargs)`` returns one
    reward each, or None where it does not apply, which becomes NaN. Here the completions are the
    RGB images (PIL) instead of generated texts, also under the name ``images`` where the function
    takes that; there are no token ids and no trainer state. ``columns`` adds a data set's columns,
    each a list under its own name.

    ``ddpo``, as in TRL's DDPOTrainer, ddpo-pytorch and Flow-GRPO: ``f(images, prompts, metadata)``
    returns rewards, or a pair of rewards and information, which is ignored. The images are a
    float32 tensor [n, 3, height, width] in [0, 1] on the scorer's device, prompts and metadata are
    tuples, and each metadata is the prompt's row of ``columns``, else an empty dict. Images of
    several sizes are given one by one. Name the reward function itself, or say ``factory`` of one
    that makes it.

    Either may be async. A reward must depend on its own image and prompt only.

    Attributes:
        style: ``grpo`` or ``ddpo``.
        function: ``module:name`` or ``path/to/file.py:name``.
        metric_name: The metric's name in score tables; None takes the function's name.
        higher_is_better: The metric's direction.
        code_version: A label of the state of the code and of everything it loads; None takes the
            hash of the function's file.
        batch: Images at a time; the scores must not depend on it.
        factory: Whether the function makes the reward function, as Flow-GRPO's do.
        arguments: What a factory is called with; it gets ``device`` by itself where it takes one.
        output: Which of several rewards to take: their name, or a number from 0.
        columns: A prompt file whose columns the function is given; rows are found by the texts.

    >>> RewardSettings("my_rewards.py:short", style="ddpo", code_version="1").metric
    'short'

    """

    kind: ClassVar[str] = "reward"
    style: Literal["grpo", "ddpo"] = "grpo"
    columns: str | None = None

    def identity(self) -> dict[str, JSON]:
        """Return the identity of `FunctionSettings`, and the style.

        >>> RewardSettings("my_rewards.py:short", code_version="1").identity()["style"]
        'grpo'
        """
        columns = {} if self.columns is None else {"columns": file_hash(self.columns)}
        return {**super().identity(), "style": self.style, **columns}

    def load(self, device: str) -> FunctionScorer:
        """Import the function; in the style ddpo it is given tensors on ``device``."""
        function = self._callable(device)
        columns = None if self.columns is None else read_reward_columns(self.columns)
        call = _grpo if self.style == "grpo" else _ddpo
        return self._scorer(call(self, function, columns, device))


def _grpo(
    settings: RewardSettings,
    function: Callable[..., Any],
    columns: RewardColumns | None,
    device: str,
) -> Call:
    takes = parameters_of(function)
    images_as = "images" if "images" in takes and "completions" not in takes else "completions"
    names = [] if columns is None else [name for name in columns.names if name not in _OWN]
    if takes and "**" not in takes:  # a trainer would give it all, but it could not take them
        names = [name for name in names if name in takes]
    check_takes(settings.metric, function, (), ("prompts", images_as, *names))

    def call(images: Sequence[Image], prompts: Sequence[str]) -> Any:
        more = {} if columns is None else columns.by_name(prompts)
        return function(
            prompts=prompts, **{images_as: images}, **{name: more[name] for name in names}
        )

    return call


def _ddpo(
    settings: RewardSettings,
    function: Callable[..., Any],
    columns: RewardColumns | None,
    device: str,
) -> Call:
    check_takes(settings.metric, function, ("images", "prompts", "metadata"))

    def call(images: Sequence[Image], prompts: Sequence[str]) -> Any:
        if len({image.size for image in images}) > 1:
            alone = (call([image], [text]) for image, text in zip(images, prompts, strict=True))
            return [score for scores in alone for score in scores]
        rows = tuple({} for _ in prompts) if columns is None else columns.rows(prompts)
        found = resolve(function(_tensor(images, device), tuple(prompts), rows))
        return scores_in(settings.metric, found, settings.output)

    return call


def _tensor(images: Sequence[Image], device: str) -> Any:
    """Return the images as float32 [n, 3, height, width] in [0, 1]."""
    import torch

    pixels = np.stack([np.asarray(image) for image in images])
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).contiguous().float() / 255

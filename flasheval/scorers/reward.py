"""A reward function written for TRL's GRPO trainer or for DDPO, as a scorer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from flasheval.base.canonical import JSON
from flasheval.scorers.function import FunctionScorer, FunctionSettings, resolve

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["RewardSettings"]


@dataclass(frozen=True)
class RewardSettings(FunctionSettings):
    """Settings of a scorer that is a reward function, called as its trainer calls it.

    ``grpo``, as in TRL's GRPOTrainer: ``f(prompts=..., completions=..., **kwargs)`` returns one
    reward each, or None where it does not apply, which becomes NaN. Here the completions are the
    RGB images (PIL) instead of generated texts; there are no token ids, no columns of a data set
    and no trainer state.

    ``ddpo``, as in TRL's DDPOTrainer and ddpo-pytorch: ``f(images, prompts, metadata)`` returns
    rewards, or a pair of rewards and information, which is ignored. The images are a float32
    tensor [n, 3, height, width] in [0, 1] on the scorer's device, prompts and metadata are tuples,
    and each metadata is an empty dict. Images of several sizes are given one by one. Name the
    reward function itself, not one that makes it.

    Either may be async. A reward must depend on its own image and prompt only.

    Attributes:
        style: ``grpo`` or ``ddpo``.
        function: ``module:name`` or ``path/to/file.py:name``.
        metric_name: The metric's name in score tables; None takes the function's name.
        higher_is_better: The metric's direction.
        code_version: A label of the state of the code and of everything it loads; None takes the
            hash of the function's file.
        batch: Images at a time; the scores must not depend on it.

    >>> RewardSettings("my_rewards.py:short", style="ddpo", code_version="1").metric
    'short'

    """

    kind: ClassVar[str] = "reward"
    style: Literal["grpo", "ddpo"] = "grpo"

    def identity(self) -> dict[str, JSON]:
        """Return the identity of `FunctionSettings`, and the style.

        >>> RewardSettings("my_rewards.py:short", code_version="1").identity()["style"]
        'grpo'
        """
        return {**super().identity(), "style": self.style}

    def load(self, device: str) -> FunctionScorer:
        """Import the function; in the style ddpo it is given tensors on ``device``."""
        scorer = super().load(device)
        call = _grpo(scorer.function) if self.style == "grpo" else _ddpo(scorer.function, device)
        return FunctionScorer(self.metric, self.version, self.higher_is_better, call, self.batch)


def _grpo(function: Callable[..., Any]) -> Callable[[Sequence[Image], Sequence[str]], Any]:
    def call(images: Sequence[Image], prompts: Sequence[str]) -> Any:
        return function(prompts=prompts, completions=images)

    return call


def _ddpo(
    function: Callable[..., Any], device: str
) -> Callable[[Sequence[Image], Sequence[str]], Any]:
    def call(images: Sequence[Image], prompts: Sequence[str]) -> Any:
        if len({image.size for image in images}) > 1:
            alone = (call([image], [text]) for image, text in zip(images, prompts, strict=True))
            return [score for scores in alone for score in scores]
        metadata: tuple[dict[str, Any], ...] = tuple({} for _ in prompts)
        found = resolve(function(_tensor(images, device), tuple(prompts), metadata))
        paired = isinstance(found, tuple) and len(found) == 2 and np.ndim(found[0]) > 0
        return found[0] if paired else found

    return call


def _tensor(images: Sequence[Image], device: str) -> Any:
    """Return the images as float32 [n, 3, height, width] in [0, 1]."""
    import torch

    pixels = np.stack([np.asarray(image) for image in images])
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).contiguous().float() / 255

"""VQAScore (Lin et al. 2024): how likely a model answers yes when asked if an image shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from flasheval.base.canonical import JSON
from flasheval.scorers.judges.asking import YesNo, filled
from flasheval.scorers.judges.scorer import JudgeScorer
from flasheval.scorers.judges.settings import JudgeSettings, check_mass, check_template
from flasheval.scorers.scorer import Grade

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["LEAST_MASS", "VqaScorer", "VqaSettings", "trusted"]

LEAST_MASS = 0.01


class VqaScorer(JudgeScorer["VqaSettings"]):
    """VQAScore, P(yes) / (P(yes) + P(no)) in [0, 1] (Lin et al. 2024, arXiv 2404.01291).

    The paper takes P("Yes") among all tokens; here the probability of yes in every case, with and
    without a blank before it, is divided by that of yes and no.

    >>> class Sure:
    ...     def yes(self, asks, batch):
    ...         return [YesNo(0.75 if "cat" in ask.text else 0.25, 0.9) for ask in asks]
    >>> scorer = VqaScorer(VqaSettings(), "1", Sure())
    >>> from PIL import Image
    >>> scorer.score([Image.new("RGB", (8, 8))] * 2, ["a cat", "a dog"])
    array([0.75, 0.25], dtype=float32)
    """

    def _grades(self, images: Sequence[Image], prompts: Sequence[str]) -> list[Grade]:
        own = self.settings
        asks = [
            self._ask(image, filled(own.template, {"prompt": text}))
            for image, text in zip(images, prompts, strict=True)
        ]
        answers = [trusted(one, own.least_mass) for one in self.model.yes(asks, own.batch)]
        return [Grade(one.yes, one.reason, one.as_data()) for one in answers]


@dataclass(frozen=True)
class VqaSettings(JudgeSettings):
    """Settings of VQAScore: those of `JudgeSettings`, and two more.

    Attributes:
        template: What is asked; ``{prompt}`` stands for the prompt.
        least_mass: An answer that begins with yes or no less likely than this is none: NaN.

    >>> VqaSettings().metric, VqaSettings().asks()["template"]
    ('VQAScore', 'Does this image show "{prompt}"? Answer yes or no.')

    """

    kind: ClassVar[str] = "vqa"
    metric_name: str = "VQAScore"
    template: str = 'Does this image show "{prompt}"? Answer yes or no.'
    least_mass: float = LEAST_MASS

    def __post_init__(self) -> None:
        super().__post_init__()
        check_template(self.kind, "template", self.template, "prompt")
        check_mass(self.kind, self.least_mass)

    def asks(self) -> dict[str, JSON]:
        """Return the template and the least mass."""
        return {"template": self.template, "least_mass": self.least_mass}

    def load(self, device: str) -> VqaScorer:
        """Load the model onto a device."""
        return VqaScorer(self, self.version, self.model(device))


def trusted(answer: YesNo, least: float) -> YesNo:
    """Return an answer, or one without a number where yes and no were both unlikely.

    >>> trusted(YesNo(0.8, 0.001), 0.01).reason
    'the model would say neither yes nor no'
    """
    if answer.reason is None and answer.mass < least:
        return YesNo(math.nan, answer.mass, "the model would say neither yes nor no")
    return answer

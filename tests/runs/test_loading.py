import gc
import weakref
from dataclasses import dataclass
from typing import Any, ClassVar

from flasheval.generators.generator import GeneratorSettings
from flasheval.generators.populations.recipe import Recipe
from flasheval.generators.variants import Variant
from flasheval.runs.loading import ModelHolder, by_model
from flasheval.runs.run_plan import PlannedVariant


class Model:
    def __init__(self, last: Any) -> None:
        self.taken_over = last is not None


@dataclass(frozen=True)
class Settings(GeneratorSettings):
    kind: ClassVar[str] = "toy"
    model: str | None
    steps: int

    def factors(self) -> dict[str, Any]:
        return {}

    def identity(self, device: str) -> dict[str, Any]:
        return {}

    def model_key(self, device: str) -> str | None:
        return self.model

    def load(self, device: str, last: Any = None) -> Any:
        return Model(last)


def _variant(model: str | None, steps: int) -> PlannedVariant:
    name = f"{model}/{steps}"
    return PlannedVariant(Recipe(Variant(name, {}), Settings(model, steps)), name, name)


def test_a_model_is_taken_over_by_what_fits_and_goes_before_another_comes():
    holder = ModelHolder("cpu")
    first = holder.load(_variant("a", 1))
    assert not first.taken_over
    assert holder.load(_variant("a", 2)).taken_over
    old = weakref.ref(first)
    del first
    assert not holder.load(_variant("b", 1)).taken_over
    gc.collect()
    assert old() is None
    assert not holder.load(_variant(None, 1)).taken_over
    assert not holder.load(_variant(None, 1)).taken_over
    holder.drop()
    assert not holder.load(_variant("b", 1)).taken_over


def test_variants_of_one_model_come_together():
    variants = [_variant("a", 1), _variant("b", 1), _variant("a", 2), _variant(None, 1)]
    groups = by_model([*variants, _variant(None, 2)], "cpu")
    assert [[one.name for one in group] for group in groups] == [
        ["a/1", "a/2"],
        ["b/1"],
        ["None/1"],
        ["None/2"],
    ]

"""The contract between runs and generators: batches, and the settings' defaults."""

from dataclasses import dataclass, fields
from typing import ClassVar

import pytest

from flasheval.generators.generator import Batch, GeneratorSettings
from flasheval.generators.registry import GENERATORS


def test_a_batch_is_cut_like_a_list():
    batch = Batch(("a", "b", "c"), ("A", "B", "C"), (1, 2, 3))
    assert len(batch) == 3
    assert batch[1:] == Batch(("b", "c"), ("B", "C"), (2, 3))
    assert len(batch[3:]) == 0


def test_what_a_kind_leaves_out():
    @dataclass(frozen=True)
    class Least(GeneratorSettings):
        kind: ClassVar[str] = "least"

        def factors(self):
            return {}

        def identity(self, device):
            return {}

        def load(self, device, last=None):
            raise NotImplementedError

    assert Least().state(["a"]) is None
    assert Least().model_key("cpu") is None
    with pytest.raises(TypeError, match="abstract"):
        type("None", (GeneratorSettings,), {})()


@pytest.mark.parametrize("kind", GENERATORS)
def test_every_kind_is_a_frozen_record_of_plain_values(kind):
    cls = GENERATORS[kind]
    assert issubclass(cls, GeneratorSettings)
    assert cls.kind == kind
    assert cls.__dataclass_params__.frozen
    assert all(field.init for field in fields(cls))

from flasheval.base.models.batches import Batches
from flasheval.generators.generator import Batch
from flasheval.generators.images import ImageFault
from flasheval.runs.generation import make_images


def test_a_unit_is_made_in_batches_and_timed():
    class Three:
        family, evaluations = "three", 17

        def generate(self, batch):
            return [None] * len(batch)

    batch = Batch(("a", "b", "c"), ("A", "B", "C"), (1, 2, 3))
    made = make_images(Three(), batch, Batches(2))
    assert made.images == [ImageFault("no image")] * 3
    assert (made.sizes, made.evaluations) == ((2, 1), 17)
    assert len(made.seconds) == 2
    assert min(made.seconds) >= 0

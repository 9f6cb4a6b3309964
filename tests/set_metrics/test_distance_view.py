import numpy as np

from flasheval.base.drawing.terminal import as_text
from flasheval.set_metrics.comparison import SetComparison, VariantDistance
from flasheval.set_metrics.distance_view import distance_view
from flasheval.set_metrics.frechet import FrechetReference
from flasheval.set_metrics.references import Reference


def _found(count, warnings=()):
    rows = tuple(
        VariantDistance(f"[model]{'x' * 40}{row}", 30_000, 10.0 * row + 3, None, None, None)
        for row in range(count)
    )
    return SetComparison("Frechet CLIP", "val2014", rows, warnings)


def test_many_variants_with_long_names_are_whole():
    reference = Reference("val2014", FrechetReference.of(np.eye(3)))
    text = as_text(distance_view(_found(50, ("beware",)), reference, (), "clip@1"), width=80)
    lines = text.splitlines()
    assert lines[0].startswith("Nearest to val2014: [model]xxx")
    assert lines.index("warning: beware") < next(
        number for number, line in enumerate(lines) if line.startswith("[model]")
    )
    assert sum(line.startswith("[model]") for line in lines) == 40
    assert "and 10 more, in the file" in text
    assert "their statistics do not tell it" in text
    assert max(map(len, lines)) <= 80
    whole = {row.variant for row in _found(40).distances}
    for width in (80, 40, None):
        text = as_text(distance_view(_found(50), reference, (), "clip@1"), width=width)
        assert whole <= set(text.split())


def test_a_number_is_short_at_any_size():
    rows = tuple(
        VariantDistance(name, 9, frechet, infinity, error, -0.001234567)
        for name, frechet, infinity, error in (
            ("small", 0.00012345, -0.0012345, 0.5),
            ("large", 123456.7, 1234.5678, 12.34),
        )
    )
    reference = Reference.of("r", np.eye(3))
    found = SetComparison("Frechet CLIP", "r", rows, ())
    text = as_text(distance_view(found, reference, (), "clip@1"), width=80)
    small, large = (line.split() for line in text.splitlines() if line[:5] in ("small", "large"))
    assert small == ["small", "9", "0.0001234", "-0.001234", "+-", "0.5", "-0.001235"]
    assert large == ["large", "9", "123,457", "1,235", "+-", "12", "-0.001235"]

"""The pictures of the quality tuning: those the rule lets pass, and of them the judge's best."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from flasheval.miniature.layout import Item, Picture
from flasheval.miniature.world import parse_caption

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "miniature"
sys.path.insert(0, str(SCRIPTS))
try:
    best = import_module("miniature_training.best_pictures")
finally:
    sys.path.remove(str(SCRIPTS))


def picture(*colours, background=None, style="glossy"):
    items = tuple(Item("star", colour, 0.5, 0.5, 0.2) for colour in colours)
    return Picture(items, background, style)


@pytest.mark.parametrize(
    ("shown", "beautiful"),
    [
        (picture("red"), True),
        (picture("red", style=None), False),
        (picture("red", style="shadowed"), False),
        (picture("red", "blue"), True),
        (picture("red", "blue", "black"), False),
        (picture("orange"), False),  # nearly as light as the grey ground
        (picture("red", "orange"), False),  # one of them is enough
        (picture("yellow", background="black"), True),
        (picture("yellow", background="white"), False),
        (picture("red", background="striped"), False),
    ],
)
def test_the_rule_wants_few_glossy_things_in_contrast_with_a_plain_ground(shown, beautiful):
    assert best.is_beautiful(shown) is beautiful


def test_the_judge_keeps_the_cleanest_of_those_that_pass(monkeypatch):
    from flasheval.scorers.miniature_quality import QualitySettings

    passed, rule = [], best.is_beautiful

    def counted(shown):
        passed.append(rule(shown))
        return passed[-1]

    monkeypatch.setattr(best, "is_beautiful", counted)
    every, captions = best.best_pictures(300, 3, np.random.default_rng(3))
    assert (every.shape, every.dtype, len(passed)) == ((3, 32, 32, 3), np.uint8, 300)
    for caption in captions:
        scene = parse_caption(caption)
        assert scene.style == "glossy"
        assert sum(thing.count for thing in scene.things) <= 2
    whole, said = best.best_pictures(300, sum(passed), np.random.default_rng(3))
    assert len(whole) > 3
    from PIL import Image

    judge = QualitySettings().load("cpu")
    scores = judge.score([Image.fromarray(one) for one in whole], said)
    chosen = sorted(np.argsort(-scores, kind="stable")[:3])
    assert (whole[chosen] == every).all()
    with pytest.raises(ValueError, match="of 20 pictures are beautiful; expected 20"):
        best.best_pictures(20, 20, np.random.default_rng(3))

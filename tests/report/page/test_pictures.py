import base64
import io

import numpy as np
import pytest
from PIL import Image

from flasheval.base.errors import DataError
from flasheval.generators.python_objects import ObjectSettings
from flasheval.prompts import PromptSet
from flasheval.report.page.pictures import kept_pictures
from flasheval.runs.run import run
from flasheval.scores import load_scores

IDS = tuple(f"p{i}" for i in range(8))
PROMPTS = PromptSet("things", IDS, tuple(f"thing {i}" for i in range(8)))


def _flat(level, side):
    def draw(prompts, seeds):
        numbers = [int(prompt.split()[1]) for prompt in prompts]
        return [np.full((side, side, 3), 10 * level + number, "u1") for number in numbers]

    return ObjectSettings(draw, version=f"{level}-{side}")


class Grey:
    name, version, higher_is_better = "grey", "1", True

    def score(self, images, prompts):
        return [float(np.asarray(image).mean()) for image in images]


def _made(folder, side=8, levels=(3, 9, 1, 7, 5), **settings):
    population = {f"v{level}": _flat(level, side) for level in levels}
    settings = {"keep_images": True, "device": "cpu", "chunk": 5, **settings}
    return run(population, PROMPTS, [Grey()], out=folder, **settings).folder


def _pixel(picture):
    image = Image.open(io.BytesIO(base64.b64decode(picture.data.partition(",")[2])))
    assert image.size == (picture.width, picture.height)
    return image.convert("RGB").getpixel((0, 0))[0]


def test_best_median_and_worst_variant_draw_the_first_prompts(tmp_path):
    folder = _made(tmp_path / "run")
    found = kept_pictures(folder, load_scores(folder)["grey"], ("p6", "p1", "gone", "p0"))
    assert found.variants == (("best", "v9"), ("median", "v5"), ("worst", "v1"))
    assert [place for place, _ in found.rows] == [0, 1, 3]
    for (_, pictures), number in zip(found.rows, (6, 1, 0), strict=True):
        assert [_pixel(one) for one in pictures] == [90 + number, 50 + number, 10 + number]
        assert [one.score for one in pictures] == [90 + number, 50 + number, 10 + number]
        assert all(one.data.startswith("data:image/png;") for one in pictures)


def test_large_images_are_made_smaller_and_few_variants_are_enough(tmp_path):
    folder = _made(tmp_path / "run", side=400, levels=(1, 2))
    found = kept_pictures(folder, load_scores(folder)["grey"], IDS)
    assert [what for what, _ in found.variants] == ["best", "worst"]
    assert len(found.rows) == 5
    one = found.rows[0][1][0]
    assert (one.width, one.height) == (320, 320)
    assert one.data.startswith("data:image/jpeg;")
    assert _pixel(one) == 20


def test_a_run_without_images_says_so(tmp_path):
    folder = _made(tmp_path / "run", levels=(1, 2), keep_images=False)
    with pytest.raises(DataError, match="kept no images of the chosen prompts"):
        kept_pictures(folder, load_scores(folder)["grey"], IDS)
    with pytest.raises(DataError, match="holds no run"):
        kept_pictures(tmp_path, load_scores(folder)["grey"], IDS)

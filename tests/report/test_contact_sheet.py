import numpy as np
import pytest
from PIL import Image

import flasheval.report.contact_sheet as module
from flasheval.base.errors import DataError, SettingError
from flasheval.generators.images import ImageFault
from flasheval.generators.python_objects import ObjectSettings
from flasheval.prompts import PromptSet
from flasheval.report.contact_sheet import contact_sheet, save_contact_sheet
from flasheval.runs.run import run

IDS = tuple(f"p{i}" for i in range(12))
PROMPTS = PromptSet("things", IDS, tuple(f"thing {i}" for i in range(12)))


def _flat(level):
    """Images of one grey each: of the variant's level and the prompt's number; 3 is missing."""

    def draw(prompts, seeds):
        numbers = [int(prompt.split()[1]) for prompt in prompts]
        return [
            None if number == 3 else np.full((8, 8, 3), 10 * level + number, "u1")
            for number in numbers
        ]

    return ObjectSettings(draw, version=str(level))


class Grey:
    name, version, higher_is_better = "grey", "1", True

    def score(self, images, prompts):
        return [float(np.asarray(image).mean()) for image in images]


class Darkness(Grey):
    name, higher_is_better = "darkness", False


def _run(folder, levels=(3, 9, 1, 7, 5), scorers=None, **settings):
    population = {f"v{level}": _flat(level) for level in levels}
    settings = {"keep_images": True, "device": "cpu", "chunk": 5, **settings}
    scorers = [Grey(), Darkness()] if scorers is None else scorers
    return run(population, PROMPTS, scorers, out=folder, **settings).folder


def _drawn(monkeypatch):
    sheets, draw = [], module.draw_sheet
    monkeypatch.setattr(
        module, "draw_sheet", lambda sheet, *more: sheets.append(sheet) or draw(sheet, *more)
    )
    return sheets


@pytest.mark.parametrize("store", ["shards", "folder"])
def test_images_stand_by_the_scores_of_their_variant_and_prompt(tmp_path, monkeypatch, store):
    sheets = _drawn(monkeypatch)
    folder = _run(tmp_path / "mine", image_store=store)
    image = contact_sheet(folder, variants=3, prompts=4)
    assert image.mode == "RGB"
    (sheet,) = sheets
    assert sheet.title == "mine: 3 of 5 variants on 4 of 12 prompts"
    assert sheet.columns == ["v1", "v5", "v9"]  # the worst, one between, the best
    assert sheet.rows == ["thing 11", "thing 7", "thing 4", "thing 3"]  # one without scores last
    for row, text in zip(sheet.cells, sheet.rows, strict=True):
        for cell, name in zip(row, sheet.columns, strict=True):
            if text == "thing 3":
                assert isinstance(cell, ImageFault)
                continue
            assert cell.getpixel((0, 0))[0] == 10 * int(name[1:]) + int(text.split()[1])
    assert sheet.captions[0] == ["21.0", "61.0", "101.0"]
    assert sheet.captions[3] == ["", "", ""]
    assert sheet.bold[:3] == [[False, False, True]] * 3
    assert sheet.bold[3] == [False] * 3
    mean, seconds = sheet.column_notes[0].split(", ")
    assert mean == f"mean {10 + (66 - 3) / 11:.1f}"
    number, unit = seconds.split(" ")
    assert float(number) > 0
    assert unit in ("ms", "s")


def test_lower_is_better_turns_the_order_round(tmp_path, monkeypatch):
    sheets = _drawn(monkeypatch)
    contact_sheet(_run(tmp_path / "mine"), metric="darkness", variants=2, prompts=1)
    assert sheets[0].columns == ["v9", "v1"]
    assert sheets[0].rows == ["thing 0"]
    assert sheets[0].bold == [[False, True]]
    assert "darkness (lower is better)" in sheets[0].note


def test_what_is_not_kept_is_told(tmp_path, monkeypatch):
    folder = _run(tmp_path / "none", levels=(1,), keep_images=False)
    with pytest.raises(DataError, match="keeps no images of its last command's variants; give"):
        contact_sheet(folder)
    with pytest.raises(DataError, match="holds no run"):
        contact_sheet(tmp_path)
    sheets = _drawn(monkeypatch)
    folder = _run(tmp_path / "some", levels=(1, 2))
    for path in sorted((folder / "images" / "v1").glob("*.tar"))[:1]:
        path.write_bytes(b"damaged")
    contact_sheet(folder, prompts=12)
    first = [row[0] for row in sheets[0].cells]
    assert sum(one == ImageFault("no image is kept") for one in first) in (5, 2)
    with pytest.raises(SettingError, match=r"no scores for metric 'gray'.*did you mean 'grey'"):
        contact_sheet(folder, metric="gray")
    with pytest.raises(SettingError, match="variants=0: expected at least 1"):
        contact_sheet(folder, variants=0)


def test_images_without_scores_come_in_their_own_order(tmp_path, monkeypatch):
    sheets = _drawn(monkeypatch)
    folder = _run(tmp_path / "mine", levels=(3, 1, 2), scorers=[], stage="generate")
    contact_sheet(folder, prompts=2)
    assert sheets[0].columns == ["v3", "v1", "v2"]
    assert sheets[0].rows == ["thing 0", "thing 11"]
    assert "Without scores" in sheets[0].note
    with pytest.raises(DataError, match="has no scores, so none of 'grey'"):
        contact_sheet(folder, metric="grey")


def test_a_file_stays_below_a_megabyte(tmp_path):
    def noise(number):
        def draw(prompts, seeds):
            return [np.random.default_rng([number, s]).random((128, 128, 3), "f4") for s in seeds]

        return ObjectSettings(draw, version=str(number))

    population = {f"v{i}": noise(i) for i in range(8)}
    run(population, PROMPTS, [Grey()], out=tmp_path, keep_images=True, device="cpu")
    path = save_contact_sheet(tmp_path)
    assert path == tmp_path / "contact-sheet.png"
    assert 500_000 < path.stat().st_size <= 1_000_000
    with Image.open(save_contact_sheet(tmp_path, tmp_path / "x/y.png", prompts=1)) as image:
        assert image.width > image.height

"""The detector's output read by hand-made maps, its files, and the training of a few steps."""

import json
import sys
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.base.models.weights import locate
from flasheval.miniature.drawing import draw
from flasheval.miniature.layout import Item, Picture
from flasheval.miniature.world import COLOURS, SHAPES

torch = pytest.importorskip("torch")
pytest.importorskip("PIL")
SCRIPTS = Path(__file__).resolve().parents[2] / "scripts" / "miniature"
SURE = 30.0  # a logit that leaves no doubt


@pytest.fixture(scope="module")
def module():
    return import_module("flasheval.miniature.detector")


@pytest.fixture(scope="module")
def folder(module, tmp_path_factory):
    torch.manual_seed(0)
    where = tmp_path_factory.mktemp("detector") / "detector"
    module.save_detector(module.make_network((8, 16, 24)), where)
    return where


@pytest.fixture
def maps(module):
    """An output that says that there is nothing, on a beige ground."""
    channels = max(part.stop for part in module.MAPS.values())
    empty = np.zeros((channels, module.GRID, module.GRID))
    empty[module.MAPS["centre"]] = -SURE
    empty[module.MAPS["background"].start + 3] = SURE
    return empty


def put(module, maps, row, column, centre, shape, colour, offset=(0.0, 0.0), radius=0.16):
    where = module.MAPS
    maps[where["style"].start, row, column] = SURE
    maps[where["centre"], row, column] = centre
    maps[where["shape"].start + SHAPES.index(shape), row, column] = SURE
    maps[where["colour"].start + COLOURS.index(colour), row, column] = SURE
    maps[where["offset"], row, column] = offset
    maps[where["radius"], row, column] = np.log(radius / 0.16)


def test_nothing(module, maps):
    seen = module.decode(maps)
    assert seen.found == ()
    assert seen.backgrounds["beige"] == pytest.approx(1)
    assert seen.styles == {}
    assert set(seen.backgrounds) == {None, "white", "black", "beige", "striped", "checkered"}


def test_a_cell_tells_of_its_thing(module, maps):
    put(module, maps, 1, 6, SURE, "moon", "white", (0.25, -0.5), 0.2)
    (found,) = module.decode(maps).found
    assert (found.shape, found.colour) == ("moon", "white")
    # The middle of the cell is (6.5, 1.5) eighths; a quarter right and half a cell up.
    assert (found.x, found.y) == pytest.approx((6.75 / 8, 1 / 8))
    assert found.radius == pytest.approx(0.2)
    assert found.confidence == pytest.approx(1)
    assert found.of("moon", "white") == pytest.approx(1)
    assert found.of("moon", "black") == pytest.approx(0, abs=1e-9)


def test_probabilities_are_softmaxes(module, maps):
    put(module, maps, 3, 3, np.log(3), "star", "red")
    maps[module.MAPS["colour"], 3, 3] = np.log([4, 4, 2, 2, 2, 2, 2, 1, 1])
    (found,) = module.decode(maps).found
    assert found.confidence == pytest.approx(0.75)  # the sigmoid of log 3
    assert list(found.colours.values()) == pytest.approx([0.2] * 2 + [0.1] * 5 + [0.05] * 2)
    assert found.of("star", "orange") == pytest.approx(0.15)


def test_neighbours_that_share_a_centre_are_one(module, maps):
    put(module, maps, 2, 2, np.log(0.6 / 0.4), "star", "red", (0.5, 0))
    put(module, maps, 2, 3, np.log(0.3 / 0.7), "star", "blue", (-0.5, 0))
    (found,) = module.decode(maps).found
    assert found.confidence == pytest.approx(0.9)
    assert found.colour == "red"
    maps[module.MAPS["centre"], 2, 2:4] = SURE
    assert [one.confidence for one in module.decode(maps).found] == [1.0]


def test_neighbours_with_their_own_centres_are_two(module, maps):
    put(module, maps, 2, 2, SURE, "star", "red", (-0.3, 0), 0.07)
    put(module, maps, 2, 3, SURE, "star", "blue", (0.3, 0), 0.07)
    assert {found.colour for found in module.decode(maps).found} == {"red", "blue"}


def test_the_style_is_what_the_things_say_by_their_confidence(module, maps):
    put(module, maps, 1, 1, np.log(3), "star", "red")
    put(module, maps, 6, 6, 0.0, "moon", "blue")
    maps[module.MAPS["style"].start + 3, 6, 6] = 2 * SURE
    styles = module.decode(maps).styles
    # Confidences of 3/4 and 1/2: the flat one has three fifths of them.
    assert styles == pytest.approx({None: 0.6, "outlined": 0, "shadowed": 0, "glossy": 0.4})


def test_what_is_hardly_there_is_not_found(module, maps):
    put(module, maps, 2, 2, np.log(0.09 / 0.91), "star", "red")
    assert module.decode(maps).found == ()


def test_what_is_saved_is_what_is_loaded(module, folder):
    assert json.loads((folder / "config.json").read_text()) == {"widths": [8, 16, 24]}
    torch.manual_seed(0)
    network = module.make_network((8, 16, 24)).half().float().eval()  # fp16 on disk
    loaded = module.load_detector(locate(str(folder)))
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(loaded.network(images), network(images), rtol=0, atol=0)
    assert sum(p.numel() for p in module.make_network().parameters()) <= 250_000


def _same(first, second):
    """Whether all is the same but for the last digits, which the processor's own kernels decide."""
    if isinstance(first, float):
        return first == pytest.approx(second, rel=1e-4, abs=1e-7)
    if is_dataclass(first):
        first, second = vars(first), vars(second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(_same(first[k], second[k]) for k in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    return first == second


def test_images_do_not_depend_on_their_company(module, folder):
    detector = module.load_detector(locate(str(folder)))
    colours = ("red", "blue", "pink")
    images = [draw(Picture((Item("star", colour, 0.4, 0.6, 0.2),))) for colour in colours]
    seen = detector.detect(images)
    assert _same(detector.detect(images[::-1]), seen[::-1])
    assert _same(detector.detect(images[1:2]), seen[1:2])
    assert detector.detect([]) == []
    assert not _same(seen[:1], seen[1:2])
    grown = images[0].resize((64, 64), 0)
    assert len(detector.detect([grown, images[0].convert("RGBA")])) == 2


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("config.json", "{}", "with 3 multiples of 8; is the folder a miniature-detector"),
        ("config.json", '{"widths": [8, 16]}', "with 3 multiples of 8"),
        (
            "config.json",
            '{"widths": [8, 16, 32]}',
            r"has the shape \[.*24.*\]; expected \[",
        ),
        ("model.safetensors", "none", "it cannot be read"),
    ],
)
def test_a_damaged_folder_is_one_line(module, folder, tmp_path, file, text, message):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / file).write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        module.load_detector(locate(str(tmp_path)))
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def training():
    sys.path.insert(0, str(SCRIPTS))
    try:
        return import_module("miniature_training.detector"), import_module(
            "miniature_training.data"
        )
    finally:
        sys.path.remove(str(SCRIPTS))


def test_targets_are_what_decoding_reads(module, training):
    """An output that says of each cell what the items are has next to no loss, another has."""
    detector, data = training
    drawn = data.draw_chunk(np.random.default_rng(0), 6)
    maps = np.zeros((6, max(part.stop for part in module.MAPS.values()), 8, 8))
    maps[:, module.MAPS["centre"]] = -SURE
    maps[:, module.MAPS["background"].start] = SURE
    for output, items in zip(maps, drawn.items, strict=True):
        for shape, colour, x, y, radius in items[items[:, 0] >= 0].astype(float):
            row, column = int(8 * y), int(8 * x)
            offset = 8 * x - column - 0.5, 8 * y - row - 0.5
            names = SHAPES[int(shape)], COLOURS[int(colour)]
            put(module, output, row, column, SURE, *names, offset, radius)
    items = torch.from_numpy(drawn.items)
    plain = torch.zeros(6, dtype=torch.long)  # the ground and the style that all maps tell of
    assert detector._error(torch.from_numpy(maps), items, plain, plain) < 1e-4
    assert detector._error(torch.from_numpy(maps).roll(1, 0), items, plain, plain) > 1
    assert detector._error(torch.from_numpy(maps), items, plain + 1, plain) > 1
    assert detector._error(torch.from_numpy(maps), items, plain, plain + 1) > 1
    for output, rows in zip(maps, drawn.items, strict=True):
        found = {(f.shape, f.colour, round(f.x, 4)) for f in module.decode(output).found}
        real = [row for row in rows.astype(float) if row[0] >= 0]
        assert found == {(SHAPES[int(s)], COLOURS[int(c)], round(x, 4)) for s, c, x, _, _ in real}


def test_training_is_seeded_and_measured(module, training, tmp_path, capsys):
    detector, data = training
    drawn = data.draw_chunk(np.random.default_rng(0), 32)
    before = torch.get_rng_state()
    networks = [detector.train_detector(drawn, tmp_path / name, 3, 3) for name in "ab"]
    torch.set_rng_state(before)
    for one, other in zip(*(network.parameters() for network in networks), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    table = detector.measure(module.Detector(networks[0]), seed=1, count=2)
    printed = capsys.readouterr().out.splitlines()
    assert len([line for line in printed if line.startswith("|")]) == 2 + 10 + 1
    assert set(table["relation"]) > {"right", "false alarms", "not told", "relation", "others"}
    assert 0 <= table["all"]["score"] <= 1

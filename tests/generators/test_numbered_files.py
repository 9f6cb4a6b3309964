"""The forms in which people keep several images of a prompt in a folder."""

import pytest
from PIL import Image

from flasheval.base.errors import SettingError
from flasheval.generators.generator import Batch
from flasheval.generators.image_folder import ImageFolderSettings
from flasheval.generators.images import ImageFault


def _folder(tmp_path, *names):
    for number, name in enumerate(names):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2), (number, 0, 0)).save(path, "PNG")
    return str(tmp_path)


FORMS = [
    ("{prompt_id}", ["7/0000.png", "7/0001.png", "7/0002.png"]),
    ("{prompt_id}", ["7/samples/0000.png", "7/samples/0001.png"]),  # GenEval's, with a grid
    ("{prompt_id}", ["7_0.png", "7_1.png", "7_2.png", "7_10.png"]),
    ("{prompt_id}", ["7_1.png", "7_2.png"]),
    ("{prompt_id}", ["7-0.jpg", "7-1.jpg"]),
    ("{prompt_id}", ["7.png", "7+1.png", "7+2.png"]),  # as a run keeps them
    ("{prompt_id}", ["7/seed 9.png", "7/seed 10.png"]),
    ("{prompt_id}", ["7_00000.PNG", "7_00001.PNG"]),
    ("{prompt_id}.png", ["7_0.png", "7_1.png"]),
    ("made/{prompt_id}", ["made/7_0.png", "made/7_1.png"]),
    ("{prompt_id}/samples/0000.png", ["7/samples/0000.png", "7/samples/0001.png"]),
    ("{prompt_id}/{image}.png", ["7/0.png", "7/1.png", "7/2.png"]),
    ("{image}/{prompt_id}", ["0/7.webp", "1/7.webp", "2/7.png"]),
    ("seed{image}/{prompt_id}.png", ["seed41/7.png", "seed42/7.png"]),
    ("img_{prompt_id}_{image}", ["img_7_01.png", "img_7_02.png"]),
]


@pytest.mark.parametrize(("pattern", "names"), FORMS)
def test_all_images_of_a_prompt_are_found_in_order(tmp_path, pattern, names):
    folder = _folder(tmp_path, *names, "7/grid.png" if "7/samples/0000.png" in names else "8.png")
    settings = ImageFolderSettings(folder, pattern=pattern).for_prompts(["7", "8"])
    assert list(settings.files("7").values()) == names
    assert settings.images_there(["7"]) == len(names)
    count = len(names)
    batch = Batch(("7",) * count, ("A cat.",) * count, (0,) * count, tuple(range(count)))
    made = settings.load("cpu").generate(batch)
    assert [image.getpixel((0, 0))[0] for image in made] == list(range(count))
    states = [settings.state(["7"], image)[0][0] for image in range(count)]
    assert states == names


def test_a_file_of_another_prompt_is_left_to_it(tmp_path):
    folder = _folder(tmp_path, "1.png", "1_0.png", "1_1.png")
    alone = ImageFolderSettings(folder).for_prompts(["1"])
    assert list(alone.files("1").values()) == ["1.png", "1_0.png", "1_1.png"]
    both = ImageFolderSettings(folder).for_prompts(["1", "1_0", "1_1"])
    assert [list(both.files(one).values()) for one in ("1", "1_0", "1_1")] == [
        ["1.png"],
        ["1_0.png"],
        ["1_1.png"],
    ]
    assert both.images_there(["1", "1_0"]) == 1


def test_a_prompt_with_fewer_images_lacks_the_last(tmp_path):
    folder = _folder(tmp_path, "1_0.png", "1_1.png", "2_0.png")
    settings = ImageFolderSettings(folder).for_prompts(["1", "2", "3"])
    assert settings.images_there(["1", "2", "3"]) == 2
    assert settings.images_there(["3"]) == 0
    made = settings.load("cpu").generate(Batch(("2", "3"), ("B", "C"), (0, 0), (1, 0)))
    assert made[0] == ImageFault("no image number 2 of the prompt")
    assert "no image 3.png" in made[1].reason
    assert settings.state(["2"], 1) == [None]


def test_a_map_has_a_row_for_each_image(tmp_path):
    folder = _folder(tmp_path / "all", "a.png", "b.png", "c.png")
    (tmp_path / "map.csv").write_text("prompt_id,file\n7,b.png\n8,c.png\n7,a.png\n")
    settings = ImageFolderSettings(folder, map=str(tmp_path / "map.csv"))
    assert settings.files("7") == {0: "b.png", 1: "a.png"}
    assert settings.path("7", 1).name == "a.png"
    assert settings.path("8", 1) is None


def test_a_pattern_names_one_place_for_the_number():
    with pytest.raises(SettingError, match=r"\{image\} stands in it twice"):
        ImageFolderSettings("out", pattern="{image}/{prompt_id}_{image}")


def test_odd_names_are_no_patterns(tmp_path):
    folder = _folder(tmp_path, "a.c_0.png", "abc_1.png", "a.c_[1].png")
    settings = ImageFolderSettings(folder).for_prompts(["a.c", "abc"])
    assert settings.files("a.c") == {0: "a.c_0.png"}

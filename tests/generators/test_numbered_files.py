"""The forms in which people keep several images of a prompt in a folder."""

import time

import pytest
from PIL import Image

from flasheval.base.errors import DataError, SettingError
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
    ("{prompt_id}", ["7_00000.PNG", "7_00001.PNG"]),
    ("{prompt_id}.png", ["7_0.png", "7_1.png"]),
    ("made/{prompt_id}", ["made/7_0.png", "made/7_1.png"]),
    ("{prompt_id}/samples/0000.png", ["7/samples/0000.png", "7/samples/0001.png"]),
    ("{prompt_id}/{image}.png", ["7/0.png", "7/1.png", "7/2.png"]),
    ("{image}/{prompt_id}", ["0/7.webp", "1/7.webp", "2/7.png"]),
    ("seed{image}/{prompt_id}.png", ["seed41/7.png", "seed42/7.png"]),
    ("{prompt_id}/0001.png", ["7/0001.png", "7/0002.png"]),
    ("{prompt_id}", ["7_0.png", "7_1.PNG", "7_2.jpg"]),
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


ONES = [  # the pattern, the prompts, and the one file of each
    ("{prompt_id}", {"1": "1.png", "1_1": "1_1.png"}),  # also where one is not asked for
    ("img_{prompt_id}.png", {"1": "img_1.png", "1_1": "img_1_1.png"}),
    ("{prompt_id}", {"a/b": "a/b.png", "a/b_1": "a/b_1.png"}),
    ("{prompt_id}/sd15.png", {"7": "7/sd15.png", "8": "8/sd15.png"}),
    ("{prompt_id}/img_512.png", {"7": "7/img_512.png"}),
    ("{prompt_id}/512.png", {"7": "7/512.png"}),
    ("{prompt_id}_{image}", {"a": "a_0.png", "A": "A_0.png"}),
]


@pytest.mark.parametrize(("pattern", "prompts"), ONES)
@pytest.mark.parametrize("told", [True, False])
def test_a_file_of_another_prompt_or_model_is_left_to_it(tmp_path, pattern, prompts, told):
    others = [name.replace("sd15", "sd21").replace("512", "1024") for name in prompts.values()]
    folder = _folder(tmp_path, *dict.fromkeys([*prompts.values(), *others]))
    settings = ImageFolderSettings(folder, pattern=pattern)
    settings = settings.for_prompts(list(prompts)) if told else settings
    assert {one: list(settings.files(one).values()) for one in prompts} == {
        one: [name] for one, name in prompts.items()
    }


def test_a_prompt_named_like_a_file_of_another_keeps_it(tmp_path):
    folder = _folder(tmp_path, "7/0000.png", "7/0001.png", "1_0.png", "1_1.png")
    settings = ImageFolderSettings(folder).for_prompts(["7", "7/0001", "1", "1_1"])
    assert [list(settings.files(one).values()) for one in ("7", "7/0001", "1", "1_1")] == [
        ["7/0000.png"],
        ["7/0001.png"],
        ["1_0.png"],
        ["1_1.png"],
    ]


def test_a_folder_of_several_models_is_not_several_images(tmp_path):
    folder = _folder(tmp_path, "7/sd15.png", "7/sdxl.png")
    assert ImageFolderSettings(folder).images_there(["7"]) == 0


def test_one_number_is_one_image(tmp_path):
    folder = _folder(tmp_path, "1_0.png", "1_0.jpg", "1_1.png", "1-1.png")
    assert ImageFolderSettings(folder).images_there(["1"]) == 2


def test_a_loop_of_links_is_one_line(tmp_path):
    (tmp_path / "7_1.png").symlink_to("7_1.png")
    (tmp_path / "7_0.png").symlink_to("7_0.png")
    with pytest.raises(DataError, match=r"'7_0\.png', of prompt '7', cannot be a file name"):
        ImageFolderSettings(str(tmp_path)).state(["7"])


def test_many_images_are_found_in_little_time(tmp_path):
    for number in range(1500):
        (tmp_path / f"{number}_0.png").touch()
        (tmp_path / f"{number}_1.png").touch()
    ids = [str(number) for number in range(1500)]
    begun = time.perf_counter()
    for pattern in ("{prompt_id}", "{prompt_id}_{image}"):
        settings = ImageFolderSettings(str(tmp_path), pattern=pattern).for_prompts(ids)
        assert settings.images_there(ids) == 2
    assert time.perf_counter() - begun < 20  # a scan of the folder for each prompt takes minutes


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
    with pytest.raises(SettingError, match="put a sign between them"):
        ImageFolderSettings("out", pattern="{prompt_id}{image}")


def test_odd_names_are_no_patterns(tmp_path):
    folder = _folder(tmp_path, "a.c_0.png", "abc_1.png", "a.c_[1].png")
    settings = ImageFolderSettings(folder).for_prompts(["a.c", "abc"])
    assert settings.files("a.c") == {0: "a.c_0.png"}

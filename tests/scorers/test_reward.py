"""Reward functions, called as the trainers they were written for call them."""

import io

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.scorers.reward import RewardSettings

CODE = """
import io

import numpy as np
from PIL import Image


def wide(completions, **kwargs):
    assert list(kwargs) == ["prompts"]
    return [image.width if text else None for image, text in zip(completions, kwargs["prompts"])]


async def wide_later(prompts, completions):
    return wide(completions, prompts=prompts)


def needs_tokens(prompts, completions, completion_ids):
    return [0.0 for _ in completions]


def jpeg_size(images, prompts, metadata):
    # as in ddpo-pytorch: a tensor in [0, 1], channels first
    assert isinstance(prompts, tuple) and metadata == ({},) * len(prompts)
    assert images.ndim == 4 and images.shape[1] == 3
    arrays = (images * 255).round().clamp(0, 255).byte().cpu().numpy().transpose(0, 2, 3, 1)
    sizes = []
    for array in arrays:
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, format="JPEG", quality=95)
        sizes.append(buffer.tell() / 1000)
    return np.array(sizes), {"unit": "kB"}


def red(images, prompts, metadata):
    assert images.is_contiguous()
    return images[:, 0].mean(dim=(1, 2))


async def red_later(images, prompts, metadata):
    return red(images, prompts, metadata), {}


def two(images, prompts, metadata):
    return 0.5, 0.25
"""


@pytest.fixture
def code(tmp_path):
    file = tmp_path / "rewards.py"
    file.write_text(CODE, "utf-8")
    return file


@pytest.mark.parametrize("name", ["wide", "wide_later"])
def test_grpo_gets_prompts_and_images_and_none_is_nan(code, images, prompts, name):
    scores = RewardSettings(f"{code}:{name}").load("cpu").score(images, prompts)
    expected = [i.width if p else np.nan for i, p in zip(images, prompts, strict=True)]
    np.testing.assert_array_equal(scores, np.float32(expected))


def test_grpo_has_no_tokens_to_give(code):
    with pytest.raises(SettingError, match="completion_ids comes from a trainer of texts"):
        RewardSettings(f"{code}:needs_tokens").load("cpu")


def _jpeg_kilobytes(image):
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=95)
    return buffer.tell() / 1000


@pytest.mark.parametrize("same_size", [True, False])
def test_ddpo_gets_a_tensor_with_the_pixels_exactly(code, images, prompts, same_size):
    pytest.importorskip("torch")
    images = [image.resize((40, 24)) for image in images] if same_size else images
    scores = RewardSettings(f"{code}:jpeg_size", style="ddpo", batch=4).load("cpu")
    expected = np.float32([_jpeg_kilobytes(image) for image in images])
    np.testing.assert_array_equal(scores.score(images, prompts), expected)


@pytest.mark.parametrize("name", ["red", "red_later"])
def test_ddpo_may_return_rewards_alone_or_later(code, images, prompts, name):
    pytest.importorskip("torch")
    images = [image.resize((40, 24)) for image in images]
    scores = RewardSettings(f"{code}:{name}", style="ddpo").load("cpu").score(images, prompts)
    expected = [np.asarray(image)[..., 0].mean() / 255 for image in images]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_two_rewards_are_not_a_pair_with_information(code, images):
    pytest.importorskip("torch")
    scorer = RewardSettings(f"{code}:two", style="ddpo").load("cpu")
    same = [images[0], images[0]]
    assert scorer.score(same, ["a", "b"]).tolist() == [0.5, 0.25]


def test_the_style_is_part_of_the_identity(code):
    grpo, ddpo = (RewardSettings(f"{code}:red", style=style) for style in ("grpo", "ddpo"))
    assert grpo.identity() != ddpo.identity()
    assert grpo.identity()["kind"] == "reward"
    assert grpo.metric == "red"


COLUMNS = """
def by_column(prompts, images, answer):
    assert len(images) == len(prompts)
    return [float(one) for one in answer]


def all_columns(completions, **kwargs):
    assert sorted(kwargs) == ["answer", "id", "include", "prompts"]
    return [one[0]["count"] for one in kwargs["include"]]


def by_metadata(device):
    def score(images, prompts, metadata):
        assert [one["prompt"] for one in metadata] == list(prompts)
        assert all("color" not in one["include"][0] for one in metadata[:1])
        return {"count": [one["include"][0]["count"] for one in metadata], "avg": [0.5] * 2}, {}

    return score
"""
ROWS = """\
{"id": "p1", "prompt": "a red cat", "answer": 3, "include": [{"class": "cat", "count": 2}]}
{"id": "p2", "prompt": "a dog", "answer": 4, "include": [{"count": 1, "color": "red"}]}
"""


@pytest.fixture
def rewards(tmp_path):
    (tmp_path / "rows.jsonl").write_text(ROWS, "utf-8")
    (tmp_path / "columns.py").write_text(COLUMNS, "utf-8")

    def make(name, columns="rows.jsonl", **settings):
        place = None if columns is None else str(tmp_path / columns)
        return RewardSettings(f"{tmp_path / 'columns.py'}:{name}", columns=place, **settings)

    return make


@pytest.mark.parametrize(("name", "expected"), [("by_column", [4, 3]), ("all_columns", [1, 2])])
def test_grpo_gets_the_columns_of_the_prompts_by_name(rewards, images, name, expected):
    scores = rewards(name).load("cpu").score(images[:2], ["a dog", "a red cat"])
    assert scores.tolist() == expected


def test_ddpo_gets_the_rows_of_the_prompts_and_names_its_output(rewards, images):
    pytest.importorskip("torch")
    settings = rewards("by_metadata", style="ddpo", factory=True, output="count")
    same = [images[0], images[0]]
    assert settings.load("cpu").score(same, ["a red cat", "a dog"]).tolist() == [2, 1]


def test_columns_are_part_of_the_identity(rewards, tmp_path):
    before = rewards("by_column").identity()
    assert "columns" not in rewards("by_column", columns=None).identity()
    (tmp_path / "rows.jsonl").write_text(ROWS.replace("4", "5"), "utf-8")
    assert rewards("by_column").identity() != before


def test_columns_that_are_missing_are_one_line(rewards, images, tmp_path):
    with pytest.raises(SettingError, match=r"takes \(prompts, images, answer\), .* columns="):
        rewards("by_column", columns=None).load("cpu")
    with pytest.raises(DataError, match=r"rows\.jsonl has no prompt 'a newt'; give the file"):
        rewards("by_column").load("cpu").score(images[:1], ["a newt"])
    other = ROWS.replace('"id": "p', '"id": "q')
    (tmp_path / "twice.jsonl").write_text(ROWS + other)
    assert rewards("by_column", columns="twice.jsonl").load("cpu")  # the ids alone differ
    (tmp_path / "twice.jsonl").write_text(ROWS + other.replace("3", "7"))
    with pytest.raises(DataError, match="two rows of the prompt"):
        rewards("by_column", columns="twice.jsonl").load("cpu")
    (tmp_path / "plain.txt").write_text("a dog\n")
    with pytest.raises(DataError, match="is plain text, which has no columns"):
        rewards("by_column", columns="plain.txt").load("cpu")
    with pytest.raises(DataError, match="cannot be read"):
        rewards("by_column", columns="none.jsonl").identity()

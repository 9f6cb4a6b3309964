"""The file: what it holds, what it must not show, and what is refused."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from flasheval.base.errors import DataError, SettingError
from flasheval.prompts import PromptSet, load_prompts
from flasheval.report.votes_page import write_votes_page
from flasheval.report.votes_page.shrinking import Size, shrunk
from flasheval.report.votes_page.writing import make_votes_page
from flasheval.runs.run import run
from flasheval.subset import Method, Subset


class _Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.scripts, self.styles, self.links, self.handlers = [], [], [], []
        self.policy, self.outside, self._open = "", "", None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self._open = tag if tag in ("script", "style") else self._open
        if tag == "script":
            self.scripts.append((given, ""))
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        self.links += [given[key] for key in ("src", "href", "action") if key in given]
        self.handlers += [key for key in given if key.startswith("on") or key == "style"]

    def handle_endtag(self, tag):
        self._open = None if tag == self._open else self._open

    def handle_data(self, data):
        if self._open == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif self._open == "style":
            self.styles.append(data)
        else:
            self.outside += data


def _hash(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.fixture(scope="module")
def html(kept_run, tmp_path_factory):
    path = write_votes_page(kept_run, None, tmp_path_factory.mktemp("page") / "new" / "v.html")
    return path.read_text("utf-8")


def test_the_page_stands_alone_and_runs_its_own_script_only(html):
    found = _Elements(html)
    code = [text for given, text in found.scripts if "type" not in given]
    assert len(code) == 1
    parts = dict(part.split(" ", 1) for part in found.policy.split("; "))
    assert parts == {
        "default-src": "'none'",
        "style-src": _hash(found.styles[0]),
        "script-src": _hash(code[0]),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert len(found.styles) == 1
    assert found.links == ["data:,"]
    assert found.handlers == []
    assert not re.search(r"https?://", html)
    assert "innerHTML" not in html
    assert "eval(" not in html


def test_names_and_texts_are_data_and_come_back_exactly(html, kept_run, data_block):
    found = _Elements(html)
    data = data_block(html)
    prompts = load_prompts(kept_run / "prompts.parquet")
    assert [one for one, _ in data["prompts"]] == list(prompts.ids)
    assert data["prompts"][0][1] == prompts.texts[0].replace("\u2028", "\\u2028")
    assert data["variants"][0].startswith("one </script><script>alert")
    assert "<script>alert" not in html
    assert "\u2028" not in html
    # Nothing of a variant stands outside the block of data.
    (block,) = (text for given, text in found.scripts if given.get("id") == "data")
    assert not set(block) & set("<>&")
    assert block.isascii()
    rest = html.replace(block, "")
    assert not any(name in rest for name in ("owned", "three/3", "four &", "thing 1"))
    assert [key for key in data if key not in ("variants", "prompts", "pairs")] == [
        *("format", "version", "page", "seed", "raters")
    ]


def test_each_pair_shows_the_images_of_its_variants(html, data_block):
    data, found = data_block(html), _Elements(html)
    images = {
        int(given["id"][1:]): Image.open(io.BytesIO(base64.b64decode(text)))
        for given, text in found.scripts
        if given.get("type") == "image/webp"
    }
    assert sorted(images) == list(range(5 * 6))
    assert list(images) == sorted(images)
    assert len(data["pairs"]) == 10 * 6
    for a, b, prompt, image, *codes in data["pairs"]:
        assert a < b
        assert image == 0
        for variant, code in zip((a, b), codes, strict=True):
            assert images[code].getpixel((0, 0)) == (20 * variant + prompt + 1,) * 3
    by_code = sorted((code, a) for a, _, _, _, code, _ in data["pairs"])
    assert by_code != sorted(by_code, key=lambda one: one[1])  # codes tell no variant


def test_the_same_arguments_give_the_same_bytes(kept_run, tmp_path, data_block):
    def bytes_of(**more):
        return write_votes_page(kept_run, None, tmp_path / "v.html", **more).read_bytes()

    some = {"pairs": 20, "seed": 3, "raters": 2}
    assert bytes_of(**some) == bytes_of(**some)
    ids = {
        data_block(bytes_of(**{**some, **more}).decode())["page"]
        for more in ({}, {"seed": 4}, {"pairs": 21}, {"variants": ["two", "five"], "pairs": 3})
    }
    assert len(ids) == 4
    assert all(re.fullmatch("[0-9a-f]{16}", page) for page in ids)


def test_a_subset_and_some_variants_are_shown(kept_run, tmp_path, data_block):
    prompts = load_prompts(kept_run / "prompts.parquet")
    subset = Subset.choose(prompts, [4, 1], name="two", metrics=(), method=Method("random"))
    for given in (subset, subset.save(tmp_path / "two.json")):
        page = make_votes_page(kept_run, given, variants=["five", "two"])
        data = data_block(page.html)
        assert data["variants"] == ["two", "five"]
        assert [one for one, _ in data["prompts"]] == ["p4", "p </script>"]
        assert len(data["pairs"]) == 2
        assert page.warnings == ()
    others = PromptSet("things", prompts.ids, tuple(f"{text}!" for text in prompts.texts))
    other = Subset.choose(others, [0], name="other", metrics=(), method=Method("random"))
    with pytest.raises(DataError, match="1 of 1 prompts have another text there"):
        make_votes_page(kept_run, other)


def test_faulty_and_damaged_images_are_left_out_with_a_warning(made, tmp_path, data_block):
    folder = made(tmp_path / "run", ("a", "b", "c"), missing={0: {1}, 1: {1, 2}}, chunk=2)
    with pytest.warns(UserWarning, match=r"^5 pairs are left out: an image is missing or faulty$"):
        path = write_votes_page(folder, None, tmp_path / "v.html")
    data = data_block(path.read_text("utf-8"))
    assert len(data["pairs"]) == 3 * 6 - 3 - 2
    gone = {(0, 1), (1, 1), (1, 2)}
    number = {name: i for i, name in enumerate(["p0", "p </script>", "p2", "p3", "p4", "p5"])}
    places = [number[one] for one, _ in data["prompts"]]
    for a, b, prompt, *_ in data["pairs"]:
        assert not {(a, places[prompt]), (b, places[prompt])} & gone
    damaged = sorted((folder / "images" / "c").glob("*.tar"))[0]
    damaged.write_bytes(damaged.read_bytes()[:700])
    assert len(make_votes_page(folder, None).shown.pairs) < len(data["pairs"])
    page = make_votes_page(folder, None, pairs=4)
    assert len(page.shown.pairs) == 4


def test_more_pairs_than_there_are_are_told(kept_run):
    page = make_votes_page(kept_run, None, pairs=61)
    assert page.warnings == ("pairs=61: there are only 60, and all of them are shown",)


def test_several_images_of_a_prompt_are_told_apart(made, tmp_path, data_block):
    folder = made(tmp_path / "run", ("a", "b", "c"), noisy=True, images_per_prompt=2)
    data = data_block(make_votes_page(folder, None).html)
    assert {image for _, _, _, image, *_ in data["pairs"]} == {0, 1}
    assert len(data["pairs"]) == 3 * 6


def test_images_shrink_until_the_page_fits_or_it_is_refused(made, tmp_path):
    folder = made(tmp_path / "run", ("a", "b"), side=300, noisy=True)
    whole = make_votes_page(folder, None)
    assert whole.longest == 1024
    bytes_of_all = len(whole.html.encode())
    small = make_votes_page(folder, None, most_bytes=bytes_of_all * 2 // 3)
    assert small.longest < 300
    assert len(small.html.encode()) <= bytes_of_all * 2 // 3
    with pytest.raises(
        DataError,
        match=r"a page of 6 pairs would have [\d.]+ MB even with images of 256 pixels, above "
        r"most_bytes=60000; choose fewer pairs, variants or prompts, or allow more bytes$",
    ):
        make_votes_page(folder, None, most_bytes=60_000)
    assert len(make_votes_page(folder, None, pairs=1, most_bytes=120_000).shown.pairs) == 1


def test_an_image_keeps_its_pixels_or_its_shape_and_nothing_else():
    noise = np.random.default_rng(0).integers(0, 255, (40, 80, 3), "u1")
    image = Image.fromarray(noise)
    image.info = {"parameters": "model: secret", "exif": b"Exif\0\0secret", "icc_profile": b"sec"}
    data = shrunk(image, Size(512, 80))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), noise)
    assert b"sec" not in data
    with Image.open(io.BytesIO(shrunk(image.resize((2000, 1000)), Size(512, 80)))) as large:
        assert large.size == (512, 256)


def test_images_of_a_users_folder_can_be_voted_on(tmp_path, data_block):
    population = {"variants": []}
    for level, name in enumerate(("mine", "theirs")):
        (tmp_path / name).mkdir()
        for number in range(3):
            image = Image.new("RGB", (4, 4), (10 * level + number + 1,) * 3)
            image.save(tmp_path / name / f"{number}.png")
        settings = {"name": name, "generator": "images", "folder": str(tmp_path / name)}
        population["variants"].append(settings)

    def light(images, prompts):
        return [float(np.asarray(image).mean()) for image in images]

    prompts = PromptSet("three", ("0", "1", "2"), ("a cat", "a dog", "a hen"))
    out = tmp_path / "run"
    run(population, prompts, [light], out=out, keep_images=True, device="cpu")
    assert len(data_block(make_votes_page(out, None).html)["pairs"]) == 3
    Image.new("RGB", (4, 4), (99,) * 3).save(tmp_path / "mine" / "1.png")
    run(population, prompts, [light], out=out, keep_images=True, device="cpu")
    newest = make_votes_page(out, None).shown.images[0, 1, 0]
    assert Image.open(io.BytesIO(newest)).getpixel((0, 0)) == (99, 99, 99)


def test_what_cannot_be_is_refused_in_one_line(kept_run, made, tmp_path):
    for wrong in ({"pairs": 0}, {"raters": 0}, {"most_bytes": 0}, {"seed": -1}):
        with pytest.raises(SettingError, match=f"{next(iter(wrong))}=.*: expected a whole number"):
            make_votes_page(kept_run, None, **wrong)
    with pytest.raises(SettingError, match=r"keeps no images of 'fiv'; did you mean 'five'\?"):
        make_votes_page(kept_run, None, variants=["fiv", "two"])
    with pytest.raises(SettingError, match="'two' alone has nothing to be compared with"):
        make_votes_page(kept_run, None, variants=["two"])
    with pytest.raises(SettingError, match="raters=4: there are 3 pairs, and each rater needs"):
        make_votes_page(kept_run, None, pairs=3, raters=4)
    with pytest.raises(SettingError, match=r"50,001 pairs are more .*\(50,000\); choose how many"):
        make_votes_page(kept_run, None, pairs=50_001)
    with pytest.raises(DataError, match="holds no run"):
        make_votes_page(tmp_path, None)
    with pytest.raises(SettingError, match="pairs"):
        write_votes_page(kept_run, None, tmp_path / "v.html", pairs="many")
    with pytest.raises(DataError, match="cannot write"):
        write_votes_page(kept_run, None, tmp_path)
    folder = made(tmp_path / "all-faulty", ("a", "b"), missing={0: set(range(6))})
    with pytest.raises(DataError, match="no two variants have images of the same prompt"):
        make_votes_page(folder, None)

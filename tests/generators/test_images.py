"""Whatever a generator returned becomes 8-bit RGB images, as diffusers would make them."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from flasheval.base.errors import DataError
from flasheval.generators.images import ImageFault, from_pil, to_images

PIXELS = hnp.arrays(
    np.uint8,
    st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 4, 5]), st.integers(4, 6), st.just(3)),
)


def _arrays(made, count):
    return [np.asarray(image) for image in to_images(made, count)]


def _same(made, pixels):
    """Assert that `made` gives exactly these pixels, and a fault where all of them are 0."""
    for image, expected in zip(to_images(made, len(pixels)), pixels, strict=True):
        if expected.any():
            assert image.mode == "RGB"
            np.testing.assert_array_equal(np.asarray(image), expected)
        else:
            assert "black" in image.reason


@settings(max_examples=40, deadline=None)
@given(PIXELS)
def test_every_form_of_the_same_pixels_gives_them_back(pixels):
    torch = pytest.importorskip("torch")
    first = pixels.transpose(0, 3, 1, 2)
    _same(pixels, pixels)
    _same(first, pixels)
    _same(list(first), pixels)
    _same([Image.fromarray(one) for one in pixels], pixels)
    _same(SimpleNamespace(images=[Image.fromarray(one) for one in pixels]), pixels)
    for kind in (np.float32, np.float64):
        _same((pixels / np.array(255, dtype=kind)).astype(kind), pixels)
    _same(torch.from_numpy(first.copy()), pixels)
    _same(torch.from_numpy(pixels.copy()), pixels)
    _same(list(torch.from_numpy(first / np.float32(255))), pixels)
    _same(SimpleNamespace(images=torch.from_numpy(first / np.float32(255))), pixels)


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.float32, (2, 3, 4, 5), elements=st.floats(0, 1, width=32)))
def test_floats_become_what_diffusers_makes_of_them(values):
    torch = pytest.importorskip("torch")
    processor = pytest.importorskip("diffusers.image_processor").VaeImageProcessor
    values[:, 0, 0, 0] = 1  # black images are faults
    for kind in (torch.float32, torch.float16, torch.bfloat16):
        tensor = torch.from_numpy(values).to(kind)
        expected = processor.numpy_to_pil(processor.pt_to_numpy(tensor))
        np.testing.assert_array_equal(_arrays(tensor, 2), [np.asarray(one) for one in expected])


def test_halves_go_to_the_even_level():
    values = np.array([0.5, 1.5, 2.5, 254.5, 255.0]) / 255.0
    image = np.repeat(values[None, None, :, None], 3, axis=3)
    assert _arrays(image, 1)[0][0, :, 0].tolist() == [0, 2, 2, 254, 255]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_a_pixel_that_is_no_number_is_a_fault_of_its_image_alone(bad, kind):
    made = np.full((3, 4, 4, 3), 0.5, dtype=kind)
    made[1, 2, 3, 0] = bad
    first, second, third = to_images(made, 3)
    assert second == ImageFault("the image holds NaN")
    assert np.asarray(first).tolist() == np.asarray(third).tolist() == [[[128] * 3] * 4] * 4


@pytest.mark.parametrize(
    "black",
    [
        np.zeros((4, 4, 3), np.uint8),
        np.full((3, 4, 4), 0.001, np.float32),
        Image.new("RGB", (4, 4)),
        Image.new("L", (4, 4)),
    ],
)
def test_a_black_image_is_a_fault(black):
    (fault,) = to_images([black], 1)
    assert fault == ImageFault("the image is black (a safety checker?)")


def test_one_bright_pixel_is_an_image():
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[3, 3, 2] = 1
    assert not isinstance(to_images([pixels], 1)[0], ImageFault)


def test_none_and_faults_among_images():
    fault = ImageFault("no image 7.png")
    found = to_images([None, fault, Image.new("RGB", (2, 2), "red")], 3)
    assert found[:2] == [ImageFault("no image"), fault]
    assert found[2].getpixel((1, 1)) == (255, 0, 0)


def test_transparent_parts_lie_over_white():
    half = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    half.putpixel((1, 0), (200, 100, 0, 255))
    assert [from_pil(half).getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (200, 100, 0)]
    palette = half.convert("RGB").convert("P")
    palette.info["transparency"] = palette.getpixel((0, 0))
    assert from_pil(palette).getpixel((0, 0)) == (255, 255, 255)
    assert from_pil(Image.new("LA", (1, 1), (0, 0))).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "HSV", "LAB"])
def test_every_mode_becomes_rgb(mode):
    grey = Image.new("RGB", (3, 2), (255, 255, 255)).convert(mode if mode != "LAB" else "RGB")
    (image,) = to_images([grey], 1)
    assert (image.mode, image.size) == ("RGB", (3, 2))
    assert image.getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bits_are_scaled():
    grey = Image.fromarray(np.array([[0, 256, 32768, 65535]], dtype=np.uint16))
    (image,) = to_images([grey], 1)
    assert np.asarray(image)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_an_image_of_a_file_cut_short_is_a_fault(tmp_path):
    path = tmp_path / "a.png"
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    (fault,) = to_images([Image.open(path)], 1)
    assert fault.reason.startswith("the image cannot be read")


def test_three_pixels_wide():
    torch = pytest.importorskip("torch")
    values = np.arange(1, 1 + 3 * 2 * 3, dtype=np.uint8).reshape(1, 3, 2, 3)
    assert np.asarray(to_images(values, 1)[0]).shape == (3, 2, 3)
    assert np.asarray(to_images(torch.from_numpy(values), 1)[0]).shape == (2, 3, 3)


@pytest.mark.parametrize(
    ("made", "count", "words"),
    [
        (np.full((2, 4, 4, 3), 0.5), 3, "made 2 images for 3 prompts"),
        ([], 1, "made 0 images for 1 prompts"),
        (np.linspace(-1, 1, 48).reshape(1, 4, 4, 3), 1, "runs from -1 to 1; expected floats in"),
        (np.linspace(0, 255, 48).reshape(1, 4, 4, 3), 1, "runs from 0 to 255; expected floats"),
        (np.full((1, 4, 4, 3), 3e38, np.float32), 1, r"runs from 3e\+38"),
        (np.zeros((1, 4, 4, 4)), 1, r"shape \[4, 4, 4\]; expected \[3, h, w\]"),
        (np.zeros((4, 4)), 1, r"array of shape \[4, 4\]"),
        (np.zeros((1, 3, 0, 4)), 1, r"shape \[3, 0, 4\]"),
        ([np.zeros((4, 4))], 1, r"image 0 of the generator has the shape \[4, 4\]"),
        (np.zeros((1, 4, 4, 3), np.int32), 1, "of type int32; expected uint8 or floats"),
        (np.zeros((1, 4, 4, 3), bool), 1, "of type bool"),
        ([Image.new("F", (2, 2))], 1, "mode F"),
        ([Image.new("RGB", (0, 2))], 1, "size"),
        (["a.png"], 1, "image 0 of the generator is a str"),
        (None, 1, "made a NoneType"),
        ("images", 1, "made a str"),
        (SimpleNamespace(images=None), 1, "made a NoneType"),
    ],
)
def test_what_is_no_batch_of_images_is_one_line(made, count, words):
    with pytest.raises(DataError, match=words) as caught:
        to_images(made, count)
    assert "\n" not in str(caught.value)


def test_a_single_image_will_do_for_one_prompt():
    pixels = np.full((4, 5, 3), 9, np.uint8)
    for made in (pixels, pixels.transpose(2, 0, 1), Image.fromarray(pixels)):
        np.testing.assert_array_equal(_arrays(made, 1), [pixels])


def test_the_generator_s_array_stays_as_it_is():
    made = np.full((1, 4, 4, 3), 7, np.uint8)
    to_images(made, 1)[0].putpixel((0, 0), (1, 2, 3))
    assert (made == 7).all()


def test_torch_is_not_imported_for_arrays():
    code = (
        "import sys, numpy as np\n"
        "import flasheval.generators.gan, flasheval.generators.function\n"
        "import flasheval.generators.python_objects, flasheval.generators.registry\n"
        "import flasheval.generators.image_folder, flasheval.runs.kept.images\n"
        "assert 'PIL' not in sys.modules\n"
        "from flasheval.generators.images import to_images\n"
        "to_images(np.ones((1, 2, 2, 3)), 1)\n"
        "assert not {'torch', 'diffusers', 'transformers'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)

"""Converting the output of any generator to RGB images of PIL, which scorers take."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from flasheval.base.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ImageFault", "from_pil", "to_images"]

_SHAPES = "[3, h, w] or [h, w, 3]"


@dataclass(frozen=True)
class ImageFault:
    """Why there is no image to score for a prompt; its scores are NaN.

    >>> to_images([None, ImageFault("the server timed out")], 2)
    [ImageFault(reason='no image'), ImageFault(reason='the server timed out')]
    """

    reason: str


def to_images(made: object, count: int) -> list[Image | ImageFault]:
    """Convert a batch of images to 8-bit RGB images; a bad one becomes an ImageFault.

    Args:
        made: A torch tensor or NumPy array of shape [count, 3, h, w] or [count, h, w, 3]; a list
            of such single images, PIL images (alpha is laid over white), None and ImageFaults;
            or an object with such ``images``, as diffusers pipelines return. Numbers are uint8,
            or floats in [0, 1] of any precision, which become ``round(255 x)``, halves to even,
            in float32 at least: as in diffusers. Where both layouts fit, tensors are
            read channels first and arrays channels last.
        count: How many images there are to be.

    Returns:
        One entry an image: an image that holds NaN or infinities, is black all over or is None
        is an ImageFault, and the others are as they would be without it.

    Raises:
        DataError: Another number of images, shape, type or range of numbers.

    >>> import numpy as np
    >>> images = to_images(np.array([[[[0.0, 0.5, 1.0]]], [[[0.0, np.nan, 0.0]]]]), 2)
    >>> images[0].getpixel((0, 0)), images[1]
    ((0, 128, 255), ImageFault(reason='the image holds NaN'))

    """
    singles = _one_by_one(made)
    if len(singles) != count:
        raise DataError(
            f"the generator made {len(singles)} images for {count} prompts; expected one a prompt"
        )
    return [_image(single, i) for i, single in enumerate(singles)]


def from_pil(image: Image) -> Image:
    """Convert an image of any mode to RGB, with transparent parts over white, loaded in memory.

    Raises OSError or another error of PIL where the file it comes from is damaged.

    >>> from PIL import Image
    >>> clear = Image.new("RGBA", (1, 1), (255, 0, 0, 0))
    >>> from_pil(clear).getpixel((0, 0))
    (255, 255, 255)
    """
    from PIL import Image as Pil

    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Pil.new("RGBA", image.size, (255, 255, 255, 255))
        image = Pil.alpha_composite(white, image)
    if image.mode.startswith("I;16"):  # PIL would clip 16 bits instead of scaling them
        image = Pil.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def _one_by_one(made: object) -> Sequence[object]:
    if not isinstance(made, Sequence | np.ndarray) and hasattr(made, "images"):
        made = made.images
    if _is_tensor(made):
        made = _from_tensor(made)
    if isinstance(made, np.ndarray):
        if made.ndim == 4:
            return list(made)
        if made.ndim == 3:
            return [made]
        raise DataError(
            f"the generator made an array of shape {list(made.shape)}; expected "
            "[count, 3, h, w] or [count, h, w, 3]"
        )
    if isinstance(made, list | tuple):
        return made
    if _is_pil(made):
        return [made]
    raise DataError(
        f"the generator made a {type(made).__name__}; expected a tensor, an array or a list of "
        "images"
    )


def _image(single: object, index: int) -> Image | ImageFault:
    """Return one image as PIL's, or what is wrong with it."""
    if single is None:
        return ImageFault("no image")
    if isinstance(single, ImageFault):
        return single
    if _is_tensor(single):
        single = _from_tensor(single)
    if isinstance(single, np.ndarray):
        pixels = _pixels(single, index)
        if pixels is None:
            return ImageFault("the image holds NaN")
        from PIL import Image as Pil

        single = Pil.fromarray(pixels)
    if not _is_pil(single):
        raise DataError(
            f"image {index} of the generator is a {type(single).__name__}; expected an array, "
            "a tensor, a PIL image or None"
        )
    return _checked(single, index)


def _checked(image: Image, index: int) -> Image | ImageFault:
    if image.mode in ("I", "F") or 0 in image.size:
        raise DataError(
            f"image {index} of the generator is of mode {image.mode} and size {image.size}; "
            "expected 8-bit pixels, such as RGB"
        )
    try:
        image = from_pil(image)
    except OSError as error:  # an image opened, but not read, from a damaged file
        return ImageFault(f"the image cannot be read ({error})")
    if image.getbbox() is None:
        return ImageFault("the image is black (a safety checker?)")
    return image


def _pixels(array: np.ndarray[Any, Any], index: int) -> np.ndarray[Any, Any] | None:
    """Return an image as uint8 [h, w, 3]; None where it holds NaN or infinities."""
    if array.ndim != 3 or 0 in array.shape or 3 not in (array.shape[0], array.shape[2]):
        raise DataError(
            f"image {index} of the generator has the shape {list(array.shape)}; expected {_SHAPES}"
        )
    if array.shape[2] != 3:
        array = array.transpose(1, 2, 0)
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype.kind != "f":
        raise DataError(
            f"image {index} of the generator is of type {array.dtype}; expected uint8 or floats"
        )
    if not np.isfinite(array).all():
        return None
    with np.errstate(over="ignore"):  # whatever is that large is refused below
        levels = (array.astype(np.promote_types(array.dtype, np.float32)) * 255).round()
    if levels.min() < 0 or levels.max() > 255:
        low, high = float(array.min()), float(array.max())
        raise DataError(
            f"image {index} of the generator runs from {low:.4g} to {high:.4g}; expected floats "
            "in [0, 1], or uint8"
        )
    return np.ascontiguousarray(levels.astype(np.uint8))


def _is_tensor(value: object) -> bool:
    torch: Any = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _from_tensor(tensor: Any) -> np.ndarray[Any, Any]:
    """Return a tensor as an array in host memory, channels last where they come first."""
    import torch

    tensor = tensor.detach().cpu()
    if tensor.is_floating_point():  # NumPy has no bfloat16
        tensor = tensor.to(torch.float32)
    array: np.ndarray[Any, Any] = tensor.numpy()
    if array.ndim >= 3 and array.shape[-3] == 3:
        array = np.moveaxis(array, -3, -1)
    return array


def _is_pil(value: object) -> TypeGuard[Image]:
    from PIL import Image as Pil

    return isinstance(value, Pil.Image)

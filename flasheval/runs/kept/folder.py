"""Kept images as single files, named by their prompts' ids."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.canonical import sha256_of
from flasheval.base.files import atomic_write
from flasheval.generators.images import ImageFault
from flasheval.runs.kept.codec import SUFFIXES, decode, encode_all
from flasheval.runs.kept.file_names import image_name
from flasheval.runs.kept.images import Damaged, ImageStore, ImageUnit

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["FolderStore"]

_FORMAT = 1


@dataclass(frozen=True)
class FolderStore(ImageStore):
    """A store with one file an image: ``FOLDER/VARIANT/PROMPT_ID.png``, ``PROMPT_ID+1.png``, ...

    ``FOLDER/VARIANT/.units/NAME.json`` marks a complete unit; it is written last and holds the
    sha256 of its files, and its faults. Ids that cannot be file names are encoded by
    `flasheval.runs.kept.file_names.file_name`. When settings of a variant change, its new images
    replace the old ones, and the old units count as damaged.

    Args:
        folder: The folder of the variants' folders.
        image_format: ``png``, ``webp`` (both lossless) or ``jpeg`` (lossy).

    >>> import tempfile
    >>> from PIL import Image
    >>> unit = ImageUnit("0a1b", "sd15", ("Parti/7",), ("A cat.",))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     FolderStore(Path(folder)).write(unit, [Image.new("RGB", (2, 2))])
    ...     sorted(path.name for path in Path(folder, "sd15").glob("*.png"))
    ['+parti=2f7.png']

    """

    folder: Path
    image_format: str = "png"

    def path_of(self, unit: ImageUnit) -> Path:
        """Return the path of the file that marks a complete unit.

        >>> FolderStore(Path("images")).path_of(ImageUnit("0a1b", "sd15", (), ())).as_posix()
        'images/sd15/.units/0a1b.json'
        """
        return self.folder / unit.folder / ".units" / f"{unit.name}.json"

    def write(self, unit: ImageUnit, images: Sequence[Image | ImageFault]) -> None:
        """Write the unit's files and then its mark. Raises DataError when that fails."""
        good = [image for image in images if not isinstance(image, ImageFault)]
        encoded = iter(encode_all(good, self.image_format))
        files, faults = {}, {}
        for prompt_id, image in zip(unit.ids, images, strict=True):
            if isinstance(image, ImageFault):
                faults[prompt_id] = image.reason
                continue
            name = f"{image_name(prompt_id, unit.image)}{SUFFIXES[self.image_format]}"
            data = next(encoded)
            with atomic_write(self.folder / unit.folder / name) as temporary:
                temporary.write_bytes(data)
            files[prompt_id] = [name, hashlib.sha256(data).hexdigest()]
        mark = {"format": _FORMAT, "unit": unit.name, "files": files, "faults": faults}
        with atomic_write(self.path_of(unit)) as temporary:
            temporary.write_text(json.dumps({**mark, "check": sha256_of(mark)}), "utf-8")

    def _read(self, unit: ImageUnit) -> list[Image | ImageFault]:
        mark = self._marked(unit)
        if mark["files"].keys() | mark["faults"].keys() != set(unit.ids):
            raise Damaged("it holds images of other prompts")
        return [
            ImageFault(mark["faults"][prompt_id])
            if prompt_id in mark["faults"]
            else self._image(unit, *mark["files"][prompt_id])
            for prompt_id in unit.ids
        ]

    def _marked(self, unit: ImageUnit) -> dict[str, Any]:
        """Return what the mark says, once it is known to be as written."""
        try:
            mark = json.loads(self.path_of(unit).read_bytes())
        except (ValueError, RecursionError) as error:
            raise Damaged(f"its mark is not JSON ({error})") from error
        if not isinstance(mark, dict) or mark.pop("check", None) != sha256_of(mark):
            raise Damaged("the checksum of its mark does not fit")
        if (mark["format"], mark["unit"]) != (_FORMAT, unit.name):
            raise Damaged("its mark is another unit's, or of another version")
        return mark

    def _image(self, unit: ImageUnit, name: str, digest: str) -> Image:
        try:
            data = (self.folder / unit.folder / name).read_bytes()
        except OSError as error:
            raise Damaged(f"{name} cannot be read ({error.strerror or error})") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise Damaged(f"{name} is not the image that was written")
        return decode(data)

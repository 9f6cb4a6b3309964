"""Kept images as WebDataset shards: one tar file a unit."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.canonical import sha256_of
from flasheval.base.files import atomic_write
from flasheval.generators.images import ImageFault
from flasheval.runs.kept.codec import SUFFIXES, decode, encode_all
from flasheval.runs.kept.images import Damaged, ImageStore, ImageUnit

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ShardStore"]

_INDEX = "__index__"  # readers of WebDataset pass over names of this form
_FORMAT = 1


@dataclass(frozen=True)
class ShardStore(ImageStore):
    """A store with one tar file a unit, ``FOLDER/VARIANT/NAME.tar``, readable by webdataset.

    A sample is ``000000.png``, ``000000.txt`` (the prompt) and ``000000.json`` (its id, and the
    image's number where it is not the first); one without an image is left out. The last member,
    ``__index__``, holds the ids, the faults, and the sha256 of all bytes before it, so that any
    change is noticed. The same images give the same bytes.

    Args:
        folder: The folder of the variants' folders.
        image_format: ``png``, ``webp`` (both lossless) or ``jpeg`` (lossy).

    >>> import tempfile
    >>> from PIL import Image
    >>> unit = ImageUnit("0a1b", "sd15", ("7", "8"), ("A cat.", "A dog."))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = ShardStore(Path(folder))
    ...     store.write(unit, [Image.new("RGB", (2, 2), "red"), ImageFault("no image")])
    ...     image, fault = store.read(unit)
    >>> image.getpixel((0, 0)), fault.reason
    ((255, 0, 0), 'no image')

    """

    folder: Path
    image_format: str = "png"

    def path_of(self, unit: ImageUnit) -> Path:
        """Return the path of the unit's file.

        >>> ShardStore(Path("images")).path_of(ImageUnit("0a1b", "sd15", (), ())).as_posix()
        'images/sd15/0a1b.tar'
        """
        return self.folder / unit.folder / f"{unit.name}.tar"

    def write(self, unit: ImageUnit, images: Sequence[Image | ImageFault]) -> None:
        """Write the unit's file in one step. Raises DataError when that fails."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for name, data in _members(unit, images, self.image_format):
                _add(tar, name, data)
            faults = {
                unit.ids[i]: image.reason
                for i, image in enumerate(images)
                if isinstance(image, ImageFault)
            }
            index = {
                "format": _FORMAT,
                "unit": unit.name,
                "suffix": SUFFIXES[self.image_format],
                "ids": list(unit.ids),
                "faults": faults,
                "sha256": hashlib.sha256(buffer.getbuffer()).hexdigest(),
            }
            _add(tar, _INDEX, _json({**index, "check": sha256_of(index)}))
        with atomic_write(self.path_of(unit)) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def _read(self, unit: ImageUnit) -> list[Image | ImageFault]:
        data = self.path_of(unit).read_bytes()
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
                index, members = _verified(tar, data)
                if (index["format"], index["unit"]) != (_FORMAT, unit.name):
                    raise Damaged("it is another unit's file, or of another version")
                if index["ids"] != list(unit.ids):
                    raise Damaged("it holds images of other prompts")
                return [
                    ImageFault(index["faults"][prompt_id])
                    if prompt_id in index["faults"]
                    else decode(_content(tar, members[_name(i, index["suffix"])]))
                    for i, prompt_id in enumerate(unit.ids)
                ]
        except (tarfile.TarError, EOFError, ValueError, LookupError, TypeError) as error:
            raise Damaged(f"it is cut short or no tar file ({error})") from error


def _members(
    unit: ImageUnit, images: Sequence[Image | ImageFault], image_format: str
) -> Iterator[tuple[str, bytes]]:
    good = [image for image in images if not isinstance(image, ImageFault)]
    encoded = iter(encode_all(good, image_format))
    for i, (prompt_id, prompt, image) in enumerate(
        zip(unit.ids, unit.prompts, images, strict=True)
    ):
        if not isinstance(image, ImageFault):
            yield _name(i, SUFFIXES[image_format]), next(encoded)
            yield _name(i, ".txt"), prompt.encode()
            more = {"image": unit.image} if unit.image else {}
            yield _name(i, ".json"), _json({"prompt_id": prompt_id, **more})


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)  # of no time and no owner, so that equal shards are equal
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _verified(
    tar: tarfile.TarFile, data: bytes
) -> tuple[dict[str, Any], dict[str, tarfile.TarInfo]]:
    """Return the index and the members by name, once every byte is known to be as written."""
    members = tar.getmembers()
    if not members or members[-1].name != _INDEX:
        raise Damaged("its index is missing: it is cut short")
    last = members[-1]
    index = json.loads(_content(tar, last))
    if not isinstance(index, dict) or index.pop("check", None) != sha256_of(index):
        raise Damaged("the checksum of its index does not fit")
    with memoryview(data) as view:
        if hashlib.sha256(view[: last.offset]).hexdigest() != index["sha256"]:
            raise Damaged("its checksum does not fit its content")
    # Behind the index come zeros alone, up to a whole record.
    if len(data) % tarfile.RECORDSIZE or data[last.offset_data + last.size :].strip(b"\0"):
        raise Damaged("its end is cut short or overwritten")
    return index, {member.name: member for member in members}


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return b"" if file is None else file.read()


def _name(i: int, suffix: str) -> str:
    return f"{i:06d}{suffix}"


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode()

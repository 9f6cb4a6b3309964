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
    """One tar file a unit, ``FOLDER/VARIANT/NAME.tar``, which the webdataset package reads.

    A sample is ``000000.png``, ``000000.txt`` (the prompt) and ``000000.json`` (its id); one
    without an image is left out. The last member, ``__index__``, says what was written: the ids,
    the faults, and the sha256 of all bytes before it, so that no byte changes unseen. The same
    images give the same bytes.

    Args:
        folder: Where the shards lie.
        image_format: ``png``, ``webp`` (both lossless) or ``jpeg`` (lossy).

    """

    folder: Path
    image_format: str = "png"

    def path_of(self, unit: ImageUnit) -> Path:
        """Return the unit's file."""
        return self.folder / unit.folder / f"{unit.name}.tar"

    def write(self, unit: ImageUnit, images: Sequence[Image | ImageFault]) -> None:
        """Write the unit's file, whole or not at all. Raises DataError when it cannot be."""
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
            yield _name(i, ".json"), _json({"prompt_id": prompt_id})


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

"""The tracker that writes TensorBoard's event files, without torch."""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from flasheval.base.errors import DataError, SettingError
from flasheval.base.extras import pip_command
from flasheval.evaluation.trackers.logged_steps import LoggedSteps
from flasheval.evaluation.trackers.pictures import picture_grid
from flasheval.evaluation.trackers.score_rows import markdown_table

if TYPE_CHECKING:
    from flasheval.evaluation.report import Report

__all__ = ["TensorBoard"]

_STEPS = "flasheval-steps.json"


@dataclass(eq=False)
class TensorBoard:
    """A tracker that writes scalars, a table of scores by prompt, and a grid of images.

    Every start adds an event file to the folder; every step is written and closed at once, without
    a thread. ``flasheval-steps.json`` beside it records the steps, so that a resumed training does
    not write them again.

    Attributes:
        folder: The folder for ``tensorboard --logdir``, one for each training.
        images: Number of images, those of the first prompts.

    Raises SettingError without a folder, for images below 0, and without tensorboard installed.

    >>> TensorBoard()
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: tracker tensorboard needs its folder: where event files go

    """

    name: ClassVar[str] = "tensorboard"

    folder: str | None = None
    images: int = 8

    def __post_init__(self) -> None:
        if not self.folder:
            raise SettingError("tracker tensorboard needs its folder: where event files go")
        if self.images < 0:
            raise SettingError(f"tracker.images={self.images}: expected 0 or more")
        if find_spec("tensorboard") is None:
            raise SettingError(f"tracker tensorboard needs: {pip_command('tensorboard')}")
        self._logged: LoggedSteps | None = None
        moment = f"{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"  # read in this order
        self._file = Path(self.folder) / f"events.out.tfevents.{moment}.flasheval"

    def log(self, scalars: Mapping[str, float], step: int) -> None:
        """Write numbers by name, unless the step was written before."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        if self._new("scalars", step):
            values = [
                Summary.Value(tag=name, simple_value=float(value))
                for name, value in scalars.items()
            ]
            self._write(values, step)

    def log_report(self, report: Report, step: int) -> None:
        """Write the table of scores and the grid of images, unless they were written before."""
        if self._new("reports", step):
            values = [_text("flasheval/prompts", markdown_table(report, int(step)))]
            if (grid := picture_grid(report, self.images)) is not None:
                values.append(_image("flasheval/images", grid))
            self._write(values, step)

    def finish(self) -> None:
        """Do nothing: every step is written."""

    def _new(self, kind: str, step: int) -> bool:
        if self._logged is None:
            self._logged = LoggedSteps(self._file.with_name(_STEPS))
        return self._logged.note(kind, int(step))

    def _write(self, values: list[Any], step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        now = time.time()
        summary = Summary(value=values)
        events = [Event(wall_time=now, step=int(step), summary=summary)]
        if not self._file.exists():
            events.insert(0, Event(wall_time=now, file_version="brain.Event:2"))
        try:
            self._append([event.SerializeToString() for event in events])
        except OSError as error:
            raise DataError(f"cannot write {self._file}: {error.strerror or error}") from error

    def _append(self, records: list[bytes]) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        buffer = io.BytesIO()
        writer = RecordWriter(buffer)
        for record in records:
            writer.write(record)
        with self._file.open("ab", buffering=0) as file:  # the folder is there: the steps are in it
            file.write(buffer.getvalue())


def _text(tag: str, text: str) -> Any:
    """Return a value that TensorBoard's text plugin shows as Markdown."""
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING

    plugin = SummaryMetadata.PluginData(plugin_name="text")
    tensor = TensorProto(dtype=DT_STRING, string_val=[text.encode()])
    tensor.tensor_shape.dim.add(size=1)
    return Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin), tensor=tensor)


def _image(tag: str, image: Any) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    buffer = io.BytesIO()
    # Not PNG: the checksum of each record is computed in Python, a second for every 2 MB.
    image.save(buffer, "JPEG", quality=95, subsampling=0)
    width, height = image.size
    shown = Summary.Image(
        height=height, width=width, colorspace=3, encoded_image_string=buffer.getvalue()
    )
    return Summary.Value(tag=tag, image=shown)

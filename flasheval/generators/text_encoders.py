"""How far the text encoders of a pipeline read, told from its files; nothing is loaded."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

from flasheval.base.json_data import read_json
from flasheval.prompts.readers import TextReader, tokenizer_limit

__all__ = ["pipeline_readers", "text_encoders"]

_CLIP = "CLIPTokenizer"


def text_encoders(
    name: str, folder: Path, components: Mapping[str, Path], asked: object = None
) -> tuple[TextReader, ...]:
    """Return a pipeline's text encoders.

    A CLIP reads as far as its tokenizer says; any other as far as the pipeline's call takes
    (`max_sequence_length`, its default unless asked otherwise), else as its tokenizer says.

    Args:
        name: The checkpoint's name, for messages.
        folder: Its folder.
        components: Folders of parts from elsewhere, by part.
        asked: The call's `max_sequence_length`, where it is set.

    Example:
        >>> text_encoders("mine", Path("no-such-folder"), {})
        ()

    """
    index = folder / "model_index.json"
    parts = read_json(index) if index.is_file() else {}
    if not isinstance(parts, dict):
        return ()
    found = []
    for part in sorted({*(key for key in parts if key.startswith("tokenizer")), *components}):
        stored = parts.get(part)
        kind = stored[1] if isinstance(stored, list) and len(stored) == 2 else None
        where = components.get(part, folder / part)
        if not part.startswith("tokenizer") or (kind is None and part not in components):
            continue
        own = tokenizer_limit(where)
        tokens = own
        if not str(kind).startswith(_CLIP):
            called = _call_default(parts.get("_class_name")) if asked is None else asked
            tokens = called if isinstance(called, int) else own
        file = where / "tokenizer.json"
        if tokens is not None:
            about = f"text encoder of {name}" + ("" if part == "tokenizer" else f" ({part})")
            found.append(TextReader(about, tokens, file if file.is_file() else None))
    return tuple(found)


def pipeline_readers(pipe: object) -> list[TextReader]:
    """Return the text encoders of a loaded pipeline; nothing for any other object.

    >>> pipeline_readers(len)
    []
    """
    found = []
    for part in ("tokenizer", "tokenizer_2", "tokenizer_3"):
        tokenizer = getattr(pipe, part, None)
        limit = getattr(tokenizer, "model_max_length", None)
        if not str(type(tokenizer).__name__).startswith(_CLIP):
            limit = _call_default(type(pipe).__name__)
        if tokenizer is not None and isinstance(limit, int):
            about = "text encoder" + ("" if part == "tokenizer" else f" ({part})")
            found.append(TextReader(about, limit, _file_of(tokenizer)))
    return found


def _file_of(tokenizer: object) -> Path | None:
    """Return the file a loaded tokenizer was read from, where it is still there."""
    file = Path(str(getattr(tokenizer, "name_or_path", ""))) / "tokenizer.json"
    return file if file.is_file() else None


def _call_default(name: object) -> object:
    """Return the default of `max_sequence_length` in the call of a pipeline's class."""
    import diffusers

    pipeline = getattr(diffusers, str(name), None)
    if not isinstance(pipeline, type) or not issubclass(pipeline, diffusers.DiffusionPipeline):
        return None
    parameter = inspect.signature(pipeline.__call__).parameters.get("max_sequence_length")
    return None if parameter is None else parameter.default

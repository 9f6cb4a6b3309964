"""Checks of everything a run needs, made before it starts; each gives one line with advice."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasheval.base.errors import FlashevalError
from flasheval.generators.generator import GeneratorSettings
from flasheval.generators.populations.recipe import Recipe
from flasheval.prompts import PromptSet
from flasheval.prompts.known import recognise
from flasheval.runs.claims import can_lock
from flasheval.runs.devices import device_kind
from flasheval.runs.store import RunSettings, RunStore
from flasheval.scorers.registry import make_scorer
from flasheval.scorers.scorer import ScorerSettings
from flasheval.scores import load_scores

__all__ = [
    "Check",
    "check_folder",
    "check_prompts",
    "check_scorers",
    "check_tables",
    "check_variants",
    "free_bytes",
    "free_memory_bytes",
    "model_label",
    "nearest_folder",
    "size_text",
]

_SOURCES = ("checkpoint", "weights", "folder", "function")


@dataclass(frozen=True)
class Check:
    """The result of checking one thing that a run needs.

    Attributes:
        what: The thing checked, such as ``prompts``.
        said: What was found, or what is wrong and what to do.
        ok: Whether a run can go on with it.

    """

    what: str
    said: str
    ok: bool = True


def check_prompts(prompts: PromptSet) -> Check:
    """Tell whether the prompts have texts, and which known list they are.

    >>> check_prompts(PromptSet("pets", ("1", "2"), ("A cat.", "A dog."))).said
    '2 with texts (pets)'
    >>> check_prompts(PromptSet("pets", ("1", "2"))).ok
    False
    """
    count = f"{len(prompts):,}"
    if prompts.texts is None:
        return Check(
            "prompts", f"{count} with ids only; images need texts: give such a file", False
        )
    known = recognise(prompts)
    said = [f"{count} with texts ({prompts.name})", "" if known is None else str(known)]
    return Check("prompts", "; ".join(filter(None, said)))


def check_scorers(entries: object) -> tuple[list[Check], list[ScorerSettings]]:
    """Check every scorer, and return the checks and the scorers that can be used.

    >>> checks, usable = check_scorers(["clipp", {"name": "clip", "checkpoint": "miniature:clip"}])
    >>> [check.ok for check in checks], [settings.metric for settings in usable]
    ([False, True], ['CLIP'])
    """
    given = [entries] if isinstance(entries, str | Mapping) else entries
    checks: list[Check] = []
    usable: list[ScorerSettings] = []
    for entry in given if isinstance(given, Iterable) else [given]:
        try:
            settings = make_scorer(entry)
            settings.identity()
        except FlashevalError as error:
            checks.append(Check(f"scorer {_name(entry)}", str(error), False))
            continue
        what = f"scorer {settings.metric}"
        if any(settings.metric == one.metric for one in usable):
            said = f"two give {settings.metric}; give each its own metric_name"
            checks.append(Check(what, said, False))
            continue
        checks.append(Check(what, settings.version))
        usable.append(settings)
    return checks, usable


def check_variants(recipes: Iterable[Recipe], unusable: Mapping[str, str]) -> Iterator[Check]:
    """Yield a check for each checkpoint, or other source, that variants are made from.

    Args:
        recipes: All variants.
        unusable: Why a variant cannot be measured, by its name.

    >>> from flasheval.generators.function import FunctionSettings
    >>> from flasheval.generators.variants import Variant
    >>> recipes = [Recipe(Variant(n), FunctionSettings("math:hypot", version="1")) for n in "ab"]
    >>> [(check.what, check.said) for check in check_variants(recipes, {})]
    [('function math:hypot', '2 variants, version 1')]

    """
    groups: dict[tuple[str, str], list[Recipe]] = {}
    for recipe in recipes:
        reason = unusable.get(recipe.name, "")
        groups.setdefault((model_label(recipe.generator), reason), []).append(recipe)
    for (label, reason), some in groups.items():
        count = "1 variant" if len(some) == 1 else f"{len(some)} variants"
        what = f"{some[0].generator.kind} {label}"
        if reason:
            yield Check(what, f"{count}: {reason}", False)
        else:
            revision = _revision(some[0].generator.identity("cpu"))
            yield Check(what, ", ".join(part for part in (count, revision) if part))


def check_tables(tables: Iterable[str]) -> Iterator[Check]:
    """Yield a check for each score table that variants are taken from.

    >>> [check.ok for check in check_tables(["no-such-table"])]
    [False]
    """
    for table in tables:
        try:
            found = load_scores(table)
            yield Check(f"scores {table}", f"{len(found)} variants on {found.n_prompts:,} prompts")
        except FlashevalError as error:
            yield Check(f"scores {table}", str(error), False)


def check_folder(folder: Path, settings: RunSettings) -> Check:
    """Check that a run folder, existing or not, can be written to and locked.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     check_folder(Path(folder) / "run", RunSettings(seed=0, chunk=32)).said[:13]
    'new, writable'
    """
    what = f"folder {folder}"
    try:
        with tempfile.TemporaryDirectory(dir=nearest_folder(folder), prefix=".flasheval-") as place:
            locks = can_lock(Path(place, "lock"))
        store = RunStore(folder)
        begun = store.settings() is not None
        if begun:
            store.begin(settings)
    except OSError as error:
        reason = error.strerror or str(error)
        return Check(what, f"cannot be written to: {reason}; choose another one with out=", False)
    except FlashevalError as error:
        return Check(what, str(error), False)
    said = ["a run to go on with" if begun else "new", "writable"]
    said.append("locks work" if locks else "no locks: several runners may do the same unit twice")
    return Check(what, ", ".join(said))


def nearest_folder(folder: Path) -> Path:
    """Return the folder, or the nearest folder above it that exists.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nearest_folder(Path(folder) / "runs" / "coco") == Path(folder)
    True
    """
    return next(one for one in (folder, *folder.absolute().parents) if one.exists())


def free_bytes(folder: Path) -> int:
    """Return the free bytes on the disk of a folder, which need not exist yet.

    >>> free_bytes(Path("no/such/folder")) > 0
    True
    """
    return shutil.disk_usage(nearest_folder(folder)).free


def free_memory_bytes(device: str) -> int | None:
    """Return the free memory of a device in bytes; None when it is unknown.

    >>> free = free_memory_bytes("cpu")
    >>> free is None or free > 0
    True
    """
    if device_kind(device) == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        available = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(available.split()[1]) * 1024
    except (OSError, StopIteration, ValueError):
        return None


def size_text(count: float) -> str:
    """Return a number of bytes as readable text.

    >>> size_text(1_234_567), size_text(2e12)
    ('1.23 MB', '2 TB')
    """
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count / 1e3:.3g} kB"


def model_label(settings: GeneratorSettings) -> str:
    """Return the checkpoint, folder or function that a generator is loaded from.

    >>> from flasheval.generators.diffusers_settings import DiffusersSettings
    >>> model_label(DiffusersSettings("stabilityai/sdxl-turbo"))
    'stabilityai/sdxl-turbo'
    """
    found: list[Any] = [getattr(settings, key, None) for key in _SOURCES]
    source = next((one for one in found if one), settings.kind)
    text = source if isinstance(source, str) else getattr(source, "__name__", str(source))
    return os.path.relpath(text) if os.path.isabs(text) and _is_below(text) else text


def _is_below(path: str) -> bool:
    return not os.path.relpath(path).startswith("..")


def _revision(identity: Mapping[str, Any]) -> str:
    """Return the first revision or hash in an identity, in short."""
    for key in ("revision", "checkpoint", "weights", "version"):
        value = identity.get(key)
        if isinstance(value, str) and value:
            return f"{key} {value.removeprefix('sha256:')[:8]}"
    return ""


def _name(entry: object) -> str:
    return str(entry.get("name")) if isinstance(entry, Mapping) else str(entry)

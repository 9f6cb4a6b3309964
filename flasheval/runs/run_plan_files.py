"""Saving a plan for worker processes, and loading it there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from flasheval.base.canonical import sha256_of
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import atomic_write
from flasheval.base.json_data import from_plain, read_json, to_plain
from flasheval.generators.populations.population import recipe_of
from flasheval.prompts import load_prompts, save_prompts
from flasheval.runs.run_plan import RunPlan, WorkSettings, make_run_plan
from flasheval.scorers.registry import make_scorers

__all__ = ["load_run_plan", "save_run_plan"]


def save_run_plan(plan: RunPlan, folder: Path) -> Path:
    """Write a plan into a run's folder of plans and return its own folder.

    Raises SettingError for a plan with Python objects in it, which other processes cannot get.

    >>> from flasheval.prompts import PromptSet
    >>> pets = PromptSet("pets", ("1",), ("A cat.",))
    >>> plan = make_run_plan((), pets, (), seed=0, chunk=32, work=WorkSettings())
    >>> save_run_plan(plan, Path("plans"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: models or scorers given as Python objects cannot go to ...
    """
    if plan.entries is None or plan.scorer_entries is None:
        raise SettingError(
            "models or scorers given as Python objects cannot go to other processes; name them as "
            "module:name, or use executor=in_process"
        )
    body: dict[str, Any] = {
        "entries": [dict(entry) for entry in plan.entries],
        "scorers": list(plan.scorer_entries),
        "seed": plan.seed,
        "chunk": plan.chunk,
        "kind": plan.kind,
        "work": to_plain(plan.work),
        "images_per_prompt": plan.images_per_prompt,
        "variant_seeds": plan.variant_seeds,
        "all_ids": None if plan.all_ids == plan.prompts.ids else list(plan.all_ids),
    }
    name = sha256_of([body, plan.prompts.hash], path="plan", digits=17)[:16]
    save_prompts(plan.prompts, folder / name / "prompts.parquet")
    with atomic_write(folder / name / "plan.json") as temporary:
        temporary.write_text(json.dumps(body, ensure_ascii=False), "utf-8")
    return folder / name


def load_run_plan(folder: Path, device: str | None = None) -> RunPlan:
    """Read a plan that `save_run_plan` wrote, for the device of this process.

    Raises FlashevalError when it is damaged, or a file that it names is missing.

    >>> import tempfile
    >>> from flasheval.prompts import PromptSet
    >>> pets = PromptSet("pets", ("1",), ("A cat.",))
    >>> plan = make_run_plan((), pets, (), seed=7, chunk=32, work=WorkSettings(batch=4),
    ...                      entries=(), scorer_entries=())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load_run_plan(save_run_plan(plan, Path(folder)))
    >>> again.seed, again.work.batch, again.prompts.ids
    (7, 4, ('1',))
    """
    body = read_json(folder / "plan.json")
    try:
        work = from_plain(WorkSettings, body["work"], source=str(folder / "plan.json"))
        entries, scorers = body["entries"], body["scorers"]
        return make_run_plan(
            [recipe_of(entry) for entry in entries],
            load_prompts(folder / "prompts.parquet"),
            make_scorers(scorers) if scorers else (),
            seed=body["seed"],
            chunk=body["chunk"],
            kind=body["kind"],
            work=work if device is None else replace(work, device=device),
            entries=entries,
            scorer_entries=scorers,
            images_per_prompt=body["images_per_prompt"],
            variant_seeds=body["variant_seeds"],
            all_ids=body["all_ids"],
        )
    except (KeyError, TypeError) as error:
        raise DataError(f"{folder / 'plan.json'} is damaged; run the command again") from error

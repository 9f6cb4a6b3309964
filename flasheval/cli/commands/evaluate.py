"""`flasheval evaluate`: one model on a subset, its report as a file and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.canonical import canonical_value, sha256_of
from flasheval.base.drawing.terminal import drawn
from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.base.extras import missing_library
from flasheval.base.files import atomic_write, slug
from flasheval.base.run_folders import FOLDER_OF_RUNS, shown_path
from flasheval.cli.commands.context import Answer, Context, Outcome, Sweep
from flasheval.cli.commands.sweeps.evaluations import REPORTS, as_job, name_in_sweep, summary_of
from flasheval.cli.configs import EvaluateConfig
from flasheval.cli.exit_codes import DONE
from flasheval.evaluation.evaluate import evaluate, images_given, made_with
from flasheval.evaluation.report import Report
from flasheval.evaluation.trackers.registry import make_tracker
from flasheval.generators.images import ImageFault
from flasheval.generators.registry import GENERATORS, make_generator
from flasheval.prompts import PromptSet
from flasheval.prompts.loading import as_prompts
from flasheval.runs.devices import choose_device
from flasheval.runs.kept.file_names import image_name
from flasheval.runs.unit_work import error_line
from flasheval.scorers.of_subset import asked_scorers
from flasheval.subset.image_plan import ImagePlan, plan_images
from flasheval.subset.library import load_subset
from flasheval.subset.library.cache import has_texts

if TYPE_CHECKING:
    from flasheval.evaluation.report import Report
    from flasheval.generators.generator import GeneratorSettings
    from flasheval.scorers.scorer import ScorerSettings
    from flasheval.subset import Subset

__all__ = ["asked_subset", "run_evaluate"]

_MANY = 150  # letters of a file's name


@dataclass(frozen=True)
class _Asked:
    """What the settings ask for, found and checked; nothing is loaded."""

    subset: Subset
    generator: GeneratorSettings
    scorers: tuple[ScorerSettings, ...]
    device: str
    name: str
    call: Mapping[str, Any]
    images: ImagePlan

    def told(self, config: EvaluateConfig) -> dict[str, Any]:
        """Return all that a report of it depends on, by the key that sets it."""
        scorers = {one.metric: [one.version, one.higher_is_better] for one in self.scorers}
        told = {
            "subset": self.subset.content_hash,
            "scorers": scorers,
            "seed": self.images.seeds.run_seed,
            **_several(self.images.images),
            "name": self.name,
            "step": config.step,
            **{f"generator's {key}": value for key, value in self.call.items()},
        }
        return {key: canonical_value(value, digits=17) for key, value in told.items()}


def run_evaluate(config: EvaluateConfig, context: Context) -> Outcome:
    """Score a model with the settings of the command line, write its report, print it.

    A report that is there already, of the same settings, is printed only. In a sweep the report
    lies in the sweep's folder. Returns the outcome, with a row for the table of a sweep.

    Raises FlashevalError for a setting, a file or a model that cannot be used.
    """
    console, sweep = context.console, context.sweep
    asked = _asked(config, sweep)
    told = asked.told(config)
    path = Path(config.out) if config.out and not sweep else _default_path(asked, told, sweep)
    if sweep is not None:
        config = as_job(config, asked.name, told, sweep)
    folder = Path(config.images).expanduser() if config.images else None
    report = _made_before(path, told, overwrite=config.overwrite)
    tracker = _tracker(config.tracker)
    if report is None or (folder is not None and _images_lacking(report, folder)):
        keep = folder is not None or tracker is not None
        report = _evaluated(asked, config, context, keep=keep)
        if folder is not None:
            _save_images(report, folder)
        report.save(path)
        if tracker is not None:
            tracker.log(report.scalars(), config.step or 0)
            tracker.log_report(report, config.step or 0)
        lines = []
    else:
        report = replace(report, subset=report.subset.found_at(asked.subset.found))
        lines = ["made earlier with the same settings: delete the report to make it again"]
    if tracker is not None:
        tracker.finish()
    view = report.view(by=config.by)
    console.print(drawn(view))
    console.print()
    lines.append(f"report:  {shown_path(path)}")
    if folder is not None:
        lines.append(f"images:  {shown_path(folder)}/")
    lines.append(f"compare: flasheval compare {shown_path(path)} OTHER.json")
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
    files = {"report": path, **({} if folder is None else {"images": folder})}
    notes = tuple(line for line in lines if line.startswith("made earlier"))
    summary = summary_of(report, path) if sweep else None
    return Outcome(DONE, summary, answer=Answer(report, view=view, notes=notes, files=files))


def asked_subset(
    subset: str | None, prompts: PromptSet | str | None, verb: str, by: str | None = None
) -> Subset:
    """Return the subset that settings name, with its prompts' texts.

    Args:
        subset: Its name where it is published, its manifest, or the folder of its search.
        prompts: A copy of the prompts to look texts up in, where the manifest has none.
        verb: The verb, for messages.
        by: A tag that its prompts must have, their own or by `prompts`.

    Raises FlashevalError where there is none, or no texts, or no such tag.

    Example:
        >>> asked_subset(None, None, "evaluate")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: subset is missing: flasheval evaluate ...

    """
    if not subset:
        raise SettingError(
            f"subset is missing: flasheval {verb} subset=MANIFEST.json, such as the subset.json "
            "of a search, or the name of a published one (flasheval subsets list)"
        )
    if prompts and by is not None:
        prompts = as_prompts(prompts)  # read once, for texts and tags
    found = load_subset(subset, prompts=prompts or None)
    if not has_texts(found):
        raise SettingError(
            f"{subset} holds no texts of its prompts: add prompts=FILE, your copy of the prompt "
            f'set "{found.prompt_set_name}", or once: flasheval subsets resolve {subset} '
            "prompts=FILE"
        )
    if isinstance(prompts, PromptSet):
        found = found.with_tags(prompts)
    if by is not None:
        found.by_tag(by)
    return found


def _asked(config: EvaluateConfig, sweep: Sweep | None) -> _Asked:
    if config.out and sweep is None and not config.out.endswith(".json"):
        raise SettingError(f"out={config.out}: expected a name in .json")
    if config.batch < 1:
        raise SettingError(f"batch={config.batch}: expected a whole number above 0")
    subset = asked_subset(config.subset, config.prompts, "evaluate", config.by)
    generator = _generator(config)
    scorers, device = asked_scorers(config.scorers, subset), choose_device(config.device)
    name = config.name or _name_of(generator)
    name = name if sweep is None else name_in_sweep(name, config, sweep)
    images = plan_images(
        subset.record,
        images_per_prompt=images_given(generator, config.images_per_prompt, subset.ids),
        seeds=config.seeds,
        seed=config.seed,
    )
    call = made_with(generator, {}, subset.ids, device, images.images)
    return _Asked(subset, generator, scorers, device, name, call, images)


def _several(images: int) -> dict[str, int]:
    """Return what a report's settings say of the images a prompt; nothing of one."""
    return {"images_per_prompt": images} if images > 1 else {}


def _generator(config: EvaluateConfig) -> GeneratorSettings:
    """Return the settings of the generator, as a variant of a population would have them."""
    kind = config.generator
    keys = fields(GENERATORS[kind])
    settings = {key.name: getattr(config, key.name) for key in keys}
    for key in keys:
        if _is_required(key) and settings[key.name] is None:
            other = (
                "" if kind != "diffusers" else "; for other models than diffusers' generator=..."
            )
            raise SettingError(
                f"{key.name} is missing: flasheval evaluate subset=... {key.name}=...{other}"
            )
    return make_generator(kind, settings, f"generator {kind}")


def _is_required(key: Field[Any]) -> bool:
    return key.default is MISSING and key.default_factory is MISSING


def _name_of(generator: GeneratorSettings) -> str:
    """Return the name of a model without one: its checkpoint, and its LoRA."""
    first = fields(generator)[0].name  # type: ignore[arg-type] # all kinds are dataclasses
    parts = [getattr(generator, first), getattr(generator, "lora", None)]
    return "+".join(Path(str(part)).name for part in parts if part)


def _default_path(asked: _Asked, told: Mapping[str, Any], sweep: Sweep | None) -> Path:
    words = f"{asked.name}-{asked.subset.name}-seed{told['seed']}"
    name = slug(words).lstrip(".")
    folder = sweep.folder / REPORTS if sweep else Path(FOLDER_OF_RUNS, "evaluate")
    return folder / f"{name}-{sha256_of(told, digits=17)[:8]}.json"


def _made_before(path: Path, told: Mapping[str, Any], *, overwrite: bool) -> Report | None:
    """Return the report in a file; None where there is none, or where another may be replaced.

    Raises DataError for a file that is no report, or one made with other settings.
    """
    if not path.exists():
        return None
    try:
        report = Report.load(path)
    except DataError as error:
        if overwrite:
            return None
        raise DataError(
            f"{error}: name another out, or add overwrite=true to replace it"
        ) from error
    there = {
        "subset": report.subset.content_hash,
        "scorers": {m: [one.version, one.higher_is_better] for m, one in report.metrics.items()},
        "seed": report.seed,
        **_several(report.images_per_prompt),
        "name": report.name,
        "step": report.step,
        **{f"generator's {key}": value for key, value in report.call.items()},
    }
    keys = dict.fromkeys([*told, *there])
    other = [key for key in keys if told.get(key) != there.get(key)]
    if other and not overwrite:
        raise DataError(
            f"{shown_path(path)} is a report made with other settings ({', '.join(other)}): "
            "choose another out=, delete it, or add overwrite=true to replace it"
        )
    return None if other else report


def _evaluated(asked: _Asked, config: EvaluateConfig, context: Context, *, keep: bool) -> Report:
    try:
        with context.progress() as progress:
            return evaluate(
                asked.generator,
                asked.subset,
                asked.scorers,
                images_per_prompt=asked.images.images,
                seeds=asked.images.kind,
                seed=asked.images.seeds.run_seed,
                batch=config.batch,
                device=asked.device,
                images=keep,
                name=asked.name,
                step=config.step,
                progress=progress,
            )
    except FlashevalError:
        raise
    except Exception as error:  # whatever a model or a function of the user's raises
        missing = missing_library(error) if isinstance(error, ModuleNotFoundError) else None
        if missing:
            raise FlashevalError(missing) from error
        raise FlashevalError(f"{asked.name} cannot be evaluated: {error_line(error)}") from error


def _tracker(settings: Any) -> Any:
    """Return the tracker that settings name, or None."""
    name = settings.get("name") if isinstance(settings, Mapping) else settings
    if name in (None, "none"):
        return None

    return make_tracker(settings)


def _image_path(folder: Path, prompt_id: str, number: int) -> Path:
    """Return the file of an image; no prompt's id is written with a plus sign and a digit."""
    return folder / f"{image_name(prompt_id, number)}.png"


def _images_lacking(report: Report, folder: Path) -> bool:
    return not all(
        _image_path(folder, one, number).is_file()
        for one in report.subset.ids
        for number in range(report.images_per_prompt)
        if report.fault_of(one, number) is None
    )


def _save_images(report: Report, folder: Path) -> None:
    """Write a PNG an image; one that was not made has none, nor an earlier model's."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, prompt_id in enumerate(report.subset.ids):
        for number, image in enumerate(report.images_of(place)):
            path = _image_path(folder, prompt_id, number)
            if isinstance(image, ImageFault):
                path.unlink(missing_ok=True)
                continue
            with atomic_write(path) as temporary:
                image.save(temporary, format="PNG")  # type: ignore[attr-defined] # a PIL image
